"""The measurements run, and the kill proof proves in small what it proves in large."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


def bench(*arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """`python -m bench …` as a person runs it."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@pytest.mark.process
def test_a_killed_gateway_loses_nothing_and_repeats_nothing() -> None:
    """SIGKILL in the middle of twelve messages; the twelve effects are at the ERP once each."""
    done = bench("kill", "--messages", "12", "--kills", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "proven" in done.stdout
    assert "NOT PROVEN" not in done.stdout


def test_an_unknown_measurement_is_named_with_those_there_are() -> None:
    """Exit code 2, and the list."""
    done = bench("speed")
    assert done.returncode == 2
    assert "unknown: speed" in done.stderr
    assert "server" in done.stderr
