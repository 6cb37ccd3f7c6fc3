"""API keys: found by id, listed by partner, revoked once, last use recorded at most once a minute."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from gateway.ports import ApiKey
from gateway.store import Store


def api_key(clock: Any, **fields: Any) -> ApiKey:
    """A supplier's key."""
    given: dict[str, Any] = {
        "id": "k1",
        "partner": "baltic",
        "scope": "supplier",
        "name": "station",
        "created_at": clock(),
        "expires_at": clock() + timedelta(days=90),
        "revoked_at": None,
        "last_used_at": None,
    }
    return ApiKey(**given | fields)


async def test_a_key_comes_back_with_the_hash_of_its_secret(store: Store, clock: Any) -> None:
    """An unknown one is None."""
    key = api_key(clock)
    await store.add_key(key, secret_sha256="ab")
    assert await store.key("k1") == (key, "ab")
    assert await store.key("k2") is None


async def test_keys_are_listed_by_partner(store: Store, clock: Any) -> None:
    """The ERP's keys have none."""
    for id_, partner in (("k1", "baltic"), ("k2", None), ("k3", "acme")):
        await store.add_key(api_key(clock, id=id_, partner=partner), secret_sha256="ab")
    assert [key.id for key in await store.keys()] == ["k1", "k2", "k3"]
    assert [key.id for key in await store.keys(partner="acme")] == ["k3"]


async def test_a_revoked_key_keeps_the_time_it_was_first_revoked(store: Store, clock: Any) -> None:
    """And revoking an unknown one says so."""
    key = api_key(clock)
    await store.add_key(key, secret_sha256="ab")
    at = clock()
    assert await store.revoke_key("k1", at)
    assert await store.revoke_key("k1", at + timedelta(days=1))
    assert not await store.revoke_key("k2", at)
    assert await store.key("k1") == (replace(key, revoked_at=at), "ab")


async def test_the_last_use_is_recorded_at_most_once_a_minute(store: Store, clock: Any) -> None:
    """A busy key costs no write a call."""
    await store.add_key(api_key(clock), secret_sha256="ab")
    at = clock()
    for seconds in (0, 30, 59, 61):
        await store.touch_key("k1", at + timedelta(seconds=seconds))
        found = await store.key("k1")
        assert found is not None
        assert found[0].last_used_at == at + timedelta(seconds=0 if seconds < 60 else 61)
