"""Each law refuses the JSON map that breaks it, with file, line, key and the near miss; deltas; heads."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import OurFault
from gateway.mapping import Head, compile_json_map, compile_map, from_folders, head, shipped

HEAD = "document: json\ncanonical: order_acknowledgement\n"
FIELDS = HEAD + "fields:\n  /Number: order.number\n  /Status: response\n"
NOTICE = "document: json\ncanonical: ship_notice\nfields: {/Number: number}\nlists:\n"

# Map file, rule, line, key, what the message must say.
BROKEN: dict[str, tuple[str, str, int, str, str]] = {
    "unknown key": (FIELDS + "exmples: []\n", "map.key.unknown", 6, "exmples", "did you mean examples?"),
    "a segment map's key": (FIELDS + "segments: []\n", "map.key.unknown", 6, "segments", "one of"),
    "unknown field": (FIELDS + "  /A: order.numbr\n", "map.field.unknown", 6, "/A", "did you mean number?"),
    "unknown pair": (FIELDS + "  /A: issue_date | dat\n", "map.pair.unknown", 6, "/A", "did you mean date?"),
    "pair without its table": (FIELDS + "  /A: number | flag\n", "map.pair.unknown", 6, "/A", "with its parameters"),
    "two pairs": (FIELDS + "  /A: number | list | date\n", "map.pair.unknown", 6, "/A", "one pair"),
    "pair for another type": (FIELDS + "  /A: number | date\n", "map.field.type", 6, "/A", "date field"),
    "a number for a date": (FIELDS + "  /A: issue_date | number\n", "map.field.type", 6, "/A", "decimal field"),
    "unknown table": (FIELDS + "  /A: purpose | code purpse\n", "map.codes.unknown", 6, "/A", "a table under codes"),
    "no field at all": (FIELDS + "  /A: ~\n", "map.file.shape", 6, "/A", "a path"),
    "no pointer": (FIELDS + "  A: number\n", "map.address.wrong", 6, "A", "JSON Pointer"),
    "a member within a line's": (FIELDS + "  /Number/A: number\n", "map.address.twice", 6, "/Number/A", "one rule"),
    "a member around a line's": (
        FIELDS + "  /A/B: number\n  /A: contract_number\n",
        "map.address.twice",
        7,
        "/A",
        "parts",
    ),
    "a field twice": (FIELDS + "  /A: order.number\n", "map.field.twice", 6, "/A", "one line"),
    "a constant's field": (FIELDS + "  /A: =1 with numer\n", "map.field.unknown", 6, "/A", "a line beside it"),
    "what is counted": (FIELDS + "  /A: totals.line_count | count order\n", "map.field.type", 6, "/A", "a list"),
    "a word of a closed field": (
        "codes: {r: {A: acepted}}\n" + FIELDS.replace("response", "response | code r"),
        "map.codes.word",
        6,
        "/Status",
        "did you mean accepted?",
    ),
    "what the model demands": (HEAD + "fields:\n  /A: order.number\n", "map.field.required", 3, "fields", "response"),
    "an unknown kind": ("document: json\ncanonical: order\nfields: {}\n", "map.key.missing", 2, "canonical", "one of"),
    "a way that is none": (FIELDS + "one_way: read\n", "map.file.shape", 6, "one_way", "write"),
    "no such list": (
        FIELDS + "lists:\n  - {each: linse, at: /L, fields: {}}\n",
        "map.field.unknown",
        7,
        "/L",
        "lines?",
    ),
    "a list of texts": (
        NOTICE + "  - {each: seals, at: /S, fields: {/A: number}}\n",
        "map.field.type",
        5,
        "/S",
        "the pair list",
    ),
    "a list without a place": (FIELDS + "lists:\n  - {each: lines, fields: {}}\n", "map.file.shape", 7, "/?", "at:"),
    "a list twice": (
        FIELDS
        + "lists:\n  - {each: notes, at: /A, fields: {/T: text}}\n  - {each: notes, at: /B, fields: {/T: text}}\n",
        "map.field.twice",
        8,
        "/B",
        "one rule for the list",
    ),
    "an unknown key of a list": (
        FIELDS + "lists:\n  - {each: notes, at: /A, feilds: {/T: text}}\n",
        "map.key.unknown",
        7,
        "/A",
        "did you mean fields?",
    ),
    "several kinds in one list": (
        NOTICE + "  - {each: contents, at: /C, fields: {/S: sscc}}\n",
        "map.file.shape",
        5,
        "/C",
        "or a tree",
    ),
    "a level of no kind": (
        NOTICE + "  - {tree: contents, at: /C, by: /K, levels: {A: {is: pallet, fields: {/S: sscc}}}}\n",
        "map.field.unknown",
        5,
        "/C/A.kind",
        "one of order, handling_unit, line",
    ),
    "a level under no level": (
        NOTICE + "  - {tree: contents, at: /C, by: /K, levels: {A: {is: line, in: [B], fields: {/L: line_id}}}}\n",
        "map.field.unknown",
        5,
        "/C/A",
        "a level",
    ),
    "an example of a segment map": (
        FIELDS + "examples: [{edi: a, canonical: b}]\n",
        "map.file.shape",
        6,
        "examples",
        "json",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_map_that_breaks_a_law_is_refused_with_its_place(name: str) -> None:
    """File, line, key, what is wanted; and a remedy."""
    text, rule, line, key, wanted = BROKEN[name]
    with pytest.raises(OurFault) as caught:
        compile_json_map("t/j", {"t/j": text})
    found = {(one.rule, one.place.line, one.place.key): one for one in caught.value.findings}  # type: ignore[union-attr]
    assert (rule, line, key) in found
    one = found[rule, line, key]
    assert wanted in f"{one.said} {one.wanted}"
    assert str(one.place).startswith(f"maps/t/j.yaml:{line}")
    assert one.fix


def test_all_problems_come_at_once() -> None:
    """Three mistakes, three findings."""
    text = FIELDS + "  /A: nothing.here\n  /B: number | dat\nlists:\n  - {each: linse, at: /L, fields: {}}\n"
    with pytest.raises(OurFault) as caught:
        compile_json_map("t/j", {"t/j": text})
    assert len(caught.value.findings) == 3


def test_a_delta_changes_lines_lists_and_tables() -> None:
    """Fields are merged or removed, lists by their pointer, arrays removed, added."""
    delta = (
        "extends: t/base\ncodes: {r: {OK: accepted, AD: ~}}\n"
        "fields: {/Status: response | code r, /Date: issue_date | date, /Note: ~}\n"
        "lists:\n  - {at: /Items, fields: {/Line: order_line_id, /Old: ~}}\n"
        "  - {each: references, at: /References, fields: {/T: type}}\n"
        "remove: [/Items/Answers]\n"
    )
    base = (
        "codes: {r: {AD: accepted, RJ: rejected}}\n" + FIELDS.replace("response", "response | code r")
        + "  /Note: number\nlists:\n  - each: lines\n    at: /Items\n    fields: {/Line: line_id, /Old: item.name}\n"
        "    lists:\n      - {each: responses, at: /Answers, fields: {/S: status}}\n"
    )  # fmt: skip
    own = compile_json_map("t/own", {"t/own": delta, "t/base": base})
    document = {
        "order": {"number": "1"}, "response": "accepted", "number": "n", "issue_date": "2026-01-02",
        "lines": [{"order_line_id": "7", "responses": [{"status": "accepted"}]}], "references": [{"type": "x"}],
    }  # fmt: skip
    body = own.write(document).body
    assert body == {
        "Number": "1", "Status": "OK", "Date": "2026-01-02", "Items": [{"Line": "7"}], "References": [{"T": "x"}],
    }  # fmt: skip
    for word, rule in (
        ("fields: {}\nremove: [/Items/Anwsers]", "map.change.nowhere"),
        ("chnage: {}", "map.key.unknown"),
    ):
        with pytest.raises(OurFault) as caught:
            compile_json_map("t/own", {"t/own": f"extends: t/base\n{word}\n", "t/base": base})
        assert [one.rule for one in caught.value.findings] == [rule]


def test_a_map_for_other_documents_is_refused_both_ways() -> None:
    """A segment map is no JSON map, and the other way round; heads tell them apart."""
    find = from_folders(shipped())
    with pytest.raises(OurFault) as caught:
        compile_json_map("x12/855", find)
    assert [one.rule for one in caught.value.findings] == ["map.document.other"]
    with pytest.raises(OurFault) as caught:
        compile_map("erp/order_acknowledgement", find)
    assert [one.rule for one in caught.value.findings] == ["map.document.other"]
    assert head("acme/855", find) == Head(document="855", canonical="order_acknowledgement")
    assert head("erp/order_acknowledgement", find) == Head(document="json", canonical="order_acknowledgement")
    assert head("no/such", find) is None


def test_a_map_that_is_no_utf_8_is_refused_not_a_traceback(tmp_path: Path) -> None:
    """As any other broken file; its head cannot be told."""
    (tmp_path / "own.yaml").write_bytes(b"document: json\n# \xff\n")
    find = from_folders(tmp_path)
    with pytest.raises(OurFault, match="UTF-8"):
        compile_json_map("own", find)
    assert head("own", find) is None
