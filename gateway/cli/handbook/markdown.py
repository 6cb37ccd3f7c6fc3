"""The guide as Markdown: the same chapters and tables, for wikis and repositories."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from gateway.cli.handbook.book import Book, CodeList, Document, ElementRow, Place, SegmentPart
from gateway.cli.handbook.telling import (
    DIRECTIONS,
    LEGEND,
    USAGE,
    chapters,
    direction_words,
    left_out,
    same,
    shown,
    subtitle,
)
from gateway.cli.printable import printable

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")
NODES = "\u2003"
"""An indent that a cell keeps."""


def page(book: Book) -> Iterator[str]:
    """The lines."""
    yield f"# {_safe(book.ours)}: EDI implementation guide for {_safe(book.partner)}"
    yield ""
    yield _safe(subtitle(book))
    yield ""
    listed = list(chapters(book))
    for number, (anchor, name, _) in enumerate(listed, 1):
        yield f"{number}. [{_safe(name)}](#{anchor})"
    for number, (anchor, name, document) in enumerate(listed, 1):
        yield ""
        yield f'<a id="{anchor}"></a>'
        yield ""
        yield f"## {number} {_safe(name)}"
        yield ""
        yield from _document(document, number) if document is not None else _CHAPTERS[anchor](book)


def _who(book: Book) -> Iterator[str]:
    for one in book.facts:
        yield f"### {_safe(one.title)}"
        yield ""
        yield from _table(("", ""), one.rows)
        yield ""


def _overview(book: Book) -> Iterator[str]:
    heads = ("Document", "Set or message", "Version", "Direction", "What it says")
    rows = (
        (one.title, one.set or "JSON", one.version, DIRECTIONS[one.direction], one.purpose) for one in book.documents
    )
    yield from _table(heads, rows)
    yield ""
    yield from (f"- **{_safe(sign)}** {_safe(text)}" for sign, text in LEGEND)


def _answers(book: Book) -> Iterator[str]:
    yield from _table(("", ""), book.acknowledgments)


def _versions(book: Book) -> Iterator[str]:
    yield from _table(("What", "Name", "Version (SHA-256)"), book.versions)


_CHAPTERS = {"who": _who, "documents": _overview, "answers": _answers, "versions": _versions}


def _document(one: Document, number: int) -> Iterator[str]:
    yield f"{direction_words(one)} {_safe(one.purpose)}"
    for note in one.notes:
        yield ""
        yield _safe(note)
    makers = {
        "structure": _structure,
        "segments": _segments,
        "codes": _lists,
        "fields": _fields,
        "examples": _examples,
        "changes": _changes,
    }
    for index, (part, label) in enumerate(shown(one), 1):
        yield ""
        yield f"### {number}.{index} {label}"
        yield ""
        yield from makers[part](one)


def _structure(one: Document) -> Iterator[str]:
    yield from _heads(("Segment", "Name", "Use", "Max"))
    for place in one.places:
        if place.use == "used":
            yield _row((_place(place), _safe(place.label), "M" if place.mandatory else "O", place.times))
    if one.levels:
        yield ""
        yield from (f"- **{_safe(level.code)}** {_safe(level.word)}" for level in one.levels)
    for text in left_out(one):
        yield ""
        yield _safe(text)


def _place(place: Place) -> str:
    codes = f" ({_safe(', '.join(place.qualifiers))})" if place.qualifiers else ""
    name = f"[{_safe(place.name)}](#{place.anchor})" if place.anchor else f"**{_safe(place.name)}**"
    return f"{NODES * place.depth}{name}{codes}"


def _segments(one: Document) -> Iterator[str]:
    for part in one.segments:
        yield from _segment(part)
        yield ""


def _segment(part: SegmentPart) -> Iterator[str]:
    path = "".join(f"{step}/" for step in part.path)
    usage = USAGE["M" if part.mandatory else "O"]
    yield f'<a id="{part.anchor}"></a>'
    yield ""
    yield f"#### {path}{_safe(part.tag)} {_safe(part.label)} ({usage}, max {part.times})"
    yield ""
    if part.purpose:
        yield _safe(" ".join(part.purpose))
        yield ""
    if part.same_as:
        yield f"Its elements are those of [{_safe(same(part))}](#{part.same_as})."
    else:
        yield from _heads(("Element", "Name", "Number", "Use", "Type", "What it is for us", "Codes"))
        yield from map(_element, part.elements)
    if part.rules:
        yield ""
        yield from (f"- {_safe(rule)}" for rule in part.rules)
    if part.example:
        yield ""
        yield from _fenced(part.example)


def _element(row: ElementRow) -> str:
    said = " · ".join([*(_code(field) for field in row.fields), *([_safe(row.use)] if row.use else [])])
    cells = (_safe(row.name), _safe(row.label), row.number, row.usage, _safe(row.form), said, _codes(row.codes))
    return _row(cells)


def _codes(codes: CodeList | None) -> str:
    if codes is None:
        return ""
    listed = (
        f"[{_safe(codes.name)}](#{codes.anchor})"
        if codes.anchor
        else "; ".join(f"{_code(one.code)} {_safe(one.word)}".strip() for one in codes.codes)
    )
    return f"{listed}. {_safe(codes.others)}" if codes.others else listed


def _lists(one: Document) -> Iterator[str]:
    for codes in one.lists:
        yield f'<a id="{codes.anchor}"></a>'
        yield ""
        yield f"#### {_safe(codes.name)}"
        yield ""
        yield from _table(("Code", "Meaning"), ((each.code, each.word) for each in codes.codes))
        if codes.others:
            yield ""
            yield _safe(codes.others)
        yield ""


def _fields(one: Document) -> Iterator[str]:
    for group, found in groupby(one.fields, key=lambda field: field.group):
        if group:
            yield ""
            yield f"#### {_safe(group)}"
            yield ""
        rows = ((each.name, "M" if each.required else "O", each.form, each.text) for each in found)
        yield from _table(("Field", "Use", "Form", "Meaning"), rows)


def _examples(one: Document) -> Iterator[str]:
    for example in one.examples:
        yield f"{_safe(example.title.capitalize())}:"
        yield ""
        yield from _fenced(example.text)
        yield ""


def _changes(one: Document) -> Iterator[str]:
    for changes in one.changes:
        what = "in form" if changes.kind == "guide" else "in meaning"
        yield f"#### What differs {what} from {_safe(changes.base)}"
        yield ""
        rows = ((row.where, row.what, row.value, row.source) for row in changes.rows)
        yield from _table(("Where", "What", "Value", "Said in"), rows)
        yield ""


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield from _heads(tuple(heads))
    for row in rows:
        yield _row(map(_safe, row))


def _heads(heads: tuple[str, ...]) -> Iterator[str]:
    yield _row(heads)
    yield "|" + "---|" * len(heads)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _code(text: str) -> str:
    """Text between backquotes, which cannot hold one; a bar would end the cell."""
    return "`" + _line(text).replace("`", "'").replace("|", "\\|") + "`"


def _fenced(text: str) -> Iterator[str]:
    """Lines as they are, in a fence longer than any in them."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield fence
    yield printable(text.rstrip())
    yield fence


def _line(text: str) -> str:
    return " ".join(printable(text).split())


def _safe(text: str) -> str:
    """What a partner's file says, as text and nothing else."""
    return _SPECIAL.sub(r"\\\1", _line(text)).replace("&", "&amp;")
