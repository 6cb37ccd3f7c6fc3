"""What is kept of refused messages is bounded for every name, known or not."""

from __future__ import annotations

from gateway.pipeline.refusals import (
    ALL_A_DAY,
    HEADERS_KEPT,
    RECORDS_A_DAY,
    RECORDS_A_MINUTE,
    START_KEPT,
    WHOLE_AN_HOUR,
    Refusals,
    headers_kept,
)


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


def test_50_000_refusals_of_different_messages_in_a_day_are_some_thousand_records() -> None:
    """However patient the sender; one a minute still comes through, and tells how many did not."""
    now = [0.0]
    refusals = Refusals(clock=lambda: now[0])
    recorded = told = octets = 0
    for number in range(50_000):
        now[0] = number * 86_400 / 50_000
        kept = refusals.keep(None, b"x" * (2 * START_KEPT), whole=True)
        recorded += kept.recorded
        told += kept.unrecorded_before
        octets += len(kept.payload)
    assert RECORDS_A_DAY < recorded < RECORDS_A_DAY + 24 * 60
    assert octets <= recorded * START_KEPT
    assert told + recorded > 50_000 - 100
    now[0] = 86_400.0
    assert all(refusals.keep(None, b"x", whole=True).recorded for _ in range(RECORDS_A_MINUTE))


def test_all_names_together_have_a_budget_of_octets_a_day_and_beyond_it_hash_and_size_are_kept() -> None:
    """Whoever knows the names of all partners does not fill the disk either."""
    now = [0.0]
    refusals = Refusals(clock=lambda: now[0])
    body = b"x" * (WHOLE_AN_HOUR // 2)
    kept = [refusals.keep(f"partner-{number}", body, whole=True) for number in range(50)]
    assert sum(len(one.payload) for one in kept) == ALL_A_DAY
    assert all(one.recorded for one in kept)
    now[0] = 86_400.0
    assert refusals.keep("partner-0", body, whole=True).payload == body


def test_headers_of_a_refusal_are_kept_up_to_a_bound() -> None:
    """The first ones, which are those that say who and what."""
    headers = [("AS2-From", "x"), *[(f"X-{number}", "y" * 1000) for number in range(30)]]
    kept = headers_kept(headers)
    assert kept[0] == ("AS2-From", "x")
    assert 0 < sum(len(name) + len(value) for name, value in kept) <= HEADERS_KEPT
    assert headers_kept(headers[:5]) == tuple(headers[:5])
