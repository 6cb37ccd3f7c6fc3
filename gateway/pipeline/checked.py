"""A JSON body as the canonical document that we keep: read, checked, written anew, its digest taken.

All of it is one pure function; long bodies take it in a thread, so that the event loop goes on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway import canonical
from gateway.findings import Finding, JsonPlace, Severity, worst
from gateway.ports import Document, Json

IN_A_THREAD = 65_536
"""Octets from which a body is checked beside the event loop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What a body says. `document` is None when something in it refuses it; `findings` say what."""

    document: Json | None
    sha256: str
    findings: tuple[Finding, ...]


async def checked(kind: str, body: bytes, order: Document | None) -> Checked:
    """Check `body`, strict JSON. `order` is the one that its address names: the body may leave it out, not differ."""
    if len(body) < IN_A_THREAD:
        return _checked(kind, body, order)
    return await asyncio.to_thread(_checked, kind, body, order)


def _checked(kind: str, body: bytes, order: Document | None) -> Checked:
    data = json.loads(body)
    model, findings = canonical.parse(kind, data if order is None else _about(order, data))
    if model is None:
        return Checked(document=None, sha256="", findings=findings)
    document = canonical.dump(model)
    found = [*findings, *canonical.check(model), *(() if order is None else _differences(order, document))]
    findings = canonical.capped(found)
    if worst(findings) is Severity.REJECT:
        return Checked(document=None, sha256="", findings=findings)
    return Checked(document=document, sha256=canonical.digest(document), findings=findings)


def _about(order: Document, data: Any) -> Any:
    """The answer with the order that its address names, where the body leaves it out."""
    if not isinstance(data, Mapping) or not isinstance(data.get("order") or {}, Mapping):
        return data
    said = {name: value for name, value in (data.get("order") or {}).items() if value not in (None, "")}
    named = {"number": order.number, "release_number": order.body.get("release_number")}
    if not said:
        named["issue_date"] = order.body.get("issue_date")
    return {**data, "order": {name: value for name, value in named.items() if value is not None} | said}


def _differences(order: Document, document: Json) -> Iterator[Finding]:
    """A body about another order than its address: neither is believed."""
    said = document.get("order") or {}
    for name, wanted in (("number", order.number), ("release_number", order.body.get("release_number"))):
        if said.get(name) is not None and said[name] != wanted:
            yield Finding(
                rule="submission.order_differs",
                place=JsonPlace(pointer=f"/order/{name}"),
                said=str(said[name])[:80],
                wanted=f"no {name}" if wanted is None else f"{wanted}, as the order in the address",
                fix="answer each order at its own address, or leave order out of the body",
            )
