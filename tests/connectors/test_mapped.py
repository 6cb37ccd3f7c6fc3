"""Bodies made by JSON maps: exact numbers, nothing half, nothing from a sender's memory; and the cap of a target."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway import wiring
from gateway.connectors.http import HttpConnector
from gateway.connectors.mapped import mapped_body
from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.ports import Delivery
from gateway.settings import HttpTarget

MAP = """
document: json
canonical: order_acknowledgement
codes: {status: {OK: accepted, NO: rejected}}
fields: {/Order: order.number, /Status: response | code status}
lists: [{each: lines, at: /Items, fields: {/Quantity: quantity.value | number}}]
"""
BODY = {
    "order": {"number": "PO-7"},
    "response": "accepted",
    "lines": [{"quantity": {"value": "10.50"}, "extensions": {"json": {"/Approved": "true"}}}],
    "extensions": {"json": {"/Discount": "99"}},
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with one JSON map."""
    (tmp_path / "maps" / "own").mkdir(parents=True)
    (tmp_path / "maps" / "own" / "ack.yaml").write_text(MAP, "utf-8")
    return tmp_path


def target(url: str, **changes: Any) -> HttpTarget:
    """A target whose acknowledgements go through the map."""
    call = {"path": "/acks", "map": changes.pop("map", "own/ack")}
    return HttpTarget.model_validate({"base_url": url, "documents": {"order_acknowledgement": call}} | changes)


def connector(url: str, session: aiohttp.ClientSession, folder: Path, **changes: Any) -> HttpConnector:
    """The connector as the wiring makes it."""
    own = target(url, **changes)
    return HttpConnector("south", own, folder, session, mapped_body(wiring.compile_bodies(folder, own)))


async def test_the_erp_gets_its_own_words_with_exact_numbers(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery, workspace: Path
) -> None:
    """10.50 stays 10.50; what a sender put into extensions adds no member; the map and what it left out are told."""
    delivered = await connector(far_side.url, session, workspace).deliver(
        replace(delivery, body=BODY | {"number": "A"})
    )
    assert far_side.bodies == [b'{"Order":"PO-7","Status":"OK","Items":[{"Quantity":10.50}]}']
    assert (delivered.map, delivered.left_out) == ("own/ack", 1)
    assert delivered.map_hash is not None
    assert len(delivered.map_hash) == 64


async def test_a_document_that_the_map_cannot_write_is_not_sent_half(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery, workspace: Path
) -> None:
    """Permanent, with the place, the words of the map and the remedy."""
    with pytest.raises(DeliveryFailed, match="own/ack cannot write /response: pending") as caught:
        await connector(far_side.url, session, workspace).deliver(
            replace(delivery, body=BODY | {"response": "pending"})
        )
    assert caught.value.outcome is Outcome.PERMANENT
    assert "the table status" in str(caught.value)
    assert far_side.bodies == []


@pytest.mark.parametrize(
    ("name", "words"),
    [("own/nothing", "own/nothing"), ("x12/855", "wanted json|expected json"), ("own/notice", "ship_notice")],
)
def test_a_map_that_is_missing_or_of_another_kind_stops_the_start(workspace: Path, name: str, words: str) -> None:
    """Before the first document."""
    notice = "document: json\ncanonical: ship_notice\none_way: write\nfields: {/N: number}\n"
    (workspace / "maps" / "own" / "notice.yaml").write_text(notice, "utf-8")
    with pytest.raises(OurFault, match=words) as caught:
        wiring.compile_bodies(workspace, target("http://127.0.0.1:1", map=name))
    assert caught.value.remedy


async def test_no_more_calls_than_the_cap_are_under_way_at_once(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery, workspace: Path
) -> None:
    """Over all lanes: the others wait for their turn and are delivered too."""
    under_way, most = 0, 0

    async def slow(_: web.Request) -> web.StreamResponse:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return web.json_response({})

    far_side.handler = slow
    sent = connector(far_side.url, session, workspace, cap=3)
    made = [replace(delivery, body=BODY, partner=f"partner-{number}") for number in range(12)]
    answers = await asyncio.gather(*(sent.deliver(one) for one in made))
    assert ([one.status for one in answers], most) == ([200] * 12, 3)
