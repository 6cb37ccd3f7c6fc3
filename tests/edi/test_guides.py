"""The X12 guides of the package: each loads, says nothing that cannot be, and takes a document written for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import pytest

from gateway.edi import x12
from gateway.edi.guide import UNLIMITED, Guide, LoopUse, SegmentSpec, Use
from gateway.edi.interchange import Interchange, Verdict
from gateway.edi.library import Package, parse_segments, standard
from gateway.errors import OurFault

SAMPLES = Path(__file__).parents[2] / "samples" / "x12" / "guides"
GUIDES = [guide for guide in standard() if guide.standard == "x12"]
VERSIONS = ("004010", "005010")

# Type → GS01, the mandatory places of the set, how its details begin.
FACTS = {
    "850": ("PO", ["BEG", "PO1"], "PO1"),
    "855": ("PR", ["BAK"], "PO1"),
    "856": ("SH", ["BSN", "HL"], "HL"),
    "860": ("PC", ["BCH"], "POC"),
    "865": ("CA", ["BCA"], "POC"),
    "997": ("FA", ["AK1", "AK9"], "AK2"),
    "999": ("FA", ["AK1", "AK9"], "AK2"),
}
# Places that another one nearer always takes: none. One that the standard has belongs here with its path and why.
SHADOWED: dict[str, set[str]] = {}

Path_ = tuple[int, ...]
One = Callable[..., Interchange]


def _id(guide: Guide) -> str:
    return guide.name


def _segments(version: str) -> list[SegmentSpec]:
    return list(Package().segments(version).values())


def _item(guide: Guide, path: Path_) -> Use | LoopUse:
    found: Use | LoopUse = guide.root
    for index in path:
        assert isinstance(found, LoopUse)
        found = found.items[index]
    return found


def _entry(guide: Guide, path: Path_) -> Path_:
    return (*path, 0) if isinstance(_item(guide, path), LoopUse) else path


def _places(guide: Guide, path: Path_ = ()) -> Iterator[Path_]:
    found = _item(guide, path)
    if isinstance(found, Use):
        yield path
    else:
        yield from chain.from_iterable(_places(guide, (*path, index)) for index in range(len(found.items)))


def _following(guide: Guide, path: Path_) -> Iterator[Path_]:
    """Every place that may follow, nearest first."""
    if path and _item(guide, path).maximum > 1:
        yield path
    loop, index = path[:-1], path[-1] if path else -1
    while True:
        inside = _item(guide, loop)
        assert isinstance(inside, LoopUse)
        yield from ((*loop, at) for at in range(index + 1, len(inside.items)))
        if not loop:
            return
        if inside.maximum > 1:
            yield loop
        loop, index = loop[:-1], loop[-1]


def _reached(guide: Guide) -> set[Path_]:
    reached: set[Path_] = set()
    waiting: list[Path_] = [()]
    while waiting:
        taken: set[str] = set()
        for path in _following(guide, waiting.pop()):
            entry = _entry(guide, path)
            use = _item(guide, entry)
            assert isinstance(use, Use)
            if use.tag in taken:
                continue
            if not use.qualifiers:
                taken.add(use.tag)
            if entry not in reached:
                reached.add(entry)
                waiting.append(entry)
    return reached


def _named(guide: Guide, path: Path_) -> str:
    return "/".join(_item(guide, path[: depth + 1]).tag for depth in range(len(path)))


def test_both_versions_have_the_orders_and_their_answers() -> None:
    """999 came after 004010."""
    names = {(guide.version, guide.type) for guide in GUIDES}
    assert names == {(version, type_) for version in VERSIONS for type_ in FACTS} - {("004010", "999")}


@pytest.mark.parametrize("guide", GUIDES, ids=_id)
def test_a_guide_has_its_group_its_mandatory_segments_and_its_details(guide: Guide) -> None:
    """The rest is optional on the set's own level."""
    group, mandatory, detail = FACTS[guide.type]
    assert guide.functional_id == group
    assert [item.tag for item in guide.root.items if item.mandatory] == mandatory
    loops = {item.tag: item for item in guide.root.items if isinstance(item, LoopUse)}
    assert loops[detail].maximum > 1


@pytest.mark.parametrize("guide", GUIDES, ids=_id)
def test_a_loop_starts_with_a_segment_that_comes_once(guide: Guide) -> None:
    """The loop repeats, not its first segment."""
    waiting = [guide.root]
    while waiting:
        loop = waiting.pop()
        inner = [item for item in loop.items if isinstance(item, LoopUse)]
        waiting += inner
        for one in inner:
            assert one.start.mandatory
            assert one.start.maximum == 1
            assert one.name == one.tag


@pytest.mark.parametrize("guide", GUIDES, ids=_id)
def test_every_place_can_be_reached(guide: Guide) -> None:
    """No place stands behind one that takes every segment of its tag."""
    lost = {_named(guide, path) for path in set(_places(guide)) - _reached(guide)}
    assert lost == SHADOWED.get(guide.name, set())


@pytest.mark.parametrize("version", VERSIONS)
def test_notes_name_elements_that_the_segment_has(version: str) -> None:
    """Two or more, each once, none of them mandatory where all or none, one of them or at most one may come."""
    for spec in _segments(version):
        for note in spec.notes:
            where = f"{spec.tag} {note}"
            assert len(set(note.elements)) == len(note.elements) > 1, where
            assert all(0 < element <= len(spec.elements) for element in note.elements), where
            assert not any(spec.elements[element - 1].mandatory for element in note.elements), where
        assert len({str(note) for note in spec.notes}) == len(spec.notes), spec.tag


@pytest.mark.parametrize("version", VERSIONS)
def test_a_dictionary_number_has_one_type_and_one_length(version: str) -> None:
    """Wherever the element stands: that is what the dictionary is (X12.3)."""
    known: dict[str, tuple[str, int, int]] = {}
    for spec in _segments(version):
        for element in chain(spec.elements, *(one.components for one in spec.elements)):
            form = (element.type, element.minimum, element.maximum)
            assert known.setdefault(element.number, form) == form, f"{spec.tag} {element.number}"
            assert element.minimum <= element.maximum, f"{spec.tag} {element.number}"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_segment_has_elements_or_is_open(version: str) -> None:
    """An open one is known and placed, its elements are not checked."""
    for spec in _segments(version):
        assert spec.open == (not spec.elements), spec.tag
        assert spec.label, spec.tag


@pytest.mark.parametrize("guide", GUIDES, ids=_id)
def test_a_document_written_for_the_guide_is_accepted_without_a_finding(guide: Guide, one: One) -> None:
    """One of ours for every guide."""
    read = one((SAMPLES / f"{guide.version}-{guide.type}.edi").read_bytes())
    assert read.outcome is Verdict.ACCEPTED
    (message,) = read.groups[0].messages
    assert (message.type, message.version) == (guide.type, guide.version)
    assert not (read.findings + read.groups[0].findings + message.findings)


def test_an_interchange_of_00501_declares_its_repetition_separator(one: One) -> None:
    """ISA11; before 00402 it names the standard."""
    assert one((SAMPLES / "005010-850.edi").read_bytes()).delimiters.repetition == "^"
    assert one((SAMPLES / "004010-850.edi").read_bytes()).delimiters.repetition is None


def test_a_later_version_of_a_group_does_not_need_the_later_header() -> None:
    """GS08 chooses the guide, ISA12 only the header: many send 005010 in an 00401 interchange."""
    data = (SAMPLES / "005010-850.edi").read_bytes().replace(b"*^*00501*", b"*U*00401*")
    (read,) = x12.read_all(data, guides=standard())
    assert read.outcome is Verdict.ACCEPTED


@pytest.mark.parametrize(("version", "length"), [("004010", 30), ("005010", 50)])
@pytest.mark.parametrize("segment", [b"REF*CO*%s", b"REF*CO*1**CO>%s", b"N9*CO*%s"])
def test_a_reference_has_the_length_of_its_version(version: str, length: int, segment: bytes, one: One) -> None:
    """Element 127, in REF02 and in the components of REF04 and N907."""
    for said, outcome in ((length, Verdict.ACCEPTED), (length + 1, Verdict.REJECTED)):
        assert one(_with(version, segment % (b"4" * said))).outcome is outcome


def _with(version: str, segment: bytes) -> bytes:
    """The order of a version with one segment more, at its place, and the count of segments right."""
    data = (SAMPLES / f"{version}-850.edi").read_bytes()
    order = [b"BEG", b"REF", b"PER", b"TAX", b"FOB", b"CSH", b"DTM", b"TD3", b"TD4", b"N9", b"N1"]
    later = order[order.index(segment.split(b"*")[0]) + 1 :]
    at = min(data.index(b"\n" + tag + b"*") for tag in later if b"\n" + tag + b"*" in data) + 1
    head, tail = (data[:at] + segment + b"~\n" + data[at:]).split(b"\nSE*")
    count, rest = tail.split(b"*", 1)
    return head + b"\nSE*%d*" % (int(count) + 1) + rest


# Notes that public guides show, and partners break: segment → whether it may stand so.
NOTES = {
    b"FOB*PP*OR*Dayton*****SL*Dock 4": True,
    b"FOB*PP*OR*Dayton*****SL": False,
    b"FOB*PP*OR*Dayton******Dock 4": True,
    b"TAX*123": True,
    b"TAX**SP*OH": True,
    b"TAX************5": False,
    b"TD3*TL*ABCD*1234*G*10*LB": True,
    b"TD3*TL*ABCD": False,
    b"TD3*TL*ABCD*1234*G": False,
    b"TD3*TL*********2000": False,
    b"TD4***9": False,
    b"CSH**1": False,
    b"CSH*Y": True,
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("segment", NOTES, ids=bytes.decode)
def test_conditions_between_elements(segment: bytes, version: str, one: One) -> None:
    """Both versions have the same."""
    assert (one(_with(version, segment)).outcome is Verdict.ACCEPTED) is NOTES[segment]


def test_a_line_change_of_004010_names_what_is_left_to_receive(one: One) -> None:
    """POC03 without POC04 is refused there (its note names POC04 and POC05) and taken in 005010."""
    for version, outcome in (("004010", Verdict.REJECTED), ("005010", Verdict.ACCEPTED)):
        data = (SAMPLES / f"{version}-860.edi").read_bytes().replace(b"POC*1*QI*144*144*EA", b"POC*1*QI*144**EA")
        assert one(data).outcome is outcome


def test_text_is_msg_in_004010_and_mtx_in_005010(one: One) -> None:
    """A set of one version in a group of the other is told so."""
    old = (SAMPLES / "004010-860.edi").read_bytes()
    assert one(old.replace(b"X*004010", b"X*005010")).groups[0].messages[0].outcome is Verdict.REJECTED
    new = (SAMPLES / "005010-860.edi").read_bytes()
    assert one(new.replace(b"X*005010", b"X*004010")).groups[0].messages[0].outcome is Verdict.REJECTED


BASE = b"""
composites: {C040: [M ID 2/3 128 qualifier, M AN 1/30 127 reference]}
segments:
  REF: {label: reference, elements: [M ID 2/3 128 qualifier, O AN 1/30 127 reference, O C040 more], notes: P0203}
  N2: {label: more name, elements: [M AN 1/60 93 name]}
open: {MTX: text}
"""
LATER_TEXT = b"""
extends: "004010"
lengths: {"127": 1/50}
segments:
  MTX: {label: text, elements: [O AN 1/4096 1551 text]}
open: {AT9: trailer}
"""


def test_a_version_that_extends_another_has_its_segments_with_its_own_lengths() -> None:
    """Also inside composites; what it gives itself stands instead."""
    specs = parse_segments(LATER_TEXT, "005010", {"004010": BASE}.__getitem__)
    assert sorted(specs) == ["AT9", "MTX", "N2", "REF"]
    assert [element.maximum for element in specs["REF"].elements] == [3, 50, UNLIMITED]
    assert [component.maximum for component in specs["REF"].elements[2].components] == [3, 50]
    assert (specs["MTX"].open, specs["AT9"].open, specs["N2"].elements[0].maximum) == (False, True, 60)


def test_a_version_alone_cannot_extend() -> None:
    """Our fault, with the remedy."""
    with pytest.raises(OurFault, match="what it extends"):
        parse_segments(LATER_TEXT, "own/segments.yaml")
