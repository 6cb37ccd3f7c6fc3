"""`gateway review`, `gateway order show`, `gateway message list --overdue`: a store with an order and its answer."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import wiring
from gateway.pipeline import identity
from gateway.ports import (
    Changes,
    Channel,
    Direction,
    DocumentState,
    DocumentUpdate,
    MessageState,
    MessageUpdate,
    NewDocument,
    NewJob,
    NewMessage,
    Review,
)

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
ORDER, ACK, OUT, IN = "document-order", "document-ack", "message-out", "message-in"
FINDING = {
    "rule": "matching.price_outside_tolerance",
    "place": {"pointer": "/lines/0/prices/0"},
    "text": "too dear",
    "said": "a price of 3 where 2 was ordered",
    "wanted": "at most 1 %",
    "fix": "correct it",
    "severity": "accept_with_errors",
}


def _message(id_: str, direction: Direction, state: MessageState, **more: Any) -> NewMessage:
    return NewMessage(
        id=id_, partner="acme", direction=direction, channel=Channel.AS2, state=state, at=AT, payload=b"x", **more
    )


def _document(id_: str, message: str, kind: str, direction: Direction, state: DocumentState, **more: Any) -> Any:
    return NewDocument(
        id=id_, message_id=message, partner="acme", direction=direction, kind=kind, number="4711", order_number="4711",
        business_unit=None, state=state, at=AT, body={"number": "4711"}, sha256="0", natural_key=f"{kind}:4711",
        agreement="a", **more,
    )  # fmt: skip


async def fill(folder: Path) -> None:
    """An order whose 997 and acknowledgement are overdue; an acknowledgement of it that waits for a decision."""
    order = _document(ORDER, OUT, "purchase_order", Direction.OUTBOUND, DocumentState.SENT)
    answer = _document(
        ACK, IN, "order_acknowledgement", Direction.INBOUND, DocumentState.HELD, findings=(FINDING,),
        review=Review.OUTSIDE_TOLERANCE,
    )  # fmt: skip
    wait = NewJob(
        message_id=OUT,
        document_id=ORDER,
        step="unshipped",
        lane="acme:outbound:acknowledgment",
        run_at=datetime.now(UTC) + timedelta(days=1),
        wait_key=identity.notice_key(ORDER),
    )
    messages = (
        _message(OUT, Direction.OUTBOUND, MessageState.SENT, wait_key="997:acme:PO:1"),
        _message(IN, Direction.INBOUND, MessageState.PROCESSED),
    )
    async with wiring.open_store(folder) as store:
        await store.apply(Changes(messages=messages, documents=(order, answer), jobs=(wait,)))
        await store.apply(
            Changes(
                message_updates=(MessageUpdate(id=OUT, overdue_since=AT + timedelta(days=1)),),
                document_updates=(DocumentUpdate(id=ORDER, answer_overdue_since=AT + timedelta(days=2)),),
            )
        )


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Path:
    """A workspace of its own with that store."""
    folder = tmp_path / "ours"
    shutil.copytree(made, folder)
    asyncio.run(fill(folder))
    return folder


@pytest.fixture
def call(run: Any, workspace: Path) -> Callable[..., str]:
    """A command in that workspace; its output where it ends as told."""

    def called(*words: str, code: int = 0) -> str:
        done = run(*words, "--workspace", workspace)
        assert done.exit_code == code, done.output
        assert "\x1b" not in done.stdout
        return str(done.stdout if code < 2 else done.stderr)

    return called


def test_what_waits_is_listed_and_shown_with_its_reasons(call: Any) -> None:
    """Exit code 1 while something waits; JSON says the same."""
    told = call("review", "list", code=1)
    assert ACK in told
    assert "outside tolerance" in told
    assert "/lines/0/prices/0: a price of 3 where 2 was ordered" in told
    assert call("review", "list", "--partner", "baltic") == "no document waits for a decision\n"
    shown = call("review", "show", ACK)
    assert "expected at most 1 %  [matching.price_outside_tolerance]" in shown
    (one,) = json.loads(call("review", "list", "--json", code=1))
    assert (one["id"], one["review"], one["findings"]) == (ACK, "outside_tolerance", [FINDING])


def test_an_approval_is_recorded_once_and_becomes_work(call: Any, workspace: Path) -> None:
    """Who comes second is told; the gateway that runs does the rest."""
    assert "goes on" in call("review", "approve", ACK, "--by", "ann", "--why", "agreed")
    assert "waits for no decision" in call("review", "reject", ACK, "--by", "ben", "--why", "no", code=2)
    assert call("review", "list") == "no document waits for a decision\n"

    async def looked() -> Any:
        async with wiring.open_store(workspace) as store:
            jobs = await store.claim("test", ["release"], 5)
            return [one.document_id for one in jobs], await store.timeline(message_id=IN)

    jobs, trail = asyncio.run(looked())
    assert jobs == [ACK]
    assert [(one.kind, one.data["by"], one.data["why"]) for one in trail] == [("document.reviewed", "ann", "agreed")]


def test_a_rejection_says_that_the_partner_is_told_nothing(call: Any) -> None:
    """There is no 824 yet."""
    assert "acme is told nothing by itself" in call("review", "reject", ACK, "--by", "ben", "--why", "old list")
    assert "rejected" in call("review", "show", ACK)


@pytest.mark.parametrize("words", [("show", "nothing"), ("approve", "nothing", "--by", "a", "--why", "b")])
def test_an_unknown_document_is_named(call: Any, words: tuple[str, ...]) -> None:
    """With the way to those that wait."""
    assert "there is no document nothing" in call("review", *words, code=2)


def test_an_order_is_shown_with_what_is_due_what_is_late_and_what_came(call: Any) -> None:
    """Exit code 1 while something is overdue."""
    told = call("order", "show", "4711", code=1)
    assert "order 4711, outbound, acme: sent" in told
    assert "order acknowledgement: overdue since 2026-03-04 08:00 UTC" in told
    assert "ship notice: due " in told
    assert "held, outside tolerance" in told
    (one,) = json.loads(call("order", "show", "4711", "--json", code=1))
    assert one["overdue"] == {"order_acknowledgement": "2026-03-04 08:00:00+00:00"}
    assert [wait["expected"] for wait in one["expected"]] == ["ship_notice"]
    assert [document["id"] for document in one["documents"]] == [ACK]
    assert "there is no order 9 of acme" in call("order", "show", "9", "--partner", "acme", code=2)


def test_overdue_messages_are_listed_with_what_they_wait_for(call: Any) -> None:
    """The message's own acknowledgment and the answer to the order in it."""
    told = call("message", "list", "--overdue")
    assert "functional acknowledgement since 2026-03-03 08:00" in told
    assert "order acknowledgement of order 4711 since 2026-03-04 08:00" in told
    (one,) = json.loads(call("message", "list", "--overdue", "--json"))
    assert (one["id"], len(one["overdue"])) == (OUT, 2)
    assert "order 4711, ship notice: due" in call("message", "show", OUT)


def test_ids_are_completed(workspace: Path) -> None:
    """From what waits."""
    from gateway.cli.review import complete_document  # noqa: PLC0415  what the shell calls

    class Context:
        params = {"workspace": workspace}  # noqa: RUF012  a stand-in

    context: Any = Context()
    assert complete_document(context, "document") == [ACK]
    assert complete_document(context, "x") == []
