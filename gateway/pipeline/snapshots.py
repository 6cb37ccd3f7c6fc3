"""The partners' cross-references in memory: read when first needed, as long as their state in the store is the same."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from gateway.mapping.references import References
from gateway.ports import Queries, ReferenceState

MOST_ROWS = 400_000
"""Rows of all partners' snapshots together; the partner that was quiet longest is forgotten first."""
IN_A_THREAD = 2_000
"""Rows of a snapshot from which making it, and looking for what is near, is done beside the event loop."""


@dataclass(kw_only=True, slots=True)
class Snapshots:
    """The partners' tables in memory, each as long as its state in the store is the same."""

    most_rows: int = MOST_ROWS
    _queries: Queries | None = None
    _kept: OrderedDict[str, tuple[ReferenceState, References]] = field(default_factory=OrderedDict)

    async def of(self, queries: Queries, partner: str) -> tuple[ReferenceState, References]:
        """A partner's rows and their state."""
        if queries is not self._queries:
            self._queries = queries
            self._kept.clear()
        state = await queries.reference_versions(partner)
        kept = self._kept.get(partner)
        if kept is None or kept[0] != state:
            state, rows = await queries.references(partner)
            version = f"{state[0]}.{state[1]}"
            if len(rows) < IN_A_THREAD:
                made = References(rows, version, partner)
            else:
                made = await asyncio.to_thread(References, rows, version, partner)
            kept = self._kept[partner] = (state, made)
        self._kept.move_to_end(partner)
        while len(self._kept) > 1 and sum(one.size for _, one in self._kept.values()) > self.most_rows:
            self._kept.popitem(last=False)
        return kept
