"""A map delta as text: codes that the base map's tables do not know, and elements that no line of it names.

What is live in it lets the samples be read whole; what an analyst must decide (the word for a code, the field for an
element) stands in comments beside it, with counts and an example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from gateway.canonical import parse
from gateway.edi.tree import Message
from gateway.mapping.codes import REST, Codes
from gateway.mapping.map import Map
from gateway.onboarding.guide_delta import printable
from gateway.onboarding.map_lines import MapLines
from gateway.onboarding.observe import SHOWN, Where
from gateway.onboarding.profile import Seen
from gateway.onboarding.spots import Spot
from gateway.partners.reference import scalar

At = Callable[[], Seen]
"""A place, made only where it is kept."""
MAX_KEPT = 500
SHORT = 6
"""YYMMDD."""


@dataclass(slots=True)
class UnknownCode:
    """A code that its table does not have."""

    table: str
    code: str
    address: str
    """PO1/ACK01."""
    label: str
    read_as: str
    """What the map makes of it: the code itself, another word, or nothing."""
    at: Seen
    count: int = 0


@dataclass(slots=True)
class Unmapped:
    """An element that no line names."""

    path: str
    """The rule or place it stands at."""
    tag: str
    element: int
    label: str
    example: str
    near: tuple[str, ...]
    ruled: bool
    """The segment has a rule, only this element has no line."""
    at: Seen
    count: int = 0


@dataclass(slots=True)
class Change:
    """A line that must be another one, and is known to be right: a date as YYMMDD."""

    words: str
    said: str
    at: Seen
    count: int = 0


@dataclass(slots=True)
class MapNeeds:
    """What documents have that a map has not."""

    lines: MapLines
    others: tuple[MapLines, ...] = ()
    codes: dict[tuple[str, str], UnknownCode] = field(default_factory=dict)
    changes: dict[tuple[str, str], Change] = field(default_factory=dict)
    """By rule and address."""
    unmapped: dict[tuple[str, int], Unmapped] = field(default_factory=dict)
    refused: dict[str, tuple[int, str, Seen]] = field(default_factory=dict)
    """What the canonical model refuses: rule, how often, the first one's words and place."""
    documents: int = 0
    parties: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """Role, scheme and value of the parties' ids."""
    names: dict[tuple[str, str], int] = field(default_factory=dict)
    """Role and name of the parties."""

    def read(self, own: Map, message: Message, spots: list[Spot], where: Where) -> None:
        """Read one message through the map and note what is missing."""
        self.documents += 1
        reading, number = own.read(message.root), message.control_number
        coded: set[tuple[int, str]] = set()
        by_position = {spot.segment.position: spot for spot in spots}
        for spot in spots:
            for element, table, code in self.lines.codes(spot):
                if code not in table.reading:
                    coded.add((spot.segment.position, self._address(spot, element)))
                    self._code(spot, element, table, code, partial(where.seen, number, spot.segment))
        for one in reading.unmapped:
            found = by_position.get(one.place.segment or 0)
            # What a line did not read because of a code is told once, as the code.
            if found is not None and (found.segment.position, self._address(found, one.element)) not in coded:
                at = partial(where.seen, number, found.segment)
                if not self._short(found, one.element, one.value, at):
                    self._unmapped(found, one.element, one.value, at)
        model, errors = parse(own.canonical, reading.document)
        for error in errors:
            count, words, first = self.refused.get(error.rule, (0, error.text, where.seen(number)))
            self.refused[error.rule] = (count + 1, words, first)
        for party in getattr(model, "parties", None) or ():
            if party.name and len(self.names) < MAX_KEPT:
                named = (str(party.role), party.name)
                self.names[named] = self.names.get(named, 0) + 1
            for own_id in party.ids or ():
                key = (str(party.role), str(own_id.scheme), str(own_id.value))
                if key in self.parties or len(self.parties) < MAX_KEPT:
                    self.parties[key] = self.parties.get(key, 0) + 1

    def _address(self, spot: Spot, element: int) -> str:
        said = self.lines.said(spot, element)
        return said[1] if said is not None else f"{element:02d}"

    def _code(self, spot: Spot, element: int, table: Codes, code: str, at: At) -> None:
        key = (table.name, code)
        if key not in self.codes:
            if len(self.codes) >= MAX_KEPT:
                return
            address = f"{spot.path}/{spot.segment.tag}{element:02d}"
            self.codes[key] = UnknownCode(
                table.name, code, address, _label(spot, element), table.read(code) or "", at()
            )
        self.codes[key].count += 1

    def _short(self, spot: Spot, element: int, value: str, at: At) -> bool:
        """Whether it is a date as YYMMDD, for which its line needs another pair."""
        said = self.lines.said(spot, element)
        if said is None or len(value) != SHORT or not value.isdigit():
            return False
        path, address, words = said
        field_, _, pair = (part.strip() for part in words.partition("|"))
        if pair not in {"date", "when"}:
            return False
        key = (path, address)
        if key not in self.changes:
            self.changes[key] = Change(f"{field_} | {pair} short", value, at())
        self.changes[key].count += 1
        return True

    def _unmapped(self, spot: Spot, element: int, value: str, at: At) -> None:
        line = self.lines.line(spot)
        path = line.path if line is not None else spot.path
        key = (path, element)
        if key not in self.unmapped:
            if len(self.unmapped) >= MAX_KEPT:
                return
            label = _label(spot, element)
            near = tuple(self.lines.near(spot, element, label, self.others))
            ruled = line is not None
            self.unmapped[key] = Unmapped(path, spot.segment.tag, element, label, value[:SHOWN], near, ruled, at())
        self.unmapped[key].count += 1

    @property
    def anything(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.codes or self.unmapped or self.changes)

    @property
    def closed(self) -> list[str]:
        """Tables that read an unknown code as nothing."""
        found = (one.table for one in self.codes.values() if not one.read_as)
        return list(dict.fromkeys(found))


def _label(spot: Spot, element: int) -> str:
    elements = spot.spec.elements if spot.spec is not None else ()
    return elements[element - 1].label if element <= len(elements) else ""


def text_of(needs: MapNeeds, rest: dict[str, str], *, extends: str, title: str, heading: Iterable[str]) -> str:
    """The file. `rest` says of each closed table what an unknown code is read as: `keep`, or a word."""
    written = (*(f"# {one}" for one in heading), *_text(needs, rest, extends, title))
    return "\n".join(map(printable, written)) + "\n"


def _text(needs: MapNeeds, rest: dict[str, str], extends: str, title: str) -> Iterator[str]:
    yield f"extends: {extends}"
    yield f"title: {scalar(title)}"
    if needs.changes:
        yield ""
        yield "change:"
    for path in dict.fromkeys(own for own, _ in needs.changes):
        yield f"  {scalar(path)}:"
        for (own, address), change in needs.changes.items():
            if own == path:
                yield f"    {address}: {change.words}  # {change.count}x, {change.said}; {change.at}"
    tables = list(dict.fromkeys(one.table for one in needs.codes.values()))
    if tables:
        yield ""
        yield "# Codes that the base map's tables do not have. Take '# ' away and write the word instead of TODO."
        yield "codes:" if any(table in rest for table in tables) else "# codes:"
    for table in tables:
        live = table in rest
        yield f"  {table}:" if live else f"#   {table}:"
        if live:
            word = rest[table]
            yield f"    {REST}: {word if word == 'keep' else f'{{read: {word}}}'}"
        for one in (own for own in needs.codes.values() if own.table == table):
            now = f"now read as {one.read_as}" if one.read_as else "now not read"
            what = f"{one.address}{f', {one.label}' if one.label else ''}"
            mark = "    # " if live else "#     "
            yield f"{mark}{scalar(one.code)}: TODO  # {one.count}x, {what}, {now}; {one.at}"
    ruled = [one for one in needs.unmapped.values() if one.ruled]
    whole = [one for one in needs.unmapped.values() if not one.ruled]
    if ruled or whole:
        yield ""
        yield "# Elements that no line names: kept in the document's extensions and written back. To read them into"
        yield "# fields, take '# ' away and choose the field."
    yield from _changes(ruled)
    yield from _rules(whole)


def _changes(ruled: list[Unmapped]) -> Iterator[str]:
    if ruled:
        yield "# change:"
    for path in dict.fromkeys(one.path for one in ruled):
        yield f"#   {scalar(path)}:"
        for one in (own for own in ruled if own.path == path):
            yield f"#     {one.tag}{one.element:02d}: {_field(one)}"


def _rules(whole: list[Unmapped]) -> Iterator[str]:
    for path in dict.fromkeys(one.path for one in whole):
        mine = [one for one in whole if one.path == path]
        yield f"# {path}: no rule for the segment; a rule under before: or after: could have"
        for one in mine:
            yield f"#     {one.tag}{one.element:02d}: {_field(one)}"


def _field(one: Unmapped) -> str:
    near = one.near[0] if one.near else "TODO"
    more = f"; or {', '.join(one.near[1:])}" if one.near[1:] else ""
    label = f"{one.label}, " if one.label else ""
    return f"{near}  # {one.count}x, {label}such as {one.example}{more}; {one.at}"
