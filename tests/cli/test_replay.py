"""`gateway replay`: what is meant is counted and confirmed; refusals name their remedy; never a traceback."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import Result

from gateway.cli.replay_asking import complete_replay
from gateway.events import MessageReceived
from gateway.ports import Changes, Channel, Direction, MessageState, NewJob, NewMessage, new_id
from gateway.ports.replays import Replay, Replayed, ReplayItem, ReplayState, Versions
from gateway.store import Store
from gateway.wiring import open_store

Run = Callable[..., Result]
IDS: list[str] = []


async def received(store: Store) -> str:
    """A message that was read from a partner."""
    now = datetime.now(UTC)
    id_ = new_id(now)
    new = NewMessage(
        id=id_,
        partner="acme",
        direction=Direction.INBOUND,
        channel=Channel.AS2,
        state=MessageState.PROCESSED,
        at=now,
        payload=b"ISA",
    )
    job = NewJob(message_id=id_, step="read", lane="acme:inbound:read", run_at=now)
    event = MessageReceived(message_id=id_, partner="acme", channel="as2", size=3, sha256=sha256(b"ISA").hexdigest())
    await store.accept(Changes(messages=(new,), jobs=(job,), events=(event,)))
    return id_


@pytest.fixture(scope="module")
def filled(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two messages, the first one purged; a replay of the second, done with something left."""
    folder = tmp_path_factory.mktemp("replay") / "w"
    shutil.copytree(made, folder)

    async def fill() -> None:
        async with open_store(folder) as store:
            IDS[:] = [await received(store), await received(store)]
            await store.purge_payload(IDS[0], by="ann", reason="retention")
            now = store.clock()
            new = Replay(
                id=new_id(now), at=now, by="ann", why="a map was mended", versions=Versions.CURRENT, as_new=False,
                selection={}, total=1, state=ReplayState.PREPARING, changed_at=now,
            )  # fmt: skip
            await store.begin_replay(new, IDS[1:])
            await store.move_replay(new.id, ReplayState.RUNNING, by="ann")
            told = {"document": "ship_notice", "number": "A-1", "act": "left", "why": "erp has it", "targets": {}}
            item = ReplayItem(number=1, message_id=IDS[1], outcome="left", told=(told,))
            await store.apply(Changes(replayed=Replayed(replay_id=new.id, item=item, last=True)))
            IDS.append(new.id)

    asyncio.run(fill())
    return folder


def call(run: Run, workspace: Path, *words: object, code: int = 0) -> str:
    """What `gateway replay …` prints."""
    done = run("replay", *words, "--workspace", workspace)
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done.output


REFUSED: list[tuple[list[str], str]] = [
    (["--partner", "acme"], "a replay needs a reason"),
    (["--why", "x"], "which messages?"),
    (["--partner", "acme", "--why", "x"], "was purged"),
    (["--partner", "baltic", "--why", "x"], "no message is meant"),
    (["no-such-message", "--why", "x"], "cannot be replayed"),
    (["--from", "soon", "--why", "x"], "is no time"),
    (["--partner", "acme", "--leave-purged", "--why", "x"], "1 message will be worked again"),
    (["status", "nonsense"], "there is no replay nonsense"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_what_cannot_be_done_is_refused_with_its_remedy(run: Run, filled: Path, words: list[str], said: str) -> None:
    """The word run may be left out; exit code 2."""
    refused = call(run, filled, *words, code=2)
    assert said in refused
    assert "remedy: " in refused
    if words[0] != "status":
        assert said in call(run, filled, "run", *words, code=2)


def test_purged_message_is_named(run: Run, filled: Path) -> None:
    """So that it can be brought back, or left out."""
    assert IDS[0] in call(run, filled, "--partner", "acme", "--why", "x", code=2)


def test_as_new_is_said_aloud_before_it_is_asked(run: Run, filled: Path) -> None:
    """Effects are doubled."""
    words = ("--partner", "acme", "--leave-purged", "--as-new", "--why", "x")
    assert "AS NEW: targets get everything once more" in call(run, filled, *words, code=2)


def test_status_tells_what_came_of_it_and_that_somebody_has_to_look(run: Run, filled: Path) -> None:
    """Exit code 1 where something was left; message by message with --each; for programs with --json."""
    replay_id = IDS[2]
    told = call(run, filled, "status", replay_id, "--each", code=1)
    assert "done, 1 of 1 message" in told
    assert "ship_notice A-1: left (erp has it)" in told
    found: dict[str, Any] = json.loads(call(run, filled, "status", replay_id, "--each", "--json", code=1))
    assert (found["state"], found["outcomes"], found["items"][0]["outcome"]) == ("done", {"left": 1}, "left")
    assert replay_id in call(run, filled, "list")
    assert json.loads(call(run, filled, "list", "--json"))[0]["replay"] == replay_id


def test_what_is_done_is_neither_resumed_nor_cancelled(run: Run, filled: Path) -> None:
    """Another one is begun."""
    assert "it is done" in call(run, filled, "resume", IDS[2], code=2)
    assert "it is done" in call(run, filled, "cancel", IDS[2], code=2)


def test_replays_are_completed_by_their_ids(filled: Path) -> None:
    """And nothing is offered where there is no workspace."""

    class Context:
        params: ClassVar = {"workspace": str(filled)}

    assert complete_replay(Context(), IDS[2][:4]) == [IDS[2]]  # type: ignore[arg-type]
