"""Answers while a file is read: the same bytes as from whole groups, in memory that does not grow with the sets."""

from __future__ import annotations

import io
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO, cast

import pytest

from gateway.edi import acknowledge, x12
from gateway.edi.acknowledge import Acknowledgment, Choices, Fate, InterchangeReport, reconcile
from gateway.edi.delimiters import EDIFACT
from gateway.edi.interchange import Event, GroupEnd, GroupStart, InterchangeEnd, InterchangeStart
from gateway.edi.library import Guides
from gateway.edi.reading import read, read_all
from gateway.edi.rules import finding
from gateway.edi.syntax import REPETITION_FROM, Syntax
from gateway.edi.tolerances import Limits
from gateway.edi.tree import Loop, Message, Segment, Verdict, joined, verdict_of, walk
from gateway.errors import PartnerFault
from gateway.findings import EdiPlace, Finding

Wrap = Callable[..., bytes]


def text(segments: Iterator[Segment] | list[Segment], element: str = "*", component: str = ">") -> bytes:
    """Segments as bytes; nothing needs a release character here."""
    rows = [[one.tag, *(joined(part, component) for part in one.elements)] for one in segments]
    return "".join(element.join(row).rstrip(element) + "\n" for row in rows).encode()


def answers(events: Iterator[Event], guides: Guides, spill: BinaryIO | None = None, **choices: bool) -> list[str]:
    """Kind, number, outcome and bytes of every answer."""
    streamed = acknowledge.stream(events, guides=guides, spill=spill, choices=Choices(**choices))  # type: ignore[arg-type]
    return [told(one) for one in streamed]


def told(one: Acknowledgment) -> str:
    """One answer in a line of its own, then its segments."""
    sides = ("+", ":") if one.kind == "CONTRL" else ("*", ">")
    written = b"".join(acknowledge.written(acknowledge.enclosed(one, "0001"), lambda piece: text(piece, *sides)))
    return f"{one.kind} {one.version} {one.answers} {one.outcome}\n{written.decode()}"


def many(wrap: Wrap, count: int, *, every: int = 7) -> bytes:
    """A group of so many 855s; one in `every` has a wrong quantity."""
    data = wrap("855")
    start, end = data.index(b"ST*"), data.index(b"GE*")
    one = data[start:end]
    sets = (
        (one.replace(b"*10*EA", b"*ten*EA") if not number % every else one).replace(b"*0001~", b"*%06d~" % number)
        for number in range(1, count + 1)
    )
    return data[:start] + b"".join(sets) + data[end:].replace(b"GE*1*", b"GE*%d*" % count)


def test_a_streamed_997_is_that_of_the_whole_group(wrap: Wrap, guides: Guides) -> None:
    """One code for both: the same segments, in memory or in a file."""
    data = many(wrap, 50)
    (whole,) = x12.read_all(data, guides=guides)
    root = acknowledge.compose_997(whole.groups[0], guides=guides)
    assert root is not None
    body = [segment for _, segment, _ in walk(root)]
    expected = text([Segment("ST", ["997", "0001"]), *body, Segment("SE", [str(len(body) + 2), "0001"])])
    for spill in (None, io.BytesIO(b"left over")):
        (only,) = answers(x12.read(data, guides=guides), guides, spill)
        assert only == f"997 004010 7 accepted_with_errors\n{expected.decode()}"


def test_what_each_group_gets(wrap: Wrap, guides: Guides) -> None:
    """Two groups and an acknowledgment: two 997s; a TA1 first where it was asked for."""
    data = wrap("855").replace(b"*0*T*", b"*1*T*")
    group = data[data.index(b"GS*") : data.index(b"IEA*")]
    other = group.replace(b"*7*X*", b"*8*X*").replace(b"GE*1*7", b"GE*1*8").replace(b"*ten*", b"*10*")
    served = wrap("997")
    answer = served[served.index(b"GS*") : served.index(b"IEA*")]
    answer = answer.replace(b"*7*X*", b"*9*X*").replace(b"GE*1*7", b"GE*1*9")
    data = data.replace(b"IEA*1*", answer + other + b"IEA*3*")
    kinds = [one.splitlines()[0] for one in answers(x12.read(data, guides=guides), guides)]
    assert kinds == ["TA1 00401 000000001 accepted", "997 004010 7 accepted", "997 004010 8 accepted"]


def test_a_refused_group_takes_its_sets_with_it(wrap: Wrap, guides: Guides) -> None:
    """GE01 is wrong: what was accepted when it was read is rejected in the answer."""
    data = many(wrap, 3, every=9).replace(b"GE*3*", b"GE*4*")
    (only,) = answers(x12.read(data, guides=guides), guides)
    assert [line for line in only.splitlines() if line.startswith("AK5")] == ["AK5*R"] * 3
    assert "AK9*R*4*3*0*5" in only


@pytest.mark.parametrize(
    ("partial", "first", "second"),
    [("set", "ARA", "A"), ("group", "RRR", "A"), ("interchange", "RRR", "R")],
)
def test_a_refused_set_takes_others_along_where_that_is_agreed(
    wrap: Wrap, guides: Guides, partial: str, first: str, second: str
) -> None:
    """Nothing, its group, or the interchange."""
    data = many(wrap, 3, every=2)
    more = wrap("855")
    group = more[more.index(b"GS*") : more.index(b"IEA*")].replace(b"*7*X*", b"*8*X*").replace(b"GE*1*7", b"GE*1*8")
    data = data.replace(b"IEA*1*", group + b"IEA*2*")
    choices = Choices(partial=partial)  # type: ignore[arg-type]
    streamed = [told(one) for one in acknowledge.stream(x12.read(data, guides=guides), guides=guides, choices=choices)]
    verdicts = ["".join(line[4] for line in one.splitlines() if line.startswith("AK5*")) for one in streamed]
    assert verdicts == [first, second]
    assert ["AK9*R" in one for one in streamed] == [first == "RRR", second == "R"]


def test_a_refused_interchange_gets_a_ta1_alone(wrap: Wrap, guides: Guides) -> None:
    """IEA02 is wrong; the TA1 has said it all."""
    data = many(wrap, 3).replace(b"IEA*1*000000001", b"IEA*1*000000002")
    (only,) = answers(x12.read(data, guides=guides), guides)
    assert only == "TA1 00401 000000001 rejected\nTA1*000000001*260105*0930*R*001\n"


def test_what_ends_the_reading_is_answered_then_raised(wrap: Wrap, guides: Guides) -> None:
    """A segment without an end: TA1 R 004, and the fault; the interchange before it has its own answer."""
    good = many(wrap, 2)
    bad = good[: good.index(b"PO1*")] + b"A" * 5000
    chunks = [good, *(bad[at : at + 512] for at in range(0, len(bad), 512))]
    events = x12.read(chunks, guides=guides, limits=Limits(segment=1000))
    streamed = acknowledge.stream(events, guides=guides)
    assert told(next(streamed)).startswith("997 004010 7 accepted\n")
    assert told(next(streamed)) == "TA1 00401 000000001 rejected\nTA1*000000001*260105*0930*R*004\n"
    with pytest.raises(PartnerFault):
        next(streamed)


def test_a_999_is_streamed_where_it_is_wanted(wrap: Wrap, guides: Guides) -> None:
    """005010 has one, 004010 has not; a set in a version without guides is refused, not ignored."""
    data = wrap("855", version="005010").replace(b"ST*855*", b"ST*999*")
    (only,) = answers(x12.read(data, guides=guides), guides, implementation=True)
    assert only.startswith("999 005010 7 rejected\nST*999*0001\nAK1*PR*7*005010\nAK2*999*0001\n")
    (only,) = answers(x12.read(wrap("855"), guides=guides), guides, implementation=True)
    assert only.startswith("997 004010 7 accepted\n")


# ---- EDIFACT, from events made by hand


def contrl_events(
    groups: dict[str, list[Message]], *findings: Finding, asked: bool = True, version: str = "UNOC:3"
) -> Iterator[Event]:
    """The events of an EDIFACT interchange."""
    start = InterchangeStart(
        sender_qualifier="14",
        sender="BUYER",
        receiver_qualifier="14",
        receiver="SELLER",
        date="260105",
        time="0930",
        version=version,
        control_number="REF1",
        ack_requested=asked,
        test=False,
        delimiters=EDIFACT,
        offset=0,
        standard="edifact",
    )
    yield start
    for number, messages in groups.items():
        head = GroupStart(
            functional_id="ORDERS" if number else "",
            sender="A" if number else "",
            receiver="B" if number else "",
            date="",
            time="",
            control_number=number,
            version="D96A" if number else "",
            offset=0,
        )
        yield head
        yield from messages
        outcome = verdict_of([one for message in messages for one in message.findings])
        yield GroupEnd(
            start=head,
            declared=None,
            received=len(messages),
            accepted=sum(one.outcome is not Verdict.REJECTED for one in messages),
            findings=(),
            outcome=outcome,
        )
    envelope = verdict_of(findings)
    yield InterchangeEnd(start=start, groups=len(groups), findings=findings, outcome=envelope, envelope=envelope)


def orders(number: str, *findings: Finding, kind: str = "ORDERS") -> Message:
    """A message in which this was found."""
    return Message(
        type=kind,
        version="D96A",
        control_number=number,
        root=Loop("", []),
        findings=findings,
        outcome=verdict_of(findings),
        standard="edifact",
    )


def count(segment: int) -> Finding:
    """UNT 0074 is wrong."""
    place = EdiPlace(segment=segment, tag="UNT", element=1)
    return finding("edi.message.count", place, said="9", wanted=f"{segment}")


def test_a_contrl_answers_an_interchange(guides: Guides) -> None:
    """One CONTRL, with what is wrong."""
    messages = [orders("1"), orders("2", count(9)), orders("3")]
    (only,) = answers(contrl_events({"": messages}), guides)
    assert only == (
        "CONTRL D3 REF1 accepted\n"
        "UNH+0001+CONTRL:D:3:UN\n"
        "UCI+REF1+BUYER:14+SELLER:14+7\n"
        "UCM+2+ORDERS:D:96A:UN+4+29+UNT+2\n"
        "UNT+4+0001\n"
    )


def test_a_contrl_of_syntax_4_answers_groups(guides: Guides) -> None:
    """UCF for each."""
    groups = {"G1": [orders("1")], "G2": [orders("2", count(9))]}
    (only,) = answers(contrl_events(groups, version="UNOW:4"), guides)
    assert only.splitlines()[1:] == [
        "UNH+0001+CONTRL:4:1:UN",
        "UCI+REF1+BUYER:14+SELLER:14+7",
        "UCF+G1+A+B+7",
        "UCF+G2+A+B+7",
        "UCM+2+ORDERS:D:96A:UN+4+29+UNT+2",
        "UNT+6+0001",
    ]


@pytest.mark.parametrize(
    ("kinds", "asked", "agreed", "due"),
    [
        (["ORDERS"], True, False, 1),
        (["ORDERS"], False, False, 0),
        (["ORDERS"], False, True, 1),
        (["CONTRL"], True, True, 0),
        (["CONTRL", "ORDERS"], True, False, 1),
        ([], True, False, 1),
    ],
)
def test_when_a_contrl_is_due(guides: Guides, kinds: list[str], due: int, *, asked: bool, agreed: bool) -> None:
    """When asked for or agreed, and never for nothing but CONTRL."""
    messages = [orders(str(number), kind=kind) for number, kind in enumerate(kinds)]
    assert len(answers(contrl_events({"": messages}, asked=asked), guides, contrl=agreed)) == due


def test_an_interchange_refused_at_its_trailer_refuses_what_was_read(guides: Guides) -> None:
    """UCI 4 covers every message."""
    wrong = finding("edi.interchange.count", EdiPlace(tag="UNZ", element=1), said="3", wanted="1")
    (only,) = answers(contrl_events({"": [orders("1"), orders("2", count(3))]}, wrong), guides)
    assert only.splitlines()[2:] == ["UCI+REF1+BUYER:14+SELLER:14+4+29+UNZ+2", "UNT+3+0001"]


# ---- EDIFACT, from bytes to bytes

ORDER = (
    "UNH+{n}+ORDERS:D:96A:UN:EAN008'BGM+220+PO{n}+9'DTM+137:20260105:102'NAD+BY+4012345000009::9'"
    "LIN+1++4000001000005:EN'QTY+21:10'UNS+S'UNT+8+{n}'"
)


def edifact(*orders_: str, head: str = "", tail: str = "", count: int | None = None, syntax: str = "UNOC:3") -> bytes:
    """An interchange of orders that asks for a CONTRL."""
    unb = f"UNB+{syntax}+4012345000009:14+5412345000013:14+260105:0930+R1++++1'"
    if syntax.endswith("4"):
        unb = unb.replace("+260105:", "+20260105:")
    unz = f"UNZ+{len(orders_) if count is None else count}+R1'"
    return (unb + head + "".join(orders_) + tail + unz).encode()


def order(number: int, old: str = "", new: str = "") -> str:
    """One order, changed."""
    return ORDER.format(n=number).replace(old, new) if old else ORDER.format(n=number)


def answered(data: bytes, guides: Guides, version: int, **choices: bool) -> tuple[bytes, InterchangeReport]:
    """The CONTRL for a file, as bytes of its own interchange, read back by the engine with nothing found."""
    (one,) = acknowledge.stream(
        read(data, guides=guides),
        guides=guides,
        choices=Choices(**choices),  # type: ignore[arg-type]
    )
    writer = Syntax(version=version).writer()
    date = "20260105" if version >= REPETITION_FROM else "260105"
    unb = f"UNB+UNOC:{version}+5412345000013:14+4012345000009:14+{date}:0931+R9'"
    body = b"".join(acknowledge.written(acknowledge.enclosed(one, "1"), lambda piece: writer.write(piece, EdiPlace())))
    (answer,) = read_all(unb.encode() + body + b"UNZ+1+R9'", guides=guides)
    assert answer.findings == ()
    (message,) = answer.groups[0].messages
    assert message.findings == ()
    assert not acknowledge.wants_contrl(answer, agreed=True)
    return body, acknowledge.read_contrl(message)


@pytest.mark.parametrize("version", [3, 4])
def test_an_edifact_file_is_answered_message_by_message(guides: Guides, version: int) -> None:
    """One accepted, one with a missing segment and a wrong element, one with a wrong count, one in no guide."""
    orders_ = [
        order(1),
        order(2, "DTM+137:20260105:102'", "").replace("UNT+8", "UNT+7").replace("QTY+21:10", "QTY+21:ten"),
        order(3, "UNT+8", "UNT+9"),
        order(4, "ORDERS:", "IFTMIN:"),
    ]
    body, read_back = answered(edifact(*orders_, syntax=f"UNOC:{version}"), guides, version)
    assert read_back.control_number == "R1"
    assert [read_back.outcome_of(str(number)) for number in range(1, 5)] == ["7", "4", "4", "4"]
    assert body.decode().replace("'", "'\n").splitlines()[1:-1] == [
        "UCI+R1+4012345000009:14+5412345000013:14+7'",
        "UCM+2+ORDERS:D:96A:UN:EAN008+4'",
        "UCS+2+13'",
        "UCS+5'",
        "UCD+37+2:2'",
        "UCM+3+ORDERS:D:96A:UN:EAN008+4+29+UNT+2'",
        "UCM+4+IFTMIN:D:96A:UN:EAN008+4+14+UNH+3:1'",
    ]
    fates = reconcile({"": ["1", "2", "3", "4"]}, read_back).fates
    assert [fate.value for fate in fates.values()] == ["accepted", "rejected", "rejected", "rejected"]


def test_an_edifact_interchange_is_refused_by_its_trailer(guides: Guides) -> None:
    """UNZ counts three where one came."""
    body, read_back = answered(edifact(order(1), count=3), guides, 3)
    assert b"+4+29+UNZ+2'" in body
    assert read_back.outcome_of("1") == "4"


def test_edifact_groups_are_answered_one_by_one(guides: Guides) -> None:
    """A wrong UNE refuses its group only."""
    ung = "UNG+ORDERS+A+B+260105:0930+{g}+UN+D:96A'"
    groups = [ung.format(g=number) + order(number) + f"UNE+{count_}+{number}'" for number, count_ in ((1, 1), (2, 5))]
    body, read_back = answered(edifact(*groups), guides, 3)
    assert b"UCF+1+A+B+7'UCF+2+A+B+4+29+UNE+2'" in body
    assert [read_back.outcome_of("1", "1"), read_back.outcome_of("2", "2")] == ["7", "4"]
    assert reconcile({"1": ["1"], "2": ["2"]}, read_back).of(Fate.REJECTED) == (("2", "2"),)


# ---- memory

SETS = 20_000
REFUSED = 20
"""One set in so many is."""
MOST = 2 << 20
"""Bytes at the peak; the same for any number of sets, for 2,000 segments are written at once."""


def repeated(wrap: Wrap, guides: Guides, sets: int) -> Iterator[Event]:
    """The events of one group with two sets, a clean and a refused one, as if it had so many of them."""
    for event in x12.read(many(wrap, 2, every=2), guides=guides):
        if isinstance(event, Message):
            share = sets // REFUSED
            for number in range(share if event.findings else sets - share):
                yield replace(event, control_number=f"{number:06d}")
        elif isinstance(event, GroupEnd):
            yield replace(event, declared=sets, received=sets, accepted=sets - sets // REFUSED)
        else:
            yield event


def test_memory_does_not_grow_with_the_sets(wrap: Wrap, guides: Guides) -> None:
    """20,000 sets: kept in a file, answered in little more than a megabyte."""
    list(answers(repeated(wrap, guides, REFUSED), guides))
    size = 0
    with tempfile.SpooledTemporaryFile(max_size=1 << 16) as spill:
        tracemalloc.start()
        for one in acknowledge.stream(repeated(wrap, guides, SETS), guides=guides, spill=cast("BinaryIO", spill)):
            pieces = acknowledge.written(acknowledge.enclosed(one, "0001"), text)
            size += sum(map(len, pieces))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert size > SETS * len("AK2*855*000001\nAK5*A\n")
    assert peak < MOST
