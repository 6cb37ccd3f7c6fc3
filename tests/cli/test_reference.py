"""`gateway reference`: learned, imported, exported, retired; all mistakes at once, and all of a file or nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Path:
    """A workspace with two partners' files."""
    folder = tmp_path / "w"
    shutil.copytree(made, folder)
    for name in ("acme", "baltic"):
        (folder / "partners" / f"{name}.yaml").write_text("title: T\n", encoding="utf-8")
    return folder


def call(run: Run, workspace: Path, *words: object, code: int = 0) -> str:
    """What `gateway reference …` prints."""
    done = run("reference", *words, "--workspace", workspace)
    assert done.exit_code == code, done.output
    return done.output


def test_a_word_is_learned_listed_and_retired(run: Run, workspace: Path) -> None:
    """With who and why on the list."""
    call(run, workspace, "learn", "acme", "units", "CT", "EA", "--factor", "12", "--by", "ann")
    (row,) = json.loads(call(run, workspace, "list", "--partner", "acme", "--json"))
    assert (row["theirs"], row["factor"], row["changed_by"]) == ("CT", "12", "ann")
    assert "1 are there already" in call(run, workspace, "learn", "acme", "units", "CT", "EA", "--factor", "12.0")
    call(run, workspace, "retire", "acme", "units", "CT")
    assert json.loads(call(run, workspace, "list", "--json")) == []
    assert len(json.loads(call(run, workspace, "list", "--retired", "--json"))) == 1
    assert "no row for 'CT'" in call(run, workspace, "retire", "acme", "units", "CT", code=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("acne", "items", "A", "B"), "did you mean acme?"),
        (("zzz", "items", "A", "B"), "partners are: acme, baltic; or all"),
    ],
)
def test_a_stranger_is_named_with_who_was_meant(run: Run, workspace: Path, words: tuple[str, ...], said: str) -> None:
    """It cannot run."""
    assert said in call(run, workspace, "learn", *words, code=2)


def test_all_that_is_wrong_with_a_lesson_comes_at_once(run: Run, workspace: Path) -> None:
    """Exit code 1; nothing was learned."""
    words = ("learn", "acme", "items", "A", "B", "--factor", "2", "--from", "1.5.2026")
    found = json.loads(call(run, workspace, *words, "--json", code=1))
    assert [one["key"] for one in found["findings"]] == ["factor", "valid_from"]
    assert json.loads(call(run, workspace, "list", "--json")) == []
    call(run, workspace, "learn", "acme", "items", "A", "B", "--from", "2026-05-01")
    assert "[reference.overlap]" in call(run, workspace, "learn", "acme", "items", "A", "C", code=1)


def test_what_is_exported_is_imported_without_a_change(run: Run, workspace: Path, tmp_path: Path) -> None:
    """Also rows for all partners; a file that is there is not written over."""
    file = tmp_path / "all.csv"
    call(run, workspace, "learn", "all", "carriers", "FX", "FEDEX, Inc.")
    call(run, workspace, "learn", "acme", "items", "A", "B", "--scheme", "supplier", "--to", "2026-12-31")
    call(run, workspace, "export", file)
    assert "2 are there already" in call(run, workspace, "import", file)
    assert "name a new file" in call(run, workspace, "export", file, code=2)
    assert call(run, workspace, "export", "--list", "carriers").splitlines()[1] == ',carriers,,FX,"FEDEX, Inc.",,,'


def test_an_import_is_all_or_nothing(run: Run, workspace: Path, tmp_path: Path) -> None:
    """A stranger in one row, and the good row is not learned either."""
    file = tmp_path / "f.csv"
    file.write_text("partner,list,theirs,ours\nacme,items,A,1\nbaltik,items,B,2\n", encoding="utf-8")
    printed = call(run, workspace, "import", file, code=1)
    assert "f.csv:3 partner: 'baltik'" in printed
    assert "write baltic" in printed
    assert json.loads(call(run, workspace, "list", "--json")) == []
    assert "name a CSV file" in call(run, workspace, "import", tmp_path / "none.csv", code=2)


def test_nothing_waits_in_a_new_workspace(run: Run, workspace: Path) -> None:
    """Exit code 0; resuming does nothing."""
    assert call(run, workspace, "unknown") == "no document waits\n"
    assert json.loads(call(run, workspace, "unknown", "acme", "--json")) == []
    assert json.loads(call(run, workspace, "resume", "--json")) == {"resumed": 0}
