"""The commands as `gateway` joins them, and a workspace made by `gateway init`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import config, partner, workspace
from gateway.ports import ApiKey

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run `gateway …` in this process."""
    app = typer.Typer()
    app.command("init")(workspace.init)
    app.add_typer(config.app, name="config")
    app.add_typer(partner.app, name="partner")
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


class KeysInMemory:
    """The store's half of API keys, for the commands' own behaviour."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[ApiKey, str]] = {}

    async def add_key(self, key: ApiKey, *, secret_sha256: str) -> None:
        """Keep a key."""
        self.rows[key.id] = (key, secret_sha256)

    async def keys(self, *, partner: str | None = None) -> list[ApiKey]:
        """Keys, all or one partner's."""
        return [key for key, _ in self.rows.values() if partner in {None, key.partner}]

    async def revoke_key(self, key_id: str, at: datetime) -> bool:
        """Mark a key."""
        if key_id in self.rows:
            key, secret = self.rows[key_id]
            self.rows[key_id] = (replace(key, revoked_at=at), secret)
        return key_id in self.rows


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> KeysInMemory:
    """In the place of the store that `gateway.wiring` opens."""
    stored = KeysInMemory()

    @asynccontextmanager
    async def open_store(workspace: Path) -> AsyncIterator[KeysInMemory]:
        assert (workspace / "gateway.yaml").is_file()
        yield stored

    module = ModuleType("gateway.wiring")
    module.__dict__["open_store"] = open_store
    monkeypatch.setitem(sys.modules, "gateway.wiring", module)
    return stored
