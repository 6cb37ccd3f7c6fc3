"""The application behind a real server, with ports in memory; every answer is held against the OpenAPI document.

The doubles are for the border alone: what the pipeline and the store do behind the ports is proved in their tests.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator

from gateway import canonical
from gateway.errors import PartnerFault
from gateway.partners.agreement import Agreement
from gateway.ports import (
    ApiKey,
    Channel,
    DeliveryRecord,
    DeliveryState,
    Direction,
    Document,
    DocumentState,
    Message,
    MessageState,
    Page,
    Receipt,
    Refused,
    Submitted,
    Wait,
)
from gateway.settings import Settings
from gateway.web import Services, application, openapi, serve
from gateway.web.metrics import Metrics

START = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
schema = cache(canonical.schema)
SPECIFICATION = openapi.document(schema)
SECRET = "s" * 32


def agreement(name: str, **changes: Any) -> Agreement:
    """A partner that uses the API."""
    return Agreement.model_validate(
        {
            "name": name,
            "title": name.title(),
            "ids": [{"scheme": "gln", "value": name}],
            "channel": "rest",
            "documents": {},
        }
        | changes
    )


def order(id_: str, partner: str, **changes: Any) -> Document:
    """An order that waits for a partner."""
    base = Document(
        id=id_,
        message_id=f"m-{id_}",
        partner=partner,
        direction=Direction.OUTBOUND,
        kind="purchase_order",
        number=f"PO-{id_}",
        order_number=f"PO-{id_}",
        business_unit="north",
        state=DocumentState.AVAILABLE,
        at=START,
        updated_at=START,
        body={"number": f"PO-{id_}", "source": {"message_id": "secret"}},
        sha256="0" * 64,
        findings=(),
        agreement=None,
        map=None,
        guide=None,
        position=None,
        target="north-erp",
        their_id="SO-9",
    )
    return replace(base, **changes)


def message(id_: str, partner: str | None) -> Message:
    """A message that came over REST."""
    return Message(
        id=id_,
        partner=partner,
        direction=Direction.INBOUND,
        channel=Channel.REST,
        state=MessageState.PROCESSED,
        at=START,
        content_type="application/json",
        filename=None,
        payload_sha256="0" * 64,
        size=2,
        raw_headers=(),
        as2_message_id=None,
        mic=None,
        answers=None,
        receipt=None,
    )


@dataclass(kw_only=True)
class World:
    """Everything behind the border."""

    now: datetime = START
    agreements: dict[str, Agreement] = field(default_factory=dict)
    stored_keys: dict[str, tuple[ApiKey, str]] = field(default_factory=dict)
    touched: list[str] = field(default_factory=list)
    held: dict[str, Document] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    expected: list[Wait] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    submitted: list[dict[str, Any]] = field(default_factory=list)
    unreadable: list[dict[str, Any]] = field(default_factory=list)
    outcome: Submitted | Refused | Exception | None = None
    checks: dict[str, str] = field(default_factory=lambda: {"database": "ok"})
    metrics: Metrics = field(default_factory=Metrics)

    def clock(self) -> datetime:
        """Now, as the test says."""
        return self.now

    def by_name(self, name: str) -> Agreement | None:
        """Directory."""
        found = self.agreements.get(name)
        return found if found is not None and found.exchanges else None

    def new_key(self, id_: str, scope: str, partner: str | None, **changes: Any) -> None:
        """Store a key."""
        base = ApiKey(
            id=id_,
            partner=partner,
            scope=scope,
            name=id_,
            created_at=START,
            expires_at=None,
            revoked_at=None,
            last_used_at=None,
        )
        self.stored_keys[id_] = (replace(base, **changes), hashlib.sha256(SECRET.encode()).hexdigest())

    async def key(self, key_id: str) -> tuple[ApiKey, str] | None:
        """Keys."""
        return self.stored_keys.get(key_id)

    async def touch_key(self, key_id: str, at: datetime) -> None:
        """Keys."""
        assert at == self.now
        self.touched.append(key_id)

    async def message(self, message_id: str) -> Message | None:
        """Queries."""
        return self.messages.get(message_id)

    async def documents_of(self, message_id: str) -> list[Document]:
        """Queries."""
        return [one for one in self.held.values() if one.message_id == message_id]

    async def deliveries(self, document_ids: Sequence[str]) -> list[DeliveryRecord]:
        """Queries: each document that has a target was delivered there."""
        return [
            DeliveryRecord(
                document_id=one.id,
                target=one.target,
                critical=True,
                state=DeliveryState.DELIVERED,
                key=one.id,
                their_id=one.their_id,
                status=201,
                updated_at=one.updated_at,
                reason=None,
            )
            for one in self.held.values()
            if one.id in document_ids and one.target is not None
        ]

    async def document(self, document_id: str, *, partner: str | None = None) -> Document | None:
        """Queries."""
        found = self.held.get(document_id)
        return found if found is not None and partner in {None, found.partner} else None

    async def order(self, partner: str, number: str, direction: Direction) -> Document | None:
        """Queries."""
        wanted = (partner, number, direction)
        return next((one for one in self.held.values() if (one.partner, one.number, one.direction) == wanted), None)

    async def documents_for_order(
        self, partner: str, kind: str, order_number: str, *, release: str | None = None
    ) -> list[Document]:
        """Queries."""
        del release
        wanted = (partner, kind, order_number)
        return [one for one in self.held.values() if (one.partner, one.kind, one.order_number) == wanted]

    async def waits(self, wait_keys: Sequence[str]) -> list[Wait]:
        """Queries."""
        return [one for one in self.expected if any(key.endswith(f":{one.document_id}") for key in wait_keys)]

    async def documents(self, **question: Any) -> Page:
        """Queries; the cursor is the number of orders shown before."""
        self.asked.append(question)
        first = question["cursor"] or "0"
        if not first.isdigit():
            raise PartnerFault("The cursor is not one that this gateway gave out")
        wanted = (question["partner"], question["kind"])
        mine = [one for one in self.held.values() if (one.partner, one.kind) == wanted]
        shown = mine[int(first) : int(first) + question["limit"]]
        end = int(first) + len(shown)
        return Page(documents=tuple(shown), cursor=str(end) if end < len(mine) else None)

    async def submit(self, **call: Any) -> Submitted | Refused:
        """Submissions."""
        self.submitted.append(call)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        body = b'{"transaction_id":"t-1","status":"accepted"}'
        headers = (("Content-Type", "application/json"), ("Location", "/v1/transactions/t-1"))
        receipt = Receipt(status=202, headers=headers, body=body)
        return self.outcome or Submitted(transaction_id="t-1", receipt=receipt, duplicate=False)

    async def unread(self, **call: Any) -> None:
        """Submissions."""
        self.unreadable.append(call)

    async def fetched(self, document: Document) -> None:
        """Submissions."""
        self.held[document.id] = replace(document, state=DocumentState.FETCHED)

    async def ready(self) -> Mapping[str, str]:
        """Checks."""
        return self.checks


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer, read."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(kw_only=True)
class Caller:
    """A client; every answer must be described by the OpenAPI document, body included."""

    session: aiohttp.ClientSession
    url: str
    observed: set[tuple[str, str, int]] = field(default_factory=set)

    async def __call__(self, method: str, path: str, key: str | None = "baltic", **request: Any) -> Reply:
        """Send a request with the named key."""
        headers = dict(request.pop("headers", {}))
        if key is not None:
            headers.setdefault("Authorization", f"Bearer gw_{key}_{SECRET}")
        async with self.session.request(method, self.url + path, headers=headers, **request) as answer:
            reply = Reply(status=answer.status, headers=answer.headers.copy(), body=await answer.read())
        self._hold(method, path.partition("?")[0], reply)
        return reply

    async def post(self, path: str, body: object, key: str | None = "baltic", **headers: str) -> Reply:
        """POST JSON; keyword arguments are headers with underscores for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self("POST", path, key, json=body, headers=named)

    def _hold(self, method: str, path: str, reply: Reply) -> None:
        for template, operations in SPECIFICATION["paths"].items():
            if not re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) or method.lower() not in operations:
                continue
            responses = operations[method.lower()]["responses"]
            assert str(reply.status) in responses, f"{method} {template} answered {reply.status}, not described"
            described = _resolved(responses[str(reply.status)])
            media = reply.headers["Content-Type"].partition(";")[0]
            assert media in described["content"], f"{method} {template} {reply.status}: {media} is not described"
            for name in described.get("headers", {}):
                if name in {"Location", "WWW-Authenticate", "Retry-After"}:
                    assert name in reply.headers, f"{method} {template} {reply.status}: no {name}"
            if media.endswith("json"):
                schema = described["content"][media]["schema"] | {"components": SPECIFICATION["components"]}
                if schema.get("$ref") != "#/components/schemas/Order":  # the doubles' orders are not whole
                    Draft202012Validator(schema).validate(reply.json)
            self.observed.add((method, template, reply.status))


def _resolved(value: Any) -> Any:
    while "$ref" in value:
        found: Any = SPECIFICATION
        for token in value["$ref"].split("/")[1:]:
            found = found[token]
        value = found
    return value


@pytest.fixture
def world() -> World:
    """Two suppliers with an order each, one suspended; keys for them and for the ERP."""
    made = World()
    made.agreements = {
        "acme": agreement("acme"),
        "baltic": agreement("baltic", rest={"requests_per_minute": 30}),
        "sleepy": agreement("sleepy", status="suspended"),
    }
    for name in made.agreements:
        made.new_key(name, "supplier", name)
    made.new_key("erp", "erp", None)
    made.new_key("expired", "supplier", "baltic", expires_at=START)
    made.new_key("revoked", "supplier", "baltic", revoked_at=START - timedelta(days=1))
    made.held = {"a1": order("a1", "acme"), "b1": order("b1", "baltic")}
    for id_, partner in (("c-a1", "acme"), ("c-b1", "baltic")):
        number = f"PO-{id_[2:]}"
        body = {"order": {"number": number}, "source": {"message_id": f"m-{id_}"}}
        made.held[id_] = order(id_, partner, kind="order_change", number=f"{number}/1", order_number=number, body=body)
    made.messages = {"m-a1": message("m-a1", "acme"), "m-b1": message("m-b1", "baltic")}
    return made


@pytest.fixture
def settings() -> Settings:
    """Loopback, a free port, one trusted proxy network that tests may stand in."""
    identity = {"name": "Us", "as2_id": "US", "x12": {"qualifier": "ZZ", "id": "US"}}
    return Settings.model_validate({"identity": identity, "listen": {"port": 0}, "max_message_bytes": 200_000})


@pytest.fixture
def services(world: World, settings: Settings) -> Services:
    """The border's needs, met by `world`."""
    return Services(
        settings=settings,
        directory=world,
        queries=world,  # type: ignore[arg-type]
        keys=world,  # type: ignore[arg-type]
        submissions=world,
        ready=world.ready,
        clock=world.clock,
        metrics=world.metrics,
        schema=schema,
    )


@pytest.fixture
async def caller(services: Services) -> AsyncIterator[Caller]:
    """A client of a running server."""
    server = await serve(application(services), services.settings.listen, Path())
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield Caller(session=session, url=server.url)
    await server.close()
