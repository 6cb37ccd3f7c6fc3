"""Lineage: every field of a document names the elements that said it, and every mapped element its field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.edi import library, reading
from gateway.edi.tree import Loop, Message, Segment
from gateway.mapping import compile_map, shipped_map
from gateway.mapping.trace import Origin

ROOT = Path(__file__).parents[2]
ACKNOWLEDGMENT = ROOT / "samples/x12/855-split.edi"


def traced(path: Path, name: str) -> tuple[dict[str, Any], tuple[Origin, ...]]:
    """Document and origins of the first set."""
    events = reading.read(path.read_bytes(), guides=library.standard())
    message = next(event for event in events if isinstance(event, Message))
    found = shipped_map(name).read(message.root, traced=True)
    return found.document, found.origins


def leaves(value: Any, at: str = "") -> set[str]:
    """The pointers of all texts of a document, but for what the engine adds."""
    if isinstance(value, dict):
        kept = {name: each for name, each in value.items() if name not in ("extensions", "precision", "kind")}
        return {pointer for name, each in kept.items() for pointer in leaves(each, f"{at}/{name}")}
    if isinstance(value, list):
        return {pointer for number, each in enumerate(value) for pointer in leaves(each, f"{at}/{number}")}
    return {at}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("x12/850-kit-and-schedules.edi", "x12/850"),
        ("x12/855-split.edi", "x12/855"),
        ("x12/856-pallets.edi", "x12/856"),
    ],
)
def test_every_field_has_an_origin(file: str, name: str) -> None:
    """A leaf is an origin's pointer or stands below one; nothing comes from nowhere."""
    document, origins = traced(ROOT / "samples" / file, name)
    pointers = {origin.pointer for origin in origins}
    preset = {"/prices/0/type", "/type"}
    for leaf in leaves(document):
        above = {leaf[:end] for end in range(len(leaf) + 1) if end == len(leaf) or leaf[end] == "/"}
        assert pointers & above or any(leaf.endswith(each) for each in preset), leaf


def test_a_traced_reading_says_the_same() -> None:
    """Tracing changes nothing but time."""
    document, _ = traced(ACKNOWLEDGMENT, "x12/855")
    events = reading.read(ACKNOWLEDGMENT.read_bytes(), guides=library.standard())
    message = next(event for event in events if isinstance(event, Message))
    assert shipped_map("x12/855").read(message.root).document == document


def test_an_origin_names_place_line_and_code() -> None:
    """BAK02 AC is the response, by the table of that name."""
    _, origins = traced(ACKNOWLEDGMENT, "x12/855")
    (found,) = [one for one in origins if one.pointer == "/response"]
    assert (found.tag, found.segment, found.text, found.value) == ("BAK", 2, "AC", "accepted_with_changes")
    assert (found.key, found.codes) == ("BAK.BAK02", "response")
    assert ACKNOWLEDGMENT.read_bytes()[found.offset :].startswith(b"BAK*")
    text = (ROOT / found.file).read_text("utf-8").splitlines()[found.line - 1]
    assert "BAK02" in text


def test_what_a_header_hands_down_has_its_origin_at_each_line() -> None:
    """Both lines point to the one DTM."""
    own = compile_map(
        "t/850",
        {
            "t/850": "document: 850\ncanonical: purchase_order\nsegments:\n"
            "  - BEG: {BEG03: number, BEG05: issue_date | date}\n"
            "  - DTM*002: {DTM02: requested_delivery.at | when}\n    inherit: lines\n"
            "  - loop: PO1\n    each: lines\n    segments:\n      - PO1: {PO101: line_id}\n"
        },
    )
    lines = [Loop("PO1", [Segment("PO1", [number])]) for number in ("1", "2")]
    head: list[Segment | Loop] = [Segment("BEG", ["", "", "7", "", "20260501"]), Segment("DTM", ["002", "20260601"], 3)]
    origins = own.read(Loop("", [*head, *lines]), traced=True).origins
    assert [one.pointer for one in origins if one.tag == "DTM"] == [
        "/lines/0/requested_delivery/at",
        "/lines/1/requested_delivery/at",
    ]


def test_a_qualifier_without_a_value_makes_no_origin() -> None:
    """PO106 without PO107: the pair behind it is what the field came from."""
    line = Segment("PO1", ["1", "5", "EA", "", "", "VP", "", "UP", "123", "IN"])
    root = Loop("", [Segment("BEG", ["00", "SA", "1", "", "20260501"]), Loop("PO1", [line])])
    found = shipped_map("x12/850").read(root, traced=True)
    assert found.document["lines"][0]["item"]["ids"] == [{"scheme": "upc", "value": "123"}]
    ids = [one for one in found.origins if one.pointer == "/lines/0/item/ids/0"]
    assert [(one.text, [spot.element for spot in one.spots]) for one in ids] == [("UP 123", [7, 8])]
