"""`gateway retention`: told before it is done, asked for, recorded; holds by hand; refusals in words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gateway import wiring
from gateway.cli.answers import run as run_async
from gateway.events import MessageReceived
from gateway.ports import Changes, Direction, MessageState, NewMessage, new_id, own_chain

Run = Callable[..., Result]


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Path:
    """A workspace that keeps bytes for a year, with a message of two years ago."""
    folder = tmp_path / "w"
    shutil.copytree(made, folder)
    with (folder / "gateway.yaml").open("a") as file:
        file.write("\nretention:\n  payload_days: 365\n")
    return folder


@pytest.fixture
def old(workspace: Path) -> str:
    """Its id."""

    async def received() -> str:
        at = datetime.now(UTC) - timedelta(days=730)
        async with wiring.open_store(workspace) as store:
            message: NewMessage = own_chain(new_id(at), b"old", at=at)
            fact = MessageReceived(message_id=message.id, channel="folder", sha256="", size=3)
            await store.apply(Changes(messages=(message,), events=(fact,)))
            assert (message.direction, message.state) == (Direction.INBOUND, MessageState.PROCESSED)
            return message.id

    return run_async(received())


def call(run: Run, workspace: Path, *words: object, code: int = 0) -> str:
    """What a command prints."""
    done = run("retention", *words, "--workspace", workspace)
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


def json_of(run: Run, workspace: Path, *words: object) -> Any:
    """What it prints as JSON."""
    done = run("retention", *words, "--json", "--workspace", workspace)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_what_is_due_is_told_then_asked_for_then_gone(run: Run, workspace: Path, old: str) -> None:
    """A pipe cannot be asked: it has to say --yes."""
    said = call(run, workspace, "plan")
    assert "messages' bytes would go 1 3 B 730 d gateway.yaml: retention.payload_days" in said
    assert "--yes" in call(run, workspace, "run", code=2)
    assert "gone: 1 thing, 3 B" in call(run, workspace, "run", "--by", "ann", "--yes")
    assert call(run, workspace, "plan").startswith("nothing is due")
    shown = run("message", "show", old, "--workspace", workspace)
    assert "was purged" in shown.stdout
    assert "ann" in shown.stdout


def test_nothing_goes_unless_the_answer_is_yes(
    run: Run, workspace: Path, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is shown what would go, and that there is no way back."""
    monkeypatch.setattr("gateway.cli.retention._interactive", lambda: True)
    refused = run("retention", "run", "--workspace", workspace, input="n\n")
    assert (refused.exit_code, "no way back" in refused.output, "Nothing was removed" in refused.output) == (
        2,
        True,
        True,
    )
    assert json_of(run, workspace, "plan")[0]["items"] == 1
    assert run("retention", "run", "--workspace", workspace, input="y\n").exit_code == 0
    assert json_of(run, workspace, "plan") == []
    assert old


def test_a_hold_is_placed_listed_and_lifted(run: Run, workspace: Path, old: str) -> None:
    """While it stands, neither run nor purge touch what it names."""
    assert json_of(run, workspace, "hold", "add", "--message", old, "--why", "case 7", "--by", "lea") == {"hold": 1}
    assert "stays: legal hold 1" in call(run, workspace, "plan")
    assert json_of(run, workspace, "run", "--yes")[0]["kept"] == "legal hold 1"
    purge = run("message", "purge", old, "--by", "ann", "--reason", "r", "--workspace", workspace)
    assert (purge.exit_code, "legal hold 1" in purge.output) == (2, True)
    assert f"message {old}" in call(run, workspace, "hold", "list")
    assert "is lifted" in call(run, workspace, "hold", "remove", "1", "--why", "settled")
    assert call(run, workspace, "hold", "list") == "no legal hold stands"
    assert "settled" in call(run, workspace, "hold", "list", "--lifted")
    assert json_of(run, workspace, "run", "--yes")[0]["kept"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("hold", "add", "--why", "w"), "Nothing is named"),
        (("hold", "add", "--partner", "nobody", "--why", "w"), "no partner"),
        (("hold", "add", "--message", "nobody", "--why", "w"), "no message"),
        (("hold", "remove", "9", "--why", "w"), "No legal hold 9"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, workspace: Path, words: tuple[str, ...], said: str) -> None:
    """Exit code 2, and what to do."""
    assert said in call(run, workspace, *words, code=2)


def test_duties_are_listed_and_one_that_failed_is_exit_code_1(run: Run, workspace: Path) -> None:
    """Before the first start there are none."""

    def listed(*words: str, code: int = 0) -> str:
        done = run("schedule", "list", *words, "--workspace", workspace)
        assert done.exit_code == code, done.output
        return str(done.output)

    async def done(error: str = "") -> None:
        async with wiring.open_store(workspace) as store:
            await store.plan_duty("sweep", timedelta(hours=6))
            (seen,) = await store.schedules()
            beats = await store.take_duty(seen, "node-1")
            assert beats is not None
            if error != "runs":
                await store.end_duty(
                    "sweep", "node-1", beats, every=timedelta(hours=6), took=2, said="3 gone", error=error
                )

    assert "no duty yet" in listed()
    run_async(done())
    assert [word in listed() for word in ("sweep", "6 h", "waits", "3 gone")] == [True] * 4
    run_async(done(error="no disk"))
    assert "no disk" in listed(code=1)
    assert json.loads(listed("--json", code=1))[0]["error"] == "no disk"
    run_async(done(error="runs"))
    assert "runs at node-1" in listed(code=1)
