"""Which lines of a map take which elements: code tables for what is sent, and fields for what no line names.

Works on the map's source with its bases applied, so that what is found can be written as a delta.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel
from rapidfuzz import fuzz, process

from gateway.canonical import KINDS
from gateway.canonical.shape import fields
from gateway.edi.tree import simple
from gateway.mapping.codes import Codes, read_codes
from gateway.mapping.map import Sources, finder
from gateway.mapping.overlay import resolve
from gateway.mapping.paths import read_path
from gateway.mapping.rules import Problems
from gateway.mapping.segments.labels import labels, rule_key
from gateway.mapping.segments.words import Address, read_address, read_key
from gateway.mapping.segments.words import Spot as Place
from gateway.mapping.source import Node
from gateway.onboarding.spots import Spot

NEAR = 60
"""How alike a label and a field's name are, of 100, to be shown."""
SHOWN = 3
DEEP = 3
"""Steps of a field's path that are looked at."""


@dataclass(frozen=True, slots=True)
class Coded:
    """Where a table reads codes."""

    places: tuple[Place, ...]
    table: str


@dataclass(frozen=True, slots=True)
class Line:
    """A rule for a segment."""

    path: str
    """As a delta names it: PO1/ACK."""
    loops: tuple[str, ...]
    level: str
    tag: str
    chosen: tuple[tuple[Place, tuple[str, ...]], ...]
    """Elements that select it, with their values."""
    coded: tuple[Coded, ...]
    said: tuple[tuple[Address, str, str], ...]
    """Each address, as it is written, and what stands behind it."""
    each: tuple[str, ...]
    """Paths of the lists around it, the outermost first."""

    def takes(self, spot: Spot) -> bool:
        """Whether it is for this segment."""
        if self.tag != spot.segment.tag or self.loops != spot.loops or (self.level and self.level != spot.level):
            return False
        return all(_text(spot, place) in values for place, values in self.chosen)


class MapLines:
    """The lines of one map."""

    def __init__(self, name: str, sources: Sources) -> None:
        self.name = name
        node, _ = resolve(name, finder(sources), Problems())
        keys = node.keys if node is not None else {}
        self.canonical = (keys["canonical"].text if "canonical" in keys else "") or ""
        tables = keys["codes"].keys if "codes" in keys else {}
        self.tables: dict[str, Codes] = {own: read_codes(own, table, Problems()) for own, table in tables.items()}
        self.lines = tuple(_lines(keys["segments"].items, "", (), "", ()) if "segments" in keys else ())
        self._by_tag: dict[str, list[Line]] = {}
        for line in self.lines:
            self._by_tag.setdefault(line.tag, []).append(line)
        self.fields = _said(keys["segments"].items) if "segments" in keys else Counter[tuple[str, str]]()

    def line(self, spot: Spot) -> Line | None:
        """The first rule for a segment."""
        return next((line for line in self._by_tag.get(spot.segment.tag, ()) if line.takes(spot)), None)

    def codes(self, spot: Spot) -> Iterator[tuple[int, Codes, str]]:
        """Element (from 1), table and code of everything in a segment that a table reads."""
        line = self.line(spot)
        for one in line.coded if line is not None else ():
            table = self.tables.get(one.table)
            if table is None:
                continue
            for place in one.places:
                if code := _text(spot, place):
                    yield place.element + 1, table, code

    def said(self, spot: Spot, element: int) -> tuple[str, str, str] | None:
        """The rule's path, the address and the line that take an element (from 1)."""
        line = self.line(spot)
        for address, text, words in line.said if line is not None else ():
            if line is not None and address.first <= element - 1 <= address.last:
                return line.path, text, words
        return None

    def near(self, spot: Spot, element: int, label: str, others: Iterable[MapLines]) -> list[str]:
        """Fields that an element without a line may belong to: where other maps put it, then names like its label."""
        address = f"{spot.segment.tag}{element:02d}"
        said = [text for other in others for (own, text), _ in other.fields.most_common() if own == address]
        names = _names(self._models(spot))
        alike = process.extract(
            label, {path: path.replace("_", " ").replace(".", " ") for path in names}, scorer=fuzz.token_sort_ratio
        )
        found = [*said, *(path for _, score, path in alike if score >= NEAR)]
        return list(dict.fromkeys(found))[:SHOWN]

    def _models(self, spot: Spot) -> tuple[type[BaseModel], ...]:
        """The canonical objects that rules at this spot speak of."""
        models: tuple[type[BaseModel], ...] = (KINDS[self.canonical],) if self.canonical in KINDS else ()
        here = [
            line for line in self.lines if line.loops == spot.loops and (not line.level or line.level == spot.level)
        ]
        for path in here[0].each if here else ():
            for step in read_path(path) or ():
                models = tuple(inner for model in models for inner in _step(model, step.name))
        return models


def _step(model: type[BaseModel], name: str) -> tuple[type[BaseModel], ...]:
    step = fields(model).get(name)
    return step.models if step is not None else ()


def _names(models: Iterable[type[BaseModel]]) -> list[str]:
    """The plain fields of some objects by their paths, lists left out."""
    found: list[str] = []
    waiting = [(model, "", 1) for model in models]
    while waiting:
        model, above, depth = waiting.pop()
        for name, step in fields(model).items():
            if name in {"extensions", "source", "interchange"}:
                continue
            if not step.models:
                found.append(above + name)
            elif not step.many and depth < DEEP:
                waiting += [(inner, f"{above}{name}.", depth + 1) for inner in step.models]
    return found


def _lines(
    nodes: list[Node], above: str, loops: tuple[str, ...], level: str, each: tuple[str, ...], *, starts: bool = False
) -> Iterator[Line]:
    """The rules of a list, and of the loops and levels in it."""
    for node, name in zip(nodes, labels(nodes), strict=True):
        # The segment that starts a loop is named by the loop.
        path = above if starts and node is nodes[0] else f"{above}/{name}".lstrip("/")
        own = node.keys.get("each")
        inside = (*each, own.text) if own is not None and own.text else each
        read = read_key(rule_key(node))
        if read is None:
            continue
        tag = read.tag
        if "levels" in node.keys:
            for code, spec in node.keys["levels"].keys.items():
                segments = spec.keys.get("segments")
                kind = spec.keys.get("is")
                below = each if kind is not None and kind.text == "document" else inside
                yield from _lines(segments.items if segments else [], f"{path}/{code}", (*loops, tag), code, below)
        elif "loop" in node.keys:
            segments = node.keys.get("segments")
            inner = segments.items if segments else []
            yield from _lines(inner, path, (*loops, tag), level, inside, starts=True)
        else:
            elements = node.keys[rule_key(node)].keys
            coded = tuple(one for text, spec in elements.items() if (one := _coded(tag, text, spec)) is not None)
            said = tuple(
                (address, text, spec.text or "")
                for text, spec in elements.items()
                if (address := read_address(tag, text)) is not None
            )
            yield Line(path, loops, level, tag, read.chosen, coded, said, inside)


def _coded(tag: str, text: str, spec: Node) -> Coded | None:
    words = [word.split() for word in (spec.text or "").split("|")[1:]]
    address = read_address(tag, text)
    name, table, *more = [*(words[0] if words else []), "", ""]
    if address is None or not table or name not in _STEPS:
        return None
    first, step = _STEPS[name]
    if name in {"fields", "ids"} and more[0].isdigit():
        step = int(more[0])
        first = step - 1 if name == "ids" else 0
    return Coded(tuple(address.spots()[first::step]), table)


_STEPS = {"code": (0, 1), "pairs": (0, 2), "fields": (0, 2), "ids": (1, 2), "allocations": (1, 1 << 30)}
"""Which of a line's texts are codes of its table: the first of them, and how far the next one is."""


def _text(spot: Spot, place: Place) -> str:
    """One component of a segment; empty where there is none."""
    elements = spot.segment.elements
    element = simple(elements[place.element]) if place.element < len(elements) else ""
    parts = (element,) if isinstance(element, str) else element
    return parts[place.component - 1] if place.component <= len(parts) else ""


def _said(nodes: list[Node]) -> Counter[tuple[str, str]]:
    """How often a map puts an element into a field: `("REF03", "description")`."""
    found: Counter[tuple[str, str]] = Counter()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        for key in ("segments", "levels"):
            inner = node.keys.get(key)
            if inner is not None:
                waiting += inner.items
                waiting += inner.keys.values()
        elements = node.keys.get(rule_key(node))
        for address, spec in (elements.keys if elements is not None else {}).items():
            field = (spec.text or "").partition("|")[0].strip()
            if field and not field.startswith(("=", "count", ".")):
                found[address, field] += 1
    return found
