"""What a partner's implementation guide says, as frozen values: who, which documents, each segment and element.

Texts are plain and may come from a partner's files: whoever prints them makes them safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["send", "receive"]
"""As the agreement has it: from us to the partner, from the partner to us."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """A titled table of two columns."""

    title: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """One code and what it means to us; empty where no table has a word for it."""

    code: str
    word: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeList:
    """The codes of an element."""

    codes: tuple[Code, ...]
    closed: bool
    """The guide refuses every other code."""
    others: str = ""
    """What becomes of a code that is not listed."""
    anchor: str = ""
    """Set where the list stands in the appendix."""
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementRow:
    """One element or component, or a run of them that repeats the ones before it."""

    name: str
    """BAK02, PIA02.1, PO108 to 25."""
    label: str
    number: str
    """In the data element dictionary."""
    usage: str
    """M, O, or X where it must not come."""
    form: str
    """Type and lengths: AN 1 to 22."""
    fields: tuple[str, ...] = ()
    """The canonical fields that it becomes, or is made from."""
    use: str = ""
    """What we do with it, in words."""
    codes: CodeList | None = None
    component: bool = False
    used: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One line of the structure table: a loop or a segment at its place."""

    depth: int
    name: str
    """The tag, or a loop's name."""
    label: str
    mandatory: bool
    times: str
    loop: bool
    use: str
    """used, ignored, unused."""
    anchor: str = ""
    """Of its details; empty where there are none."""
    qualifiers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentPart:
    """The details of a segment at one place."""

    anchor: str
    tag: str
    label: str
    path: tuple[str, ...]
    """The loops it stands in."""
    mandatory: bool
    times: str
    purpose: tuple[str, ...]
    """What the map makes of it, in sentences."""
    elements: tuple[ElementRow, ...]
    rules: tuple[str, ...]
    example: str = ""
    same_as: str = ""
    """Anchor of a segment whose table holds here too; there are then no elements here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A whole interchange that passes the check."""

    title: str
    text: str
    """A segment on each line."""
    origin: str
    """Where it comes from, in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One thing that differs from the base."""

    what: str
    where: str
    value: str
    source: str
    """File and line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What one file changes of what it extends."""

    name: str
    base: str
    kind: Literal["guide", "map"]
    title: str
    rows: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field of a canonical document or of an object in it, for partners without EDI."""

    name: str
    form: str
    required: bool
    text: str
    group: str = ""
    """The kind of object that it belongs to; empty for the document itself."""
    refers: str = ""
    """The kind of object that it holds, listed under this name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One kind of document in one direction."""

    anchor: str
    kind: str
    set: str
    """850, ORDERS; empty for REST."""
    title: str
    direction: Direction
    standard: str
    version: str
    purpose: str
    notes: tuple[str, ...] = ()
    levels: tuple[Code, ...] = ()
    places: tuple[Place, ...] = ()
    segments: tuple[SegmentPart, ...] = ()
    lists: tuple[CodeList, ...] = ()
    fields: tuple[Field, ...] = ()
    examples: tuple[Example, ...] = ()
    changes: tuple[Changes, ...] = ()
    versions: tuple[tuple[str, str, str], ...] = ()
    """What, name, SHA-256."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Book:
    """The whole guide."""

    ours: str
    partner: str
    name: str
    status: str
    date: str
    """ISO 8601."""
    facts: tuple[Facts, ...]
    documents: tuple[Document, ...]
    acknowledgments: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str, str], ...]
    problems: tuple[str, ...] = ()
    """What the guide lacks because a file is wrong: said to whoever made it, not printed."""
