"""`gateway message`: what came and went, everything about one message, and dead letters back to work."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.text import Text

from gateway.as2 import Stretch
from gateway.as2.octets import flat
from gateway.cli import message_explain, message_settle
from gateway.cli.answers import AsJson, WorkspaceFolder, answering, run, show, show_json, show_table
from gateway.cli.message_files import described, enclosed
from gateway.cli.message_list import list_messages, message_json
from gateway.cli.message_receipt import receipt_words
from gateway.cli.printable import printable
from gateway.cli.reference_asking import asked
from gateway.cli.waits import expected_of, wait_words
from gateway.errors import OurFault
from gateway.pipeline.bodies import as_octets
from gateway.ports import (
    Attempt,
    DeliveryRecord,
    DeliveryState,
    Document,
    Message,
    TrailEntry,
    Wait,
)

if TYPE_CHECKING:
    from gateway.store import Store

T = TypeVar("T")

UNA_LENGTH = 9
SHOWN = 4000
"""Characters of a payload that `show` prints; the options print all of it."""

app = typer.Typer(no_args_is_help=True, help="Messages: what came and went, one in full, dead letters back to work.")
app.command("list")(list_messages)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Everything:
    message: Message
    timeline: list[TrailEntry]
    attempts: list[Attempt]
    documents: list[Document]
    deliveries: list[DeliveryRecord]
    payload: bytes | Stretch | None
    raw: bytes | Stretch | None
    gone: str | None
    waits: list[Wait]


@app.command("show")
def show_message(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="As `gateway message list` prints it.")],
    workspace: WorkspaceFolder = Path(),
    *,
    as_json: AsJson = False,
    raw: Annotated[bool, typer.Option("--raw", help="Write what was on the wire, byte for byte.")] = False,
    payload: Annotated[bool, typer.Option("--payload", help="Write the unwrapped bytes (the EDI or JSON).")] = False,
    canonical: Annotated[bool, typer.Option("--canonical", help="Print the canonical documents as JSON.")] = False,
) -> None:
    """One message in full: its timeline, attempts, documents, and the bytes as they came or went.

    Example: gateway message show 01a1fba6-51a7-7b71-bac9-45631484465c --payload > order.edi
    """
    with answering():
        found = run(asked(workspace, lambda store: _everything(store, message_id)))
        if raw or payload:
            data = found.payload if payload or found.raw is None else found.raw
            if data is None:
                raise OurFault(
                    found.gone or "There are no bytes.", remedy="Hashes and trail are kept: leave the option out."
                )
            sys.stdout.buffer.writelines(flat([data]))
            sys.stdout.buffer.flush()
        elif canonical:
            show_json([document.body for document in found.documents])
        elif as_json:
            show_json(_all_as_json(found))
        else:
            _print(found)


app.command()(message_explain.explain)
app.command()(message_settle.settle)


@app.command("retry")
def retry_message(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="A message whose work was given up.")],
    by: Annotated[str, typer.Option(help="Who asks; it is recorded.")],
    workspace: WorkspaceFolder = Path(),
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")] = "",
) -> None:
    """Put the dead letters of a message back to work, with a fresh retry schedule.

    Example: gateway message retry 01a1fba6-51a7-7b71-bac9-45631484465c --by ann --reason "ERP fixed"
    """

    async def revive(store: Store) -> int:
        from gateway.pipeline.giving_up import all_retried  # noqa: PLC0415  help needs none of it

        return await all_retried(store, message_id, by=by, why=reason)

    with answering():
        revived = run(asked(workspace, revive))
        if not revived:
            raise OurFault(
                f"Message {message_id} has no work that was given up",
                remedy="`gateway message list --given-up` shows messages that have",
            )
        show(f"{revived} {'job is' if revived == 1 else 'jobs are'} back to work")


async def _everything(store: Store, message_id: str) -> _Everything:
    message = await store.message(message_id)
    if message is None:
        raise OurFault(f"There is no message {message_id}", remedy="`gateway message list` shows the newest ones")
    documents = await store.documents_of(message_id)
    payload, raw, gone = None, None, None
    try:
        payload, raw = await _octets(store, message_id, "payload"), await _octets(store, message_id, "raw")
    except OurFault as fault:
        gone = str(fault)
    documents = await store.documents_of(message_id)
    return _Everything(
        message=message,
        timeline=await store.timeline(message_id=message_id),
        attempts=await store.attempts(message_id),
        documents=documents,
        deliveries=await store.deliveries([document.id for document in documents]),
        payload=payload,
        raw=raw,
        gone=gone,
        waits=await expected_of(store, documents, message),
    )


async def _octets(store: Store, message_id: str, form: str) -> bytes | Stretch | None:
    """What is large stays in its file, and is written out in pieces."""
    found = await store.octets(message_id, form)
    return None if found is None else as_octets(found)


def _all_as_json(found: _Everything) -> dict[str, Any]:
    return message_json(found.message) | {
        "receipt_state": receipt_words(found.message, found.timeline),
        "expected": [asdict(one) for one in found.waits],
        "timeline": [asdict(entry) for entry in found.timeline],
        "attempts": [asdict(attempt) for attempt in found.attempts],
        "documents": [asdict(document) for document in found.documents],
        "deliveries": [asdict(delivery) for delivery in found.deliveries],
        "attachments": [described(file) for file in enclosed(found.message, found.payload)],
        "payload": found.payload.decode("utf-8", "replace") if isinstance(found.payload, bytes) else None,
        "raw_size": None if found.raw is None else len(found.raw),
    }


def _print(found: _Everything) -> None:
    message = found.message
    facts = {name: getattr(message, name) for name in _FACTS if getattr(message, name) is not None}
    if (words := receipt_words(message, found.timeline)) is not None:
        facts["receipt"] = words
    show_table(("message", ""), ((name, printable(value)) for name, value in facts.items()))
    _print_waits(found)
    _title("Timeline")
    show_table(
        ("at", "event", "order", "detail"),
        (
            (
                _time(entry.at),
                printable(entry.kind),
                printable(entry.order_number or ""),
                printable(", ".join(f"{name} {value}" for name, value in entry.data.items())),
            )
            for entry in found.timeline
        ),
    )
    if found.attempts:
        _title("Attempts")
        show_table(
            ("started", "step", "try", "outcome", "reason"),
            (
                (
                    _time(one.started_at),
                    one.step,
                    str(one.number),
                    one.outcome or "running",
                    printable(one.reason or ""),
                )
                for one in found.attempts
            ),
        )
    for document in found.documents:
        _title(f"{document.kind} {document.number}: {document.state}, target {document.target or 'none'}")
        if rows := [one for one in found.deliveries if one.document_id == document.id]:
            _print_deliveries(rows)
        for name, value in (("replaces", document.replaces), ("replaced by", document.replaced_by)):
            if value:
                show(printable(f"{name} document {value}"))
        for name in ("agreement", "map", "guide"):
            if value := getattr(document, name):
                show(printable(f"{name} {document.partner + ' ' if name == 'agreement' else ''}{value}"))
        for finding in document.findings:
            show(printable(json.dumps(finding, ensure_ascii=False)))
        _print_content(document)
    if files := enclosed(message, found.payload):
        _title(f"{len(files)} files (`gateway message export {message.id} --to FOLDER` writes them)")
        show_table(
            ("name", "type", "", "bytes", "sha256"),
            (
                (
                    printable(one["name"] or ""),
                    printable(one["type"]),
                    "read" if one["edi"] else "kept",
                    str(one["size"]),
                    one["sha256"],
                )
                for one in map(described, files)
            ),
        )
    if found.raw is not None:
        _title(f"On the wire: {len(found.raw)} bytes (--raw writes them)")
        for name, value in message.raw_headers:
            show(printable(f"{name}: {value}"))
    _title("Payload")
    if isinstance(found.payload, Stretch):
        show(f"{len(found.payload)} bytes (--payload writes them)")
    else:
        show(printable(found.gone) if found.payload is None else _readable(found.payload))


def _print_content(document: Document) -> None:
    if document.purged_at is not None:
        show(f"its content was purged on {document.purged_at:%Y-%m-%d %H:%M}; it is known by")
    show(printable(json.dumps(document.body, indent=2, ensure_ascii=False)))


def _print_deliveries(rows: list[DeliveryRecord]) -> None:
    """How the document stands at each target."""
    show_table(
        ("target", "", "state", "their id", "status", "at", "reason"),
        (
            (
                one.target,
                "" if one.critical else "optional",
                Text(one.state.value, style=_STYLES.get(one.state, "")),
                printable(one.their_id or ""),
                "" if one.status is None else str(one.status),
                f"{one.updated_at:%Y-%m-%d %H:%M:%S}",
                printable(one.reason or ""),
            )
            for one in rows
        ),
    )


_STYLES = {
    DeliveryState.DELIVERED: "green",
    DeliveryState.UNCERTAIN: "yellow",
    DeliveryState.FAILED: "bold red",
}


def _print_waits(found: _Everything) -> None:
    """What it waits for, and the orders in it."""
    orders = {one.id: one for one in found.documents}
    for wait in found.waits:
        order = orders.get(wait.document_id or "")
        since = found.message.overdue_since if order is None else order.overdue.get(wait.expected)
        name = "" if order is None else f"order {order.number}, "
        show(Text(printable(f"{name}{wait_words(wait, since)}"), style="" if since is None else "bold red"))


_FACTS = (
    "id", "partner", "direction", "channel", "state", "at", "size", "payload_sha256", "as2_message_id", "mic",
    "answers", "wait_key",
)  # fmt: skip


def _title(text: str) -> None:
    show(Text(f"\n{printable(text)}", style="bold"))


def _time(at: datetime) -> str:
    return f"{at:%H:%M:%S.%f}"[:-3]


def _readable(data: bytes) -> str:
    """The beginning of a payload; an interchange gets a line for each segment. What is no text is not shown."""
    if b"\x00" in data[:SHOWN]:
        return f"{len(data)} bytes that are no text (--payload writes them)"
    text = data.decode("utf-8", "replace")
    terminator = text[105:106]
    if text.startswith("ISA") and terminator and terminator not in "\r\n":  # X12.5: the character after ISA16
        text = "\n".join(segment.strip("\r\n") + terminator for segment in text.split(terminator) if segment.strip())
    elif text.startswith(("UNA", "UNB")):
        text = _edifact_lines(text)
    more = f"\n… {len(text) - SHOWN} more characters (--payload writes all)" if len(text) > SHOWN else ""
    return printable(text[:SHOWN].replace("\r\n", "\n")) + more


def _edifact_lines(text: str) -> str:
    """A line for each segment; a terminator behind the release character is data (ISO 9735 5.1)."""
    advice, text = (text[:UNA_LENGTH], text[UNA_LENGTH:]) if text.startswith("UNA") else ("", text)
    release, end = (advice[6:7] or "?"), re.escape(advice[8:9] or "'")
    released = "" if release == " " else f"{re.escape(release)}.|"
    segments = re.findall(f"(?:{released}[^{end}])*{end}?", text, re.DOTALL)
    return "\n".join(line for line in (advice, *(one.strip("\r\n") for one in segments)) if line)
