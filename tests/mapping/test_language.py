"""The constructs of the language, each on a map of a few lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.edi.tree import Loop
from gateway.errors import OurFault
from gateway.mapping import Map, compile_map, shipped_map
from gateway.mapping.laws import flat

Small = Callable[[str], Map]
Tree = Callable[..., Loop]
BAK = "  - BAK: {BAK02: response, BAK03: order.number}\n"
DOCUMENT = {"response": "accepted", "order": {"number": "1"}}


def written(own: Map, document: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The segments of what is written."""
    return flat(own.write(document).root)


def test_constants_alone_make_no_segment(small: Small, tree: Tree) -> None:
    """A segment is written when a field of it has a value, and read when its constants are there."""
    own = small("segments:\n" + BAK + "  - CUR: {CUR01: =SE, CUR02: currency.code}\n")
    assert written(own, DOCUMENT) == [("BAK", "", "accepted", "1")]
    assert written(own, {**DOCUMENT, "currency": {"code": "USD"}})[1] == ("CUR", "SE", "USD")
    reading = own.read(tree("BAK**accepted*1", "CUR*BY*USD"))
    assert "currency" not in reading.document
    assert [one.value for one in reading.unmapped] == ["BY", "USD"]


def test_emit_always_writes_constants_alone(small: Small, tree: Tree) -> None:
    """Unless the wire had none."""
    own = small("segments:\n" + BAK + "  - CUR: {CUR01: =SE}\n    emit: always\n")
    assert written(own, DOCUMENT)[1] == ("CUR", "SE")
    without = own.read(tree("BAK**accepted*1")).document
    assert written(own, without) == [("BAK", "", "accepted", "1")]


def test_a_constant_with_a_field_is_written_and_required_with_it(tree: Tree) -> None:
    """ACME's reason stands in ACK29 only where ACK27 is ZZ."""
    own = shipped_map("acme/855")
    head, line = "BAK*00*AC*1*20260713", ["PO1*1*1*EA"]
    said = tree(head, [*line, "ACK*IB*1*EA" + "*" * 24 + "ZZ**STOCKOUT"])
    other = tree(head, [*line, "ACK*IB*1*EA" + "*" * 24 + "BI**STOCKOUT"])
    assert own.read(said).document["lines"][0]["responses"][0]["reason"] == "STOCKOUT"
    reading = own.read(other)
    assert "reason" not in reading.document["lines"][0]["responses"][0]
    assert {one.value for one in reading.unmapped} == {"BI", "STOCKOUT"}
    assert flat(own.write(reading.document).root) == [*flat(other), ("CTT", "1")][: len(flat(other))]


def test_a_prefix_selects_a_segment_and_a_list_takes_the_rest(tree: Tree) -> None:
    """REF*BM is the bill of lading; a second one, and any other, is a reference."""
    own = shipped_map("x12/856")
    hl = Loop("HL", [*tree("HL*1**S", "REF*BM*A", "REF*BM*B", "REF*IV*C").children])
    document = own.read(Loop("", [*tree("BSN*00*1").children, hl])).document
    assert document["bill_of_lading"] == "A"
    assert document["references"] == [{"type": "bill_of_lading", "value": "B"}, {"type": "invoice", "value": "C"}]


def test_the_wire_order_of_qualifiers_is_kept_only_where_it_differs(tree: Tree) -> None:
    """002 before 010 is the map's order."""
    own = shipped_map("x12/850")
    head = "BEG*00*NE*1**20260713"
    plain = own.read(tree(head, "DTM*002*20260501", "DTM*010*20260401", ["PO1*1"], ["CTT*1"]))
    turned = own.read(tree(head, "DTM*010*20260401", "DTM*002*20260501", ["PO1*1"], ["CTT*1"]))
    assert "extensions" not in plain.document
    assert [one[1] for one in flat(own.write(turned.document).root) if one[0] == "DTM"] == ["010", "002"]


def test_counts_are_checked_reading_and_computed_writing(tree: Tree) -> None:
    """A right count is not repeated in the document; a wrong one is noted, kept and written back."""
    own = shipped_map("x12/850")
    head = "BEG*00*NE*1**20260713"
    right = own.read(tree(head, ["PO1*1"], ["CTT*1"]))
    assert "totals" not in right.document
    wrong = own.read(tree(head, ["PO1*1"], ["CTT*9"]))
    assert wrong.document["totals"] == {"line_count": "9"}
    assert [one.rule for one in wrong.findings] == ["map.read.count"]
    assert flat(own.write(wrong.document).root)[-1] == ("CTT", "9")
    absent = own.read(tree(head, ["PO1*1"]))
    assert flat(own.write(absent.document).root)[-1] == ("PO1", "1")


def test_a_text_over_several_segments_is_one_text(tree: Tree) -> None:
    """MSG by line, N3 by pairs."""
    own = shipped_map("x12/850")
    root = tree(
        "BEG*00*NE*1**20260713", ["N9*L1*A", "MSG*one", "MSG*two"], ["N1*ST*X", "N3*a*b", "N3*c"], ["PO1*1"], ["CTT*1"]
    )
    reading = own.read(root)
    assert reading.document["notes"][0]["text"] == "one\ntwo"
    assert reading.document["parties"][0]["address"]["lines"] == ["a", "b", "c"]
    assert "extensions" not in reading.document
    assert flat(own.write(reading.document).root) == flat(root)


def test_a_component_is_addressed_and_its_neighbours_are_kept(tree: Tree) -> None:
    """SLN05.1 is the unit."""
    own = shipped_map("x12/850")
    root = tree("BEG*00*NE*1**20260713", ["PO1*1", "SLN*1**I*2*EA>1>PC"], ["CTT*1"])
    reading = own.read(root)
    assert reading.document["lines"][0]["components"][0]["quantity"] == {"value": "2", "unit": "EA"}
    assert flat(own.write(reading.document).root) == flat(root)


def test_the_partners_code_is_kept_beside_the_word(tree: Tree) -> None:
    """And written back while the word is unchanged."""
    own = shipped_map("x12/855")
    document = own.read(tree("BAK*00*AT*1*20260713", ["CTT*0"])).document
    assert (document["response"], document["source_code"]) == ("accepted", "AT")
    assert flat(own.write(document).root)[0][2] == "AT"
    assert flat(own.write({**document, "response": "rejected"}).root)[0][2] == "RD"


def test_what_no_line_can_say_is_lost_and_listed() -> None:
    """By pointer, field by field; a word the table cannot write is a finding too."""
    own = shipped_map("x12/855")
    document = {
        "purpose": "original",
        "response": "accepted",
        "order": {"number": "1"},
        "number": "A-1",
        "lines": [
            {
                "line_id": "1",
                "allocations": [{"location": {"scheme": "x", "value": "y"}}],
                "item": {"properties": [{"name": "finish", "value": "matt"}]},
                "responses": [{"status": "not_found"}],
            }
        ],
    }
    writing = own.write(document)
    assert [one.pointer for one in writing.lost] == [
        "/lines/0/allocations",
        "/lines/0/responses/0/status",
        "/lines/0/responses/0",
        "/number",
        "/lines/0/item/properties",
    ]
    assert [one.rule for one in writing.findings] == ["map.write.value"] * 2


def test_a_fact_in_the_wrong_place_is_noted() -> None:
    """It will be read into the field the map has for it."""
    own = shipped_map("x12/850")
    writing = own.write(
        {"number": "1", "issue_date": "2026-07-13", "lines": [{"descriptions": [{"type": "free", "text": "A"}]}]}
    )
    assert [(one.rule, str(one.place)) for one in writing.findings] == [("map.write.elsewhere", "/lines/0/item/name")]


def test_hostile_extensions_are_no_crash() -> None:
    """They come from outside in JSON."""
    own = shipped_map("x12/850")
    for junk in (
        "x",
        {"x12": "x"},
        {"x12": {"kept": 1, "order": [], "absent": 5}},
        {"x12": {"order": {"": [1, [], {}, [5], None]}}},
        {"x12": {"kept": {"BEG": {"02": 5, "xx": "y", "99": ["a", 1], "\uff101": "z"}}}},
    ):
        own.write({"number": "1", "issue_date": "2026-07-13", "lines": [{"line_id": "1"}], "extensions": junk})


BASE = (
    "document: 855\ncanonical: order_acknowledgement\nsegments:\n"
    + BAK
    + "  - REF: {REF01: type, REF02: value}\n    each: references\n"
)


def test_a_delta_changes_adds_and_removes() -> None:
    """change, before, after, remove, codes; over several levels."""
    sources = {
        "a/base": BASE,
        "a/mid": "extends: a/base\nafter: {BAK: [{CUR: {CUR02: currency.code}}]}\nremove: [REF]\n",
        "a/top": "extends: a/mid\nchange: {BAK: {BAK08: supplier_order_number, BAK02: ~, BAK04: response}}\n"
        "before: {CUR: [{TD5: {TD505: carrier.name}}]}\n",
    }
    own = compile_map("a/top", sources)
    document = {**DOCUMENT, "supplier_order_number": "S", "currency": {"code": "USD"}, "carrier": {"name": "C"}}
    assert written(own, document) == [
        ("BAK", "", "", "1", "accepted", "", "", "", "S"),
        ("TD5", "", "", "", "", "C"),
        ("CUR", "", "USD"),
    ]
    assert own.hash != compile_map("a/mid", sources).hash


def test_a_delta_that_changes_nothing_there_is_refused() -> None:
    """With the near miss."""
    with pytest.raises(OurFault) as caught:
        compile_map("a/b", {"a/base": BASE, "a/b": "extends: a/base\nremove: [REFF]\n"})
    assert "maps/a/b.yaml:2 remove.REFF" in caught.value.findings[0].text
    assert "did you mean REF?" in caught.value.findings[0].text


def test_a_level_of_a_hierarchy_is_reached_by_its_code() -> None:
    """HL/P/REF."""
    own = compile_map(
        "a/856",
        lambda name: shipped_source(name) if name == "x12/856" else ("m", "extends: x12/856\nremove: [HL/P/REF]\n"),
    )
    assert own.document == "856"


def shipped_source(name: str) -> tuple[str, str]:
    """The text of a shipped map."""
    from gateway.mapping import from_folders, shipped  # noqa: PLC0415

    return from_folders(shipped())(name)
