"""Each rule has a file that breaks it, and the exact bytes that the gateway answers."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.edi import acknowledge, edifact_write, rules, rules_page, write, x12
from gateway.edi.delimiters import Delimiters
from gateway.edi.interchange import Group, Interchange
from gateway.edi.library import Guides, standard
from gateway.edi.syntax import Syntax
from gateway.edi.tolerances import Limits
from gateway.edi.tree import Loop, Message, Segment
from gateway.errors import PartnerFault

SAMPLES = Path(__file__).parents[2] / "samples"
FOLDERS = {kind: SAMPLES / kind / "broken" for kind in ("x12", "edifact")}
FILES = [file for folder in FOLDERS.values() for file in sorted(folder.glob("*.edi"))]
ELSEWHERE = {
    "edi.file.not_edifact": "test_reading.py::test_a_reader_of_edifact_alone_refuses_x12_in_words",
    "edi.message.too_large": "test_broken.py::test_what_is_too_large_is_refused_before_it_is_held",
    "edi.segment.too_long": "test_broken.py::test_what_is_too_large_is_refused_before_it_is_held",
    "edi.write.delimiter": "test_broken.py::test_what_cannot_be_written_is_refused_with_its_place",
    "edi.write.characters": "test_broken.py::test_what_cannot_be_written_is_refused_with_its_place",
    "edi.write.envelope": "test_broken.py::test_what_cannot_be_written_is_refused_with_its_place",
    "edi.write.repertoire": "test_write_edifact.py::test_what_a_repertoire_lacks_is_refused_by_name",
    "edi.write.repetition": "test_write_x12.py::test_repeats_before_00402_are_refused",
    "edi.acknowledgment.unreadable": "test_broken.py::test_an_acknowledgment_that_names_nothing_is_refused",
    "edi.element.not_used": "test_delta.py::test_a_forbidden_element_has_no_value_that_fits",
    "edi.message.partial": "test_partial.py::test_what_fell_says_why_and_the_997_refuses_it",
    "edi.group.partial": "test_partial.py::test_what_fell_says_why_and_the_997_refuses_it",
    "edi.interchange.partial": "test_partial.py::test_a_whole_interchange_says_which_sets_it_falls_for",
}
"""Rules that no file can break (small limits, the writer, partners' guides, agreements), and the test that does."""

Answer = Callable[..., Any]


def rule_of(file: Path) -> str:
    """The rule that a file breaks: its name, without the mark of those that are answered by a 999."""
    return file.stem.removesuffix(".999")


def named(file: Path) -> str:
    """How a file is called in a report."""
    return f"{file.parents[1].name}/{file.stem}"


def only_x12(file: Path) -> bool:
    """Whether the file is read as X12, whatever it is."""
    return file.parent == FOLDERS["x12"]


@pytest.mark.parametrize("file", FILES, ids=named)
def test_a_broken_file_breaks_its_rule_and_is_answered_byte_for_byte(file: Path, answered: Answer) -> None:
    """The file's name is the rule; the answer stands beside it."""
    read = answered(file.read_bytes(), only_x12=only_x12(file))
    assert rule_of(file) in read.rules
    expected = file.with_suffix(".ack")
    if os.environ.get("GATEWAY_RENEW"):
        expected.write_bytes(read.answer)
    assert read.answer == expected.read_bytes()


@pytest.mark.parametrize("file", FILES, ids=named)
def test_every_finding_of_a_broken_file_has_a_place_a_remedy_and_a_rule(file: Path, answered: Answer) -> None:
    """What is told to a partner is complete."""
    for one in answered(file.read_bytes(), only_x12=only_x12(file)).findings:
        assert one.rule in rules.RULES
        assert one.fix
        assert one.said
        assert one.wanted
        assert str(one.place) != "the whole file"


@pytest.mark.parametrize("file", FILES, ids=named)
def test_an_answer_is_itself_accepted(file: Path, answered: Answer, guides: Guides) -> None:
    """A 997, 999 or CONTRL about the worst of files is a valid one."""
    for interchange in answered(file.read_bytes(), only_x12=only_x12(file)).interchanges:
        if interchange.standard == "edifact":
            assert answered(_contrl(interchange)).findings == ()
            continue
        for group in interchange.groups:
            data = _functional(group, guides)
            assert data is None or answered(data).findings == ()


def _contrl(interchange: Interchange) -> bytes:
    root = acknowledge.compose_contrl(interchange)
    assert root is not None
    fourth = interchange.version.endswith(":4")
    envelope = edifact_write.Envelope(
        sender=edifact_write.Party(id="4009999100001", qualifier="14"),
        receiver=edifact_write.Party(id="5419999200004", qualifier="14"),
        control_reference="C1",
        at=datetime(2026, 1, 5, 9, 30, tzinfo=UTC),
        syntax=Syntax(version=4 if fourth else 3),
    )
    version = "41" if fourth else "D3"
    contrl = edifact_write.Outgoing(type="CONTRL", version=version, control_reference="1", root=root)
    return edifact_write.write_interchange(envelope, [contrl])


def _functional(group: Group, guides: Guides) -> bytes | None:
    version = "005010" if group.version.startswith("005010") else "004010"
    composed = acknowledge.compose_functional(group, guides=guides, version=version, implementation=True)
    if composed is None:
        return None
    kind, root = composed
    envelope = write.Envelope(
        sender_qualifier="ZZ",
        sender="DISTRIBUTOR",
        receiver_qualifier="ZZ",
        receiver="SUPPLIER",
        group_sender="DISTRIBUTOR",
        group_receiver="SUPPLIER",
        control_number=1,
        group_control_number=1,
        functional_id="FA",
        at=datetime(2026, 1, 5, 9, 30, tzinfo=UTC),
        version=version,
    )
    return write.write_interchange(envelope, [write.Outgoing(type=kind, control_number=1, root=root)])


def test_every_rule_is_broken_by_a_file_or_by_a_test_that_is_named() -> None:
    """No rule without an input that produces it, no file without a rule, no file without a line in its README."""
    broken = {rule_of(file) for file in FILES}
    assert broken | set(ELSEWHERE) == set(rules.RULES)
    assert not broken & set(ELSEWHERE)
    assert set(ELSEWHERE) == set(rules_page.WITHOUT_FILE)
    for file in FILES:
        assert f"`{file.name}`" in (file.parent / "README.md").read_text()
        assert file.with_suffix(".ack").exists()
    for folder in FOLDERS.values():
        assert all(file.with_suffix(".edi").exists() for file in folder.glob("*.ack"))


@pytest.mark.parametrize(("rule", "test"), ELSEWHERE.items())
def test_a_rule_without_a_file_is_broken_by_the_test_that_is_named_for_it(rule: str, test: str) -> None:
    """That test exists, and says the rule's name."""
    file, _, name = test.partition("::")
    source = (Path(__file__).parent / file).read_text()
    found = [one for one in ast.parse(source).body if isinstance(one, ast.FunctionDef) and one.name == name]
    assert len(found) == 1
    text = "".join(ast.get_source_segment(source, part) or "" for part in (found[0], *found[0].decorator_list))
    assert rule in text


def test_the_rules_page_is_current() -> None:
    """docs/rules.md is what `gateway edi rules` prints: each rule with an anchor and the files that break it."""
    page = rules_page.markdown()
    assert (SAMPLES.parent / "docs" / "rules.md").read_text() == page
    for rule in rules.RULES:
        assert f'<a id="{rule}"></a>' in page
        named = {SAMPLES.parent / path for path in rules_page.examples(rule)}
        assert named == {file for file in FILES if file.stem == rule}


def _rules(fault: PartnerFault) -> set[str]:
    return {one.rule for one in fault.findings}


def test_what_is_too_large_is_refused_before_it_is_held() -> None:
    """edi.message.too_large and edi.segment.too_long, by small limits."""
    data = (FOLDERS["x12"] / "edi.message.count.edi").read_bytes()
    with pytest.raises(PartnerFault) as large:
        x12.read_all(data, guides=standard(), limits=Limits(message=100))
    assert _rules(large.value) == {"edi.message.too_large"}
    endless = data[:300] + b"A" * 5000
    with pytest.raises(PartnerFault) as long:
        x12.read_all(
            [endless[i : i + 512] for i in range(0, len(endless), 512)], guides=standard(), limits=Limits(segment=1000)
        )
    assert _rules(long.value) == {"edi.segment.too_long"}


def test_what_cannot_be_written_is_refused_with_its_place() -> None:
    """edi.write.delimiter, edi.write.characters, edi.write.envelope."""
    root = Loop("", [Segment("MSG", ["five*six"]), Segment("MSG", ["a\x07b"])])
    with pytest.raises(PartnerFault) as data:
        write.write_message("850", 1, root)
    assert [(one.rule, str(one.place)) for one in data.value.findings] == [
        ("edi.write.delimiter", "set 0001, segment 2 MSG, element 01"),
        ("edi.write.characters", "set 0001, segment 3 MSG, element 01"),
    ]
    assert write.fitting_delimiters([root]) == Delimiters(element="|")
    with pytest.raises(PartnerFault) as number:
        write.write_message("850", "1", root)
    assert _rules(number.value) == {"edi.write.envelope"}


def test_an_acknowledgment_that_names_nothing_is_refused() -> None:
    """edi.acknowledgment.unreadable."""
    message = Message(type="997", version="004010", control_number="0001", root=Loop("", [Segment("AK1", ["PO"])]))
    with pytest.raises(PartnerFault) as fault:
        acknowledge.read_997(message)
    assert _rules(fault.value) == {"edi.acknowledgment.unreadable"}
