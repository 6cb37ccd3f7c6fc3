"""Taking a partner's canonical document, whatever way it came: duplicate? matched? routed? then delivered.

The same decisions for an 855 over AS2 and for an acknowledgement over REST.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway import canonical
from gateway.events import DocumentAccepted, DocumentDuplicate, DocumentRejected, Event
from gateway.findings import Finding, Severity
from gateway.partners.agreement import Agreement
from gateway.pipeline import (
    changing,
    deliveries,
    identity,
    matching,
    referencing,
    replacing,
    reviewing,
    routing,
    shipped,
    versions,
    waiting,
)
from gateway.pipeline.finding_json import as_json
from gateway.pipeline.station import Station
from gateway.ports import (
    AnswersSeen,
    DeliveryChange,
    Direction,
    Document,
    DocumentState,
    DocumentUpdate,
    Json,
    NewDocument,
    NewJob,
    Review,
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
    seen: tuple[AnswersSeen, ...] = ()
    """What it was decided over, where another one that came at the same moment would change it."""
    deliveries: tuple[DeliveryChange, ...] = ()
    jobs: tuple[NewJob, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    """Identities beside the natural key: an order has one original answer, also when two come at once."""
    woken: tuple[str, ...] = ()
    """What waits for this order may look again."""
    events: tuple[Event, ...] = ()
    duplicate_of: Document | None = None


_REACHED = {"order_acknowledgement": DocumentState.ANSWERED, "ship_notice": DocumentState.SHIPPED}
"""The state that an accepted document brings the orders to that it names; a change leaves them where they are."""
_AS_FAR = {
    DocumentState.ANSWERED: frozenset({DocumentState.ANSWERED, DocumentState.SHIPPED}),
    DocumentState.SHIPPED: frozenset({DocumentState.SHIPPED}),
}
"""Orders in these states are there already, and never go back. Their rows are left alone: writing the same again would
let all shipments of an order wait for each other's commits."""


async def take(
    station: Station,
    agreement: Agreement,
    kind: str,
    body: Json,
    *,
    origin: Origin,
    findings: Sequence[Finding] = (),
    sha256: str | None = None,
    again: Document | None = None,
    stands: replacing.Standing | None = None,
    beside: Sequence[NewDocument] = (),
) -> Taken:
    """Decide about `body`, a canonical document from `agreement`'s partner that is valid in itself.

    `findings` are those it already carries; worse ones from matching are added. `sha256` is the
    body's digest, for a caller that has it already. `beside` is what came before it in its message. `again`, with how
    it `stands` to it: the stored document that was read from the same place before.
    """
    sha256 = sha256 or canonical.digest(body)
    stands = stands or await replacing.standing(station, agreement, kind, body, sha256)
    if stands.repeats is not None:
        return _repeat(agreement, kind, body, origin, stands.repeats)
    named = await orders_named(station, agreement, kind, body)
    if origin.order is not None:  # the address says which order, or which release of it, is answered
        named = dict.fromkeys(named, origin.order)
    orders = list({order.id: order for order in named.values() if order is not None}.values())
    found = list(findings)
    seen: tuple[AnswersSeen, ...] = ()
    if stands.findings:
        found.extend(stands.findings)
    else:
        but = "" if again is None else again.id
        matched = await match(station, agreement, kind, body, named, but=but, beside=beside)
        found.extend(matched.findings)
        seen = matched.seen
    weighed = reviewing.weigh(agreement, found)
    if weighed.refused:
        return reject(station, agreement, kind, body, origin=origin, findings=weighed.findings, sha256=sha256)
    order_number = identity.order_number_of(kind, body)
    order = orders[0] if orders else None
    business_unit = body.get("business_unit") or (order.business_unit if order else None)
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
        state=DocumentState.HELD if stands.held or weighed.review is not None else DocumentState.ACCEPTED,
        at=now,
        body={**body, **origin.envelope, "source": _source(station, agreement, origin)},
        sha256=sha256,
        natural_key=identity.natural_key(kind, body),
        findings=tuple(as_json(finding) for finding in weighed.findings),
        agreement=station.version(agreement.name),
        map=origin.map,
        guide=origin.guide,
        position=origin.position,
        review=weighed.review or (Review.REPLACEMENT if stands.held else None),
        further_orders=tuple(dict.fromkeys(number for number, _ in named if number != order_number)),
        replaces=None if stands.follows is None else stands.follows.id,
    )
    # What is under review replaces nothing until it goes on.
    ended, told = replacing.changes(document, replace(stands, held=stands.held or weighed.review is not None))
    if weighed.review is not None:
        looks = weighed.review is Review.ORDER_UNKNOWN
        return Taken(
            accepted=True,
            findings=weighed.findings,
            documents=(document,),
            updates=ended,
            seen=seen,
            jobs=reviewing.look_job(agreement, document, reviewing.unknown_number(named), now) if looks else (),
            events=(*told, reviewing.begun(document, weighed.review, weighed.findings)),
        )
    onward = on_its_way(station, agreement, document, orders, now)
    return Taken(
        accepted=True,
        findings=weighed.findings,
        documents=(document,),
        updates=(*ended, *onward.updates),
        seen=seen,
        deliveries=onward.deliveries,
        # A replacement that is held has its deliveries, and no work until an operator settles them.
        jobs=() if stands.held else onward.jobs,
        keys=onward.keys,
        woken=reviewing.wakes(agreement, document),
        events=(accepted(document, origin.unmapped), *told, *onward.events, *_held(document, stands)),
    )


def _held(document: NewDocument, stands: replacing.Standing) -> tuple[Event, ...]:
    if not stands.held or stands.follows is None:
        return ()
    reason = f"it takes the place of {stands.follows.number} of {stands.follows.at:%Y-%m-%d %H:%M} UTC"
    return (reviewing.waiting(document, Review.REPLACEMENT, reason=reason),)


def accepted(document: NewDocument | Document, unmapped: int = 0) -> DocumentAccepted:
    """The fact that a document is read, checked and matched, or approved."""
    return DocumentAccepted(
        message_id=document.message_id,
        partner=document.partner,
        order_number=document.order_number,
        document=document.kind,
        document_id=document.id,
        number=document.number,
        sha256=document.sha256,
        agreement=document.agreement or "",
        map=document.map,
        guide=document.guide,
        unmapped=unmapped,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Onward:
    """What follows from a document that may go on to its target."""

    updates: tuple[DocumentUpdate, ...]
    deliveries: tuple[DeliveryChange, ...]
    jobs: tuple[NewJob, ...]
    keys: tuple[tuple[str, str], ...]
    events: tuple[Event, ...]


def on_its_way(
    station: Station,
    agreement: Agreement,
    document: NewDocument | Document,
    orders: Sequence[Document],
    now: datetime,
) -> Onward:
    """Route a document, move the orders that it answers, begin its delivery: when it came, or when it was approved."""
    kind, order = document.kind, orders[0] if orders else None
    decision = routing.decide(
        station.settings,
        agreement,
        routing.Facts(
            partner=agreement.name,
            kind=kind,
            day=(order or document).at.date(),
            number=document.order_number or document.number,
            business_unit=document.business_unit or (order.business_unit if order else None),
            bodies=(document.body,) if order is None else (document.body, order.body),
        ),
    )
    plan = deliveries.planned(document, decision, now)
    return Onward(
        updates=tuple(_orders_reached(kind, orders)),
        deliveries=plan.deliveries,
        jobs=plan.jobs,
        keys=_answer_keys(document, orders),
        events=(*plan.events, *waiting.late_orders(kind, orders, document.message_id, now)),
    )


def _orders_reached(kind: str, orders: Iterable[Document]) -> Iterator[DocumentUpdate]:
    """What a document of this kind changes of the orders that it names."""
    if (reached := _REACHED.get(kind)) is None:
        return
    for one in orders:
        cleared = waiting.closed(kind, one)
        if cleared or one.state not in _AS_FAR[reached]:
            yield DocumentUpdate(id=one.id, state=reached, cleared=cleared)


def _source(station: Station, agreement: Agreement, origin: Origin) -> Json:
    """Where the document is from and what decided about it; outside its digest, as the envelope's fields are."""
    known = {
        "message_id": origin.message_id,
        "agreement": versions.record(agreement.name, station.version(agreement.name)),
        "map": origin.map,
        "guide": origin.guide,
    }
    return {name: value for name, value in known.items() if value}


def _answer_keys(document: NewDocument | Document, orders: Sequence[Document]) -> tuple[tuple[str, str], ...]:
    if document.kind != "order_acknowledgement" or document.body.get("purpose") not in matching.ORIGINAL:
        return ()
    return tuple((identity.original_answer_key(order.id), document.message_id) for order in orders)


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


async def orders_named(
    station: Station, agreement: Agreement, kind: str, body: Json
) -> dict[identity.OrderRef, Document | None]:
    """The orders that a document names, each with what this partner was given; None for what it never got.

    A change may come from the buyer, too: of an order that this partner gave us.
    """
    found: dict[identity.OrderRef, Document | None] = {}
    for number, release in identity.refs(kind, body):
        order = await station.queries.order(agreement.name, number, Direction.OUTBOUND, release=release)
        if order is None and kind == "order_change":
            order = await station.queries.order(agreement.name, number, Direction.INBOUND, release=release)
        found[number, release] = order
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Matched:
    """What matching found, and over what, where others count."""

    findings: tuple[Finding, ...]
    seen: tuple[AnswersSeen, ...] = ()


async def match(
    station: Station,
    agreement: Agreement,
    kind: str,
    body: Json,
    orders: Mapping[identity.OrderRef, Document | None],
    *,
    but: str = "",
    beside: Sequence[NewDocument] = (),
) -> Matched:
    """Held against what is ours in our words: an answer in cases fits an order of pieces.

    `but` is the document itself where it is in the store: it is none of those that came before it; `beside` are.
    """
    agreed = None if agreement.matching is None else agreement.matching.tolerances
    if orders:
        body = await referencing.in_our_words(station, agreement, body, station.clock().date())
    if kind == "order_acknowledgement":
        order = next(iter(orders.values()), None)
        earlier = await _acknowledgements(station, agreement, order) if order is not None else []
        earlier = [one for one in earlier if one.id != but]
        return Matched(findings=matching.match_acknowledgement(body, order, earlier, agreed))
    if kind == "order_change":
        order = next(iter(orders.values()), None)
        from_seller = "purchase_order" in agreement.documents.send
        return Matched(findings=changing.match_order_change(body, order, from_seller=from_seller))
    if kind == "ship_notice":
        before = await shipped.before(station, agreement, orders, but=but, beside=beside)
        # Without a tolerance too much is said, and holds or refuses nothing.
        counts = agreed is not None and agreed.quantity_over_percent is not None
        findings = matching.match_ship_notice(body, orders, before.shipments, agreed)
        return Matched(findings=findings, seen=before.seen if counts else ())
    return Matched(findings=())


async def _acknowledgements(station: Station, agreement: Agreement, order: Document) -> list[Document]:
    """What acknowledged this order. One that names no release answered the newest then, as its identity tells."""
    release = order.body.get("release_number")
    kind = "order_acknowledgement"
    found = await station.queries.documents_for_order(agreement.name, kind, order.number, release=release)
    if release is None:
        return found
    owner = await station.queries.key_owner(identity.original_answer_key(order.id))
    return [one for one in found if one.message_id == owner or (identity.order_ref(one.body) or ("", None))[1]]
