"""A segment's lens: which elements say which fields, both ways, and what is kept of the rest.

Reading returns False where the segment says nothing that a field can hold; the next rule, or the order of
raw segments, then
takes it. Writing returns None where no field has a value: presence is a rule, so constants alone make no segment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.edi.tree import Element, Segment, simple
from gateway.mapping.memory import element_of, keep, kept_of
from gateway.mapping.pairs import Fields, Narrow, Pairs, Same, Wide, is_wide, read_texts, write_texts
from gateway.mapping.paths import Get, Path, Put, Step, getter, putter
from gateway.mapping.state import Json, ReadState, WriteState

Count = Callable[[Json, int], int]
"""From the document and the number of hierarchy nodes to the count an element states."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Element `index` selects the segment by its value; a single value is also written."""

    index: int
    values: tuple[str, ...]
    companion: int | None = None
    """Written, and required on reading, only together with this other element: `=ZZ with reason`."""


@dataclass(frozen=True, slots=True)
class Lens:
    """One element, component or range of elements, and its field."""

    first: int
    last: int
    component: int
    """From 1; 0 for the whole element."""
    path: Path
    pair: Narrow | Wide
    file: str
    line: int
    key: str
    beside: Path | None = None
    """Where the wire's code is kept when the table would write another."""
    count: Count | None = None
    guard: Constant | None = None
    wide: bool = False
    exact: bool = False
    get: Get = lambda target: None  # noqa: ARG005  set below from `path`
    put: Put = lambda target, value: None  # noqa: ARG005
    get_beside: Get | None = None
    put_beside: Put | None = None

    @staticmethod
    def make(
        *,
        first: int,
        last: int,
        component: int,
        path: Path,
        pair: Narrow | Wide,
        where: tuple[str, int, str],
        beside: Path | None = None,
        count: Count | None = None,
    ) -> Lens:
        """A lens with its accessors compiled."""
        wide = is_wide(pair)
        get, put = (
            _fields(path, pair) if isinstance(pair, Fields) else (getter(path), putter(path) if path else _nowhere)
        )
        return Lens(
            first, last, component, path, pair, *where,
            beside=beside, count=count, wide=wide, exact=not wide and pair.exact,  # type: ignore[union-attr]
            get=get, put=put,
            get_beside=getter(beside) if beside else None, put_beside=putter(beside) if beside else None,
        )  # fmt: skip

    def form(self, texts: list[str]) -> Any:
        """What `texts` mean; None where they mean nothing."""
        return self.pair.read(texts) if self.wide else self.pair.read(texts[0])  # type: ignore[arg-type]


def _nowhere(target: Json, value: Any) -> None:
    raise AssertionError((target, value))


def _fields(path: Path, pair: Fields) -> tuple[Get, Put]:
    """Accessors of several fields at once, named by the pair's table."""
    base = getter(path) if path else None
    words = list(pair.codes.writing)
    getters = [(word, getter(_steps(word))) for word in words]
    putters = {word: putter((*path, *_steps(word))) for word in {*words, *pair.codes.reading.values()}}

    def get(target: Json) -> Any:
        here = base(target) if base else target
        if here is None:
            return None
        found = {word: value for word, read in getters if (value := read(here)) is not None}
        return found or None

    def put(target: Json, value: Any) -> None:
        for word, each in value.items():
            putters[word](target, each)

    return get, put


def _steps(word: str) -> Path:
    return tuple(Step(name) for name in word.split("."))


@dataclass(slots=True)
class SegmentLens:
    """All lenses of one segment rule."""

    tag: str
    label: str
    constants: tuple[Constant, ...]
    lenses: tuple[Lens, ...]
    always: bool = False
    """Written even without a value: it has a count, or `emit: always`."""
    unnamed: tuple[int, ...] = field(default=())
    """Indices below the highest named one that no lens or constant covers."""
    size: int = 0
    selectors: tuple[tuple[int, tuple[str, ...]], ...] = field(default=())
    plain: tuple[tuple[int, Callable[[str], Any] | None, Put, bool, Lens], ...] = field(default=())
    """The lenses on one whole element: index, reader (None for text as it is), setter, exact, lens."""
    others: tuple[Lens, ...] = field(default=())
    guards: tuple[Constant, ...] = field(default=())
    bare_size: int = 0
    """More elements than this say more than the constants."""

    def __post_init__(self) -> None:
        covered = {constant.index for constant in self.constants}
        for lens in self.lenses:
            covered.update(range(lens.first, lens.last + 1))
        self.size = max(covered, default=-1) + 1
        self.unnamed = tuple(index for index in range(self.size) if index not in covered)
        self.selectors = tuple((each.index, each.values) for each in self.constants if each.companion is None)
        simple = [each for each in self.lenses if each.first == each.last and not each.component and not each.wide]
        simple = [each for each in simple if each.guard is None and each.count is None]
        self.plain = tuple(
            (each.first, None if isinstance(each.pair, Same) else each.pair.read, each.put, each.exact, each)  # type: ignore[misc]
            for each in simple
        )
        self.others = tuple(each for each in self.lenses if each not in simple)
        self.bare_size = max((index for index, _ in self.selectors), default=-1) + 1
        self.guards = tuple(each for each in self.constants if each.companion is not None)

    def accepts(self, segment: Segment) -> bool:
        """Whether the constants that select are there."""
        elements = segment.elements
        return all((elements[index] if index < len(elements) else "") in values for index, values in self.selectors)

    def read(self, segment: Segment, target: Json, state: ReadState) -> bool:  # noqa: C901, PLR0912  the hot path
        """Put what the segment says into `target`; False, with nothing done, where it says nothing a field can hold."""
        elements = segment.elements
        count = len(elements)
        said = False
        odd: list[tuple[int, Element | list[Any], bool]] = []  # index, form, whether it was understood
        for index, read, put, exact, lens in self.plain:
            if index >= count or not (text := elements[index]):
                continue
            value = text if read is None else read(text) if isinstance(text, str) else None
            if value is None or (read is None and not isinstance(text, str)):
                odd.append((index, text, False))
                continue
            put(target, value)
            said = True
            if not exact and lens.pair.write(value) != text:  # type: ignore[call-arg]
                if lens.put_beside is not None:
                    lens.put_beside(target, text)
                else:
                    odd.append((index, text, True))
        for lens in self.others:
            if lens.first < count:
                said |= self._read_other(lens, segment, target, state, odd)
        for index in self.unnamed:
            if index >= count:
                break
            if elements[index]:
                odd.append((index, elements[index], False))
        for index in range(self.size, count):
            if elements[index]:
                odd.append((index, elements[index], False))  # noqa: PERF401  almost never taken
        for guard in self.guards:
            if guard.index < count and elements[guard.index] and not _guarded(guard, elements):
                odd.append((guard.index, elements[guard.index], False))  # noqa: PERF401  almost never taken
        if not said and not (self.always and count):
            return False
        for index, form, understood in odd:
            keep(target, self.label, index, form)
            if not understood:
                self._report(segment, index, form, state)
        return True

    def _read_other(
        self, lens: Lens, segment: Segment, target: Json, state: ReadState, odd: list[tuple[int, Any, bool]]
    ) -> bool:
        """A range, a component, a guarded or a counted element."""
        elements = segment.elements
        last = min(lens.last, len(elements) - 1)
        raw = elements[lens.first : last + 1]
        if lens.component:
            return self._read_component(lens, raw[0], target, odd)
        while raw and not raw[-1]:
            raw.pop()
        if not raw:
            return False
        if lens.guard is not None and not _guarded(lens.guard, elements):
            odd.append((lens.first, raw[0], False))
            return False
        value = lens.form(raw) if all(isinstance(each, str) for each in raw) else None  # type: ignore[arg-type]
        if value is None:
            odd.append((lens.first, raw[0] if len(raw) == 1 and not lens.wide else list(raw), False))
            return False
        if lens.count is not None:
            stated = lens.count(target, state.nodes)
            if str(stated) != value:
                state.find("map.read.count", segment, lens.first, wanted=str(stated))
                lens.put(target, value)
            if lens.pair.write(value) != raw[0]:  # type: ignore[call-arg]
                odd.append((lens.first, raw[0], True))
            return True
        lens.put(target, value)
        if not lens.exact and not _faithful(lens, value, raw):
            if lens.put_beside is not None:
                lens.put_beside(target, raw[0])
            else:
                odd.append((lens.first, list(raw) if lens.wide else raw[0], True))
        return True

    @staticmethod
    def _read_component(lens: Lens, raw: Element, target: Json, odd: list[tuple[int, Any, bool]]) -> bool:
        parts = (raw,) if isinstance(raw, str) else simple(raw)
        text = parts[lens.component - 1] if lens.component <= len(parts) else ""
        value = lens.pair.read(text) if text else None  # type: ignore[arg-type]
        if value is not None:
            lens.put(target, value)
            if not lens.exact and lens.pair.write(value) != text and lens.put_beside is not None:  # type: ignore[call-arg]
                lens.put_beside(target, text)
        others = any(part for place, part in enumerate(parts, 1) if place != lens.component)
        if others or (text and (value is None or (lens.put_beside is None and lens.pair.write(value) != text))):  # type: ignore[call-arg]
            odd.append((lens.first, raw, value is not None and not others))
        return value is not None

    def _report(self, segment: Segment, index: int, form: Element | list[Any], state: ReadState) -> None:
        """Unmapped, and a finding where a field was meant and its value not understood."""
        lens = next((each for each in self.lenses if each.first == index and not each.component), None)
        if lens is not None and lens.guard is None and isinstance(form, str):
            table = getattr(lens.pair, "codes", None)
            if table is not None:
                wanted = f"a code of the table {table.name}: {', '.join(list(table.reading)[:12])}"
                state.find("map.read.code", segment, index, wanted=wanted)
            else:
                state.find("map.read.value", segment, index, wanted=f"{lens.pair.makes}, as X12 writes it")
        for place in range(len(form) if isinstance(form, list) else 1):
            if index + place < len(segment.elements) and segment.elements[index + place]:
                state.note_element(segment, index + place)

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> Segment | None:
        """The segment that says what `target` holds; None where it holds nothing for it."""
        kept = kept_of(target, self.label) if "extensions" in target else {}
        elements: list[Element] = []
        said = False
        for lens in self.lenses:
            said |= self._write_one(lens, target, elements, kept, state, (at, root))
        covered = {f"{lens.first + 1:02d}" for lens in self.lenses}
        for key, form in kept.items():
            if key not in covered and key.isascii() and key.isdigit() and 0 < int(key) < 100:  # noqa: PLR2004  two digits
                element = element_of(form)
                if element is not None:
                    _place(elements, int(key) - 1, element)
                    said = True
        if not said and not self.always:
            return None
        for constant in self.constants:
            if constant.companion is None and len(constant.values) == 1:
                _place(elements, constant.index, constant.values[0])
        for lens in self.lenses:
            if lens.guard is not None and lens.get(target) is not None:
                _place(elements, lens.guard.index, lens.guard.values[0])
        while elements and not elements[-1]:
            elements.pop()
        return Segment(self.tag, elements)

    def _write_one(  # noqa: PLR0917  one step of `write`
        self,
        lens: Lens,
        target: Json,
        elements: list[Element],
        kept: dict[str, Any],
        state: WriteState,
        where: tuple[str, Json],
    ) -> bool:
        value = lens.get(target) if lens.path or isinstance(lens.pair, Fields) else None
        stated = None
        if lens.count is not None and value is None:
            stated = str(lens.count(where[1], state.nodes))
        form = kept.get(f"{lens.first + 1:02d}") if kept else None
        if form is not None and self._still_means(lens, form, (value, stated), elements):
            return True
        if value is None and stated is None:
            return False
        own = lens.get_beside(target) if lens.get_beside else None
        if own is not None and lens.pair.read(own) == value:
            texts: list[str] | None = [own]
        else:
            texts = write_texts(lens.pair, value if stated is None else stated, lens.last - lens.first + 1)
        if texts is None:
            path = "/".join(str(step) for step in lens.path)
            table = getattr(lens.pair, "codes", None)
            reason = f"a word of the table {table.name}" if table else f"a value that {lens.key} can hold"
            state.lose(f"{where[0]}/{path}".rstrip("/"), value, reason)
            return False
        if lens.component:
            have = elements[lens.first] if lens.first < len(elements) else ""
            parts = [*((have,) if isinstance(have, str) else simple(have))]
            parts += [""] * (lens.component - len(parts))
            parts[lens.component - 1] = texts[0]
            _place(elements, lens.first, parts[0] if len(parts) == 1 else tuple(parts))
            return True
        for place, text in enumerate(texts):
            _place(elements, lens.first + place, text)
        return True

    def _still_means(self, lens: Lens, form: Any, said: tuple[Any, str | None], elements: list[Element]) -> bool:
        """Put the wire's own form back where it still means what the fields say."""
        value, stated = said
        raws = [element_of(each) for each in (form if lens.wide and isinstance(form, list) else [form])]
        if any(each is None for each in raws):
            return False
        if lens.component:
            first = simple(raws[0] or "")
            parts = (first,) if isinstance(first, str) else first
            text = parts[lens.component - 1] if lens.component <= len(parts) else ""
            meant = lens.pair.read(text) if text else None  # type: ignore[arg-type]
        else:
            texts = [each for each in raws if isinstance(each, str)]
            meant = read_texts(lens.pair, texts) if len(texts) == len(raws) and any(texts) else None
        if lens.guard is not None and value is None:
            meant = None
        if stated is not None:
            meant = None if meant == stated else meant
        if meant != value:
            return False
        for place, each in enumerate(raws):
            _place(elements, lens.first + place, each or "")
        return True


def _guarded(guard: Constant, elements: list[Element]) -> bool:
    """Whether a constant that goes with another element is there, or both are not."""
    own = elements[guard.index] if guard.index < len(elements) else ""
    assert guard.companion is not None
    other = elements[guard.companion] if guard.companion < len(elements) else ""
    return own == guard.values[0] if other else not own


def _faithful(lens: Lens, value: Any, raw: list[Element]) -> bool:
    """Whether writing `value` gives `raw`."""
    if isinstance(lens.pair, Pairs):  # each code stands in the table or beside its scheme
        return 2 * len(value) == len(raw)
    return write_texts(lens.pair, value, lens.last - lens.first + 1) == raw


def _place(elements: list[Element], index: int, value: Element) -> None:
    while len(elements) <= index:
        elements.append("")
    elements[index] = value
