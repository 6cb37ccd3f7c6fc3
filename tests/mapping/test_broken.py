"""Broken maps: `gateway map check` tells each mistake of each file of `broken/`, all at once, at its line.

`broken/table.tsv` is the table: one row for each finding. A new broken map needs its rows, and the other way round.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.mapping.rules import RULES

FOLDER = Path(__file__).parent / "broken"
with (FOLDER / "table.tsv").open(encoding="utf-8", newline="") as _table:
    ROWS = list(csv.DictReader(_table, delimiter="\t", quoting=csv.QUOTE_NONE))
MAPS = sorted(path.stem for path in FOLDER.glob("*.yaml"))
READ_AND_WRITTEN = ("map.xml.", "map.csv.", "map.read.", "map.write.", "map.example.")
ELSEWHERE = {"map.one_way", "map.document.other", "map.hook.example"}
"""Broken by the tests of JSON maps, of workspaces and of hooks."""


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[dict[str, str]]]:
    """The findings of `gateway map check --json broken/NAME`."""
    workspace = tmp_path_factory.mktemp("broken")
    shutil.copytree(FOLDER, workspace / "maps/broken")

    def check(name: str, content: bytes | None = None) -> list[dict[str, str]]:
        if content is not None:
            (workspace / f"maps/broken/{name}.yaml").write_bytes(content)
        told = CliRunner().invoke(app, ["map", "check", f"broken/{name}", "--json", "--workspace", str(workspace)])
        assert told.exit_code == 1, told.output
        findings: list[dict[str, str]] = json.loads(told.stdout)[0]["findings"]
        return findings

    return check


@pytest.mark.parametrize("name", MAPS)
def test_a_broken_map_is_told_completely_and_at_its_lines(
    name: str, checked: Callable[..., list[dict[str, str]]]
) -> None:
    """File, line, key, rule, what was there, and what it should be."""
    rows = [row for row in ROWS if row["map"] == name]
    found = checked(name)
    assert rows
    assert [(one["place"], one["rule"], one["said"]) for one in found] == [
        (f"maps/{row['file']}:{row['line']} {row['key']}".rstrip(), row["rule"], row["said"]) for row in rows
    ]
    assert all(row["wanted"] in one["wanted"] for row, one in zip(rows, found, strict=True))
    assert all(one["fix"] for one in found)


def test_the_table_has_no_row_without_a_map() -> None:
    """And every rule of files is broken by one of them."""
    assert {row["map"] for row in ROWS} == set(MAPS)
    static = {rule for rule in RULES if rule.startswith("map.") and not rule.startswith(READ_AND_WRITTEN)} - ELSEWHERE
    assert static <= {row["rule"] for row in ROWS}


def test_a_map_of_many_megabytes_is_not_read_to_its_end(checked: Callable[..., list[dict[str, str]]]) -> None:
    """Written here, since nobody wants it in the repository."""
    assert [one["rule"] for one in checked("too-big", b"title: x\n" + b"#" * 3_000_000)] == ["map.file.limit"]


def test_a_map_of_a_hundred_thousand_brackets_ends_at_the_limit(checked: Callable[..., list[dict[str, str]]]) -> None:
    """Nesting is read without recursion."""
    assert [one["rule"] for one in checked("brackets", b"segments: " + b"[" * 100_000)] == ["map.file.limit"]
