"""Partial acceptance: what a refused set takes with it, by the agreement: itself, its group, or its interchange.

Final verdicts in, final verdicts out. An acknowledgment neither falls with others nor takes them along. The envelope's
own verdict stays: a TA1 tells of the envelope, the acknowledgment of each group tells why it is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from gateway.edi.interchange import Group, Interchange
from gateway.edi.rules import finding
from gateway.edi.tree import Message, Verdict
from gateway.findings import EdiPlace

Mode = Literal["set", "group", "interchange"]

ACKNOWLEDGMENTS = frozenset(("997", "999", "CONTRL"))
MOST_NAMED = 5
"""How many of the refused sets a finding names."""


def apply(interchange: Interchange, mode: Mode) -> Interchange:
    """`interchange` with what its refused sets take along refused too; the very same one where that is nothing."""
    if mode == "set" or interchange.outcome is Verdict.REJECTED:
        return interchange
    refused = [one for group in interchange.groups for one in _refused(group)]
    if not refused:
        return interchange
    if mode == "interchange":
        groups = tuple(_taken_along(interchange, group, refused) for group in interchange.groups)
        found = finding(
            "edi.interchange.partial",
            EdiPlace(interchange=interchange.control_number or None),
            said=_names(refused),
            wanted="no refused set in the interchange",
        )
        findings = (*interchange.findings, found)
        return replace(interchange, groups=groups, findings=findings, outcome=Verdict.REJECTED)
    groups = tuple(_taken_along(interchange, group, _refused(group)) for group in interchange.groups)
    if all(new is old for new, old in zip(groups, interchange.groups, strict=True)):
        return interchange
    gone = all(group.outcome is Verdict.REJECTED for group in groups)
    outcome = Verdict.REJECTED if gone else Verdict.ACCEPTED_WITH_ERRORS
    return replace(interchange, groups=groups, outcome=outcome)


def _refused(group: Group) -> list[Message]:
    return [one for one in group.messages if one.outcome is Verdict.REJECTED and one.type not in ACKNOWLEDGMENTS]


def _names(refused: list[Message]) -> str:
    named = ", ".join(f"{one.type} {one.control_number}" for one in refused[:MOST_NAMED])
    return named + (f" and {len(refused) - MOST_NAMED} more" if len(refused) > MOST_NAMED else "")


def _taken_along(interchange: Interchange, group: Group, refused: list[Message]) -> Group:
    """The group refused because of these sets; the same one where it is already, or holds only acknowledgments."""
    kept = [one for one in group.messages if one.type not in ACKNOWLEDGMENTS]
    if not refused or not kept or group.outcome is Verdict.REJECTED:
        return group
    place = EdiPlace(interchange=interchange.control_number or None, group=group.control_number or None)
    said = _names(refused)
    found = finding("edi.group.partial", place, said=said, wanted="no refused set among those that stand together")
    messages = tuple(
        one if one.outcome is Verdict.REJECTED or one.type in ACKNOWLEDGMENTS else _with_others(one, place, said)
        for one in group.messages
    )
    gone = all(one.outcome is Verdict.REJECTED for one in messages)
    outcome = Verdict.REJECTED if gone else Verdict.ACCEPTED_WITH_ERRORS
    return replace(group, messages=messages, findings=(*group.findings, found), outcome=outcome)


def _with_others(message: Message, place: EdiPlace, said: str) -> Message:
    where = replace(place, message=message.control_number, offset=message.offset)
    found = finding("edi.message.partial", where, said=said, wanted="all sets that stand together accepted")
    return replace(message, findings=(*message.findings, found), outcome=Verdict.REJECTED)
