"""Power loss: what a gateway wrote is replayed onto a disk that loses what was not synced; nothing is lost.

    python -m bench power --messages 120 --points 1000 --seed 1

A real gateway on SQLite takes AS2 messages, small ones and some that are kept in files, while strace notes every write,
sync, renaming and answer, in order. The disk is then rebuilt as a power cut would leave it, once between any two syncs
(nothing is there that was not synced) and at so many random calls (pages and names that were not synced are there or
not, by chance), and opened with the gateway's own store. A message is lost when its receipt had begun to leave before
the cut, and its row, its bytes, or the receipt that would be repeated are not there. Exit code 1 when one is, or when
an audit trail does not verify. Linux with strace.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import logging
import random
import re
import shutil
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

from bench import load
from bench.chaos.disk import Disk, Keep, everything, nothing, some
from bench.chaos.trace import Call, Kind, Moment, Reader
from bench.chaos.watched import BEFORE, TRACE
from bench.station import station
from bench.surroundings import surroundings
from gateway import wiring
from gateway.errors import OurFault
from gateway.ports import Message
from gateway.store import Store

OUTSTANDING = 8
AFTER = "after"
"""The workspace as it was at the end: the record is complete when it leads there."""
LARGE = (1_200_000, 2_500_000)
"""Octets: kept as a file at once, and spooled before that."""
_ANSWERED = re.compile(rb"Original-Message-ID: <([^>]+)>", re.IGNORECASE)
_TAIL = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """A run of the gateway as it was watched."""

    root: str
    """The workspace's folder, as the trace names it."""
    folder: Path
    """Holds `before` and `trace`."""
    acknowledged: Mapping[str, str]
    """By Message-ID without brackets: the SHA-256 of the payload. As the sender knows it: receipt verified."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """One moment at which the power fails."""

    line: int
    """Of the trace."""
    random: bool
    acknowledged: frozenset[str]
    """Whose receipts had begun to leave."""


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What all cuts showed."""

    messages: int
    calls: int = 0
    syncs: int = 0
    cuts: int = 0
    random_cuts: int = 0
    unsynced: int = 0
    """Most changes that one cut took or tore."""
    seconds: float = 0.0
    lost: list[str] = field(default_factory=list)
    """One line for each cut and what was not there."""

    @property
    def proven(self) -> bool:
        """Whether nothing was lost."""
        return not self.lost and self.cuts > 0 and self.random_cuts > 0


async def record(folder: Path, *, messages: int) -> Recorded:
    """Run the gateway under strace while messages come in. Raises OurFault when one is not acknowledged."""
    async with (
        surroundings(gateway_command=("-m", "bench.chaos.watched", str(folder))) as around,
        station(around.parties, gateway=around.url, port=around.demo.ports["station"]) as sender,
    ):
        small = await asyncio.to_thread(lambda: list(load.answers(around.parties, messages)))
        large = [
            one
            for index, size in enumerate(LARGE * 2)
            for one in load.unreadable(around.parties, 1, size=size, first=messages + index)
        ]
        # Nobody places the orders that they answer: the command that makes the ERP's key would write unwatched.
        every = [*small, *large]
        random.Random(messages).shuffle(every)
        await sender.send_all(every, outstanding=OUTSTANDING)
        if sender.refused or len(sender.acknowledged) != len(every):
            raise OurFault(f"{len(sender.refused)} messages were not acknowledged: {sender.refused[:3]}")
        await asyncio.sleep(3)  # some of what follows is under way: 997s, calls, a seal
        await asyncio.to_thread(around.gateway.stop)
        await asyncio.to_thread(shutil.copytree, around.demo.gateway, folder / AFTER)
        return Recorded(
            root=str(around.demo.gateway),
            folder=folder,
            acknowledged={one.built.message_id.strip("<>"): one.payload_sha256 for one in sender.acknowledged},
        )


def moments(recorded: Recorded) -> list[Moment]:
    """The record, read."""
    with (recorded.folder / TRACE).open(encoding="ascii") as lines:
        return list(Reader(recorded.root).read(lines))


class Answers:
    """Which messages' receipts have begun to leave; a receipt may come in several pieces."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._tails: dict[str, bytes] = {}

    def take(self, call: Call) -> None:
        """Something is sent."""
        if call.kind is Kind.SEND:
            text = self._tails.get(call.path, b"") + call.data
            self.seen.update(found[1].decode("ascii") for found in _ANSWERED.finditer(text))
            self._tails[call.path] = text[-_TAIL:]


def cuts(recorded: Recorded, found: Sequence[Moment], *, points: int, seed: int) -> Iterator[tuple[Cut, Disk, Keep]]:
    """The disk at every cut, as it is then: use it before the next one is asked for."""
    chance = random.Random(seed)
    chosen = set(chance.sample(range(len(found)), min(points, len(found))))
    disk, answers = Disk(recorded.root, recorded.folder / BEFORE), Answers()

    def cut(line: int, *, randomly: bool) -> Cut:
        return Cut(line=line, random=randomly, acknowledged=frozenset(answers.seen))

    for index, moment in enumerate(found):
        # Just before a sync ends: what the last one made sure of, and every receipt that has left since.
        if moment.ends and moment.call.kind is Kind.SYNC:
            yield cut(moment.line, randomly=False), disk, nothing
        if moment.begins:
            answers.take(moment.call)
        disk.take(moment)
        if index in chosen:
            yield cut(moment.line, randomly=True), disk, some(random.Random(chance.random()))
    yield cut(found[-1].line + 1, randomly=False), disk, nothing
    complete(recorded, disk)


def complete(recorded: Recorded, disk: Disk) -> None:
    """Raises OurFault when the calls, all applied, do not lead to the files that were there at the end."""
    replayed = {name: octets for name, octets in disk.after_power_loss(everything) if octets is not None}
    after = recorded.folder / AFTER
    found = {str(one.relative_to(after)): one.read_bytes() for one in after.rglob("*") if one.is_file()}
    if wrong := [name for name in replayed.keys() | found if replayed.get(name) != found.get(name)]:
        raise OurFault(f"the trace does not tell how these came about: {sorted(wrong)[:5]}")


async def lost(image: Path, cut: Cut, wanted: Mapping[str, str]) -> list[str]:
    """What is not there of what was acknowledged before the cut; the disk is opened as a starting gateway does it."""
    where = f"{'at call' if cut.random else 'before the sync at line'} {cut.line}"
    missing = []
    try:
        async with wiring.open_store(image, serve=True) as store:
            there = {one.as2_message_id.strip("<>"): one for one in await _messages(store) if one.as2_message_id}
            for name in sorted(cut.acknowledged & wanted.keys()):
                message = there.get(name)
                if message is None:
                    missing.append(f"{where}: {name} is not there")
                elif hashlib.sha256(await store.payload(message.id)).hexdigest() != wanted[name]:
                    missing.append(f"{where}: {name} has other bytes")
                elif message.receipt is None or name.encode() not in message.receipt.body:
                    missing.append(f"{where}: the receipt of {name} is not there")
            # It reads every payload that a message names, too.
            trail = await store.verify([wiring.public_seal_key(image)])
            missing += [f"{where}: trail: {problem}" for problem in trail.problems]
    except Exception as fault:  # noqa: BLE001  whatever stops a gateway from starting loses everything
        missing.append(f"{where}: {type(fault).__name__}: {fault}")
    return missing


async def _messages(store: Store) -> list[Message]:
    """All of them, page by page."""
    found: list[Message] = []
    while page := await store.messages(limit=1000, before=found[-1].id if found else None):
        found += page
    return found


_WANTED: dict[str, str] = {}


def _know(wanted: Mapping[str, str]) -> None:
    _WANTED.update(wanted)
    logging.getLogger("gateway").setLevel(logging.ERROR)  # what a start tidies up is told at each disk, else


def _opened(image: str, cut: Cut) -> list[str]:
    """In a process of its own: open one disk, look, remove it."""
    try:
        return asyncio.run(lost(Path(image), cut, _WANTED))
    finally:
        shutil.rmtree(image, ignore_errors=True)


def replay(recorded: Recorded, *, points: int, seed: int, processes: int = 2) -> Outcome:
    """Rebuild, open and judge the disk at every cut."""
    started = time.monotonic()
    found = moments(recorded)
    outcome = Outcome(messages=len(recorded.acknowledged), calls=sum(one.begins for one in found))
    outcome.syncs = sum(one.ends and one.call.kind is Kind.SYNC for one in found)
    answers = Answers()
    for one in found:
        answers.take(one.call)
    if unseen := recorded.acknowledged.keys() - answers.seen:  # else a cut would ask for less than was promised
        raise OurFault(f"{len(unseen)} receipts are not in the trace, such as that of {min(unseen)}")
    fast = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory(prefix="gateway-power-", dir=fast if fast.is_dir() else None) as images,
        ProcessPoolExecutor(
            processes, mp_context=get_context("spawn"), initializer=_know, initargs=(dict(recorded.acknowledged),)
        ) as pool,
    ):
        waiting: deque[Future[list[str]]] = deque()
        for number, (cut, disk, keep) in enumerate(cuts(recorded, found, points=points, seed=seed)):
            image = Path(images) / str(number)
            _write(image, disk.after_power_loss(keep))
            outcome.unsynced = max(outcome.unsynced, disk.unsynced)
            outcome.random_cuts += cut.random
            outcome.cuts += not cut.random
            waiting.append(pool.submit(_opened, str(image), cut))
            while len(waiting) > 4 * processes:
                outcome.lost += waiting.popleft().result()
            if number % 250 == 249:
                print(f"  … {number + 1} disks opened, {len(outcome.lost)} lines of loss", file=sys.stderr, flush=True)
        outcome.lost += chain.from_iterable(one.result() for one in waiting)
    outcome.seconds = time.monotonic() - started
    return outcome


def _write(image: Path, content: Iterable[tuple[str, bytes | None]]) -> None:
    image.mkdir()
    for name, octets in content:
        if octets is None:
            (image / name).mkdir()
        else:
            (image / name).write_bytes(octets)


async def run(*, messages: int, points: int, seed: int, keep: Path | None = None) -> Outcome:
    """Record, replay, judge. Raises OurFault where there is no strace."""
    if shutil.which("strace") is None:
        raise OurFault("strace is not installed", remedy="Install it (Debian: apt-get install strace).")
    folder = Path(tempfile.mkdtemp(prefix="gateway-power-"))
    try:
        recorded = await record(folder, messages=messages)
        return await asyncio.to_thread(replay, recorded, points=points, seed=seed)
    finally:
        if keep is not None:
            shutil.copytree(folder, keep)
        shutil.rmtree(folder, ignore_errors=True)


def show(outcome: Outcome) -> None:
    """Print the table."""
    rows = [
        ("messages acknowledged", outcome.messages),
        ("calls in the trace (files and sockets)", outcome.calls),
        ("syncs", outcome.syncs),
        ("cuts between two syncs, nothing unsynced left", outcome.cuts),
        ("cuts at random calls, unsynced pages by chance", outcome.random_cuts),
        ("most unsynced changes at one cut", outcome.unsynced),
        ("LOST: messages, bytes, receipts, trails", len(outcome.lost)),
        ("seconds for opening all disks", f"{outcome.seconds:.0f}"),
    ]
    print("power loss, SQLite and payload files")
    for name, value in rows:
        print(f"  {name:50}{value!s:>10}")
    for line in outcome.lost[:10]:
        print(f"  {line[:300]}")
    print(f"  {'proven' if outcome.proven else 'NOT PROVEN'}")


def main(arguments: list[str] | None = None) -> None:
    """Run it; exit code 1 when something acknowledged is lost."""
    parser = argparse.ArgumentParser(prog="python -m bench power", description="Power loss, replayed from a trace.")
    parser.add_argument("--messages", type=int, default=120, help="small AS2 messages beside the large ones (120)")
    parser.add_argument("--points", type=int, default=1000, help="random cuts beside those between syncs (1000)")
    parser.add_argument("--seed", type=int, default=1, help="of the random cuts")
    parser.add_argument("--keep", type=Path, help="a new folder for the record")
    options = parser.parse_args(arguments)
    try:
        outcome = asyncio.run(
            run(messages=options.messages, points=options.points, seed=options.seed, keep=options.keep)
        )
    except OurFault as fault:
        print(fault, file=sys.stderr)
        sys.exit(2)
    show(outcome)
    if not outcome.proven:
        sys.exit(1)


if __name__ == "__main__":
    main()
