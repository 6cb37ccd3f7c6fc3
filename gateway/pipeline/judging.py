"""One transaction set through its map and the canonical checks: pure and bounded, so that a thread can do it.

What the 997 says of a set that the syntax accepted and we refuse all the same is decided here too (decision 0003).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway import canonical
from gateway.edi.tolerances import Limits
from gateway.edi.tree import Loop, Message, Verdict
from gateway.findings import Finding, Severity, worst
from gateway.mapping import Map
from gateway.partners.agreement import Kind
from gateway.ports import Json

LIMITS = Limits(message=4 << 20)
"""A set over 4 MiB is refused (TA1 024): about 100,000 segments, where orders and notices of thousands of lines stay
below 1 MiB. One set is judged as a whole, in memory and mostly in one thread's turn, so its size bounds both."""

IN_ERROR = "5"
"""Element 718: one or more segments in error; the nearest that X12 has for a document that is refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A set as a canonical document with all that is wrong with it; `valid` in itself, not yet matched."""

    body: Json
    sha256: str
    findings: tuple[Finding, ...]
    unmapped: int
    valid: bool


def judge(mapping: Map, kind: Kind, message: Message) -> Judged:
    """Map, canonical parse and check, digest. Pure: the same in a thread as on the event loop."""
    reading = mapping.read(message.root)
    model, findings = canonical.parse(kind, reading.document)
    if model is not None:
        findings = (*findings, *canonical.check(model))
    findings = (*message.findings, *reading.findings, *findings)
    valid = model is not None and worst(findings) is not Severity.REJECT
    body = canonical.written(model) if model is not None and valid else reading.document
    return Judged(
        body=body,
        sha256=canonical.digest(body),
        findings=findings,
        unmapped=len(reading.unmapped),
        valid=valid,
    )


def refused(message: Message, findings: Sequence[Finding]) -> Message:
    """The set as the 997 tells it when its document is refused: AK501 R, AK502 5 where no finding has its own code."""
    grave = [one for one in findings if one.severity is Severity.REJECT and one not in message.findings]
    told = [
        one if one.codes.ak502 else replace(one, codes=replace(one.codes, ak304=None, ak502=IN_ERROR)) for one in grave
    ]
    return replace(message, findings=(*message.findings, *told), outcome=Verdict.REJECTED, root=Loop("", []))
