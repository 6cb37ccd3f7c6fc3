"""Curves over time as an SVG file: panels below each other, each with its own scale. Knows nothing of meanings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, GAP = 900, 150, 70, 20, 46, 44
COLOURS = ("#1f6feb", "#d1742f", "#2f9e5b", "#8250df", "#c2413b")
STEPS = 4
"""Lines across a panel."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """Curves of one unit, by name; x is minutes. The scale begins at 0: a rise looks as large as it is."""

    title: str
    curves: Mapping[str, Points]


def drawn(title: str, panels: Sequence[Panel]) -> str:
    """The picture."""
    height = TOP + len(panels) * (HEIGHT + GAP)
    last = max((x for one in panels for points in one.curves.values() for x, _ in points), default=1.0) or 1.0
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">',
        f'<g font-family="sans-serif" font-size="12"><rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="20" font-size="14" fill="#222">{escape(title)}</text>',
    ]
    for number, one in enumerate(panels):
        parts += _panel(one, TOP + number * (HEIGHT + GAP), last)
    return "\n".join((*parts, "</g></svg>", ""))


def _panel(one: Panel, top: int, last: float) -> list[str]:
    most = _rounded(max((y for points in one.curves.values() for _, y in points), default=1.0))
    right, bottom = WIDTH - RIGHT, top + HEIGHT
    parts = [f'<text x="{LEFT}" y="{top - 6}" fill="#222">{escape(one.title)}</text>']
    for step in range(STEPS + 1):
        y = bottom - HEIGHT * step / STEPS
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#555">{most * step / STEPS:g}</text>'
        )
    for step in range(STEPS + 1):
        x = LEFT + (right - LEFT) * step / STEPS
        told = f"{last * step / STEPS:.3g} min"
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle" fill="#555">{told}</text>')
    at = right
    for colour, (name, points) in reversed(list(zip(COLOURS, one.curves.items(), strict=False))):
        line = " ".join(
            f"{LEFT + (right - LEFT) * x / last:.1f},{bottom - HEIGHT * min(y / most, 1):.1f}" for x, y in points
        )
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(f'<text x="{at}" y="{top - 6}" text-anchor="end" fill="{colour}">{escape(name)}</text>')
        at -= 12 + 7 * len(name)
    return parts


def _rounded(most: float) -> float:
    """The next 1, 2, 4 or 8 times a power of ten."""
    scale = 1e-6
    while True:
        for step in (1, 2, 4, 8):
            if most <= step * scale:
                return step * scale
        scale *= 10
