"""ORDERS, ORDRSP and ORDCHG: what the samples say, and the words of the language that these maps needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.canonical import check, dump, parse
from gateway.edi import edifact_write, library, reading
from gateway.edi.tree import Loop, Message, Segment
from gateway.errors import OurFault, PartnerFault
from gateway.mapping import Map, compile_map, shipped_map
from gateway.mapping.laws import flat

ROOT = Path(__file__).parents[2]
SAMPLES = sorted(
    path
    for kind in ("orders", "ordrsp", "ordchg", "desadv")
    for path in (ROOT / "samples/edifact").glob(f"{kind}-*.edi")
)


def messages(path: Path) -> Iterator[Message]:
    """The messages of a file that these maps are for."""
    try:
        interchanges = reading.read_all(path.read_bytes(), guides=library.standard())
    except PartnerFault:
        return
    for interchange in interchanges:
        for group in interchange.groups:
            yield from (one for one in group.messages if one.type in ("ORDERS", "ORDRSP", "ORDCHG", "DESADV"))


def written(message: Message, root: Loop) -> bytes:
    """UNH to UNT."""
    return edifact_write.write_message(
        edifact_write.Outgoing(type=message.type, version=message.version, control_reference="1", root=root)
    )


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_comes_back_byte_for_byte_and_reads_as_its_json(path: Path) -> None:
    """Every message; the first one's canonical form is beside it."""
    for number, message in enumerate(messages(path)):
        own = shipped_map(f"edifact/{message.type}")
        reading_ = own.read(message.root)
        assert not reading_.findings
        model, errors = parse(own.canonical, reading_.document)
        assert not errors
        assert model is not None
        assert not check(model)
        document = json.loads(json.dumps(dump(model)))
        writing = own.write(document)
        assert not writing.lost
        assert written(message, writing.root) == written(message, message.root)
        if not number and path.with_suffix(".json").exists():
            assert document == json.loads(path.with_suffix(".json").read_text("utf-8"))


def test_every_message_has_three_samples_or_more() -> None:
    """Of both directories."""
    names = [path.stem for path in SAMPLES]
    assert {
        kind: sum(name.startswith(kind) for name in names) for kind in ("orders", "ordrsp", "ordchg", "desadv")
    } == {
        "orders": 4,
        "ordrsp": 3,
        "ordchg": 3,
        "desadv": 3,
    }


ITEMS = """
document: ORDERS
canonical: purchase_order
codes:
  item: {EN: ean, IN: buyer, SA: supplier}
segments:
  - BGM: {BGM01: keep, BGM02: number}
  - DTM+137|4: {DTM01.2..3: issue_date | day}
  - loop: RFF
    each: references
    segments:
      - RFF: {RFF01.1: type, RFF01.2: value, RFF01.4: keep}
  - loop: LIN
    each: lines
    segments:
      - LIN: {LIN01: line_id, LIN03.1..4: item.ids | ids item 4}
      - PIA+5|1: {PIA02..06.1..4: item.ids | ids item 4}
        more: item.ids
        first: [ean]
  - UNS: {UNS01: =S}
    emit: always
  - loop: RFF
    each: totals.allowance_charges
    set: {indicator: none}
    segments:
      - RFF: {RFF01.2: reference}
"""


@pytest.fixture
def items() -> Map:
    """Item numbers over two segments, and a tag that means something else behind UNS."""
    return compile_map("t/ORDERS", {"t/ORDERS": ITEMS})


def segment(text: str) -> Segment:
    """A segment from its text, `+` and `:` between its parts."""
    tag, *elements = text.split("+")
    return Segment(tag, [tuple(each.split(":")) if ":" in each else each for each in elements])


def order(*lines: list[str], more: tuple[str, ...] = (), before: tuple[str, ...] = ()) -> Loop:
    """An order of these lines."""
    loops: list[Segment | Loop] = [Loop("LIN", [segment(each) for each in line]) for line in lines]
    refs: list[Segment | Loop] = [Loop("RFF", [segment(each)]) for each in before]
    rest: list[Segment | Loop] = [segment("UNS+S"), *(Loop("RFF", [segment(each)]) for each in more)]
    return Loop("", [segment("BGM+220+7"), segment("DTM+137:20260501:102"), *refs, *loops, *rest])


FORMS = [
    ["LIN+1++5410000000012:EN", "PIA+1+7:IN:8:SA"],
    ["LIN+1++5410000000012:EN", "PIA+1+7:IN", "PIA+1+8:SA"],
    ["LIN+1++5410000000012:EN", "PIA+5+7:IN+8:SA"],
    ["LIN+1++7:IN", "PIA+1+5410000000012:EN"],
    ["LIN+1++7:IN"],
    ["LIN+1", "PIA+5+7:IN", "PIA+1+8:SA+9:SA"],
    ["LIN+1", "PIA+1+7:IN+5410000000012:EN"],
    ["LIN+1", "PIA+5+7:IN:105:92"],
    ["LIN+1++5410000000012:EN", "PIA+1+1:SA+2:SA+3:SA+4:SA+5:SA", "PIA+1+6:SA"],
]


@pytest.mark.parametrize("line", FORMS, ids="|".join)
def test_item_numbers_come_back_as_they_were_packed(items: Map, line: list[str]) -> None:
    """One list over LIN and PIA, whatever the sender's habit."""
    root = order(line)
    document = items.read(root).document
    assert flat(items.write(json.loads(json.dumps(document))).root) == flat(root)


def test_fresh_item_numbers_put_the_gtin_into_lin_and_the_rest_into_pia(items: Map) -> None:
    """Without a GTIN the first number stands in for it in PIA+5."""
    ids = [{"scheme": "buyer", "value": "7"}, {"scheme": "ean", "value": "5410000000012"}]
    head = {"number": "7", "issue_date": "2026-05-01"}
    lines = [{"line_id": "1", "item": {"ids": ids}}, {"line_id": "2", "item": {"ids": [*ids[:1], *ids[:1]]}}]
    made = flat(items.write({**head, "lines": lines}).root)
    assert made[2:7] == [
        ("LIN", "1", "", ("5410000000012", "EN")),
        ("PIA", "1", ("7", "IN")),
        ("LIN", "2"),
        ("PIA", "5", ("7", "IN")),
        ("PIA", "1", ("7", "IN")),
    ]


def test_an_added_number_is_written_the_usual_way(items: Map) -> None:
    """The wire's runs hold for as many numbers as they were."""
    document = items.read(order(FORMS[2])).document
    document["lines"][0]["item"]["ids"].append({"scheme": "supplier", "value": "9"})
    assert flat(items.write(document).root)[3] == ("PIA", "1", ("7", "IN"), ("8", "SA"), ("9", "SA"))


@pytest.mark.parametrize("memory", [["x"], [2], [0, ["5", -1]], [0, ["9", 1]], {"a": 1}, [True, "x"], 7])
def test_a_memory_of_runs_that_is_none_of_ours_is_passed_over(items: Map, memory: Any) -> None:
    """It may come from outside."""
    document = items.read(order(FORMS[4])).document
    document["lines"][0]["extensions"] = {"edifact": {"more": {"PIA+5|1": memory}}}
    assert flat(items.write(document).root)[2:4] == [("LIN", "1"), ("PIA", "5", ("7", "IN"))]


def test_behind_uns_the_same_tag_is_another_rules(items: Map) -> None:
    """The summary's segments are never taken for the header's."""
    root = order(FORMS[4], before=("RFF+ON:1",), more=("RFF+:2", "RFF+:3"))
    document = items.read(root).document
    assert [one["value"] for one in document["references"]] == ["1"]
    assert [one["reference"] for one in document["totals"]["allowance_charges"]] == ["2", "3"]
    assert flat(items.write(document).root) == flat(root)


def test_what_is_kept_is_written_back_and_not_reported(items: Map) -> None:
    """`keep`: the agency of a code is no field and no loss."""
    root = order(FORMS[4], before=("RFF+ON:1::A",))
    found = items.read(root)
    assert not found.unmapped
    assert flat(items.write(found.document).root) == flat(root)


def test_the_second_of_two_selecting_codes_comes_back(items: Map) -> None:
    """DTM+4 is read like DTM+137 and written as it came; a fresh date takes the first."""
    root = order(FORMS[4])
    root.children[1] = segment("DTM+4:20260501:102")
    document = items.read(root).document
    assert document["issue_date"] == "2026-05-01"
    assert flat(items.write(document).root) == flat(root)
    document["issue_date"] = "2026-05-02"
    assert flat(items.write(document).root)[1] == ("DTM", ("137", "20260502", "102"))


def test_an_answer_and_a_backorder_are_told_apart_by_their_status() -> None:
    """`[status!=backordered]` is the line's own answer, wherever it stands in the list."""
    own = shipped_map("edifact/ORDRSP")
    backorder = {"status": "backordered", "quantity": {"value": "8"}}
    answer = {"status": "changed", "quantity": {"value": "16"}}
    base = {"order": {"number": "1"}, "response": "accepted_with_changes", "issue_date": "2026-05-01"}
    for responses in ([backorder, answer], [answer, backorder]):
        writing = own.write({**base, "lines": [{"line_id": "1", "responses": responses}]})
        assert not writing.lost
        made = flat(writing.root)
        assert ("LIN", "1", "3") in made
        assert [one for one in made if one[0] == "QTY"] == [("QTY", ("113", "16")), ("QTY", ("83", "8"))]


def test_a_third_answer_of_a_line_is_lost_and_said() -> None:
    """An ORDRSP has one DE 1229 for a line."""
    own = shipped_map("edifact/ORDRSP")
    responses = [{"status": "accepted"}, {"status": "rejected"}]
    writing = own.write({"order": {"number": "1"}, "response": "accepted", "lines": [{"responses": responses}]})
    assert [one.pointer for one in writing.lost] == ["/lines/0/responses/1"]


def test_a_fixed_field_that_says_otherwise_is_lost_and_said() -> None:
    """An ORDRSP is original and nothing else."""
    own = shipped_map("edifact/ORDRSP")
    document = own.read(Loop("", [segment("BGM+231+1+29")])).document
    assert document["purpose"] == "original"
    writing = own.write({**document, "purpose": "duplicate"})
    assert [one.pointer for one in writing.lost] == ["/purpose"]


WRONG = [
    ("more: item.ids", "more: item.idz", "item.idz"),
    ("LIN03.1..4: item.ids | ids item 4", "LIN03.1: item.name", "item.ids"),
    ("{PIA02..06.1..4: item.ids | ids item 4}", "{PIA02.1: item.name}", "item.ids"),
]


@pytest.mark.parametrize(("right", "wrong", "said"), WRONG, ids=lambda each: each)
def test_more_of_a_list_that_nothing_begins_is_refused(right: str, wrong: str, said: str) -> None:
    """With the line."""
    with pytest.raises(OurFault) as caught:
        compile_map("t/ORDERS", {"t/ORDERS": ITEMS.replace(right, wrong, 1)})
    assert any(said in finding.text for finding in caught.value.findings)
