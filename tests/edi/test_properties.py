"""Laws over generated input: any bytes, fast against slow, written against read."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.edi import x12
from gateway.edi.delimiters import STANDARD, Delimiters
from gateway.edi.elements import check_segment
from gateway.edi.guide import ElementSpec, SegmentSpec
from gateway.edi.library import standard
from gateway.edi.patterns import compile_segment
from gateway.edi.tree import Loop, Segment
from gateway.edi.write import write_message
from gateway.errors import PartnerFault
from gateway.findings import EdiPlace

SPECS = {spec.tag: spec for guide in standard() if guide.version == "004010" for spec in guide.segments()}
PATTERNS = {tag: compile_segment(spec, STANDARD) for tag, spec in SPECS.items()}

pieces = st.one_of(
    st.sampled_from(["", "", "", "1", "12", "123", "-1", "1.5", ".5", "5.", ".", "-", "AB", "A", "EA", "X" * 30]),
    st.sampled_from(["20260228", "20240229", "20260229", "20261301", "00000101", "1200", "2460", "12005", "120059"]),
    st.sampled_from(["PC>1>2", "PC", ">", "PC>", "A>B>C", "ü", "a b", " ", "\x07", "A" * 100, "9" * 20, "1E5"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="*~"), max_size=12),
)


@st.composite
def likely(draw: st.DrawFn, spec: ElementSpec) -> str:
    """A value that this element may well take."""
    if spec.components:
        return ">".join(draw(likely(one)) for one in spec.components[: draw(st.integers(1, 3))])
    if spec.codes:
        return draw(st.sampled_from(sorted(spec.codes)))
    length = draw(st.integers(spec.minimum, min(spec.maximum, spec.minimum + 4)))
    match spec.type:
        case "DT":
            return draw(st.sampled_from(["20260102", "20240229", "19991231"]))
        case "TM":
            return draw(st.sampled_from(["1200", "235959", "00000000"]))
        case "R":
            return draw(st.sampled_from(["9" * length, "9" * (length - 1) + ".9", "-" + "9" * length]))
        case "AN" | "ID":
            return "X" * length
        case _:
            return "9" * length


@st.composite
def raws(draw: st.DrawFn) -> tuple[SegmentSpec, str]:
    """A segment of a guide with values that are sometimes right."""
    spec = SPECS[draw(st.sampled_from(sorted(SPECS)))]
    count = draw(st.integers(0, len(spec.elements) + 1))
    texts = []
    for index in range(count):
        known = index < len(spec.elements)
        value = likely(spec.elements[index]) if known else pieces
        texts.append(draw(st.one_of(value, value, value, st.just(""), pieces)))
    return spec, "*".join([spec.tag, *texts])


@given(raws())
@settings(max_examples=500, deadline=None)
def test_what_the_fast_path_passes_the_slow_path_passes(case: tuple[SegmentSpec, str]) -> None:
    """A match means no findings; no match with no findings is rare and has a reason."""
    spec, raw = case
    found = check_segment(spec, raw, EdiPlace(), STANDARD, "utf-8")
    matched = PATTERNS[spec.tag].fullmatch(raw) is not None
    if matched:
        assert found == []
    elif not found:
        # Only the slow path knows 29 February, and years before 1000.
        assert "0229" in raw or "*0" in raw


@given(raws())
@settings(max_examples=100, deadline=None)
def test_delimiters_do_not_change_a_verdict(case: tuple[SegmentSpec, str]) -> None:
    """The same segment under other separators."""
    spec, raw = case
    other = Delimiters(element="\x1d", component="\x1f", segment="\x1c")
    if set(raw) & set("\x1c\x1d\x1f~"):
        return
    moved = raw.replace("*", "\x1d").replace(">", "\x1f")
    same = [found.rule for found in check_segment(spec, raw, EdiPlace(), STANDARD, "utf-8")]
    assert [found.rule for found in check_segment(spec, moved, EdiPlace(), other, "utf-8")] == same


def _read(data: bytes) -> None:
    faults: list[PartnerFault] = []
    try:
        for event in x12.read(data, guides=standard()):
            assert event is not None
    except PartnerFault as fault:
        faults.append(fault)
    assert all(fault.findings for fault in faults)


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_bytes_give_findings_or_a_partner_fault(data: bytes) -> None:
    """Nothing else is ever raised."""
    _read(data)
    _read(b"ISA*" + data)


@given(st.data())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_interchange_gives_findings_or_a_partner_fault(
    wrap: Callable[..., bytes], data: st.DataObject
) -> None:
    """Bytes removed, doubled, replaced anywhere in a valid file."""
    whole = wrap(data.draw(st.sampled_from(["850", "855", "856", "997"])))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(whole)))
        end = data.draw(st.integers(start, min(len(whole), start + 12)))
        patch = data.draw(st.one_of(st.binary(max_size=4), st.sampled_from([b"~", b"*", b"~ST*850*0002~", b"~BIN*9*"])))
        whole = whole[:start] + patch + whole[end:]
    _read(whole)


texts = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_categories=["C", "Z"], exclude_characters="*~>^"),
    min_size=1,
    max_size=20,
)


@given(st.lists(st.tuples(texts, texts, st.lists(texts, max_size=3)), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_back(wrap: Callable[..., bytes], lines: list[tuple[str, str, list[str]]]) -> None:
    """read(write(tree)) = tree, and write(read(bytes)) = bytes."""
    root = Loop("", [Segment("BEG", ["00", "SA", "PO-1", "", "20260102"])])
    for number, (item, name, notes) in enumerate(lines, 1):
        line = Loop("PO1", [Segment("PO1", [str(number), "1", "EA", "", "", "VN", item])])
        line.children.append(Loop("CTP", [Segment("CTP", ["", "", "2.5", "1", ("EA", "", "2")])]))
        line.children.append(Loop("PID", [Segment("PID", ["F", "", "", "", name])]))
        line.children += [Segment("MSG", [note]) for note in notes]
        root.children.append(line)
    written = write_message("850", 1, root)
    head, tail = wrap("850", []).partition(b"ST*")[0], b"GE*1*7~IEA*1*000000001~"
    assert head.endswith(b"~")
    (read,) = x12.read_all(head + written + tail, guides=standard())
    (message,) = read.groups[0].messages
    assert message.findings == ()
    assert message.root == root
    assert write_message("850", 1, message.root) == written
