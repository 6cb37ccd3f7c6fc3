"""For which documents a map is, told without compiling it: enough to refuse the wrong map where it is named."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.mapping.map import Sources, finder
from gateway.mapping.overlay import resolve
from gateway.mapping.rules import Problems


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """What a map says of itself."""

    document: str
    """The transaction set, 855, or json, xml, csv."""
    canonical: str
    """The canonical kind: order_acknowledgement."""


def head(name: str, sources: Sources) -> Head | None:
    """The head of the map `name`, its bases considered; None where there is no such map or it cannot be read."""
    node, _ = resolve(name, finder(sources), Problems())
    if node is None:
        return None
    document, canonical = (node.keys[key].text if key in node.keys else None for key in ("document", "canonical"))
    return Head(document=document or "", canonical=canonical or "")
