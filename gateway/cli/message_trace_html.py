"""The page of `gateway message trace --html`: the tree with a bar for each message on one axis of time. No script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.cli.message_trace import Moment, Node

_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:2em;color:#222;background:#fff}
details{margin:.2em 0 .2em 1.4em;border-left:2px solid #ddd;padding-left:.7em}summary{cursor:pointer}
.bar{position:relative;height:10px;background:#f2f2f2;margin:.3em 0}
.bar i{position:absolute;height:10px;background:#4a7;min-width:2px}
.bar b{position:absolute;width:2px;height:10px;background:#c33}table{border-collapse:collapse;font-size:12px}
td{padding:0 .8em 0 0;vertical-align:top}.bad{color:#c33}.dim{color:#777}code{font-size:12px}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}.bar{background:#333}details{border-color:#444}}
"""


def page(what: str, roots: list[Node]) -> str:
    """The whole page."""
    every = [one for root in roots for one in _all(root)]
    first = min(one.message.at for one in every)
    last = max((moment.at for one in every for moment in one.moments), default=first)
    span = max((last - first).total_seconds(), 0.001)
    title = escape(f"Trace of {what}")
    body = "\n".join(_node(root, first, span) for root in roots)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f'</head><body><h1>{title}</h1><p class="dim">{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC; '
        f"{len(every)} messages. A bar is the time in which something happened to a message, red lines are failures."
        f"</p>\n{body}\n</body></html>"
    )


def _all(node: Node) -> Iterator[Node]:
    yield node
    for one in node.below:
        yield from _all(one)


def _node(node: Node, first: datetime, span: float) -> str:
    times = [moment.at for moment in node.moments] or [node.message.at]
    start, end = (100 * (at - first).total_seconds() / span for at in (min(times), max(times)))
    marks = "".join(_mark(one, first, span) for one in node.moments if one.bad)
    rows = "".join(_row(one) for one in node.moments)
    there = ", ".join(f"{each.target}: {each.state.value}" for each in node.deliveries)
    below = "".join(_node(one, first, span) for one in node.below)
    return (
        f"<details open><summary><b>{escape(node.name)}</b>: {escape(node.message.state.value)} "
        f'<code class="dim">{escape(node.message.id)}</code> {escape(there)}'
        f'<div class="bar"><i style="left:{start:.2f}%;width:{max(end - start, 0.2):.2f}%"></i>{marks}</div></summary>'
        f"<table>{rows}</table>{below}</details>"
    )


def _mark(one: Moment, first: datetime, span: float) -> str:
    return f'<b style="left:{100 * (one.at - first).total_seconds() / span:.2f}%" title="{escape(one.what)}"></b>'


def _row(one: Moment) -> str:
    bad = ' class="bad"' if one.bad else ""
    return (
        f'<tr><td class="dim">{one.at:%H:%M:%S.%f}</td><td{bad}>{escape(one.what)}</td>'
        f'<td class="dim">{escape(one.detail)}</td></tr>'
    )
