"""Hostile files: each gives a finding with its byte offset, in little memory and in time that grows with its size only.

Times are compared with what a quadratic reader would need, which is minutes: a slow machine does not fail a test.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat

import pytest

from gateway.edi import reading, segments
from gateway.edi.delimiters import EDIFACT, EDIFACT_4, STANDARD, Delimiters
from gateway.edi.grammar import compile_message
from gateway.edi.guide import Guide, SegmentSpec
from gateway.edi.interchange import Event
from gateway.edi.library import Guides, standard
from gateway.edi.patterns import compile_segment
from gateway.edi.tolerances import Limits
from gateway.edi.tree import Message
from gateway.errors import OurFault, PartnerFault
from gateway.findings import EdiPlace, Finding

Wrap = Callable[..., bytes]
MIB = 1 << 20
UNB = b"UNB+UNOC:3+SUPPLIER+GATEWAY+260101:1200+R1'"
ORDERS = UNB + b"UNH+1+ORDERS:D:96A:UN'BGM+220+1+9'DTM+137:20260105:102'%bUNT+4+1'UNZ+1+R1'"
SOON = 20.0
"""Seconds of CPU that a linear reader never needs for these files, and a quadratic one exceeds many times."""


def read(source: bytes | Iterable[bytes], **options: Limits) -> tuple[list[Event], list[Finding]]:
    """All events, and all findings, those of the fault that ended it last."""
    events: list[Event] = []
    found: list[Finding] = []
    try:
        for event in reading.read(source, guides=standard(), **options):  # type: ignore[arg-type]
            events.append(event)
            found += getattr(event, "findings", ())
    except PartnerFault as fault:
        found += fault.findings or pytest.fail("a fault without a finding")
    return events, found


def placed(found: Iterable[Finding]) -> bool:
    """Whether each finding says at which byte it is."""
    return all(isinstance(one.place, EdiPlace) and one.place.offset is not None for one in found)


@pytest.mark.parametrize("data", [b"", b"\x00" * 5000, bytes(range(256)) * 40, b"\xff\xfe" * 3000, b"PK\x03\x04" * 99])
def test_what_is_no_file_of_edi_is_one_finding_with_its_offset(data: bytes) -> None:
    """Empty, binary, an archive."""
    events, found = read(data)
    assert (events, [one.rule for one in found]) == ([], ["edi.file.unreadable"])
    assert placed(found)


def test_a_segment_of_two_gigabytes_is_refused_before_it_is_held(wrap: Wrap) -> None:
    """It comes from a generator; reading stops after a few MiB of it, whether it has a tag or none."""
    taken = 0

    def endless(head: bytes) -> Iterator[bytes]:
        nonlocal taken
        yield head
        for chunk in repeat(b"A" * MIB, 2048):
            taken += len(chunk)
            yield chunk

    heads = [wrap("850")[:200], b"ISA*", ORDERS[:90], UNB, b"UNB+UNOC:3", wrap("850")[:180] + b"ST*850*", UNB + b"UNH+"]
    for head in heads:
        taken = 0
        tracemalloc.start()
        _, found = read(endless(head))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert found[-1].rule in {"edi.segment.too_long", "edi.isa.widths", "edi.una.truncated"}
        assert placed(found[-1:])
        assert (taken <= 4 * MIB, peak < 16 * MIB) == (True, True)


def test_a_message_of_nothing_but_binary_segments_is_bounded_in_memory(wrap: Wrap) -> None:
    """What they cost besides their bytes counts, too."""
    head = wrap("850").partition(b"PO1*")[0]
    _, found = read(chain([head], repeat(b"BIN*0*~" * 9000, 200)), limits=Limits(message=4 * MIB))
    assert found[-1].rule == "edi.message.too_large"


def test_a_binary_segment_that_declares_more_than_there_is_ends_at_its_terminator(wrap: Wrap) -> None:
    """What follows it is read; the length is the finding."""
    body = ["BEG*00*SA*PO-1**20260102", "BIN*60000000*abc", "PO1*1*1*EA"]
    events, found = read(wrap("850", body))
    (message,) = [event for event in events if isinstance(event, Message)]
    assert message.segments == 5
    assert "edi.segment.binary_length" in {one.rule for one in found}


def test_a_file_may_end_anywhere_in_its_header() -> None:
    """Inside ISA, UNA and UNB: one finding with the offset, at every byte."""
    isa = b"ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*GATEWAY        *260101*1200*U*00401*000000001*0*P*>~"
    for end in range(3, 105):
        _, (found,) = read(isa[:end])
        assert (found.rule, found.place) == ("edi.isa.truncated", EdiPlace(offset=end))
    una = b"UNA:+.? '" + UNB
    for end in range(3, len(una)):
        _, found_ = read(una[:end])
        assert {one.rule for one in found_} <= {"edi.una.truncated"}
        assert placed(found_)
        assert found_


@pytest.mark.parametrize("at", [3, 104, 105])
@pytest.mark.parametrize("byte", [b"A", b"0", b" ", b"\xe9", b"*", b">", b"~"])
def test_isa_delimiters_that_cannot_work_are_told_with_their_offset(wrap: Wrap, at: int, byte: bytes) -> None:
    """Letters, digits, blanks, bytes outside ASCII, and each other."""
    data = wrap("850")
    if data[at : at + 1] == byte:
        return
    _, found = read(data[:at] + byte + data[at + 1 :])
    assert found
    assert found[0].rule in {"edi.isa.delimiter", "edi.isa.widths"}
    assert placed(found[:1])


@pytest.mark.parametrize("at", [3, 4, 6, 8])
@pytest.mark.parametrize("byte", [b"A", b"0", b"\xe9", b":", b"+", b"'", b"?"])
def test_una_characters_that_cannot_work_are_told_with_their_offset(at: int, byte: bytes) -> None:
    """The same for EDIFACT, the release character included."""
    data = b"UNA:+.? '" + ORDERS % b""
    if data[at : at + 1] == byte:
        return
    _, found = read(data[:at] + byte + data[at + 1 :])
    assert [one.rule for one in found] == ["edi.una.delimiters"]
    assert placed(found)


def test_bytes_that_the_charset_does_not_have_are_told_at_their_offset(wrap: Wrap) -> None:
    """UTF-8 that is none, letters in ASCII, in both standards."""
    for data, rule in (
        (wrap("855").replace(b"Northern", b"N\xc3\x28rthern"), "edi.element.charset"),
        (wrap("855").replace(b"Northern", b"N\xed\xa0\x80thern"), "edi.element.charset"),
        ((ORDERS % b"NAD+BY+++\xc4B'").replace(b"UNOC", b"UNOW"), "edi.element.charset"),
    ):
        _, found = read(data)
        (wrong,) = [one for one in found if one.rule == rule]
        assert isinstance(wrong.place, EdiPlace)
        assert wrong.place.offset is not None
        assert data[wrong.place.offset] >= 0x80


def test_chunks_that_end_anywhere_change_nothing(wrap: Wrap, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the blocks that chunks are gathered into, every byte can be the last one here."""
    data = wrap("850", ["BEG*00*SA*PO-1**20260102", "BIN*5*a~b*c", "QQ*1", "", "PO1*1*X*EA"], newline="\r\n")
    data += (ORDERS % b"FTX+AAI+++O?'N??'LIN+1'") + b"\r\n" + wrap("856", newline="\n") + b"\x1a"
    whole = read(data)
    for size in (1, 2, 3, 5, 64, 127):
        monkeypatch.setattr(segments, "BLOCK", size)
        assert read(data[at : at + size] for at in range(0, len(data), size)) == whole


def body_of(kind: str, wrap: Wrap, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A file with these pieces as its only set."""
    head, _, tail = wrap(kind, ["BEG*00*SA*PO-1**20260102"]).partition(b"SE*")
    return chain([head], pieces, [b"SE*" + tail])


ENDLESS: dict[str, tuple[bytes, int]] = {
    "one byte at a time": (b"A", 600_000),
    "short binary segments": (b"BIN*3*~*~~", 60_000),
    "binary segments that lie": (b"BIN*60000000*~", 60_000),
    "empty segments": (b"~", 300_000),
    "separators": (b"PO1" + b"*" * 300_000 + b"~", 3),
    "components": (b"CTP****" + b">" * 300_000 + b"~", 3),
    "digits": (b"PO1*1*" + b"1" * 300_000 + b".*EA~", 3),
    "unknown segments": (b"QQ*1~", 100_000),
}


@pytest.mark.parametrize("shape", ENDLESS)
def test_much_of_the_same_takes_time_in_proportion(shape: str, wrap: Wrap) -> None:
    """X12: chunks of the shape's own size, which may be a byte."""
    piece, times = ENDLESS[shape]
    started = time.process_time()
    _, found = read(body_of("850", wrap, repeat(piece, times)))
    assert time.process_time() - started < SOON
    assert found


@pytest.mark.parametrize(
    "body", [b"?" * 900_000 + b"'", b"?'" * 450_000, b"FTX+" + b"?'" * 400_000 + b"'", b"?A" * 400_000]
)
def test_runs_of_release_characters_take_time_in_proportion(body: bytes) -> None:
    """EDIFACT: a run tells only as a whole what its last character does."""
    data = ORDERS % body
    started = time.process_time()
    _, found = read(data[at : at + 1000] for at in range(0, len(data), 1000))
    assert time.process_time() - started < SOON
    assert found


def test_ten_thousand_delimiters_of_their_own_compile_no_patterns(wrap: Wrap, guides: Guides) -> None:
    """Each interchange may name others: patterns are made for what comes often."""
    assert guides is standard()
    signs = "!%&@_`{}|#;<=?"
    files = [
        wrap("855").decode().replace("*", one).replace("~", other).encode()
        for one in signs
        for other in signs
        if one != other
    ]
    started = time.process_time()
    events, _ = read(b"".join(files))
    assert time.process_time() - started < SOON
    assert sum(isinstance(event, Message) for event in events) == len(files)


RUN = 20_000
STUFF = ("1", "A", "1A", ".", "-1", "*", "+", ">", ":", "^", "1>", "A:", "1^", "*A", "+1", "\xfc", " ", "2026")


def near(tag: str, separator: str) -> Iterator[str]:
    """Segments that begin well and go on for ever, at several elements; a control character refuses them at the end."""
    for stuff in STUFF:
        for at in (1, 2, 5):
            yield tag + separator * at + stuff * (RUN // len(stuff)) + "\x01"
        yield tag + f"{separator}{stuff}" * (RUN // len(stuff)) + "\x01"


def specs() -> Iterator[tuple[SegmentSpec, Delimiters]]:
    """Every segment of every guide, once."""
    seen: set[tuple[str, str]] = set()
    for guide in standard():
        for spec in guide.segments():
            if (guide.version, spec.tag) not in seen:
                seen.add((guide.version, spec.tag))
                yield spec, delimiters_of(guide)


def delimiters_of(guide: Guide) -> Delimiters:
    """Those with a repetition separator, where the standard has one."""
    if guide.standard == "x12":
        return Delimiters(repetition="^") if guide.version >= "005010" else STANDARD
    return EDIFACT_4 if guide.version == "41" else EDIFACT


def test_no_segment_pattern_backtracks_catastrophically() -> None:
    """Each against near misses of 20,000 characters; quadratic matching would take a second for each of thousands."""
    started = time.process_time()
    count = 0
    for spec, delimiters in specs():
        match = compile_segment(spec, delimiters).fullmatch
        for text in near(spec.tag, delimiters.element):
            assert match(text) is None
            count += 1
        assert time.process_time() - started < 6 * SOON, spec.tag
    assert count > 5_000


@pytest.mark.parametrize(("version", "type_"), [("004010", "850"), ("D96A", "ORDERS")])
def test_no_message_pattern_backtracks_catastrophically(version: str, type_: str) -> None:
    """A message that is right for long and wrong at its end, and segments that go on for ever."""
    guide = standard().find(version, type_)
    assert guide is not None
    match = compile_message(guide, delimiters_of(guide)).fullmatch
    if guide.standard == "x12":
        head, lines, end = "BEG*00*SA*PO-1**20260102~", "N1*ST*A*92*W~N3*B~N4*C~PO1*1*1*EA~PID*F****X~", "CTT*1~QQ~"
    else:
        head, lines, end = "BGM+220+1+9'DTM+137:20260105:102'NAD+BY+1::9'", "LIN+1++1:EN'IMD+F++:::X'QTY+21:1'", "QQ'"
    started = time.process_time()
    assert match(head + lines * 5000 + end) is None
    for tag in ("BEG", "PO1", "N1", "LIN", "IMD", "DTM"):
        for text in near(tag, delimiters_of(guide).element):
            assert match(head + text) is None
    assert time.process_time() - started < SOON


LINE = "C an..3 1234 z"


@pytest.mark.parametrize(
    "group",
    [f"{{999999999x: [{LINE}]}}", f"{{0x: [{LINE}]}}", f"{{x: [{LINE}]}}", f"{{99x: [{{99x: [{{99x: [{LINE}]}}]}}]}}"],
)
def test_a_guide_that_repeats_its_elements_for_ever_is_refused(group: str) -> None:
    """It would fill the memory before anything is read with it."""
    text = f"segments:\n  DTM:\n    label: d\n    elements:\n    - {group}\n"
    with pytest.raises(OurFault, match="a repeated group of elements cannot be read"):
        standard().adding("edifact", "D96A", {"segments.yaml": text.encode()}).knows_segment("D96A", "DTM")


@pytest.mark.parametrize("segments_", ["\n- BGM 9:\n  - DTM C 9\n- NAD M\n", " []\n"])
def test_a_guide_may_begin_with_a_loop_or_hold_nothing(segments_: str) -> None:
    """A message is read by it all the same."""
    text = f"message: ORDERS\nlabel: x\nsegments:{segments_}"
    guides = standard().adding("edifact", "D96A", {"ORDERS.yaml": text.encode()})
    (message,) = [one for one in reading.read(ORDERS % b"", guides=guides) if isinstance(one, Message)]
    assert message.type == "ORDERS"
