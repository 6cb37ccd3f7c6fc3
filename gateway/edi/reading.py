"""EDI files of either standard, read as a stream or put together: X12 or EDIFACT by how each interchange begins."""

from __future__ import annotations

from typing import Literal

from gateway.edi.edifact import EdifactMachine
from gateway.edi.file import Reader
from gateway.edi.filler import skip
from gateway.edi.segments import Buffer
from gateway.edi.x12 import X12Machine

_READER = Reader({b"ISA": X12Machine, b"UNA": EdifactMachine, b"UNB": EdifactMachine})
read, read_all, read_whole = _READER.read, _READER.read_all, _READER.read_whole

_STANDARDS: dict[bytes, Literal["x12", "edifact"]] = {b"ISA": "x12", b"UNA": "edifact", b"UNB": "edifact"}


def standard_at(payload: bytes) -> Literal["x12", "edifact"] | None:
    """The standard of a file's first interchange, None where it begins with none."""
    buffer = Buffer(payload)
    skip(buffer)
    return _STANDARDS.get(buffer.take(3))
