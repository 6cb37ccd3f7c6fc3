"""The rows of a segment's table: each element with its form, its codes, its field and what we do with it.

Runs of elements that repeat the ones before them, and runs that we do not use, become one row each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.cli.handbook import words
from gateway.cli.handbook.book import Code, CodeList, Direction, ElementRow
from gateway.cli.handbook.uses import Said, Spotted, Taking, said_of
from gateway.edi.guide import ElementSpec, SegmentSpec
from gateway.mapping.codes import UNITS, Codes
from gateway.mapping.groups import Allocations, Ids, Many, Pairs
from gateway.mapping.pairs import Coded, Fields, Number
from gateway.mapping.segments.words import Spot

SHORT = 8
"""Codes that stand in the element's row; longer lists stand in the appendix."""
MOST_FIELDS = 3
MOST_LABELS = 3
WHOLE = ("N", "N0")
"""Types of numbers without a fraction."""
LONGEST_RUN = 5
"""Elements of a group that repeats."""
NODES: Mapping[str, tuple[str, ...]] = {
    "HL": (
        "number of this level: 1, 2, 3 … through the document",
        "number of the level that it belongs to",
        "which level it is",
        "1 where levels stand below it, 0 where none does",
    ),
    "CPS": ("number of this level", "number of the level that it belongs to", "which kind of level it is"),
}
"""Elements that the hierarchy itself is made of."""
LEVEL = 2
"""The index of the element that names the level."""
REC20 = "The meaning is the unit's code in UN/ECE Recommendation 20."
EMPTY = "(empty)"
"""Where a table has a word for an element that says nothing."""
GOES = "Any other code goes to "
UNUSED: Mapping[Direction, str] = {"receive": "not used by us", "send": "not sent by us"}


@dataclass(slots=True)
class Lists:
    """The appendix of code lists of one document; equal lists stand there once."""

    prefix: str
    made: list[CodeList] = field(default_factory=list)

    def placed(self, codes: CodeList) -> CodeList:
        """The list as its element has it: itself where it is short, else the one of the appendix."""
        if len(codes.codes) <= SHORT:
            return codes
        for known in self.made:
            if replace(known, anchor="", name="") == replace(codes, name=""):
                return known
        name = words.human(codes.name or "codes")
        if any(known.name == name for known in self.made):
            name = f"{name} ({sum(known.name.startswith(name) for known in self.made) + 1})"
        own = replace(codes, anchor=f"{self.prefix}-list-{len(self.made) + 1}", name=name)
        self.made.append(own)
        return own


def rows(
    spot: Spotted, spec: SegmentSpec, direction: Direction, lists: Lists, levels: tuple[Code, ...]
) -> tuple[ElementRow, ...]:
    """The table of one segment at one place; `levels` are the codes of a hierarchy's own element."""
    said = said_of(one for one in spot.takings if not one.ignored)
    takings = tuple(one for one in spot.takings if not one.ignored)
    nodes = NODES.get(spec.tag, ()) if spot.hierarchy else ()
    found: list[ElementRow] = []
    for index, element in enumerate(spec.elements):
        name = f"{spec.tag}{index + 1:02d}"
        if not element.components:
            own = _row(name, element, said.get(Spot(index), ()), takings, direction, lists, Spot(index))
            if index < len(nodes):
                listed = (
                    CodeList(codes=levels, closed=True, name="levels")
                    if index == LEVEL and levels and spec.tag == "HL"
                    else own.codes
                )
                own = replace(own, use=nodes[index], used=True, codes=listed)
            found.append(own)
            continue
        parts = [
            _row(f"{name}.{number}", one, said.get(Spot(index, number), ()), takings, direction, lists,
                 Spot(index, number))
            for number, one in enumerate(element.components, 1)
        ]  # fmt: skip
        changed = element.mandatory or any(one.codes is not None for one in element.components)
        whole = element.used and (changed or any(Spot(index, at + 1) in said for at in range(len(parts))))
        head = ElementRow(
            name=name,
            label=element.label,
            number=element.number,
            usage=_usage(element),
            form="composite",
            use="" if whole or not element.used else UNUSED[direction],
            used=whole,
        )
        found.append(head)
        if whole:
            found += [replace(part, component=True) for part in _shortened(parts)]
    return tuple(_shortened(found))


def _usage(element: ElementSpec) -> str:
    if not element.used:
        return "X"
    return "M" if element.mandatory else "O"


def _row(  # noqa: PLR0917  what a row is made of
    name: str,
    element: ElementSpec,
    said: tuple[Said, ...],
    takings: tuple[Taking, ...],
    direction: Direction,
    lists: Lists,
    spot: Spot,
) -> ElementRow:
    used = bool(said) and element.used
    fields = tuple(dict.fromkeys(one for each in said for one in _fields(each)))
    codes = _codes(element, said, takings, direction, spot)
    many = len(fields) > MOST_FIELDS
    use = "; ".join(dict.fromkeys(text for each in said for text in _use(each, element, codes))) if used else ""
    if many:
        use = "the field that its qualifier names" + (f"; {use}" if use and "; " not in use else "")
    if not element.used:
        use = "must not be sent"
    elif said and all(one.ignored for one in said):
        use, used = "read past", False
    elif not said:
        use = UNUSED[direction]
    return ElementRow(
        name=name,
        label=element.label,
        number=element.number,
        usage=_usage(element),
        form=words.form(element),
        fields=() if many or not element.used else fields,
        use=use,
        codes=None if codes is None else lists.placed(codes),
        used=used or element.mandatory or (element.codes is not None and element.used),
    )


def _fields(said: Said) -> Iterator[str]:
    """The names of what an element becomes."""
    lens = said.lens
    if lens is None:
        return
    own = said.taking.field(lens.path)
    match lens.pair:
        case Fields() as pair:
            if said.offset % pair.size:
                for word in dict.fromkeys(pair.codes.reading.values()):
                    yield f"{own}.{word}" if own else word
        case Pairs() | Ids() | Allocations():
            yield f"{own}[]"
        case Many():
            yield own if lens.joined else f"{own}[]"
        case _:
            yield own


def _use(said: Said, element: ElementSpec, codes: CodeList | None) -> Iterator[str]:
    if said.lens is not None:
        whole = isinstance(said.lens.pair, Number) and element.type in WHOLE
        if (text := words.pair_words(said.lens.pair, said.offset)) and not whole:
            yield text
        if said.lens.count is not None:
            yield "counted and compared"
        if said.lens.joined:
            yield "one text, over several segments where it is long"
        return
    if said.constant == ("",):
        yield "left empty"
    elif len(said.constant) == 1 and codes is None:
        yield f"always {said.constant[0]}"


def _table(said: Said) -> tuple[Codes, str] | None:
    """The code table that an element is read by, and the prefix of fields that its words name."""
    lens = said.lens
    if lens is None:
        return None
    match lens.pair:
        case Coded() as pair:
            return pair.codes, ""
        case Pairs() as pair if said.offset % 2 == 0:
            return pair.codes, ""
        case Ids() as pair if said.offset % pair.size == pair.size - 1:
            return pair.codes, ""
        case Fields() as pair if said.offset % pair.size == 0:
            own = said.taking.field(lens.path)
            return pair.codes, f"→ {own}." if own else "→ "
        case Allocations() as pair if said.offset < 2:  # noqa: PLR2004  unit and scheme
            return (pair.codes if said.offset else UNITS), ""
        case _:
            return None


def _codes(
    element: ElementSpec, said: tuple[Said, ...], takings: tuple[Taking, ...], direction: Direction, spot: Spot
) -> CodeList | None:
    if not element.used:
        return None
    found: dict[str, list[str]] = {}
    others: list[str] = []
    name = ""
    for one in said:
        if (table := _table(one)) is not None:
            codes, prefix = table
            name = name or codes.name
            reading = codes.reading if direction == "receive" else {code: word for word, code in codes.writing.items()}
            for code, word in reading.items():
                found.setdefault(code, []).append(f"{prefix}{word}" if prefix else words.human(word))
            others.append((f"{REC20} " if codes is UNITS else "") + _others(codes, direction))
        elif one.constant and one.constant != ("",) and (len(takings) > 1 or len(one.constant) > 1):
            for code in one.constant:
                found.setdefault(code, []).append(_named(one.taking) if len(takings) > 1 else "")
    selecting = [one for one in said if one.constant]
    if selecting and not any(_table(one) for one in said):
        others.append(_rest(takings, spot, direction) if len(takings) > 1 or len(selecting) > 1 else "")
    if element.codes is not None:
        codes_ = tuple(Code(code=code, word=_joined(found.get(code, ()))) for code in sorted(element.codes))
        return CodeList(codes=codes_, closed=True, others="No other code.", name=name or element.label)
    if not found:
        return None
    listed = tuple(Code(code=code or EMPTY, word=_joined(texts)) for code, texts in found.items())
    return CodeList(codes=listed, closed=False, others=next(filter(None, others), ""), name=name or element.label)


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(filter(None, texts)))


def _named(taking: Taking) -> str:
    """Where a segment with this qualifier goes."""
    fields = dict.fromkeys(taking.field(lens.path) for lens in taking.lens.lenses)
    if taking.each:
        return f"→ {taking.each}[]"
    return "→ " + ", ".join(list(fields)[:MOST_FIELDS]) if fields else ""


def _rest(takings: tuple[Taking, ...], spot: Spot, direction: Direction) -> str:
    free = [one for one in takings if all(at != spot for at, _ in one.lens.constants)]
    if free and direction == "receive":
        target = next((one.each for one in free if one.each), "")
        return f"{GOES}{target}[]." if target else "Other codes are taken too."
    return "" if free else ("Others are not used." if direction == "receive" else "Others are not sent.")


def _others(codes: Codes, direction: Direction) -> str:
    if direction == "send":
        return "Other codes may come." if codes.keep else ""
    if codes.keep:
        return "Other codes are kept as they are."
    if codes.rest is not None:
        return f"Any other code means “{words.human(codes.rest)}”."
    return "Any other code is not understood: it is reported, and kept as it is."


def _shortened(found: list[ElementRow]) -> list[ElementRow]:
    return list(_without_unused(_without_repeats(found)))


def _signature(row: ElementRow) -> ElementRow:
    return replace(row, name="", usage="")


def _without_repeats(found: list[ElementRow]) -> list[ElementRow]:
    """Of groups that repeat the first, and one row for the rest."""
    made: list[ElementRow] = []
    index = 0
    while index < len(found):
        size, repeats = _run(found, index)
        first = found[index : index + size]
        made += first
        index += size
        if repeats:
            last = found[index + size * repeats - 1]
            names = [first[0].name, first[-1].name]
            again = f"{names[0]} again" if size == 1 else f"{names[0]} to {names[1]} again"
            more = "once more" if repeats == 1 else f"up to {repeats} times more"
            made.append(
                replace(
                    first[0],
                    name=_range(found[index].name, last.name),
                    label=again,
                    number="",
                    usage="O",
                    form="",
                    fields=(),
                    use=more if first[0].used else first[0].use,
                    codes=None,
                )
            )
            index += size * repeats
    return made


def _run(found: list[ElementRow], start: int) -> tuple[int, int]:
    """How many rows form a group here and how often it repeats; 1 and 0 where none does."""
    if not found[start].used or found[start].component:
        return 1, 0
    best = (1, 0)
    for size in range(1, LONGEST_RUN + 1):
        own = [_signature(one) for one in found[start : start + size]]
        repeats, at = 0, start + size
        while [_signature(one) for one in found[at : at + size]] == own:
            repeats, at = repeats + 1, at + size
        if size * repeats > best[0] * best[1] and size * repeats > 1:
            best = (size, repeats)
    return best


def _without_unused(found: list[ElementRow]) -> Iterator[ElementRow]:
    """Neighbours that we do not use, and may come, as one row."""
    waiting: list[ElementRow] = []
    for row in found:
        if not row.used and row.usage == "O" and row.use != "read past":
            if waiting and waiting[-1].component != row.component:
                yield from _merged(waiting)
                waiting = []
            waiting.append(row)
            continue
        yield from _merged(waiting)
        waiting = []
        yield row
    yield from _merged(waiting)


def _merged(rows_: list[ElementRow]) -> Iterator[ElementRow]:
    if len(rows_) < 2:  # noqa: PLR2004  one alone is itself
        yield from rows_
        return
    labels = list(dict.fromkeys(row.label for row in rows_))
    more = ", …" if len(labels) > MOST_LABELS else ""
    yield replace(
        rows_[0],
        name=_range(rows_[0].name, rows_[-1].name),
        label=", ".join(labels[:MOST_LABELS]) + more,
        number="",
        form="",
    )


def _range(first: str, last: str) -> str:
    """BEG08 to 12, DTM01.2 to 4."""
    tail = last.rpartition(".")[2] if "." in last else last[-2:]
    return f"{first}{words.DASH}{tail}"


def relative(found: Sequence[ElementRow], prefixes: Iterable[str], lists: Lists) -> tuple[ElementRow, ...]:
    """The rows with names of fields as seen from the object at hand: equal at two places that say the same."""
    longest = sorted(set(prefixes), key=len, reverse=True)

    def short(text: str) -> str:
        own = text.removeprefix("→ ")
        prefix = next((one for one in longest if one and own.startswith(one)), "")
        return own.removeprefix(prefix)

    def listed(codes: CodeList | None) -> CodeList | None:
        if codes is None:
            return None
        own = next((one for one in lists.made if one.anchor and one.anchor == codes.anchor), codes)
        codes_ = tuple(Code(code=one.code, word=short(one.word)) for one in own.codes)
        return replace(own, codes=codes_, anchor="", name="", others=short(own.others.removeprefix(GOES)))

    return tuple(replace(row, fields=tuple(map(short, row.fields)), codes=listed(row.codes)) for row in found)
