"""What happened once: each folder of samples/incidents holds a file that went wrong, and what is found in it now."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.edi import acknowledge, reading, segments, structure, write
from gateway.edi.library import standard
from gateway.edi.tree import Message, walk
from gateway.errors import PartnerFault
from gateway.findings import Finding

FOLDERS = sorted(
    folder for folder in (Path(__file__).parents[2] / "samples" / "incidents").iterdir() if folder.is_dir()
)
MOST_EVENTS = 1000
"""More than any of these files has: one of them was read for ever."""


def findings_of(data: bytes, chunk: int) -> list[Finding]:
    """Everything found, in the order of the events; every tree is looked at."""
    source = (data[at : at + chunk] for at in range(0, len(data), chunk))
    found: list[Finding] = []
    try:
        for number, event in enumerate(reading.read(source, guides=standard())):
            assert number < MOST_EVENTS
            found += getattr(event, "findings", ())
            if isinstance(event, Message):
                assert len(list(walk(event.root))) <= event.segments
    except PartnerFault as fault:
        found += fault.findings
    return found


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("warm", [0, 1 << 30])
def test_an_incident_does_not_happen_again(folder: Path, warm: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same findings, byte by byte and as a whole, with the pattern of the whole message and without."""
    monkeypatch.setattr(segments, "BLOCK", 1)
    monkeypatch.setattr(structure, "WARM", warm)
    structure._compiled.cache_clear()
    data = folder.joinpath("input.edi").read_bytes()
    expected = folder / "findings.txt"
    lines = [f"{one.rule} {one.place}\n" for one in findings_of(data, len(data))]
    if os.environ.get("GATEWAY_RENEW"):
        expected.write_text("".join(lines))
    assert lines == expected.read_text().splitlines(keepends=True)
    for chunk in (1, 2, 7, 64):
        assert findings_of(data, chunk) == findings_of(data, len(data))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_incident_is_explained(folder: Path) -> None:
    """What happened, and what was done about it."""
    assert folder.joinpath("README.md").read_text().startswith("# ")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_answers_to_an_incident_are_valid(folder: Path) -> None:
    """A 997 about each of them, as the answers to any file, has nothing wrong with it."""
    for interchange in reading.read_whole(folder.joinpath("input.edi").read_bytes(), guides=standard()).interchanges:
        for group in interchange.groups:
            root = acknowledge.compose_997(group, guides=standard()) if interchange.standard == "x12" else None
            if root is None:
                continue
            header = "ISA*00*          *00*          *ZZ*B              *ZZ*A              *260105*0930*U*00401*"
            written = write.write_message("997", 1, root)
            file = (
                f"{header}000000009*0*T*>~GS*FA*BB*AA*20260105*0930*1*X*004010~".encode()
                + written
                + b"GE*1*1~IEA*1*000000009~"
            )
            assert findings_of(file, len(file)) == []
