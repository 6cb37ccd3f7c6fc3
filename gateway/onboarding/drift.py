"""Later files against a profile: what they use that it had not, as notes with counts. Nothing is refused by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.findings import EdiPlace, Finding
from gateway.onboarding.profile import ElementUse, PlaceUse, Profile, Seen, SetUse, merged
from gateway.onboarding.rules import finding

STEADY = (
    "receiver",
    "syntax",
    "test",
    "element_separator",
    "component_separator",
    "segment_terminator",
    "repetition_separator",
    "decimal_mark",
    "line_break",
    "charset",
    "group_sender",
    "group_receiver",
    "group_version",
)
"""Habits that are held against the profile; control numbers go on by their nature."""
SHOWN = 12
"""Codes that a finding names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """One thing that is new."""

    finding: Finding
    count: int
    file: str
    """Where it was seen first."""


def drift(known: Profile, later: Profile) -> tuple[Drift, ...]:
    """Everything in `later` that `known` has not, in the order of the wire."""
    return (*_habits(known, later), *_sets(known, later))


def _habits(known: Profile, later: Profile) -> Iterator[Drift]:
    first = later.sets[0].at if later.sets else Seen(file="")
    for name in STEADY:
        before = known.habits.get(name, {})
        for value, count in later.habits.get(name, {}).items():
            if before and value not in before:
                wanted = f"{name.replace('_', ' ')} {', '.join(map(repr, list(before)[:SHOWN]))}"
                place = EdiPlace(interchange=first.interchange or None)
                yield _new("profile.habit", place, first.file, count, said=repr(value), wanted=wanted)


def _sets(known: Profile, later: Profile) -> Iterator[Drift]:
    for use in later.sets:
        alike = [
            one
            for one in known.sets
            if (one.standard, one.type, one.direction) == (use.standard, use.type, use.direction)
        ]
        if not any(one.version == use.version for one in alike):
            wanted = ", ".join(f"{one.type} {one.version}" for one in known.sets if one.direction == use.direction)
            said = f"{use.type} {use.version}"
            yield _new("profile.set", use.at.place, use.at.file, use.documents, said=said, wanted=wanted or "nothing")
        if alike:
            yield from _places(merged(alike), use)


def _places(known: SetUse, later: SetUse) -> Iterator[Drift]:
    for path, use in later.places.items():
        before = known.places.get(path)
        at = use.at
        if before is None:
            # What is new as a whole is told once, not loop by loop.
            if path.rpartition("/")[0] in known.places or "/" not in path:
                wanted = f"{known.type} without it in {known.documents} documents"
                yield _new("profile.place", at.place, at.file, use.count, said=path, wanted=wanted)
            continue
        if use.most > before.most and before.most:
            said, wanted = f"{path} {use.most} times", f"at most {before.most} in one loop, as before"
            # A loop of lines grows with every order: only what came once until now is worth a note.
            if before.most == 1:
                yield _new("profile.repeat", at.place, at.file, use.count, said=said, wanted=wanted)
        yield from _elements(path, before, use)


def _elements(path: str, before: PlaceUse, use: PlaceUse) -> Iterator[Drift]:
    for name, element in use.elements.items():
        known = before.elements.get(name)
        where = f"{path}/{use.tag}{name}" if not path.endswith(use.tag) else f"{path}{name}"
        at = element.at
        if known is None:
            said = f"{where} {_example(element)}"
            wanted = f"{use.tag} without it {before.count} times"
            yield _new("profile.element", at.place, at.file, element.count, said=said, wanted=wanted)
            continue
        if known.code and element.code:
            codes = {code: count for code, count in element.values.items() if code not in known.values}
            if codes:
                said = f"{where} {', '.join(list(codes)[:SHOWN])}"
                wanted = f"one of {', '.join(list(known.values)[:SHOWN])}"
                yield _new("profile.code", at.place, at.file, sum(codes.values()), said=said, wanted=wanted)
        elif element.longest > known.longest and not element.code:
            said, wanted = f"{where} of {element.longest} characters", f"at most {known.longest}, as before"
            yield _new("profile.length", at.place, at.file, element.count, said=said, wanted=wanted)


def _example(element: ElementUse) -> str:
    return f"such as {element.example}"


def _new(rule: str, place: EdiPlace, file: str, count: int, *, said: str, wanted: str) -> Drift:
    return Drift(finding=finding(rule, place, said=said, wanted=wanted), count=count, file=file)
