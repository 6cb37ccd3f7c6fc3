"""Facts about keys and rates."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

PATH = "/v1/purchase-orders"
SECRET = "s" * 32


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Bearer",
        "Bearer nonsense",
        f"Basic gw_baltic_{SECRET}",
        f"Bearer gw_nobody_{SECRET}",
        "Bearer gw_baltic_" + "x" * 32,
        f"Bearer gw_expired_{SECRET}",
        f"Bearer gw_revoked_{SECRET}",
        f"Bearer gw_baltic_{SECRET} trailing",
        "Bearer gw_" + "x" * 4000,
    ],
)
async def test_every_unusable_key_gets_the_same_answer(caller: Any, said: str) -> None:
    """401 with a challenge; nothing tells an unknown key from a wrong or an ended one."""
    answer = await caller("GET", PATH, None, headers={"Authorization": said})
    problem = answer.json
    assert problem.pop("correlation_id")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert problem == {
        "type": "tag:partner-gateway,2026:api.unauthorized",
        "title": "A valid API key is needed",
        "status": 401,
        "detail": "Send Authorization: Bearer gw_… with a key that has neither expired nor been revoked.",
    }


async def test_a_suspended_agreement_has_no_api(caller: Any) -> None:
    """The key is right, but nothing is exchanged."""
    assert (await caller("GET", PATH, "sleepy")).status == 403


async def test_a_key_that_will_expire_works_until_then(caller: Any, world: Any) -> None:
    """The moment of expiry is the first one without access."""
    key, secret = world.stored_keys["baltic"]
    world.stored_keys["baltic"] = (replace(key, expires_at=world.now + timedelta(seconds=1)), secret)
    assert (await caller("GET", PATH)).status == 200
    world.now += timedelta(seconds=1)
    assert (await caller("GET", PATH)).status == 401


async def test_the_last_use_is_recorded_once_a_minute(caller: Any, world: Any) -> None:
    """A busy key is not a row written with every call."""
    await caller("GET", PATH)
    key, secret = world.stored_keys["baltic"]
    world.stored_keys["baltic"] = (replace(key, last_used_at=world.now), secret)
    await caller("GET", PATH)
    world.now += timedelta(seconds=60)
    await caller("GET", PATH)
    assert world.touched == ["baltic", "baltic"]


async def test_a_partner_over_its_rate_waits_and_others_do_not(caller: Any, world: Any) -> None:
    """Thirty a minute are agreed; the thirty-first is told how long to wait, and then passes."""
    answers = [await caller("GET", PATH) for _ in range(31)]
    assert [answer.status for answer in answers] == [200] * 30 + [429]
    assert answers[0].headers["RateLimit-Policy"] == '"minute";q=30;w=60'
    assert answers[0].headers["RateLimit"].startswith('"minute";r=29;')
    wait = int(answers[-1].headers["Retry-After"])
    assert 1 <= wait <= 2
    assert (await caller("GET", PATH, "acme")).status == 200
    world.now += timedelta(seconds=wait)
    assert (await caller("GET", PATH)).status == 200


async def test_guessing_keys_is_answered_429_and_locks_nobody_out(caller: Any, world: Any) -> None:
    """Sixty refused keys a minute from one address; a right key from there still passes."""
    answers = [await caller("GET", PATH, "nobody") for _ in range(61)]
    assert {answer.status for answer in answers[:60]} == {401}
    assert answers[60].status == 429
    assert (await caller("GET", PATH)).status == 200
    world.now += timedelta(minutes=1)
    assert (await caller("GET", PATH, "nobody")).status == 401
