"""TA1: what an X12 envelope deserves, as one segment, composed and read (X12.5)."""

from __future__ import annotations

from gateway.edi.acknowledge.answers import InterchangeAcknowledgment
from gateway.edi.acknowledge.functional import SET_CODES, codes_of
from gateway.edi.interchange import Interchange, InterchangeEnd
from gateway.edi.tree import Segment, Verdict
from gateway.edi.verdicts import grave


def wants_ta1(interchange: Interchange | InterchangeEnd) -> bool:
    """Whether a TA1 is due: ISA14 asks for one, or the envelope is not simply accepted."""
    asked = interchange.ack_requested if isinstance(interchange, Interchange) else interchange.start.ack_requested
    return asked or interchange.envelope is not Verdict.ACCEPTED


def compose_ta1(interchange: Interchange | InterchangeEnd) -> Segment:
    """The TA1 segment that answers an interchange: its number, date and time, and what the envelope deserves."""
    start = interchange if isinstance(interchange, Interchange) else interchange.start
    codes = codes_of(one.codes.ta105 for one in grave(interchange.findings))
    return Segment(
        "TA1",
        [
            _digits(start.control_number, 9),
            _digits(start.date, 6),
            _digits(start.time, 4),
            SET_CODES[interchange.envelope],
            codes[0] if codes else "000",
        ],
    )


def read_ta1(segment: Segment) -> InterchangeAcknowledgment:
    """The far side's verdict on an interchange; what is absent is empty text."""
    return InterchangeAcknowledgment(
        control_number=segment.text(1),
        date=segment.text(2),
        time=segment.text(3),
        outcome=segment.text(4),
        code=segment.text(5),
    )


def _digits(text: str, length: int) -> str:
    """What was sent where it is a number of that length; zeros where it is not, for the TA1 must be readable."""
    return text.zfill(length) if text.isascii() and text.isdigit() and len(text) <= length else "0" * length
