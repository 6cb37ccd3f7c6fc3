"""Times that have been, as people say them: so long ago, a day, a moment."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from gateway.errors import OurFault

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
SAID = "30m, 2h, 3d, 2026-03-01 or 2026-03-01T18:00+01:00"


def moment_of(text: str, now: datetime) -> datetime:
    """So long before `now`, or the moment named; one without a zone is UTC. Raises OurFault."""
    if (ago := re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text)) is not None:
        return now - timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise OurFault(f"{text!r} is no time", remedy=f"say for example {SAID}") from None
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
