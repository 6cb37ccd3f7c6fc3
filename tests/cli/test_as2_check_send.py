"""`gateway as2 check`, `gateway as2 send` and `gateway message evidence`: what stops them, and what they leave behind.

The whole way, with two gateways, is docs/as2-diagnosis.md, which the suite runs.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import socket
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.as2 import fingerprint, read_headers
from gateway.cli.as2_files import captured
from gateway.partners.certificate_making import KINDS, self_signed
from gateway.wiring import open_store

Run = Callable[..., Result]
PARTNER = """\
title: ACME Tools
status: STATUS
ids: [{scheme: assigned_by_buyer, value: V-1001}]
channel: as2
as2: {id: ACME-AS2, url: "http://127.0.0.1:PORT/as2", certificates: [certs/gateway.pem]}
x12: {identity: {qualifier: ZZ, id: ACME}}
documents: {send: {purchase_order: {set: 850, map: x12/850}}}
"""


def free_port() -> int:
    """Nobody listens there."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A workspace with a partner over AS2 where nobody listens."""
    folder = tmp_path / "workspace"
    shutil.copytree(made, folder)
    text = PARTNER.replace("PORT", str(free_port()))
    (folder / "partners/acme.yaml").write_text(text.replace("STATUS", "active"))
    (folder / "partners/asleep.yaml").write_text(
        text.replace("STATUS", "suspended").replace("ACME", "ASLEEP").replace("V-1001", "V-2")
    )
    return folder


@pytest.mark.parametrize(
    ("station", "said"),
    [
        ("ftp://example.com/", "is no address"),
        ("https://user@example.com/", "is no address"),
        ("acne", "did you mean acme"),
    ],
)
def test_what_is_no_station_cannot_be_checked(run: Run, folder: Path, station: str, said: str) -> None:
    """Exit 2 with the remedy."""
    result = run("as2", "check", station, "--workspace", folder)
    assert result.exit_code == 2, result.output
    assert said in result.stderr


@pytest.mark.parametrize("by_name", [True, False])
def test_a_station_that_is_not_there_is_a_finding_with_what_to_do(run: Run, folder: Path, *, by_name: bool) -> None:
    """By name and by address; the exchange is not tried, and nothing is stored."""
    station = "acme" if by_name else f"http://127.0.0.1:{free_port()}/as2"
    result = run("as2", "check", station, "--workspace", folder)
    assert result.exit_code == 1, result.output
    assert "✗ connection: nobody takes a connection" in result.stdout
    assert "→ check the port" in result.stdout
    assert ("exchange: not tried" in result.stdout) is by_name
    told = json.loads(run("as2", "check", station, "--workspace", folder, "--json").stdout)
    assert told["ok"] is False
    assert [step["name"] for step in told["steps"]][:2] == ["name", "connection"]
    assert json.loads(run("message", "list", "--workspace", folder, "--json").stdout) == []


def test_with_a_partner_who_is_suspended_no_exchange_is_tried(run: Run, folder: Path) -> None:
    """The way is looked at all the same."""
    result = run("as2", "check", "asleep", "--workspace", folder)
    assert "exchange: not tried: the agreement is suspended" in result.stdout
    assert "✗ connection" in result.stdout


def test_a_file_is_queued_and_not_lost_when_nobody_sends_it(run: Run, folder: Path, tmp_path: Path) -> None:
    """With `--wait 0` it is only queued; in a second nothing comes back, which is said with exit 1."""
    file = tmp_path / "prices.txt"
    file.write_bytes(b"a price list\r\n")
    queued = run("as2", "send", file, "--partner", "acme", "--workspace", folder, "--wait", 0, "--json")
    assert queued.exit_code == 0, queued.output
    told = json.loads(queued.stdout)
    assert told["state"] == "ready"
    waited = run("as2", "send", file, "--partner", "acme", "--workspace", folder, "--wait", 1)
    assert waited.exit_code == 1
    assert "everything about it: gateway message show" in waited.stdout
    kept = json.loads(run("message", "list", "--workspace", folder, "--json").stdout)
    assert [one["content_type"] for one in kept] == ["text/plain", "text/plain"]
    assert told["id"] in {one["id"] for one in kept}


@pytest.mark.parametrize("times", [1, 700_000])
def test_a_dry_run_writes_what_would_be_posted_and_stores_nothing(
    run: Run, folder: Path, tmp_path: Path, times: int
) -> None:
    """The type and the name given; decode reads it back (the partner has our own key here)."""
    file, out = tmp_path / "x.bin", tmp_path / "out.http"
    file.write_bytes(random.Random(1).randbytes(3 * times))
    sent = run(
        "as2", "send", file, "--partner", "acme", "--workspace", folder, "--dry-run", "-o", out,
        "--type", "application/pdf", "--filename", "catalogue.pdf",
    )  # fmt: skip
    assert sent.exit_code == 0, sent.output
    headers, _ = captured(out, None)
    assert read_headers(headers).as2_to == "ACME-AS2"
    keys = ["--key", tmp_path / "ours.pem", "--cert", folder / "certs/gateway.pem"]
    key = folder / "keys/gateway.key"
    (tmp_path / "ours.pem").write_bytes(key.read_bytes())
    passphrase = (folder / "keys/passphrase").read_text().strip()
    shown = run("as2", "decode", out, *keys, env={"GATEWAY_PASSPHRASE": passphrase})
    assert "application/pdf" in shown.stdout, shown.output
    assert 'filename="catalogue.pdf"' in shown.stdout
    assert json.loads(run("message", "list", "--workspace", folder, "--json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--partner", "acne"), "did you mean acme"),
        (("--partner", "asleep"), "it is suspended"),
        (("--partner", "acme", "--type", "no type"), "'no type' is no content type of a file"),
        (("--partner", "acme", "--type", "a/b\r\nX-Other: y"), "is no content type of a file"),
        (("--partner", "acme", "--type", "application/pkcs7-mime"), "is no content type of a file"),
        (("--partner", "acme", "--dry-run"), "--dry-run and -o belong together"),
        (("--partner", "acme", "-o", "out"), "--dry-run and -o belong together"),
    ],
)
def test_what_cannot_be_sent_is_told(
    run: Run, folder: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Exit 2, with the remedy, and nothing is queued."""
    file = tmp_path / "x"
    file.write_bytes(b"x")
    result = run("as2", "send", file, *arguments, "--workspace", folder)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert json.loads(run("message", "list", "--workspace", folder, "--json").stdout) == []


def test_evidence_of_what_is_not_there_or_over_what_is_there(run: Run, folder: Path, tmp_path: Path) -> None:
    """An unknown id and a file that is there already: exit 2; of a message that was never sent there is little."""
    missing = run("message", "evidence", "no-such-id", "--workspace", folder, "-o", tmp_path / "e.zip")
    assert missing.exit_code == 2
    assert "There is no message no-such-id" in missing.stderr
    file = tmp_path / "x.txt"
    file.write_bytes(b"x")
    queued = json.loads(
        run("as2", "send", file, "--partner", "acme", "--workspace", folder, "--wait", 0, "--json").stdout
    )
    made = run("message", "evidence", queued["id"], "--workspace", folder, "-o", tmp_path / "e.zip", "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["files"] == sorted(zipfile.ZipFile(tmp_path / "e.zip").namelist())
    again = run("message", "evidence", queued["id"], "--workspace", folder, "-o", tmp_path / "e.zip")
    assert again.exit_code == 2
    assert "is there already" in again.stderr


def confirm_second_certificate(run: Run, folder: Path) -> tuple[str, str]:
    """Acme gets another certificate, and its use is confirmed: the serial numbers of the first and the second."""
    pair = self_signed(KINDS["ec-p256"](), company="ACME Tools", as2_id="ACME-AS2", now=datetime.now(UTC), days=100)
    new = folder.parent / "new.pem"
    new.write_bytes(pair.certificate.public_bytes(Encoding.PEM))
    for command in (("import", new), ("confirm", fingerprint(pair.certificate)[:16])):
        done = run("certificate", *command, "--partner", "acme", "--workspace", folder)
        assert done.exit_code == 0, done.output
    first = x509.load_pem_x509_certificate((folder / "certs/gateway.pem").read_bytes())
    return f"{first.serial_number:x}", f"{pair.certificate.serial_number:x}"


def test_commands_encrypt_for_the_certificate_that_was_confirmed_as_the_server_does(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    """What a dry run writes is what would be posted, also in the middle of a rollover."""
    first, second = confirm_second_certificate(run, folder)
    file, out = tmp_path / "x.txt", tmp_path / "out.http"
    file.write_bytes(b"a price list\r\n")
    done = run("as2", "send", file, "--partner", "acme", "--workspace", folder, "--dry-run", "-o", out)
    assert done.exit_code == 0, done.output
    shown = run("as2", "decode", out, "--workspace", folder).output
    assert second in shown
    assert first not in shown


def test_a_way_that_rests_after_failures_is_not_taken_for_a_server_that_is_not_there(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time when it is tried again is told."""

    async def rest() -> None:
        async with open_store(folder) as store:
            await store.lane_failed("acme:outbound:as2", lambda _: timedelta(minutes=5))

    monkeypatch.setattr("gateway.cli.as2_send._PATIENCE", 0.0)
    file = tmp_path / "x.txt"
    file.write_bytes(b"a price list\r\n")
    arguments = ("as2", "send", file, "--partner", "acme", "--workspace", folder, "--wait", 1)
    assert "is `gateway serve` running?" in run(*arguments).stderr
    asyncio.run(rest())
    assert "the way to acme rests until" in run(*arguments).stderr
