"""The pattern of a segment takes nothing that the slow path refuses, whatever a partner's delta changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.edi.delimiters import EDIFACT, Delimiters
from gateway.edi.elements import check_segment
from gateway.edi.guide import ElementSpec, SegmentSpec
from gateway.edi.patterns import compile_segment
from gateway.findings import EdiPlace


def element(kind: str, low: int, high: int, *codes: str) -> SegmentSpec:
    """A segment of one element."""
    spec = ElementSpec(
        mandatory=False,
        type=kind,
        minimum=low,
        maximum=high,
        number="1",
        label="one",
        codes=frozenset(codes) if codes else None,
    )
    return SegmentSpec(tag="ZZ1", label="own", elements=(spec,))


@pytest.mark.parametrize(
    ("spec", "delimiters", "right", "wrong"),
    [
        (element("ID", 1, 2, "AB", "ABC"), Delimiters(), "ZZ1*AB", "ZZ1*ABC"),
        (element("R", 1, 9, "1.5", "AB"), Delimiters(), "ZZ1*1.5", "ZZ1*AB"),
        (element("TM", 6, 8), Delimiters(), "ZZ1*120000", "ZZ1*1200"),
        (element("TM", 8, 8), Delimiters(), "ZZ1*12000000", "ZZ1*120000"),
        (element("R", 4, 6), Delimiters(), "ZZ1*12345.6", "ZZ1*12345.67"),
        (element("n", 4, 6), EDIFACT, "ZZ1+12345.6", "ZZ1+12345.67"),
    ],
)
def test_lengths_hold_for_codes_times_and_numbers(
    spec: SegmentSpec, delimiters: Delimiters, right: str, wrong: str
) -> None:
    """A code outside the narrowed lengths, a time too short, a decimal number too long: both ways say the same."""
    match = compile_segment(spec, delimiters).fullmatch
    for raw in (right, wrong):
        found = check_segment(spec, raw, EdiPlace(), delimiters, "utf-8")
        assert (match(raw) is None) == bool(found) == (raw == wrong)


@pytest.mark.parametrize("separator", ["-", "."])
def test_a_separator_that_is_a_sign_or_a_decimal_mark_is_never_part_of_a_number(separator: str) -> None:
    """Two elements of one digit are not one number: only the slow path reads such a segment."""
    number = element("R", 1, 3).elements[0]
    spec = SegmentSpec(tag="ZZ1", label="own", elements=(number, replace(number, codes=frozenset("7"))))
    delimiters = Delimiters(element=separator)
    for raw in ("ZZ1{0}1{0}5", "ZZ1{0}{0}5"):
        assert check_segment(spec, raw.format(separator), EdiPlace(), delimiters, "utf-8")
        assert compile_segment(spec, delimiters).fullmatch(raw.format(separator)) is None
