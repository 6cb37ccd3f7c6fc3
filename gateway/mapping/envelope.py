"""The canonical fields that only the envelope knows, from an interchange and back: numbers, parties, delimiters.

No map names them: they are the same for every set of the standard.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.edi.delimiters import EDIFACT, STANDARD, Delimiters
from gateway.edi.interchange import Group, Interchange
from gateway.edi.syntax import Syntax, Una
from gateway.edi.tree import Message

LINE_ENDINGS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
"""The canonical words for what follows a segment's terminator."""

FIELDS = frozenset({"interchange", "group_control_number", "message_reference"})
"""What `read_envelope` gives: no example of a map is held against these."""


def read_envelope(
    interchange: Interchange, group: Group, message: Message, line_ending: str | None = None
) -> dict[str, Any]:
    """The envelope's fields as a canonical document has them; `line_ending` is one of `LINE_ENDINGS`."""
    delimiters = interchange.delimiters
    edifact = interchange.standard == "edifact"
    fields: dict[str, Any] = {
        "standard": interchange.standard,
        "sender": _party(interchange.sender_qualifier, interchange.sender),
        "receiver": _party(interchange.receiver_qualifier, interchange.receiver),
        "control_number": interchange.control_number,
        "test": interchange.test,
        "acknowledgment_requested": interchange.ack_requested,
        "delimiters": _una(delimiters) if edifact else _separators(delimiters),
    }
    if edifact:
        fields["syntax"] = interchange.version
        fields["message_version"] = f"{message.version}:{message.agency}:{message.association}".rstrip(":")
    if line_ending:
        fields["line_ending"] = line_ending
    return {
        "interchange": fields,
        # EDIFACT messages mostly stand in no group.
        **({"group_control_number": group.control_number} if group.control_number else {}),
        "message_reference": message.control_number,
    }


def _party(qualifier: str, id_: str) -> str:
    return f"{qualifier}:{id_}" if qualifier else id_


def _separators(delimiters: Delimiters) -> str:
    return delimiters.element + delimiters.component + delimiters.segment + (delimiters.repetition or "")


def _una(delimiters: Delimiters) -> str:
    """UNA1 to UNA6."""
    middle = (delimiters.release or " ") + (delimiters.repetition or " ")
    return delimiters.component + delimiters.element + delimiters.decimal + middle + delimiters.segment


def written_in(document: Mapping[str, Any]) -> tuple[Syntax, str]:
    """How an EDIFACT document was written, where it says so, and `D96A:UN:EAN008` of its message."""
    fields = document.get("interchange") or {}
    identifier, _, version = str(fields.get("syntax") or "UNOC:3").partition(":")
    una = str(fields.get("delimiters") or "")
    delimiters = EDIFACT
    if len(una) == len(_una(EDIFACT)):
        component, element, decimal, release, repetition, segment = list(una)
        delimiters = Delimiters(
            element=element, component=component, segment=segment, decimal=decimal,
            release=None if release == " " else release, repetition=None if repetition == " " else repetition,
        )  # fmt: skip
    number = int(version) if version.isascii() and version.isdigit() and len(version) == 1 else 3
    newline = LINE_ENDINGS.get(str(fields.get("line_ending")), "")
    syntax = Syntax(identifier=identifier, version=number, delimiters=delimiters, una=Una.ALWAYS, newline=newline)
    return syntax, str(fields.get("message_version") or "")


def written_as(document: Mapping[str, Any]) -> tuple[str | None, Delimiters, str]:
    """(ST02, delimiters, what follows each segment) that a document was read with, where it says so."""
    fields = document.get("interchange") or {}
    characters = str(fields.get("delimiters") or "")
    delimiters = STANDARD
    if len(characters) in {3, 4}:
        repetition = characters[3] if len(characters) == 4 else None  # noqa: PLR2004  element, component, segment, repetition
        delimiters = Delimiters(
            element=characters[0], component=characters[1], segment=characters[2], repetition=repetition
        )
    return document.get("message_reference"), delimiters, LINE_ENDINGS.get(str(fields.get("line_ending")), "")
