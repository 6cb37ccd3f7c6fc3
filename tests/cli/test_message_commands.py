"""`gateway message` and `gateway audit` beside a server that holds the store open."""

from __future__ import annotations

import asyncio
import json
import sys
import types
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from typer.testing import CliRunner

from gateway.cli import audit, message
from gateway.events import MessageReceived, WorkGivenUp
from gateway.partners.retention import Policy
from gateway.ports import (
    Changes,
    Channel,
    Direction,
    DocumentState,
    MessageState,
    NewDocument,
    NewJob,
    NewMessage,
    new_id,
)
from gateway.settings import Retention
from gateway.store import Store

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ISA = (
    b"ISA*00*          *00*          *ZZ*ACME           *ZZ*US             *260302*0800*U*00401*000000012*0*P*>~"
    b"GS*PR*ACME*US*20260302*0800*12*X*004010~ST*855*0001~"
)


def now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


def _hashes() -> dict[str, str]:
    return {"sha256": sha256(b"encrypted").hexdigest(), "payload_sha256": sha256(ISA).hexdigest()}


async def fill(store: Store) -> str:
    """A message with a document, and a job that was given up."""
    id_ = new_id(now())
    new = NewMessage(
        id=id_,
        partner="acme",
        direction=Direction.INBOUND,
        channel=Channel.AS2,
        state=MessageState.FAILED,
        at=now(),
        payload=ISA,
        raw=b"encrypted",
        raw_headers=(("AS2-From", "ACME\x1b[2J"),),
        duplicate_key="as2:1",
    )
    document = NewDocument(
        id=new_id(now()),
        message_id=id_,
        partner="acme",
        direction=Direction.INBOUND,
        kind="order_acknowledgement",
        number="A-1",
        order_number="4711",
        business_unit=None,
        state=DocumentState.ACCEPTED,
        at=now(),
        body={"number": "A-1"},
        sha256="00",
        natural_key="a",
    )
    event = MessageReceived(message_id=id_, partner="acme", channel="as2", size=len(ISA), **_hashes())
    work = NewJob(message_id=id_, step="deliver", lane="acme:inbound:erp", run_at=now())
    await store.accept(Changes(messages=(new,), documents=(document,), jobs=(work,), events=(event,)))
    (job,) = await store.claim("me", ["deliver"], 1)
    dead = WorkGivenUp(message_id=id_, step="deliver", attempts=1, reason="422 wrong unit")
    await store.bury(job, outcome="permanent", reason="422 wrong unit", changes=Changes(events=(dead,)))
    await store.seal(KEY)
    return id_


@pytest.fixture
def message_id(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A filled store that commands find instead of a workspace's."""

    @asynccontextmanager
    async def open_store(workspace: Path) -> AsyncIterator[Store]:
        store = await Store.open(sqlite_url, payloads=tmp_path / "payloads", clock=now)
        try:
            yield store
        finally:
            await store.close()

    async def filled() -> str:
        async with open_store(tmp_path) as store:
            return await fill(store)

    wiring = types.ModuleType("gateway.wiring")
    wiring.__dict__.update(open_store=open_store, public_seal_key=lambda _workspace: KEY.public_key())
    monkeypatch.setitem(sys.modules, "gateway.wiring", wiring)
    return asyncio.run(filled())


def call(app: Any, *arguments: str) -> Any:
    """The outcome of a command."""
    return CliRunner().invoke(app, arguments)


def test_the_list_shows_what_came(message_id: str) -> None:
    """As a table for people and JSON for programs, filtered."""
    assert message_id in call(message.app, "list").stdout
    found = json.loads(call(message.app, "list", "--partner", "acme", "--state", "failed", "--json").stdout)
    assert [one["id"] for one in found] == [message_id]
    assert json.loads(call(message.app, "list", "--partner", "baltic", "--json").stdout) == []
    assert call(message.app, "list", "--partner", "baltic").stdout == "no such message\n"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--order", "4711"), 1),
        (("--order", "4712"), 0),
        (("--since", "1h"), 1),
        (("--since", "2100-01-01"), 0),
        (("--lane", "acme:inbound:erp"), 0),
        (("--given-up", "--order", "4711"), 1),
    ],
)
def test_messages_are_found_by_order_time_and_lane(message_id: str, words: tuple[str, ...], found: int) -> None:
    """Work that was given up does not wait in its lane any more."""
    assert call(message.app, "list", *words).stdout.count(message_id) == found


def test_work_that_waits_is_found_by_its_lane(message_id: str) -> None:
    """Once it was given back to work."""
    assert call(message.app, "retry", message_id, "--by", "ann", "--reason", "mended").exit_code == 0
    assert message_id in call(message.app, "list", "--lane", "acme:inbound:erp").stdout


def test_a_time_that_is_none_is_refused(message_id: str) -> None:
    """With what can be said."""
    result = call(message.app, "list", "--since", "yesterday")
    assert result.exit_code == 2
    assert "is no time" in result.stderr


def test_show_prints_the_timeline_and_every_form(message_id: str) -> None:
    """Timeline, attempts, canonical document, headers on the wire, EDI a segment a line; no control characters."""
    result = call(message.app, "show", message_id)
    assert result.exit_code == 0
    for wanted in ("message.received", "work.given_up", "permanent", "422 wrong unit", '"number": "A-1"', "AS2-From"):
        assert wanted in result.stdout
    assert "\nGS*PR*ACME" in result.stdout
    assert "\x1b" not in result.stdout


def test_show_writes_one_form_byte_for_byte(message_id: str) -> None:
    """For a pipe."""
    assert call(message.app, "show", message_id, "--payload").stdout_bytes == ISA
    assert call(message.app, "show", message_id, "--raw").stdout_bytes == b"encrypted"
    assert json.loads(call(message.app, "show", message_id, "--canonical").stdout) == [{"number": "A-1"}]
    found = json.loads(call(message.app, "show", message_id, "--json").stdout)
    assert [one["kind"] for one in found["timeline"]] == ["message.received", "work.given_up"]


def test_octets_that_are_no_text_are_counted_and_not_printed() -> None:
    """A message that was refused is kept as it came, encrypted."""
    assert message._readable(b"0\x82\x00\x01" * 9) == "36 bytes that are no text (--payload writes them)"


def test_a_message_that_is_not_there_cannot_be_shown(message_id: str) -> None:
    """Exit 2 with the remedy on stderr."""
    result = call(message.app, "show", "nobody")
    assert result.exit_code == 2
    assert "gateway message list" in result.stderr


def test_a_purged_message_still_shows_its_trail(message_id: str, sqlite_url: str, tmp_path: Path) -> None:
    """Only its bytes cannot be had."""

    async def purge() -> None:
        store = await Store.open(sqlite_url, payloads=tmp_path, clock=now)
        await store.purge_payload(message_id, by="ann", reason="retention")
        await store.close()

    asyncio.run(purge())
    shown = call(message.app, "show", message_id)
    assert shown.exit_code == 0
    assert "was purged" in shown.stdout
    assert call(message.app, "show", message_id, "--payload").exit_code == 2


def test_what_rules_purged_is_answered_with_what_is_left(message_id: str, sqlite_url: str, tmp_path: Path) -> None:
    """Bytes and content of the document are gone: each command says so, or shows the rest; none fails otherwise."""

    async def purge() -> None:
        later = now() + timedelta(days=400)
        store = await Store.open(sqlite_url, payloads=tmp_path, clock=lambda: later)
        aside = text("UPDATE job SET state = 'discarded'")
        await store.database.write(lambda connection: connection.execute(aside).rowcount)
        policy = Policy(ours=Retention(payload_days=365, document_days=365))
        gone = await store.purge_due(policy, by="gateway", reason="retention")
        assert {one.what.value for one in gone if one.kept is None} == {"payload", "document"}
        await store.close()

    asyncio.run(purge())
    for words, code in {
        ("list",): 0,
        ("show", message_id): 0,
        ("export", message_id, "--to", str(tmp_path / "out")): 2,
        ("explain", message_id): 2,
        ("purge", message_id, "--by", "ann", "--reason", "again"): 0,
    }.items():
        done = call(message.app, *words)
        assert (words, done.exit_code, type(done.exception)) in (
            (words, code, type(None)),
            (words, code, SystemExit),
        ), done.output
        assert code == 0 or "was purged" in done.stderr, (words, done.stderr)


def test_a_dead_letter_goes_back_to_work_once(message_id: str) -> None:
    """And who asked for it is recorded."""
    assert "1 job is back to work" in call(message.app, "retry", message_id, "--by", "ann").stdout
    again = call(message.app, "retry", message_id, "--by", "ann")
    assert again.exit_code == 2
    assert "no work that was given up" in again.stderr
    assert "by ann" in call(message.app, "show", message_id).stdout


def test_an_untouched_trail_exits_zero_and_prints_its_anchor(message_id: str) -> None:
    """The anchor verifies again; a wrong one does not; nonsense cannot run."""
    result = call(audit.app, "verify")
    assert result.exit_code == 0
    found = json.loads(call(audit.app, "verify", "--json").stdout)
    anchor = f"{found['last_seal']}:{found['last_hash']}"
    assert anchor in result.stdout
    assert call(audit.app, "verify", "--anchor", anchor).exit_code == 0
    assert call(audit.app, "verify", "--anchor", "1:00").exit_code == 1
    assert call(audit.app, "verify", "--anchor", "one").exit_code == 2


def test_a_trail_that_was_tampered_with_exits_one_and_names_the_event(
    message_id: str, sqlite_url: str, tmp_path: Path
) -> None:
    """Message, number in its chain, seal."""

    async def tamper() -> None:
        store = await Store.open(sqlite_url, payloads=tmp_path, clock=now)
        await store.database.write(
            lambda connection: connection.execute(text("UPDATE event SET kind = 'x' WHERE number = 2"))
        )
        await store.close()

    asyncio.run(tamper())
    result = call(audit.app, "verify")
    assert result.exit_code == 1
    assert message_id in result.stdout
    (problem,) = json.loads(call(audit.app, "verify", "--json").stdout)["problems"]
    assert (problem["what"], problem["message_id"], problem["number"], problem["seal"]) == ("changed", message_id, 2, 1)


def test_the_bytes_of_a_message_can_be_purged_and_the_trail_still_verifies(message_id: str) -> None:
    """By whom and why is recorded; nobody purges without saying so."""
    assert call(message.app, "purge", message_id, "--by", "ann").exit_code == 2
    assert "are gone" in call(message.app, "purge", message_id, "--by", "ann", "--reason", "24 months").stdout
    shown = call(message.app, "show", message_id).stdout
    assert "was purged" in shown
    assert "reason 24 months" in shown
    assert call(audit.app, "verify").exit_code == 0
    assert call(message.app, "purge", "nobody", "--by", "ann", "--reason", "r").exit_code == 2


@pytest.mark.parametrize(
    ("payload", "lines"),
    [
        (b"UNB+A'UNH+1+it?'s'UNZ+1'", ["UNB+A'", "UNH+1+it?'s'", "UNZ+1'"]),
        (b"UNA:+.? '\r\nUNB+A'\r\nUNZ+1'\r\n", ["UNA:+.? '", "UNB+A'", "UNZ+1'"]),
        (b"UNA:+.  ~UNB+A?~UNZ+1", ["UNA:+.  ~", "UNB+A?~", "UNZ+1"]),
        (b"ISA" + b" " * 102 + b"~GS~", ["ISA" + " " * 102 + "~", "GS~"]),
    ],
)
def test_interchange_is_shown_a_segment_a_line(payload: bytes, lines: list[str]) -> None:
    """A released terminator is data; without a release character nothing is released."""
    assert message._readable(payload).split("\n") == lines
