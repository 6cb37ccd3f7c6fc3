"""The `compose` step: a document of ours through map, check, number and envelope, ready to be sent.

What leaves is read back first by the same rules that judge partners: a set that we would refuse is not sent. Control
numbers are taken inside the commit that stores the message, so none is lost or used twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.edi.interchange import Interchange
from gateway.errors import DeliveryFailed, OurFault, Outcome, PartnerFault
from gateway.events import Event, InterchangeComposed
from gateway.findings import Finding, Severity
from gateway.mapping import Map
from gateway.partners.agreement import Agreement
from gateway.pipeline import behind, referencing, standards, versions
from gateway.pipeline.hashing import sha256_hex
from gateway.pipeline.outgoing import outbound_message, send_job
from gateway.pipeline.station import Station
from gateway.pipeline.wire import Outgoing, Wire
from gateway.ports import Changes, Document, DocumentState, DocumentUpdate, Job, Numbered, Numbers, new_id

_TO_BE_WRITTEN = frozenset({DocumentState.SUBMITTED, DocumentState.HELD, DocumentState.FAILED})
"""Failed: an operator retries. Held: the words that it waited for were taught."""


async def compose(station: Station, job: Job) -> Changes:
    """Write the job's document as an interchange. What cannot be written is a permanent failure with its reason."""
    document = await station.queries.document(job.document_id or "")
    if document is None:
        raise OurFault(f"document {job.document_id} is not in the store", remedy="gateway audit verify")
    if document.state not in _TO_BE_WRITTEN:
        return Changes()
    if (wait := await behind.waits(station, document, job)) is not None:
        return wait
    return await written(station, document, job.step)


async def written(station: Station, document: Document, step: str) -> Changes:
    """A document as an interchange that is numbered when it is committed, whatever became of it before.

    Without a message where it waits for a word of the cross-references. Raises DeliveryFailed, OurFault.
    """
    agreement, wire, mapping = agreed(station, document)
    translated = await referencing.for_partner(station, document, step)
    if translated.held:
        return translated.waits()
    body = dict(translated.body)
    # Hooks are code that is not ours, and may take a second for a value.
    writing = await asyncio.to_thread(mapping.write, body) if mapping.hooked else mapping.write(body)
    if fatal := [finding for finding in writing.findings if finding.severity is Severity.REJECT]:
        raise _unwritable(document, mapping, fatal)
    now = station.clock()
    outgoing = wire.outgoing(station, agreement, mapping.document, writing.root, now)
    _check(station, document, wire, outgoing)
    message_id = new_id(now)
    used = _Used(
        agreement=station.version(agreement.name),
        map=versions.record(mapping.name, mapping.hash),
        guide=_guide(station, wire, document, outgoing),
    )

    def composed(numbers: Numbers, payload: bytes) -> tuple[Event, ...]:
        event = InterchangeComposed(
            message_id=message_id,
            partner=agreement.name,
            order_number=document.order_number,
            type=outgoing.type,
            control_number=wire.control_number(numbers),
            group_control_number=str(numbers.group),
            sha256=sha256_hex(payload),
            size=len(payload),
            document_id=document.id,
            agreement=used.agreement,
            map=used.map,
            guide=used.guide,
            left_out=len(writing.lost),
        )
        return (event,)

    payload = Numbered(
        series=wire.series(station, agreement),
        render=lambda numbers: wire.render(station.settings, outgoing, numbers),
        wait_key=lambda numbers: wire.wait_key(outgoing, numbers),
        keys=lambda numbers: (wire.sent_key(station, agreement, wire.control_number(numbers)),),
        events=composed,
    )
    message = outbound_message(
        station.settings,
        agreement,
        message_id=message_id,
        payload=payload,
        content_type=wire.content_type,
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
            *behind.went(document),
        ),
        jobs=(send_job(agreement, message_id, now, document_id=document.id),),
        events=translated.events,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Used:
    """What a document was written with."""

    agreement: str
    map: str
    guide: str


def _guide(station: Station, wire: Wire, document: Document, outgoing: Outgoing) -> str:
    agreement = outgoing.agreement
    rule = agreement.documents.send.get(document.kind)  # type: ignore[call-overload]
    own = station.partner_guides.get(rule.guide) if rule is not None and rule.guide else None
    guides = station.syntax(agreement, "send", wire.name).guides
    return versions.guide_record(guides, own, outgoing.version, outgoing.type)


def given_up(job: Job) -> Changes:
    """What else becomes true when composing is given up: the document has failed."""
    return Changes(document_updates=(DocumentUpdate(id=job.document_id or "", state=DocumentState.FAILED),))


def agreed(station: Station, document: Document) -> tuple[Agreement, Wire, Map]:
    """What a document is written by now. Raises OurFault where that is not agreed."""
    agreement = station.agreement(document.partner)
    rule = agreement.documents.send.get(document.kind) if agreement else None  # type: ignore[call-overload]
    mapping = station.maps.get(rule.map or "") if rule else None
    wire = standards.of_set(mapping.document) if mapping else None
    if agreement is None or mapping is None or wire is None or wire.dialect(agreement) is None:
        raise OurFault(
            f"the agreement with {document.partner} has no map for a {document.kind} to them now",
            remedy=f"complete partners/{document.partner}.yaml, then: gateway message retry {document.message_id}",
        )
    return agreement, wire, mapping


def _check(station: Station, document: Document, wire: Wire, outgoing: Outgoing) -> None:
    """Read back what would be sent, by the same rules that judge what partners send."""
    try:
        data = wire.render(station.settings, outgoing, Numbers(interchange=1, group=1))
    except PartnerFault as fault:
        raise _unwritable(document, None, fault.findings, str(fault)) from fault
    syntax = station.syntax(outgoing.agreement, "send", wire.name)
    findings = [
        finding
        for interchange in wire.reader.read_all(data, guides=syntax.guides, charset=wire.charset(outgoing))
        for finding in (*interchange.findings, *_inner(interchange))
        if finding.severity is Severity.REJECT
    ]
    if findings:
        raise _unwritable(document, None, findings)


def _inner(interchange: Interchange) -> Sequence[Finding]:
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
