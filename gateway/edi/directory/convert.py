"""The parts of a directory put together: which text is what, and from all of them the files of a guide folder."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.edi.directory import elements as dictionary
from gateway.edi.directory.entries import COMPOSITE, SEGMENT, Entry, entries
from gateway.edi.directory.notation import SERVICE_SEGMENTS, element_line, message_yaml, segments_yaml
from gateway.edi.directory.report import Report
from gateway.edi.directory.table import Group, Place, Table, read_table
from gateway.edi.directory.text import Line, lines
from gateway.errors import OurFault
from gateway.findings import Finding

MAX_TEXT = 16_000_000
"""Bytes of one text; the longest, a code list, has about 2,000,000."""


class Part(StrEnum):
    """What a text of a directory is. D.94A to D.96B call them TRSD, TRCD, TRED, TRMD."""

    SEGMENTS = "EDSD"
    COMPOSITES = "EDCD"
    ELEMENTS = "EDED"
    CODES = "UNCL"
    MESSAGE = "EDMD"


_PART = re.compile(
    r"(?:(?:ED|TR)(?P<letters>[SCE]D)|(?P<codes>UNCL)[-_]?\d?|(?P<message>[A-Z]{6})_(?P<kind>[A-Z]))\.(?P<release>\d\d[A-Z])",
    re.IGNORECASE,
)


_INTERACTIVE = re.compile(r"I[DR][MSC]D(?:\.ZIP)?", re.IGNORECASE)
"""The directories of interactive EDI, whose messages are called as batch messages are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """Guides made from a directory, and what could not be read of it."""

    version: str
    """D96A: the name of their folder, and what a message's UNH calls it (0052 and 0054)."""
    files: Mapping[str, str]
    """`segments.yaml` and `ORDERS.yaml`, `DESADV.yaml`, … by name."""
    findings: tuple[Finding, ...]
    """REJECT: left out. ACCEPT_WITH_ERRORS: taken, though not quite as it should be."""

    @property
    def messages(self) -> tuple[str, ...]:
        """The types of the messages that were read."""
        return tuple(name.removesuffix(".yaml") for name in self.files if name != "segments.yaml")


def part(name: str) -> tuple[Part, str, str] | None:
    """What a file of this name is: its part, its release ("96A"), its message type (else ""). None: not needed."""
    *folders, last = re.split(r"[/\\]", name)
    found = _PART.fullmatch(last)
    if found is None or any(_INTERACTIVE.fullmatch(folder) for folder in folders):
        return None
    release = found["release"].upper()
    if found["message"]:
        return Part.MESSAGE, release, found["message"].upper()
    return (Part.CODES if found["codes"] else Part(f"ED{found['letters'].upper()}")), release, ""


def convert(texts: Mapping[str, bytes], *, messages: Collection[str] = (), codes: bool = False) -> Imported:
    """The guides of a directory.

    `texts` are its files by name (as in the archive; only their last part tells what they are), `messages` the types
    wanted (all when empty). `codes` closes the codes of elements to the directory's lists; else they stay open.
    Raises OurFault when there is no directory in it: no segment directory, two versions, a wanted message missing.
    """
    report = Report()
    source = _Source(texts, report)
    wanted = _wanted(source, messages)
    segments = entries(source.file(Part.SEGMENTS), source.lines(Part.SEGMENTS), SEGMENT, report)
    composites = entries(source.file(Part.COMPOSITES), source.lines(Part.COMPOSITES), COMPOSITE, report)
    known = dictionary.elements(source.file(Part.ELEMENTS), source.lines(Part.ELEMENTS), report)
    lists = source.codes() if codes else {}
    writer = _Writer(known, lists, report)
    inner = writer.bodies(source.file(Part.COMPOSITES), composites.values(), frozenset())
    outer = writer.bodies(source.file(Part.SEGMENTS), segments.values(), inner.keys())
    heading = f"UN/EDIFACT directory {source.version[0]}.{source.version[1:]}, imported by: gateway edi import"
    files = {
        "segments.yaml": segments_yaml(heading, inner, {tag: (segments[tag], rows) for tag, rows in outer.items()})
    }
    for type_ in wanted:
        file = source.messages[type_]
        table = read_table(file, type_, lines(texts[file]), report)
        if table and _complete(table, outer.keys() | SERVICE_SEGMENTS.keys(), type_, source.version, report):
            files[f"{type_}.yaml"] = message_yaml(heading, table)
    return Imported(version=source.version, files=files, findings=report.findings)


class _Source:
    """The texts by what they are."""

    def __init__(self, texts: Mapping[str, bytes], report: Report) -> None:
        self.texts, self.report = texts, report
        self.messages: dict[str, str] = {}
        self.parts: dict[Part, list[str]] = {one: [] for one in Part}
        releases: set[str] = set()
        for name in sorted(texts):
            known = part(name)
            if known is None:
                continue
            if len(texts[name]) > MAX_TEXT:
                raise OurFault(
                    f"{name} has {len(texts[name]):,} bytes; at most {MAX_TEXT:,} are read",
                    remedy="take the archive as UNECE publishes it",
                )
            role, release, type_ = known
            releases.add(release)
            twice = type_ in self.messages if type_ else role is not Part.CODES and bool(self.parts[role])
            if twice:
                report.note("directory.twice", (name, None), "this part again", "it once", "the first was taken")
            elif type_:
                self.messages[type_] = name
            else:
                self.parts[role].append(name)
        self._check(releases)
        self.version = f"D{next(iter(releases))}"

    def _check(self, releases: set[str]) -> None:
        remedy = "take the archive of one directory as UNECE publishes it, such as d01b.zip"
        if len(releases) > 1:
            raise OurFault(f"there are several directories in it: {', '.join(sorted(releases))}", remedy=remedy)
        for role, what in ((Part.SEGMENTS, "segment"), (Part.COMPOSITES, "composite")):
            if not self.parts[role]:
                other = role.value.replace("ED", "TR", 1)
                raise OurFault(f"there is no {what} directory in it ({role.value} or {other})", remedy=remedy)
        if not self.messages:
            raise OurFault("there is no message in it (such as ORDERS_D.96A)", remedy=remedy)

    def file(self, role: Part) -> str:
        """The name of a part, for findings."""
        return self.parts[role][0] if self.parts[role] else role.value

    def lines(self, role: Part) -> tuple[Line, ...]:
        """The lines of a part; none when it is not there."""
        return lines(self.texts[self.parts[role][0]]) if self.parts[role] else ()

    def codes(self) -> dictionary.Codes:
        """The code lists of all their files."""
        if not self.parts[Part.CODES]:
            wanted, fix = "the code list UNCL", "all codes stay open"
            self.report.note("directory.codes", (Part.CODES.value, None), "no code list", wanted, fix)
        return {
            number: values
            for name in self.parts[Part.CODES]
            for number, values in dictionary.codes(lines(self.texts[name])).items()
        }


class _Writer:
    """Writes the elements of entries; an entry with an element nobody describes is a finding."""

    def __init__(self, known: Mapping[str, dictionary.Element], lists: dictionary.Codes, report: Report) -> None:
        self.known, self.lists, self.report = known, lists, report

    def bodies(self, file: str, among: Iterable[Entry], composites: Collection[str]) -> dict[str, Sequence[str]]:
        """The lines of elements of every entry, by tag."""
        return {entry.id: body for entry in among if (body := self.body(file, entry, composites))}

    def body(self, file: str, entry: Entry, composites: Collection[str]) -> Sequence[str] | None:
        """The lines of an entry's elements."""
        body: list[str] = []
        open_ = dictionary.open_lists(tuple(row.id for row in entry.rows))
        for index, row in enumerate(entry.rows):
            if not row.id.isdigit():
                if row.id not in composites:
                    fix = f"correct its entry; {entry.id} was left out"
                    self.report.left_out("directory.composite", (file, row.line), row.id, "a composite of EDCD", fix)
                    return None
                body.append(element_line(row, "", None))
                continue
            element = self.known.get(row.id)
            form = row.form or (element.form if element else "")
            if not form:
                said, wanted = f"{row.id} without representation", "such as an..35, here or in EDED"
                fix = f"correct the text; {entry.id} was left out"
                self.report.left_out("directory.element", (file, row.line), said, wanted, fix)
                return None
            body.append(element_line(row, form, None if index in open_ else self.lists.get(row.id)))
        return body


def _wanted(source: _Source, messages: Collection[str]) -> list[str]:
    """The types to read, in their order. Raises OurFault for one that is not there."""
    for type_ in messages:
        if type_.upper() not in source.messages:
            near = difflib.get_close_matches(type_.upper(), source.messages, n=1)
            known = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(source.messages)[:12])} …"
            raise OurFault(f"directory {source.version} has no message {type_}", remedy=known)
    return sorted({type_.upper() for type_ in messages} or source.messages)


def _complete(table: Table, known: Collection[str], type_: str, version: str, report: Report) -> bool:
    """Whether the message is this one and all its segments are known; the first that is not is a finding."""
    if table.type != type_ or table.version not in {"", version}:
        said, wanted = f"{table.type} {table.version}", f"{type_} {version}"
        report.left_out("directory.version", (table.file, None), said, wanted, f"{type_} was left out")
        return False
    missing = _missing(table.items, known)
    if missing:
        wanted, fix = "a segment of the segment directory", f"correct its entry; {type_} was left out"
        report.left_out("directory.segment", (table.file, missing.line), missing.tag, wanted, fix)
    return missing is None


def _missing(items: Sequence[Place | Group], known: Collection[str]) -> Place | None:
    for item in items:
        found = _missing(item.items, known) if isinstance(item, Group) else item if item.tag not in known else None
        if found:
            return found
    return None
