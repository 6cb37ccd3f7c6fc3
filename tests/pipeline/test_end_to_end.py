"""The main job between two real gateways: out, acknowledged, answered, shipped, at the ERP once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.ports import Direction, DocumentState, MessageState

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


async def test_order_goes_out_is_closed_answered_and_shipped_and_the_erp_has_each_answer_once(trade: Any) -> None:
    """850, MDN, 997, 855, 997, 856, 997 over real AS2, and both answers at the ERP of the order's business unit."""
    order_id = await trade.order()
    await trade.settle()
    order = await trade.gateway.store.document(order_id)
    assert order.state is DocumentState.ACKNOWLEDGED
    sent = await trade.gateway.newest("850")
    assert sent.state is MessageState.ACKNOWLEDGED
    for kind, body in (("order_acknowledgement", trade.answer_body()), ("ship_notice", trade.notice_body())):
        done = await trade.station.desk.submit(
            kind=kind,
            partner=None,
            body=json.dumps(body).encode(),
            idempotency_key=None,
            order_id=None,
            correlation_id="c",
        )
        assert hasattr(done, "receipt"), done
        await trade.settle()
        assert len(trade.at_erp(kind)) == 1
    order = await trade.gateway.store.document(order_id)
    assert order.state is DocumentState.SHIPPED
    answers = [one for one in await trade.station.all("85") if one.direction is Direction.OUTBOUND]
    assert [one.state for one in answers] == [MessageState.ACKNOWLEDGED] * 2
    kinds = await trade.gateway.kinds(order=order.number)
    for kind in ("document.submitted", "interchange.composed", "acknowledgment.received"):
        assert kinds.count(kind) == 1, kind
    assert kinds.count("document.delivered") == 2
