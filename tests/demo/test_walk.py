"""The whole walk of `gateway demo`, as a process on free ports."""

from __future__ import annotations

import json
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
    every_document_is_explained_again(project, tmp_path / "demo" / "gateway")


def every_document_is_explained_again(project: Path, workspace: Path) -> None:
    """What came and went by maps is read again from the raw bytes and the versions of then, and says the same."""

    def gateway(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gateway", "message", *arguments, "--workspace", str(workspace), "--json"],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(project)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    listed = json.loads(gateway("list").stdout)
    mapped = [one["id"] for one in listed if (one["filename"] or "").startswith(("850", "855", "856"))]
    assert len(mapped) >= 4
    for number in (mapped[0], mapped[1]):
        done = gateway("explain", number)
        assert done.returncode == 0, done.stderr
        (message,) = json.loads(done.stdout)
        assert message["fields"]
        assert message["map_version"]
