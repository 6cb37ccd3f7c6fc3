"""The table of standards says what is there: modules, tests, and nothing kept without both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.as2.standards import STANDARDS, Kept, Row, markdown

TESTS = Path(__file__).parents[1]
GATEWAY = TESTS.parent / "gateway"
ROWS = [row for standard in STANDARDS for row in standard.rows]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.document} {row.section}" for row in ROWS])
def test_every_module_and_test_of_a_row_exists(row: Row) -> None:
    """A test that was renamed is found here, not by a reader."""
    for module in row.modules:
        path = GATEWAY.joinpath(*module.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__init__.py").is_file(), module
    for test in row.tests:
        file, _, name = test.partition("::")
        assert re.search(rf"^(?:async )?def {name}\(", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE), test


def test_what_is_kept_has_a_module_and_a_test_and_what_is_partial_says_why() -> None:
    """And what is not, or asks for nothing, needs neither."""
    for row in ROWS:
        if row.kept in {Kept.YES, Kept.PARTIAL}:
            assert row.modules, row
            assert row.tests, row
        if row.kept is Kept.PARTIAL:
            assert row.remark, row


def test_every_standard_that_as2_needs_is_in_the_table() -> None:
    """By its name in a heading, and each with rows."""
    names = " ".join(standard.name for standard in STANDARDS)
    for number in (4130, 5402, 6017, 6362, 8551, 5652, 5083, 5084, 5753, 4056, 3560, 3274):
        assert f"RFC {number}" in names
    assert "rfc4130bis" in names
    assert all(standard.rows and standard.about for standard in STANDARDS)


def test_the_page_has_every_row() -> None:
    """One line each."""
    lines = markdown().splitlines()
    assert sum(line.startswith("| ") and not line.startswith("| section") for line in lines) == len(ROWS)
