"""`gateway order show`: one order with all that belongs to it: what is expected by when, what came, what waits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, show, show_json, show_table
from gateway.cli.partner_names import complete_partner
from gateway.cli.printable import printable
from gateway.cli.review import WHY
from gateway.cli.waits import expected_of, expected_words
from gateway.errors import OurFault
from gateway.ports import Document, Wait

if TYPE_CHECKING:
    from gateway.store import Store

app = typer.Typer(no_args_is_help=True, help="Orders: what is expected, what came, what waits.")


@app.callback()
def _group() -> None:
    """Orders: what is expected, what came, what waits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Order:
    """An order and what belongs to it."""

    order: Document
    waits: tuple[Wait, ...]
    about: tuple[Document, ...]
    """Acknowledgements, ship notices and changes, oldest first."""


@app.command("show")
def show_order(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The order's number.")],
    *,
    partner: Annotated[str | None, typer.Option(help="Only this one's.", autocompletion=complete_partner)] = None,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """An order of this number: its state, the answers that are expected and when they are due, those that came.

    Exit code 1 where an answer is overdue.

    Example: gateway order show 4500012345
    """
    with answering():
        found = run(_found(workspace, number, partner))
        if as_json:
            show_json([_as_json(one) for one in found])
        else:
            for one in found:
                _show(one)
    if any(one.order.overdue for one in found):
        raise typer.Exit(FINDINGS)


async def _found(workspace: Path, number: str, partner: str | None) -> list[_Order]:
    from gateway.wiring import open_store  # noqa: PLC0415  only commands that need a store pay for loading it

    async with open_store(workspace) as store:
        orders = await store.orders(number, partner=partner)
        if not orders:
            whose = f" of {partner}" if partner else ""
            raise OurFault(f"there is no order {number}{whose}", remedy="look for it: gateway message list")
        return [await _with_answers(store, order) for order in orders]


async def _with_answers(store: Store, order: Document) -> _Order:
    about: list[Document] = []
    for kind in ("order_acknowledgement", "order_change", "ship_notice"):
        about += await store.documents_for_order(
            order.partner, kind, order.number, release=order.body.get("release_number")
        )
    about.sort(key=lambda one: (one.at, one.id))
    return _Order(order=order, waits=tuple(await expected_of(store, [order])), about=tuple(about))


def _show(found: _Order) -> None:
    order = found.order
    title = f"order {order.number}, {order.direction.value}, {order.partner}: {order.state.value}"
    show(Text(printable(title), style="bold"))
    show(printable(f"    since {order.at:%Y-%m-%d %H:%M} UTC, message {order.message_id}, document {order.id}"))
    if order.review is not None:
        show(Text(f"    waits: {WHY[order.review]}", style="yellow"))
    for words, late in expected_words(order, found.waits):
        show(Text(printable(f"    {words}"), style="bold red" if late else ""))
    if found.about:
        show_table(
            ("at", "document", "number", "way", "state", "id"),
            (
                (
                    f"{one.at:%Y-%m-%d %H:%M}",
                    one.kind,
                    printable(one.number),
                    one.direction.value,
                    one.state.value + ("" if one.review is None else f", {WHY[one.review]}"),
                    printable(one.id),
                )
                for one in found.about
            ),
        )


def _as_json(found: _Order) -> dict[str, Any]:
    order = found.order
    return {
        "id": order.id,
        "message_id": order.message_id,
        "partner": order.partner,
        "number": order.number,
        "direction": order.direction.value,
        "state": order.state.value,
        "at": order.at,
        "expected": [
            {"expected": one.expected.value, "due_at": one.due_at, "overdue": one.expected in order.overdue}
            for one in found.waits
        ],
        "overdue": {what.value: since for what, since in order.overdue.items()},
        "documents": [
            {
                "id": one.id,
                "kind": one.kind,
                "number": one.number,
                "direction": one.direction.value,
                "state": one.state.value,
                "review": None if one.review is None else one.review.value,
                "at": one.at,
            }
            for one in found.about
        ],
    }
