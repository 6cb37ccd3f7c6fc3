"""What an interchange's ISA must say before anything in it counts: from whom, for whom, test or production, its number.

Each finding carries the note code (element I18) of the TA1 that refuses it.
"""

from __future__ import annotations

from gateway.edi import x12
from gateway.findings import Codes, EdiPlace, Finding
from gateway.partners.agreement import Agreement
from gateway.pipeline import composing
from gateway.pipeline.station import Station


def check(station: Station, agreement: Agreement, interchange: x12.Interchange) -> list[Finding]:
    """The interchange must be from the partner whose station sent it, for us, and test where the agreement is test."""
    findings: list[Finding] = []
    sender = station.directory.by_x12(interchange.sender_qualifier, interchange.sender)
    if sender is None or sender.name != agreement.name:
        theirs = agreement.x12.identity if agreement.x12 else None
        findings.append(
            Finding(
                rule="pipeline.interchange.sender_unknown",
                place=_isa(interchange, 6),
                said=f"{interchange.sender_qualifier} {interchange.sender}",
                wanted=f"{theirs.qualifier} {theirs.id}, as agreed" if theirs else "an agreed sender",
                fix="send with the ISA05 and ISA06 that were agreed",
                codes=Codes(ta105="006"),
            )
        )
    ours = composing.ours(station, agreement)
    if (interchange.receiver_qualifier, interchange.receiver) != (ours.qualifier, ours.id):
        findings.append(
            Finding(
                rule="pipeline.interchange.receiver_unknown",
                place=_isa(interchange, 8),
                said=f"{interchange.receiver_qualifier} {interchange.receiver}",
                wanted=f"{ours.qualifier} {ours.id}",
                fix="address it with our ISA07 and ISA08",
                codes=Codes(ta105="008"),
            )
        )
    if agreement.x12 is not None and interchange.test is not agreement.x12.test:
        wanted = "T: the agreement is for test" if agreement.x12.test else "P: the agreement is for production"
        findings.append(
            Finding(
                rule="pipeline.interchange.test_indicator",
                place=_isa(interchange, 15),
                said="a test interchange" if interchange.test else "no test interchange",
                wanted=wanted,
                fix="send with the ISA15 that was agreed",
                codes=Codes(ta105="020"),
            )
        )
    return findings


def control_number_used(interchange: x12.Interchange) -> Finding:
    """Another interchange of this sender came with this number."""
    return Finding(
        rule="pipeline.interchange.control_number_used",
        place=_isa(interchange, 13),
        said=interchange.control_number,
        wanted="a control number that this sender has not used before",
        fix="count ISA13 up; resend unchanged what was sent before",
        codes=Codes(ta105="025"),
    )


def _isa(interchange: x12.Interchange, element: int) -> EdiPlace:
    return EdiPlace(interchange=interchange.control_number, tag="ISA", element=element)
