"""A disk with a cache that a power cut empties: what is surely there, and what may be there, after each call.

The rules are POSIX's, read against us. A file's octets are surely there when a sync of the file, begun after they were
written, has ended; a name is, when a sync of its folder has. What has no sync may be there, may be absent, or may be
there in part: whole pages of 4 KiB, in any order. A renaming is one change: never both names, never none. The folder
that the record begins with is surely there, with everything in it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bench.chaos.trace import Call, Kind, Moment

PAGE = 4096
MEMORY = "-shm"
"""SQLite's index of the WAL: written through memory, never synced, made anew by whoever opens the database first."""
Keep = Callable[[], bool]
"""Asked for each page and each change of a name: whether it reached the disk without a sync."""


@dataclass(slots=True, eq=False)
class _Write:
    at: int
    data: bytes
    """None octets of a truncation."""
    truncation: bool = False
    ended: bool = False


@dataclass(slots=True, eq=False)
class _Renaming:
    """Names that change together; None: the name is gone."""

    changes: tuple[tuple[_Node, str, _Node | None], ...]
    ended: bool = False


@dataclass(slots=True, eq=False)
class _Node:
    """A file or a folder, whatever its names are."""

    folder: bool
    octets: bytearray = field(default_factory=bytearray)
    """What is surely in the file."""
    names: dict[str, _Node] = field(default_factory=dict)
    """What is surely in the folder."""
    writes: list[_Write] = field(default_factory=list)
    renamings: list[_Renaming] = field(default_factory=list)


class Disk:
    """Calls in, possible disks out."""

    def __init__(self, root: str, found: Path) -> None:
        """`found` holds what `root` held before the record began."""
        self.root = root.rstrip("/")
        self._paths: dict[str, _Node] = {}
        """Names as the process sees them."""
        self._last: dict[str, _Node] = {}
        """As well as those that are gone: a file without a name may still be open."""
        self._begun: dict[int, tuple[list[_Write], list[_Renaming], _Write | _Renaming | None]] = {}
        self._read(self.root, found)

    def _read(self, name: str, found: Path) -> _Node:
        node = _Node(folder=found.is_dir())
        self._paths[name] = self._last[name] = node
        if node.folder:
            node.names = {one.name: self._read(f"{name}/{one.name}", one) for one in sorted(found.iterdir())}
        else:
            node.octets = bytearray(found.read_bytes())
        return node

    def take(self, moment: Moment) -> None:
        """A call begins or ends."""
        if moment.begins:
            self._begin(moment.number, moment.call)
        if moment.ends:
            self._end(moment.number, moment.call)

    def _begin(self, number: int, call: Call) -> None:
        change: _Write | _Renaming | None = None
        writes: list[_Write] = []
        renamings: list[_Renaming] = []
        match call.kind:
            case Kind.OPEN:
                change = self._open(call)
            case Kind.WRITE:
                change = self._write(call.path, _Write(call.at, call.data))
            case Kind.TRUNCATE:
                change = self._write(call.path, _Write(call.at, b"", truncation=True))
            case Kind.RENAME:
                moved = self._paths.pop(call.path)
                self._paths[call.to] = self._last[call.to] = moved
                change = self._rename((call.path, None), (call.to, moved))
            case Kind.LINK:
                self._paths[call.to] = self._last[call.to] = self._paths[call.path]
                change = self._rename((call.to, self._paths[call.path]))
            case Kind.UNLINK:
                self._paths.pop(call.path, None)
                change = self._rename((call.path, None))
            case Kind.MKDIR:
                self._paths[call.path] = self._last[call.path] = _Node(folder=True)
                change = self._rename((call.path, self._paths[call.path]))
            case Kind.SYNC:
                node = self._last[call.path]
                writes = [one for one in node.writes if one.ended]
                renamings = [one for one in node.renamings if one.ended]
        self._begun[number] = (writes, renamings, change)

    def _end(self, number: int, call: Call) -> None:
        writes, renamings, change = self._begun.pop(number)
        if change is not None:
            change.ended = True
        if call.kind is Kind.SYNC:
            node = self._last[call.path]
            for write in writes:
                if write in node.writes:  # another sync of the same file was sooner, else
                    node.writes.remove(write)
                    _put(node.octets, write)
            for renaming in renamings:
                if renaming in node.renamings:
                    for folder, name, target in renaming.changes:
                        _name(folder.names, name, target)
                        if renaming in folder.renamings:
                            folder.renamings.remove(renaming)

    def _open(self, call: Call) -> _Write | _Renaming | None:
        node = self._paths.get(call.path)
        if node is None:
            if not call.created:
                return None
            node = self._paths[call.path] = self._last[call.path] = _Node(folder=False)
            return self._rename((call.path, node))
        return self._write(call.path, _Write(0, b"", truncation=True)) if call.emptied else None

    def _write(self, path: str, write: _Write) -> _Write:
        self._last[path].writes.append(write)
        return write

    def _rename(self, *names: tuple[str, _Node | None]) -> _Renaming:
        changes = []
        for path, node in names:
            folder, _, name = path.rpartition("/")
            changes.append((self._last[folder], name, node))
        renaming = _Renaming(tuple(changes))
        target = changes[-1][0]  # the folder that gets the name decides; the other one's sync alone does not
        target.renamings.append(renaming)
        return renaming

    @property
    def unsynced(self) -> int:
        """How many changes a power cut may take."""
        nodes = {id(node): node for node in self._last.values()}.values()
        return sum(len(node.writes) + len(node.renamings) for node in nodes)

    def after_power_loss(self, keep: Keep) -> Iterator[tuple[str, bytes | None]]:
        """One disk that may be found: every path below the root with its octets, None for a folder."""
        names: dict[int, dict[str, _Node]] = {}
        for node in list(dict.fromkeys(self._last.values())):
            for renaming in node.renamings:
                if keep():
                    for folder, name, target in renaming.changes:
                        _name(names.setdefault(id(folder), dict(folder.names)), name, target)
        yield from self._found(self._paths[self.root], "", keep, names)

    def _found(
        self, folder: _Node, path: str, keep: Keep, changed: dict[int, dict[str, _Node]]
    ) -> Iterator[tuple[str, bytes | None]]:
        for name, node in changed.get(id(folder), folder.names).items():
            if node.folder:
                yield f"{path}{name}", None
                yield from self._found(node, f"{path}{name}/", keep, changed)
            elif not name.endswith(MEMORY):
                yield f"{path}{name}", _torn(node, keep)


def _torn(node: _Node, keep: Keep) -> bytes:
    if not node.writes:
        return bytes(node.octets)
    octets = bytearray(node.octets)
    for write in node.writes:
        if write.truncation:
            if keep():
                _put(octets, write)
            continue
        for begin, end in _pages(write.at, len(write.data)):
            if keep():
                _put(octets, _Write(begin, write.data[begin - write.at : end - write.at]))
    return bytes(octets)


def _pages(at: int, length: int) -> Iterator[tuple[int, int]]:
    for begin in count(at // PAGE * PAGE, PAGE):
        if begin >= at + length:
            return
        yield max(begin, at), min(begin + PAGE, at + length)


def _put(octets: bytearray, write: _Write) -> None:
    if write.truncation:
        if len(octets) > write.at:
            del octets[write.at :]
        else:
            octets.extend(bytes(write.at - len(octets)))
        return
    end = write.at + len(write.data)
    if len(octets) < end:
        octets.extend(bytes(end - len(octets)))
    octets[write.at : end] = write.data


def _name(names: dict[str, _Node], name: str, target: _Node | None) -> None:
    if target is None:
        names.pop(name, None)
    else:
        names[name] = target


def nothing() -> bool:
    """The cache was lost whole."""
    return False


def everything() -> bool:
    """The cache was written just in time."""
    return True


def some(chance: random.Random) -> Keep:
    """Each page and name by chance, at odds that are chosen by chance for this disk."""
    odds = chance.choice((0.1, 0.5, 0.9))
    return lambda: chance.random() < odds
