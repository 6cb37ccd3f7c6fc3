"""Any ERP with an HTTP API, wholly from configuration: no code is written for a new one.

It makes one call per delivery and judges the answer by a table; when to try again is the worker's business.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from yarl import URL

from gateway import jsontext
from gateway.connectors.credentials import checked_header, credentials
from gateway.connectors.exchange import Answer, exchange, retry_after
from gateway.connectors.json_answers import id_at
from gateway.connectors.lookup import Asking, asking, read
from gateway.connectors.mapped import Body, Mapped
from gateway.connectors.paths import LATER_PLACEHOLDERS, PLACEHOLDERS, Template
from gateway.connectors.room import Room
from gateway.connectors.said import clean_answer
from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.mapping.json import text as json_text
from gateway.ports import Clock, Delivered, Delivery, Json, Told
from gateway.ports.doing import TRACEPARENT
from gateway.settings import Call, HttpTarget

ANSWER_LIMIT = 1_048_576
"""Bytes read of an answer, at most; an id beyond them is not found."""
KEPT_ANSWER = 2048
"""Bytes kept of an answer that refuses, for the operator."""

TOLD_ANSWER = 1000
"""Characters of an answer that refuses, in the reason that the operator reads."""
_SAID = {"deliver": "call", "undo": "call under compensate", "replace": "call under replace"}
_TRACE_ID = re.compile(r"[0-9a-f]{32}")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Prepared:
    """One way of calling for one kind, with everything checked that can be checked before the first document."""

    method: str
    path: Template
    body: Body | None
    """None: the canonical JSON."""
    id_at: str | None
    bare: bool = False
    """Without any body."""


class HttpConnector:
    """Keeps `ports.Connector` for one HTTP target.

    `folder` is the workspace (relative secret files stand there); `body` makes the mapped body for kinds whose call
    names a map, `bodies` those of their compensation (`undo`) and replacement (`replace`). At most the target's `cap`
    of calls are under way at once, over all lanes of this process, and one partner has half of them; others wait.
    Raises OurFault at once when a secret is missing or the configuration cannot work.
    """

    def __init__(
        self,
        name: str,
        target: HttpTarget,
        folder: Path,
        session: aiohttp.ClientSession,
        body: Body | None = None,
        *,
        bodies: Mapping[str, Body] | None = None,
        clock: Clock = _now,
    ) -> None:
        self._name = name
        self._target = target
        self._session = session
        self._bodies = {**({} if body is None else {"deliver": body}), **(bodies or {})}
        self._clock = clock
        self._room = Room(target.cap)
        where = f"target {name}"
        self._headers = (
            *(checked_header(where, *header) for header in target.headers.items()),
            *credentials(where, target.authentication, folder),
        )
        self._calls: dict[tuple[str, str], _Prepared] = {}
        self._lookups: dict[str, Asking] = {}
        self._undone_when: dict[str, frozenset[str]] = {}
        for kind, call in target.documents.items():
            self._prepare(kind, call)

    def _prepare(self, kind: str, call: Call) -> None:
        where = f"target {self._name}, {kind}"
        self._calls[kind, "deliver"] = _Prepared(
            method=call.method,
            path=Template(where, call.path, PLACEHOLDERS),
            body=self._made(kind, "deliver", call.map),
            id_at=call.id_at,
        )
        if (undo := call.compensate) is not None:
            self._undone_when[kind] = frozenset(undo.when)
            self._calls[kind, "undo"] = _Prepared(
                method=undo.method,
                path=Template(f"{where}, compensate", undo.path, LATER_PLACEHOLDERS),
                body=self._made(kind, "undo", undo.map),
                id_at=None,
                bare=undo.method == "DELETE" and undo.map is None,
            )
        if (anew := call.replace) is not None:
            self._calls[kind, "replace"] = _Prepared(
                method=anew.method,
                path=Template(f"{where}, replace", anew.path, LATER_PLACEHOLDERS),
                body=self._made(kind, "replace", anew.map or call.map),
                id_at=call.id_at,
            )
        lookup = call.lookup or self._target.lookup
        if lookup is not None:
            self._lookups[kind] = asking(where, lookup)

    def _made(self, kind: str, use: str, map_: str | None) -> Body | None:
        if map_ is None:
            return None
        if use not in self._bodies:
            raise OurFault(
                f"target {self._name}, {kind}: map {map_} is configured but no map was loaded",
                remedy="check the map's name with `gateway map check`",
            )
        return self._bodies[use]

    @property
    def honours_key(self) -> bool:
        """As configured."""
        return self._target.honours_key

    def looks_up(self, kind: str) -> bool:
        """Whether a look-up is configured for this kind."""
        return kind in self._lookups

    def lookup_wait(self, kind: str) -> float:
        """Seconds after a call without an answer before it is asked."""
        return float(self._lookups[kind].lookup.wait_seconds) if kind in self._lookups else 0.0

    def undoes(self, kind: str, because: Collection[str]) -> bool:
        """Whether a compensation is configured for this kind, and for these targets."""
        when = self._undone_when.get(kind)
        return when is not None and (not when or not when.isdisjoint(because))

    def replaces(self, kind: str) -> bool:
        """Whether a call for replacements is configured for this kind."""
        return (kind, "replace") in self._calls

    def told(self, delivery: Delivery) -> Told:
        """The call of `deliver`, not made. Raises DeliveryFailed (permanent)."""
        prepared = self._call_for(self._use(delivery), delivery)
        text, _ = _body(prepared, delivery)
        where = str(prepared.path.below(self._target.base_url, delivery))
        return Told(method=prepared.method, where=where, body=text, key=delivery.idempotency_key)

    async def deliver(self, delivery: Delivery) -> Delivered:
        """Make the call. Raises DeliveryFailed: transient, uncertain or permanent by the tables above."""
        return await self._call(self._use(delivery), delivery)

    def _use(self, delivery: Delivery) -> str:
        # What replaces something is told by the call for that, if there is one: without their id it cannot be.
        return "replace" if delivery.replaces and self.replaces(delivery.kind) else "deliver"

    async def undo(self, delivery: Delivery) -> Delivered:
        """Make the compensating call. Raises DeliveryFailed as `deliver`."""
        return await self._call("undo", delivery)

    async def look_up(self, delivery: Delivery) -> Delivered | None:
        """Ask what is there under this delivery's key; None: nothing. Raises DeliveryFailed where nobody can tell."""
        asked = self._lookups[delivery.kind]
        try:
            answer = await self._exchange(
                asked.lookup.method, asked.path.below(self._target.base_url, delivery), delivery, b""
            )
        except DeliveryFailed as failed:
            if failed.outcome is Outcome.PERMANENT:
                raise
            raise DeliveryFailed(
                f"target {self._name}, asked whether it took the document: {failed}", outcome=Outcome.UNCERTAIN
            ) from failed
        found = read(asked, delivery, answer)
        if found is True:
            raise DeliveryFailed(
                f"target {self._name}, asked whether it took the document, answered {answer.status}, which says "
                "neither yes nor no by lookup.found and lookup.missing",
                outcome=Outcome.UNCERTAIN,
                retry_after=retry_after(answer, self._clock()),
                status=answer.status,
                answer=clean_answer(answer.body, KEPT_ANSWER),
            )
        return found or None

    def _call_for(self, use: str, delivery: Delivery) -> _Prepared:
        prepared = self._calls.get((delivery.kind, use))
        if prepared is None:
            raise DeliveryFailed(
                f"target {self._name} has no {_SAID[use]} for {delivery.kind}; add it to its documents or route "
                "elsewhere",
                outcome=Outcome.PERMANENT,
            )
        return prepared

    async def _call(self, use: str, delivery: Delivery) -> Delivered:
        prepared = self._call_for(use, delivery)
        url = prepared.path.below(self._target.base_url, delivery)
        text, mapped = _body(prepared, delivery)
        answer = await self._exchange(prepared.method, url, delivery, text.encode())
        delivered = self._judge(prepared, answer)
        if mapped is None:
            return delivered
        return replace(delivered, map=mapped.map, map_hash=mapped.map_hash, left_out=mapped.left_out)

    async def _exchange(self, method: str, url: URL, delivery: Delivery, body: bytes) -> Answer:
        async with self._room.of(delivery.partner):
            return await exchange(
                self._session,
                method,
                url,
                headers=(*self._headers, *self._own_headers(delivery)),
                body=body,
                seconds=self._target.timeout_seconds,
                limit=ANSWER_LIMIT,
            )

    def _own_headers(self, delivery: Delivery) -> Iterator[tuple[str, str]]:
        yield "Content-Type", "application/json"
        yield "Accept", "application/json"
        yield "Accept-Encoding", "identity"
        yield "User-Agent", "partner-gateway"
        yield self._target.idempotency_header, delivery.idempotency_key
        yield "X-Document-Id", delivery.document_id
        yield "X-Correlation-Id", delivery.correlation_id
        yield "traceparent", TRACEPARENT.get() or _traceparent(delivery.correlation_id)

    def _judge(self, prepared: _Prepared, answer: Answer) -> Delivered:
        # 2xx or listed as accepted: it is there. Listed as retried: not yet. Everything else, redirects and
        # unlisted 5xx too, is a refusal that the same call would meet again.
        if answer.status // 100 == 2 or answer.status in self._target.accepted:  # noqa: PLR2004  the class 2xx
            return Delivered(status=answer.status, their_id=id_at(prepared.id_at, answer))
        outcome = Outcome.TRANSIENT if answer.status in self._target.retried else Outcome.PERMANENT
        said = clean_answer(answer.body, KEPT_ANSWER)
        why = f": {said.strip()[:TOLD_ANSWER]}" if outcome is Outcome.PERMANENT and said.strip() else ""
        raise DeliveryFailed(
            f"target {self._name} answered {answer.status}{why}",
            outcome=outcome,
            retry_after=retry_after(answer, self._clock()) if outcome is Outcome.TRANSIENT else None,
            status=answer.status,
            answer=said,
        )


def _body(prepared: _Prepared, delivery: Delivery) -> tuple[str, Mapped | None]:
    """The text of a call, and how it was mapped, where it was."""
    mapped = None if prepared.body is None else prepared.body(delivery)
    if prepared.bare:
        return "", mapped
    return _canonical(delivery.body) if mapped is None else json_text.encode(mapped.body), mapped


def _canonical(body: Json) -> str:
    return jsontext.written(body)


def _traceparent(correlation_id: str) -> str:
    """W3C Trace Context 3.2: the trace id is the correlation id's own 32 hex digits, or made from it; new span."""
    plain = correlation_id.replace("-", "").lower()
    known = _TRACE_ID.fullmatch(plain) is not None and plain != "0" * 32
    trace = plain if known else hashlib.sha256(correlation_id.encode()).hexdigest()[:32]
    return f"00-{trace}-{os.urandom(8).hex()}-01"
