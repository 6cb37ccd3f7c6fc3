"""How a guide is told, whatever it is printed as: its chapters, its parts, the sentences between its tables."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.cli.handbook.book import Book, Document, Place, SegmentPart
from gateway.cli.handbook.words import DASH

DIRECTIONS = {"send": "we send, you receive", "receive": "you send, we receive"}
USAGE = {"M": "mandatory", "O": "optional", "X": "must not be sent"}
TYPES = (
    "type and length: AN text, ID code, DT date, TM time, R decimal number, N2 a number with two places behind a point "
    "that is not written; in EDIFACT an, a, n"
)
LEGEND = (
    ("M", "mandatory: it must come wherever its segment, or its loop, comes"),
    ("O", "optional"),
    ("X", "must not be sent: it is refused"),
    (f"AN 1{DASH}22", TYPES),
    ("order.number", "the field of our documents that the element becomes, or is made from"),
    ("Max", "how often it may come; any: without limit"),
)
STATUSES = {
    "draft": "draft, not in force",
    "testing": "in test",
    "active": "in force",
    "suspended": "suspended",
    "retired": "no longer in force",
}


def subtitle(book: Book) -> str:
    """Date and state."""
    return f"{book.date} · {STATUSES.get(book.status, book.status)}"


def chapters(book: Book) -> Iterator[tuple[str, str, Document | None]]:
    """Anchor, name, and the document where the chapter is about one."""
    yield "who", "Who and how", None
    yield "documents", "Documents", None
    for one in book.documents:
        yield one.anchor, f"{one.title} ({one.set})" if one.set else one.title, one
    yield "answers", "Acknowledgments and times", None
    yield "versions", "Versions", None


def shown(one: Document) -> Iterator[tuple[str, str]]:
    """The parts that a document's chapter has: name of the part, heading."""
    parts = (
        ("structure", "Structure", one.places),
        ("segments", "Segments", one.segments),
        ("codes", "Code lists", one.lists),
        ("fields", "Fields", one.fields),
        ("examples", "Examples", one.examples),
        ("changes", "What differs from the base", one.changes),
    )
    return ((part, label) for part, label, has in parts if has)


def direction_words(one: Document) -> str:
    """Who sends it."""
    return "We send this to you." if one.direction == "send" else "You send this to us."


def same(part: SegmentPart) -> str:
    """The name of the segment whose table holds for this one too."""
    return f"the first {part.tag} of this kind"


def left_out(one: Document) -> Iterator[str]:
    """Places of the structure that have no row: unused ones, and those read past."""
    own = "read" if one.direction == "receive" else "sent"
    unused = _named(one.places, "unused")
    if unused and own == "read":
        yield (
            f"Allowed by the standard and not used by us: {unused}. Send them where you must: they are kept with the "
            "document and change nothing."
        )
    elif unused:
        yield f"Allowed by the standard and never sent by us: {unused}."
    if ignored := _named(one.places, "ignored"):
        yield f"Read past without a word: {ignored}."


def _named(places: tuple[Place, ...], use: str) -> str:
    """The places of one use by their loops: CUR, PO1 (CN1, PO3)."""
    above: list[Place] = []
    groups: dict[str, list[str]] = {}
    for place in places:
        above = above[: place.depth]
        if place.use == use:
            name = place.name.removesuffix(" loop")
            groups.setdefault("/".join(one.name.removesuffix(" loop") for one in above), []).append(name)
        if place.loop:
            above.append(place)
    return "; ".join(
        f"in {loop}: {', '.join(dict.fromkeys(names))}" if loop else ", ".join(dict.fromkeys(names))
        for loop, names in groups.items()
    )
