"""`gateway map` for EDI of either standard: line ends of a file, and a set written as its document says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.edi import edifact_write, write
from gateway.edi.delimiters import Delimiters
from gateway.edi.tree import Loop, Message
from gateway.mapping import Map
from gateway.mapping.envelope import LINE_ENDINGS, written_as, written_in

DIRECTORY: Final = "D96A"
"""The version of a message that names none."""


def line_ending(data: bytes, message: Message, delimiters: Delimiters) -> str | None:
    """What follows the first terminator of a set: the envelope around it may be broken into other lines."""
    behind = data.find(delimiters.segment.encode("latin-1"), message.offset, message.end) + 1
    if not behind:
        return None
    said = data[behind : behind + 2].decode("latin-1")
    return next((word for word in ("crlf", "lf", "cr") if said.startswith(LINE_ENDINGS[word])), None)


def write_set(
    own: Map, document: Mapping[str, Any], root: Loop, *, number: str | None, newlines: bool, version: str | None
) -> bytes:
    """ST to SE, or UNH to UNT. PartnerFault with every finding where data cannot be written."""
    reference, delimiters, ending = written_as(document)
    number = number or reference or "0001"
    if own.syntax == "x12":
        newline = ending or ("\n" if newlines else "")
        return write.write_message(own.document, number, root, delimiters, newline=newline)
    syntax, said = written_in(document)
    if newlines and not syntax.newline:
        syntax = replace(syntax, newline="\n")
    directory, agency, association = [*(version or said or DIRECTORY).split(":"), "", ""][:3]
    message = edifact_write.Outgoing(
        type=own.document, version=directory, control_reference=number, root=root,
        agency=agency or "UN", association=association,
    )  # fmt: skip
    return edifact_write.write_message(message, syntax)
