"""Generated documents: read back without a finding, whatever the guide; the same seed, the same bytes."""

from __future__ import annotations

import hashlib
import itertools

import pytest

from gateway.edi import reading
from gateway.edi.delimiters import STANDARD
from gateway.edi.generate import delimiters_of, documents, interchanges
from gateway.edi.generate.dice import Dice
from gateway.edi.generate.documents import Factory
from gateway.edi.generate.hierarchies import shape
from gateway.edi.generate.segments import Segments
from gateway.edi.generate.values import Draw, Values
from gateway.edi.guide import ElementSpec, Guide, Note, SegmentSpec, Use
from gateway.edi.interchange import Interchange
from gateway.edi.library import Guides, parse_guide, standard
from gateway.edi.tree import Loop, Repeats, walk
from gateway.errors import OurFault
from gateway.findings import Finding

NAMES = standard().names()
DIGEST = "60208fd6117482c5207af15f2efe2ab44b9d77b34ca34ff015ba38b3ee70ed1d"
"""SHA-256 of 20 acknowledgments of seed 7: changes when the generator does, never with Python."""


def guide_named(name: str) -> Guide:
    """A guide of the package."""
    _, version, kind = name.split("/")
    guide = standard().find(version, kind)
    assert guide is not None
    return guide


def made_guide(text: str) -> Guide:
    """A guide of 004010 from its YAML."""
    specs = standard().segments("004010")
    return parse_guide(f"message: '850'\ngroup: PO\nlabel: test\n{text}".encode(), specs, "004010", "test")


def all_findings(read: list[Interchange]) -> list[Finding]:
    """Those of the interchanges, the groups and the messages."""
    found = [found for one in read for found in one.findings]
    groups = [group for one in read for group in one.groups]
    found += [found for group in groups for found in group.findings]
    return found + [found for group in groups for message in group.messages for found in message.findings]


def roots(read: list[Interchange]) -> list[Loop]:
    """The trees."""
    return [message.root for one in read for group in one.groups for message in group.messages]


def round_trip(guide: Guide, guides: Guides, *, count: int, density: float, seed: int = 7, lines: int = 3) -> None:
    """Write, read, compare."""
    data = b"".join(
        interchanges(guide, count=count, seed=seed, density=density, lines=lines, per_interchange=max(1, count // 2))
    )
    read = reading.read_all(data, guides=guides)
    assert [found.text for found in all_findings(read)] == []
    assert roots(read) == list(documents(guide, count=count, seed=seed, density=density, lines=lines))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_generated_is_read_back_without_a_finding_and_with_its_tree(name: str) -> None:
    """25 documents of every guide, from bare to full."""
    guide = guide_named(name)
    for count, density in ((9, 0.0), (9, 0.15), (6, 0.3), (1, 0.6)):
        round_trip(guide, standard(), count=count, density=density)


def test_a_full_document_holds_everything_once() -> None:
    """Density 1: nothing is left to chance."""
    round_trip(guide_named("edifact/D96A/APERAK"), standard(), count=1, density=1.0)
    round_trip(guide_named("x12/005010/999"), standard(), count=1, density=1.0)


def test_the_same_seed_gives_the_same_bytes_on_every_python() -> None:
    """The first value of SplitMix64 for seed 0, and the digest of a file."""
    dice = Dice(0)
    dice._state = 0
    assert dice.draw() == 0xE220A8397B1DCDAF
    guide = guide_named("x12/004010/997")
    data = b"".join(interchanges(guide, count=20, seed=7, per_interchange=5))
    assert data == b"".join(interchanges(guide, count=20, seed=7, per_interchange=5))
    assert hashlib.sha256(data).hexdigest() == DIGEST


def test_a_document_is_the_same_wherever_it_stands() -> None:
    """Document 5 of a seed, alone or among others; another seed is another document."""
    guide = guide_named("edifact/D01B/ORDERS")
    many = list(documents(guide, count=6, seed=3))
    assert list(documents(guide, count=1, seed=3, first=5)) == [many[4]]
    assert many[0] != many[1]
    assert many != list(documents(guide, count=6, seed=4))


def test_edifact_values_need_releases_and_x12_values_hold_no_delimiter() -> None:
    """And letters outside ASCII are in both."""
    edifact = b"".join(interchanges(guide_named("edifact/D96A/ORDERS"), count=60, seed=1))
    assert all(one in edifact for one in (b"??", b"?+", b"?:", b"?'", "ë".encode("latin-1")))
    x12 = b"".join(interchanges(guide_named("x12/004010/850"), count=60, seed=1))
    assert "ü".encode() in x12
    held = {
        character
        for root in documents(guide_named("x12/004010/850"), count=60, seed=1)
        for _, segment, _ in walk(root)
        for element in segment.elements
        for character in (element if isinstance(element, str) else "")
    }
    assert not held & set(STANDARD.all)


def test_elements_are_repeated_only_where_the_version_has_a_separator() -> None:
    """X12 005010 and syntax 4."""
    for name in ("x12/005010/999", "edifact/41/CONTRL"):
        guide = guide_named(name)
        assert delimiters_of(guide).repetition is not None
        elements = (
            element
            for root in documents(guide, count=30, seed=1, density=0.8)
            for _, segment, _ in walk(root)
            for element in segment.elements
        )
        assert any(isinstance(element, Repeats) for element in elements)
    assert delimiters_of(guide_named("x12/004010/850")).repetition is None


def test_qualifiers_select_places_and_forbidden_elements_stay_empty() -> None:
    """Places of one tag side by side, and one that a later place takes."""
    guide = made_guide(
        "segments: [BEG M, REF*DP M, 'REF*VN 3', REF, N1*ST M: [N3 2], N1*BT 2: [N3], PO1 M *: [REF*CO]]"
    )
    round_trip(guide, standard().with_guide(guide), count=40, density=0.5)


def test_an_optional_segment_never_takes_the_place_of_a_mandatory_one() -> None:
    """The loop's REF comes first for a reader: where it would take the last REF it is left out, or comes as well."""
    guide = made_guide("segments: [BEG M, N1: [REF], REF M, CTT]")
    round_trip(guide, standard().with_guide(guide), count=40, density=0.5)


def test_a_guide_that_no_document_can_meet_is_our_fault() -> None:
    """A mandatory place that an earlier mandatory one hides, notes that contradict each other, a bad number."""
    hidden = made_guide("segments: [BEG M, REF M 5, REF M]")
    with pytest.raises(OurFault, match="mandatory REF"):
        list(documents(hidden, count=1, seed=1))
    element = ElementSpec(mandatory=True, type="AN", minimum=1, maximum=2, number="1", label="x")
    spec = SegmentSpec(tag="ZZ", label="z", elements=(element, element), notes=(Note(kind="E", elements=(1, 2)),))
    segments = Segments(Values("x12", STANDARD), 0.5, STANDARD)
    with pytest.raises(OurFault, match="notes of ZZ"):
        segments.make(Use(spec=spec), Draw(Dice(1)))
    for wrong in ({"density": 2.0}, {"lines": 0}):
        with pytest.raises(OurFault):
            Factory(hidden, **wrong)  # type: ignore[arg-type]
    with pytest.raises(OurFault):
        list(interchanges(hidden, count=1, seed=1, per_interchange=0))


@pytest.mark.parametrize("levels", ["SOTPI", "SEOTPI", "SOI", "XY", ""])
def test_hierarchies_are_trees_with_parents_first_and_deeper_levels_below(levels: str) -> None:
    """HL01 counts, HL02 names an earlier one, HL04 tells the truth."""
    order = {level: at for at, level in enumerate(levels)}
    for seed in range(50):
        nodes = shape(frozenset(levels), 6, Dice(seed))
        assert [node.number for node in nodes] == list(range(1, len(nodes) + 1))
        assert nodes[0].parent == 0
        for node in nodes[1:]:
            assert 0 < node.parent < node.number
            if levels:
                assert order[node.level] > order[nodes[node.parent - 1].level]
        assert [node.children for node in nodes] == [
            any(other.parent == node.number for other in nodes) for node in nodes
        ]


def test_interchanges_come_one_at_a_time() -> None:
    """A million documents are not made before the first is needed."""
    guide = guide_named("x12/004010/855")
    first = next(iter(interchanges(guide, count=1_000_000, seed=1, per_interchange=2)))
    (one,) = reading.read_all(first, guides=standard())
    assert len(one.groups[0].messages) == 2
    assert len(list(itertools.islice(documents(guide, count=1_000_000, seed=1), 3))) == 3
