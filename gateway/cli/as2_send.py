"""`gateway as2 send`: any file to a partner's station through the store, followed to its receipt."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from gateway.as2.octets import flat
from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, say, show, show_json
from gateway.cli.as2_files import octets_of, written
from gateway.cli.partner_names import complete_partner, partner_named
from gateway.cli.printable import printable
from gateway.errors import OurFault
from gateway.ports import Attempt, Changes, Direction, Message, MessageState

if TYPE_CHECKING:
    from gateway.as2 import Built
    from gateway.partners.agreement import Agreement
    from gateway.pipeline.station import Station
    from gateway.store import Store

_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+( *;[ -~]*)?", re.ASCII)  # RFC 2045 5.1
_LAYER = re.compile(
    r"application/(x-)?pkcs7|multipart/(signed|report)", re.IGNORECASE
)  # these name what AS2 puts around a file
_PAUSE = 0.3
_PATIENCE = 5.0
"""Seconds after which it is said that nobody works the job."""
_ENDED = {MessageState.SENT, MessageState.DELIVERED, MessageState.ACKNOWLEDGED}
_REFUSED = {MessageState.REJECTED, MessageState.FAILED}


def send(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="What to send, as it is.")],
    *,
    partner: Annotated[str, typer.Option("--partner", help="Who gets it.", autocompletion=complete_partner)],
    content_type: Annotated[
        str | None, typer.Option("--type", help="Its content type.", show_default="by its content, else its name")
    ] = None,
    filename: Annotated[str | None, typer.Option(help="The file name that they see.", show_default="FILE's")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing: write what would be posted.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="With --dry-run: where; - is stdout.")] = None,
    wait: Annotated[int, typer.Option(min=0, max=3600, help="Seconds to follow it; 0 only queues it.")] = 120,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Send a file to a partner over AS2 and follow it until its receipt; it is stored and on the trail like any other.

    The running gateway sends it, with its retries; ending this command changes nothing. An X12 or EDIFACT file waits
    for its acknowledgment as from `gateway message send`. Exit code 1: refused, given up, or no receipt in time.

    Example: gateway as2 send catalogue.pdf --partner acme --type application/pdf
    """
    with answering():
        if (output is None) != (not dry_run):
            raise OurFault(
                "--dry-run and -o belong together", remedy="gateway as2 send FILE --partner P --dry-run -o OUT"
            )
        if content_type is not None and (not _TYPE.fullmatch(content_type) or _LAYER.match(content_type)):
            raise OurFault(
                f"{content_type!r} is no content type of a file",
                remedy="write for example --type application/pdf, or leave it out",
            )
        payload = octets_of(file)
        name = filename or file.name
        errand = _Errand(
            workspace=workspace, partner=partner, payload=payload, content_type=content_type, filename=name
        )
        if output is not None:
            _write(run(_built(errand)), output)
            return
        found = run(_send(errand, wait=wait, quiet=as_json))
        if as_json:
            show_json(found.as_json())
        else:
            _print(found)
        if wait and not found.arrived:
            raise typer.Exit(FINDINGS)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Errand:
    """What is to be sent to whom."""

    workspace: Path
    partner: str
    payload: bytes
    content_type: str | None
    filename: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Followed:
    """How far it came while somebody looked."""

    message: Message
    attempts: tuple[Attempt, ...]
    receipt: str | None
    """What the receipt says, in a sentence."""

    @property
    def arrived(self) -> bool:
        """Whether the partner's station has it and said so."""
        return self.message.state in _ENDED

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        tries = [{"number": one.number, "outcome": one.outcome, "reason": one.reason} for one in self.attempts]
        message = self.message
        return {
            "id": message.id,
            "as2_message_id": message.as2_message_id,
            "state": message.state.value,
            "receipt": self.receipt,
            "attempts": tries,
        }


def _queued(station: Station, agreement: Agreement, errand: _Errand) -> Changes:
    """The message and its work: an interchange with what it waits for, anything else as it is."""
    from gateway.pipeline import files, ready  # noqa: PLC0415  help needs none of it
    from gateway.pipeline.outgoing import outbound_message, send_job  # noqa: PLC0415
    from gateway.ports import new_id  # noqa: PLC0415

    payload, filename = errand.payload, errand.filename
    now = station.clock()
    if errand.content_type is None and files.media_type_of(filename, payload) != files.UNKNOWN:
        return ready.ready_file(station.settings, agreement, payload, filename, now)
    message = outbound_message(
        station.settings,
        agreement,
        message_id=new_id(now),
        payload=payload,
        content_type=errand.content_type or files.UNKNOWN,
        filename=filename,
        now=now,
    )
    return Changes(messages=(message,), jobs=(send_job(agreement, message.id, now),))


def _agreed(station: Station, errand: _Errand) -> Agreement:
    from gateway.wiring import load  # noqa: PLC0415

    partner = errand.partner
    found = station.agreement(partner)
    if found is None:
        known = partner_named(load(errand.workspace), partner)
        raise OurFault(
            f"nothing is exchanged with {partner} now: it is {known.status.value}",
            remedy="set its status to testing or active",
        )
    if found.as2 is None:
        raise OurFault(f"{partner} is no partner over AS2", remedy="gateway partner list shows who is")
    return found


async def _built(errand: _Errand) -> Built:
    """What would be posted."""
    from gateway.pipeline import wrapping  # noqa: PLC0415
    from gateway.wiring import open_station  # noqa: PLC0415

    async with open_station(errand.workspace) as (station, _):
        agreement = _agreed(station, errand)
        (new,) = _queued(station, agreement, errand).messages
        message = Message(
            id=new.id,
            partner=new.partner,
            direction=Direction.OUTBOUND,
            channel=new.channel,
            state=new.state,
            at=new.at,
            content_type=new.content_type,
            filename=new.filename,
            payload_sha256="",
            size=len(errand.payload),
            raw_headers=(),
            as2_message_id=new.as2_message_id,
            mic=None,
            answers=None,
            receipt=None,
        )
        return wrapping.wrap(station, agreement, message, errand.payload)


def _write(built: Built, output: Path) -> None:
    octets = written(tuple(built.headers), b"".join(flat([built.body])))
    if str(output) == "-":
        sys.stdout.buffer.write(octets)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(octets)
    except OSError as error:
        raise OurFault(f"cannot write {output}: {error.strerror}", remedy="name another file with -o") from error
    show(f"wrote {output}: {len(octets)} bytes; MIC {built.mic}, {built.mic_algorithm}. Nothing was sent.")


async def _send(errand: _Errand, *, wait: int, quiet: bool) -> _Followed:
    from gateway.pipeline.ready import queue  # noqa: PLC0415
    from gateway.wiring import open_station  # noqa: PLC0415

    async with open_station(errand.workspace) as (station, store):
        agreement = _agreed(station, errand)
        (message_id,) = await queue(store, store, [_queued(station, agreement, errand)])
        if not quiet:
            show(f"queued as message {message_id}")
        await _follow(store, message_id, wait, quiet=quiet)
        return await _stand(station, store, agreement, message_id)


async def _follow(store: Store, message_id: str, wait: int, *, quiet: bool) -> None:
    """Look until it is through, refused, or the time is over; on a terminal with what happens meanwhile."""
    began, told, said = time.monotonic(), 0, False
    status = Console(stderr=True).status("waiting for the gateway to send it") if not quiet else None
    if status is not None and sys.stderr.isatty():
        status.start()
    try:
        while (passed := time.monotonic() - began) < wait:
            message = await store.message(message_id)
            if message is None or message.state in _ENDED | _REFUSED:
                return
            tried = [one for one in await store.attempts(message_id) if one.outcome is not None]
            for one in tried[told:]:
                if not quiet:
                    say(Text(printable(f"attempt {one.number}: {one.outcome}, {one.reason or ''}"), style="yellow"))
            told = len(tried)
            if not tried and passed > _PATIENCE and not said and not quiet:
                say(Text(await _why_not_yet(store, message.partner), style="yellow"))
                said = True
            await asyncio.sleep(_PAUSE)
    finally:
        if status is not None:
            status.stop()


async def _why_not_yet(store: Store, partner: str | None) -> str:
    """A lane that rests after failures looks from here as a gateway does that is not there."""
    from gateway.pipeline.identity import outbound_lane  # noqa: PLC0415

    name = outbound_lane(partner or "", "as2")
    until = next((lane.paused_until for lane in await store.lanes() if lane.name == name), None)
    if until is not None and until > datetime.now(UTC):
        return f"not taken up yet: after several failures the way to {partner} rests until {until:%H:%M:%S} UTC"
    return "nobody has taken it up yet; is `gateway serve` running?"


async def _stand(station: Station, store: Store, agreement: Agreement, message_id: str) -> _Followed:
    from gateway.as2.explaining_receipts import ReceiptSight, explain_receipt  # noqa: PLC0415
    from gateway.pipeline.remembered import sent_of  # noqa: PLC0415

    message = await store.message(message_id)
    assert message is not None
    sentence = None
    sent = await sent_of(station, message)
    if message.receipt is not None and message.receipt.body and sent is not None:
        certificates = station.keyring.verifying(agreement.name, station.clock())
        sight = ReceiptSight(certificates=certificates, moment=station.clock(), sent=sent, require_signature=False)
        sentence = explain_receipt(message.receipt.headers, message.receipt.body, sight).sentence
    return _Followed(message=message, attempts=tuple(await store.attempts(message_id)), receipt=sentence)


def _print(found: _Followed) -> None:
    state = found.message.state
    colour = "green" if found.arrived else "bold red" if state in _REFUSED else "yellow"
    show(Text(f"{state.value}" + (f": {printable(found.receipt)}" if found.receipt else ""), style=colour))
    if not found.arrived:
        last = next((one.reason for one in reversed(found.attempts) if one.reason), None)
        if last:
            show(printable(f"the last attempt: {last}"))
        show(f"everything about it: gateway message show {found.message.id}")
