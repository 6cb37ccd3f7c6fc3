"""Events of the syntax engine in, a Profile out: identities, habits of the envelope, and each place with its elements.

One message is held at a time, and what is kept grows with the guide, not with the traffic. Findings are handed to
whoever asks, with the spot they stand at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.edi.guide import ElementSpec
from gateway.edi.interchange import GroupStart, InterchangeStart
from gateway.edi.library import Guides
from gateway.edi.tree import Element, Message, Repeats, Segment
from gateway.findings import EdiPlace
from gateway.onboarding.profile import MAX_VALUES, Direction, ElementUse, PlaceUse, Profile, Seen, SetUse
from gateway.onboarding.spots import Sites, Spot

SHOWN = 40
"""Characters of an example value."""
CODE = 3
"""EDIFACT has no type for codes: what is no number and has at most so many characters is one."""
ADDRESSES = frozenset(("26", "116", "156", "3207", "3229", "3251"))
"""Countries, regions and postcodes: codes that tell where somebody is, not how a document is meant."""
MAX_PLACES = 2_000
MAX_ELEMENTS = 200
MAX_SETS = 200
"""Places of a set, elements of a place and kinds of document that are kept: more than any guide has."""
MAX_NUMBERS = 100_000
"""Control numbers that are remembered."""

SetKey = tuple[str, str, str, str, Direction]
"""Standard, type, version, association, direction."""
Watch = Callable[[Message, Sites, list[Spot], SetKey, "Where"], None]
"""Told of every message with its spots."""


@dataclass(frozen=True, slots=True)
class Where:
    """The file and interchange that are being read."""

    file: str
    interchange: str

    def seen(self, message: str, segment: Segment | None = None) -> Seen:
        """A place in it."""
        if segment is None:
            return Seen(file=self.file, interchange=self.interchange, message=message)
        return Seen(
            file=self.file,
            interchange=self.interchange,
            message=message,
            segment=segment.position,
            tag=segment.tag,
            offset=segment.offset,
        )

    def of(self, place: EdiPlace) -> Seen:
        """The place of a finding."""
        return Seen(
            file=self.file,
            interchange=place.interchange or self.interchange,
            message=place.message or "",
            segment=place.segment or 0,
            tag=place.tag or "",
            offset=place.offset or 0,
        )


@dataclass(slots=True)
class _Element:
    label: str
    code: bool
    example: str
    at: Seen
    count: int = 0
    shortest: int = 1 << 30
    longest: int = 0
    values: dict[str, int] = field(default_factory=dict)

    def take(self, value: str, length: int) -> None:
        self.count += 1
        self.shortest, self.longest = min(self.shortest, length), max(self.longest, length)
        if self.code and (value in self.values or len(self.values) <= MAX_VALUES):
            self.values[value] = self.values.get(value, 0) + 1


@dataclass(slots=True)
class _Place:
    tag: str
    loop: bool
    at: Seen
    count: int = 0
    within: int = 0
    most: int = 0
    elements: dict[str, _Element] = field(default_factory=dict)


@dataclass(slots=True)
class _Set:
    guide: str
    at: Seen
    documents: int = 0
    places: dict[str, _Place] = field(default_factory=dict)


class Observer:
    """Counts what it is shown. `partner` is qualifier and id; interchanges of neither side are passed over."""

    def __init__(self, partner: tuple[str, str], guides: Guides, watch: Watch | None = None) -> None:
        self.partner = partner
        self.guides = guides
        self.watch = watch
        self.files = 0
        self.interchanges = 0
        self.passed = 0
        """Interchanges of others."""
        self.habits: dict[str, Counter[str]] = {}
        self._sets: dict[SetKey, _Set] = {}
        self._sites: dict[str, Sites] = {}
        self._numbers: set[str] = set()
        self._where = Where("", "")
        self._direction: Direction | None = None

    def file(self, name: str) -> None:
        """A file begins."""
        self.files += 1
        self._where, self._direction = Where(name, ""), None

    def habit(self, name: str, value: object) -> None:
        """One more observation of a fact, of what the partner sends."""
        if self._direction != "send":
            values = self.habits.setdefault(name, Counter())
            if str(value) in values or len(values) < MAX_VALUES:
                values[str(value)] += 1

    def interchange(self, start: InterchangeStart) -> bool:
        """An interchange begins; False where it is none of the partner's."""
        self._where = Where(self._where.file, start.control_number)
        sender = (start.sender_qualifier, start.sender)
        receiver = (start.receiver_qualifier, start.receiver)
        self._direction = "receive" if sender == self.partner else "send" if receiver == self.partner else None
        if self._direction is None:
            self.passed += 1
            return False
        self.interchanges += 1
        if self._direction == "send":
            return True
        chars = start.delimiters
        facts: Mapping[str, object] = {
            "standard": start.standard,
            "sender": "/".join(sender),
            "receiver": "/".join(receiver),
            "syntax": start.version,
            "test": "yes" if start.test else "no",
            "acknowledgment_requested": "yes" if start.ack_requested else "no",
            "element_separator": chars.element,
            "component_separator": chars.component,
            "segment_terminator": chars.segment,
            "repetition_separator": chars.repetition or "none",
            "decimal_mark": chars.decimal,
        }
        for name, value in facts.items():
            self.habit(name, value)
        number = start.control_number
        self.habit("control_number", "repeated" if number in self._numbers else "new")
        self.habit("control_number_length", len(number))
        if len(self._numbers) < MAX_NUMBERS:
            self._numbers.add(number)
        return True

    def group(self, start: GroupStart) -> None:
        """A group begins."""
        if self._direction is not None and start.version:
            self.habit("group_sender", start.sender)
            self.habit("group_receiver", start.receiver)
            self.habit("group_version", start.version)
            self.habit("functional_id", start.functional_id)

    def message(self, message: Message) -> None:
        """A message."""
        if self._direction is None:
            return
        guide = self.guides.find(message.version, message.type)
        key: SetKey = (message.standard, message.type, message.version, message.association, self._direction)
        name = guide.name if guide is not None else ""
        sites = self._sites.get(name)
        if sites is None or sites.guide is not guide:
            sites = self._sites[name] = Sites(guide)
        own = self._sets.get(key)
        if own is None and len(self._sets) >= MAX_SETS:
            return
        if own is None:
            own = self._sets[key] = _Set(name, self._where.seen(message.control_number))
        own.documents += 1
        spots = list(sites.spots(message.root))
        self._count(own, spots, message.control_number)
        if self.watch is not None:
            self.watch(message, sites, spots, key, self._where)

    def _count(self, own: _Set, spots: list[Spot], number: str) -> None:
        inside: Counter[tuple[int, str]] = Counter()
        for spot in spots:
            place = own.places.get(spot.path)
            if place is None and len(own.places) >= MAX_PLACES:
                continue
            if place is None:
                at = self._where.seen(number, spot.segment)
                place = own.places[spot.path] = _Place(spot.segment.tag, spot.starts, at)
            place.count += 1
            here = (spot.instance, spot.path)
            inside[here] += 1
            place.within += inside[here] == 1
            place.most = max(place.most, inside[here])
            seen: Seen | None = None
            for name, spec, value in elements_of(spot):
                element = place.elements.get(name)
                if element is None and len(place.elements) >= MAX_ELEMENTS:
                    break
                if element is None:
                    code = spec is not None and is_code(spec)
                    label = spec.label if spec is not None else ""
                    seen = seen or self._where.seen(number, spot.segment)
                    element = place.elements[name] = _Element(label, code, value[:SHOWN], seen)
                element.take(value, length_of(spec, value))

    def profile(self) -> Profile:
        """What was seen so far."""
        return Profile(
            partner="/".join(self.partner),
            files=self.files,
            interchanges=self.interchanges,
            habits={name: dict(values.most_common(MAX_VALUES)) for name, values in sorted(self.habits.items())},
            sets=tuple(
                SetUse(
                    standard=key[0],
                    type=key[1],
                    version=key[2],
                    association=key[3],
                    direction=key[4],
                    guide=one.guide,
                    documents=one.documents,
                    places={path: _place(place) for path, place in one.places.items()},
                    at=one.at,
                )
                for key, one in sorted(self._sets.items())
            ),
        )


def elements_of(spot: Spot) -> Iterator[tuple[str, ElementSpec | None, str]]:
    """Every value of a segment with its name (`02`, `02.1`) and what the guide says of it; repeats one by one."""
    specs = spot.spec.elements if spot.spec is not None else ()
    for number, element in enumerate(spot.segment.elements, 1):
        spec = specs[number - 1] if number <= len(specs) else None
        for one in element.values if isinstance(element, Repeats) else (element,):
            yield from _components(f"{number:02d}", spec, one)


def _components(name: str, spec: ElementSpec | None, element: Element) -> Iterator[tuple[str, ElementSpec | None, str]]:
    parts = spec.components if spec is not None else ()
    if isinstance(element, str) and not parts:
        if element:
            yield name, spec, element
        return
    texts = (element,) if isinstance(element, str) else element
    assert not isinstance(texts, Repeats)
    for number, text in enumerate(texts, 1):
        if text:
            yield f"{name}.{number}", parts[number - 1] if number <= len(parts) else None, text


def is_code(spec: ElementSpec) -> bool:
    """Whether the values of an element are codes that say how the document is meant."""
    if spec.number in ADDRESSES:
        return False
    return spec.codes is not None or spec.type == "ID" or (spec.type in {"an", "a"} and spec.maximum <= CODE)


def length_of(spec: ElementSpec | None, value: str) -> int:
    """The length as guides count it: of a number its digits."""
    if spec is not None and spec.type in {"R", "B", "n", "N0", "N1", "N2", "N3", "N4", "N5", "N6"}:
        return sum(one.isdigit() for one in value)
    return len(value)


def _place(place: _Place) -> PlaceUse:
    elements = {
        name: ElementUse(
            label=one.label,
            count=one.count,
            shortest=one.shortest,
            longest=one.longest,
            code=one.code and len(one.values) <= MAX_VALUES,
            values=dict(sorted(one.values.items(), key=lambda item: -item[1]))
            if one.code and len(one.values) <= MAX_VALUES
            else {},
            example=one.example,
            at=one.at,
        )
        for name, one in sorted(place.elements.items())
    }
    return PlaceUse(
        tag=place.tag,
        loop=place.loop,
        count=place.count,
        within=place.within,
        most=place.most,
        elements=elements,
        at=place.at,
    )
