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
from gateway.pipeline.station import Station
from gateway.pipeline.submission import SubmissionDesk
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

        def current() -> tuple[Station, SubmissionDesk]:
            parts = gateway.activation.current.built
            return parts.station, parts.desk

        seller = Seller(queries=gateway.store, current=current, scenarios=scenarios, tell=tell)
        answering = asyncio.create_task(_answer(seller), name="answers")
        try:
            yield gateway.address
        finally:
            answering.cancel()
            await asyncio.wait((answering,))
            if not answering.cancelled() and (fault := answering.exception()) is not None:
                raise fault


async def _answer(seller: Seller) -> None:
    while True:
        await seller.look()
        await asyncio.sleep(LOOKS_EVERY)


class Seller:
    """One who answers every order that came, by the scenarios in turn; orders that have an answer already are done."""

    def __init__(
        self,
        *,
        queries: Queries,
        current: Callable[[], tuple[Station, SubmissionDesk]],
        scenarios: tuple[str, ...],
        tell: Tell,
    ) -> None:
        self._queries, self._current, self._scenarios, self._tell = queries, current, scenarios, tell
        self._choice: Choice | None = None
        self._done: set[str] = set()
        """Numbers of orders that were answered before, ids of those that were since."""
        self._after: datetime | None = None

    async def look(self) -> None:
        """Answer what is new."""
        if self._choice is None:
            answers = await self._since("order_acknowledgement", Direction.OUTBOUND, None)
            self._done = {one.order_number for one in answers if one.order_number is not None}
            self._choice = Choice(self._scenarios, len(self._done))
        for order in await self._since("purchase_order", Direction.INBOUND, self._after):
            # Two orders may have changed in one instant: those of the last second are looked at again.
            self._after = max(order.updated_at - AGAIN, self._after or order.updated_at - AGAIN)
            if not {order.id, order.number} & self._done:
                await self._one(order, self._choice.next())
            self._done.add(order.id)

    async def _since(self, kind: str, direction: Direction, after: datetime | None) -> list[Document]:
        found: list[Document] = []
        cursor: str | None = None
        while True:
            page = await self._queries.documents(
                partner=US, kind=kind, direction=direction, updated_after=after, cursor=cursor, limit=PAGE
            )
            found += page.documents
            cursor = page.cursor
            if cursor is None:
                return found

    async def _one(self, order: Document, scenario: str) -> None:
        station, desk = self._current()
        agreement = station.agreement(US)
        assert agreement is not None
        answer = SCENARIOS[scenario].answer(dict(order.body), station.clock().astimezone(UTC).date())
        self._tell(f"order {order.number} is answered: {scenario}")
        for number, (kind, body) in enumerate(answer.documents(), 1):
            rule = agreement.documents.send.get(kind)  # type: ignore[call-overload]
            if rule is None:
                self._tell(f"the agreement has no {kind}: not sent")
                continue
            sent = await desk.submit(
                kind=kind,
                partner=None,
                body=json.dumps(_courteous(kind, body, station.maps.get(rule.map or ""))).encode(),
                idempotency_key=f"simulate-{order.id}-{number}",
                order_id=None,
                correlation_id="",
            )
            if isinstance(sent, Refused):
                reason = "; ".join(finding.text for finding in sent.findings) or sent.title
                self._tell(f"{kind} for order {order.number} was not taken: {reason}")
            else:
                self._tell(f"{rule.set or kind} for order {order.number}")


def _courteous(kind: str, body: Json, own: Map | None) -> Json:
    """Without the fields that the partner's standard has no place for."""
    extra = set(COURTESY.get(kind, ()))
    if own is not None:
        extra &= {one.pointer.strip("/") for one in own.write(body).lost}
    return {name: value for name, value in body.items() if name not in extra}
