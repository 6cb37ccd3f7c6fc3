"""Payload files and rows belong together, or it is said which do not; work that nobody knows is found."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from gateway.errors import OurFault
from gateway.ports import Node, NodeState
from gateway.store import Store, orphans
from gateway.store.checkup import checkup
from gateway.store.database import Database
from gateway.store.orphans import AGE
from gateway.store.tables import payload

LARGE = b"x" * (1 << 21)


def files(folder: Path) -> list[Path]:
    """What is in the payload folder."""
    return sorted(path for path in (folder / "payloads").rglob("*") if path.is_file())


async def accepted(store: Store, trade: Any, count: int) -> list[str]:
    """Messages with a file each."""
    ids = []
    for _ in range(count):
        changes = trade.received(payload=LARGE)
        await store.accept(changes)
        ids.append(changes.messages[0].id)
    return ids


def file_of(folder: Path, message_id: str) -> Path:
    """Its file."""
    return next(path for path in files(folder) if message_id in path.name)


async def test_sound_files_are_read_and_counted(store: Store, trade: Any, tmp_path: Path) -> None:
    """Each once; small payloads have none."""
    await accepted(store, trade, 3)
    await store.accept(trade.received())
    looked: list[int] = []
    found = await store.verify_payloads(looked=looked.append)
    assert (found.ok, found.files, found.octets, found.problems) == (True, 3, 3 * len(LARGE), ())
    assert sum(looked) == await store.payload_files() == 3


async def test_missing_changed_and_unnamed_files_are_told_apart(
    store: Store, trade: Any, clock: Any, tmp_path: Path
) -> None:
    """Each with its message, or as nobody's; nothing is changed by looking."""
    ids = await accepted(store, trade, 6)
    file_of(tmp_path, ids[0]).unlink()
    file_of(tmp_path, ids[1]).write_bytes(b"y" * 10)
    forgotten = payload.c.message_id.in_(ids[2:4])
    await store.database.write(lambda connection: connection.execute(delete(payload).where(forgotten)))
    old = (clock() - AGE - timedelta(hours=1)).timestamp()
    for id_ in (ids[2], ids[4], ids[5]):
        os.utime(file_of(tmp_path, id_), (old, old))
    young = (clock() - timedelta(hours=1)).timestamp()
    os.utime(file_of(tmp_path, ids[3]), (young, young))
    before = files(tmp_path)
    found = await store.verify_payloads()
    told = {(one.what, one.message_id) for one in found.problems}
    assert told == {("unreadable", ids[0]), ("changed", ids[1]), ("unnamed", None)}
    assert (found.ok, found.young, found.removed) == (False, 1, 0)
    assert files(tmp_path) == before
    repaired = await store.verify_payloads(remove=True)
    assert (repaired.unnamed, repaired.removed, repaired.ok) == (1, 1, False)
    assert {one.name for one in before} - {one.name for one in files(tmp_path)} == {
        next(one.name for one in before if ids[2] in one.name)
    }


async def test_a_file_on_its_way_into_another_node_s_commit_is_never_removed(
    store: Store, trade: Any, clock: Any, tmp_path: Path
) -> None:
    """Nor by a node whose clock is days ahead: a file's age is by the folder's own clock, too."""
    await accepted(store, trade, 2)
    message = trade.message(payload=LARGE)
    store.payloads.keep(message.id, "payload", LARGE)  # the other node has written it, its commit comes later
    clock.advance(days=9000)
    assert await orphans.sweep(store.database, store.payloads, clock()) == 0
    assert (await store.verify_payloads(remove=True)).young == 1
    assert len(files(tmp_path)) == 3


async def test_what_was_named_meanwhile_is_not_removed(store: Store, trade: Any, clock: Any, tmp_path: Path) -> None:
    """The rows are asked again right before."""
    ids = await accepted(store, trade, 2)
    for path in files(tmp_path):
        os.utime(path, (0, 0))
    found = await orphans.find(store.database, store.payloads, clock())
    late = orphans.Found(named=5, strange=(file_of(tmp_path, ids[0]),), young=0)
    assert found.strange == ()
    assert await orphans.remove(store.database, late) == 0
    assert len(files(tmp_path)) == 2


async def test_removing_is_refused_where_folder_and_database_do_not_belong_together(
    store: Store, trade: Any, tmp_path: Path
) -> None:
    """As at the start of serving, with the remedy."""
    await accepted(store, trade, 1)
    os.utime(files(tmp_path)[0], (0, 0))
    await store.database.write(lambda connection: connection.execute(delete(payload)))
    with pytest.raises(OurFault, match="named by no message") as refused:
        await store.verify_payloads(remove=True)
    assert "belong together" in refused.value.remedy
    assert len(files(tmp_path)) == 1


@contextmanager
def spoilt(folder: Path) -> Iterator[None]:
    """A folder that is a file: unreadable for anybody, root too."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_bytes(b"")
    yield
    folder.unlink()


async def test_an_unreadable_payload_folder_is_our_fault(store: Store, tmp_path: Path) -> None:
    """With the folder's name and what to do."""
    with spoilt(tmp_path / "payloads"), pytest.raises(OurFault, match=r"payloads cannot be looked through") as refused:
        await store.verify_payloads()
    assert "writable" in refused.value.remedy


async def test_work_in_a_step_that_does_not_exist_is_found_and_left_alone(store: Store, trade: Any) -> None:
    """Not claimed, not lost: told by step with one of its messages, and those messages are listed."""
    for _ in range(2):
        await store.accept(trade.received(step="frobnicate"))
    await store.accept(trade.received())
    (stuck,) = await store.stuck_work(["read"])
    assert (stuck.step, stuck.jobs) == ("frobnicate", 2)
    listed = await store.messages(strange_to=["read"])
    assert len(listed) == 2
    assert stuck.message_id == min(one.id for one in listed)
    assert [job.step for job in await store.claim("me", ["read"], 5)] == ["read"]
    assert await store.stuck_work(["read", "frobnicate"]) == []


async def test_the_checkup_names_what_does_not_hold(
    store: Store, database_url: str, trade: Any, clock: Any, tmp_path: Path
) -> None:
    """A sound database, then nodes that differ, a strange step, and a folder that cannot be written."""
    database = await Database.open(database_url)
    sound = {one.name: one for one in await checkup(database, tmp_path / "payloads", ["read"], clock())}
    wrong = {name for name, one in sound.items() if not one.ok}
    assert wrong <= {"fsync"}  # the tests' own server does without
    for name in "ab":
        at = clock()
        told = {"gateway": "0.1.0", "schema": "0010", "configuration": name * 64, "state": NodeState.READY}
        await store.beat(Node(id=name, host="h", pid=1, started_at=at, seen_at=at, beats=1, beat_seconds=5.0, **told))
    await store.accept(trade.received(step="frobnicate"))
    with spoilt(tmp_path / "payloads"):
        found = {one.name: one for one in await checkup(database, tmp_path / "payloads", ["read"], clock())}
    assert {name for name, one in found.items() if not one.ok} - wrong == {
        "configurations",
        "work nobody knows",
        "payload folder",
    }
    assert found["configurations"].said == "aaaaaaaaaaaa on a; bbbbbbbbbbbb on b"
    assert all(one.remedy for one in found.values() if not one.ok)
    await database.close()
