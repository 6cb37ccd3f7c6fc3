"""Who is calling: `Authorization: Bearer gw_<id>_<secret>` becomes a principal, or a 401 that says nothing more.

Only the SHA-256 of a secret is known. An unknown key and a wrong secret cost the same work and get the same answer.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from gateway.partners.agreement import Agreement
from gateway.ports import ApiKey
from gateway.web.circumstances import CIRCUMSTANCES
from gateway.web.limits import Limiter
from gateway.web.problems import Problem
from gateway.web.services import Services

ERP, SUPPLIER = "erp", "supplier"
FAILURES_PER_MINUTE = 60
"""Refused keys from one address, before it is told to wait."""
_TOKEN = re.compile(r"gw_([A-Za-z0-9]{1,64})_([A-Za-z0-9_-]{16,256})")
_NO_HASH = "0" * 64
_TOUCH = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """An authenticated caller. `agreement` is there exactly in the supplier scope."""

    scope: str
    key_id: str
    agreement: Agreement | None

    @property
    def partner(self) -> str | None:
        """The partner's name in the supplier scope; None is the ERP."""
        return None if self.agreement is None else self.agreement.name


PRINCIPAL: web.RequestKey[Principal] = web.RequestKey("principal", Principal)


async def authenticate(services: Services, strangers: Limiter, request: web.Request) -> Principal:
    """The caller of `request`. Raises Problem: 401 no usable key, 403 an agreement at rest, 429 too many failures."""
    key = await _known(services, request.headers.getall("Authorization", []))
    if key is None:
        # A right key passes whatever its neighbours behind one address do: nobody can lock a partner out.
        allowance = strangers.take(request[CIRCUMSTANCES].client, FAILURES_PER_MINUTE)
        if allowance.wait:
            raise Problem(429, "api.too_many_failures", "Too many refused keys", headers=allowance.headers)
        # RFC 6750 3: the challenge names the scheme.
        raise Problem(
            401,
            "api.unauthorized",
            "A valid API key is needed",
            detail="Send Authorization: Bearer gw_… with a key that has neither expired nor been revoked.",
            headers={"WWW-Authenticate": 'Bearer realm="partner-gateway"'},
        )
    principal = _principal(services, key)
    now = services.clock()
    if key.last_used_at is None or now - key.last_used_at >= _TOUCH:
        await services.keys.touch_key(key.id, now)
    return principal


async def _known(services: Services, said: list[str]) -> ApiKey | None:
    scheme, _, token = (said[0] if len(said) == 1 else "").partition(" ")
    match = _TOKEN.fullmatch(token.strip())
    if scheme.lower() != "bearer" or match is None:
        return None
    found = await services.keys.key(match[1])
    secret = hashlib.sha256(match[2].encode()).hexdigest()
    right = hmac.compare_digest(secret, _NO_HASH if found is None else found[1])
    if found is None or not right:
        return None
    key, now = found[0], services.clock()
    ended = key.expires_at is not None and key.expires_at <= now
    return None if ended or (key.revoked_at is not None and key.revoked_at <= now) else key


def _principal(services: Services, key: ApiKey) -> Principal:
    if key.scope == ERP and key.partner is None:
        return Principal(scope=ERP, key_id=key.id, agreement=None)
    agreement = None if key.partner is None else services.directory.by_name(key.partner)
    if key.scope != SUPPLIER or agreement is None or not agreement.exchanges:
        raise Problem(
            403,
            "api.agreement_at_rest",
            "No documents are exchanged under this agreement at present",
            detail="Ask your contact at the company that gave you the key.",
        )
    return Principal(scope=SUPPLIER, key_id=key.id, agreement=agreement)
