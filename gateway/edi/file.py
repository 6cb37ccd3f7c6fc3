"""A file of interchanges: what stands before the first one, then each by the machine for how it begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gateway.edi.characters import codec
from gateway.edi.filler import skip
from gateway.edi.interchange import Event, Interchange, Whole, put_together
from gateway.edi.library import Guides
from gateway.edi.machine import Machine
from gateway.edi.rules import finding
from gateway.edi.segments import STARTS, Buffer
from gateway.edi.tolerances import Limits, Tolerances
from gateway.errors import PartnerFault
from gateway.findings import EdiPlace, Finding


class Reader:
    """Reads files of interchanges: each by the machine that is named by its first three bytes."""

    def __init__(self, machines: Mapping[bytes, type[Machine]]) -> None:
        self._machines = machines

    def read(
        self,
        source: bytes | Iterable[bytes],
        *,
        guides: Guides,
        tolerances: Tolerances | None = None,
        limits: Limits | None = None,
        charset: str | None = None,
    ) -> Iterator[Event]:
        """Read a file of interchanges, whole or as chunks, holding one message at a time.

        `charset` is that of the messages (absent: UTF-8 in X12, what UNB names in EDIFACT). Raises PartnerFault (with
        its finding) for what is no interchange at all, for a header that cannot be read and for what exceeds `limits`,
        OurFault for a charset that cannot be used; everything else that is wrong is a finding.
        """
        machines = self._machines
        chosen = None if charset is None else codec(charset)
        buffer = Buffer(source)
        notes = _begin(buffer, machines)
        while (machine := machines.get(buffer.take(3))) is not None:
            own = machine(buffer, guides, tolerances or Tolerances(), limits or Limits(), chosen)
            yield from own.interchange(notes)
            notes = []
        if buffer.take(3) in STARTS:
            # An interchange of the other standard behind one that this reader knows: never skipped in silence.
            raise _unknown(buffer, machines)

    def read_all(
        self,
        source: bytes | Iterable[bytes],
        *,
        guides: Guides,
        tolerances: Tolerances | None = None,
        limits: Limits | None = None,
        charset: str | None = None,
    ) -> list[Interchange]:
        """All interchanges of a small file, with final verdicts. Raises what `read` raises."""
        whole = self.read_whole(source, guides=guides, tolerances=tolerances, limits=limits, charset=charset)
        if whole.fault is not None:
            raise whole.fault
        return list(whole.interchanges)

    def read_whole(
        self,
        source: bytes | Iterable[bytes],
        *,
        guides: Guides,
        tolerances: Tolerances | None = None,
        limits: Limits | None = None,
        charset: str | None = None,
    ) -> Whole:
        """A small file with final verdicts; what `read` raises is in `fault`, behind all that was read before it."""
        return put_together(self.read(source, guides=guides, tolerances=tolerances, limits=limits, charset=charset))


def _begin(buffer: Buffer, machines: Mapping[bytes, type[Machine]]) -> list[Finding]:
    """Skip what may stand before the first interchange. Raises PartnerFault when there is none."""
    lead = skip(buffer)
    if buffer.take(3) not in machines:
        raise _unknown(buffer, machines)
    if not lead:
        return []
    wanted = "the interchange at byte 0"
    return [finding("edi.file.leading_bytes", EdiPlace(offset=0), said=lead[:16], wanted=wanted)]


def _unknown(buffer: Buffer, machines: Mapping[bytes, type[Machine]]) -> PartnerFault:
    """What stands here begins no interchange that these machines read."""
    said = buffer.take(16) or b""
    *others, last = (name.decode() for name in machines)
    wanted = f"{', '.join(others)} or {last} at the beginning" if others else f"{last} at the beginning"
    rule = "edi.file.not_x12" if not others else "edi.file.unreadable" if b"ISA" in machines else "edi.file.not_edifact"
    found = finding(rule, EdiPlace(offset=buffer.offset if said else 0), said=said, wanted=wanted)
    return PartnerFault(found.text, findings=(found,))
