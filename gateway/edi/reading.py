"""EDI files of either standard, read as a stream or put together: X12 or EDIFACT by how each interchange begins."""

from __future__ import annotations

from gateway.edi.edifact import EdifactMachine
from gateway.edi.file import Reader
from gateway.edi.x12 import X12Machine

_READER = Reader({b"ISA": X12Machine, b"UNA": EdifactMachine, b"UNB": EdifactMachine})
read, read_all, read_whole = _READER.read, _READER.read_all, _READER.read_whole
