"""What a refused set takes with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.edi import acknowledge, partial
from gateway.edi.interchange import Interchange
from gateway.edi.library import standard
from gateway.edi.tree import Loop, Segment, Verdict, walk

Read = Callable[..., Interchange]
ISA = "ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*DISTRIBUTOR    *260105*0930*U*00401*000000001*0*T*>~"
GOOD, BAD = "BEG*00*SA*PO-1**20260102~PO1*1*1*EA~", "BEG*00*SA*PO-1**20260199~PO1*1*1*EA~"
ANSWER = "AK1*PO*7~AK9*A*1*1*1~"


def file(*groups: tuple[str, ...]) -> bytes:
    """One interchange of groups of sets: GOOD, BAD, or ANSWER alone."""
    text = ISA
    for number, sets in enumerate(groups, 1):
        code = "FA" if ANSWER in sets else "PO"
        text += f"GS*{code}*SUPPLIER*DISTRIBUTOR*20260105*0930*{number}*X*004010~"
        for index, body in enumerate(sets, 1):
            kind = "997" if code == "FA" else "850"
            text += f"ST*{kind}*{index:04d}~{body}SE*{body.count('~') + 2}*{index:04d}~"
        text += f"GE*{len(sets)}*{number}~"
    return (text + f"IEA*{len(groups)}*000000001~").encode()


def verdicts(interchange: Interchange) -> list[str]:
    """A letter for each set, group by group."""
    letters = {Verdict.ACCEPTED: "A", Verdict.ACCEPTED_WITH_ERRORS: "E", Verdict.REJECTED: "R"}
    return ["".join(letters[one.outcome] for one in group.messages) for group in interchange.groups]


CASES = [
    # mode, groups, sets afterwards, verdict of the interchange
    ("set", [(GOOD, BAD), (GOOD,)], ["AR", "A"], Verdict.ACCEPTED_WITH_ERRORS),
    ("group", [(GOOD, BAD), (GOOD,)], ["RR", "A"], Verdict.ACCEPTED_WITH_ERRORS),
    ("group", [(GOOD, BAD)], ["RR"], Verdict.REJECTED),
    ("group", [(GOOD, GOOD), (GOOD,)], ["AA", "A"], Verdict.ACCEPTED),
    ("interchange", [(GOOD, BAD), (GOOD,)], ["RR", "R"], Verdict.REJECTED),
    ("interchange", [(GOOD,), (ANSWER,), (BAD, GOOD)], ["R", "A", "RR"], Verdict.REJECTED),
    ("interchange", [(GOOD,), (GOOD,)], ["A", "A"], Verdict.ACCEPTED),
    ("group", [(BAD,), (GOOD,)], ["R", "A"], Verdict.ACCEPTED_WITH_ERRORS),
]


@pytest.mark.parametrize(("mode", "groups", "after", "outcome"), CASES)
def test_what_falls_with_a_refused_set(
    mode: partial.Mode, groups: list[tuple[str, ...]], after: list[str], outcome: Verdict, one: Read
) -> None:
    """Never an acknowledgment; nothing where nothing is refused."""
    read = one(file(*groups))
    final = partial.apply(read, mode)
    assert verdicts(final) == after
    assert final.outcome is outcome
    assert final.envelope is Verdict.ACCEPTED
    assert (final is read) is (verdicts(read) == after)
    assert partial.apply(final, mode) is final


def test_what_fell_says_why_and_the_997_refuses_it(one: Read) -> None:
    """The set that was wrong has its reason; the others name it."""
    final = partial.apply(one(file((GOOD, BAD, GOOD))), "group")
    (group,) = final.groups
    assert [one.rule for one in group.findings] == ["edi.group.partial"]
    assert [[one.rule for one in message.findings] for message in group.messages] == [
        ["edi.message.partial"],
        ["edi.element.date"],
        ["edi.message.partial"],
    ]
    assert group.messages[0].findings[0].said == '"850 0002"'
    root = acknowledge.compose_997(group, guides=standard())
    assert isinstance(root, Loop)
    told = [
        segment.elements
        for _, segment, _ in walk(root)
        if isinstance(segment, Segment) and segment.tag in {"AK5", "AK9"}
    ]
    assert told == [["R"], ["R", "5"], ["R"], ["R", "3", "3", "0"]]


def test_a_whole_interchange_says_which_sets_it_falls_for(one: Read) -> None:
    """The 997s go out all the same: the envelope was right."""
    final = partial.apply(one(file((GOOD,), tuple([BAD] * 7 + [GOOD]))), "interchange")
    assert [one.rule for one in final.findings] == ["edi.interchange.partial"]
    assert final.findings[0].said.endswith('and 2 more"')
    assert [[one.rule for one in group.findings] for group in final.groups] == [["edi.group.partial"]] * 2
    assert not acknowledge.wants_ta1(final)
    assert all(acknowledge.wants_997(final, group) for group in final.groups)


def test_a_refused_envelope_stays_as_it_is(one: Read) -> None:
    """Everything is refused already."""
    read = one(file((GOOD, BAD)).replace(b"IEA*1", b"IEA*9"))
    assert partial.apply(read, "interchange") is read
