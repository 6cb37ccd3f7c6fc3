"""Canonical documents: what an order, its change, its answer and a ship notice mean, whatever the wire said.

    parse(kind, data) -> (model | None, findings)     all errors at once, with JSON Pointers
    check(model) -> findings                          invariants told from the document alone
    capped(findings) -> findings                      the first 100, and one that counts the rest
    dump(model) -> dict                               canonical JSON; nothing empty; Decimals as strings
    written(model) -> dict                            the same, faster, of a model that parse gave
    digest(dict) -> str                               SHA-256 of the content without `source`
    schema(kind) -> dict                              JSON Schema 2020-12

Pure: no I/O, no clock, no matching against other documents.
"""

from __future__ import annotations

from gateway.canonical.check import check
from gateway.canonical.documents import KINDS, capped, digest, dump, parse, schema, written
from gateway.canonical.order_acknowledgement import LineResponse, OrderAcknowledgement, OrderAcknowledgementLine
from gateway.canonical.order_change import OrderChange, OrderChangeLine
from gateway.canonical.purchase_order import PurchaseOrder, PurchaseOrderLine
from gateway.canonical.ship_notice import HandlingUnit, OrderNode, ShipLine, ShipNotice

__all__ = [
    "KINDS",
    "HandlingUnit",
    "LineResponse",
    "OrderAcknowledgement",
    "OrderAcknowledgementLine",
    "OrderChange",
    "OrderChangeLine",
    "OrderNode",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "ShipLine",
    "ShipNotice",
    "capped",
    "check",
    "digest",
    "dump",
    "parse",
    "schema",
    "written",
]
