"""The generated readers and writers say what the slow ones say: on every shipped map, and on what they leave alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.canonical import dump, parse
from gateway.edi.tree import Loop, Repeats, Segment
from gateway.mapping import Map, compile_map, from_folders, shipped
from gateway.mapping.draw import draw
from gateway.mapping.laws import flat
from gateway.mapping.segments import segment as lenses
from gateway.mapping.segments.segment import WARM, SegmentLens

MAPS = sorted(
    path.relative_to(str(shipped())).with_suffix("").as_posix()
    for folder in ("x12", "edifact")
    for path in Path(str(shipped())).glob(f"{folder}/**/*.yaml")
)


def drawn(own: Map, seed: int) -> dict[str, Any]:
    """A document as stored JSON gives it."""
    model, errors = parse(own.canonical, draw(own, seed))
    assert model is not None, errors
    made: dict[str, Any] = json.loads(json.dumps(dump(model)))
    return made


@pytest.mark.parametrize("name", MAPS)
def test_generated_functions_say_what_the_slow_ones_say(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same trees and the same documents, once every lens that is used is warm."""
    own = compile_map(name, from_folders(shipped()))
    documents = [drawn(own, seed) for seed in range(40)]
    for document in documents:
        own.read(own.write(document).root)
    trees = [own.write(document).root for document in documents]
    read = [own.read(root).document for root in trees]
    monkeypatch.setattr(SegmentLens, "write", SegmentLens.write_slowly)
    monkeypatch.setattr(SegmentLens, "read", SegmentLens.read_slowly)
    assert [flat(own.write(document).root) for document in documents] == [flat(root) for root in trees]
    assert [own.read(root).document for root in trees] == read


BODY = """
document: 855
canonical: order_acknowledgement
codes:
  response: {AD: accepted, AC: accepted_with_changes, AE: {read: accepted_with_changes}}
  scheme: {BP: buyer, IN: {read: buyer}, VP: supplier}
segments:
  - BAK: {BAK02: response | code response beside source_code, BAK03: order.number, BAK09: issue_date | date}
  - CUR: {CUR01: =SE, CUR02: currency.code}
  - loop: PO1
    each: lines
    segments:
      - PO1:
          PO101: line_id
          PO102: quantity.value | decimal
          PO104: prices[type=unit].amount | decimal
          PO106..09: item.ids | pairs scheme
"""


@pytest.fixture
def warm() -> Map:
    """A small map whose lenses have all been used."""
    own = compile_map("t/855", {"t/855": BODY})
    line = ["1", "5", "", "9.95", "", "BP", "A"]
    root = Loop(
        "",
        [
            Segment("BAK", ["00", "AD", "1"]),
            Segment("CUR", ["SE", "USD"]),
            Loop("PO1", [Segment("PO1", [*line])]),
        ],
    )
    for _ in range(WARM + 2):
        own.write(own.read(root).document)
    root.children[0] = Segment("BAK", ["", "AD", "1"])
    for _ in range(WARM + 2):
        own.write(own.read(root).document)
    return own


ODD: list[tuple[str, list[Any]]] = [
    ("an element no line names", ["1", "5", "EA"]),
    ("an element beyond all", ["1", "5", "", "1", "", "BP", "A", "VP", "B", "more"]),
    ("a number in another form", ["1", "05"]),
    ("no number", ["1", "five"]),
    ("digits of another script", ["1", "\u0665"]),
    ("a superscript", ["1", "\u00b2"]),
    ("a composite", [("1", "2"), "5"]),
    ("repeats", [Repeats(("1", "2")), "5"]),
    ("a code that only reads", ["1", "5", "", "", "", "IN", "A"]),
    ("an unknown code", ["1", "5", "", "", "", "ZZ", "A"]),
    ("a qualifier without a value", ["1", "5", "", "", "", "BP"]),
    ("nothing", []),
]


@pytest.mark.parametrize(("what", "elements"), ODD, ids=[what for what, _ in ODD])
def test_what_is_odd_is_left_to_the_slow_reader(
    warm: Map, what: str, elements: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same document, the same reports, the same bytes."""
    root = Loop("", [Segment("BAK", ["", "AE", "1"]), Loop("PO1", [Segment("PO1", elements)])])
    swift = warm.read(root)
    assert flat(warm.write(swift.document).root) == flat(root), what
    monkeypatch.setattr(SegmentLens, "read", SegmentLens.read_slowly)
    slow = warm.read(root)
    assert (swift.document, swift.unmapped, swift.findings) == (slow.document, slow.unmapped, slow.findings)


def test_no_text_of_a_map_stands_in_a_generated_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes and constants with quotes and line breaks are constants beside the function."""
    hostile = "x\"'\\n){}; raise SystemExit"
    body = BODY.replace("AC: accepted_with_changes,", "'" + hostile.replace("'", "''") + "': accepted_with_changes,")
    own = compile_map("t/855", {"t/855": body})
    seen: list[str] = []
    made = lenses.reader

    def spy(*given: Any) -> Any:
        function = made(*given)
        if function is not None:
            seen.extend(str(each) for each in function.__code__.co_consts)
        return function

    monkeypatch.setattr(lenses, "reader", spy)
    root = Loop("", [Segment("BAK", ["", "AD", "1", "", "", "", "", "", "20260501"])])
    for _ in range(WARM + 2):
        own.read(root)
    assert seen
    assert not any("SystemExit" in each for each in seen)


def test_an_empty_list_is_written_alike_by_both_writers() -> None:
    """Canonical JSON has none; who calls the map without it gets no traceback after the eighth document."""
    own = compile_map("x12/850", from_folders(shipped()))
    document: dict[str, Any] = {"number": "1", "parties": [{"ids": []}]}
    first, *others = [flat(own.write(document).root) for _ in range(2 * WARM + 2)]
    assert ("N1",) in first
    assert all(one == first for one in others)
