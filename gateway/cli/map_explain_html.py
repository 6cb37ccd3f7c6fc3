"""`gateway map explain --html`: a self-contained page without script: the wire left, its fields right."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from gateway.cli.map_lineage import Explained, Row
from gateway.cli.printable import printable

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #1b2430; --dim: #67727f; --line: #d9dee5;
  --field: #0b5cad; --mark: #dcebfb; --gap: #9a6400; --gap-b: #fdf3dc; }
@media (prefers-color-scheme: dark) { :root { --page: #12161b; --card: #1a2027; --ink: #e4e9ef; --dim: #93a0ae;
  --line: #2e3843; --field: #7db8ff; --mark: #16324f; --gap: #e9b44c; --gap-b: #332811; } }
* { box-sizing: border-box; }
body { max-width: 96rem; margin: 0 auto; padding: 1.5rem; background: var(--page); color: var(--ink);
  font: 14px/1.5 system-ui, "DejaVu Sans", sans-serif; }
h1 { margin: 0; font-size: 1.35rem; overflow-wrap: anywhere; } h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
h2 .k { font-weight: 400; } .k { color: var(--dim); }
table { width: 100%; border-collapse: collapse; table-layout: fixed; background: var(--card);
  border: 1px solid var(--line); }
tr { break-inside: avoid; } tr:hover { background: color-mix(in srgb, var(--field) 5%, transparent); }
td { border-top: 1px solid var(--line); padding: .4rem .6rem; vertical-align: top; overflow-wrap: anywhere; }
td.n { width: 3.2rem; color: var(--dim); text-align: right; font-variant-numeric: tabular-nums; } td.w { width: 36%; }
code { font: 13px/1.7 ui-monospace, "DejaVu Sans Mono", monospace; } code b { color: var(--dim); }
code a { color: inherit; text-decoration: none; background: var(--mark); border-radius: 3px; padding: .1em .15em; }
code a:hover, code a:focus-visible { outline: 2px solid var(--field); }
code s { text-decoration: none; border-bottom: 2px dotted var(--gap); }
.f { display: grid; grid-template-columns: 6rem minmax(0, 1.15fr) minmax(0, 1fr) 10.5rem; gap: .1rem .8rem;
  padding: .1rem .3rem; border-radius: 4px; }
.f:target, code a:target { outline: 2px solid var(--field); background: var(--mark); }
.f a { color: var(--dim); text-decoration: none; font-variant-numeric: tabular-nums; }
.f a:hover { text-decoration: underline; }
.f b { font-weight: 500; color: var(--field); } .f i { color: var(--dim); font-style: normal; font-size: .86em; }
.f u { text-decoration: none; font-weight: 600; } .f u i { font-weight: 400; }
.gap { background: var(--gap-b); } .gap b { color: var(--gap); }
@media print { body { padding: 0; max-width: none; background: none; } tr:hover { background: none; } }
"""


def page(title: str, messages: Iterator[Explained]) -> Iterator[str]:
    """The page, piece by piece."""
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_safe(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{_safe(title)}</h1>\n"
        '<p class="k">Marked: read into the field beside it. Dotted: read by no line of the map.</p>\n'
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
        f"<b>{_safe(each.origin.pointer)}</b><u>{_safe(each.origin.value)}"
        f"{_code(each.origin.text, each.origin.value, each.origin.codes)}</u>"
        f"<i>{_safe(each.origin.file)}:{each.origin.line}</i></div>"
        for number, each in enumerate(row.reads)
    )
    gaps = "".join(
        f'<div class="f gap"><span>{_safe(gap.element)}</span><b>read by no line</b><u>{_safe(gap.text)}</u></div>'
        for gap in row.unread
    )
    wire = f'<td class="n">{row.position}</td><td class="w"><code>{_wire(row, at)}</code></td>'
    return f"<tr>{wire}<td>{fields}{gaps}</td></tr>\n"


def _code(text: str, value: str, table: str) -> str:
    """The code that became the word, and the table that says so."""
    return f" <i>{_safe(text)} in {_safe(table)}</i>" if table and text != value else ""


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
