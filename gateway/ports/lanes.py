"""What holds for a lane: how urgent its work is, in which order, how many jobs at once and how many in a time."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

PRIORITIES = ("critical", "high", "normal", "low")
"""By their place: job rows hold the place, smaller goes first."""
NORMAL = PRIORITIES.index("normal")
LOWEST = len(PRIORITIES) - 1

RATE = r"[1-9][0-9]{0,5}/(second|minute|hour)( burst [1-9][0-9]{0,5})?"
RATE_WORDS = "a number, / and second, minute or hour, such as 10/second or 600/minute burst 50"
UNLIMITED = "unlimited"
"""As an operator's rate: lifts the one that is agreed."""
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """Tokens: one comes `every` so long, `burst` are kept at most; a job that starts takes one."""

    every: timedelta
    burst: int


@lru_cache(maxsize=1024)
def rate_of(text: str) -> Rate | None:
    """A rate as it is written; None for unlimited. Without a burst, what comes in a second (one at least) is kept."""
    if text == UNLIMITED:
        return None
    if re.fullmatch(RATE, text) is None:
        raise ValueError(f"{text} is no rate: {RATE_WORDS}")
    number, _, rest = text.partition("/")
    per, _, burst = rest.partition(" burst ")
    every = timedelta(seconds=_SECONDS[per]) / int(number)
    return Rate(every=every, burst=int(burst) if burst else max(1, int(timedelta(seconds=1) / every)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What the configuration says of a lane; an operator's cap, rate and pause on its row go before."""

    priority: int = NORMAL
    ordered: bool = False
    """One job at a time, in the order they were added; one that failed holds those behind it."""
    rate: str | None = None
    shared: str | None = None
    """The name under which all lanes of this name share the rate; none: it is the lane's own."""


TermsOf = Callable[[str], Terms]
"""By the lane's name."""


def plain(name: str) -> Terms:  # noqa: ARG001  the same for all
    """Where nothing is agreed."""
    return Terms()
