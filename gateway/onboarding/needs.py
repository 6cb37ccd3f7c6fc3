"""What a partner's files need beyond a guide: findings in, lines of a guide delta out, each with a count and a place.

A finding that a delta can lift becomes a `Need`; one that it cannot (a wrong count, a broken hierarchy) is the
sender's mistake and stays one. A need asks for as little as it must and for as much as the next file may bring: a
place that came too often may come any number of times, a closed list is given the codes seen, not opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.edi.guide import UNLIMITED, ElementSpec, LoopUse, Note, SegmentSpec, Use
from gateway.edi.tree import Message
from gateway.findings import Finding, Severity
from gateway.onboarding.observe import Where, elements_of, length_of
from gateway.onboarding.profile import Seen
from gateway.onboarding.spots import Sites, Spot

LADDER = (1, 2, 3, 5, 10, 15, 20, 30, 35, 50, 80, 120, 256, 512, 999)
"""Lengths that a segment of the partner's own is given: the next one above what was seen."""
MAX_KEPT = 500
"""Needs and mistakes of each kind that are kept apart."""
DATE = (6, 8)


@dataclass(slots=True)
class Need:
    """One line of a guide delta."""

    section: str
    """required, optional, codes, lengths, repeat, notes, after, before, segments."""
    key: str
    rule: str
    """The finding that it lifts."""
    said: str
    at: Seen
    count: int = 0
    codes: set[str] = field(default_factory=set)
    """For `codes` those that came, for `notes` those that were broken."""
    low: int = 0
    high: int = 0
    """For `lengths`."""
    line: Any = None
    """For `before` and `after` the place, for `notes` the segment."""
    spec: ElementSpec | None = None


@dataclass(slots=True)
class Mistake:
    """What no delta lifts."""

    rule: str
    severity: Severity
    where: str
    """The place in the guide, or in the envelope."""
    said: str
    wanted: str
    fix: str
    at: Seen
    count: int = 0


class Needs:
    """Gathers what findings ask for."""

    def __init__(self) -> None:
        self.needs: dict[tuple[str, str, str], Need] = {}
        self.mistakes: dict[tuple[str, str], Mistake] = {}
        self.notes: dict[tuple[str, str], Mistake] = {}
        """Harmless findings."""

    def message(self, message: Message, sites: Sites, spots: list[Spot], where: Where) -> None:
        """What is wrong in one message."""
        if not message.findings:
            return
        by_position = {spot.segment.position: spot for spot in spots}
        for one in message.findings:
            position = getattr(one.place, "segment", None)
            spot = by_position.get(position or 0)
            if spot is None and one.rule == "edi.segment.missing" and spots:
                spot = spots[-1]  # it should have stood before the set's trailer
            if one.severity is Severity.ACCEPT or spot is None or not self._lifted(one, spot, sites, spots, where):
                self.mistake(one, spot.path if spot is not None else message.type, where.of(one.place))  # type: ignore[arg-type]

    def mistake(self, found: Finding, place: str, at: Seen) -> None:
        """Note what no delta lifts; harmless findings apart."""
        element = getattr(found.place, "element", None)
        name = place + (f" {element:02d}" if element else "")
        kept = self.notes if found.severity is Severity.ACCEPT else self.mistakes
        key = (found.rule, name)
        if key not in kept and len(kept) < MAX_KEPT:
            kept[key] = Mistake(
                rule=found.rule,
                severity=found.severity,
                where=name,
                said=found.said,
                wanted=found.wanted,
                fix=found.fix,
                at=at,
            )
        if key in kept:
            kept[key].count += 1

    def _lifted(self, found: Finding, spot: Spot, sites: Sites, spots: list[Spot], where: Where) -> bool:
        """Whether a delta lifts the finding; then it is asked for."""
        if sites.guide is None:
            return False
        lift = _LIFTS.get(found.rule)
        need = lift(found, spot, sites, spots) if lift is not None else None
        if need is None:
            return False
        key = (need.section, need.key, need.line_key)
        if key not in self.needs:
            if len(self.needs) >= MAX_KEPT:
                return False
            made = Need(need.section, need.key, found.rule, need.said or found.said, where.of(found.place))  # type: ignore[arg-type]
            made.line, made.spec, made.low, made.high = need.line, need.spec, need.low, need.high
            self.needs[key] = made
        kept = self.needs[key]
        kept.count += 1
        kept.codes |= need.codes
        kept.low, kept.high = min(kept.low, need.low), max(kept.high, need.high)
        return True


@dataclass(slots=True)
class _Asked:
    """What one finding asks for."""

    section: str
    key: str
    said: str = ""
    codes: frozenset[str] = frozenset()
    low: int = 0
    high: int = 0
    line: Any = None
    spec: ElementSpec | None = None

    @property
    def line_key(self) -> str:
        """What tells it from others of the same key."""
        if isinstance(self.line, dict):
            return str(next(iter(self.line)))
        return self.line if isinstance(self.line, str) else ""


_Lift = Callable[[Finding, Spot, Sites, list[Spot]], _Asked | None]


def _value(found: Finding, spot: Spot) -> tuple[ElementSpec | None, str, int]:
    """The element's specification, its value and its component (0 for a simple element)."""
    place: Any = found.place
    name = f"{place.element:02d}"
    for own, spec, value in elements_of(spot):
        number, _, component = own.partition(".")
        if number == name and (place.component is None or component == str(place.component)):
            return spec, value, int(component or 0)
    return None, "", 0


def _length(found: Finding, spot: Spot, sites: Sites, _: list[Spot]) -> _Asked | None:
    spec, value, component = _value(found, spot)
    if spec is None:
        return None
    length = length_of(spec, value)
    if spec.type == "DT" and length not in DATE:
        return None
    key = sites.element(spot, found.place.element or 0, component)  # type: ignore[union-attr]
    low, high = min(spec.minimum, length), max(spec.maximum, length)
    if spec.type == "DT":
        low = high = length
    return _Asked("lengths", key, low=low, high=high, spec=spec, said=f"{value} ({length} characters)")


def _code(found: Finding, spot: Spot, sites: Sites, _: list[Spot]) -> _Asked | None:
    spec, value, component = _value(found, spot)
    if spec is None or spec.codes is None or not value.isalnum() or not value.isascii():
        return None
    key = sites.element(spot, found.place.element or 0, component)  # type: ignore[union-attr]
    return _Asked("codes", key, codes=frozenset({value}), spec=spec, said=value)


def _element_missing(found: Finding, spot: Spot, sites: Sites, _: list[Spot]) -> _Asked | None:
    place: Any = found.place
    if place.element is None:
        return None
    return _Asked("optional", sites.element(spot, place.element, place.component or 0))


def _notes(found: Finding, spot: Spot, sites: Sites, _: list[Spot]) -> _Asked | None:  # noqa: ARG001  as all lifts
    if spot.spec is None:
        return None
    # The notes that this segment breaks go; the others stay.
    kept = frozenset(str(note) for note in spot.spec.notes if not _broken(note, spot))
    broken = frozenset(map(str, spot.spec.notes)) - kept
    said = ", ".join(sorted(broken))
    return _Asked("notes", spot.path, codes=broken, said=f"not {said}", line=spot.spec) if broken else None


def _broken(note: Note, spot: Spot) -> bool:
    """Whether a segment does not keep a syntax note."""
    came = [bool(spot.segment.text(one)) for one in note.elements]
    match note.kind:
        case "P":
            return any(came) and not all(came)
        case "R":
            return not any(came)
        case "E":
            return sum(came) > 1
        case "C":
            return came[0] and not all(came)
        case _:
            return came[0] and not any(came[1:])


def _not_used(found: Finding, spot: Spot, sites: Sites, _: list[Spot]) -> _Asked | None:
    place: Any = found.place
    return _Asked("optional", sites.element(spot, place.element, place.component or 0))


def _segment_missing(found: Finding, spot: Spot, sites: Sites, spots: list[Spot]) -> _Asked | None:
    place: Any = found.place
    tag = str(place.tag or "")
    before = [one for one in spots if one.segment.position < place.segment]
    path = sites.mandatory(tag, before[-1] if before else spot)
    return _Asked("optional", path) if path else None


def _repeat(found: Finding, spot: Spot, sites: Sites, _: list[Spot]) -> _Asked | None:  # noqa: ARG001  as all lifts
    return _Asked("repeat", spot.path)


def _element_repeat(found: Finding, spot: Spot, sites: Sites, _: list[Spot]) -> _Asked | None:
    return _Asked("repeat", sites.element(spot, found.place.element or 0))  # type: ignore[union-attr]


def _moved(found: Finding, spot: Spot, sites: Sites, _: list[Spot]) -> _Asked | None:  # noqa: ARG001  as all lifts
    """A segment at another place than the guide's: a second place for it, behind what it followed."""
    assert sites.guide is not None
    item = _item_of(sites, spot)
    line = line_of(item) if item is not None else f"{spot.segment.tag} *"
    return _placed(spot, sites, line)


def _unknown(found: Finding, spot: Spot, sites: Sites, _: list[Spot]) -> _Asked | None:  # noqa: ARG001  as all lifts
    """A segment that the guide does not have."""
    return _placed(spot, sites, f"{spot.segment.tag} *")


def _placed(spot: Spot, sites: Sites, line: Any) -> _Asked | None:
    assert sites.guide is not None
    if spot.before:
        return _Asked("after", spot.before, line=line)
    if spot.parent:
        # Behind the segment that starts the loop.
        return _Asked("after", f"{spot.parent}/{spot.parent.rpartition('/')[2].partition('*')[0]}", line=line)
    first = next(iter(sites.named(sites.guide.root)), None)
    return _Asked("before", first[0], line=line) if first is not None else None


def _item_of(sites: Sites, spot: Spot) -> Use | LoopUse | None:
    """The guide's place for the spot."""
    assert sites.guide is not None
    item: Use | LoopUse | None = sites.guide.root
    for step in spot.path.split("/"):
        if not isinstance(item, LoopUse):
            return None
        item = next((one for label, one in sites.named(item) if label == step), None)
    return item


def line_of(item: Use | LoopUse) -> Any:
    """A place in the notation of guides: `REF*DP 12`, `{N1 200: [N2 2]}`; optional, because it is a second one."""
    start = item.start if isinstance(item, LoopUse) else item
    times = "*" if item.maximum >= UNLIMITED else str(item.maximum)
    place = start.tag + ("*" + "|".join(sorted(start.qualifiers)) if start.qualifiers else "") + f" {times}"
    if not isinstance(item, LoopUse):
        return place
    return {place: [line_of(one) for one in item.items[1:]]}


_LIFTS: Mapping[str, _Lift] = {
    "edi.element.too_long": _length,
    "edi.element.too_short": _length,
    "edi.element.code": _code,
    "edi.element.missing": _element_missing,
    "edi.element.condition": _notes,
    "edi.element.exclusion": _notes,
    "edi.element.not_used": _not_used,
    "edi.element.too_many_repeats": _element_repeat,
    "edi.segment.missing": _segment_missing,
    "edi.segment.too_many": _repeat,
    "edi.segment.too_many_loops": _repeat,
    "edi.segment.out_of_sequence": _moved,
    "edi.segment.unexpected": _moved,
    "edi.segment.not_in_set": _unknown,
    "edi.segment.unknown": _unknown,
}
"""What lifts a finding; a rule that is not here is the sender's mistake."""


def remaining(need: Need) -> str | None:
    """The notes of a segment that were never broken; None where none are left."""
    assert isinstance(need.line, SegmentSpec)
    return " ".join(str(note) for note in need.line.notes if str(note) not in need.codes) or None


def rung(length: int) -> int:
    """The next usual length."""
    return next((one for one in LADDER if one >= length), length)
