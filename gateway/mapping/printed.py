"""A map's nodes as YAML again: plain where that reads back as the same text, short mappings in one line.

Says of each line which node it comes from, so that whoever prints a resolved map can name the delta it was written in.
Comments are not kept: nodes have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.mapping.source import Node

WIDTH: Final = 116
_PLAIN: Final = re.compile(r"[A-Za-z_/.=…](?:[\w/.=…*|+()<>@;%$-]| (?=[\w/.=…*|+()<>@;%$-]))*\Z")
_NUMBER: Final = re.compile(r"[1-9]\d*\Z", re.ASCII)
_MEANS: Final = re.compile(r"(?:y|n|yes|no|on|off|true|false|null|=|\.(?:nan|inf)|\.\d.*)\Z", re.IGNORECASE | re.ASCII)
"""Plain YAML would take these for something else than a text; our own reader would not."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and the file and line that it was written in."""

    text: str
    file: str
    line: int


def printed(root: Node) -> Iterator[Line]:
    """The lines of a map; reading them gives the same nodes."""
    for key, node in root.keys.items():
        yield from _entry(key, node, 0, "")


def scalar(text: str | None) -> str:
    """A text as YAML, in quotes only where it needs them."""
    if text is None:
        return "~"
    if (_PLAIN.match(text) and not _MEANS.match(text)) or _NUMBER.match(text):
        return text
    escaped = "".join(_escaped(sign) for sign in text)
    return f'"{escaped}"'


def flow(node: Node) -> str:
    """A value in one line."""
    if isinstance(node.value, dict):
        return "{" + ", ".join(f"{_key(key)}: {flow(one)}" for key, one in node.value.items()) + "}"
    if isinstance(node.value, list):
        return "[" + ", ".join(flow(one) for one in node.value) + "]"
    return scalar(node.value)


def _escaped(sign: str) -> str:
    if sign in '"\\':
        return f"\\{sign}"
    return sign if sign.isprintable() else f"\\U{ord(sign):08x}"  # YAML 1.2.2 5.7


def _key(text: str) -> str:
    """A key: codes of digits are all in quotes, not only those with a zero before them."""
    return f'"{text}"' if _NUMBER.match(text) else scalar(text)


def _entry(key: str, node: Node, depth: int, lead: str) -> Iterator[Line]:
    """`key: value`; `lead` is the dash of a list's item that begins with it."""
    head = f"{'  ' * depth}{lead}{_key(key)}:"
    if node.value in ([], {}) or not isinstance(node.value, (list, dict)):
        yield Line(f"{head} {flow(node)}", node.file, node.line)
        return
    if _together(node, room=WIDTH - len(head) - 1, top=not depth):
        yield Line(f"{head} {flow(node)}", node.file, node.line)
        return
    yield Line(head, node.file, node.line)
    inside = depth + (2 if lead else 1)
    if isinstance(node.value, dict):
        for name, one in node.value.items():
            yield from _entry(name, one, inside, "")
    else:
        for one in node.value:
            yield from _item(one, inside)


def _item(node: Node, depth: int) -> Iterator[Line]:
    margin = "  " * depth
    entries = list(node.keys.items())
    if not entries or _together(node, room=WIDTH - len(margin) - 2, nest=1):
        yield Line(f"{margin}- {flow(node)}", node.file, node.line)
        return
    for number, (key, one) in enumerate(entries):
        if number:
            yield from _entry(key, one, depth + 1, "")
        else:
            yield from _entry(key, one, depth, "- ")


def _together(node: Node, *, room: int, nest: int = 2, top: bool = False) -> bool:
    """Whether a value stands in one line: short, flat, and all of it from one line, or all from the base."""
    if top and isinstance(node.value, list) and any(one.keys for one in node.value):
        return False
    if top and isinstance(node.value, dict) and any(one.keys for one in node.value.values()):
        return False
    places = set(_places(node))
    if _depth(node) > nest or len({file for file, _ in places}) > 1:
        return False
    return len(flow(node)) <= room


def _places(node: Node) -> Iterator[tuple[str, int]]:
    yield node.file, node.line
    for one in (*node.items, *node.keys.values()):
        yield from _places(one)


def _depth(node: Node) -> int:
    inside = (*node.items, *node.keys.values())
    return 1 + max(map(_depth, inside), default=0) if isinstance(node.value, (list, dict)) else 0
