"""What a process did to its files and sockets, read from strace's record, in the order in which the kernel was asked.

A call that another thread came in between has two lines, its beginning and its end. Both count: what was written
before a sync *began* is on the disk when the sync has *ended*, and nothing more is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

CALLS = (
    "openat", "creat", "lseek", "write", "writev", "pwrite64", "pwritev", "pwritev2", "fsync", "fdatasync", "ftruncate",
    "truncate", "fallocate", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink",
    "unlinkat", "mkdir", "mkdirat", "rmdir", "sendto", "sendmsg", "sendmmsg", "sendfile", "copy_file_range", "mmap",
)  # fmt: skip
"""Everything that changes files or speaks to somebody; io_uring is not here, and libuv uses it for files only if told."""
COMMAND = ("strace", "-f", "-y", "-xx", "-s", "100000000", "-e", "signal=none", "-e", f"trace={','.join(CALLS)}")
"""Followed by `-o FILE` and the command to watch. All of every text is written, as hexadecimal digits."""


class Kind(StrEnum):
    """What a call does."""

    OPEN = "open"
    WRITE = "write"
    TRUNCATE = "truncate"
    SYNC = "sync"
    RENAME = "rename"
    LINK = "link"
    UNLINK = "unlink"
    MKDIR = "mkdir"
    SEND = "send"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call that succeeded."""

    kind: Kind
    path: str
    """Of the file, the folder, or the socket (`socket:[17]`)."""
    to: str = ""
    """The new name, of a link or a renaming."""
    at: int = 0
    """Offset of a write; length that a truncation leaves."""
    data: bytes = b""
    created: bool = False
    """Of an opening: the file is made when it is not there."""
    emptied: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A call begins or ends, or both at once."""

    line: int
    call: Call
    number: int
    """The same at its beginning and its end."""
    begins: bool
    ends: bool


class UnreadableTrace(ValueError):
    """A call changes a file in a way that is not understood: the disk cannot be rebuilt from this record."""


_LINE = re.compile(r"^(\d+) +(.*)$", re.DOTALL)
_WHOLE = re.compile(r"^(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+|\?)(.*)$", re.DOTALL)
_RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_HANDLE = re.compile(r"^(-?\d+|AT_FDCWD)(?:<((?:\\x[0-9a-f]{2})*)>)?(?:\(deleted\))?")
_UNFINISHED = " <unfinished ...>"


def _octets(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _name(text: str) -> str:
    return _octets(text).decode("utf-8", "surrogateescape").removesuffix(" (deleted)")


class Reader:
    """Lines in, moments out; knows at which offset each open file is written next.

    `under` is the folder whose files count; `writers` may be one process with all its threads, no more: file handles
    are told apart by their number.
    """

    def __init__(self, under: str) -> None:
        self._under = under.rstrip("/")
        self._begun: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._next = 0
        self._offsets: dict[int, int] = {}
        self._appending: set[int] = set()

    def read(self, lines: Iterable[str]) -> Iterator[Moment]:
        """All moments. Raises UnreadableTrace."""
        known: list[tuple[int, str, str, str]] = []  # line, thread, beginning | end | both, text
        for index, line in enumerate(lines):
            found = _LINE.match(line.rstrip("\n"))
            if found is None or found[2].startswith(("+++", "---")):
                continue
            known.append((index, found[1], *self._part(found[1], found[2])))
        ends = {}  # of (thread, line of its beginning): the whole text
        open_: dict[str, int] = {}
        for index, thread, part, text in known:
            if part == "begins":
                open_[thread] = index
            elif part == "ends" and thread in open_:
                ends[open_.pop(thread)] = (index, text)
        ending: dict[int, tuple[int, Call]] = {}
        for index, _, part, text in known:
            if part == "whole":
                for call in self._calls(text):
                    yield Moment(line=index, call=call, number=self._count(), begins=True, ends=True)
            elif part == "begins" and index in ends:
                end, whole = ends[index]
                for call in self._calls(whole):
                    number = self._count()
                    ending[end] = (number, call)
                    yield Moment(line=index, call=call, number=number, begins=True, ends=False)
            elif part == "ends" and index in ending:
                number, call = ending.pop(index)
                yield Moment(line=index, call=call, number=number, begins=False, ends=True)

    def _count(self) -> int:
        self._next += 1
        return self._next

    def _part(self, thread: str, text: str) -> tuple[str, str]:
        if text.endswith(_UNFINISHED):
            self._begun[thread] = text.removesuffix(_UNFINISHED)
            return "begins", ""
        if (resumed := _RESUMED.match(text)) is not None:
            return "ends", self._begun.pop(thread, f"{resumed[1]}(") + resumed[2]
        return "whole", text

    def _calls(self, text: str) -> Iterator[Call]:
        """What one call did to our files and to sockets; nothing when it failed or is about other files."""
        found = _WHOLE.match(text)
        if found is None or found[3].startswith("-") or found[3] == "?":
            return
        name, arguments, result = found[1], found[2], int(found[3], 0)
        handle = _HANDLE.match(arguments)
        number, path = self._handle(handle)
        match name:
            case "openat" | "creat":
                yield from self._opened(arguments, result)
            case "lseek":
                self._offsets[number] = result
            case "write" | "writev" | "sendto" | "sendmsg" | "sendmmsg" if path.startswith("socket:"):
                yield Call(kind=Kind.SEND, path=path, data=_texts(arguments)[:result] if result else b"")
            case "write" | "writev":
                at = self._offsets.get(number, 0)
                self._offsets[number] = at + result
                if self._ours(path):
                    if number in self._appending:
                        raise UnreadableTrace(f"{path} is written at its end, wherever that is: {text[:80]}")
                    yield Call(kind=Kind.WRITE, path=path, at=at, data=_texts(arguments)[:result])
            case "pwrite64" | "pwritev" | "pwritev2" if self._ours(path):
                at = int(arguments.rpartition(", ")[2] if name != "pwritev2" else arguments.split(", ")[-2], 0)
                yield Call(kind=Kind.WRITE, path=path, at=at, data=_texts(arguments)[:result])
            case "fsync" | "fdatasync" if self._ours(path):
                yield Call(kind=Kind.SYNC, path=path)
            case "ftruncate" if self._ours(path):
                yield Call(kind=Kind.TRUNCATE, path=path, at=int(arguments.rpartition(", ")[2], 0))
            case "rename" | "renameat" | "renameat2" | "link" | "linkat":
                source, target = self._names(arguments)
                if self._ours(source) or self._ours(target):
                    yield Call(kind=Kind.RENAME if name.startswith("rename") else Kind.LINK, path=source, to=target)
            case "unlink" | "unlinkat" | "rmdir":
                if self._ours(gone := self._names(arguments)[0]):
                    yield Call(kind=Kind.UNLINK, path=gone)
            case "mkdir" | "mkdirat":
                if self._ours(made := self._names(arguments)[0]):
                    yield Call(kind=Kind.MKDIR, path=made)
            case "mmap":
                self._mapped(arguments)
            case "truncate" | "symlink" | "symlinkat":
                if any(self._ours(one) for one in self._names(arguments)):
                    raise UnreadableTrace(text[:200])
            case "fallocate" | "sendfile" | "copy_file_range":
                if self._ours(path) or self._under.encode().hex() in arguments.replace("\\x", ""):
                    raise UnreadableTrace(text[:200])

    def _opened(self, arguments: str, handle: int) -> Iterator[Call]:
        path = self._names(arguments)[0]
        self._offsets[handle] = 0
        self._appending.discard(handle)
        if "O_APPEND" in arguments:
            self._appending.add(handle)
        if self._ours(path) and "O_DIRECTORY" not in arguments and ("O_CREAT" in arguments or "O_TRUNC" in arguments):
            yield Call(kind=Kind.OPEN, path=path, created="O_CREAT" in arguments, emptied="O_TRUNC" in arguments)

    def _mapped(self, arguments: str) -> None:
        """Memory that is a file: SQLite's index of the WAL is, which it makes anew after a crash; nothing else may be."""
        if "MAP_SHARED" not in arguments or "PROT_WRITE" not in arguments:
            return
        found = re.search(r", (\d+)<((?:\\x[0-9a-f]{2})*)>", arguments)
        if found is not None and self._ours(path := _name(found[2])) and not path.endswith("-shm"):
            raise UnreadableTrace(f"{path} is written through memory")

    def _names(self, arguments: str) -> list[str]:
        """The names in a call, each below the folder that its handle says."""
        found = []
        folders = [_name(one) for one in re.findall(r"(?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>", arguments)]
        for index, text in enumerate(_TEXT.findall(arguments)):
            name = _octets(text).decode("utf-8", "surrogateescape")
            if not name.startswith("/") and index < len(folders):
                name = f"{folders[index]}/{name}"
            found.append(name)
        return found

    @staticmethod
    def _handle(found: re.Match[str] | None) -> tuple[int, str]:
        if found is None or found[1] == "AT_FDCWD":
            return -1, ""
        return int(found[1]), _name(found[2] or "")

    def _ours(self, path: str) -> bool:
        return path == self._under or path.startswith(f"{self._under}/")


def _texts(arguments: str) -> bytes:
    return b"".join(_octets(text) for text in _TEXT.findall(arguments))
