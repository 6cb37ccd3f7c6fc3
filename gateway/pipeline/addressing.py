"""What an interchange's header must say before anything in it counts: from whom, for whom, test or not, its number.

Each finding carries the code with which it is refused: the note code of a TA1 (element I18), 0085 of a CONTRL.
"""

from __future__ import annotations

from gateway.edi.interchange import Interchange
from gateway.findings import Codes, EdiPlace, Finding
from gateway.partners.agreement import Agreement
from gateway.pipeline.station import Station
from gateway.pipeline.wire import Wire
from gateway.settings import EdifactIdentity, X12Identity


def check(station: Station, agreement: Agreement, wire: Wire, interchange: Interchange) -> list[Finding]:
    """The interchange must be from the partner whose station sent it, for us, and test where the agreement is test."""
    findings: list[Finding] = []
    header = wire.header
    sender = wire.sender(station, interchange)
    if sender is None or sender.name != agreement.name:
        theirs = wire.theirs(agreement)
        findings.append(
            Finding(
                rule="pipeline.interchange.sender_unknown",
                place=_place(wire, interchange, header.sender),
                said=_name(interchange.sender_qualifier, interchange.sender),
                wanted=f"{_named(theirs)}, as agreed" if theirs else "an agreed sender",
                fix=f"send with the {header.sender_names} that were agreed",
                codes=Codes(ta105="006", contrl="23"),
            )
        )
    ours = wire.ours(station.settings, agreement)
    if (interchange.receiver_qualifier, interchange.receiver) != (ours.qualifier or "", ours.id):
        findings.append(
            Finding(
                rule="pipeline.interchange.receiver_unknown",
                place=_place(wire, interchange, header.receiver),
                said=_name(interchange.receiver_qualifier, interchange.receiver),
                wanted=_named(ours),
                fix=f"address it with our {header.receiver_names}",
                codes=Codes(ta105="008", contrl="7"),
            )
        )
    dialect = wire.dialect(agreement)
    if dialect is not None and interchange.test is not dialect.test:
        kind = "test" if dialect.test else "production"
        findings.append(
            Finding(
                rule="pipeline.interchange.test_indicator",
                place=_place(wire, interchange, header.test),
                said="a test interchange" if interchange.test else "no test interchange",
                wanted=f"{header.test_words[dialect.test]}: the agreement is for {kind}",
                fix=f"send with the {header.test_name} that was agreed",
                codes=Codes(ta105="020", contrl="25"),
            )
        )
    return findings


def control_number_used(wire: Wire, interchange: Interchange) -> Finding:
    """Another interchange of this sender came with this number."""
    return Finding(
        rule="pipeline.interchange.control_number_used",
        place=_place(wire, interchange, wire.header.number),
        said=interchange.control_number,
        wanted="a control number that this sender has not used before",
        fix=f"count {wire.header.number_name} up; resend unchanged what was sent before",
        codes=Codes(ta105="025", contrl="26"),
    )


def too_large(size: int, limit: int) -> Finding:
    """A file of interchanges that is kept, and not read for its size."""
    return Finding(
        rule="pipeline.file.too_large",
        place=EdiPlace(offset=0),
        said=f"{size} bytes",
        wanted=f"at most {limit} bytes in one file",
        fix="send it as several files; max_interchange_bytes in gateway.yaml says how large one may be",
    )


def _place(wire: Wire, interchange: Interchange, element: int) -> EdiPlace:
    return EdiPlace(interchange=interchange.control_number, tag=wire.header.tag, element=element)


def _named(identity: X12Identity | EdifactIdentity) -> str:
    return _name(identity.qualifier or "", identity.id)


def _name(qualifier: str, id_: str) -> str:
    return f"{qualifier} {id_}".strip()
