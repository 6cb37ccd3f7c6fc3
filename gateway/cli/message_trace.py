"""`gateway message trace`: what belongs together as one tree, each message with its timeline; as a picture, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from gateway.cli.answers import AsJson, WorkspaceFolder, answering, run, show, show_json
from gateway.cli.message_names import complete_message
from gateway.cli.printable import printable
from gateway.cli.reference_asking import opened
from gateway.cli.waits import expected_of, wait_words
from gateway.errors import OurFault
from gateway.ports import (
    Attempt,
    Channel,
    DeliveryRecord,
    DeliveryState,
    Direction,
    Document,
    DocumentState,
    Message,
    MessageState,
    TrailEntry,
    Wait,
)

if TYPE_CHECKING:
    from gateway.store import Store

MOST_MESSAGES = 200
"""Messages of one tree; an order with more is told with the first ones."""
LONGEST = 110
CHANNELS = {Channel.ERP: "handed over by the ERP", Channel.AS2: "AS2", Channel.REST: "REST"}
_POINTS = ("received_as", "sent_as")
"""Facts that name another message."""
_TOLD = (
    "target", "document", "number", "type", "outcome", "disposition", "control_number", "status", "their_id", "review",
    "decision", "by", "reason", "rule",
)  # fmt: skip
"""What of a fact is told in a line."""
_BAD = frozenset(
    {MessageState.FAILED, MessageState.REJECTED, MessageState.REFUSED, DocumentState.FAILED, DocumentState.REJECTED}
    | {DeliveryState.FAILED, DeliveryState.UNCERTAIN}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """Something that happened, or a try at something."""

    at: datetime
    what: str
    detail: str
    seconds: float | None = None
    """How long a try took."""
    bad: bool = False


@dataclass(slots=True)
class Node:
    """One message with all that happened to it, and the messages that follow from it."""

    message: Message
    moments: list[Moment]
    documents: list[Document]
    deliveries: list[DeliveryRecord]
    waits: list[Wait]
    below: list[Node] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What it is, in a line."""
        one = self.message
        way = "from" if one.direction is Direction.INBOUND and one.channel is not Channel.ERP else "to"
        about = ", ".join(f"{each.kind} {each.number}" for each in self.documents[:3])
        about += f" and {len(self.documents) - 3} more" if len(self.documents) > 3 else ""  # noqa: PLR2004  as above
        what = about or (f"acknowledgment {one.filename or ''}".strip() if one.answers else one.filename or "message")
        return f"{what} {way} {one.partner or 'nobody known'} ({CHANNELS.get(one.channel, one.channel.value)})"


def trace(
    what: Annotated[
        str,
        typer.Argument(metavar="ID|ORDER", help="A message, or an order's number.", autocompletion=complete_message),
    ],
    workspace: WorkspaceFolder = Path(),
    *,
    html: Annotated[bool, typer.Option("--html", help="A page with a picture of the times, on stdout.")] = False,
    as_json: AsJson = False,
) -> None:
    """Follow an order, or a message, from its receipt to the ERP and back: what followed from what, how long it took.

    Example: gateway message trace 4500012345 --html > order.html
    """
    with answering():
        if html and as_json:
            raise OurFault("--html and --json exclude each other", remedy="choose one of them")
        roots = run(_found(workspace, what))
        if as_json:
            show_json([_as_json(one) for one in roots])
        elif html:
            from gateway.cli.message_trace_html import page  # noqa: PLC0415  only this needs it

            typer.echo(page(what, roots))
        else:
            for root in roots:
                for line in lines(root):
                    show(line)


async def _found(workspace: Path, what: str) -> list[Node]:
    async with opened(workspace) as (store, _):
        return await traced(store, what)


async def traced(store: Store, what: str) -> list[Node]:
    """The trees of an order's number, or of the message and what belongs to its orders. Raises OurFault."""
    first = await store.message(what)
    numbers = [what] if first is None else _orders(await store.documents_of(what))
    ids = [] if first is None else [first.id]
    for number in numbers:
        ids += [one.message_id for one in await store.timeline(order_number=number)]
    if not ids:
        raise OurFault(f"there is no message and no order {what}", remedy="gateway message list")
    return _tree(await _gathered(store, list(dict.fromkeys(ids))))


def _orders(documents: list[Document]) -> list[str]:
    """The orders that a message is about."""
    return list(dict.fromkeys(one.order_number for one in documents if one.order_number))


async def _gathered(store: Store, ids: list[str]) -> dict[str, tuple[Node, list[TrailEntry]]]:
    """These messages, and those that answer them or that they name."""
    found: dict[str, tuple[Node, list[TrailEntry]]] = {}
    while ids and len(found) < MOST_MESSAGES:
        id_ = ids.pop(0)
        message = None if id_ in found else await store.message(id_)
        if message is None:
            continue
        trail = await store.timeline(message_id=id_)
        documents = await store.documents_of(id_)
        found[id_] = (
            Node(
                message=message,
                moments=_moments(trail, await store.attempts(id_)),
                documents=documents,
                deliveries=await store.deliveries([one.id for one in documents]),
                waits=await expected_of(store, documents, message),
            ),
            trail,
        )
        ids += [str(one.data[name]) for one in trail for name in _POINTS if one.data.get(name)]
        ids += [one.id for one in await store.answers_to(id_)]
        ids += [message.answers] if message.answers else []
    return found


def _moments(trail: list[TrailEntry], attempts: list[Attempt]) -> list[Moment]:
    """Facts and tries by their time; a try that was done and is told by its fact is told by that alone."""
    moments = [Moment(at=one.at, what=one.kind, detail=_detail(one), bad=_is_bad(one.kind)) for one in trail]
    for one in attempts:
        if one.outcome == "done" and one.number == 1 and not one.reason:
            continue
        seconds = None if one.ended_at is None else (one.ended_at - one.started_at).total_seconds()
        told = f"try {one.number}: {one.outcome or 'running'}" + (f", {one.reason}" if one.reason else "")
        moments.append(
            Moment(
                at=one.started_at, what=one.step, detail=told, seconds=seconds, bad=one.outcome not in {"done", None}
            )
        )
    return sorted(moments, key=lambda one: one.at)


def _detail(one: TrailEntry) -> str:
    return ", ".join(str(one.data[name]) for name in _TOLD if one.data.get(name) not in {None, ""})


def _is_bad(kind: str) -> bool:
    return any(word in kind for word in ("failed", "refused", "rejected", "given_up", "uncertain", "overdue"))


def _tree(found: dict[str, tuple[Node, list[TrailEntry]]]) -> list[Node]:
    """Who follows from whom; what follows from nothing here is a root, the oldest first."""
    parents: dict[str, str] = {}
    orders = {one.number: one for node, _ in found.values() for one in node.documents if one.kind == "purchase_order"}
    carriers: dict[str, str] = {}
    for id_, (node, trail) in found.items():
        if node.message.answers in found:
            parents[id_] = str(node.message.answers)
        for one in trail:
            carried = one.data.get("document_id")
            if one.kind == "interchange.composed" and carried:
                carriers[str(carried)] = id_
            for name in _POINTS:
                if (other := str(one.data.get(name) or "")) in found and other != id_:
                    parents.setdefault(other, id_)
    of_document = {one.id: one.message_id for node, _ in found.values() for one in node.documents}
    for document_id, carrier in carriers.items():
        if (owner := of_document.get(document_id)) is not None and owner != carrier:
            parents.setdefault(carrier, owner)
    for id_, (node, _) in found.items():
        order = next(
            (orders.get(one.order_number or "") for one in node.documents if one.kind != "purchase_order"), None
        )
        if order is not None and id_ not in parents and order.message_id != id_:
            parents[id_] = carriers.get(order.id, order.message_id)
    roots: list[Node] = []
    for id_ in sorted(found, key=lambda one: (found[one][0].message.at, one)):
        node, above = found[id_][0], parents.get(id_)
        if above is None or above not in found or _above(parents, above, id_):
            roots.append(node)
        else:
            found[above][0].below.append(node)
    return roots


def _above(parents: dict[str, str], start: str, wanted: str) -> bool:
    """Whether `wanted` is above `start`: two messages that name each other are no tree."""
    seen: set[str] = set()
    at: str | None = start
    while at is not None and at not in seen:
        if at == wanted:
            return True
        seen.add(at)
        at = parents.get(at)
    return False


def lines(node: Node, indent: str = "", branch: str = "") -> Iterator[Text]:
    """A message, what happened to it with the time since the line before, and what follows from it."""
    one = node.message
    line = Text(branch).append(printable(node.name), style="bold").append(": ")
    line.append(one.state.value, style="bold red" if one.state in _BAD else "green")
    yield line.append(f"  {one.at:%Y-%m-%d %H:%M:%S} UTC, {one.id}", style="dim")
    before = one.at
    for moment in node.moments:
        gap = after((moment.at - before).total_seconds())
        took = "" if moment.seconds is None else f" ({lasted(moment.seconds)})"
        told = Text(f"{indent}│ {moment.at:%H:%M:%S.%f}"[:-3]).append(f" {gap:>9}  ", style="dim")
        told.append(moment.what, style="red" if moment.bad else "")
        detail = printable(moment.detail)
        yield told.append(f"  {detail[:LONGEST]}{'…' if len(detail) > LONGEST else ''}{took}", style="dim")
        before = moment.at
    for each in node.deliveries:
        style = "bold red" if each.state in _BAD else ""
        yield (
            Text(f"{indent}│ → ")
            .append(printable(f"{each.target}: {each.state.value}"), style=style)
            .append(printable(f" {each.their_id or ''}"), style="dim")
        )
    for wait in node.waits:
        yield Text(f"{indent}│ … ").append(printable(wait_words(wait, None)), style="yellow")
    for below in node.below:
        yield Text(f"{indent}│")
        yield from lines(below, f"{indent}   ", f"{indent}└─ ")


def lasted(seconds: float) -> str:
    """`12 ms`, `3.2 s`, `5 min`, `3 h`, `2 d`."""
    for least, size, unit in ((172_800, 86_400, "d"), (7200, 3600, "h"), (120, 60, "min"), (1, 1, "s")):
        if seconds >= least:
            return f"{seconds / size:.1f} {unit}" if unit == "s" else f"{seconds / size:.0f} {unit}"
    return f"{seconds * 1000:.0f} ms"


def after(seconds: float) -> str:
    """`+12 ms`; a fact that was written before the line above is told as `-12 ms`."""
    return f"{'-' if seconds < 0 else '+'}{lasted(abs(seconds))}"


def _as_json(node: Node) -> dict[str, Any]:
    one = node.message
    return {
        "message_id": one.id,
        "name": node.name,
        "partner": one.partner,
        "direction": one.direction.value,
        "channel": one.channel.value,
        "state": one.state.value,
        "at": one.at,
        "moments": [
            {"at": each.at, "what": each.what, "detail": each.detail, "seconds": each.seconds} for each in node.moments
        ],
        "documents": [
            {"id": each.id, "kind": each.kind, "number": each.number, "state": each.state.value}
            for each in node.documents
        ],
        "deliveries": [
            {
                "document_id": each.document_id,
                "target": each.target,
                "state": each.state.value,
                "their_id": each.their_id,
            }
            for each in node.deliveries
        ],
        "waits": [{"expected": each.expected.value, "due_at": each.due_at} for each in node.waits],
        "below": [_as_json(each) for each in node.below],
    }
