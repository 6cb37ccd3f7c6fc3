"""The pattern of a whole message takes what is right and nothing else, and means the tree of the slow path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.edi.body import Piece
from gateway.edi.characters import decoded
from gateway.edi.check import check_message, clean
from gateway.edi.generate import delimiters_of, interchanges
from gateway.edi.guide import Guide
from gateway.edi.library import standard
from gateway.edi.mutate import mutate
from gateway.edi.mutate.elements import ELEMENTS
from gateway.edi.mutate.hierarchies import HIERARCHIES
from gateway.edi.mutate.segments import SEGMENTS
from gateway.edi.structure import structure_of
from gateway.edi.tolerances import Limits
from gateway.edi.tree import Loop
from gateway.edi.walk import Walk
from gateway.findings import Finding

NAMES = standard().names()
INSIDE = (*SEGMENTS, *ELEMENTS, *HIERARCHIES)
"""Mutations of what lies between ST and SE, UNH and UNT."""
LIMITS = Limits()


def guide_named(name: str) -> Guide:
    """A guide of the package."""
    _, version, kind = name.split("/")
    guide = standard().find(version, kind)
    assert guide is not None
    return guide


def bodies(guide: Guide, data: bytes) -> Iterator[Piece]:
    """What lies between ST and SE, UNH and UNT, of each message."""
    delimiters = delimiters_of(guide)
    start, end = ("UNH", "UNT") if guide.standard == "edifact" else ("ST", "SE")
    charset = "iso8859-1" if guide.standard == "edifact" else "utf-8"
    segments: list[str] = []
    for segment in decoded(data, charset, delimiters).split(delimiters.segment):
        tag = segment.partition(delimiters.element)[0]
        if tag == start:
            segments = []
        elif tag == end:
            yield Piece("".join(one + delimiters.segment for one in segments), 0, 1, charset, delimiters)
        else:
            segments.append(segment)


def slowly(guide: Guide, piece: Piece) -> tuple[Loop, list[Finding]]:
    """The tree and the findings, segment by segment."""
    walk = Walk(structure_of(guide, piece.delimiters), standard(), limits=LIMITS, charset=piece.charset)
    check_message(walk, [piece], len(piece.text))
    return walk.root, walk.findings


def quickly(guide: Guide, piece: Piece) -> Loop | None:
    """The tree by the pattern of the whole message; None where it does not match."""
    structure = structure_of(guide, piece.delimiters)
    assert structure.grammar is not None  # compiled now: `clean` would wait until it is worth it
    return clean(structure, [piece], LIMITS)


@pytest.mark.parametrize("name", NAMES)
def test_fast_equals_slow(name: str) -> None:
    """Generated documents match and mean one tree on both ways; of mutated ones none matches that has a finding."""
    guide = guide_named(name)
    refused = 0
    for seed, density in enumerate((0.0, 0.15, 0.35)):
        data, other = interchanges(guide, count=2, seed=seed, density=density, lines=2, per_interchange=1)
        for piece in (*bodies(guide, data), *bodies(guide, other)):
            root, findings = slowly(guide, piece)
            quick = quickly(guide, piece)
            assert findings == []
            assert quick is not None, piece.text
            assert quick == root
        for mutation in INSIDE:
            mutated = mutate(data, guides=standard(), name=mutation, seed=seed)
            for piece in bodies(guide, mutated or b""):
                _, findings = slowly(guide, piece)
                assert findings, (mutation, piece.text)
                assert quickly(guide, piece) is None, (mutation, piece.text)
                refused += 1
    assert refused > 25


def test_a_short_tag_without_elements_is_hung_as_it_is_checked() -> None:
    """`N4~`: nothing follows the tag by which its step could be found."""
    guide = guide_named("x12/005010/850")
    text = "BEG*00*SA*PO-7001**20260102~N1*ST*Main warehouse~N4~PO1*1*10*EA*2.50**BP*BOLT-8~"
    piece = Piece(text, 0, 1, "utf-8", delimiters_of(guide))
    root, findings = slowly(guide, piece)
    assert (findings, quickly(guide, piece)) == ([], root)
