"""Mutations of headers and trailers: wrong counts, numbers, types, missing ends, what does not belong."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.edi.mutate.wire import Mutation, Wire


def _last(wire: Wire, tag: str) -> int | None:
    """Index of the last segment with this tag."""
    return next((at for at in reversed(range(len(wire.segments))) if wire.tag(wire.segments[at]) == tag), None)


def _count(wire: Wire, index: int | None) -> list[str] | None:
    if index is None:
        return None
    count = int(wire.elements(wire.segments[index])[1])
    return wire.with_element(index, 1, str(count + wire.dice.between(1, 3)))


def _number(wire: Wire, index: int | None) -> list[str] | None:
    if index is None:
        return None
    number = wire.elements(wire.segments[index])[2]
    return wire.with_element(index, 2, number[:-1] + ("8" if number[-1] == "9" else "9"))


def _without(wire: Wire, index: int | None) -> list[str] | None:
    return None if index is None else [*wire.segments[:index], *wire.segments[index + 1 :]]


def _group_end(wire: Wire) -> int | None:
    return _last(wire, wire.tags.group_end)


def _interchange_end(wire: Wire) -> int | None:
    return _last(wire, wire.tags.end)


def _kind(wire: Wire) -> list[str]:
    """A type of message that nobody knows."""
    if wire.x12:
        return wire.with_element(wire.start, 1, "000")
    components = wire.components(wire.elements(wire.segments[wire.start])[2])
    return wire.with_element(wire.start, 2, wire.chars.component.join(["NOBODY", *components[1:]]))


def _number_repeated(wire: Wire) -> list[str] | None:
    """Two messages that follow each other have one number."""
    following = wire.end + 1
    if following not in wire.starts:
        return None
    end = next(
        at for at in range(following, len(wire.segments)) if wire.tag(wire.segments[at]) == wire.tags.message_end
    )
    number = wire.elements(wire.segments[wire.start])[2 if wire.x12 else 1]
    header = wire.elements(wire.segments[following])
    header[2 if wire.x12 else 1] = number
    trailer = wire.elements(wire.segments[end])
    trailer[2] = number
    segments = list(wire.segments)
    segments[following], segments[end] = wire.joined(header), wire.joined(trailer)
    return segments


def _stray(wire: Wire) -> list[str] | None:
    """A segment of the message stands behind its trailer."""
    segment = wire.segments[wire.dice.pick(wire.body)]
    return [*wire.segments[: wire.end + 1], segment, *wire.segments[wire.end + 1 :]]


def _cut(wire: Wire) -> list[str]:
    """The file ends in the middle of the message."""
    return wire.segments[: wire.dice.between(wire.start + 1, wire.end)]


def _receiver_missing(wire: Wire) -> list[str]:
    """ISA08, UNB S003 is empty."""
    if wire.x12:
        return wire.replaced(
            0,
            wire.chars.element.join(
                [*wire.elements(wire.segments[0])[:8], " " * 15, *wire.elements(wire.segments[0])[9:]]
            ),
        )
    return wire.with_element(0, 3, "")


def _date(wire: Wire) -> list[str]:
    """The date of the interchange is none."""
    if wire.x12:
        return wire.with_element(0, 9, "261399")
    date, _, time = wire.elements(wire.segments[0])[4].partition(wire.chars.component)
    return wire.with_element(0, 4, f"{date[:-4]}1399{wire.chars.component}{time}")


ENVELOPES: Mapping[str, Mutation] = {
    "interchange_date": _date,
    "interchange_receiver_missing": _receiver_missing,
    "interchange_count": lambda wire: _count(wire, _interchange_end(wire)),
    "interchange_number": lambda wire: _number(wire, _interchange_end(wire)),
    "interchange_end_missing": lambda wire: _without(wire, _interchange_end(wire)),
    "interchange_cut": _cut,
    "group_count": lambda wire: _count(wire, _group_end(wire)),
    "group_number": lambda wire: _number(wire, _group_end(wire)),
    "group_end_missing": lambda wire: _without(wire, _group_end(wire)),
    "message_count": lambda wire: _count(wire, wire.end),
    "message_number": lambda wire: _number(wire, wire.end),
    "message_number_repeated": _number_repeated,
    "message_start_missing": lambda wire: _without(wire, wire.start),
    "message_end_missing": lambda wire: _without(wire, wire.end),
    "message_type_unknown": _kind,
    "message_segment_outside": _stray,
}
"""By name."""
