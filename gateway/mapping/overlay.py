"""Deltas: a map that `extends` another and says only what differs.

    codes   entries added or replaced; ~ removes one
    change  {PO1/ACK: {ACK29: reason}}     elements of a segment added or replaced; ~ removes one
    before, after  {BAK: [rules]}          rules put beside a rule
    remove  [PO1/PID]                      rules taken away

A rule's path is its key under the keys above it: PO1/ACK, HL/S/REF*BM; the second of the same key is PID#2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from gateway.canonical.shape import near
from gateway.mapping.json.overlay import apply_json
from gateway.mapping.rules import Problems
from gateway.mapping.source import Node, read_source

Finder = Callable[[str], tuple[str, str] | None]
"""From a map's name (`x12/855`) to its file's name and text; None where there is none."""

MAX_EXTENDS: Final = 8
ATTRIBUTES: Final = (
    "each",
    "emit",
    "repeat",
    "segments",
    "set",
    "levels",
    "when",
    "nth",
    "inherit",
    "hoist",
    "more",
    "first",
    "orders",
)
"""Keys of a rule that say how; the one other key says what."""
JSON: Final = "json"
"""The `document` of maps for JSON bodies."""
_ANY: Final = ("document", "canonical", "title", "extends", "codes", "examples", "remove")
_TOP: Final = (*_ANY, "set", "segments", "change", "before", "after")
_JSON_TOP: Final = (*_ANY, "fields", "lists", "one_way")


def resolve(name: str, finder: Finder, problems: Problems) -> tuple[Node | None, str]:
    """The map `name` with all its bases applied, and the SHA-256 over every source it is made of."""
    sources: list[str] = []
    node = _resolve(name, finder, problems, (), sources, ("", 1))
    return node, hashlib.sha256("\0".join(sources).encode("utf-8", "surrogatepass")).hexdigest()


def _resolve(  # noqa: PLR0917  one step of the recursion
    name: str, finder: Finder, problems: Problems, above: tuple[str, ...], sources: list[str], asked: tuple[str, int]
) -> Node | None:
    if name in above or len(above) >= MAX_EXTENDS:
        chain = " → ".join((*above, name))
        problems.add("map.extends.cycle", *asked, "extends", said=chain, wanted=f"at most {MAX_EXTENDS} different maps")
        return None
    try:
        found = finder(name)
    except UnicodeDecodeError:
        problems.add("map.file.yaml", name, 1, "", said="bytes that are no UTF-8", wanted="UTF-8")
        return None
    if found is None:
        file, line = (asked[0] or name, asked[1])
        problems.add("map.file.missing", file, line, "extends" if above else "", said=name, wanted="a map of that name")
        return None
    sources.append(found[1])
    own = read_source(found[0], found[1], problems)
    if own is None:
        return None
    parent = own.keys.get("extends")
    if parent is None:
        _known_keys(own, own, problems)
        return own
    base = _resolve(parent.text or "", finder, problems, (*above, name), sources, (parent.file, parent.line))
    if base is None:
        return None
    _known_keys(own, base, problems)
    return _apply(base.copy(), own, problems)


def is_json(node: Node) -> bool:
    """Whether a map is for JSON bodies."""
    return "document" in node.keys and node.keys["document"].text == JSON


def _known_keys(own: Node, base: Node, problems: Problems) -> None:
    top = _JSON_TOP if is_json(base) else _TOP
    for key, node in own.keys.items():
        if key not in top:
            wanted = "one of " + ", ".join(top) + near(key, top)
            problems.add("map.key.unknown", node.file, node.line, key, said=key, wanted=wanted)


def _apply(base: Node, delta: Node, problems: Problems) -> Node:
    keys = base.keys
    for name in ("document", "canonical", "title", "set", "examples"):
        if name in delta.keys:
            keys[name] = delta.keys[name]
    if "examples" not in delta.keys:
        keys.pop("examples", None)  # the base's examples hold for the base
    _codes(keys.setdefault("codes", Node({}, base.file, base.line)), delta.keys.get("codes"))
    if is_json(base):
        apply_json(base, delta, problems)
        return base
    for path, node in _section(delta, "change"):
        rule = _segment_at(base, path, node, problems, "change")
        if rule is not None:
            _merge(rule, node)
    for section, shift in (("before", 0), ("after", 1)):
        for path, node in _section(delta, section):
            place = _find(base, path, node, problems, section)
            if place is not None:
                siblings, index = place
                siblings[index + shift : index + shift] = node.items
    removed = delta.keys.get("remove")
    for node in removed.items if removed else []:
        place = _find(base, node.text or "", node, problems, "remove")
        if place is not None:
            del place[0][place[1]]
    return base


def _section(delta: Node, name: str) -> list[tuple[str, Node]]:
    node = delta.keys.get(name)
    return list(node.keys.items()) if node else []


def _codes(base: Node, delta: Node | None) -> None:
    for table, node in (delta.keys if delta else {}).items():
        _merge(base.keys.setdefault(table, Node({}, node.file, node.line)), node)


def _merge(base: Node, delta: Node) -> None:
    for key, node in delta.keys.items():
        if node.value is None:
            base.keys.pop(key, None)
        else:
            base.keys[key] = node


def rule_key(rule: Node) -> str:
    """What a rule is about: `BAK`, `REF*BM`, `N1` for a loop, `HL` for a tree; empty where it says nothing."""
    for key, node in rule.keys.items():
        if key in ("loop", "tree"):
            return node.text or ""
    return next((key for key in rule.keys if key not in ATTRIBUTES), "")


def labels(rules: list[Node]) -> list[str]:
    """The rules' keys made unique: the second `PID` is `PID#2`."""
    seen: dict[str, int] = {}
    names = []
    for rule in rules:
        key = rule_key(rule)
        seen[key] = seen.get(key, 0) + 1
        names.append(key if seen[key] == 1 else f"{key}#{seen[key]}")
    return names


def _find(base: Node, path: str, asked: Node, problems: Problems, section: str) -> tuple[list[Node], int] | None:
    """The list and the index of the rule at `path`."""
    segments = base.keys.get("segments")
    siblings = segments.items if segments else []
    steps = path.split("/")
    taken: list[str] = []
    while steps:
        names = labels(siblings)
        step = steps.pop(0)
        if step not in names:
            wanted = f"a rule of {'/'.join(taken) or 'the base map'}" + near(step, names)
            problems.add("map.change.nowhere", asked.file, asked.line, f"{section}.{path}", said=step, wanted=wanted)
            return None
        index = names.index(step)
        if not steps:
            return siblings, index
        taken.append(step)
        rule = siblings[index]
        if "levels" in rule.keys and len(steps) > 1:  # of a tree the next step is a level's code
            taken.append(steps.pop(0))
            rule = rule.keys["levels"].keys.get(taken[-1], rule)
        inside = rule.keys.get("segments")
        siblings = inside.items if inside else []
    return None


def _segment_at(base: Node, path: str, asked: Node, problems: Problems, section: str) -> Node | None:
    """The elements of the segment rule at `path`; of a loop those of its first segment."""
    place = _find(base, path, asked, problems, section)
    if place is None:
        return None
    rule = place[0][place[1]]
    inside = rule.keys.get("segments")
    if inside and inside.items:
        rule = inside.items[0]
    return rule.keys.get(rule_key(rule))
