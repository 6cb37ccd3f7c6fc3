"""CONTRL: what became of an EDIFACT interchange, its groups and messages (ISO 9735-4; syntax 3: CONTRL D.3 of 1997).

UCI says that the interchange is rejected (4), acknowledged with what follows it (7) or only received (8); UCF and UCM
say the same of groups and messages, UCS and UCD where a message is wrong. What is not named below a 7 is acknowledged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from gateway.edi.interchange import Interchange, InterchangeEnd, InterchangeStart
from gateway.edi.tree import Element, Loop, Segment, Verdict
from gateway.edi.verdicts import GroupVerdict, SetVerdict, grave, of_group, of_message
from gateway.findings import EdiPlace, Finding

REJECTED, ACKNOWLEDGED, RECEIVED = "4", "7", "8"
"""0083, the actions that are used."""
SERVICE_MESSAGE = "CONTRL"
"""Never acknowledged (ISO 9735-4 5.3)."""
MAXIMUM_MESSAGES = 999_999
MAXIMUM_SEGMENTS = 999
"""UCS per UCM."""
MAXIMUM_ELEMENTS = 99
"""UCD per UCS."""
UNSPECIFIED = "18"
_MISSING = frozenset({"edi.segment.missing", "edi.segment.loop_start_missing", "edi.segment.empty"})
"""Told by the position of what stands before it: between two terminators there is no segment."""
# 45 to 48 came to 0085 after the CONTRL of syntax 3: what says the same there.
_OLD_CODES = {"45": "16", "46": "2", "47": "15", "48": "13"}
# 19 left it with syntax 4, where either decimal mark is right.
_NEW_CODES = {"19": "12"}
_TRAILERS = {
    "edi.message.trailer_missing": "UNT",
    "edi.group.trailer_missing": "UNE",
    "edi.interchange.trailer_missing": "UNZ",
}
_LEVELS = {"UCI": ("UNA", "UNB", "UNZ"), "UCF": ("UNG", "UNE"), "UCM": ("UNH", "UNT")}
"""The service segments (0013) that may be named at each level."""
# The first directories have years for versions (UNTDID 90.1), all others one letter or digit.
_VERSION = re.compile(r"(88|89|90|.)(.+)", re.DOTALL)
_UNSAFE = re.compile(r"[^ -~]")


def wants_contrl(interchange: Interchange | InterchangeEnd, *, agreed: bool = False) -> bool:
    """Whether a CONTRL is due: UNB 0031 asks, or `agreed`; never for an interchange of nothing but CONTRL."""
    start = _start(interchange)
    return (agreed or start.ack_requested) and not (isinstance(interchange, Interchange) and _is_service(interchange))


def syntax_of(start: InterchangeStart | Interchange) -> int:
    """The syntax version of an EDIFACT interchange as far as its CONTRL is concerned: 3 or 4."""
    return 4 if start.version.rpartition(":")[2] == "4" else 3


def compose_contrl(
    interchange: Interchange | InterchangeEnd, *, every_message: bool = False, receipt: bool = False
) -> Loop | None:
    """The tree of the CONTRL that answers an interchange, in its own syntax; None for one of nothing but CONTRL.

    Messages are named when something is wrong with them, or all with `every_message`. `receipt` says only that the
    interchange came (0083 is 8). An `InterchangeEnd` is answered at its own level.
    """
    parts = interchange.groups if isinstance(interchange, Interchange) else ()
    if isinstance(interchange, Interchange) and _is_service(interchange):
        return None
    groups = ((of_group(one), map(of_message, one.messages)) for one in parts)
    used = any(group.control_number for group in parts)
    options = Options(every_message=every_message, receipt=receipt, groups_used=used)
    root = Loop("", [])
    inner = root
    for child in children(interchange, groups, options):
        if isinstance(child, Segment) and child.tag == "UCF":
            inner = Loop("UCF", [])
            root.children.append(inner)
        inner.children.append(child)
    return root


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What a CONTRL says beyond the necessary."""

    every_message: bool = False
    receipt: bool = False
    groups_used: bool = False
    """The interchange has UNG: messages outside of it are not named (UCM stands above or below UCF, not both)."""


def children(
    interchange: Interchange | InterchangeEnd,
    groups: Iterable[tuple[GroupVerdict, Iterable[SetVerdict]]],
    options: Options,
) -> Iterator[Segment | Loop]:
    """What stands in a CONTRL between UNH and UNT, one message at a time: a UCF, then the loops of its messages.

    Groups come with their sets, in order.
    """
    start = _start(interchange)
    teller = _Teller(syntax_of(start), options)
    refused = interchange.envelope is Verdict.REJECTED
    action = REJECTED if refused else RECEIVED if options.receipt else ACKNOWLEDGED
    head: list[Element] = [
        fit(start.control_number, 14) or "0",
        _party(start.sender, start.sender_qualifier),
        _party(start.receiver, start.receiver_qualifier),
        action,
        *(teller.reason("UCI", grave(interchange.findings), rejected=True) if refused else ()),
    ]
    yield Segment("UCI", head)
    if action != ACKNOWLEDGED:
        return
    for group, sets in groups:
        if not options.groups_used:
            yield from islice(teller.messages(sets, refused=group.refused), MAXIMUM_MESSAGES)
        elif group.control_number:
            yield from teller.group(group, sets)


@dataclass(slots=True)
class _Position:
    """A segment in error: what is wrong with it as a whole, and with its elements."""

    codes: list[str] = field(default_factory=list)
    elements: list[Segment] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Teller:
    syntax: int
    options: Options

    def group(self, group: GroupVerdict, sets: Iterable[SetVerdict]) -> Iterator[Segment | Loop]:
        """A UCF and what belongs to it. A group is not accepted with errors: below a 7 there is no code."""
        head: list[Element] = [
            fit(group.control_number, 14) or "0",
            self.party(group.sender),
            self.party(group.receiver),
            REJECTED if group.refused else ACKNOWLEDGED,
            *(self.reason("UCF", group.findings, rejected=True) if group.refused else ()),
        ]
        yield Segment("UCF", head)
        if not group.refused:
            yield from islice(self.messages(sets, refused=False), MAXIMUM_MESSAGES)

    def party(self, id_: str) -> Element:
        """S006, S007: mandatory in an UCF of syntax 3."""
        return _party(id_) if id_ or self.syntax < 4 else ""  # noqa: PLR2004

    def messages(self, sets: Iterable[SetVerdict], *, refused: bool) -> Iterator[Loop]:
        for one in sets:
            quiet = one.outcome is Verdict.ACCEPTED and not one.findings and not refused
            if one.type != SERVICE_MESSAGE and (self.options.every_message or not quiet):
                yield self.message(one, refused=refused)

    def message(self, one: SetVerdict, *, refused: bool) -> Loop:
        rejected = refused or one.outcome is Verdict.REJECTED
        inner = [found for found in one.findings if _is_inner(found)]
        outer = [found for found in one.findings if not _is_inner(found)]
        head: list[Element] = [
            fit(one.control_number, 14) or "0",
            _identifier(one),
            REJECTED if rejected else ACKNOWLEDGED,
            *self.reason("UCM", outer, rejected=rejected and not inner),
        ]
        return Loop("UCM", [Segment("UCM", head), *islice(self._segments(inner), MAXIMUM_SEGMENTS)])

    def reason(self, level: str, findings: Iterable[Finding], *, rejected: bool) -> list[Element]:
        """0085, 0013, S011 of UCI, UCF or UCM: the first finding that has a code, or 18 where none has."""
        for found in sorted(findings, key=lambda one: one.severity.value != "reject"):
            code = self.code(found)
            place = found.place
            if code is None or not isinstance(place, EdiPlace):
                continue
            tag = _TRAILERS.get(found.rule, place.tag)
            if tag not in _LEVELS[level]:
                return [code]
            return [code, tag, self.position(place)] if place.tag == tag and place.element else [code, tag]
        return [UNSPECIFIED] if rejected else []

    def code(self, found: Finding) -> str | None:
        code = found.codes.contrl
        others = _OLD_CODES if self.syntax < 4 else _NEW_CODES  # noqa: PLR2004
        return None if code is None else others.get(code, code)

    def position(self, place: EdiPlace) -> Element:
        """S011: 0098 counts the tag as 1, so that the first element is 2; 0136 exists in syntax 4 only."""
        parts = [str(min((place.element or 0) + 1, 999)), str(min(place.component or 0, 999) or "")]
        if self.syntax >= 4:  # noqa: PLR2004
            parts.append(str(min(place.repeat or 0, 999_999) or ""))
        while not parts[-1]:
            parts.pop()
        return parts[0] if len(parts) == 1 else tuple(parts)

    def _segments(self, findings: Iterable[Finding]) -> Iterator[Loop]:
        positions: dict[tuple[int, bool], _Position] = {}
        for found in findings:
            place = found.place
            assert isinstance(place, EdiPlace)
            assert place.segment is not None
            # 0096: a segment in error by its own position, a missing one by that of the last before it.
            missing = found.rule in _MISSING
            at = max(place.segment - missing, 1)
            entry = positions.setdefault((min(at, 999_999), missing), _Position())
            code = self.code(found) or UNSPECIFIED
            if place.element:
                entry.elements.append(Segment("UCD", [code, self.position(place)]))
            else:
                entry.codes.append(code)
        for (at, _), entry in sorted(positions.items(), key=lambda item: item[0]):
            # Each missing segment is told; of what else is wrong with one segment each code once.
            first, *others = entry.codes or [""]
            yield Loop("UCS", [Segment("UCS", [str(at), first]), *entry.elements[:MAXIMUM_ELEMENTS]])
            for code in others:
                yield Loop("UCS", [Segment("UCS", [str(at), code])])


def _is_inner(found: Finding) -> bool:
    """Whether a finding is about a user segment: UCS and UCD tell it, otherwise UCM."""
    place = found.place
    return (
        isinstance(place, EdiPlace)
        and place.segment is not None
        and place.tag not in _LEVELS["UCM"]
        and found.rule not in _TRAILERS
    )


def _identifier(one: SetVerdict) -> Element:
    """S009 of the UNH, from what the message was known by."""
    split = _VERSION.fullmatch(one.version)
    version, release = (split[1], split[2]) if split else (one.version, "")
    parts = [
        fit(one.type, 6) or "0",
        fit(version, 3) or "0",
        fit(release, 3) or "0",
        fit(one.agency, 2) or "UN",
        fit(one.association, 6),
    ]
    return tuple(parts if parts[-1] else parts[:-1])


def _party(id_: str, qualifier: str = "") -> Element:
    """S002, S003, S006, S007. The identification is mandatory."""
    first, second = fit(id_, 35) or "0", fit(qualifier, 4)
    return (first, second) if second else first


def fit(text: str, length: int) -> str:
    """What was sent, cut to its element, without what no charset can carry; the writer releases service characters."""
    return _UNSAFE.sub(".", text[:length]).strip()


def _start(interchange: Interchange | InterchangeEnd) -> Interchange | InterchangeStart:
    return interchange if isinstance(interchange, Interchange) else interchange.start


def _is_service(interchange: Interchange) -> bool:
    types = {message.type for group in interchange.groups for message in group.messages}
    return types == {SERVICE_MESSAGE}
