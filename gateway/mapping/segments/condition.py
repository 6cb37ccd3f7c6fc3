"""Conditions of rules, decided on the document both ways: `purpose = original`, `purpose in a, b`, `number present`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from gateway.mapping.paths import Get, Path, getter, read_path

_FORM: Final = re.compile(r"([a-z][a-z0-9_.\[\]=]*) (?:(=|in) (.+)|(present|absent))\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Condition:
    """A field and the texts it must have one of; none: it must be there, or not be there."""

    text: str
    path: Path
    get: Get
    values: frozenset[str]
    present: bool

    def holds(self, target: dict[str, Any]) -> bool:
        """Whether it holds of `target` as far as it is known."""
        value = self.get(target)
        return value in self.values if self.values else (value is not None) is self.present


def read_condition(text: str) -> Condition | None:
    """The condition that `text` says; None where it says none."""
    found = _FORM.match(text.strip())
    path = read_path(found[1]) if found else None
    if found is None or not path:
        return None
    values = [found[3].strip()] if found[2] == "=" else [each.strip() for each in (found[3] or "").split(",")]
    return Condition(text, path, getter(path), frozenset(each for each in values if each), found[4] != "absent")
