"""XML maps keep the laws of the language: both ways on examples and generated documents, in order, no silent loss."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.canonical import dump, parse
from gateway.errors import OurFault
from gateway.findings import Severity
from gateway.mapping import XmlMap, check_xml_map, compile_xml_map, from_folders, shipped
from gateway.mapping.xml.map import facts

ROOT = Path(__file__).parents[2]
NAMES = (
    "ubl/Order", "ubl/OrderResponse", "ubl/DespatchAdvice",
    "cxml/OrderRequest", "cxml/ConfirmationRequest", "cxml/ShipNoticeRequest",
)  # fmt: skip
MAPS = {name: compile_xml_map(name, from_folders(shipped())) for name in NAMES}
SMALL = """
document: xml
canonical: order_acknowledgement
root: a:Answer
namespaces: {a: "urn:a", b: "urn:b"}
default: {purpose: original}
codes: {r: {"1": accepted, "2": rejected}}
fields:
  /@version: =2
  /a:Order: order.number
  /a:Order/@date: order.issue_date | date
  /b:Result: response | code r
  /a:Note: {each: notes, fields: {.: text, "/@xml:lang": any en}}
  /a:Made..a:At: other_dates[type=made].at | when
  /a:Line:
    each: lines
    fields:
      {/a:No: line_id, /a:Quantity: quantity.value | decimal, /a:Price/@cur: same currency.code,
      /a:Price: "prices[type=unit].amount | decimal"}
  /a:Currency: currency.code
"""


def small() -> XmlMap:
    """A map of a few lines."""
    return compile_xml_map("t/x", {"t/x": SMALL})


def body(inside: str, root: str = 'a:Answer xmlns:a="urn:a" xmlns:b="urn:b" version="2"') -> bytes:
    """A document of the small map."""
    return f"<{root}><a:Order>1</a:Order>{inside}</{root.split(maxsplit=1)[0]}>".encode()


@pytest.mark.parametrize("name", NAMES)
@settings(
    max_examples=int(os.environ.get("GATEWAY_DOCUMENTS_PER_MAP", "40")), deadline=None, derandomize=True, database=None
)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_what_is_written_is_read_again(drawing: Any, name: str, seed: int) -> None:
    """read(write(d)) = d through the bytes, and write(read(b)) = b."""
    own = MAPS[name]
    drawn = drawing(seed, " AZaz09-&<>\"'é€\U0001f600\n").document(own)
    model, errors = parse(own.canonical, drawn)
    assert not errors
    assert model is not None
    writing = own.write(dump(model))
    assert (writing.lost, writing.findings) == ((), ())
    reading = own.read(writing.data)
    assert reading.unmapped == ()
    assert all(finding.severity is Severity.ACCEPT for finding in reading.findings)
    again, errors = parse(own.canonical, reading.document)
    assert not errors
    assert again == model
    assert own.write(reading.document).data == writing.data


@pytest.mark.parametrize("name", NAMES)
def test_examples_hold_both_ways(name: str) -> None:
    """The samples of UBL and cXML; other prefixes, extensions and zones come back."""

    def load(example: Any) -> tuple[bytes, Any]:
        return (ROOT / example.wire).read_bytes(), json.loads((ROOT / example.canonical).read_bytes())

    assert MAPS[name].examples
    assert check_xml_map(MAPS[name], load) == ()


def test_an_example_that_differs_is_a_finding_both_ways() -> None:
    """With the pointer and the line; a missing file too."""
    own = compile_xml_map("t/x", {"t/x": SMALL + "examples: [{xml: a, canonical: b}]\n"})
    wanted = {"order": {"number": "2"}, "response": "accepted", "purpose": "original"}
    found = check_xml_map(own, lambda _: (body("<b:Result>1</b:Result>"), wanted))
    assert [one.rule for one in found] == ["map.example.read", "map.example.write"]
    assert "/order/number" in found[0].said
    assert [one.rule for one in check_xml_map(own, lambda _: None)] == ["map.example.missing"]


def test_lines_are_written_in_the_map_s_order_and_prefixes_are_no_facts() -> None:
    """xsd:sequence: a list between two lines stands between their elements."""
    data = small().write(
        {
            "currency": {"code": "EUR"}, "notes": [{"text": "n"}], "order": {"number": "1"}, "response": "rejected",
            "lines": [{"prices": [{"type": "unit", "amount": "1.50"}]}],
            "other_dates": [{"type": "made", "at": {"value": "2026-05-01T08:00", "precision": "minute"}}],
        }
    ).data  # fmt: skip
    places = [
        data.index(tag) for tag in (b"<a:Order>", b"<b:Result>", b"<a:Note ", b"<a:Made>", b"<a:At>", b"<a:Line>")
    ]
    assert places == sorted(places)
    assert data.index(b"<a:Line>") < data.index(b"<a:Currency>")
    assert b'<a:Price cur="EUR">1.50</a:Price>' in data
    other = data.replace(b"a:", b"q:").replace(b":a=", b":q=")
    assert small().read(other).document == small().read(data).document


def test_what_no_line_names_is_reported_and_comes_back_in_its_place() -> None:
    """An element between two others, one inside, an attribute, a second of an element that is there but once."""
    inside = (
        '<x:More xmlns:x="urn:x"><x:In>1</x:In></x:More><b:Result>1</b:Result><a:Order>2</a:Order>'
        '<a:Line own="7"><a:No>1</a:No><a:Extra>e</a:Extra><a:Quantity>1</a:Quantity></a:Line>'
    )
    own = small()
    reading = own.read(body(inside))
    assert {one.pointer for one in reading.unmapped} == {
        "/{urn:x}More", "/a:Order", "/a:Line[1]/@own", "/a:Line[1]/a:Extra",
    }  # fmt: skip
    assert facts(own.write(reading.document).data, own) == facts(body(inside), own)
    document = {**reading.document, "lines": []}
    assert b"Extra" not in own.write(document).data, "it goes with its object"


def test_a_form_is_kept_while_it_means_the_field() -> None:
    """Space and a plus about a number, a date with a zone; an edited field is written anew."""
    inside = "<b:Result> 1 </b:Result><a:Line><a:No>1</a:No><a:Quantity> +5.0</a:Quantity></a:Line>"
    own = small()
    reading = own.read(body(inside))
    assert reading.document["lines"][0]["quantity"]["value"] == "5.0"
    assert facts(own.write(reading.document).data, own) == facts(body(inside), own)
    reading.document["lines"][0]["quantity"]["value"] = "6"
    assert b"<a:Quantity>6</a:Quantity>" in own.write(reading.document).data


def test_a_value_that_is_not_understood_is_found_at_its_line_and_kept() -> None:
    """A code without a word, a number that is none, a constant that is another, a currency that is another."""
    inside = (
        "<b:Result>9</b:Result>\n<a:Line><a:Quantity>five</a:Quantity></a:Line>\n"
        '<a:Line><a:Price cur="USD">1</a:Price></a:Line><a:Currency>EUR</a:Currency>'
    )
    reading = small().read(body(inside).replace(b'version="2"', b'version="3"'))
    assert [(one.rule, str(one.place)) for one in reading.findings] == [
        ("map.read.code", "line 1, /b:Result"),
        ("map.read.value", "line 1, /@version"),
        ("map.read.value", "line 2, /a:Line[1]/a:Quantity"),
        ("map.read.value", "line 3, /a:Line[2]/a:Price/@cur"),
    ]
    again = small().write({**reading.document, "response": "accepted"}).data
    assert b"five" in again
    assert b'cur="USD"' in again


def test_the_currency_of_the_first_amount_is_the_document_s_where_it_says_none() -> None:
    """And is written beside each amount."""
    document = small().read(body('<a:Line><a:Price cur="SEK">1</a:Price></a:Line>')).document
    assert document["currency"] == {"code": "SEK"}


def test_a_field_that_the_wire_has_no_place_for_is_a_finding_unless_it_is_as_usual() -> None:
    """`default: {purpose: original}`: another purpose would be lost."""
    document = {"order": {"number": "1"}, "response": "accepted"}
    assert small().write({**document, "purpose": "original"}).lost == ()
    writing = small().write({**document, "purpose": "cancel"})
    assert [(one.rule, str(one.place)) for one in writing.findings] == [("map.write.value", "/purpose")]


def test_text_that_xml_cannot_hold_is_lost_with_its_pointer() -> None:
    """XML 1.0 2.2: no control characters, no halves of a pair."""
    writing = small().write({"order": {"number": "a\x01"}, "response": "accepted", "notes": [{"text": "\ufffe"}]})
    assert [one.pointer for one in writing.lost if one.value != "original"] == [
        "/order/number",
        "/notes/0/text",
        "/notes/0",
    ]


def test_the_envelope_and_its_secret_never_enter_a_document() -> None:
    """Credentials of a cXML file are neither kept nor reported; the language of a name is kept, and not reported."""
    reading = MAPS["cxml/OrderRequest"].read((ROOT / "samples/cxml/order-request.xml").read_bytes())
    text = json.dumps(reading.document) + "".join(one.value for one in reading.unmapped)
    assert "not-a-secret" not in text
    assert "AN01" not in text
    assert "en-US" in text
    assert not [one for one in reading.unmapped if "lang" in one.pointer]


def test_an_order_that_all_despatch_lines_name_is_said_once() -> None:
    """The header's order holds for lines that name none; two orders stand at the lines."""
    own = MAPS["ubl/DespatchAdvice"]
    line = {"kind": "line", "line_id": "1"}
    one = {"kind": "order", "order": {"number": "P1"}, "contents": [line]}
    two = {"kind": "order", "order": {"number": "P2"}, "contents": [line]}
    assert own.write({"number": "1", "contents": [one]}).data.count(b"P1") == 1
    both = own.write({"number": "1", "contents": [one, two]})
    assert both.data.count(b"OrderLineReference>") == 4
    assert own.read(both.data).document["contents"] == [one, two]


def test_a_nesting_that_rows_cannot_say_is_lost_and_found() -> None:
    """An order in a pallet; two orders with the same number side by side."""
    own = MAPS["ubl/DespatchAdvice"]
    order = {"kind": "order", "order": {"number": "P1"}, "contents": [{"kind": "line", "line_id": "1"}]}
    pallet = {"kind": "handling_unit", "type": "pallet", "contents": [order]}
    for contents in ([pallet], [order, order]):
        writing = own.write({"number": "1", "contents": contents})
        assert [one.rule for one in writing.findings] == ["map.write.value"]


HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "map.xml.syntax"),
    "no XML": (b"ISA*00*", "map.xml.syntax"),
    "another root": (b'<a:Order xmlns:a="urn:a"/>', "map.xml.root"),
    "another namespace": (b'<a:Answer xmlns:a="urn:c"/>', "map.xml.root"),
    "no namespace": (b"<Answer/>", "map.xml.root"),
    "an open element": (b'<a:Answer xmlns:a="urn:a"><a:Order>', "map.xml.syntax"),
    "an unknown encoding": (b'<?xml version="1.0" encoding="nope"?><a/>', "map.xml.syntax"),
    "bytes that are no UTF-8": (b'<a:Answer xmlns:a="urn:a">\xff</a:Answer>', "map.xml.syntax"),
    "a control character": (b'<a:Answer xmlns:a="urn:a">\x01</a:Answer>', "map.xml.syntax"),
    "too deep": (b"<a>" * 65 + b"</a>" * 65, "map.xml.limit"),
    "far too deep": (b"<a>" * 3_000_000, "map.xml.limit"),
    "a text without end": (b"<a>" + b"x" * 10_500_000 + b"</a>", "map.xml.limit"),
    "too large": (b"<a>" + b" " * (16 * 1024 * 1024) + b"</a>", "map.xml.limit"),
    "an entity": (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "map.xml.entities"),
    "an entity in an attribute": (b'<!DOCTYPE a [<!ENTITY x "y">]><a b="&x;"/>', "map.xml.entities"),
    "an entity of nobody": (b'<!DOCTYPE a SYSTEM "a.dtd"><a>&x;</a>', "map.xml.entities"),
    "an entity of a file": (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>', "map.xml.entities"),
    "a parameter entity": (b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://192.0.2.1/x"> %x;]><a/>', "map.xml.entities"),
    "a billion laughs": (
        b'<!DOCTYPE l [<!ENTITY a "lolololololololololo">'
        + b"".join(b'<!ENTITY %c "%s">' % (98 + row, b"&%c;" % (97 + row) * 10) for row in range(9))
        + b']><l x="&j;">&j;</l>',
        "map.xml.limit",
    ),
    "quadratic growth": (
        b'<!DOCTYPE l [<!ENTITY a "' + b"A" * 100_000 + b'">]><l>' + b"&a;" * 100_000 + b"</l>",
        "map.xml.limit",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml_is_a_finding(name: str) -> None:
    """With its rule and a remedy; no document."""
    data, rule = HOSTILE[name]
    reading = small().read(data)
    assert reading.document == {}
    assert [one.rule for one in reading.findings] == [rule]
    assert reading.findings[0].fix


def test_a_fault_is_told_with_line_and_column() -> None:
    """As an editor shows them."""
    found = small().read(b'<a:Answer xmlns:a="urn:a">\n  <a:Order>1</a:Odrer>\n</a:Answer>').findings
    assert str(found[0].place) == "line 2, column 23"


def test_a_dtd_is_let_stand_and_never_opened(tmp_path: Path) -> None:
    """Every cXML file names one. A DTD that gives attributes and entities has no effect, whatever its address."""
    dtd = tmp_path / "a.dtd"
    dtd.write_text('<!ATTLIST a:Answer version CDATA "9"><!ENTITY x "y">', "utf-8")
    inside = body("<b:Result>1</b:Result>").replace(b' version="2"', b"")
    plain = small().read(inside)
    assert plain.findings == ()
    for address in (dtd.as_uri(), str(dtd), "http://192.0.2.1/a.dtd"):
        named = small().read(f'<!DOCTYPE a:Answer SYSTEM "{address}">'.encode() + inside)
        assert named == plain
    assert small().read(f'<!DOCTYPE a:Answer SYSTEM "{dtd.as_uri()}">'.encode() + body("&x;")).findings[0].rule == (
        "map.xml.entities"
    )


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_no_document_raises(data: st.DataObject) -> None:
    """Whatever stands where something else belongs; and what a document's author put into extensions."""
    tag = st.sampled_from(["a:Order", "b:Result", "a:Line", "a:No", "a:Made", "a:At", "a:Note", "z", "a:Price"])
    tree = st.recursive(
        st.text(alphabet="1 a", max_size=3),
        lambda inner: st.tuples(tag, st.lists(inner, max_size=3)).map(
            lambda one: f"<{one[0]}>{''.join(one[1])}</{one[0]}>"
        ),
        max_leaves=12,
    )
    own = small()
    reading = own.read(body(data.draw(tree)))
    json.dumps(reading.document)
    parse(own.canonical, reading.document)
    own.read(own.write(reading.document).data)
    keys = st.sampled_from(["forms", "values", "others", "/a:Order", "/b:Result", "/@x", "in", "name", "after"])
    leaf = st.none() | st.text(max_size=4) | st.sampled_from(["\x00", "\ud800", "/a" * 5000, "<a/>", "/a:Line/a:No"])
    strange = data.draw(st.recursive(leaf, lambda one: st.lists(one) | st.dictionaries(keys, one)))
    own.write({"order": {"number": "1"}, "response": "accepted", "extensions": {"xml": strange}})


def test_what_an_author_puts_into_extensions_is_bounded() -> None:
    """No path without end, no character that XML cannot hold, no entities; the rest of the document is written."""
    own = small()
    plain = {"order": {"number": "1"}, "response": "accepted"}
    others = [
        {"name": "z", "in": "/a" * 5000, "xml": "<z/>"}, {"name": "z", "xml": "\ud800"}, {"name": "z", "xml": "<z>"},
        {"name": "z", "xml": '<!DOCTYPE z [<!ENTITY x "y">]><z>&x;</z>'}, "z", {"name": 1},
    ]  # fmt: skip
    kept = {"others": others, "values": {"/@x": "\x00", "/a" * 5000: "1"}, "forms": {"/a:Order": "\x00"}}
    assert own.write({**plain, "extensions": {"xml": kept}}).data == own.write(plain).data


BROKEN: dict[str, tuple[str, str, str, int, str]] = {
    "no root": ("root: a:Answer\n", "", "map.key.missing", 2, "the root element's name"),
    "a prefix of nobody": ("/a:Order: ", "/c:Order: ", "map.address.wrong", 10, "namespaces"),
    "no path": ("/a:Currency:", "a.Currency:", "map.address.wrong", 20, "a path"),
    "a line twice": ("/a:Currency:", "/b:Result:", "map.file.yaml", 20, "once"),
    "an unknown pair": ("| code r", "| flag r", "map.pair.unknown", 12, "code"),
    "a list and a line": ("/a:Currency:", "/a:Note/a:X:", "map.address.twice", 13, "one rule"),
    "a part of nobody": ("fields: {.: text,", "use: pat, fields: {.: text,", "map.file.shape", 13, "parts"),
    "a field said again": ("same currency.code", "same currency.kode", "map.field.unknown", 18, "code"),
    "a default of nobody": ("{purpose:", "{porpose:", "map.field.unknown", 6, "purpose"),
    "a namespace twice": ('"urn:b"', '"urn:a"', "map.file.shape", 5, "a namespace"),
    "a moment of one text": ("| when", "", "map.address.wrong", 14, "DATE..TIME"),
    "another document": ("document: xml", "document: json", "map.document.other", 2, "xml"),
    "an unknown key": ("default:", "segments: []\ndefault:", "map.key.unknown", 6, "one of"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_map_is_refused_at_its_line(name: str) -> None:
    """File, line, and what is wanted."""
    before, after, rule, line, wanted = BROKEN[name]
    with pytest.raises(OurFault) as caught:
        compile_xml_map("t/x", {"t/x": SMALL.replace(before, after)})
    found = [one for one in caught.value.findings if one.rule == rule and one.place.line == line]  # type: ignore[union-attr]
    assert found, [one.text for one in caught.value.findings]
    assert wanted in found[0].text


def test_a_map_compiles_to_the_same_again() -> None:
    """What was read of a file is kept for the next map that needs it, and nothing changes it."""
    data = (ROOT / "samples/ubl/order.xml").read_bytes()
    again = [compile_xml_map("ubl/Order", from_folders(shipped())).read(data) for _ in range(2)]
    assert again[0] == again[1] == MAPS["ubl/Order"].read(data)


def test_a_delta_puts_a_partner_s_elements_into_the_base() -> None:
    """Lines, namespaces and codes of a partner; the base's hash is another."""
    delta = (
        'extends: t/x\nnamespaces: {p: "urn:p"}\ncodes: {r: {"3": pending}}\n'
        "fields: {/p:Desk: supplier_order_number, /a:Currency: ~}\n"
    )
    own = compile_xml_map("t/own", {"t/x": SMALL.replace("/a:Price/@cur: same currency.code, ", ""), "t/own": delta})
    data = own.write({"order": {"number": "1"}, "response": "pending", "supplier_order_number": "7"}).data
    assert b"<p:Desk>7</p:Desk>" in data
    assert b"<b:Result>3</b:Result>" in data
    assert own.hash != small().hash


def test_a_second_line_of_an_address_with_an_attribute_is_reported_and_kept() -> None:
    """UBL texts may name their language; the address line does not vanish."""
    own = MAPS["ubl/Order"]
    plain = b"<cbc:AdditionalStreetName>"
    data = (ROOT / "samples/ubl/order.xml").read_bytes()
    assert plain in data
    reading = own.read(data.replace(plain, plain[:-1] + b' languageID="en">'))
    assert [one.pointer.rpartition("/")[2] for one in reading.unmapped] == ["cbc:AdditionalStreetName"]
    assert b'languageID="en">Building C<' in own.write(reading.document).data
