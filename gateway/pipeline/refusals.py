"""What is kept of refused messages: enough to look into it, never enough to fill the disk.

A name in AS2-From proves nothing: whoever writes a partner's name is a stranger until a signature of that partner was
verified. So the same bounds hold for every name: records a minute, and octets kept whole an hour; beyond them only the
beginning is kept, then only the count, which the next record tells.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.pipeline.bodies import Body, size_of, start_of

START_KEPT = 65_536
"""Octets kept of what is not kept whole; hash and size are of all that was read."""
RECORDS_A_MINUTE = 60
"""Refusals recorded for each name."""
WHOLE_AN_HOUR = 64 * 1024 * 1024
"""Octets kept whole for each partner's name."""


@dataclass(kw_only=True, slots=True)
class _Count:
    minute: int = -1
    records: int = 0
    hour: int = -1
    octets: int = 0
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
        if count.records >= RECORDS_A_MINUTE:
            count.unrecorded += 1
            return Kept(recorded=False)
        count.records += 1
        size = size_of(body)
        whole = whole and partner is not None and count.octets + size <= WHOLE_AN_HOUR
        if whole:
            count.octets += size
        before, count.unrecorded = count.unrecorded, 0
        return Kept(recorded=True, payload=body if whole else start_of(body, START_KEPT), unrecorded_before=before)
