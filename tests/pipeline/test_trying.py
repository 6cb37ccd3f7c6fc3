"""`gateway as2 check` with a partner: a real signed exchange, what each failure says, and nothing is stored of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway import as2
from gateway.pipeline.trying import FIXES, _validity, exchanged
from gateway.ports import Step


async def tried(trade: Any, **channel: Any) -> dict[str, Step]:
    """The steps by name."""
    gateway = trade.gateway
    trade.clock.at = gateway.station.keyring.ours[0].certificate.not_valid_before_utc + timedelta(days=1)
    if channel:
        gateway.agree("acme", as2=channel)
    agreement = gateway.station.agreement("acme")
    return {step.name: step async for step in exchanged(gateway.station, agreement)}


async def test_a_sound_connection_is_all_green_and_our_store_stays_empty(trade: Any) -> None:
    """Certificates, message, receipt; the MIC is ours; no message and no event on our side."""
    steps = await tried(trade)
    assert list(steps) == ["our certificate", "their certificate", "message", "receipt"]
    assert all(step.held for step in steps.values()), steps
    assert "its MIC is ours" in steps["receipt"].said
    assert await trade.gateway.all() == []
    seen = await trade.station.all()
    assert [one.content_type.partition(";")[0] for one in seen] == ["text/plain"]
    assert dict(seen[0].raw_headers)["Subject"] == "AS2 connection test, please ignore"


async def test_a_signed_receipt_is_asked_for_even_where_none_is_agreed(trade: Any) -> None:
    """Without one nothing would be shown."""
    steps = await tried(trade, receipt="none")
    assert steps["receipt"].held, steps


async def test_names_they_do_not_know_are_told_with_what_to_do(trade: Any) -> None:
    """Their unsigned refusal is a verdict."""
    steps = await tried(trade, id="ACME-AS3")
    assert steps["receipt"].held is False
    assert steps["receipt"].fix == FIXES["unknown-trading-relationship"]


async def test_a_certificate_they_cannot_decrypt_for_is_told(trade: Any) -> None:
    """We encrypt for another key than theirs: decryption-failed, and the remedy."""
    station = trade.gateway.station
    ring = station.keyring
    from dataclasses import replace  # noqa: PLC0415

    ours = ring.ours[0].certificate
    wrong = replace(ring, theirs={**ring.theirs, "acme": (ours, *ring.theirs["acme"])})
    trade.gateway.change(keyring=wrong)
    steps = await tried(trade)
    assert steps["receipt"].fix == FIXES["decryption-failed"]


async def test_a_receipt_by_a_certificate_that_is_not_theirs_proves_nothing(trade: Any) -> None:
    """What is wrong with it is told as `decode` tells it."""
    station = trade.gateway.station
    from dataclasses import replace  # noqa: PLC0415

    class Elsewhere:
        """Answers with a receipt that somebody else signed."""

        async def post(self, _agreement: Any, headers: Any, _body: bytes) -> Any:
            from gateway.ports import HttpAnswer  # noqa: PLC0415

            request = as2.read_headers(headers)
            fault = as2.As2Fault("x", refusal=as2.Refusal.DECRYPTION_FAILED, public="no")
            made = as2.build_receipt(
                request=request,
                opened=None,
                fault=fault,
                key=station.keyring.ours[0],
                our_name="x",
                message_id="<x@x>",
                date=station.clock(),
            )
            return HttpAnswer(status=200, headers=made.headers, body=made.body)

    trade.gateway.change(as2=Elsewhere())
    steps = await tried(trade)
    assert steps["receipt"].held is False
    assert "whose certificate is none of the partner's" in steps["receipt"].said
    assert replace(steps["receipt"], fix="").fix == ""


async def test_nobody_at_the_address_is_told(trade: Any) -> None:
    """The delivery's own words."""
    steps = await tried(trade, url="http://127.0.0.1:9/as2")
    assert steps["message"].held is False
    assert "no connection" in steps["message"].said


@pytest.mark.parametrize(
    ("days", "held", "said"), [(-3, False, "not valid yet"), (5, True, "days left"), (-5, None, "5 days left")]
)
async def test_validity_is_told_before_anything_is_sent(trade: Any, days: int, *, held: bool | None, said: str) -> None:
    """Days from the beginning, or before the end."""
    certificate = trade.gateway.station.keyring.ours[0].certificate
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    now = (end if held is None else start) + timedelta(days=days)
    step = _validity("our certificate", certificate, now, "renew")
    assert step.held is held
    assert said in step.said
    assert bool(step.fix) is (held is not True)
    assert _validity("our certificate", certificate, end + timedelta(days=2), "renew").said.endswith("ago")
