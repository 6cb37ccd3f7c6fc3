"""Hot reload: a changed workspace is activated whole or refused with its findings; what runs keeps its version."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway import wiring
from gateway.activation import last_activated, last_refused
from gateway.cli import app
from gateway.demo.processes import Process
from gateway.errors import OurFault
from gateway.mapping import Map
from gateway.partners.api_keys import mint_api_key
from gateway.partners.hooks import hooks_of
from gateway.partners.initial import PASSPHRASE_FILE, Company, create_workspace
from gateway.partners.keys import new_as2_key_pair, write_certificate
from gateway.pipeline import composing, versions
from gateway.pipeline.station import Station
from gateway.ports import CERTIFICATES, CONFIGURATION, ApiKey, Changes, Document, Job, Submitted, VersionKind

SETTINGS = """\
identity: {name: Example, as2_id: EXAMPLE, x12: {qualifier: ZZ, id: EXAMPLE}}
passphrase: {file: keys/passphrase}
listen: {port: 0}
reload_seconds: 3600
"""
PARTNER = """\
title: Acme Tools
ids: [{scheme: assigned_by_buyer, value: V-1001}]
channel: as2
as2: {id: ACME-AS2, url: "http://127.0.0.1:9/as2", certificates: [certs/acme.pem]}
x12: {identity: {qualifier: ZZ, id: ACME}}
documents:
  send:
    purchase_order: {set: "850", map: acme/850, guide: acme/850}
"""
MAP = "extends: x12/850\ncodes: {order_type: {SA: stand_alone}}\n"
OTHER_MAP = "extends: x12/850\ncodes: {order_type: {SA: ~, ZZ: stand_alone}}\n"
BROKEN_MAP = "extends: x12/850\nchange:\n  BEG: {BEG03: nummer}\n"
GUIDE = "extends: x12/004010/850\ncodes: {BEG01: ['00']}\n"


MAPS = "maps/acme/850.yaml"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which acme has a map and a guide of its own; its keys are made once."""
    folder = tmp_path_factory.mktemp("reload") / "workspace"
    now = datetime.now(UTC)
    company = Company(name="Example", as2_id="EXAMPLE", x12_qualifier="ZZ", x12_id="EXAMPLE")
    create_workspace(folder, company, passphrase_variable=None, now=now, days=30, bits=2048)
    assert (folder / PASSPHRASE_FILE).exists()
    pair = new_as2_key_pair(company="Acme Tools", as2_id="ACME-AS2", now=now, days=30, bits=2048)
    write_certificate(folder / "certs/acme.pem", pair.certificate)
    texts = {"gateway.yaml": SETTINGS, "partners/acme.yaml": PARTNER, MAPS: MAP, "guides/acme/850.yaml": GUIDE}
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """A workspace to change."""
    return Path(shutil.copytree(template, tmp_path / "workspace"))


def order(number: str) -> bytes:
    """A purchase order for acme."""
    return json.dumps(
        {
            "number": number,
            "purpose": "original",
            "order_type": "stand_alone",
            "issue_date": "2026-03-01",
            "parties": [
                {"role": "seller", "name": "Acme", "ids": [{"scheme": "assigned_by_buyer", "value": "V-1001"}]}
            ],
            "lines": [
                {
                    "line_id": "1",
                    "quantity": {"value": "5", "unit": "C62"},
                    "item": {"ids": [{"scheme": "buyer", "value": "ITEM-1"}]},
                    "prices": [{"amount": "2.50"}],
                }
            ],
        }
    ).encode()


async def composed(gateway: wiring.Running, number: str) -> tuple[Document, str]:
    """Hand over an order; its document and interchange once it is written."""
    parts = gateway.activation.current.built
    answer = await parts.desk.submit(
        kind="purchase_order", partner=None, body=order(number), idempotency_key=None, order_id=None, correlation_id=""
    )
    assert isinstance(answer, Submitted), answer
    for _ in range(200):
        (document,) = await gateway.store.documents_of(answer.transaction_id)
        if document.map is not None:
            break
        await asyncio.sleep(0.05)
    sent = [one for one in await gateway.store.messages() if (one.filename or "").endswith(f"-{number}.edi")]
    return document, (await gateway.store.payload(sent[0].id)).decode()


async def seen(gateway: wiring.Running) -> None:
    """Two looks: the second one finds what the first one saw."""
    await gateway.activation.look()
    await gateway.activation.look()


async def test_an_edited_map_holds_for_the_next_message_and_the_trail_says_so(folder: Path) -> None:
    """No restart, no half: the new code is written, the document names the new map, the old one is kept by its hash."""
    async with wiring.running(folder) as gateway:
        first, text = await composed(gateway, "1001")
        assert "BEG*00*SA*1001" in text
        (folder / MAPS).write_text(OTHER_MAP)
        await seen(gateway)
        second, text = await composed(gateway, "1002")
        assert "BEG*00*ZZ*1002" in text
        old, new = versions.recorded(first.map), versions.recorded(second.map)
        assert old[0] == new[0] == "acme/850"
        assert old[1] != new[1]
        assert first.agreement == second.agreement
        activated = last_activated(await gateway.store.timeline(message_id=CONFIGURATION))
        assert activated is not None
        assert activated.data["changed"] == [MAPS]
        assert (await gateway.store.verify([wiring.public_seal_key(folder)])).ok
        for digest, code in ((old[1], "SA"), (new[1], "ZZ")):
            kept = await gateway.store.get(VersionKind.MAP, str(digest))
            assert kept is not None
            then = versions.map_of(kept)
            assert isinstance(then, Map)
            assert then.hash == digest
            beg = next(one for one in then.write(dict(first.body)).root.children if one.tag == "BEG")
            assert str(beg.elements[1]) == code, beg


HOOKS = "def read_number(text):\n    return text[1:]\n\n\ndef write_number(text):\n    return 'N' + text\n"
HOOKED_MAP = (
    "extends: x12/850\nhooks: {number: {examples: [{wire: N1, value: '1'}]}}\n"
    "change:\n  BEG: {BEG03: number | hook number}\n"
)


async def test_a_map_with_hooks_is_made_again_while_the_hooks_are_those_of_then(folder: Path) -> None:
    """Its hash knows them: others are never run in their place, and it is said which file to bring back."""
    (folder / "hooks.py").write_text(HOOKS)
    (folder / "gateway.yaml").write_text(f"hooks: hooks.py\n{SETTINGS}")
    (folder / MAPS).write_text(HOOKED_MAP)
    async with wiring.running(folder) as gateway:
        document, text = await composed(gateway, "1001")
        assert "BEG*00*SA*N1001" in text
        kept = await gateway.store.get(VersionKind.MAP, str(versions.recorded(document.map)[1]))
    assert kept is not None
    then = versions.map_of(kept, hooks_of(folder))
    assert isinstance(then, Map)
    assert then.hash == kept.hash
    beg = next(one for one in then.write(dict(document.body)).root.children if one.tag == "BEG")
    assert str(beg.elements[2]) == "N1001"
    with pytest.raises(OurFault, match="cannot be made again"):
        versions.map_of(kept)
    (folder / "hooks.py").write_text(f"{HOOKS}# another\n")
    with pytest.raises(OurFault, match="the workspace's hooks are others now"):
        versions.map_of(kept, hooks_of(folder))


async def test_agreement_and_guide_of_then_are_read_from_the_store(folder: Path) -> None:
    """After both files have changed, what the first order was written with is still there."""
    async with wiring.running(folder) as gateway:
        used = gateway.station.partner_guides["acme/850"].guide
        document, _ = await composed(gateway, "1001")
        (folder / "guides/acme/850.yaml").write_text("extends: x12/004010/850\n")
        (folder / "partners/acme.yaml").write_text(PARTNER.replace("Acme Tools", "Acme Tools and More"))
        await seen(gateway)
        assert gateway.station.partner_guides["acme/850"].guide != used
        kept = await gateway.store.get(VersionKind.AGREEMENT, str(document.agreement))
        assert kept is not None
        assert versions.agreement_then(kept).title == "Acme Tools"
        name, digest = versions.recorded(document.guide)
        assert name == "acme/850"
        guide = await gateway.store.get(VersionKind.GUIDE, str(digest))
        assert guide is not None
        assert versions.guide_of(guide) == used


async def test_a_broken_edit_changes_nothing_and_is_told_with_its_place(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The old map goes on; log, trail and health say what is wrong; mending it needs no restart either."""
    async with wiring.running(folder) as gateway:
        before = gateway.activation.current
        (folder / MAPS).write_text(BROKEN_MAP)
        await seen(gateway)
        await seen(gateway)
        assert gateway.activation.current is before
        refusals = [
            one for one in await gateway.store.timeline(message_id=CONFIGURATION) if one.kind == "configuration.refused"
        ]
        assert len(refusals) == 1, "the same mistake is told once"
        assert refusals[0].data["texts"][0].startswith(f"{MAPS}:3 ")
        assert f"{MAPS}:3" in caplog.text
        assert gateway.activation.words()["state"] != "active"
        _, text = await composed(gateway, "1001")
        assert "BEG*00*SA*1001" in text
        (folder / MAPS).write_text(OTHER_MAP)
        await seen(gateway)
        assert gateway.activation.words()["state"] == "active"
        assert last_refused(await gateway.store.timeline(message_id=CONFIGURATION)) is None
        _, text = await composed(gateway, "1002")
        assert "BEG*00*ZZ*1002" in text


async def test_a_fault_of_ours_while_reading_is_told_like_a_refusal(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was active stays; the trail and the health check say so."""
    async with wiring.running(folder) as gateway:
        before = gateway.activation.current
        monkeypatch.setattr(gateway.activation, "_read", lambda: 1 // 0)
        (folder / MAPS).write_text(OTHER_MAP)
        await seen(gateway)
        assert gateway.activation.current is before
        assert gateway.activation.words()["state"] != "active"
        refused = last_refused(await gateway.store.timeline(message_id=CONFIGURATION))
        assert refused is not None
        assert "ZeroDivisionError" in caplog.text


async def test_what_is_still_being_written_is_not_read(folder: Path) -> None:
    """A file counts once two looks saw it the same: one partner's half map is never anybody's."""
    async with wiring.running(folder) as gateway:
        before = gateway.activation.current
        for half in (OTHER_MAP[:10], OTHER_MAP[:20], OTHER_MAP[:30]):
            (folder / MAPS).write_text(half)
            await gateway.activation.look()
            assert gateway.activation.refused is None
        (folder / MAPS).write_text(OTHER_MAP)
        await gateway.activation.look()
        assert gateway.activation.current is before
        await gateway.activation.look()
        assert gateway.activation.current is not before


async def test_two_files_that_need_each_other_are_activated_together_or_not_at_all(folder: Path) -> None:
    """A partner that names a map which is not there yet is refused; with the map both become active in one step."""
    async with wiring.running(folder) as gateway:
        (folder / "partners/baltic.yaml").write_text(
            PARTNER.replace("V-1001", "V-2002")
            .replace("ACME", "BALTIC")
            .replace("acme/850, guide: acme/850", "baltic/850")
        )
        await seen(gateway)
        assert gateway.activation.refused is not None
        assert gateway.station.agreement("baltic") is None
        (folder / "maps/baltic").mkdir()
        (folder / "maps/baltic/850.yaml").write_text(OTHER_MAP)
        await seen(gateway)
        assert gateway.activation.refused is None
        assert gateway.station.agreement("baltic") is not None
        assert gateway.station.maps["baltic/850"].name == "baltic/850"


async def test_a_message_that_began_before_ends_with_the_version_it_began_with(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change becomes active while a step is under way; only the next step sees it."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(station: Station, job: Job) -> Changes:
        begun.set()
        await go_on.wait()
        return await composing.compose(station, job)

    monkeypatch.setitem(wiring.STEPS, "compose", slow)  # type: ignore[arg-type]  a dict behind its Mapping
    async with wiring.running(folder) as gateway:
        under_way = asyncio.create_task(composed(gateway, "1001"))
        await asyncio.wait_for(begun.wait(), 10)
        old = gateway.station.maps["acme/850"].hash
        (folder / MAPS).write_text(OTHER_MAP)
        await seen(gateway)
        assert gateway.station.maps["acme/850"].hash != old
        go_on.set()
        document, text = await under_way
        assert document.map == f"acme/850 {old}"
        assert "BEG*00*SA*1001" in text
        document, text = await composed(gateway, "1002")
        assert document.map == f"acme/850 {gateway.station.maps['acme/850'].hash}"
        assert "BEG*00*ZZ*1002" in text


async def test_what_only_a_restart_can_change_is_told_and_the_rest_holds(folder: Path) -> None:
    """Another port is no reason to refuse the retry schedule beside it."""
    async with wiring.running(folder) as gateway:
        more = SETTINGS.replace("port: 0", "port: 1") + "retries: {schedule_seconds: [7]}\n"
        (folder / "gateway.yaml").write_text(more)
        await seen(gateway)
        assert gateway.activation.current.needs_restart == ("listen",)
        assert gateway.activation.words()["needs_restart"] == "listen"
        assert gateway.activation.current.built.schedule.seconds == (7.0,)
        activated = last_activated(await gateway.store.timeline(message_id=CONFIGURATION))
        assert activated is not None
        assert activated.data["needs_restart"] == ["listen"]


async def test_starting_again_with_the_same_files_is_no_new_fact(folder: Path) -> None:
    """The trail of configurations grows by changes, not by restarts; the chain is no message of a partner's."""
    for _ in range(2):
        async with wiring.running(folder) as gateway:
            assert len(await gateway.store.timeline(message_id=CONFIGURATION)) == 1
            assert await gateway.store.messages() == []


def test_config_status_names_the_active_version_the_refusal_and_another_folder(folder: Path) -> None:
    """Exit 0 when all is well, 1 when a change was refused or the folder is wrong, both as words and as JSON."""
    from typer.testing import CliRunner  # noqa: PLC0415

    from gateway.cli import app  # noqa: PLC0415

    def status(*more: str) -> Any:
        return CliRunner().invoke(app, ["config", "status", "--workspace", str(folder), *more])

    assert "no configuration was active yet" in status().stdout

    async def life() -> str:
        async with wiring.running(folder) as gateway:
            (folder / MAPS).write_text(BROKEN_MAP)
            await seen(gateway)
            return gateway.activation.current.configuration.version

    version = asyncio.run(life())
    result = status()
    assert result.exit_code == 1
    assert f"active   {version}" in result.stdout
    assert f"{MAPS}:3" in result.stdout
    (folder / MAPS).write_text(OTHER_MAP)
    said = json.loads(status("--json").stdout)
    assert said["active"]["version"] == version
    assert said["folder"] not in {None, version}
    assert said["findings"] == []


# ---- a real process


@dataclass(kw_only=True)
class Served:
    """`gateway serve` as a process, and its ERP."""

    folder: Path
    process: Process
    url: str
    key: str

    def hand_over(self, number: str) -> str:
        """The id of the transaction."""
        request = urllib.request.Request(  # noqa: S310  an address on this machine
            f"{self.url}/v1/purchase-orders",
            data=order(number),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  an address on this machine
            assert answer.status == 202
            return str(json.load(answer)["transaction_id"])

    def health(self) -> dict[str, Any]:
        """What strangers may read."""
        with urllib.request.urlopen(f"{self.url}/health/ready", timeout=20) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)["configuration"]
            return found

    def becomes(self, state: str, version_not: str | None = None) -> dict[str, Any]:
        """Wait until the gateway says so."""
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            found = self.health()
            if found["state"] == state and found["version"] != version_not:
                return found
            time.sleep(0.1)
        raise AssertionError(f"{found}, not {state}\n{self.process.log.read_text()}")

    def shown(self, transaction: str) -> dict[str, Any]:
        """`gateway message show --json` of its interchange, once it is written."""
        command = [sys.executable, "-m", "gateway", "message", "show", transaction, "--json"]
        environment = os.environ | {"GATEWAY_WORKSPACE": str(self.folder)}
        for _ in range(40):
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
            found: dict[str, Any] = json.loads(done.stdout)
            if found["documents"][0]["map"]:
                return found
            time.sleep(0.2)
        raise AssertionError(found)


@pytest.fixture
def served(folder: Path, tmp_path: Path) -> Iterator[Served]:
    """Started, and stopped in good order."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = SETTINGS.replace("port: 0", f"port: {port}").replace("reload_seconds: 3600", "reload_seconds: 1")
    (folder / "gateway.yaml").write_text(text)

    async def key() -> str:
        minted, now = mint_api_key(), datetime.now(UTC)
        async with wiring.open_store(folder) as store:
            own = ApiKey(
                id=minted.id, partner=None, scope="erp", name="", created_at=now,
                expires_at=now + timedelta(days=1), revoked_at=None, last_used_at=None,
            )  # fmt: skip
            await store.add_key(own, secret_sha256=minted.secret_sha256)
        return minted.text

    url = f"http://127.0.0.1:{port}"
    process = Process(
        name="gateway",
        arguments=("-m", "gateway", "serve", "--workspace", str(folder)),
        ready_url=f"{url}/health/ready",
        log=tmp_path / "gateway.log",
    )
    served = Served(folder=folder, process=process, url=url, key=asyncio.run(key()))
    process.start()
    yield served
    process.stop()


def test_a_running_gateway_takes_a_changed_map_up_refuses_a_broken_one_and_goes_on(served: Served) -> None:
    """A real process, real files, traffic all the while: by polling, and at once on SIGHUP."""
    first = served.health()
    one = served.hand_over("1001")
    (served.folder / MAPS).write_text(OTHER_MAP)
    second = served.becomes("active", version_not=first["version"])
    two = served.hand_over("1002")
    (served.folder / MAPS).write_text(BROKEN_MAP)
    assert served.process.pid is not None
    os.kill(served.process.pid, signal.SIGHUP)
    assert served.becomes("active; a newer one is refused")["version"] == second["version"]
    three = served.hand_over("1003")
    maps = [served.shown(each)["documents"][0]["map"] for each in (one, two, three)]
    assert maps[0] != maps[1] == maps[2]
    assert all(each.startswith("acme/850 ") for each in maps)
    command = [sys.executable, "-m", "gateway", "message", "show", one, "--workspace", str(served.folder)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"map {maps[0]}" in text
    assert "guide 004010 acme/850 " in text
    assert "agreement acme " in text
    assert f"{MAPS}:3" in served.process.log.read_text()
    assert served.process.running


async def test_a_new_key_pair_is_taken_up_and_a_retired_one_dropped_without_a_restart(folder: Path) -> None:
    """keys/ is not watched: certs/ours.yaml, which names a pair, comes last and is."""
    runner = CliRunner()

    def certificate(*arguments: str) -> None:
        done = runner.invoke(app, ["certificate", *arguments, "--workspace", str(folder)])
        assert done.exit_code == 0, done.output

    async with wiring.running(folder) as gateway:

        def ours() -> list[str]:
            return [one.certificate.subject.rfc4514_string() for one in gateway.station.keyring.ours]

        def signing() -> object:
            return gateway.station.keyring.signing("acme", datetime.now(UTC)).certificate

        (first,) = gateway.station.keyring.ours
        await asyncio.to_thread(certificate, "new", "next", "--key", "ec-p256")
        await seen(gateway)
        assert len(ours()) == 2
        assert signing() == first.certificate
        await asyncio.to_thread(certificate, "roll", "next", "--from", "now")
        await seen(gateway)
        assert signing() != first.certificate
        await asyncio.to_thread(certificate, "retire", "gateway", "--force")
        await seen(gateway)
        assert [one.certificate == first.certificate for one in gateway.station.keyring.ours] == [False]
        activated = last_activated(await gateway.store.timeline(message_id=CONFIGURATION))
        assert activated is not None
        assert activated.data["changed"] == ["certs/ours.yaml"]


async def test_the_start_says_which_certificates_end_soon(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """On the trail, in the log and as a figure."""
    with caplog.at_level("WARNING"):
        async with wiring.running(folder) as gateway:
            for _ in range(100):
                if trail := await gateway.store.timeline(message_id=CERTIFICATES):
                    break
                await asyncio.sleep(0.05)
            assert [(one.data["role"], one.data["threshold"]) for one in trail] == [("ours", 30), ("theirs", 30)]
    assert "certificate certs/acme.pem (theirs of acme) ends on" in caplog.text


async def test_way_guard_and_retries_of_a_partner_are_those_of_the_active_agreement(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """From the first look after the change on; what it lets in is told in the log, once."""
    monkeypatch.setenv("ACME_PASSWORD", "p")
    more = """\
  accept_weak: [sha-1]
  require_authentication: {username: acme, password: {env: ACME_PASSWORD}}
  retries: {schedule_seconds: [7], give_up_after_hours: 2}
  transport: {minimum_tls: "1.3", headers: {X-Route: edi}}
"""
    block = PARTNER.replace("as2: {id: ACME-AS2, ", "as2:\n  id: ACME-AS2\n  ").replace(
        'url: "http://127.0.0.1:9/as2", certificates: [certs/acme.pem]}\n',
        f"url: http://127.0.0.1:9/as2\n  certificates: [certs/acme.pem]\n{more}",
    )

    def job(step: str) -> Job:
        made: Any = dict.fromkeys(Job.__dataclass_fields__)
        return Job(**made | {"step": step, "lane": "acme:outbound:as2"})

    async with wiring.running(folder) as gateway:
        parts = gateway.activation.current.built
        assert parts.station.guards == {}
        assert parts.schedule_of(job("send")) == parts.schedule
        (folder / "partners/acme.yaml").write_text(block)
        for _ in range(2):
            await gateway.activation.look(asked=True)
        parts = gateway.activation.current.built
        assert set(parts.station.guards) == {"acme"}
        assert parts.schedule_of(job("send")).seconds == (7.0,)
        assert parts.schedule_of(job("send")).give_up_after == timedelta(hours=2)
        assert parts.schedule_of(job("compose")) == parts.schedule
        connector: Any = parts.station.as2
        assert connector._ways["acme"].headers == (("X-Route", "edi"),)
        assert connector._ways["acme"].tls is not True
    told = [one.getMessage() for one in caplog.records if "workspace.as2_weak" in one.getMessage()]
    assert len(told) == 1
    assert "partners/acme.yaml:8" in told[0]
    caplog.clear()
    async with wiring.running(folder):
        pass
    assert [one.levelname for one in caplog.records if "sha-1 taken" in one.getMessage()] == ["WARNING"]
