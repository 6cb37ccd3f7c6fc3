"""Any ERP with an HTTP API, wholly from configuration: no code is written for a new one.

It makes one call per delivery and judges the answer by a table; when to try again is the worker's business.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from gateway import jsontext
from gateway.connectors.credentials import checked_header, credentials
from gateway.connectors.exchange import Answer, exchange, retry_after
from gateway.connectors.mapped import Body
from gateway.connectors.said import clean, clean_answer
from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.mapping.json import text as json_text
from gateway.ports import Clock, Delivered, Delivery, Json
from gateway.settings import Call, HttpTarget

ANSWER_LIMIT = 1_048_576
"""Bytes read of an answer, at most; an id beyond them is not found."""
KEPT_ANSWER = 2048
"""Bytes kept of an answer that refuses, for the operator."""

KEPT_ID = 255
"""Characters kept of the id that the far side gave a document."""

_TRACE_ID = re.compile(r"[0-9a-f]{32}")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Prepared:
    """One kind's call with everything checked that can be checked before the first document."""

    call: Call
    names: frozenset[str]


class HttpConnector:
    """Keeps `ports.Connector` for one HTTP target.

    `folder` is the workspace (relative secret files stand there); `body` makes the mapped body for kinds whose call
    names a map. At most the target's `cap` of calls are under way at once, over all lanes of this process; others wait.
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
        clock: Clock = _now,
    ) -> None:
        self._name = name
        self._target = target
        self._session = session
        self._body = body
        self._clock = clock
        self._room = asyncio.Semaphore(target.cap)
        where = f"target {name}"
        self._headers = (
            *(checked_header(where, *header) for header in target.headers.items()),
            *credentials(where, target.authentication, folder),
        )
        self._calls: dict[str, _Prepared] = {kind: self._prepare(kind, call) for kind, call in target.documents.items()}

    def _prepare(self, kind: str, call: Call) -> _Prepared:
        try:
            names = frozenset(name for _, name, _, _ in Formatter().parse(call.path) if name is not None)
        except ValueError as error:
            raise OurFault(
                f"target {self._name}, {kind}: path {call.path!r}: {error}", remedy="close every brace in the path"
            ) from error
        if unknown := names - PLACEHOLDERS.keys():
            raise OurFault(
                f"target {self._name}, {kind}: path {call.path!r} names {', '.join(sorted(unknown)) or '{}'}",
                remedy=f"use {', '.join(f'{{{known}}}' for known in PLACEHOLDERS)}",
            )
        if call.map is not None and self._body is None:
            raise OurFault(
                f"target {self._name}, {kind}: map {call.map} is configured but no map was loaded",
                remedy="check the map's name with `gateway map check`",
            )
        return _Prepared(call=call, names=names)

    async def deliver(self, delivery: Delivery) -> Delivered:
        """Make the call. Raises DeliveryFailed: transient, uncertain or permanent by the tables above."""
        prepared = self._calls.get(delivery.kind)
        if prepared is None:
            raise DeliveryFailed(
                f"target {self._name} has no call for {delivery.kind}; add it to its documents or route elsewhere",
                outcome=Outcome.PERMANENT,
            )
        url = self._url(prepared, delivery)
        mapped = None if prepared.call.map is None or self._body is None else self._body(delivery)
        text = _canonical(delivery.body) if mapped is None else json_text.encode(mapped.body)
        async with self._room:
            answer = await exchange(
                self._session,
                prepared.call.method,
                url,
                headers=(*self._headers, *self._own_headers(delivery)),
                body=text.encode(),
                seconds=self._target.timeout_seconds,
                limit=ANSWER_LIMIT,
            )
        delivered = self._judge(prepared.call, answer)
        if mapped is None:
            return delivered
        return replace(delivered, map=mapped.map, map_hash=mapped.map_hash, left_out=mapped.left_out)

    def _url(self, prepared: _Prepared, delivery: Delivery) -> URL:
        values: dict[str, str] = {}
        for name in prepared.names:
            value = PLACEHOLDERS[name](delivery)
            if not value or value in {".", ".."}:  # RFC 3986 5.2.4: dot segments would move to another resource
                raise DeliveryFailed(
                    f"target {self._name}: path {prepared.call.path} needs {name}, and the document has "
                    f"{value!r}; change the path or the document",
                    outcome=Outcome.PERMANENT,
                )
            values[name] = quote(value, safe="")
        path = prepared.call.path.format_map(values)
        return URL(f"{self._target.base_url.rstrip('/')}/{path.lstrip('/')}", encoded=True)

    def _own_headers(self, delivery: Delivery) -> Iterator[tuple[str, str]]:
        yield "Content-Type", "application/json"
        yield "Accept", "application/json"
        yield "Accept-Encoding", "identity"
        yield "User-Agent", "partner-gateway"
        yield self._target.idempotency_header, delivery.idempotency_key
        yield "X-Document-Id", delivery.document_id
        yield "X-Correlation-Id", delivery.correlation_id
        yield "traceparent", _traceparent(delivery.correlation_id)

    def _judge(self, call: Call, answer: Answer) -> Delivered:
        # 2xx or listed as accepted: it is there. Listed as retried: not yet. Everything else, redirects and
        # unlisted 5xx too, is a refusal that the same call would meet again.
        if answer.status // 100 == 2 or answer.status in self._target.accepted:  # noqa: PLR2004  the class 2xx
            return Delivered(status=answer.status, their_id=id_at(call.id_at, answer))
        outcome = Outcome.TRANSIENT if answer.status in self._target.retried else Outcome.PERMANENT
        raise DeliveryFailed(
            f"target {self._name} answered {answer.status}",
            outcome=outcome,
            retry_after=retry_after(answer, self._clock()) if outcome is Outcome.TRANSIENT else None,
            status=answer.status,
            answer=clean_answer(answer.body, KEPT_ANSWER),
        )


def _canonical(body: Json) -> str:
    return jsontext.written(body)


def _number(delivery: Delivery) -> str:
    return str(delivery.body.get("number") or "")


def _order_number(delivery: Delivery) -> str:
    """The order's number: the document's own, its `order`, or the first order node of a ship notice's contents."""
    if delivery.kind == "purchase_order":
        return _number(delivery)
    waiting: list[Any] = [delivery.body]
    while waiting:
        node = waiting.pop()
        order = node.get("order") if isinstance(node, dict) else None
        if isinstance(order, dict) and order.get("number"):
            return str(order["number"])
        contents = node.get("contents") if isinstance(node, dict) else None
        waiting.extend(reversed(contents) if isinstance(contents, list) else ())
    return ""


PLACEHOLDERS: dict[str, Callable[[Delivery], str]] = {
    "number": _number,
    "order_number": _order_number,
    "partner": lambda delivery: delivery.partner,
}
"""What a path template may name."""


def _traceparent(correlation_id: str) -> str:
    """W3C Trace Context 3.2: the trace id is the correlation id's own 32 hex digits, or made from it; new span."""
    plain = correlation_id.replace("-", "").lower()
    known = _TRACE_ID.fullmatch(plain) is not None and plain != "0" * 32
    trace = plain if known else hashlib.sha256(correlation_id.encode()).hexdigest()[:32]
    return f"00-{trace}-{os.urandom(8).hex()}-01"


def id_at(pointer: str | None, answer: Answer) -> str | None:
    """The value at a JSON Pointer (RFC 6901) when it is text or a whole number, cleaned; None when it is not there."""
    if pointer is None or not answer.complete:
        return None
    try:
        value: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isascii() and key.isdigit() and int(key[:9]) < len(value):
            value = value[int(key[:9])]
        else:
            return None
    return clean(str(value), KEPT_ID) if isinstance(value, str | int) and not isinstance(value, bool) else None
