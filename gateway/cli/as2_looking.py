"""With what `gateway as2 decode` looks: keys and certificates by hand, or a workspace with its agreements and store."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import as2
from gateway.as2 import CIPHERS, HASHES, Policy, Sent
from gateway.as2.explaining import Sight, explain
from gateway.as2.explaining_receipts import ReceiptSight, explain_receipt
from gateway.as2.explanation import Explanation
from gateway.as2.mime import Index
from gateway.cli.answers import run, say
from gateway.cli.as2_files import captured, key_pairs
from gateway.cli.printable import printable
from gateway.errors import OurFault, PartnerFault
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
class Asked:
    """What the command line says."""

    files: tuple[Path, ...]
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
    def held_against_file(self) -> bool:
        """Whether a receipt is held against a captured message, not a stored one."""
        return self.held_against is not None and Path(self.held_against).is_file()

    @property
    def named(self) -> bool:
        """Whether something of the workspace is named, so that it cannot be done without."""
        stored = self.held_against is not None and not self.held_against_file
        return bool(self.message or stored or self.partner)

    @property
    def offline(self) -> bool:
        """Whether no workspace is needed: there is none, or the keys are given."""
        return not self.named and (self.given or not (self.workspace / "gateway.yaml").is_file())

    def is_receipt(self, headers: Headers, body: bytes) -> bool:
        """Whether this is a receipt, or at least was given as one: an error page may have come instead."""
        return as2.is_receipt(headers, body) or (self.held_against is not None and len(self.files) == 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """One message, looked into."""

    name: str
    explanation: Explanation


def look(asked: Asked) -> list[Looked]:
    """Everything that is asked about. Raises OurFault."""
    if not asked.offline:
        try:
            return run(_with_workspace(asked))
        except OurFault as fault:
            if asked.named:
                raise
            say(f"without the workspace's keys, for it cannot be used: {printable(str(fault))}")
    return [Looked(name=str(file), explanation=_offline(asked, file)) for file in asked.files]


def _offline(asked: Asked, file: Path) -> Explanation:
    moment = datetime.now(UTC)
    pairs, others = key_pairs(asked.keys, asked.certificates, os.environ.get("GATEWAY_PASSPHRASE"))
    headers, body = captured(file, asked.headers)
    everything = Sight(keys=pairs, certificates=others, policy=_EVERYTHING, moment=moment)
    if asked.is_receipt(headers, body):
        sent = None
        if asked.held_against is not None:
            ours = [*others, *(pair.certificate for pair in pairs)]
            sent = _captured_sent(Path(asked.held_against), replace(everything, certificates=ours))
        return explain_receipt(headers, body, ReceiptSight(certificates=others, moment=moment, sent=sent))
    if asked.given:
        return explain(headers, body, replace(everything, policy=_DEFAULT))
    return _undecided(explain(headers, body, everything))


def _undecided(found: Explanation) -> Explanation:
    """Without keys only what is bare can be opened at all, and who takes that has agreed to it: none here knows."""
    if found.taken is not True:
        return found
    sentence = (
        "Cannot be judged here: it is neither signed nor encrypted, and is taken only where the agreement says "
        "as2.require_signature: no and as2.require_encryption: no; give --workspace and --partner, or --key and --cert."
    )
    return replace(found, taken=None, disposition=None, sentence=sentence)


def _captured_sent(file: Path, sight: Sight) -> Sent:
    """What is to be remembered of a captured message of ours, for its receipt."""
    headers, body = captured(file, None)
    found = explain(headers, body, sight)
    if found.mic is None or found.mic_algorithm is None:
        raise OurFault(
            f"the MIC of {printable(file)} cannot be told: {found.sentence}",
            remedy="give it as it was before it was encrypted, or hold the receipt against a stored message",
        )
    try:
        message_id = as2.read_headers(headers).message_id
    except PartnerFault as fault:
        raise OurFault(
            f"{printable(file)}: {fault}", remedy="give the message as it was posted, headers first"
        ) from fault
    return Sent(
        message_id=message_id,
        mic=found.mic,
        mic_algorithm=found.mic_algorithm,
        signed=found.signature is not None,
    )


async def _with_workspace(asked: Asked) -> list[Looked]:
    from gateway.wiring import open_station  # noqa: PLC0415

    async with open_station(asked.workspace) as (station, _):
        if asked.message is not None:
            found = await _stored(station, asked.message, receipt=asked.receipt)
            return [Looked(name=asked.message, explanation=found)]
        return [Looked(name=str(file), explanation=await _captured(station, asked, file)) for file in asked.files]


async def _captured(station: Station, asked: Asked, file: Path) -> Explanation:
    from gateway.pipeline.remembered import sent_of  # noqa: PLC0415

    headers, body = captured(file, asked.headers)
    agreement = _agreement(station, asked.partner, headers)
    if not asked.is_receipt(headers, body):
        return _received(station, agreement, headers, body)
    sent = None
    if asked.held_against is not None and asked.held_against_file:
        at = station.clock()
        ours = [pair.certificate for pair in station.keyring.decrypting(at)]
        sight = Sight(keys=station.keyring.decrypting(at), certificates=ours, policy=_EVERYTHING, moment=at)
        sent = _captured_sent(Path(asked.held_against), sight)
    elif (message := await _answered(station, asked, headers, body)) is not None:
        agreement = station.directory.known(message.partner or "") or agreement
        sent = await sent_of(station, message)
    return _receipt(station, agreement, headers, body, sent)


async def _message(station: Station, message_id: str) -> Message:
    message = await station.queries.message(message_id)
    if message is None:
        raise OurFault(f"There is no message {message_id}", remedy="`gateway message list` shows the newest ones")
    return message


def _agreement(station: Station, partner: str | None, headers: Headers) -> Agreement | None:
    if partner is None:
        try:
            return station.directory.by_as2_id(as2.read_name(Index(headers).get("as2-from", ""), "AS2-From"))
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
    from gateway.pipeline import receipting, wrapping  # noqa: PLC0415

    try:
        receipting.address_of(agreement, opened.addressing.receipt)
    except as2.As2Fault as fault:
        return fault
    return wrapping.asked_for(agreement, opened.addressing) or wrapping.content_agreed(agreement, opened)


async def _answered(station: Station, asked: Asked, headers: Headers, body: bytes) -> Message | None:
    """The stored message that a receipt is held against: the one that is named, else the one that it names itself."""
    if asked.held_against is not None:
        return await _message(station, asked.held_against)
    try:
        original = as2.original_message_id(headers, body)
    except PartnerFault:
        return None
    # Our Message-IDs begin with the id that the message is stored by.
    message = await station.queries.message(original.partition("@")[0])
    ours = message is not None and as2.bare_message_id(message.as2_message_id or "") == original
    return message if ours else None


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
    from gateway.pipeline.at_hand import looked_into  # noqa: PLC0415
    from gateway.pipeline.remembered import sent_of  # noqa: PLC0415

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
        sent = await sent_of(station, message)
        if outbound:
            return _receipt(station, agreement, message.receipt.headers, message.receipt.body, sent)
        sight = ReceiptSight(certificates=ours, moment=at, sent=sent, require_signature=False)
        return explain_receipt(message.receipt.headers, message.receipt.body, sight)
    if not message.raw_headers:
        raise OurFault(
            f"message {message_id} was not on the wire as AS2", remedy="`gateway message show` tells where it stands"
        )
    body = await looked_into(station.queries, message_id, "raw")
    body = await looked_into(station.queries, message_id, "payload") if body is None else body
    if body is None:
        raise OurFault(f"message {message_id} has no octets in the store", remedy="gateway audit verify")
    if not outbound:
        return _received(station, agreement, message.raw_headers, body)
    # What we encrypted for somebody else we cannot open; what we signed was signed by us.
    return explain(message.raw_headers, body, Sight(keys=(), certificates=ours, policy=_EVERYTHING, moment=at))
