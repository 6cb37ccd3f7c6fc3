"""`gateway as2 decode`: a message or receipt looked into, offline; what fails and why in one sentence first."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway import as2
from gateway.as2 import CIPHERS, HASHES, Policy, Sent
from gateway.as2.explaining import Sight, explain
from gateway.as2.explaining_receipts import ReceiptSight, explain_receipt, hash_of, is_receipt
from gateway.as2.explanation import Explanation
from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, show_json
from gateway.cli.as2_files import captured, key_pairs
from gateway.cli.as2_tree import explanation_json, show_explanation
from gateway.cli.message_names import complete_message
from gateway.cli.partner_names import complete_partner
from gateway.cli.printable import printable
from gateway.errors import OurFault
from gateway.ports import Direction, Message

if TYPE_CHECKING:
    from gateway.partners.agreement import Agreement
    from gateway.pipeline.station import Station

Headers = tuple[tuple[str, str], ...]
_EVERYTHING = Policy(
    require_signature=False, require_encryption=False, hashes=frozenset(HASHES), ciphers=frozenset(CIPHERS)
)
"""Where neither agreement nor keys are at hand, nothing is demanded: weak algorithms are noted, not refused."""
_DEFAULT = Policy()
"""What an agreement demands that says nothing of it: keys given by hand stand for such a one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """What the command line says."""

    file: Path | None
    headers: Path | None
    message: str | None
    receipt: bool
    held_against: str | None
    partner: str | None
    keys: list[Path]
    certificates: list[Path]
    workspace: Path

    @property
    def given(self) -> bool:
        """Whether keys or certificates are given by hand."""
        return bool(self.keys or self.certificates)

    @property
    def offline(self) -> bool:
        """Whether no workspace is needed: there is none, or the keys are given."""
        stored = self.held_against is not None and not Path(self.held_against).is_file()
        named = self.message or stored or self.partner
        return not named and (self.given or not (self.workspace / "gateway.yaml").is_file())


def decode(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Headers, blank line, body; - reads stdin.")
    ] = None,
    *,
    headers: Annotated[Path | None, typer.Option(help="The HTTP headers, when FILE is the body alone.")] = None,
    message: Annotated[
        str | None,
        typer.Option(metavar="ID", help="A stored message instead of a file.", autocompletion=complete_message),
    ] = None,
    receipt: Annotated[bool, typer.Option("--receipt", help="With --message: its receipt instead of itself.")] = False,
    held_against: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="ID|FILE",
            help="FILE is a receipt: hold it against this stored message, or a captured one.",
        ),
    ] = None,
    partner: Annotated[
        str | None,
        typer.Option(help="Whose agreement judges it; otherwise AS2-From says.", autocompletion=complete_partner),
    ] = None,
    key: Annotated[
        list[Path] | None, typer.Option(help="A private key of ours as PEM, for use without keys of a workspace.")
    ] = None,
    cert: Annotated[list[Path] | None, typer.Option(help="A certificate as PEM, ours or the partner's.")] = None,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Look into an AS2 message or receipt: layers, algorithms, signers, MIC; what fails and why, in one sentence first.

    Nothing is sent and nothing stored. With a workspace its keys decrypt and the agreement with the sender judges;
    with --key and --cert those do; with neither it says what cannot be seen. Exit code 1: it would be refused.

    Example: gateway as2 decode captured.http --partner acme
    """
    with answering():
        asked = _Asked(
            file=file,
            headers=headers,
            message=message,
            receipt=receipt,
            held_against=held_against,
            partner=partner,
            keys=key or [],
            certificates=cert or [],
            workspace=workspace,
        )
        if (file is None) == (message is None):
            raise OurFault("one message is looked into", remedy="give a FILE, or --message ID of a stored one")
        found = _offline(asked) if asked.offline else run(_with_workspace(asked))
        if as_json:
            show_json(explanation_json(found))
        else:
            show_explanation(found)
        if found.taken is False:
            raise typer.Exit(FINDINGS)


def _offline(asked: _Asked) -> Explanation:
    assert asked.file is not None
    moment = datetime.now(UTC)
    pairs, others = key_pairs(asked.keys, asked.certificates, os.environ.get("GATEWAY_PASSPHRASE"))
    headers, body = captured(asked.file, asked.headers)
    everything = Sight(keys=pairs, certificates=others, policy=_EVERYTHING, moment=moment)
    if is_receipt(headers, body) or asked.held_against is not None:
        sent = None
        if asked.held_against is not None:
            ours = [*others, *(pair.certificate for pair in pairs)]
            sent = _captured_sent(Path(asked.held_against), replace(everything, certificates=ours))
        return explain_receipt(headers, body, ReceiptSight(certificates=others, moment=moment, sent=sent))
    return explain(headers, body, replace(everything, policy=_DEFAULT) if asked.given else everything)


def _captured_sent(file: Path, sight: Sight) -> Sent:
    """What is to be remembered of a captured message of ours, for its receipt."""
    headers, body = captured(file, None)
    found = explain(headers, body, sight)
    if found.mic is None or found.mic_algorithm is None:
        raise OurFault(
            f"the MIC of {printable(file)} cannot be told: {found.sentence}",
            remedy="give it as it was before it was encrypted, or hold the receipt against a stored message",
        )
    message_id = as2.read_headers(headers).message_id
    return Sent(
        message_id=message_id,
        mic=found.mic,
        mic_algorithm=found.mic_algorithm,
        signed=found.signature is not None,
    )


async def _with_workspace(asked: _Asked) -> Explanation:
    from gateway.wiring import open_station  # noqa: PLC0415

    async with open_station(asked.workspace) as (station, _):
        if asked.message is not None:
            return await _stored(station, asked.message, receipt=asked.receipt)
        assert asked.file is not None
        headers, body = captured(asked.file, asked.headers)
        agreement = _agreement(station, asked.partner, headers)
        if is_receipt(headers, body) or asked.held_against is not None:
            sent = None
            if asked.held_against is not None:
                message = await _message(station, asked.held_against)
                agreement = station.directory.by_name(message.partner or "") or agreement
                sent = _sent(message, agreement)
            return _receipt(station, agreement, headers, body, sent)
        return _received(station, agreement, headers, body)


async def _message(station: Station, message_id: str) -> Message:
    message = await station.queries.message(message_id)
    if message is None:
        raise OurFault(f"There is no message {message_id}", remedy="`gateway message list` shows the newest ones")
    return message


def _agreement(station: Station, partner: str | None, headers: Headers) -> Agreement | None:
    if partner is None:
        from gateway.as2 import read_name  # noqa: PLC0415
        from gateway.as2.mime import Index  # noqa: PLC0415
        from gateway.errors import PartnerFault  # noqa: PLC0415

        try:
            return station.directory.by_as2_id(read_name(Index(headers).get("as2-from", ""), "AS2-From"))
        except PartnerFault:
            return None
    found = station.agreement(partner)
    if found is None or found.as2 is None:
        raise OurFault(f"{partner} is no partner over AS2", remedy="gateway partner list shows them")
    return found


def _received(station: Station, agreement: Agreement | None, headers: Headers, body: bytes) -> Explanation:
    """As our station would see it now."""
    from gateway.pipeline import wrapping  # noqa: PLC0415

    at = station.clock()
    return explain(
        headers,
        body,
        Sight(
            keys=station.keyring.decrypting(at),
            certificates=() if agreement is None else station.keyring.verifying(agreement.name, at),
            policy=_EVERYTHING if agreement is None else wrapping.policy(station, agreement),
            moment=at,
            our_id=station.settings.identity.as2_id,
            partner=None if agreement is None else agreement.name,
            demands=None if agreement is None else partial(_unfit, agreement),
        ),
    )


def _unfit(agreement: Agreement, opened: as2.Opened) -> as2.As2Fault | None:
    """What the agreement demands beside its policy."""
    from gateway.pipeline import wrapping  # noqa: PLC0415

    asked = wrapping.asked_for(agreement, opened.addressing)
    return asked or wrapping.content_agreed(agreement, opened)


def _sent(message: Message, agreement: Agreement | None) -> Sent:
    """What is remembered of a message, for its receipt."""
    mic = message.mic or ""
    signed = agreement is None or agreement.as2 is None or agreement.as2.sign != "no"
    return Sent(message_id=message.as2_message_id or "", mic=mic, mic_algorithm=hash_of(mic), signed=signed)


def _receipt(
    station: Station, agreement: Agreement | None, headers: Headers, body: bytes, sent: Sent | None
) -> Explanation:
    from gateway.pipeline import wrapping  # noqa: PLC0415

    at = station.clock()
    certificates = () if agreement is None else station.keyring.verifying(agreement.name, at)
    policy = _EVERYTHING if agreement is None else wrapping.policy(station, agreement)
    required = agreement is None or agreement.as2 is None or agreement.as2.receipt == "signed"
    sight = ReceiptSight(
        certificates=certificates,
        moment=at,
        sent=sent,
        require_signature=required,
        hashes=policy.hashes | wrapping.SENT_HASHES,
    )
    return explain_receipt(headers, body, sight)


async def _stored(station: Station, message_id: str, *, receipt: bool) -> Explanation:
    """A stored message, or its receipt, with the keys of now."""
    message = await _message(station, message_id)
    agreement = station.agreement(message.partner)
    outbound = message.direction is Direction.OUTBOUND
    at = station.clock()
    ours = [pair.certificate for pair in station.keyring.decrypting(at)]
    if receipt:
        if message.receipt is None:
            raise OurFault(
                f"message {message_id} has no receipt", remedy="`gateway message show` tells where it stands"
            )
        sent = _sent(message, agreement) if message.mic else None
        if outbound:
            return _receipt(station, agreement, message.receipt.headers, message.receipt.body, sent)
        sight = ReceiptSight(certificates=ours, moment=at, sent=sent, require_signature=False)
        return explain_receipt(message.receipt.headers, message.receipt.body, sight)
    if not message.raw_headers:
        raise OurFault(
            f"message {message_id} was not on the wire as AS2", remedy="`gateway message show` tells where it stands"
        )
    body = await station.queries.raw(message_id)
    body = await station.queries.payload(message_id) if body is None else body
    if not outbound:
        return _received(station, agreement, message.raw_headers, body)
    # What we encrypted for somebody else we cannot open; what we signed was signed by us.
    return explain(message.raw_headers, body, Sight(keys=(), certificates=ours, policy=_EVERYTHING, moment=at))
