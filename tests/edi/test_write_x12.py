"""X12 written in any version: repeats, several groups, records of 80 bytes; read back by the engine."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.edi import write, x12
from gateway.edi.delimiters import EDIFACT, STANDARD, Delimiters
from gateway.edi.interchange import Interchange
from gateway.edi.library import Guides, parse_guide, parse_segments, standard
from gateway.edi.tolerances import Tolerances
from gateway.edi.tree import Element, Loop, Repeats, Segment
from gateway.edi.write import Group, Outgoing
from gateway.errors import OurFault, PartnerFault

SEGMENTS = b"""
composites:
  C040: [M ID 2/3 128 kind, M AN 1/30 127 number]
segments:
  BEG:
    label: begin
    elements: [M ID 2/2 353 purpose, M ID 2/2 92 kind, M AN 1/22 324 number, O AN 1/30 328 release, M DT 8/8 373 date]
  QTY:
    label: quantities
    elements: [M ID 2/2 673 kind, O AN 1/30 127 x5 codes, O C040 x* references]
"""
GUIDE = b"""
message: "850"
group: PO
label: Purchase order
segments: [BEG M, QTY *]
"""
VERSIONS = ("003040", "004010", "004020", "005010", "008010VICS")
WITH_REPEATS = Delimiters(repetition="^")


def guides() -> Guides:
    """The package's, and a small 850 of each version whose elements repeat."""
    specs = parse_segments(SEGMENTS, "segments")
    known = standard()
    for version in VERSIONS:
        known = known.with_guide(parse_guide(GUIDE, specs, version[:6], "850"))
    return known


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
        "functional_id": "PO",
        "at": datetime(2026, 1, 5, 9, 30, 15, tzinfo=UTC),
    }
    return write.Envelope(**{**values, **changes})  # type: ignore[arg-type]


def order(*elements: object, number: int = 1, **changes: str) -> Outgoing:
    """An 850 whose QTY has these elements."""
    children: list[Segment | Loop] = [Segment("BEG", ["00", "SA", "PO-1", "", "20260102"])]
    if elements:
        children.append(Segment("QTY", ["01", *elements]))  # type: ignore[list-item]
    return Outgoing(type="850", control_number=number, root=Loop("", children), **changes)


def read(data: bytes, tolerances: Tolerances | None = None) -> Interchange:
    """The interchange in these bytes."""
    (one,) = x12.read_all(data, guides=guides(), tolerances=tolerances)
    return one


def found_in(one: Interchange) -> list[str]:
    """Every rule that was broken; that the package has no guide of a version is no fault of the bytes."""
    found = [*one.findings, *(each for group in one.groups for each in group.findings)]
    found += [each for group in one.groups for message in group.messages for each in message.findings]
    return [each.rule for each in found if each.rule != "edi.group.version"]


def rules(fault: PartnerFault) -> list[tuple[str, str]]:
    """Rule and place of each finding."""
    return [(one.rule, str(one.place)) for one in fault.findings]


def test_repeats_stand_between_repetition_separators() -> None:
    """005010: ISA11 names the separator; composites repeat too; empty ones at the end are cut."""
    repeated = order(Repeats(("A", "B", "")), Repeats((("AA", "1"), ("BB", "2"))))
    data = write.write_interchange(envelope(version="005010"), [repeated])
    assert b"*0930*^*00501*000000005*" in data
    assert b"~QTY*01*A^B*AA>1^BB>2~SE*4*0001~" in data
    other = envelope(version="005010", delimiters=Delimiters(repetition="!"))
    assert b"~QTY*01*A!B*AA>1!BB>2~" in write.write_interchange(other, [repeated])


def test_repeats_written_are_repeats_read() -> None:
    """005010: text and composites, read(write(tree)) = tree, without a finding."""
    message = order(Repeats(("A", "B")), Repeats((("AA", "1"), ("BB", "2"))))
    one = read(write.write_interchange(envelope(version="005010"), [message]))
    assert one.groups[0].messages[0].root == message.root
    assert found_in(one) == []


def test_repeats_before_00402_are_refused() -> None:
    """There is no separator, whatever the delimiters name; the place is told."""
    repeated = order("ok", Repeats(("A", "B")))
    for delimiters in (STANDARD, WITH_REPEATS):
        with pytest.raises(PartnerFault) as fault:
            write.write_interchange(envelope(delimiters=delimiters), [repeated])
        assert rules(fault.value) == [("edi.write.repetition", "set 0001, segment 3 QTY, element 03")]


def test_a_repetition_separator_in_data_is_refused_only_where_there_is_one() -> None:
    """`^` is data in 004010 and a delimiter in 005010."""
    assert b"*A^B~" in write.write_interchange(envelope(delimiters=WITH_REPEATS), [order("A^B")])
    with pytest.raises(PartnerFault) as fault:
        write.write_interchange(envelope(version="005010"), [order("A^B")])
    assert rules(fault.value) == [("edi.write.delimiter", "set 0001, segment 3 QTY, element 02")]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_interchange_of_any_version_is_read_back(version: str) -> None:
    """ISA12 and ISA11 by the version, GS04 with six digits before 004010."""
    data = write.write_interchange(envelope(version=version), [order("A", ("AA", "1"))])
    separator = "^" if version >= "00402" else "U"
    assert f"*{separator}*{version[:5]}*".encode() in data
    assert (b"*260105*0930*6*X*" if version < "004010" else b"*20260105*0930*6*X*") in data
    assert found_in(read(data)) == []


def test_what_was_read_is_written_again() -> None:
    """write(read(bytes)) = bytes, with every element that ISA and GS may say."""
    chosen = envelope(
        version="005010",
        authorization=("03", "AUTH"),
        security=("01", "SECRET"),
        group_seconds=True,
        agency="T",
        newline="\n",
    )
    data = write.write_interchange(chosen, [order("A", ("AA", "1"), convention="005010X217")])
    assert data.startswith(b"ISA*03*AUTH      *01*SECRET    *ZZ*DISTRIBUTOR    *ZZ*SUPPLIER       *260105*0930*^*")
    assert b"GS*PO*DISTRIBUTOR*SUPPLIER*20260105*093015*6*T*005010~\nST*850*0001*005010X217~\n" in data
    one = read(data)
    assert found_in(one) == []
    again = Outgoing(type="850", control_number="0001", root=one.groups[0].messages[0].root, convention="005010X217")
    assert write.write_interchange(chosen, [again]) == data


def test_several_groups_stand_in_one_interchange() -> None:
    """The envelope's own group first; the others say what differs; IEA01 counts."""
    other = Group(functional_id="PO", control_number=7, messages=[order(), order(number=2)], sender="PURCHASING")
    older = Group(functional_id="PO", control_number=8, messages=[order()], version="004010")
    data = write.write_interchange(envelope(version="005010"), [order()], groups=[other, older])
    assert b"GE*1*6~GS*PO*PURCHASING*SUPPLIER*20260105*0930*7*X*005010~" in data
    assert b"GE*2*7~GS*PO*DISTRIBUTOR*SUPPLIER*20260105*0930*8*X*004010~" in data
    assert data.endswith(b"GE*1*8~IEA*3*000000005~")
    one = read(data)
    assert [(group.control_number, len(group.messages)) for group in one.groups] == [("6", 1), ("7", 2), ("8", 1)]
    assert found_in(one) == []
    only = write.write_interchange(envelope(version="005010"), groups=[other])
    assert only.endswith(b"GE*2*7~IEA*1*000000005~")


def test_a_group_that_does_not_fit_is_named_with_its_number() -> None:
    """GS01, GS02, GS06, GS08 of a further group."""
    wrong = Group(functional_id="P", control_number=0, messages=[order()], sender="S*", version="5")
    with pytest.raises(PartnerFault) as fault:
        write.write_interchange(envelope(), groups=[wrong])
    assert [place for _, place in rules(fault.value)] == [
        "interchange 000000005, group 0, segment GS, element 01",
        "interchange 000000005, group 0, segment GS, element 02",
        "interchange 000000005, group 0, segment GS, element 08",
        "interchange 000000005, group 0, segment GS, element 06",
    ]


@pytest.mark.parametrize("newline", ["", "\r\n"])
def test_records_of_80_bytes_are_read_under_their_tolerance(newline: str) -> None:
    """Lines break anywhere, in the ISA too; joined again they are the same bytes."""
    messages = [order("Größe " + "x" * 20, ("AA", str(number)), number=number) for number in range(1, 9)]
    whole = write.write_interchange(envelope(version="005010"), messages)
    data = write.write_interchange(envelope(version="005010", wrap=80, newline=newline), messages)
    lines = data.split(newline.encode() or b"\n")
    assert lines.pop() == b""
    assert {len(line) for line in lines[:-1]} == {80}
    assert b"".join(lines) == whole
    one = read(data, tolerances=Tolerances(wrapped_lines=True))
    assert set(found_in(one)) == {"edi.segment.line_break"}
    assert [message.root for group in one.groups for message in group.messages] == [one.root for one in messages]
    with pytest.raises(OurFault):
        write.write_interchange(envelope(wrap=39), messages)


def test_values_of_the_isa_that_do_not_fit_are_named() -> None:
    """Authorization, security, implementation convention."""
    with pytest.raises(PartnerFault) as fault:
        write.write_interchange(envelope(authorization=("3", "A" * 11), security=("01", "a*b")), [order()])
    assert [place.rpartition("segment ")[2] for _, place in rules(fault.value)] == [
        "ISA, element 01",
        "ISA, element 02",
        "ISA, element 04",
    ]
    with pytest.raises(PartnerFault) as fault:
        write.write_interchange(envelope(), [order(convention="A" * 36)])
    assert rules(fault.value) == [("edi.write.envelope", "set 0001, segment ST, element 03")]


def test_delimiters_that_cannot_be_are_our_fault() -> None:
    """The repetition separator among them; a repetition separator of the wrong version is left out."""
    for repetition in ("*", "A", " ", "é", "^^"):
        with pytest.raises(OurFault):
            write.write_interchange(envelope(version="005010", delimiters=Delimiters(repetition=repetition)), [order()])
    caret = envelope(version="005010", delimiters=Delimiters(element="^"))
    assert b"^!^00501^" in write.write_interchange(caret, [order()])


def test_fitting_delimiters_look_into_repeats_and_choose_four() -> None:
    """Repetition where the version has one or it was asked for; what has a release is left as it is."""
    values: list[Element] = ["a*b", ("c>", "d"), Repeats(("^", ("~", "e")))]  # type: ignore[list-item]
    root = Loop("", [Segment("QTY", values)])
    assert write.fitting_delimiters([root]) == Delimiters(element="|", component=":", segment="'")
    four = Delimiters(element="|", component=":", segment="'", repetition="!")
    assert write.fitting_delimiters([root], version="005010") == four
    assert write.fitting_delimiters([root], WITH_REPEATS) == four
    assert write.fitting_delimiters([root], EDIFACT) is EDIFACT
    chosen = envelope(version="005010", delimiters=write.fitting_delimiters([root], version="005010"))
    data = write.write_interchange(chosen, [Outgoing(type="850", control_number=1, root=root)])
    assert b"'QTY|a*b|c>:d|^!~:e'" in data
    with pytest.raises(PartnerFault) as fault:
        write.fitting_delimiters([Loop("", [Segment("MSG", ["*|^\x1d"])])])
    assert [one.rule for one in fault.value.findings] == ["edi.write.delimiter"]


def test_sets_by_themselves_know_repeats_by_their_delimiters() -> None:
    """write_message has no version: the separator decides."""
    root = order(Repeats(("A", "B"))).root
    assert b"~QTY*01*A^B~" in write.write_message("850", 1, root, WITH_REPEATS)
    with pytest.raises(PartnerFault):
        write.write_message("850", 1, root)


texts = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cn"]) | st.sampled_from("*>~^|:'!\\%"), min_size=1, max_size=12
)


@given(st.lists(texts, min_size=1, max_size=2), st.sampled_from(["004010", "005010"]))
@settings(max_examples=150, deadline=None)
def test_any_text_is_written_with_delimiters_that_fit_and_read_back(elements: list[str], version: str) -> None:
    """read(write(tree)) = tree for whatever is no control character; with the usual delimiters it may be refused."""
    message = order(*elements)
    fitting = write.fitting_delimiters([message.root], version=version)
    data = write.write_interchange(envelope(version=version, delimiters=fitting), [message])
    assert read(data).groups[0].messages[0].root == message.root
    usual = WITH_REPEATS if version >= "00402" else STANDARD
    held = set("".join(elements)) & set(usual.all)
    if held:
        with pytest.raises(PartnerFault) as fault:
            write.write_interchange(envelope(version=version), [message])
        assert {rule for rule, _ in rules(fault.value)} == {"edi.write.delimiter"}
    else:
        assert fitting == usual
