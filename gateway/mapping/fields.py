"""What a map's lines may say of a document: fields that exist, of the type their pair gives, each written by one line.

A word of a table is one its field allows; what the model demands is mapped wherever anything of it is.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel

from gateway.canonical import shape
from gateway.canonical.header import Allocation
from gateway.canonical.parts import Identifier
from gateway.canonical.parts import When as WhenPart
from gateway.mapping.codes import Codes
from gateway.mapping.known import Known
from gateway.mapping.paths import Path
from gateway.mapping.rules import Problems
from gateway.mapping.source import Node


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the document the rules being compiled work."""

    models: tuple[type[BaseModel], ...]
    known: Known
    key: str
    """Path of the rule in the file, for messages: PO1/ACK."""
    claimed: tuple[tuple[str, str, str], ...] = ()
    """List, key and value of items that single lines of this scope write."""


class How(Enum):
    """In which way a rule takes a part of the document."""

    FIELD = 0
    """As its own; `value` is the path and the line, for messages."""
    PRESET = 1
    """As a fixed value that a line may say otherwise."""
    ITEMS = 2
    """As a list; `value` is what is expressed of each item."""
    KINDS = 3
    """As a list of nodes; `value` is what is expressed of each kind."""
    KIND = 4
    """As a list of nodes, of which it writes one kind; `value` is the kind, and what is expressed of it."""
    ALONE = 5
    """In a way that holds in this map alone."""
    MORE = 6
    """It goes on with what another rule has begun."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a rule takes of the object that it works on."""

    how: How
    path: Path
    value: Any = None

    def free(self, known: Known) -> bool:
        """Whether it can be taken where `known` is expressed already."""
        here = known.find(self.path)
        if self.how is How.MORE:
            return here is not None and here.leaf
        if here is None or self.how is How.PRESET:
            return self.how is not How.ALONE
        if self.how is How.KIND:
            return (self.value[0], ()) not in here.kinds
        if self.how is How.FIELD:
            return not (here.leaf or here.fields or here.items is not None)
        if self.how is How.ITEMS:
            return not (here.leaf or here.items is not None)
        return self.how is How.KINDS


class FieldChecks:
    """Checks fields; problems go to `problems`."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.claims: dict[tuple[int, str], Node] = {}
        """By the object's place and the field: the line that writes it."""
        self.taken: list[tuple[Known, Taken]] = []
        """What was taken, and of which object."""

    def note(self, taken: Taken, known: Known) -> None:
        """Take what is free."""
        self.taken.append((known, taken))
        match taken.how:
            case How.FIELD:
                known.at(taken.path).leaf = True
                said, node = taken.value
                self.claims[id(known), said] = node
            case How.PRESET:
                known.preset |= {taken.path[0].name}
            case How.ITEMS:
                known.at(taken.path).items = taken.value
            case How.KINDS:
                known.at(taken.path).kinds = taken.value
            case How.KIND:
                kind, inside = taken.value
                known.at(taken.path).put_kind((kind, ()), inside)
            case How.MORE | How.ALONE:
                pass

    def field(  # noqa: PLR0917  what is checked, and where
        self, path: Path, makes: str, table: Codes | None, node: Node, key: str, place: Place, *, preset: bool = False
    ) -> bool:
        """Whether the field exists, fits its pair, and is not written twice; claims it."""
        said = ".".join(map(str, path)) or "."
        step = self._resolve(path, node, key, place) if path else None
        if step is None:
            if not path:
                self._say("map.field.type", node, key, said, "a field")
            return False
        wanted = _misfit(step, makes)
        if wanted:
            self._say("map.field.type", node, key, f"{said} | {makes}", wanted)
            return False
        if step.words and table is not None:
            for word in {*table.reading.values(), *table.coarse, *([table.rest] if table.rest else [])}:
                if word not in step.words:
                    hint = "one of " + ", ".join(step.words) + shape.near(word, step.words)
                    self._say("map.codes.word", node, key, f"{word} in the table {table.name}", hint)
            if table.keep:
                self._say(
                    "map.codes.word", node, key, f"…: keep in {table.name}", "…: {read: other} for a closed field"
                )
        taken = Taken(How.PRESET if preset else How.FIELD, path, None if preset else (said, node))
        if not taken.free(place.known):
            self._twice(
                "map.field.twice", node, self.claims.get((id(place.known), said)), key, said, "one line for the field"
            )
            return False
        self.note(taken, place.known)
        return True

    def _twice(  # noqa: PLR0917  both nodes, and what is told of them
        self, rule: str, node: Node, first: Node | None, key: str, said: str, wanted: str
    ) -> None:
        """Two nodes that cannot stand together: the later one is told, or the one of a delta."""
        if first is None:
            self._say(rule, node, key, said, wanted)
            return
        told, other = (first, node) if self.problems.nearer(first.file, node.file) else (node, first)
        self._say(rule, told, key, said, f"{wanted}; the other is {other.file}:{other.line}")

    def _resolve(self, path: Path, node: Node, key: str, place: Place) -> shape.Step | None:
        models = place.models
        found: shape.Step | None = None
        for number, part in enumerate(path):
            options = [own[part.name] for model in models if part.name in (own := shape.fields(model))]
            if found is not None and found.many and not path[number - 1].key:
                name, said = path[number - 1].name, ".".join(map(str, path))
                self._say("map.field.unknown", node, key, said, f"each: {name}, or {name}[key=value].{part.name}")
                return None
            if not options:
                names, said = (
                    sorted({name for model in models for name in shape.fields(model)}),
                    ".".join(map(str, path)),
                )
                wanted = f"a field of {' or '.join(model.__name__ for model in models) or 'a plain value'}"
                self._say("map.field.unknown", node, key, said, wanted + shape.near(part.name, names))
                return None
            found = options[0]
            models = found.models
            if part.key and not found.many:
                self._say("map.field.type", node, key, str(part), "a list before [ ]")
                return None
        return found

    def _required(self, known: Known, models: tuple[type[BaseModel], ...], node: Node, key: str) -> None:
        """What the model demands must be mapped wherever anything of it is."""
        for model in models[:1]:
            for name, step in shape.fields(model).items():
                below = known.fields.get(name)
                if step.required and below is None and name not in known.preset:
                    self._say(
                        "map.field.required", node, key or "segments", f"no line for {name}", f"{model.__name__}.{name}"
                    )
                elif below is not None and not below.leaf and step.models and not step.many:
                    self._required(below, step.models, node, key)

    def _say(self, rule: str, node: Node, key: str, said: str, wanted: str) -> None:
        self.problems.add(rule, node.file, node.line, key, said=said, wanted=wanted)


def _misfit(step: shape.Step, makes: str) -> str:
    """What a field wants instead of what its pair makes; empty where they fit."""
    if makes == "when":
        return "" if WhenPart in step.models and not step.many else "a field that is a when"
    if makes == "list":
        return "" if step.type is str and not step.models else "a list of texts, or a text for lines"
    if makes == "allocations":
        return "" if Allocation in step.models and step.many else "a list of {location, quantity}"
    if makes == "pairs":
        return "" if step.many and step.models else "a list of {scheme, value}"
    if makes == "id":
        return "" if Identifier in step.models and not step.many else "a field that is a {scheme, value}"
    if step.many or step.models:
        return "a plain field; name the one inside"
    return {
        "decimal": "" if step.type is Decimal else "a decimal field",
        "date": "" if step.type is dt.date else "a date field",
        "text": "" if step.type is str else "a text field",
    }.get(makes, "")
