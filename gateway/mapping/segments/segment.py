"""A segment's lens: which elements say which fields, both ways, and what is kept of the rest.

Law: what was read is put together again as it would be written, and compared; whatever differs is kept in the wire's
form beside the fields, and written back while it still means what they say. Reading returns False where the segment
says nothing that a field can hold; the next rule, or the order of raw segments, then takes it. Writing returns None
where no field has a value: presence is a rule, so constants alone make no segment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.edi.tree import Element, Segment
from gateway.mapping.groups import Pairs
from gateway.mapping.memory import element_of, form_of, keep, kept_of
from gateway.mapping.segments.elements import place, text_at, trimmed
from gateway.mapping.segments.lens import Lens
from gateway.mapping.segments.swift import ODD, reader, selector
from gateway.mapping.segments.swift_write import Writer, writer
from gateway.mapping.segments.words import Spot
from gateway.mapping.state import Json, Lost, ReadState, WriteState
from gateway.mapping.trace import Note

Selectors = tuple[tuple[Spot, tuple[str, ...]], ...]
"""Where a text must be one of these; a single one is also written."""
WARM: Final = 8
"""So many readings pay for a generated one."""
Swift = Callable[[list[Element], Json], bool | None]
"""Reads a segment that says nothing odd; with nothing done False for any other, None for one it does not accept."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Elements that lenses tie together: one, or a range."""

    first: int
    last: int
    lenses: tuple[Lens, ...]
    constants: Selectors
    ignored: frozenset[Spot]
    quiet: frozenset[Spot] = frozenset()

    def raws(self, form: Any) -> list[Element] | None:
        """The elements of a kept form; None where it is none of ours."""
        forms = form if self.last > self.first and isinstance(form, list) else [form]
        found = [each for each in map(element_of, forms) if each is not None]
        return found if len(found) == len(forms) <= self.last - self.first + 1 else None


@dataclass(slots=True)
class SegmentLens:
    """All lenses of one segment rule."""

    tag: str
    label: str
    constants: Selectors
    lenses: tuple[Lens, ...]
    ignored: frozenset[Spot] = frozenset()
    """Components that are neither reported nor kept."""
    quiet: frozenset[Spot] = frozenset()
    """Components that are kept and not reported."""
    always: bool = False
    """Written even without a value: it has a count, or `emit: always`."""
    slots: tuple[Slot, ...] = ()
    size: int = 0
    """Elements from here on no line names."""
    unnamed: tuple[int, ...] = ()
    """Elements before `size` that no line names."""
    bare_size: int = 0
    """More elements than this say more than the constants."""
    selects: Callable[[list[Element]], bool] | None = None
    reads: int = 0
    """How often it was read slowly; a lens that is used gets a swift reader."""
    swift: Swift | None = field(default=None)
    writes: int = 0
    swift_write: Writer | None = field(default=None)

    def __post_init__(self) -> None:
        self.slots = tuple(_slots(self.lenses, self.constants, self.ignored, self.quiet))
        self.size = max((slot.last for slot in self.slots), default=-1) + 1
        covered = {index for slot in self.slots for index in range(slot.first, slot.last + 1)}
        self.unnamed = tuple(index for index in range(self.size) if index not in covered)
        self.selects = selector(self.constants)
        self.bare_size = max((spot.element for spot, _ in self.constants), default=-1) + 1

    def accepts(self, segment: Segment) -> bool:
        """Whether the constants that select are there."""
        return self.selects is None or self.selects(segment.elements)

    def read(self, segment: Segment, target: Json, state: ReadState) -> bool:
        """Put what the segment says into `target`; False, with nothing done, where it says nothing a field can hold."""
        if state.notes is not None:
            return self.read_slowly(segment, target, state)
        if self.swift is not None:
            if self.swift(segment.elements, target):
                return True
        elif self.reads >= WARM:  # threads may count past it
            self.swift = reader(self.lenses, self.constants, self.ignored) or _never
        else:
            self.reads += 1
        return self.read_slowly(segment, target, state)

    def take(self, segment: Segment, target: Json, state: ReadState) -> bool:
        """Read a segment that it accepts; False, with nothing done, for others and where `read` says so."""
        elements = segment.elements
        if self.swift is not None and state.notes is None:
            said = self.swift(elements, target)
            if said:
                return True
            if said is None:
                return False
        if self.selects is not None and not self.selects(elements):
            return False
        return self.read(segment, target, state) if self.swift is None else self.read_slowly(segment, target, state)

    def read_slowly(self, segment: Segment, target: Json, state: ReadState) -> bool:
        """The same for segments of any kind."""
        elements = segment.elements
        odd: list[tuple[int, Any, list[tuple[int, Lens | None]]]] = []  # first, form, what was not understood
        said = False
        for slot in self.slots:
            raw = trimmed(elements[slot.first : slot.last + 1])
            if not raw:
                continue
            here, strange = self._read_slot(slot, raw, segment, target, state)
            said |= here
            if strange is not None:
                form = form_of(raw[0]) if slot.first == slot.last else [form_of(each) for each in raw]
                odd.append((slot.first, form, strange))
        beyond = [index for index in (*self.unnamed, *range(self.size, len(elements))) if index < len(elements)]
        odd += [(index, form_of(elements[index]), [(index, None)]) for index in beyond if elements[index]]
        if not said and not (self.always and elements):
            return False
        for first, form, strange in odd:
            keep(target, state.syntax, self.label, first, form)
            for index, lens in strange:
                if lens is not None:
                    state.find(lens.rule, segment, index, wanted=lens.wanted)
                state.note_element(segment, index)
        return True

    @staticmethod
    def _read_slot(
        slot: Slot, raw: list[Element], segment: Segment, target: Json, state: ReadState
    ) -> tuple[bool, list[tuple[int, Lens | None]] | None]:
        """Whether a field has a value now; and None where writing would give `raw`, else what was not understood."""
        elements = segment.elements
        again: list[Element] = [""] * slot.first
        named: set[Spot] = {*slot.ignored, *slot.quiet}
        failed: dict[int, Lens] = {}
        said = False
        for spot, values in slot.constants:
            if text_at(elements, spot) in values:
                place(again, spot, values[0])
                named.add(spot)
        for spot in slot.ignored:
            place(again, spot, text_at(elements, spot))
        for lens in slot.lenses:
            texts = lens.texts(elements)
            if texts is not None and not texts:
                continue
            if lens.guard is not None and text_at(elements, lens.guard.spot) != lens.guard.value:
                continue
            value = None if texts is None else lens.read(texts)
            if value is None or texts is None:
                if not lens.wide:  # what a pair of several texts does not understand is reported text by text
                    failed[lens.address.first] = lens
                continue
            said = True
            _put(lens, segment, texts, value, target, state)
            written = lens.write(value) or []
            if written != texts and lens.put_beside is not None:
                lens.put_beside(target, texts[0])
                written = texts
            lens.place(again, written)
            if lens.guard is not None:
                place(again, lens.guard.spot, lens.guard.value)
                named.add(lens.guard.spot)
            named.update(lens.address.spots())
        if trimmed(again[slot.first :]) == raw:
            return said, None
        strange = {spot.element for number, each in enumerate(raw, slot.first) for spot in _said(number, each) - named}
        return said, [(index, failed.get(index)) for index in sorted(strange)]

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> Segment | None:
        """The segment that says what `target` holds; None where it holds nothing for it."""
        if "extensions" not in target and not self.always:
            if self.swift_write is not None:
                elements = self.swift_write(target)
                if elements is None:
                    return None
                if elements is not ODD:
                    return Segment(self.tag, elements)
            elif self.writes >= WARM:
                self.swift_write = writer(self.lenses, self.constants) or _always_odd
            else:
                self.writes += 1
        return self.write_slowly(target, state, at, root)

    def write_slowly(self, target: Json, state: WriteState, at: str, root: Json) -> Segment | None:
        """The same for documents of any kind."""
        kept = kept_of(target, state.syntax, self.label) if "extensions" in target else {}
        elements: list[Element] = []
        said = False
        for slot in self.slots:
            form = kept.get(f"{slot.first + 1:02d}") if kept else None
            raw = None if form is None else slot.raws(form)
            if raw is not None and self._still_means(slot, raw, target, state, root):
                _restore(elements, slot.first, raw)
                said = True
                continue
            for lens in slot.lenses:
                said |= self._write_lens(lens, target, elements, state, at, root)
        if kept:
            said |= self._rest(kept, elements)
        if not said and not self.always:
            return None
        for spot, values in self.constants:
            if len(values) == 1 or text_at(elements, spot) not in values:
                place(elements, spot, values[0])
        return Segment(self.tag, trimmed(elements))

    def _rest(self, kept: dict[str, Any], elements: list[Element]) -> bool:
        """Put back the elements that no line names."""
        named = {slot.first for slot in self.slots}
        said = False
        for key, form in kept.items():
            if key.isascii() and key.isdigit() and 0 < int(key) < 100 and int(key) - 1 not in named:  # noqa: PLR2004  two digits
                element = element_of(form)
                if element is not None:
                    _restore(elements, int(key) - 1, [element])
                    said = True
        return said

    @staticmethod
    def _write_lens(  # noqa: PLR0917  one step of `write`
        lens: Lens, target: Json, elements: list[Element], state: WriteState, at: str, root: Json
    ) -> bool:
        value = lens.get(target)
        if value is None and lens.count is not None:
            value = str(lens.count(root, state.nodes))
        if value is None:
            return False
        own = lens.get_beside(target) if lens.get_beside else None
        texts = [own] if isinstance(own, str) and lens.read([own]) == value else lens.write(value)
        if texts is None:
            path = "/".join(str(step) for step in lens.path)
            state.lose(f"{at}/{path}".rstrip("/"), value, lens.reason)
            return False
        if isinstance(lens.pair, Pairs):
            below = "/".join((at, *map(str, lens.path)))
            state.lost += [
                Lost(pointer=f"{below}/{name}", value=str(own)[:200], reason="no line of the map names it")
                for name, own in lens.pair.unsaid(value)
            ]
        if lens.codes is not None and isinstance(value, str) and value in lens.codes.coarse:
            state.coarsen(f"{at}/{'/'.join(map(str, lens.path))}", value, lens.codes.read(texts[0]) or "")
        lens.place(elements, texts)
        if lens.guard is not None:
            place(elements, lens.guard.spot, lens.guard.value)
        return True

    @staticmethod
    def _still_means(slot: Slot, raw: list[Element], target: Json, state: WriteState, root: Json) -> bool:
        """Whether the wire's own form says what the fields say."""
        elements: list[Element] = [*[""] * slot.first, *raw]
        for lens in slot.lenses:
            texts = lens.texts(elements)
            meant = lens.read(texts) if texts else None
            if lens.guard is not None and text_at(elements, lens.guard.spot) not in (lens.guard.value, ""):
                meant = None
            value = lens.get(target)
            if value is None and lens.count is not None:
                value = str(lens.count(root, state.nodes))
            if meant != value:
                return False
        return True


def _put(  # noqa: PLR0917  one step of `read_slowly`
    lens: Lens, segment: Segment, texts: list[str], value: Any, target: Json, state: ReadState
) -> None:
    """Put a value; of a count only one that is not what is counted."""
    if lens.count is None:
        lens.put(target, value)
    elif (stated := str(lens.count(target, state.nodes))) != value:
        state.find("map.read.count", segment, lens.address.first, wanted=stated)
        lens.put(target, value)
    if state.notes is not None:
        state.notes.append(Note(target, lens, segment, texts, value))


def _never(elements: list[Element], target: Json) -> bool:  # noqa: ARG001  a swift reader
    """For lenses that only the slow reader reads."""
    return False


def _always_odd(target: Json) -> Any:  # noqa: ARG001  a swift writer
    """For lenses that only the slow writer writes."""
    return ODD


def _said(index: int, element: Element) -> set[Spot]:
    """The components that say something; of repeats one that no line can name."""
    if isinstance(element, str):
        return {Spot(index)} if element else set()
    if isinstance(element, tuple):
        return {Spot(index, number) for number, part in enumerate(element, 1) if part}
    return {Spot(index, 0)}


def _restore(elements: list[Element], first: int, raw: list[Element]) -> None:
    elements += [""] * (first + len(raw) - len(elements))
    elements[first : first + len(raw)] = raw


def _slots(
    lenses: tuple[Lens, ...], constants: Selectors, ignored: frozenset[Spot], quiet: frozenset[Spot]
) -> list[Slot]:
    """Elements that belong together, in their order."""
    spans = [_span(lens) for lens in lenses]
    spans += [(spot.element, spot.element) for spot, _ in constants]
    spans += [(spot.element, spot.element) for spot in (*ignored, *quiet)]
    joined: list[list[int]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    return [
        Slot(
            first,
            last,
            tuple(lens for lens in lenses if first <= lens.address.first <= last),
            tuple(each for each in constants if first <= each[0].element <= last),
            frozenset(spot for spot in ignored if first <= spot.element <= last),
            frozenset(spot for spot in quiet if first <= spot.element <= last),
        )
        for first, last in joined
    ]


def _span(lens: Lens) -> tuple[int, int]:
    first, last = lens.address.first, lens.address.last
    guard = lens.guard.spot.element if lens.guard else first
    return min(first, guard), max(last, guard)
