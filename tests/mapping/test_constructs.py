"""The hard cases of the language and their way out: nth, when, inherit, ignore, repeats, SDQ, joins, digits, stamps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.edi.tree import Loop, Repeats, Segment
from gateway.errors import OurFault
from gateway.mapping import Map, compile_map
from gateway.mapping.codes import Codes
from gateway.mapping.groups import Allocations, Id, Ids, Joined, Wrapped
from gateway.mapping.laws import flat
from gateway.mapping.moments import Day, Moment, Stamp
from gateway.mapping.pairs import Checked, Fields, Same, read_texts, write_texts

Tree = Callable[..., Loop]
HEAD = 'document: 850\ncanonical: purchase_order\ncodes: {scheme: {"92": assigned_by_buyer, UL: gln}}\nsegments:\n'
BEG = "  - BEG: {BEG03: number, BEG05: issue_date | date}\n"
LINES = "  - loop: PO1\n    each: lines\n    segments:\n      - PO1: {PO101: line_id}\n"


def order(body: str) -> Map:
    """A map of an 850: BEG, `body`, lines."""
    return compile_map("t/850", {"t/850": HEAD + BEG + body})


def both_ways(own: Map, root: Loop) -> dict[str, Any]:
    """The document of `root`, which is written again as it came with nothing reported."""
    reading = own.read(root)
    assert not reading.unmapped
    assert flat(own.write(reading.document).root) == flat(root)
    document = dict(reading.document)
    assert "extensions" not in document
    return document


def test_the_second_of_two_like_segments_has_its_own_rule(tree: Tree) -> None:
    """Only their order tells them apart."""
    own = order("  - PID: {PID05: contract_number}\n    nth: 1\n  - PID: {PID05: revision}\n    nth: 2\n" + LINES)
    document = both_ways(own, tree("BEG***1**20260501", "PID*****A", "PID*****B", ["PO1*1"]))
    assert (document["contract_number"], document["revision"]) == ("A", "B")
    lost = own.write({name: value for name, value in document.items() if name != "contract_number"}).lost
    assert [one.value for one in lost] == ["PID*****B"]


def test_a_condition_decides_both_ways(tree: Tree) -> None:
    """The same segment means another field in a change."""
    own = compile_map(
        "t/850",
        {
            "t/850": HEAD.replace("codes: {", 'codes: {purpose: {"00": original, "04": change}, ')
            + "  - BEG: {BEG01: purpose | code purpose, BEG03: number, BEG05: issue_date | date}\n"
            + "  - MSG: {MSG01: revision}\n    when: purpose = change\n"
            + "  - MSG: {MSG01: contract_number}\n    when: purpose in original, duplicate\n"
            + LINES
        },
    )
    assert both_ways(own, tree("BEG*00**1**20260501", "MSG*A", ["PO1*1"]))["contract_number"] == "A"
    change = both_ways(own, tree("BEG*04**1**20260501", "MSG*A", ["PO1*1"]))
    assert change["revision"] == "A"
    (lost,) = own.write({**change, "purpose": "original"}).lost
    assert "purpose = change" in lost.reason


def test_lines_inherit_what_the_header_says(tree: Tree) -> None:
    """A line that says it itself keeps its own; equal lines give it back to the header."""
    own = order("  - DTM*002: {DTM02: requested_delivery.at | when}\n    inherit: lines\n" + LINES)
    root = tree("BEG***1**20260501", "DTM*002*20260601", ["PO1*1"], ["PO1*2"])
    document = both_ways(own, root)
    day = {"value": "2026-06-01", "precision": "day"}
    assert [line["requested_delivery"] for line in document["lines"]] == [{"at": day}, {"at": day}]


def test_a_value_that_differs_stays_with_its_line(tree: Tree) -> None:
    """And `hoist: never` leaves equal ones with their lines too."""
    line = LINES + "      - DTM*002: {DTM02: requested_delivery.at | when}\n"
    own = order("  - DTM*002: {DTM02: requested_delivery.at | when}\n    inherit: lines\n" + line)
    never = order("  - DTM*002: {DTM02: requested_delivery.at | when}\n    inherit: lines\n    hoist: never\n" + line)
    root = tree("BEG***1**20260501", "DTM*002*20260601", ["PO1*1", "DTM*002*20260701"], ["PO1*2"])
    document = own.read(root).document
    values = [each["requested_delivery"]["at"]["value"] for each in document["lines"]]
    assert values == ["2026-07-01", "2026-06-01"]
    written = [one[0] for one in flat(own.write(document).root)]
    assert written == ["BEG", "PO1", "DTM", "PO1", "DTM"]
    equal = tree("BEG***1**20260501", "DTM*002*20260601", ["PO1*1"], ["PO1*2"])
    assert [one[0] for one in flat(own.write(own.read(equal).document).root)] == ["BEG", "DTM", "PO1", "PO1"]
    assert [one[0] for one in flat(never.write(never.read(equal).document).root)] == ["BEG", "PO1", "DTM", "PO1", "DTM"]


def test_what_is_ignored_is_neither_reported_nor_kept(tree: Tree) -> None:
    """A whole segment, a loop, an element."""
    own = order("  - REF*ZZ: ignore\n  - N9: ignore\n  - REF*DP: {REF02: revision, REF03: ignore}\n" + LINES)
    root = tree("BEG***1**20260501", "REF*DP*7*x", "REF*ZZ*9", ["N9*A*B", "MSG*C"], ["PO1*1"])
    reading = own.read(root)
    assert not reading.unmapped
    assert "extensions" not in reading.document
    assert [one[0] for one in flat(own.write(reading.document).root)] == ["BEG", "REF", "PO1"]


def test_repeats_are_kept_whole_and_reported(tree: Tree) -> None:
    """No line of the language names one of them."""
    own = order(LINES)
    root = tree("BEG***1**20260501", ["PO1*1"])
    line = root.children[1]
    assert isinstance(line, Loop)
    line.children[0] = Segment("PO1", ["1", Repeats(("A", ("B", "C")))])
    reading = own.read(root)
    assert [(one.tag, one.element, one.value) for one in reading.unmapped] == [("PO1", 2, "A^B:C")]
    assert flat(own.write(reading.document).root) == flat(root)


SDQ = LINES + "      - SDQ: {SDQ01..22: allocations | allocations scheme}\n        repeat: yes\n"


def test_store_allocations_fill_as_many_segments_as_they_need(tree: Tree) -> None:
    """Ten a segment; another unit starts another one."""
    own = order(SDQ)
    pairs = "*".join(f"{store}*{store}0" for store in range(1, 11))
    root = tree("BEG***1**20260501", ["PO1*1", f"SDQ*EA*92*{pairs}", "SDQ*EA*92*11*7", "SDQ*CA*92*12*1"])
    document = both_ways(own, root)
    allocations = document["lines"][0]["allocations"]
    assert len(allocations) == 12
    assert allocations[11] == {
        "location": {"scheme": "assigned_by_buyer", "value": "12"},
        "quantity": {"value": "1", "unit": "CT"},
    }


def test_an_allocation_without_a_quantity_is_kept_whole(tree: Tree) -> None:
    """Nothing is half read."""
    own = order(SDQ)
    root = tree("BEG***1**20260501", ["PO1*1", "SDQ*EA*92*1*5*2"])
    reading = own.read(root)
    assert "allocations" not in reading.document["lines"][0]
    assert flat(own.write(reading.document).root) == flat(root)


CODES = Codes("c", {"EN": "ean", "IN": "buyer", "BP": "buyer"}, {"ean": "EN", "buyer": "IN"})
AGENCIES = Codes("a", {"182": "scac"}, {"scac": "182"})
PAIRS: list[tuple[Any, list[str], Any]] = [
    (Stamp(), ["20260501", "102"], {"value": "2026-05-01", "precision": "day"}),
    (Stamp(), ["202605010830", "203"], {"value": "2026-05-01T08:30", "precision": "minute"}),
    (Stamp(), ["20260501083059", "204"], {"value": "2026-05-01T08:30:59", "precision": "second"}),
    (Stamp(), ["202605", "610"], {"value": "2026-05", "precision": "month"}),
    (Stamp(), ["2026", "602"], {"value": "2026", "precision": "year"}),
    (Stamp(), ["202605010830CET", "303"], {"value": "2026-05-01T08:30", "precision": "minute", "zone": "CET"}),
    (Day(), ["20260501", "102"], "2026-05-01"),
    (Moment(), ["20260501", "102"], {"at": {"value": "2026-05-01", "precision": "day"}}),
    (Moment(), ["2026050120260601", "718"], {"period": "2026050120260601", "period_format": "718"}),
    (Moment(), ["202618", "616"], {"period": "202618", "period_format": "616"}),
    (Joined(", "), ["Miller", "Ann"], "Miller, Ann"),
    (Ids(CODES, 2), ["5412345000013", "EN", "7", "IN"], [
        {"scheme": "ean", "value": "5412345000013"}, {"scheme": "buyer", "value": "7"},
    ]),
    (Ids(CODES, 3), ["5", "", "EN"], [{"scheme": "ean", "value": "5"}]),
    (Ids(CODES, 3), ["5", "160", "EN"], [{"scheme": "ean", "value": "5", "code_list": "160"}]),
    (Ids(CODES, 4), ["5", "EN", "160", "92"], [{"scheme": "ean", "value": "5", "code_list": "160", "agency": "92"}]),
    (Id(Ids(CODES, 3)), ["5", "", "EN"], {"scheme": "ean", "value": "5"}),
    (Wrapped(3), ["abc", "def", "gh"], "abcdefgh"),
    (Joined("\n"), ["Gate 4", "Ring twice"], "Gate 4\nRing twice"),
    (Fields(AGENCIES, Same(), 3, last=True), ["XPOE", "", "182"], {"scac": "XPOE"}),
    (Ids(CODES, 2), ["5", "BP"], [{"scheme": "buyer", "value": "5", "source_code": "BP"}]),
    (Checked("gtin"), ["4006381333931"], "4006381333931"),
    (Checked("gln"), ["5412345000013"], "5412345000013"),
    (Checked("sscc"), ["340123450000000017"], "340123450000000017"),
]  # fmt: skip


@pytest.mark.parametrize(("pair", "texts", "value"), PAIRS)
def test_pairs_read_and_write(pair: Any, texts: list[str], value: Any) -> None:
    """One table, both ways."""
    assert read_texts(pair, texts) == value
    assert write_texts(pair, value, 6) == texts


REFUSED: list[tuple[Any, list[str]]] = [
    (Stamp(), ["20260501"]),
    (Stamp(), ["20260231", "102"]),
    (Stamp(), ["202605", "102"]),
    (Stamp(), ["202618", "616"]),
    (Stamp(), ["2026050120260601", "718"]),
    (Stamp(), ["\u0662\u0660\u0662\u0666\u0660\u0665\u0660\u0661", "102"]),
    (Day(), ["202605", "610"]),
    (Ids(CODES, 2), ["5"]),
    (Ids(CODES, 3), ["", "X", "EN"]),
    (Id(Ids(CODES, 2)), ["5", "ZZ"]),
    (Fields(AGENCIES, Same(), 3, last=True), ["XPOE", "", "9"]),
    (Ids(CODES, 2), ["5", "ZZ"]),
    (Allocations(CODES), ["EA", "EN", "1"]),
    (Allocations(CODES), ["EA"]),
    (Checked("gtin"), ["4006381333932"]),
    (Checked("gln"), ["4006381333931x"]),
    (Checked("sscc"), ["18"]),
]


@pytest.mark.parametrize(("pair", "texts"), REFUSED)
def test_what_a_pair_does_not_understand_is_none(pair: Any, texts: list[str]) -> None:
    """Weeks and periods are no point in time; a wrong check digit is no number."""
    assert read_texts(pair, texts) is None


def test_two_digit_years_and_times_where_a_day_is_meant_are_read_and_kept() -> None:
    """They are written with four digits, and as days; the reader keeps the wire's form beside."""
    assert read_texts(Stamp(), ["991231", "101"]) == {"value": "1999-12-31", "precision": "day"}
    assert read_texts(Stamp(), ["260501", "101"]) == {"value": "2026-05-01", "precision": "day"}
    assert read_texts(Day(), ["202605010830", "203"]) == "2026-05-01"


WRONG = [
    ("  - PID: {PID05: revision}\n    nth: two\n", "nth", "1 to 99"),
    ("  - PID: {PID05: revision}\n    when: purpose is change\n", "when", "field = word"),
    ("  - PID: {PID05: revision}\n    when: porpose = change\n", "when", "purpose"),
    ("  - DTM*002: {DTM02: requested_delivery.at | when}\n    inherit: line\n", "inherit", "lines"),
    ("  - DTM*002: {DTM02: requested_delivery.at | when}\n    inherit: lines\n    hoist: often\n", "hoist", "never"),
    ("  - N1: {N102: revision, N102.1: contract_number}\n", "N102.1", "one line"),
    ("  - DTM: {DTM01.2..3: revision}\n", "DTM01.2..3", "pair"),
    ("  - N1: {N103: revision | gtins}\n", "N103", "gtin"),
]


@pytest.mark.parametrize(("body", "key", "hint"), WRONG)
def test_a_wrong_word_is_refused_with_its_key_and_the_remedy(body: str, key: str, hint: str) -> None:
    """And with its line."""
    with pytest.raises(OurFault) as raised:
        order(body + LINES)
    (found,) = [one for one in raised.value.findings if key in one.text]
    assert hint in found.wanted
    assert found.place.line in (6, 7, 8)  # type: ignore[union-attr]


def test_words_of_one_code_are_written_and_the_loss_is_told(tree: Tree) -> None:
    """1229 knows only `changed`; a price change is written as one, and said to come back as less."""
    head = HEAD.replace(
        "codes: {", 'codes: {purpose: {"00": original, "04": {read: change, write: [change, replace]}}, '
    )
    own = compile_map(
        "t/850",
        {"t/850": head + "  - BEG: {BEG01: purpose | code purpose, BEG03: number, BEG05: issue_date | date}\n" + LINES},
    )
    document = both_ways(own, tree("BEG*04**1**20260501", ["PO1*1"]))
    assert document["purpose"] == "change"
    for _ in range(12):  # slow and swift
        writing = own.write({**document, "purpose": "replace"})
        assert flat(writing.root)[0][1] == "04"
        (lost,) = writing.lost
        assert (lost.pointer, lost.value, lost.reason) == ("/purpose", "replace", "written, but read back as change")
