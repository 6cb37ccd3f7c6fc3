"""Cross-references at the store's border: changes of the tables, documents that wait for a word, what waits."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from gateway.mapping.missing import Missing
from gateway.mapping.references import CrossReference

ReferenceState = tuple[int, int]
"""The state of the tables that one partner's documents are read with: of its own rows, of those for all partners."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceChange:
    """A change of one partner's rows (or of those for all), decided over `version` of them.

    Another version meanwhile raises NaturalKeyTaken: nothing is written, deciding anew will see it. Documents that wait
    for a word that is taught go back to work in the same commit.
    """

    partner: str
    version: int
    by: str
    add: tuple[CrossReference, ...] = ()
    end: tuple[tuple[str, dt.date], ...] = ()
    """Rows by id, and the last day that they get."""
    retire: tuple[str, ...] = ()
    """Rows by id that hold no more, and never did from now on; they are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A document waits for words. Raises NaturalKeyTaken when the tables are not in `versions` any more."""

    message_id: str
    document_id: str
    step: str
    partner: str
    versions: ReferenceState
    missing: tuple[Missing, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """A word that a document waits for."""

    document_id: str
    message_id: str
    partner: str
    kind: str
    number: str
    list: str
    scheme: str
    side: str
    """theirs | ours: whose word it is."""
    said: str
    rule: str
    pointer: str
    text: str
    at: dt.datetime
