"""A message beside its document: which bytes said which field, by which line of the map, and what no line reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.cli.edi_placed import raw_segments
from gateway.cli.edi_reading import Reading
from gateway.cli.edi_underline import span
from gateway.cli.edi_window import Window
from gateway.edi.delimiters import STANDARD, Delimiters
from gateway.edi.interchange import GroupStart, InterchangeStart
from gateway.edi.tree import Message
from gateway.findings import EdiPlace, Finding, Severity
from gateway.mapping import Map
from gateway.mapping.trace import Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A stretch of a segment that a field was read from."""

    start: int
    """In the bytes of the segment."""
    end: int
    element: str
    """BAK02, PIA02.1: the first of them; PO106..07 for several."""
    origin: Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class Unread:
    """An element that no line of the map reads."""

    start: int
    end: int
    element: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One segment as it came, and what was read from it."""

    position: int
    """ST or UNH is 1."""
    offset: int
    raw: str
    reads: tuple[Read, ...]
    unread: tuple[Unread, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """One message, its document and where it came from."""

    message: Message
    map: Map
    document: dict[str, Any]
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    position: str
    """Where it stands, as its stored document says it: interchange, group, set."""


def not_read(message: Message) -> str | None:
    """Why nothing of a message was read, where no guide is for it: its segments were never sorted."""
    if message.root.children or message.segments <= len(("ST", "SE")):
        return None
    graver = [one for one in message.findings if one.severity is Severity.REJECT]
    why = graver[0].text if graver else f"no guide for {message.type} in version {message.version}"
    return f"{message.type} {message.control_number} is not read: {why}. {NO_GUIDE}"


NO_GUIDE: Final = "A version without guides is read by an agreement with read_as: --partner NAME."
MapFor = Callable[[Message], Map | None]
"""The map that a message is read with."""


def explained(how: Reading, window: Window, map_for: MapFor) -> Iterator[Explained]:
    """Each message that `map_for` has a map for. Raises PartnerFault where the file cannot be read to its end."""
    delimiters, charset = STANDARD, "utf-8"
    interchange, group = "", ""
    for event in how.events(window):
        if isinstance(event, InterchangeStart):
            delimiters, charset = event.delimiters, event.charset
            interchange, group = event.control_number, ""
        elif isinstance(event, GroupStart):
            group = event.control_number
        elif isinstance(event, Message):
            own = map_for(event)
            if own is not None:
                position = "/".join(filter(None, (interchange, group, event.control_number)))
                yield replace(_explain(event, own, window, delimiters, charset), position=position)
            window.forget(event.offset)


def _explain(message: Message, own: Map, window: Window, delimiters: Delimiters, charset: str) -> Explained:
    reading = own.read(message.root, traced=True)
    origins: dict[int, list[Origin]] = {}
    for origin in reading.origins:
        origins.setdefault(origin.segment, []).append(origin)
    unread: dict[int, list[tuple[str, int, str]]] = {}
    for one in reading.unmapped:
        unread.setdefault(one.place.segment or 0, []).append((one.tag, one.element, one.value))
    rows: list[Row] = []
    at = message.offset
    for position, raw in enumerate(raw_segments(message, window, delimiters), 1):
        rows.append(
            Row(
                position=position,
                offset=at,
                raw=raw.decode(charset, "replace"),
                reads=tuple(_reads(raw, origins.get(position, ()), delimiters)),
                unread=tuple(_unread(raw, unread.get(position, ()), delimiters)),
            )
        )
        at = max(at + 1, window.segment_end(at, delimiters))
    return Explained(
        message=message,
        map=own,
        document=reading.document,
        rows=tuple(rows),
        findings=reading.findings,
        position=message.control_number,
    )


def _reads(raw: bytes, origins: Iterable[Origin], delimiters: Delimiters) -> Iterator[Read]:
    for origin in origins:
        first, last = origin.spots[0], origin.spots[-1]
        start, _ = span(raw, _place(origin.tag, first.element, first.component), delimiters)
        _, end = span(raw, _place(origin.tag, last.element, last.component), delimiters)
        yield Read(start=start, end=max(start, end), element=_name(origin), origin=origin)


def _unread(raw: bytes, unread: Iterable[tuple[str, int, str]], delimiters: Delimiters) -> Iterator[Unread]:
    for tag, element, text in unread:
        start, end = span(raw, EdiPlace(tag=tag, element=element), delimiters)
        yield Unread(start=start, end=end, element=f"{tag}{element:02d}", text=text)


def _place(tag: str, element: int, component: int) -> EdiPlace:
    return EdiPlace(tag=tag, element=element + 1, component=component)


def _name(origin: Origin) -> str:
    """The address as maps write it: BAK02, C507 as DTM01.2..3, a range as PO106..07."""
    first, last = origin.spots[0], origin.spots[-1]
    composite = any(spot.component > 1 for spot in origin.spots)
    name = f"{origin.tag}{first.element + 1:02d}"
    if composite:
        name += f".{first.component}"
        if last != first:
            name += (
                f"..{last.component}" if last.element == first.element else f"..{last.element + 1:02d}.{last.component}"
            )
    elif last != first:
        name += f"..{last.element + 1:02d}"
    return name
