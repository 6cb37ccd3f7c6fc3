"""Reading X12: the facts that peers got wrong, one by one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.edi import edifact, reading, x12
from gateway.edi.delimiters import repetition_of
from gateway.edi.interchange import Interchange
from gateway.edi.library import Guides, standard
from gateway.edi.tolerances import Tolerances
from gateway.edi.tree import Loop, Message, Segment, Verdict
from gateway.errors import PartnerFault

Wrap = Callable[..., bytes]
One = Callable[..., Interchange]
Read = Callable[..., Message]


def names(loop: Loop) -> list[object]:
    """A tree as nested tags."""
    return [child.tag if isinstance(child, Segment) else names(child) for child in loop.children]


def rules(message: Message) -> list[str]:
    """The rules that were broken."""
    return [one.rule for one in message.findings]


def test_loops_are_named_by_their_first_segment(wrap: Wrap, message: Read) -> None:
    """An 855: N1 and PO1 loops, ACK loops inside PO1, CTT a loop of its own."""
    read = message(wrap("855"))
    assert names(read.root) == ["BAK", ["N1"], ["PO1", ["ACK"], ["ACK"]], ["CTT"]]
    assert [child.name for child in read.root.children if isinstance(child, Loop)] == ["N1", "PO1", "CTT"]
    assert (read.type, read.version, read.control_number, read.segments) == ("855", "004010", "0001", 8)


def test_hl_loops_nest_by_hl02_not_by_order(wrap: Wrap, message: Read, bodies: dict[str, list[str]]) -> None:
    """The same tree although the pack comes before its order; the totals stay at the end."""
    assert names(message(wrap("856")).root) == [
        "BSN",
        ["HL", ["HL", "PRF", ["HL", "MAN", ["HL", "LIN", "SN1"]]]],
        "CTT",
    ]
    body = bodies["856"]
    shuffled = [body[0], body[1], *body[4:6], *body[2:4], *body[6:]]
    read = message(wrap("856", shuffled))
    assert names(read.root) == ["BSN", ["HL", ["HL", "PRF", ["HL", "MAN", ["HL", "LIN", "SN1"]]]], "CTT"]
    assert read.outcome is Verdict.ACCEPTED


def test_positions_count_st_as_one_and_offsets_are_bytes(wrap: Wrap, message: Read) -> None:
    """Whatever follows the terminators."""
    for newline in ("", "\n", "\r\n"):
        data = wrap("855", newline=newline)
        first = message(data).root.children[0]
        assert isinstance(first, Segment)
        assert (first.position, data[first.offset : first.offset + 4]) == (2, b"BAK*")


@pytest.mark.parametrize("terminator", ["~", "\n", "\r", "\x1c", "'", "!"])
def test_the_terminator_is_whatever_the_isa_says(wrap: Wrap, message: Read, terminator: str) -> None:
    """Also LF, CR and control bytes."""
    assert message(wrap("855", terminator=terminator)).findings == ()


def test_crlf_after_a_cr_terminator_is_no_data(wrap: Wrap, message: Read) -> None:
    """Lines that end in CR LF, with CR as the terminator."""
    assert message(wrap("855", terminator="\r", newline="\n")).findings == ()


def test_the_last_terminator_may_be_missing(wrap: Wrap, one: One) -> None:
    """Legal, not even noted."""
    read = one(wrap("855")[:-1])
    assert (read.outcome, read.findings) == (Verdict.ACCEPTED, ())


def test_leading_and_trailing_filler_is_noted_not_refused(wrap: Wrap, one: One) -> None:
    """BOM, blanks, line breaks before; 0x1A and NUL behind."""
    read = one(b"\xef\xbb\xbf \r\n" + wrap("855") + b"\r\n\x1a\x00")
    assert read.outcome is Verdict.ACCEPTED
    assert [found.rule for found in read.findings] == ["edi.file.leading_bytes", "edi.file.trailing_bytes"]


def test_isa_in_the_data_is_no_envelope(wrap: Wrap, message: Read) -> None:
    """Only after a terminator does a tag begin."""
    body = ["BAK*00*AC*ISA*20260102", "REF*ZZ*GS*IEA", "PO1*1*1*EA***VN*SE"]
    read = message(wrap("855", body))
    assert (rules(read), read.segments) == ([], 5)


def test_several_interchanges_with_their_own_delimiters(wrap: Wrap, guides: Guides) -> None:
    """Each ISA declares its own."""
    other = wrap("850").replace(b"*", b"|").replace(b"~", b"\n")
    read = x12.read_all(wrap("855") + b"\n" + other + wrap("856"), guides=guides)
    assert [one.groups[0].messages[0].type for one in read] == ["855", "850", "856"]
    assert [one.outcome for one in read] == [Verdict.ACCEPTED] * 3


def test_an_interchange_without_iea_ends_where_the_next_begins(wrap: Wrap, guides: Guides) -> None:
    """The next one is not lost."""
    first = wrap("855").replace(b"IEA*1*000000001~", b"")
    read = x12.read_all(first + wrap("850"), guides=guides)
    assert [one.outcome for one in read] == [Verdict.REJECTED, Verdict.ACCEPTED]
    assert read[0].groups[0].messages[0].outcome is Verdict.REJECTED


def test_versions_are_mixed_by_group(wrap: Wrap, one: One) -> None:
    """GS08 decides; what follows the first six characters names an industry."""
    assert one(wrap("855", version="004010VICS")).outcome is Verdict.ACCEPTED
    read = one(wrap("855", version="004060"))
    assert read.groups[0].messages[0].findings[0].codes.ak502 == "1"


def test_ta1_stands_before_the_groups_or_alone(wrap: Wrap, one: One) -> None:
    """IEA01 counts groups; that many count a lone TA1 there is only noted."""
    ta1 = b"TA1*000000044*260104*1200*A*000~"
    data = wrap("855")
    read = one(data[:106] + ta1 + data[106:])
    assert (read.outcome, len(read.tas), len(read.groups)) == (Verdict.ACCEPTED, 1, 1)
    for count in (b"0", b"1"):
        alone = one(data[:106] + ta1 + b"IEA*" + count + b"*000000001~")
        assert (alone.outcome, len(alone.tas), alone.groups) == (Verdict.ACCEPTED, 1, ())


def test_counts_and_pairs_are_findings_at_their_level(wrap: Wrap, one: One) -> None:
    """SE01 and SE02 refuse the set, GE the group, IEA the interchange."""
    data = wrap("855")
    assert one(data.replace(b"SE*8*", b"SE*9*")).groups[0].messages[0].findings[0].codes.ak502 == "4"
    assert one(data.replace(b"*0001~GE", b"*0002~GE")).groups[0].messages[0].findings[0].codes.ak502 == "3"
    assert one(data.replace(b"GE*1*", b"GE*2*")).groups[0].findings[0].codes.ak905 == "5"
    assert one(data.replace(b"GE*1*7", b"GE*1*8")).groups[0].findings[0].codes.ak905 == "4"
    assert one(data.replace(b"IEA*1*", b"IEA*2*")).findings[0].codes.ta105 == "021"
    assert one(data.replace(b"IEA*1*000000001", b"IEA*1*000000002")).findings[0].codes.ta105 == "001"


def test_dropped_zeros_in_control_numbers_are_a_tolerance(wrap: Wrap, one: One) -> None:
    """Strings by the standard, numbers where the agreement says so."""
    data = wrap("855").replace(b"IEA*1*000000001", b"IEA*1*1").replace(b"SE*8*0001", b"SE*8*1")
    assert one(data).outcome is Verdict.REJECTED
    assert one(data, tolerances=Tolerances(control_number_zeros=True)).outcome is Verdict.ACCEPTED


def test_collapsed_isa_padding_is_named_and_tolerated(wrap: Wrap, one: One) -> None:
    """The finding says which element and how wide; under the tolerance it is a note."""
    data = wrap("855").replace(b"SUPPLIER       ", b"SUPPLIER").replace(b"DISTRIBUTOR    ", b"DISTRIBUTOR")
    read = one(data)
    assert (read.outcome, read.sender, read.receiver) == (Verdict.REJECTED, "SUPPLIER", "DISTRIBUTOR")
    assert "ISA06 with 15 characters, not 8" in read.findings[0].text
    tolerated = one(data, tolerances=Tolerances(collapsed_isa=True))
    assert (tolerated.outcome, len(tolerated.findings)) == (Verdict.ACCEPTED, 1)


def test_wrapped_lines_are_a_tolerance(wrap: Wrap, one: One) -> None:
    """An 80-column file, its ISA wrapped too."""
    data = wrap("855")
    wrapped = b"\r\n".join(data[i : i + 80] for i in range(0, len(data), 80))
    read = one(wrapped)
    assert read.outcome is Verdict.REJECTED
    assert "edi.segment.line_break" in {found.rule for found in read.findings}
    assert one(wrapped, tolerances=Tolerances(wrapped_lines=True)).outcome is Verdict.ACCEPTED


def test_indentation_is_one_finding_or_a_tolerance(wrap: Wrap, one: One, bodies: dict[str, list[str]]) -> None:
    """One cause, one finding per level, although every segment is indented."""
    data = wrap("855", ["\t" + segment for segment in bodies["855"]], newline="\n")
    read = one(data)
    assert [found.rule for found in read.groups[0].messages[0].findings] == ["edi.segment.indented"]
    assert one(data, tolerances=Tolerances(indented_segments=True)).outcome is Verdict.ACCEPTED


def test_binary_payload_may_hold_delimiters(wrap: Wrap, message: Read) -> None:
    """The length element counts bytes; the segments behind it are found."""
    payload = "a~SE*1*0001~b*c"
    body = ["BEG*00*SA*PO-1**20260102", f"BIN*{len(payload)}*{payload}", "PO1*1*1*EA"]
    read = message(wrap("850", body))
    assert (rules(read), read.segments) == (["edi.segment.not_in_set"], 5)


def test_one_missing_loop_start_is_one_finding(wrap: Wrap, message: Read, bodies: dict[str, list[str]]) -> None:
    """The segments of the loop are taken all the same, and the rest is read as if nothing had happened."""
    body = bodies["850"]
    read = message(wrap("850", [body[0], "N3*1 Dock Road", "N4*Hull**HU1 1AA*GB", *body[2:]]))
    assert rules(read) == ["edi.segment.loop_start_missing"]
    assert names(read.root) == ["BEG", ["N3", "N4"], ["PO1"], ["CTT"]]


def test_a_segment_out_of_sequence_is_one_finding(wrap: Wrap, message: Read, bodies: dict[str, list[str]]) -> None:
    """The walk goes on from where the segment belongs; nothing else is missing because of it."""
    body = bodies["855"]
    read = message(wrap("855", [*body[:2], "REF*IA*4711", "DTM*010*20260101", *body[2:]]))
    # A REF may stand in the N1 loop; the DTM belongs to the head, and what follows to its line.
    assert rules(read) == ["edi.segment.out_of_sequence"]
    assert names(read.root) == ["BAK", ["N1", "REF"], "DTM", ["PO1", ["ACK"], ["ACK"]], ["CTT"]]
    read = message(wrap("855", [*body, "CUR*BY*USD"]))
    assert rules(read) == ["edi.segment.out_of_sequence"]


def test_letters_outside_ascii_count_as_characters(wrap: Wrap, message: Read) -> None:
    """Sixty letters fit N102, however many bytes they take; a wrong byte is a finding at its offset."""
    name = "ü" * 60
    body = ["BAK*00*AC*PO-1*20260102", f"N1*SE*{name}", "PO1*1*1*EA"]
    read = message(wrap("855", body))
    assert rules(read) == []
    party = read.root.children[1]
    assert isinstance(party, Loop)
    assert party.children[0] == Segment("N1", ["SE", name])
    latin = wrap("855", body).decode().encode("latin-1")
    (found,) = message(latin).findings
    assert found.rule == "edi.element.charset"
    assert message(latin, charset="latin-1").findings == ()


def test_the_repetition_separator_exists_from_00402_on_only() -> None:
    """`U`, `V`, letters and blanks are none."""
    assert repetition_of("^", "00501") == "^"
    for isa11, isa12 in (("^", "00401"), ("U", "00501"), (" ", "00501")):
        assert repetition_of(isa11, isa12) is None


def test_chunks_of_any_size_read_alike(wrap: Wrap, guides: Guides) -> None:
    """A stream is a file."""
    data = wrap("856", newline="\n") + wrap("855")
    whole = x12.read_all(data, guides=guides)
    for size in (1, 7, 64, 1000):
        assert x12.read_all((data[i : i + size] for i in range(0, len(data), size)), guides=guides) == whole


def test_what_is_no_x12_says_what_was_seen(guides: Guides) -> None:
    """Byte 0, what stands there, what was expected."""
    for data in (b"", b"UNB+UNOA:3", b"\x00\xff" * 40, b"{}", b"   "):
        with pytest.raises(PartnerFault) as fault:
            x12.read_all(data, guides=guides)
        assert [found.rule for found in fault.value.findings] == ["edi.file.not_x12"]
        assert "ISA" in str(fault.value)


def test_closed_codes_are_the_partner_s_choice(wrap: Wrap, message: Read, guides: Guides) -> None:
    """Open by default; a guide closed for the partner refuses what it does not list."""
    data = wrap("855")
    assert message(data).outcome is Verdict.ACCEPTED
    closed = guides.closing("855", {"ACK01": ("IA", "IR")})
    (read,) = x12.read_all(data, guides=closed)
    (found,) = read.groups[0].messages[0].findings
    assert (found.rule, found.said, found.codes.ak403) == ("edi.element.code", '"IB"', "7")
    with pytest.raises(ValueError, match="ACK99"):
        guides.closing("855", {"ACK99": ("X",)})


def test_ten_thousand_levels_are_findings_not_a_crash(wrap: Wrap, message: Read) -> None:
    """HL chains are walked without recursion; so are cycles."""
    chain = ["BSN*00*SH-1*20260110*1200", "HL*1**S", *(f"HL*{i}*{i - 1}*P" for i in range(2, 10_001))]
    read = message(wrap("856", chain))
    assert set(rules(read)) == {"edi.hl.too_deep", "edi.message.too_many_findings"}
    ring = ["BSN*00*SH-1*20260110*1200", *(f"HL*{i}*{i % 5000 + 1}*P" for i in range(1, 5001))]
    assert "edi.hl.cycle" in rules(message(wrap("856", ring)))


def test_many_notes_never_refuse_a_set_and_many_faults_end_its_reading(wrap: Wrap, message: Read) -> None:
    """Notes beyond the limit are dropped; a hopeless set is given up, its segments still counted."""
    noted = message(wrap("855", ["BAK*00*AC*PO-1*20260102", *["REF*ZZ*1**"] * 300]))
    assert (noted.outcome, len(noted.findings)) == (Verdict.ACCEPTED, 100)
    hopeless = message(wrap("855", ["BAK*00*AC*PO-1*20260102", *["QQ*1"] * 5000]))
    assert (hopeless.outcome, len(hopeless.findings), hopeless.segments) == (Verdict.REJECTED, 101, 5003)


def test_a_reader_of_edifact_alone_refuses_x12_in_words() -> None:
    """edi.file.not_edifact, at the beginning and behind EDIFACT: never skipped in silence."""
    message = b"UNH+1+ORDERS:D:96A:UN'BGM+220+1'DTM+137:20260302:102'UNS+S'UNT+5+1'"
    orders = b"UNB+UNOC:3+A:14+B:14+260302:0800+1'" + message + b"UNZ+1+1'"
    isa = b"ISA*00*          *00*"
    for payload, read in ((isa, 0), (orders + isa, 1)):
        whole = edifact.READER.read_whole(payload, guides=standard())
        assert len(whole.interchanges) == read
        assert whole.fault is not None
        assert [found.rule for found in whole.fault.findings] == ["edi.file.not_edifact"]


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"ISA*00", "x12"),
        (b"\r\n\xef\xbb\xbfUNB+UNOC", "edifact"),
        (b"UNA:+.? '", "edifact"),
        (b"<x/>", None),
        (b"", None),
    ],
)
def test_standard_of_a_file_is_that_of_its_first_interchange(payload: bytes, said: str | None) -> None:
    """Filler before it does not count."""
    assert reading.standard_at(payload) == said
