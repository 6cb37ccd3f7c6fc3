"""Documents: natural keys, states that only go forward, and the questions asked of them."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import PartnerFault
from gateway.events import DocumentRouted
from gateway.ports import (
    Changes,
    Direction,
    DocumentState,
    DocumentUpdate,
    MessageState,
    MessageUpdate,
    NaturalKeyTaken,
)
from gateway.store import Store
from gateway.store.states import DOCUMENT_STATE_FROM, MESSAGE_STATE_FROM


async def stored(store: Store, trade: Any, **fields: Any) -> Any:
    """A stored document, in a message of its own."""
    message = trade.message()
    document = trade.document(message.id, **fields)
    await store.apply(Changes(messages=(message,), documents=(document,)))
    return document


async def test_a_document_comes_back_as_it_was(store: Store, trade: Any) -> None:
    """Body, findings and versions keep their shapes."""
    new = await stored(store, trade, findings=({"rule": "edi.x"},), agreement="acme@1", position="1/1/0001")
    found = await store.document(new.id)
    assert found is not None
    assert (found.body, found.findings, found.at) == (new.body, ({"rule": "edi.x"},), new.at)
    assert found.updated_at == new.at
    assert await store.documents_of(new.message_id) == [found]
    assert await store.document_by_key("acme", Direction.INBOUND, "order_acknowledgement:A-1:0") == found
    assert await store.documents_for_order("acme", "order_acknowledgement", "4711") == [found]


async def test_a_partner_never_sees_anothers_document(store: Store, trade: Any) -> None:
    """Not by id, not by key, not by order, not in a page."""
    new = await stored(store, trade)
    assert await store.document(new.id, partner="baltic") is None
    assert await store.document_by_key("baltic", Direction.INBOUND, new.natural_key) is None
    assert await store.documents_for_order("baltic", new.kind, "4711") == []
    page = await store.documents(partner="baltic", kind=new.kind, direction=Direction.INBOUND)
    assert page.documents == ()


async def test_a_natural_key_is_taken_once_for_each_partner_and_direction(store: Store, trade: Any) -> None:
    """And what came with the second one is not kept."""
    first = await stored(store, trade)
    await stored(store, trade, partner="baltic")
    await stored(store, trade, direction=Direction.OUTBOUND)
    routed = DocumentRouted(message_id=first.message_id, document_id="x", target="erp", rule="r")
    with pytest.raises(NaturalKeyTaken):
        await store.apply(Changes(documents=(trade.document(first.message_id),), events=(routed,)))
    assert await store.timeline(message_id=first.message_id) == []


async def test_refused_documents_have_no_key_and_may_come_again(store: Store, trade: Any) -> None:
    """They are kept with their findings, and do not count as answers."""
    await stored(store, trade, natural_key=None, state=DocumentState.REJECTED)
    await stored(store, trade, natural_key=None, state=DocumentState.REJECTED)
    assert await store.documents_for_order("acme", "order_acknowledgement", "4711") == []


@pytest.mark.parametrize("old", DocumentState)
async def test_a_document_state_follows_only_where_the_table_allows(
    sqlite_store: Store, trade: Any, old: DocumentState
) -> None:
    """Every pair of states; a late COMPOSED never overwrites ANSWERED."""
    for new in DocumentState:
        document = await stored(sqlite_store, trade, state=old, natural_key=None)
        await sqlite_store.apply(Changes(document_updates=(DocumentUpdate(id=document.id, state=new, target="erp"),)))
        found = await sqlite_store.document(document.id)
        assert found is not None
        assert found.state is (new if old in DOCUMENT_STATE_FROM[new] else old)
        assert found.target == "erp"


async def test_a_late_composed_does_not_overwrite_answered(store: Store, trade: Any) -> None:
    """The business answer came over another channel first."""
    document = await stored(store, trade, state=DocumentState.SUBMITTED)
    for state in (DocumentState.ANSWERED, DocumentState.COMPOSED, DocumentState.SENT):
        await store.apply(Changes(document_updates=(DocumentUpdate(id=document.id, state=state),)))
    found = await store.document(document.id)
    assert found is not None
    assert found.state is DocumentState.ANSWERED


async def test_a_receipt_that_comes_after_the_997_does_not_reopen_the_message(store: Store, trade: Any) -> None:
    """The rest of the late change is made."""
    message = trade.message(direction=Direction.OUTBOUND, state=MessageState.READY)
    await store.apply(Changes(messages=(message,)))
    for update in (
        MessageUpdate(id=message.id, state=MessageState.ACKNOWLEDGED),
        MessageUpdate(id=message.id, state=MessageState.SENT, mic="abc", raw=b"wire"),
    ):
        await store.apply(Changes(message_updates=(update,)))
    found = await store.message(message.id)
    assert found is not None
    assert (found.state, found.mic) == (MessageState.ACKNOWLEDGED, "abc")
    assert await store.raw(message.id) == b"wire"


def test_every_state_has_its_row() -> None:
    """A new state without a row is noticed here."""
    assert set(MESSAGE_STATE_FROM) == set(MessageState)
    assert set(DOCUMENT_STATE_FROM) == set(DocumentState)


async def test_pages_go_through_all_documents_by_their_last_change(store: Store, trade: Any, clock: Any) -> None:
    """A changed document comes again at the end; nothing is left out."""
    made = [await stored(store, trade, number=f"A-{n}", natural_key=f"k{n}") for n in range(5)]
    await store.apply(Changes(document_updates=(DocumentUpdate(id=made[0].id, their_id="9"),)))
    seen: list[str] = []
    cursor = None
    while True:
        page = await store.documents(
            partner="acme", kind="order_acknowledgement", direction=Direction.INBOUND, cursor=cursor, limit=2
        )
        seen += [document.number for document in page.documents]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == ["A-1", "A-2", "A-3", "A-4", "A-0"]


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "MTIz", "w6Q", "MSAyIDM", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OSBh"])
async def test_a_made_up_cursor_is_the_partners_fault(sqlite_store: Store, cursor: str) -> None:
    """It is no traceback."""
    with pytest.raises(PartnerFault, match="cursor"):
        await sqlite_store.documents(partner="a", kind="b", direction=Direction.INBOUND, cursor=cursor)


async def test_the_newest_order_with_a_number_is_found(store: Store, trade: Any) -> None:
    """Other directions and partners have their own orders."""
    order: dict[str, Any] = {"kind": "purchase_order", "number": "4711", "direction": Direction.OUTBOUND}
    await stored(store, trade, natural_key="1", **order)
    newest = await stored(store, trade, natural_key="2", **order)
    await stored(store, trade, natural_key="3", **order | {"partner": "baltic"})
    found = await store.order("acme", "4711", Direction.OUTBOUND)
    assert found is not None
    assert found.id == newest.id
    assert await store.order("acme", "4711", Direction.INBOUND) is None


async def test_releases_of_a_blanket_order_are_two_orders(store: Store, trade: Any) -> None:
    """A release finds its own; without one the newest counts; answers that name no release belong to either."""
    order: dict[str, Any] = {"kind": "purchase_order", "number": "BL", "direction": Direction.OUTBOUND}
    first = await stored(store, trade, natural_key="1", body={"release_number": "1"}, **order)
    second = await stored(store, trade, natural_key="2", body={"release_number": "2"}, **order)
    ack: dict[str, Any] = {"kind": "order_acknowledgement", "order_number": "BL"}
    for key, named in (("a", {"release_number": "1"}), ("b", {"release_number": "2"}), ("c", {})):
        await stored(store, trade, number=key, natural_key=key, body={"order": {"number": "BL", **named}}, **ack)
    found = [await store.order("acme", "BL", Direction.OUTBOUND, release=one) for one in ("1", "2", None, "3")]
    assert [one and one.id for one in found] == [first.id, second.id, second.id, None]
    for release, expected in (("1", ["a", "c"]), ("2", ["b", "c"]), (None, ["c"])):
        answers = await store.documents_for_order("acme", "order_acknowledgement", "BL", release=release)
        assert [one.number for one in answers] == expected
