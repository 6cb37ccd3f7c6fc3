"""The memory of what ship notices shipped: bounded, in this process, and of nothing that the store does not say.

What is remembered follows from the notice, the orders that were asked about, and the state of the partner's
cross-references; `shipped` fills it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from gateway.pipeline.identity import OrderRef
from gateway.pipeline.matching import Shipment
from gateway.ports import ReferenceState

MOST_PARTS = 50_000
"""Order lines of all notices that are remembered together, some 10 MB; what was asked for longest ago goes first."""
A_NOTICE = 5
"""Lines that a notice itself weighs: measured, 1 KB for one with a line, 0.2 KB for each more."""

Key = tuple[str, frozenset[tuple[OrderRef, str]], ReferenceState | None]
"""The notice's id; the orders; the state, where the partner has cross-references."""


@dataclass(kw_only=True, slots=True)
class Shipments:
    """In this process; another node reads them itself."""

    most_parts: int = MOST_PARTS
    _kept: OrderedDict[Key, Shipment] = field(default_factory=OrderedDict)
    _parts: int = 0

    def get(self, key: Key) -> Shipment | None:
        """What is remembered of a notice."""
        if (found := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: Key, read: Shipment) -> Shipment:
        """Remember it, and forget others where it is too much."""
        if key not in self._kept:
            self._kept[key] = read
            self._parts += len(read.parts) + A_NOTICE
        while self._parts > self.most_parts:
            _, old = self._kept.popitem(last=False)
            self._parts -= len(old.parts) + A_NOTICE
        return read
