"""`gateway message settle`: an operator decides about a delivery, beside a running server; never a traceback."""

from __future__ import annotations

import asyncio
import json
import sys
import types
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli import message
from gateway.cli.message_names import complete_target
from gateway.events import MessageReceived
from gateway.ports import (
    Changes,
    Channel,
    DeliveryChange,
    DeliveryState,
    Direction,
    DocumentState,
    MessageState,
    NewDocument,
    NewMessage,
    new_id,
)
from gateway.store import Store

WORKSPACE = Path(__file__).parents[2]
Asked = Callable[[Callable[[Store], Awaitable[Any]]], Any]


def now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


async def fill(store: Store) -> str:
    """A message with two documents, both uncertain at `erp`, the first delivered at `wms`."""
    id_ = new_id(now())
    new = NewMessage(
        id=id_,
        partner="acme",
        direction=Direction.INBOUND,
        channel=Channel.REST,
        state=MessageState.PROCESSED,
        at=now(),
        payload=b"{}",
    )
    documents = tuple(
        NewDocument(
            id=f"{id_}-{number}",
            message_id=id_,
            partner="acme",
            direction=Direction.INBOUND,
            kind="ship_notice",
            number=number,
            order_number="4711",
            business_unit=None,
            state=DocumentState.ACCEPTED,
            at=now(),
            body={"number": number},
            sha256="00",
            natural_key=number,
        )
        for number in ("a", "b")
    )
    deliveries = tuple(
        DeliveryChange(document_id=one.id, target="erp", key=one.id, state=DeliveryState.UNCERTAIN, reason="no answer")
        for one in documents
    )
    wms = DeliveryChange(
        document_id=documents[0].id,
        target="wms",
        key=f"{documents[0].id}.wms",
        state=DeliveryState.DELIVERED,
        critical=False,
        their_id="W-1",
        status=201,
    )
    event = MessageReceived(message_id=id_, partner="acme", channel="rest", size=2, sha256=sha256(b"{}").hexdigest())
    await store.accept(Changes(messages=(new,), documents=documents, deliveries=(*deliveries, wms), events=(event,)))
    return id_


@pytest.fixture
def asked(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """A store that commands find instead of a workspace's; asks it from outside."""

    @asynccontextmanager
    async def open_store(workspace: Path) -> AsyncIterator[Store]:
        del workspace
        store = await Store.open(sqlite_url, payloads=tmp_path / "payloads", clock=now)
        try:
            yield store
        finally:
            await store.close()

    wiring = types.ModuleType("gateway.wiring")
    wiring.__dict__.update(open_store=open_store)
    monkeypatch.setitem(sys.modules, "gateway.wiring", wiring)

    def ask(question: Callable[[Store], Awaitable[Any]]) -> Any:
        async def answer() -> Any:
            async with open_store(tmp_path) as store:
                return await question(store)

        return asyncio.run(answer())

    return ask


def call(*arguments: str) -> Any:
    """The outcome of a command."""
    return CliRunner().invoke(message.app, arguments)


def settle(*arguments: str) -> Any:
    """With who and why."""
    return call("settle", *arguments, "--by", "ann", "--why", "seen in the ERP")


def test_a_delivery_is_settled_as_delivered_with_their_id(asked: Asked) -> None:
    """The document follows, the trail says who and why; the list of uncertain ones gets shorter."""
    id_ = asked(fill)
    assert id_ in call("list", "--uncertain").stdout
    done = settle(f"{id_}-b", "--target", "erp", "--delivered", "--their-id", "SO-7")
    assert (done.exit_code, done.stdout) == (0, f"the delivery of document {id_}-b to erp counts as delivered\n")
    shown = json.loads(call("show", id_, "--json").stdout)
    rows = {(one["document_id"][-1], one["target"]): one for one in shown["deliveries"]}
    assert (rows["b", "erp"]["state"], rows["b", "erp"]["their_id"]) == ("delivered", "SO-7")
    assert {one["number"]: one["state"] for one in shown["documents"]} == {"a": "accepted", "b": "delivered"}
    told = next(one for one in shown["timeline"] if one["kind"] == "delivery.settled")
    assert (told["data"]["by"], told["data"]["reason"]) == ("ann", "seen in the ERP")
    assert settle(id_, "--target", "erp", "--discard", "--json").exit_code == 0
    assert call("list", "--uncertain", "--json").stdout.strip() == "[]"


def test_a_message_is_shown_with_how_it_stands_at_each_target(asked: Asked) -> None:
    """A table for each document."""
    shown = call("show", asked(fill))
    assert shown.exit_code == 0
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert any(line.startswith("erp uncertain") and line.endswith("no answer") for line in lines)
    assert any(line.startswith("wms optional delivered W-1 201") for line in lines)


REFUSED: list[tuple[list[str], str]] = [
    (["{id}", "--target", "erp", "--again"], "name one of them: {id}-a, {id}-b"),
    (["{id}", "--target", "sap", "--again"], "no delivery to sap; it has: erp, wms"),
    (["{id}-a", "--target", "wms", "--again"], "is delivered: it cannot be settled as again"),
    (["{id}-a", "--target", "erp"], "exactly one of --delivered, --again and --discard"),
    (["{id}-a", "--target", "erp", "--again", "--discard"], "exactly one of --delivered, --again and --discard"),
    (["{id}-a", "--target", "erp", "--again", "--their-id", "7"], "--their-id is for --delivered only"),
    (["nobody", "--target", "erp", "--again"], "nobody has no delivery to erp; it has: none"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED)
def test_what_cannot_be_settled_is_refused_with_what_can(asked: Asked, arguments: list[str], words: str) -> None:
    """Exit 2, one sentence, nothing changed."""
    id_ = asked(fill)
    done = settle(*(one.format(id=id_) for one in arguments))
    assert done.exit_code == 2
    assert words.format(id=id_) in done.stderr.replace("\n", " ")
    assert len(json.loads(call("list", "--uncertain", "--json").stdout)) == 1


def test_targets_are_completed_from_the_workspace() -> None:
    """Those of gateway.yaml that begin so; none where there is no workspace."""
    context: Any = types.SimpleNamespace(params={"workspace": WORKSPACE})
    assert complete_target(context, "n") == ["north"]
    context = types.SimpleNamespace(params={"workspace": WORKSPACE / "nowhere"})
    assert complete_target(context, "") == []
