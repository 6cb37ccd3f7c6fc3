"""Token buckets, one per caller, in memory: how many requests a minute, and what the caller is told about it.

Per process: with N nodes behind a balancer a caller may get up to N times its rate.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from gateway.ports import Clock

WINDOW = 60
"""Seconds."""
_MOST_BUCKETS = 10_000


@dataclass(kw_only=True, slots=True)
class _Bucket:
    tokens: float
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """The decision about one request. `wait` is 0 when it may pass, else seconds until the next one may."""

    quota: int
    remaining: int
    wait: int

    @property
    def headers(self) -> dict[str, str]:
        """`RateLimit` fields (draft-ietf-httpapi-ratelimit-headers-08 3 and 4), and Retry-After on refusal."""
        fields = {
            "RateLimit-Policy": f'"minute";q={self.quota};w={WINDOW}',
            "RateLimit": f'"minute";r={self.remaining};t={self.wait or math.ceil(WINDOW / self.quota)}',
        }
        return fields | ({"Retry-After": str(self.wait)} if self.wait else {})


class Limiter:
    """Buckets by caller; the least recently seen are forgotten beyond ten thousand (they would be full again)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, caller: str, quota: int) -> Allowance:
        """Take a token from the caller's bucket of `quota` a minute, if there is one."""
        now = self._clock()
        bucket = self._buckets.setdefault(caller, _Bucket(tokens=float(quota), at=now))
        self._buckets.move_to_end(caller)
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)
        passed = max((now - bucket.at).total_seconds(), 0.0)
        bucket.tokens = min(float(quota), bucket.tokens + passed * quota / WINDOW)
        bucket.at = now
        if bucket.tokens < 1:
            wait = max(1, math.ceil((1 - bucket.tokens) * WINDOW / quota))
            return Allowance(quota=quota, remaining=0, wait=wait)
        bucket.tokens -= 1
        return Allowance(quota=quota, remaining=int(bucket.tokens), wait=0)
