"""A partner's profile: what their files were seen to hold, with counts and one place for each fact.

Frozen values that are saved as JSON beside the agreement (`partners/NAME.profile.json`) and held against later files.
Nothing here judges: what a guide or map thinks of it is said elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.errors import OurFault
from gateway.findings import EdiPlace

MAX_VALUES = 200
"""Codes that are kept of one element; an element with more is taken for open."""
MAX_FILE = 20_000_000
"""Bytes of a saved profile."""

Direction = Literal["receive", "send"]
"""As agreements say it: receive is what the partner sends to us."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Seen(_Value):
    """Where something was seen first."""

    file: str
    interchange: str = ""
    message: str = ""
    segment: int = 0
    tag: str = ""
    offset: int = 0

    @property
    def place(self) -> EdiPlace:
        """The place as findings have it."""
        return EdiPlace(
            interchange=self.interchange or None,
            message=self.message or None,
            segment=self.segment or None,
            tag=self.tag or None,
            offset=self.offset,
        )

    def __str__(self) -> str:
        """`in/855.edi, interchange 000000042, set 0001, segment 5 PO4`."""
        parts = [self.file]
        parts += [f"interchange {self.interchange}"] if self.interchange else []
        parts += [f"set {self.message}"] if self.message else []
        parts += [f"segment {self.segment} {self.tag}"] if self.segment else []
        return ", ".join(parts)


class ElementUse(_Value):
    """One element of a segment at a place, or one component."""

    label: str = ""
    count: int
    """How often it had a value."""
    shortest: int
    longest: int
    code: bool = False
    """Its values are codes: `values` are all there were, unless there were too many."""
    values: dict[str, int] = Field(default_factory=dict)
    example: str = ""
    at: Seen


class PlaceUse(_Value):
    """A segment at one place of the guide; a loop by the segment that starts it."""

    tag: str
    loop: bool = False
    """It starts a loop."""
    count: int
    within: int
    """In how many of the loops (or sets) around it it came at all."""
    most: int
    """The most that came in one of them."""
    elements: dict[str, ElementUse] = Field(default_factory=dict)
    """By `02` or `02.1`."""
    at: Seen


class SetUse(_Value):
    """One kind of document in one version and direction."""

    standard: str
    type: str
    version: str
    """As it was sent: 004010VICS, D96A."""
    association: str = ""
    """ST03, or 0057 of EDIFACT."""
    guide: str = ""
    """The base guide that it was observed by, `x12/004010/855`; empty where there is none."""
    direction: Direction = "receive"
    documents: int
    places: dict[str, PlaceUse] = Field(default_factory=dict)
    at: Seen


class Profile(_Value):
    """Everything that was seen of one partner."""

    format: Literal[1] = 1
    partner: str
    """The identity that the files are of: `ZZ/ACMETOOLS`."""
    files: int
    interchanges: int
    habits: dict[str, dict[str, int]] = Field(default_factory=dict)
    """What envelopes and syntax were like: the fact, its values, how often each."""
    sets: tuple[SetUse, ...] = ()

    def habit(self, name: str) -> str:
        """The commonest value of a fact; empty where it was never seen."""
        values: Mapping[str, int] = self.habits.get(name, {})
        return max(values, key=lambda one: values[one], default="")


def merged(uses: Sequence[SetUse]) -> SetUse:
    """Several versions of one kind of document as one: the commonest names it, counts are added."""
    first = max(uses, key=lambda one: one.documents)
    places: dict[str, PlaceUse] = {}
    for use in uses:
        for path, place in use.places.items():
            places[path] = _both(places[path], place) if path in places else place
    return first.model_copy(update={"documents": sum(one.documents for one in uses), "places": places})


def _both(one: PlaceUse, other: PlaceUse) -> PlaceUse:
    elements = dict(one.elements)
    for name, element in other.elements.items():
        elements[name] = _element(elements[name], element) if name in elements else element
    counts = {"count": one.count + other.count, "within": one.within + other.within, "most": max(one.most, other.most)}
    return one.model_copy(update={**counts, "elements": elements})


def _element(one: ElementUse, other: ElementUse) -> ElementUse:
    values = dict(one.values)
    for value, count in other.values.items():
        values[value] = values.get(value, 0) + count
    code = one.code and other.code and len(values) <= MAX_VALUES
    return one.model_copy(
        update={
            "count": one.count + other.count,
            "shortest": min(one.shortest, other.shortest),
            "longest": max(one.longest, other.longest),
            "code": code,
            "values": values if code else {},
        }
    )


def joined(known: Profile, later: Profile) -> Profile:
    """A profile that holds what both hold; counts are added."""
    sets: dict[tuple[str, str, str, str, str], SetUse] = {}
    for one in (*known.sets, *later.sets):
        key = (one.standard, one.type, one.version, one.association, one.direction)
        sets[key] = merged([sets[key], one]) if key in sets else one
    habits = {name: dict(values) for name, values in known.habits.items()}
    for name, values in later.habits.items():
        own = habits.setdefault(name, {})
        for value, count in values.items():
            own[value] = own.get(value, 0) + count
    return known.model_copy(
        update={
            "files": known.files + later.files,
            "interchanges": known.interchanges + later.interchanges,
            "habits": habits,
            "sets": tuple(sets[key] for key in sorted(sets)),
        }
    )


def load_profile(path: Path) -> Profile:
    """A saved profile. OurFault for a file that is none."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        remedy = "make it from samples: gateway partner infer FILES --name NAME"
        raise OurFault(f"cannot read {path}: {error.strerror}", remedy=remedy) from error
    try:
        return Profile.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        remedy = "make it again: gateway partner infer FILES --name NAME --replace"
        raise OurFault(f"{path} is no profile: {where}: {first['msg']}", remedy=remedy) from error


def saved(profile: Profile) -> str:
    """The text of a saved profile: stable, so that two can be compared. Bytes that are no text stand as `?`."""
    text = json.dumps(profile.model_dump(), indent=1, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode() + "\n"
