"""Taking a partner's canonical document, whatever way it came: duplicate? matched? routed? then delivered.

The same decisions for an 855 over AS2 and for an acknowledgement over REST.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from gateway import canonical
from gateway.events import DocumentAccepted, DocumentDuplicate, DocumentRejected, Event
from gateway.findings import Finding, Severity, worst
from gateway.partners.agreement import Agreement
from gateway.pipeline import (
    changing,
    deliveries,
    identity,
    matching,
    referencing,
    replacing,
    routing,
    shipped,
    versions,
)
from gateway.pipeline.station import Station
from gateway.ports import (
    DeliveryChange,
    Direction,
    Document,
    DocumentState,
    DocumentUpdate,
    Json,
    NewDocument,
    NewJob,
    new_id,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a document stood and what it was read with."""

    message_id: str
    position: str | None = None
    map: str | None = None
    guide: str | None = None
    unmapped: int = 0
    envelope: Json = field(default_factory=dict)
    """Canonical fields that only the envelope knows: kept with the document, outside its digest, so that the same
    document in another interchange is still the same."""
    order: Document | None = None
    """The order that it answers, where its address names it and not only its body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What was decided about one document."""

    accepted: bool
    findings: tuple[Finding, ...]
    documents: tuple[NewDocument, ...] = ()
    updates: tuple[DocumentUpdate, ...] = ()
    deliveries: tuple[DeliveryChange, ...] = ()
    jobs: tuple[NewJob, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    """Identities beside the natural key: an order has one original answer, also when two come at once."""
    events: tuple[Event, ...] = ()
    duplicate_of: Document | None = None


_REACHED = {"order_acknowledgement": DocumentState.ANSWERED, "ship_notice": DocumentState.SHIPPED}
"""The state that an accepted document brings the orders to that it names; a change leaves them where they are."""


async def take(
    station: Station,
    agreement: Agreement,
    kind: str,
    body: Json,
    *,
    origin: Origin,
    findings: Sequence[Finding] = (),
    sha256: str | None = None,
) -> Taken:
    """Decide about `body`, a canonical document from `agreement`'s partner that is valid in itself.

    `findings` are those it already carries; worse ones from matching are added. `sha256` is the
    body's digest, for a caller that has it already.
    """
    sha256 = sha256 or canonical.digest(body)
    stands = await replacing.standing(station, agreement, kind, body, sha256)
    if stands.repeats is not None:
        return _repeat(agreement, kind, body, origin, stands.repeats)
    named = await _orders(station, agreement, kind, body)
    if origin.order is not None:  # the address says which order, or which release of it, is answered
        named = dict.fromkeys(named, origin.order)
    orders = list({order.id: order for order in named.values() if order is not None}.values())
    found = list(findings)
    if stands.findings:
        found.extend(stands.findings)
    else:
        found.extend(await _match(station, agreement, kind, body, named))
    if worst(found) is Severity.REJECT:
        return reject(station, agreement, kind, body, origin=origin, findings=found, sha256=sha256)
    order_number = identity.order_number_of(kind, body)
    order = orders[0] if orders else None
    business_unit = body.get("business_unit") or (order.business_unit if order else None)
    decision = routing.decide(station.settings, agreement, kind, business_unit)
    now = station.clock()
    document = NewDocument(
        id=new_id(now),
        message_id=origin.message_id,
        partner=agreement.name,
        direction=Direction.INBOUND,
        kind=kind,
        number=identity.number_of(kind, body),
        order_number=order_number,
        business_unit=business_unit,
        state=DocumentState.HELD if stands.held else DocumentState.ACCEPTED,
        at=now,
        body={**body, **origin.envelope, "source": _source(station, agreement, origin)},
        sha256=sha256,
        natural_key=identity.natural_key(kind, body),
        findings=tuple(as_json(finding) for finding in found),
        agreement=station.version(agreement.name),
        map=origin.map,
        guide=origin.guide,
        position=origin.position,
        replaces=None if stands.follows is None else stands.follows.id,
    )
    ended, told = replacing.changes(document, stands)
    plan = deliveries.planned(document, decision, now)
    events: list[Event] = [
        DocumentAccepted(
            message_id=origin.message_id,
            partner=agreement.name,
            order_number=order_number,
            document=kind,
            document_id=document.id,
            number=document.number,
            sha256=sha256,
            agreement=document.agreement or "",
            map=origin.map,
            guide=origin.guide,
            unmapped=origin.unmapped,
        ),
        *told,
        *plan.events,
    ]
    reached = _REACHED.get(kind)
    return Taken(
        accepted=True,
        findings=tuple(found),
        documents=(document,),
        updates=(*ended, *(DocumentUpdate(id=one.id, state=reached) for one in orders if reached)),
        deliveries=plan.deliveries,
        # A replacement that is held has its deliveries, and no work until an operator settles them.
        jobs=() if stands.held else plan.jobs,
        keys=_answer_keys(kind, body, orders, origin),
        events=tuple(events),
    )


def _source(station: Station, agreement: Agreement, origin: Origin) -> Json:
    """Where the document is from and what decided about it; outside its digest, as the envelope's fields are."""
    known = {
        "message_id": origin.message_id,
        "agreement": versions.record(agreement.name, station.version(agreement.name)),
        "map": origin.map,
        "guide": origin.guide,
    }
    return {name: value for name, value in known.items() if value}


def _answer_keys(kind: str, body: Json, orders: Sequence[Document], origin: Origin) -> tuple[tuple[str, str], ...]:
    if kind != "order_acknowledgement" or body.get("purpose") not in matching.ORIGINAL:
        return ()
    return tuple((identity.original_answer_key(order.id), origin.message_id) for order in orders)


def reject(
    station: Station,
    agreement: Agreement,
    kind: str,
    body: Json,
    *,
    origin: Origin,
    findings: Sequence[Finding],
    sha256: str | None = None,
) -> Taken:
    """Keep a refused document with its findings; it takes no natural key, so that a corrected one may come."""
    number = identity.number_of(kind, body)
    order_number = identity.order_number_of(kind, body)
    now = station.clock()
    document = NewDocument(
        id=new_id(now),
        message_id=origin.message_id,
        partner=agreement.name,
        direction=Direction.INBOUND,
        kind=kind,
        number=number,
        order_number=order_number,
        business_unit=None,
        state=DocumentState.REJECTED,
        at=now,
        body={**body, **origin.envelope, "source": _source(station, agreement, origin)},
        sha256=sha256 or canonical.digest(body),
        natural_key=None,
        findings=tuple(as_json(finding) for finding in findings),
        agreement=station.version(agreement.name),
        map=origin.map,
        guide=origin.guide,
        position=origin.position,
    )
    fatal = [finding for finding in findings if finding.severity is Severity.REJECT]
    event = DocumentRejected(
        message_id=origin.message_id,
        partner=agreement.name,
        order_number=order_number,
        document=kind,
        number=number,
        rules=tuple(dict.fromkeys(finding.rule for finding in fatal)),
        reason=fatal[0].text if fatal else "refused",
    )
    return Taken(accepted=False, findings=tuple(findings), documents=(document,), events=(event,))


def as_json(finding: Finding) -> Json:
    """A finding as it is stored with its document and shown by the API."""
    place = {key: value for key, value in asdict(finding.place).items() if value is not None}
    codes = {key: value for key, value in asdict(finding.codes).items() if value is not None}
    return {
        "rule": finding.rule,
        "place": place,
        "text": finding.text,
        "said": finding.said,
        "wanted": finding.wanted,
        "fix": finding.fix,
        "severity": finding.severity.value,
        **({"codes": codes} if codes else {}),
    }


def _repeat(agreement: Agreement, kind: str, body: Json, origin: Origin, first: Document) -> Taken:
    event = DocumentDuplicate(
        message_id=origin.message_id,
        partner=agreement.name,
        order_number=first.order_number,
        document=kind,
        number=identity.number_of(kind, body),
        first=first.id,
    )
    return Taken(accepted=True, findings=(), events=(event,), duplicate_of=first)


def _refs(kind: str, body: Json) -> list[identity.OrderRef]:
    """The orders that a document names."""
    if kind in {"order_acknowledgement", "order_change"}:
        named = identity.order_ref(body)
        return [] if named is None else [named]
    return identity.order_refs(body) if kind == "ship_notice" else []


async def _orders(
    station: Station, agreement: Agreement, kind: str, body: Json
) -> dict[identity.OrderRef, Document | None]:
    """The orders that a document names, each with what this partner was given; None for what it never got.

    A change may come from the buyer, too: of an order that this partner gave us.
    """
    found: dict[identity.OrderRef, Document | None] = {}
    for number, release in _refs(kind, body):
        order = await station.queries.order(agreement.name, number, Direction.OUTBOUND, release=release)
        if order is None and kind == "order_change":
            order = await station.queries.order(agreement.name, number, Direction.INBOUND, release=release)
        found[number, release] = order
    return found


async def _match(
    station: Station, agreement: Agreement, kind: str, body: Json, orders: Mapping[identity.OrderRef, Document | None]
) -> tuple[Finding, ...]:
    """Held against what is ours in our words: an answer in cases fits an order of pieces."""
    if orders:
        body = await referencing.in_our_words(station, agreement, body, station.clock().date())
    if kind == "order_acknowledgement":
        order = next(iter(orders.values()), None)
        earlier = await _acknowledgements(station, agreement, order) if order is not None else []
        return matching.match_acknowledgement(body, order, earlier)
    if kind == "order_change":
        order = next(iter(orders.values()), None)
        return changing.match_order_change(body, order, from_seller="purchase_order" in agreement.documents.send)
    if kind == "ship_notice":
        return matching.match_ship_notice(body, orders, await shipped.before(station, agreement, orders))
    return ()


async def _acknowledgements(station: Station, agreement: Agreement, order: Document) -> list[Document]:
    """What acknowledged this order. One that names no release answered the newest then, as its identity tells."""
    release = order.body.get("release_number")
    kind = "order_acknowledgement"
    found = await station.queries.documents_for_order(agreement.name, kind, order.number, release=release)
    if release is None:
        return found
    owner = await station.queries.key_owner(identity.original_answer_key(order.id))
    return [one for one in found if one.message_id == owner or (identity.order_ref(one.body) or ("", None))[1]]
