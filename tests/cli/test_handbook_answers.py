"""What a partner's guide tells of its answers to our orders."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.cli.handbook.answers import answers
from gateway.partners.agreement import Agreement

ANSWERS = {"order_acknowledgement": {}, "ship_notice": {}}
TOLD: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["Within 2 business days (Monday to Friday) after you got it."]),
    ({"service_levels": {"order_acknowledgement_business_days": 0}}, []),
    ({"service_levels": {"order_acknowledgement_hours": "4.50"}}, ["Within 4.5 hours after you got it."]),
    (
        {"service_levels": {"order_acknowledgement_hours": 1, "ship_notice_before_arrival_hours": 24}},
        ["Within 1 hour after you got it.", "24 hours before the day on which the order wants the goods."],
    ),
    (
        {
            "service_levels": {"order_acknowledgement_business_days": 0},
            "matching": {"tolerances": {"price_percent": 1, "date_days": 2}, "unknown_order_wait_hours": 24},
        },
        [
            (
                "prices up to 1 % up or down; dates up to 2 days earlier or later. What differs by more waits until "
                "somebody here has looked at it."
            ),
            "Waits for the order for 24 hours.",
        ],
    ),
    ({"documents": {}}, []),
]


@pytest.mark.parametrize(("agreed", "told"), TOLD)
def test_a_partner_is_told_what_is_agreed_about_its_answers(agreed: dict[str, Any], told: list[str]) -> None:
    """And nothing of what is not."""
    head = {"name": "acme", "title": "A", "ids": [{"scheme": "gln", "value": "1"}], "channel": "rest"}
    agreement = Agreement.model_validate(head | {"documents": {"receive": ANSWERS}} | agreed)
    assert [text for _, text in answers(agreement)] == told
