"""The structure table and the segments of one document: its guide and its map, put side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.cli.handbook.book import Code, Direction, ElementRow, Place, SegmentPart
from gateway.cli.handbook.elements import Lists, relative, rows
from gateway.cli.handbook.uses import Spotted, Taking, spotted
from gateway.cli.handbook.words import human, note_sentences, times
from gateway.edi.guide import Guide, LoopUse, SegmentSpec, Use
from gateway.edi.tree import Loop, Message, Segment, first_text
from gateway.edi.writing import Writer
from gateway.errors import OurFault, PartnerFault
from gateway.findings import EdiPlace
from gateway.mapping import Map
from gateway.mapping.segments.hierarchy import DOCUMENT, Tree
from gateway.mapping.segments.packages import OTHER, ROOT, Packages

PLACES = {ROOT: "first", OTHER: "others"}
"""Levels that no code tells, by their words."""
Line = tuple[tuple[str, ...], Segment, str]
"""A segment of an example: the loops it stands in, itself, its text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What guide and map say together."""

    places: tuple[Place, ...]
    segments: tuple[SegmentPart, ...]
    used: frozenset[int]
    """Identities of the guide's items that the map uses."""


def parts(
    guide: Guide,
    own: Map,
    direction: Direction,
    anchor: str,
    lists: Lists,
    *,
    known: Mapping[str, SegmentSpec],
    examples: Sequence[Message],
    writer: Writer,
) -> Parts:
    """All places of `guide`; `known` are the standard's segments, what differs from them is shown in any case."""
    found = spotted(guide, own)
    live = _live(found)
    lines = tuple(_lines(examples, writer))
    own_levels = levels(guide, own)
    places: list[Place] = []
    segments: list[SegmentPart] = []
    tables: dict[tuple[object, ...], str] = {}
    hidden: tuple[str, ...] | None = None
    for spot in found:
        # What stands in a loop that nobody uses goes with the loop.
        if hidden is not None and spot.path[: len(hidden)] == hidden:
            continue
        hidden = None
        item = spot.item
        ignored = bool(spot.takings) and all(one.ignored for one in spot.takings)
        if isinstance(item, LoopUse):
            used = id(item) in live or item.mandatory
            if not used:
                hidden = (*spot.path, item.name)
            places.append(_place(spot, "used" if used else "ignored" if ignored else "unused", ""))
            continue
        changed = known.get(item.tag) is not item.spec and not ignored
        detailed = spot.used or item.mandatory or changed or bool(item.qualifiers)
        own_anchor = ""
        if detailed:
            own_anchor = f"{anchor}-{len(segments) + 1}-{item.tag.lower()}"
            part = _segment(spot, item, direction, own_anchor, lists, lines=lines, levels_=own_levels)
            prefixes = [prefix for one in spot.takings for prefix in (one.prefix, f"{one.each}[].", one.each)]
            same = (part.tag, relative(part.elements, prefixes, lists), part.rules)
            first = tables.setdefault(same, own_anchor)
            if first != own_anchor and len(part.elements) > 1:
                part = replace(part, elements=(), rules=(), same_as=first)
            segments.append(part)
        places.append(_place(spot, "used" if detailed else "ignored" if ignored else "unused", own_anchor))
    used_items = frozenset(id(spot.item) for spot in found if spot.used or id(spot.item) in live)
    return Parts(places=tuple(places), segments=tuple(segments), used=used_items)


def _live(found: Iterable[Spotted]) -> frozenset[int]:
    """The loops in which something is used, or that must come."""
    live: set[int] = set()
    above: list[tuple[tuple[str, ...], int]] = []
    for spot in found:
        while above and spot.path[: len(above[-1][0])] != above[-1][0]:
            above.pop()
        if isinstance(spot.item, LoopUse):
            above.append(((*spot.path, spot.item.name), id(spot.item)))
        if spot.used:
            live.update(one for _, one in above)
    return frozenset(live)


def _place(spot: Spotted, use: str, anchor: str) -> Place:
    item = spot.item
    loop = isinstance(item, LoopUse)
    label = (item.label or item.start.spec.label) if isinstance(item, LoopUse) else item.spec.label
    name = (item.group or f"{item.name} loop") if isinstance(item, LoopUse) else item.tag
    return Place(
        depth=len(spot.path),
        name=name,
        label=label,
        mandatory=item.mandatory or (isinstance(item, Use) and _starts(spot)),
        times=times(item.maximum),
        loop=loop,
        use=use,
        anchor=anchor,
        qualifiers=() if isinstance(item, LoopUse) else tuple(sorted(item.qualifiers)),
    )


def _starts(spot: Spotted) -> bool:
    """A segment that starts its loop comes wherever the loop does."""
    return bool(spot.path) and spot.path[-1] == spot.item.tag and spot.item.mandatory


def _segment(
    spot: Spotted,
    use: Use,
    direction: Direction,
    anchor: str,
    lists: Lists,
    *,
    lines: Sequence[Line],
    levels_: tuple[Code, ...],
) -> SegmentPart:
    spec = use.spec
    elements = rows(spot, spec, direction, lists, levels_)
    rules = note_sentences(spec.notes, spec.tag, {int(one.name[-2:]) for one in elements if _single(one, spec.tag)})
    if spec.open:
        rules.append("Its elements are not checked.")
    if use.qualifiers:
        rules.insert(0, f"This place is for {spec.tag}01 = {' or '.join(sorted(use.qualifiers))}.")
    return SegmentPart(
        anchor=anchor,
        tag=spec.tag,
        label=spec.label,
        path=spot.path,
        mandatory=use.mandatory,
        times=times(use.maximum),
        purpose=tuple(_purpose(spot, direction)),
        elements=elements,
        rules=tuple(rules),
        example=_example(spot, use, lines),
    )


def _single(row: ElementRow, tag: str) -> bool:
    """Whether a row is one element that we use, whose notes are worth reading."""
    return row.used and not row.component and len(row.name) == len(tag) + 2


def _purpose(spot: Spotted, direction: Direction) -> Iterator[str]:
    """Sentences on what the map makes of a segment."""
    if spot.hierarchy:
        yield "Builds the hierarchy of the document: each level names the one that it belongs to."
    takings = [one for one in spot.takings if not one.ignored]
    if not takings and not spot.hierarchy:
        yield "We do not use it." if direction == "receive" else "Written empty of order data."
    levels = list(dict.fromkeys(one.level for one in takings if one.level))
    if levels:
        yield f"Used at level{'s' if len(levels) > 1 else ''} {', '.join(PLACES.get(one, one) for one in levels)}."
    for each in dict.fromkeys(one.each for one in takings if one.each):
        yield f"Each one is an item of {each}."
    for inherit in dict.fromkeys(one.inherit for one in takings if one.inherit):
        yield f"Holds for all of {inherit} that do not say otherwise."
    for one in takings:
        if one.condition:
            yield f"{_which(one)}only where {_condition(one)}."
        if one.number:
            yield f"{_which(one)}number {one.number} of its like."


def _which(one: Taking) -> str:
    codes = sorted({text for _, texts in one.lens.constants for text in texts if text})
    return f"{one.lens.tag} {', '.join(codes)}: " if codes else ""


def _condition(one: Taking) -> str:
    return human(one.condition).replace(" = ", " is ").replace(" in ", " is one of ")


def _lines(examples: Sequence[Message], writer: Writer) -> Iterator[Line]:
    """Every segment of the examples with the loops it stands in and its text."""
    for message in examples:
        waiting: list[tuple[tuple[str, ...], Segment | Loop]] = [((), one) for one in reversed(message.root.children)]
        while waiting:
            path, child = waiting.pop()
            if isinstance(child, Loop):
                # A hierarchy nests in the document, not in the guide.
                own = path if child.name in path else (*path, child.name)
                waiting += [(own, one) for one in reversed(child.children)]
                continue
            try:
                text = writer.write([child], EdiPlace()).decode(writer.charset).strip()
            except (OurFault, PartnerFault):
                continue
            yield path, child, text


def _example(spot: Spotted, use: Use, lines: Sequence[Line]) -> str:
    fitting = [
        (len(segment.elements), text)
        for path, segment, text in lines
        if segment.tag == use.tag
        and path == spot.path
        and (not use.qualifiers or (segment.elements and first_text(segment.elements[0]) in use.qualifiers))
    ]
    return max(fitting, key=lambda one: one[0])[1] if fitting else ""


def levels(guide: Guide, own: Map) -> tuple[Code, ...]:
    """The levels of the hierarchy: their codes, what they are and where they may stand."""
    tree = next((rule for rule in own.scope.rules if isinstance(rule, (Tree, Packages))), None)
    if tree is None:
        return ()
    labels = guide.level_labels
    found = []
    for code, level in tree.levels.items():
        preset = ", ".join(value for _, value in level.preset)
        what = "the document itself" if level.kind == DOCUMENT else human(level.kind)
        word = labels.get(code, what) + (f" ({preset})" if preset and preset != labels.get(code) else "")
        under = f", under {' or '.join(level.parents)}" if level.parents else ""
        found.append(Code(code=PLACES.get(code, code), word=f"{word}{under}"))
    return tuple(found)
