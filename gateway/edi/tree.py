"""The checked tree: what `mapping` reads and writes, and what the writer turns into bytes.

Segments stand in loops in wire order; a loop's first child is the segment that starts it; HL and CPS loops nest by
their parent. A segment read from a file keeps its text and splits it only when somebody asks for its elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.findings import Finding, Severity, worst

Simple = str | tuple[str, ...]
"""Text, or a tuple where a composite has several components; `""` is absent."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """An element that came several times (X12 from 00402, EDIFACT syntax 4)."""

    values: tuple[Simple, ...]


Element = Simple | Repeats
"""One element: simple, or its repeats where it came more than once."""


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
    """How one kind of segment is cut: separators, which elements (from 0) are composites, which may be repeated."""

    element: str
    component: str
    composites: tuple[int, ...] = ()
    repetition: str | None = None
    repeating: tuple[int, ...] = ()
    cleaned: Callable[[str], str] | None = None
    """Puts released and undecodable characters right; called where text is not ASCII."""
    release: str | None = None

    def split(self, text: str) -> list[Element]:
        """The elements after the tag; trailing empty ones dropped, undecodable bytes replaced (they had a finding)."""
        texts = text.split(self.element)
        while len(texts) > 1 and not texts[-1]:
            texts.pop()
        elements: list[Element] = [*texts[1:]]
        if self.component in text:
            for index in self.composites:
                if index < len(elements):
                    elements[index] = self._composite(texts[index + 1])
        if self.repetition is not None and self.repetition in text:
            for index in self.repeating:
                if index < len(elements) and self.repetition in texts[index + 1]:
                    parts = texts[index + 1].split(self.repetition)
                    elements[index] = Repeats(
                        tuple(map(self._composite, parts)) if index in self.composites else tuple(parts)
                    )
        if self.cleaned is not None and (not text.isascii() or (self.release is not None and self.release in text)):
            elements = [_each(self.cleaned, one) for one in elements]
        return elements

    def _composite(self, text: str) -> Simple:
        if self.component not in text:
            return text
        parts = text.split(self.component)
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
        return parts[0] if len(parts) == 1 else tuple(parts)


def _each(work: Callable[[str], str], element: Element) -> Element:
    if isinstance(element, str):
        return work(element)
    if isinstance(element, tuple):
        return tuple(map(work, element))
    return Repeats(tuple(work(one) if isinstance(one, str) else tuple(map(work, one)) for one in element.values))


def simple(element: Element) -> Simple:
    """An element as if it were not repeated: of repeats the first."""
    return element.values[0] if isinstance(element, Repeats) else element


def joined(element: Element, component: str = ":", repetition: str = "^") -> str:
    """An element as one text, for people and for the wire: components and repeats with what separates them."""
    if isinstance(element, str):
        return element
    if isinstance(element, tuple):
        return component.join(element)
    return repetition.join(joined(one, component) for one in element.values)


def first_text(element: Element) -> str:
    """An element as text: of repeats the first, of a composite its first component."""
    while not isinstance(element, str):
        element = element.values[0] if isinstance(element, Repeats) else element[0]
    return element


class Segment:
    """One segment. Mutable only while it is being built; equal to another that says the same, wherever it stands.

    `elements[0]` is element 01. `position` counts ST or UNH as 1 and is 0 in a segment that is being written. A
    composite with one component is text, like any other element.
    """

    __slots__ = ("_elements", "_offset", "_wire", "position", "tag")
    __hash__ = None  # type: ignore[assignment]  # mutable while it is being built

    def __init__(
        self,
        tag: str,
        elements: list[Element] | str,
        position: int = 0,
        offset: int | Callable[[int], int] = 0,
        wire: Wire | None = None,
    ) -> None:
        """`offset` may be a function that tells it from the position when somebody asks."""
        self.tag = tag
        self._elements = elements
        self.position = position
        self._offset = offset
        self._wire = wire

    @property
    def offset(self) -> int:
        """The byte offset in the file."""
        offset = self._offset
        return offset if isinstance(offset, int) else offset(self.position)

    @property
    def elements(self) -> list[Element]:
        """The elements, split when first asked for."""
        elements = self._elements
        if isinstance(elements, str):
            assert self._wire is not None
            self._elements = elements = self._wire.split(elements)
        return elements

    def text(self, element: int) -> str:
        """Element `element` (from 1) as text, `""` when absent; of a composite its first component."""
        value = self.elements[element - 1] if 0 < element <= len(self.elements) else ""
        return value if isinstance(value, str) else first_text(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Segment) and self.tag == other.tag and self.elements == other.elements

    def __repr__(self) -> str:
        return f"Segment({self.tag!r}, {self.elements!r}, position={self.position}, offset={self.offset})"


class Loop:
    """A loop of the guide, named by the tag of its first segment (`""` for the root); children in wire order."""

    __slots__ = ("_children", "name")
    __hash__ = None  # type: ignore[assignment]  # mutable while it is being built

    def __init__(self, name: str, children: list[Segment | Loop] | Callable[[], list[Segment | Loop]]) -> None:
        """`children` may be a function that makes them when somebody looks."""
        self.name = name
        self._children = children

    @property
    def children(self) -> list[Segment | Loop]:
        """Segments and loops; those of a clean message are hung together when first asked for."""
        children = self._children
        if not isinstance(children, list):
            self._children = children = children()
        return children

    @children.setter
    def children(self, children: list[Segment | Loop]) -> None:
        self._children = children

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Loop) and self.name == other.name and self.children == other.children

    def __repr__(self) -> str:
        return f"Loop({self.name!r}, {self.children!r})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One transaction set or message: its tree without ST and SE (UNH and UNT), and what was found in it."""

    type: str
    """ST01: 850, 855, 856, 997; in EDIFACT 0065: ORDERS."""
    version: str
    """GS08 as it was sent, e.g. 004010VICS (the guide was chosen by its first six characters); in EDIFACT D96A."""
    control_number: str
    """ST02 or 0062 as it was sent."""
    root: Loop
    findings: tuple[Finding, ...] = ()
    outcome: Verdict = Verdict.ACCEPTED
    segments: int = 0
    """How many segments came, ST and SE included."""
    offset: int = 0
    """Byte offset of ST or UNH in the file."""
    end: int = 0
    """Byte offset behind the terminator of SE or UNT."""
    standard: str = "x12"
    association: str = ""
    """ST03, or 0057 of EDIFACT: whose rules it follows, e.g. EAN008."""
    agency: str = ""
    """0051 of EDIFACT: who keeps the directory, UN."""


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
