"""What was purged: asked for, worked again or replayed, it gets an answer, and nothing half-empty goes anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.cli.message_trace import traced
from gateway.errors import OurFault
from gateway.partners.retention import Policy
from gateway.pipeline.giving_up import discarded, retried
from gateway.pipeline.settling import Decision, Settlement, settled
from gateway.settings import Retention

from .erps import aim, later
from .test_replaying import OTHERWISE, REFUSING, REPLACE, calls, dry, mend

DOCUMENTS = Policy(ours=Retention(document_days=30, idempotency_days=0, webhook_days=0))


async def purge(trade: Any) -> None:
    """A month later, by the rules."""
    trade.clock.advance(days=31)
    lines = await trade.gateway.store.purge_due(DOCUMENTS, by="gateway", reason="retention")
    assert {one.what.value for one in lines if one.kept is None} == {"document"}


async def test_a_letter_put_aside_is_not_worked_again_without_its_content(trade: Any, edi: Any, tmp_path: Path) -> None:
    """Taken back by an operator: refused with the reason. Were it worked all the same, no call is made."""
    aim(trade, tmp_path, "erp", erp=REFUSING)
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    store = trade.gateway.store
    (letter,) = [one async for one in store.dead_letters(message_id=message.id)]
    assert await store.move_dead(letter, await discarded(store, letter, by="ann", why="by hand"), again=False)
    (letter,) = [one async for one in store.dead_letters(message_id=message.id, discarded=True)]
    decided_before = await retried(store, letter, by="ann", why="after all")
    await purge(trade)
    aim(trade, tmp_path, "erp", erp={})
    with pytest.raises(OurFault, match="was purged on"):
        await retried(store, letter, by="ann", why="after all")
    (document,) = await trade.gateway.documents(message)
    again = Settlement(decided=Decision.AGAIN, by="ann", reason="after all")
    with pytest.raises(OurFault, match="was purged on"):
        await settled(store, document.id, "erp", again, trade.clock())
    before = calls(trade)
    assert await store.move_dead(letter, decided_before, again=True)
    for _ in range(40):
        await later(trade, hours=12)
    assert calls(trade) == before
    (letter,) = [one async for one in store.dead_letters(message_id=message.id)]
    assert "was purged on" in letter.reason


@pytest.mark.parametrize("otherwise", [False, True])
async def test_a_replay_of_what_was_delivered_and_purged_replaces_only_what_differs(
    trade: Any,
    edi: Any,
    tmp_path: Path,
    otherwise: bool,  # noqa: FBT001
) -> None:
    """The bytes are read again; whether the document is another one, its hash says, not what is left of it."""
    aim(trade, tmp_path, "erp", erp=REPLACE)
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    await purge(trade)
    if otherwise:
        mend(trade, *OTHERWISE)
    decided = await dry(trade, message)
    (planned,) = decided.planned
    assert planned.act.value == ("replaced" if otherwise else "left")
    if not otherwise:
        assert "was purged on" in planned.why
        assert decided.changes.jobs == ()


async def test_what_is_left_is_traced_as_before(trade: Any, edi: Any, tmp_path: Path) -> None:
    """By the message and by the order; the removals are moments of it."""
    aim(trade, tmp_path, "erp", erp={})
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    before = {node.message.id for node in await traced(trade.gateway.store, message.id)}
    await purge(trade)
    await trade.gateway.store.purge_payload(message.id, by="ann", reason="asked for")
    for what in (message.id, "4500012345"):
        nodes = {node.message.id: node for node in await traced(trade.gateway.store, what)}
        assert set(nodes) == before
