"""Generated functions that write segments of documents without memory of a wire; the other half of `swift`.

Law: a generated writer gives the elements of `SegmentLens.write_slowly`, None where that gives none, or `ODD` where it
must look itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from gateway.edi.tree import Element
from gateway.mapping.groups import Pairs
from gateway.mapping.moments import Date, When
from gateway.mapping.pairs import NUMBER, Coded, Fields, Number, Same
from gateway.mapping.segments.lens import Lens
from gateway.mapping.segments.swift import ODD, Selectors, Source

Writer = Callable[[Any], Any]
"""From the object to the elements, None or `ODD`."""


def writer(lenses: tuple[Lens, ...], constants: Selectors) -> Writer | None:
    """A swift writer; None where a lens is of a kind that only the slow one writes."""
    if not lenses or any(lens.guard is not None or lens.count is not None for lens in lenses):
        return None
    if any(len(values) > 1 for _, values in constants):
        return None
    source = Source()
    source.constants["odd"] = ODD
    values: list[str] = []
    objects: dict[tuple[str, ...], str] = {}
    for number, lens in enumerate(lenses):
        _value(source, number, lens, objects)
        _texts(source, number, lens)
        values.append(f"v{number} is None")
    source.add("if " + " and ".join(values) + ": return None")
    if not _elements(source, lenses, constants):
        return None
    source.add("while e and not e[-1]: e.pop()")
    source.add("return e")
    return source.function("t", "odd")  # type: ignore[no-any-return]


def _value(source: Source, number: int, lens: Lens, objects: dict[tuple[str, ...], str]) -> None:
    """The field's value as v{number}; `objects` are the names of the objects on the way that are there already."""
    path = lens.path
    if not path or isinstance(lens.pair, Fields) or any(step.key for step in path):
        source.add(f"v{number} = {source.constant(lens.get)}(t)")
        return
    here = "t"
    for size in range(1, len(path)):
        way = tuple(step.name for step in path[:size])
        if way not in objects:
            objects[way] = f"o{len(objects)}"
            source.add(f"{objects[way]} = {_got(here, way[-1])}")
        here = objects[way]
    source.add(f"v{number} = {_got(here, path[-1].name)}")


def _got(here: str, name: str) -> str:
    return f"t.get({name!r})" if here == "t" else f"None if {here} is None else {here}.get({name!r})"


def _texts(source: Source, number: int, lens: Lens) -> None:
    """The text, or the texts of a wide pair, as x{number}."""
    value, pair = f"v{number}", lens.pair
    if lens.wide:
        special = None if lens.address.start else {Pairs: _pairs, When: _when, Fields: _fields}.get(type(pair))
        made = source.constant(special(lens) if special else _wide(lens))
        source.add(f"x{number} = [] if {value} is None else {made}({value})")
        source.add(f"if x{number} is None: return odd")
        return
    source.add(f"if {value} is None: x{number} = ''")
    source.add("else:")
    if isinstance(pair, Same):
        source.add(f"if {value}.__class__ is not str or not {value}: return odd", 3)
        source.add(f"x{number} = {value}", 3)
    elif isinstance(pair, Number):
        plain = f"({value}.isascii() and {value}.isdigit() and {value}[0] != '0' and len({value}) < 20)"
        source.add(f"if not ({plain} or {source.constant(NUMBER.match)}({value})): return odd", 3)
        source.add(f"x{number} = {value}", 3)
    elif isinstance(pair, Coded) and lens.get_beside is not None:
        own = f"{source.constant(lens.get_beside)}(t)"
        source.add(f"x{number} = {source.constant(_beside(pair))}({value}, {own})", 3)
        source.add(f"if not x{number}: return odd", 3)
    else:
        known = _write_date if isinstance(pair, Date) else pair.write
        if isinstance(pair, Coded) and pair.codes.coarse:
            source.add(f"if {value} in {source.constant(pair.codes.coarse)}: return odd", 3)
        source.add(f"x{number} = {source.constant(known)}({value})", 3)
        source.add(f"if not x{number}: return odd", 3)


def _elements(source: Source, lenses: tuple[Lens, ...], constants: Selectors) -> bool:
    """Lines that put the elements together as e; False where ranges and composites meet in a way of their own."""
    at: dict[int, dict[int, str]] = {}
    ranges: dict[int, tuple[int, str]] = {}
    for number, lens in enumerate(lenses):
        address = lens.address
        if address.last > address.first:
            if address.start:
                return False
            ranges[address.first] = (address.last, f"x{number}")
        elif lens.wide:
            if not address.start:
                at.setdefault(address.first, {})[1] = f"(x{number}[0] if x{number} else '')"
                continue
            for place, spot in enumerate(address.spots()):
                at.setdefault(spot.element, {})[spot.component] = (
                    f"(x{number}[{place}] if len(x{number}) > {place} else '')"
                )
        else:
            at.setdefault(address.first, {})[address.start or 1] = f"x{number}"
    for spot, values in constants:
        at.setdefault(spot.element, {})[spot.component] = repr(values[0])
    inside = {index for first, (last, _) in ranges.items() for index in range(first, last + 1)}
    if inside.intersection(at):
        return False
    source.constants["composite"] = composite
    source.add("e = []")
    size = max([*at, *(last for last, _ in ranges.values())]) + 1
    index = 0
    while index < size:
        if index in ranges:
            last, name = ranges[index]
            source.add(f"e += {name}")
            if last + 1 < size:
                source.add(f"e += [''] * ({last + 1} - len(e))")
            index = last + 1
            continue
        run = []
        while index < size and index not in ranges:
            run.append(_element(at.get(index, {})))
            index += 1
        source.add(f"e += [{', '.join(run)}]")
    return True


def _element(parts: dict[int, str]) -> str:
    """The expression of one element."""
    if list(parts) == [1]:
        return parts[1]
    inside = ", ".join(parts.get(each, "''") for each in range(1, max(parts, default=0) + 1))
    return f"composite([{inside}])" if parts else "''"


def composite(parts: list[str]) -> Element:
    """The element of these components."""
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts) if len(parts) > 1 else parts[0] if parts else ""


def _beside(pair: Coded) -> Callable[[Any, Any], str | None]:
    def write(value: Any, own: Any) -> str | None:
        if value in pair.codes.coarse:
            return None
        return own if own is not None and pair.read(own) == value else pair.write(value)

    return write


@functools.lru_cache(maxsize=4096)
def _write_date(value: str) -> str | None:
    return Date().write(value)


def _wide(lens: Lens) -> Callable[[Any], list[str] | None]:
    return lens.write


def _when(lens: Lens) -> Callable[[Any], list[str] | None]:
    def write(value: Any) -> list[str] | None:
        if len(value) == 2 and value["precision"] == "day":  # noqa: PLR2004  value and precision, no zone
            text = _write_date(value["value"])
            return None if text is None else [text]
        return lens.write(value)

    return write


def _fields(lens: Lens) -> Callable[[Any], list[str] | None]:
    """Groups of plain texts or of days alone; anything else is the lens's own work."""
    pair = lens.pair
    assert isinstance(pair, Fields)
    if not isinstance(pair.inner, (Same, When)):
        return lens.write
    days, padding = isinstance(pair.inner, When), [""] * (pair.size - 2)
    width, writing = lens.address.width, pair.codes.writing

    def write(value: Any) -> list[str] | None:
        texts: list[str] = []
        for field, code in writing.items() if len(value) > 1 else [(each, writing[each]) for each in value]:
            each = value.get(field)
            if each is None:
                continue
            if days:
                if len(each) != 2 or each["precision"] != "day":  # noqa: PLR2004  value and precision, no zone
                    return lens.write(value)
                each = _write_date(each["value"])
            if not each or each.__class__ is not str:
                return lens.write(value)
            texts += (code, each, *padding)
        while texts and not texts[-1]:
            texts.pop()
        return texts if len(texts) <= width else None

    return write


def _pairs(lens: Lens) -> Callable[[Any], list[str] | None]:
    assert isinstance(lens.pair, Pairs)
    writing, width = lens.pair.codes.writing, lens.address.width

    def write(value: Any) -> list[str] | None:
        texts: list[str] = []
        for each in value:
            code = writing.get(each["scheme"])
            if code is None or len(each) != 2 or not each["value"]:  # noqa: PLR2004  scheme and value, no code of their own
                return None
            texts += (code, each["value"])
        return texts if len(texts) <= width else None

    return write
