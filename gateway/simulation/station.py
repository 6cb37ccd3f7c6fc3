"""The partner over AS2: a whole gateway in a folder of its own, and beside it one who answers each order by a scenario.

The gateway does all that a gateway does: receipts, 997 or CONTRL, duplicates, retries. What is new here only puts
documents in, as the partner's own ERP would. An order that was answered is in the store: a restart answers none twice.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway import wiring
from gateway.errors import OurFault
from gateway.mapping import Map
from gateway.ports import Direction, Document, Json, Queries, Refused
from gateway.simulation.correspondent import Choice
from gateway.simulation.mirror import US
from gateway.simulation.scenarios import SCENARIOS
from gateway.simulation.voice import COURTESY

LOOKS_EVERY = 0.2
"""Seconds."""
AGAIN = timedelta(seconds=1)
PAGE = 200

Tell = Callable[[str], None]


@asynccontextmanager
async def playing(folder: Path, scenarios: tuple[str, ...], tell: Tell) -> AsyncIterator[str]:
    """The partner, until the context is left; the address where it listens. Raises OurFault without a workspace."""
    if not (folder / "partners" / f"{US}.yaml").is_file():
        raise OurFault(
            f"{folder} is no partner's folder", remedy=f"make it: gateway partner simulate NAME --prepare {folder}"
        )
    async with wiring.running(folder) as gateway:
        answering = asyncio.create_task(_answer(gateway, scenarios, tell), name="answers")
        try:
            yield gateway.address
        finally:
            answering.cancel()
            await asyncio.wait((answering,))
            if not answering.cancelled() and (fault := answering.exception()) is not None:
                raise fault


async def _answer(gateway: wiring.Running, scenarios: tuple[str, ...], tell: Tell) -> None:
    answered = {one.order_number for one in await _since(gateway.store, "order_acknowledgement", Direction.OUTBOUND)}
    choice = Choice(scenarios, len(answered))
    heard: set[str] = set()
    after: datetime | None = None
    while True:
        for order in await _since(gateway.store, "purchase_order", Direction.INBOUND, after):
            # Two orders may have changed in one instant: those of the last second are looked at again.
            after = max(order.updated_at - AGAIN, after or order.updated_at - AGAIN)
            if order.id not in heard and order.number not in answered:
                await _one(gateway, order, choice.next(), tell)
            heard.add(order.id)
        await asyncio.sleep(LOOKS_EVERY)


async def _since(queries: Queries, kind: str, direction: Direction, after: datetime | None = None) -> list[Document]:
    found: list[Document] = []
    cursor: str | None = None
    while True:
        page = await queries.documents(
            partner=US, kind=kind, direction=direction, updated_after=after, cursor=cursor, limit=PAGE
        )
        found += page.documents
        cursor = page.cursor
        if cursor is None:
            return found


async def _one(gateway: wiring.Running, order: Document, scenario: str, tell: Tell) -> None:
    station = gateway.station
    agreement = station.agreement(US)
    assert agreement is not None
    answer = SCENARIOS[scenario].answer(dict(order.body), station.clock().astimezone(UTC).date())
    tell(f"order {order.number} is answered: {scenario}")
    for number, (kind, body) in enumerate(answer.documents(), 1):
        rule = agreement.documents.send.get(kind)  # type: ignore[call-overload]
        if rule is None:
            tell(f"the agreement has no {kind}: not sent")
            continue
        document = _courteous(kind, body, station.maps.get(rule.map or ""))
        sent = await gateway.activation.current.built.desk.submit(
            kind=kind,
            partner=None,
            body=json.dumps(document).encode(),
            idempotency_key=f"simulate-{order.id}-{number}",
            order_id=None,
            correlation_id="",
        )
        if isinstance(sent, Refused):
            reason = "; ".join(finding.text for finding in sent.findings) or "no reason"
            tell(f"{kind} for order {order.number} was not taken: {reason}")
        else:
            tell(f"{rule.set or kind} for order {order.number}")


def _courteous(kind: str, body: Json, own: Map | None) -> Json:
    """Without the fields that the partner's standard has no place for."""
    extra = set(COURTESY.get(kind, ()))
    if own is not None:
        extra &= {one.pointer.strip("/") for one in own.write(body).lost}
    return {name: value for name, value in body.items() if name not in extra}
