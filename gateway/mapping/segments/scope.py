"""A scope: the rules that hold between the children of one loop and one object of the document.

Children are taken in wire order by the first rule that can; what no rule takes is kept whole in its place. Rules are
written in the map's order, or in the remembered one where the wire had another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.edi.tree import Segment, joined
from gateway.findings import JsonPlace
from gateway.mapping.memory import arrange, pack, recall, remember, squeeze
from gateway.mapping.rules import finding
from gateway.mapping.segments.condition import Condition
from gateway.mapping.segments.inherit import Inherited
from gateway.mapping.segments.more import More
from gateway.mapping.segments.rule import Child, Rule
from gateway.mapping.segments.segment import SegmentLens
from gateway.mapping.state import Json, ReadState, WriteState

_PLANS: Final = 256
DIVIDER: Final = "UNS"
"""ISO 9735: the segment between header, detail and summary of a message; the same tags mean other things behind it."""
Entry = tuple[int, Rule, bool, SegmentLens | None]
"""Rank, rule, whether it takes one child only, and its lens where that is all there is to it."""
_NONE: Final[tuple[Entry, ...]] = ()


@dataclass(slots=True)
class Scope:
    """Rules in the order of the wire."""

    label: str
    rules: tuple[Rule, ...]
    conditions: Mapping[int, Condition] = field(default_factory=dict)
    """By rank: when a rule is read and written."""
    counted: Mapping[int, int] = field(default_factory=dict)
    """By rank: a rule that takes only the n-th of the segments it accepts."""
    table: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    contested: frozenset[int] = frozenset()
    """Ranks of lists whose items an earlier rule of the same segment might take when they are read again."""
    inherited: tuple[Inherited | More, ...] = ()
    sections: tuple[Any, Any] | None = None
    """Where a segment UNS divides the message: the tables before and behind it."""
    silent: frozenset[int] = frozenset()
    """Ranks of the rules that read past what they take: its place is not remembered."""
    by_field: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Ranks of the rules that may write something where an object has this field."""
    plans: dict[tuple[str, ...], tuple[int, ...]] = field(default_factory=dict)
    """By an object's fields in their order: the ranks to ask."""
    asked: frozenset[int] = frozenset()
    """Ranks of the rules that may write something of any object."""

    def __post_init__(self) -> None:
        found: dict[str, list[Entry]] = {}
        by_field: dict[str, list[int]] = {}
        asked = set()
        for rank, rule in enumerate(self.rules):
            found.setdefault(rule.name, []).append((rank, rule, rule.once, rule.alone))
            if rule.fields is None:
                asked.add(rank)
            for name in rule.fields or ():
                by_field.setdefault(name, []).append(rank)
        self.table = {name: tuple(rules) for name, rules in found.items()}
        self.contested = frozenset(rank for rules in found.values() for rank, rule, *_ in rules[1:] if not rule.once)
        self.inherited = tuple(rule for rule in self.rules if isinstance(rule, (Inherited, More)))
        self.silent = frozenset(rank for rank, rule in enumerate(self.rules) if rule.fields == frozenset())
        divider = next((rank for rank, rule in enumerate(self.rules) if rule.name == DIVIDER), None)
        if divider is not None:
            before = {name: tuple(one for one in rules if one[0] <= divider) for name, rules in self.table.items()}
            behind = {name: tuple(one for one in rules if one[0] > divider) for name, rules in self.table.items()}
            self.sections = (before, behind)
        self.by_field = {name: tuple(ranks) for name, ranks in by_field.items()}
        self.asked = frozenset(asked)

    @property
    def fields(self) -> frozenset[str] | None:
        """The fields without which it writes nothing; None where it may write something of any object."""
        return None if self.asked else frozenset(self.by_field)

    def read(self, children: list[Child], target: Json, state: ReadState, *, begun: bool = False) -> None:
        """Read all children into `target`. `begun`: the first rule has taken the first child already."""
        used = 0
        taken: list[Any] = []  # ranks, and whole children that no rule takes
        regular, before = True, -1
        if begun:
            used, before = 1, 0
            taken.append(0)
            children = children[1:]
        sections = self.sections
        table = self.table if sections is None else sections[0]
        special, silent = bool(self.conditions or self.counted), self.silent
        seen: dict[int, int] = {}
        for child in children:
            if self.counted:
                self._count(child, seen)
            is_segment = child.__class__ is Segment
            for rank, rule, once, lens in table.get(child.tag if is_segment else child.name, _NONE):  # type: ignore[union-attr]
                if once and used >> rank & 1:
                    continue
                if special and not self._applies(rank, target, seen):
                    continue
                if (
                    lens.take(child, target, state)  # type: ignore[arg-type]
                    if is_segment and lens is not None
                    else rule.read(child, target, state)
                ):
                    if rank in silent:
                        break
                    used |= 1 << rank
                    if rank < before:
                        regular = False
                    before = rank
                    taken.append(rank)
                    if sections is not None and rule.name == DIVIDER:
                        table = sections[1]
                    break
            else:
                regular = False
                taken.append(pack(child))
                state.note(child)
        for each in self.inherited:
            each.hand_down(target, state)
        if not regular:
            sequence = [self.rules[each].label if isinstance(each, int) else each for each in taken]
            remember(target, state.syntax).setdefault("order", {})[self.label] = squeeze(sequence)

    def _count(self, child: Child, seen: dict[int, int]) -> None:
        """Count the child for each rule that takes only the n-th of its like."""
        for rank in self.counted:
            if takes(self.rules[rank], child):
                seen[rank] = seen.get(rank, 0) + 1

    def _applies(self, rank: int, target: Json, seen: dict[int, int]) -> bool:
        condition = self.conditions.get(rank)
        if condition is not None and not condition.holds(target):
            return False
        number = self.counted.get(rank)
        return number is None or seen.get(rank) == number

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:
        """All children that `target` asks for."""
        for each in self.inherited:
            target = each.take_up(target)
        if "extensions" in target:
            orders = recall(target, state.syntax).get("order")
            order = orders.get(self.label) if isinstance(orders, dict) else None
            ranks: Any = range(len(self.rules))
        else:
            order = None
            ranks = self.plans.get(names := tuple(target)) or self._plan(names)
        children: list[Child] = []
        written: list[tuple[int, str, Child]] = []
        for rank in ranks:
            rule = self.rules[rank]
            made = rule.write(target, state, at, root)
            if not made:
                continue
            if self.conditions or self.counted:
                made = self._allowed(rank, made, children, target, state, at)
            if rank in self.contested:
                self._elsewhere(rank, made, target, state, at)
            if order is None:
                children += made
            else:
                written += [(rank, rule.label, child) for child in made]
        return children if order is None else arrange(written, order)

    def _plan(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Ranks of the rules that may write something of an object with these fields; few sets of fields recur."""
        ranks = tuple(sorted(self.asked.union(*(self.by_field.get(name, ()) for name in names))))
        if len(self.plans) < _PLANS:
            self.plans[names] = ranks
        return ranks

    def _allowed(  # noqa: PLR0917  one step of `write`
        self, rank: int, made: list[Child], before: list[Child], target: Json, state: WriteState, at: str
    ) -> list[Child]:
        """What may be written under the rule's condition, and as the n-th of its like; the rest is lost."""
        condition, number = self.conditions.get(rank), self.counted.get(rank)
        reason = "" if condition is None or condition.holds(target) else f"{condition.text}, as the map asks"
        if not reason and number is not None:
            rule = self.rules[rank]
            like = sum(takes(rule, one) for one in before)
            if like != number - 1:
                reason = f"the {rule.name} before it, of which this is number {number}"
        if not reason:
            return made
        segment = first_of(made[0])
        state.lose(at, said(segment) if segment else self.rules[rank].label, reason)
        return []

    def _elsewhere(self, rank: int, made: list[Child], target: Json, state: WriteState, at: str) -> None:
        """A note where an item of a list says what a field of its own should say."""
        for own, rule, *_ in self.table[self.rules[rank].name]:
            if own >= rank or own in self.counted:
                break
            found = rule.claims(target)
            if found is None:
                continue
            for child in made:
                segment = first_of(child)
                if segment is not None and rule.accepts(segment):
                    place = JsonPlace(pointer=f"{at}/{found.replace('.', '/')}")
                    wanted = f"the field {found} instead of an item of a list"
                    state.findings.append(finding("map.write.elsewhere", place, said=said(segment), wanted=wanted))
                    return


def takes(rule: Rule, child: Child) -> bool:
    """Whether a child is a rule's by its tag and what selects."""
    segment = first_of(child)
    return segment is not None and segment.tag == rule.name and rule.accepts(segment)


def said(segment: Segment) -> str:
    """A segment for people."""
    return "*".join((segment.tag, *map(joined, segment.elements)))


def first_of(child: Child) -> Segment | None:
    """The segment, or the one that starts the loop."""
    if isinstance(child, Segment):
        return child
    first = child.children[0] if child.children else None
    return first if isinstance(first, Segment) else None
