"""Where a field comes from: the elements that said it, the map's line, the code that became its word. Pure.

A traced reading notes each value as its lens puts it; when the document is whole, every note is given its JSON pointer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.edi.tree import Segment
from gateway.mapping.groups import Allocations, Ids, Many, Pairs
from gateway.mapping.moments import Moment
from gateway.mapping.pairs import Fields
from gateway.mapping.paths import Path
from gateway.mapping.segments.lens import Lens
from gateway.mapping.segments.words import Spot


@dataclass(frozen=True, slots=True)
class Note:
    """One value as it was put: into which object, by which lens, from which segment."""

    target: dict[str, Any]
    lens: Lens
    segment: Segment
    texts: list[str]
    value: Any
    start: int = 0
    """Of a list that several segments fill: how many items were there before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """One field of a document and where it came from."""

    pointer: str
    value: str
    """As canonical JSON has it; of an object its texts."""
    segment: int
    """Position in the message, ST or UNH being 1."""
    tag: str
    offset: int
    """Byte offset of the segment in the file."""
    spots: tuple[Spot, ...]
    """The elements and components it was read from."""
    text: str
    """What stood there."""
    file: str
    """The map's file, line and key."""
    line: int
    key: str
    codes: str = ""
    """The table that made a word of it."""


def origins(document: dict[str, Any], notes: list[Note]) -> tuple[Origin, ...]:
    """The notes as fields of `document`, in the order of the wire; notes on what was not kept are dropped."""
    if not notes:
        return ()
    pointers = dict(_objects(document, ""))
    found: list[Origin] = []
    for note in notes:
        base = pointers.get(id(note.target))
        if base is None:
            continue
        lens, segment = note.lens, note.segment
        for way, spots, texts, value in _parts(note):
            pointer = _pointer(note.target, lens.path, base)
            found.append(
                Origin(
                    pointer=pointer + "".join(f"/{step}" for step in way),
                    value=_said(value),
                    segment=segment.position,
                    tag=segment.tag,
                    offset=segment.offset,
                    spots=spots,
                    text=" ".join(text for text in texts if text),
                    file=lens.file,
                    line=lens.line,
                    key=lens.key,
                    codes=lens.codes.name if lens.codes is not None else "",
                )
            )
    found.sort(key=lambda one: (one.segment, one.spots))
    return tuple(found)


def _objects(value: Any, at: str) -> Iterator[tuple[int, str]]:
    """The identity and the pointer of every object."""
    waiting = [(value, at)]
    while waiting:
        here, pointer = waiting.pop()
        if isinstance(here, dict):
            yield id(here), pointer
            waiting += [(each, f"{pointer}/{name}") for name, each in here.items() if name != "extensions"]
        elif isinstance(here, list):
            waiting += [(each, f"{pointer}/{number}") for number, each in enumerate(here)]


def _pointer(target: dict[str, Any], path: Path, base: str) -> str:
    """The pointer of `path`, an item told by a key under its number."""
    here: Any = target
    pointer = base
    for step in path:
        pointer += f"/{step.name}"
        here = here.get(step.name) if isinstance(here, dict) else None
        if step.key and isinstance(here, list):
            number = next((n for n, one in enumerate(here) if (one.get(step.key) == step.value) is not step.other), 0)
            pointer += f"/{number}"
            here = here[number]
    return pointer


def _parts(note: Note) -> Iterator[tuple[tuple[Any, ...], tuple[Spot, ...], list[str], Any]]:
    """What of a value came from which texts: way below the field, spots, texts, the part."""
    lens, texts, value = note.lens, note.texts, note.value
    spots = lens.address.spots()
    pair = lens.pair
    size = 2 if isinstance(pair, Pairs) else pair.size if isinstance(pair, (Ids, Fields)) else 1
    if isinstance(pair, Allocations):
        for number, each in enumerate(value):
            place = 2 + 2 * number
            yield (note.start + number,), tuple(spots[place : place + 2]), texts[place : place + 2], each
        return
    if isinstance(pair, Moment):
        for number, (field, each) in enumerate(value.items()):
            yield (field,), tuple(spots if len(value) == 1 else spots[number : number + 1]), texts, each
        return
    if not isinstance(pair, (Pairs, Ids, Fields, Many)):
        yield (), tuple(spots[: max(len(texts), 1)]), texts, value
        return
    groups = [
        (tuple(spots[place : place + size]), texts[place : place + size])
        for place in range(0, len(texts), size)
        if _says(pair, texts[place : place + size])
    ]
    if isinstance(pair, Fields):
        for (where, said), (field, each) in zip(groups, value.items(), strict=True):
            yield tuple(field.split(".")), where, said, each
        return
    for number, ((where, said), each) in enumerate(zip(groups, value, strict=True)):
        yield () if lens.joined else (note.start + number,), where, said, each


def _says(pair: Any, group: list[str]) -> bool:
    """Whether the pair makes something of the group: of a qualifier without a value `Pairs` makes nothing."""
    return len(group) == 2 and all(group) if isinstance(pair, Pairs) else any(group)  # noqa: PLR2004  scheme and value


def _said(value: Any) -> str:
    """A value for people."""
    if isinstance(value, dict):
        return " ".join(_said(each) for name, each in value.items() if name != "precision")
    if isinstance(value, list):
        return " ".join(map(_said, value))
    return str(value)
