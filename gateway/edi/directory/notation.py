"""What was read of a directory, written in the notation of `gateway.edi.library`: the other half of the importer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from gateway.edi.directory.entries import Entry, Row
from gateway.edi.directory.table import Group, Place, Table
from gateway.edi.directory.text import label

NESTING = "CPS"
"""Its loops nest by their elements 01 (number) and 02 (parent): a consignment's packing hierarchy."""

SERVICE_SEGMENTS = {
    "UNS": ("section control", "M a1 0081 section"),
    "UGH": ("anti-collision group header", "M an..4 0087 group"),
    "UGS": ("anti-collision group trailer", "M an..4 0087 group"),
}
"""Segments that messages use and ISO 9735 defines, not the directory."""


def element_line(row: Row, form: str, codes: Iterable[str] | None) -> str:
    """`M an..35 1004 document number`, `C C507 x5 date`."""
    words = ["M" if row.mandatory else "C", *([form] if form else []), row.id]
    if row.times > 1:
        words.append(f"x{row.times}")
    words.append(label(row.name, row.id))
    if codes is not None:
        words.append(f"[{' '.join(sorted(codes))}]")
    return " ".join(words)


def segments_yaml(
    heading: str, composites: Mapping[str, Sequence[str]], segments: Mapping[str, tuple[Entry, Sequence[str]]]
) -> str:
    """The text of `segments.yaml` from the lines of elements of every composite and segment."""
    out = [f"# {heading}"]
    if composites:
        out.append("composites:")
        for tag, lines in sorted(composites.items()):
            out += [f"  {tag}:", *(f"  - {_scalar(line)}" for line in lines)]
    out.append("segments:")
    written: dict[str, tuple[str, Sequence[str]]] = {
        tag: (name, [line]) for tag, (name, line) in SERVICE_SEGMENTS.items()
    }
    written |= {tag: (label(entry.name, tag), lines) for tag, (entry, lines) in segments.items()}
    for tag, (name, lines) in sorted(written.items()):
        out += [
            f"  {tag}:",
            f"    label: {_scalar(name)}",
            "    elements:",
            *(f"    - {_scalar(line)}" for line in lines),
        ]
    return "\n".join(out) + "\n"


def message_yaml(heading: str, table: Table) -> str:
    """The text of a message's guide."""
    out = [f"# {heading}", f"message: {table.type}", f"label: {_scalar(label(table.name, table.type.lower()))}"]
    if any(group.items[0].tag == NESTING for group in _groups(table.items) if isinstance(group.items[0], Place)):
        out.append(f"nests: {NESTING}")
    out += ["segments:", *_places(table.items, "")]
    return "\n".join(out) + "\n"


def _groups(items: Sequence[Place | Group]) -> Iterable[Group]:
    for item in items:
        if isinstance(item, Group):
            yield item
            yield from _groups(item.items)


def _places(items: Sequence[Place | Group], indent: str) -> Iterable[str]:
    for item in items:
        use = f"{'M' if item.mandatory else 'C'} {item.times}"
        if isinstance(item, Place):
            yield f"{indent}- {item.tag} {use}"
            continue
        trigger = item.items[0]
        assert isinstance(trigger, Place)
        inner = list(_places(item.items[1:], indent + "  "))
        yield f"{indent}- SG{item.number} {trigger.tag} {use}:" + ("" if inner else " []")
        yield from inner


def _scalar(text: str) -> str:
    """Plain where YAML reads it as this text, else quoted."""
    plain = re.fullmatch(r"[A-Za-z][\w ,./()'&;+\[\]-]*", text, re.ASCII)
    return text if plain else json.dumps(text, ensure_ascii=False)
