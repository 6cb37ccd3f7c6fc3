"""What the wire's order remembers: lines that were added find their place, quickly, and nothing foreign comes in."""

from __future__ import annotations

import time

from gateway.edi.tree import Loop, Segment
from gateway.mapping.memory import arrange, unpack

RULES = ("BEG", "REF", "PO1", "CTT")


def written(*tags: str) -> list[tuple[int, str, Segment | Loop]]:
    """Segments as the rules make them."""
    return [(RULES.index(tag), tag, Segment(tag, [str(number)])) for number, tag in enumerate(tags)]


def tags(children: list[Segment | Loop]) -> list[str]:
    """What stands where."""
    return [one.tag if isinstance(one, Segment) else one.name for one in children]


def test_what_the_order_does_not_know_stands_before_the_first_of_a_later_rule() -> None:
    """The wire had PO1 before BEG; REF and CTT are new."""
    made = arrange(written("BEG", "REF", "REF", "PO1", "CTT"), ["PO1", ["XYZ", "a"], "BEG"])
    assert tags(made) == ["REF", "REF", "PO1", "XYZ", "BEG", "CTT"]


def test_many_new_lines_take_no_more_than_their_number() -> None:
    """20,000 lines of a document whose memory knows none took half a minute."""
    many = written("BEG", *["PO1"] * 20_000)
    began = time.process_time()
    assert len(arrange(many, ["BEG"])) == len(arrange(many, [])) == len(many)
    assert time.process_time() - began < 2


def test_a_tag_from_outside_brings_no_separators() -> None:
    """A body's extensions cannot end the set and begin another."""
    assert unpack(["REF*ZZ*1~SE*3*0001~ST", "850"]) is None
    assert unpack(["ZZ9", "a"]) == Segment("ZZ9", ["a"])
