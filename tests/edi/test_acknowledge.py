"""Acknowledgments: composed from verdicts, read back into the same facts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gateway.edi import acknowledge, write, x12
from gateway.edi.interchange import Interchange
from gateway.edi.library import Guides
from gateway.edi.tree import Loop, Message

Wrap = Callable[..., bytes]
One = Callable[..., Interchange]

SETS = "ST*855*0001~{}SE*{}*0001~"


def two_sets(wrap: Wrap, bodies: dict[str, list[str]], second: bytes = b"*EA*2.50") -> bytes:
    """A group of two 855s, the second changed."""
    data = wrap("855")
    inner = data[data.index(b"ST*") : data.index(b"GE*")]
    other = inner.replace(b"*0001~", b"*0002~").replace(b"*EA*2.50", second)
    return data.replace(inner, inner + other).replace(b"GE*1*", b"GE*2*")


def envelope(**changes: object) -> write.Envelope:
    """Who we are, in the tests."""
    values: dict[str, object] = {
        "sender_qualifier": "ZZ",
        "sender": "DISTRIBUTOR",
        "receiver_qualifier": "ZZ",
        "receiver": "SUPPLIER",
        "group_sender": "DISTRIBUTOR",
        "group_receiver": "SUPPLIER",
        "control_number": 5,
        "group_control_number": 6,
        "functional_id": "FA",
        "at": datetime(2026, 1, 5, 9, 30, tzinfo=UTC),
    }
    return write.Envelope(**{**values, **changes})  # type: ignore[arg-type]


def answer(interchange: Interchange, guides: Guides) -> Message:
    """The 997 for the first group, written and read again."""
    root = acknowledge.compose_997(interchange.groups[0], guides=guides)
    assert root is not None
    data = write.write_interchange(envelope(), [write.Outgoing(type="997", control_number=1, root=root)])
    (read,) = x12.read_all(data, guides=guides)
    return read.groups[0].messages[0]


def test_a_rejection_names_segment_and_element(wrap: Wrap, one: One, guides: Guides) -> None:
    """PO102 is no number: set, segment, position, element, dictionary number, code, copy."""
    data = wrap("855").replace(b"PO1*1*10*", b"PO1*1*ten*")
    read = acknowledge.read_997(answer(one(data), guides))
    assert (read.functional_id, read.group_control_number, read.outcome) == ("PR", "7", "R")
    (answered,) = read.sets
    assert (answered.type, answered.control_number, answered.outcome, answered.codes) == ("855", "0001", "R", ("5",))
    (segment,) = answered.errors
    assert (segment.tag, segment.position, segment.code) == ("PO1", 4, "8")
    (element,) = segment.elements
    assert (element.element, element.number, element.code, element.said) == (2, "330", "6", "ten")


def test_partly_accepted_groups_say_p(wrap: Wrap, one: One, guides: Guides, bodies: dict[str, list[str]]) -> None:
    """One set of two refused: P, and each set has its verdict."""
    read = acknowledge.read_997(answer(one(two_sets(wrap, bodies, b"*DOZEN*2.50")), guides))
    assert (read.outcome, read.included, read.received, read.accepted) == ("P", 2, 2, 1)
    assert [(each.control_number, each.outcome) for each in read.sets] == [("0001", "A"), ("0002", "R")]
    assert read.outcome_of("0001") == "A"
    assert read.outcome_of("2") == "R"


def test_an_acknowledgment_is_never_acknowledged(wrap: Wrap, one: One, guides: Guides) -> None:
    """Not even a broken one."""
    for data in (wrap("997"), wrap("997", ["AK1*PO", "AK9*Z"])):
        assert acknowledge.compose_997(one(data).groups[0], guides=guides) is None


def test_an_unknown_set_is_rejected_not_ignored(wrap: Wrap, one: One, guides: Guides) -> None:
    """AK502 1."""
    data = wrap("855").replace(b"ST*855*", b"ST*940*")
    read = acknowledge.read_997(answer(one(data), guides))
    assert [(each.type, each.outcome, each.codes) for each in read.sets] == [("940", "R", ("1",))]


@pytest.mark.parametrize(
    ("old", "new", "asked", "due", "verdict"),
    [
        (b"*0*T*", b"*0*T*", False, False, "A000"),
        (b"*0*T*", b"*1*T*", True, True, "A000"),
        (b"IEA*1*", b"IEA*3*", False, True, "R021"),
        (b"*260105*0930*U*", b"*260105*2930*U*", False, True, "R015"),
    ],
)
def test_a_ta1_is_due_when_asked_or_when_the_envelope_fails(
    wrap: Wrap, one: One, old: bytes, new: bytes, *, asked: bool, due: bool, verdict: str
) -> None:
    """ISA14, or a finding in the envelope."""
    interchange = one(wrap("855").replace(old, new, 1))
    assert interchange.ack_requested is asked
    assert acknowledge.wants_ta1(interchange) is due
    read = acknowledge.read_ta1(acknowledge.compose_ta1(interchange))
    assert (read.control_number, read.date, read.outcome + read.code) == ("000000001", "260105", verdict)


def test_a_refused_envelope_gets_no_997(wrap: Wrap, one: One) -> None:
    """The TA1 has said it all."""
    good, bad = one(wrap("855")), one(wrap("855").replace(b"IEA*1*", b"IEA*3*"))
    assert acknowledge.wants_997(good, good.groups[0])
    assert not acknowledge.wants_997(bad, bad.groups[0])


def test_a_ta1_alone_is_an_interchange(wrap: Wrap, one: One, guides: Guides) -> None:
    """No group; IEA01 is 0."""
    segment = acknowledge.compose_ta1(one(wrap("855")))
    data = write.write_interchange(envelope(), acknowledgments=[segment])
    assert data.endswith(b"~TA1*000000001*260105*0930*A*000~IEA*0*000000005~")
    read = one(data)
    assert (read.groups, len(read.tas), read.findings) == ((), 1, ())


def test_the_envelope_is_byte_stable_and_counts(
    wrap: Wrap, bodies: dict[str, list[str]], one: One, guides: Guides
) -> None:
    """Every byte of ISA, GS, GE, IEA; other versions have a repetition separator."""
    root = one(wrap("855")).groups[0].messages[0].root
    out = [write.Outgoing(type="855", control_number=3, root=root)]
    data = write.write_interchange(envelope(functional_id="PR", test=True, ack_requested=True), out)
    assert data.startswith(
        b"ISA*00*          *00*          *ZZ*DISTRIBUTOR    *ZZ*SUPPLIER       *260105*0930*U*00401*000000005*1*T*>~"
        b"GS*PR*DISTRIBUTOR*SUPPLIER*20260105*0930*6*X*004010~ST*855*0003~BAK*00*AC*PO-7001*20260102~"
    )
    assert data.endswith(b"CTT*1~SE*8*0003~GE*1*6~IEA*1*000000005~")
    assert data == write.write_interchange(envelope(functional_id="PR", test=True, ack_requested=True), out)
    assert b"*^*00501*" in write.write_interchange(envelope(version="005010"), out)


def test_envelope_values_that_do_not_fit_are_all_named() -> None:
    """One refusal, every place."""
    with pytest.raises(write.PartnerFault) as fault:
        write.write_interchange(envelope(sender="A" * 16, receiver="B*C", control_number=10**9))
    places = [str(found.place) for found in fault.value.findings]
    assert [place.rpartition("segment ")[2] for place in places] == [
        "ISA, element 06",
        "ISA, element 08",
        "ISA, element 13",
    ]


def test_an_empty_997_cannot_be_read() -> None:
    """No AK1, no AK9."""
    with pytest.raises(write.PartnerFault):
        acknowledge.read_997(Message(type="997", version="004010", control_number="0001", root=Loop("", [])))
