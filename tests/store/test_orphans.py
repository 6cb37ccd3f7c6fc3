"""The payload folder holds what messages name, and no more."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from gateway.ports import Changes, LeaseLost, NaturalKeyTaken
from gateway.store import Store
from gateway.store.orphans import AGE, sweep
from gateway.store.tables import payload

LARGE = b"x" * (1 << 21)


def files(folder: Path) -> list[Path]:
    """What is in the payload folder."""
    return sorted(path for path in (folder / "payloads").rglob("*") if path.is_file())


async def test_a_large_duplicate_leaves_no_file(store: Store, trade: Any, tmp_path: Path) -> None:
    """A partner that sends the same again and again does not fill the disk; the first one's file stays."""
    first = trade.received(payload=LARGE, duplicate_key="k")
    await store.accept(first)
    kept = files(tmp_path)
    assert (await store.accept(trade.received(payload=LARGE, raw=LARGE, duplicate_key="k"))).duplicate
    assert (await store.accept(first)).duplicate
    assert files(tmp_path) == kept
    assert await store.payload(first.messages[0].id) == LARGE


async def test_a_write_that_is_refused_leaves_no_file(store: Store, trade: Any, tmp_path: Path) -> None:
    """A natural key that is taken, or a job that is another worker's by now."""
    first = trade.received()
    id_ = first.messages[0].id
    await store.accept(Changes(messages=first.messages, jobs=first.jobs, keys=(("k", id_),)))
    message = trade.message(payload=LARGE)
    taken = Changes(messages=(message,), keys=(("k", message.id),))
    with pytest.raises(NaturalKeyTaken):
        await store.accept(taken)
    with pytest.raises(NaturalKeyTaken):
        await store.apply(taken)
    (job,) = await store.claim("me", ["read"], 1)
    await store.release(job)
    with pytest.raises(LeaseLost):
        await store.finish(job, Changes(messages=(message,)))
    assert files(tmp_path) == []


async def test_old_files_that_no_message_names_are_removed_when_serving_begins(
    store: Store, trade: Any, clock: Any, tmp_path: Path, database_url: str
) -> None:
    """And half-written ones; not those of messages, not young ones, not what is not ours."""
    ids = []
    for _ in range(4):
        changes = trade.received(payload=LARGE)
        await store.accept(changes)
        ids.append(changes.messages[0].id)
    forgotten = payload.c.message_id.in_(ids[:2])
    await store.database.write(lambda connection: connection.execute(delete(payload).where(forgotten)))
    half = next(path for path in files(tmp_path) if ids[0] in path.name).with_suffix(".77.part")
    half.write_bytes(b"x")
    foreign = half.with_name("notes.txt")
    foreign.write_bytes(b"x")
    old = (clock() - AGE - timedelta(hours=1)).timestamp()
    young = next(path for path in files(tmp_path) if ids[1] in path.name)
    for path in files(tmp_path):
        os.utime(path, (old, old))
    os.utime(young, (old + AGE.total_seconds(), old + AGE.total_seconds()))
    before = set(files(tmp_path))
    await store.close()
    await (await Store.open(database_url, payloads=tmp_path / "payloads", clock=clock, serve=True)).close()
    gone = before - set(files(tmp_path))
    assert gone == {path for path in before if ids[0] in path.name}
    assert half in gone
    assert foreign.exists()


async def test_nothing_is_removed_when_the_database_knows_nothing_of_the_folder(
    store: Store, trade: Any, clock: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong database URL must not cost the payloads of the right one."""
    await store.accept(trade.received(payload=LARGE))
    (file,) = files(tmp_path)
    os.utime(file, (0, 0))
    await store.database.write(lambda connection: connection.execute(delete(payload)))
    assert await sweep(store.database, store.payloads, clock()) == 0
    assert files(tmp_path) == [file]
    assert "belong together" in caplog.text
