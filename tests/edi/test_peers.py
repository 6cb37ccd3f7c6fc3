"""What pyx12 and pydifact say of the same files: recordings, and every difference from us with its reason.

A peer is a witness, not the truth. `tests/edi/peers/*.jsonl` are our observations of its verdicts, `differences.tsv`
is the allow-list; `make peers` records anew and compares (GATEWAY_RENEW=1, with GATEWAY_SAMPLES, keeps the new one).
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gateway.edi import reading
from gateway.edi.body import pieces
from gateway.edi.characters import cleaner
from gateway.edi.edifact import EdifactMachine
from gateway.edi.filler import skip
from gateway.edi.library import standard
from gateway.edi.segments import EDIFACT, Buffer, Mark, Run, cut
from gateway.edi.tolerances import Limits, Tolerances
from gateway.edi.tree import Element, Repeats, Wire
from gateway.errors import PartnerFault

RECORDINGS = Path(__file__).parent / "peers"
SCRIPTS = Path(__file__).parents[1] / "peers"
OURS = Path(__file__).parents[2] / "samples"
SHARED = os.environ.get("GATEWAY_SAMPLES")
ENVIRONMENTS = Path(os.environ.get("GATEWAY_PEERS", "/nonexistent"))
PEERS = ("pyx12", "pydifact")

# What pyx12 calls an error, by kind, code and the beginning of its text → the same as a rule of ours.
PYX12 = (
    ("isa", "001", "", "edi.interchange.control_number"),
    ("isa", "021", "", "edi.interchange.count"),
    ("isa", "023", "", "edi.interchange.trailer_missing"),
    ("isa", "024", "", "edi.group.trailer_missing"),
    ("isa", "025", "", "interchange number repeated in the file"),
    ("gs", "3", "Unterminated", "edi.message.trailer_missing"),
    ("gs", "3", "", "edi.group.trailer_missing"),
    ("gs", "4", "", "edi.group.control_number"),
    ("gs", "5", "", "edi.group.count"),
    ("gs", "6", "", "edi.group.control_number_repeated"),
    ("st", "2", "", "edi.message.trailer_missing"),
    ("st", "3", "", "edi.message.control_number"),
    ("st", "4", "", "edi.message.count"),
    ("st", "23", "", "edi.message.control_number_repeated"),
    ("seg", "HL1", "", "HL not numbered in order"),
    ("seg", "HL2", "", "edi.hl.parent_missing"),
    ("seg", "SEG1", "", "edi.segment.trailing_separators"),
    ("seg", "8", "", "edi.segment.empty"),
    ("seg", "1", "Segment contains a leading space", "edi.segment.indented"),
    ("seg", "1", "", "edi.segment.unknown"),
)
COMPARED = {rule for *_, rule in PYX12} - {"edi.segment.unknown", "edi.segment.trailing_separators"}
"""pyx12's reader judges these two by their form alone, in every document; we by the guide, where there is one."""
UNREADABLE = "unreadable"
HEADERS = {"edi.isa.widths", "edi.isa.truncated", "edi.isa.delimiter", "edi.file.unreadable"}
TOKENS = ("segments", "elements", "components", "tokens")


def recorded(peer: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first line of a recording, and a row for each file."""
    rows = [json.loads(line) for line in (RECORDINGS / f"{peer}.jsonl").read_text().splitlines()]
    return rows[0], rows[1:]


def path_of(name: str) -> Path | None:
    """A recorded file, `shared/…` or `samples/…`; None without the folder of shared samples."""
    root, _, rest = name.partition("/")
    if root == "samples":
        return OURS / rest
    return None if SHARED is None else Path(SHARED) / rest


def rules_of(data: bytes) -> set[str]:
    """Every rule that we find broken."""
    whole = reading.read_whole(data, guides=standard())
    found = [] if whole.fault is None else list(whole.fault.findings)
    for interchange in whole.interchanges:
        found += interchange.findings
        for group in interchange.groups:
            found += group.findings
            for message in group.messages:
                found += message.findings
    return {one.rule for one in found}


def envelope_differences(row: dict[str, Any], data: bytes) -> Iterator[str]:
    """What only one of us says, as `ours: rule` or `theirs: rule`."""
    said = rules_of(data)
    ours = {UNREADABLE} if said & HEADERS else said & COMPARED
    if row["stopped"]:
        theirs = {UNREADABLE}
    else:
        named = [
            next(rule for k, c, t, rule in PYX12 if (k, c) == (kind, code) and text.startswith(t))
            for kind, code, text in row["errors"]
        ]
        theirs = set(named) & COMPARED
    if UNREADABLE in ours | theirs:
        ours, theirs = ours & {UNREADABLE}, theirs & {UNREADABLE}
    yield from (f"ours: {rule}" for rule in sorted(ours - theirs))
    yield from (f"theirs: {rule}" for rule in sorted(theirs - ours))


def tokens_of(data: bytes) -> list[list[list[str]]]:
    """A whole file as our reader cuts it: segments of elements of components, without UNA; empty ends cut off."""
    buffer = Buffer(data)
    skip(buffer)
    found: list[list[list[str]]] = []
    while buffer.take(3) in (b"UNA", b"UNB"):
        machine = EdifactMachine(buffer, standard(), Tolerances(), Limits(), "iso8859-1")
        began = buffer.at
        start = machine.read_start([])
        chars = start.delimiters
        every = tuple(range(200))
        wire = Wire(chars.element, chars.component, every, chars.repetition, every, cleaner(chars), chars.release)
        header = buffer.data[began : buffer.at]
        text = header[9:].lstrip(b"\r\n") if header.startswith(b"UNA") else header
        machine.prepare(chars, "iso8859-1")
        found.append([["UNB"], *map(components, machine.split(text[:-1].translate(None, b"\r\n")))])
        for part in cut(buffer, chars, EDIFACT, Limits()):
            runs = [Run(part.raw + chars.segment.encode(), part.offset)] if isinstance(part, Mark) else [part]
            for piece in pieces(list(runs), "iso8859-1", chars):
                for segment in filter(None, (one.lstrip("\r\n\t ") for one in piece.segments)):
                    tag = segment.partition(chars.element)[0]
                    found.append([[tag], *map(components, wire.split(segment))])
        skip(buffer)
    return [trimmed(segment) for segment in found]


def components(element: Element) -> list[str]:
    """An element as a list; of repeats all of them."""
    if isinstance(element, Repeats):
        return [part for one in element.values for part in components(one)]
    return trimmed([element] if isinstance(element, str) else list(element))


def trimmed(items: list[Any]) -> list[Any]:
    """Without the empty ones at the end."""
    while items and not items[-1]:
        items.pop()
    return items


def token_differences(row: dict[str, Any], data: bytes) -> Iterator[str]:
    """Whether one of us cannot read it, or cuts it differently."""
    try:
        segments = tokens_of(data)
    except PartnerFault as fault:
        if row["verdict"] == "read":
            yield f"ours: {fault.findings[0].rule}"
        return
    if row["verdict"] != "read":
        yield f"theirs: {row['stopped']}"
        return
    ours = {
        "segments": len(segments),
        "elements": sum(map(len, segments)),
        "components": sum(len(element) for segment in segments for element in segment),
        "tokens": hashlib.sha256(json.dumps(segments).encode()).hexdigest()[:16],
    }
    if any(ours[name] != row[name] for name in TOKENS):
        yield "tokens"


COMPARE = {"pyx12": envelope_differences, "pydifact": token_differences}


@cache
def allowed() -> dict[tuple[str, str, str], str]:
    """Peer, file and difference → its reason."""
    with (RECORDINGS / "differences.tsv").open(newline="") as lines:
        return {
            (row["peer"], row["file"], row["difference"]): row["reason"]
            for row in csv.DictReader(lines, delimiter="\t")
        }


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("root", ["samples", "shared"])
def test_every_difference_from_a_peer_is_explained_and_every_explanation_is_of_a_difference(
    peer: str, root: str
) -> None:
    """The allow-list, read both ways; one root is our samples, the other the shared ones."""
    if root == "shared" and SHARED is None:
        pytest.skip("GATEWAY_SAMPLES names no folder of sample files")
    found: set[tuple[str, str, str]] = set()
    for row in recorded(peer)[1]:
        path = path_of(row["file"])
        if not row["file"].startswith(f"{root}/") or path is None:
            continue
        data = path.read_bytes()
        assert row["sha256"] == hashlib.sha256(data).hexdigest()[:16], f"{row['file']} has changed: run `make peers`"
        found |= {(peer, row["file"], one) for one in COMPARE[peer](row, data)}
    known = {one for one in allowed() if one[0] == peer and one[1].startswith(f"{root}/")}
    assert found == known


def test_every_difference_has_a_reason() -> None:
    """In words."""
    assert all(len(reason) > 10 for reason in allowed().values())


@pytest.mark.peers
@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_says_what_was_recorded(peer: str) -> None:
    """The peer runs as a process in an environment of its own."""
    python = ENVIRONMENTS / peer / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no {peer}: run tests/make_peers.py FOLDER and set GATEWAY_PEERS=FOLDER")
    rows: list[dict[str, Any]] = []
    head: dict[str, Any] = {}
    folders = {"samples": OURS} | ({} if SHARED is None else {"shared": Path(SHARED)})
    for name, folder in folders.items():
        command = [python, SCRIPTS / f"{peer}_peer.py", folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        head, *files = [json.loads(line) for line in done.stdout.splitlines()]
        rows += [row | {"file": f"{name}/{row['file']}"} for row in files]
    if os.environ.get("GATEWAY_RENEW") and SHARED is not None:
        head |= {"recorded": datetime.now(UTC).date().isoformat()}
        lines = [json.dumps(row) + "\n" for row in [head, *rows]]
        (RECORDINGS / f"{peer}.jsonl").write_text("".join(lines))
    before, known = recorded(peer)
    assert before | {"recorded": ""} == head | {"recorded": ""}
    assert rows == [row for row in known if row["file"].partition("/")[0] in folders]
