"""Deltas of JSON maps: members have no order, so a delta is written like a map and merged into its base.

fields  a line added or replaced; ~ removes it
lists   a rule with the `at` (and `set`) of a base's rule is merged into it; any other is added
levels  of a tree: by code, merged; ~ removes one
remove  [/Items/Confirmations]     arrays taken away, by their pointers one below the other
"""

from __future__ import annotations

from gateway.canonical.shape import near
from gateway.mapping.rules import Problems
from gateway.mapping.source import Node


def apply_json(base: Node, delta: Node, problems: Problems) -> None:
    """Merge `delta` into `base`."""
    if "one_way" in delta.keys:
        base.keys["one_way"] = delta.keys["one_way"]
    _object(base, delta)
    removed = delta.keys.get("remove")
    for node in removed.items if removed else []:
        _remove(base, node, problems)


def _object(base: Node, delta: Node) -> None:
    if "fields" in delta.keys:
        fields = base.keys.setdefault("fields", Node({}, delta.file, delta.line))
        for text, spec in delta.keys["fields"].keys.items():
            if spec.value is None:
                fields.keys.pop(text, None)
            else:
                fields.keys[text] = spec
    if "lists" in delta.keys:
        lists = base.keys.setdefault("lists", Node([], delta.file, delta.line))
        for rule in delta.keys["lists"].items:
            own = next((each for each in lists.items if _key(each) == _key(rule)), None)
            if own is None:
                lists.items.append(rule)
            else:
                _rule(own, rule)


def _rule(base: Node, delta: Node) -> None:
    for name, spec in delta.keys.items():
        if name not in ("fields", "lists", "levels"):
            base.keys[name] = spec
    _object(base, delta)
    for code, spec in (delta.keys["levels"].keys if "levels" in delta.keys else {}).items():
        levels = base.keys.setdefault("levels", Node({}, spec.file, spec.line)).keys
        if spec.value is None:
            levels.pop(code, None)
        elif code in levels:
            _rule(levels[code], spec)
        else:
            levels[code] = spec


def _key(rule: Node) -> str:
    return (rule.keys["at"].text if "at" in rule.keys else None) or ""


def _remove(base: Node, asked: Node, problems: Problems) -> None:
    """Take away the array at the pointer, which is made of the arrays' pointers one below the other."""
    text = asked.text or ""
    here, left = base, text
    while True:
        lists = here.keys.get("lists")
        rules = {_key(rule): rule for rule in (lists.items if lists else [])}
        if lists is not None and left in rules:
            lists.items.remove(rules[left])
            return
        inside = next((at for at in rules if at and left.startswith(f"{at}/")), None)
        if inside is None:
            wanted = "an array of the base map" + near(left, rules)
            problems.add("map.change.nowhere", asked.file, asked.line, f"remove.{text}", said=text, wanted=wanted)
            return
        here, left = rules[inside], left.removeprefix(inside)
