"""The guide as one HTML page: self-contained, no script, light and dark, and paginated for paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from importlib import resources
from itertools import groupby

from gateway.cli.handbook.book import Book, Changes, CodeList, Document, ElementRow, Field, Place, SegmentPart
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

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
INDENT = 1.1
"""rem for each loop."""


def page(book: Book) -> Iterator[str]:
    """The page, piece by piece."""
    style = resources.files("gateway.cli.handbook").joinpath("page.css").read_text(encoding="utf-8")
    title = f"{book.ours}: EDI implementation guide for {book.partner}"
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_safe(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
    )
    yield from _cover(book)
    yield from _contents(book)
    yield "<main>\n"
    for number, (anchor, name, document) in enumerate(chapters(book), 1):
        heading = f'<h2><span class="no">{number}</span> {_safe(name)}</h2>\n'
        if document is not None:
            yield f'<section id="{_safe(anchor)}" class="document">\n{heading}'
            yield from _document(document, number)
        else:
            yield f'<section id="{_safe(anchor)}">\n{heading}'
            yield from _CHAPTERS[anchor](book)
        yield "</section>\n"
    yield "</main>\n</body>\n</html>\n"


def _contents(book: Book) -> Iterator[str]:
    yield '<nav aria-label="Contents">\n<p class="brand">' + _safe(book.ours) + "</p>\n<p>Contents</p>\n<ol>\n"
    for anchor, name, document in chapters(book):
        yield f'<li><a href="#{_safe(anchor)}">{_safe(name)}</a>'
        if document is not None:
            parts = "".join(
                f'<li><a href="#{_safe(anchor)}-{part}">{_safe(label)}</a></li>' for part, label in shown(document)
            )
            yield f"\n<ol>{parts}</ol>"
        yield "</li>\n"
    yield "</ol>\n</nav>\n"


def _cover(book: Book) -> Iterator[str]:
    documents = "".join(
        f'<li><a href="#{_safe(one.anchor)}"><b>{_safe(one.set or "JSON")}</b> {_safe(one.title)}</a>'
        f" <span>{_safe(DIRECTIONS[one.direction])}</span></li>"
        for one in book.documents
    )
    yield (
        f'<header class="cover">\n<p class="kicker">EDI implementation guide</p>\n<h1>{_safe(book.partner)}</h1>\n'
        f'<p class="with">with {_safe(book.ours)}</p>\n<p class="date">{_safe(subtitle(book))}</p>\n'
        f'<ul class="docs">{documents}</ul>\n</header>\n'
    )


def _who(book: Book) -> Iterator[str]:
    yield '<div class="facts">\n'
    for one in book.facts:
        yield f"<div><h3>{_safe(one.title)}</h3>\n{_pairs(one.rows)}</div>\n"
    yield "</div>\n"


def _pairs(rows: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f'<tr><th scope="row">{_safe(name)}</th><td>{_safe(value)}</td></tr>\n' for name, value in rows)
    return f'<table class="pairs">\n{lines}</table>\n'


def _overview(book: Book) -> Iterator[str]:
    rows = "".join(
        f'<tr><td><a href="#{_safe(one.anchor)}">{_safe(one.title)}</a></td><td>{_safe(one.set or "JSON")}</td>'
        f"<td>{_safe(one.version or '—')}</td><td>{_safe(DIRECTIONS[one.direction])}</td>"
        f"<td>{_safe(one.purpose)}</td></tr>\n"
        for one in book.documents
    )
    yield _table(("Document", "Set or message", "Version", "Direction", "What it says"), rows, "overview")
    legend = "".join(f"<dt>{_safe(sign)}</dt><dd>{_safe(text)}</dd>" for sign, text in LEGEND)
    yield f'<h3>How to read the tables</h3>\n<dl class="legend">{legend}</dl>\n'


def _answers(book: Book) -> Iterator[str]:
    yield _pairs(book.acknowledgments)


def _versions(book: Book) -> Iterator[str]:
    yield "<p>This guide was made from these files; a document that we exchange records the same versions.</p>\n"
    rows = "".join(
        f"<tr><td>{_safe(what)}</td><td>{_safe(name)}</td><td><code>{_safe(digits)}</code></td></tr>\n"
        for what, name, digits in book.versions
    )
    yield _table(("What", "Name", "Version (SHA-256)"), rows, "versions")


_CHAPTERS = {"who": _who, "documents": _overview, "answers": _answers, "versions": _versions}


def _document(one: Document, number: int) -> Iterator[str]:
    anchor = _safe(one.anchor)
    yield f'<p class="lead"><span class="way">{_safe(direction_words(one))}</span> {_safe(one.purpose)}</p>\n'
    for note in one.notes:
        yield f"<p>{_safe(note)}</p>\n"
    makers = {
        "structure": _structure,
        "segments": _segments,
        "codes": _lists,
        "fields": _fields,
        "examples": _examples,
        "changes": _changes,
    }
    for index, (part, label) in enumerate(shown(one), 1):
        yield f'<h3 id="{anchor}-{part}"><span class="no">{number}.{index}</span> {_safe(label)}</h3>\n'
        yield from makers[part](one)


def _structure(one: Document) -> Iterator[str]:
    rows = "".join(_place(place) for place in one.places if place.use == "used")
    yield _table(("Segment", "Name", "Use", "Max"), rows, "structure")
    if one.levels:
        levels = "".join(f"<dt>{_safe(level.code)}</dt><dd>{_safe(level.word)}</dd>" for level in one.levels)
        yield f'<h4>Levels of the hierarchy</h4>\n<dl class="legend">{levels}</dl>\n'
    for text in left_out(one):
        yield f'<p class="quiet">{_safe(text)}</p>\n'


def _place(place: Place) -> str:
    name = f"<b>{_safe(place.name)}</b>"
    if place.anchor:
        name = f'<a href="#{_safe(place.anchor)}">{name}</a>'
    codes = f' <span class="quals">{_safe(", ".join(place.qualifiers))}</span>' if place.qualifiers else ""
    indent = f' style="padding-left:{0.5 + INDENT * place.depth:.1f}rem"'
    kind = ' class="loop"' if place.loop else ""
    return (
        f"<tr{kind}><td{indent}>{name}{codes}</td><td>{_safe(place.label)}</td>"
        f"<td>{_usage('M' if place.mandatory else 'O')}</td><td>{_safe(place.times)}</td></tr>\n"
    )


def _usage(usage: str) -> str:
    return f'<abbr class="{usage.lower()}" title="{_safe(USAGE[usage])}">{_safe(usage)}</abbr>'


def _segments(one: Document) -> Iterator[str]:
    for part in one.segments:
        yield from _segment(part)


def _segment(part: SegmentPart) -> Iterator[str]:
    crumbs = "".join(f"{_safe(step)} / " for step in part.path)
    yield (
        f'<article id="{_safe(part.anchor)}">\n<h4><span class="path">{crumbs}</span><b>{_safe(part.tag)}</b> '
        f"{_safe(part.label)} {_usage('M' if part.mandatory else 'O')}"
        f'<span class="max">max {_safe(part.times)}</span></h4>\n'
    )
    if part.purpose:
        yield f"<p>{_safe(' '.join(part.purpose))}</p>\n"
    if part.same_as:
        link = f'<a class="same" href="#{_safe(part.same_as)}">{_safe(same(part))}</a>'
        yield f"<p>Its elements are those of {link}.</p>\n"
    else:
        heads = ("Element", "Name", "Use", "Type", "What it is for us")
        yield _table(heads, "".join(map(_element, part.elements)), "elements")
    if part.rules:
        yield '<ul class="rules">' + "".join(f"<li>{_safe(rule)}</li>" for rule in part.rules) + "</ul>\n"
    if part.example:
        yield f'<p class="example"><span>Example</span> <code>{_safe(part.example)}</code></p>\n'
    yield "</article>\n"


def _element(row: ElementRow) -> str:
    classes = " ".join(
        name for name, on in (("part", row.component), ("unused", not row.used), ("not", row.usage == "X")) if on
    )
    fields = ", ".join(f"<code>{_breakable(field)}</code>" for field in row.fields)
    said = " · ".join(filter(None, (fields, _safe(row.use))))
    number = f' <span class="number">{_safe(row.number)}</span>' if row.number else ""
    return (
        f"<tr{f' class={chr(34)}{classes}{chr(34)}' if classes else ''}><td>{_safe(row.name)}</td>"
        f"<td>{_safe(row.label)}{number}</td><td>{_usage(row.usage)}</td><td>{_safe(row.form)}</td>"
        f"<td>{said}{_codes(row.codes)}</td></tr>\n"
    )


def _codes(codes: CodeList | None) -> str:
    if codes is None:
        return ""
    others = f' <span class="others">{_safe(codes.others)}</span>' if codes.others else ""
    if codes.anchor:
        count = f"{len(codes.codes)} codes"
        return f'<div class="codes"><a href="#{_safe(codes.anchor)}">{_safe(codes.name)}: {count}</a>{others}</div>'
    items = "".join(
        f"<li><code>{_safe(one.code)}</code> {_safe(one.word) or '<span class=quiet>—</span>'}</li>"
        for one in codes.codes
    )
    return f'<ul class="codes">{items}</ul>{others}'


def _lists(one: Document) -> Iterator[str]:
    for codes in one.lists:
        items = "".join(
            f"<li><code>{_safe(code.code)}</code> <span>{_breakable(code.word) or '—'}</span></li>"
            for code in codes.codes
        )
        others = f'<p class="quiet">{_safe(codes.others)}</p>' if codes.others else ""
        yield (
            f'<div class="list" id="{_safe(codes.anchor)}">\n<h4>{_safe(codes.name)}</h4>\n'
            f'<ul class="columns">{items}</ul>{others}\n</div>\n'
        )


def _fields(one: Document) -> Iterator[str]:
    for group, found in groupby(one.fields, key=lambda field: field.group):
        rows = "".join(
            f"<tr><td><code>{_breakable(field.name)}</code></td><td>{_usage('M' if field.required else 'O')}</td>"
            f"<td>{_form(one, field)}</td><td>{_safe(field.text)}</td></tr>\n"
            for field in found
        )
        if group:
            yield f'<h4 id="{_kind(one, group)}">{_safe(group)}</h4>\n'
        yield _table(("Field", "Use", "Form", "Meaning"), rows, "fields")


def _form(one: Document, field: Field) -> str:
    form = _safe(field.form)
    return f'<a class="same" href="#{_kind(one, field.refers)}">{form}</a>' if field.refers else form


def _kind(one: Document, group: str) -> str:
    return _safe(f"{one.anchor}-{group.replace(' ', '-')}")


def _examples(one: Document) -> Iterator[str]:
    for example in one.examples:
        yield f"<figure>\n<figcaption>{_safe(example.title.capitalize())}</figcaption>\n"
        yield f"<pre>{_safe(example.text.rstrip())}</pre>\n</figure>\n"


def _changes(one: Document) -> Iterator[str]:
    for changes in one.changes:
        yield _changed(changes)


def _changed(changes: Changes) -> str:
    what = "in form" if changes.kind == "guide" else "in meaning"
    title = f"{changes.title}: " if changes.title else ""
    rows = "".join(
        f"<tr><td><code>{_breakable(row.where)}</code></td><td>{_safe(row.what)}</td><td>{_breakable(row.value)}</td>"
        f'<td class="source">{_safe(row.source)}</td></tr>\n'
        for row in changes.rows
    )
    head = f"<h4>{_safe(title)}what differs {what} from {_safe(changes.base)}</h4>\n"
    return head + _table(("Where", "What", "Value", "Said in"), rows, "changes")


def _table(heads: Iterable[str], rows: str, kind: str) -> str:
    cells = "".join(f'<th scope="col">{_safe(head)}</th>' for head in heads)
    return f'<table class="{kind}">\n<thead><tr>{cells}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n'


def _breakable(text: str) -> str:
    """Names that may wrap behind a point, a slash or a bracket."""
    safe = _safe(text)
    return safe.replace(".", ".<wbr>").replace("/", "/<wbr>")


def _safe(text: str) -> str:
    """What a partner's file says, as text in a page and nothing else."""
    return escape(printable(text), quote=True)
