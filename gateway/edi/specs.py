"""Segment definitions with one element changed: the same change of the same definition is made once and shared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.edi.guide import ElementSpec, Note, SegmentSpec

NOTHING: frozenset[str] = frozenset()


class Edits:
    """Makes changed definitions; `known` says what an element was before it was forbidden."""

    def __init__(self, known: Mapping[str, SegmentSpec]) -> None:
        self._known = known
        self._made: dict[object, tuple[SegmentSpec, SegmentSpec]] = {}

    def edited(self, spec: SegmentSpec, element: int, component: int, fields: Mapping[str, Any]) -> SegmentSpec:
        """`spec` with `fields` of one element (from 1) or component (0: the element itself) changed."""
        key = (id(spec), element, component, tuple(sorted(fields.items(), key=lambda item: item[0])))
        known = self._made.get(key)
        if known is None:
            # The old definition is kept as well, so that its id stays its own.
            known = self._made[key] = (spec, self._changed(spec, element, component, fields))
        return known[1]

    def _changed(self, spec: SegmentSpec, element: int, component: int, fields: Mapping[str, Any]) -> SegmentSpec:
        old = spec.elements[element - 1]
        standard = self._known.get(spec.tag)
        was = standard.elements[element - 1] if standard and element <= len(standard.elements) else None
        if component:
            inner = was.components[component - 1] if was and component <= len(was.components) else None
            parts = list(old.components)
            parts[component - 1] = _element(parts[component - 1], inner, fields)
            new = replace(old, components=tuple(parts))
        else:
            new = _element(old, was, fields)
        if new == old:
            return spec
        elements = (*spec.elements[: element - 1], new, *spec.elements[element:])
        return replace(spec, elements=elements, notes=spec.notes if new.used else _without(spec.notes, element))


def _element(old: ElementSpec, was: ElementSpec | None, fields: Mapping[str, Any]) -> ElementSpec:
    if fields.get("used") is False:
        return _unused(old)
    if fields.get("used") and not old.used:  # allowed again: as it was in the standard
        old = replace(was or old, codes=was.codes if was else None)
    return replace(old, **fields)


def _unused(spec: ElementSpec) -> ElementSpec:
    components = tuple(map(_unused, spec.components))
    return replace(spec, mandatory=False, used=False, codes=None if components else NOTHING, components=components)


def _without(notes: tuple[Note, ...], element: int) -> tuple[Note, ...]:
    """The notes without an element that never comes: a partner who forbids it does not ask for it with others."""
    kept: list[Note] = []
    for note in notes:
        if element not in note.elements:
            kept.append(note)
            continue
        rest = tuple(one for one in note.elements if one != element)
        led = note.kind in "CL" and note.elements[0] == element
        if not led and (len(rest) > 1 or (note.kind == "R" and rest)):
            kept.append(replace(note, elements=rest))
    return tuple(kept)
