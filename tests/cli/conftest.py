"""The commands as `gateway` joins them, and a workspace made by `gateway init`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import app

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run `gateway …` in this process."""
    runner = CliRunner()
    return lambda *arguments, **options: runner.invoke(app, [str(one) for one in arguments], **options)


@pytest.fixture(scope="session")
def made(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh workspace with a generated passphrase; tests do not change it."""
    folder = tmp_path_factory.mktemp("workspace") / "fresh"
    result = run(
        "init", folder, "--name", "Harborline: Supply", "--as2-id", "HARBOR LINE", env={"GATEWAY_PASSPHRASE": ""}
    )
    assert result.exit_code == 0, result.output
    return folder
