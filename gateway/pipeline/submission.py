"""Documents that come as JSON over REST: from the ERP for a partner, or from a partner that uses the API.

Validation is synchronous and complete; what is accepted is durable before the 202, and a repeat gets the first answer
byte for byte. What the partner may not know does not exist for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway import canonical
from gateway.errors import PartnerFault
from gateway.events import (
    DocumentAvailable,
    DocumentFetched,
    DocumentSubmitted,
    Event,
    MessageReceived,
    MessageRefused,
)
from gateway.findings import Finding, JsonPlace, Severity, worst
from gateway.partners.agreement import Agreement
from gateway.pipeline import documents, identity, matching
from gateway.pipeline.hashing import sha256_hex
from gateway.pipeline.station import Station
from gateway.ports import (
    Changes,
    Channel,
    Direction,
    Document,
    DocumentState,
    DocumentUpdate,
    Json,
    MessageState,
    NaturalKeyTaken,
    NewDocument,
    NewJob,
    NewMessage,
    Receipt,
    Refused,
    Submitted,
    new_id,
)

ERP = "erp"
"""The scope of the distributor's own systems, as a partner's name stands for the partner's scope."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Request:
    """One request while it is decided."""

    kind: str
    partner: str | None
    body: bytes
    key: str | None
    """Its duplicate key, where it has an Idempotency-Key."""
    order_id: str | None

    @property
    def channel(self) -> Channel:
        """The ERP's scope or a partner's."""
        return Channel.ERP if self.partner is None else Channel.REST


class SubmissionDesk:
    """Keeps the `Submissions` protocol of `gateway.ports`."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._under_way: set[str] = set()

    async def submit(
        self,
        *,
        kind: str,
        partner: str | None,
        body: bytes,
        idempotency_key: str | None,
        order_id: str | None,
        correlation_id: str,
    ) -> Submitted | Refused:
        """Take one document. `partner` None is the ERP's scope; `order_id` is the order in the address, if any."""
        del correlation_id  # the web layer returns and logs it; our own correlation is the message id
        key = None if idempotency_key is None else identity.idempotency_key(partner or ERP, idempotency_key)
        request = _Request(kind=kind, partner=partner, body=body, key=key, order_id=order_id)
        if key is None:
            return await self._submit(request)
        if key in self._under_way:
            return Refused(
                status=409, rule="api.idempotency.in_flight", title="The same request is still under way", findings=()
            )
        self._under_way.add(key)
        try:
            return await self._submit(request)
        finally:
            self._under_way.discard(key)

    async def fetched(self, document: Document) -> None:
        """Record that the partner has read an order, the first time."""
        if document.state is not DocumentState.AVAILABLE:
            return
        await self._station.store.apply(
            Changes(
                document_updates=(DocumentUpdate(id=document.id, state=DocumentState.FETCHED),),
                events=(
                    DocumentFetched(
                        message_id=document.message_id,
                        partner=document.partner,
                        order_number=document.order_number,
                        document_id=document.id,
                    ),
                ),
            )
        )

    async def _submit(self, request: _Request) -> Submitted | Refused:
        if request.key is not None:
            known = await self._station.queries.message_by_duplicate_key(request.key)
            if known is not None:
                if known.payload_sha256 != sha256_hex(request.body) or known.receipt is None:
                    return _key_reused()
                return Submitted(transaction_id=known.id, receipt=known.receipt, duplicate=True)
        data = json.loads(request.body)
        if request.partner is not None and request.order_id is not None:
            order = await self._station.queries.document(request.order_id, partner=request.partner)
            if order is None or order.direction is not Direction.OUTBOUND:
                return _not_found()
            data = _about(order, data)
        model, findings = canonical.parse(request.kind, data)
        if model is not None:
            findings = (*findings, *canonical.check(model))
        if model is None or worst(findings) is Severity.REJECT:
            return await self._refuse(request, findings)
        document = canonical.dump(model)
        for _ in range(3):
            try:
                if request.partner is None:
                    return await self._from_erp(request, document)
                return await self._from_partner(request, request.partner, document, findings)
            except NaturalKeyTaken:  # somebody was quicker with the same document: decide again, seeing theirs
                continue
        return _busy()

    async def _from_partner(
        self, request: _Request, partner: str, document: Json, findings: Sequence[Finding]
    ) -> Submitted | Refused:
        agreement = self._station.agreement(partner)
        kind = request.kind
        if agreement is None or kind not in agreement.documents.receive:
            return _not_agreed(kind)
        message_id = new_id(self._station.clock())
        origin = documents.Origin(message_id=message_id)
        taken = await documents.take(self._station, agreement, kind, document, origin=origin, findings=findings)
        if taken.duplicate_of is not None:
            return await self._again(taken.duplicate_of)
        if not taken.accepted:
            return await self._refuse(request, taken.findings)
        receipt = _receipt(message_id, kind, taken.documents[0].id, taken.findings)
        message = self._message(request, message_id, partner, receipt)
        return await self._accept(
            message,
            Changes(
                messages=(message,),
                documents=taken.documents,
                document_updates=taken.updates,
                jobs=taken.jobs,
                keys=taken.keys,
                events=(_received(message, request.body, taken.documents[0].order_number), *taken.events),
            ),
        )

    async def _from_erp(self, request: _Request, document: Json) -> Submitted | Refused:
        kind = request.kind
        agreement, problem = self._recipient(kind, document)
        if agreement is None:
            return await self._refuse(request, [problem] if problem else [])
        natural_key = identity.natural_key(kind, document)
        first = await self._station.queries.document_by_key(agreement.name, Direction.OUTBOUND, natural_key)
        if first is not None:
            same = first.sha256 == canonical.digest(document)
            if same:
                return await self._again(first)
            return await self._refuse(request, [documents.number_taken(kind, document, first)])
        if kind != "purchase_order" and (unmatched := await self._unanswerable(agreement, kind, document)):
            return await self._refuse(request, unmatched)
        message_id = new_id(self._station.clock())
        stored = self._outbound(agreement, kind, document, message_id)
        receipt = _receipt(message_id, kind, stored.id, ())
        message = self._message(request, message_id, agreement.name, receipt)
        events: list[Event] = [
            _received(message, request.body, stored.order_number),
            DocumentSubmitted(
                message_id=message_id,
                partner=agreement.name,
                order_number=stored.order_number,
                document=kind,
                document_id=stored.id,
                number=stored.number,
                sha256=stored.sha256,
                agreement=stored.agreement or "",
            ),
        ]
        jobs: tuple[NewJob, ...] = ()
        if agreement.channel == "as2":
            lane = identity.outbound_lane(agreement.name, "compose")
            job = NewJob(message_id=message_id, document_id=stored.id, step="compose", lane=lane, run_at=stored.at)
            jobs = (job,)
        else:
            events.append(
                DocumentAvailable(
                    message_id=message_id,
                    partner=agreement.name,
                    order_number=stored.order_number,
                    document_id=stored.id,
                )
            )
        changes = Changes(messages=(message,), documents=(stored,), jobs=jobs, events=tuple(events))
        return await self._accept(message, changes)

    def _outbound(self, agreement: Agreement, kind: str, document: Json, message_id: str) -> NewDocument:
        now = self._station.clock()
        return NewDocument(
            id=new_id(now),
            message_id=message_id,
            partner=agreement.name,
            direction=Direction.OUTBOUND,
            kind=kind,
            number=identity.number_of(kind, document),
            order_number=identity.order_number_of(kind, document),
            business_unit=document.get("business_unit"),
            state=DocumentState.SUBMITTED if agreement.channel == "as2" else DocumentState.AVAILABLE,
            at=now,
            body=document,
            sha256=canonical.digest(document),
            natural_key=identity.natural_key(kind, document),
            agreement=self._station.version(agreement.name),
        )

    async def _unanswerable(self, agreement: Agreement, kind: str, document: Json) -> tuple[Finding, ...]:
        """Findings of an answer to an order that this partner never gave us."""
        if kind == "order_acknowledgement":
            numbers = [identity.order_number_of(kind, document) or ""]
        else:
            numbers = identity.order_numbers(document)
        missing = []
        for number in numbers:
            if await self._station.queries.order(agreement.name, number, Direction.INBOUND) is None:
                pointer = "/order/number" if kind == "order_acknowledgement" else "/contents"
                missing.append(matching.unknown_order(number, pointer))
        return tuple(missing)

    def _recipient(self, kind: str, document: Json) -> tuple[Agreement | None, Finding | None]:
        """Whom the ERP's document is for: the seller of an order, the buyer of an answer.

        An answer that names no buyer goes to the one partner that gets such answers, if there is only one.
        """
        role = "seller" if kind == "purchase_order" else "buyer"
        parties = [party for party in document.get("parties") or () if party.get("role") == role]
        ids = [(one.get("scheme") or "", one.get("value") or "") for party in parties for one in party.get("ids") or ()]
        try:
            agreement = self._station.directory.by_party_ids(ids)
        except PartnerFault as fault:
            return None, Finding(
                rule="submission.partner_ambiguous",
                place=JsonPlace(pointer="/parties"),
                said=fault.public,
                wanted=f"ids of one {role}",
                fix="send only ids that belong to this partner",
            )
        if agreement is None and not ids and kind != "purchase_order":
            only = [one for one in self._station.directory.exchanging() if kind in one.documents.send]
            agreement = only[0] if len(only) == 1 else None
        if agreement is None or kind not in agreement.documents.send:
            said = ", ".join(f"{scheme} {value}" for scheme, value in ids) or f"no {role} with an id"
            return None, Finding(
                rule="submission.partner_unknown",
                place=JsonPlace(pointer="/parties"),
                said=said,
                wanted=f"a {role} with an id of a partner that we send a {kind.replace('_', ' ')} to",
                fix="correct the id, or add it under ids in the partner's file (gateway partner list shows them)",
            )
        return agreement, None

    def _message(self, request: _Request, message_id: str, partner: str | None, receipt: Receipt | None) -> NewMessage:
        """The request as a message; without a receipt it was refused, and takes no duplicate key."""
        return NewMessage(
            id=message_id,
            partner=partner,
            direction=Direction.INBOUND,
            channel=request.channel,
            state=MessageState.REFUSED if receipt is None else MessageState.PROCESSED,
            at=self._station.clock(),
            payload=request.body,
            content_type="application/json",
            duplicate_key=None if receipt is None else request.key,
            receipt=receipt,
        )

    async def _accept(self, message: NewMessage, changes: Changes) -> Submitted | Refused:
        accepted = await self._station.store.accept(changes)
        if not accepted.duplicate or accepted.receipt is None:
            assert message.receipt is not None
            return Submitted(transaction_id=message.id, receipt=message.receipt, duplicate=False)
        known = await self._station.queries.message(accepted.message_id)
        if known is None or known.payload_sha256 != sha256_hex(changes.messages[0].payload):
            return _key_reused()
        return Submitted(transaction_id=accepted.message_id, receipt=accepted.receipt, duplicate=True)

    async def _again(self, first: Document) -> Submitted | Refused:
        """The answer to a document that we have: the first answer, where it was given over REST."""
        message = await self._station.queries.message(first.message_id)
        if message is not None and message.receipt is not None and message.channel in {Channel.REST, Channel.ERP}:
            receipt = message.receipt
        else:
            receipt = _receipt(first.message_id, first.kind, first.id, ())
        return Submitted(transaction_id=first.message_id, receipt=receipt, duplicate=True)

    async def _refuse(self, request: _Request, findings: Sequence[Finding]) -> Refused:
        """Keep what was refused, with its bytes, and say everything that is wrong with it."""
        message_id = new_id(self._station.clock())
        message = self._message(request, message_id, request.partner, None)
        event = MessageRefused(
            message_id=message_id,
            partner=request.partner,
            channel=request.channel.value,
            reason="; ".join(finding.text for finding in findings[:5]),
            sha256=sha256_hex(request.body),
            size=len(request.body),
        )
        await self._station.store.accept(Changes(messages=(message,), events=(event,)))
        rules = {finding.rule for finding in findings if finding.severity is Severity.REJECT}
        status = 409 if rules and rules <= {"matching.already_acknowledged", "document.number_taken"} else 422
        title = f"The {request.kind.replace('_', ' ')} cannot be taken"
        return Refused(status=status, rule="api.document.invalid", title=title, findings=tuple(findings))


def _about(order: Document, data: Any) -> Any:
    """The supplier's answer with the order that its address names, where the body leaves it out."""
    if not isinstance(data, Mapping) or data.get("order"):
        return data
    known = {name: order.body.get(name) for name in ("issue_date", "release_number")}
    named = {"number": order.number, **known}
    return {**data, "order": {key: value for key, value in named.items() if value is not None}}


def _receipt(message_id: str, kind: str, document_id: str, findings: Sequence[Finding]) -> Receipt:
    location = f"/v1/transactions/{message_id}"
    answer: dict[str, Any] = {
        "transaction_id": message_id,
        "document": kind,
        "document_id": document_id,
        "status": "accepted",
        "location": location,
    }
    if findings:
        answer["findings"] = [documents.as_json(finding) for finding in findings]
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    return Receipt(status=202, headers=(("Content-Type", "application/json"), ("Location", location)), body=body)


def _received(message: NewMessage, body: bytes, order_number: str | None = None) -> MessageReceived:
    return MessageReceived(
        message_id=message.id,
        partner=message.partner,
        order_number=order_number,
        channel=message.channel.value,
        sha256=sha256_hex(body),
        size=len(body),
    )


def _key_reused() -> Refused:
    title = "This Idempotency-Key was used with another body"
    return Refused(status=422, rule="api.idempotency.key_reused", title=title, findings=())


def _not_found() -> Refused:
    return Refused(status=404, rule="api.not_found", title="There is no such order", findings=())


def _not_agreed(kind: str) -> Refused:
    title = f"The agreement has no {kind.replace('_', ' ')} from you"
    return Refused(status=404, rule="api.document.not_agreed", title=title, findings=())


def _busy() -> Refused:
    title = "The same document is being submitted by several requests at once"
    return Refused(status=409, rule="api.document.contended", title=title, findings=())
