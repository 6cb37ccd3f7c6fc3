"""`gateway map diff --stored`: what a map's change would have done to the messages that came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from gateway.cli.map_stored import Wanted, each_stored
from gateway.ports import Changes, Channel, Direction, MessageState, NewMessage, new_id
from gateway.store import Store

Run = Callable[..., Result]
REASONS = Path("samples/x12/acme-855-reasons.edi").read_bytes()
DAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def came(payload: bytes, at: datetime, partner: str = "acme") -> NewMessage:
    """A message that was received."""
    return NewMessage(
        id=new_id(at), partner=partner, direction=Direction.INBOUND, channel=Channel.AS2, state=MessageState.RECEIVED,
        at=at, payload=payload, raw=None, raw_headers=(), duplicate_key=f"{partner}:{at}",
    )  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose store holds two acknowledgements, of two partners and months, and a JSON body."""
    from contextlib import asynccontextmanager  # noqa: PLC0415

    @asynccontextmanager
    async def open_store(_folder: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202
        store = await Store.open(sqlite_url, payloads=tmp_path / "payloads", clock=lambda: DAY)
        try:
            yield store
        finally:
            await store.close()

    async def fill() -> None:
        async with open_store(tmp_path) as store:
            messages = (
                came(REASONS, DAY),
                came(REASONS, DAY - timedelta(days=40), "other"),
                came(b'{"number": "A-1"}', DAY + timedelta(hours=1)),
            )
            for message in messages:
                await store.accept(Changes(messages=(message,)))

    monkeypatch.setattr("gateway.wiring.open_store", open_store)
    asyncio.run(fill())
    return tmp_path


def counts(run: Run, *options: object) -> dict[str, object]:
    """The counts of a comparison."""
    told = run("map", "diff", "x12/855", "acme/855", "--stored", "--json", *options)
    assert told.exit_code == 1, told.output
    found: dict[str, object] = json.loads(told.stdout.splitlines()[-1])
    return found


def test_stored_messages_are_compared_like_files_and_others_are_passed_over(run: Run, workspace: Path) -> None:
    """The same counts as of the files; what is no EDI is no failure."""
    stored = counts(run)
    assert (stored["documents"], stored["different"], stored["messages_not_read"]) == (2, 2, 0)
    (file,) = run(
        "map", "diff", "x12/855", "acme/855", "samples/x12/acme-855-reasons.edi", "--json"
    ).stdout.splitlines()[-1:]
    once = {(one["field"], one["change"]): one["count"] for one in json.loads(file)["fields"]}
    assert {(one["field"], one["change"]): one["count"] for one in stored["fields"]} == {  # type: ignore[attr-defined]
        key: 2 * count for key, count in once.items()
    }


def test_partner_since_and_limit_choose_among_them(run: Run, workspace: Path) -> None:
    """Newest first."""
    assert counts(run, "--partner", "other")["documents"] == 1
    assert counts(run, "--since", "2026-03-01")["documents"] == 1
    assert counts(run, "--limit", "2")["documents"] == 1


def test_nothing_to_compare_is_said_with_the_number_looked_at(run: Run, workspace: Path) -> None:
    """Exit code 2; so is both, or neither, of files and store."""
    told = run("map", "diff", "x12/856", "x12/856", "--stored")
    assert (told.exit_code, "no 856 in 3 stored messages" in told.stderr) == (2, True)
    for arguments in (("--stored", "samples"), ()):
        told = run("map", "diff", "x12/855", "acme/855", *arguments)
        assert (told.exit_code, "either files or --stored" in told.stderr) == (2, True)


def test_more_messages_than_a_page_are_all_looked_at(
    workspace: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One page after the other, each message once; nothing of them changes."""
    monkeypatch.setattr("gateway.cli.map_stored.PAGE", 3)

    async def look() -> tuple[tuple[int, int], list[str]]:
        store = await Store.open(sqlite_url, payloads=workspace / "payloads", clock=lambda: DAY)
        try:
            for number in range(9):
                message = came(b"x", DAY + timedelta(days=1, seconds=number), "many")
                await store.accept(Changes(messages=(message,)))
            seen: list[str] = []
            wanted = Wanted(partner="many", since=None, limit=7)
            return await each_stored(store, wanted, lambda name, _data, _partner: seen.append(name)), seen
        finally:
            await store.close()

    (seen, purged), names = asyncio.run(look())
    assert (seen, purged, len(set(names))) == (7, 0, 7)
