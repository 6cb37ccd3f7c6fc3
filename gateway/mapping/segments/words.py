"""The words of a map line: keys (`REF*BM`, `DTM+137`), addresses (`PO106..25`, `C507` as `DTM01.2..3`), constants.

Paths and pairs of a line are `gateway.mapping.segments.lines`.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final, NamedTuple

_ADDRESS: Final = re.compile(r"([A-Z][A-Z0-9]{1,2})(\d\d)(?:\.\.(\d\d))?(?:\.(\d{1,2})(?:\.\.(\d{1,2}))?)?\Z", re.ASCII)
_CONSTANT: Final = re.compile(r"=([^ ]*)(?: with ([a-z_.\[\]=]+))?\Z", re.ASCII)
_KEY: Final = re.compile(r"([A-Z][A-Z0-9]{1,2})((?:[*+][^*+]*)*)\Z", re.ASCII)
IGNORE: Final = "ignore"
"""In place of a line, or of a segment's lines: read past, neither reported nor kept."""
KEEP: Final = "keep"
"""In place of a line: kept and written back, but no field and nothing to report; the agency of a code."""


class Spot(NamedTuple):
    """One component of one element: both from 0 and 1, as in `Segment.elements` and on paper."""

    element: int
    """From 0."""
    component: int = 1
    """From 1; of a simple element 1 is all of it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Elements from 0, both ends included; components from 1, both ends included; 0 and 0: the whole element."""

    first: int
    last: int
    start: int = 0
    end: int = 0

    @property
    def wide(self) -> bool:
        """Whether it names more than one text."""
        return self.last > self.first or self.end > self.start

    @property
    def size(self) -> int:
        """How many texts it names in each element."""
        return self.end - self.start + 1

    @property
    def width(self) -> int:
        """How many texts it names."""
        return (self.last - self.first + 1) * self.size

    def spots(self) -> list[Spot]:
        """Each component it names; a whole element counts as its first."""
        inside = range(self.start or 1, (self.end or 1) + 1)
        return [Spot(index, each) for index in range(self.first, self.last + 1) for each in inside]


@dataclass(frozen=True, slots=True)
class Key:
    """Tag and selecting values: `MAN*GM|AA`, `CTP**EUP`, `COM+:TE`."""

    tag: str
    chosen: tuple[tuple[Spot, tuple[str, ...]], ...] = ()


@functools.lru_cache(maxsize=4096)
def read_key(key: str) -> Key | None:
    """The key of a segment; None where it is none."""
    found = _KEY.match(key)
    if found is None:
        return None
    chosen = []
    for index, element in enumerate(re.split(r"[*+]", found[2])[1:]):
        for component, text in enumerate(element.split(":"), 1):
            if text:
                chosen.append((Spot(index, component), tuple(text.split("|"))))
    return Key(found[1], tuple(chosen))


@functools.lru_cache(maxsize=4096)
def read_address(tag: str, text: str) -> Address | None:
    """The elements and components that `text` names; None where it is no address of `tag`."""
    found = _ADDRESS.match(text)
    if found is None or found[1] != tag or found[2] == "00":
        return None
    first = int(found[2]) - 1
    last = int(found[3]) - 1 if found[3] else first
    start = int(found[4] or 0)
    end = int(found[5] or start)
    if last < first or end < start or (found[4] and not start):
        return None
    return Address(first, last, start, end)


def read_constant(text: str) -> tuple[str, str] | None:
    """Value and companion field of `=ZZ with reason`; None where it is no constant."""
    found = _CONSTANT.match(text)
    return (found[1], found[2] or "") if found else None
