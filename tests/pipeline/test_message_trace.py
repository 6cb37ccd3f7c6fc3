"""A trace is one tree of everything that belongs together, each message with its timeline; the times between them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.message_trace import Node, lasted, lines, traced
from gateway.cli.message_trace_html import page
from gateway.errors import OurFault

from .erps import aim

ORDER = "4500012345"


def names(node: Node, depth: int = 0) -> list[tuple[int, str]]:
    """Every message of a tree with its depth."""
    return [(depth, node.name.split(" (")[0]), *(one for below in node.below for one in names(below, depth + 1))]


async def answered(trade: Any, edi: Any, tmp_path: Path) -> Any:
    """An order that went out, was acknowledged and answered; the ERP refused the answer."""
    aim(trade, tmp_path, "erp", erp={"call": {"path": "/api/nothing-here"}})
    await trade.order()
    await trade.arrives(edi.closes("1"))
    return await trade.arrives(edi.file(edi.ack(), control="000000002"))


async def test_order_is_followed_from_the_erp_to_the_partner_and_back(trade: Any, edi: Any, tmp_path: Path) -> None:
    """Order, interchange, 997, answer, our 997: each under what it follows from."""
    answer = await answered(trade, edi, tmp_path)
    (root,) = await traced(trade.gateway.store, ORDER)
    assert [depth for depth, _ in names(root)] == [0, 1, 2, 2, 3]
    found = [name for _, name in names(root)]
    assert found[0] == found[1] == f"purchase_order {ORDER} to acme"
    assert found[3] == "order_acknowledgement SO-1 from acme"
    (same,) = await traced(trade.gateway.store, answer.id)
    assert names(same) == names(root)


async def test_failures_times_and_targets_are_told(trade: Any, edi: Any, tmp_path: Path) -> None:
    """What failed and why, where it stands at each target, in text and on the page."""
    await answered(trade, edi, tmp_path)
    (root,) = await traced(trade.gateway.store, ORDER)
    text = "\n".join(line.plain for line in lines(root))
    assert "try 1: permanent, target erp answered 404" in text
    assert "→ erp: failed" in text
    assert re.search(r"\+\d+ ms", text)
    html = page(ORDER, [root])
    HTMLParser().feed(html)
    assert html.count("<details") == 5
    assert "target erp answered 404" in html
    assert "<script" not in html


async def test_what_is_not_there_is_said(trade: Any) -> None:
    """With its remedy."""
    with pytest.raises(OurFault, match="no message and no order"):
        await traced(trade.gateway.store, "4711")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.012, "12 ms"), (3.21, "3.2 s"), (300, "5 min"), (10_800, "3 h"), (200_000, "2 d")],
)
def test_times_are_said_in_their_unit(seconds: float, said: str) -> None:
    """From milliseconds to days."""
    assert lasted(seconds) == said
