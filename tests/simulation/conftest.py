"""Both sides of the example's agreements, tried without keys and without a network."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.partners import configuration
from gateway.partners.checks import ONLY_TO_RUN
from gateway.partners.configuration import Configuration
from gateway.simulation.trial import Sides, sides

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def example() -> Configuration:
    """The example workspace at the top of the project."""
    return configuration.read(ROOT, ignoring=ONLY_TO_RUN)


@pytest.fixture(scope="session")
def both(example: Configuration) -> Callable[[str], Sides]:
    """Both sides of the agreement with a partner."""

    def of(name: str) -> Sides:
        agreement = next(one for one in example.workspace.agreements if one.name == name)
        return sides(example.workspace, example.maps, agreement)

    return of
