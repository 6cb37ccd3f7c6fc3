"""Rows: a flat list on the wire for a nested one in the document, both ways.

Each row carries what its line says, and again what the line stands in: the despatch lines of a UBL despatch advice
name their order, the rows of a CSV file their order and line. The stages go from the outside in. Rows that say the same
of an outer stage, one behind the other, belong to one item of it; a row that says nothing of it goes into the stage
above. The innermost stage has an item for each row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.mapping.json.scope import JsonReadState, JsonScope, Preset, fits
from gateway.mapping.json.text import Pointer, encode, find, put
from gateway.mapping.paths import Get, Path, Put
from gateway.mapping.state import Json, Lost, WriteState


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One list of the nest, and what a row says of its items."""

    path: Path
    preset: Preset
    scope: JsonScope
    get: Get
    put: Put


@dataclass(slots=True)
class Rows:
    """The rows of one list on the wire."""

    rank: int
    pointer: Pointer
    stages: tuple[Stage, ...]
    shape: Any = None
    """Of an XML map: what is named of a row, by all stages."""
    names: dict[str, Any] = field(default_factory=dict)
    inherit: tuple[tuple[Pointer, Pointer], ...] = ()
    """In a row, and in the whole document where a row says nothing and all rows say the same."""
    bare: bool = True
    """Whether a row that says nothing but what no line names is an item."""

    def read(self, value: Any, target: Json, state: JsonReadState, at: str) -> Any:
        """Put each row into its place."""
        if not isinstance(value, list):
            state.find("map.read.value", at, value, "a list of rows")
            return value
        opened: list[tuple[str, Json] | None] = [None] * len(self.stages)
        for number, row in enumerate(value):
            self._row(row, target, state, f"{at}/{number}", opened)
        return None

    def _row(
        self, row: Json, target: Json, state: JsonReadState, at: str, opened: list[tuple[str, Json] | None]
    ) -> None:
        parent, rest = target, row
        *outer, last = self.stages
        for level, stage in enumerate(outer):
            part, rest = split(rest, stage.scope.names)
            if not part:
                opened[level:] = [None] * (len(opened) - level)
                continue
            key = encode(part)
            before = opened[level]
            if before is not None and before[0] == key:
                parent = before[1]
                continue
            item: Json = dict(stage.preset)
            stage.scope.read(part, item, state, at)
            _append(stage, parent, item)
            opened[level:] = [(key, item), *[None] * (len(opened) - level - 1)]
            parent = item
        item = {}
        last.scope.read(rest, item, state, at)
        if item.keys() - (() if self.bare else {"extensions"}):
            _append(last, parent, {**dict(last.preset), **item})

    def hand_down(self, source: Json) -> None:
        """Give each row what the document says for all."""
        rows = find(source, self.pointer)
        for inside, outside in self.inherit:
            value = find(source, outside)
            for row in rows if value is not None and isinstance(rows, list) else ():
                if find(row, inside) is None:
                    put(row, inside, value)

    def hoist(self, body: Json) -> None:
        """Say once what all rows say."""
        rows = find(body, self.pointer) or []
        values = [[find(row, inside) for row in rows] for inside, _ in self.inherit]
        if not rows or any(each != one[0] for one in values for each in one) or not all(one[0] for one in values[:1]):
            return
        for (inside, outside), (value, *_) in zip(self.inherit, values, strict=True):
            if value is not None and put(body, outside, value):
                for row in rows:
                    _drop(row, inside)

    def write(self, target: Json, state: WriteState, at: str) -> list[Json]:
        """A row for each innermost item."""
        return self._below(target, 0, {}, state, at)

    def _below(self, parent: Json, level: int, said: Json, state: WriteState, at: str) -> list[Json]:
        made: list[Json] = []
        for path in dict.fromkeys(stage.path for stage in self.stages[level:]):
            before: Json = {}
            first = next(stage for stage in self.stages[level:] if stage.path == path)
            for number, item in enumerate(first.get(parent) or ()):
                pointer = f"{at}/{'/'.join(map(str, path))}/{number}"
                fit = [
                    place
                    for place, stage in enumerate(self.stages)
                    if place >= level and stage.path == path and fits(item, stage.preset)
                ]
                if not fit:
                    kinds = ", ".join(" ".join(word for _, word in stage.preset) for stage in self.stages[level:])
                    state.lose(pointer, str(item.get("kind", item)), f"one of {kinds} here")
                    continue
                stage = self.stages[fit[0]]
                body, _ = stage.scope.write(item, state, pointer)
                if not body:
                    state.lost.append(Lost(pointer=pointer, value=str(item)[:200], reason="something to write"))
                    continue
                inner = fit[0] + 1 < len(self.stages)
                if inner and body == before:
                    state.lose(pointer, str(number + 1), "something that tells it from the one before it")
                row = merged(said, body)
                below = self._below(item, fit[0] + 1, row, state, pointer) if inner else []
                made += below or [row]
                before = body if inner else {}
        return made


def _append(stage: Stage, parent: Json, item: Json) -> None:
    """Add to the stage's list, made where it is missing."""
    have = stage.get(parent)
    if have is None:
        stage.put(parent, [item])
    else:
        have.append(item)


def split(row: Json, names: Mapping[str, Any]) -> tuple[Json, Json]:
    """What `names` names of `row`, and the rest."""
    part: Json = {}
    rest = _empty(row)
    for name, value in row.items():
        below = names.get(name, ...)
        if isinstance(below, dict) and isinstance(value, dict):
            mine, others = split(value, below)
            if mine:
                part[name] = mine
            if others or getattr(others, "others", None):
                rest[name] = others
        elif below is None:
            part[name] = value
        else:
            rest[name] = value
    return part, rest


def merged(left: Mapping[str, Any], right: Mapping[str, Any]) -> Json:
    """Both as one; what the two never have is the same name for something else than an object."""
    made = {name: merged(value, {}) if isinstance(value, dict) else value for name, value in left.items()}
    for name, value in right.items():
        have = made.get(name)
        made[name] = merged(have, value) if isinstance(have, dict) and isinstance(value, dict) else value
    return made


def _drop(row: Json, pointer: Pointer) -> None:
    """Take away the member, and the objects on the way that hold nothing else."""
    if len(pointer) > 1:
        _drop(row[pointer[0]], pointer[1:])
    if len(pointer) == 1 or not row[pointer[0]]:
        del row[pointer[0]]


def _empty(row: Json) -> Json:
    """An object without members that knows what `row` knows beside its members."""
    fresh = getattr(row, "fresh", None)
    made: Json = {} if fresh is None else fresh()
    return made
