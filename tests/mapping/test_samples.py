"""`map read` then `map write` gives the same bytes from ST to SE."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.canonical import check, dump, parse
from gateway.edi import write
from gateway.mapping import shipped_map

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "samples" / "x12").glob("*.edi"))
SETS = ("850", "855", "856", "860", "865")
Read = Callable[[Path], list[tuple[Any, Any]]]


def round_trip(interchange: Any, message: Any, name: str) -> tuple[bytes, bytes, dict[str, Any]]:
    """The set's bytes, the bytes after reading and writing, and the canonical JSON between."""
    own = shipped_map(name)
    model, errors = parse(own.canonical, own.read(message.root).document)
    assert not errors
    assert model is not None
    document = json.loads(json.dumps(dump(model)))
    writing = own.write(document)
    assert not writing.lost
    number, delimiters = message.control_number, interchange.delimiters
    before = write.write_message(message.type, number, message.root, delimiters)
    return before, write.write_message(message.type, number, writing.root, delimiters), document


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_of_ours_comes_back_byte_for_byte_and_reads_as_its_json(
    path: Path, read_messages: Read, map_of: Callable[[Any], str]
) -> None:
    """Through the partner's map where the sample is a partner's."""
    ((interchange, message),) = read_messages(path)
    name = "acme/855" if path.stem.startswith("acme") else map_of(message)
    before, after, document = round_trip(interchange, message, name)
    assert after == before
    assert before.replace(b"~", b"~\n") in path.read_bytes()
    assert document == json.loads(path.with_suffix(".json").read_text("utf-8"))
    model, _ = parse(shipped_map(name).canonical, document)
    assert model is not None
    assert not check(model)


def test_there_are_four_samples_of_each_set() -> None:
    """Simple, rich, split or rejected, and one with codes that no table knows."""
    names = [path.stem.split("-")[0] for path in SAMPLES]
    assert {name: names.count(name) >= 4 for name in SETS} == dict.fromkeys(SETS, True)


def test_every_accepted_public_sample_comes_back_byte_for_byte(
    shared_samples: Path, read_messages: Read, map_of: Callable[[Any], str]
) -> None:
    """All sets with a base map that the guide accepts."""
    count = 0
    for path in sorted(shared_samples.rglob("*")):
        if path.is_file():
            for interchange, message in read_messages(path):
                before, after, _ = round_trip(interchange, message, map_of(message))
                assert after == before, path
                count += 1
    assert count >= 15


def test_extensions_hold_what_no_line_names(read_messages: Read) -> None:
    """Element by element in the report, and in the nearest object of the document."""
    ((_, message),) = read_messages(ROOT / "samples/x12/850-unknown-codes.edi")
    reading = shipped_map("x12/850").read(message.root)
    said = [(one.tag, one.element, one.value) for one in reading.unmapped]
    assert said == [("IT8", 7, "B0")]
    memory = reading.document["lines"][0]["extensions"]["x12"]
    assert ["IT8", "", "", "", "", "", "", "B0"] in memory["order"][""]
    assert memory["kept"]["PO1"]["02"] == "007"
    assert reading.document["lines"][0]["quantity"] == {"value": "7", "unit": "ZB"}


def test_an_edited_field_is_written_anew_and_the_rest_as_it_came(read_messages: Read) -> None:
    """A kept form holds only while it means what the field says."""
    ((_, message),) = read_messages(ROOT / "samples/x12/850-unknown-codes.edi")
    own = shipped_map("x12/850")
    document = own.read(message.root).document
    document["lines"][0]["quantity"]["value"] = "8"
    line = own.write(document).root.children[-3]
    assert line.children[0].elements[1] == "8"  # type: ignore[union-attr]
    assert line.children[0].elements[3] == "04.50"  # type: ignore[union-attr]


def test_a_line_added_to_an_irregular_document_finds_its_place(read_messages: Read) -> None:
    """New lines follow the old ones, before the totals."""
    ((_, message),) = read_messages(ROOT / "samples/x12/850-unknown-codes.edi")
    own = shipped_map("x12/850")
    document = own.read(message.root).document
    document["lines"].append({"line_id": "9", "quantity": {"value": "1", "unit": "EA"}})
    tags = [child.name if hasattr(child, "name") else child.tag for child in own.write(document).root.children]
    assert tags[-4:] == ["PO1", "PO1", "PO1", "CTT"]
