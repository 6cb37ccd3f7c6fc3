"""997 and 999 for 005010: which of them, their codes, and the same facts read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.edi import acknowledge
from gateway.edi.acknowledge import functional
from gateway.edi.interchange import Group, Interchange
from gateway.edi.library import Guides
from gateway.edi.rules import finding
from gateway.edi.tree import Loop, Message, Segment, Verdict, joined, walk
from gateway.findings import Codes, EdiPlace, Finding

One = Callable[..., Interchange]
Wrap = Callable[..., bytes]


def found(rule: str, tag: str, segment: int, *at: int, codes: Codes | None = None) -> Finding:
    """A finding of that rule at that segment; `at` is element, component, repeat."""
    element, component, repeat = (*at, None, None, None)[:3]
    place = EdiPlace(segment=segment, tag=tag, element=element, component=component, repeat=repeat)
    return finding(rule, place, said="x", wanted="y", codes=codes)


def group(*findings: Finding, version: str = "005010", association: str = "") -> Group:
    """A group of one 855 in which this was found."""
    message = Message(
        type="855",
        version=version,
        control_number="0001",
        root=Loop("", []),
        findings=findings,
        outcome=Verdict.REJECTED if findings else Verdict.ACCEPTED,
        association=association,
    )
    return Group(
        functional_id="PR",
        sender="A",
        receiver="B",
        date="",
        time="",
        control_number="7",
        version=version,
        declared=1,
        messages=(message,),
        findings=(),
        outcome=message.outcome,
    )


def lines(root: Loop | None) -> list[str]:
    """The segments as they would stand on the wire."""
    assert root is not None
    return ["*".join([one.tag, *(joined(part, ">") for part in one.elements)]) for _, one, _ in walk(root)]


@pytest.mark.parametrize(
    ("version", "wanted", "kind"),
    [
        ("004010", True, "997"),
        ("004010VICS", True, "997"),
        ("005010", False, "997"),
        ("005010", True, "999"),
        ("005010X220A1", True, "999"),
        ("008010", True, "999"),
        ("ZZZZZZ", True, "997"),
        ("", True, "997"),
    ],
)
def test_a_999_is_sent_where_it_is_wanted_and_the_version_has_one(
    guides: Guides, version: str, kind: str, *, wanted: bool
) -> None:
    """Supply chain sets in 005010 commonly take a 997 still."""
    assert acknowledge.functional_kind(version, implementation=wanted) == kind
    composed = acknowledge.compose_functional(group(version=version), guides=guides, implementation=wanted)
    assert composed is not None
    assert composed[0] == kind


def test_what_is_sent_in_004010_is_a_997(guides: Guides) -> None:
    """Whatever is wanted: that version has no 999."""
    composed = acknowledge.compose_functional(group(), guides=guides, version="004010", implementation=True)
    assert composed is not None
    assert composed[0] == "997"
    assert lines(composed[1])[0] == "AK1*PR*7"


SEGMENTS = [
    # finding, in a 999 of 005010, in a 997 of 005010, in a 997 of 004010
    (found("edi.segment.unknown", "XXX", 3), "XXX*3**1", "XXX*3**1", "XXX*3**1"),
    (
        found("edi.segment.missing", "N1", 3, codes=Codes(ak304="3", ik304="I6", ak502="5", ik502="I5")),
        "N1*3**I6",
        "N1*3**3",
        "N1*3**3",
    ),
]
ELEMENTS = [
    (found("edi.element.too_many_components", "SN1", 4, 8, 3), "8>3**13*x", "8>3**13*x", "8>3**3*x"),
    (found("edi.element.too_many_repeats", "SN1", 4, 8, 1, 2), "8>1>2**12*x", "8>1>2**12*x", "8>1**3*x"),
    (found("edi.element.code", "SN1", 4, 1), "1**7*x", "1**7*x", "1**7*x"),
    (
        found("edi.element.code", "SN1", 4, 1, codes=Codes(ak304="8", ak403="7", ik403="I6", ak502="5")),
        "1**I6*x",
        "1**7*x",
        "1**7*x",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("one", "ik3", "new", "old"), SEGMENTS)
def test_a_segment_has_the_code_of_its_answer(one: Finding, ik3: str, new: str, old: str, guides: Guides) -> None:
    """620 where it differs from 720."""
    assert f"IK3*{ik3}" in lines(acknowledge.compose_999(group(one), guides=guides))
    assert f"AK3*{new}" in lines(acknowledge.compose_997(group(one), guides=guides, version="005010"))
    assert f"AK3*{old}" in lines(acknowledge.compose_997(group(one), guides=guides))


@pytest.mark.parametrize(("one", "ik4", "new", "old"), ELEMENTS)
def test_an_element_has_the_code_of_its_answer(one: Finding, ik4: str, new: str, old: str) -> None:
    """621; 723 has repeats and components from 005010 on, and never the codes that begin with I."""
    nothing = _no_guides()
    assert f"IK4*{ik4}" in lines(acknowledge.compose_999(group(one), guides=nothing))
    assert f"AK4*{new}" in lines(acknowledge.compose_997(group(one), guides=nothing, version="005010"))
    assert f"AK4*{old}" in lines(acknowledge.compose_997(group(one), guides=nothing))


def _no_guides() -> Guides:
    class Nothing(Guides):
        def __init__(self) -> None:
            pass

        def find(self, version: str, type: str) -> None:  # noqa: A002, ARG002  as in Guides
            return None

    return Nothing()


def test_a_set_has_the_code_of_its_answer(guides: Guides) -> None:
    """618 where it differs from 718."""
    one = found("edi.segment.missing", "N1", 3, codes=Codes(ak304="3", ak502="5", ik502="I5"))
    assert "IK5*R*I5" in lines(acknowledge.compose_999(group(one), guides=guides))
    assert "AK5*R*5" in lines(acknowledge.compose_997(group(one), guides=guides, version="005010"))


def test_the_version_and_the_convention_are_named_from_005010_on(guides: Guides) -> None:
    """AK103, AK203; a 997 in 004010 has neither."""
    named = group(version="005010X999", association="005010X999")
    assert lines(acknowledge.compose_999(named, guides=guides))[:2] == [
        "AK1*PR*7*005010X999",
        "AK2*855*0001*005010X999",
    ]
    assert lines(acknowledge.compose_997(named, guides=guides))[:2] == ["AK1*PR*7", "AK2*855*0001"]


def test_a_999_is_read_into_the_same_facts_as_a_997(guides: Guides) -> None:
    """An IK4 may stand in a loop of its own, with contexts below it."""
    findings = (found("edi.element.too_many_repeats", "SN1", 4, 8, 1, 2), found("edi.segment.unknown", "XXX", 5))
    roots = [
        acknowledge.compose_999(group(*findings), guides=guides),
        acknowledge.compose_997(group(*findings), guides=guides, version="005010"),
    ]
    reads = []
    for root in roots:
        assert root is not None
        for child in root.children:
            if isinstance(child, Loop):
                inner = child.children[1]
                assert isinstance(inner, Loop)
                inner.children.insert(1, Segment("CTX", ["SITUATIONAL TRIGGER"]))
        reads.append(acknowledge.read_999(Message(type="999", version="", control_number="1", root=root)))
    assert reads[0] == reads[1]
    assert (reads[0].outcome, reads[0].sets[0].outcome) == ("R", "R")
    (element,) = reads[0].sets[0].errors[0].elements
    assert (element.element, element.component, element.repeat, element.code) == (8, 1, 2, "12")


def test_an_acknowledgment_is_never_acknowledged(guides: Guides) -> None:
    """A group FA, whichever kind is wanted."""
    answers = replace(group(), functional_id="FA")
    assert acknowledge.compose_999(answers, guides=guides) is None
    assert acknowledge.compose_functional(answers, guides=guides, implementation=True) is None


@pytest.mark.parametrize("kind", ["997", "999"])
def test_an_answer_in_005010_is_itself_accepted(guides: Guides, one: One, kind: str) -> None:
    """Read by the engine, with the guide of its version; nothing is found, the facts are the same."""
    findings = [row[0] for row in (*SEGMENTS, *ELEMENTS)]
    named = group(*findings, version="005010X999", association="005010X999")
    composed = acknowledge.compose_functional(named, guides=guides, implementation=kind == "999")
    assert composed is not None
    assert composed[0] == kind
    # The standard delimiters, but for those of 005010: the writer of the engine has a test of its own.
    body = [f"ST*{kind}*0001", *lines(composed[1])]
    body.append(f"SE*{len(body) + 1}*0001")
    isa = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260105*0930*^*00501*000000001*0*T*>"
    segments = [isa, "GS*FA*AA*BB*20260105*0930*1*X*005010", *body, "GE*1*1", "IEA*1*000000001"]
    read = one("".join(f"{segment}~" for segment in segments).encode())
    (answer,) = read.groups[0].messages
    assert answer.findings == ()
    direct = Message(type=kind, version="", control_number="1", root=composed[1])
    assert acknowledge.read_999(answer) == acknowledge.read_999(direct)


NASTY = "*~>^\x00é" * 10


@pytest.mark.parametrize("nasty", ["", " ", NASTY, "9" * 60])
@pytest.mark.parametrize("version", ["004010", "005010"])
def test_whatever_came_the_answer_can_be_written(nasty: str, version: str) -> None:
    """Every value has the length of its element, and no delimiter."""
    hostile = group(found("edi.element.code", nasty, 10**9, 10**4, 10**4, 10**6), version="005010")
    inner = replace(hostile.messages[0], type=nasty, control_number=nasty, association=nasty)
    hostile = replace(
        hostile, functional_id=nasty, control_number=nasty, version=version + nasty, messages=(inner,), declared=10**8
    )
    for kind in ("997", "999"):
        root = functional._compose(hostile, _no_guides(), functional._form(kind, version))
        for text in lines(root):
            tag, *values = text.split("*")
            assert text.isascii()
            assert text.isprintable()
            assert not set("~^:") & set(text)
            limits = {"AK1": (2, 9, 12), "AK2": (3, 9, 35), "AK9": (1, 6, 6, 6)}.get(tag, (99,) * 9)
            assert all(len(value) <= limit for value, limit in zip(values, limits, strict=False))
