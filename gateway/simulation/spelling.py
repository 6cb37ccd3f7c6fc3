"""Words for people in letters that the agreed syntax has: UNOA has capitals alone.

A made-up order or answer is told as such a partner would tell it. Numbers, codes and words of the canonical vocabulary
stay as they are: what of them cannot be written is a finding of the writer.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.edi.repertoires import repertoire_of

FREE: Final = frozenset({"name", "text", "title", "description", "city", "place", "additional_names", "reason"})
"""Fields with words for people; the lines of an address, too."""


def spelled(document: dict[str, Any], syntax: str, version: int) -> dict[str, Any]:
    """The document for a syntax identifier (0001) and its version; itself where that has small letters."""
    repertoire = repertoire_of(syntax, version)
    if repertoire is None or "a" in repertoire.characters:
        return document
    return {name: _capitals(value, free=name in FREE) for name, value in document.items()}


def _capitals(value: Any, *, free: bool) -> Any:
    if isinstance(value, str):
        return value.upper() if free else value
    if isinstance(value, list):
        return [_capitals(each, free=free) for each in value]
    if isinstance(value, dict):
        return {name: _capitals(each, free=name in FREE or _address(name, each)) for name, each in value.items()}
    return value


def _address(name: str, value: Any) -> bool:
    """Whether it is the lines of an address, not those of an order."""
    return name == "lines" and isinstance(value, list) and all(isinstance(each, str) for each in value)
