"""What is expected and what is overdue, in words: for the commands that show messages and orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.ports import Direction, Document, Expected, Message, Overdue, Wait

if TYPE_CHECKING:
    from gateway.store import Store

NAMES = {
    Expected.RECEIPT: "receipt",
    Expected.FUNCTIONAL_ACKNOWLEDGEMENT: "functional acknowledgement",
    Expected.ORDER_ACKNOWLEDGEMENT: "order acknowledgement",
    Expected.SHIP_NOTICE: "ship notice",
}


async def expected_of(store: Store, documents: Sequence[Document], message: Message | None = None) -> list[Wait]:
    """What a message of ours and the orders in it wait for. An answer that came is not waited for any more."""
    from gateway.pipeline.waiting import over, wait_keys  # noqa: PLC0415  help needs none of it

    keys = [] if message is None or message.wait_key is None else [message.wait_key]
    orders = {one.id: one for one in documents if one.kind == "purchase_order" and one.direction is Direction.OUTBOUND}
    keys += [key for one in orders.values() for key in wait_keys(one)]
    waits = await store.waits(keys)
    return [one for one in waits if one.document_id not in orders or not over(one.expected, orders[one.document_id])]


def expected_words(order: Document, waits: Sequence[Wait]) -> list[tuple[str, bool]]:
    """A line for each answer that an order waits for, and whether it is late."""
    lines = []
    seen = set()
    for one in waits:
        since = order.overdue.get(one.expected)
        seen.add(one.expected)
        lines.append((_words(one.expected, one.due_at, since), since is not None))
    lines += [(_words(what, None, since), True) for what, since in order.overdue.items() if what not in seen]
    return lines


def _words(expected: Expected, due_at: datetime | None, since: datetime | None) -> str:
    if since is not None:
        return f"{NAMES[expected]}: overdue since {since:%Y-%m-%d %H:%M} UTC"
    return f"{NAMES[expected]}: due {due_at:%Y-%m-%d %H:%M} UTC"


def overdue_words(late: Sequence[Overdue]) -> dict[str, list[str]]:
    """What is overdue, by the message that went out."""
    found: dict[str, list[str]] = {}
    for one in late:
        order = "" if one.number is None else f" of order {one.number}"
        said = f"{NAMES[one.expected]}{order} since {one.since:%Y-%m-%d %H:%M}"
        found.setdefault(one.message_id, []).append(said)
    return found


def wait_words(one: Wait, since: datetime | None) -> str:
    """What a message waits for."""
    return _words(one.expected, one.due_at, since)
