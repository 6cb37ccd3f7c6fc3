"""Files of the spool are the store's once it takes them, and nobody's file is left behind."""

from __future__ import annotations

import errno
import gc
import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import NoRoom, OurFault
from gateway.ports import Changes, MessageUpdate
from gateway.store import Store, spool
from gateway.store.payloads import Payloads
from gateway.store.spool import SpoolFile, failed, sweep

TEXT = b"0123456789" * 300_000


def files(folder: Path) -> list[Path]:
    """What is in the payload folder."""
    return sorted(path for path in (folder / "payloads").rglob("*") if path.is_file())


def spooled(store: Store, text: bytes = TEXT) -> SpoolFile:
    """A file of the spool, written in pieces."""
    file = store.spool(kept=True)
    for at in range(0, len(text), 700_000):
        file.write(text[at : at + 700_000])
    return file


async def test_payload_and_raw_from_the_spool_are_renamed_and_read_in_pieces(
    store: Store, trade: Any, tmp_path: Path
) -> None:
    """SHA-256 and size are the file's; nothing stays in the spool; whole and in pieces it is the same."""
    message = trade.message(payload=spooled(store), raw=spooled(store, TEXT + b"raw"))
    await store.apply(Changes(messages=(message,)))
    stored = await store.message(message.id)
    assert stored is not None
    assert (stored.payload_sha256, stored.size) == (hashlib.sha256(TEXT).hexdigest(), len(TEXT))
    assert len(files(tmp_path)) == 2
    assert not [path for path in files(tmp_path) if path.parent.name == spool.FOLDER]
    assert await store.payload(message.id) == TEXT
    found = await store.octets(message.id, "raw")
    assert found is not None
    assert not isinstance(found, bytes)
    assert (found.size, found.read(len(TEXT) - 1, 100)) == (len(TEXT) + 3, b"9raw")


async def test_small_payload_is_given_as_bytes_and_none_as_none(store: Store, trade: Any) -> None:
    """What stands in a row is no file."""
    message = trade.message()
    await store.apply(Changes(messages=(message,)))
    assert await store.octets(message.id) == b"ISA*"
    assert await store.octets(message.id, "raw") is None


async def test_raw_octets_of_a_stored_message_may_come_from_the_spool(store: Store, trade: Any) -> None:
    """As they do when a large message was sent."""
    message = trade.message()
    await store.apply(Changes(messages=(message,)))
    await store.apply(Changes(message_updates=(MessageUpdate(id=message.id, raw=spooled(store)),)))
    assert await store.raw(message.id) == TEXT


async def test_raw_octets_of_an_attempt_before_leave_no_file(store: Store, trade: Any, tmp_path: Path) -> None:
    """Each attempt has octets of its own, a gigabyte perhaps; those of the last one are kept, and can be read still."""
    message = trade.message()
    await store.apply(Changes(messages=(message,)))
    for attempt in (b"1", b"2", b"2"):
        file = spooled(store, TEXT + attempt)
        await store.apply(Changes(message_updates=(MessageUpdate(id=message.id, raw=file),)))
        assert file.read(len(TEXT), 9) == attempt, "what was stored before it is posted must be there to be posted"
        await store.apply(Changes(message_updates=(MessageUpdate(id=message.id, raw=file),)))
    assert await store.raw(message.id) == TEXT + b"2"
    assert len(files(tmp_path)) == 1


def test_what_is_written_while_the_file_is_discarded_goes_into_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that stops discards what a thread is still writing; the next file opened would get its number."""
    file = SpoolFile(tmp_path / "spool", kept=True)
    file.write(TEXT)
    monkeypatch.setattr(spool, "SYNC_EVERY", 1)
    syncing, go_on = threading.Event(), threading.Event()

    def slow(_handle: int) -> None:
        syncing.set()
        assert go_on.wait(10)

    monkeypatch.setattr(os, "fdatasync", slow)
    writing = threading.Thread(target=file.write, args=(TEXT,))
    writing.start()
    assert syncing.wait(10)
    file.discard()
    other = tmp_path / "gateway.db"
    with other.open("xb"):
        go_on.set()
        writing.join()
    assert other.read_bytes() == b""
    del file, writing
    gc.collect()
    assert not list((tmp_path / "spool").iterdir())


async def test_a_disk_that_fills_up_between_two_files_keeps_neither(
    store: Store, trade: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is not made fuller by half a message."""
    payload, raw = spooled(store), spooled(store)
    take = SpoolFile.take

    def full(file: SpoolFile, path: Path) -> None:
        if file is raw:
            raise OSError(errno.ENOSPC, "full")
        take(file, path)

    monkeypatch.setattr(SpoolFile, "take", full)
    with pytest.raises(NoRoom):
        await store.accept(Changes(messages=(trade.message(payload=payload, raw=raw),)))
    payload.discard()
    raw.discard()
    assert files(tmp_path) == []


async def test_a_changed_file_is_found_before_anything_of_it_is_used(store: Store, trade: Any, tmp_path: Path) -> None:
    """By whoever reads it in pieces, and by the audit."""
    changes = trade.received(payload=TEXT)
    await store.accept(changes)
    (path,) = files(tmp_path)
    path.write_bytes(TEXT[:-1] + b"x")
    with pytest.raises(OurFault, match="was changed"):
        await store.octets(changes.messages[0].id)
    verification = await store.verify({})
    assert any("was changed" in one.detail for one in verification.problems)


async def test_a_duplicate_from_the_spool_leaves_no_file(store: Store, trade: Any, tmp_path: Path) -> None:
    """The first one's file stays."""
    await store.accept(trade.received(payload=TEXT, duplicate_key="k"))
    kept = files(tmp_path)
    payload, raw = spooled(store), spooled(store)
    again = Changes(messages=(trade.message(payload=payload, raw=raw, duplicate_key="k"),))
    assert (await store.accept(again)).duplicate
    assert raw.read(0, 10) == TEXT[:10], "whoever records the duplicate still has it"
    payload.discard()
    raw.discard()
    assert files(tmp_path) == kept


def test_a_file_that_nobody_holds_is_gone(tmp_path: Path) -> None:
    """Also when what it was for failed."""
    file = SpoolFile(tmp_path)
    file.write(b"x")
    assert list(tmp_path.iterdir()) == [file.path]
    del file
    gc.collect()
    assert list(tmp_path.iterdir()) == []
    kept = SpoolFile(tmp_path)
    kept.discard()
    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    """The lock tells them apart: a node that is started again at once need not wait to have its disk back."""
    code = "import os, sys; from pathlib import Path; from gateway.store.spool import SpoolFile\n"
    code += "file = SpoolFile(Path(sys.argv[1])); file.write(b'x'); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    (dead,) = tmp_path.iterdir()
    living = SpoolFile(tmp_path)
    assert dead != living.path
    assert sweep(tmp_path) == 1
    assert list(tmp_path.iterdir()) == [living.path]
    assert sweep(tmp_path / "missing") == 0


def test_what_has_no_name_yet_is_swept_when_it_is_old(tmp_path: Path) -> None:
    """A process may die between making a file and locking it; one that is about to lock it keeps it."""
    for name in ("old.new", "young.new"):
        (tmp_path / name).touch()
    old = time.time() - 3600
    os.utime(tmp_path / "old.new", (old, old))
    assert sweep(tmp_path) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["young.new"]


def test_a_file_that_another_node_removes_first_does_not_end_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two nodes that start together on one folder look at the same files."""
    for name in ("a.spool", "b.spool"):
        (tmp_path / name).touch()
    glob = Path.glob

    def quicker(folder: Path, pattern: str) -> Any:
        found = list(glob(folder, pattern))
        if found:
            found[0].unlink()
        return found

    monkeypatch.setattr(Path, "glob", quicker)
    assert sweep(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_as_passing_and_the_file_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room is left for the database; what the system itself says of a full disk means the same."""
    file = SpoolFile(tmp_path, kept=True)
    monkeypatch.setattr(spool, "RESERVE", 1 << 60)
    with pytest.raises(NoRoom, match="less is free"):
        file.write(b"x")
    assert list(tmp_path.iterdir()) == []
    for number in (errno.ENOSPC, errno.EDQUOT):
        assert isinstance(failed(OSError(number, "full"), tmp_path), NoRoom)
    assert not isinstance(failed(OSError(errno.EIO, "broken"), tmp_path), NoRoom)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With its remedy, not as an error of the operating system."""
    (tmp_path / "payloads").write_text("a file where the folder belongs")
    with pytest.raises(OurFault, match="could not be written"):
        Payloads(tmp_path / "payloads").spool()


@pytest.mark.parametrize("spooled_too", [False, True])
def test_a_folder_that_somebody_else_has_just_made_is_on_the_disk_before_its_file_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, spooled_too: bool
) -> None:
    """Its maker may not have come to the sync yet; after a power loss neither folder nor file would be there."""
    payloads = Payloads(tmp_path)
    name = hashlib.sha256(TEXT).hexdigest()
    payloads.path(name, "m", "raw").parent.mkdir()
    synced: list[int] = []
    sync = os.fsync

    def noted(handle: int) -> None:
        synced.append(os.fstat(handle).st_ino)
        sync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    if spooled_too:
        file = payloads.spool(kept=True)
        file.write(TEXT)
        payloads.take("m", "raw", file)
    else:
        payloads.keep("m", "raw", TEXT)
    path = payloads.path(name, "m", "raw")
    assert synced == [one.stat().st_ino for one in (path, path.parent, tmp_path)]
