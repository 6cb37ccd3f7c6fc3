"""From a resolved map to its rules, with every law that can be told from the file alone; all problems come at once.

A field must exist in the canonical model and have the type its pair gives; one line writes one field and one
address; a word of
a table is one its field allows; what the model demands is mapped.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from pydantic import BaseModel

from gateway.canonical import KINDS, shape
from gateway.canonical.parts import When as WhenPart
from gateway.mapping.codes import Codes, read_codes
from gateway.mapping.known import Known
from gateway.mapping.pairs import Coded, Fields
from gateway.mapping.paths import Path, getter, putter, read_path
from gateway.mapping.rules import Problems
from gateway.mapping.segments.hierarchy import DOCUMENT, Level, Tree
from gateway.mapping.segments.labels import ATTRIBUTES, labels, rule_key
from gateway.mapping.segments.scope import Each, Inside, One, Repeated, Rule, Scalars, Scope
from gateway.mapping.segments.segment import Constant, Count, Lens, SegmentLens
from gateway.mapping.segments.words import Address, Line, read_address, read_constant, read_key, read_line
from gateway.mapping.source import Node
from gateway.mapping.state import Json

_RULE_KEYS: Final = ("loop", "tree", *ATTRIBUTES)
_LEVEL_KEYS: Final = ("is", "set", "in", "segments")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the document the rules being compiled work."""

    models: tuple[type[BaseModel], ...]
    known: Known
    key: str
    """Path of the rule in the file, for messages: PO1/ACK."""
    claimed: tuple[tuple[str, str, str], ...] = ()
    """List, key and value of items that single lines of this scope write."""


class Compiler:
    """Compiles one map. Problems go to `problems`; rules are made as far as they can be."""

    def __init__(self, kind: str, codes: Mapping[str, Codes], problems: Problems) -> None:
        self.kind = kind
        self.codes = codes
        self.problems = problems
        self.known = Known()
        self.always: list[str] = []
        """Labels of segments written for their count alone."""

    def root(self, segments: Node) -> Scope:
        """The scope of the whole set."""
        model = KINDS[self.kind]
        scope = self.scope(segments, "", Place((model,), self.known, ""))
        self._required(self.known, (model,), segments, "")
        return scope

    def scope(self, segments: Node, label: str, place: Place) -> Scope:
        """The rules of a list of segments and loops."""
        nodes = segments.items
        if not nodes:
            self._say("map.file.shape", segments, place.key or "segments", "nothing", "a list of segments and loops")
        place = replace(place, claimed=_claims(nodes))
        rules: list[Rule] = []
        taken: set[object] = set()
        for node, name in zip(nodes, labels(nodes), strict=True):
            own = f"{place.key}/{name}".lstrip("/")
            for key in node.keys:
                if key not in _RULE_KEYS and read_key(key) is None:
                    wanted = (
                        "a segment such as REF*BM, or one of " + ", ".join(_RULE_KEYS) + shape.near(key, _RULE_KEYS)
                    )
                    self._say("map.key.unknown", node.keys[key], f"{own}.{key}", key, wanted)
            rule = self.rule(node, f"{label}/{name}".lstrip("/"), replace(place, key=own))
            if rule is None:
                continue
            same = (rule.name, _selectors(rule)) if rule.once else None
            if same is not None and same in taken:
                self._say("map.address.twice", node, own, name, "one rule for the segment")
            taken.add(same)
            rules.append(rule)
        return Scope(label, tuple(rules))

    def rule(self, node: Node, label: str, place: Place) -> Rule | None:
        """One entry of a list of segments."""
        if "tree" in node.keys:
            return self.tree(node, place)
        each = node.keys.get("each")
        many = self._list(each, place) if each is not None else None
        if each is not None and many is None:
            return None
        inside = place if many is None else replace(many, key=place.key)
        own_label = label if many is None else ""
        if "loop" in node.keys:
            return self.loop(node, label, place, inside, many)
        key = rule_key(node)
        read = read_key(key)
        if read is None or not node.keys[key].keys:
            self._say("map.file.shape", node, place.key, key or "nothing", "a segment such as REF: {REF02: field}")
            return None
        if many is not None and not many.models:  # a list of texts
            lens = self.segment(node, key, label, many, scalar=True)
            path = read_path(each.text or "") if each else None
            return Scalars(lens, label, lens.tag, path) if lens.lenses and path else None
        lens = self.segment(node, key, own_label or key, inside)
        if node.keys.get("repeat") is not None:
            return self.repeated(node, lens, label, place)
        if many is None:
            if lens.always:
                self.always.append(label)
            return One(lens, label, lens.tag)
        path = read_path(each.text or "") if each else None
        assert path is not None
        scope = Scope("", (One(lens, key, lens.tag),))
        self._required(many.known, many.models, node, place.key)
        return Each(scope, label, lens.tag, path, False, lens, self._preset(node, many), _claimed(place, path))  # noqa: FBT003

    def loop(self, node: Node, label: str, place: Place, inside: Place, many: Place | None) -> Rule | None:
        """A loop, of one object each or inside the scope's own."""
        name = read_key(node.keys["loop"].text or "")
        segments = node.keys.get("segments")
        if name is None or segments is None or not segments.items:
            self._say("map.file.shape", node, place.key, "a loop without segments", "loop: TAG, and its segments")
            return None
        preset = self._preset(node, inside) if many is not None else ()
        scope = self.scope(segments, "" if many is not None else label, inside)
        first = scope.rules[0] if scope.rules else None
        if not isinstance(first, One):
            said = rule_key(segments.items[0])
            self._say("map.file.shape", segments.items[0], place.key, said, "first the segment that starts the loop")
            return None
        if many is None:
            return Inside(scope, label, name[0], first.lens)
        path = read_path(node.keys["each"].text or "") or ()
        self._required(many.known, many.models, node, place.key)
        return Each(scope, label, name[0], path, True, first.lens, preset, _claimed(place, path))  # noqa: FBT003

    def repeated(self, node: Node, lens: SegmentLens, label: str, place: Place) -> Rule | None:
        """A segment repeated for one list or one text."""
        if len(lens.lenses) != 1 or lens.lenses[0].component:
            self._say("map.file.shape", node, place.key, "several lines", "one line with list or lines")
            return None
        only = lens.lenses[0]
        width = only.last - only.first + 1
        joined = only.key.endswith("|lines")
        return Repeated(lens, label, lens.tag, width, joined, getter(only.path), putter(only.path))

    def segment(self, node: Node, key: str, label: str, place: Place, *, scalar: bool = False) -> SegmentLens:
        """The lenses and constants of one segment."""
        tag, chosen = read_key(key) or (key, [])
        constants = [Constant(index, values) for index, values in chosen]
        lenses: list[Lens] = []
        guards: list[tuple[int, str, str, Node]] = []
        covered: dict[int, int] = {}
        always = (emit := node.keys.get("emit")) is not None and emit.text == "always"
        for text, spec in node.keys[key].keys.items():
            own = f"{place.key}.{text}"
            address = read_address(tag, text)
            if address is None:
                self._say("map.address.wrong", spec, own, text, f"{tag}nn, {tag}nn.c or {tag}nn..mm")
                continue
            for index in range(address.first, address.last + 1):
                if covered.get(index, -1) in (0, address.component) or (index in covered and not address.component):
                    self._say("map.address.twice", spec, own, text, "one line for the element")
                covered[index] = address.component
            constant = read_constant(spec.text or "")
            if constant is not None:
                if constant[1]:
                    guards.append((address.first, constant[0], constant[1], spec))
                else:
                    constants.append(Constant(address.first, (constant[0],)))
                continue
            line = read_line(spec, address, own, self.codes, self.problems)
            if line is not None and (lens := self.lens(line, address, spec, own, place, scalar=scalar)):
                lenses.append(lens)
                always = always or lens.count is not None
        for index, value, field, spec in guards:
            path = read_path(field)
            target = next((place for place, each in enumerate(lenses) if each.path == path), None)
            if target is None:
                wanted = "a field of the same segment" + shape.near(field, [".".join(map(str, e.path)) for e in lenses])
                self._say("map.field.unknown", spec, f"{place.key}.{tag}{index + 1:02d}", field, wanted)
                continue
            guard = Constant(index, (value,), lenses[target].first)
            constants.append(guard)
            lenses[target] = replace(lenses[target], guard=guard)
        return SegmentLens(tag, label, tuple(constants), tuple(lenses), always)

    def lens(self, line: Line, address: Address, spec: Node, key: str, place: Place, *, scalar: bool) -> Lens | None:
        """One line's lens, its field checked and claimed."""
        if scalar:
            if line.path:
                self._say("map.field.unknown", spec, key, str(line.path), ". for an item of a list of texts")
                return None
        elif isinstance(line.pair, Fields):
            for word in {*line.pair.codes.writing, *line.pair.codes.reading.values()}:
                steps = read_path(word)
                if steps is None or not self._field(
                    (*line.path, *steps), line.pair.inner.makes, None, spec, key, place
                ):
                    return None
        else:
            table = line.pair.codes if isinstance(line.pair, Coded) else None
            if not self._field(line.path, line.pair.makes, table, spec, key, place):
                return None
        if line.beside is not None and not self._field(line.beside, "text", None, spec, key, place):
            return None
        return Lens.make(
            first=address.first, last=address.last, component=address.component, path=line.path, pair=line.pair,
            where=(spec.file, spec.line, key + ("|lines" if line.joined else "")), beside=line.beside,
            count=_count(line.count) if line.count else None,
        )  # fmt: skip

    def tree(self, node: Node, place: Place) -> Rule | None:
        """The hierarchy."""
        each = node.keys.get("each")
        many = self._list(each, place) if each is not None else None
        levels = node.keys.get("levels")
        if many is None or levels is None or not levels.keys:
            self._say("map.file.shape", node, place.key, "a tree", "tree: HL, each: contents, levels: {CODE: …}")
            return None
        path = (each.text if each else None) or ""
        made: dict[str, Level] = {}
        inside: dict[str, Place] = {}
        kinds = {_kind(model): model for model in many.models}
        for code, spec in levels.keys.items():
            own = f"{place.key}/{code}"
            for key in spec.keys:
                if key not in _LEVEL_KEYS:
                    wanted = "one of " + ", ".join(_LEVEL_KEYS) + shape.near(key, _LEVEL_KEYS)
                    self._say("map.key.unknown", spec.keys[key], f"{own}.{key}", key, wanted)
            kind = (spec.keys["is"].text if "is" in spec.keys else "") or ""
            if kind not in (DOCUMENT, *kinds):
                wanted = "one of " + ", ".join((DOCUMENT, *kinds)) + shape.near(kind, (DOCUMENT, *kinds))
                self._say("map.field.unknown", spec.keys.get("is", spec), f"{own}.is", kind, wanted)
                continue
            if kind == DOCUMENT:
                here = replace(place, key=own)
                preset: tuple[tuple[str, str], ...] = ()
            else:
                here = Place((kinds[kind],), Known(preset={"kind"}), own)
                preset = self._preset(spec, here)
                many.known.kinds[kind, preset] = here.known
            parents = spec.keys.get("in")
            made[code] = Level(
                code, kind, preset, tuple(each.text or "" for each in (parents.items if parents else []))
            )
            inside[code] = here
        place.known.at(read_path(path) or ()).kinds = many.known.kinds
        for code, level in made.items():
            here = inside[code]
            segments = levels.keys[code].keys.get("segments") or Node([], node.file, node.line)
            label = f"HL/{code}"
            scope = self.scope(segments, label, here)
            level.scope = Scope(label, (*scope.rules, Tree(made, path, code)))
            if level.kind != DOCUMENT:
                contents = here.known.fields.setdefault("contents", Known())
                contents.kinds = many.known.kinds
                self._required(here.known, here.models, levels.keys[code], here.key)
        return Tree(made, path)

    def _preset(self, node: Node, place: Place) -> tuple[tuple[str, str], ...]:
        spec = node.keys.get("set")
        preset = []
        for name, value in (spec.keys if spec else {}).items():
            if self._field(read_path(name) or (), "text", None, value, f"{place.key}.set.{name}", place, preset=True):
                preset.append((name, value.text or ""))
        return tuple(preset)

    def _list(self, each: Node, place: Place) -> Place | None:
        """The place inside the items of a list."""
        path = read_path(each.text or "")
        key = f"{place.key}.each"
        step = self._resolve(path, each, key, place) if path else None
        if path is None or step is None:
            if path is None:
                self._say("map.file.shape", each, key, each.text or "nothing", "the path of a list")
            return None
        if not step.many:
            self._say("map.field.type", each, key, each.text or "", "a list")
            return None
        known = place.known.at(path)
        if known.items is not None or known.leaf:
            self._say("map.field.twice", each, key, each.text or "", "one rule for the list")
            return None
        known.items = Known(leaf=not step.models)
        return Place(step.models, known.items, place.key)

    def _field(  # noqa: PLR0917  what is checked, and where
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
            for word in {*table.reading.values(), *([table.rest] if table.rest else [])}:
                if word not in step.words:
                    hint = "one of " + ", ".join(step.words) + shape.near(word, step.words)
                    self._say("map.codes.word", node, key, f"{word} in the table {table.name}", hint)
            if table.keep:
                self._say(
                    "map.codes.word", node, key, f"…: keep in {table.name}", "…: {read: other} for a closed field"
                )
        if preset:  # a line may still say otherwise
            place.known.preset.add(path[0].name)
        elif not place.known.claim(path):
            self._say("map.field.twice", node, key, said, "one line for the field")
            return False
        return True

    def _resolve(self, path: Path, node: Node, key: str, place: Place) -> shape.Step | None:
        models = place.models
        found: shape.Step | None = None
        for number, part in enumerate(path):
            options = [own[part.name] for model in models if part.name in (own := shape.fields(model))]
            names = sorted({name for model in models for name in shape.fields(model)})
            said = ".".join(map(str, path))
            if found is not None and found.many and not path[number - 1].key:
                name = path[number - 1].name
                self._say("map.field.unknown", node, key, said, f"each: {name}, or {name}[key=value].{part.name}")
                return None
            if not options:
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


def compile_codes(node: Node | None, problems: Problems) -> dict[str, Codes]:
    """All code tables of a map."""
    return {name: read_codes(name, table, problems) for name, table in (node.keys if node else {}).items()}


def _misfit(step: shape.Step, makes: str) -> str:
    """What a field wants instead of what its pair makes; empty where they fit."""
    if makes == "when":
        return "" if WhenPart in step.models and not step.many else "a field that is a when"
    if makes == "list":
        return "" if step.type is str and not step.models else "a list of texts, or a text for lines"
    if makes == "pairs":
        return "" if step.many and step.models else "a list of {scheme, value}"
    if step.many or step.models:
        return "a plain field; name the one inside"
    return {
        "decimal": "" if step.type is Decimal else "a decimal field",
        "date": "" if step.type is dt.date else "a date field",
        "text": "" if step.type is str else "a text field",
    }.get(makes, "")


def _count(what: str) -> Count:
    if what == "HL":
        return lambda _document, nodes: nodes
    read = getter(read_path(what) or ())

    def count(document: Json, _nodes: int) -> int:
        return len(read(document) or ())

    return count


def _kind(model: type[BaseModel]) -> str:
    return "".join(shape.fields(model)["kind"].words) if "kind" in model.model_fields else ""


def _selectors(rule: Rule) -> object:
    lens = rule.lens if isinstance(rule, One) else rule.first if isinstance(rule, Inside) else None
    return lens.selectors if lens else None


def _claims(nodes: list[Node]) -> tuple[tuple[str, str, str], ...]:
    """List, key, value of every `list[key=value]` in the lines of a scope's own segments."""
    found = []
    for node in nodes:
        if "each" in node.keys:
            continue
        for name, inside in node.keys.items():
            if name in ATTRIBUTES:
                continue
            for spec in inside.keys.values():
                path = read_path((spec.text or "").split("|")[0].strip()) or ()
                found += [(step.name, step.key, step.value) for step in path[:1] if step.key]
    return tuple(dict.fromkeys(found))


def _claimed(place: Place, path: Path) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for name, key, value in place.claimed if len(path) == 1 and path[0].name == name)
