"""What earlier ship notices shipped is remembered: the findings are the same, the notices are read once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.pipeline.matching import Shipment
from gateway.pipeline.shipments import A_NOTICE, Shipments
from gateway.ports import Direction


async def test_each_earlier_notice_of_an_order_is_read_once(trade: Any, monkeypatch: Any) -> None:
    """Four notices, each with all that was ordered: each reads one before it, and all of them count."""
    await trade.order()
    read: list[int] = []
    store = trade.gateway.station.queries
    documents_by_id = store.documents_by_id

    async def counted(ids: Any) -> Any:
        read.append(len(ids))
        return await documents_by_id(ids)

    monkeypatch.setattr(store, "documents_by_id", counted)
    for number in range(4):
        body = trade.notice_body() | {"number": f"ASN-{number}"}
        await trade.submit(body, kind="ship_notice", partner="acme", key=f"notice-{number}")
    assert read == [0, 1, 1, 1]
    page = await store.documents(partner="acme", kind="ship_notice", direction=Direction.INBOUND)
    said = {one.number: [finding["said"] for finding in one.findings] for one in page.documents}
    assert said["ASN-0"] == []
    # Two cartons of 12 of line 1, where 24 were ordered: three notices had 72 of it.
    assert said["ASN-3"][:2] == ["84 shipped of line 1, 72 of it before", "96 shipped of line 1, 84 of it before"]


def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    """Bounded by the order lines of all notices together, and by what a notice weighs besides."""
    kept = Shipments(most_parts=2 * (2 + A_NOTICE))
    one = Shipment(number="1", purpose=None, parts=(("o", "1", Decimal(1)), ("o", "2", Decimal(1))))
    keys = [(str(number), frozenset({(("77", None), "o")}), None) for number in range(3)]
    kept.keep(keys[0], one)
    kept.keep(keys[1], one)
    assert kept.get(keys[0]) is one  # asked for: now the other one is the older
    kept.keep(keys[2], one)
    assert [kept.get(key) is not None for key in keys] == [True, False, True]
