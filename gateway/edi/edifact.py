"""EDIFACT interchanges: UNA, UNB, UNG, UNH, and what they must hold (ISO 9735 parts 1 and 2, syntax 1 to 4).

The machine they run on is `machine`. Messages outside any UNG stand in a group without a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from gateway.edi.characters import size
from gateway.edi.delimiters import EDIFACT, EDIFACT_4, Delimiters
from gateway.edi.envelope import padded
from gateway.edi.file import Reader
from gateway.edi.guide import Guide
from gateway.edi.interchange import Event, GroupStart, InterchangeStart
from gateway.edi.machine import Machine
from gateway.edi.opened import Head, Tags
from gateway.edi.repertoires import CHARSETS, repertoire_of
from gateway.edi.rules import finding
from gateway.edi.segments import EDIFACT as SERVICE
from gateway.edi.segments import Mark, released
from gateway.edi.tree import Element, Repeats, first_text
from gateway.edi.writing import Repertoire
from gateway.errors import PartnerFault
from gateway.findings import Codes, EdiPlace, Finding, Severity

UNA_LENGTH = 9
LONGEST_UNB = 512
"""Far more than the elements of UNB can hold (ISO 9735 part 10)."""

_VERSION = re.compile(r"[1-4]")
_DATE = re.compile(r"(?:[0-9][0-9])?[0-9][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9]")
_REFERENCE = re.compile(r".{1,14}")
_PARTY = re.compile(r".{1,35}")
_TYPE = re.compile(r"[A-Z][A-Z0-9]{2,5}")
_WORD = re.compile(r"[A-Z0-9]{1,3}")


class EdifactMachine(Machine):
    """Reads one EDIFACT interchange."""

    service = SERVICE
    tags = Tags(
        start="UNB",
        end="UNZ",
        group="UNG",
        group_end="UNE",
        message="UNH",
        message_end="UNT",
        group_number=5,
        message_number=1,
    )
    type_at = (2, 1)
    mixed = False
    repertoire: Repertoire | None = None

    def read_start(self, notes: list[Finding]) -> InterchangeStart:
        """UNA, if there is one, and UNB. Raises PartnerFault when they cannot be read."""
        buffer = self.buffer
        start = buffer.offset
        una = _una(buffer.take(UNA_LENGTH), buffer.offset) if buffer.take(3) == b"UNA" else None
        if una is not None:
            buffer.at += UNA_LENGTH
            while buffer.take(1) in (b"\r", b"\n"):
                buffer.at += 1
        offset = buffer.offset
        wrapped = self._header(una or EDIFACT, offset)
        raw = wrapped.translate(None, b"\r\n")
        delimiters = una
        if una is None:
            # The version stands in what is cut with the service characters: syntax 4 only adds the repetition's.
            delimiters = EDIFACT_4 if raw[4:10].endswith(b":4") else EDIFACT
            delimiters = replace(delimiters, decimal=".,")
        assert delimiters is not None
        self.prepare(delimiters, self.charset or "iso8859-1")
        elements = [*self.split(raw), *[""] * 11][:11]
        identifier, version = _parts(elements[0], 2)
        charset = self.charset or CHARSETS.get(identifier)
        if version == "4":
            delimiters = replace(delimiters, decimal=".,")
        elif delimiters.repetition is not None:
            # Before syntax 4 that place of the UNA is reserved.
            delimiters = replace(delimiters, repetition=None)
        if _VERSION.fullmatch(version):
            self._use(repertoire_of(identifier, int(version)), delimiters)
        reference = first_text(elements[4])
        place = EdiPlace(interchange=reference or None, tag="UNB", offset=offset)
        found = [*notes, *_check(elements, place, charset)]
        if raw != wrapped:
            severity = Severity.ACCEPT if self.tolerances.wrapped_lines else None
            rule, wanted = "edi.segment.line_break", "no line break inside a segment"
            found.append(finding(rule, place, said=wrapped[:80], wanted=wanted, severity=severity))
            self._said.add(rule)
        sender, sender_qualifier = _parts(elements[1], 2)
        receiver, receiver_qualifier = _parts(elements[2], 2)
        date, time = _parts(elements[3], 2)
        return InterchangeStart(
            sender_qualifier=sender_qualifier,
            sender=sender,
            receiver_qualifier=receiver_qualifier,
            receiver=receiver,
            date=date,
            time=time,
            version=f"{identifier}:{version}",
            control_number=reference,
            ack_requested=first_text(elements[8]) == "1",
            test=first_text(elements[10]) == "1",
            delimiters=delimiters,
            offset=start,
            findings=tuple(found),
            standard="edifact",
            charset=charset or "iso8859-1",
        )

    def _use(self, repertoire: Repertoire | None, delimiters: Delimiters) -> None:
        """Note characters outside the repertoire from now on; line breaks and undecodable bytes are told apart."""
        self.repertoire = repertoire
        if repertoire is not None:
            known = re.escape("".join(sorted(repertoire.characters)) + delimiters.all)
            self.listed = re.compile(f"[^{known}\\r\\n\\ud800-\\udfff\\ufdd0-\\ufdd4]")

    def _header(self, delimiters: Delimiters, offset: int) -> bytes:
        """The UNB, up to its terminator, which is passed over."""
        raw = self.buffer.take(LONGEST_UNB)
        terminator, release = delimiters.segment.encode(), (delimiters.release or "").encode()
        close = raw.find(terminator)
        while close >= 0 and release and released(raw, close, 0, release):
            close = raw.find(terminator, close + 1)
        if raw[:4] != b"UNB" + delimiters.element.encode() or close < 0:
            wanted = "UNB with its elements and its terminator"
            found = finding("edi.una.truncated", EdiPlace(offset=offset), said=raw[:40], wanted=wanted)
            raise PartnerFault(found.text, findings=(found,))
        self.buffer.at += close + 1
        return raw[:close]

    def read_group(self, elements: list[Element], place: EdiPlace, mark: Mark) -> tuple[GroupStart, list[Finding]]:
        """0038, S006, S007, S004, 0048, 0051, S008."""
        values = [*elements, *[""] * 8][:8]
        number = first_text(values[4])
        place = replace(place, group=number or None)
        version, release = _parts(values[6], 2)
        date, time = _parts(values[3], 2)
        start = GroupStart(
            functional_id=first_text(values[0]),
            sender=first_text(values[1]),
            receiver=first_text(values[2]),
            date=date,
            time=time,
            control_number=number,
            version=version + release,
            offset=mark.offset,
            standard="edifact",
        )
        found: list[Finding] = []
        if not _TYPE.fullmatch(start.functional_id):
            where = replace(place, element=1)
            wanted = "the type of the messages"
            said = start.functional_id
            found.append(finding("edi.group.functional_id", where, said=said, wanted=wanted, codes=_absent(said)))
        for component, right, said, wanted in (
            (1, _DATE, date, "a date as YYMMDD or CCYYMMDD"),
            (2, _TIME, time, "HHMM"),
        ):
            # S004 is conditional in syntax 4.
            if said and not right.fullmatch(said):
                where = replace(place, element=4, component=component)
                found.append(finding("edi.group.element", where, said=said, wanted=wanted))
        if not _REFERENCE.fullmatch(number):
            where = replace(place, element=5)
            rule, wanted = "edi.group.control_number_invalid", "1 to 14 characters"
            found.append(finding(rule, where, said=number, wanted=wanted, codes=_absent(number)))
        if self.messages and not self.groups:
            self._mixed(mark)
        return start, found

    def read_head(self, mark: Mark) -> Head:
        """0062 and S009."""
        values = [*self.elements(mark), *[""] * 2][:2]
        number = first_text(values[0])
        type_, version, release, agency, association = _parts(values[1], 5)
        found: list[Finding] = []
        if not _REFERENCE.fullmatch(number):
            where = replace(self.at(mark, number), element=1)
            rule = "edi.message.control_number_invalid"
            found.append(finding(rule, where, said=number, wanted="1 to 14 characters", codes=_absent(number)))
        if not (_TYPE.fullmatch(type_) and _WORD.fullmatch(version) and _WORD.fullmatch(release)):
            where = replace(self.at(mark, number), element=2)
            said = f"{type_}:{version}:{release}"
            wanted = "type, version and release of the message, such as ORDERS:D:96A"
            codes = Codes(contrl="12") if type_ and version and release else None
            found.append(finding("edi.message.header", where, said=said, wanted=wanted, codes=codes))
        return Head(
            type=type_,
            version=version + release,
            control_number=number,
            association=association,
            agency=agency,
            findings=tuple(found),
        )

    def check_group_of(self, guide: Guide, group: GroupStart, number: str, mark: Mark) -> list[Finding]:
        """0038 names what the group holds; where there is no UNG, a group holds anything."""
        if group.functional_id in ("", guide.type):
            return []
        wanted = f"{guide.type} in a group of {guide.type}"
        where = replace(self.at(mark, number), element=2, component=1)
        return [finding("edi.message.wrong_group", where, said=group.functional_id, wanted=wanted)]

    def no_group(self, mark: Mark) -> GroupStart | None:
        """UNG is optional; where it is used, every message stands in one."""
        if self.groups:
            self._mixed(mark)
        return GroupStart(
            functional_id="",
            sender="",
            receiver="",
            date="",
            time="",
            control_number="",
            version="",
            offset=mark.offset,
            standard="edifact",
        )

    def check_text(self, text: str, offset: int, number: str, mark: Mark) -> list[Finding]:
        """Characters outside the repertoire of UNOA and UNOB are read all the same, and noted once a message."""
        pattern = self.listed
        found = None if pattern is None else pattern.search(text)
        if found is None:
            return []
        before = text[: found.start()]
        segment = before.count(self.delimiters.segment) + 2
        tag = before.rpartition(self.delimiters.segment)[2].partition(self.delimiters.element)[0].strip("\r\n")[:3]
        at = offset + size(before, self.used_charset, self.delimiters)
        place = replace(self.at(mark, number), segment=segment, tag=tag or None, offset=at)
        assert self.repertoire is not None
        wanted = f"the characters of {self.repertoire.name}"
        return [finding("edi.element.repertoire", place, said=found[0], wanted=wanted)]

    def _mixed(self, mark: Mark) -> None:
        if not self.mixed:
            self.mixed = True
            place = replace(self.place, tag=mark.tag.decode(), offset=mark.offset)
            wanted = "every message in a group, or no groups"
            self.report(finding("edi.group.mixed", place, said=mark.raw[:20], wanted=wanted))

    def other(self, mark: Mark) -> Iterator[Event]:
        """Nothing else belongs to the envelope."""
        self.stray(mark.raw, mark.offset, "UNB, UNG, UNH, UNT, UNE or UNZ")
        yield from ()

    def check_content(self) -> None:
        """ISO 9735: an interchange holds at least one message or group."""
        if not self.messages and not self.groups:
            wanted = "UNG or UNH behind the UNB"
            self.report(finding("edi.interchange.empty", replace(self.place, tag="UNB"), said="", wanted=wanted))

    @property
    def counted(self) -> int:
        """UNZ 0036 counts groups, or messages where there are none."""
        return self.groups or self.messages


def _parts(element: Element, count: int) -> list[str]:
    """The components of an element, as many as asked for; of repeats the first."""
    if isinstance(element, Repeats):
        element = element.values[0]
    return padded([element] if isinstance(element, str) else list(element), count)[:count]


def _una(raw: bytes, offset: int) -> Delimiters:
    """The service characters of a UNA. Raises PartnerFault when they cannot be what they are named for."""
    place = EdiPlace(tag="UNA", offset=offset)
    if len(raw) < UNA_LENGTH:
        found = finding("edi.una.truncated", place, said=raw, wanted="six service characters after UNA")
        raise PartnerFault(found.text, findings=(found,))
    component, element, decimal, release, repetition, terminator = list(raw[3:].decode("latin-1"))
    named = [("component separator", component), ("element separator", element), ("segment terminator", terminator)]
    named += [("release character", release)] if release != " " else []
    # ISO 9735 part 1: a blank in the repetition's place means none; before syntax 4 it is reserved.
    named += [("repetition separator", repetition)] if repetition != " " else []
    seen: dict[str, str] = {}
    for name, one in named:
        wrong = one.isalnum() or one == " " or not one.isascii()
        if wrong or one in seen:
            said = f"{name} {one!r}" + (f", which is the {seen[one]} too" if one in seen else "")
            wanted = f"{name}: one ASCII character that is no letter, digit or blank and has no other meaning"
            found = finding("edi.una.delimiters", place, said=said, wanted=wanted, codes=Codes(contrl="20"))
            raise PartnerFault(found.text, findings=(found,))
        seen[one] = name
    return Delimiters(
        element=element,
        component=component,
        segment=terminator,
        repetition=None if repetition == " " else repetition,
        release=None if release == " " else release,
        decimal=decimal if decimal in ".," else ".,",
    )


def _check(elements: list[Element], place: EdiPlace, charset: str | None) -> Iterator[Finding]:
    """What is wrong with a UNB."""
    identifier, version = _parts(elements[0], 2)
    where = replace(place, element=1)
    if not (re.fullmatch(r"UNO[A-Z]|[A-Z]{4}", identifier) and _VERSION.fullmatch(version)):
        wanted = "a syntax identifier such as UNOA and a version from 1 to 4"
        yield finding("edi.unb.syntax", replace(where, component=1), said=f"{identifier}:{version}", wanted=wanted)
    elif charset is None:
        wanted = f"one of {', '.join(CHARSETS)}, or a charset that the agreement names"
        yield finding("edi.unb.charset", replace(where, component=1), said=identifier, wanted=wanted)
    sender, receiver = first_text(elements[1]), first_text(elements[2])
    date, time = _parts(elements[3], 2)
    rows = (
        (2, 1, _PARTY, sender, "the sender's identification, 1 to 35 characters"),
        (3, 1, _PARTY, receiver, "the recipient's identification, 1 to 35 characters"),
        (4, 1, _DATE, date, "a date as YYMMDD or CCYYMMDD"),
        (4, 2, _TIME, time, "a time as HHMM"),
        (5, None, _REFERENCE, first_text(elements[4]), "a control reference, 1 to 14 characters"),
    )
    for element, component, right, said, wanted in rows:
        if not right.fullmatch(said):
            at = replace(place, element=element, component=component)
            yield finding("edi.unb.element", at, said=said, wanted=wanted, codes=_absent(said))


def _absent(said: str) -> Codes | None:
    """0085 is 13 where nothing stands; otherwise what the rule says."""
    return None if said else Codes(contrl="13")


READER = Reader({b"UNA": EdifactMachine, b"UNB": EdifactMachine})
"""For files of EDIFACT alone: anything else in them is a PartnerFault."""
