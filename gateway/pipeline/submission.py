"""Documents that come as JSON over REST: from the ERP for a partner, or from a partner that uses the API.

Validation is synchronous and complete; what is accepted is durable before the 202, and a repeat gets the first answer
byte for byte. What the partner may not know does not exist for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway import canonical
from gateway.events import (
    DocumentAvailable,
    DocumentDuplicate,
    DocumentFetched,
    DocumentSubmitted,
    DuplicateReceived,
    Event,
    MessageReceived,
    MessageRefused,
)
from gateway.findings import Finding
from gateway.partners.agreement import Agreement
from gateway.pipeline import behind, documents, http_answers, identity, matching, replacing, reviewing, waiting
from gateway.pipeline.addressee import recipient
from gateway.pipeline.checked import Checked, checked
from gateway.pipeline.finding_json import as_json
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
DECISIONS = 10
"""How often it is decided anew when somebody was quicker."""
KEPT_UNREAD = 65_536
"""Octets kept of a body that was refused unread; hash and size tell of the rest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Request:
    """One request while it is decided."""

    kind: str
    partner: str | None
    body: bytes
    key: str | None
    """The identity of its Idempotency-Key, where it has one."""
    order_id: str | None

    @property
    def fingerprint(self) -> str:
        """The identity that says what its key was used for: this body, as this kind, about this order."""
        what = "\n".join((self.kind, self.order_id or "", sha256_hex(self.body)))
        return f"{self.key}:{sha256_hex(what.encode())}"

    def keys(self, message_id: str) -> tuple[tuple[str, str], ...]:
        """The identities that it takes for the message whose answer it gets."""
        return () if self.key is None else ((self.key, message_id), (self.fingerprint, message_id))

    @property
    def channel(self) -> Channel:
        """The ERP's scope or a partner's."""
        return Channel.ERP if self.partner is None else Channel.REST


class SubmissionDesk:
    """Keeps the `Submissions` protocol of `gateway.ports`."""

    def __init__(self, station: Station, under_way: set[str] | None = None) -> None:
        self._station = station
        self._under_way: set[str] = set() if under_way is None else under_way

    def at(self, station: Station) -> SubmissionDesk:
        """The desk of another configuration; it knows the requests that are under way at this one."""
        return SubmissionDesk(station, self._under_way)

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
            return http_answers.in_flight()
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
                        document=document.kind,
                        number=document.number,
                    ),
                ),
            )
        )

    async def unread(self, *, partner: str | None, start: bytes, size: int, sha256: str, reason: str) -> None:
        """Keep a trace of a body that was refused before it was a document: `size` and `sha256` are of what came."""
        request = _Request(kind="", partner=partner, body=start[:KEPT_UNREAD], key=None, order_id=None)
        message_id = new_id(self._station.clock())
        message = self._message(request, message_id, partner, None)
        event = MessageRefused(
            message_id=message_id,
            partner=partner,
            channel=request.channel.value,
            reason=reason,
            sha256=sha256,
            size=size,
        )
        await self._station.store.accept(Changes(messages=(message,), events=(event,)))

    async def _submit(self, request: _Request) -> Submitted | Refused:
        known = await self._known(request)
        if known is not None:
            return known
        order = None
        if request.partner is not None and request.order_id is not None:
            order = await self._station.queries.document(request.order_id, partner=request.partner)
            if order is None or order.direction is not Direction.OUTBOUND or order.kind != "purchase_order":
                return http_answers.not_found()
        found = await checked(request.kind, request.body, order)
        if found.document is None:
            return await self._refuse(request, found.findings)
        for _ in range(DECISIONS):
            try:
                if request.partner is None:
                    return await self._from_erp(request, found.document, found.sha256)
                return await self._from_partner(request, request.partner, found, order)
            except NaturalKeyTaken:  # somebody was quicker with the same document or key: decide again, seeing theirs
                if (known := await self._known(request)) is not None:
                    return known
        return http_answers.busy()

    async def _known(self, request: _Request) -> Submitted | Refused | None:
        """The first answer, when the request's Idempotency-Key was used for the same; None when it was not used."""
        queries = self._station.queries
        owner = None if request.key is None else await queries.key_owner(request.key)
        if owner is None or request.key is None:
            return None
        if await queries.key_owner(request.fingerprint) is None:
            return http_answers.key_reused()
        first = await queries.message(owner)
        if first is None or first.receipt is None or not _over_http(first.channel):
            return None  # its document came by another way: found again by its natural key
        event = DuplicateReceived(
            message_id=first.id, partner=first.partner, channel=request.channel.value, key=request.key
        )
        await self._station.store.apply(Changes(events=(event,)))
        return Submitted(transaction_id=first.id, receipt=first.receipt, duplicate=True)

    async def _from_partner(
        self, request: _Request, partner: str, found: Checked, order: Document | None
    ) -> Submitted | Refused:
        agreement = self._station.agreement(partner)
        kind = request.kind
        if agreement is None or kind not in agreement.documents.receive or found.document is None:
            return http_answers.not_agreed(kind)
        message_id = new_id(self._station.clock())
        origin = documents.Origin(message_id=message_id, order=order)
        taken = await documents.take(
            self._station, agreement, kind, found.document, origin=origin, findings=found.findings
        )
        if taken.duplicate_of is not None:
            return await self._again(request, taken.duplicate_of)
        findings = canonical.capped(taken.findings)
        if not taken.accepted:
            return await self._refuse(request, findings)
        stored = replace(taken.documents[0], findings=tuple(as_json(finding) for finding in findings))
        receipt = http_answers.receipt(message_id, kind, stored.id, findings)
        message = self._message(request, message_id, partner, receipt)
        return await self._accept(
            message,
            Changes(
                messages=(message,),
                documents=(stored,),
                document_updates=taken.updates,
                answers_seen=taken.seen,
                deliveries=taken.deliveries,
                jobs=taken.jobs,
                keys=(*taken.keys, *request.keys(message_id)),
                woken=taken.woken,
                events=(_received(message, request.body, stored.order_number), *taken.events),
            ),
        )

    async def _from_erp(self, request: _Request, document: Json, sha256: str) -> Submitted | Refused:
        kind = request.kind
        agreement, problem = recipient(self._station.directory, kind, document)
        if agreement is None:
            return await self._refuse(request, [problem] if problem else [])
        natural_key = identity.natural_key(kind, document)
        first = await self._station.queries.document_by_key(agreement.name, Direction.OUTBOUND, natural_key)
        if first is not None:
            if first.sha256 != sha256:
                return await self._refuse(request, [replacing.other_content(kind, document, first)])
            if first.state is DocumentState.FAILED:
                stuck = await self._stuck_in(first)
                return await self._refuse(request, [http_answers.failed_before(kind, first, stuck)])
            return await self._again(request, first)
        if kind != "purchase_order" and (unmatched := await self._unanswerable(agreement, kind, document)):
            return await self._refuse(request, canonical.capped(unmatched))
        message_id = new_id(self._station.clock())
        stored = self._outbound(agreement, kind, document, sha256, message_id)
        receipt = http_answers.receipt(message_id, kind, stored.id, ())
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
            job = NewJob(
                message_id=message_id,
                document_id=stored.id,
                step="compose",
                lane=lane,
                run_at=stored.at,
                wait_key=behind.wait_key(stored),
            )
            jobs = (job,)
        else:
            jobs = waiting.begun(agreement, (stored,), message_id, stored.at)
            events.append(
                DocumentAvailable(
                    message_id=message_id,
                    partner=agreement.name,
                    order_number=stored.order_number,
                    document_id=stored.id,
                    document=kind,
                    number=stored.number,
                )
            )
        changes = Changes(
            messages=(message,),
            documents=(stored,),
            jobs=jobs,
            keys=request.keys(message_id),
            woken=reviewing.wakes(agreement, stored),
            events=tuple(events),
        )
        return await self._accept(message, changes)

    async def _stuck_in(self, document: Document) -> str:
        """The message whose work was given up: the interchange that carries the document, or what brought it."""
        queries = self._station.queries
        for message in await queries.messages(partner=document.partner, state=MessageState.FAILED):
            if any(one.id == document.id for one in await queries.documents_of(message.id)):
                return message.id
        return document.message_id

    def _outbound(self, agreement: Agreement, kind: str, document: Json, sha256: str, message_id: str) -> NewDocument:
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
            sha256=sha256,
            natural_key=identity.natural_key(kind, document),
            agreement=self._station.version(agreement.name),
        )

    async def _unanswerable(self, agreement: Agreement, kind: str, document: Json) -> tuple[Finding, ...]:
        """Findings of an answer to an order that this partner never gave us; a buyer's change answers nothing."""
        if kind == "order_change" and "purchase_order" in agreement.documents.send:
            return ()
        if kind != "ship_notice":
            numbers = [identity.order_number_of(kind, document) or ""]
        else:
            numbers = identity.order_numbers(document)
        missing = []
        for number in numbers:
            if await self._station.queries.order(agreement.name, number, Direction.INBOUND) is None:
                pointer = "/contents" if kind == "ship_notice" else "/order/number"
                missing.append(matching.unknown_order(number, pointer))
        return tuple(missing)

    def _message(self, request: _Request, message_id: str, partner: str | None, receipt: Receipt | None) -> NewMessage:
        """The request as a message; without a receipt it was refused."""
        return NewMessage(
            id=message_id,
            partner=partner,
            direction=Direction.INBOUND,
            channel=request.channel,
            state=MessageState.REFUSED if receipt is None else MessageState.PROCESSED,
            at=self._station.clock(),
            payload=request.body,
            content_type="application/json",
            receipt=receipt,
        )

    async def _accept(self, message: NewMessage, changes: Changes) -> Submitted:
        assert message.receipt is not None
        await self._station.store.accept(changes)
        return Submitted(transaction_id=message.id, receipt=message.receipt, duplicate=False)

    async def _again(self, request: _Request, first: Document) -> Submitted:
        """The answer to a document that we have: the first answer, where it was given over REST.

        The repeat is a fact on the first one's trail, and its Idempotency-Key is taken for the same answer.
        """
        queries = self._station.queries
        new_key = request.key is not None and await queries.key_owner(request.key) is None
        event = DocumentDuplicate(
            message_id=first.message_id,
            partner=first.partner,
            order_number=first.order_number,
            document=first.kind,
            number=first.number,
            first=first.id,
        )
        keys = request.keys(first.message_id) if new_key else ()
        await self._station.store.apply(Changes(keys=keys, events=(event,)))
        message = await queries.message(first.message_id)
        if message is not None and message.receipt is not None and _over_http(message.channel):
            receipt = message.receipt
        else:
            receipt = http_answers.receipt(first.message_id, first.kind, first.id, ())
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
        return http_answers.refused(request.kind, findings)


def _over_http(channel: Channel) -> bool:
    return channel in {Channel.REST, Channel.ERP}


def _received(message: NewMessage, body: bytes, order_number: str | None = None) -> MessageReceived:
    return MessageReceived(
        message_id=message.id,
        partner=message.partner,
        order_number=order_number,
        channel=message.channel.value,
        sha256=sha256_hex(body),
        size=len(body),
    )
