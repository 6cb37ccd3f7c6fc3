"""What maps of texts share, XML and CSV: the head of the file, the outcomes, examples both ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.canonical import KINDS, dump, parse
from gateway.canonical.shape import near
from gateway.errors import OurFault
from gateway.findings import FilePlace, Finding
from gateway.mapping.json.map import difference
from gateway.mapping.json.scope import UnmappedMember
from gateway.mapping.known import Known, lost
from gateway.mapping.map import Sources, finder
from gateway.mapping.overlay import resolve
from gateway.mapping.rules import Problems, finding
from gateway.mapping.source import Node
from gateway.mapping.state import Json, Lost, WriteState


@dataclass(frozen=True, kw_only=True, slots=True)
class TextExample:
    """A file on the wire and its canonical form, by the names the map gives."""

    wire: str
    canonical: str
    file: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TextReading:
    """A document as canonical JSON, ready for `canonical.parse`. It is empty where the text could not be read."""

    document: Json
    unmapped: tuple[UnmappedMember, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TextWriting:
    """The bytes of a file. `lost` is what the map does not express."""

    data: bytes
    lost: tuple[Lost, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """What the compilers of texts read first."""

    node: Node
    hash: str
    kind: str
    writes_only: bool


def note_lost(
    document: Mapping[str, Any], kind: str, known: Known, default: tuple[tuple[str, str], ...], state: WriteState
) -> None:
    """Note what no line names; a field with a default is a finding where it says something else."""
    usual = dict(default)
    for pointer, value in lost(document, known, frozenset(KINDS[kind].model_computed_fields)):
        if pointer not in usual:
            state.lost.append(Lost(pointer=pointer, value=str(value)[:200], reason="no line of the map names it"))
        elif value != usual[pointer]:
            state.lose(pointer, value, usual[pointer])


def read_heading(name: str, sources: Sources, document: str, problems: Problems) -> Heading | None:
    """The resolved file of the map `name`; None, with the reason in `problems`."""
    node, version = resolve(name, finder(sources), problems)
    if node is None:
        return None
    keys = node.keys
    said, kind, way = (keys[key].text or "" if key in keys else "" for key in ("document", "canonical", "one_way"))
    if said != document:
        place = keys.get("document", node)
        problems.add("map.document.other", place.file, place.line, "document", said=said or "nothing", wanted=document)
        return None
    if kind not in KINDS:
        place = keys.get("canonical", node)
        wanted = "one of " + ", ".join(KINDS) + near(kind, KINDS)
        problems.add("map.key.missing", place.file, place.line, "canonical", said=kind or "nothing", wanted=wanted)
        return None
    if way not in ("", "write"):
        problems.add("map.file.shape", node.file, keys["one_way"].line, "one_way", said=way, wanted="write")
    return Heading(node=node, hash=version, kind=kind, writes_only=bool(way))


def refused(name: str, problems: Problems) -> OurFault:
    """What is raised for a map that breaks a law."""
    first = problems.findings[0].text if problems.findings else ""
    return OurFault(
        f"The map {name} cannot be used: {problems.counted}; the first: {first}",
        remedy=f"Correct the map; `gateway map check {name}` lists all of them.",
        findings=tuple(problems.findings),
    )


def read_examples(node: Node, wire: str, problems: Problems) -> tuple[TextExample, ...]:
    """The examples; `wire` is the key of the file on the wire."""
    found = []
    for each in node.keys["examples"].items if "examples" in node.keys else []:
        body, canonical = (each.keys[key].text if key in each.keys else None for key in (wire, "canonical"))
        if body and canonical:
            found.append(TextExample(wire=body, canonical=canonical, file=each.file, line=each.line))
        else:
            wanted = f"{wire} and canonical"
            problems.add("map.file.shape", each.file, each.line, "examples", said="an example", wanted=wanted)
    return tuple(found)


TextLoad = Callable[[TextExample], tuple[bytes, Any] | None]
"""From an example to its bytes and its canonical JSON; None where a file is missing."""


def place_of(example: TextExample) -> FilePlace:
    """Where the map names the example."""
    return FilePlace(file=example.file, line=example.line, key="examples")


def compare_reading(kind: str, example: TextExample, reading: TextReading, wanted: Json) -> list[Finding]:
    """A finding where an example does not read as its canonical file says."""
    model, errors = parse(kind, reading.document)
    if model is None:
        said = f"{example.wire}: {(*reading.findings, *errors)[0].text}"
        return [finding("map.example.read", place_of(example), said=said, wanted=f"a {kind} without errors")]
    got = dump(model)
    if got == wanted:
        return []
    said = f"{example.wire}: {difference(wanted, got)}"
    return [finding("map.example.read", place_of(example), said=said, wanted=example.canonical)]


def compare_writing(example: TextExample, writing: TextWriting, wanted: bytes, *, all_of_it: bool) -> list[Finding]:
    """A finding where an example is not written as its file says, or not wholly."""
    found = []
    if writing.data != wanted:
        mine, theirs = (
            writing.data.decode("utf-8", "replace").splitlines(),
            wanted.decode("utf-8", "replace").splitlines(),
        )
        rows = enumerate(zip(mine, theirs, strict=False), 1)
        first = next((f"line {row}: {a.strip()} for {b.strip()}" for row, (a, b) in rows if a != b), "another length")
        said = f"{example.canonical}: {first}"
        found.append(finding("map.example.write", place_of(example), said=said, wanted=example.wire))
    if writing.lost and all_of_it:
        said = f"{example.canonical}: {writing.lost[0].pointer} is lost"
        found.append(finding("map.example.write", place_of(example), said=said, wanted="every field written"))
    return found
