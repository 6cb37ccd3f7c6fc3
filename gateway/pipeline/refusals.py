"""What is kept of refused messages: enough to look into it, never enough to fill the disk.

A name in AS2-From proves nothing: whoever writes a partner's name is a stranger until a signature of that partner was
verified. So the same bounds hold for every name: records a minute, and octets kept whole an hour; beyond them only the
beginning is kept, then only the count, which the next record tells.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.pipeline.bodies import Body, size_of, start_of

START_KEPT = 65_536
"""Octets kept of what is not kept whole; hash and size are of all that was read."""
RECORDS_A_MINUTE = 60
"""Refusals recorded for each name."""
RECORDS_A_DAY = 5_000
"""Likewise, and then one a minute: who floods all day leaves the others of that name their place on the trail."""
WHOLE_AN_HOUR = 64 * 1024 * 1024
"""Octets kept whole for each partner's name."""
ALL_A_DAY = 1024 * 1024 * 1024
"""Octets kept of all refusals, whatever names they claim."""
HEADERS_KEPT = 8 * 1024
"""Octets of HTTP headers kept with a refusal; a station sends one or two thousand."""


@dataclass(kw_only=True, slots=True)
class _Count:
    minute: int = -1
    records: int = 0
    hour: int = -1
    octets: int = 0
    day: int = -1
    records_today: int = 0
    unrecorded: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """How much of one refusal is recorded."""

    recorded: bool
    payload: Body = b""
    unrecorded_before: int = 0
    """Refusals of the same name since the last record that were only counted."""


@dataclass(kw_only=True, slots=True)
class Refusals:
    """The bounds of one process. Names of partners are as many as agreements; all strangers share one."""

    clock: Callable[[], float] = time.monotonic
    _counts: dict[str, _Count] = field(default_factory=dict)
    _day: int = -1
    _octets_today: int = 0

    def keep(self, partner: str | None, body: Body, *, whole: bool) -> Kept:
        """What may be kept of a message that claims to be from `partner` (None: from nobody we know).

        `whole` asks for all of it; what was refused unread is kept as its beginning.
        """
        count = self._counts.setdefault(partner or "", _Count())
        now = self.clock()
        if count.minute != int(now // 60):
            count.minute, count.records = int(now // 60), 0
        if count.hour != int(now // 3600):
            count.hour, count.octets = int(now // 3600), 0
        today = int(now // 86_400)
        if count.day != today:
            count.day, count.records_today = today, 0
        if count.records >= (RECORDS_A_MINUTE if count.records_today < RECORDS_A_DAY else 1):
            count.unrecorded += 1
            return Kept(recorded=False)
        count.records += 1
        count.records_today += 1
        size = size_of(body)
        whole = whole and partner is not None and count.octets + size <= WHOLE_AN_HOUR
        if whole:
            count.octets += size
        before, count.unrecorded = count.unrecorded, 0
        payload = self._within_the_day(today, body if whole else start_of(body, START_KEPT))
        return Kept(recorded=True, payload=payload, unrecorded_before=before)

    def _within_the_day(self, today: int, payload: Body) -> Body:
        """What is to be kept, or nothing when the day's octets are used up."""
        if self._day != today:
            self._day, self._octets_today = today, 0
        size = size_of(payload)
        if self._octets_today + size > ALL_A_DAY:
            return b""
        self._octets_today += size
        return payload


def headers_kept(headers: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The first headers of a refusal, as many as are kept."""
    kept: list[tuple[str, str]] = []
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
        if size > HEADERS_KEPT:
            break
        kept.append((name, value))
    return tuple(kept)
