"""One cause gives one finding."""

from __future__ import annotations

from gateway import canonical


def test_a_wrong_line_does_not_make_the_list_too_short_as_well() -> None:
    """A model drops the wrong item and would then miss one; only the item itself is reported."""
    order = {"number": "1", "issue_date": "2026-11-21", "lines": [{"line_id": "1", "quantity": "many"}]}
    _, findings = canonical.parse("purchase_order", order)
    assert findings
    assert all(str(finding.place) != "/lines" for finding in findings)
