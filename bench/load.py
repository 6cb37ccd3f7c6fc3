"""What the load is made of: orders, and their answers as AS2 messages built before the run.

Every message has its own effect at the ERP, named by `Prepared.effect`: a ship notice by its number, an
acknowledgement by its order's. Nothing here is random: the same call gives the same documents.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from gateway import as2
from gateway.demo import scenario
from gateway.edi import write
from gateway.mapping import Map, compile_map, from_folders, shipped
from gateway.simulation import orders

Json = dict[str, Any]
Effect = tuple[str, str]
"""Kind of document, and its number (an acknowledgement's: its order's)."""

SELLER = {"scheme": "assigned_by_buyer", "value": "V-1001"}
NOTICES_FOR_AN_ORDER = 9
"""Ship notices for each acknowledgement."""
LINES = 34
"""Lines of an order whose 855 has about 4 KB."""
CARTONS = 28
"""Makes an 856 of about 4 KB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """One message ready to be posted, again and again with the same bytes, and the effect it must have once."""

    effect: Effect
    control_number: int
    payload_size: int
    payload_sha256: str
    built: as2.Built


@dataclass(frozen=True, kw_only=True, slots=True)
class Parties:
    """Keys and names of both sides, as the supplier's station has them."""

    supplier: as2.KeyPair
    distributor: tuple[x509.Certificate, ...]
    maps: Path
    """The folder with the supplier's own maps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Supplier:
    """Who sends: its names in agreement, AS2 and X12."""

    name: str
    as2_id: str
    x12_id: str
    vendor: str
    """Its number with the buyer."""


ACME = Supplier(name="acme", as2_id="ACME-AS2", x12_id="ACMETOOLS", vendor=SELLER["value"])


def order_number(index: int) -> str:
    """The number of an order of the load."""
    return f"46{index:08d}"


def order(index: int, supplier: Supplier = ACME) -> Json:
    """An order as the ERP posts it."""
    seller = {**SELLER, "value": supplier.vendor}
    today = datetime.now(UTC).date()
    return scenario.order(order_number(index), seller, name="Acme Tools", business_unit="north", today=today)


def answers(parties: Parties, messages: int, *, cartons: int = 3) -> Iterator[Prepared]:
    """So many answers: for each order one 855 and nine 856 with that many cartons, three at least."""
    find = from_folders(parties.maps, shipped())
    acknowledgement, notice = compile_map("acme/855", find), compile_map("x12/856", find)
    for index in range(messages):
        number, position = divmod(index, NOTICES_FOR_AN_ORDER + 1)
        ordered = order(number)
        if position == 0:
            body = scenario.acknowledgement(ordered, supplier_number=f"SO-{number:06d}", today=datetime.now(UTC).date())
            effect = ("order_acknowledgement", ordered["number"])
            yield _prepared(parties, acknowledgement, body, functional_id="PR", effect=effect, number=index + 1)
        else:
            name = f"ASN-{index:06d}"
            body = ship_notice(ordered, name, cartons)
            yield _prepared(parties, notice, body, functional_id="SH", effect=("ship_notice", name), number=index + 1)


def trade_order(index: int) -> Json:
    """An order of so many lines that its acknowledgement has about 4 KB."""
    made = order(index)
    three = made["lines"]
    made["lines"] = [
        {
            **three[number % 3],
            "line_id": str(number + 1),
            "quantity": {"value": "48", "unit": "EA"},
            "item": {
                "ids": [
                    {"scheme": "buyer", "value": f"M-{index % 1000:03d}-{number:02d}"},
                    {"scheme": "supplier", "value": f"A-{number:04d}"},
                    {"scheme": "upc", "value": orders.gtin(30001 + number)},
                ],
                "name": three[number % 3]["item"]["name"],
            },
        }
        for number in range(LINES)
    ]
    return {**made, "totals": {"line_count": LINES}}


def trade(parties: Parties, first: int, count: int) -> Iterator[tuple[Prepared, ...]]:
    """Answers to so many orders from number `first` on: for each one 855, then one, two or three 856s, about 4 KB each.

    What of an order comes one after another: the acknowledgement, then its shipments.
    """
    find = from_folders(parties.maps, shipped())
    acknowledgement, notice = compile_map("acme/855", find), compile_map("x12/856", find)
    today = datetime.now(UTC).date()
    for index in range(first, first + count):
        ordered = trade_order(index)
        number = 4 * index + 1
        body = _accepted(ordered, f"SO-{index:06d}", today)
        effect = ("order_acknowledgement", str(ordered["number"]))
        made = [_prepared(parties, acknowledgement, body, functional_id="PR", effect=effect, number=number)]
        for shipment in range(1, index % 3 + 2):
            name = f"ASN-{4 * index + shipment:06d}"
            body = ship_notice(ordered, name, CARTONS)
            effect = ("ship_notice", name)
            number = 4 * index + shipment + 1
            made.append(_prepared(parties, notice, body, functional_id="SH", effect=effect, number=number))
        yield tuple(made)


def ship_notices(
    parties: Parties, messages: int, *, cartons: int, first: int, known_order: bool = True
) -> list[Prepared]:
    """Ship notices alone; for an order that the gateway does not know, each is read, judged and refused."""
    notice = compile_map("x12/856", from_folders(parties.maps, shipped()))
    found = []
    for index in range(first, first + messages):
        ordered = order(index % 10 if known_order else 99_000_000)
        name = f"ASN-{index:06d}"
        body = ship_notice(ordered, name, cartons)
        effect = ("ship_notice", name)
        found.append(_prepared(parties, notice, body, functional_id="SH", effect=effect, number=index + 1))
    return found


def notices(
    parties: Parties, order_of: Callable[[int], tuple[int, Supplier]], numbers: Iterable[int], *, cartons: int = CARTONS
) -> Iterator[Prepared]:
    """Ship notices with these numbers; `order_of` says of a number whose order, and who sends it."""
    mapping = compile_map("x12/856", from_folders(parties.maps, shipped()))
    for number in numbers:
        index, supplier = order_of(number)
        name = notice_number(number, supplier)
        body, effect = ship_notice(order(index, supplier), name, cartons), ("ship_notice", name)
        yield _prepared(parties, mapping, body, functional_id="SH", effect=effect, number=number + 1, supplier=supplier)


def notice_number(number: int, supplier: Supplier) -> str:
    """By its first part one knows who sent it, by its second what came before it."""
    return f"{supplier.x12_id}-{number:06d}"


def unreadable(parties: Parties, messages: int, *, size: int, first: int) -> list[Prepared]:
    """Text that is no interchange: received, receipted and kept, but there is nothing to process."""
    text = (b"This is not an interchange. " * (size // 28 + 1))[:size]
    return [
        Prepared(
            effect=("none", str(index)),
            control_number=index + 1,
            payload_size=size,
            payload_sha256=hashlib.sha256(text).hexdigest(),
            built=_wrap(parties, text, "note.txt", index + 1),
        )
        for index in range(first, first + messages)
    ]


def _accepted(ordered: Json, supplier_number: str, today: date) -> Json:
    """Every line as ordered."""
    ship = {"promised_ship": orders.day(today + timedelta(days=7))}
    answered = [
        {
            **{name: line[name] for name in ("line_id", "quantity", "item", "prices")},
            "responses": [{"status": "accepted", "quantity": line["quantity"], "dates": ship}],
        }
        for line in ordered["lines"]
    ]
    return {
        "purpose": "original",
        "response": "accepted",
        "order": {"number": ordered["number"], "issue_date": ordered["issue_date"]},
        "supplier_order_number": supplier_number,
        "issue_date": today.isoformat(),
        "lines": answered,
    }


def ship_notice(ordered: Json, number: str, cartons: int) -> Json:
    """A notice with one line in each carton, a pallet around every twelve; SSCCs follow from the number."""
    base = int(re.findall(r"\d+", number)[-1]) * 1000
    boxes = []
    for serial in range(max(cartons, 3)):
        line = ordered["lines"][serial % len(ordered["lines"])]
        content = {
            "kind": "line",
            "line_id": line["line_id"],
            "item": line["item"],
            "shipped": {"value": "1", "unit": "EA"},
        }
        boxes.append(_unit("carton", base + serial + 1, [content]))
    pallets = [_unit("pallet", base + 900 + at // 12, boxes[at : at + 12]) for at in range(0, len(boxes), 12)]
    head = {**ordered, "lines": ordered["lines"][:3]}  # its contents are replaced below
    notice = scenario.ship_notice(head, number=number, now=datetime.now(UTC))
    notice["contents"][0]["contents"] = pallets
    return notice


def group_answered(payload: bytes) -> str | None:
    """The group control number that a 997 answers (AK102), or None for anything else."""
    found = re.search(rb"AK1\*(?:SH|PR)\*(\d+)", payload)
    return found[1].decode("ascii") if found else None


def _unit(kind: str, serial: int, contents: list[Json]) -> Json:
    return {"kind": "handling_unit", "type": kind, "sscc": scenario.sscc(serial), "contents": contents}


def _prepared(
    parties: Parties,
    mapping: Map,
    body: Json,
    *,
    functional_id: str,
    effect: Effect,
    number: int,
    supplier: Supplier = ACME,
) -> Prepared:
    written = mapping.write(body)
    assert not written.findings, written.findings
    now = datetime.now(UTC)
    envelope = write.Envelope(
        sender_qualifier="ZZ",
        sender=supplier.x12_id,
        receiver_qualifier="ZZ",
        receiver="HARBORLINE",
        group_sender=supplier.x12_id,
        group_receiver="HARBORLINE",
        control_number=number,
        group_control_number=number,
        functional_id=functional_id,
        at=now - timedelta(seconds=1),
    )
    one = write.Outgoing(type=mapping.document, control_number=1, root=written.root)
    payload = write.write_interchange(envelope, (one,))
    return Prepared(
        effect=effect,
        control_number=number,
        payload_size=len(payload),
        payload_sha256=hashlib.sha256(payload).hexdigest(),
        built=_wrap(parties, payload, f"{mapping.document}-{number}.edi", number, supplier),
    )


def _wrap(parties: Parties, payload: bytes, filename: str, number: int, supplier: Supplier = ACME) -> as2.Built:
    return as2.build_message(
        payload,
        content_type="application/edi-x12",
        filename=filename,
        as2_from=supplier.as2_id,
        as2_to="HARBORLINE",
        message_id=f"<load-{number}@acme.example>",
        date=datetime.now(UTC),
        subject="load",
        sign_with=parties.supplier,
        encrypt_for=parties.distributor,
        compress=False,
        receipt=as2.ReceiptKind.SIGNED,
    )
