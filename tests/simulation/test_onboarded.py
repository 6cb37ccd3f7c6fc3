"""The senders that were onboarded from real files (tests/onboarding/senders): each agreement can be tried."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gateway.partners import configuration
from gateway.partners.checks import ONLY_TO_RUN
from gateway.simulation.trial import load_example, sides, trial

from .conftest import AT, ROOT

SENDERS = ROOT / "tests/onboarding/senders"


@pytest.mark.parametrize("sender", sorted(path.name for path in SENDERS.iterdir() if path.is_dir()))
def test_an_onboarded_sender_fails_nowhere(sender: str, tmp_path: Path) -> None:
    """What its maps cannot say of a scenario is noted; nothing else is."""
    shutil.copytree(SENDERS / sender, tmp_path, dirs_exist_ok=True)
    shutil.copy(SENDERS / "gateway.yaml", tmp_path)
    found = configuration.read(tmp_path, ignoring=ONLY_TO_RUN)
    for agreement in found.workspace.agreements:
        both = sides(found.workspace, found.maps, agreement)
        checks = list(trial(both, count=2, seed=1, at=AT, load=load_example((tmp_path, ROOT), both)))
        assert checks
        assert not {f"{one.kind} {one.check}": dict(one.problems) for one in checks if one.problems}
