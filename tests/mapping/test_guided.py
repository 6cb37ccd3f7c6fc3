"""Maps and guides: shipped maps keep to theirs; what cannot be written is refused with its field and limit."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gateway.edi import library
from gateway.edi.guide import Guide
from gateway.mapping import Map, compile_map, finder, from_folders, shipped, shipped_map, trace
from gateway.mapping.rules import Problems
from gateway.mapping.segments.guided import against_guides
from gateway.mapping.written import check_written, field_of
from gateway.partners.map_names import map_names

GUIDES = library.standard()
ROOT = Path(__file__).parents[2]
BASES = sorted(name for name in map_names(ROOT / "nowhere") if name.startswith(("x12/", "edifact/")))


def guide(name: str) -> Guide | None:
    """A guide of the gateway."""
    return GUIDES.find(*name.split("/")[1:])


def sample(name: str) -> dict[str, Any]:
    """A canonical document."""
    document: dict[str, Any] = json.loads((ROOT / f"samples/x12/{name}.json").read_text("utf-8"))
    return document


def refused(own: Map, document: dict[str, Any], name: str) -> list[tuple[str, str, str]]:
    """Pointer, what was there, what the guide wants."""
    found = guide(name)
    assert found is not None
    findings = check_written(own, own.write(document).root, found, GUIDES)
    assert {one.rule for one in findings} <= {"map.write.guide"}
    return [(str(one.place), one.said, one.wanted) for one in findings]


@pytest.mark.parametrize("name", BASES)
def test_a_base_map_names_its_guides_and_keeps_to_them(name: str) -> None:
    """Every rule of it stands in one of them."""
    found = trace(name, finder(from_folders(shipped())), Problems())
    assert found.root is not None
    problems = Problems()
    against_guides(found.root, guide, problems)
    assert not problems.findings
    assert "guides" in found.root.keys


@pytest.mark.parametrize("name", ["850-simple", "850-kit-and-schedules", "855-split", "856-pick-and-pack"])
def test_what_a_guide_takes_is_not_refused(name: str) -> None:
    """Samples."""
    set_ = name[:3]
    assert not refused(shipped_map(f"x12/{set_}"), sample(name), f"x12/004010/{set_}")


@pytest.mark.parametrize(
    ("path", "value", "pointer", "limit"),
    [
        (("number",), "1" * 23, "/number", "1 to 22 characters for BEG03 of x12/004010/850"),
        (("lines", 1, "item", "name"), "y" * 81, "/lines/1/item/name", "1 to 80 characters for PID05"),
        (("parties", 1, "ids", 0, "value"), "9" * 81, "/parties/1/ids/0/value", "2 to 80 characters for N104"),
        (("lines", 0, "quantity", "value"), "1234567890123456", "/lines/0/quantity/value", "for PO102"),
        (("lines", 2, "quantity", "unit"), "ABCD", "/lines/2/quantity/unit", "for PO103"),
        (("references", 0, "value"), "z" * 31, "/references/0/value", "1 to 30 characters for REF02"),
    ],
)
def test_a_value_too_long_for_its_element_is_refused_with_field_and_limit(
    path: tuple[Any, ...], value: str, pointer: str, limit: str
) -> None:
    """Whatever its type, and wherever the element stands."""
    document = copy.deepcopy(sample("850-simple"))
    here: Any = document
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    found = refused(shipped_map("x12/850"), document, "x12/004010/850")
    assert [one[0] for one in found] == [pointer]
    assert limit in found[0][2]


def test_a_newer_version_may_take_more() -> None:
    """Element 127 has 30 characters in 004010 and 50 in 005010."""
    document = sample("850-simple")
    document["references"][0]["value"] = "z" * 31
    assert refused(shipped_map("x12/850"), document, "x12/004010/850")
    assert not refused(shipped_map("x12/850"), document, "x12/005010/850")


def test_the_field_of_an_element_is_told_for_every_element_that_a_line_names() -> None:
    """By reading once more without it."""
    own = shipped_map("x12/850")
    root = own.write(sample("850-simple")).root
    assert field_of(own, root, 2, 3) == "/number"
    assert field_of(own, root, 2, 5) == "/issue_date"
    assert field_of(own, root, 99, 1) is None
    assert field_of(own, root, 2, 20) is None


def test_an_edifact_message_is_held_against_its_guide_too() -> None:
    """The same way."""
    text = (
        "document: ORDRSP\ncanonical: order_acknowledgement\nguides: [edifact/D96A/ORDRSP]\nsegments:\n"
        "  - BGM: {BGM01.1: =231, BGM02: number, BGM03: response}\n"
        "  - DTM+137: {DTM01.2: order.issue_date | date, DTM01.3: =102}\n"
        "  - loop: RFF\n    segments:\n      - RFF+ON: {RFF01.2: order.number}\n"
        "  - UNS: {UNS01: =S}\n    emit: always\n"
    )
    own = compile_map("t/ORDRSP", {"t/ORDRSP": text})
    document = {"number": "N" * 36, "response": "29", "order": {"number": "R" * 36, "issue_date": "2026-07-13"}}
    assert [one[0] for one in refused(own, document, "edifact/D96A/ORDRSP") if "/" in one[0]] == [
        "/number",
        "/order/number",
    ]


def test_map_write_refuses_with_field_and_limit_and_writes_nothing(cli: Callable[..., Result], tmp_path: Path) -> None:
    """Unless it is told to; a guide can be named."""
    document = sample("850-simple")
    document["references"][0]["value"] = "z" * 31
    file = tmp_path / "long.json"
    file.write_text(json.dumps(document), "utf-8")
    told = cli("map", "write", "--map", "x12/850", file, "--guide", "x12/004010/850")
    assert (told.exit_code, told.stdout) == (1, "")
    assert "/references/0/value" in told.stderr
    assert "1 to 30 characters for REF02 of x12/004010/850" in told.stderr
    assert cli("map", "write", "--map", "x12/850", file).exit_code == 0  # 005010 takes it
    unchecked = cli("map", "write", "--map", "x12/850", file, "--guide", "x12/004010/850", "--unchecked")
    assert unchecked.exit_code == 0
    unknown = cli("map", "write", "--map", "x12/850", file, "--guide", "x12/004010/805")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "x12/004010/8" in unknown.stderr


def test_a_guide_in_the_maps_own_file_is_the_one_that_counts(cli: Callable[..., Result], tmp_path: Path) -> None:
    """Closed codes, shorter elements."""
    (tmp_path / "maps/acme").mkdir(parents=True)
    (tmp_path / "maps/acme/850.yaml").write_text(
        "extends: x12/850\nguide:\n  extends: x12/004010/850\n  lengths: {BEG03: 1/5}\n", "utf-8"
    )
    file = ROOT / "samples/x12/850-simple.json"
    told = cli("map", "write", "--map", "acme/850", file, "--workspace", tmp_path)
    assert told.exit_code == 1
    assert "1 to 5 characters for BEG03" in told.stderr
