"""No secret leaves its place: a whole gateway at work, everything it wrote and printed searched for all of them."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import urllib.parse
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from typer.testing import CliRunner

from gateway import as2, wiring
from gateway.as2 import ReceiptKind
from gateway.cli import app
from gateway.partners.api_keys import mint_api_key
from gateway.partners.initial import Company, create_workspace
from gateway.partners.keys import new_as2_key_pair, write_certificate
from gateway.ports import ApiKey, Direction

PASSPHRASE = "correct-horse-battery-passphrase"
STATION = "station-password-of-theirs"
INBOUND = "inbound-password-of-ours"
TOKEN = "erp-token-of-the-north"
ENVIRONMENT = {
    "GATEWAY_PASSPHRASE": PASSPHRASE,
    "STATION_PASSWORD": STATION,
    "INBOUND_PASSWORD": INBOUND,
    "ERP_TOKEN": TOKEN,
}
SETTINGS = """\
identity: {name: Example, as2_id: EXAMPLE, x12: {qualifier: ZZ, id: EXAMPLE}}
passphrase: {env: GATEWAY_PASSPHRASE}
listen: {port: 0}
reload_seconds: 3600
targets:
  erp:
    kind: http
    base_url: "http://127.0.0.1:9"
    documents: {ship_notice: {path: /asn}}
    authentication: {kind: bearer, token: {env: ERP_TOKEN}}
"""
PARTNER = """\
title: Acme Tools
ids: [{{scheme: assigned_by_buyer, value: V-1001}}]
channel: as2
as2:
  id: ACME-AS2
  url: "http://127.0.0.1:{port}/as2"
  certificates: [certs/acme.pem]
  authentication: {{kind: basic, username: us, password: {{env: STATION_PASSWORD}}}}
  require_authentication: {{username: acme, password: {{env: INBOUND_PASSWORD}}}}
x12: {{identity: {{qualifier: ZZ, id: ACME}}}}
documents:
  send:
    purchase_order: {{set: "850", map: x12/850}}
"""
ORDER = {
    "number": "4500099999",
    "purpose": "original",
    "order_type": "stand_alone",
    "issue_date": "2026-03-01",
    "parties": [{"role": "seller", "name": "Acme", "ids": [{"scheme": "assigned_by_buyer", "value": "V-1001"}]}],
    "lines": [
        {
            "line_id": "1",
            "quantity": {"value": "5", "unit": "C62"},
            "item": {"ids": [{"scheme": "buyer", "value": "ITEM-1"}]},
            "prices": [{"amount": "2.50"}],
        }
    ],
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where all secrets are configured."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    yield
    for name in ENVIRONMENT:
        monkeypatch.delenv(name)


def forms(secret: str) -> tuple[bytes, ...]:
    """How it could be written: plainly, in a URL, in JSON, as base64, alone or behind a user name."""
    pairs = [secret, f"us:{secret}", f"acme:{secret}"]
    coded = [base64.b64encode(one.encode()).decode() for one in pairs]
    return tuple(one.encode() for one in (secret, urllib.parse.quote(secret), json.dumps(secret)[1:-1], *coded))


def workspace(folder: Path, now: datetime) -> as2.KeyPair:
    """A workspace all of whose secrets are in the environment; acme's pair."""
    company = Company(name="Example", as2_id="EXAMPLE", x12_qualifier="ZZ", x12_id="EXAMPLE")
    create_workspace(folder, company, passphrase_variable="GATEWAY_PASSPHRASE", now=now, days=30, bits=2048)
    pair = new_as2_key_pair(company="Acme Tools", as2_id="ACME-AS2", now=now, days=30, bits=2048)
    write_certificate(folder / "certs/acme.pem", pair.certificate)
    (folder / "gateway.yaml").write_text(SETTINGS)
    return pair


def printed(folder: Path, ids: list[str]) -> list[bytes]:
    """What every command that shows something says, for people and for programs. They have event loops of their own."""
    commands = [
        ["message", "list"], ["partner", "list"], ["partner", "show", "acme"], ["partner", "check"],
        ["partner", "key", "list"], ["config", "status"], ["audit", "verify"],
    ]  # fmt: skip
    for one in ids:
        commands += [["message", "show", one], ["as2", "decode", "--message", one]]
        commands += [["message", "evidence", one, "-o", str(folder / f"{one}.zip")]]
    run, environment = CliRunner(), {"GATEWAY_WORKSPACE": str(folder)}
    return [
        run.invoke(app, [*command, *more], env=environment).output.encode()
        for command in commands
        for more in ([], ["--json"])
    ]


def written(folder: Path) -> list[bytes]:
    """Every file of the workspace, and what is in the evidence."""
    files = [one.read_bytes() for one in folder.rglob("*") if one.is_file()]
    for evidence in folder.glob("*.zip"):
        with zipfile.ZipFile(evidence) as opened:
            files += [opened.read(name) for name in opened.namelist()]
    return files


async def test_no_secret_is_in_log_store_answers_or_any_output(
    environment: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Passphrase, private keys, passwords both ways, a target's token, API keys: good, wrong and in broken requests."""
    caplog.set_level(logging.DEBUG)
    folder, now = tmp_path / "workspace", datetime.now(UTC)
    pair = workspace(folder, now)
    wrong = "gw_nobody_" + "w" * 40
    said: list[bytes] = []
    met: list[str] = []

    async def station(request: web.Request) -> web.Response:
        met.append(request.headers["Authorization"])
        text = f"no: {request.headers['Authorization']}\r\nX"  # a station that repeats what it was sent
        return web.Response(status=403, reason="no", text=text)

    outside = web.Application()
    outside.router.add_post("/as2", station)
    runner = web.AppRunner(outside, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    (folder / "partners/acme.yaml").write_text(PARTNER.format(port=runner.addresses[0][1]))
    for example in (folder / "partners").glob("*.yaml"):
        if example.name != "acme.yaml":
            example.unlink()
    async with wiring.running(folder) as gateway, aiohttp.ClientSession() as http:
        minted = mint_api_key()
        key = ApiKey(
            id=minted.id, partner=None, scope="erp", name="", created_at=now,
            expires_at=now + timedelta(days=1), revoked_at=None, last_used_at=None,
        )  # fmt: skip
        await gateway.store.add_key(key, secret_sha256=minted.secret_sha256)
        for token in (minted.text, wrong):
            headers = {"Authorization": f"Bearer {token}"}
            for path in ("/v1/purchase-orders", "/v1/purchase-orders?key=x", "/nowhere"):
                async with http.post(f"{gateway.address}{path}", json=ORDER, headers=headers) as answer:
                    said.append(repr(answer.headers).encode() + await answer.read())
        station_keys = gateway.activation.current.built.station.keyring
        built = as2.build_message(
            b"ISA*x~", content_type="application/edi-x12", filename="x.edi", as2_from="ACME-AS2", as2_to="EXAMPLE",
            message_id="<1@acme>", date=now, subject="x", sign_with=pair,
            encrypt_for=[station_keys.ours[0].certificate], compress=False, receipt=ReceiptKind.SIGNED,
        )  # fmt: skip
        for password in (INBOUND, f"{INBOUND}-wrong"):
            basic = {"Authorization": aiohttp.encode_basic_auth("acme", password)}
            for body in (built.body, b"x"):
                async with http.post(
                    f"{gateway.address}/as2", data=body, headers=dict(built.headers) | basic
                ) as answer:
                    said.append(repr(answer.headers).encode() + await answer.read())
        reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.address.rpartition(":")[2]))
        writer.write(f"GET / HTTP/1.1\r\nAuthorization: Bearer {minted.text}\r\nX: a\rb\r\n\r\n".encode())
        said.append(await reader.read())
        writer.close()
        for _ in range(100):
            if met:
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
        listed = await gateway.store.messages(limit=50)
        ours = next(one for one in listed if one.direction is Direction.OUTBOUND)
        theirs = next(one for one in listed if one.as2_message_id == "<1@acme>")
        private = station_keys.ours[0].private_key
    await runner.cleanup()
    assert met, "the order was posted with our password"

    outputs = await asyncio.to_thread(printed, folder, [ours.id, theirs.id])
    files = written(folder)
    der = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    for private_folder in ("data", "keys"):
        assert (folder / private_folder).stat().st_mode & 0o077 == 0
    places = {"log": [caplog.text.encode()], "answers": said, "commands": outputs, "files": files}
    secrets = [*ENVIRONMENT.values(), minted.text, minted.text.rpartition("_")[2], f"{INBOUND}-wrong", wrong]
    # What is searched is all there: the order in the store, the refusal of the station in log and outputs.
    assert any(b"4500099999" in text for text in files)
    assert any(b"answered 403" in text for text in outputs)
    assert any(b"openssl cms -verify" in text for text in files)
    assert "answered 403" in caplog.text
    for place, texts in places.items():
        for number, text in enumerate(texts):
            assert not [one for secret in secrets for one in forms(secret) if one in text], (place, number)
            assert der not in text
            assert base64.b64encode(der)[60:160] not in text.replace(b"\n", b"")
            assert b"BEGIN PRIVATE KEY" not in text
            assert b"BEGIN RSA PRIVATE KEY" not in text
