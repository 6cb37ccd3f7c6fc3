"""Cross-references taught, imported and retired: decided over the rows that stand, all of it in one commit or nothing.

Each change is a message of its own: its bytes are the rows as CSV, its trail says who did it and why, and the rows name
it as their origin. Nothing is deleted: what is retired can be taught again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.events import MessageReceived, ReferencesChanged
from gateway.findings import FilePlace, Finding
from gateway.mapping import reference_csv
from gateway.mapping.references import ALL, CrossReference, Plan, plan
from gateway.mapping.rules import finding
from gateway.pipeline.hashing import sha256_hex
from gateway.ports import (
    Changes,
    Channel,
    Clock,
    Direction,
    MessageState,
    NaturalKeyTaken,
    NewMessage,
    Queries,
    ReferenceChange,
    Store,
    new_id,
)

DECISIONS = 5
"""How often a change is decided anew when somebody else changed the tables meanwhile."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lesson:
    """What somebody wants the tables to say, where it stands, and who says so."""

    file: str
    rows: tuple[tuple[int, CrossReference], ...]
    """With their lines in the file."""
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Taught:
    """What was, or with `dry`, would be changed; nothing while there are findings."""

    plans: Mapping[str, Plan]
    """By partner, `ALL` for all."""
    findings: tuple[Finding, ...] = ()
    message_id: str | None = None
    """The message that records it; None where nothing changed."""

    @property
    def difference(self) -> list[tuple[str, CrossReference]]:
        """Each row that is touched with what is done to it: retire, end, add."""
        return [
            *(("retire", row) for made in self.plans.values() for row in made.retire),
            *(("end", replace(row, valid_to=day)) for made in self.plans.values() for row, day in made.end),
            *(("add", row) for made in self.plans.values() for row in made.add),
        ]

    @property
    def changes(self) -> int:
        """Rows that were touched."""
        return sum(one.changes for one in self.plans.values())


async def teach(store: Store, queries: Queries, lesson: Lesson, *, clock: Clock, dry: bool = False) -> Taught:
    """Make the tables say what `lesson` says."""

    def decide(partner: str, standing: Sequence[CrossReference]) -> Plan:
        return plan(standing, (row for _, row in lesson.rows if row.partner == partner))

    partners = sorted({row.partner for _, row in lesson.rows})
    return await _decided(store, queries, lesson, partners, decide, clock=clock, dry=dry)


async def retire(
    store: Store,
    queries: Queries,
    partner: str,
    which: Callable[[CrossReference], bool],
    *,
    by: str,
    reason: str,
    clock: Clock,
) -> Taught:
    """Let the partner's rows go that `which` selects; they are kept, and hold no more."""

    def decide(_: str, standing: Sequence[CrossReference]) -> Plan:
        return Plan(retire=tuple(row for row in standing if which(row)))

    lesson = Lesson(file="retire.csv", rows=(), by=by, reason=reason)
    return await _decided(store, queries, lesson, [partner], decide, clock=clock, dry=False)


async def _decided(
    store: Store,
    queries: Queries,
    lesson: Lesson,
    partners: Sequence[str],
    decide: Callable[[str, Sequence[CrossReference]], Plan],
    *,
    clock: Clock,
    dry: bool,
) -> Taught:
    for attempt in range(1, DECISIONS + 1):
        states = {one: (await queries.reference_versions(one))[0 if one != ALL else 1] for one in partners}
        plans = {one: decide(one, await queries.reference_rows(partner=one)) for one in partners}
        taught = Taught(plans=plans, findings=tuple(_clashes(lesson, plans)))
        if taught.findings or not taught.changes or dry:
            return taught
        message_id, changes = _changes(lesson, plans, states, clock())
        try:
            await store.apply(changes)
        except NaturalKeyTaken:
            if attempt == DECISIONS:
                raise
        else:
            return replace(taught, message_id=message_id)
    raise AssertionError("unreachable")


def _clashes(lesson: Lesson, plans: Mapping[str, Plan]) -> list[Finding]:
    found: list[Finding] = []
    for partner, made in plans.items():
        lines = [one for one in lesson.rows if one[1].partner == partner]
        for number, other in made.clashes:
            line, row = lines[number]
            days = f"{other.valid_from or 'ever'} to {other.valid_to or 'ever'}"
            where = f"{row.list}{f' ({row.scheme})' if row.scheme else ''}"
            found.append(
                finding(
                    "reference.overlap",
                    FilePlace(file=lesson.file, line=line or None),
                    said=f"{where} {row.theirs!r} = {row.ours!r} from {row.valid_from or 'ever'}",
                    wanted=f"days that are free: {other.theirs!r} = {other.ours!r} from {days} stands",
                )
            )
    return sorted(found, key=lambda one: getattr(one.place, "line", None) or 0)


def _changes(
    lesson: Lesson, plans: Mapping[str, Plan], states: Mapping[str, int], now: datetime
) -> tuple[str, Changes]:
    id_ = new_id(now)
    payload = reference_csv.difference(Taught(plans=plans).difference).encode()
    partner = next(iter(plans)) if len(plans) == 1 else None
    message = NewMessage(
        id=id_,
        partner=partner or None,
        direction=Direction.INBOUND,
        channel=Channel.CLI,
        state=MessageState.PROCESSED,
        at=now,
        payload=payload,
        content_type="text/csv; charset=utf-8",
        filename=lesson.file,
    )
    sha256 = sha256_hex(payload)
    received = MessageReceived(
        message_id=id_, partner=message.partner, channel=Channel.CLI.value, sha256=sha256, size=len(payload)
    )
    changed = ReferencesChanged(
        message_id=id_,
        partner=message.partner,
        by=lesson.by,
        reason=lesson.reason,
        added=sum(len(one.add) for one in plans.values()),
        ended=sum(len(one.end) for one in plans.values()),
        retired=sum(len(one.retire) for one in plans.values()),
        sha256=sha256,
    )
    references = tuple(
        ReferenceChange(
            partner=name,
            version=states[name],
            by=lesson.by,
            add=tuple(replace(row, id=new_id(now), origin=id_) for row in made.add),
            end=tuple((row.id, day) for row, day in made.end),
            retire=tuple(row.id for row in made.retire),
        )
        for name, made in plans.items()
        if made.changes
    )
    return id_, Changes(messages=(message,), references=references, events=(received, changed))
