"""What was written, read back by a guide: a value that its element cannot hold is refused, and its field is named.

The same rules judge what partners send. Which field an element says is found by reading the tree once more with that
element cut short: whatever changes then in the document is it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from gateway.edi import edifact_write, reading, write
from gateway.edi.delimiters import Delimiters
from gateway.edi.guide import Guide
from gateway.edi.library import Guides
from gateway.edi.tree import Element, Loop, Repeats, Segment
from gateway.errors import PartnerFault
from gateway.findings import EdiPlace, Finding, JsonPlace, Severity
from gateway.mapping.map import Map
from gateway.mapping.rules import RULES

_AT: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_HEAD: Final = 2
"""The number of the first segment behind ST or UNH."""


def check_written(own: Map, root: Loop, guide: Guide, guides: Guides) -> tuple[Finding, ...]:
    """What `guide` refuses in `root`, by the fields it comes from. `guides` are those that `guide` is read among."""
    try:
        data = _interchange(guide, root)
    except PartnerFault as fault:
        return fields_named(own, root, fault.findings)
    found: list[Finding] = []
    for interchange in reading.read_all(data, guides=guides.agreeing(guide)):
        messages = [message for group in interchange.groups for message in group.messages]
        found += [*interchange.findings, *(one for group in interchange.groups for one in group.findings)]
        found += [one for message in messages for one in message.findings]
    return fields_named(own, root, tuple(one for one in found if one.severity is Severity.REJECT), guide.name)


def fields_named(own: Map, root: Loop, findings: tuple[Finding, ...], guide: str = "") -> tuple[Finding, ...]:
    """Findings at elements of `root` as findings at the fields that were written into them."""
    return tuple(_named(own, root, one, guide) for one in findings)


def _named(own: Map, root: Loop, found: Finding, guide: str) -> Finding:
    place = found.place
    if not isinstance(place, EdiPlace) or place.segment is None or place.element is None:
        return found
    pointer = field_of(own, root, place.segment, place.element, place.component)
    if pointer is None:
        return found
    where = f"{place.tag}{place.element:02d}" + (f".{place.component}" if place.component else "")
    wanted = f"{found.wanted} for {where}" + (f" of {guide}" if guide else "")
    return replace(
        found, rule="map.write.guide", place=JsonPlace(pointer=pointer), wanted=wanted, fix=RULES["map.write.guide"].fix
    )


def field_of(own: Map, root: Loop, segment: int, element: int, component: int | None = None) -> str | None:
    """The pointer of the field that an element says; ST and UNH are segment 1. None where no field changes with it."""
    number = segment - _HEAD
    text, before = "", dict(_leaves(own.read(root).document, ""))
    for short in (True, False):
        other, text = _changed(root, number, element - 1, (component or 1) - 1, short=short)
        if other is None:
            return None
        after = dict(_leaves(own.read(other).document, ""))
        moved = [pointer for pointer, value in before.items() if after.get(pointer) != value and _kept(pointer)]
        same = [pointer for pointer in moved if before[pointer] == text]
        if same or moved:
            return (same or moved)[0]
    return None


def _interchange(guide: Guide, root: Loop) -> bytes:
    if guide.standard == "edifact":
        party = edifact_write.Party(id="A")
        message = edifact_write.Outgoing(type=guide.type, version=guide.version, control_reference="1", root=root)
        envelope = edifact_write.Envelope(sender=party, receiver=party, control_reference="1", at=_AT)
        return edifact_write.write_interchange(envelope, (message,))
    envelope_x12 = write.Envelope(
        sender_qualifier="ZZ", sender="US", receiver_qualifier="ZZ", receiver="THEM",
        group_sender="US", group_receiver="THEM", control_number=1, group_control_number=1,
        functional_id=guide.functional_id, at=_AT, version=guide.version,
        delimiters=write.fitting_delimiters((root,), Delimiters(), guide.version),
    )  # fmt: skip
    return write.write_interchange(envelope_x12, (write.Outgoing(type=guide.type, control_number=1, root=root),))


def _kept(pointer: str) -> bool:
    return not pointer.startswith("/extensions") and "/extensions/" not in pointer


def _leaves(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _leaves(one, f"{at}/{name}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _leaves(one, f"{at}/{number}")
    elif value is not None:
        yield at, str(value)


def _changed(root: Loop, number: int, element: int, component: int, *, short: bool) -> tuple[Loop | None, str]:
    """The tree with one text cut by its last sign, or taken out; and the text."""
    count = -1
    text = ""

    def walked(loop: Loop) -> Loop:
        nonlocal count, text
        children: list[Segment | Loop] = []
        for child in loop.children:
            if isinstance(child, Loop):
                children.append(walked(child))
                continue
            count += 1
            if count == number and element < len(child.elements):
                elements: list[Element] = list(child.elements)
                elements[element], text = _cut(elements[element], component, short=short)
                children.append(Segment(child.tag, elements))
            else:
                children.append(child)
        return Loop(loop.name, children)

    other = walked(root)
    return (other if text else None), text


def _cut(element: Element, component: int, *, short: bool) -> tuple[Element, str]:
    if isinstance(element, Repeats):
        return element, ""
    parts = [element] if isinstance(element, str) else list(element)
    if component >= len(parts):
        return element, ""
    text = parts[component]
    parts[component] = text[:-1] if short else ""
    return (parts[0] if isinstance(element, str) else tuple(parts)), text
