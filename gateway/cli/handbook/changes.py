"""What a partner's files change of what they extend: each entry of a guide or map delta as one line, with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.cli.handbook.book import Change, Changes
from gateway.cli.handbook.words import human
from gateway.mapping.chain import Link
from gateway.mapping.rules import Problems
from gateway.mapping.segments.labels import rule_key
from gateway.mapping.source import Node, read_source

GUIDE_WORDS = {
    "segments": "segment of its own",
    "before": "put before",
    "after": "put after",
    "required": "required",
    "optional": "optional",
    "forbidden": "must not be sent",
    "codes": "codes",
    "lengths": "length",
    "repeat": "may repeat",
}
"""Sections of a guide's delta, in the order they are told."""
MAP_WORDS = {
    "codes": "meaning",
    "change": "other use",
    "before": "put before",
    "after": "put after",
    "remove": "not used",
}
"""Sections of a map's delta."""
STANDARD = ("x12/", "edifact/")
"""Names of the gateway's own guides; their files extend one another too."""
MOST = 200
"""Characters of a value that are shown."""


def guide_changes(sources: Iterable[tuple[str, str, bytes]]) -> tuple[Changes, ...]:
    """The deltas among a guide's files, the outermost first."""
    own = (source for source in sources if not source[0].startswith(STANDARD))
    return tuple(filter(None, (_guide(name, file, text) for name, file, text in own)))


def _guide(name: str, file: str, text: bytes) -> Changes | None:
    root = read_source(file, text.decode("utf-8", "replace"), Problems())
    if root is None:
        return None
    # A map's file may hold the guide's delta under `guide`.
    body = root.keys["guide"] if "guide" in root.keys and root.keys["guide"].keys else root
    base = body.keys["extends"].text if "extends" in body.keys else None
    if base is None:
        return None
    rows: list[Change] = []
    for section, what in GUIDE_WORDS.items():
        node = body.keys.get(section)
        rows += [_change(what, item.text or "", "", item) for item in (node.items if node else ())]
        for key, item in (node.keys if node else {}).items():
            value = (item.keys["label"].text or "") if section == "segments" and "label" in item.keys else said(item)
            rows.append(_change(what, key, "any" if item.value is None else value, item))
    title = body.keys["title"].text or "" if "title" in body.keys else ""
    return Changes(name=name, base=base, kind="guide", title=title, rows=tuple(rows)) if rows else None


def map_changes(links: Iterable[Link]) -> tuple[Changes, ...]:
    """The deltas among a map's files, the outermost first."""
    return tuple(filter(None, map(_map, links)))


def _map(link: Link) -> Changes | None:
    root = read_source(link.file, link.text, Problems())
    if root is None or "extends" not in root.keys:
        return None
    rows = [row for section, what in MAP_WORDS.items() for row in _section(root, section, what)]
    title = root.keys["title"].text or "" if "title" in root.keys else ""
    base = root.keys["extends"].text or ""
    return Changes(name=link.name, base=base, kind="map", title=title, rows=tuple(rows)) if rows else None


def _section(root: Node, section: str, what: str) -> Iterator[Change]:
    node = root.keys.get(section)
    for item in node.items if node else ():
        yield _change(what, item.text or "", "", item)
    for key, item in (node.keys if node else {}).items():
        if section == "codes":
            for code, word in item.keys.items():
                yield _change(what, f"{human(key)}: {code}", _meaning(word), word)
        elif section == "change":
            for element, line in item.keys.items():
                where = f"{key.rpartition('/')[0]}/{element}" if "/" in key else element
                yield _change(what, where, "not used" if line.value is None else said(line), line)
        else:
            for rule in item.items:
                yield _change(what, key, rule_key(rule), rule)


def _meaning(word: Node) -> str:
    if word.value is None:
        return "no meaning"
    if "read" in word.keys:
        return f"{human(word.keys['read'].text or '')} (understood, not sent)"
    return human(word.text or "")


def _change(what: str, where: str, value: str, node: Node) -> Change:
    return Change(what=what, where=where, value=value[:MOST], source=f"{node.file}:{node.line}")


def said(node: Node) -> str:
    """A value of a file on one line."""
    if node.text is not None:
        return node.text
    if node.items:
        return ", ".join(map(said, node.items))
    return ", ".join(f"{key}: {said(one)}" for key, one in node.keys.items()) or "~"
