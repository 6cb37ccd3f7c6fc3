"""The table of faults: its witnesses see what they should, and a broken promise breaks its row."""

from __future__ import annotations

import asyncio
import random
import socket
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bench.chaos import page
from bench.chaos.erp import GARBAGE, Manner, erp
from bench.chaos.nodes import Balancer, Node
from bench.chaos.rows import Row
from bench.power import Outcome

HELD = Row(fault="kill -9", done="3 kills", acknowledged=10, lost=0, doubled=0, repeated=2, marked=2, recovery=1.5)


@pytest.fixture
def free_port() -> int:
    """Nobody listens there."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@pytest.mark.parametrize(
    "row",
    [
        replace(HELD, lost=1),
        replace(HELD, doubled=1),
        replace(HELD, marked=1),
        replace(HELD, wrong=("receipts differ",)),
    ],
)
def test_a_broken_promise_breaks_its_row_and_the_report(row: Row) -> None:
    """Lost, doubled, a repeat that is not marked, or a witness who says so."""
    report = page.Report(command="python -m bench.chaos", machine="m", at=datetime.now(UTC), rows=[HELD, row])
    assert HELD.proven
    assert not row.proven
    assert not report.proven
    assert "BROKEN" in page.written(report)


def test_a_fault_that_was_not_run_is_on_the_page_with_the_reason() -> None:
    """Nobody takes an absent row for one that held."""
    report = page.Report(command="c", machine="m", at=datetime.now(UTC), left_out={"clock": "libfaketime is missing"})
    assert "| clock | not run: libfaketime is missing |" in page.written(report)


def test_a_power_cut_without_cuts_proves_nothing() -> None:
    """Zero lost of zero."""
    assert not Outcome(messages=3).proven
    assert Outcome(messages=3, cuts=2, random_cuts=1).proven
    assert not Outcome(messages=3, cuts=2, random_cuts=1, lost=["load-1 is not there"]).proven


async def test_the_erps_books_take_a_key_once_and_count_what_would_have_come_twice(
    free_port: int,
) -> None:
    """Both kinds of ERP in one run."""
    async with erp(free_port, random.Random(1)) as books, aiohttp.ClientSession() as http:
        for key in ("a", "a", "b"):
            url = f"http://127.0.0.1:{free_port}/api/ship-notices"
            async with http.post(url, json={"number": f"N-{key}"}, headers={"Idempotency-Key": key}) as answer:
                assert answer.status == 201
    assert books.effects == {("ship_notice", "N-a"): 1, ("ship_notice", "N-b"): 1}
    assert books.repeats == {"a": 1}


@pytest.mark.parametrize("manner", [one for one in GARBAGE if one is not Manner.HUGE_BODY])
async def test_every_garbage_is_no_good_answer(manner: Manner, free_port: int) -> None:
    """An HTTP client sees a broken connection, an error, or a body that is no JSON."""
    async with erp(free_port, random.Random(1)) as books, aiohttp.ClientSession() as http:
        books.manners = (manner,)
        url = f"http://127.0.0.1:{free_port}/api/ship-notices"
        with pytest.raises((aiohttp.ClientError, ValueError)):  # noqa: PT012  each of the steps may find out
            async with http.post(url, json={"number": "N"}, headers={"Idempotency-Key": "k"}) as answer:
                answer.raise_for_status()
                await answer.json(content_type=None)


async def test_the_balancer_cuts_an_answer_off_and_compares_it_with_the_next(free_port: int, tmp_path: Path) -> None:
    """The sender sees a broken connection, the node answered in full; another answer to the same message is seen."""
    said = iter(["one", "one", "two"])

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text=next(said))

    application = web.Application()
    application.router.add_post("/as2", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    node = Node(workspace=tmp_path, log=tmp_path / "log", port=runner.addresses[0][1])
    balancer = Balancer(nodes=[node], port=free_port, chance=random.Random(1), cutting=1, ready=[node])
    server = await asyncio.start_server(balancer.serve, "127.0.0.1", free_port)
    url, headers = f"http://127.0.0.1:{free_port}/as2", {"Message-ID": "<m@x>"}
    try:
        async with aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.ClientError):
                await http.post(url, data=b"x", headers=headers)
            async with http.post(url, data=b"x", headers=headers) as whole:
                assert await whole.text() == "one"
            assert [len(one) for one in balancer.receipts.values()] == [1]
            async with http.post(url, data=b"x", headers=headers) as other:
                assert await other.text() == "two"
            assert [len(one) for one in balancer.receipts.values()] == [2]
    finally:
        server.close()
        await runner.cleanup()
    assert balancer.cut == 1
