"""What is kept of refused messages is bounded for every name, known or not."""

from __future__ import annotations

from gateway.pipeline.refusals import RECORDS_A_MINUTE, START_KEPT, WHOLE_AN_HOUR, Refusals


def test_a_partner_name_has_a_budget_of_whole_bodies_an_hour() -> None:
    """Beyond it only the beginning is kept."""
    now = [0.0]
    refusals = Refusals(clock=lambda: now[0])
    body = b"x" * (WHOLE_AN_HOUR // 2)
    kept = [len(refusals.keep("acme", body, whole=True).payload) for _ in range(3)]
    assert kept == [len(body), len(body), START_KEPT]
    now[0] = 3600.0
    assert len(refusals.keep("acme", body, whole=True).payload) == len(body)


def test_more_than_the_records_of_a_minute_are_counted_and_told_by_the_next_record() -> None:
    """Each name has its own minute."""
    now = [0.0]
    refusals = Refusals(clock=lambda: now[0])
    recorded = [refusals.keep(None, b"x", whole=False).recorded for _ in range(RECORDS_A_MINUTE + 5)]
    assert recorded.count(True) == RECORDS_A_MINUTE
    assert refusals.keep("acme", b"x", whole=True).recorded
    now[0] = 60.0
    assert refusals.keep(None, b"x", whole=False).unrecorded_before == 5


def test_strangers_and_what_was_refused_unread_keep_only_their_beginning() -> None:
    """64 KiB."""
    refusals = Refusals(clock=lambda: 0.0)
    body = b"x" * (START_KEPT + 1)
    assert len(refusals.keep(None, body, whole=True).payload) == START_KEPT
    assert len(refusals.keep("acme", body, whole=False).payload) == START_KEPT
