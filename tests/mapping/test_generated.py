"""Law 1 on generated documents: read(write(d)) = d for whatever a map can express.

Hypothesis chooses the seeds; a document is drawn from the map's own rules: a new line of a map is tested with it.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.canonical import dump, parse
from gateway.findings import Severity
from gateway.mapping import shipped_map
from gateway.mapping.draw import draw


@pytest.mark.parametrize(
    "name", ["x12/850", "x12/855", "x12/856", "acme/855", "edifact/ORDERS", "edifact/ORDRSP", "edifact/ORDCHG"]
)
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_what_is_written_is_read_again(name: str, seed: int) -> None:
    """Nothing is lost, nothing is changed, nothing is kept beside."""
    own = shipped_map(name)
    model, errors = parse(own.canonical, draw(own, seed))
    assert not errors
    assert model is not None
    made = json.loads(json.dumps(dump(model)))
    writing = own.write(made)
    assert not writing.lost
    assert all(finding.severity is Severity.ACCEPT for finding in writing.findings)
    reading = own.read(writing.root)
    again, errors = parse(own.canonical, reading.document)
    assert not errors
    assert not reading.unmapped
    assert again == model
