"""What belongs where when a message is shown: the findings to their segments, the bytes of a set without a guide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.cli.edi_window import Window
from gateway.edi.delimiters import Delimiters
from gateway.edi.tree import Message, walk
from gateway.findings import EdiPlace, Finding


def in_place(message: Message) -> tuple[tuple[Finding, ...], Mapping[int, list[Finding]]]:
    """The findings that no shown segment carries, and the others by the position of their segment."""
    if not message.findings:
        return (), {}
    shown = {segment.position for _, segment, _ in walk(message.root)}
    general: list[Finding] = []
    placed: dict[int, list[Finding]] = {}
    for one in message.findings:
        position = one.place.segment if isinstance(one.place, EdiPlace) else None
        if position in shown and position is not None:
            placed.setdefault(position, []).append(one)
        else:
            general.append(one)
    return tuple(general), placed


def raw_segments(message: Message, window: Window, delimiters: Delimiters) -> Iterator[bytes]:
    """The segments of a message as they came, ST and SE (UNH and UNT) included."""
    at = message.offset
    while at < message.end:
        yield window.segment(at, delimiters)[1]
        at = max(at + 1, window.segment_end(at, delimiters))


def part_of(place: EdiPlace) -> str:
    """The part of its segment that a place names: `element 02, component 1`; empty when it is all of it."""
    parts = ((place.element, "element {:02d}"), (place.component, "component {}"), (place.repeat, "repeat {}"))
    return ", ".join(words.format(number) for number, words in parts if number is not None)
