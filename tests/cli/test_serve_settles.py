"""`serve` and the cyclic garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from gateway.cli.serve import COLLECTOR, settle


@pytest.fixture(autouse=True)
def _collector_as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_start_up_made_is_not_walked_again_and_the_collector_still_runs() -> None:
    """Frozen objects are out of every generation; collection stays on, at wider intervals."""
    settle()
    assert gc.get_freeze_count() > 1000
    assert gc.isenabled()
    assert gc.get_threshold() == COLLECTOR
