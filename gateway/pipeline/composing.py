"""The `compose` step, and every other interchange of ours: map, check, number, envelope, ready to be sent.

What leaves is read back first by the same rules that judge partners: a set that we would refuse is not sent. Control
numbers are taken inside the commit that stores the message, so none is lost or used twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.edi import library, write, x12
from gateway.edi.delimiters import Delimiters
from gateway.edi.tree import Loop, Segment
from gateway.errors import DeliveryFailed, OurFault, Outcome, PartnerFault
from gateway.events import Event, InterchangeComposed
from gateway.findings import Finding, Severity
from gateway.mapping import Map
from gateway.partners.agreement import Agreement, X12Dialect
from gateway.pipeline import identity, versions
from gateway.pipeline.hashing import sha256_hex
from gateway.pipeline.station import Station
from gateway.ports import (
    Changes,
    Channel,
    Direction,
    Document,
    DocumentState,
    DocumentUpdate,
    Job,
    MessageState,
    NewJob,
    NewMessage,
    Numbered,
    Numbers,
    new_id,
)
from gateway.settings import Settings, X12Identity

CONTENT_TYPE = "application/edi-x12"
"""RFC 1767 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """One group of one set for a partner, before it has numbers."""

    agreement: Agreement
    dialect: X12Dialect
    type: str
    functional_id: str
    root: Loop
    at: datetime


async def compose(station: Station, job: Job) -> Changes:
    """Write the job's document as an interchange. What cannot be written is a permanent failure with its reason."""
    document = await station.queries.document(job.document_id or "")
    if document is None:
        raise OurFault(f"document {job.document_id} is not in the store", remedy="gateway audit verify")
    if document.state not in {DocumentState.SUBMITTED, DocumentState.FAILED}:  # failed: an operator retries
        return Changes()
    agreement, dialect, mapping = _agreed(station, document)
    writing = mapping.write(dict(document.body))
    if fatal := [finding for finding in writing.findings if finding.severity is Severity.REJECT]:
        raise _unwritable(document, mapping, fatal)
    now = station.clock()
    outgoing = Outgoing(
        agreement=agreement,
        dialect=dialect,
        type=mapping.document,
        functional_id=_functional_id(station, mapping, dialect),
        root=writing.root,
        at=now,
    )
    _check(station, document, outgoing)
    message_id = new_id(now)
    used = _Used(
        agreement=station.version(agreement.name),
        map=versions.record(mapping.name, mapping.hash),
        guide=_guide(station, agreement, document, outgoing),
    )

    def wait_key(numbers: Numbers) -> str:
        return identity.acknowledgment_key(agreement.name, outgoing.functional_id, numbers.group)

    def composed(numbers: Numbers, payload: bytes) -> tuple[Event, ...]:
        event = InterchangeComposed(
            message_id=message_id,
            partner=agreement.name,
            order_number=document.order_number,
            type=outgoing.type,
            control_number=f"{numbers.interchange:09d}",
            group_control_number=str(numbers.group),
            sha256=sha256_hex(payload),
            size=len(payload),
            document_id=document.id,
            agreement=used.agreement,
            map=used.map,
            guide=used.guide,
        )
        return (event,)

    payload = Numbered(
        series=series(station, agreement),
        render=lambda numbers: render(station, outgoing, numbers),
        wait_key=wait_key,
        keys=lambda numbers: (identity.sent_interchange_key(series(station, agreement), numbers.interchange),),
        events=composed,
    )
    message = outbound_message(
        station.settings,
        agreement,
        message_id=message_id,
        payload=payload,
        filename=f"{outgoing.type}-{document.number}.edi",
        now=now,
    )
    return Changes(
        messages=(message,),
        document_updates=(
            DocumentUpdate(
                id=document.id,
                state=DocumentState.COMPOSED,
                sent_as=message_id,
                agreement=used.agreement,
                map=used.map,
                guide=used.guide,
            ),
        ),
        jobs=(send_job(agreement, message_id, now, document_id=document.id),),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Used:
    """What a document was written with."""

    agreement: str
    map: str
    guide: str


def _guide(station: Station, agreement: Agreement, document: Document, outgoing: Outgoing) -> str:
    rule = agreement.documents.send.get(document.kind)  # type: ignore[call-overload]
    own = station.partner_guides.get(rule.guide) if rule is not None and rule.guide else None
    guides = station.syntax(agreement, "send").guides
    return versions.guide_record(guides, own, outgoing.dialect.version, outgoing.type)


def given_up(job: Job) -> Changes:
    """What else becomes true when composing is given up: the document has failed."""
    return Changes(document_updates=(DocumentUpdate(id=job.document_id or "", state=DocumentState.FAILED),))


def ready_file(settings: Settings, agreement: Agreement, payload: bytes, filename: str, now: datetime) -> Changes:
    """A file that somebody else wrote, to be sent as it is; its first group says which 997 closes it."""
    wait_key = None
    for interchange in x12.read_all(payload, guides=library.standard()):
        for group in interchange.groups:
            if group.functional_id != "FA" and group.control_number.isdigit():
                wait_key = identity.acknowledgment_key(agreement.name, group.functional_id, group.control_number)
                break
    message_id = new_id(now)
    message = outbound_message(
        settings, agreement, message_id=message_id, payload=payload, filename=filename, now=now, wait_key=wait_key
    )
    return Changes(messages=(message,), jobs=(send_job(agreement, message_id, now),))


def outbound_message(
    settings: Settings,
    agreement: Agreement,
    *,
    message_id: str,
    payload: bytes | Numbered,
    filename: str,
    now: datetime,
    answers: str | None = None,
    wait_key: str | None = None,
) -> NewMessage:
    """A message ready to be sent, with the Message-ID that every attempt will carry."""
    host = "".join(one if one.isalnum() or one in "-._" else "-" for one in settings.identity.as2_id)
    return NewMessage(
        id=message_id,
        partner=agreement.name,
        direction=Direction.OUTBOUND,
        channel=Channel.AS2,
        state=MessageState.READY,
        at=now,
        payload=payload,
        content_type=CONTENT_TYPE,
        filename=_safe(filename),
        as2_message_id=f"<{message_id}@{host}>",
        answers=answers,
        wait_key=wait_key,
    )


def send_job(agreement: Agreement, message_id: str, now: datetime, *, document_id: str | None = None) -> NewJob:
    """The work of sending a message that is ready, and the document that it carries."""
    lane = identity.outbound_lane(agreement.name, "as2")
    return NewJob(message_id=message_id, document_id=document_id, step="send", lane=lane, run_at=now)


def series(station: Station, agreement: Agreement) -> str:
    """The series that control numbers with a partner are taken from."""
    mine = ours(station, agreement)
    return f"x12:{mine.qualifier}{mine.id}:{agreement.name}"


def render(station: Station, outgoing: Outgoing, numbers: Numbers) -> bytes:
    """The interchange with its numbers. Raises PartnerFault for data that X12 cannot carry."""
    envelope = _envelope(station, outgoing, numbers)
    one = write.Outgoing(type=outgoing.type, control_number=1, root=outgoing.root)
    return write.write_interchange(envelope, (one,))


def render_ta1(station: Station, outgoing: Outgoing, numbers: Numbers) -> bytes:
    """An interchange that holds nothing but a TA1: the segments of `outgoing.root`, no group."""
    segments = [child for child in outgoing.root.children if isinstance(child, Segment)]
    return write.write_interchange(_envelope(station, outgoing, numbers), acknowledgments=segments)


def _envelope(station: Station, outgoing: Outgoing, numbers: Numbers) -> write.Envelope:
    """ISA and GS as the agreement wants them; another delimiter where the data holds the one agreed (X12.5)."""
    dialect = outgoing.dialect
    mine, theirs = ours(station, outgoing.agreement), dialect.identity
    preferred = Delimiters(
        element=dialect.element_separator,
        component=dialect.component_separator,
        segment=dialect.segment_terminator,
    )
    return write.Envelope(
        sender_qualifier=mine.qualifier,
        sender=mine.id,
        receiver_qualifier=theirs.qualifier,
        receiver=theirs.id,
        group_sender=mine.group_id or mine.id,
        group_receiver=theirs.group_id or theirs.id,
        control_number=numbers.interchange,
        group_control_number=numbers.group,
        functional_id=outgoing.functional_id,
        at=outgoing.at,
        version=dialect.version,
        test=dialect.test,
        ack_requested=dialect.request_ta1 and outgoing.type != "TA1",  # a TA1 about a TA1 would never end
        delimiters=write.fitting_delimiters((outgoing.root,), preferred, dialect.version),
        newline="\n" if dialect.line_breaks else "",
    )


def ours(station: Station, agreement: Agreement) -> X12Identity:
    """Who we are in interchanges with this partner."""
    dialect = agreement.x12
    assert dialect is not None
    return dialect.our_identity or station.settings.identity.x12


def _agreed(station: Station, document: Document) -> tuple[Agreement, X12Dialect, Map]:
    agreement = station.agreement(document.partner)
    rule = agreement.documents.send.get(document.kind) if agreement else None  # type: ignore[call-overload]
    mapping = station.maps.get(rule.map or "") if rule else None
    if agreement is None or agreement.x12 is None or mapping is None:
        raise OurFault(
            f"the agreement with {document.partner} has no map for a {document.kind} to them now",
            remedy=f"complete partners/{document.partner}.yaml, then: gateway message retry {document.message_id}",
        )
    return agreement, agreement.x12, mapping


def _functional_id(station: Station, mapping: Map, dialect: X12Dialect) -> str:
    guide = station.guides.find(dialect.version, mapping.document)
    if guide is None:
        raise OurFault(
            f"there is no guide x12/{dialect.version}/{mapping.document}", remedy="choose a version that has one"
        )
    return guide.functional_id


def _check(station: Station, document: Document, outgoing: Outgoing) -> None:
    """Read back what would be sent, by the same rules that judge what partners send."""
    try:
        data = render(station, outgoing, Numbers(interchange=1, group=1))
    except PartnerFault as fault:
        raise _unwritable(document, None, fault.findings, str(fault)) from fault
    guides = station.syntax(outgoing.agreement, "send").guides
    findings = [
        finding
        for interchange in x12.read_all(data, guides=guides)
        for finding in (*interchange.findings, *_inner(interchange))
        if finding.severity is Severity.REJECT
    ]
    if findings:
        raise _unwritable(document, None, findings)


def _inner(interchange: x12.Interchange) -> Sequence[Finding]:
    return [
        finding
        for group in interchange.groups
        for finding in (*group.findings, *(one for message in group.messages for one in message.findings))
    ]


def _unwritable(
    document: Document, mapping: Map | None, findings: Sequence[Finding], reason: str | None = None
) -> DeliveryFailed:
    what = findings[0].text if findings else reason or "unknown reason"
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    where = f" through map {mapping.name}" if mapping else ""
    return DeliveryFailed(
        f"{document.kind} {document.number} cannot be written{where}: {what}{more}", outcome=Outcome.PERMANENT
    )


def _safe(filename: str) -> str:
    return "".join(one if one.isalnum() or one in "-._" else "-" for one in filename)[:100]
