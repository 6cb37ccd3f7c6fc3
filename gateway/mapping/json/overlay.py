"""Deltas of JSON maps, written like a map and merged into its base, or with the words of all deltas.

    fields  a line added or replaced; ~ removes it
    lists   a rule with the `at` (and `set`) of a base's rule is merged into it, any other is added; levels by code
    change  {/Items: {/Line: line_id, each: lines}, .: {/Number: number}}   lines and attributes; `.` is the whole body
    before, after  {/Items: [rules], /Items/Line: {/Sku: …}}                arrays beside an array, lines beside a line
    remove  [/Items/Confirmations, /Items/Line]                             arrays, levels and lines

A path is made of the arrays' pointers one below the other, of a tree then the level's code, at last a line's pointer.
All paths of a file speak of its base as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.canonical.shape import near
from gateway.mapping.rules import Problems
from gateway.mapping.source import Node

ROOT: Final = "."
_CHANGED: Final = ("each", "at", "by", "set", "is", "in")
_NESTED: Final = ("fields", "lists", "levels")


@dataclass(frozen=True, slots=True)
class _Spot:
    """An array's rule, a level or a line of the base; the object and section it stands in."""

    path: str
    owner: Node
    section: str
    """`lists`, `levels`, `fields`; empty for the whole body."""
    key: str
    """Of a level its code, of a line its pointer."""
    rule: Node
    above: tuple[Node, ...]


def apply_json(base: Node, delta: Node, problems: Problems) -> list[tuple[str, Node]]:
    """Merge `delta` into `base`; what was removed, by its path."""
    if "one_way" in delta.keys:
        base.keys["one_way"] = delta.keys["one_way"]
    work = _Delta(base, delta, problems)
    work.prepare()
    work.merge(base, delta, "")
    return work.apply()


class _Delta:
    def __init__(self, base: Node, delta: Node, problems: Problems) -> None:
        self.base = base
        self.delta = delta
        self.problems = problems
        self.spots: dict[str, list[tuple[str, Node, _Spot]]] = {}
        self.changed: dict[tuple[int, str], Node] = {}
        """By object and line: which node of the delta set it."""

    def prepare(self) -> None:
        """Find every path, before anything is changed."""
        for section, wanted in (("change", "{/Member: field}"), ("before", "rules"), ("after", "rules")):
            node = self.delta.keys.get(section)
            found = self.spots.setdefault(section, [])
            for path, value in (node.keys if node else {}).items():
                if not value.keys and not value.items:
                    self._shape(value, f"{section}.{path}", value.text or "nothing", wanted)
                elif (spot := self._find(path, value, section)) is not None:
                    found.append((path, value, spot))
        removed = self.delta.keys.get("remove")
        gone = self.spots.setdefault("remove", [])
        for value in removed.items if removed else []:
            if (spot := self._find(value.text or "", value, "remove")) is None:
                continue
            other = next((one for _, one, known in gone if known.rule is spot.rule), None)
            if other is not None:
                self._conflict(value, f"remove.{value.text}", f"{value.text} removed twice", other)
            else:
                gone.append((value.text or "", value, spot))

    def merge(self, base: Node, delta: Node, at: str) -> None:
        """The sections `fields` and `lists` of an object."""
        if "fields" in delta.keys:
            self._lines(base, delta.keys["fields"].keys, f"{at}fields", delta)
        if "lists" in delta.keys:
            lists = base.keys.setdefault("lists", Node([], delta.file, delta.line))
            for rule in delta.keys["lists"].items:
                own = next((each for each in lists.items if _same(each, rule)), None)
                if own is None:
                    lists.items.append(rule)
                else:
                    self._rule(own, rule, f"{at}lists{_at(rule)}.")

    def _rule(self, base: Node, delta: Node, at: str) -> None:
        for name, spec in delta.keys.items():
            if name not in _NESTED:
                base.keys[name] = spec
        self.merge(base, delta, at)
        for code, spec in (delta.keys["levels"].keys if "levels" in delta.keys else {}).items():
            levels = base.keys.setdefault("levels", Node({}, spec.file, spec.line)).keys
            if spec.value is None:
                if levels.pop(code, None) is None:
                    self._nowhere(spec, f"{at}levels.{code}", code, levels)
            elif code in levels:
                self._rule(levels[code], spec, f"{at}levels.{code}.")
            else:
                levels[code] = spec

    def apply(self) -> list[tuple[str, Node]]:
        """The sections `change`, `before`, `after`, `remove`; what was removed."""
        gone = {id(spot.rule): (path, node) for path, node, spot in self.spots["remove"]}
        for section in ("change", "before", "after"):
            for path, node, spot in self.spots[section]:
                way = {*map(id, spot.above), *([id(spot.rule)] if section == "change" else [])}
                for rule in way & gone.keys():
                    removed, line = gone[rule]
                    self._conflict(node, f"{section}.{path}", f"{path} is removed with {removed}", line)
        for path, node, spot in self.spots["change"]:
            self._change(path, node, spot)
        for shift, section in ((0, "before"), (1, "after")):
            for path, node, spot in self.spots[section]:
                self._beside(f"{section}.{path}", node, spot, shift)
        for _, node, spot in self.spots["remove"]:
            if spot.section == "lists":
                rules = spot.owner.keys["lists"].items
                rules[:] = [one for one in rules if one is not spot.rule]
            elif not spot.section:
                self._shape(node, "remove", ROOT, "an array, a level or a line")
            else:
                spot.owner.keys[spot.section].keys.pop(spot.key, None)
        return [(path, node) for path, node, _ in self.spots["remove"]]

    def _change(self, path: str, node: Node, spot: _Spot) -> None:
        if spot.section == "fields" or not node.keys:
            wanted = "an array, a level or . and in it {/Member: field}"
            self._shape(node, f"change.{path}", path, wanted)
            return
        lines = {key: value for key, value in node.keys.items() if key.startswith("/")}
        for key, value in node.keys.items():
            own = f"change.{path}.{key}"
            if key in lines:
                continue
            if key not in _CHANGED or not spot.section:
                wanted = "a pointer, or one of " + ", ".join(_CHANGED) + near(key, _CHANGED)
                self.problems.add("map.key.unknown", value.file, value.line, own, said=key, wanted=wanted)
            elif value.value is not None:
                spot.rule.keys[key] = value
            elif spot.rule.keys.pop(key, None) is None:
                self._nowhere(value, own, key, spot.rule.keys)
        self._lines(spot.rule, lines, f"change.{path}", node)

    def _lines(self, owner: Node, lines: dict[str, Node], at: str, asked: Node) -> None:
        if not lines:
            return
        fields = owner.keys.setdefault("fields", Node({}, asked.file, asked.line)).keys
        for text, spec in lines.items():
            before = self.changed.setdefault((id(owner), text), spec)
            if before is not spec:
                self._conflict(spec, f"{at}.{text}", f"{text} changed twice", before)
            elif spec.value is not None:
                fields[text] = spec
            elif fields.pop(text, None) is None:
                self._nowhere(spec, f"{at}.{text}", text, fields)

    def _beside(self, key: str, node: Node, spot: _Spot, shift: int) -> None:
        if spot.section == "lists" and node.items:
            rules = spot.owner.keys["lists"].items
            index = next((place for place, one in enumerate(rules) if one is spot.rule), 0)
            rules[index + shift : index + shift] = node.items
        elif spot.section == "fields" and node.keys:
            fields = spot.owner.keys["fields"]
            entries = [(text, spec) for text, spec in fields.keys.items() if text not in node.keys]
            index = next((place for place, one in enumerate(entries) if one[0] == spot.key), len(entries) - 1)
            entries[index + shift : index + shift] = node.keys.items()
            fields.value = dict(entries)
        else:
            self._shape(node, key, spot.path, "a list of rules beside an array, {/Member: field} beside a line")

    def _find(self, path: str, asked: Node, section: str) -> _Spot | None:
        """The array, level or line at `path`."""
        if path == ROOT:
            return _Spot(path, self.base, "", "", self.base, ())
        here, left = self.base, path
        above: list[Node] = []
        while True:
            known = list(_inside(here))
            exact = next((one for one in known if one[0] == left), None)
            if exact is not None:
                _, kind, key, rule = exact
                return _Spot(path, here, kind, key, rule, tuple(above))
            way = next((one for one in known if one[1] != "fields" and left.startswith(f"{one[0]}/")), None)
            if way is None:
                names = [name for name, *_ in known]
                wanted = "an array, level or line of the base map" + near(left, names)
                self.problems.add(
                    "map.change.nowhere", asked.file, asked.line, f"{section}.{path}", said=left, wanted=wanted
                )
                return None
            here, left = way[3], left.removeprefix(way[0])
            above.append(here)

    def _nowhere(self, node: Node, key: str, said: str, known: dict[str, Node]) -> None:
        wanted = "an entry of the base map" + near(said, known)
        self.problems.add("map.change.nowhere", node.file, node.line, key, said=said, wanted=wanted)

    def _conflict(self, node: Node, key: str, said: str, other: Node) -> None:
        wanted = f"one line; the other is {other.file}:{other.line}"
        self.problems.add("map.delta.conflict", node.file, node.line, key, said=said, wanted=wanted)

    def _shape(self, node: Node, key: str, said: str, wanted: str) -> None:
        self.problems.add("map.file.shape", node.file, node.line, key, said=said, wanted=wanted)


def _inside(owner: Node) -> Iterator[tuple[str, str, str, Node]]:
    """What an object holds: name in paths, section, key, node. The longer names first."""
    found: list[tuple[str, str, str, Node]] = []
    for code, level in (owner.keys["levels"].keys if "levels" in owner.keys else {}).items():
        found.append((f"/{code}", "levels", code, level))
    seen: dict[str, int] = {}
    for rule in owner.keys["lists"].items if "lists" in owner.keys else []:
        at = _at(rule)
        seen[at] = seen.get(at, 0) + 1
        found.append((at if seen[at] == 1 else f"{at}#{seen[at]}", "lists", at, rule))
    for text, line in (owner.keys["fields"].keys if "fields" in owner.keys else {}).items():
        found.append((text, "fields", text, line))
    yield from sorted(found, key=lambda one: -len(one[0]))


def _at(rule: Node) -> str:
    return (rule.keys["at"].text if "at" in rule.keys else None) or ""


def _same(base: Node, rule: Node) -> bool:
    """Whether a delta's rule is about the base's: the same array, and the same values where both set some."""
    if _at(base) != _at(rule):
        return False
    mine, theirs = (_preset(one) for one in (base, rule))
    return not mine or not theirs or mine == theirs


def _preset(rule: Node) -> dict[str, str | None]:
    return {name: node.text for name, node in (rule.keys["set"].keys if "set" in rule.keys else {}).items()}
