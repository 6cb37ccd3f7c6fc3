"""Partners' guides: what a delta accepts and refuses, what is wrong with a delta, and where it says so."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping

import pytest

from gateway.edi import x12
from gateway.edi.delimiters import STANDARD
from gateway.edi.delta import MAX_EXTENDS, RULES, resolve
from gateway.edi.guide import UNLIMITED, Guide, LoopUse, SegmentSpec, Use
from gateway.edi.library import Guides, parse_guide, parse_segments
from gateway.edi.structure import structure_of
from gateway.findings import FilePlace, Finding, Severity

BODY = [
    "BEG*00*SA*PO-7001**20260102",
    "REF*DP*099",
    "FOB*CC",
    "N1*ST*Main warehouse*92*W01",
    "PO1*1*10*EA*2.50**BP*BOLT-8",
    "PID*F****Bolt",
    "CTT*1",
]
BASE = "extends: x12/004010/850\n"


def found_in(files: Mapping[str, str]) -> Callable[[str], tuple[str, str] | None]:
    """A finder in a few texts."""
    return lambda name: (f"guides/{name}.yaml", files[name]) if name in files else None


def made(guides: Guides, text: str, **others: str) -> tuple[Guide | None, tuple[Finding, ...]]:
    """The guide of a delta on the 850, unless it says otherwise."""
    files = {
        "acme/850": text if "extends:" in text else BASE + text,
        **{k.replace("_", "/"): v for k, v in others.items()},
    }
    partner, findings = resolve("acme/850", find=found_in(files), guides=guides)
    return (partner.guide if partner else None), findings


def sound(guides: Guides, text: str, **others: str) -> Guide:
    """The guide of a delta without mistakes."""
    guide, findings = made(guides, textwrap.dedent(text), **others)
    assert guide is not None, [one.text for one in findings]
    return guide


# A delta, the segments changed in a good order ({old: new}), and the rules that refuse it.
CASES: list[tuple[str, dict[str, str | None], list[str]]] = [
    ("", {}, []),
    ("codes: {BEG02: [SA, NE]}", {}, []),
    ("codes: {BEG02: [NE]}", {}, ["edi.element.code"]),
    ("codes: {BEG01: ['00'], BEG02: [SA]}", {"BEG*00*SA": "BEG*00*KN"}, ["edi.element.code"]),
    ("codes: {N104: [W01]}", {"92*W01": "92*W02"}, ["edi.element.code"]),
    ("codes: {PO1/PO103: [EA, CA]}", {"10*EA": "10*BX"}, ["edi.element.code"]),
    ("required: [BEG04]", {}, ["edi.element.missing"]),
    ("required: [BEG05]", {}, []),
    ("required: [BEG06]", {}, ["edi.element.missing"]),
    ("required: [PO1/PID]", {}, []),
    ("required: [PO1/PID]", {"PID*F****Bolt": None}, ["edi.segment.missing"]),
    ("required: [REF*DP]", {}, []),
    ("required: [REF*DP]", {"REF*DP*099": None}, ["edi.segment.missing"]),
    ("required: [REF*DP]", {"REF*DP*099": "REF*VN*1"}, ["edi.segment.missing"]),
    ("required: [REF*DP]", {"REF*DP*099": "REF*DP*099~REF*VN*1"}, []),
    ("required: [REF*DP]", {"REF*DP*099": "REF*VN*1~REF*DP*099~REF*IA*1"}, []),
    ("required: [REF*DP, REF*VN]", {"REF*DP*099": "REF*IA*1~REF*VN*1~REF*DP*099"}, []),
    ("required: [REF*DP, REF*VN]", {"REF*DP*099": "REF*IA*1~REF*VN*1"}, ["edi.segment.missing"]),
    ("required: [REF*DP]", {"FOB*CC": None, "REF*DP*099": "REF*IA*1"}, ["edi.segment.missing"]),
    ("repeat: {REF*DP: 1, REF: 2}", {"REF*DP*099": "REF*VN*1~REF*DP*1~REF*VN*2"}, []),
    ("repeat: {REF*DP: 1}", {"REF*DP*099": "REF*DP*1~REF*DP*2"}, ["edi.segment.too_many"]),
    ("repeat: {REF*DP: 1}", {"REF*DP*099": "REF*DP*1~REF*VN*1~REF*DP*2"}, ["edi.segment.too_many"]),
    ("repeat: {REF*DP: 1, REF: 2}", {"REF*DP*099": "REF*VN*1~REF*IA*1~REF*DP*2~REF*SI*1"}, ["edi.segment.too_many"]),
    ("lengths: {REF*DP/REF02: ..2}", {"REF*DP*099": "REF*VN*123~REF*DP*12~REF*VN*456"}, []),
    ("required: [N1*ST, N1*BY]", {"92*W01": "92*W01~N1*SE*x~N3*y~N1*BY*b~N3*c"}, []),
    ("required: [N1*ST, N1*BY]", {"92*W01": "92*W01~N1*SE*x~N3*y"}, ["edi.segment.missing"]),
    ("required: [N1*BY/N3]", {"92*W01": "92*W01~N1*BY*b~N1*SE*c"}, ["edi.segment.missing"]),
    ("repeat: {N1*ST: 1}", {"92*W01": "92*W01~N1*BY*b~N3*c~N1*ST*b"}, ["edi.segment.too_many_loops"]),
    ("required: [N1*ST, N1*ST/N3]", {}, ["edi.segment.missing"]),
    ("required: [N1*ST, N1*ST/N3]", {"92*W01": "92*W01~N3*Street 1"}, []),
    ("required: [N1*BY]", {}, ["edi.segment.missing"]),
    ("optional: [PO1/PO101, CTT]", {"CTT*1": None}, []),
    ("optional: [BEG05]", {"**20260102": ""}, []),
    ("forbidden: [FOB]", {"FOB*CC": None}, []),
    ("forbidden: [FOB, N1/FOB, PO1/FOB, PO1/N1/FOB]", {}, ["edi.segment.not_in_set"]),
    ("forbidden: [N1/N3, BEG06]", {}, []),
    ("forbidden: [PO1/PID]", {"PID*F****Bolt": None}, []),
    ("lengths: {REF02: 1/5}", {}, []),
    ("lengths: {REF02: ..2}", {}, ["edi.element.too_long"]),
    ("lengths: {REF02: 4/9}", {}, ["edi.element.too_short"]),
    ("lengths: {REF02: 1/40}", {"*099": "*" + "9" * 40}, []),
    ("lengths: {REF*VN/REF02: '2'}", {}, []),
    ("lengths: {REF*DP/REF02: '2'}", {}, ["edi.element.too_long"]),
    ("lengths: {REF02: '2', REF*DP/REF02: '3'}", {}, []),
    ("repeat: {PO1: 2}", {"PID*F****Bolt": "PO1*2*1*EA"}, []),
    ("repeat: {PO1: 2}", {"PID*F****Bolt": "PO1*2*1*EA~PO1*3*1*EA"}, ["edi.segment.too_many_loops"]),
    ("repeat: {REF: 2}", {"REF*DP*099": "REF*DP*099~REF*DP*100~REF*DP*101"}, ["edi.segment.too_many"]),
    ("repeat: {PO1: '*', N1: 1}", {}, []),
    ("segments: {ZZ1: {elements: [M AN 1/5 352 text]}}\nafter: {BEG: [ZZ1 M 2]}", {}, ["edi.segment.missing"]),
    (
        "segments: {ZZ1: {elements: [M AN 1/5 352 text, O C001 unit]}}\nafter: {BEG: [ZZ1 M 2]}",
        {"REF*DP*099": "ZZ1*hello*EA>1>2~REF*DP*099"},
        [],
    ),
    (
        "segments: {ZZ1: {elements: [M AN 1/5 352 text]}}\nbefore: {PO1/PID: [{ZZ1 2: [REF 2, {N9: [MSG *]}]}]}",
        {"PID*F": "ZZ1*a~REF*VN*1~N9*ZZ*1~MSG*x~PID*F"},
        [],
    ),
    (
        "segments: {ZZ1: {elements: [M AN 1/5 352 text]}}\nafter: {PO1/PO1: [ZZ1]}",
        {"PID*F": "ZZ1*toolong~PID*F"},
        ["edi.element.too_long"],
    ),
    ("segments: {FOB: {elements: ['M ID 2/2 146 method [PP]']}}", {}, ["edi.element.code"]),
]


@pytest.mark.parametrize(("text", "changes", "rules"), CASES)
def test_a_delta_accepts_and_refuses(
    text: str, changes: dict[str, str | None], rules: list[str], guides: Guides, wrap: Callable[..., bytes]
) -> None:
    """Read by a file with the guide of the delta."""
    body = "~".join(BODY) + "~"
    for old, new in changes.items():
        assert old in body
        body = body.replace(old + "~", "") if new is None else body.replace(old, new)
    data = wrap("850", body.strip("~").split("~"))
    guide = sound(guides, text)
    assert broken(data, guides.with_guide(guide)) == rules
    # The pattern of the whole message never says that something is right which is not.
    text = data.decode().partition("~ST*850*0001~")[2].partition("SE*")[0]
    assert not (structure_of(guide, STANDARD).grammar(text) and rules)


@pytest.mark.parametrize(
    ("element", "without", "with_it"),
    [
        ("BEG04", "", "BEG*00*SA*PO-7001*R1*20260102"),
        ("REF02", "REF*DP**Department", "REF*DP*1*Department"),
        ("PO1/PO109", "", "PO1*1*10*EA*2.50**BP*BOLT-8**1"),
        ("REF04", "", "REF*DP*099**DP>1"),
        ("REF04.2", "", "REF*DP*099**DP>1"),
    ],
)
def test_a_forbidden_element_has_no_value_that_fits(
    element: str, without: str, with_it: str, guides: Guides, wrap: Callable[..., bytes]
) -> None:
    """A segment without it passes, one with it does not."""
    given = guides.with_guide(sound(guides, f"forbidden: [{element}]"))

    def read(changed: str) -> list[str]:
        return broken(wrap("850", [changed if changed.startswith(one[:3]) else one for one in BODY]), given)

    assert read(without or "nothing") == []
    assert read(with_it) == ["edi.element.not_used"]


def broken(data: bytes, guides: Guides) -> list[str]:
    """The rules that a file with one set breaks."""
    (interchange,) = x12.read_all(data, guides=guides)
    return [one.rule for group in interchange.groups for message in group.messages for one in message.findings]


def places(loop: LoopUse) -> Iterator[Use | LoopUse]:
    """Every place of a guide."""
    for item in loop.items:
        yield item
        if isinstance(item, LoopUse):
            yield from places(item)


def specs(guide: Guide, tag: str) -> list[SegmentSpec]:
    """The definitions of a segment, in the order of the guide."""
    return [spec for spec in guide.segments() if spec.tag == tag]


def test_what_is_not_touched_is_the_very_same_object(guides: Guides) -> None:
    """So that what was compiled for it is shared with every other partner."""
    standard = guides.find("004010", "850")
    assert standard is not None
    guide = sound(guides, "codes: {BEG02: [SA]}\nlengths: {PO1/REF02: 1/9}")
    kept = {id(spec) for spec in standard.segments()}
    changed = {(spec.tag, id(spec)) for spec in guide.segments() if id(spec) not in kept}
    assert [tag for tag, _ in changed].count("REF") == 1
    assert {tag for tag, _ in changed} == {"BEG", "REF"}
    same = [item for item in guide.root.items if any(item is other for other in standard.root.items)]
    assert len(same) == len(standard.root.items) - 2
    assert sound(guides, "").root is standard.root


def test_the_same_change_of_the_same_definition_is_made_once(guides: Guides) -> None:
    """Everywhere in the guide, also in places taken apart by qualifier."""
    guide = sound(guides, "lengths: {REF02: 1/9}\nrequired: [REF*DP, N1/REF*VN]")
    assert len({id(spec) for spec in specs(guide, "REF")}) == 1
    assert len(specs(guide, "REF")) > 5


def test_a_qualifier_is_taken_out_of_the_place_that_takes_any(guides: Guides) -> None:
    """It stands before it; the rest stays optional and keeps its repeats."""
    guide = sound(guides, "required: [REF*DP|IA]\nrepeat: {REF*DP|IA: 2}")
    named = [item for item in guide.root.items if isinstance(item, Use) and item.tag == "REF"]
    assert [(one.qualifiers, one.mandatory, one.maximum) for one in named] == [
        (frozenset({"DP", "IA"}), True, 2),
        (frozenset(), False, UNLIMITED),
    ]
    guide = sound(guides, "required: [REF*DP]\nforbidden: [REF]")
    assert [one.qualifiers for one in guide.root.items if isinstance(one, Use) and one.tag == "REF"] == [{"DP"}]


def test_deltas_build_on_deltas(guides: Guides) -> None:
    """From the standard over the industry to the partner; the last one has the last word."""
    industry = BASE + textwrap.dedent("""
        title: Industry order
        segments: {ZZ1: {elements: [O AN 1/5 352 text]}}
        codes: {BEG02: [SA, NE], BEG01: ['00']}
        required: [REF*DP, BEG06]
        forbidden: [BEG08, BEG07]
        """)
    partner = textwrap.dedent("""
        extends: industry/850
        codes: {BEG02: [NE], BEG01: ~}
        optional: [BEG06, BEG08]
        after: {REF*DP: [ZZ1]}
        """)
    guide = sound(guides, partner, industry_850=industry)
    beg = specs(guide, "BEG")[0].elements
    standard = guides.find("004010", "850")
    assert standard is not None
    was = specs(standard, "BEG")[0].elements
    assert beg[1].codes == {"NE"}
    assert beg[0] == was[0]
    assert beg[5] == was[5]
    assert beg[7] == was[7]
    assert not beg[6].used
    assert guide.label == "Industry order"
    assert [item.tag for item in guide.root.items[:5]] == ["BEG", "CUR", "REF", "ZZ1", "REF"]


def test_the_version_of_a_guide_is_the_hash_of_all_its_files(guides: Guides) -> None:
    """A change in the base changes it too."""
    files = {"acme/850": "extends: ind/850", "ind/850": BASE}
    first, _ = resolve("acme/850", find=found_in(files), guides=guides)
    again, _ = resolve("acme/850", find=found_in(files), guides=guides)
    other, _ = resolve("acme/850", find=found_in({**files, "ind/850": BASE + "title: x"}), guides=guides)
    assert first
    assert again
    assert other
    assert first.hash == again.hash != other.hash
    assert first.name == "acme/850"


def test_longer_than_the_standard_is_allowed_and_noted(guides: Guides) -> None:
    """A partner does as it does."""
    guide, findings = made(guides, "lengths: {REF*DP/REF02: 1/40}")
    assert guide is not None
    assert [(one.rule, one.severity) for one in findings] == [("guide.lengths_wider", Severity.ACCEPT)]


def test_notes_forget_a_forbidden_element(guides: Guides) -> None:
    """N103 alone would break P0304; the partner sends it alone."""
    guide = sound(guides, "forbidden: [N1/N104]")
    notes = [str(note) for spec in specs(guide, "N1") for note in spec.notes]
    assert notes.count("P0304") == notes.count("R0203") - 1


# A delta that is wrong: its text behind `extends:` (line 1), the rules with their lines, and a word of the remedy.
BROKEN: list[tuple[str, list[tuple[str, int]], str]] = [
    ("requird: [BEG05]", [("file.unknown_key", 2)], "required"),
    ("required: [FOBB]", [("guide.place", 2)], "FOB"),
    ("required:\n- BEG05\n- BGE05", [("guide.place", 4)], "BEG05"),
    ("required: [BEG77]", [("guide.place", 2)], "correct the number"),
    ("required: [PO1/PIDD, PO1/N1/N33]", [("guide.place", 2), ("guide.place", 2)], "PO1/PID"),
    ("required: [PO4]", [("guide.place", 2)], "PO1/PO4"),
    ("required: [PO1/BEG02]", [("guide.place", 2)], "write BEG02"),
    ("required: ['REF*', 'lower', 'PID/PID/PID']", [("guide.place", 2)] * 3, ""),
    ("required: [FOB]\nforbidden: [FOB]", [("guide.use", 3)], "remove one"),
    ("forbidden: [REF*DP]", [("guide.use", 2)], "codes: {REF*DP/REF01"),
    ("codes: {REF04: [A]}", [("guide.use", 2)], "REF04.1"),
    ("codes: {REF04.9: [A]}", [("guide.place", 2)], "correct"),
    ("codes: {BEG02: []}", [("guide.codes", 2)], "forbidden"),
    ("codes:\n  BEG01: ['00']\n  BEG02: [SA, TOOLONG, 'A*']", [("guide.codes", 4)], "correct"),
    ("codes: {BEG02: SA}", [("file.value", 2)], ""),
    ("codes: {REF: [A]}", [("guide.codes", 2)], "element"),
    ("lengths: {REF02: 5/1}", [("guide.lengths", 2)], ""),
    ("lengths: {REF02: 0/1}", [("guide.lengths", 2)], ""),
    ("lengths: {REF02: many}", [("guide.lengths", 2)], ""),
    ("lengths: {BEG05: 1/8}", [("guide.lengths", 2)], ""),
    ("lengths: {REF04: 1/8}", [("guide.use", 2)], "REF04.1"),
    ("lengths: {FOB: 1/8}", [("guide.lengths", 2)], "element"),
    ("repeat: {PO1: 0}", [("guide.repeat", 2)], ""),
    ("notes: {PO1: P0299}", [("guide.notes", 2)], "~ asks for none"),
    ("notes: {PO1: both}", [("guide.notes", 2)], "~ asks for none"),
    ("notes: {REF02: P0203}", [("guide.notes", 2)], "name the segment"),
    ("notes: {PO1/PAY: ~}", [("guide.place", 2)], "PO1"),
    ("repeat: {PO1: '-1', N1: many}", [("guide.repeat", 2), ("guide.repeat", 2)], ""),
    ("after: {BEG: [ZZ9 M 2]}", [("guide.segment", 2)], ""),
    ("after:\n  BEG:\n  - CUR\n  - CUX", [("guide.segment", 5)], "CUR"),
    ("after: {BEGG: [CUR]}", [("guide.place", 2)], "BEG"),
    ("after: {BEG: [{CUR: REF}, {CUR: ~}, [REF], {CUR: [{REF: [{}]}]}]}", [("guide.segment", 2)] * 3, ""),
    ("segments: {ST: {elements: [M AN 1/5 352 x]}}", [("guide.segment", 2)], "another tag"),
    ("segments:\n  ZZ1:\n    elements:\n    - M AN 1/5 352 x\n    - M XX 1/5 352 x", [("guide.segment", 6)], ""),
    ("segments: {ZZ1: {elements: [M AN 1/5 352 x], notes: P0102}}", [("guide.segment", 2)], ""),
    ("segments: {ZZ1: {elements: [M AN 1/5 352 x], notes: Q01}}", [("guide.segment", 2)], ""),
    ("segments: {ZZ1: {label: x}}", [("file.missing_key", 2)], "elements"),
    ("segments: {ZZ1: {elements: [{99x: [{99x: [{99x: []}]}]}]}}", [("guide.segment", 2)], ""),
    ("segments: {ZZ1: {elements: [{99x: [O AN 1/2 352 x]}, O AN 1/2 352 x]}}", [("guide.segment", 2)], ""),
    ("a: [", [("file.not_yaml", 3)], ""),
    ("a: 1\na: 2", [("file.key_twice", 3)], ""),
]


@pytest.mark.parametrize(("text", "expected", "remedy"), BROKEN)
def test_what_is_wrong_is_said_with_its_line_and_what_was_meant(
    text: str, expected: list[tuple[str, int]], remedy: str, guides: Guides
) -> None:
    """And there is no guide."""
    guide, findings = made(guides, text)
    assert guide is None
    wrong = [one for one in findings if one.severity is Severity.REJECT]
    told = [(one.rule, one.place.line) for one in wrong if isinstance(one.place, FilePlace)]
    assert told == expected
    assert all(one.place.file == "guides/acme/850.yaml" for one in wrong if isinstance(one.place, FilePlace))
    assert remedy in wrong[0].fix


def test_all_mistakes_of_a_file_come_at_once(guides: Guides) -> None:
    """One never hides another."""
    text = "required: [FOBB]\ncodes: {BEG02: []}\nlengths: {REF02: x}\nafter: {CURR: [REF]}\nrepeat: {PO1: 0}"
    _, findings = made(guides, text)
    lines = sorted(one.place.line or 0 for one in findings if isinstance(one.place, FilePlace))
    assert lines == [2, 3, 4, 5, 6]


def test_every_rule_of_guides_is_broken_by_a_test(guides: Guides) -> None:
    """Here, or below."""
    broken = {rule for _, expected, _ in BROKEN for rule, _ in expected}
    assert set(RULES) - broken == {"guide.missing", "guide.extends", "guide.lengths_wider"}


def test_extends_that_leads_nowhere(guides: Guides) -> None:
    """The near miss is named, of the gateway's guides and of the workspace's."""
    _, findings = made(guides, "title: x\nextends: x12/00401O/850")
    assert [(one.rule, one.place.line, one.fix) for one in findings if isinstance(one.place, FilePlace)] == [
        ("guide.missing", 2, "write x12/004010/850")
    ]
    _, findings = resolve("acme/850", find=lambda _: None, guides=guides, names=("acme/855",))
    assert [(str(one.place), one.fix) for one in findings] == [("guides/acme/850.yaml", "write acme/855")]


def test_extends_in_a_circle_and_too_deep(guides: Guides) -> None:
    """Said in the file that closes it."""
    files = {"a/1": "extends: b/1", "b/1": "extends: a/1"}
    made_, findings = resolve("a/1", find=found_in(files), guides=guides)
    assert made_ is None
    assert [(one.rule, str(one.place), one.said) for one in findings] == [
        ("guide.extends", "guides/b/1.yaml:1 extends", "a/1 → b/1 → a/1")
    ]
    chain = {f"g/{number}": f"extends: g/{number + 1}" for number in range(20)}
    _, findings = resolve("g/0", find=found_in(chain), guides=guides)
    assert [str(one.place) for one in findings] == [f"guides/g/{MAX_EXTENDS - 1}.yaml:1 extends"]


def test_a_mistake_in_the_base_is_told_in_the_base(guides: Guides) -> None:
    """Beside those of the file itself."""
    _, findings = made(guides, "extends: ind/850\nrequird: []", ind_850=BASE + "codes: {BEG99: [A]}")
    assert [str(one.place) for one in findings] == [
        "guides/ind/850.yaml:2 codes.BEG99",
        "guides/acme/850.yaml:2 requird",
    ]


SEGMENTS = b"""
composites:
  C507: [M an..3 2005 date qualifier, C an..35 2380 date, C an..3 2379 date format]
  C212: [C an..35 7140 item, C an..3 7143 item type]
segments:
  BGM: {label: beginning, elements: [C an..3 1001 name, C an..35 1004 number]}
  DTM: {label: date, elements: [M C507 date]}
  LIN: {label: line, elements: [C n..6 1082 line, C an..3 1229 action, C C212 item]}
  PIA: {label: more items, elements: [M an..3 4347 qualifier, M C212 item, C C212 item]}
  NAD: {label: party, elements: [M an..3 3035 role]}
  RFF: {label: reference, elements: [M an..35 1154 reference]}
"""
ORDERS = b"""
message: ORDERS
label: order
segments:
- BGM M
- DTM M 35
- SG2 NAD C 99: [{SG3 RFF C 10: []}]
- SG25 LIN C 200000: [PIA C 25, DTM C 35, {SG28 NAD C 5: []}]
- SG30 NAD C 1: []
"""


def test_the_same_words_for_edifact(guides: Guides) -> None:
    """Places by tag or by the group's name, qualifiers with +, components behind a dot."""
    orders = parse_guide(ORDERS, parse_segments(SEGMENTS, "segments"), "D96A", "ORDERS", standard="edifact")
    text = textwrap.dedent("""
        extends: edifact/D96A/ORDERS
        segments: {ZZZ: {elements: [M an..5 1154 text, C C507 date]}}
        required: [DTM+137, LIN/PIA, SG25/DTM+2|69, BGM02]
        forbidden: [SG30, SG2/SG3, PIA03]
        codes: {DTM+137/DTM01.3: ["102"], SG25/PIA01: ["1", "5"], PIA02.2: [SA]}
        lengths: {BGM02: ..17, LIN03.1: "14"}
        repeat: {SG25: 999, DTM+137: 1}
        after: {LIN/LIN: [ZZZ], LIN: [{SG99 RFF C 2: []}]}
        """)
    partner, findings = resolve("acme/ORDERS", find=found_in({"acme/ORDERS": text}), guides=guides.with_guide(orders))
    assert findings == ()
    assert partner is not None
    guide = partner.guide
    assert (guide.name, guide.standard) == ("edifact/D96A/ORDERS", "edifact")
    shape = [
        (one.tag, one.mandatory, one.maximum, "|".join(sorted(one.qualifiers)) if isinstance(one, Use) else one.group)
        for one in places(guide.root)
    ]
    assert shape == [
        ("BGM", True, 1, ""),
        ("DTM", True, 1, "137"),
        ("DTM", False, 35, ""),
        ("NAD", False, 99, "SG2"),
        ("NAD", True, 1, ""),
        ("LIN", False, 999, "SG25"),
        ("LIN", True, 1, ""),
        ("ZZZ", False, 1, ""),
        ("PIA", True, 25, ""),
        ("DTM", True, 35, "2|69"),
        ("DTM", False, 35, ""),
        ("NAD", False, 5, "SG28"),
        ("NAD", True, 1, ""),
        ("RFF", False, 2, "SG99"),
        ("RFF", True, 1, ""),
    ]
    first, second = specs(guide, "DTM")[:2]
    assert first.elements[0].components[2].codes == {"102"}
    assert second is specs(orders, "DTM")[0]
    pia = specs(guide, "PIA")[0].elements
    assert (pia[0].codes, pia[1].components[1].codes, pia[2].used) == ({"1", "5"}, {"SA"}, False)
    date = specs(guide, "ZZZ")[0].elements[1].components
    assert [(one.number, one.maximum) for one in date] == [("2005", 3), ("2380", 35), ("2379", 3)]
    assert (specs(guide, "BGM")[0].elements[1].maximum, specs(guide, "LIN")[0].elements[2].components[0].minimum) == (
        17,
        14,
    )
