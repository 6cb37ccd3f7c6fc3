"""Bodies in an ERP's own words: a target's JSON maps applied to canonical documents on their way out.

A document with a value that its map cannot write is not sent half: that is permanent until map or document changes.
What a map leaves out by having no line for it is counted, never silent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import DeliveryFailed, Outcome
from gateway.mapping import JsonMap
from gateway.ports import Delivery, Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapped:
    """A body and how it was made."""

    body: Json
    """Numbers are Decimals; `gateway.mapping.json.text.encode` writes them."""
    map: str
    map_hash: str
    left_out: int
    """Fields and parts of the document that the map has no line for."""


Body = Callable[[Delivery], Mapped]
"""Makes the body of a delivery. Raises DeliveryFailed (permanent) where the map cannot say the document."""


def mapped_body(maps: Mapping[str, JsonMap]) -> Body:
    """The bodies of one target, by kind of document."""

    def made(delivery: Delivery) -> Mapped:
        own = maps[delivery.kind]
        # What a sender's own syntax left in `extensions` is not for the ERP, and may not add members to its body.
        writing = own.write(_without_memory(delivery.body))
        if writing.findings:
            first, more = writing.findings[0], len(writing.findings) - 1
            raise DeliveryFailed(
                f"the map {own.name} cannot write {first.text}" + (f" (and {more} more)" if more else "")
                + "; extend the map, then retry",
                outcome=Outcome.PERMANENT,
            )  # fmt: skip
        return Mapped(body=writing.body, map=own.name, map_hash=own.hash, left_out=len(writing.lost))

    return made


def _without_memory(value: Any) -> Any:
    """The document without its `extensions`; stored documents are bounded in depth."""
    if isinstance(value, dict):
        return {name: _without_memory(each) for name, each in value.items() if name != "extensions"}
    return [_without_memory(each) for each in value] if isinstance(value, list) else value
