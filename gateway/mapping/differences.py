"""What two readings of one document say differently: field by field, by JSON Pointer.

What no field holds (`extensions`) is told by what the readings left unmapped, not here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

ADDED: Final = "added"
REMOVED: Final = "removed"
CHANGED: Final = "changed"
_SILENT: Final = frozenset({"extensions", "source"})
_NUMBER: Final = re.compile(r"/\d+(?=/|\Z)", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One field, and what it was and is; None for the side that has none."""

    pointer: str
    was: str | None
    now: str | None

    @property
    def kind(self) -> str:
        """Added, removed or changed."""
        return ADDED if self.was is None else REMOVED if self.now is None else CHANGED

    @property
    def field(self) -> str:
        """The pointer with `*` for every place in a list: what many documents have in common."""
        return _NUMBER.sub("/*", self.pointer)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Every field that differs, in the order of the documents."""
    was, now = dict(leaves(old)), dict(leaves(new))
    names = [*was, *(name for name in now if name not in was)]
    return tuple(
        Difference(pointer=name, was=was.get(name), now=now.get(name))
        for name in names
        if was.get(name) != now.get(name)
    )


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Pointer and text of every plain value; nothing for what is null."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            if name not in _SILENT:
                yield from leaves(one, f"{at}/{str(name).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, (list, tuple)):
        for number, one in enumerate(value):
            yield from leaves(one, f"{at}/{number}")
    elif value is not None:
        yield at, str(value)
