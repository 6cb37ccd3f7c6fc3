"""`gateway map init`: a map to start from that already says what other maps know."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from gateway.edi import library
from gateway.edi.guide import LoopUse
from gateway.edi.outline import guide_lines
from gateway.mapping import Map, compile_any
from gateway.mapping.rules import Problems
from gateway.mapping.source import read_source

Run = Callable[..., Result]


def begun(run: Run, document: str, guide: str, kind: str) -> str:
    """The skeleton's text."""
    told = run("map", "init", document, "--guide", guide, "--canonical", kind, "--to", "-")
    assert told.exit_code == 0, told.stderr
    text: str = told.stdout
    return text


def test_a_document_that_a_map_knows_begins_as_a_map_that_is_right(run: Run) -> None:
    """What must come is open, with the lines of the known map; the rest waits behind comment signs."""
    text = begun(run, "850", "x12/005010/850", "purchase_order")
    own = compile_any("own/850", {"own/850": text})
    assert isinstance(own, Map)
    assert own.guides == ("x12/005010/850",)
    assert "  - BEG:\n      BEG01: purpose | code purpose" in text
    assert "    each: lines\n" in text
    assert "#   - CUR:\n#       CUR01: currency.role | code currency_role" in text


def test_every_segment_of_the_guide_is_there_in_its_order(run: Run) -> None:
    """As a rule, open or not."""
    guide = library.standard().find("004010", "855")
    assert guide is not None
    wanted = [f"{item.name} loop" if isinstance(item, LoopUse) else item.tag for _, item in guide_lines(guide)]
    text = begun(run, "855", "x12/004010/855", "order_acknowledgement")
    told = [line.strip()[2:].split(":")[0] for line in text.splitlines() if line.startswith("  ") and "# " in line]
    said = [one for one in told if one in set(wanted)]
    assert said == wanted


def test_what_no_map_knows_is_left_open_and_told(run: Run) -> None:
    """The analyst's next steps are the findings of the check."""
    text = begun(run, "865", "x12/004010/865", "ship_notice")
    assert "\n  - BCA:\n" in text
    assert "FIELD" in text
    problems = Problems()
    assert read_source("a", text, problems) is not None
    assert not problems.findings


def test_taking_the_comment_signs_away_leaves_yaml(run: Run) -> None:
    """Every line behind a sign stands where it would stand without."""
    text = begun(run, "855", "x12/004010/855", "order_acknowledgement")
    head, _, body = text.partition("\nsegments:\n")
    opened = "\n".join(line.removeprefix("# ") for line in body.splitlines())
    problems = Problems()
    assert read_source("a", f"{head.partition(chr(10) * 2)[2]}\nsegments:\n{opened}\n", problems) is not None
    assert not problems.findings


def test_a_hierarchy_is_taken_from_the_map_that_knows_it(run: Run) -> None:
    """Levels and all."""
    text = begun(run, "856", "x12/004010/856", "ship_notice")
    own = compile_any("own/856", {"own/856": text})
    assert isinstance(own, Map)
    assert "  - tree: HL\n    each: contents\n    levels:\n" in text


def test_an_edifact_message_begins_too(run: Run) -> None:
    """Its loops by their first segments."""
    text = begun(run, "ORDRSP", "edifact/D96A/ORDRSP", "order_acknowledgement")
    assert "# BGM: " in text
    assert "- loop: LIN" in text
    assert "#           LOC03.1: FIELD" in text


def test_it_is_written_once_and_never_over_another(run: Run, tmp_path: Path) -> None:
    """Exit code 2 the second time."""
    arguments = ("map", "init", "850", "--guide", "x12/004010/850", "--canonical", "purchase_order")
    told = run(*arguments, "--to", "acme/850", "--workspace", tmp_path, "--json")
    assert json.loads(told.stdout) == {"map": "acme/850", "file": str(tmp_path / "maps/acme/850.yaml"), "left": []}
    assert run("map", "check", "acme/850", "--workspace", tmp_path).exit_code == 0
    again = run(*arguments, "--to", "acme/850", "--workspace", tmp_path)
    assert again.exit_code == 2
    assert "there already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("850", "--guide", "x12/004010/805", "--canonical", "purchase_order"), "x12/004010/8"),
        (("850", "--guide", "x12/004010/855", "--canonical", "purchase_order"), "a guide for 850"),
        (("850", "--guide", "x12/004010/850", "--canonical", "purchase_ordre"), "purchase_order?"),
        (("850", "--guide", "x12/004010/850", "--canonical", "purchase_order", "--to", "../x"), "no name of a map"),
    ],
)
def test_what_cannot_begin_says_why(run: Run, tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    """Exit code 2 and a remedy."""
    told = run("map", "init", *arguments, "--workspace", tmp_path)
    assert told.exit_code == 2
    assert says in told.stderr
