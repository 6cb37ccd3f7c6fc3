"""Steps of a check of somebody's station: what was tried, what came of it, what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step. `held` is None where there is something to look at, but nothing fails."""

    name: str
    held: bool | None
    said: str
    facts: tuple[tuple[str, str], ...] = ()
    fix: str = ""
    """What to do when it did not hold."""
    seconds: float | None = None
