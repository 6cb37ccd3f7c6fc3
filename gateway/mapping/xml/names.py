"""Names and paths of a map: `cbc:ID`, `@unitCode`, `/cac:Party/cbc:Name`, by the prefixes that the map declares.

A prefix is the map's; a document may use any other for the same namespace. A name of a namespace that the map does not
declare is written `{uri}name`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.mapping.json.text import Pointer

TEXT: Final = "#text"
"""The text of an element, as its last step."""
XML: Final = "http://www.w3.org/XML/1998/namespace"
_STEP: Final = re.compile(r"(@?)(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """Prefixes and what they stand for; the empty one is for elements without a prefix."""

    namespaces: Mapping[str, str]

    def wire(self, name: str) -> str:
        """`{uri}ID` for `cbc:ID`; an attribute's without its `@`."""
        if name.startswith("{"):
            return name
        attribute = name.startswith("@")
        prefix, _, local = name.removeprefix("@").rpartition(":")
        uri = XML if prefix == "xml" else self.namespaces.get(prefix, "")
        return f"{{{uri}}}{local}" if uri and (prefix or not attribute) else local

    def own(self, tag: str, *, attribute: bool = False) -> str:
        """`cbc:ID` for `{uri}ID`."""
        if not tag.startswith("{"):
            # Without a namespace, where the map's names without a prefix have one: no name of the map.
            return f"@{tag}" if attribute else f"{{}}{tag}" if self.namespaces.get("") else tag
        uri, local = tag[1:].split("}", 1)
        if uri == XML:
            return f"@xml:{local}"
        for prefix, known in self.namespaces.items():
            if known == uri and (prefix or not attribute):
                return ("@" if attribute else "") + (f"{prefix}:{local}" if prefix else local)
        return f"@{tag}" if attribute else tag

    def undeclared(self, pointer: Pointer) -> str | None:
        """The first prefix of `pointer` that the map does not declare."""
        for step in pointer:
            prefix = step.removeprefix("@").rpartition(":")[0]
            if prefix and prefix != "xml" and prefix not in self.namespaces:
                return prefix
        return None


def read_path(text: str) -> Pointer | None:
    """The steps of `/cac:Party/cbc:Name/@languageID`; `.` is the element itself: no steps. None where it is no path."""
    if text == ".":
        return ()
    if not text.startswith("/"):
        return None
    steps = tuple(text[1:].split("/"))
    if not all(_STEP.match(step) for step in steps) or any(step.startswith("@") for step in steps[:-1]):
        return None
    return steps


def write_path(pointer: Pointer) -> str:
    """The path in words; places in lists count from 1: `/cac:OrderLine[2]/cbc:ID`."""
    made = ""
    for step in pointer:
        if step.isdigit():
            made += f"[{int(step) + 1}]"
        elif step != TEXT:
            made += f"/{step}"
    return made
