"""A version without guides of its own is read by those of another, where that was agreed."""

from __future__ import annotations

from gateway.edi import x12
from gateway.edi.delta import resolve
from gateway.edi.library import standard
from gateway.edi.tree import Verdict

OLD = b"".join(
    (
        b"ISA*00*          *00*          *ZZ*OLDTIMER       *ZZ*HARBORLINE     *261121*0915*U*00305*000000042*0*P*>~",
        b"GS*PO*OLDTIMER*HARBORLINE*261121*0915*42*X*003050~ST*850*0001~BEG*00*SA*4500012345**20261120~",
        b"PO1*1*24*EA~SE*4*0001~GE*1*42~IEA*1*000000042~",
    )
)


def test_a_version_without_guides_is_refused_unless_it_is_read_as_another() -> None:
    """The group's version and the set's guide both."""
    (before,) = x12.read_all(OLD, guides=standard())
    assert before.groups[0].findings[0].rule == "edi.group.version"
    (after,) = x12.read_all(OLD, guides=standard().reading_as({"003050": "004010"}))
    assert after.outcome is Verdict.ACCEPTED
    assert after.groups[0].messages[0].version == "003050"


def test_a_partners_guide_reads_the_other_version_too() -> None:
    """The guide is agreed for its type: the agreed version and the one that is read as it, no other."""
    text = "extends: x12/004010/850\nforbidden: [PO1/PO103]\n"
    made, _ = resolve("old/850", find=lambda name: (f"guides/{name}.yaml", text), guides=standard())
    assert made is not None
    guides = standard().agreeing(made.guide).reading_as({"003050": "004010"})
    (own,) = x12.read_all(OLD, guides=guides)
    assert [one.rule for one in own.groups[0].messages[0].findings] == ["edi.element.not_used"]
    assert guides.find("005010", "850") is None


def test_reading_as_holds_for_guides_that_are_added_later() -> None:
    """The order in which guides are put together does not matter."""
    guides = standard().reading_as({"D93A": "D96A"}).adding("edifact", "D99B", {})
    found = guides.find("D93A", "ORDERS")
    assert found is not None
    assert found.name == "edifact/D96A/ORDERS"
    assert guides.knows_version("D93A")
    assert guides.knows_segment("D93A", "BGM")
