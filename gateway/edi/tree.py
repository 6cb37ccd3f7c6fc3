"""The checked tree: what `mapping` reads and writes, and what the writer turns into bytes.

Segments stand in loops in wire order; a loop's first child is the segment that starts it; HL loops nest by HL02.
A segment read from a file keeps its bytes and splits them only when somebody asks for its elements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.findings import Finding, Severity, worst

Element = str | tuple[str, ...]
"""One element: text, or a tuple where a composite has several components; `""` is absent."""


class Verdict(StrEnum):
    """What became of a message, a group or an interchange."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_ERRORS = "accepted_with_errors"
    REJECTED = "rejected"


_VERDICTS = {
    Severity.ACCEPT: Verdict.ACCEPTED,
    Severity.ACCEPT_WITH_ERRORS: Verdict.ACCEPTED_WITH_ERRORS,
    Severity.REJECT: Verdict.REJECTED,
}


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """The verdict that the gravest of `findings` asks for; none at all is `ACCEPTED`."""
    return _VERDICTS[worst(tuple(findings))]


@dataclass(frozen=True, slots=True)
class Wire:
    """How one kind of segment is cut: separators as text, ASCII-compatible charset, composite elements from 0."""

    element: str
    component: str
    charset: str
    composites: tuple[int, ...] = ()

    def split(self, raw: bytes) -> list[Element]:
        """The elements after the tag; trailing empty ones dropped, undecodable bytes replaced (they had a finding)."""
        texts = raw.decode(self.charset, "replace").split(self.element)
        while len(texts) > 1 and not texts[-1]:
            texts.pop()
        elements: list[Element] = [*texts[1:]]
        for index in self.composites:
            if index < len(elements):
                parts = texts[index + 1].split(self.component)
                while len(parts) > 1 and not parts[-1]:
                    parts.pop()
                elements[index] = parts[0] if len(parts) == 1 else tuple(parts)
        return elements


class Segment:
    """One segment. Mutable only while it is being built; equal to another that says the same, wherever it stands.

    `elements[0]` is element 01. `position` counts ST as 1 and is 0 in a segment that is being written; `offset` is the
    byte offset in the file. A composite with one component is text, like any other element.
    """

    __slots__ = ("_elements", "_wire", "offset", "position", "tag")
    __hash__ = None  # type: ignore[assignment]  # mutable while it is being built

    def __init__(
        self,
        tag: str,
        elements: list[Element] | bytes,
        position: int = 0,
        offset: int = 0,
        wire: Wire | None = None,
    ) -> None:
        self.tag = tag
        self._elements = elements
        self.position = position
        self.offset = offset
        self._wire = wire

    @property
    def elements(self) -> list[Element]:
        """The elements, split when first asked for."""
        elements = self._elements
        if isinstance(elements, bytes):
            assert self._wire is not None
            self._elements = elements = self._wire.split(elements)
        return elements

    def text(self, element: int) -> str:
        """Element `element` (from 1) as text, `""` when absent; of a composite its first component."""
        value = self.elements[element - 1] if 0 < element <= len(self.elements) else ""
        return value if isinstance(value, str) else value[0]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Segment) and self.tag == other.tag and self.elements == other.elements

    def __repr__(self) -> str:
        return f"Segment({self.tag!r}, {self.elements!r}, position={self.position}, offset={self.offset})"


@dataclass(slots=True)
class Loop:
    """A loop of the guide, named by the tag of its first segment (`""` for the root); children in wire order."""

    name: str
    children: list[Segment | Loop]


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One transaction set: its tree without ST and SE, and what was found in it."""

    type: str
    """ST01: 850, 855, 856, 997."""
    version: str
    """GS08 as it was sent, e.g. 004010VICS; the guide was chosen by its first six characters."""
    control_number: str
    """ST02 as it was sent."""
    root: Loop
    findings: tuple[Finding, ...] = ()
    outcome: Verdict = Verdict.ACCEPTED
    segments: int = 0
    """How many segments came, ST and SE included."""
    offset: int = 0
    """Byte offset of ST in the file."""
    standard: str = "x12"
    association: str = ""
    """0057 of an EDIFACT message, ST03 of an X12 set."""


def walk(root: Loop) -> Iterator[tuple[int, Segment, bool]]:
    """Every segment in wire order with its depth and whether it starts a loop; never recursive."""
    stack: list[tuple[int, Loop, Iterator[Segment | Loop]]] = [(0, root, iter(root.children))]
    first = False
    while stack:
        depth, _, children = stack[-1]
        child = next(children, None)
        if child is None:
            stack.pop()
            first = False
        elif isinstance(child, Loop):
            stack.append((depth + 1, child, iter(child.children)))
            first = True
        else:
            yield depth, child, first
            first = False
