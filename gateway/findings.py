"""What a document got wrong, as data: one value for the 997, the problem+json answer, the console and the operator.

A partner's mistake never raises; it is a `Finding`. Nothing here knows where a finding will be shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """What a finding does to the document it stands in, from harmless to fatal."""

    ACCEPT = "accept"
    """Worth a note; the document is taken as it is."""
    ACCEPT_WITH_ERRORS = "accept_with_errors"
    """Wrong, yet the document is taken."""
    REJECT = "reject"
    """The document is refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EdiPlace:
    """A place in an interchange. `segment` counts ST or UNH as 1; `element`, `component`, `repeat` count from 1."""

    interchange: str | None = None
    group: str | None = None
    message: str | None = None
    segment: int | None = None
    tag: str | None = None
    element: int | None = None
    component: int | None = None
    repeat: int | None = None
    offset: int | None = None
    """Byte offset in the file, from 0."""

    def __str__(self) -> str:
        """Words an analyst reads: `interchange 000000123, set 0001, segment 14 PO1, element 02, byte 1187`."""
        parts: list[str] = []
        if self.interchange is not None:
            parts.append(f"interchange {self.interchange}")
        if self.group is not None:
            parts.append(f"group {self.group}")
        if self.message is not None:
            parts.append(f"set {self.message}")
        if self.segment is not None:
            parts.append(f"segment {self.segment} {self.tag or ''}".rstrip())
        elif self.tag is not None:
            parts.append(f"segment {self.tag}")
        if self.element is not None:
            parts.append(f"element {self.element:02d}")
        if self.component is not None:
            parts.append(f"component {self.component}")
        if self.repeat is not None:
            parts.append(f"repeat {self.repeat}")
        if self.offset is not None:
            parts.append(f"byte {self.offset}")
        return ", ".join(parts) or "the whole file"


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonPlace:
    """A place in a JSON document, as a JSON Pointer (RFC 6901)."""

    pointer: str

    def __str__(self) -> str:
        """The pointer itself; the root is named."""
        return self.pointer or "the whole document"


@dataclass(frozen=True, kw_only=True, slots=True)
class FilePlace:
    """A place in a configuration or map file. `line` counts from 1; `key` is the dotted path inside the file."""

    file: str
    line: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        """`partners/acme.yaml:12 as2.url`, as editors and terminals make it clickable."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return where if self.key is None else f"{where} {self.key}"


@dataclass(frozen=True, kw_only=True, slots=True)
class XmlPlace:
    """A place in an XML document: the path of an element or attribute, its line and, where it is known, its column."""

    path: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """`line 14, /cac:OrderLine[2]/cbc:ID`."""
        parts = [f"line {self.line}"] if self.line is not None else []
        parts += [f"column {self.column}"] if self.column is not None else []
        return ", ".join([*parts, *([self.path] if self.path else [])]) or "the whole document"


@dataclass(frozen=True, kw_only=True, slots=True)
class RowPlace:
    """A place in a table of rows, such as a CSV file: rows count from 1, the header row included."""

    row: int | None = None
    column: str | None = None
    """The column's name in the header row."""

    def __str__(self) -> str:
        """`row 14, column Quantity`."""
        parts = [f"row {self.row}"] if self.row is not None else []
        return ", ".join([*parts, *([f"column {self.column}"] if self.column else [])]) or "the whole file"


Place = EdiPlace | JsonPlace | FilePlace | XmlPlace | RowPlace


@dataclass(frozen=True, kw_only=True, slots=True)
class Codes:
    """What a finding is called on the wire, by X12 element number (the numbers are facts, the texts are not here)."""

    ta105: str | None = None
    """I18, interchange note code."""
    ak304: str | None = None
    """720, segment syntax error."""
    ak403: str | None = None
    """723, data element syntax error."""
    ak502: str | None = None
    """718, transaction set syntax error."""
    ak905: str | None = None
    """716, functional group syntax error."""
    ik304: str | None = None
    """620, segment syntax error in a 999, where it differs from `ak304`."""
    ik403: str | None = None
    """621, data element syntax error in a 999, where it differs from `ak403`."""
    ik502: str | None = None
    """618, transaction set syntax error in a 999, where it differs from `ak502`."""
    contrl: str | None = None
    """0085, syntax error in a CONTRL."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is wrong at one place, with its remedy."""

    rule: str
    """Stable, searchable, documented: `edi.element.too_long`."""
    place: Place
    said: str
    """What was there; shortened by whoever makes the finding, never a secret."""
    wanted: str
    """What the guide, the model or the file's schema asks for."""
    fix: str
    """What the sender can do, one sentence."""
    severity: Severity = Severity.REJECT
    codes: Codes = field(default_factory=Codes)

    @property
    def text(self) -> str:
        """One line for people: place, what was said, what was wanted."""
        return f"{self.place}: {self.said}; expected {self.wanted}"


def worst(findings: tuple[Finding, ...] | list[Finding]) -> Severity:
    """The gravest severity among `findings`; no findings at all are `ACCEPT`."""
    order = list(Severity)
    return max((finding.severity for finding in findings), key=order.index, default=Severity.ACCEPT)
