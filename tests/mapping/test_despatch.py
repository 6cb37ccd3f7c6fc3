"""DESADV both ways: packages by CPS, lines in them, and orders as nodes of the tree that the wire says line by line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.canonical import dump, parse
from gateway.edi import edifact_write, library, reading
from gateway.edi.tolerances import Limits
from gateway.edi.tree import Loop, Segment
from gateway.errors import OurFault
from gateway.mapping import compile_map, shipped_map
from gateway.mapping.draw import draw
from gateway.mapping.laws import flat

OWN = "edifact/DESADV"


def line(number: str, **said: Any) -> dict[str, Any]:
    """A line."""
    return {"kind": "line", "line_id": number, **said}


def unit(*contents: dict[str, Any], type: str = "carton") -> dict[str, Any]:  # noqa: A002  the field's name
    """A package."""
    return {"kind": "handling_unit", "type": type, **({"contents": list(contents)} if contents else {})}


def order(number: str, *contents: dict[str, Any], **said: Any) -> dict[str, Any]:
    """Goods of one order."""
    return {"kind": "order", "order": {"number": number, **said}, "contents": list(contents)}


def notice(*contents: dict[str, Any]) -> dict[str, Any]:
    """A ship notice."""
    return {"number": "1", "purpose": "original", "contents": list(contents)}


def tree(*segments: str) -> Loop:
    """A tree from lines of text; the loops of DESADV by indentation: `CPS+1`, `  PAC+1`, `    PCI+33E`."""
    root = Loop("", [])
    open_loops: list[tuple[int, Loop]] = [(-1, root)]
    for text in segments:
        depth = len(text) - len(text.lstrip())
        tag, *elements = text.strip().split("+")
        made = [tuple(each.split(":")) if ":" in each else each for each in elements]
        segment = Segment(tag, [*made])
        while open_loops[-1][0] >= depth:
            open_loops.pop()
        loop = Loop(tag, [segment])
        open_loops[-1][1].children.append(loop if tag in LOOPS else segment)
        if tag in LOOPS:
            open_loops.append((depth, loop))
    return root


LOOPS = {"CPS", "PAC", "PCI", "LIN", "RFF", "GIN", "HAN"}

TREES = {
    "one order over the whole": notice(order("A", unit(unit(line("1"), line("2")), type="pallet"))),
    "an order with its date": notice(order("A", unit(line("1")), issue_date="2026-11-20")),
    "a pallet for each order": notice(order("A", unit(line("1"))), order("B", unit(line("2")))),
    "a pallet over two orders": notice(unit(order("A", line("1")), order("B", unit(line("2"))), type="pallet")),
    "loose lines": notice(order("A", line("1"), line("2"))),
    "loose lines of two orders": notice(order("A", line("1")), order("B", line("2"))),
    "lines without an order": notice(unit(line("1")), unit(line("2"))),
    "an order for some lines": notice(order("A", line("1")), line("2")),
    "an order without lines": notice(order("A", unit())),
    "a pallet of nothing but cartons": notice(unit(unit(), unit(), type="pallet")),
    "the order's own line numbers": notice(order("A", line("1", order_line_id="10"), line("2"))),
}


@pytest.mark.parametrize("name", TREES)
def test_a_tree_is_written_with_running_numbers_and_read_again(name: str) -> None:
    """CPS01 runs in wire order, CPS02 names the parent; orders come back where they stood."""
    own = shipped_map(OWN)
    document = TREES[name]
    writing = own.write(document)
    assert not writing.lost
    packages = [segment for segment in flat(writing.root) if segment[0] == "CPS"]
    assert [one[1] for one in packages] == [str(place + 1) for place in range(len(packages))]
    assert [len(one) for one in packages] == [2] + [3] * (len(packages) - 1)
    assert all(int(one[2]) < int(one[1]) for one in packages[1:])
    again = own.read(writing.root)
    assert not again.findings
    assert again.document == document


def test_each_line_says_its_order_and_the_header_too_where_there_is_one() -> None:
    """With the line's number in it, its own where it has no other; the date once."""
    own = shipped_map(OWN)
    document = notice(order("A", unit(line("1", order_line_id="10"), line("2")), issue_date="2026-11-20"))
    said = [one for one in flat(own.write(document).root) if one[0] in {"RFF", "DTM"}]
    assert said == [
        ("RFF", ("ON", "A")),
        ("DTM", ("171", "20261120", "102")),
        ("RFF", ("ON", "A", "10")),
        ("RFF", ("ON", "A", "2")),
    ]


LOST = {
    "the only order below a pallet": (notice(unit(order("A", line("1")))), ["/contents/0/contents/0"]),
    "two nodes of one order": (notice(order("A", line("1")), order("A", line("2"))), ["/contents/0", "/contents/1"]),
    "an order inside an order": (notice(order("A", order("B", line("1")))), ["/contents/0", "/contents/0/contents/0"]),
    "packages before lines": (notice(unit(line("1")), line("2")), ["/contents"]),
    "packages inside a line": (notice(line("1", contents=[unit()])), ["/contents/0/contents"]),
}


@pytest.mark.parametrize("name", LOST)
def test_what_would_come_back_elsewhere_is_listed_and_written_all_the_same(name: str) -> None:
    """By the pointers of the document as it was given."""
    document, pointers = LOST[name]
    writing = shipped_map(OWN).write(document)
    assert [one.pointer for one in writing.lost] == pointers
    lines = [segment for segment in flat(writing.root) if segment[0] == "LIN"]
    assert len(lines) == json.dumps(document).count('"line"')


def test_the_pointer_of_what_is_lost_inside_an_order_is_the_documents_own() -> None:
    """The tree is written without its orders; a message still names the field as it was given."""
    odd = line("1", item={"name": "x"}, shipped={"value": "many"})
    writing = shipped_map(OWN).write(notice(order("A", unit(odd))))
    assert [one.pointer for one in writing.lost] == ["/contents/0/contents/0/contents/0/shipped/value"]


WIRE = {
    "numbers that do not run": ["CPS+10", "CPS+20+10", "  PAC+1++CT", "  LIN+1"],
    "packages beside the first CPS": ["CPS+1", "CPS+2", "  PAC+1++CT", "CPS+3", "  PAC+1++CT"],
    "a level code": ["CPS+1++5", "  LIN+1"],
    "one pallet and nothing above it": ["CPS+1", "  PAC+1++PX", "    PCI+33E", "      GIN+BJ+350000000000000012"],
    "a package without PAC": ["CPS+1", " CPS+2+1", "   LIN+1"],
    "PAC without a number": ["CPS+1", " CPS+2+1", "   PAC+++CT"],
    "several packages of one CPS": [
        "CPS+1",
        " CPS+2+1",
        "   PAC+3++CT",
        "     PCI+33E",
        "       GIN+BJ+1+2+3",
        "   LIN+1",
    ],
    "the order in the header alone": ["RFF+ON:A", "CPS+1", "  LIN+1", "  LIN+2"],
    "the order with the lines alone": ["CPS+1", "  LIN+1", "    RFF+ON:A:1", "  LIN+2", "    RFF+ON:A:7"],
    "an order without line numbers": ["CPS+1", "  LIN+1", "    RFF+ON:A", "  LIN+2", "    RFF+ON:B"],
    "the date with the lines": ["RFF+ON:A", "CPS+1", "  LIN+1", "    RFF+ON:A:1", "    DTM+171:20261120:102"],
    "a reference before the order": ["RFF+AAK:x", "RFF+ON:A", "CPS+1", "  LIN+1", "    RFF+ON:A:1"],
    "two orders in the header": ["RFF+ON:A", "RFF+ON:B", "CPS+1", "  LIN+1", "    RFF+ON:A:1"],
    "another order in the header": ["RFF+ON:B", "CPS+1", "  LIN+1", "    RFF+ON:A:1", "  LIN+2"],
}


@pytest.mark.parametrize("name", WIRE)
def test_forms_of_the_wire_come_back_as_they_were(name: str) -> None:
    """What differs from the running count and from the usual way to say an order is remembered."""
    own = shipped_map(OWN)
    root = tree("BGM+351+1+9", *WIRE[name])
    reading = own.read(root)
    assert not reading.unmapped
    assert not reading.findings
    writing = own.write(reading.document)
    assert not writing.lost
    assert flat(writing.root) == flat(root)


def test_a_single_cps_with_an_sscc_is_a_package() -> None:
    """The document's own CPS has none."""
    reading = shipped_map(OWN).read(tree("BGM+351+1+9", *WIRE["one pallet and nothing above it"]))
    (node,) = reading.document["contents"]
    assert (node["type"], node["sscc"]) == ("pallet", "350000000000000012")


def test_several_packages_of_one_cps_are_one_node_with_their_number_and_numbers() -> None:
    """What is in which of them is not said, and is not made up."""
    reading = shipped_map(OWN).read(tree("BGM+351+1+9", *WIRE["several packages of one CPS"]))
    (node,) = reading.document["contents"]
    assert (node["count"], node["ssccs"]) == ("3", ["1", "2", "3"])


def test_a_remembered_form_is_dropped_when_the_order_is_edited() -> None:
    """A line that said no order says its new one."""
    own = shipped_map(OWN)
    document = own.read(tree("BGM+351+1+9", *WIRE["the order in the header alone"])).document
    (only,) = document["contents"]
    first, second = only["contents"]
    document["contents"] = [order("A", first), order("B", second)]
    writing = own.write(document)
    assert not writing.lost
    assert [one[1] for one in flat(writing.root) if one[0] == "RFF"] == [("ON", "A", "1"), ("ON", "B", "2")]


def test_thirty_levels_come_back_and_forty_are_a_finding() -> None:
    """Never a crash."""
    own = shipped_map(OWN)

    def nested(depth: int) -> Loop:
        levels = [f"{' ' * number}CPS+{number + 1}{f'+{number}' if number else ''}" for number in range(depth)]
        return tree("BGM+351+1+9", *levels)

    reading = own.read(nested(30))
    assert flat(own.write(reading.document).root) == flat(nested(30))
    assert "map.read.too_deep" in [one.rule for one in own.read(nested(40)).findings]


def test_origins_of_an_order_are_the_first_words_about_it() -> None:
    """The node's number was said with the line."""
    root = tree("BGM+351+1+9", *WIRE["the order with the lines alone"])
    found = {one.pointer: one.text for one in shipped_map(OWN).read(root, traced=True).origins}
    assert found["/contents/0/order/number"] == "A"
    assert found["/contents/0/contents/1/order_line_id"] == "7"
    assert "/contents/0/contents/0/order_line_id" not in found


HEAD = "document: DESADV\ncanonical: ship_notice\nsegments:\n  - BGM: {BGM02.1: number}\n"
WRONG = {
    "  - tree: SGP\n    each: contents\n    levels: {…: {is: handling_unit}}\n": "HL or CPS",
    "  - tree: CPS\n    each: contents\n    levels: {root: {is: line}}\n": "root: {is: document}",
    "  - tree: HL\n    each: contents\n    levels: {…: {is: line}}\n": "a code of HL03",
    "  - tree: CPS\n    orders: header\n    each: contents\n    levels: {…: {is: line}}\n": "orders: lines",
    "  - LIN: {LIN01: line_id}\n    each: contents\n    set: {kind: lin}\n": "did you mean line",
}


@pytest.mark.parametrize("rule", WRONG)
def test_a_tree_that_cannot_be_is_refused(rule: str) -> None:
    """With the words there are."""
    with pytest.raises(OurFault) as caught:
        compile_map("t/DESADV", {"t/DESADV": HEAD + rule})
    assert any(WRONG[rule] in one.wanted for one in caught.value.findings)


def shape(loop: Loop) -> list[Any]:
    """The tags of a tree, loop by loop; a loop of one segment is that segment."""
    found = [shape(each) if isinstance(each, Loop) else each.tag for each in loop.children]
    return [each[0] if isinstance(each, list) and len(each) == 1 else each for each in found]


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_what_is_written_stands_where_the_guide_looks_for_it(seed: int) -> None:
    """The reader puts each segment back into the loop that the map wrote it in; D.01B has all the map has."""
    own = shipped_map(OWN)
    model, errors = parse("ship_notice", draw(own, seed))
    assert not errors
    assert model is not None
    root = own.write(json.loads(json.dumps(dump(model)))).root
    party = edifact_write.Party(id="A")
    at = datetime(2026, 7, 14, tzinfo=UTC)
    envelope = edifact_write.Envelope(sender=party, receiver=party, control_reference="1", at=at)
    message = edifact_write.Outgoing(type="DESADV", version="D01B", control_reference="1", root=root)
    payload = edifact_write.write_interchange(envelope, [message])
    (interchange,) = reading.read_all(payload, guides=library.standard(), limits=Limits(findings=10_000))
    (read,) = interchange.groups[0].messages
    order = {finding.rule for finding in read.findings if finding.rule.startswith("edi.segment.")}
    assert order <= {"edi.segment.too_many", "edi.segment.missing"}
    assert shape(read.root) == shape(root)
