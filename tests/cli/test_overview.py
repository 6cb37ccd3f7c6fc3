"""`gateway status`: every trouble is a line that names the command for it, and makes the exit code 1."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.main import get_command

from gateway import wiring
from gateway.cli import app
from gateway.cli.overview_looking import ACT, FINE, KNOW, MOST, Look, Seen, looks
from gateway.errors import OurFault
from gateway.partners import workspace
from gateway.partners.checks import ONLY_TO_RUN
from gateway.ports import Direction, MessageState, Node, NodeState, TrailEntry
from gateway.ports.figures import LaneFigures, Traffic, WorkFigures
from gateway.store import Scheduled, Store
from gateway.store.webhooks import Switch

Run = Callable[..., Result]
AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
NONE = LaneFigures(due=0, later=0, running=0, dead=0, oldest=None, cap=None, breaker="closed", stopped=0)
WORK = WorkFigures(
    at=AT,
    all=NONE,
    lanes={},
    others=NONE,
    breakers={"closed": 3, "half open": 0, "open": 0},
    uncertain=0,
    outbox={"webhooks": (0, None), "nats": (0, None)},
    unsealed=None,
    nodes={},
    configurations=1,
    ahead=0.0,
)
NODE = Node(
    id="node-a",
    host="here",
    pid=7,
    started_at=AT,
    seen_at=AT,
    beats=1,
    beat_seconds=60.0,
    gateway="0.1.0",
    schema="0001",
    configuration="a" * 64,
    state=NodeState.READY,
)
ACTIVE = TrailEntry(
    number=1,
    message_id="configuration",
    kind="configuration.activated",
    at=AT,
    partner=None,
    order_number=None,
    data={"version": "c" * 64},
    hash="d" * 64,
)
WELL = Seen(
    at=AT,
    work=WORK,
    nodes=[NODE],
    duties=[],
    switches={},
    trail=[ACTIVE],
    traffic=Traffic(since=AT - timedelta(hours=1), counts={(Direction.INBOUND, MessageState.PROCESSED): 12}),
    overdue=0,
    reviews=0,
    held=0,
)
DUTY = Scheduled(
    name="retention",
    every_seconds=3600,
    next_at=AT,
    owner=None,
    started_at=None,
    beats=0,
    done_at=None,
    failed_at=AT,
    took_seconds=None,
    said=None,
    error="the disk is full",
)


def work(**changes: Any) -> Seen:
    """All well but for the work."""
    return replace(WELL, work=replace(WORK, **changes))


def lanes(**changes: Any) -> Seen:
    """All well but for what is in the lanes."""
    return work(all=replace(NONE, **changes))


@pytest.fixture(scope="module")
def told(made: Path) -> Callable[..., dict[str, Look]]:
    """The looks at a state, by what they are about; the workspace is sound unless said otherwise."""
    loaded = workspace.load(made, ignoring=ONLY_TO_RUN)

    def at(found: Seen, loaded: Any = loaded) -> dict[str, Look]:
        return {one.about: one for one in looks(found, made, loaded)}

    return at


def look(about: str, state: str, said: str, command: str = "") -> Look:
    """What is expected."""
    return Look(about=about, state=state, said=said, command=command)


LATE, JUST_NOW = AT - timedelta(hours=3), AT - timedelta(seconds=9)
REFUSED = Traffic(since=LATE, counts={(Direction.INBOUND, MessageState.REFUSED): 2})
DISABLED = Switch(name="shop", disabled_at=AT, changed_at=AT, changed_by="us", reason="410")
OTHER, LOST = replace(NODE, id="b", configuration="b" * 64), replace(NODE, id="b", state=NodeState.LOST)
TROUBLED = "gateway lane list --troubled"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (WELL, look("gateways", FINE, "1 ready")),
        (replace(WELL, nodes=[]), look("gateways", ACT, "none runs: gateway serve")),
        (replace(WELL, nodes=[NODE, LOST]), look("gateways", ACT, "1 ready, 1 lost", "gateway node list")),
        (
            replace(WELL, nodes=[NODE, OTHER]),
            look("gateways", ACT, "2 ready, with different configurations", "gateway node list"),
        ),
        (replace(WELL, trail=[]), look("configuration", KNOW, "none was active yet", "gateway config status")),
        (WELL, look("messages", FINE, "12 in, 0 out in the last 60 min")),
        (
            replace(WELL, traffic=REFUSED),
            look("messages", KNOW, "2 in, 0 out in the last 3 h, 2 refused", "gateway message list --state refused"),
        ),
        (lanes(due=4, oldest=JUST_NOW), look("work", FINE, "4 due, 0 running, 0 for later, the oldest for 9 s")),
        (
            lanes(due=4, oldest=LATE),
            look("work", ACT, "4 due, 0 running, 0 for later, the oldest for 3 h", "gateway lane list"),
        ),
        (
            lanes(stopped=1),
            look("lanes", KNOW, "of 3 1 paused by somebody, 0 after failures of the far side", TROUBLED),
        ),
        (
            work(breakers={"closed": 2, "half open": 0, "open": 1}),
            look("lanes", ACT, "of 3 0 paused by somebody, 1 after failures of the far side", TROUBLED),
        ),
        (lanes(dead=1), look("dead letters", ACT, "1 job given up", "gateway dead list")),
        (
            work(uncertain=2),
            look("uncertain", ACT, "2 deliveries of unknown outcome", "gateway message list --uncertain"),
        ),
        (
            replace(WELL, overdue=MOST),
            look("overdue", ACT, "1000+ answers not here in time", "gateway message list --overdue"),
        ),
        (replace(WELL, reviews=2), look("reviews", ACT, "2 documents to be decided", "gateway review list")),
        (
            replace(WELL, held=1),
            look("cross-references", ACT, "1 document waiting for unknown words", "gateway reference unknown"),
        ),
        (
            replace(WELL, switches={"shop": DISABLED}),
            look("events", ACT, "0 events to hand on, shop disabled", "gateway webhook list"),
        ),
        (
            work(outbox={"nats": (7, LATE)}),
            look("events", ACT, "7 events to hand on, the oldest for 3 h", "gateway events waiting"),
        ),
        (replace(WELL, duties=[DUTY]), look("duties", ACT, "retention failed", "gateway schedule list")),
        (work(unsealed=JUST_NOW), look("audit trail", FINE, "not sealed for 9 s")),
        (work(unsealed=LATE), look("audit trail", ACT, "not sealed for 3 h", "gateway serve")),
    ],
)
def test_each_thing_says_how_it_stands_and_what_shows_more(
    told: Callable[..., dict[str, Look]], found: Seen, expected: Look
) -> None:
    """The command is named where there is something to see."""
    assert told(found)[expected.about] == expected


def test_a_folder_that_is_wrong_needs_somebody(told: Callable[..., dict[str, Look]]) -> None:
    """What cannot be read is not looked at."""
    found = told(WELL, OurFault("gateway.yaml is wrong"))
    assert (found["configuration"].state, found["configuration"].command) == (ACT, "gateway partner check")
    assert "certificates" not in found


def test_a_certificate_near_its_end_needs_somebody(told: Callable[..., dict[str, Look]]) -> None:
    """Its command lists the same ones."""
    found = told(replace(WELL, at=datetime.now(UTC) + timedelta(days=36_500)))["certificates"]
    assert (found.state, found.command) == (ACT, "gateway certificate list --expiring 30d")


def test_every_command_it_names_is_there(told: Callable[..., dict[str, Look]]) -> None:
    """With its options."""
    group: Any = get_command(app)
    worst = replace(
        work(uncertain=1, breakers={"closed": 0, "half open": 0, "open": 1}, unsealed=AT - timedelta(days=1)),
        nodes=[replace(NODE, state=NodeState.LOST)],
        duties=[DUTY],
        overdue=1,
        reviews=1,
        held=1,
    )
    named = [one.command for one in told(worst).values() if one.command]
    assert len(named) >= 8
    for command in named:
        found: Any = group
        for word in command.split()[1:]:
            if word.startswith("--"):
                assert any(word in option.opts for option in found.params), command
                break
            found = found.commands[word]


def test_a_database_without_a_gateway_is_told_how_to_start_one(run: Run, made: Path, tmp_path: Path) -> None:
    """Commands before made the database."""
    folder = shutil.copytree(made, tmp_path / "workspace")
    assert run("message", "list", "--workspace", folder).exit_code == 0
    result = run("status", "--workspace", folder)
    assert result.exit_code == 1
    assert "act   gateways" in result.output
    assert "gateway serve" in result.output


def test_a_database_that_is_not_there_is_not_called_well(run: Run, made: Path, tmp_path: Path) -> None:
    """Nor is it made."""
    folder = Path(shutil.copytree(made, tmp_path / "workspace"))
    for _ in range(2):
        result = run("status", "--workspace", folder)
        assert result.exit_code == 2
        assert "there is no database" in result.output


def test_all_well_is_exit_code_0_and_json_says_the_same(run: Run, made: Path, tmp_path: Path) -> None:
    """A gateway that has just beaten."""
    folder = Path(shutil.copytree(made, tmp_path / "workspace"))
    now = datetime.now(UTC)
    node = replace(NODE, started_at=now, seen_at=now)

    async def begin() -> None:
        async with wiring.open_store(folder) as store:
            opened: Store = store
            await opened.beat(node)

    asyncio.run(begin())
    result = run("status", "--workspace", folder, "--json")
    assert result.exit_code == 0, result.output
    found = {one["about"]: one["state"] for one in json.loads(result.output)}
    assert found.pop("configuration") == "know"
    assert set(found.values()) == {"fine"}


def test_watching_asks_for_a_terminal(run: Run, made: Path) -> None:
    """Nobody watches a pipe."""
    result = run("status", "--workspace", made, "--watch", "1")
    assert result.exit_code == 2
    assert "leave it out" in result.output


def test_a_folder_that_is_none_is_named(run: Run, tmp_path: Path) -> None:
    """And how to make one."""
    result = run("status", "--workspace", tmp_path)
    assert result.exit_code == 2
    assert "gateway init" in result.output
