"""The service segments of one interchange: taken apart, compared, and told where they are wrong."""

from __future__ import annotations

from dataclasses import replace

from gateway.edi.characters import cleaner, decoded
from gateway.edi.delimiters import Delimiters
from gateway.edi.envelope import padded
from gateway.edi.filler import FILLER
from gateway.edi.rules import finding
from gateway.edi.segments import Buffer, Mark
from gateway.edi.tolerances import Limits, Tolerances
from gateway.edi.tree import Element, Wire, first_text
from gateway.findings import Codes, EdiPlace, Finding, Severity, worst

MOST_ELEMENTS = 16
"""More than any service segment has."""


class ServiceSegments:
    """What `Machine` stands on."""

    def __init__(self, buffer: Buffer, tolerances: Tolerances, limits: Limits) -> None:
        self.buffer = buffer
        self.tolerances = tolerances
        self.limits = limits
        self.place = EdiPlace()
        """Names the interchange."""
        self.findings: list[Finding] = []
        """On the interchange itself."""
        self._said: set[str] = set()

    def prepare(self, delimiters: Delimiters, charset: str) -> None:
        """Cut service segments like this from now on."""
        self.delimiters, self.used_charset = delimiters, charset
        self._special = [b"\n", b"\r", delimiters.component.encode()]
        if delimiters.release is not None:
            self._special.append(delimiters.release.encode())
        clean = cleaner(delimiters)
        composites = tuple(range(MOST_ELEMENTS))
        self._wire = Wire(
            delimiters.element, delimiters.component, composites, cleaned=clean, release=delimiters.release
        )

    def stray(self, raw: bytes, offset: int, wanted: str) -> None:
        """Report a segment that stands where the envelope has no place for it."""
        terminator = self.delimiters.segment.encode()
        stripped = raw.lstrip(FILLER + terminator)
        if stripped:
            # The first segment of a run: where the run ends depends on the chunks of the file.
            said = stripped.partition(terminator)[0]
            self.once("edi.interchange.stray_segment", said, offset + len(raw) - len(stripped), wanted)

    def indented(self, mark: Mark) -> None:
        """Report blanks before a service segment, or note them where they are tolerated."""
        severity = Severity.ACCEPT if self.tolerances.indented_segments else None
        self.once("edi.segment.indented", mark.raw[:8], mark.offset, "no blanks before a segment", severity)

    def once(self, rule: str, said: bytes, offset: int, wanted: str, severity: Severity | None = None) -> None:
        """Report a rule of the envelope, the first time only."""
        if rule not in self._said:
            self._said.add(rule)
            place = replace(self.place, offset=offset)
            # Here it is the envelope's: 022, the control structure.
            codes = Codes(ta105="022", contrl="33")
            self.report(finding(rule, place, said=said, wanted=wanted, severity=severity, codes=codes))

    def report(self, found: Finding) -> None:
        """Keep a finding of the interchange itself, up to the limit and always the gravest."""
        order = list(Severity)
        if len(self.findings) < self.limits.findings or order.index(found.severity) > order.index(worst(self.findings)):
            self.findings.append(found)

    def elements(self, mark: Mark) -> list[Element]:
        """The elements of a service segment."""
        raw = mark.raw
        if b"\n" in raw or b"\r" in raw:
            self.once("edi.segment.line_break", raw[:40], mark.offset, "no line break inside a segment")
            raw = raw.translate(None, b"\r\n")
        return self.split(raw)

    def split(self, raw: bytes) -> list[Element]:
        """The elements of a service segment, from its bytes."""
        return self._wire.split(decoded(raw, self.used_charset, self.delimiters))

    def texts(self, mark: Mark, count: int) -> list[str]:
        """The elements of a service segment as text, at least so many; of a composite its first component."""
        raw = mark.raw
        if raw.isascii() and not any(one in raw for one in self._special):
            # Nearly always: nothing to decode, to release or to take apart.
            return padded(raw.decode("ascii").split(self.delimiters.element)[1:], count)
        return padded([first_text(one) for one in self.elements(mark)], count)

    def same(self, one: str, other: str) -> bool:
        """Whether two control numbers are the same; by the standard they are compared as text."""
        if self.tolerances.control_number_zeros:
            return one.lstrip("0") == other.lstrip("0")
        return one == other
