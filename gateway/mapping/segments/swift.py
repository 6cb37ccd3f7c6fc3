"""Generated functions for segments that say nothing odd: a segment's lenses as straight lines of Python.

Law: a generated reader gives what `SegmentLens.read_slowly` gives, or False with nothing done. A test holds it on every
shipped map. Only numbers, `repr` of names the compiler has checked and names of this module's own stand in the
generated text; everything of a map is a constant beside it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.edi.tree import Element
from gateway.mapping.codes import Codes
from gateway.mapping.groups import Pairs
from gateway.mapping.moments import Date, When, read_date
from gateway.mapping.pairs import NUMBER, Checked, Coded, Fields, Implied, Number, Same
from gateway.mapping.segments.elements import text_at
from gateway.mapping.segments.lens import Lens
from gateway.mapping.segments.words import Spot

ODD: Any = object()
"""What a wide pair gives for texts that the slow reader must look at."""
Selectors = tuple[tuple[Spot, tuple[str, ...]], ...]


@dataclass(slots=True)
class Source:
    """The lines of a generated function and the constants they name."""

    lines: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)

    def add(self, line: str, depth: int = 2) -> None:
        """A line inside the function's `try`."""
        self.lines.append("    " * depth + line)

    def constant(self, value: Any) -> str:
        """The name under which `value` is known in the generated text."""
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def function(self, head: str, odd: str) -> Any:
        """The function itself; whatever a strange shape raises is odd."""
        text = "\n".join(
            [
                f"def made({head}):",
                "    try:",
                *self.lines,
                "    except (AttributeError, TypeError):",
                f"        return {odd}",
            ]
        )
        names: dict[str, Any] = dict(self.constants)
        exec(compile(text, "<segment lens>", "exec"), names)  # noqa: S102  see the law above
        return names["made"]


def reader(
    lenses: tuple[Lens, ...], constants: Selectors, ignored: frozenset[Spot]
) -> Callable[[list[Element], Any], bool | None] | None:
    """A swift reader; None where a lens is of a kind that only the slow one reads.

    Lenses with a guard are left out: a segment that says something there is odd.
    """
    guarded = {spot for lens in lenses if lens.guard for spot in (lens.guard.spot, *lens.address.spots())}
    lenses = tuple(lens for lens in lenses if lens.guard is None)
    if not lenses or any(lens.count is not None for lens in lenses):
        return None
    source = Source()
    named = {spot for lens in lenses for spot in lens.address.spots()} | {spot for spot, _ in constants} | ignored
    ranges = {
        index
        for lens in lenses
        if lens.address.last > lens.address.first
        for index in range(lens.address.first, lens.address.last + 1)
    }
    said = {spot for lens in lenses for spot in lens.address.spots()}
    if any(spot.element in ranges and spot not in said for spot, _ in constants):
        return None
    if any(spot.element in ranges for spot in ignored) or guarded & named:
        return None
    size = max(spot.element for spot in named) + 1
    source.add("n = len(e)")
    source.add(f"if n > {size}: return False")
    for index in range(size):
        if index in ranges:
            for texts in (texts for spot, texts in constants if spot.element == index):
                source.add(f"c = e[{index}] if n > {index} else ''")
                source.add("if c.__class__ is not str: return False")
                source.add(f"if c not in {source.constant(frozenset(texts))}: return None")
            continue
        spots = sorted(spot.component for spot in named if spot.element == index)
        if not spots:
            source.add(f"if n > {index} and e[{index}]: return False")
        else:
            _element(source, index, spots)
            for spot, texts in constants:
                if spot.element == index:
                    source.add(f"if e{index}_{spot.component} not in {source.constant(frozenset(texts))}: return None")
    for spot, texts in constants:
        if len(texts) > 1 and spot not in said:  # another than the first is kept
            source.add(f"if e{spot.element}_{spot.component} != {texts[0]!r}: return False")
    values = [_read(source, number, lens) for number, lens in enumerate(lenses)]
    source.add("if " + " and ".join(f"{value} is None" for value in values) + ": return False")
    _put(source, lenses)
    source.add("return True")
    made: Callable[[list[Element], Any], bool | None] = source.function("e, t", "False")
    return made


def _element(source: Source, index: int, spots: list[int]) -> None:
    """The texts of an element as e{index}_{component}; odd where it says more than the lenses name."""
    source.add(f"c = e[{index}] if n > {index} else ''")
    source.add("if c.__class__ is str:")
    if 1 in spots:
        source.add(f"e{index}_1 = c", 3)
    else:
        source.add("if c: return False", 3)
    rest = [spot for spot in spots if spot > 1]
    for spot in rest:
        source.add(f"e{index}_{spot} = ''", 3)
    source.add("else:")
    if not rest:
        source.add("return False", 3)
        return
    source.add("m = len(c)", 3)
    source.add(f"if m > {rest[-1]}: return False", 3)
    for component in range(1, rest[-1] + 1):
        if component in spots:
            source.add(f"e{index}_{component} = c[{component - 1}] if m >= {component} else ''", 3)
        else:
            source.add(f"if m >= {component} and c[{component - 1}]: return False", 3)


def _read(source: Source, number: int, lens: Lens) -> str:
    """Lines that make the value of one lens; its name. None stands for what is absent."""
    name, address, pair = f"x{number}", lens.address, lens.pair
    if address.last > address.first:
        special = None if address.start else {Pairs: _pairs, When: _when, Fields: _fields}.get(type(pair))
        read = (special or _range)(lens)
        source.add(f"{name} = {source.constant(read)}(e, n)")
        source.add(f"if {name} is odd: return False")
        source.constants["odd"] = ODD
        return name
    if lens.wide:
        texts = ", ".join(f"e{spot.element}_{spot.component}" for spot in address.spots())
        source.add(f"{name} = {source.constant(_texts(lens))}([{texts}])")
        source.add(f"if {name} is odd: return False")
        source.constants["odd"] = ODD
        return name
    text = f"e{address.first}_{address.start or 1}"
    source.add(f"if {text}:")
    beside = f"b{number}" if lens.put_beside is not None else ""
    if beside:
        source.add(f"{beside} = None", 3)
    if isinstance(pair, Same):
        source.add(f"{name} = {text}", 3)
    elif isinstance(pair, Number):
        plain = f"({text}.isascii() and {text}.isdigit() and {text}[0] != '0' and len({text}) < 20)"
        source.add(f"if not ({plain} or {source.constant(NUMBER.match)}({text})): return False", 3)
        source.add(f"{name} = {text}", 3)
    elif isinstance(pair, Coded):
        exact, code = _exact(pair.codes), source.constant(_other(pair.codes))
        source.add(f"{name} = {source.constant(exact)}.get({text})", 3)
        source.add(f"if {name} is None:", 3)
        source.add(f"{name}, own = {code}({text})", 4)
        source.add(f"if {name} is None: return False", 4)
        source.add(f"if own: {beside} = {text}" if beside else "if own: return False", 4)
    else:
        known = read_known_date if isinstance(pair, Date) else _narrow(pair)
        source.add(f"{name} = {source.constant(known)}({text})", 3)
        source.add(f"if {name} is None: return False", 3)
    source.add(f"else: {name} = {beside + ' = ' if beside else ''}None")
    return name


def read_known_date(text: str) -> str | None:
    """CCYYMMDD to ISO 8601, as `Date` reads it: files name few days. What is no day's length is not remembered."""
    return _known_date(text) if len(text) == 8 else None  # noqa: PLR2004  CCYYMMDD


_known_date = functools.lru_cache(maxsize=4096)(read_date)


def _exact(codes: Codes) -> dict[str, str]:
    """The codes that are written again as they came."""
    return {code: word for code, word in codes.reading.items() if codes.write(word) == code}


def _other(codes: Codes) -> Callable[[str], tuple[str | None, bool]]:
    """Word of any other code, and whether another code would be written for it."""

    @functools.lru_cache(maxsize=256)
    def other(code: str) -> tuple[str | None, bool]:
        word = codes.read(code)
        return word, word is not None and codes.write(word) != code

    return other


def _narrow(pair: Implied | Checked | Any) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = pair.read(text)
        return value if value is not None and (pair.exact or pair.write(value) == text) else None

    return read


def _texts(lens: Lens) -> Callable[[list[str]], Any]:
    def read(texts: list[str]) -> Any:
        while texts and not texts[-1]:
            texts.pop()
        if not texts:
            return None
        value = lens.read(texts)
        return value if value is not None and lens.write(value) == texts else ODD

    return read


def _range(lens: Lens) -> Callable[[list[Element], int], Any]:
    first, read = lens.address.first, _texts(lens)
    start, end = lens.address.start, lens.address.end

    def of(elements: list[Element], count: int) -> Any:
        if count <= first:
            return None
        texts = lens.texts(elements)
        if texts is None:
            return ODD
        for each in elements[first : lens.address.last + 1]:
            if isinstance(each, tuple) and (len(each) > end or any(each[: start - 1])):
                return ODD
        return read(texts)

    return of


def _pairs(lens: Lens) -> Callable[[list[Element], int], Any]:
    assert isinstance(lens.pair, Pairs)
    first, last, exact = lens.address.first, lens.address.last, _exact(lens.pair.codes)

    def of(elements: list[Element], count: int) -> Any:
        if count <= first:
            return None
        stop = min(count, last + 1)
        if (stop - first) % 2:
            return ODD
        found = []
        for place in range(first, stop, 2):
            scheme, value = exact.get(elements[place]), elements[place + 1]  # type: ignore[arg-type]
            if scheme is None or not value or value.__class__ is not str:
                return ODD
            found.append({"scheme": scheme, "value": value})
        return found

    return of


def _when(lens: Lens) -> Callable[[list[Element], int], Any]:
    first, other = lens.address.first, _range(lens)

    def of(elements: list[Element], count: int) -> Any:
        if count != first + 1:
            return other(elements, count)
        text = elements[first]
        day = read_known_date(text) if isinstance(text, str) else None
        return ODD if day is None else {"value": day, "precision": "day"}

    return of


def _fields(lens: Lens) -> Callable[[list[Element], int], Any]:
    """Groups in the table's order, of plain texts or of days alone."""
    pair, other = lens.pair, _range(lens)
    assert isinstance(pair, Fields)
    if not isinstance(pair.inner, (Same, When)):
        return other
    first, last, size, days = lens.address.first, lens.address.last, pair.size, isinstance(pair.inner, When)
    ranks = {code: (rank, word) for rank, (word, code) in enumerate(pair.codes.writing.items())}

    def of(elements: list[Element], count: int) -> Any:
        if count <= first:
            return None
        found: dict[str, Any] = {}
        before = -1
        stop = min(count, last + 1)
        for place in range(first, stop, size):
            rank, word = ranks.get(elements[place], (-1, ""))  # type: ignore[arg-type]
            if rank <= before or place + 1 == stop or any(elements[place + 2 : min(place + size, stop)]):
                return other(elements, count)
            value: Any = elements[place + 1]
            if days:
                day = read_known_date(value)
                value = None if day is None else {"value": day, "precision": "day"}
            if not value or (not days and value.__class__ is not str):
                return other(elements, count)
            before, found[word] = rank, value
        return found

    return of


def selector(constants: Selectors) -> Callable[[list[Element]], bool] | None:
    """Whether the texts that select are there; None where any segment is accepted."""
    if not constants:
        return None
    checks = [(spot, frozenset(texts)) for spot, texts in constants]

    def selects(elements: list[Element]) -> bool:
        count = len(elements)
        for spot, values in checks:
            index, component = spot
            text = elements[index] if index < count else ""
            if text.__class__ is not str or component > 1:
                text = text_at(elements, spot)
            if text not in values:
                return False
        return True

    return selects


def _put(source: Source, lenses: tuple[Lens, ...]) -> None:
    """Lines that put the values; objects on the way are made once."""
    groups: dict[tuple[str, ...], list[tuple[int, str]]] = {}
    for number, lens in enumerate(lenses):
        plain = lens.path and not any(step.key for step in lens.path) and not isinstance(lens.pair, Fields)
        if not plain:
            source.add(f"if x{number} is not None: {source.constant(lens.put)}(t, x{number})")
        else:
            groups.setdefault(tuple(step.name for step in lens.path[:-1]), []).append((number, lens.path[-1].name))
    for way, members in groups.items():
        depth, here = 2, "t"
        if way:
            source.add("if " + " or ".join(f"x{number} is not None" for number, _ in members) + ":")
            depth = 3
            for level, step in enumerate(way):
                source.add(f"o{level} = {here}.get({step!r})", depth)
                source.add(f"if o{level} is None: o{level} = {here}[{step!r}] = {{}}", depth)
                here = f"o{level}"
        for number, name in members:
            source.add(f"if x{number} is not None: {here}[{name!r}] = x{number}", depth)
    for number, lens in enumerate(lenses):
        if lens.put_beside is not None:
            source.add(f"if b{number} is not None: {source.constant(lens.put_beside)}(t, b{number})")
