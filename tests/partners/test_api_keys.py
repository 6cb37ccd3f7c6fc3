"""API keys: shown once, stored as a hash, read strictly."""

from __future__ import annotations

import hashlib

import pytest

from gateway.partners.api_keys import mint_api_key, parse_api_key, secret_matches


def test_a_minted_key_is_recognised_by_what_is_stored() -> None:
    """The stored hash is of the secret part alone."""
    minted = mint_api_key()
    parsed = parse_api_key(minted.text)
    assert parsed is not None
    key_id, secret = parsed
    assert key_id == minted.id
    assert minted.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert secret_matches(secret, minted.secret_sha256)
    assert not secret_matches(secret[::-1], minted.secret_sha256)
    assert mint_api_key().text != minted.text


@pytest.mark.parametrize(
    "text",
    ["", "gw_", "gw_0123456789ab", f"gw_0123456789ab_{'0' * 63}", f"gw_0123456789ab_{'0' * 64}\n", f"GW_0_{'é' * 64}"],
)
def test_what_is_no_key_is_none(text: str) -> None:
    """Nothing is looked up for it."""
    assert parse_api_key(text) is None
