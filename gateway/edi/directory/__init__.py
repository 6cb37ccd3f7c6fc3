"""A UN/EDIFACT directory turned into guides: its texts in, the YAML of `gateway.edi.library` out.

Nothing is guessed: a row that cannot be read is a finding with file and line, and what would need it (the segment, the
message) is left out. What the directory says is taken as it is, marked-for-deletion entries included. Reads no files
and no archives; `gateway.cli.edi_import` does.

    text, entries, elements, table    the parts of a directory, read
    notation                          what was read, written
"""

from __future__ import annotations

from gateway.edi.directory.convert import Imported, Part, convert, part
from gateway.edi.directory.report import RULES

__all__ = ["RULES", "Imported", "Part", "convert", "part"]
