"""The words of a partner's guide: what documents are for, what pairs and notes mean, as tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from gateway.edi.guide import UNLIMITED, ElementSpec, Note
from gateway.mapping.groups import Allocations, Ids, Joined, Many, Pairs, Sscc
from gateway.mapping.moments import Date, Day, Stamp, When
from gateway.mapping.pairs import Checked, Implied, Number

DASH = "\u2013"
"""Between the ends of a range."""
PURPOSES: Mapping[str, str] = {
    "purchase_order": "An order: what is wanted, how much, by when, where to and at which price.",
    "order_acknowledgement": "The answer to an order: what the seller accepts, changes, backorders or rejects, line by "
    "line, with the dates promised.",
    "ship_notice": "What is on its way: the goods, how they are packed and labelled, which orders they fill, who "
    "carries them and when they arrive.",
    "order_change": "A change of an order that was sent before: lines added, changed or cancelled.",
}
ANSWERS: Mapping[str, str] = {
    "865": "The answer to a change of an order: what the seller accepts of it, or asks to be changed.",
}
"""Sets that share their kind with the document that they answer."""
OTHER_PURPOSE = "A business document."

NOTES: Mapping[str, str] = {
    "P": "Of {all}, send all or none.",
    "R": "Send at least one of {all}.",
    "E": "Send at most one of {all}.",
    "C": "With {first}, send {rest} too.",
    "L": "With {first}, send at least one of {rest}.",
}
"""Syntax notes by their letter."""

RUN = 2
"""So many like notes are written out."""
MOMENT = ("date, CCYYMMDD", "time, HHMM or HHMMSS", "time zone")
CHECKED: Mapping[str, str] = {
    "gtin": "a GTIN with a right check digit",
    "gln": "a GLN with a right check digit",
    "sscc": "an SSCC with a right check digit",
    "sscc18": "an SSCC with a right check digit",
}


def note_sentences(notes: Sequence[Note], tag: str, known: Collection[int]) -> list[str]:
    """The syntax notes that speak of a `known` element; like notes of elements further on follow in one sentence."""
    found: list[str] = []
    run: list[Note] = []
    for note in notes:
        if run and _follows(run[-1], note):
            run.append(note)
            continue
        found += _run(run, tag, known)
        run = [note]
    return found + _run(run, tag, known)


def _follows(before: Note, note: Note) -> bool:
    """Whether a note says the same of the elements behind those of the one before."""
    shift = len(before.elements)
    return note.kind == before.kind and note.elements == tuple(one + shift for one in before.elements)


def _run(run: Sequence[Note], tag: str, known: Collection[int]) -> list[str]:
    if not run:
        return []
    if len(run) > RUN:
        own = note_words(run[0], tag)
        return [f"{own} The same holds for those that follow, up to {tag}{run[-1].elements[-1]:02d}."]
    return [note_words(note, tag) for note in run if not set(known).isdisjoint(note.elements)]


def note_words(note: Note, tag: str) -> str:
    """A syntax note as a sentence."""
    names = [f"{tag}{element:02d}" for element in note.elements]
    return NOTES[note.kind].format(all=_listed(names), first=names[0], rest=_listed(names[1:]))


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def form(element: ElementSpec) -> str:
    """Type and lengths for the column."""
    if element.components:
        return "composite"
    same = element.minimum == element.maximum
    return f"{element.type} {element.maximum}" if same else f"{element.type} {element.minimum}{DASH}{element.maximum}"


def times(maximum: int) -> str:
    """How often a place may come, for the column."""
    return "any" if maximum >= UNLIMITED else f"{maximum:,}"


def human(word: str) -> str:
    """A word of a code table as people write it."""
    return word.replace("_", " ")


def pair_words(pair: object, offset: int) -> str:  # noqa: PLR0911  one line for each pair
    """What an element's text is to a pair; `offset` is its place among those that the pair takes."""
    match pair:
        case Implied():
            return f"{pair.places} places behind a point that is not written: 1250 is {12.5:.{pair.places}f}"
        case Number():
            return "with a decimal point where it has a fraction"
        case Date():
            return MOMENT[0]
        case When():
            return MOMENT[min(offset, 2)]
        case Stamp() | Day():
            return "format of the date (2379): 102, 203, …" if offset else "date in the format named beside it"
        case Checked():
            return CHECKED.get(pair.kind, "with a right check digit")
        case Pairs():
            return "the value" if offset % 2 else "says which number it is"
        case Ids():
            return ("the value", "says which number it is")[offset % pair.size == pair.size - 1]
        case Sscc():
            return ("GM, or AA without application identifier", "SSCC: 00 and 18 digits after GM")[bool(offset)]
        case Allocations():
            heads = ("unit of all quantities", "says which number the places have")
            return heads[offset] if offset < len(heads) else ("a place", "the quantity for it")[offset % 2]
        case Many():
            return "one text of a list"
        case Joined():
            return "part of one text"
        case _:
            return ""
