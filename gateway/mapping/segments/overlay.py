"""Deltas of segments maps: what `change`, `before`, `after` and `remove` of one file do to its base.

    change  {PO1/ACK: {ACK29: reason}}     elements and attributes of a rule added or replaced; ~ removes one
            {FOB: ignore}                  all of a segment's lines replaced by the one word
    before, after  {BAK: [rules]}          rules put beside a rule
    remove  [PO1/PID, HL/P]                rules and levels taken away

A rule's path is its key under the keys above it: PO1/ACK, HL/S/REF*BM; the second of the same key is PID#2. All paths
of a file speak of its base as it is, never of what another line of the same file makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.canonical.shape import near
from gateway.mapping.rules import Problems
from gateway.mapping.segments.labels import ATTRIBUTES, labels, rule_key
from gateway.mapping.segments.words import IGNORE
from gateway.mapping.source import Node

_NESTED: Final = ("segments", "levels")
_CHANGED: Final = tuple(name for name in ATTRIBUTES if name not in _NESTED)
"""Attributes that `change` may set; what is nested has paths of its own."""
_LEVEL: Final = ("is", "set", "in", "presume", "unless")


@dataclass(frozen=True, slots=True)
class _Spot:
    """A rule or a level of the base, and all that it stands in."""

    rule: Node
    siblings: list[Node]
    """The list it stands in; empty for a level."""
    above: tuple[Node, ...]
    levels: dict[str, Node] | None = None
    code: str = ""

    @property
    def way(self) -> set[int]:
        """It and all that it stands in."""
        return {id(self.rule), *map(id, self.above)}


def apply_segments(base: Node, delta: Node, problems: Problems) -> list[tuple[str, Node]]:
    """Apply `delta` to `base`; what was removed, by its path."""
    return _Delta(base, delta, problems).apply()


class _Delta:
    def __init__(self, base: Node, delta: Node, problems: Problems) -> None:
        self.base = base
        self.delta = delta
        self.problems = problems
        self.removed: list[tuple[str, Node]] = []
        self.own: dict[int, Node] = {}
        """Nodes of this delta's outcome alone, which may be changed; all others are the base's."""

    def apply(self) -> list[tuple[str, Node]]:
        changes = list(self._paths("change", adding=True))
        beside = [(shift, *one) for shift, name in ((0, "before"), (1, "after")) for one in self._paths(name)]
        gone: dict[int, tuple[str, Node]] = {}
        removals: list[_Spot] = []
        for path, node, spot in self._removals():
            if id(spot.rule) in gone:
                self._conflict(node, f"remove.{path}", f"{path} removed twice", gone[id(spot.rule)][1])
                continue
            gone[id(spot.rule)] = (path, node)
            removals.append(spot)
        for path, node, spot in changes:
            self._not_gone("change", path, node, spot.way, gone)
        for shift, path, node, spot in beside:  # beside a rule that goes is how a rule is replaced
            self._not_gone(("before", "after")[shift], path, node, {id(one) for one in spot.above}, gone)
        done: dict[tuple[int, str], Node] = {}
        for path, node, spot in changes:
            self._change(path, node, spot, done)
        for shift, path, node, spot in beside:
            if spot.levels is not None:
                self._shape(
                    node, f"{('before', 'after')[shift]}.{path}", "a level", "change for a level: it has no order"
                )
                continue
            index = next(place for place, one in enumerate(spot.siblings) if one is spot.rule)
            spot.siblings[index + shift : index + shift] = node.items
        for spot in removals:
            if spot.levels is not None:
                spot.levels.pop(spot.code, None)
            else:
                spot.siblings[:] = [one for one in spot.siblings if one is not spot.rule]
        return self.removed

    def _paths(self, section: str, *, adding: bool = False) -> Iterator[tuple[str, Node, _Spot]]:
        node = self.delta.keys.get(section)
        for path, value in (node.keys if node else {}).items():
            wanted = "{ELEMENT: field}, or ignore" if section == "change" else "a list of rules"
            if not ((value.keys or value.text == IGNORE) if section == "change" else value.items):
                self._shape(value, f"{section}.{path}", value.text or "nothing", wanted)
                continue
            spot = self._find(path, value, section, adding=adding)
            if spot is not None:
                yield path, value, spot

    def _removals(self) -> Iterator[tuple[str, Node, _Spot]]:
        node = self.delta.keys.get("remove")
        for one in node.items if node else []:
            if not one.text:
                self._shape(one, "remove", "no path", "a path such as PO1/PID")
                continue
            spot = self._find(one.text, one, "remove")
            if spot is not None:
                self.removed.append((one.text, one))
                yield one.text, one, spot

    def _find(self, path: str, asked: Node, section: str, *, adding: bool = False) -> _Spot | None:
        """The rule or level at `path`; a level that is missing is made where `adding`."""
        siblings = self._inside(self.base, "segments").items
        above: list[Node] = []
        steps, taken = path.split("/"), [""][:0]
        while True:
            names = labels(siblings)
            step = steps.pop(0)
            if step not in names:
                self._nowhere(path, asked, section, step, taken, names)
                return None
            taken.append(step)
            index = names.index(step)
            rule = siblings[index] = self._mine(siblings[index])
            if not steps:
                return _Spot(rule, siblings, tuple(above))
            above.append(rule)
            if "levels" in rule.keys:  # of a tree the next step is a level's code
                levels = self._inside(rule, "levels").keys
                code = steps.pop(0)
                if code not in levels:
                    if not (adding and not steps and "is" in asked.keys):
                        self._nowhere(path, asked, section, code, taken, list(levels))
                        return None
                    levels[code] = Node({}, asked.file, asked.line)
                rule = levels[code] = self._mine(levels[code])
                if not steps:
                    return _Spot(rule, [], tuple(above), levels, code)
                taken.append(code)
                above.append(rule)
            siblings = self._inside(rule, "segments").items

    def _mine(self, node: Node) -> Node:
        """The node to change in place of this one."""
        if id(node) in self.own:
            return node
        mine = node.own()
        self.own[id(mine)] = mine
        return mine

    def _inside(self, node: Node, key: str) -> Node:
        """What stands under `key` of a node that may be changed, to be changed too; an empty list for nothing."""
        if key not in node.keys:
            return Node([], node.file, node.line)
        node.keys[key] = mine = self._mine(node.keys[key])
        return mine

    def _change(self, path: str, node: Node, spot: _Spot, done: dict[tuple[int, str], Node]) -> None:
        """Attributes go to the rule; elements to the segment, of a loop to the first of its segments."""
        rule, elements = spot.rule, None
        if spot.levels is None and "tree" not in rule.keys:
            first = rule
            if inside := self._inside(rule, "segments").items:
                first = inside[0] = self._mine(inside[0])
            elements = self._inside(first, rule_key(first)) if rule_key(first) in first.keys else None
            if node.text == IGNORE:
                self._ignore(path, node, first, done)
                return
            if elements is not None and elements.text == IGNORE:
                elements.value = {}
        known = _LEVEL if spot.levels is not None else _CHANGED
        for key, value in node.keys.items():
            own = f"change.{path}.{key}"
            new = spot.levels is not None and key == "segments" and key not in rule.keys
            if key in known or new:
                target = rule
            elif elements is None or not key[:1].isupper():
                wanted = "an element, or one of " + ", ".join(known) + near(key, known)
                self.problems.add("map.key.unknown", value.file, value.line, own, said=key, wanted=wanted)
                continue
            else:
                target = elements
            before = done.setdefault((id(target), key), value)
            if before is not value:
                self._conflict(value, own, f"{key} changed twice", before)
            elif value.value is not None:
                target.keys[key] = value
            elif target.keys.pop(key, None) is None:
                wanted = f"an entry of {path} in the base map" + near(key, target.keys)
                self.problems.add("map.change.nowhere", value.file, value.line, own, said=key, wanted=wanted)

    def _ignore(self, path: str, node: Node, rule: Node, done: dict[tuple[int, str], Node]) -> None:
        key = rule_key(rule)
        before = done.setdefault((id(rule.keys[key]), ""), node)
        if before is not node:
            self._conflict(node, f"change.{path}", f"{key} changed twice", before)
        rule.keys[key] = node

    def _not_gone(self, section: str, path: str, node: Node, way: set[int], gone: dict[int, tuple[str, Node]]) -> None:
        for rule in way & gone.keys():
            removed, line = gone[rule]
            self._conflict(node, f"{section}.{path}", f"{path} is removed with {removed}", line)

    def _conflict(self, node: Node, key: str, said: str, other: Node) -> None:
        wanted = f"one line; the other is {other.file}:{other.line}"
        self.problems.add("map.delta.conflict", node.file, node.line, key, said=said, wanted=wanted)

    def _nowhere(  # noqa: PLR0917  the place, and what was looked for
        self, path: str, asked: Node, section: str, step: str, taken: list[str], names: list[str]
    ) -> None:
        wanted = f"a rule of {'/'.join(taken) or 'the base map'}" + near(step, names)
        self.problems.add("map.change.nowhere", asked.file, asked.line, f"{section}.{path}", said=step, wanted=wanted)

    def _shape(self, node: Node, key: str, said: str, wanted: str) -> None:
        self.problems.add("map.file.shape", node.file, node.line, key, said=said, wanted=wanted)
