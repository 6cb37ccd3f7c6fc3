"""Each rule has a file that breaks it, and the exact bytes that the gateway answers."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.edi import acknowledge, rules, write, x12
from gateway.edi.delimiters import Delimiters
from gateway.edi.interchange import Interchange
from gateway.edi.library import standard
from gateway.edi.tolerances import Limits
from gateway.edi.tree import Loop, Message, Segment
from gateway.errors import PartnerFault
from gateway.findings import Finding

FOLDER = Path(__file__).parents[2] / "samples" / "x12" / "broken"
FILES = sorted(FOLDER.glob("*.edi"))
ELSEWHERE = {
    "edi.file.unreadable",
    *(name for name in rules.RULES if name.startswith(("edi.una.", "edi.unb."))),
    "edi.interchange.empty",
    "edi.group.mixed",
    "edi.message.header",
    "edi.element.repertoire",
    "edi.element.needless_release",
    "edi.element.release_at_end",
    "edi.element.too_many_repeats",
    "edi.element.decimal",
    "edi.message.too_large",
    "edi.segment.too_long",
    "edi.write.delimiter",
    "edi.write.characters",
    "edi.write.envelope",
    "edi.write.repertoire",
    "edi.write.repetition",
    "edi.acknowledgment.unreadable",
    "edi.element.not_used",
    "edi.message.partial",
    "edi.group.partial",
    "edi.interchange.partial",
}
"""Rules that no small file can break; the tests below do, and those of partners' guides and of partial acceptance."""


def findings_of(data: bytes) -> tuple[list[Interchange], list[Finding]]:
    """Everything found in a file, wherever it hangs."""
    try:
        interchanges = x12.read_all(data, guides=standard())
    except PartnerFault as fault:
        return [], list(fault.findings)
    found: list[Finding] = []
    for interchange in interchanges:
        found += interchange.findings
        for group in interchange.groups:
            found += group.findings
            for message in group.messages:
                found += message.findings
    return interchanges, found


def answers(interchanges: list[Interchange], found: list[Finding]) -> bytes:
    """TA1s and 997s as they would be sent, one segment a line; without an interchange, what was found."""
    lines: list[bytes] = [f"unreadable: {one.text}\n".encode() for one in found if not interchanges]
    number = 0
    for interchange in interchanges:
        if acknowledge.wants_ta1(interchange):
            loop = Loop("", [acknowledge.compose_ta1(interchange)])
            lines += write.write_message("TA1", 1, loop, newline="\n").splitlines(keepends=True)[1:-1]
        for group in interchange.groups:
            root = acknowledge.compose_997(group, guides=standard())
            if root is not None and acknowledge.wants_997(interchange, group):
                number += 1
                lines.append(write.write_message("997", number, root, newline="\n"))
    return b"".join(lines) or b"no answer is due\n"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_broken_file_breaks_its_rule_and_is_answered_byte_for_byte(file: Path) -> None:
    """The file's name is the rule; the answer stands beside it."""
    interchanges, found = findings_of(file.read_bytes())
    assert file.stem in {one.rule for one in found}
    expected = file.with_suffix(".ack")
    if os.environ.get("GATEWAY_RENEW"):
        expected.write_bytes(answers(interchanges, found))
    assert answers(interchanges, found) == expected.read_bytes()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_finding_of_a_broken_file_has_a_place_a_remedy_and_a_rule(file: Path) -> None:
    """What is told to a partner is complete."""
    _, found = findings_of(file.read_bytes())
    for one in found:
        assert one.rule in rules.RULES
        assert one.fix
        assert one.said
        assert one.wanted
        assert str(one.place) != "the whole file"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_answer_is_itself_accepted(file: Path) -> None:
    """A 997 about the worst of files is a valid 997."""
    interchanges, _ = findings_of(file.read_bytes())
    for interchange in interchanges:
        for group in interchange.groups:
            root = acknowledge.compose_997(group, guides=standard())
            if root is None:
                continue
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
            )
            data = write.write_interchange(envelope, [write.Outgoing(type="997", control_number=1, root=root)])
            assert findings_of(data)[1] == []


def test_every_rule_is_broken_by_a_file_or_by_a_test_here() -> None:
    """No rule without an input that produces it, no file without a rule, no file without a line in the README."""
    named = {file.stem for file in FILES}
    assert named | ELSEWHERE == set(rules.RULES)
    assert not named & ELSEWHERE
    readme = (FOLDER / "README.md").read_text()
    assert all(f"`{name}.edi`" in readme for name in named)


def test_the_rules_page_is_current() -> None:
    """docs/rules.md is what `gateway edi rules` prints."""
    page = FOLDER.parents[2] / "docs" / "rules.md"
    assert page.read_text() == rules.markdown()


def _rules(fault: PartnerFault) -> set[str]:
    return {one.rule for one in fault.findings}


def test_what_is_too_large_is_refused_before_it_is_held() -> None:
    """edi.message.too_large and edi.segment.too_long, by small limits."""
    data = (FOLDER / "edi.message.count.edi").read_bytes()
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
