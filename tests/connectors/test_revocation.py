"""Revocation lists are fetched beside everything else; what goes wrong leaves the list of before and is said."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.connectors.exchange import open_session
from gateway.connectors.revocation import CrlFetcher
from gateway.partners.revocation import CrlShelf
from tests.partners.authority import issue, name, revoked

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOT = issue(name("Root"), None, at=NOW, authority=True)
KNOWN = (ROOT.certificate,)
GOOD = revoked(ROOT, [], at=NOW).public_bytes(Encoding.DER)


@pytest.fixture
async def authority() -> AsyncIterator[str]:
    """A web server with lists, good and bad."""

    async def answer(request: web.Request) -> web.StreamResponse:
        match request.path:
            case "/good.crl":
                response = web.Response(body=GOOD)
                response.enable_compression()  # where the client takes it
                return response
            case "/large.crl":
                response = web.StreamResponse()
                await response.prepare(request)
                try:
                    for _ in range(400):
                        await response.write(bytes(100_000))
                except ConnectionError:
                    pass
                return response
            case "/moved.crl":
                return web.Response(status=302, headers={"Location": "/good.crl"})
        return web.Response(body=b"<html>", status=200 if request.path == "/page.crl" else 404)

    app = web.Application()
    app.router.add_get("/{name}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("name", ["good", "page", "missing", "moved", "large", "nobody"])
async def test_only_a_list_replaces_a_list(
    authority: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Every other answer is a line in the log."""
    address = "http://127.0.0.1:9/x.crl" if name == "nobody" else f"{authority}/{name}.crl"
    shelf = CrlShelf(tmp_path)
    async with open_session() as session:
        with caplog.at_level(logging.WARNING):
            await CrlFetcher(shelf, dict, session, lambda: NOW).look({address: KNOWN})
    if name == "good":
        assert shelf.get(address) is not None
        assert caplog.records == []
    else:
        assert shelf.get(address) is None
        assert f"the revocation list {address} could not be fetched" in caplog.text
        assert f"the revocation list {address} is missing" in caplog.text


async def test_a_file_is_read_again_and_a_broken_one_replaces_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody renews it, maybe outside the folders that are watched."""
    shelf = CrlShelf(tmp_path)
    (tmp_path / "lists").mkdir()
    file = tmp_path / "lists/own.crl"
    async with open_session() as session:
        fetcher = CrlFetcher(shelf, dict, session, lambda: NOW)
        for content in (GOOD, b"<html>"):
            file.write_bytes(content)
            await fetcher.look({"lists/own.crl": KNOWN})
            listed = shelf.get("lists/own.crl")
            assert listed is not None
            assert listed.public_bytes(Encoding.DER) == GOOD
    assert "the revocation list lists/own.crl could not be read" in caplog.text
