"""`gateway edi`: exit codes, JSON, plain text in a pipe."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from gateway.cli.edi import app
from gateway.edi import rules_page

BROKEN = Path(__file__).parents[2] / "samples" / "x12" / "broken"
GOOD = BROKEN / "edi.segment.trailing_separators.edi"
BAD = BROKEN / "edi.element.characters.edi"
runner = CliRunner()


def test_check_exits_0_for_what_is_accepted_and_1_for_what_is_not() -> None:
    """Notes do not count."""
    assert runner.invoke(app, ["check", str(GOOD)]).exit_code == 0
    result = runner.invoke(app, ["check", str(GOOD), str(BAD)])
    assert result.exit_code == 1
    assert "segment 11 PO1, element 02" in result.output
    assert "\x1b" not in result.output


def test_check_exits_2_with_a_remedy_for_what_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, an unknown tolerance."""
    result = runner.invoke(app, ["check", str(tmp_path / "none.edi")])
    assert (result.exit_code, "check the path" in result.output) == (2, True)
    result = runner.invoke(app, ["check", str(GOOD), "--tolerate", "everything"])
    assert (result.exit_code, "wrapped_lines" in result.output) == (2, True)


def test_json_is_one_object_per_file_with_the_outcome_last() -> None:
    """The whole shape, read as a program would."""
    result = runner.invoke(app, ["check", "--json", str(BAD), str(BROKEN / "edi.file.not_x12.edi")])
    first, second = map(json.loads, result.stdout.splitlines())
    assert list(first) == ["file", "interchanges", "findings", "outcome"]
    (interchange,) = first["interchanges"]
    assert (interchange["standard"], interchange["sender"], interchange["outcome"]) == (
        "x12",
        "ZZ:SUPPLIER",
        "rejected",
    )
    (message,) = interchange["groups"][0]["messages"]
    (found,) = message["findings"]
    assert (found["rule"], found["segment"], found["position"], found["element"]) == (
        "edi.element.characters",
        "PO1",
        11,
        2,
    )
    assert found["codes"] == {"ak304": "8", "ak403": "6", "ak502": "5"}
    assert second["findings"][0]["offset"] == 0
    assert second["outcome"] == "rejected"


def test_standard_input_is_a_file_named_minus() -> None:
    """For pipes."""
    result = runner.invoke(app, ["check", "-", "--json"], input=BAD.read_bytes())
    assert (result.exit_code, json.loads(result.stdout)["file"]) == (1, "-")


def test_show_indents_by_loop_with_labels() -> None:
    """Levels of an HL by their names."""
    result = runner.invoke(app, ["show", str(BROKEN / "edi.element.time.edi")])
    assert result.exit_code == 0
    assert "HL  order" in result.output
    assert "order number PO-7001" in result.output
    assert runner.invoke(app, ["show", str(BROKEN / "edi.file.not_x12.edi")]).exit_code == 1


def test_rules_prints_the_page() -> None:
    """What docs/rules.md holds."""
    assert runner.invoke(app, ["rules"]).stdout == rules_page.markdown()
