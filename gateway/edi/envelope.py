"""The values of GS, ST and TA1: patterns and the rules they break otherwise. Counts and pairs are `x12`'s."""

from __future__ import annotations

import re
from dataclasses import replace

from gateway.edi.library import Guides
from gateway.edi.rules import finding
from gateway.findings import EdiPlace, Finding

TA1 = re.compile(r"[0-9]{9}\*[0-9]{6}\*[0-9]{4}\*[AER]\*[0-9]{3}(?:\*.*)?")
_KIND = re.compile(r"[0-9]{3}")
_COUNT = re.compile(r"[0-9]{1,9}")
_CONTROL = re.compile(r"[0-9]{1,9}")
_FUNCTIONAL = re.compile(r"[A-Z][A-Z0-9]")
_GROUP_DATE = re.compile(r"(?:[0-9][0-9])?[0-9][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_GROUP_TIME = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9][0-9]{0,2})?")

# GS element, pattern, rule, what is wanted.
_GROUP_CHECKS: tuple[tuple[int, re.Pattern[str], str, str], ...] = (
    (1, _FUNCTIONAL, "edi.group.functional_id", "a functional identifier"),
    (2, re.compile(r".{2,15}"), "edi.group.element", "the sender's code, 2 to 15 characters"),
    (3, re.compile(r".{2,15}"), "edi.group.element", "the receiver's code, 2 to 15 characters"),
    (4, _GROUP_DATE, "edi.group.element", "a date as CCYYMMDD"),
    (5, _GROUP_TIME, "edi.group.element", "a time as HHMM"),
    (6, _CONTROL, "edi.group.control_number_invalid", "1 to 9 digits"),
    (7, re.compile(r"[XT]"), "edi.group.element", "X or T"),
)


def check_group(elements: list[str], place: EdiPlace, guides: Guides) -> list[Finding]:
    """What is wrong with the eight elements of a GS; `place` names it."""
    found = [
        finding(rule, replace(place, element=element), said=elements[element - 1], wanted=f"GS{element:02d}: {wanted}")
        for element, right, rule, wanted in _GROUP_CHECKS
        if not right.fullmatch(elements[element - 1])
    ]
    if not guides.knows_version(elements[7]):
        where = replace(place, element=8)
        found.append(finding("edi.group.version", where, said=elements[7], wanted="a version that was agreed"))
    return found


def is_start(kind: str, number: str) -> bool:
    """Whether ST01 and ST02 can be right."""
    return _KIND.fullmatch(kind) is not None and 4 <= len(number) <= 9  # noqa: PLR2004  element 329


def check_start(kind: str, number: str, place: EdiPlace) -> list[Finding]:
    """What is wrong with ST01 and ST02 of the ST at `place`."""
    found: list[Finding] = []
    if not _KIND.fullmatch(kind):
        at = replace(place, element=1)
        found.append(finding("edi.message.type_invalid", at, said=kind, wanted="three digits"))
    if not 4 <= len(number) <= 9:  # noqa: PLR2004  element 329
        at = replace(place, element=2)
        found.append(finding("edi.message.control_number_invalid", at, said=number, wanted="4 to 9 characters"))
    return found


def padded(elements: list[str], count: int) -> list[str]:
    """At least so many elements, the absent ones empty."""
    return elements + [""] * (count - len(elements))


def number_of(text: str) -> int | None:
    """A count of one to nine digits, None for anything else."""
    return int(text) if _COUNT.fullmatch(text) else None
