"""Mutations of one element: absent, too long, too short, of a wrong form, one too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from gateway.edi.generate.segments import BROKEN
from gateway.edi.guide import UNLIMITED, ElementSpec
from gateway.edi.mutate.wire import Mutation, Spot, Wire

_TEXTS = frozenset({"AN", "ID", "an", "a"})
_WIDE = frozenset({"AN", "an"})


def _numeric(spec: ElementSpec) -> bool:
    return spec.type[0] in "NRn"


def _one(spots: Callable[[Spot], bool], change: Callable[[Spot], str]) -> Mutation:
    """A mutation of one value: which values, and what becomes of one."""

    def mutation(wire: Wire) -> list[str] | None:
        found = [spot for spot in wire.spots() if spots(spot)]
        if not found:
            return None
        spot = wire.dice.pick(found)
        return wire.put(spot, change(spot))

    return mutation


def _filler(spec: ElementSpec, length: int) -> str:
    return ("9" if _numeric(spec) else "X") * length


def _clock(text: str) -> Callable[[Spot], str]:
    return lambda spot: text[-spot.spec.maximum :] if spot.spec.type == "DT" else text[: max(spot.spec.minimum, 4)]


def _no_code(spec: ElementSpec) -> str:
    """Text of the right length that is none of the codes."""
    assert spec.codes is not None
    return next(one * spec.minimum for one in "ZQXY0123456789" if one * spec.minimum not in spec.codes)


def _element_missing(wire: Wire) -> list[str] | None:
    """A mandatory element is empty."""
    found = [
        (index, number)
        for index in wire.body
        for number, element in enumerate(wire.spec(index).elements, 1)
        if element.mandatory
    ]
    return wire.with_element(*wire.dice.pick(found), "") if found else None


def _component_missing(wire: Wire) -> list[str] | None:
    """A mandatory component is empty, and another one of its composite is not."""
    spots = [spot for spot in wire.spots() if spot.component is not None]
    sizes = Counter((spot.segment, spot.element) for spot in spots)
    found = [spot for spot in spots if spot.spec.mandatory and sizes[spot.segment, spot.element] > 1]
    return wire.put(wire.dice.pick(found), "") if found else None


def _too_many_elements(wire: Wire) -> list[str] | None:
    """There is one element more than the segment has."""
    found = [index for index in wire.body if not wire.spec(index).open]
    if not found:
        return None
    index = wire.dice.pick(found)
    return wire.with_element(index, len(wire.spec(index).elements) + 1, "1")


def _too_many_components(wire: Wire) -> list[str] | None:
    """There is one component more than the composite has."""
    found = [spot for spot in wire.spots() if spot.component is not None]
    if not found:
        return None
    spot = wire.dice.pick(found)
    components = wire.components(wire.elements(wire.segments[spot.segment])[spot.element])
    most = len(wire.spec(spot.segment).elements[spot.element - 1].components)
    components += [""] * (most - len(components)) + ["1"]
    return wire.with_element(spot.segment, spot.element, wire.chars.component.join(components))


def _too_many_repeats(wire: Wire) -> list[str] | None:
    """An element comes once more than it may."""
    repetition = wire.chars.repetition
    found = [spot for spot in wire.spots() if spot.component is None and spot.spec.repeat < UNLIMITED]
    if repetition is None or not found:
        return None
    spot = wire.dice.pick(found)
    return wire.put(spot, repetition.join([spot.text] * (spot.spec.repeat + 1)))


def _components_in_text(wire: Wire) -> list[str] | None:
    """A separator of components stands in an element that has none; X12 might mean it as text."""
    found = [spot for spot in wire.spots() if spot.component is None and spot.spec.maximum > len(spot.text) + 1]
    if wire.x12 or not found:
        return None
    spot = wire.dice.pick(found)
    return wire.put(spot, f"{spot.text}{wire.chars.component}1")


def _condition(wire: Wire) -> list[str] | None:
    """An element that another one asks for is empty."""
    found: list[tuple[int, int]] = []
    for index in wire.body:
        pieces = wire.elements(wire.segments[index])
        spec = wire.spec(index)
        present = {number for number, text in enumerate(pieces) if number and text}
        found += [
            (index, number)
            for note in spec.notes
            for number in note.elements
            if number in present
            and not spec.elements[number - 1].mandatory
            and BROKEN[note.kind](note.elements, present - {number})
        ]
    return wire.with_element(*wire.dice.pick(found), "") if found else None


def _undecodable(wire: Wire) -> list[str] | None:
    """A byte that is no text: in UTF-8, and so in X12, there is one."""
    found = [spot for spot in wire.spots() if spot.spec.type in _WIDE and spot.spec.codes is None]
    if not wire.x12 or not found:
        return None
    spot = wire.dice.pick([spot for spot in found if spot.text.isascii()] or found)
    return wire.put(spot, "\xff" + spot.text[1:])


ELEMENTS: Mapping[str, Mutation] = {
    "element_missing": _element_missing,
    "component_missing": _component_missing,
    "element_too_long": _one(
        lambda spot: spot.spec.maximum < UNLIMITED and (spot.spec.type in _TEXTS or _numeric(spot.spec)),
        lambda spot: _filler(spot.spec, spot.spec.maximum + 1),
    ),
    "element_too_short": _one(
        lambda spot: spot.spec.minimum > 1 and (spot.spec.type in _TEXTS or _numeric(spot.spec)),
        lambda spot: _filler(spot.spec, spot.spec.minimum - 1),
    ),
    "element_date": _one(lambda spot: spot.spec.type == "DT", _clock("20261399")),
    "element_time": _one(lambda spot: spot.spec.type == "TM", _clock("24605960")),
    "element_number": _one(lambda spot: _numeric(spot.spec), lambda spot: "X" * spot.spec.minimum),
    "element_letters": _one(lambda spot: spot.spec.type == "a", lambda spot: "1" * spot.spec.minimum),
    "element_code": _one(lambda spot: spot.spec.codes is not None, lambda spot: _no_code(spot.spec)),
    "element_control_character": _one(
        lambda spot: spot.spec.type in _WIDE and spot.text.isascii(), lambda spot: "\a" + spot.text[1:]
    ),
    "element_undecodable": _undecodable,
    "element_condition": _condition,
    "element_components": _components_in_text,
    "too_many_elements": _too_many_elements,
    "too_many_components": _too_many_components,
    "too_many_repeats": _too_many_repeats,
}
"""By name."""
