"""`gateway retention hold`: what nothing removes until somebody lifts the hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from gateway.cli.answers import AsJson, WorkspaceFolder, answering, run, show, show_json, show_table
from gateway.cli.message_names import complete_message
from gateway.cli.partner_names import complete_partner
from gateway.cli.printable import printable
from gateway.cli.reference_asking import known_partners, partner_of, who
from gateway.errors import OurFault

if TYPE_CHECKING:
    from gateway.store import LegalHold, Store

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Legal holds: what no rule and nobody removes.")

By = Annotated[str | None, typer.Option(help="Who says so; recorded.", show_default="who is logged in")]


@app.callback()
def _group() -> None:
    """Legal holds: what no rule and nobody removes."""


@app.command()
def add(
    *,
    why: Annotated[str, typer.Option(help="Why, such as the case; recorded.")],
    partner: Annotated[
        str | None, typer.Option(help="Everything of this partner.", autocompletion=complete_partner)
    ] = None,
    order: Annotated[str | None, typer.Option(help="Everything about the order of this number.")] = None,
    message: Annotated[
        str | None,
        typer.Option(help="The message of this id, with its answers.", autocompletion=complete_message),
    ] = None,
    by: By = None,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Keep what fits all that is named, whatever the rules say; `gateway message purge` refuses it, too.

    It covers documents, the messages that brought and carry them, and the answers to these.

    Example: gateway retention hold add --partner acme --order 4711 --why "case 7 of 2026" --by lea
    """
    with answering():
        if partner is None and order is None and message is None:
            raise OurFault(
                "Nothing is named that is to be held", remedy="Say --partner, --order, --message, or several."
            )
        if partner is not None:
            partner_of(partner, known_partners(workspace))

        async def place(store: Store) -> tuple[int, bool]:
            hold = await store.place_hold(partner=partner, order_number=order, message_id=message, by=who(by), why=why)
            return hold, bool(await store.messages(partner=partner, order_number=order, limit=1))

        hold, covers = _with_store(workspace, place)
        if as_json:
            show_json({"hold": hold})
            return
        show(f"legal hold {hold} stands")
        if not covers:
            show("nothing that is here fits it yet; what comes will be kept")


@app.command("list")
def list_(
    *,
    lifted: Annotated[bool, typer.Option("--lifted", help="Also those that were lifted.")] = False,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """The holds that stand: what each names, since when, by whom and why.

    Example: gateway retention hold list --lifted
    """
    with answering():
        found: list[LegalHold] = _with_store(workspace, lambda store: store.legal_holds(lifted=lifted))
        if as_json:
            show_json([asdict(one) for one in found])
        elif not found:
            show("no legal hold stands")
        else:
            show_table(("hold", "of", "since (UTC)", "by", "why", "lifted"), map(_row, found))


@app.command()
def remove(
    hold: Annotated[int, typer.Argument(metavar="HOLD", help="Its number, as list shows it.")],
    *,
    why: Annotated[str, typer.Option(help="Why; recorded.")],
    by: By = None,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Lift a hold: from the next run on the rules count again for what it named. Its record stays.

    Example: gateway retention hold remove 3 --why "case 7 is settled" --by lea
    """
    with answering():

        async def lift(store: Store) -> None:
            await store.lift_hold(hold, by=who(by), why=why)

        _with_store(workspace, lift)
        if as_json:
            show_json({"hold": hold, "lifted": True})
        else:
            show(f"legal hold {hold} is lifted")


def _row(one: LegalHold) -> tuple[str, ...]:
    named = {"partner": one.partner, "order": one.order_number, "message": one.message_id}
    lifted = f"{one.lifted_at:%Y-%m-%d} by {one.lifted_by}: {one.lifted_why}" if one.lifted_at else ""
    return (
        str(one.id),
        printable(", ".join(f"{name} {value}" for name, value in named.items() if value is not None)),
        f"{one.at:%Y-%m-%d %H:%M}",
        printable(one.placed_by),
        printable(one.why),
        printable(lifted),
    )


def _with_store(workspace: Path, work: Callable[[Store], Awaitable[T]]) -> T:
    from gateway.wiring import open_store  # noqa: PLC0415  help needs none of it

    async def opened() -> T:
        async with open_store(workspace) as store:
            return await work(store)

    return run(opened())
