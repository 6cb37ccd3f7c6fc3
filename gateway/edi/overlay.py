"""One delta applied to one guide: own segments and places, qualifiers taken apart, usage, repeats, lengths, codes.

Everything wrong is reported at its line and the rest goes on, so that all mistakes of a file come at once. A segment
definition that several places share and that changes the same way in all of them stays one object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

from gateway.edi.delta_file import Delta, OwnSegment, Report
from gateway.edi.guide import UNLIMITED, ElementSpec, Guide, LoopUse, SegmentSpec
from gateway.edi.library import elements_of, items_of, notes_of
from gateway.edi.places import NoPlace, Place, find, holding, open_twin, thaw, thaw_root
from gateway.edi.specs import Edits
from gateway.errors import OurFault
from gateway.findings import Severity
from gateway.yamltext import near_miss

_ELEMENT = re.compile(r"(?:(?P<place>.+)/)?(?P<tag>[A-Z][A-Z0-9]{1,2})(?P<element>\d\d)(?:\.(?P<component>\d{1,2}))?")
_GROUP = re.compile(r"(?:.+/)?SG\d{1,3}")
_LENGTHS = re.compile(r"(?:(?P<low>\d{1,6})/|(?P<upto>\.\.))?(?P<high>\d{1,6})")
_TAG = re.compile(r"[A-Z][A-Z0-9]{1,2}")
_CODE = re.compile(r"[A-Za-z0-9]{1,80}")
_SERVICE = frozenset(("ISA", "IEA", "GS", "GE", "ST", "SE", "TA1", "UNA", "UNB", "UNZ", "UNG", "UNE", "UNH", "UNT"))
_DATES = {(6, 6), (8, 8)}
_NOTATION = "write it as docs/edi.md shows"
MAX_ELEMENTS = 99
USAGE = ("required", "optional", "forbidden")


@dataclass(frozen=True, slots=True)
class _Key:
    """A place or element as a delta names it, and where in the file."""

    text: str
    section: str
    at: str | int
    """The key, or the index in a list."""
    place: str
    tag: str = ""
    element: int = 0
    component: int = 0

    @property
    def path(self) -> tuple[str | int, ...]:
        return (self.section, self.at)

    @property
    def depth(self) -> tuple[int, str]:
        # What is said of an element everywhere gives way to what is said of it at one place.
        return (self.place.count("/") + 1 if self.place else 0, self.place)


def _key(text: str, section: str, at: str | int) -> _Key:
    found = None if _GROUP.fullmatch(text) else _ELEMENT.fullmatch(text)
    if found is None:
        return _Key(text, section, at, text)
    numbers = int(found["element"]), int(found["component"] or 0)
    return _Key(text, section, at, found["place"] or "", found["tag"], *numbers)


def _list(read: Callable[..., Iterable[Any]], *arguments: object) -> list[Any]:
    return list(read(*arguments))


class Overlay:
    """Applies a delta; `known` are the segments that places may name, the delta's own among them afterwards."""

    def __init__(self, base: Guide, delta: Delta, report: Report, known: Mapping[str, SegmentSpec]) -> None:
        self._base = base
        self._delta = delta
        self._report = report
        self.known = dict(known)
        self._root = thaw_root(base)
        self._edits = Edits(self.known)

    def apply(self) -> Guide:
        """The guide with the delta; of no use when something was reported as wrong."""
        for tag, own in self._delta.segments.items():
            self._define(tag, own)
        for section in ("before", "after"):
            for path, lines in getattr(self._delta, section).items():
                self._insert(section, path, lines)
        keys = [_key(text, section, index) for section in USAGE for index, text in enumerate(self._named(section))]
        keys += [
            _key(text, section, text)
            for section in ("lengths", "repeat", "codes", "notes")
            for text in self._named(section)
        ]
        self._contradictions(keys)
        # First every qualifier gets its place, so that no line depends on the order of the others.
        keys = [key for key in keys if not key.place or self._place(key) is not None]
        for section in ("lengths", "repeat", "codes", "notes", *USAGE):
            same = sorted((key for key in keys if key.section == section), key=lambda key: key.depth)
            for key in reversed(same) if section == "forbidden" else same:
                getattr(self, f"_{section}")(key)
        root = self._root.frozen()
        assert isinstance(root, LoopUse)
        return replace(self._base, root=root, label=self._delta.title or self._base.label)

    def _named(self, section: str) -> Iterable[str]:
        named: Iterable[str] = getattr(self._delta, section)
        return named

    # ---- own segments and places

    def _define(self, tag: str, own: OwnSegment) -> None:
        path = ("segments", tag)
        if not _TAG.fullmatch(tag) or tag in _SERVICE:
            wanted = "a tag of two or three capitals and digits that is no service segment"
            self._report.add("guide.segment", path, said=tag, wanted=wanted, fix="give it another tag")
            return
        composites = {
            one.number: one.components for spec in self.known.values() for one in spec.elements if one.components
        }
        elements: list[ElementSpec] = []
        whole = True
        for index, line in enumerate(own.elements):
            work = partial(self._own_elements, line, composites, tag)
            read = self._read(work, (*path, "elements", index), line)
            whole = whole and read is not None
            elements += read or ()
        notes = self._read(partial(_list, notes_of, own.notes, tag), (*path, "notes"), own.notes)
        if not whole or notes is None:
            return
        if len(elements) > MAX_ELEMENTS or any(number > len(elements) for note in notes for number in note.elements):
            said, wanted = f"{len(elements)} elements", f"at most {MAX_ELEMENTS}, and each that a note names"
            self._report.add("guide.segment", path, said=said, wanted=wanted, fix=_NOTATION)
            return
        self.known[tag] = spec = SegmentSpec(tag=tag, label=own.label, elements=tuple(elements), notes=tuple(notes))
        for place in holding(self._root, "", tag):
            place.spec = spec

    @staticmethod
    def _own_elements(line: object, composites: Mapping[str, tuple[ElementSpec, ...]], tag: str) -> list[ElementSpec]:
        """An element, or a repeated group of them: one level and at most 99 times, so that a short line stays short."""
        if isinstance(line, dict):
            for times, group in line.items():
                if not re.fullmatch(r"[1-9]\d?x", times) or not all(isinstance(one, str) for one in group):
                    raise ValueError(times)
        return list(islice(elements_of([line], composites, {}, tag), MAX_ELEMENTS + 1))

    def _read(self, work: Callable[[], list[Any]], path: tuple[str | int, ...], line: object) -> list[Any] | None:
        """What a reader of the notation makes of a line; None, with a finding, where it is none."""
        said = (
            line if isinstance(line, str) else " ".join(map(str, line)) if isinstance(line, dict) else "another shape"
        )
        try:
            return work()
        except OurFault as fault:
            said = str(fault).partition("cannot be read: ")[2] or said
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
        tag = re.search(r"\b[A-Z][A-Z0-9]{1,2}\b", said)
        meant = near_miss(tag[0], self.known) if tag and path[0] != "segments" and tag[0] not in self.known else None
        fix = f"write {meant}, or define {tag[0]} under segments" if tag and meant else _NOTATION
        wanted = "M AN 1/20 127 label, or M an..35 1154 label" if path[0] == "segments" else "a known segment: REF M 12"
        self._report.add("guide.segment", path, said=said, wanted=wanted, fix=fix)
        return None

    def _insert(self, section: str, path: str, lines: tuple[Any, ...]) -> None:
        new: list[Place] = []
        for index, line in enumerate(lines):
            read = self._read(partial(_list, items_of, [line], self.known, ""), (section, path, index), line)
            new += map(thaw, read or ())
        above, _, last = path.rpartition("/")
        key = _Key(path, section, path, path)
        if above and section == "after" and (loop := self._quietly(above)) is not None and loop.tag == last:
            # Behind the segment that starts the loop.
            (loop.items if loop.items is not None else []).__setitem__(slice(0, 0), new)
            return
        try:
            siblings, index = find(self._root, path)
        except NoPlace as fault:
            self._nowhere(key, fault)
            return
        at = index + (section == "after")
        siblings[at:at] = new

    def _quietly(self, path: str) -> Place | None:
        try:
            siblings, index = find(self._root, path)
        except NoPlace:
            return None
        return siblings[index]

    # ---- places and elements by their names

    def _contradictions(self, keys: list[_Key]) -> None:
        first: dict[str, _Key] = {}
        for key in keys:
            if key.section in USAGE and first.setdefault(key.text, key) is not key:
                said, wanted = f"{key.text} is {key.section}", f"it once; it is {first[key.text].section} already"
                self._report.add("guide.use", key.path, said=said, wanted=wanted, fix="remove one of the two")

    def _nowhere(self, key: _Key, fault: NoPlace) -> None:
        where = fault.above or f"guide {self._base.name}"
        near = near_miss(fault.step, fault.known)
        # A segment of that name at another place is likelier meant than another segment.
        paths = self._paths(fault.step)
        if key.tag == fault.step:
            element = key.text.rpartition("/")[2]
            paths = list(dict.fromkeys("/".join((*path.split("/")[:-1], element)) for path in paths))
        if paths or near:
            fix = "write " + (" or ".join(paths[:3]) or "/".join(filter(None, (fault.above, near))))
        else:
            fix = f"name what {where} has: {', '.join(fault.known[:12]) or 'nothing is in it'}"
        self._report.add(
            "guide.place", key.path, said=key.text, wanted=f"a place in {where}, not {fault.step}", fix=fix
        )

    def _paths(self, tag: str) -> list[str]:
        found: list[str] = []

        def look(place: Place, above: str) -> None:
            for item in place.items or ():
                path = above + item.label
                if item.tag == tag:
                    found.append(path)
                look(item, path + "/")

        look(self._root, "")
        return found

    def _place(self, key: _Key) -> tuple[list[Place], int] | None:
        try:
            return find(self._root, key.place)
        except NoPlace as fault:
            self._nowhere(key, fault)
            return None

    def _elements(self, key: _Key) -> list[Place]:
        """The places that have the element; none, with a finding, where there is no such element."""
        try:
            places = holding(self._root, key.place, key.tag)
        except NoPlace as fault:
            self._nowhere(key, fault)
            return []
        if not places:
            tags = sorted({place.tag for place in self._root.all() if place.tag})
            meant = near_miss(key.tag, tags)
            fix = f"write {meant}{key.element:02d}" if meant else "name a segment of the guide"
            wanted = f"an element of {self._base.name}"
            self._report.add("guide.place", key.path, said=key.text, wanted=wanted, fix=fix)
            return []
        having = [place for place in places if self._spec(place, key) is not None]
        if not having:
            spec = places[0].spec
            assert spec is not None
            count, what = len(spec.elements), "elements"
            if key.component and 0 < key.element <= count:
                count, what = (
                    len(spec.elements[key.element - 1].components),
                    f"components in {key.text.partition('.')[0]}",
                )
            said = (
                f"{key.tag} has {count or 'no'} {what}"
                if not spec.open
                else f"{key.tag} is open: no elements are known"
            )
            fix = "correct the number, or define the segment under segments"
            self._report.add("guide.place", key.path, said=key.text, wanted=f"an element; {said}", fix=fix)
        return having

    @staticmethod
    def _spec(place: Place, key: _Key) -> ElementSpec | None:
        elements = place.spec.elements if place.spec is not None else ()
        if not 0 < key.element <= len(elements):
            return None
        element = elements[key.element - 1]
        if not key.component:
            return element
        return element.components[key.component - 1] if key.component <= len(element.components) else None

    def _edit(self, key: _Key, **fields: Any) -> None:
        for place in self._elements(key):
            assert place.spec is not None
            place.spec = self._edits.edited(place.spec, key.element, key.component, fields)

    def _wrong(self, key: _Key, rule: str, *, wanted: str, fix: str, said: str = "") -> None:
        self._report.add(rule, key.path, said=said or key.text, wanted=wanted, fix=fix)

    def _no_element(self, key: _Key) -> bool:
        if not key.tag:
            self._wrong(key, f"guide.{key.section}", wanted="an element, such as REF02", fix="name the element")
        return not key.tag

    def _composite(self, key: _Key, places: list[Place]) -> bool:
        """Whether the element is a composite, which has neither codes nor lengths itself."""
        composite = any(spec.components for place in places if (spec := self._spec(place, key)) is not None)
        if composite:
            fix = f"name a component: {key.text}.1"
            self._wrong(key, "guide.use", wanted=f"a component: {key.text} is a composite", fix=fix)
        return composite

    # ---- the sections

    def _lengths(self, key: _Key) -> None:
        text = self._delta.lengths[key.text]
        if self._no_element(key) or self._composite(key, places := self._elements(key)):
            return
        found = _LENGTHS.fullmatch(text)
        high = int(found["high"]) if found else 0
        low = int(found["low"]) if found and found["low"] else 1 if found and found["upto"] else high
        specs = [spec for place in places if (spec := self._spec(place, key)) is not None]
        dates = any(spec.type == "DT" for spec in specs)
        if not 0 < low <= high or (dates and (low, high) not in _DATES):
            wanted = "6 or 8, the lengths of dates" if dates else "1/20, ..20 or 20"
            self._wrong(key, "guide.lengths", said=text, wanted=wanted, fix="correct the lengths")
            return
        wider = next((spec for spec in specs if low < spec.minimum or high > spec.maximum), None)
        if wider is not None:
            said, wanted = f"{key.text} {low}/{high}", f"{wider.minimum}/{wider.maximum}, as in the guide it extends"
            fix = "nothing, if the partner really does so"
            self._report.add(
                "guide.lengths_wider", key.path, said=said, wanted=wanted, fix=fix, severity=Severity.ACCEPT
            )
        self._edit(key, minimum=low, maximum=high)

    def _repeat(self, key: _Key) -> None:
        text = self._delta.repeat[key.text]
        if text != "*" and not re.fullmatch(r"[1-9]\d{0,8}", text):
            self._wrong(key, "guide.repeat", said=text, wanted="a number from 1 on, or *", fix="correct the number")
            return
        maximum = UNLIMITED if text == "*" else int(text)
        if key.tag:
            self._edit(key, repeat=maximum)
        elif (found := self._place(key)) is not None:
            found[0][found[1]].maximum = maximum

    def _notes(self, key: _Key) -> None:
        text = self._delta.notes[key.text] or ""
        if key.tag:
            self._wrong(key, "guide.notes", wanted="the place of a segment, such as PO1/ACK", fix="name the segment")
            return
        found = self._place(key)
        spec = found[0][found[1]].spec if found is not None else None
        if found is None or spec is None:
            return
        try:
            notes = tuple(notes_of(text, spec.tag))
        except OurFault:
            notes = ()
        named = [number for note in notes for number in note.elements]
        if (text and not notes) or any(not 0 < number <= len(spec.elements) for number in named):
            wanted = f"notes such as P0203 of elements up to {len(spec.elements):02d}, or ~"
            self._wrong(key, "guide.notes", said=text, wanted=wanted, fix="correct the notes; ~ asks for none")
            return
        found[0][found[1]].spec = replace(spec, notes=notes)

    def _codes(self, key: _Key) -> None:
        codes = self._delta.codes[key.text]
        if self._no_element(key) or self._composite(key, places := self._elements(key)):
            return
        wrong = [code for code in codes or () if not _CODE.fullmatch(code)]
        for spec in (self._spec(place, key) for place in places):
            if spec is not None:
                wrong += [code for code in codes or () if not spec.minimum <= len(code) <= spec.maximum]
        if wrong or codes == ():
            said = ", ".join(dict.fromkeys(wrong)) or "no codes"
            fix = "correct the codes; ~ opens the list, forbidden: leaves the element out"
            self._wrong(key, "guide.codes", said=said, wanted="codes that fit the element's length", fix=fix)
            return
        self._edit(key, codes=None if codes is None else frozenset(codes))

    def _required(self, key: _Key) -> None:
        self._usage(key, mandatory=True)

    def _optional(self, key: _Key) -> None:
        self._usage(key, mandatory=False)

    def _usage(self, key: _Key, *, mandatory: bool) -> None:
        if key.tag:
            self._edit(key, mandatory=mandatory, used=True)
        elif (found := self._place(key)) is not None:
            found[0][found[1]].mandatory = mandatory

    def _forbidden(self, key: _Key) -> None:
        if key.tag:
            self._edit(key, mandatory=False, used=False)
            return
        found = self._place(key)
        if found is None:
            return
        siblings, index = found
        if (rest := open_twin(siblings, index)) is not None:
            wanted = f"a closed list of codes: {rest.tag} beside it takes any qualifier"
            fix = f"forbid it by codes: {{{key.place}/{rest.tag}01: […]}}, with the codes that may come"
            self._wrong(key, "guide.use", wanted=wanted, fix=fix)
            return
        del siblings[index]
