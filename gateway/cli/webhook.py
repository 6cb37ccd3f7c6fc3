"""`gateway webhook`: who is told of events, how that goes, and how to mend it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.text import Text

from gateway.cli import webhook_rotating
from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, show, show_json, show_table, times
from gateway.cli.printable import printable
from gateway.cli.reference_asking import who
from gateway.cli.webhook_asking import By, Reason, WebhookName, one_of, webhooks_of
from gateway.errors import DeliveryFailed, OurFault
from gateway.partners import workspace as workspaces
from gateway.publication import Endpoint
from gateway.published import TYPES
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.store import Store
    from gateway.store.webhooks import Notice

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Webhooks: who is told of events, how that goes, how to mend it.")
app.command()(webhook_rotating.rotate)

STATES = ("ready", "running", "done", "dead")
COLOURS = {"dead": "red", "disabled": "bold red", "failing": "yellow", "active": "green"}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """A webhook as `list` tells of it."""

    name: str
    url: str
    types: int
    state: str
    waiting: int
    done: int
    dead: int
    why: str


@app.command("list")
def list_(*, workspace: WorkspaceFolder = Path(), as_json: AsJson = False) -> None:
    """The webhooks with their state: what waits, what was taken, what was given up.

    Example: gateway webhook list
    """
    with answering():
        known = webhooks_of(workspaces.load(workspace))
        rows = run(_with_store(workspace, lambda store: _rows(store, known)))
        if as_json:
            show_json([asdict(row) for row in rows])
            return
        show_table(
            ("name", "state", "waiting", "taken", "given up", "types", "url", ""),
            (
                (
                    row.name,
                    Text(row.state, style=COLOURS.get(row.state, "")),
                    str(row.waiting),
                    str(row.done),
                    Text(str(row.dead), style="red" if row.dead else ""),
                    "all" if row.types == len(TYPES) - 1 else str(row.types),
                    printable(row.url),
                    printable(row.why),
                )
                for row in rows
            ),
        )


@app.command("test")
def try_(name: WebhookName, *, workspace: WorkspaceFolder = Path(), as_json: AsJson = False) -> None:
    """Send a signed event of type webhook.test now, and tell what was answered; nothing is stored.

    Example: gateway webhook test erp
    """
    with answering():
        loaded, endpoint = one_of(workspace, name)
        began = time.monotonic()
        event_id, status, fault = run(_tried(loaded.folder, endpoint, loaded.settings))
        took = round(time.monotonic() - began, 3)
        if as_json:
            show_json({"event_id": event_id, "status": status, "seconds": took, "fault": fault})
        elif fault is None:
            show(Text(f"{name} took {event_id}: {status} in {took} s", style="green"))
        else:
            show(Text(f"{name} did not take it: {fault}", style="red"))
        if fault is not None:
            raise typer.Exit(FINDINGS)


@app.command()
def deliveries(
    name: WebhookName,
    *,
    state: Annotated[list[str] | None, typer.Option(help=f"Only those that are {', '.join(STATES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 50,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """The newest events for a webhook, each with its attempts and the last answer.

    Example: gateway webhook deliveries erp --state dead
    """
    with answering():
        if wrong := [one for one in state or () if one not in STATES]:
            raise OurFault(f"there is no state {wrong[0]!r}", remedy=f"use one of: {', '.join(STATES)}")
        endpoint = one_of(workspace, name)[1]
        found = run(_with_store(workspace, lambda store: store.notices(endpoint.lane, states=state or (), limit=limit)))
        if as_json:
            show_json([_notice_json(one) for one in found])
            return
        show_table(
            ("event", "type", "state", "attempts", "last", "outcome", "next", ""),
            (
                (
                    one.event_id,
                    one.type,
                    Text(one.state, style=COLOURS.get(one.state, "")),
                    str(one.attempts),
                    _moment(one.last_at),
                    one.outcome or "",
                    _moment(one.due_at),
                    printable(one.reason or ""),
                )
                for one in found
            ),
        )


@app.command()
def redeliver(
    name: WebhookName,
    *,
    event: Annotated[str | None, typer.Option(metavar="ID", help="Only this event, also when it was taken.")] = None,
    since_hours: Annotated[
        float | None, typer.Option(min=0, help="Everything of these last hours, also what was taken.")
    ] = None,
    by: By = None,
    reason: Reason = "",
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Send events once more, under the same ids: those that were given up, one, or all of some hours.

    Example: gateway webhook redeliver erp --reason "the receiver is mended"
    """
    with answering():
        endpoint = one_of(workspace, name)[1]
        since = None if since_hours is None else datetime.now(UTC) - timedelta(hours=since_hours)

        async def send(store: Store) -> int:
            return await store.redeliver(
                name,
                endpoint.lane,
                by=who(by),
                reason=reason,
                event_id=event,
                since=since,
                failed_only=event is None and since is None,
            )

        count = run(_with_store(workspace, send))
        if as_json:
            show_json({"webhook": name, "deliveries": count})
        else:
            show(f"{times(count, 'event')} for {name} will be sent again")
        if not count:
            raise typer.Exit(FINDINGS)


@app.command()
def enable(name: WebhookName, *, by: By = None, reason: Reason = "", workspace: WorkspaceFolder = Path()) -> None:
    """Have a disabled webhook told again; what it missed meanwhile is not made up for.

    Example: gateway webhook enable erp --reason "the receiver is back"
    """
    with answering():
        one_of(workspace, name)

        async def enabled(store: Store) -> bool:
            return await store.enable_webhook(name, by=who(by), reason=reason)

        changed = run(_with_store(workspace, enabled))
        show(f"{name} is told again" if changed else f"{name} was not disabled")


@app.command()
def disable(name: WebhookName, *, by: By = None, reason: Reason = "", workspace: WorkspaceFolder = Path()) -> None:
    """Have a webhook told nothing more, until it is enabled.

    Example: gateway webhook disable erp --reason "moves to another machine"
    """
    with answering():
        one_of(workspace, name)

        async def disabled(store: Store) -> bool:
            return await store.disable_webhook(name, by=who(by), reason=reason)

        changed = run(_with_store(workspace, disabled))
        show(f"{name} is told nothing more" if changed else f"{name} was disabled already")


async def _rows(store: Store, known: dict[str, Endpoint]) -> list[_Row]:
    switches, counted = await store.webhook_switches(), await store.all_notice_counts()
    troubled = await store.troubled_lanes()
    rows = []
    for name, endpoint in sorted(known.items()):
        counts = counted.get(endpoint.lane, {})
        switch = switches.get(name)
        off = switch is not None and switch.disabled_at is not None
        rows.append(
            _Row(
                name=name,
                url=endpoint.webhook.url,
                types=len(endpoint.types),
                state="disabled" if off else "failing" if endpoint.lane in troubled else "active",
                waiting=counts.get("ready", 0) + counts.get("running", 0),
                done=counts.get("done", 0),
                dead=counts.get("dead", 0),
                why=f"by {switch.changed_by}: {switch.reason}" if switch is not None and off else "",
            )
        )
    return rows


async def _tried(folder: Path, endpoint: Endpoint, settings: Settings) -> tuple[str, int | None, str | None]:
    """The event's id, and the status or why it was not taken. Raises OurFault for missing secrets."""
    from gateway.connectors.exchange import open_session  # noqa: PLC0415  only commands that need them load them
    from gateway.connectors.public_only import public_session  # noqa: PLC0415
    from gateway.connectors.webhook import WebhookPost  # noqa: PLC0415
    from gateway.ports import new_id  # noqa: PLC0415
    from gateway.publication.announcer import source_of, trial_event  # noqa: PLC0415

    def now() -> datetime:
        return datetime.now(UTC)

    event_id = new_id(now())
    body = trial_event(source_of(settings), event_id, endpoint.name, now())
    async with open_session() as session, public_session() as (public, _):
        post = WebhookPost(endpoint.name, endpoint.webhook, folder, session=session, public=public, clock=now)
        try:
            return event_id, await post.post(event_id, body), None
        except DeliveryFailed as failed:
            return event_id, failed.status, str(failed) + (f": {failed.answer}" if failed.answer else "")


async def _with_store(workspace: Path, question: Callable[[Store], Awaitable[T]]) -> T:
    from gateway.wiring import open_store  # noqa: PLC0415  only commands that need the store load it

    async with open_store(workspace) as store:
        return await question(store)


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""


def _notice_json(one: Notice) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(one).items()}
