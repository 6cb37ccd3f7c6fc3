"""`gateway map diff`: what a map's change does to documents, counted by field."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gateway.mapping.differences import differences

Run = Callable[..., Result]
REASONS = "samples/x12/acme-855-reasons.edi"


def rows(told: Result) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The documents' lines and the counts."""
    *documents, counts = [json.loads(line) for line in told.stdout.splitlines()]
    return documents, counts


def test_a_changed_code_and_a_new_line_are_told_with_pointer_place_and_count(run: Run) -> None:
    """Exit code 1: something differs."""
    told = run("map", "diff", "x12/855", "acme/855", REASONS, "--json")
    assert told.exit_code == 1
    documents, counts = rows(told)
    changed = {one["pointer"]: one for one in documents[0]["fields"]}
    status = changed["/lines/0/responses/0/status"]
    assert (status["change"], status["was"], status["now"]) == ("changed", "accepted_and_shipped", "accepted")
    assert status["place"] == "segment 4 ACK01, byte 274"
    assert status["map"].startswith("maps/x12/855.yaml:")
    assert documents[0]["document"] == "interchange 000000205, set 0205"
    assert counts["documents"] == counts["different"] == 1
    assert {"field": "/lines/*/responses/*/reason_agency", "change": "removed", "count": 2} in counts["fields"]


def test_a_map_and_itself_differ_in_nothing(run: Run) -> None:
    """Exit code 0, and nothing but the counts."""
    told = run("map", "diff", "x12/855", "x12/855", "samples/x12/*.edi")
    assert (told.exit_code, told.stdout) == (0, "6 documents, 0 different\n")


def test_a_map_is_held_against_itself_as_it_was(run: Run, tmp_path: Path) -> None:
    """Two folders; the old one's bases are its own."""
    shutil.copytree("maps", tmp_path / "before")
    base = tmp_path / "before/x12/855.yaml"
    base.write_text(base.read_text("utf-8").replace("BAK08: supplier_order_number", "BAK08: number"), "utf-8")
    told = run("map", "diff", "acme/855", "acme/855", REASONS, "--old-maps", tmp_path / "before", "--json")
    fields = {(one["pointer"], one["change"]) for one in rows(told)[0][0]["fields"]}
    assert fields == {("/number", "removed"), ("/supplier_order_number", "added")}


def test_maps_are_named_by_their_files_too(run: Run, tmp_path: Path) -> None:
    """Their bases are the workspace's; a line that a map loses is unmapped."""
    own = tmp_path / "mine.yaml"
    own.write_text("extends: x12/855\nchange: {BAK: {BAK08: ~}}\n", "utf-8")
    told = run("map", "diff", "x12/855", own, "samples/x12/855-split.edi", "--json")
    documents, counts = rows(told)
    assert [(one["pointer"], one["change"]) for one in documents[0]["fields"]] == [
        ("/supplier_order_number", "removed")
    ]
    assert documents[0]["others"][0]["only"] == "new"
    assert documents[0]["others"][0]["said"].startswith("unmapped: segment 2 BAK, element 08")
    assert counts["others"] == {"only new: unmapped": 1}
    plain = run("map", "diff", "x12/855", own, "samples/x12/855-split.edi")
    assert "- /supplier_order_number: " in plain.stdout


def test_packed_files_and_folders_are_read(run: Run, tmp_path: Path) -> None:
    """What else lies in a folder is passed over; what is named must be read."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.edi.gz").write_bytes(gzip.compress(Path(REASONS).read_bytes()))
    (tmp_path / "in/notes.txt").write_text("nothing", "utf-8")
    told = run("map", "diff", "x12/855", "acme/855", tmp_path / "in", "--summary", "--json")
    assert rows(told)[1]["documents"] == 1
    assert not told.stderr
    named = run("map", "diff", "x12/855", "x12/855", REASONS, tmp_path / "in/notes.txt")
    assert named.exit_code == 1
    assert "notes.txt" in named.stderr


def test_bodies_are_compared_by_json_maps(run: Run, tmp_path: Path) -> None:
    """The same command."""
    own = tmp_path / "mine.yaml"
    own.write_text("extends: erp/order_acknowledgement\nfields: {/Contract: ~}\n", "utf-8")
    body = {"DocumentType": "ORDER_CONFIRMATION", "SchemaVersion": 2, "Status": "CONFIRMED", "Contract": "C-1"}
    body["PurchaseOrder"] = {"Number": "4500001"}
    (tmp_path / "body.json").write_text(json.dumps(body), "utf-8")
    told = run("map", "diff", "erp/order_acknowledgement", own, tmp_path / "body.json", "--json")
    assert [one["pointer"] for one in rows(told)[0][0]["fields"]] == ["/contract_number"]
    broken = tmp_path / "broken.json"
    broken.write_text("[" * 100_000, "utf-8")
    assert run("map", "diff", own, own, broken).exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("x12/850", "x12/855", REASONS),
        ("x12/588", "x12/855", REASONS),
        ("x12/855", "no-such.yaml", REASONS),
        ("x12/855", "x12/855", "no-such-file"),
        ("x12/855", "x12/855", "samples/x12/850-simple.edi"),
        ("x12/855", "x12/855", REASONS, "--old-maps", "no-such-folder"),
        ("x12/855", "erp/order_acknowledgement", REASONS),
    ],
)
def test_what_cannot_be_compared_says_why(run: Run, arguments: tuple[str, ...]) -> None:
    """Exit code 2 and a remedy."""
    told = run("map", "diff", *arguments)
    assert told.exit_code == 2
    assert "remedy" in told.stderr or "did you mean" in told.stderr


def test_extensions_are_no_fields_and_null_is_nothing() -> None:
    """What differs there is told as unmapped."""
    old = {"a": None, "extensions": {"x12": {"REF": 1}}, "lines": [{"extensions": {"b": 1}, "n": "1"}]}
    assert not differences(old, {"lines": [{"n": "1"}]})
    found = differences({"a/b": "1"}, {"a/b": "2"})
    assert (found[0].pointer, found[0].kind, found[0].field) == ("/a~1b", "changed", "/a~1b")
