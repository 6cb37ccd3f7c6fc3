"""CONTRL: composed for hand-made verdicts, row by row; read back into the same facts; valid against its guides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.edi import acknowledge
from gateway.edi.acknowledge import contrl
from gateway.edi.acknowledge.reports import Reason
from gateway.edi.delimiters import EDIFACT
from gateway.edi.guide import ElementSpec, LoopUse, SegmentSpec, Use
from gateway.edi.interchange import Group, Interchange, InterchangeEnd, InterchangeStart, combined, with_parts
from gateway.edi.library import Guides
from gateway.edi.rules import RULES, finding
from gateway.edi.tree import Element, Loop, Message, Segment, Verdict, joined, verdict_of, walk
from gateway.errors import PartnerFault
from gateway.findings import EdiPlace, Finding

CODES = {
    *("2", "7", "12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28"),
    *("29", "30", "31", "32", "33", "34", "35", "36", "37", "38", "39", "40", "41", "42", "43", "45", "46", "47", "48"),
}
"""0085 in the service code list of syntax 4."""


def found(rule: str, tag: str | None = None, segment: int | None = None, *at: int) -> Finding:
    """A finding of that rule at that segment; `at` is element, component, repeat."""
    element, component, repeat = (*at, None, None, None)[:3]
    place = EdiPlace(segment=segment, tag=tag, element=element, component=component, repeat=repeat)
    return finding(rule, place, said="x", wanted="y")


def message(number: str = "1", *findings: Finding, version: str = "D96A", **more: str) -> Message:
    """An ORDERS in which this was found."""
    return Message(
        type=more.get("type", "ORDERS"),
        version=version,
        control_number=number,
        root=Loop("", []),
        findings=findings,
        outcome=verdict_of(findings),
        standard="edifact",
        association=more.get("association", ""),
    )


def group(number: str, *messages: Message, findings: tuple[Finding, ...] = ()) -> Group:
    """A group with these messages; without UNG when its number is empty."""
    refused = verdict_of(findings) is Verdict.REJECTED
    inner = tuple(replace(one, outcome=Verdict.REJECTED) for one in messages) if refused else messages
    return Group(
        functional_id="ORDERS" if number else "",
        sender="BUYER" if number else "",
        receiver="SELLER" if number else "",
        date="",
        time="",
        control_number=number,
        version="D96A" if number else "",
        declared=None,
        messages=inner,
        findings=findings,
        outcome=with_parts(verdict_of(findings), (one.outcome for one in inner)),
        standard="edifact",
    )


def interchange(*groups: Group, findings: tuple[Finding, ...] = (), **changes: object) -> Interchange:
    """An interchange with these groups."""
    envelope = verdict_of(findings)
    values: dict[str, object] = {
        "sender_qualifier": "14",
        "sender": "4012345000009",
        "receiver_qualifier": "14",
        "receiver": "5412345000013",
        "date": "260105",
        "time": "0930",
        "version": "UNOC:3",
        "control_number": "REF0001",
        "ack_requested": True,
        "test": False,
        "delimiters": EDIFACT,
        "groups": groups,
        "tas": (),
        "findings": findings,
        "outcome": with_parts(envelope, [combined(one.outcome for one in groups)]),
        "envelope": envelope,
        "standard": "edifact",
    }
    return Interchange(**{**values, **changes})  # type: ignore[arg-type]


def lines(root: Loop | None) -> list[str]:
    """The segments as they would stand on the wire, nothing released."""
    assert root is not None
    return [line(segment) for _, segment, _ in walk(root)]


def line(segment: Segment) -> str:
    """One segment as it would stand on the wire."""
    texts = [joined(one) for one in segment.elements]
    return "+".join([segment.tag, *texts]).rstrip("+")


HEAD = "UCI+REF0001+4012345000009:14+5412345000013:14+"
UCM = "UCM+1+ORDERS:D:96A:UN+"

MESSAGES: list[tuple[str, tuple[Finding, ...], list[str]]] = [
    ("a clean message is not named", (), []),
    ("a note is not told", (found("edi.element.repertoire", "NAD", 3, 4),), []),
    ("the count, in the UNT", (found("edi.message.count", "UNT", 9, 1),), [UCM + "4+29+UNT+2"]),
    ("the reference, in the UNT", (found("edi.message.control_number", "UNT", 9, 2),), [UCM + "4+28+UNT+3"]),
    ("no UNT", (found("edi.message.trailer_missing"),), [UCM + "4+13+UNT"]),
    ("no guide", (found("edi.message.unsupported", "UNH", 1, 2, 1),), [UCM + "4+14+UNH+3:1"]),
    ("a number twice", (found("edi.message.control_number_repeated", "UNH", 1, 1),), [UCM + "4+26+UNH+2"]),
    ("no version in the UNH", (found("edi.message.header", "UNH", 1, 2, 3),), [UCM + "4+13+UNH+3:3"]),
    ("a missing segment, behind the last one read", (found("edi.segment.missing", "DTM", 3),), [UCM + "4", "UCS+2+13"]),
    ("a group without its start", (found("edi.segment.loop_start_missing", "LIN", 8),), [UCM + "4", "UCS+7+13"]),
    ("a segment too often", (found("edi.segment.too_many", "DTM", 5),), [UCM + "4", "UCS+5+35"]),
    ("a group too often", (found("edi.segment.too_many_loops", "NAD", 5),), [UCM + "4", "UCS+5+36"]),
    ("an unknown segment", (found("edi.segment.unknown", "XXX", 4),), [UCM + "4", "UCS+4+15"]),
    (
        "elements of one segment",
        (found("edi.element.too_long", "NAD", 3, 2, 1), found("edi.element.missing", "NAD", 3, 1)),
        [UCM + "4", "UCS+3", "UCD+39+3:1", "UCD+13+2"],
    ),
    (
        "a segment out of its place with a wrong element, and one missing before it",
        (
            found("edi.element.characters", "QTY", 6, 1, 2),
            found("edi.segment.out_of_sequence", "QTY", 6),
            found("edi.segment.missing", "LIN", 6),
        ),
        [UCM + "4", "UCS+5+13", "UCS+6+15", "UCD+37+2:2"],
    ),
    ("no repeat before syntax 4", (found("edi.element.code", "NAD", 3, 1, 1, 4),), [UCM + "4", "UCS+3", "UCD+12+2:1"]),
    ("taken with an error", (found("edi.hl.level", "CPS", 4, 3),), [UCM + "7", "UCS+4", "UCD+12+4"]),
    ("more than is listed", (found("edi.message.too_many_findings"),), [UCM + "4+18"]),
    ("a newer code in older words", (found("edi.element.condition", "PRI", 7, 1),), [UCM + "4", "UCS+7", "UCD+13+2"]),
]  # fmt: skip


@pytest.mark.parametrize(("findings", "expected"), [row[1:] for row in MESSAGES], ids=[row[0] for row in MESSAGES])
def test_a_message_is_answered_by_its_findings(findings: tuple[Finding, ...], expected: list[str]) -> None:
    """UCM for UNH and UNT, UCS and UCD for what stands between; accepted ones go without saying."""
    assert lines(acknowledge.compose_contrl(interchange(group("", message("1", *findings))))) == [HEAD + "7", *expected]


INTERCHANGES: list[tuple[str, tuple[Finding, ...], str]] = [
    ("nothing wrong", (), "7"),
    ("wrong count", (found("edi.interchange.count", "UNZ", None, 1),), "4+29+UNZ+2"),
    ("wrong reference", (found("edi.interchange.control_number", "UNZ", None, 2),), "4+28+UNZ+3"),
    ("no UNZ", (found("edi.interchange.trailer_missing"),), "4+13+UNZ"),
    ("a syntax that does not exist", (found("edi.unb.syntax", "UNB", None, 1, 2),), "4+2+UNB+2:2"),
    ("a charset, in the words of syntax 3", (found("edi.unb.charset", "UNB", None, 1, 1),), "4+2+UNB+2:1"),
    ("service characters", (found("edi.una.delimiters", "UNA"),), "4+20+UNA"),
    ("groups and messages mixed", (found("edi.group.mixed", "UNH", 1),), "4+30"),
    ("a stray segment", (found("edi.interchange.stray_segment"),), "4+33"),
    ("an error that does not refuse it", (found("edi.file.trailing_data"),), "7"),
    ("a finding without a code", (replace(found("edi.unb.element"), codes=RULES["edi.isa.widths"].codes),), "4+18"),
]


@pytest.mark.parametrize(
    ("findings", "expected"), [row[1:] for row in INTERCHANGES], ids=[row[0] for row in INTERCHANGES]
)
def test_an_interchange_is_answered_by_its_envelope(findings: tuple[Finding, ...], expected: str) -> None:
    """A rejected one names no messages: 4 covers all levels below."""
    broken = message("1", found("edi.message.count", "UNT", 9, 1))
    told = lines(acknowledge.compose_contrl(interchange(group("", broken), findings=findings)))
    assert told[0] == HEAD + expected
    assert len(told) == (1 if expected.startswith("4") else 2)


def test_groups_are_answered_each_with_its_messages() -> None:
    """UCF for every UNG; a refused one covers its messages; a clean one says 7 and no more."""
    bad = message("2", found("edi.message.count", "UNT", 9, 1))
    groups = (
        group("G1", message("1"), bad),
        group("G2", message("1"), findings=(found("edi.group.count", "UNE", None, 1),)),
        group("G3", message("1")),
    )
    root = acknowledge.compose_contrl(interchange(*groups))
    assert lines(root) == [
        HEAD + "7",
        "UCF+G1+BUYER+SELLER+7",
        "UCM+2+ORDERS:D:96A:UN+4+29+UNT+2",
        "UCF+G2+BUYER+SELLER+4+29+UNE+2",
        "UCF+G3+BUYER+SELLER+7",
    ]
    assert root is not None
    assert [child.name for child in root.children if isinstance(child, Loop)] == ["UCF", "UCF", "UCF"]


def test_every_message_is_named_when_asked() -> None:
    """And the association code is repeated."""
    asked = interchange(group("", message("1", association="EAN008"), message("2", version="901")))
    assert lines(acknowledge.compose_contrl(asked, every_message=True)) == [
        HEAD + "7",
        "UCM+1+ORDERS:D:96A:UN:EAN008+7",
        "UCM+2+ORDERS:90:1:UN+7",
    ]


def test_a_receipt_says_only_that_the_interchange_came() -> None:
    """0083 is 8, unless the envelope is refused."""
    bad = message("1", found("edi.message.count", "UNT", 9, 1))
    assert lines(acknowledge.compose_contrl(interchange(group("", bad)), receipt=True)) == [HEAD + "8"]
    refused = interchange(findings=(found("edi.interchange.trailer_missing"),))
    assert lines(acknowledge.compose_contrl(refused, receipt=True)) == [HEAD + "4+13+UNZ"]


def test_syntax_4_has_repeats_and_its_own_codes() -> None:
    """0136, and 48 for a condition."""
    findings = (found("edi.element.condition", "PRI", 7, 1, 2, 3), found("edi.element.too_many_repeats", "PRI", 7, 2))
    told = lines(acknowledge.compose_contrl(interchange(group("", message("1", *findings)), version="UNOW:4")))
    assert told[2:] == ["UCS+7", "UCD+48+2:2:3", "UCD+35+3"]


def test_an_acknowledgment_is_never_acknowledged() -> None:
    """Nothing but CONTRL: no answer, even a broken one; beside orders it is not named."""
    answer = message("1", found("edi.message.count", "UNT", 3, 1), type="CONTRL")
    assert acknowledge.compose_contrl(interchange(group("", answer))) is None
    assert not acknowledge.wants_contrl(interchange(group("", answer)), agreed=True)
    assert lines(acknowledge.compose_contrl(interchange(group("", answer, message("2"))))) == [HEAD + "7"]


@pytest.mark.parametrize(("asked", "agreed", "due"), [(True, False, True), (False, True, True), (False, False, False)])
def test_a_contrl_is_due_when_unb_or_the_agreement_asks(*, asked: bool, agreed: bool, due: bool) -> None:
    """UNB 0031, or the partner's file."""
    assert acknowledge.wants_contrl(interchange(group("", message()), ack_requested=asked), agreed=agreed) is due


def test_the_end_of_a_stream_is_answered_at_its_own_level() -> None:
    """Without groups there is nothing below UCI."""
    start = InterchangeStart(
        sender_qualifier="",
        sender="A",
        receiver_qualifier="",
        receiver="B",
        date="",
        time="",
        version="UNOC:3",
        control_number="7",
        ack_requested=True,
        test=False,
        delimiters=EDIFACT,
        offset=0,
        standard="edifact",
    )
    end = InterchangeEnd(start=start, groups=1, findings=(), outcome=Verdict.ACCEPTED, envelope=Verdict.ACCEPTED)
    assert acknowledge.wants_contrl(end)
    assert lines(acknowledge.compose_contrl(end)) == ["UCI+7+A+B+7"]


def test_every_code_of_a_rule_is_on_the_service_code_list() -> None:
    """ISO 9735-10; what is newer than the CONTRL of syntax 3 has an older word."""
    used = {rule.codes.contrl for rule in RULES.values() if rule.codes.contrl}
    assert used <= CODES
    older = {contrl._OLD_CODES.get(code, code) for code in used}
    assert all(int(code) <= 43 for code in older)


def test_what_was_composed_is_read_back() -> None:
    """Elements are counted as everywhere here; S011 counts the tag."""
    wrong = (found("edi.element.too_long", "NAD", 3, 2, 1), found("edi.segment.missing", "DTM", 3))
    groups = (group("G1", message("1"), message("2", *wrong)), group("G2", message("3")))
    root = acknowledge.compose_contrl(interchange(*groups))
    assert root is not None
    read = acknowledge.read_contrl(Message(type="CONTRL", version="D3", control_number="1", root=root))
    assert (read.control_number, read.sender, read.receiver) == ("REF0001", "4012345000009", "5412345000013")
    assert (read.action, read.reason) == ("7", None)
    one = read.groups[0].messages[0]
    assert (one.type, one.version, one.reference, one.action) == ("ORDERS", "D96A", "2", "4")
    missing, errors = one.errors
    assert (missing.position, missing.code, missing.elements) == (2, "13", ())
    assert (errors.position, errors.code) == (3, "")
    assert [(each.code, each.element, each.component) for each in errors.elements] == [("39", 2, 1)]
    outcomes = [read.outcome_of(*key) for key in (("1", "G1"), ("2", "G1"), ("3", "G2"), ("9", "G9"))]
    assert outcomes == ["7", "4", "7", "7"]


def test_the_reason_of_a_refused_interchange_is_read() -> None:
    """And the refusal covers every message."""
    root = acknowledge.compose_contrl(interchange(findings=(found("edi.interchange.count", "UNZ", None, 1),)))
    assert root is not None
    read = acknowledge.read_contrl(Message(type="CONTRL", version="D3", control_number="1", root=root))
    assert read.reason == Reason(code="29", segment="UNZ", element=1)
    assert read.outcome_of("1") == "4"


@pytest.mark.parametrize("head", [[], ["", "A", "B", "7"], ["1", "A", "B", ""]])
def test_a_contrl_that_names_nothing_is_refused(head: list[Element]) -> None:
    """edi.acknowledgment.unreadable."""
    root = Loop("", [Segment("UCI", head)] if head else [])
    with pytest.raises(PartnerFault) as fault:
        acknowledge.read_contrl(Message(type="CONTRL", version="D3", control_number="1", root=root))
    assert [one.rule for one in fault.value.findings] == ["edi.acknowledgment.unreadable"]


NASTY = "\x00'+:?é\ufffd" * 20


@pytest.mark.parametrize("nasty", ["", " ", NASTY, "0" * 99])
@pytest.mark.parametrize("syntax", ["3", "4", "x"])
def test_whatever_came_the_answer_fits_its_guide(guides: Guides, nasty: str, syntax: str) -> None:
    """Empty, endless and unprintable values; positions beyond every count."""
    far = found("edi.element.too_long", nasty, 10**7, 10**7, 10**7, 10**7)
    many = [found("edi.element.code", "NAD", 7, at, 1) for at in range(1, 200)]
    wide = [found("edi.segment.unknown", "XXX", at) for at in range(2, 1500)]
    inner = (
        message(nasty, far, type=nasty, version=nasty, association=nasty),
        message("2", *many),
        message("3", *wide),
    )
    whole = interchange(
        group("", *inner), control_number=nasty, sender=nasty, receiver_qualifier=nasty, version=f"UNOC:{syntax}"
    )
    grouped = interchange(group("G" + nasty, *inner), receiver=nasty, version=f"UNOC:{syntax}")
    version = "41" if syntax == "4" else "D3"
    guide = guides.find(version, "CONTRL")
    assert guide is not None
    for one in (whole, grouped):
        root = acknowledge.compose_contrl(one, every_message=True)
        assert root is not None
        assert list(_misfits(root, guide.root)) == []


def _misfits(loop: Loop, use: LoopUse) -> list[str]:
    """What a tree has that its guide does not allow: places, repeats, elements."""
    wrong: list[str] = []
    at = 0
    counts: dict[int, int] = {}
    for child in loop.children:
        name = child.tag if isinstance(child, Segment) else child.name
        places = [index for index, item in enumerate(use.items) if item.tag == name and index >= at]
        if not places:
            wrong.append(f"{name} in {loop.name}")
            continue
        at = places[0]
        item = use.items[at]
        counts[at] = counts.get(at, 0) + 1
        if counts[at] > item.maximum:
            wrong.append(f"{name} too often")
        if isinstance(child, Loop):
            assert isinstance(item, LoopUse)
            wrong += _misfits(child, item)
        else:
            assert isinstance(item, Use)
            wrong += _wrong_elements(child, item.spec)
    return wrong


def _wrong_elements(segment: Segment, spec: SegmentSpec) -> list[str]:
    values = [*segment.elements, *[""] * (len(spec.elements) - len(segment.elements))]
    wrong = [f"{line(segment)}: too many elements"] if len(values) > len(spec.elements) else []
    for value, element in zip(values, spec.elements, strict=False):
        parts = joined(value, "\t").split("\t")
        specs = element.components or (element,)
        if len(parts) > len(specs):
            wrong.append(f"{line(segment)}: too many components")
        parts += [""] * (len(specs) - len(parts))
        needed = element.mandatory or any(parts)
        wrong += [
            f"{line(segment)}: {part!r} as {one.label}"
            for part, one in zip(parts, specs, strict=False)
            if not _fits(part, one, needed=needed)
        ]
    return wrong


def _fits(part: str, spec: ElementSpec, *, needed: bool) -> bool:
    if not part:
        return not (spec.mandatory and needed)
    form = {"n": str.isdigit, "a": str.isalpha}.get(spec.type, str.isascii)
    return spec.minimum <= len(part) <= spec.maximum and form(part) and part.isprintable()
