"""Items of a list that single lines of a scope write: `prices[type=unit].amount`; the rule for the list leaves them."""

from __future__ import annotations

from gateway.mapping.fields import Place
from gateway.mapping.paths import Path, read_path
from gateway.mapping.segments.labels import ATTRIBUTES
from gateway.mapping.source import Node


def claims(nodes: list[Node]) -> tuple[tuple[str, str, str], ...]:
    """List, key, value of every `list[key=value]` in the lines of a scope's own segments."""
    found: list[tuple[str, str, str]] = []
    for node in nodes:
        if "each" in node.keys:
            continue
        if "segments" in node.keys:  # a loop that speaks of the scope's own object
            found += claims(node.keys["segments"].items)
        for name, inside in node.keys.items():
            if name in ATTRIBUTES:
                continue
            for spec in inside.keys.values():
                if "[" not in (spec.text or ""):
                    continue
                path = read_path((spec.text or "").split("|")[0].strip()) or ()
                found += [(step.name, step.key, step.value) for step in path[:1] if step.key and not step.other]
    return tuple(dict.fromkeys(found))


def claimed(place: Place, path: Path) -> tuple[tuple[str, str], ...]:
    """Key and value of the items of the list at `path`."""
    return tuple((key, value) for name, key, value in place.claimed if len(path) == 1 and path[0].name == name)
