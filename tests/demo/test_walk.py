"""The whole walk of `gateway demo`, as a process on free ports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.process
def test_demo_walks_through_and_proves_every_effect_from_the_outside(tmp_path: Path) -> None:
    """`gateway demo` exits 0: order, answers, REST, refusals, repeat, SIGKILL, audit."""
    project = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "demo", "--folder", str(tmp_path / "demo")],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Every effect was verified from the outside" in done.stdout
