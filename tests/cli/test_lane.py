"""`gateway lane`: what waits where, and an operator's hand on it, beside a store that may be in use."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gateway.cli.lane_asking import age, complete_lane, until_of
from gateway.errors import OurFault
from gateway.wiring import open_store

Run = Callable[..., Result]
LANE = "acme:outbound:as2"
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Path:
    """A workspace with a partner and a lane that failed."""
    folder = tmp_path / "w"
    shutil.copytree(made, folder)
    (folder / "partners" / "acme.yaml").write_text("title: T\n", encoding="utf-8")

    async def lanes() -> None:
        async with open_store(folder) as store:
            await store.cap_lane(LANE, None, by="ann")

    asyncio.run(lanes())
    return folder


def call(run: Run, workspace: Path, *words: object, code: int = 0) -> str:
    """What `gateway lane …` prints."""
    done = run("lane", *words, "--workspace", workspace)
    assert done.exit_code == code, done.output
    return done.output


def shown(run: Run, workspace: Path, name: str = LANE) -> dict[str, Any]:
    """A lane as programs see it."""
    found: dict[str, Any] = json.loads(call(run, workspace, "show", name, "--json"))
    return found


def test_a_lane_is_paused_with_a_reason_and_let_go_on(run: Run, workspace: Path) -> None:
    """Who, why and until when are shown until then."""
    said = call(run, workspace, "pause", LANE, "--why", "their ERP is moved", "--for", "2h", "--by", "ann")
    assert "paused by ann until" in said
    assert "their ERP is moved" in call(run, workspace, "show", LANE)
    found = shown(run, workspace)
    assert (found["paused"], found["paused_by"], found["paused_why"]) == (True, "ann", "their ERP is moved")
    assert LANE in call(run, workspace, "list", "--troubled", code=1)
    assert f"{LANE}: going" in call(run, workspace, "resume", LANE)
    assert shown(run, workspace)["paused"] is False
    assert "no lane is in trouble" in call(run, workspace, "list", "--troubled")


def test_a_pause_without_an_end_lasts_until_it_is_lifted(run: Run, workspace: Path) -> None:
    """And says no end."""
    said = call(run, workspace, "pause", LANE, "--why", "we look at it", "--by", "ann")
    assert "paused by ann: we look at it" in said


def test_cap_and_rate_of_an_operator_go_before_the_agreed_ones(run: Run, workspace: Path) -> None:
    """And are taken back by a word."""
    assert "4 at once" in call(run, workspace, "cap", LANE, "4")
    assert "600/minute burst 50" in call(run, workspace, "rate", LANE, "600/minute burst 50")
    assert (shown(run, workspace)["cap"], shown(run, workspace)["rate"]) == (4, "600/minute burst 50")
    call(run, workspace, "cap", LANE, "default")
    call(run, workspace, "rate", LANE, "agreed")
    found = shown(run, workspace)
    assert (found["cap"], found["own_cap"], found["rate"]) == (16, None, None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("cap", LANE, "0"), "from 1 to 1000"),
        (("cap", LANE, "many"), "from 1 to 1000"),
        (("rate", LANE, "10/day"), "10/second"),
        (("pause", LANE, "--why", "x", "--for", "2 weeks"), "30m, 2h or 3d"),
        (("pause", LANE, "--why", "x", "--until", "tomorrow"), "2026-03-01T18:00"),
        (("pause", LANE, "--why", "x", "--until", "2020-01-01T00:00Z"), "is past"),
        (("show", "acme:outbound:as"), f"did you mean {LANE}?"),
        (("pause", "nobody:inbound:read", "--why", "x"), "there is no lane"),
        (("resume", "zzz"), "lanes are:"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_remedy(
    run: Run, workspace: Path, words: tuple[str, ...], said: str
) -> None:
    """Exit code 2, no traceback, nothing changed."""
    assert said in call(run, workspace, *words, code=2)
    assert shown(run, workspace)["paused"] is False


def test_a_lane_may_be_paused_before_it_has_work(run: Run, workspace: Path) -> None:
    """If it is a lane that a partner of ours could have."""
    call(run, workspace, "pause", "acme:inbound:north", "--why", "not yet", "--by", "ann")
    (row,) = [one for one in json.loads(call(run, workspace, "list", "--json")) if one["lane"] == "acme:inbound:north"]
    assert row["paused"] is True


def test_lanes_are_completed_by_name(workspace: Path) -> None:
    """From the store; nothing where there is none."""

    class Context:
        params = {"workspace": workspace}  # noqa: RUF012  as typer gives them

    assert complete_lane(Context(), "acme:o") == [LANE]  # type: ignore[arg-type]
    Context.params["workspace"] = workspace / "nowhere"
    assert complete_lane(Context(), "") == []  # type: ignore[arg-type]


def test_the_table_tells_of_partners_alone(run: Run, workspace: Path) -> None:
    """Plain in a pipe."""
    assert LANE in call(run, workspace, "list")
    assert "no lane yet" in call(run, workspace, "list", "--partner", "baltic")
    assert "\x1b" not in call(run, workspace, "list")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(3, "3 s"), (119, "119 s"), (600, "10 min"), (-30, "in 30 s"), (9000, "2 h"), (999_999, "12 d")],
)
def test_ages_are_short(seconds: float, told: str) -> None:
    """One unit."""
    assert age(NOW - timedelta(seconds=seconds), NOW) == told


def test_a_pause_has_one_end() -> None:
    """Not two, and not in ten years."""
    with pytest.raises(OurFault, match="two ends"):
        until_of("2h", "2026-03-03T00:00Z", NOW)
    with pytest.raises(OurFault, match="longer than a year"):
        until_of("900d", None, NOW)
    assert until_of("2h", None, NOW) == NOW + timedelta(hours=2)
