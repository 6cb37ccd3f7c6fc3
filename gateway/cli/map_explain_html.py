"""`gateway map explain --html`: a self-contained page without script: the wire left, its fields right."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from gateway.cli.map_lineage import Explained, Row
from gateway.cli.printable import printable

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; --line: #8884; --field: #2a7ae2; --gap: #d1860b; --dim: #888; }
body { font: 14px/1.5 system-ui, sans-serif; margin: 1.5rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin: 1.5rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
td { border-top: 1px solid var(--line); padding: .25rem .5rem; vertical-align: top; overflow-wrap: anywhere; }
td.n { width: 3.2rem; color: var(--dim); text-align: right; } td.w { width: 42%; }
code { font: 13px/1.6 ui-monospace, monospace; }
code a { color: inherit; text-decoration: none; border-bottom: 2px solid var(--field); }
code s { text-decoration: none; border-bottom: 2px dotted var(--gap); }
.f { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr) auto; gap: .6rem; }
.f:target, code a:target { background: #2a7ae233; }
.f a { color: inherit; } .f b { font-weight: 500; color: var(--field); } .f i { color: var(--dim); font-style: normal; }
.gap b { color: var(--gap); } .k { color: var(--dim); }
"""


def page(title: str, messages: Iterator[Explained]) -> Iterator[str]:
    """The page, piece by piece."""
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_safe(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{_safe(title)}</h1>\n"
        '<p class="k">Underlined: read into the field beside it. Dotted: read by no line of the map.</p>\n'
    )
    for number, one in enumerate(messages, 1):
        message = one.message
        yield (
            f"<h2>{_safe(message.type)} {_safe(message.control_number)} "
            f'<span class="k">by {_safe(one.map.name)} {one.map.hash[:12]}</span></h2>\n<table>\n'
        )
        for row in one.rows:
            yield _row(row, f"{number}-{row.position}")
        yield "</table>\n"
    yield "</body>\n</html>\n"


def _row(row: Row, at: str) -> str:
    fields = "".join(
        f'<div class="f" id="f{at}-{number}"><a href="#w{at}-{number}">{_safe(each.element)}</a>'
        f"<span><b>{_safe(each.origin.pointer)}</b> {_safe(each.origin.value)}</span>"
        f"<i>{_safe(_code(each.origin.text, each.origin.value, each.origin.codes))}"
        f"{_safe(each.origin.file)}:{each.origin.line}</i></div>"
        for number, each in enumerate(row.reads)
    )
    gaps = "".join(
        f'<div class="f gap"><span>{_safe(gap.element)}</span>'
        f"<span><b>read by no line</b> {_safe(gap.text)}</span></div>"
        for gap in row.unread
    )
    wire = f'<td class="n">{row.position}</td><td class="w"><code>{_wire(row, at)}</code></td>'
    return f"<tr>{wire}<td>{fields}{gaps}</td></tr>\n"


def _code(text: str, value: str, table: str) -> str:
    return f"{text} in {table}, " if table and text != value else ""


def _wire(row: Row, at: str) -> str:
    """The segment with what was read marked; stretches are of bytes, and most segments are ASCII."""
    raw = row.raw.encode()
    marks = [
        (each.start, each.end, f'<a id="w{at}-{number}" href="#f{at}-{number}">', "</a>")
        for number, each in enumerate(row.reads)
    ]
    marks += [(gap.start, gap.end, "<s>", "</s>") for gap in row.unread]
    made, here = "", 0
    for start, end, opening, closing in sorted(marks):
        if start < here or end <= start:
            continue
        made += _safe(raw[here:start].decode("utf-8", "replace"))
        made += opening + _safe(raw[start:end].decode("utf-8", "replace")) + closing
        here = end
    return made + _safe(raw[here:].decode("utf-8", "replace"))


def _safe(text: str) -> str:
    """What a partner sent, as text in a page and nothing else."""
    return escape(printable(text), quote=True)
