"""What an ERP's answer to a look-up says: it is there, it is not there, or neither.

The law: *missing* only where the configuration's sign is whole, because a call is repeated on its strength. A body that
broke off, or is no JSON, says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.connectors.exchange import Answer
from gateway.connectors.json_answers import NOWHERE, id_at, value_at
from gateway.connectors.paths import LOOKUP_PLACEHOLDERS, Template
from gateway.ports import Delivered, Delivery
from gateway.settings import Lookup

_NOTHING: tuple[Any, ...] = (None, "", "0", 0, [], {})


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """A look-up, checked before the first document."""

    lookup: Lookup
    path: Template
    equals: Template | None


def asking(where: str, lookup: Lookup) -> Asking:
    """Check what can be checked. Raises OurFault."""
    said = lookup.found.equals
    equals = None if said is None else Template(f"{where}, lookup.found.equals", said, LOOKUP_PLACEHOLDERS)
    return Asking(lookup=lookup, path=Template(f"{where}, lookup", lookup.path, LOOKUP_PLACEHOLDERS), equals=equals)


def read(asked: Asking, delivery: Delivery, answer: Answer) -> Delivered | bool:
    """The document as it is there; False: it is not there; True: the answer says neither."""
    found, missing = asked.lookup.found, asked.lookup.missing
    if answer.status in missing.status:
        return False
    if missing.empty_at is not None and answer.status // 100 == 2:  # noqa: PLR2004  the class 2xx
        value = value_at(missing.empty_at, answer)
        if value is not NOWHERE and not isinstance(value, bool) and value in _NOTHING:
            return False
    if answer.status not in found.status:
        return True
    if found.pointer is not None:
        value = value_at(found.pointer, answer)
        if value is NOWHERE or value is None or value in ("", [], {}):
            return True
        if asked.equals is not None and (
            isinstance(value, Mapping | list) or str(value) != asked.equals.text(delivery)
        ):
            return True
    return Delivered(status=answer.status, their_id=id_at(asked.lookup.id_at, answer))
