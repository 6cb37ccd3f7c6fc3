"""What stood in a node before it was translated, kept beside what stands there now: `extensions.references`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BESIDE = "references"
"""Under `extensions`."""


def beside(node: Mapping[str, Any]) -> dict[str, Any]:
    """What stands beside, by field."""
    extensions = node.get("extensions")
    found = extensions.get(BESIDE) if isinstance(extensions, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def restored(node: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """`node` with what stood beside it in its place again."""
    extensions = dict(node.get("extensions") or {})
    left = {name: value for name, value in beside(node).items() if name not in before}
    extensions.pop(BESIDE, None)
    if left:
        extensions[BESIDE] = left
    basis = {"basis_quantity"} if "amount" in before else set()
    rest = {name: value for name, value in node.items() if name != "extensions" and name not in basis - set(before)}
    return {**rest, **before, **({"extensions": extensions} if extensions else {})}


def kept(changed: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """`changed` with what stood there before beside it; with an empty `before`, and nothing else beside, without."""
    extensions = dict(changed.get("extensions") or {})
    stays = {name: value for name, value in beside(changed).items() if name not in before} | dict(before)
    extensions.pop(BESIDE, None)
    if stays:
        extensions[BESIDE] = stays
    rest = {name: value for name, value in changed.items() if name != "extensions"}
    return rest | ({"extensions": extensions} if extensions else {})


def become(node: dict[str, Any], other: dict[str, Any]) -> None:
    """`node` is referred to from above: it stays the same object."""
    node.clear()
    node.update(other)
