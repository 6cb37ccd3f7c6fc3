"""Trees to EDIFACT bytes: messages, groups, interchanges (ISO 9735, syntax 1 to 4). The same input, the same bytes.

Control references, date and time come from outside. Data that holds a service character is released; what the charset
or the repertoire of the syntax identifier lacks is refused with a finding that names the place, never altered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.edi.syntax import Syntax
from gateway.edi.tree import Element, Loop, Segment, walk
from gateway.edi.writing import Row, Writer, misfit, misfits, refuse
from gateway.errors import OurFault
from gateway.findings import EdiPlace, Finding

_VERSION = re.compile(r"(?P<version>88|89|90|.)(?P<release>.+)")
"""0052 and 0054 in one, as `D96A`: one character, or the year of the first directories."""
_MOST_MESSAGES = 999_999
"""0036 and 0060 are n..6."""
_USUAL = Syntax()


@dataclass(frozen=True, kw_only=True, slots=True)
class Party:
    """A sender or a receiver: S002, S003; in a group S006, S007."""

    id: str
    qualifier: str = ""
    """0007, e.g. 14 for a GLN."""
    internal: str = ""
    """0008, 0014 (address for reverse routing, routing address); internal identification in syntax 4."""
    sub: str = ""
    """0042, 0046: internal sub-identification, syntax 4 only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """One message to be written. `root` has neither UNH nor UNT."""

    type: str
    """0065: ORDERS."""
    version: str
    """0052 and 0054 in one: D96A; of service messages 41, D3, 22."""
    control_reference: str
    """0062, 1 to 14 characters."""
    root: Loop
    agency: str = "UN"
    """0051."""
    association: str = ""
    """0057: EAN008."""
    access_reference: str = ""
    """0068, common to the messages of one business case."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A functional group (UNG, UNE): messages of one type."""

    type: str
    """0038: ORDERS."""
    sender: Party
    receiver: Party
    control_reference: str
    """0048."""
    version: str
    """S008 0052 and 0054 in one: D96A."""
    messages: Sequence[Outgoing]
    agency: str = "UN"
    association: str = ""
    password: str = ""
    """0058."""
    at: datetime | None = None
    """S004; the interchange's where it is None."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """What UNA, UNB and UNZ say. What is empty is not written."""

    sender: Party
    receiver: Party
    control_reference: str
    """0020, 1 to 14 characters."""
    at: datetime
    """Written as it is, to the minute: YYMMDD, in syntax 4 CCYYMMDD."""
    syntax: Syntax = _USUAL
    password: str = ""
    """S005 0022."""
    password_qualifier: str = ""
    """S005 0025."""
    application_reference: str = ""
    """0026."""
    priority: str = ""
    """0029."""
    ack_requested: bool = False
    """0031."""
    agreement: str = ""
    """0032."""
    test: bool = False
    """0035."""


def write_message(message: Outgoing, syntax: Syntax = _USUAL) -> bytes:
    """The bytes from UNH to UNT, both included, UNT counted.

    Raises PartnerFault with every finding at once, OurFault for a syntax that cannot be written.
    """
    return _message(message, syntax.writer(), syntax, EdiPlace())


def write_interchange(envelope: Envelope, messages: Sequence[Outgoing] = (), *, groups: Sequence[Group] = ()) -> bytes:
    """One interchange of messages, or of groups; UNZ counts them.

    Raises PartnerFault with findings when data cannot be written, OurFault when the envelope cannot be written with.
    """
    if messages and groups:
        # ISO 9735 8.1: an interchange holds groups only or messages only.
        raise OurFault("an interchange holds messages or groups, not both", remedy="put the messages into a group")
    syntax = envelope.syntax
    writer, advice = syntax.writer(), syntax.advice()
    place = EdiPlace(interchange=envelope.control_reference)
    rows = _unb_rows(envelope)
    found = misfits(rows, place)
    if not 0 < len(messages or groups) <= _MOST_MESSAGES:
        found.append(misfit(place, "UNZ", 1, str(len(messages or groups)), "1 to 999999 messages or groups"))
    for group in groups:
        found += _group_misfits(group, syntax, place)
    refuse(found)
    parts = [advice, writer.write([_unb(envelope)], place)]
    for group in groups:
        parts += _group(group, envelope, writer, place)
    parts += [_message(message, writer, syntax, place) for message in messages]
    count = str(len(groups or messages))
    parts.append(writer.write([Segment("UNZ", [count, envelope.control_reference])], place))
    return b"".join(parts)


def _unb(envelope: Envelope) -> Segment:
    elements: list[Element] = [
        (envelope.syntax.identifier, str(envelope.syntax.version)),
        _party(envelope.sender),
        _party(envelope.receiver),
        (_date(envelope.at, envelope.syntax), f"{envelope.at:%H%M}"),
        envelope.control_reference,
        (envelope.password, envelope.password_qualifier),
        envelope.application_reference,
        envelope.priority,
        "1" if envelope.ack_requested else "",
        envelope.agreement,
        "1" if envelope.test else "",
    ]
    return Segment("UNB", elements)


def _party(party: Party) -> tuple[str, ...]:
    return (party.id, party.qualifier, party.internal, party.sub)


def _date(at: datetime, syntax: Syntax) -> str:
    # S004 0017: n6 up to syntax 3, n8 in syntax 4.
    return f"{at:%Y%m%d}" if syntax.fourth else f"{at:%y%m%d}"


def _unb_rows(envelope: Envelope) -> list[Row]:
    return [
        ("UNB", 1, envelope.syntax.identifier, 4, 4),
        *_party_rows("UNB", 2, envelope.sender, envelope.syntax),
        *_party_rows("UNB", 3, envelope.receiver, envelope.syntax),
        ("UNB", 5, envelope.control_reference, 1, 14),
        ("UNB", 6, envelope.password, 1 if envelope.password_qualifier else 0, 14),
        ("UNB", 6, envelope.password_qualifier, 0, 2),
        ("UNB", 7, envelope.application_reference, 0, 14),
        ("UNB", 8, envelope.priority, 0, 1),
        ("UNB", 10, envelope.agreement, 0, 35),
    ]


def _party_rows(tag: str, element: int, party: Party, syntax: Syntax) -> list[Row]:
    # 0008 and 0014 grew from an..14 to an..35 in syntax 4, which added 0042 and 0046. A group has none of them.
    internal = 0 if tag == "UNG" else 35 if syntax.fourth else 14
    sub = 35 if tag == "UNB" and syntax.fourth else 0
    return [
        (tag, element, party.id, 1, 35),
        (tag, element, party.qualifier, 0, 4),
        (tag, element, party.internal, 0, internal),
        (tag, element, party.sub, 0, sub),
    ]


def _group_misfits(group: Group, syntax: Syntax, place: EdiPlace) -> list[Finding]:
    place = replace(place, group=group.control_reference)
    version, release = _version(group.version)
    rows: list[Row] = [
        ("UNG", 1, group.type, 1, 6),
        *_party_rows("UNG", 2, group.sender, syntax),
        *_party_rows("UNG", 3, group.receiver, syntax),
        ("UNG", 5, group.control_reference, 1, 14),
        ("UNG", 6, group.agency, 1, _agency(syntax)),
        ("UNG", 7, version, 1, 3),
        ("UNG", 7, release, 1, 3),
        ("UNG", 7, group.association, 0, 6),
        ("UNG", 8, group.password, 0, 14),
    ]
    found = misfits(rows, place)
    if not 0 < len(group.messages) <= _MOST_MESSAGES:
        found.append(misfit(place, "UNE", 1, str(len(group.messages)), "1 to 999999 messages"))
    return found


def _group(group: Group, envelope: Envelope, writer: Writer, place: EdiPlace) -> list[bytes]:
    place = replace(place, group=group.control_reference)
    at = group.at or envelope.at
    elements: list[Element] = [
        group.type,
        _party(group.sender),
        _party(group.receiver),
        (_date(at, envelope.syntax), f"{at:%H%M}"),
        group.control_reference,
        group.agency,
        (*_version(group.version), group.association),
        group.password,
    ]
    return [
        writer.write([Segment("UNG", elements)], place),
        *(_message(message, writer, envelope.syntax, place) for message in group.messages),
        writer.write([Segment("UNE", [str(len(group.messages)), group.control_reference])], place),
    ]


def _message(message: Outgoing, writer: Writer, syntax: Syntax, place: EdiPlace) -> bytes:
    place = replace(place, message=message.control_reference)
    version, release = _version(message.version)
    rows: list[Row] = [
        ("UNH", 1, message.control_reference, 1, 14),
        ("UNH", 2, message.type, 1, 6),
        ("UNH", 2, version, 1, 3),
        ("UNH", 2, release, 1, 3),
        ("UNH", 2, message.agency, 1, _agency(syntax)),
        ("UNH", 2, message.association, 0, 6),
        ("UNH", 3, message.access_reference, 0, 35),
    ]
    refuse(misfits(rows, place))
    kind = (message.type, version, release, message.agency, message.association)
    segments = [Segment("UNH", [message.control_reference, kind, message.access_reference])]
    segments += (segment for _, segment, _ in walk(message.root))
    segments.append(Segment("UNT", [str(len(segments) + 1), message.control_reference]))
    return writer.write(segments, place)


def _agency(syntax: Syntax) -> int:
    # 0051: an..2 up to syntax 3, an..3 in syntax 4.
    return 3 if syntax.fourth else 2


def _version(text: str) -> tuple[str, str]:
    """0052 and 0054."""
    found = _VERSION.fullmatch(text)
    return (found["version"], found["release"]) if found else (text, "")
