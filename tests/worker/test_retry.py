"""The retry schedule, row by row; the breaker's pauses; what becomes of each kind of failure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.errors import DeliveryFailed, OurFault, Outcome, PartnerFault
from gateway.ports import Job
from gateway.worker import Breaker, Schedule, next_run
from gateway.worker.outcomes import UNEXPECTED_TRIES, facts, judge

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 5), (2, 15), (3, 60), (4, 300), (5, 900), (6, 3600), (7, 3600), (70, 3600)]
)
def test_each_failure_waits_as_the_table_says(attempt: int, seconds: int) -> None:
    """Without jitter; the last row holds on."""
    assert next_run(attempt, NOW, NOW, None, lambda: 0.5) == NOW + timedelta(seconds=seconds)


def test_jitter_is_a_fifth_to_either_side() -> None:
    """Jobs that failed together come back apart."""
    assert next_run(3, NOW, NOW, None, lambda: 0.0) == NOW + timedelta(seconds=48)
    assert next_run(3, NOW, NOW, None, lambda: 1.0) == NOW + timedelta(seconds=72)


def test_what_the_far_side_asked_for_is_never_undercut() -> None:
    """Nor does it shorten our own wait."""
    assert next_run(1, NOW, NOW, 120, lambda: 0.5) == NOW + timedelta(seconds=120)
    assert next_run(4, NOW, NOW, 1, lambda: 0.5) == NOW + timedelta(seconds=300)


def test_after_three_days_it_is_over() -> None:
    """A last try is made at the end itself, however long the far side asked us to wait."""
    end = NOW + timedelta(days=3)
    assert next_run(60, NOW, end - timedelta(minutes=1), None, lambda: 0.5) == end
    assert next_run(1, NOW, NOW, 1e9, lambda: 0.5) == end
    assert next_run(61, NOW, end, None, lambda: 0.5) is None


def test_a_schedule_of_ones_own() -> None:
    """Seconds and end are settings."""
    schedule = Schedule(seconds=(1, 2), give_up_after=timedelta(seconds=10), jitter=0)
    assert next_run(9, NOW, NOW, None, lambda: 0.9, schedule=schedule) == NOW + timedelta(seconds=2)
    assert next_run(9, NOW, NOW + timedelta(seconds=10), None, lambda: 0.9, schedule=schedule) is None


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, None), (4, None), (5, 30), (6, 60), (7, 120), (8, 300), (50, 300)]
)
def test_a_lane_rests_longer_with_each_probe_that_fails(failures: int, seconds: int | None) -> None:
    """Five failures in a row open the breaker."""
    assert Breaker().pause_for(failures) == (None if seconds is None else timedelta(seconds=seconds))


def job(**fields: Any) -> Job:
    """A delivery, tried for the first time."""
    given: dict[str, Any] = {
        "id": 1,
        "message_id": "m",
        "document_id": "d",
        "step": "deliver",
        "lane": "acme:inbound:erp",
        "attempt": 1,
        "owner": "me",
        "wait_key": None,
        "data": {"order_number": "4711", "target": "erp-north"},
        "first_run_at": NOW,
    }
    return Job(**given | fields)


@pytest.mark.parametrize(
    ("fault", "outcome", "again"),
    [
        (DeliveryFailed("503", outcome=Outcome.TRANSIENT), "transient", True),
        (DeliveryFailed("no answer", outcome=Outcome.UNCERTAIN), "uncertain", True),
        (DeliveryFailed("422", outcome=Outcome.PERMANENT), "permanent", False),
        (PartnerFault("not ISA"), "permanent", False),
        (OurFault("no key", remedy="make one"), "transient", True),
        (RuntimeError("bug"), "transient", True),
    ],
)
def test_every_kind_of_failure_has_its_outcome(fault: Exception, outcome: str, *, again: bool) -> None:
    """Whose fault it is decides whether waiting helps."""
    verdict = judge(job(), fault, now=NOW, random=lambda: 0.5, schedule=Schedule(), reference="ref")
    assert (verdict.outcome, verdict.run_at is not None) == (outcome, again)
    kinds = [fact.kind for fact in facts(job(), verdict)]
    assert ("work.given_up" in kinds) is not again
    assert ("delivery.attempt_failed" in kinds) is not isinstance(fault, PartnerFault)


def test_what_is_ours_to_mend_is_on_the_trail_once_with_its_remedy() -> None:
    """An order that no target takes is not silent for three days; nor is every try told."""
    fault = OurFault("No target takes ship notices", remedy="Add a route.")

    def told(tries: int) -> list[dict[str, Any]]:
        tried = job(step="read", data={}, attempt=tries, tries=tries)
        verdict = judge(tried, fault, now=NOW, random=lambda: 0.5, schedule=Schedule(), reference="ref")
        return [fact.data for fact in facts(tried, verdict)]

    (first,) = told(1)
    assert (first["target"], first["reason"]) == ("read", "No target takes ship notices Add a route.")
    assert told(2) == []


def test_a_reason_that_no_database_takes_is_cleaned() -> None:
    """A far side's words, or a document's, may hold anything."""
    fault = PartnerFault("said \0\ud800")
    verdict = judge(job(), fault, now=NOW, random=lambda: 0.5, schedule=Schedule(), reference="ref")
    assert verdict.reason == "said \ufffd\ufffd"


def test_an_unexpected_error_is_told_by_reference_and_given_up_at_last() -> None:
    """Its text, which may hold anything, stays in the log."""
    verdict = judge(job(), RuntimeError("secret"), now=NOW, random=lambda: 0.5, schedule=Schedule(), reference="ref")
    assert verdict.reason == "unexpected RuntimeError, log reference ref"
    last = job(attempt=UNEXPECTED_TRIES, tries=UNEXPECTED_TRIES)
    verdict = judge(last, RuntimeError("x"), now=NOW, random=lambda: 0.5, schedule=Schedule(), reference="ref")
    assert verdict.run_at is None


def test_a_failed_delivery_is_told_with_target_attempt_and_time() -> None:
    """For the timeline."""
    fault = DeliveryFailed("503 Service Unavailable", outcome=Outcome.TRANSIENT)
    verdict = judge(job(attempt=2, tries=2), fault, now=NOW, random=lambda: 0.5, schedule=Schedule(), reference="r")
    (fact,) = facts(job(attempt=2, tries=2), verdict)
    assert (fact.partner, fact.order_number) == ("acme", "4711")
    assert fact.data == {
        "target": "erp-north",
        "attempt": 2,
        "outcome": "transient",
        "reason": "503 Service Unavailable",
        "retry_at": "2026-03-02T08:00:15+00:00",
    }
