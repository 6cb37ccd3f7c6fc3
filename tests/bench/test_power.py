"""The disk that forgets: read from hand-made traces, rebuilt by its rules, and able to find a fault that is there."""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.chaos.disk import PAGE, Disk, everything, nothing, some
from bench.chaos.trace import COMMAND, Kind, Moment, Reader, UnreadableTraceError
from gateway import wiring
from gateway.store import Store

ROOT = "/srv/g"


def hexadecimal(text: bytes) -> str:
    """As strace -xx writes it."""
    return "".join(f"\\x{octet:02x}" for octet in text)


def quoted(text: str | bytes) -> str:
    """The same, in quotes."""
    return f'"{hexadecimal(text.encode() if isinstance(text, str) else text)}"'


def handle(number: int, path: str) -> str:
    """As strace -y writes it."""
    return f"{number}<{hexadecimal(path.encode())}>"


def moments(*lines: str) -> list[Moment]:
    """The lines of a record, read."""
    return list(Reader(ROOT).read(lines))


def disk(tmp_path: Path, *lines: str, **files: bytes) -> Disk:
    """The disk after the lines, `files` being there before them."""
    before = tmp_path / "before"
    before.mkdir()
    for name, octets in files.items():
        (before / name).write_bytes(octets)
    made = Disk(ROOT, before)
    for moment in moments(*lines):
        made.take(moment)
    return made


def opened(number: int, name: str, flags: str = "O_RDWR|O_CREAT") -> str:
    """A file, opened."""
    path = f"{ROOT}/{name}"
    return f"7 openat(AT_FDCWD<{hexadecimal(b'/')}>, {quoted(path)}, {flags}, 0600) = {handle(number, path)}"


def written(number: int, name: str, data: bytes, at: int) -> str:
    """Octets at a place."""
    return f"7 pwrite64({handle(number, f'{ROOT}/{name}')}, {quoted(data)}, {len(data)}, {at}) = {len(data)}"


def synced(number: int, name: str = "") -> str:
    """A sync."""
    return f"7 fsync({handle(number, f'{ROOT}/{name}'.rstrip('/'))}) = 0"


def test_a_call_in_two_lines_begins_and_ends_where_they_stand() -> None:
    """What comes between its lines is neither before nor after it."""
    begun, done = moments(
        f"7 pwrite64({handle(3, f'{ROOT}/f')}, {quoted(b'ab')}, 2, 5 <unfinished ...>",
        "8 fsync(9</elsewhere>) = 0",
        "7 <... pwrite64 resumed>) = 2",
    )
    assert (begun.line, begun.begins, begun.ends) == (0, True, False)
    assert (done.line, done.begins, done.ends) == (2, False, True)
    assert begun.call == done.call
    assert (begun.call.kind, begun.call.data, begun.call.at) == (Kind.WRITE, b"ab", 5)


def test_calls_that_failed_and_files_of_others_are_no_moments() -> None:
    """Nothing happened to our disk."""
    assert not moments(
        f"7 mkdir({quoted(f'{ROOT}/data')}, 0700) = -1 EEXIST (File exists)",
        f"7 write({handle(4, '/var/log/x')}, {quoted('x')}, 1) = 1",
        "7 +++ exited with 0 +++",
    )


def test_a_write_goes_on_where_the_last_one_ended_and_may_be_short() -> None:
    """The offset is that of the open file; only what the kernel took counts."""
    path = handle(3, f"{ROOT}/f")
    first, second = moments(
        f"7 write({path}, {quoted('hello')}, 5) = 3",
        f"7 write({path}, {quoted('lo')}, 2) = 2",
    )
    assert (first.call.at, first.call.data) == (0, b"hel")
    assert (second.call.at, second.call.data) == (3, b"lo")


def test_what_goes_to_a_socket_is_an_answer() -> None:
    """All pieces of a gathered write, in order."""
    (sent,) = moments(
        f"7 sendmsg({handle(4, 'socket:[9]')}, {{msg_iov=[{{iov_base={quoted('HTTP')}, iov_len=4}}, "
        f"{{iov_base={quoted('/1.1')}, iov_len=4}}], msg_iovlen=2}}, 0) = 8"
    )
    assert (sent.call.kind, sent.call.data) == (Kind.SEND, b"HTTP/1.1")


@pytest.mark.parametrize(
    "line",
    [
        f"7 mmap(NULL, 9, PROT_READ|PROT_WRITE, MAP_SHARED, {handle(3, f'{ROOT}/db')}, 0) = 0x7f00",
        f"7 fallocate({handle(3, f'{ROOT}/db')}, 0, 0, 100) = 0",
        f"7 copy_file_range(5</x>, NULL, {handle(3, f'{ROOT}/db')}, NULL, 9, 0) = 9",
    ],
)
def test_a_change_that_cannot_be_followed_is_refused(line: str) -> None:
    """A record that would lead to another disk proves nothing."""
    with pytest.raises(UnreadableTraceError):
        moments(line)


def test_octets_are_on_the_disk_when_a_sync_that_began_after_them_has_ended(tmp_path: Path) -> None:
    """Those of a write that was under way when it began are not."""
    path = handle(3, f"{ROOT}/f")
    made = disk(
        tmp_path,
        written(3, "f", b"sure", 0),
        f"8 pwrite64({path}, {quoted('late')}, 4, 4 <unfinished ...>",
        f"7 fsync({path} <unfinished ...>",
        "8 <... pwrite64 resumed>) = 4",
        "7 <... fsync resumed>) = 0",
        f=b"",
    )
    assert dict(made.after_power_loss(nothing)) == {"f": b"sure"}
    assert dict(made.after_power_loss(everything)) == {"f": b"surelate"}


def test_a_synced_file_in_a_folder_that_is_not_has_no_name(tmp_path: Path) -> None:
    """fsync(2): the folder needs a sync of its own."""
    lines = (opened(3, "f"), written(3, "f", b"x", 0), synced(3, "f"))
    lost = disk(tmp_path, *lines)
    assert dict(lost.after_power_loss(nothing)) == {}
    for moment in moments(synced(4)):
        lost.take(moment)
    assert dict(lost.after_power_loss(nothing)) == {"f": b"x"}


def test_everything_below_a_folder_without_a_name_is_gone(tmp_path: Path) -> None:
    """However well it was synced itself."""
    made = disk(
        tmp_path,
        f"7 mkdir({quoted(f'{ROOT}/data')}, 0700) = 0",
        opened(3, "data/f"),
        written(3, "data/f", b"x", 0),
        synced(3, "data/f"),
        synced(4, "data"),
    )
    assert dict(made.after_power_loss(nothing)) == {}
    assert dict(made.after_power_loss(everything)) == {"data": None, "data/f": b"x"}


def test_a_renaming_is_there_or_not_and_never_both(tmp_path: Path) -> None:
    """By its own folder's sync, and whole."""
    rename = f"7 rename({quoted(f'{ROOT}/a')}, {quoted(f'{ROOT}/b')}) = 0"
    made = disk(tmp_path, rename, a=b"new", b=b"old")
    seen = {tuple(sorted(dict(made.after_power_loss(some(random.Random(seed)))).items())) for seed in range(30)}
    assert seen == {(("a", b"new"), ("b", b"old")), (("b", b"new"),)}


def test_a_file_that_lost_its_name_may_have_another_one(tmp_path: Path) -> None:
    """A link is a second name of the same octets, written under the first one."""
    made = disk(
        tmp_path,
        opened(3, "spool"),
        written(3, "spool", b"x", 0),
        synced(3, "spool"),
        f"7 link({quoted(f'{ROOT}/spool')}, {quoted(f'{ROOT}/kept')}) = 0",
        f"7 unlink({quoted(f'{ROOT}/spool')}) = 0",
        synced(4),
    )
    assert dict(made.after_power_loss(nothing)) == {"kept": b"x"}


def test_unsynced_pages_are_there_or_not_each_by_itself(tmp_path: Path) -> None:
    """A long write may be torn between any two pages, and a later page may be there without an earlier one."""
    made = disk(tmp_path, written(3, "f", b"a" * PAGE + b"b" * PAGE, 0), f=b"")
    seen = {dict(made.after_power_loss(some(random.Random(seed))))["f"] for seed in range(40)}
    assert seen == {b"", b"a" * PAGE, bytes(PAGE) + b"b" * PAGE, b"a" * PAGE + b"b" * PAGE}


PROGRAM = """
import asyncio, os, sys
from datetime import UTC, datetime
from pathlib import Path
from gateway.ports import Changes, Channel, Direction, MessageState, NewMessage, new_id
from gateway.store import Store, payloads, sqlite

folder, fault = Path(sys.argv[1]), sys.argv[2]
if fault == "normal":
    sqlite._PRAGMAS = ("synchronous=NORMAL", *sqlite._PRAGMAS[1:])
if fault == "folders":
    payloads._sync_folders = lambda parent, missing: None

async def main():
    now = lambda: datetime.now(UTC)
    url = f"sqlite:///{folder}/gateway.db"
    store = await Store.open(url, payloads=folder / "payloads", clock=now, serve=True)
    for number in range(4):
        body = bytes([number]) * (2_000_000 if number % 2 else 4000)
        at = now()
        new = NewMessage(id=new_id(at), partner="p", direction=Direction.INBOUND, channel=Channel.AS2, at=at,
                         state=MessageState.RECEIVED, payload=body, duplicate_key=f"key-{number}")
        await store.accept(Changes(messages=(new,)))
        os.rename(folder / f"said-{number}", folder / f"told-{number}")
    await store.close()

asyncio.run(main())
"""
"""A renaming of a file of ours stands for the answer: it is in the record, at its place."""


def answers_lost(tmp_path: Path, migrated: Path, fault: str) -> list[str]:
    """Which messages a power cut takes that were answered before it; between any two syncs."""
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(migrated, folder / "gateway.db")
    for number in range(4):
        (folder / f"said-{number}").touch()
    shutil.copytree(folder, tmp_path / "before")
    trace = tmp_path / "trace"
    watched = [*COMMAND, "-o", str(trace), sys.executable, "-c", PROGRAM, str(folder), fault]
    subprocess.run(watched, check=True, timeout=60)
    found = list(Reader(str(folder)).read(trace.read_text(encoding="ascii").splitlines()))
    made = Disk(str(folder), tmp_path / "before")
    told: list[str] = []
    lost: set[str] = set()

    async def missing(number: int) -> set[str]:
        image = tmp_path / f"image-{number}"
        image.mkdir()
        for name, octets in made.after_power_loss(nothing):
            if octets is None:
                (image / name).mkdir()
            else:
                (image / name).write_bytes(octets)
        store = await Store.open(
            f"sqlite:///{image}/gateway.db", payloads=image / "payloads", clock=wiring.now, serve=False
        )
        try:
            gone = set()
            for one in told:
                message = await store.message_by_duplicate_key(f"key-{one}")
                if message is None or (await store.verify([], read_bytes=True)).problems:
                    gone.add(one)
            return gone
        finally:
            await store.close()

    for index, moment in enumerate(found):
        if moment.call.kind is Kind.SYNC and moment.ends and told and not lost:
            lost |= asyncio.run(missing(index))
        if moment.begins and moment.call.kind is Kind.RENAME and "/told-" in moment.call.to:
            told.append(moment.call.to.rpartition("-")[2])
        made.take(moment)
    lost |= asyncio.run(missing(len(found)))
    assert len(told) == 4
    return sorted(lost)


@pytest.fixture
def strace() -> str:
    """Only where there is one: Linux, mostly."""
    found = shutil.which("strace")
    if found is None:
        pytest.skip("strace is not installed; what it would show is in docs/reliability.md")
    return found


@pytest.mark.process
@pytest.mark.usefixtures("strace")
def test_the_store_loses_nothing_at_a_power_cut(tmp_path: Path, migrated_sqlite_file: Path) -> None:
    """Rows and files are there before anybody is told."""
    assert answers_lost(tmp_path, migrated_sqlite_file, "none") == []


@pytest.mark.process
@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize("fault", ["normal", "folders"])
def test_a_missing_sync_is_found_out(tmp_path: Path, migrated_sqlite_file: Path, fault: str) -> None:
    """synchronous=NORMAL, or payload folders that are not synced: a message that was answered is lost."""
    assert answers_lost(tmp_path, migrated_sqlite_file, fault)
