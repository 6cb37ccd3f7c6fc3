"""Public sample files: what becomes of each, and why. A label is evidence, not truth.

`corpus.tsv` has a row for every file: its outcome, the rules that decide it (those as grave as the outcome), the
tolerances under which it is whole, and the reason in words. Files are found by GATEWAY_SAMPLES and never copied.
GATEWAY_RENEW=1 writes outcomes and rules anew; the reasons are to be read again before they are committed.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.edi import reading, rules
from gateway.edi.interchange import combined
from gateway.edi.library import standard
from gateway.edi.tolerances import Tolerances
from gateway.edi.tree import Verdict
from gateway.findings import Finding, Severity

DECISIVE = {Verdict.REJECTED: Severity.REJECT, Verdict.ACCEPTED_WITH_ERRORS: Severity.ACCEPT_WITH_ERRORS}
TABLE = Path(__file__).parent / "corpus.tsv"
with TABLE.open(newline="") as lines:
    ROWS = {row["file"]: row for row in csv.DictReader(lines, delimiter="\t")}


def outcome_of(data: bytes, tolerances: Tolerances | None = None) -> tuple[Verdict, set[str]]:
    """What becomes of a file as a whole, and the rules that decide it."""
    whole = reading.read_whole(data, guides=standard(), tolerances=tolerances)
    found: list[Finding] = [] if whole.fault is None else list(whole.fault.findings)
    for interchange in whole.interchanges:
        found += interchange.findings
        for group in interchange.groups:
            found += group.findings
            for message in group.messages:
                found += message.findings
    outcome = Verdict.REJECTED if whole.fault else combined(one.outcome for one in whole.interchanges)
    return outcome, {one.rule for one in found if one.severity is DECISIVE.get(outcome)}


def test_every_file_has_a_row_and_every_row_a_file(samples: Path) -> None:
    """The folder's own index is no sample."""
    files = {file.relative_to(samples).as_posix() for file in samples.rglob("*") if file.is_file()}
    assert files - {"INDEX.tsv"} == set(ROWS)


@pytest.mark.parametrize("name", ROWS, ids=lambda name: "/".join(name.split("/")[-3:]))
def test_a_file_has_its_explained_outcome(samples: Path, name: str) -> None:
    """Outcome and deciding rules are those of the table."""
    outcome, decisive = outcome_of((samples / name).read_bytes())
    if os.environ.get("GATEWAY_RENEW"):
        ROWS[name] |= {"outcome": outcome.value, "rules": " ".join(sorted(decisive))}
        rows = ["\t".join(row.values()) for row in ROWS.values()]
        TABLE.write_text("\n".join(["\t".join(ROWS[name]), *rows]) + "\n")
    assert (outcome, sorted(decisive)) == (ROWS[name]["outcome"], ROWS[name]["rules"].split())


def test_files_that_are_whole_under_tolerances_need_each_of_them(samples: Path) -> None:
    """Nothing else is wrong with them; all other refused files are refused under every tolerance."""
    everything = Tolerances(collapsed_isa=True, wrapped_lines=True, indented_segments=True, control_number_zeros=True)
    for name, row in ROWS.items():
        if row["outcome"] == Verdict.REJECTED:
            data = (samples / name).read_bytes()
            wanted = Verdict.ACCEPTED if row["tolerances"] else Verdict.REJECTED
            named = Tolerances.named(*row["tolerances"].split()) if row["tolerances"] else everything
            assert outcome_of(data, named)[0] is wanted, name


def test_every_row_says_why() -> None:
    """In words, and with rules that exist."""
    assert all(len(row["reason"]) > 8 for row in ROWS.values())
    assert {rule for row in ROWS.values() for rule in row["rules"].split()} <= set(rules.RULES)
    assert len(ROWS) == 142


def test_the_command_prints_the_outcomes_of_the_table(samples: Path) -> None:
    """`gateway edi check --json` over the whole folder: one object a file, exit code 1 as not all are accepted."""
    done = CliRunner().invoke(app, ["edi", "check", "--json", *(str(samples / name) for name in ROWS)])
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert {Path(one["file"]).relative_to(samples).as_posix(): one["outcome"] for one in said} == {
        name: row["outcome"] for name, row in ROWS.items()
    }
    assert all(list(one)[-1] == "outcome" for one in said)
    assert done.exit_code == 1


def test_the_command_exits_0_when_everything_is_accepted(samples: Path) -> None:
    """Notes are no reason to fail."""
    accepted = [str(samples / name) for name, row in ROWS.items() if row["outcome"] == Verdict.ACCEPTED]
    assert len(accepted) > 10
    assert CliRunner().invoke(app, ["edi", "check", "--json", *accepted]).exit_code == 0
