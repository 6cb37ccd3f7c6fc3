"""Ours with theirs: what a 997, 999, CONTRL or TA1 says of the sets that we sent."""

from __future__ import annotations

import pytest

from gateway.edi.acknowledge import (
    Answer,
    Fate,
    FunctionalAcknowledgment,
    GroupReport,
    InterchangeAcknowledgment,
    InterchangeReport,
    MessageReport,
    SetAcknowledgment,
    reconcile,
)

SENT = {"7": ["0001", "0002"], "8": ["0001"]}
MESSAGES = {"": ["1", "2", "3"]}
GROUPS = {"G1": ["1", "2"], "G2": ["1"]}
FATES = {"A": Fate.ACCEPTED, "R": Fate.REJECTED, "-": Fate.UNANSWERED}


def functional(group: str, outcome: str, **sets: str) -> FunctionalAcknowledgment:
    """A 997 or 999; sets by number, an `n` before it."""
    inner = tuple(
        SetAcknowledgment(type="850", control_number=number[1:], outcome=one, codes=(), errors=())
        for number, one in sets.items()
    )
    return FunctionalAcknowledgment(
        functional_id="PO",
        group_control_number=group,
        outcome=outcome,
        included=2,
        received=2,
        accepted=0,
        codes=(),
        sets=inner,
    )


def messages(**actions: str) -> tuple[MessageReport, ...]:
    """UCMs; by reference, an `n` before it."""
    return tuple(
        MessageReport(type="ORDERS", version="D96A", reference=number[1:], action=one, reason=None, errors=())
        for number, one in actions.items()
    )


def report(action: str, *groups: GroupReport, **actions: str) -> InterchangeReport:
    """A CONTRL."""
    return InterchangeReport(
        control_number="1",
        sender="A",
        receiver="B",
        action=action,
        reason=None,
        groups=groups,
        messages=messages(**actions),
    )


def group(number: str, action: str, **actions: str) -> GroupReport:
    """A UCF."""
    return GroupReport(control_number=number, action=action, reason=None, messages=messages(**actions))


def ta1(outcome: str) -> InterchangeAcknowledgment:
    """A TA1."""
    return InterchangeAcknowledgment(control_number="1", date="", time="", outcome=outcome, code="000")


@pytest.mark.parametrize(
    ("sent", "answer", "fates", "unknown"),
    [
        # A 997 speaks of one group; AK9 holds for what AK2 does not name.
        (SENT, functional("7", "A"), "AA-", ()),
        (SENT, functional("0007", "A", n1="A", n2="E"), "AA-", ()),
        (SENT, functional("7", "E"), "AA-", ()),
        (SENT, functional("7", "R"), "RR-", ()),
        (SENT, functional("7", "P", n0001="A", n0002="R"), "AR-", ()),
        (SENT, functional("7", "P", n0001="A"), "AR-", ()),
        (SENT, functional("7", "A", n0002="R"), "AR-", ()),
        (SENT, functional("7", "M", n0001="A"), "RR-", ()),
        (SENT, functional("7", "X", n0001="W"), "RR-", ()),
        (SENT, functional("9", "A"), "---", (("9", ""),)),
        (SENT, functional("8", "A", n0001="A", n0005="A"), "--A", (("8", "0005"),)),
        # A CONTRL speaks of the whole interchange; what it does not name below a 7 is acknowledged.
        (MESSAGES, report("7"), "AAA", ()),
        (MESSAGES, report("7", n2="4"), "ARA", ()),
        (MESSAGES, report("7", n2="7"), "AAA", ()),
        (MESSAGES, report("4"), "RRR", ()),
        (MESSAGES, report("8"), "---", ()),
        (MESSAGES, report("7", n9="4"), "AAA", (("", "9"),)),
        (GROUPS, report("7", group("G1", "7", n2="4")), "ARA", ()),
        (GROUPS, report("7", group("G1", "4"), group("G2", "7")), "RRA", ()),
        (GROUPS, report("4", group("G1", "7")), "RRR", ()),
        (GROUPS, report("7", group("G9", "4")), "AAA", (("G9", ""),)),
        # A TA1 that accepts says only that the interchange came.
        (SENT, ta1("A"), "---", ()),
        (SENT, ta1("E"), "---", ()),
        (SENT, ta1("R"), "RRR", ()),
    ],
)
def test_what_became_of_what_we_sent(
    sent: dict[str, list[str]], answer: Answer, fates: str, unknown: tuple[tuple[str, str], ...]
) -> None:
    """Every set that was sent has a fate; what we did not send is named."""
    result = reconcile(sent, answer)
    keys = [(number, one) for number, sets in sent.items() for one in sets]
    assert list(result.fates.items()) == [(key, FATES[letter]) for key, letter in zip(keys, fates, strict=True)]
    assert result.unknown == unknown
    for fate in Fate:
        assert result.of(fate) == tuple(key for key, letter in zip(keys, fates, strict=True) if FATES[letter] is fate)


def test_a_997_of_a_million_sets_is_matched_in_one_pass() -> None:
    """Linear: each set is looked up, not searched for."""
    count = 20_000
    answer = functional("7", "P", **{f"n{number:06d}": "R" if number % 2 else "A" for number in range(count)})
    result = reconcile({"7": [f"{number:06d}" for number in range(count)]}, answer)
    assert len(result.of(Fate.ACCEPTED)) == count // 2
