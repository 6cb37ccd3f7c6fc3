"""`gateway node`, `database`, `payload`, `message list --stuck`: what an operator of several nodes asks."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gateway import wiring
from gateway.events import MessageReceived
from gateway.ports import (
    Changes,
    Channel,
    Direction,
    MessageState,
    NewJob,
    NewMessage,
    Node,
    NodeState,
    new_id,
)
from gateway.store import Store, cleaning, head
from gateway.store.cleaning import Cleaning

Run = Callable[..., Result]


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace to change."""
    monkeypatch.delenv("GATEWAY_DATABASE_URL", raising=False)
    return Path(shutil.copytree(made, tmp_path / "workspace"))


def within(folder: Path, work: Callable[[Store], Awaitable[Any]]) -> Any:
    """Do something with the workspace's store."""

    async def opened() -> Any:
        async with wiring.open_store(folder) as store:
            return await work(store)

    return asyncio.run(opened())


def node(name: str, **changes: Any) -> Node:
    """A node that has just beaten."""
    at = datetime.now(UTC)
    told: dict[str, Any] = {
        "id": name,
        "host": "here",
        "pid": 7,
        "started_at": at,
        "seen_at": at,
        "beats": 1,
        "beat_seconds": 60.0,
        "gateway": "0.1.0",
        "schema": head(),
        "configuration": "a" * 64,
        "state": NodeState.READY,
    }
    return Node(**told | changes)


def test_node_list_says_who_runs_and_who_is_silent(run: Run, folder: Path) -> None:
    """Exit code 1 when somebody is lost, or they differ; the same as JSON."""
    assert run("node", "list", "--workspace", folder).output == "no node runs\n"

    async def two(store: Store) -> None:
        await store.beat(node("one"))
        await store.beat(node("two", state=NodeState.DRAINING))

    within(folder, two)
    listed = run("node", "list", "--workspace", folder)
    assert listed.exit_code == 0
    assert [line.split()[:2] for line in listed.output.splitlines()[1:]] == [["one", "ready"], ["two", "draining"]]
    assert f"0.1.0, schema {head()}" in listed.output

    async def changed(store: Store) -> None:
        await store.beat(node("two", configuration="b" * 64))
        await store.beat(node("three", seen_at=datetime.now(UTC) - timedelta(hours=1)))

    within(folder, changed)
    listed = run("node", "list", "--workspace", folder)
    assert listed.exit_code == 1
    assert "different configurations" in listed.output
    told = json.loads(run("node", "list", "--workspace", folder, "--json").output)
    assert {one["id"]: one["seen"] for one in told} == {"one": "ready", "two": "ready", "three": "silent"}


def test_config_status_names_nodes_that_work_with_another_configuration(run: Run, folder: Path) -> None:
    """Exit code 1 until they agree."""

    async def active(store: Store) -> None:
        from gateway.events import ConfigurationActivated  # noqa: PLC0415
        from gateway.ports import CONFIGURATION, own_chain  # noqa: PLC0415

        event = ConfigurationActivated(
            message_id=CONFIGURATION,
            version="a" * 64,
            gateway="0.1.0",
            node="one",
            agreements=0,
            maps=0,
            guides=0,
            changed=(),
            needs_restart=(),
        )
        chain = own_chain(CONFIGURATION, b"note", at=datetime.now(UTC))
        await store.apply(Changes(messages=(chain,), events=(event,)))
        await store.beat(node("one"))
        await store.beat(node("two", configuration="b" * 64))

    within(folder, active)
    said = run("config", "status", "--workspace", folder)
    assert said.exit_code == 1
    assert f"node     two works with {'b' * 64}" in said.output
    assert "node     one" not in said.output
    told = json.loads(run("config", "status", "--workspace", folder, "--json").output)
    assert [one["id"] for one in told["nodes"]] == ["one", "two"]


def test_database_status_changes_nothing_and_migrate_makes_it(run: Run, folder: Path) -> None:
    """First there is none, then its schema is this gateway's."""
    before = run("database", "status", "--workspace", folder)
    assert before.exit_code == 2
    assert "remedy: gateway database migrate" in before.stderr
    assert not (folder / "data" / "gateway.db").exists()
    done = run("database", "migrate", "--workspace", folder)
    assert done.output.startswith("migrated: 0001, ")
    assert run("database", "migrate", "--workspace", folder).output == "migrated: nothing was lacking\n"
    said = json.loads(run("database", "status", "--workspace", folder, "--json").output)
    assert (said["schema"], said["this_gateway"], said["usable"], said["lacking"]) == (head(), head(), True, [])
    assert said["version"].startswith("SQLite 3.")


def test_database_migrate_post_refuses_while_an_older_node_beats(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the node; when that has gone it cleans up, once."""
    gone: list[int] = []
    left = Cleaning(number="9999", needs=head(), goes="an old index", run=lambda _: gone.append(1))
    monkeypatch.setattr(cleaning, "CLEANINGS", [left])
    within(folder, lambda store: store.beat(node("old-one", schema="0005")))
    refused = run("database", "migrate", "--post", "--workspace", folder)
    assert refused.exit_code == 2
    assert "old-one (gateway 0.1.0, schema 0005)" in refused.stderr
    assert "an old index" in run("database", "check", "--workspace", folder).output
    within(folder, lambda store: store.leave("old-one"))
    done = run("database", "migrate", "--post", "--workspace", folder)
    assert done.output == "migrated: nothing was lacking\ncleaned up: an old index\n"
    again = run("database", "migrate", "--post", "--workspace", folder, "--json")
    assert json.loads(again.output) == {"migrated": [], "cleaned": []}
    assert gone == [1]


def received(size: int = 3, step: str = "read") -> Changes:
    """A message with a job."""
    at = datetime.now(UTC)
    message = NewMessage(
        id=new_id(at),
        partner="acme",
        direction=Direction.INBOUND,
        channel=Channel.AS2,
        state=MessageState.RECEIVED,
        at=at,
        payload=b"x" * size,
    )
    job = NewJob(message_id=message.id, step=step, lane="acme:inbound:read", run_at=at)
    told = MessageReceived(message_id=message.id, partner="acme", channel="as2", sha256="", size=size)
    return Changes(messages=(message,), jobs=(job,), events=(told,))


def test_work_in_a_step_that_no_longer_exists_is_listed_with_its_remedy(run: Run, folder: Path) -> None:
    """By `message list --stuck` and by `database check`, which exits with 1."""
    strange, known = received(step="frobnicate"), received()

    async def both(store: Store) -> None:
        await store.accept(strange)
        await store.accept(known)

    within(folder, both)
    listed = run("message", "list", "--stuck", "--workspace", folder)
    assert strange.messages[0].id in listed.stdout
    assert known.messages[0].id not in listed.stdout
    assert "step frobnicate, due since" in listed.stderr
    assert "remedy: start a gateway of the version that began this work" in listed.stderr
    check = run("database", "check", "--workspace", folder)
    assert check.exit_code == 1
    assert f"work nobody knows: 1 of frobnicate, such as for {strange.messages[0].id}" in check.output
    assert "gateway message list --stuck" in check.output


def test_payload_verify_names_what_is_wrong_and_repairs_what_nobody_names(run: Run, folder: Path) -> None:
    """Exit code 0 when files and messages belong together, 1 when not; a missing file is never repaired away."""
    large = [received(size=1_500_000) for _ in range(3)]

    async def all_(store: Store) -> None:
        for one in large:
            await store.accept(one)

    within(folder, all_)
    sound = run("payload", "verify", "--workspace", folder)
    assert sound.exit_code == 0
    assert "3 files with 4500000 bytes were read" in sound.output
    files = sorted((folder / "data" / "payloads").glob("??/*"))
    stray = files[0].with_name(files[0].name.replace(files[0].name[65:101], "01a1fba6-51a7-7b71-bac9-45631484465c"))
    stray.write_bytes(b"x")
    os.utime(stray, (0, 0))
    for path in files:
        os.utime(path, (1, 1))
    found = run("payload", "verify", "--workspace", folder)
    assert found.exit_code == 1
    assert "--repair-orphans" in found.output
    repaired = run("payload", "verify", "--repair-orphans", "--workspace", folder, "--json")
    assert repaired.exit_code == 0
    assert json.loads(repaired.output)["removed"] == 1
    assert not stray.exists()
    files[1].unlink()
    missing = run("payload", "verify", "--repair-orphans", "--workspace", folder)
    assert missing.exit_code == 1
    assert "unreadable" in missing.output
    assert "Restore the payload folder" in missing.output
