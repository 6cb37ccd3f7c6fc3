"""Ours with theirs: what became of the groups and sets that we sent, by what an acknowledgment says of them.

A pure function of two values. The caller has looked up what the acknowledgment names, and books what is found here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.edi.acknowledge.answers import ACCEPTING, FunctionalAcknowledgment, InterchangeAcknowledgment
from gateway.edi.acknowledge.reports import ACKNOWLEDGING, InterchangeReport

Answer = FunctionalAcknowledgment | InterchangeAcknowledgment | InterchangeReport
Key = tuple[str, str]
"""Group and set, by the numbers under which we sent them; the group is empty where we sent none."""


class Fate(StrEnum):
    """What became of a set that we sent."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNANSWERED = "unanswered"
    """This acknowledgment does not say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """What an acknowledgment says of what we sent."""

    fates: Mapping[Key, Fate]
    """Every set that was sent."""
    unknown: tuple[Key, ...]
    """What the acknowledgment names and we did not send; a group alone has an empty set."""

    def of(self, fate: Fate) -> tuple[Key, ...]:
        """The sets with this fate, in the order sent."""
        return tuple(key for key, one in self.fates.items() if one is fate)


def reconcile(sent: Mapping[str, Sequence[str]], answer: Answer) -> Reconciled:
    """`sent` are the set numbers by group number (`""` for EDIFACT without UNG) of what `answer` may answer.

    X12 numbers are compared without leading zeros, for partners drop them; EDIFACT references exactly.
    """
    if isinstance(answer, FunctionalAcknowledgment):
        return _functional(sent, answer)
    if isinstance(answer, InterchangeReport):
        return _report(sent, answer)
    # A TA1 that accepts says only that the interchange came.
    fate = Fate.UNANSWERED if answer.outcome in ACCEPTING else Fate.REJECTED
    return Reconciled(fates=dict.fromkeys(_keys(sent), fate), unknown=())


def _functional(sent: Mapping[str, Sequence[str]], answer: FunctionalAcknowledgment) -> Reconciled:
    fates: dict[Key, Fate] = dict.fromkeys(_keys(sent), Fate.UNANSWERED)
    named = _bare(answer.group_control_number)
    group = next((one for one in sent if _bare(one) == named), None)
    if group is None:
        return Reconciled(fates=fates, unknown=((answer.group_control_number, ""),))
    # Looked up once: an acknowledgment may name a million sets.
    verdicts = {_bare(one.control_number): one.outcome for one in reversed(answer.sets)}
    refused = answer.outcome not in ACCEPTING and answer.outcome != "P"
    ours = {_bare(one) for one in sent[group]}
    for one in sent[group]:
        verdict = verdicts.get(_bare(one), "R" if answer.outcome == "P" else answer.outcome)
        fates[group, one] = Fate.ACCEPTED if verdict in ACCEPTING and not refused else Fate.REJECTED
    unknown = tuple((group, one.control_number) for one in answer.sets if _bare(one.control_number) not in ours)
    return Reconciled(fates=fates, unknown=unknown)


def _report(sent: Mapping[str, Sequence[str]], answer: InterchangeReport) -> Reconciled:
    fates: dict[Key, Fate] = {}
    actions = {("", one.reference): one.action for one in reversed(answer.messages)}
    groups = {one.control_number: one.action for one in reversed(answer.groups)}
    for group in reversed(answer.groups):
        actions |= {(group.control_number, one.reference): one.action for one in reversed(group.messages)}
    for key in _keys(sent):
        action = answer.action
        for closer in (groups.get(key[0]), actions.get(key)):
            if action in ACKNOWLEDGING and closer is not None:
                action = closer
        fates[key] = _fate(action)
    known = {*fates, *((group, "") for group in sent)}
    named = [*((one.control_number, "") for one in answer.groups), *actions]
    return Reconciled(fates=fates, unknown=tuple(key for key in dict.fromkeys(named) if key not in known))


def _fate(action: str) -> Fate:
    if action in ACKNOWLEDGING:
        return Fate.ACCEPTED
    return Fate.UNANSWERED if action == "8" else Fate.REJECTED


def _keys(sent: Mapping[str, Sequence[str]]) -> list[Key]:
    return [(group, one) for group, sets in sent.items() for one in sets]


def _bare(number: str) -> str:
    return number.lstrip("0")
