"""The same words for EDIFACT: keys that select by components, addresses of components, formats beside values."""

from __future__ import annotations

import pytest

from gateway.edi.tree import Loop, Segment
from gateway.mapping import Map, compile_map
from gateway.mapping.laws import flat
from gateway.mapping.segments.words import Address, Key, Spot, read_address, read_key

ORDERS = """
document: ORDERS
canonical: purchase_order
codes:
  role: {BY: buyer, SU: seller, DP: ship_to}
  agency: {"9": gln, "92": assigned_by_buyer}
  item: {EN: ean, IN: buyer, SA: supplier}
  channel: {TE: phone, EM: email}
segments:
  - BGM: {BGM01.1: =220, BGM02.1: number, BGM03: ignore}
  - DTM+137: {DTM01.2..3: issue_date | day}
  - DTM+64: {DTM01.2..3: requested_delivery.from | stamp}
  - FTX+ZZZ: ignore
  - loop: NAD
    each: parties
    segments:
      - NAD: {NAD01: role | code role, NAD02.1..3: ids | ids agency 3, NAD04.1: name, NAD05.1..4: address.lines | list}
      - loop: CTA
        each: contacts
        segments:
          - CTA: {CTA01: role, CTA02.2: name}
          - COM+:TE: {COM01.1: phone}
          - COM+:EM: {COM01.1: email}
  - loop: LIN
    each: lines
    segments:
      - LIN: {LIN01: line_id, LIN03.1..2: item.ids | ids item 2}
      - QTY+21: {QTY01.2: quantity.value | decimal, QTY01.3: quantity.unit}
"""


@pytest.fixture
def orders() -> Map:
    """A map of a few lines."""
    return compile_map("t/ORDERS", {"t/ORDERS": ORDERS})


def segment(text: str) -> Segment:
    """A segment from its text, `+` and `:` between its parts."""
    tag, *elements = text.split("+")
    return Segment(tag, [tuple(each.split(":")) if ":" in each else each for each in elements])


def loop(*texts: str) -> Loop:
    """A loop of segments."""
    inside = [segment(text) for text in texts]
    return Loop(inside[0].tag, [*inside])


def test_a_key_selects_by_element_and_component() -> None:
    """`COM+:TE` looks at the second component of the first element."""
    assert read_key("DTM+137|2") == Key("DTM", ((Spot(0), ("137", "2")),))
    assert read_key("COM+:TE") == Key("COM", ((Spot(0, 2), ("TE",)),))
    assert read_key("CTP**EUP") == Key("CTP", ((Spot(1), ("EUP",)),))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("DTM01", Address(0, 0)),
        ("DTM01.2", Address(0, 0, 2, 2)),
        ("DTM01.2..3", Address(0, 0, 2, 3)),
        ("DTM02..06", Address(1, 5)),
        ("DTM02..06.1..2", Address(1, 5, 1, 2)),
        ("DTM00", None),
        ("DTM01.0", None),
        ("DTM03..02", None),
        ("BGM01", None),
    ],
)
def test_addresses(text: str, address: Address | None) -> None:
    """Elements count from 1 on paper, components too."""
    assert read_address("DTM", text) == address


def test_an_order_is_read_and_written_again(orders: Map) -> None:
    """Composites, formats, ignored elements and segments."""
    root = Loop(
        "",
        [
            segment("BGM+220+4711+9"),
            segment("DTM+137:20260501:102"),
            segment("DTM+64:202605020800:203"),
            segment("FTX+ZZZ+++noise"),
            Loop(
                "NAD",
                [
                    segment("NAD+BY+5412345000013::9++Buyer NV+Street 1:Box 2"),
                    loop("CTA+OC+:Ann", "COM+555:TE", "COM+a@b.c:EM"),
                ],
            ),
            loop("LIN+1++5410000000012:EN", "QTY+21:1,5:KGM"),
        ],
    )
    reading = orders.read(root)
    assert not reading.unmapped
    assert not reading.findings
    document = reading.document
    assert document["issue_date"] == "2026-05-01"
    assert document["requested_delivery"]["from"] == {"value": "2026-05-02T08:00", "precision": "minute"}
    party = document["parties"][0]
    assert party["ids"] == [{"scheme": "gln", "value": "5412345000013"}]
    assert party["address"]["lines"] == ["Street 1", "Box 2"]
    assert party["contacts"] == [{"role": "OC", "name": "Ann", "phone": "555", "email": "a@b.c"}]
    assert document["lines"][0]["quantity"] == {"value": "1.5", "unit": "KGM"}
    written = [one for one in flat(root) if one[0] != "FTX"]
    written[0] = ("BGM", "220", "4711")
    assert flat(orders.write(document).root) == written


def test_what_a_composite_says_beyond_the_lines_is_kept_whole(orders: Map) -> None:
    """An unknown agency, a fourth component: reported, and written back."""
    root = Loop("", [segment("BGM+220:::x+1"), loop("NAD+BY+1::ZZ"), loop("LIN+1++5:EN::9")])
    reading = orders.read(root)
    assert [(one.tag, one.element, one.value) for one in reading.unmapped] == [
        ("BGM", 1, "220:::x"),
        ("NAD", 2, "1::ZZ"),
        ("LIN", 3, "5:EN::9"),
    ]
    assert flat(orders.write(reading.document).root) == flat(root)
    reading.document["lines"][0]["item"]["ids"][0]["value"] = "6"
    assert flat(orders.write(reading.document).root)[-1] == ("LIN", "1", "", ("6", "EN"))
