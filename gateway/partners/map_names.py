"""Which maps there are, by name: `maps/acme/855.yaml` in the workspace or shipped with the gateway is `acme/855`.

Names, and for which documents a map is; what else stands in a map is `gateway.mapping`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

from gateway.mapping import Head, from_folders, head, shipped
from gateway.partners.checks import MapExists, MapHead, at
from gateway.partners.workspace import SETTINGS_FILE, partner_files
from gateway.yamltext import MAX_BYTES, near_miss, read_yaml

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


def map_users(folder: Path) -> dict[str, tuple[str, ...]]:
    """Who names each map, in files that can be read: `acme (sends purchase_order)`, `target erp (ship_notice)`."""
    found: dict[str, list[str]] = {}
    for name, file in partner_files(folder):
        documents = at(_tree(folder / file), "documents")
        for direction, verb in (("send", "sends"), ("receive", "receives")):
            for kind, rule in _entries(at(documents, direction)):
                found.setdefault(str(at(rule, "map")), []).append(f"{name} ({verb} {kind})")
    for target, told in _entries(at(_tree(folder / SETTINGS_FILE), "targets")):
        for kind, call in _entries(at(told, "documents")):
            found.setdefault(str(at(call, "map")), []).append(f"target {target} ({kind})")
    return {name: tuple(users) for name, users in found.items()}


def maps_used(folder: Path, partners: Iterable[str] | None = None) -> set[str]:
    """The maps that these partners name; of all partners, and of the targets, without."""
    wanted = None if partners is None else set(partners)
    return {
        name
        for name, users in map_users(folder).items()
        if wanted is None or any(user.partition(" (")[0] in wanted for user in users)
    }


def _tree(path: Path) -> object:
    try:
        with path.open("rb") as file:
            return read_yaml(path.name, file.read(MAX_BYTES + 1))[0].data
    except OSError:
        return None


def _entries(tree: object) -> list[tuple[str, object]]:
    return list(tree.items()) if isinstance(tree, dict) else []
