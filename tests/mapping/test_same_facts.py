"""The same facts in every syntax give the same canonical document.

`same_facts/KIND.json` holds the facts; each file beside it says them in its own syntax. A form that cannot say a fact,
or says it by another list of codes, has a row in DIFFERENCES with what it gives instead and why; a row that no longer
differs fails. Lists are compared as sets: item numbers and dates have no order of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from gateway.canonical import dump, parse
from gateway.edi import library, reading
from gateway.edi.tree import Verdict
from gateway.mapping import compile_any, from_folders, shipped, shipped_map

HERE: Final = Path(__file__).parent / "same_facts"
FORMS: Final = [
    ("purchase_order", "850", "x12/850"),
    ("purchase_order", "ORDERS-D96A", "edifact/ORDERS"),
    ("purchase_order", "ORDERS-D01B", "edifact/ORDERS"),
    ("order_acknowledgement", "855", "x12/855"),
    ("order_acknowledgement", "ORDRSP-D96A", "edifact/ORDRSP"),
    ("order_acknowledgement", "ORDRSP-D01B", "edifact/ORDRSP"),
    ("order_change", "860", "x12/860"),
    ("order_change", "ORDCHG-D96A", "edifact/ORDCHG"),
    ("order_change", "ORDCHG-D01B", "edifact/ORDCHG"),
    ("ship_notice", "856", "x12/856"),
    ("ship_notice", "DESADV-D96A", "edifact/DESADV"),
    ("ship_notice", "DESADV-D01B", "edifact/DESADV"),
]
LISTS: Final = "the standards' code lists name it differently and no map has a word for it"
DIFFERENCES: Final[dict[str, list[tuple[str, Any, str]]]] = {
    "850": [
        ("/notes/0/subject", "ZZ", LISTS),
        ("/notes/0/reference", "1", "N9 must have N902; FTX has no number"),
        ("/payment_terms/0/discount_basis", None, "ITD02 speaks of both"),
        ("/delivery_terms/incoterm_list", "01", "FOB05 must have FOB04; TOD says it by its composite"),
        ("/lines/0/prices/0/type", "other", "a CTP may leave CTP02 out, a PRI has always a qualifier"),
    ],
    "ORDERS-D96A": [],
    "ORDERS-D01B": [],
    "855": [("/number", None, "an 855 has no number of its own")],
    "ORDRSP-D96A": [],
    "ORDRSP-D01B": [],
    "860": [
        ("/number", None, "an 860 has no number of its own"),
        ("/order_type", "stand_alone", "BCH02 is mandatory; an ORDCHG does not say it"),
    ],
    "ORDCHG-D96A": [],
    "ORDCHG-D01B": [],
    "856": [],
    "DESADV-D96A": [],
    "DESADV-D01B": [],
}


def plain(value: Any) -> Any:
    """Without what a map remembers of the wire, and lists in an order that is the same for the same items."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items() if name != "extensions"}
    if isinstance(value, list):
        return sorted((plain(each) for each in value), key=lambda one: json.dumps(_key(one), sort_keys=True))
    return value


def _key(item: Any) -> Any:
    """What tells an item from others in every form, then the rest."""
    if not isinstance(item, dict):
        return [item]
    return [item.get(name, "") for name in ("line_id", "role", "scheme", "value", "location", "amount")]


def differences(wanted: Any, got: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Pointers where `got` says something else, with what it says."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for name in {**wanted, **got}:
            yield from differences(wanted.get(name), got.get(name), f"{at}/{name}")
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for number, (one, other) in enumerate(zip(wanted, got, strict=True)):
            yield from differences(one, other, f"{at}/{number}")
    elif wanted != got:
        yield at, got


def canonical(kind: str, form: str, name: str) -> Any:
    """The document that a form says."""
    ((interchange),) = reading.read_all((HERE / f"{kind}.{form}.edi").read_bytes(), guides=library.standard())
    ((message,),) = (group.messages for group in interchange.groups)
    assert message.outcome is Verdict.ACCEPTED, message.findings
    read = shipped_map(name).read(message.root)
    assert not read.findings
    assert not read.unmapped
    model, errors = parse(kind, read.document)
    assert not errors
    assert model is not None
    return json.loads(json.dumps(dump(model)))


@pytest.mark.parametrize(("kind", "form", "name"), FORMS, ids=[form for _, form, _ in FORMS])
def test_each_form_says_the_facts(kind: str, form: str, name: str) -> None:
    """But for what its row says."""
    facts = json.loads((HERE / f"{kind}.json").read_text("utf-8"))
    found = list(differences(plain(facts), plain(canonical(kind, form, name))))
    assert sorted(found, key=str) == sorted(((at, value) for at, value, _ in DIFFERENCES[form]), key=str)


def test_every_file_is_a_form_and_every_difference_has_its_reason() -> None:
    """Nothing is forgotten."""
    files = {tuple(path.name.split(".")[:2]) for path in HERE.glob("*.edi")}
    assert files == {(kind, form) for kind, form, _ in FORMS}
    assert all(reason for rows in DIFFERENCES.values() for _, _, reason in rows)


TEXTS: Final = [
    ("purchase_order", "UBL-Order", "ubl/Order"),
    ("purchase_order", "cXML-OrderRequest", "cxml/OrderRequest"),
    ("order_acknowledgement", "UBL-OrderResponse", "ubl/OrderResponse"),
]
"""Forms that leave out much of what the others say: their core is compared."""


def core(document: Any, *, quantity: bool) -> Any:
    """What every form of an order or its answer must say."""
    lines = {}
    for line in document["lines"]:
        ids = {each["value"] for each in line["item"]["ids"] if each["scheme"] in ("buyer", "supplier")}
        lines[line["line_id"]] = (
            (line["quantity"]["value"], line["quantity"].get("unit")) if quantity else None,
            [one["amount"] for one in line.get("prices", ()) if one.get("type") == "unit"] if quantity else None,
            ids,
            [(one["status"], one.get("quantity")) for one in line.get("responses", ())][:1],
        )
    return {
        "number": document["number"] if quantity else document["order"]["number"],
        "issue_date": document["issue_date"],
        "roles": {party["role"] for party in document["parties"]} & {"buyer", "ship_to", "bill_to"},
        "response": document.get("response"),
        "lines": lines,
    }


@pytest.mark.parametrize(("kind", "form", "name"), TEXTS, ids=[form for _, form, _ in TEXTS])
def test_xml_says_the_core_of_the_facts(kind: str, form: str, name: str) -> None:
    """Number, date, parties, lines with quantity, price, item numbers and answer."""
    own = compile_any(name, from_folders(shipped()))
    read = own.read((HERE / f"{kind}.{form}.xml").read_bytes())
    one = read[0] if isinstance(read, tuple) else read
    model, errors = parse(kind, one.document)
    assert not errors
    assert model is not None
    facts = json.loads((HERE / f"{kind}.json").read_text("utf-8"))
    order = kind == "purchase_order"
    assert core(json.loads(json.dumps(dump(model))), quantity=order) == core(facts, quantity=order)


NOTICES: Final = [("UBL-DespatchAdvice", "ubl/DespatchAdvice"), ("cXML-ShipNoticeRequest", "cxml/ShipNoticeRequest")]


def shipped_core(document: Any) -> Any:
    """What every form of a ship notice must say: what of which order line is in which innermost unit."""
    return {
        "number": document["number"],
        "dates": [document[name]["value"] for name in ("ship_date", "estimated_delivery")],
        "lines": [
            (line["order"], line["line_id"], line["order_line_id"], line["shipped"], line["ssccs"][-1])
            for line in document["lines"]
        ],
    }


@pytest.mark.parametrize(("form", "name"), NOTICES, ids=[form for form, _ in NOTICES])
def test_xml_says_the_core_of_a_ship_notice(form: str, name: str) -> None:
    """A UBL line and a cXML item know the unit they lie in, not the pallet it stands on."""
    own = compile_any(name, from_folders(shipped()))
    read = own.read((HERE / f"ship_notice.{form}.xml").read_bytes())
    assert not isinstance(read, tuple)
    assert not read.unmapped
    model, errors = parse("ship_notice", read.document)
    assert not errors
    assert model is not None
    facts = json.loads((HERE / "ship_notice.json").read_text("utf-8"))
    assert shipped_core(json.loads(json.dumps(dump(model)))) == shipped_core(facts)


def test_every_xml_file_is_a_form() -> None:
    """Nothing is forgotten."""
    files = {tuple(path.name.split(".")[:2]) for path in HERE.glob("*.xml")}
    assert files == {(kind, form) for kind, form, _ in TEXTS} | {("ship_notice", form) for form, _ in NOTICES}
