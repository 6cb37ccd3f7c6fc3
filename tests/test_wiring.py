"""A whole gateway from a workspace folder: it listens, works, ends in good order, and is alone on its database."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from gateway import wiring
from gateway.demo.workspaces import exchange_certificates, prepare
from gateway.errors import OurFault


async def test_gateway_runs_from_its_folder_and_a_second_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ready over HTTP, AS2 address there; a second `serve` on the same SQLite file says what to do; ends cleanly."""
    demo = prepare(tmp_path / "demo")
    for name, value in demo.environment.items():
        monkeypatch.setenv(name, value)
    exchange_certificates(demo)
    async with wiring.running(demo.gateway) as gateway, aiohttp.ClientSession() as http:
        for path in ("/health/ready", "/as2", "/openapi.json"):
            async with http.get(gateway.address + path) as answer:
                assert answer.status == 200, path
        with pytest.raises(OurFault) as refused:
            async with wiring.running(demo.gateway):
                pass
        assert refused.value.remedy
    assert wiring.public_seal_key(demo.gateway)


def test_relative_sqlite_file_is_under_the_workspace_and_the_environment_overrides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever folder the command runs in; GATEWAY_DATABASE_URL wins."""
    settings = wiring.workspace.load_settings(prepare(tmp_path / "demo").gateway)
    monkeypatch.delenv("GATEWAY_DATABASE_URL", raising=False)
    assert wiring.database_url(tmp_path, settings) == f"sqlite:///{tmp_path}/data/gateway.db"
    monkeypatch.setenv("GATEWAY_DATABASE_URL", "postgresql+asyncpg://elsewhere/db")
    assert wiring.database_url(tmp_path, settings) == "postgresql+asyncpg://elsewhere/db"
