"""`gateway message list`: the newest messages, by whose they are, what they are about, and what they wait for."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.answers import AsJson, WorkspaceFolder, answering, run, say, show, show_json, show_table, times
from gateway.cli.lane_asking import complete_lane
from gateway.cli.moments import SAID, moment_of
from gateway.cli.partner_names import complete_partner
from gateway.cli.printable import printable
from gateway.cli.reference_asking import asked
from gateway.cli.waits import overdue_words
from gateway.ports import Message, MessageState, Overdue

if TYPE_CHECKING:
    from gateway.store import Store

STUCK = "remedy: start a gateway of the version that began this work beside this one (docs/operations.md); it ends it"
MOST_OVERDUE = 10_000


def list_messages(
    workspace: WorkspaceFolder = Path(),
    partner: Annotated[str | None, typer.Option(help="Only this partner's.", autocompletion=complete_partner)] = None,
    state: Annotated[MessageState | None, typer.Option(help="Only those that stand there.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 50,
    *,
    order: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Only those about the order of this number.")
    ] = None,
    since: Annotated[str | None, typer.Option(help=f"Only those that came or were made since then: {SAID}.")] = None,
    lane: Annotated[
        str | None,
        typer.Option(help="Only those with work that waits or runs in this lane.", autocompletion=complete_lane),
    ] = None,
    given_up: Annotated[
        bool, typer.Option("--given-up", help="Only those with work that was given up, such as a receipt.")
    ] = False,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only those that wait too long for an answer, to an order in them too.")
    ] = False,
    uncertain: Annotated[
        bool, typer.Option("--uncertain", help="Only those with a delivery that may have taken place or not.")
    ] = False,
    stuck: Annotated[
        bool, typer.Option("--stuck", help="Only those with work that no gateway of this version knows how to do.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The newest messages first.

    Example: gateway message list --partner acme --since 2h
    """

    async def question(store: Store) -> tuple[list[Message], list[Overdue]]:
        known = None
        if stuck:
            from gateway.wiring import STEPS  # noqa: PLC0415  only this needs it

            known = STEPS
            for one in await store.stuck_work(known):
                say(f"step {printable(one.step)}, due since {one.since:%Y-%m-%d %H:%M:%S}: {times(one.jobs, 'job')}")
                say(STUCK)
        found = await store.messages(
            partner=partner,
            state=state,
            limit=limit,
            order_number=order,
            since=None if since is None else moment_of(since, store.clock()),
            lane=lane,
            given_up=given_up,
            uncertain=uncertain,
            overdue=overdue,
            strange_to=known,
        )
        return found, await store.overdue(partner=partner, limit=MOST_OVERDUE) if overdue else []

    with answering():
        found, late = run(asked(workspace, question))
        told = overdue_words(late)
        if as_json:
            show_json([message_json(one) | ({"overdue": told.get(one.id, [])} if overdue else {}) for one in found])
            return
        if not found:
            show("no such message")
            return
        show_table(
            ("at", "id", "partner", "direction", "channel", "state", "bytes", "file", *(("overdue",) * overdue)),
            (
                (
                    f"{one.at:%Y-%m-%d %H:%M:%S}",
                    printable(one.id),
                    printable(one.partner or ""),
                    one.direction.value,
                    one.channel.value,
                    one.state.value,
                    str(one.size),
                    printable(one.filename or ""),
                    *((printable("; ".join(told.get(one.id, []))),) * overdue),
                )
                for one in found
            ),
        )


def message_json(message: Message) -> dict[str, Any]:
    """A message's fields, its receipt as text."""
    fields = asdict(message)
    if message.receipt is not None:
        fields["receipt"] |= {"body": message.receipt.body.decode("utf-8", "replace")}
    return fields
