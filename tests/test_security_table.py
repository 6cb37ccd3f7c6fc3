"""The table of attacks says what is there: every test it names exists, and the page is current."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.security_table import ATTACKS, Attack, renewed

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "security.md"


@pytest.mark.parametrize("one", ATTACKS, ids=[one.attack for one in ATTACKS])
def test_every_test_of_an_attack_exists(one: Attack) -> None:
    """A test that was renamed is found here, not by a reader."""
    assert one.tests
    for test in one.tests:
        file, _, name = test.partition("::")
        assert re.search(rf"^(?:async )?def {name}\(", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE), test


def test_the_page_has_the_table_of_today() -> None:
    """To renew it: make pages."""
    assert PAGE.read_text(encoding="utf-8") == renewed(PAGE.read_text(encoding="utf-8")), "renew it: make pages"
