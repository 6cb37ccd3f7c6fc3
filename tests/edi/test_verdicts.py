"""The ledger: what was put in comes out, group by group, whatever it held."""

from __future__ import annotations

import io

import pytest

from gateway.edi.interchange import GroupEnd, GroupStart
from gateway.edi.rules import finding
from gateway.edi.tree import Loop, Message, Verdict, verdict_of
from gateway.edi.verdicts import MOST_FINDINGS, Ledger, of_end
from gateway.findings import Codes, EdiPlace, Finding, Severity

NASTY = '"\\\x00é\u2028\U0001f600' * 50


def message(number: str, *findings: Finding, kind: str = "855") -> Message:
    """A set in which this was found."""
    return Message(
        type=kind,
        version="004010",
        control_number=number,
        root=Loop("", []),
        findings=findings,
        outcome=verdict_of(findings),
    )


def end(number: str, received: int, *findings: Finding) -> GroupEnd:
    """The end of a group."""
    start = GroupStart(
        functional_id="PR",
        sender="A",
        receiver="B",
        date="",
        time="",
        control_number=number,
        version="004010",
        offset=0,
    )
    return GroupEnd(
        start=start,
        declared=received,
        received=received,
        accepted=received,
        findings=findings,
        outcome=verdict_of(findings),
    )


def found(said: str = "x", codes: Codes | None = None, severity: Severity | None = None) -> Finding:
    """A finding that says this."""
    place = EdiPlace(segment=4, tag="PO1", element=2, component=1, repeat=3)
    return finding("edi.element.code", place, said=said, wanted="", codes=codes, severity=severity)


@pytest.mark.parametrize("spill", [None, io.BytesIO(b"left over from before")])
def test_what_was_put_in_comes_out(spill: io.BytesIO | None) -> None:
    """Two groups, findings with the rule's codes and with their own, notes left out."""
    ledger = Ledger(spill)
    sets = [
        message("0001"),
        message("0002", found(), found(codes=Codes(contrl="18", ik403="I6"))),
        message("0003", found(severity=Severity.ACCEPT)),
    ]
    refused = finding("edi.group.count", EdiPlace(tag="GE", element=1), said="9", wanted="3")
    for number, findings in (("7", ()), ("8", (refused,))):
        ledger.open_group()
        for one in sets:
            ledger.add(one)
        ledger.close_group(end(number, 3, *findings))
    out = [(group, list(inner)) for group, inner in ledger.groups()]
    assert [group.control_number for group, _ in out] == ["7", "8"]
    assert [(group.refused, group.accepted) for group, _ in out] == [(False, 3), (True, 0)]
    assert [one.codes.ak905 for one in out[1][0].findings] == ["5"]
    for _, inner in out:
        assert [(one.control_number, one.outcome) for one in inner] == [
            ("0001", Verdict.ACCEPTED),
            ("0002", Verdict.REJECTED),
            ("0003", Verdict.ACCEPTED),
        ]
        assert [one.codes for one in inner[1].findings] == [one.codes for one in sets[1].findings]
        assert [one.place for one in inner[1].findings] == [one.place for one in sets[1].findings]
        assert inner[2].findings == ()


def test_a_group_that_did_not_end_is_left_out() -> None:
    """Its interchange is refused; nothing of it is answered."""
    ledger = Ledger()
    ledger.open_group()
    ledger.add(message("0001"))
    ledger.close_group(end("7", 1))
    ledger.open_group()
    ledger.add(message("0002"))
    assert [group.control_number for group, _ in ledger.groups()] == ["7"]
    ledger.clear()
    assert list(ledger.groups()) == []


def test_groups_can_be_walked_without_reading_their_sets() -> None:
    """And read twice."""
    ledger = Ledger()
    for number in ("7", "8"):
        ledger.open_group()
        ledger.add(message("0001"))
        ledger.close_group(end(number, 1))
    for _ in range(2):
        assert [group.control_number for group, _ in ledger.groups()] == ["7", "8"]


def test_whatever_a_group_held_its_verdict_fits_its_slot() -> None:
    """Endless values in all fields, and more findings than there is room for."""
    start = GroupStart(
        functional_id=NASTY,
        sender=NASTY,
        receiver=NASTY,
        date="",
        time="",
        control_number=NASTY,
        version=NASTY,
        offset=0,
    )
    findings = tuple(
        finding("edi.group.element", EdiPlace(tag=NASTY, element=10**9), said=NASTY, wanted="") for _ in range(100)
    )
    worst = GroupEnd(
        start=start,
        declared=10**9,
        received=10**9,
        accepted=10**9,
        findings=findings,
        outcome=Verdict.ACCEPTED_WITH_ERRORS,
    )
    ledger = Ledger()
    ledger.open_group()
    ledger.add(message(NASTY, *(found(NASTY) for _ in range(300)), kind=NASTY))
    ledger.close_group(worst)
    ((group, inner),) = ledger.groups()
    assert group.control_number == of_end(worst).control_number
    assert len(group.control_number) == 35
    assert group.findings
    one = next(inner)
    assert (len(one.type), len(one.findings)) == (35, MOST_FINDINGS)
