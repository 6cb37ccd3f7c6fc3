"""What a process did to its files and sockets, read from strace's record, in the order in which the kernel was asked.

A call that another thread came in between has two lines, its beginning and its end. Both count: what was written
before a sync *began* is on the disk when the sync has *ended*, and nothing more is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

CALLS = (
    "openat", "creat", "lseek", "write", "writev", "pwrite64", "pwritev", "pwritev2", "fsync", "fdatasync", "ftruncate",
    "truncate", "fallocate", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink",
    "unlinkat", "mkdir", "mkdirat", "rmdir", "sendto", "sendmsg", "sendfile", "copy_file_range", "mmap",
)  # fmt: skip
"""Everything that changes files or speaks to somebody. io_uring is not among them: libuv uses it only if told."""
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


class UnreadableTraceError(ValueError):
    """A call changes a file in a way that is not understood: the disk cannot be rebuilt from this record."""


_LINE = re.compile(r"^(\d+) +(.*)$", re.DOTALL)
_WHOLE = re.compile(r"^(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+|\?)(.*)$", re.DOTALL)
_RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_HANDLE = re.compile(r"^(\d+)(?:<((?:\\x[0-9a-f]{2})*)>)?")
_NAMING = {
    **dict.fromkeys(("rename", "renameat", "renameat2"), Kind.RENAME),
    **dict.fromkeys(("link", "linkat"), Kind.LINK),
    **dict.fromkeys(("unlink", "unlinkat", "rmdir"), Kind.UNLINK),
    **dict.fromkeys(("mkdir", "mkdirat"), Kind.MKDIR),
}
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
        """All moments. Raises UnreadableTraceError."""
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
        if found is not None and not found[3].startswith("-") and found[3] != "?":
            arguments = found[2]
            number, path = _handle(arguments)
            yield from self._READ[found[1]](self, found[1], arguments, number, path, int(found[3], 0))

    def _opened(self, name: str, arguments: str, number: int, path: str, result: int) -> Iterator[Call]:
        del name, number
        path = _names(arguments)[0]
        self._offsets[result] = 0
        self._appending.discard(result)
        if "O_APPEND" in arguments:
            self._appending.add(result)
        if self._ours(path) and "O_DIRECTORY" not in arguments and ("O_CREAT" in arguments or "O_TRUNC" in arguments):
            yield Call(kind=Kind.OPEN, path=path, created="O_CREAT" in arguments, emptied="O_TRUNC" in arguments)

    def _sought(self, name: str, arguments: str, number: int, path: str, result: int) -> Iterator[Call]:
        del name, arguments, path
        self._offsets[number] = result
        return iter(())

    def _written(self, name: str, arguments: str, number: int, path: str, result: int) -> Iterator[Call]:
        if path.startswith("socket:"):
            yield from self._sent(name, arguments, number, path, result)
            return
        at = self._offsets.get(number, 0)
        self._offsets[number] = at + result
        if self._ours(path):
            if number in self._appending:
                raise UnreadableTraceError(f"{path} is written at its end, wherever that is")
            yield Call(kind=Kind.WRITE, path=path, at=at, data=_texts(arguments)[:result])

    def _written_at(self, name: str, arguments: str, number: int, path: str, result: int) -> Iterator[Call]:
        del number
        if self._ours(path):
            at = int(arguments.rsplit(", ", 2)[-2 if name == "pwritev2" else -1], 0)
            yield Call(kind=Kind.WRITE, path=path, at=at, data=_texts(arguments)[:result])

    def _sent(self, name: str, arguments: str, number: int, path: str, result: int) -> Iterator[Call]:
        del name, number
        if path.startswith("socket:"):
            yield Call(kind=Kind.SEND, path=path, data=_texts(arguments)[:result])

    def _synced(self, name: str, arguments: str, number: int, path: str, result: int) -> Iterator[Call]:
        del name, arguments, number, result
        if self._ours(path):
            yield Call(kind=Kind.SYNC, path=path)

    def _cut(self, name: str, arguments: str, number: int, path: str, result: int) -> Iterator[Call]:
        del name, number, result
        if self._ours(path):
            yield Call(kind=Kind.TRUNCATE, path=path, at=int(arguments.rpartition(", ")[2], 0))

    def _named(self, name: str, arguments: str, number: int, path: str, result: int) -> Iterator[Call]:
        del number, path, result
        source, *target = _names(arguments)
        to = target[0] if target else ""
        if self._ours(source) or self._ours(to):
            yield Call(kind=_NAMING[name], path=source, to=to)

    def _mapped(self, name: str, arguments: str, number: int, path: str, result: int) -> Iterator[Call]:
        """Memory that is a file: SQLite's index of the WAL may be, which it makes anew after a crash; nothing else."""
        del name, number, path, result
        if "MAP_SHARED" in arguments and "PROT_WRITE" in arguments:
            found = re.search(r", \d+<((?:\\x[0-9a-f]{2})*)>", arguments)
            if found is not None and self._ours(file := _name(found[1])) and not file.endswith("-shm"):
                raise UnreadableTraceError(f"{file} is written through memory")
        return iter(())

    def _strange(self, name: str, arguments: str, number: int, path: str, result: int) -> Iterator[Call]:
        """What nobody here does to our files, as far as we know."""
        del number, path, result
        if self._under in _octets("".join(re.findall(r"\\x[0-9a-f]{2}", arguments))).decode("utf-8", "replace"):
            raise UnreadableTraceError(f"{name} of a file below {self._under} is not understood")
        return iter(())

    def _ours(self, path: str) -> bool:
        return path == self._under or path.startswith(f"{self._under}/")

    _READ: ClassVar[dict[str, Callable[[Reader, str, str, int, str, int], Iterator[Call]]]] = {
        **dict.fromkeys(("openat", "creat"), _opened),
        "lseek": _sought,
        **dict.fromkeys(("write", "writev"), _written),
        **dict.fromkeys(("pwrite64", "pwritev", "pwritev2"), _written_at),
        **dict.fromkeys(("sendto", "sendmsg"), _sent),
        **dict.fromkeys(("fsync", "fdatasync"), _synced),
        "ftruncate": _cut,
        **dict.fromkeys(_NAMING, _named),
        "mmap": _mapped,
        **dict.fromkeys(("truncate", "symlink", "symlinkat", "fallocate", "sendfile", "copy_file_range"), _strange),
    }


def _names(arguments: str) -> list[str]:
    """The names in a call, each below the folder that its handle says."""
    found = []
    folders = [_name(one) for one in re.findall(r"(?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>", arguments)]
    for index, text in enumerate(_TEXT.findall(arguments)):
        name = _octets(text).decode("utf-8", "surrogateescape")
        if not name.startswith("/") and index < len(folders):
            name = f"{folders[index]}/{name}"
        found.append(name)
    return found


def _handle(arguments: str) -> tuple[int, str]:
    found = _HANDLE.match(arguments)
    return (-1, "") if found is None else (int(found[1]), _name(found[2] or ""))


def _texts(arguments: str) -> bytes:
    return b"".join(_octets(text) for text in _TEXT.findall(arguments))
