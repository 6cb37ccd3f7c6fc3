"""The REST page says what the gateway does: its examples are valid, its error is real, nothing is left out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway import canonical
from gateway.web.api.call import STATUSES
from gateway.web.api.routes import ROUTES
from gateway.web.problems import invalid, rendered

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/rest.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"<!-- (\w+: \w+) -->\n```json\n(.*?)```", PAGE, re.DOTALL))
WRONG = {
    "number": "ACK-4711",
    "response": "accepted_with_changes",
    "order": {"number": "PO-2026-0815"},
    "lines": [
        {
            "line_id": "1",
            "quantity": {"value": "10,5", "unit": "EA"},
            "responses": [{"status": "acepted", "quantity": {"value": "10"}}],
        }
    ],
}


@pytest.mark.parametrize("kind", canonical.KINDS)
def test_each_example_is_a_valid_document(kind: str) -> None:
    """Whoever copies it is not refused."""
    model, findings = canonical.parse(kind, json.loads(BLOCKS[f"example: {kind}"]))
    assert model is not None
    assert [finding.text for finding in findings] == []


def test_the_error_shown_is_the_one_that_is_answered() -> None:
    """Word for word."""
    _, findings = canonical.parse("order_acknowledgement", WRONG)
    title = "The order acknowledgement cannot be taken"
    answer: Any = json.loads(rendered(invalid(422, "api.document.invalid", title, findings), "their-7").body)
    assert json.loads(BLOCKS["answer: 422"]) == answer


def test_every_route_status_and_rule_is_on_the_page() -> None:
    """A new one without a line here fails."""
    source = "".join(file.read_text("utf-8") for file in (ROOT / "gateway/web").rglob("*.py"))
    rules = set(re.findall(r'"(api(?:\.[a-z_]+)+)"', source))
    assert len(rules) > 20
    missing = [rule for rule in sorted(rules) if f"`{rule}`" not in PAGE]
    missing += [f"{route.method} {route.path}" for route in ROUTES if f"`{route.method} {route.path}`" not in PAGE]
    assert missing + [status for status in STATUSES if status not in PAGE] == []
