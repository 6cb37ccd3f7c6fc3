"""The `notify` step: what an endpoint's answer does to the delivery, and when the endpoint is disabled."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.pipeline.notifying import IN_A_ROW, notify
from gateway.ports import Changes, Job
from gateway.publication import NOTIFY
from gateway.settings import Identity, Settings

START = datetime(2026, 3, 1, tzinfo=UTC)
HOOK: dict[str, Any] = {"url": "https://there.example.com/hook", "secrets": {"env": "S"}}


@dataclass(kw_only=True)
class Endpoint:
    """Takes an event, or fails so."""

    fails: DeliveryFailed | None = None
    posted: list[tuple[str, str]] = field(default_factory=list)

    async def post(self, event_id: str, body: str) -> int:
        """Take it."""
        self.posted.append((event_id, body))
        if self.fails is not None:
            raise self.fails
        return 204


@dataclass(kw_only=True)
class Kept:
    """What the store is asked."""

    failures: int = 0
    disabled: list[tuple[str, str, str]] = field(default_factory=list)

    async def webhook_disabled(self, name: str) -> bool:
        """Whether it is."""
        return name in {one for one, _, _ in self.disabled}

    async def disable_webhook(self, name: str, *, by: str, reason: str) -> bool:
        """Disable it."""
        self.disabled.append((name, by, reason))
        return True

    async def lane_failures(self, name: str) -> int:
        """In a row."""
        assert name == ":events:erp"
        return self.failures


def station(endpoint: Endpoint, kept: Kept, *, after: timedelta = timedelta(0)) -> Any:
    """Ours, at that time after the first try."""
    settings = Settings.model_validate(
        {"identity": Identity(name="Us", as2_id="US").model_dump(), "webhooks": {"erp": HOOK}}
    )
    return SimpleNamespace(
        webhooks={"erp": endpoint}, store=kept, settings=settings, clock=lambda: START + after, directory=None
    )


def job(name: str = "erp") -> Job:
    """An event for it."""
    return Job(
        id=1,
        message_id="m",
        document_id=f"m-1@{name}",
        step=NOTIFY,
        lane=":events:erp",
        attempt=1,
        owner="me",
        wait_key=None,
        data={"endpoint": name, "event_id": "m-1", "type": "order.sent", "body": "{}"},
        first_run_at=START,
    )


def failed(outcome: Outcome) -> DeliveryFailed:
    """An answer that says no."""
    return DeliveryFailed("it answered", outcome=outcome)


async def test_an_event_is_posted_as_it_was_written() -> None:
    """Nothing else changes."""
    endpoint = Endpoint()
    assert await notify(station(endpoint, Kept()), job()) == Changes()
    assert endpoint.posted == [("m-1", "{}")]


async def test_an_endpoint_that_is_gone_is_disabled_and_asked_no_more() -> None:
    """410 is permanent; what waits is given up unsent."""
    endpoint, kept = Endpoint(fails=failed(Outcome.PERMANENT)), Kept()
    for _ in range(2):
        with pytest.raises(DeliveryFailed) as refused:
            await notify(station(endpoint, kept), job())
        assert refused.value.outcome is Outcome.PERMANENT
    assert kept.disabled == [("erp", "the endpoint", "it answered")]
    assert len(endpoint.posted) == 1
    assert "gateway webhook enable erp" in str(refused.value)


@pytest.mark.parametrize(
    ("hours", "failures", "disabled"), [(1, 100, False), (96, IN_A_ROW - 1, False), (96, IN_A_ROW, True)]
)
async def test_an_endpoint_is_disabled_when_an_events_time_is_over_and_nothing_else_got_through(
    hours: int, failures: int, *, disabled: bool
) -> None:
    """One event that is never taken disables nobody."""
    kept = Kept(failures=failures)
    ours = station(Endpoint(fails=failed(Outcome.TRANSIENT)), kept, after=timedelta(hours=hours))
    with pytest.raises(DeliveryFailed):
        await notify(ours, job())
    assert bool(kept.disabled) == disabled
    assert not disabled or kept.disabled[0] == ("erp", "the gateway", "nothing got through for 4 days: it answered")


async def test_an_endpoint_that_is_not_configured_any_more_is_our_fault_with_the_remedy() -> None:
    """It is tried again: another node may know it."""
    with pytest.raises(OurFault, match="webhook old is not in the configuration") as fault:
        await notify(station(Endpoint(), Kept()), job("old"))
    assert fault.value.remedy
