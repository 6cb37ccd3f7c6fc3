"""The trade of `conftest` in EDIFACT: agreements and maps for both sides, and acme's interchanges as text.

The maps say only what these tests need; the shipped ones are `gateway.mapping`'s to test.
"""

from __future__ import annotations

from typing import Any

from gateway.mapping import compile_map
from gateway.partners.agreement import DocumentRule, Documents, EdifactDialect

US, ACME = "4012345000009", "5412345000013"

CODES = """
codes:
  role: {BY: buyer, SU: seller, DP: ship_to}
  agency: {"9": gln, "91": assigned_by_seller, "92": assigned_by_buyer}
  item: {EN: ean, IN: buyer, SA: supplier, UP: upc}
  response: {"29": accepted, "4": accepted_with_changes, "27": rejected}
"""
ORDERS = (
    "document: ORDERS\ncanonical: purchase_order\n"
    + CODES
    + """
segments:
  - BGM: {BGM01.1: =220, BGM02: number}
  - DTM+137: {DTM01.2..3: issue_date | day}
  - DTM+64: {DTM01.2..3: requested_delivery.from | stamp}
  - loop: NAD
    each: parties
    segments:
      - NAD: {NAD01: role | code role, NAD02.1..3: ids | ids agency 3, NAD04.1: name}
  - loop: LIN
    each: lines
    segments:
      - LIN: {LIN01: line_id}
      - PIA+1: {PIA02..06.1..2: item.ids | ids item 2}
      - IMD+F: {IMD03.4: item.name}
      - QTY+21: {QTY01.2: quantity.value | decimal, QTY01.3: quantity.unit}
  - UNS: {UNS01: =S}
    emit: always
"""
)
ORDRSP = (
    "document: ORDRSP\ncanonical: order_acknowledgement\n"
    + CODES
    + """
segments:
  - BGM: {BGM01.1: =231, BGM02: supplier_order_number, BGM03: response | code response}
  - DTM+137: {DTM01.2..3: issue_date | day}
  - loop: RFF
    segments:
      - RFF+ON: {RFF01.2: order.number}
  - loop: LIN
    each: lines
    segments:
      - LIN: {LIN01: line_id}
      - PIA+1: {PIA02..06.1..2: item.ids | ids item 2}
      - QTY+21: {QTY01.2: quantity.value | decimal, QTY01.3: quantity.unit}
  - UNS: {UNS01: =S}
    emit: always
"""
)
MAPS = {name: compile_map(name, {name: text}) for name, text in (("small/ORDERS", ORDERS), ("small/ORDRSP", ORDRSP))}


def dialect(theirs: str, ours: str, **more: Any) -> EdifactDialect:
    """A section `edifact`."""
    identity = {"identity": {"id": theirs, "qualifier": "14"}, "our_identity": {"id": ours, "qualifier": "14"}}
    return EdifactDialect.model_validate({**identity, "version": "D96A", "association": "EAN008", **more})


def in_edifact(trade: Any, **more: Any) -> None:
    """Both sides exchange ORDERS and ORDRSP from now on; `more` is what the distributor agreed with acme."""
    orders = {"purchase_order": DocumentRule(set="ORDERS", map="small/ORDERS")}
    answers = {"order_acknowledgement": DocumentRule(set="ORDRSP", map="small/ORDRSP")}
    trade.gateway.agree(
        "acme", x12=None, edifact=dialect(ACME, US, **more), documents=Documents(send=orders, receive=answers)
    )
    trade.station.agree("us", x12=None, edifact=dialect(US, ACME), documents=Documents(send=answers, receive=orders))
    for side in (trade.gateway, trade.station):
        side.change(maps={**side.station.maps, **MAPS})


class Edifact:
    """EDIFACT text of acme's with whatever is wrong with it; nothing here knows the engine."""

    @staticmethod
    def interchange(*messages: str, reference: str = "R1", ack: str = "", **changes: str) -> str:
        """An interchange; `sender`, `receiver`, `count`, `trailer`, `syntax`, `tail` (behind 0031) can be changed."""
        sender, receiver = changes.get("sender", f"{ACME}:14"), changes.get("receiver", f"{US}:14")
        syntax = changes.get("syntax", "UNOC:3")
        day = "20260302" if syntax.endswith("4") else "260302"
        count, trailer = changes.get("count", str(len(messages))), changes.get("trailer", reference)
        asked = f"++++{ack}{changes.get('tail', '')}" if ack or "tail" in changes else ""
        head = f"UNB+{syntax}+{sender}+{receiver}+{day}:0800+{reference}{asked}'"
        return f"{head}{''.join(messages)}UNZ+{count}+{trailer}'"

    @staticmethod
    def message(type_: str, *segments: str, number: str = "M1", version: str = "D:96A:UN") -> str:
        """A message with its count."""
        inner = "".join(f"{one}'" for one in segments)
        return f"UNH+{number}+{type_}:{version}'{inner}UNT+{len(segments) + 2}+{number}'"

    @classmethod
    def answer(cls, order: str, *, number: str = "M1", supplier: str = "SO-1", **changes: str) -> str:
        """An ORDRSP that accepts an order; `response`, `quantity` can be changed."""
        return cls.message(
            "ORDRSP",
            f"BGM+231+{supplier}+{changes.get('response', '29')}",
            "DTM+137:20260302:102",
            f"RFF+ON:{order}",
            "LIN+1",
            "PIA+1+A-1001:SA",
            f"QTY+21:{changes.get('quantity', '24')}:EA",
            "UNS+S",
            number=number,
        )

    @classmethod
    def contrl(cls, reference: str, action: str = "7", *inner: str, own: str = "C1", ack: str = "") -> str:
        """A CONTRL about an interchange of ours."""
        head = f"UCI+{reference}+{US}:14+{ACME}:14+{action}"
        message = cls.message("CONTRL", head, *inner, version="D:3:UN")
        return cls.interchange(message, reference=own, ack=ack)
