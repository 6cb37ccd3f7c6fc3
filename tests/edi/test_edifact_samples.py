"""Our EDIFACT samples: each message of each directory, whole interchanges with right counts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.edi import reading
from gateway.edi.library import standard
from gateway.edi.tree import Loop, Segment, Verdict

FOLDER = Path(__file__).parents[2] / "samples" / "edifact"
FILES = sorted(file.name for file in FOLDER.glob("*.edi"))


def segments(name: str) -> list[str]:
    """The segments of a sample, without UNA; every sample ends segments with an apostrophe and releases with `?`."""
    text = (FOLDER / name).read_text(encoding="latin-1")
    text = text[9:] if text.startswith("UNA") else text
    return [segment.strip("\n") for segment in re.findall(r"((?:[^'?]|\?.)+)'", text, re.DOTALL)]


def types(name: str) -> list[tuple[str, str]]:
    """Guide key and type of each message: `("D96A", "ORDERS")`."""
    identifiers = [segment.split("+")[2].split(":") for segment in segments(name) if segment.startswith("UNH+")]
    return [(version + release, type_) for type_, version, release, *_ in identifiers]


def test_there_is_a_sample_for_every_guide() -> None:
    """Both directories, both syntaxes of CONTRL."""
    shown = {key for name in FILES for key in types(name)}
    assert shown == {(guide.version, guide.type) for guide in standard() if guide.standard == "edifact"}


@pytest.mark.parametrize("name", FILES)
def test_a_sample_counts_right(name: str) -> None:
    """UNT counts from UNH to UNT, UNE messages, UNZ messages or groups; references are repeated."""
    found = segments(name)
    tags = [segment[:3] for segment in found]
    for start, segment in enumerate(found):
        if segment.startswith("UNH+"):
            end = tags.index("UNT", start)
            assert found[end] == f"UNT+{end - start + 1}+{segment.split('+')[1]}"
    count = tags.count("UNG") or tags.count("UNH")
    assert found[-1] == f"UNZ+{count}+{found[0].split('+')[5]}"
    if "UNG" in tags:
        assert found[-2] == f"UNE+{tags.count('UNH')}+{found[1].split('+')[5]}"


@pytest.mark.parametrize("name", FILES)
def test_invented_numbers_have_right_check_digits(name: str) -> None:
    """GLN, GTIN and SSCC: the last digit makes the sum, weighted 3 and 1 from the right, a multiple of ten."""
    numbers = re.findall(r"(?<!\d)(?:\d{13}|\d{18})(?!\d)", "'".join(segments(name)))
    assert numbers
    for number in numbers:
        assert sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(reversed(number))) % 10 == 0


@pytest.mark.parametrize("name", FILES)
def test_a_sample_is_accepted_without_findings(name: str) -> None:
    """Envelope, structure, elements and hierarchy; nothing is even noted."""
    (interchange,) = reading.read_all((FOLDER / name).read_bytes(), guides=standard())
    messages = [message for group in interchange.groups for message in group.messages]
    found = [*interchange.findings]
    found += [finding for group in interchange.groups for finding in group.findings]
    found += [finding for message in messages for finding in message.findings]
    assert [(finding.rule, finding.text) for finding in found] == []
    assert interchange.outcome is Verdict.ACCEPTED
    assert [(message.version, message.type) for message in messages] == types(name)


def _packing(loop: Loop) -> dict[str, object]:
    """Number of each packing level below this loop, with what is packed in it."""
    inner = [child for child in loop.children if isinstance(child, Loop) and child.name == "CPS"]
    levels = [(child.children[0], child) for child in inner]
    return {start.text(1): _packing(child) for start, child in levels if isinstance(start, Segment)}


@pytest.mark.parametrize(
    ("name", "packing"),
    [
        ("desadv-d96a.edi", {"1": {"2": {"3": {}}, "4": {"5": {}}}}),
        ("desadv-d01b.edi", {"1": {"2": {"3": {}}}}),
    ],
)
def test_packing_levels_hang_below_their_parents(name: str, packing: dict[str, object]) -> None:
    """7166 names the parent, whatever the order of the wire."""
    (interchange,) = reading.read_all((FOLDER / name).read_bytes(), guides=standard())
    assert _packing(interchange.groups[0].messages[0].root) == packing
