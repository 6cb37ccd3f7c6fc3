"""The partner over two folders: what lies in the inbox is answered once, the answers are whole files in the outbox.

What was answered is remembered in the outbox (`.simulator.json`), so that a restart answers nothing twice and uses no
control number again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.errors import OurFault
from gateway.simulation.correspondent import Choice, correspond
from gateway.simulation.voice import Voice

MEMORY = ".simulator.json"
MOST_REMEMBERED = 100_000
_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._")


@dataclass(kw_only=True, slots=True)
class _Memory:
    number: int
    turns: int
    seen: dict[str, str]
    """SHA-256 of a file to its name."""


class Folders:
    """Plays `partner` between two folders; the scenarios come in turn."""

    def __init__(self, partner: Voice, *, inbox: Path, outbox: Path, scenarios: tuple[str, ...]) -> None:
        self._partner, self._inbox, self._outbox = partner, inbox, outbox
        try:
            inbox.mkdir(parents=True, exist_ok=True)
            outbox.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OurFault(f"{error.filename}: {error.strerror}", remedy="name folders that can be written") from error
        self._memory = self._remembered()
        self._stamps: dict[Path, tuple[int, int]] = {}
        self._choice = Choice(scenarios, self._memory.turns)
        self._limit = partner.agreement.max_message_bytes or partner.settings.max_message_bytes

    def look(self, at: datetime, *, settled: bool = False) -> Iterator[str]:
        """Answer what is new; a line for each thing that happened. Files whose names begin with a dot are not there.

        With `settled` only files that the look before saw the same: another one may still be written.
        """
        try:
            files = sorted(path for path in self._inbox.iterdir() if path.is_file() and not path.name.startswith("."))
            stamps = {path: stamp for path in files if (stamp := _stamp(path)) is not None}
            before, self._stamps = self._stamps, stamps
            for path, stamp in stamps.items():
                if not settled or before.get(path) == stamp:
                    yield from self._file(path, at)
        except OSError as error:
            raise OurFault(f"{error.filename}: {error.strerror}", remedy="see who may read and write it") from error

    def _file(self, path: Path, at: datetime) -> Iterator[str]:
        try:
            size = path.stat().st_size
            data = path.read_bytes() if size <= self._limit else b""
        except FileNotFoundError:  # taken away since it was listed: there is nothing to answer
            return
        if size > self._limit:
            key = f"{path.name}:{size}"
            if key not in self._memory.seen:
                self._remember(key, path.name, 0)
                yield f"{path.name} has more than {self._limit:,} bytes and is left alone"
            return
        key = hashlib.sha256(data).hexdigest()
        if key in self._memory.seen:
            return
        made = correspond(self._partner, data, self._choice, at=at, number=self._memory.number)
        for place, reply in enumerate(made.replies):
            about = "".join(one if one in _SAFE else "-" for one in reply.about)[:40]
            self._write(f"{self._memory.number + place:09d}-{reply.type}-{about}.edi", reply.data)
        self._remember(key, path.name, len(made.replies))
        yield from (f"{path.name}: {one}" for one in made.told)

    def _write(self, name: str, data: bytes) -> None:
        part = self._outbox / f".{name}.part"
        part.write_bytes(data)
        part.replace(self._outbox / name)

    def _remember(self, key: str, name: str, used: int) -> None:
        memory = self._memory
        memory.seen[key] = name
        while len(memory.seen) > MOST_REMEMBERED:
            del memory.seen[next(iter(memory.seen))]
        memory.number += used
        memory.turns = self._choice.taken
        text = json.dumps({"number": memory.number, "turns": memory.turns, "seen": memory.seen}, indent=1)
        self._write(MEMORY, text.encode())

    def _remembered(self) -> _Memory:
        path = self._outbox / MEMORY
        if not path.exists():
            return _Memory(number=1, turns=0, seen={})
        try:
            found = json.loads(path.read_bytes())
            return _Memory(number=int(found["number"]), turns=int(found["turns"]), seen=dict(found["seen"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OurFault(f"{path} cannot be read", remedy="remove it: the inbox is answered anew") from error


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes while a file is being written; None for one that is gone."""
    try:
        seen = path.stat()
    except FileNotFoundError:
        return None
    return seen.st_size, seen.st_mtime_ns
