"""`gateway edi generate`: bytes that `gateway edi` accepts, the same for the same seed; faults by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import edi_generate
from gateway.cli.edi_generate import generate
from gateway.edi import reading
from gateway.edi.library import standard
from gateway.edi.tree import Verdict

app = typer.Typer()
app.command()(generate)
runner = CliRunner()


@pytest.mark.parametrize("guide", ["x12/004010/856", "005010/999", "edifact/D96A/ORDERS", "edifact/41/CONTRL"])
def test_what_is_generated_is_accepted_and_the_same_for_a_seed(guide: str, tmp_path: Path) -> None:
    """To a file and to standard output, several interchanges of it."""
    file = tmp_path / "out.edi"
    options = ["--guide", guide, "--count", "5", "--seed", "7", "--per-interchange", "2", "--lines", "2"]
    result = runner.invoke(app, options)
    assert result.exit_code == 0, result.stderr
    assert runner.invoke(app, [*options, "-o", str(file)]).exit_code == 0
    assert file.read_bytes() == result.stdout_bytes
    read = reading.read_all(file.read_bytes(), guides=standard())
    assert [sum(len(group.messages) for group in one.groups) for one in read] == [2, 2, 1]
    assert {one.outcome for one in read} == {Verdict.ACCEPTED}
    other = runner.invoke(app, [*options[:4], "--seed", "8"])
    assert other.stdout_bytes != result.stdout_bytes


def test_a_named_mutation_makes_each_interchange_wrong() -> None:
    """The name and how often are said on stderr."""
    options = ["-g", "x12/004010/850", "-n", "4", "--per-interchange", "2", "--mutate", "message_count"]
    result = runner.invoke(app, options)
    assert (result.exit_code, result.stderr.strip()) == (0, "wrong in one way each: message_count 2")
    read = reading.read_all(result.stdout_bytes, guides=standard())
    found = [found for one in read for group in one.groups for message in group.messages for found in message.findings]
    assert [one.rule for one in found] == ["edi.message.count"] * 2


def test_any_mutation_is_chosen_by_the_seed() -> None:
    """Twice the same bytes, and several kinds."""
    options = ["-g", "D01B/DESADV", "-n", "6", "--per-interchange", "1", "--mutate", "any", "--seed", "3"]
    one, other = runner.invoke(app, options), runner.invoke(app, options)
    assert (one.exit_code, one.stdout_bytes) == (0, other.stdout_bytes)
    assert one.stderr.count(",") > 1


def test_what_cannot_be_done_is_said_with_a_remedy_and_exit_code_2(tmp_path: Path) -> None:
    """A guide, a mutation, a file; a mutation that these documents do not have."""
    cases = (
        (["-g", "x12/004010/805"], "x12/004010/8"),
        (["-g", "x12/004010/850", "--mutate", "message_cont"], "message_count"),
        (["-g", "x12/004010/850", "-o", str(tmp_path / "none" / "file")], "check the path"),
        (["-g", "x12/004010/850", "--mutate", "hierarchy_cycle"], "another guide"),
    )
    for options, remedy in cases:
        result = runner.invoke(app, options)
        assert (result.exit_code, remedy in result.stderr) == (2, True), result.stderr


def test_guides_and_mutations_are_completed() -> None:
    """By their beginnings."""
    assert edi_generate.complete_guide("x12/005010/99") == ["x12/005010/997", "x12/005010/999"]
    assert edi_generate._complete_mutation("hierarchy_c") == ["hierarchy_cycle"]
    assert edi_generate._complete_mutation("an") == ["any"]
