"""All that decides about documents, read from a workspace at one moment: a value, activated whole or not at all.

Its version is the SHA-256 over its files. Where anything in them is wrong there is no configuration, only findings.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.errors import OurFault
from gateway.partners import checked, workspace
from gateway.partners.hooks import file_of as hooks_file
from gateway.partners.hooks import hooks_of
from gateway.partners.map_names import known_maps
from gateway.partners.map_shelf import MapCache, MapShelf
from gateway.partners.workspace import SETTINGS_FILE, Workspace
from gateway.settings import HttpTarget

FOLDERS = ("partners", "maps", "guides", "certs")
"""What decides, beside gateway.yaml. Keys and state are no part of it."""
MOST_FILES = 200_000
SHORT = 12
"""Characters of a version that people are shown."""

Stamp = tuple[int, int, int]
"""Time of change, size and inode of a file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration:
    """A workspace that is sound, with its maps."""

    workspace: Workspace
    maps: MapShelf
    files: Mapping[str, str]
    """Every file's SHA-256 (hex), by its path in the workspace."""
    version: str
    """SHA-256 (hex) over names and contents of all files."""

    def remember(self) -> None:
        """Write down which of its maps are sound, and forget the others."""
        checked.remember(self.workspace.folder / checked.FILE, self.maps.sound(map_names_of(self.workspace)))

    def changed(self, before: Mapping[str, str]) -> tuple[str, ...]:
        """The files that were added, removed or changed since `before`, in order."""
        return tuple(sorted(dict(self.files.items() ^ before.items())))


def read(
    folder: Path, *, cache: MapCache | None = None, now: datetime | None = None, ignoring: Collection[str] = ()
) -> Configuration:
    """The configuration in `folder`. OurFault with all findings of all files.

    `cache` (default: what a gateway that runs here found sound before) spares compiling maps again. Findings of the
    rules `ignoring` do not count.
    """
    if cache is None:
        cache = MapCache(checked.remembered(folder / checked.FILE))
    shelf = MapShelf(folder, cache, hooks_of(folder))
    loaded = workspace.load(folder, now=now, map_exists=known_maps(folder), map_head=shelf.head, ignoring=ignoring)
    findings = shelf.check(sorted(map_names_of(loaded)))
    if findings:
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        remedy = findings[0].fix if len(findings) == 1 else "see them all: gateway map check"
        raise OurFault(f"the configuration is wrong: {findings[0].text}{more}", remedy=remedy, findings=findings)
    files = {name: _sha256(folder / name) for name, _ in stamps(folder).items()}
    whole = hashlib.sha256("".join(f"{name}\0{content}\n" for name, content in sorted(files.items())).encode())
    return Configuration(workspace=loaded, maps=shelf, files=files, version=whole.hexdigest())


def map_names_of(loaded: Workspace) -> set[str]:
    """Every map that an agreement or a target names."""
    calls = [
        call
        for target in loaded.settings.targets.values()
        if isinstance(target, HttpTarget)
        for call in target.documents.values()
    ]
    return agreed_maps(loaded) | {call.map for call in calls if call.map is not None}


def agreed_maps(loaded: Workspace) -> set[str]:
    """Every map that an agreement names."""
    documents = [one.documents for one in loaded.agreements]
    rules = [rule for one in documents for rule in (*one.send.values(), *one.receive.values())]
    return {rule.map for rule in rules if rule.map is not None}


def stamps(folder: Path) -> dict[str, Stamp]:
    """The files that make the configuration, each with what changes when it is written. Reads none of them."""
    found: dict[str, Stamp] = {}
    for path in _files(folder):
        try:
            seen = (folder / path).stat()
        except OSError:  # gone since it was listed, or not ours to read: reading says so
            continue
        found[path] = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
        if len(found) > MOST_FILES:
            raise OurFault(f"{folder} has more than {MOST_FILES:,} files", remedy="keep only the configuration in it")
    return found


def _files(folder: Path) -> Iterator[str]:
    yield SETTINGS_FILE
    if (hooks := hooks_file(folder)) is not None:
        yield hooks
    waiting = [name for name in FOLDERS if (folder / name).is_dir()]
    while waiting:
        here = waiting.pop()
        try:
            entries = list(os.scandir(folder / here))
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{here}/{entry.name}")
            elif entry.is_file():
                yield f"{here}/{entry.name}"


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return ""
