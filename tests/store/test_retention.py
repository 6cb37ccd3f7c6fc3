"""Retention: what the rules say goes, with its proof; what is held or unfinished stays; the trail still verifies."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from gateway import canonical, wiring
from gateway.errors import OurFault
from gateway.events import DocumentAccepted
from gateway.partners.retention import Policy, What
from gateway.ports import RETENTION, Changes, DocumentState, NewJob
from gateway.ports.replays import Selection
from gateway.settings import KindRetention, PartnerRetention, Retention
from gateway.store import RetentionLine, Store, jobs, migrate, replays, retention
from gateway.store.verify import Wrong

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
LARGE = b"L" * (1 << 21)
YEAR = Policy(ours=Retention(payload_days=365, document_days=365, idempotency_days=0, webhook_days=0))


async def traded(
    store: Store, trade: Any, *, number: str = "A-1", order: str = "4711", **fields: Any
) -> tuple[str, str]:
    """A message that was read, with an acknowledgement in it; their ids."""
    changes = trade.received(**fields)
    (message,) = changes.messages
    body = {"number": number, "order": {"number": order}, "lines": [{"line_id": "1", "quantity": "2.50"}]}
    document = trade.document(
        message.id,
        number=number,
        order_number=order,
        body=body,
        sha256=canonical.digest(body),
        natural_key=f"order_acknowledgement:{number}",
        partner=message.partner or "acme",
        findings=({"said": "secret"},),
    )
    fact = DocumentAccepted(
        message_id=message.id,
        partner=document.partner,
        order_number=order,
        document=document.kind,
        document_id=document.id,
        number=number,
        sha256=document.sha256,
        agreement="",
    )
    await store.accept(changes)
    (job,) = await store.claim("me", ["read"], 1)
    await store.finish(job, Changes(documents=(document,), events=(fact,)))
    return message.id, document.id


async def problems(store: Store) -> list[tuple[Wrong, str]]:
    """What is wrong with trail and contents, sealed now."""
    await store.seal(KEY)
    return [(one.what, one.detail) for one in (await store.verify([KEY.public_key()])).problems]


async def run(store: Store, policy: Policy) -> list[RetentionLine]:
    """Purge what is due."""
    return await store.purge_due(policy, by="ann", reason="agreed")


def gone(lines: list[RetentionLine]) -> dict[str, int]:
    """How many of what went."""
    return {one.what.value: one.items for one in lines if one.kept is None}


def stayed(lines: list[RetentionLine]) -> dict[tuple[str, str | None], int]:
    """How many of what stayed, and why."""
    return {(one.what.value, one.kept): one.items for one in lines if one.kept is not None}


async def test_what_is_over_goes_with_its_proof_and_the_trail_verifies(store: Store, trade: Any, clock: Any) -> None:
    """Bytes and content go; hashes, keys, and by whom and by which rule, stay."""
    old, document = await traded(store, trade, payload=LARGE)
    clock.advance(days=366)
    young, _ = await traded(store, trade, number="A-2")
    planned = await store.retention_plan(YEAR)
    assert gone(planned) == {"payload": 1, "document": 1}
    assert next(one.octets for one in planned if one.what is What.PAYLOAD) == len(LARGE)
    assert await store.payload(old)
    assert gone(await run(store, YEAR)) == {"payload": 1, "document": 1}
    with pytest.raises(OurFault, match="purged"):
        await store.payload(old)
    assert await store.payload(young)
    left = await store.document(document)
    assert left is not None
    assert (left.body, left.findings) == ({"number": "A-1", "order": {"number": "4711"}}, ())
    assert left.purged_at is not None
    told = {one.kind: one.data for one in await store.timeline(message_id=old)}
    assert told["payload.purged"]["rule"] == "gateway.yaml: retention.payload_days"
    assert told["payload.purged"]["size"] == len(LARGE)
    assert (told["document.purged"]["by"], told["document.purged"]["sha256"]) == ("ann", left.sha256)
    assert await problems(store) == []
    assert (await store.verify_payloads()).ok
    assert await run(store, YEAR) == []


async def test_a_document_purged_behind_the_gateways_back_is_named(store: Store, trade: Any) -> None:
    """Only an event makes it a purge."""
    _, document = await traded(store, trade)
    change = text("UPDATE document SET purged_at = 1, body = '{}' WHERE id = :id")
    await store.database.write(lambda connection: connection.execute(change, {"id": document}).rowcount)
    assert [what for what, _ in await problems(store)] == [Wrong.CONTENT_REMOVED]


async def test_a_repeat_of_what_was_purged_is_still_a_repeat(store: Store, trade: Any, clock: Any) -> None:
    """Duplicate key, natural key and hash stay."""
    message, document = await traded(store, trade, duplicate_key="as2:acme:<1@x>")
    clock.advance(days=366)
    await run(store, YEAR)
    again = await store.accept(trade.received(duplicate_key="as2:acme:<1@x>"))
    assert (again.duplicate, again.message_id) == (True, message)
    assert again.receipt is not None
    first = (await store.documents_by_number("acme", trade.document("m").direction, "order_acknowledgement", "A-1"))[0]
    assert first.id == document


async def test_the_nearest_rule_counts_and_zero_is_for_ever(store: Store, trade: Any, clock: Any) -> None:
    """Partner's kind, partner, our kind, ours."""
    policy = Policy(
        ours=Retention(
            payload_days=30,
            idempotency_days=0,
            webhook_days=0,
            kinds={"order_acknowledgement": KindRetention(payload_days=60)},
        ),
        partners={
            "ever": PartnerRetention(payload_days=0),
            "short": PartnerRetention(kinds={"order_acknowledgement": KindRetention(payload_days=5)}),
        },
    )
    names = ("acme", "ever", "short")
    ids = {name: (await traded(store, trade, number=name, partner=name))[0] for name in names}
    for days, left in ((6, ["acme", "ever"]), (26, ["acme", "ever"]), (30, ["ever"]), (9000, ["ever"])):
        clock.advance(days=days)
        await run(store, policy)
        assert [name for name in names if await kept(store, ids[name])] == left


async def kept(store: Store, message_id: str) -> bool:
    """Whether a message has its bytes."""
    try:
        await store.payload(message_id)
    except OurFault:
        return False
    return True


@pytest.mark.parametrize("by", ["partner", "order_number", "message_id"])
async def test_a_legal_hold_beats_every_rule_and_every_hand(store: Store, trade: Any, clock: Any, by: str) -> None:
    """Until it is lifted; both are on the trail."""
    held, document = await traded(store, trade)
    free, _ = await traded(store, trade, number="B-1", order="4712", partner="borg")
    named = {"partner": "acme", "order_number": "4711", "message_id": held}[by]
    hold = await store.place_hold(**{by: named}, by="lea", why="case 7")  # type: ignore[arg-type]
    clock.advance(days=4000)
    assert stayed(await store.retention_plan(YEAR)) == {
        ("payload", f"legal hold {hold}"): 1,
        ("document", f"legal hold {hold}"): 1,
    }
    lines = await run(store, YEAR)
    assert (gone(lines), len(stayed(lines))) == ({"payload": 1, "document": 1}, 2)
    assert (await kept(store, held), await kept(store, free)) == (True, False)
    with pytest.raises(OurFault, match=f"legal hold {hold}"):
        await store.purge_payload(held, by="ann", reason="I want it gone")
    await store.lift_hold(hold, by="lea", why="settled")
    with pytest.raises(OurFault, match="No legal hold"):
        await store.lift_hold(hold, by="lea", why="again")
    assert gone(await run(store, YEAR)) == {"payload": 1, "document": 1}
    found = await store.document(document)
    assert found is not None
    assert found.purged_at is not None
    assert [one.kind for one in await store.timeline(message_id=RETENTION)] == [
        "legal_hold.placed",
        "legal_hold.lifted",
    ]
    assert [(one.why, one.lifted_why) for one in await store.legal_holds(lifted=True)] == [("case 7", "settled")]
    assert await store.legal_holds() == []
    assert await problems(store) == []


async def test_a_hold_on_an_order_covers_what_answers_its_messages(store: Store, trade: Any, clock: Any) -> None:
    """A functional acknowledgment names no order; it is held with the message that it answers."""
    message, _ = await traded(store, trade)
    await store.accept(trade.received(answers=message))
    (job,) = await store.claim("me", ["read"], 1)
    await store.finish(job, Changes())
    await store.place_hold(partner="acme", order_number="4711", by="lea", why="case 7")
    await store.place_hold(partner="other", order_number="4711", by="lea", why="nobody's")
    clock.advance(days=4000)
    assert stayed(await run(store, YEAR))[("payload", "legal hold 1")] == 2


async def test_what_is_not_at_its_end_stays(store: Store, trade: Any, clock: Any) -> None:
    """Work that is open or given up, a document that is held or under review: years make no difference."""
    waiting = trade.received()
    await store.accept(waiting)
    (job,) = await store.claim("me", ["read"], 1)
    await store.bury(job, outcome="permanent", reason="no", changes=Changes())
    message, _ = await traded(store, trade)
    held = trade.document(message, natural_key="held", state=DocumentState.HELD)
    await store.apply(Changes(documents=(held,)))
    clock.advance(days=4000)
    lines = await run(store, YEAR)
    assert gone(lines) == {}
    assert stayed(lines) == {("payload", "unfinished"): 2, ("document", "unfinished"): 2}


async def test_keys_of_requests_and_control_numbers_end_with_one_event_for_many(
    store: Store, trade: Any, clock: Any
) -> None:
    """A key that is gone is free; the fact that so many went is on the chain `retention`."""
    message, _ = await traded(store, trade)
    keys = [(f"rest:acme:{number}", message) for number in range(3)]
    other = [("x12:acme:000000001", message), ("x12-sent:s:1", message), ("answer:1", message)]
    await store.apply(Changes(keys=(*keys, *other)))
    policy = Policy(
        ours=Retention(idempotency_days=90, webhook_days=0),
        partners={"acme": PartnerRetention(control_number_days=400)},
    )
    clock.advance(days=91)
    assert gone(await run(store, policy)) == {"idempotency": 3}
    assert await store.key_owner("rest:acme:0") is None
    assert await store.key_owner("x12:acme:000000001") == message
    clock.advance(days=400)
    assert gone(await run(store, policy)) == {"control_number": 1}
    assert [await store.key_owner(key) for key, _ in other] == [None, message, message]
    (first, second) = await store.timeline(message_id=RETENTION)
    assert (first.data["what"], first.data["rows"], second.data["rows"]) == ("idempotency", 3, 1)
    assert second.data["rules"] == ["partners/acme: retention.control_number_days"]
    assert await problems(store) == []


async def test_ended_deliveries_to_webhooks_go_with_their_attempts(store: Store, trade: Any, clock: Any) -> None:
    """Given up or done; what still waits stays."""
    message, _ = await traded(store, trade)
    notices = tuple(
        NewJob(
            message_id=message,
            document_id=f"{message}-1",
            part=part,
            step="notify",
            lane=f"acme:events:{part}",
            run_at=clock(),
            data={"event_id": "e", "type": "order.received", "body": "{}"},
        )
        for part in ("done", "dead", "waits")
    )
    await store.apply(Changes(jobs=notices))
    for job in await store.claim("me", ["notify"], 3):
        if job.part == "done":
            await store.finish(job, Changes())
        elif job.part == "dead":
            await store.bury(job, outcome="permanent", reason="gone", changes=Changes())
        else:
            later = clock() + timedelta(days=60)
            await store.postpone(job, outcome="transient", reason="no", run_at=later, changes=Changes())
    policy = Policy(ours=Retention(webhook_days=30))
    assert gone(await run(store, policy)) == {}
    clock.advance(days=31)
    assert gone(await run(store, policy)) == {"webhook": 2}
    assert [one.state for one in await store.notices("acme:events:waits")] == ["ready"]
    assert await store.notices("acme:events:done") == []
    assert [one.step for one in await store.attempts(message)] == ["read", "notify"]
    assert await problems(store) == []


async def test_a_hold_on_what_is_not_there_is_refused(store: Store) -> None:
    """A message by id has to exist; an order or a partner may come later."""
    with pytest.raises(OurFault, match="no message"):
        await store.place_hold(message_id="nobody", by="lea", why="case 7")
    assert await store.place_hold(order_number="later", by="lea", why="case 7") == 1


async def test_many_messages_go_some_at_a_time(
    store: Store, trade: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a page and a batch; each is found once."""
    monkeypatch.setattr(retention, "PAGE", 3)
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    for _ in range(7):
        await traded(store, trade, number=str(clock()))
    clock.advance(days=366)
    looked: list[int] = []
    lines = await store.purge_due(YEAR, by="ann", reason="agreed", looked=looked.append)
    assert gone(lines) == {"payload": 7, "document": 7}
    assert sum(looked) == 14


async def test_finished_work_moves_out_and_its_attempts_are_told_as_before(
    store: Store, trade: Any, clock: Any
) -> None:
    """What is open or young stays where it is, deliveries to webhooks too."""
    message, _ = await traded(store, trade)
    waits = trade.received()
    await store.accept(waits)
    told = await store.attempts(message)
    assert (await store.move_finished(timedelta(days=2))).jobs == 0
    clock.advance(days=3)
    young, _ = await traded(store, trade, number="A-2", lane="acme:inbound:other")
    moved = await store.move_finished(timedelta(days=2))
    assert (moved.messages, moved.jobs) == (1, 1)
    assert await store.attempts(message) == told
    left = text("SELECT message_id FROM job ORDER BY id")
    ids = await store.database.read(lambda connection: connection.execute(left).scalars().all())
    assert sorted(ids) == sorted([waits.messages[0].id, young])
    assert (await store.move_finished(timedelta(days=2))).jobs == 0


async def test_work_that_moved_out_is_begun_anew_where_it_was(store: Store, trade: Any, clock: Any) -> None:
    """It is put back with its attempts; what ends then moves out again, beside what did before."""
    message, document = await traded(store, trade)
    step = NewJob(
        message_id=message,
        document_id=document,
        step="deliver",
        lane="acme:inbound:erp",
        run_at=clock(),
        data={"ü": [1, "2"]},
    )
    await store.apply(Changes(jobs=(step,)))
    (job,) = await store.claim("me", ["deliver"], 1)
    await store.finish(job, Changes())
    clock.advance(days=3)
    assert (await store.move_finished(timedelta(days=2))).jobs == 2
    now = clock()
    await store.database.write(lambda connection: jobs.again(connection, message, "deliver", document, now))
    (again,) = await store.claim("me", ["deliver"], 1)
    assert (again.id, again.attempt, again.tries, again.data) == (job.id, 2, 1, {"ü": [1, "2"]})
    await store.finish(again, Changes())
    await store.apply(Changes(jobs=(NewJob(message_id=message, step="more", lane="acme:inbound:x", run_at=clock()),)))
    (more,) = await store.claim("me", ["more"], 1)
    await store.finish(more, Changes())
    clock.advance(days=3)
    assert (await store.move_finished(timedelta(days=2))).jobs == 3
    assert [(one.step, one.number) for one in await store.attempts(message)] == [
        ("read", 1),
        ("deliver", 1),
        ("deliver", 2),
        ("more", 1),
    ]


async def test_work_done_again_beside_what_moved_keeps_every_attempt(store: Store, trade: Any, clock: Any) -> None:
    """The same name twice: put back is the last; `again_after` finds what moved out."""
    message, _ = await traded(store, trade)
    clock.advance(days=3)
    await store.move_finished(timedelta(days=2))
    same = NewJob(message_id=message, step="read", lane="acme:inbound:read", run_at=clock())
    await store.apply(Changes(jobs=(same,)))
    (job,) = await store.claim("me", ["read"], 1)
    assert job.attempt == 1
    await store.finish(job, Changes())
    clock.advance(days=3)
    await store.move_finished(timedelta(days=2))
    assert len(await store.attempts(message)) == 2
    again = NewJob(message_id=message, step="read", lane="acme:inbound:read", run_at=clock(), again_after=timedelta(0))
    await store.apply(Changes(jobs=(again,)))
    (job,) = await store.claim("me", ["read"], 1)
    assert (job.attempt, job.tries) == (2, 1)
    await store.finish(job, Changes())
    assert len(await store.attempts(message)) == 3
    clock.advance(days=3)
    await store.move_finished(timedelta(days=2))
    assert len(await store.attempts(message)) == 3


async def test_a_message_is_found_for_a_replay_whatever_its_work_became(store: Store, trade: Any, clock: Any) -> None:
    """In the job table, moved out, or purged."""
    message, _ = await traded(store, trade)
    selection = Selection(partner="acme")

    async def found() -> list[str]:
        return [
            one.id for one in await store.database.read(lambda connection: replays.page(connection, selection, None))
        ]

    assert await found() == [message]
    clock.advance(days=31)
    await store.move_finished(timedelta(days=2))
    assert await found() == [message]
    assert gone(await run(store, Policy(ours=Retention(attempts_days=30)))) == {"attempts": 1}
    assert await found() == [message]
    assert await run(store, Policy(ours=Retention(attempts_days=30))) == []


async def test_records_of_work_go_by_their_own_rule(store: Store, trade: Any, clock: Any) -> None:
    """Only what has moved out; the trail says how many attempts there were, and their hash."""
    message, _ = await traded(store, trade)
    policy = Policy(ours=Retention(attempts_days=30))
    clock.advance(days=31)
    assert gone(await run(store, policy)) == {}
    await store.move_finished(timedelta(days=2))
    assert gone(await run(store, policy)) == {"attempts": 1}
    assert await store.attempts(message) == []
    last = (await store.timeline(message_id=message))[-1]
    assert (last.kind, last.data["jobs"], last.data["attempts"]) == ("attempts.purged", 1, 1)
    assert await problems(store) == []


_PURGES = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from gateway.partners.retention import Policy
from gateway.settings import Retention
from gateway.store import Store, retention
from gateway import wiring

retention.PAGE, retention.AT_ONCE, retention.MOVED_AT_ONCE = 7, 2, 2

async def main(url, folder):
    later = lambda: wiring.now() + timedelta(days=400)
    store = await Store.open(url, payloads=Path(folder), clock=later)
    print("begun", flush=True)
    await store.move_finished(timedelta(days=2))
    print("moved", flush=True)
    policy = Policy(ours=Retention(payload_days=365, document_days=365, attempts_days=365))
    await store.purge_due(policy, by="ann", reason="agreed", looked=lambda _: print("page", flush=True))
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("until", ["begun", "moved", "page"])
async def test_a_purge_that_is_killed_is_finished_by_the_next(
    database_url: str, tmp_path: Path, trade: Any, until: str
) -> None:
    """SIGKILL in the middle: nothing is half gone, no file outlives its row, each removal has one event."""
    folder = tmp_path / "payloads"
    clock = trade.clock
    clock.at = wiring.now()
    store = await Store.open(database_url, payloads=folder, clock=clock)
    ids = [(await traded(store, trade, number=f"A-{n}", payload=LARGE[: 1 << 20] + bytes([n])))[0] for n in range(14)]
    told = {one: await store.attempts(one) for one in ids}
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PURGES, database_url, str(folder), stdout=asyncio.subprocess.PIPE
    )
    assert killed.stdout is not None
    while (await killed.stdout.readline()).decode().strip() != until:
        pass
    await asyncio.sleep(0.05)
    killed.kill()
    await killed.wait()
    clock.advance(days=400)
    assert await problems(store) == []
    for one in ids:
        assert len(await store.attempts(one)) == len(told[one]) or "attempts.purged" in await kinds(store, one)
    await store.move_finished(timedelta(days=2))
    await run(store, Policy(ours=Retention(payload_days=365, document_days=365, attempts_days=365)))
    await store.sweep_files()
    assert files_in(folder) == []
    for one in ids:
        assert sorted(kind for kind in await kinds(store, one) if kind.endswith(".purged")) == [
            "attempts.purged",
            "document.purged",
            "payload.purged",
        ]
    assert await problems(store) == []
    await store.close()


def files_in(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


async def kinds(store: Store, message_id: str) -> list[str]:
    """The kinds of the events of a message."""
    return [one.kind for one in await store.timeline(message_id=message_id)]


async def test_files_of_purged_payloads_go_at_any_age(store: Store, trade: Any, tmp_path: Path, clock: Any) -> None:
    """Their process died after the commit that purged them; a file that a row names stays."""
    gone, _ = await traded(store, trade, payload=LARGE)
    stays, _ = await traded(store, trade, number="A-2", payload=LARGE + b"2")
    dead = text("UPDATE payload SET place = 'purged' WHERE message_id = :id")
    await store.database.write(lambda connection: connection.execute(dead, {"id": gone}).rowcount)
    assert await store.sweep_files() == 1
    (left,) = files_in(tmp_path / "payloads")
    assert stays in left.name


async def test_free_pages_of_a_file_go_back_to_its_disk(sqlite_store: Store, trade: Any, tmp_path: Path) -> None:
    """In steps; an SQLite file of before cannot shrink, and says so."""
    ids = [(await traded(sqlite_store, trade, number=str(n), payload=LARGE[: 1 << 19]))[0] for n in range(4)]
    for one in ids:
        await sqlite_store.purge_payload(one, by="ann", reason="r")
    given = await sqlite_store.give_back()
    assert given is not None
    assert given > 300
    assert await sqlite_store.give_back() == 0
    old = tmp_path / "old.db"
    with contextlib.closing(sqlite3.connect(old)) as file:
        file.execute("CREATE TABLE t (a)")
    url = f"sqlite:///{old}"
    await migrate(url)
    opened = await Store.open(url, payloads=tmp_path, clock=trade.clock)
    assert await opened.give_back() is None
    await opened.close()
