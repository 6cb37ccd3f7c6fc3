"""Generated documents as bytes: whole interchanges with envelopes of their own, one after the other.

Parties, day and numbers are made up and always the same: nothing here looks at a clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from gateway.edi import edifact_write, write
from gateway.edi.generate.documents import DENSITY, LINES, Factory, delimiters_of, fourth
from gateway.edi.guide import Guide
from gateway.edi.syntax import Syntax
from gateway.edi.tree import Loop
from gateway.errors import OurFault

PER_INTERCHANGE = 100
_AT = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
_SENDER, _RECEIVER = "GENERATED", "GATEWAY"
_MOST_NUMBERS = 999_999_999
"""Control numbers of X12 have nine digits; they begin again after that."""


def interchanges(
    guide: Guide,
    *,
    count: int,
    seed: int,
    density: float = DENSITY,
    lines: int = LINES,
    per_interchange: int = PER_INTERCHANGE,
) -> Iterator[bytes]:
    """`count` documents in interchanges of `per_interchange`, made one at a time; never more than one is held.

    The parameters of documents are those of `documents`. Raises OurFault for a guide that no document can meet.
    """
    if per_interchange < 1:
        raise OurFault(f"interchanges of {per_interchange} documents do not exist", remedy="choose at least 1")
    factory = Factory(guide, density=density, lines=lines)
    written = _edifact if guide.standard == "edifact" else _x12
    for number, first in enumerate(range(1, count + 1, per_interchange), 1):
        last = min(first + per_interchange, count + 1)
        roots = [factory.document(seed, document) for document in range(first, last)]
        yield written(guide, number, roots)


def _x12(guide: Guide, number: int, roots: list[Loop]) -> bytes:
    control = (number - 1) % _MOST_NUMBERS + 1
    envelope = write.Envelope(
        sender_qualifier="ZZ",
        sender=_SENDER,
        receiver_qualifier="ZZ",
        receiver=_RECEIVER,
        group_sender=_SENDER,
        group_receiver=_RECEIVER,
        control_number=control,
        group_control_number=control,
        functional_id=guide.functional_id,
        at=_AT,
        version=guide.version,
        test=True,
        delimiters=delimiters_of(guide),
    )
    messages = [write.Outgoing(type=guide.type, control_number=at, root=root) for at, root in enumerate(roots, 1)]
    return write.write_interchange(envelope, messages)


def _edifact(guide: Guide, number: int, roots: list[Loop]) -> bytes:
    envelope = edifact_write.Envelope(
        sender=edifact_write.Party(id=_SENDER, qualifier="ZZZ"),
        receiver=edifact_write.Party(id=_RECEIVER, qualifier="ZZZ"),
        control_reference=str(number),
        at=_AT,
        syntax=replace(Syntax(), version=4 if fourth(guide) else 3),
        test=True,
    )
    messages = [
        edifact_write.Outgoing(type=guide.type, version=guide.version, control_reference=str(at), root=root)
        for at, root in enumerate(roots, 1)
    ]
    return edifact_write.write_interchange(envelope, messages)
