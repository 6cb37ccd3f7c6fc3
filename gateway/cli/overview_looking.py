"""What `gateway status` looks at: each look says how one thing stands, and the command that shows more of it.

A look needs a person (`ACT`) when something waits for one or is about to break, and is worth knowing (`KNOW`) when
somebody decided it or it mends itself. The limits are those of the alert rules in docs/monitoring.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.answers import times
from gateway.cli.lane_asking import age
from gateway.cli.node import differing, state_of
from gateway.errors import OurFault
from gateway.ports import Direction, Node, TrailEntry
from gateway.ports.figures import Traffic, WorkFigures

if TYPE_CHECKING:
    from gateway.partners.workspace import Workspace
    from gateway.settings import Settings
    from gateway.store import Scheduled, Store
    from gateway.store.webhooks import Switch

FINE, KNOW, ACT = "fine", "know", "act"
OLD_WORK = timedelta(minutes=10)
OLD_EVENTS = timedelta(minutes=15)
OLD_SEAL = timedelta(minutes=5)
CERTIFICATE_DAYS = timedelta(days=30)
LEAST_ROOM = 0.05
"""Of a disk."""
MOST = 1000
"""Documents, orders and words that wait are counted up to here."""
LOST = ("lost", "silent")


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How one thing stands."""

    about: str
    state: str
    said: str
    command: str = ""
    """What shows more of it; empty while there is nothing to see."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """Everything that was read of the database, of one moment."""

    at: datetime
    work: WorkFigures
    nodes: Sequence[Node]
    duties: Sequence[Scheduled]
    switches: Mapping[str, Switch]
    trail: Sequence[TrailEntry]
    """The last events of the configuration."""
    traffic: Traffic
    overdue: int
    reviews: int
    held: int
    """Documents that wait for a word of the cross-references."""


async def seen(store: Store, *, since: timedelta) -> Seen:
    """Read the database. `since`: how long back messages are counted."""
    from gateway.ports import CONFIGURATION  # noqa: PLC0415  help needs none of it

    now = store.clock()
    return Seen(
        at=now,
        work=await store.figures(),
        nodes=await store.nodes(),
        duties=await store.schedules(),
        switches=await store.webhook_switches(),
        trail=await store.newest_events(CONFIGURATION),
        traffic=await store.traffic(now - since),
        overdue=len(await store.overdue(limit=MOST)),
        reviews=len(await store.under_review(limit=MOST)),
        held=len({one.document_id for one in await store.holds(limit=MOST)}),
    )


def looks(found: Seen, folder: Path, loaded: Workspace | OurFault) -> Iterator[Look]:
    """Everything, what needs a person not first: the order is always the same."""
    yield _gateways(found)
    yield _configuration(found, loaded)
    yield _traffic(found)
    yield _work(found)
    yield _lanes(found)
    yield _waits("dead letters", found.work.all.dead, "job", "given up", "gateway dead list")
    yield _waits(
        "uncertain", found.work.uncertain, "delivery", "of unknown outcome", "gateway message list --uncertain"
    )
    yield _waits("overdue", found.overdue, "answer", "not here in time", "gateway message list --overdue")
    yield _waits("reviews", found.reviews, "document", "to be decided", "gateway review list")
    yield _waits("cross-references", found.held, "document", "waiting for unknown words", "gateway reference unknown")
    yield _events(found)
    yield _duties(found)
    yield _trail(found)
    if not isinstance(loaded, OurFault):
        yield _certificates(found, folder, loaded)
        yield _disk(folder, loaded.settings)


def _gateways(found: Seen) -> Look:
    states = [state_of(one, found.at) for one in found.nodes]
    lost = sum(state in LOST for state in states)
    living = len(states) - lost
    said = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)) or "none runs: gateway serve"
    command = "gateway node list"
    if not living:
        return Look(about="gateways", state=ACT, said=said, command=command if states else "")
    if lost or differing(list(found.nodes), found.at):
        differ = "" if lost else ", with different configurations"
        return Look(about="gateways", state=ACT, said=said + differ, command=command)
    return Look(about="gateways", state=FINE, said=said)


def _configuration(found: Seen, loaded: Workspace | OurFault) -> Look:
    from gateway.activation import last_activated, last_refused  # noqa: PLC0415

    active, refused = last_activated(list(found.trail)), last_refused(list(found.trail))
    command = "gateway config status"
    if isinstance(loaded, OurFault):
        said = f"the folder's is wrong: {times(max(1, len(loaded.findings)), 'finding')}"
        return Look(about="configuration", state=ACT, said=said, command="gateway partner check")
    if refused is not None:
        return Look(about="configuration", state=ACT, said=f"refused {refused.at:%Y-%m-%d %H:%M} UTC", command=command)
    if active is None:
        return Look(about="configuration", state=KNOW, said="none was active yet", command=command)
    said = f"{active.data['version'][:12]} since {active.at:%Y-%m-%d %H:%M} UTC, {_partners(loaded)}"
    return Look(about="configuration", state=FINE, said=said)


def _partners(loaded: Workspace) -> str:
    return times(len(loaded.agreements), "partner")


def _traffic(found: Seen) -> Look:
    came = found.traffic.by(Direction.INBOUND)
    went = found.traffic.by(Direction.OUTBOUND)
    wrong = {state: came.get(state, 0) + went.get(state, 0) for state in ("refused", "rejected")}
    said = f"{sum(came.values())} in, {sum(went.values())} out in the last {age(found.traffic.since, found.at)}"
    for state, count in wrong.items():
        said += f", {count} {state}" if count else ""
    command = next((f"gateway message list --state {state}" for state, count in wrong.items() if count), "")
    return Look(about="messages", state=KNOW if command else FINE, said=said, command=command)


def _work(found: Seen) -> Look:
    all_ = found.work.all
    said = f"{all_.due} due, {all_.running} running, {all_.later} for later"
    if all_.oldest is None:
        return Look(about="work", state=FINE, said=said)
    old = found.at - all_.oldest > OLD_WORK
    said += f", the oldest for {age(all_.oldest, found.at)}"
    return Look(about="work", state=ACT if old else FINE, said=said, command="gateway lane list" if old else "")


def _lanes(found: Seen) -> Look:
    stopped, resting = found.work.all.stopped, found.work.breakers["open"] + found.work.breakers["half open"]
    total = sum(found.work.breakers.values())
    if not stopped and not resting:
        return Look(about="lanes", state=FINE, said=f"{total}, none paused")
    said = f"of {total} {stopped} paused by somebody, {resting} after failures of the far side"
    return Look(about="lanes", state=ACT if resting else KNOW, said=said, command="gateway lane list --troubled")


def _waits(about: str, count: int, thing: str, how: str, command: str) -> Look:
    """What waits for a person."""
    if not count:
        return Look(about=about, state=FINE, said="none")
    things = f"{count}+ {_several(thing)}" if count >= MOST else f"{count} {thing if count == 1 else _several(thing)}"
    return Look(about=about, state=ACT, said=f"{things} {how}", command=command)


def _several(thing: str) -> str:
    return f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"


def _events(found: Seen) -> Look:
    off = sorted(name for name, switch in found.switches.items() if switch.disabled_at is not None)
    waiting = sum(count for count, _ in found.work.outbox.values())
    oldest = min((at for _, at in found.work.outbox.values() if at is not None), default=None)
    said = f"{times(waiting, 'event')} to hand on"
    if off:
        return Look(
            about="events", state=ACT, said=f"{said}, {', '.join(off)} disabled", command="gateway webhook list"
        )
    if oldest is not None and found.at - oldest > OLD_EVENTS:
        said += f", the oldest for {age(oldest, found.at)}"
        return Look(about="events", state=ACT, said=said, command="gateway events waiting")
    return Look(about="events", state=FINE, said=said)


def _duties(found: Seen) -> Look:
    failed = [one.name for one in found.duties if one.error]
    if failed:
        said = f"{', '.join(failed)} failed"
        return Look(about="duties", state=ACT, said=said, command="gateway schedule list")
    return Look(about="duties", state=FINE, said=f"{len(found.duties)}, none failed")


def _trail(found: Seen) -> Look:
    since = found.work.unsealed
    if since is None:
        return Look(about="audit trail", state=FINE, said="sealed")
    old = found.at - since > OLD_SEAL
    said = f"not sealed for {age(since, found.at)}"
    return Look(about="audit trail", state=ACT if old else FINE, said=said, command="gateway serve" if old else "")


def _certificates(found: Seen, folder: Path, loaded: Workspace) -> Look:
    from gateway.partners.inventory import inventory, threshold  # noqa: PLC0415

    held = inventory(folder, loaded.settings, loaded.agreements)
    last = found.at + CERTIFICATE_DAYS
    ends = [
        one.certificate.not_valid_after_utc
        for one in held
        if one.certificate.not_valid_after_utc <= last and threshold(one, held, last) is not None
    ]
    if not ends:
        return Look(
            about="certificates", state=FINE, said=f"{len(held)}, none ends within {CERTIFICATE_DAYS.days} days"
        )
    over = sum(at <= found.at for at in ends)
    said = f"{over} ended, {len(ends) - over} within {CERTIFICATE_DAYS.days} days, without a follower"
    command = f"gateway certificate list --expiring {CERTIFICATE_DAYS.days}d"
    return Look(about="certificates", state=ACT, said=said, command=command)


def _disk(folder: Path, settings: Settings) -> Look:
    from gateway.store.disks import room  # noqa: PLC0415
    from gateway.wiring import database_url  # noqa: PLC0415

    found = room(database_url(folder, settings), folder / settings.database.payloads)
    if not found:
        return Look(about="disk", state=KNOW, said="not known")
    share, free, name = min((free / total, free, name) for name, (free, total) in found.items())
    said = f"{free / 2**30:.1f} GiB free for {name}, {share:.0%}"
    return Look(about="disk", state=ACT if share < LEAST_ROOM else FINE, said=said)
