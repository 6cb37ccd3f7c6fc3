"""HL both ways: any nesting the map allows, numbers and HL04 as the engine's work."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.edi.tree import Loop, Segment
from gateway.mapping import shipped_map
from gateway.mapping.laws import flat

LEVELS = {"order": "O", "pallet": "T", "carton": "P", "line": "I"}


def node(kind: str, *contents: dict[str, Any]) -> dict[str, Any]:
    """A node with what is in it."""
    made: dict[str, Any] = {"kind": kind} if kind in ("order", "line") else {"kind": "handling_unit", "type": kind}
    if kind == "order":
        made["order"] = {"number": "PO1"}
    if contents:
        made["contents"] = list(contents)
    return made


TREES = {
    "pick and pack": node("order", node("carton", node("line")), node("carton", node("line"), node("line"))),
    "pallets": node("order", node("pallet", node("carton", node("line")), node("carton", node("line")))),
    "standard pack": node("order", node("line", node("carton"), node("carton"))),
    "a pallet over two orders": node("pallet", node("order", node("line")), node("order", node("line"))),
    "loose": node("order", node("line"), node("line")),
}


@pytest.mark.parametrize("name", TREES)
def test_a_tree_is_written_with_running_numbers_and_read_again(name: str) -> None:
    """HL01 runs in wire order, HL02 names the parent."""
    own = shipped_map("x12/856")
    document = {"number": "1", "contents": [TREES[name]]}
    root = own.write(document).root
    numbers = [segment for segment in flat(root) if segment[0] == "HL"]
    assert [one[1] for one in numbers] == [str(place + 1) for place in range(len(numbers))]
    assert all(int(one[2]) < int(one[1]) for one in numbers[1:])
    assert flat(root)[-1] == ("CTT", str(len(numbers)))
    again = own.read(root)
    assert not again.findings
    assert again.document == document


def nested(depth: int) -> Loop:
    """A chain of packages under one order."""
    loop = Loop("HL", [Segment("HL", [str(depth), str(depth - 1), "P"])])
    for number in range(depth - 1, 0, -1):
        code = "S" if number == 1 else "O" if number == 2 else "P"
        loop = Loop("HL", [Segment("HL", [str(number), str(number - 1) if number > 1 else "", code]), loop])
    return Loop("", [Segment("BSN", ["00", "1"]), loop])


def test_thirty_levels_come_back_and_forty_are_a_finding() -> None:
    """Never a crash."""
    own = shipped_map("x12/856")
    root = nested(30)
    reading = own.read(root)
    assert flat(own.write(reading.document).root) == flat(root)
    assert "map.read.too_deep" in [one.rule for one in own.read(nested(40)).findings]


@pytest.mark.parametrize("codes", [("", "", ""), ("1", "1", "0"), ("1", "", "0"), ("", "1", "")])
def test_hl04_comes_back_as_it_was(codes: tuple[str, str, str]) -> None:
    """Everywhere, nowhere, or here and there."""
    levels = [["1", "", "S"], ["2", "1", "O"], ["3", "2", "I"]]
    segments = [Segment("HL", [*level, *([code] if code else [])]) for level, code in zip(levels, codes, strict=True)]
    line = Loop("HL", [segments[2]])
    root = Loop("", [Segment("BSN", ["00", "1"]), Loop("HL", [segments[0], Loop("HL", [segments[1], line])])])
    own = shipped_map("x12/856")
    assert flat(own.write(own.read(root).document).root) == flat(root)


def test_an_unknown_level_is_kept_whole_in_its_place() -> None:
    """And reported element by element."""
    odd = Loop("HL", [Segment("HL", ["2", "1", "Q"]), Segment("LIN", ["1"])])
    root = Loop("", [Segment("BSN", ["00", "1"]), Loop("HL", [Segment("HL", ["1", "", "S"]), odd])])
    own = shipped_map("x12/856")
    reading = own.read(root)
    assert [one.value for one in reading.unmapped] == ["2", "1", "Q", "1"]
    assert flat(own.write(reading.document).root) == flat(root)


def test_a_node_of_no_level_is_lost_and_said() -> None:
    """With the levels there are."""
    writing = shipped_map("x12/856").write({"number": "1", "contents": [{"kind": "handling_unit", "type": "drum"}]})
    assert writing.lost[0].pointer == "/contents/0"
    assert "handling_unit pallet" in writing.lost[0].reason


def test_the_wires_own_numbers_are_given_up_where_an_edit_would_use_one_twice() -> None:
    """1, 3, 4 on the wire; the first order goes and two come: no HL01 twice."""
    levels = [Segment("HL", [number, parent, code]) for number, parent, code in (("3", "1", "O"), ("4", "1", "O"))]
    orders = [Loop("HL", [level, Segment("PRF", [f"PO{n}"])]) for n, level in enumerate(levels)]
    shipment = Loop("HL", [Segment("HL", ["1", "", "S"]), *orders])
    own = shipped_map("x12/856")
    document = own.read(Loop("", [Segment("BSN", ["00", "S1", "20260501", "1200"]), shipment])).document
    assert [one[1] for one in flat(own.write(document).root) if one[0] == "HL"] == ["1", "3", "4"]
    document["contents"] = [document["contents"][1], node("order"), node("order")]
    numbers = [one[1] for one in flat(own.write(document).root) if one[0] == "HL"]
    assert len(set(numbers)) == len(numbers) == 4


def test_the_same_holds_of_packages() -> None:
    """CPS 1, 3, 4 on the wire; the first package goes and two come: no CPS01 twice."""
    parts = [
        Loop("CPS", [Segment("CPS", [number, "1"]), Loop("PAC", [Segment("PAC", ["1", "", "CT"])])])
        for number in ("3", "4")
    ]
    own = shipped_map("edifact/DESADV")
    document = own.read(
        Loop("", [Segment("BGM", ["351", "D1", "9"]), Loop("CPS", [Segment("CPS", ["1"])]), *parts])
    ).document
    packages = document["contents"]
    assert [one[1] for one in flat(own.write(document).root) if one[0] == "CPS"] == ["1", "3", "4"]
    fresh = {name: value for name, value in packages[1].items() if name != "extensions"}
    document["contents"] = [packages[1], dict(fresh), dict(fresh)]
    numbers = [one[1] for one in flat(own.write(document).root) if one[0] == "CPS"]
    assert len(set(numbers)) == len(numbers) == 4
