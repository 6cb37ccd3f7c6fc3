"""Findings name their place in words."""

from __future__ import annotations

from gateway.findings import EdiPlace, FilePlace, Finding, JsonPlace, Severity, worst


def test_an_edi_place_reads_like_an_analyst_speaks() -> None:
    """Every coordinate is named; absent ones are left out."""
    place = EdiPlace(interchange="000000123", message="0001", segment=14, tag="PO1", element=2, offset=1187)
    assert str(place) == "interchange 000000123, set 0001, segment 14 PO1, element 02, byte 1187"
    assert str(JsonPlace(pointer="/lines/0/quantity")) == "/lines/0/quantity"
    assert str(FilePlace(file="partners/acme.yaml", line=12, key="as2.url")) == "partners/acme.yaml:12 as2.url"


def test_the_worst_severity_decides() -> None:
    """No findings at all are harmless."""
    place = JsonPlace(pointer="")
    note = Finding(rule="a", place=place, said="", wanted="", fix="", severity=Severity.ACCEPT)
    fatal = Finding(rule="b", place=place, said="", wanted="", fix="")
    assert worst(()) is Severity.ACCEPT
    assert worst((note, fatal, note)) is Severity.REJECT
