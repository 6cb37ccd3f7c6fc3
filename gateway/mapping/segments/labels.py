"""What a rule of a segments map is called: `BAK`, `REF*BM`, `PID#2`; deltas and findings name rules so."""

from __future__ import annotations

from typing import Final

from gateway.mapping.source import Node

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
