"""Compiles hierarchies: `tree: HL` and `tree: CPS` with their levels, and rules that share a list of nodes with them.

The levels' own segments are the compiler's work.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel

from gateway.canonical import shape
from gateway.mapping.fields import How, Place, Taken
from gateway.mapping.known import Known
from gateway.mapping.paths import Path, read_path
from gateway.mapping.segments.hierarchy import DOCUMENT, Level, Tree
from gateway.mapping.segments.orders import Ordered
from gateway.mapping.segments.packages import OTHER, ROOT, Packages
from gateway.mapping.segments.rule import Rule
from gateway.mapping.segments.scope import Scope
from gateway.mapping.segments.several import Each
from gateway.mapping.segments.shared import Shared
from gateway.mapping.source import Node
from gateway.mapping.state import Json

NESTS: Final = ("HL", "CPS")
"""Segments whose loops nest by their first two elements."""
LINES: Final = "lines"
"""What `orders` may say: each line says its order."""
_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "HL": ("is", "set", "in", "segments"),
    "CPS": ("is", "set", "in", "segments", "presume", "unless"),
}


class TreeRules(Shared, ABC):
    """The part of the compiler that knows lists of nodes."""

    @abstractmethod
    def scope(self, segments: Node, label: str, place: Place) -> Scope:
        """The rules of a list of segments and loops: the whole compiler's work."""

    def says_orders(self, segments: Node) -> bool:
        """Whether the tree among these rules has `orders: lines`."""
        for node in segments.items:
            spec = node.keys.get("orders")
            if spec is not None and (spec.text != LINES or "tree" not in node.keys):
                self._say("map.file.shape", spec, "orders", spec.text or "nothing", f"orders: {LINES} beside a tree")
            elif spec is not None:
                return True
        return False

    def tree(self, node: Node, place: Place) -> Rule | None:
        """The hierarchy."""
        each, levels = node.keys.get("each"), node.keys.get("levels")
        nests = node.keys["tree"].text or ""
        if nests not in NESTS:
            self._say("map.file.shape", node.keys["tree"], f"{place.key}.tree", nests, "HL or CPS")
            return None
        many = self._list(each, place) if each is not None else None
        if many is None or levels is None or not levels.keys:
            self._say(
                "map.file.shape", node, place.key, "a tree", f"tree: {nests}, each: contents, levels: {{CODE: …}}"
            )
            return None
        path = (each.text if each else None) or ""
        kinds = {_kind(model): model for model in many.models}
        made: dict[str, Level] = {}
        inside: dict[str, Place] = {}
        for code, spec in levels.keys.items():
            found = self._level(code, spec, kinds, place, nests)
            if found is not None:
                made[code], inside[code] = found
        # Of HL a node is what its preset fields say; the places are found before the segments inside are compiled.
        if nests == "HL":
            for code, level in made.items():
                level.told = level.preset
                if level.kind != DOCUMENT:
                    many.known.put_kind((level.kind, level.told), inside[code].known)
            self.note(Taken(How.KINDS, read_path(path) or (), many.known.kinds), place.known)
        for code, level in made.items():
            self._fill(level, levels.keys[code], inside[code], nests, (made, path, many))
        if nests == "CPS":
            self._tell(made, inside, path, place)
            self.note(Taken(How.ALONE, ()), place.known)  # what is told depends on the rules before it
        return Tree(made, path) if nests == "HL" else Packages(made, path)

    def _level(
        self, code: str, spec: Node, kinds: dict[str, type[BaseModel]], place: Place, nests: str
    ) -> tuple[Level, Place] | None:
        """A level without its segments, and where they work."""
        own = f"{place.key}/{code}"
        for key in spec.keys:
            if key not in _KEYS[nests]:
                wanted = "one of " + ", ".join(_KEYS[nests]) + shape.near(key, _KEYS[nests])
                self._say("map.key.unknown", spec.keys[key], f"{own}.{key}", key, wanted)
        kind = (spec.keys["is"].text if "is" in spec.keys else "") or ""
        if kind not in (DOCUMENT, *kinds):
            wanted = "one of " + ", ".join((DOCUMENT, *kinds)) + shape.near(kind, (DOCUMENT, *kinds))
            self._say("map.field.unknown", spec.keys.get("is", spec), f"{own}.is", kind, wanted)
            return None
        if nests == "HL" and code in {ROOT, OTHER}:
            self._say("map.file.shape", spec, own, code, "a code of HL03; root and … are levels of a CPS")
        if nests == "CPS" and (code == ROOT) is not (kind == DOCUMENT):
            wanted = f"{ROOT}: {{is: document}}, and packages under a code of CPS03 or {OTHER}"
            self._say("map.file.shape", spec, own, f"{code} is {kind}", wanted)
        here = replace(place, key=own)
        preset: tuple[tuple[str, str], ...] = ()
        if kind != DOCUMENT:
            here = Place((kinds[kind],), Known(preset=frozenset({"kind"})), own)
            preset = self._preset(spec, here)
        parents, unless = spec.keys.get("in"), spec.keys.get("unless")
        level = Level(code, kind, preset, tuple(each.text or "" for each in (parents.items if parents else [])))
        level.unless = tuple((unless.text or "").split("/")) if unless else ()
        presume = spec.keys.get("presume")
        for name, value in (presume.keys if presume else {}).items():
            if self._resolve(read_path(name) or (), value, f"{own}.presume.{name}", here):
                level.presumed = (*level.presumed, (name, value.text or ""))
        return level, here

    def _fill(
        self, level: Level, spec: Node, here: Place, nests: str, tree: tuple[dict[str, Level], str, Place]
    ) -> None:
        """The level's segments, and below them the tree itself."""
        made, path, many = tree
        segments = spec.keys.get("segments") or Node([], spec.file, spec.line)
        label = f"{nests}/{level.code}"
        scope = self.scope(segments, label, here)
        below: Rule = Tree(made, path, level.code)
        if nests == "CPS":
            aside = frozenset(each.only for each in scope.rules if isinstance(each, Each) and each.only)
            below = Packages(made, path, level.code, aside)
            level.plain = scope
            lined = here.known.fields
            level.told = tuple((key, value) for key, value in level.preset if not (key in lined and lined[key].leaf))
        level.scope = Scope(label, (*scope.rules, below), scope.conditions, scope.counted)
        if level.kind != DOCUMENT:
            contents = here.known.fields.get(path) or here.known.put(path, Known())
            if nests == "HL":
                contents.kinds = many.known.kinds
            self._required(here.known, here.models, spec, here.key)

    def _tell(self, made: dict[str, Level], inside: dict[str, Place], path: str, place: Place) -> None:
        """What is expressed of each list of nodes: packages everywhere, what other rules write, and orders."""
        packages: dict[tuple[str | None, tuple[tuple[str, str], ...]], Known] = {
            (each.kind, each.told): inside[code].known for code, each in made.items() if each.kind != DOCUMENT
        }
        lists = [place.known.at(read_path(path) or ())]
        lists += [here.known.fields[path] for here in inside.values() if here.known is not place.known]
        for known in lists:
            line = known.kinds.get(("line", ()))
            known.kinds = {**packages, **known.kinds}
            if self.line_orders and line is not None and "order" in line.fields:
                order = {"order": line.fields["order"], path: Known(kinds=known.kinds)}
                known.put_kind(("order", ()), Known(preset=frozenset({"kind"}), fields=order))

    def _preset(self, node: Node, place: Place) -> tuple[tuple[str, str], ...]:
        spec = node.keys.get("set")
        preset = []
        for name, value in (spec.keys if spec else {}).items():
            kind = name == "kind" and bool(self._kind_of(node))
            own = f"{place.key}.set.{name}"
            if kind or self.field(read_path(name) or (), "text", None, value, own, place, preset=True):
                preset.append((name, value.text or ""))
        return tuple(preset)

    def _kind_of(self, node: Node) -> str:
        """The kind of node that a rule's `set` names."""
        spec = node.keys.get("set")
        kind = spec.keys.get("kind") if spec is not None and "each" in node.keys else None
        return (kind.text if kind is not None else "") or ""

    def _list(self, each: Node, place: Place, kind: str = "") -> Place | None:
        """The place inside the items of a list; of `kind` alone where it is given."""
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
        if kind:
            return self._of_kind(kind, step, each, path, replace(place, key=key))
        taken = Taken(How.ITEMS, path, Known(leaf=not step.models))
        if not taken.free(place.known):
            self._say("map.field.twice", each, key, each.text or "", "one rule for the list")
            return None
        self.note(taken, place.known)
        return Place(step.models, taken.value, place.key)

    def _of_kind(self, kind: str, step: shape.Step, each: Node, path: Path, place: Place) -> Place | None:
        key = place.key
        kinds = {_kind(model): model for model in step.models}
        if kind not in kinds:
            wanted = "one of " + ", ".join(filter(None, kinds)) + shape.near(kind, kinds)
            self._say("map.field.unknown", each, key, f"kind {kind}", wanted)
            return None
        inside = Known(preset=frozenset({"kind"}))
        taken = Taken(How.KIND, path, (kind, inside))
        if not taken.free(place.known):
            self._say("map.field.twice", each, key, f"{each.text} of kind {kind}", "one rule for the nodes of a kind")
            return None
        self.note(taken, place.known)
        extra = (Ordered,) if self.line_orders and kind == "line" else ()
        return Place((kinds[kind], *extra), inside, key.removesuffix(".each"))


def lines_of(document: Json) -> int:
    """The number of lines in a tree."""
    count = 0
    waiting: list[Any] = [document.get("contents") or ()]
    while waiting:
        for node in waiting.pop():
            count += node.get("kind") == "line"
            if below := node.get("contents"):
                waiting.append(below)
    return count


def _kind(model: type[BaseModel]) -> str:
    return "".join(shape.fields(model)["kind"].words) if "kind" in model.model_fields else ""
