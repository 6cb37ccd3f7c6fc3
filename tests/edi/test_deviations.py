"""Deviations that peers read wrongly: legal, noted, tolerated, agreed, partial or refused, each a file of ours.

GATEWAY_RENEW=1 writes the findings of the table anew, to be read before they are committed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.edi import reading, rules
from gateway.edi.interchange import Whole, combined
from gateway.edi.library import standard
from gateway.edi.tolerances import Tolerances
from gateway.edi.tree import Loop, Segment, Verdict, walk
from gateway.findings import Finding, Severity

FOLDER = Path(__file__).parents[2] / "samples" / "deviations"
README = FOLDER / "README.md"
LINE = re.compile(r"\| `(\S+\.edi)` \| (.+?) \| (\w+) \| (.+?) \| (.+?) \|")
OUTCOMES = {
    "legal": Verdict.ACCEPTED,
    "noted": Verdict.ACCEPTED,
    "tolerated": Verdict.REJECTED,
    "agreed": Verdict.REJECTED,
    "partial": Verdict.ACCEPTED_WITH_ERRORS,
    "refused": Verdict.REJECTED,
}


class Row(NamedTuple):
    """A line of the README's tables."""

    deviation: str
    kind: str
    findings: str
    read_with: str

    @property
    def rules(self) -> list[str]:
        """Every rule that is found broken."""
        return re.findall(r"`(\S+?)`", self.findings)


ROWS = {name: Row(*rest) for name, *rest in LINE.findall(README.read_text())}


def read(name: str, tolerances: Tolerances | None = None, charset: str | None = None, chunk: int = 0) -> Whole:
    """A file of the table; with `chunk`, so many bytes at a time."""
    data = (FOLDER / name).read_bytes()
    source = [data[at : at + chunk] for at in range(0, len(data), chunk)] if chunk else data
    return reading.read_whole(source, guides=standard(), tolerances=tolerances, charset=charset)


def outcome(whole: Whole) -> Verdict:
    """Of the file."""
    return Verdict.REJECTED if whole.fault else combined(one.outcome for one in whole.interchanges)


def findings(whole: Whole) -> list[Finding]:
    """All of them, wherever they hang."""
    found = [] if whole.fault is None else list(whole.fault.findings)
    for interchange in whole.interchanges:
        found += interchange.findings
        for group in interchange.groups:
            found += group.findings
            for message in group.messages:
                found += message.findings
    return found


def segments(name: str, tag: str) -> list[Segment]:
    """The segments with that tag, of all messages."""
    groups = [group for interchange in read(name).interchanges for group in interchange.groups]
    roots = [message.root for group in groups for message in group.messages]
    return [segment for root in roots for _, segment, _ in walk(root) if segment.tag == tag]


def test_every_file_has_a_line_and_every_line_a_file() -> None:
    """The README, read both ways; rules and classes exist."""
    assert {file.relative_to(FOLDER).as_posix() for file in FOLDER.rglob("*.edi")} == set(ROWS)
    assert {rule for row in ROWS.values() for rule in row.rules} <= set(rules.RULES)
    assert {row.kind for row in ROWS.values()} == set(OUTCOMES)


@pytest.mark.parametrize("name", ROWS)
def test_a_deviation_has_the_outcome_of_its_class_and_these_findings_only(name: str) -> None:
    """Legal: nothing at all; noted: nothing graver than a note."""
    row, whole = ROWS[name], read(name)
    found = findings(whole)
    if os.environ.get("GATEWAY_RENEW"):
        renewed = ", ".join(f"`{rule}`" for rule in sorted({one.rule for one in found})) or "-"
        before, after = (f"| {row.kind} | {said} | {row.read_with} |" for said in (row.findings, renewed))
        lines = [
            line.replace(before, after) if line.startswith(f"| `{name}` ") else line
            for line in README.read_text().splitlines(keepends=True)
        ]
        README.write_text("".join(lines))
        row = row._replace(findings=renewed)
    assert outcome(whole) is OUTCOMES[row.kind]
    assert sorted({one.rule for one in found}) == row.rules
    if row.kind in ("legal", "noted"):
        assert bool(found) == (row.kind == "noted")
        assert all(one.severity is Severity.ACCEPT for one in found)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.read_with != "-"])
def test_a_tolerance_or_a_charset_makes_it_whole(name: str) -> None:
    """All that is named is needed, nothing else."""
    row = ROWS[name]
    if row.read_with.startswith("charset "):
        assert row.kind == "agreed"
        assert outcome(read(name, charset=row.read_with.partition(" ")[2])) is Verdict.ACCEPTED
    else:
        assert row.kind == "tolerated"
        assert outcome(read(name, Tolerances.named(*row.read_with.split()))) is Verdict.ACCEPTED


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("chunk", [1, 7])
def test_chunks_of_any_size_give_the_same_outcome_and_findings(name: str, chunk: int) -> None:
    """Where a file is cut is no matter."""
    whole, cut = read(name), read(name, chunk=chunk)
    assert (outcome(cut), findings(cut)) == (outcome(whole), findings(whole))


def test_a_byte_of_another_charset_is_found_at_its_offset() -> None:
    """Not at the segment's, not at the character's."""
    for name, byte in (("unoa-windows-1252", b"\xc9"), ("unoa-utf-8", "É".encode()), ("unow-windows-1252", b"\xc9")):
        (found,) = findings(read(f"edifact/{name}.edi"))
        assert found.place.offset == (FOLDER / f"edifact/{name}.edi").read_bytes().index(byte)
        assert (found.place.tag, found.place.element) == ("FTX", 4)
    (found,) = findings(read("x12/iso-8859-1.edi"))
    assert found.place.offset == (FOLDER / "x12/iso-8859-1.edi").read_bytes().index(b"\xf4")


def test_released_characters_are_read_by_pairs() -> None:
    """An even run of release characters releases nothing that follows it (ISO 9735 5.3)."""
    assert [one.text(4) for one in segments("edifact/release-pairs.edi", "FTX")] == [
        "What?",
        "It's here?'",
        "1+1:2??",
    ]
    assert segments("edifact/release-needless.edi", "FTX")[0].text(4) == "orders@example.com"


def test_a_blank_or_reserved_repetition_character_is_data() -> None:
    """ISO 9735 part 1, annex; X12.5 for ISA11."""
    for name in ("una-blank-repetition-syntax-3", "una-blank-repetition-syntax-4", "una-repetition-syntax-3"):
        assert segments(f"edifact/{name}.edi", "FTX")[0].text(4) == "5 * 4 = 20"
    for name, text in (("isa11-u-in-00501", "U-U"), ("isa11-v-in-00501", "V-V"), ("isa11-caret-in-00401", "A^B")):
        assert segments(f"x12/{name}.edi", "REF")[0].elements[1] == text


def test_tags_in_data_are_data() -> None:
    """A name, not an envelope."""
    assert segments("x12/isa-in-data.edi", "N1")[0].elements == ["ST", "IEA GS ST SE", "92", "ISA"]


def test_hierarchies_nest_by_parent_whatever_their_order() -> None:
    """S-O-P-I from a file that has the item first."""
    message = read("x12/hl-out-of-order.edi").interchanges[0].groups[0].messages[0]

    def levels(loop: Loop) -> list[object]:
        inner = [child for child in loop.children if isinstance(child, Loop) and child.name == "HL"]
        starts = [child.children[0] for child in inner]
        return [
            (one.text(3), levels(child)) for one, child in zip(starts, inner, strict=True) if isinstance(one, Segment)
        ]

    assert levels(message.root) == [("S", [("O", [("P", [("I", [])])])])]


def test_segments_of_several_levels_belong_to_their_trigger() -> None:
    """RFF stands in the header, with the buyer and in the line."""
    message = read("edifact/same-tags-in-many-groups.edi").interchanges[0].groups[0].messages[0]

    def owners(loop: Loop, path: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for child in loop.children:
            if isinstance(child, Loop):
                found += owners(child, f"{path}/{child.name}")
            elif child.tag in ("RFF", "DTM", "NAD"):
                found.append((path, "+".join(map(str, child.elements[:1]))))
        return found

    assert [path for path, _ in owners(message.root, "")] == [
        "",
        "/RFF",
        "/RFF",
        "/NAD",
        "/NAD/RFF",
        "/NAD",
        "/LIN",
        "/LIN/RFF",
        "/LIN/RFF",
        "/LIN/NAD",
    ]


def test_nothing_is_read_twice_and_nothing_is_lost() -> None:
    """Interchanges, and messages by group, of files with several; also where the file ends with a release character."""
    counts = {
        "x12/several-interchanges.edi": [[1], [1], [1]],
        "x12/several-groups-and-sets.edi": [[2, 1]],
        "x12/mixed-versions.edi": [[1, 1, 1]],
        "x12/interchange-without-iea.edi": [[1], [1]],
        "x12/ta1-before-the-groups.edi": [[1]],
        "x12/ta1-alone.edi": [[]],
        "edifact/unz-counts-groups.edi": [[2, 1]],
        "edifact/several-interchanges.edi": [[1], [1], [1]],
        "edifact/x12-behind-it.edi": [[1], [1]],
        "edifact/release-at-the-end.edi": [[1]],
    }
    for name, wanted in counts.items():
        found = read(name).interchanges
        assert [[len(group.messages) for group in one.groups] for one in found] == wanted, name
    assert [len(read(f"x12/{name}.edi").interchanges[0].tas) for name in ("ta1-alone", "ta1-behind-a-group")] == [1, 1]
