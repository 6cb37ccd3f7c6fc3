"""Public sample files: what became of each, and why. A label is evidence, not truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.edi import x12
from gateway.edi.library import standard
from gateway.edi.tolerances import Tolerances
from gateway.errors import PartnerFault
from gateway.findings import Severity

NODE = "aaronhuggins__node-x12/test/test-data/"
NET = "indice-co__EDI.Net/test/indice.Edi.Tests/Samples/"
STUPID = "kputnam__stupidedi/spec/fixtures/004010/"
ORDER = STUPID + "X357_SC850_Aerospace_Industry_Purchase_Order/pass/"
ANSWER = STUPID + "X358_SC855_Aerospace_Industry_Purchase_Order_Acknowledgment/pass/"
ENGINE = "olmelabs__EdiEngine/EdiEngine.Tests/TestData/"
STAEDI = "xlate__staedi/src/test/resources/x12/"

# File → the rules that refuse it. Empty: accepted.
EXPECTED: dict[str, set[str]] = {
    NODE + "850.edi": set(),
    NODE + "850_2.edi": set(),
    NODE + "850_3.edi": set(),
    NODE + "850_fat.edi": set(),
    NODE + "855.edi": set(),
    # Version 004060: there is no guide.
    NODE + "856.edi": {"edi.group.version", "edi.message.unsupported"},
    # Blanks in the ISA are no-break spaces in UTF-8, IEA02 is another number.
    NET + "x12.850.edi": {"edi.isa.widths", "edi.interchange.control_number"},
    # The same, indented with tabs, and "State" in N402, which has two characters.
    NET + "x12.850a.edi": {
        "edi.isa.widths",
        "edi.interchange.control_number",
        "edi.segment.indented",
        "edi.element.too_long",
    },
    STUPID + "PR855/pass/1.edi": set(),
    # The ISA is wrapped and its padding collapsed; DZN has three characters.
    STUPID + "PR855/fail/2.edi": {"edi.segment.line_break", "edi.isa.widths", "edi.element.too_long"},
    # Labelled valid, yet the ISA has 107 bytes: ISA08 is 16 characters wide.
    STUPID + "PO850/pass/1.edi": {"edi.isa.widths"},
    # Labelled valid, yet ISA06 is 12 characters wide.
    STUPID + "FA997/pass/1.edi": {"edi.isa.widths"},
    # GS01 says SC in all of these, which is noted only.
    ORDER + "basic-po.edi": set(),
    ORDER + "taxexempt-po.edi": set(),
    ANSWER + "basic-po-ack-accepted.edi": set(),
    ANSWER + "basic-po-ack-rejected.edi": set(),
    ANSWER + "po-ack-ship-details.edi": set(),
    # Labelled valid, yet ACK*IQ*20 has a quantity without a unit: ACK02 and ACK03 come together (note P0203).
    ANSWER + "po-ack-minor-changes.edi": {"edi.element.condition"},
    ENGINE + "850.OK.edi": set(),
    ENGINE + "850.Composite.SLN.OK.edi": set(),
    ENGINE + "850.SyntaxNotes.ERR.edi": {"edi.element.condition"},
    ENGINE + "856.Crossdock.OK.edi": set(),
    STAEDI + "issue590/multi-tx-transaction-type.edi": set(),
}


def _refusing(data: bytes, tolerances: Tolerances | None = None) -> set[str]:
    found = []
    for interchange in x12.read_all(data, guides=standard(), tolerances=tolerances):
        found += interchange.findings
        for group in interchange.groups:
            found += group.findings
            for message in group.messages:
                found += message.findings
    return {one.rule for one in found if one.severity is Severity.REJECT}


@pytest.mark.parametrize("name", EXPECTED, ids=lambda name: name.rsplit("/", 1)[-1])
def test_each_004010_sample_has_its_explained_outcome(samples: Path, name: str) -> None:
    """The table above, read both ways."""
    assert _refusing((samples / name).read_bytes()) == EXPECTED[name]


def test_files_with_unpadded_headers_pass_under_the_tolerance(samples: Path) -> None:
    """Nothing else is wrong with them."""
    for name in (STUPID + "PO850/pass/1.edi", STUPID + "FA997/pass/1.edi"):
        assert _refusing((samples / name).read_bytes(), Tolerances(collapsed_isa=True)) == set()


def test_every_sample_gives_findings_or_a_partner_fault(samples: Path) -> None:
    """Whatever standard and version, nothing else is raised."""
    files = [file for file in samples.rglob("*") if file.is_file()]
    assert files
    faults: list[PartnerFault] = []
    for file in files:
        try:
            x12.read_all(file.read_bytes(), guides=standard(), tolerances=Tolerances())
        except PartnerFault as fault:
            faults.append(fault)
    assert all(fault.findings for fault in faults)
