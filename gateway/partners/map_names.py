"""Which maps there are, by name: `maps/acme/855.yaml` in the workspace or shipped with the gateway is `acme/855`.

Names, and for which documents a map is; what else stands in a map is `gateway.mapping`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

from gateway.mapping import Head, from_folders, head, shipped
from gateway.partners.checks import MapExists, MapHead
from gateway.yamltext import near_miss

MAX_DEPTH = 4
"""Folders below maps/ that are looked into."""


def known_maps(folder: Path) -> MapExists:
    """Answers for the workspace in `folder`: None for a map that exists, else the near miss, or ""."""
    names = map_names(folder)

    def exists(name: str) -> str | None:
        return None if name in names else near_miss(name, names) or ""

    return exists


def map_heads(folder: Path) -> MapHead:
    """Answers for the workspace in `folder`: the documents a map is for, None where that cannot be told."""
    find = from_folders(folder / "maps", shipped())

    def about(name: str) -> Head | None:
        try:
            return head(name, find)
        except OSError:
            return None

    return about


def map_names(folder: Path) -> frozenset[str]:
    """The names of all maps of the workspace in `folder` and of those that come with the gateway."""
    return frozenset(name for root in (folder / "maps", shipped()) if root.is_dir() for name in _names(root, ()))


def _names(folder: Traversable, above: tuple[str, ...]) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.name.endswith(".yaml") and entry.is_file():
            yield "/".join((*above, entry.name.removesuffix(".yaml")))
        elif len(above) < MAX_DEPTH and entry.is_dir():
            yield from _names(entry, (*above, entry.name))
