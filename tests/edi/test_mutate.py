"""Every named mutation makes a valid file wrong, in both standards, and a reader says so."""

from __future__ import annotations

from collections import Counter

import pytest

from gateway.edi import reading
from gateway.edi.generate import interchanges
from gateway.edi.guide import Guide
from gateway.edi.library import standard
from gateway.edi.mutate import MUTATIONS, mutate, mutate_any, mutations
from gateway.errors import OurFault
from gateway.findings import Finding, Severity

GUIDES = (
    "x12/004010/850", "x12/004010/856", "x12/005010/999", "x12/005010/855",
    "edifact/D96A/ORDERS", "edifact/D01B/DESADV", "edifact/41/CONTRL", "edifact/D3/CONTRL",
)  # fmt: skip

RULES = {
    "interchange_count": "edi.interchange.count",
    "interchange_number": "edi.interchange.control_number",
    "interchange_end_missing": "edi.interchange.trailer_missing",
    "group_count": "edi.group.count",
    "group_number": "edi.group.control_number",
    "group_end_missing": "edi.group.trailer_missing",
    "message_count": "edi.message.count",
    "message_number": "edi.message.control_number",
    "message_number_repeated": "edi.message.control_number_repeated",
    "message_end_missing": "edi.message.trailer_missing",
    "message_type_unknown": "edi.message.unsupported",
    "message_segment_outside": "edi.interchange.stray_segment",
    "segment_missing": "edi.segment.missing",
    "segment_twice": "edi.segment.too_many",
    "segment_too_often": "edi.segment.too_many",
    "loop_too_often": "edi.segment.too_many_loops",
    "segment_unknown": "edi.segment.unknown",
    "segment_empty": "edi.segment.empty",
    "element_missing": "edi.element.missing",
    "component_missing": "edi.element.missing",
    "element_too_long": "edi.element.too_long",
    "element_too_short": "edi.element.too_short",
    "element_date": "edi.element.date",
    "element_time": "edi.element.time",
    "element_code": "edi.element.code",
    "element_condition": "edi.element.condition",
    "element_undecodable": "edi.element.charset",
    "too_many_elements": "edi.element.too_many",
    "too_many_components": "edi.element.too_many_components",
    "too_many_repeats": "edi.element.too_many_repeats",
    "hierarchy_parent_missing": "edi.hl.parent_missing",
    "hierarchy_number_repeated": "edi.hl.number_repeated",
    "hierarchy_cycle": "edi.hl.cycle",
    "hierarchy_level_unknown": "edi.hl.level",
}
"""The rule that a mutation breaks at least, where it is always one."""


def guide_named(name: str) -> Guide:
    """A guide of the package."""
    _, version, kind = name.split("/")
    guide = standard().find(version, kind)
    assert guide is not None
    return guide


def findings(data: bytes) -> list[Finding]:
    """All of a file's, a fault's among them."""
    whole = reading.read_whole(data, guides=standard())
    found = [found for one in whole.interchanges for found in one.findings]
    for group in (group for one in whole.interchanges for group in one.groups):
        found += [*group.findings, *(found for message in group.messages for found in message.findings)]
    return found + list(whole.fault.findings if whole.fault else ())


def test_every_mutation_is_caught() -> None:
    """A finding above a note, and the rule that the mutation is made for."""
    made: Counter[str] = Counter()
    for name in GUIDES:
        for seed in range(3):
            (data,) = interchanges(guide_named(name), count=2, seed=seed, density=0.25, lines=2)
            assert findings(data) == []
            for mutation, mutated in mutations(data, guides=standard(), seed=seed):
                found = findings(mutated)
                assert any(one.severity is not Severity.ACCEPT for one in found), (name, seed, mutation)
                assert RULES.get(mutation, found[0].rule) in {one.rule for one in found}, (name, seed, mutation)
                made[mutation] += 1
    assert made.keys() == MUTATIONS.keys()


def test_a_mutation_of_a_message_leaves_its_count_right() -> None:
    """One fault, one finding."""
    for name in ("x12/004010/850", "edifact/D96A/ORDERS"):
        (data,) = interchanges(guide_named(name), count=1, seed=5)
        for mutation in ("segment_missing", "segment_unknown", "segment_twice", "too_many_elements", "segment_empty"):
            mutated = mutate(data, guides=standard(), name=mutation, seed=5)
            assert mutated is not None
            assert [one.rule for one in findings(mutated)] == [RULES[mutation]]


def test_the_same_seed_gives_the_same_bytes() -> None:
    """For one name, for all, for any."""
    (data,) = interchanges(guide_named("edifact/D01B/DESADV"), count=3, seed=2)
    once, again = (list(mutations(data, guides=standard(), seed=9)) for _ in range(2))
    assert once == again
    assert once != list(mutations(data, guides=standard(), seed=10))
    assert mutate_any(data, guides=standard(), seed=4) == mutate_any(data, guides=standard(), seed=4)
    assert len({mutate_any(data, guides=standard(), seed=seed)[0] for seed in range(20)}) > 5


def test_what_cannot_be_made_is_none_and_a_wrong_file_is_our_fault() -> None:
    """No hierarchy in an order; no message, no guide; an unknown name."""
    (data,) = interchanges(guide_named("x12/004010/850"), count=1, seed=1)
    assert mutate(data, guides=standard(), name="hierarchy_cycle", seed=1) is None
    with pytest.raises(KeyError):
        mutate(data, guides=standard(), name="nothing", seed=1)
    for wrong in (data.replace(b"~ST*850*", b"~ZZ*850*"), data.replace(b"~ST*850*", b"~ST*001*")):
        with pytest.raises(OurFault):
            mutate(wrong, guides=standard(), name="message_count", seed=1)


def test_every_mutation_says_what_it_does() -> None:
    """A table of names in both directions."""
    assert set(RULES) <= set(MUTATIONS)
    assert all(name.islower() and name.replace("_", "").isalpha() for name in MUTATIONS)
