"""What a map is made of, without compiling it: its own text and those of the maps it extends.

The hash over them is the map's version: the one that `Map.hash` has, found without the work of a compilation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.mapping.map import Sources, finder
from gateway.mapping.overlay import MAX_EXTENDS
from gateway.mapping.rules import Problems
from gateway.mapping.source import read_source


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """One file of a map."""

    name: str
    """`acme/855`."""
    file: str
    """`maps/acme/855.yaml`."""
    text: str


def chain(name: str, sources: Sources) -> tuple[Link, ...]:
    """The map `name` and its bases, itself first; it ends where one is missing, unreadable or there already."""
    find = finder(sources)
    links: list[Link] = []
    wanted: str | None = name
    while wanted is not None and len(links) < MAX_EXTENDS and all(link.name != wanted for link in links):
        try:
            found = find(wanted)
        except UnicodeDecodeError:
            break
        if found is None:
            break
        links.append(Link(name=wanted, file=found[0], text=found[1]))
        own = read_source(found[0], found[1], Problems())
        parent = own.keys.get("extends") if own is not None else None
        wanted = parent.text if parent is not None else None
    return tuple(links)


def version(links: Iterable[Link]) -> str:
    """SHA-256 (hex) over the texts: `Map.hash` of the map that they make."""
    return hashlib.sha256("\0".join(link.text for link in links).encode("utf-8", "surrogatepass")).hexdigest()
