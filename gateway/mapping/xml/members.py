"""Elements as members and back: what a JSON scope reads and writes, with the order and the lines of the document.

An element is a `Members`: its attributes under `@name`, its text under `#text`, the elements that the map names under
their names; a list where the map has one. Whatever it does not name waits in `others`, in its place.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from gateway.mapping.json.text import Pointer
from gateway.mapping.xml.names import TEXT, Names
from gateway.mapping.xml.text import line_in, parse

OTHERS: Final = "#others"
"""In a written body: elements that no line names, to be put in their place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Other:
    """An element that no line names: its name, the name of the element before it, and itself as text."""

    name: str
    after: str
    text: str


class Members(dict[str, Any]):
    """One element as it was read."""

    def __init__(self, line: int | None) -> None:
        super().__init__()
        self.line = line
        self.others: list[Other] = []

    def fresh(self) -> Members:
        """The same element without what the map names of it."""
        made = Members(self.line)
        made.others = self.others
        return made


@dataclass(slots=True)
class Shape:
    """What a map names of an element."""

    names: Mapping[str, Any]
    """As `JsonScope.names`: None for a line's text or attribute, and for a list."""
    lists: Mapping[Pointer, Shape | None]
    """By their pointer: the shape of an item, None for a list of texts."""
    times: Mapping[Pointer, str]
    """By the pointer of an element with a date: the element beside it with the time; together one moment."""


def read_members(element: etree._Element, shape: Shape, names: Names) -> Members:
    """The members of `element`."""
    return _read(element, shape, shape.names, (), names)


def _read(element: etree._Element, shape: Shape, known: Mapping[str, Any], at: Pointer, names: Names) -> Members:
    made = Members(line_in(element))
    for name, value in element.attrib.items():
        made[names.own(str(name), attribute=True)] = str(value)
    children = list(element)
    text = (element.text or "") + "".join(child.tail or "" for child in element)
    if text.strip() or (text and not children and TEXT in known):
        made[TEXT] = text.strip() if children else text
    before = ""
    second = {(*one[:-1], beside) for one, beside in shape.times.items()}
    for child in children:
        name = names.own(str(child.tag))
        below = known.get(name, ...)
        if below is None and (*at, name) in shape.lists:
            inside = shape.lists[(*at, name)]
            item = _text_of(child) if inside is None else read_members(child, inside, names)
            if item is None:
                made.others.append(_other(child, name, before))
            else:
                made.setdefault(name, []).append(item)
        elif below is None and (*at, name) in second and (text_ := _text_of(child)) is not None:
            made.setdefault(name, []).append(text_)
        elif isinstance(below, dict) and name not in made:
            made[name] = _read(child, shape, below, (*at, name), names)
        else:
            made.others.append(_other(child, name, before))
        before = name
    for date, time in ((one[-1], beside) for one, beside in shape.times.items() if one[:-1] == at):
        _join(made, date, time)
    return made


def _join(made: Members, date: str, time: str) -> None:
    """Date and time as one moment under the date, two elements of text as one list under the first."""
    clock = made.pop(time, None)
    day = made.get(date)
    if isinstance(clock, list):
        made[date] = [*day, *clock] if isinstance(day, list) else clock
    if isinstance(clock, Members) and isinstance(clock.get(TEXT), str):
        if isinstance(day, Members) and isinstance(day.get(TEXT), str):
            day[TEXT] = f"{day[TEXT]}T{clock[TEXT]}"
        else:
            made[f"{time}"] = clock[TEXT]


def _text_of(element: etree._Element) -> str | None:
    """The text of an element that is but text."""
    return (element.text or "") if len(element) == 0 and not element.attrib else None


def _other(element: etree._Element, name: str, after: str) -> Other:
    alone = copy.deepcopy(element)
    alone.tail = None
    etree.cleanup_namespaces(alone)
    text = etree.tostring(alone, encoding="unicode")
    return Other(name=name, after=after, text=text)


def others_of(source: Members, at: Pointer = ()) -> Iterator[tuple[Pointer, Other]]:
    """The elements that no line names, with the pointer of the element they stand in; lists have their own."""
    for each in source.others:
        yield at, each
    for name, inside in source.items():
        if isinstance(inside, Members):
            yield from others_of(inside, (*at, name))


def line_of(source: Any, pointer: Pointer) -> int | None:
    """The line of the innermost element on the way to `pointer`."""
    line: int | None = None
    for step in ("", *pointer):
        if step and isinstance(source, list):
            source = source[int(step)] if step.isdigit() and int(step) < len(source) else None
        elif step:
            source = source.get(step) if isinstance(source, dict) else None
        if isinstance(source, Members):
            line = source.line
    return line


def write_members(tag: str, body: Mapping[str, Any], shape: Shape, names: Names, nsmap: Mapping[str, str]) -> Any:
    """The element `tag` that says `body`, its children in the order of the map's lines."""
    declared: Any = {prefix or None: uri for prefix, uri in nsmap.items()}
    root = etree.Element(names.wire(tag), nsmap=declared)
    _write(root, body, shape, shape.names, (), names)
    return root


def _write(  # noqa: PLR0917  where it stands, what it says, what is known of it
    element: etree._Element, body: Mapping[str, Any], shape: Shape, known: Mapping[str, Any], at: Pointer, names: Names
) -> None:
    places = {name: place for place, name in enumerate(known)}
    for name in sorted(body, key=lambda one: places.get(one, len(places))):
        value = body[name]
        if name == TEXT:
            element.text = value
        elif name.startswith("@"):
            element.set(names.wire(name), value)
        elif name == OTHERS:
            continue
        elif isinstance(value, str):
            etree.SubElement(element, names.wire(name)).text = value
        elif isinstance(value, list):
            inside = shape.lists.get((*at, name))
            for number, each in enumerate(value):
                own = shape.times.get((*at, name), name) if number else name
                child = etree.SubElement(element, names.wire(own))
                if isinstance(each, str):
                    child.text = each
                elif inside is not None:
                    _write(child, each, inside, inside.names, (), names)
        else:
            day, clock = _apart(value, name, at, shape)
            child = etree.SubElement(element, names.wire(name))
            _write(child, day, shape, known.get(name) or {}, (*at, name), names)
            if clock:
                etree.SubElement(element, names.wire(shape.times[*at, name])).text = clock
    for other in body.get(OTHERS, ()):
        _place(element, other, places, names)


def _apart(value: Mapping[str, Any], name: str, at: Pointer, shape: Shape) -> tuple[Mapping[str, Any], str]:
    """The element and, of a moment, the text of the element with the time."""
    text = value.get(TEXT)
    if (*at, name) not in shape.times or not isinstance(text, str) or "T" not in text:
        return value, ""
    day, clock = text.split("T", 1)
    return {**value, TEXT: day}, clock


def _place(element: etree._Element, other: Other, places: Mapping[str, int], names: Names) -> None:
    """Put a kept element behind the last one of the name it stood behind, or where that one would be."""
    made = parse(other.text.encode("utf-8", "replace"))
    if not isinstance(made, etree._Element):  # noqa: SLF001  the class has no other name
        return
    index = 0
    last = places.get(other.after, len(places) if other.after else -1)
    for place, child in enumerate(element):
        name = names.own(str(child.tag))
        if other.after and (name == other.after or places.get(name, len(places)) <= last):
            index = place + 1
    element.insert(index, made)
