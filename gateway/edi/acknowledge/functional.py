"""997 and 999: the verdict on a group with its sets, segments and elements, one set after the other.

Both have one form in two spellings; the 999 (from 005010) has codes of its own where the findings give them. CTX is not
written: it tells what triggered a condition of an implementation guide, and ours are those of the standard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice

from gateway.edi.acknowledge.answers import PARTLY
from gateway.edi.guide import SegmentSpec
from gateway.edi.interchange import Group, Interchange, InterchangeEnd
from gateway.edi.library import Guides
from gateway.edi.tree import Element, Loop, Segment, Verdict
from gateway.edi.verdicts import GroupVerdict, SetVerdict, of_group, of_message
from gateway.findings import Codes, EdiPlace, Finding

FUNCTIONAL_ACKNOWLEDGMENT = "FA"
"""GS01 of groups that are never acknowledged."""

# Verdict to 717 (AK501) and 715 (AK901).
SET_CODES = {Verdict.ACCEPTED: "A", Verdict.ACCEPTED_WITH_ERRORS: "E", Verdict.REJECTED: "R"}
MAXIMUM_CODES = 5
"""How many codes AK5 and AK9 have room for."""
MAXIMUM_ELEMENTS = 99
"""AK4 segments per AK3, IK4 per IK3."""
LAST = 999_999
"""Elements 719, 97, 123 and 2 have six digits, and the AK2 loop as many repeats."""
LAST_ELEMENT = 99
"""Elements 722 and 1528 have two digits."""
LAST_REPEAT = 9_999
"""Element 1686 has four."""
IMPLEMENTATION_FROM = "005010"
"""The first version with a 999; from it on AK1 and AK2 name the convention and 723 has repeats and components."""
_VERSION = re.compile(r"[0-9]{6}")
_UNSAFE = re.compile(r"[^ -~]|[*|^>:\\~'!]")
"""What cannot stand in an answer whose delimiters are not known yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Form:
    """The spelling of a kind of acknowledgment, and the version it is written in."""

    kind: str
    version: str
    segment: str
    element: str
    verdict: str

    @property
    def new(self) -> bool:
        return is_new(self.version)

    def segment_code(self, codes: Codes) -> str | None:
        return (self.kind == "999" and codes.ik304) or codes.ak304

    def element_code(self, codes: Codes) -> str | None:
        # 723 has the numbers of 621 from 005010 on, but none of those that begin with I.
        if codes.ik403 and (self.kind == "999" or (self.new and codes.ik403.isdigit())):
            return codes.ik403
        return codes.ak403

    def set_code(self, codes: Codes) -> str | None:
        return (self.kind == "999" and codes.ik502) or codes.ak502


def _form(kind: str, version: str) -> _Form:
    letter = "I" if kind == "999" else "A"
    return _Form(kind=kind, version=version, segment=f"{letter}K3", element=f"{letter}K4", verdict=f"{letter}K5")


def is_new(version: str) -> bool:
    """Whether a version is 005010 or later; what is no version is not."""
    return _VERSION.match(version) is not None and version[:6] >= IMPLEMENTATION_FROM


def functional_kind(version: str, *, implementation: bool = False, sent_in: str | None = None) -> str:
    """997 or 999 for a group of this GS08: a 999 only where it is wanted, and both versions have one."""
    both = is_new(version) and (sent_in is None or is_new(sent_in))
    return "999" if implementation and both else "997"


def compose_997(group: Group, *, guides: Guides, version: str = "004010") -> Loop | None:
    """The tree of a 997 that answers `group`, to be sent in `version`; None for a group of acknowledgments.

    Each set is named, with the segments and elements that the findings name. Notes are not reported.
    """
    return _compose(group, guides, _form("997", version))


def compose_999(group: Group, *, guides: Guides, version: str = IMPLEMENTATION_FROM) -> Loop | None:
    """The tree of a 999 that answers `group`, to be sent in `version`; None for a group of acknowledgments."""
    return _compose(group, guides, _form("999", version))


def compose_functional(
    group: Group, *, guides: Guides, version: str | None = None, implementation: bool = False
) -> tuple[str, Loop] | None:
    """The acknowledgment of a group and its kind: 997, or 999 where `implementation` asks and GS08 is 005010 or later.

    `version` is what it is sent in: the group's own unless given. None for a group of acknowledgments.
    """
    kind = functional_kind(group.version, implementation=implementation, sent_in=version)
    root = _compose(group, guides, _form(kind, group.version if version is None else version))
    return None if root is None else (kind, root)


def _compose(group: Group, guides: Guides, form: _Form) -> Loop | None:
    if group.functional_id == FUNCTIONAL_ACKNOWLEDGMENT:
        return None
    return Loop("", list(_children(of_group(group), map(of_message, group.messages), guides, form)))


def children(
    group: GroupVerdict, sets: Iterable[SetVerdict], *, guides: Guides, kind: str, version: str
) -> Iterator[Segment | Loop]:
    """What stands in a 997 or 999 between ST and SE, one set at a time."""
    return _children(group, sets, guides, _form(kind, version))


def _children(group: GroupVerdict, sets: Iterable[SetVerdict], guides: Guides, form: _Form) -> Iterator[Segment | Loop]:
    number = group.control_number if group.control_number.isascii() and group.control_number.isdigit() else "0"
    functional_id = _sized(group.functional_id, 2, 2) if len(group.functional_id) == 2 else "ZZ"  # noqa: PLR2004  479
    head: list[Element] = [functional_id, number[:9]]
    if form.new:
        head.append(_sized(group.version, 1, 12))
    yield Segment("AK1", head)
    specs = _Specs(guides)
    for one in islice(sets, LAST):
        yield _set(one, specs, form, refused=group.refused)
    accepted, received = (min(count, LAST) for count in (group.accepted, group.received))
    outcome = SET_CODES[group.outcome]
    if 0 < accepted < received and group.outcome is not Verdict.REJECTED:
        outcome = PARTLY
    included = received if group.declared is None else min(group.declared, LAST)
    codes = codes_of(one.codes.ak905 for one in group.findings)
    yield Segment("AK9", [outcome, str(included), str(received), str(accepted), *codes])


def _set(one: SetVerdict, specs: _Specs, form: _Form, *, refused: bool) -> Loop:
    head: list[Element] = [_sized(one.type, 3, 3), _sized(one.control_number, 4, 9)]
    if form.new and one.association:
        head.append(_sized(one.association, 1, 35))
    loop = Loop("AK2", [Segment("AK2", head)])
    # 721 and 719 are mandatory in AK3: what has no segment is told by AK5 alone.
    placed = [
        ((place.segment or 0, place.tag, code), found, place)
        for found in one.findings
        if isinstance(place := found.place, EdiPlace) and place.tag and (code := form.segment_code(found.codes))
    ]
    placed.sort(key=_key)
    for key, group in groupby(placed, key=_key):
        known = specs.find(one, key[1])
        loop.children.append(_segment(key, [(found, place) for _, found, place in group], known, form))
    outcome = one.outcome
    if outcome is Verdict.ACCEPTED and one.findings:
        outcome = Verdict.ACCEPTED_WITH_ERRORS
    codes = codes_of(form.set_code(found.codes) for found in one.findings)
    loop.children.append(Segment(form.verdict, [SET_CODES[Verdict.REJECTED if refused else outcome], *codes]))
    return loop


_Key = tuple[int, str, str]
"""Position, tag and code of a segment in error."""


def _key(placed: tuple[_Key, Finding, EdiPlace]) -> _Key:
    return placed[0]


def _segment(key: _Key, found: list[tuple[Finding, EdiPlace]], spec: SegmentSpec | None, form: _Form) -> Loop:
    position, tag, code = key
    # 721 has two or three characters; what stood there may have been anything.
    name = tag[:3] if len(tag) > 1 and tag.isascii() and tag.isalnum() else "ZZZ"
    loop = Loop(form.segment, [Segment(form.segment, [name, str(min(position, LAST)), "", code])])
    found.sort(key=lambda one: (one[1].element or 0, one[1].component or 0))
    for one, place in found[:MAXIMUM_ELEMENTS]:
        error = form.element_code(one.codes)
        if error is None or place.element is None or max(place.element, place.component or 0) > LAST_ELEMENT:
            continue
        copy = _copy(one)
        elements: list[Element] = [_position(place, form), _number(place, spec), error, *([copy] if copy else [])]
        segment = Segment(form.element, elements)
        # In a 999 an IK4 begins a loop, for contexts may follow it.
        loop.children.append(Loop(form.element, [segment]) if form.kind == "999" else segment)
    return loop


def _position(place: EdiPlace, form: _Form) -> Element:
    """C030: element, component, and from 005010 on the repeat."""
    parts = [str(place.element), str(place.component or "")]
    if form.new:
        parts.append(str(min(place.repeat or 0, LAST_REPEAT) or ""))
    while not parts[-1]:
        parts.pop()
    return parts[0] if len(parts) == 1 else tuple(parts)


def _number(place: EdiPlace, spec: SegmentSpec | None) -> str:
    """725, the element's number in the dictionary, where the guide knows it."""
    if spec is None or not place.element or place.element > len(spec.elements):
        return ""
    element = spec.elements[place.element - 1]
    if place.component and place.component <= len(element.components):
        element = element.components[place.component - 1]
    return element.number if element.number.isdigit() else ""


LONGEST_COPY = 99
"""Element 724."""


def _copy(one: Finding) -> str:
    """AK404: the data in error where it was quoted, without what could be a delimiter."""
    if one.rule == "edi.element.charset" or not (one.said.startswith('"') and one.said.endswith('"')):
        return ""
    # Escapes of what cannot be printed may have made it longer than element 724 is.
    text = "".join(c for c in one.said[1:-1] if c.isascii() and (c.isalnum() or c in " .,-/_"))
    return text[:LONGEST_COPY].strip()


class _Specs:
    """The segments of the guides that were asked for."""

    def __init__(self, guides: Guides) -> None:
        self._guides = guides
        self._known: dict[tuple[str, str], dict[str, SegmentSpec]] = {}

    def find(self, one: SetVerdict, tag: str) -> SegmentSpec | None:
        guide = self._guides.find(one.version, one.type)
        if guide is None:
            return None
        known = self._known.get((guide.version, guide.type))
        if known is None:
            known = self._known[guide.version, guide.type] = {}
            for spec in guide.segments():
                known.setdefault(spec.tag, spec)
        return known.get(tag)


def _sized(text: str, low: int, high: int) -> str:
    """What was sent, fit for its element: cut, filled with zeros, without what could be a delimiter."""
    return _UNSAFE.sub(".", text[:high]).zfill(low)


def codes_of(codes: Iterable[str | None]) -> list[str]:
    """Distinct codes in order, as many as there is room for."""
    return list(dict.fromkeys(code for code in codes if code))[:MAXIMUM_CODES]


def wants_997(interchange: Interchange | InterchangeEnd, group: Group) -> bool:
    """Whether a 997 or 999 is due: never for acknowledgments, and not where the TA1 refuses the whole interchange."""
    return group.functional_id != FUNCTIONAL_ACKNOWLEDGMENT and interchange.envelope is not Verdict.REJECTED
