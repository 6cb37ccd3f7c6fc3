"""EDI files of either standard, read as a stream or put together: X12 or EDIFACT by how each interchange begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.edi.edifact import EdifactMachine
from gateway.edi.file import read_file
from gateway.edi.interchange import Event, Interchange, Whole, put_together
from gateway.edi.library import Guides
from gateway.edi.machine import Machine
from gateway.edi.tolerances import Limits, Tolerances
from gateway.edi.x12 import X12Machine

MACHINES: dict[bytes, type[Machine]] = {b"ISA": X12Machine, b"UNA": EdifactMachine, b"UNB": EdifactMachine}


def read(
    source: bytes | Iterable[bytes],
    *,
    guides: Guides,
    tolerances: Tolerances | None = None,
    limits: Limits | None = None,
    charset: str | None = None,
) -> Iterator[Event]:
    """Read a file of interchanges, whole or as chunks, holding one message at a time.

    `charset` is that of the messages (absent: UTF-8 in X12, what UNB names in EDIFACT). Raises PartnerFault (with its
    finding) for what is no interchange at all, for a header that cannot be read and for what exceeds `limits`, OurFault
    for a charset that cannot be used; everything else that is wrong is a finding.
    """
    return read_file(source, MACHINES, guides=guides, tolerances=tolerances, limits=limits, charset=charset)


def read_all(
    source: bytes | Iterable[bytes],
    *,
    guides: Guides,
    tolerances: Tolerances | None = None,
    limits: Limits | None = None,
    charset: str | None = None,
) -> list[Interchange]:
    """All interchanges of a small file, with final verdicts. Raises what `read` raises."""
    whole = read_whole(source, guides=guides, tolerances=tolerances, limits=limits, charset=charset)
    if whole.fault is not None:
        raise whole.fault
    return list(whole.interchanges)


def read_whole(
    source: bytes | Iterable[bytes],
    *,
    guides: Guides,
    tolerances: Tolerances | None = None,
    limits: Limits | None = None,
    charset: str | None = None,
) -> Whole:
    """A small file with final verdicts; what `read` raises is in `fault`, behind all that was read before it."""
    return put_together(read(source, guides=guides, tolerances=tolerances, limits=limits, charset=charset))
