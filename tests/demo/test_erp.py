"""Facts about the sandbox ERP, over HTTP and in its database; the process itself is in tests/connectors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gateway.demo.erp import Erp
from gateway.demo.erp_ledger import Ledger

ACKS = "/api/order-acknowledgements"


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    """A ledger on disk."""
    opened = Ledger(tmp_path / "erp.db", "south")
    yield opened
    opened.close()


@pytest.fixture
async def erp(ledger: Ledger) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the sandbox that shows the token; the server does not cancel handlers, as in the process."""
    runner = web.AppRunner(Erp(ledger, "T").application(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession(base, headers={"Authorization": "Bearer T"}) as client:
        yield client
    await runner.cleanup()


async def test_the_same_key_gets_the_same_answer_and_is_counted_as_a_repeat(
    erp: aiohttp.ClientSession, ledger: Ledger
) -> None:
    """One effect, two calls."""
    answers = [await _post(erp, ACKS, {"number": "A-1"}, "k1") for _ in range(2)]
    assert answers[0] == answers[1] == (201, {"id": "SOUTH-000001", "number": "A-1"})
    assert [(row["number"], row["repeats"]) for row in ledger.documents("order_acknowledgement")] == [("A-1", 1)]
    assert [row["what"] for row in ledger.calls()] == ["stored", "repeat"]


async def test_the_same_key_with_another_body_is_refused(erp: aiohttp.ClientSession) -> None:
    """An idempotency key stands for one body."""
    await _post(erp, ACKS, {"number": "A-1"}, "k1")
    assert (await _post(erp, ACKS, {"number": "A-2"}, "k1"))[0] == 422


async def test_it_fails_on_demand_for_one_path_only(erp: aiohttp.ClientSession, ledger: Ledger) -> None:
    """The misbehaviour counts down and leaves other paths alone."""
    await erp.post("/control", json={"fail": {"status": 503, "times": 1, "path": ACKS}})
    assert (await _post(erp, "/api/ship-notices", {"number": "S"}, "k2"))[0] == 201
    assert (await _post(erp, ACKS, {"number": "A"}, "k1"))[0] == 503
    assert (await _post(erp, ACKS, {"number": "A"}, "k1"))[0] == 201
    assert [row["status"] for row in ledger.calls()] == [201, 503, 201]


async def test_a_stalled_call_takes_effect_although_the_caller_has_gone(
    erp: aiohttp.ClientSession, ledger: Ledger
) -> None:
    """What an uncertain outcome is made of."""
    await erp.post("/control", json={"stall": {"seconds": 0.3, "times": 1}})
    with pytest.raises(TimeoutError):
        await erp.post(
            ACKS,
            json={"number": "A"},
            headers={"Idempotency-Key": "k"},
            timeout=aiohttp.ClientTimeout(total=0.1),
        )
    for _ in range(50):
        if ledger.documents("order_acknowledgement"):
            break
        await asyncio.sleep(0.05)
    assert len(ledger.documents("order_acknowledgement")) == 1


async def test_it_can_take_effect_without_answering(erp: aiohttp.ClientSession, ledger: Ledger) -> None:
    """The document is there, the answer is not."""
    await erp.post("/control", json={"drop_after_commit": {"times": 1}})
    with pytest.raises(aiohttp.ClientError):
        await _post(erp, ACKS, {"number": "A"}, "k")
    assert len(ledger.documents("order_acknowledgement")) == 1
    assert [(row["status"], row["what"]) for row in ledger.calls()] == [(None, "dropped")]


async def test_lists_show_what_was_taken(erp: aiohttp.ClientSession) -> None:
    """Each kind has its list."""
    await _post(erp, "/api/purchase-orders", {"number": "PO"}, "k")
    items = (await (await erp.get("/api/purchase-orders")).json())["items"]
    assert [item["body"] for item in items] == [{"number": "PO"}]
    assert (await (await erp.get(ACKS)).json())["items"] == []
    assert len((await (await erp.get("/api/calls")).json())["items"]) == 1


@pytest.mark.parametrize(
    "control",
    [
        [],
        {"explode": {}},
        {"fail": 1},
        {"fail": {"times": -1, "status": 503}},
        {"fail": {}},
        {"stall": {"seconds": "x"}},
    ],
)
async def test_a_control_that_makes_no_sense_is_refused(erp: aiohttp.ClientSession, control: object) -> None:
    """With words that say what is known."""
    answer = await erp.post("/control", json=control)
    assert answer.status == 400
    assert (await answer.json())["error"]


async def test_a_wrong_token_or_body_has_no_effect(erp: aiohttp.ClientSession, ledger: Ledger) -> None:
    """401 and 400; nothing is stored."""
    assert (await erp.post(ACKS, json={}, headers={"Authorization": "Bearer X"})).status == 401
    assert (await erp.post(ACKS, data=b"[", headers={"Idempotency-Key": "k"})).status == 400
    assert (await erp.post(ACKS, json={"number": "A"})).status == 400
    assert ledger.documents("order_acknowledgement") == []


async def test_control_can_be_taken_back(erp: aiohttp.ClientSession) -> None:
    """DELETE /control ends every misbehaviour."""
    await erp.post("/control", json={"fail": {"status": 500, "times": 9}})
    await erp.delete("/control")
    assert (await _post(erp, ACKS, {"number": "A"}, "k"))[0] == 201


async def _post(erp: aiohttp.ClientSession, path: str, body: object, key: str) -> tuple[int, object]:
    answer = await erp.post(path, json=body, headers={"Idempotency-Key": key})
    return answer.status, await answer.json()
