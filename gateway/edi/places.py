"""A guide's places as a tree that can be edited: found by path, split by qualifier, put back as frozen values.

A path names places from the top, as in maps: `PO1/PID`, `N1*ST/N3`, `PID#2` for the second of the same name, `SG25/PIA`
by EDIFACT's name of a group. A path with a qualifier that has no place of its own yet takes it out of the place that
takes any: `REF*DP` then stands before `REF`, which keeps the others. What is not touched stays the very same object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.edi.guide import Guide, LoopUse, SegmentSpec, Use

_STEP = re.compile(
    r"(?P<name>SG\d{1,3}|[A-Z][A-Z0-9]{1,2})(?:[*+](?P<codes>[A-Za-z0-9]+(?:\|[A-Za-z0-9]+)*))?(?:#(?P<nth>[1-9]\d?))?"
)
MAX_STEPS = 12


class NoPlace(LookupError):  # noqa: N818  it says what is not there; a finding is made of it
    """A step of a path leads nowhere: what was asked, where, and what there is."""

    def __init__(self, step: str, above: str, known: Sequence[str]) -> None:
        super().__init__(step)
        self.step = step
        self.above = above
        self.known = known


@dataclass(slots=True, eq=False)
class Place:
    """A segment or a loop. `items` is None for a segment; of a loop what follows the segment that starts it."""

    origin: Use | LoopUse
    spec: SegmentSpec | None
    """The segment, or the one that starts the loop; the root has none."""
    qualifiers: frozenset[str]
    mandatory: bool
    maximum: int
    items: list[Place] | None

    @property
    def tag(self) -> str:
        """Its tag; the root's is empty."""
        return self.spec.tag if self.spec is not None else ""

    @property
    def group(self) -> str:
        """EDIFACT's name of the loop."""
        return self.origin.group if isinstance(self.origin, LoopUse) else ""

    @property
    def label(self) -> str:
        """The step that leads here, but for `#2`."""
        return self.tag + ("*" + "|".join(sorted(self.qualifiers)) if self.qualifiers else "")

    def all(self) -> Iterator[Place]:
        """This place and everything in it."""
        yield self
        for item in self.items or ():
            yield from item.all()

    def copy(self, qualifiers: frozenset[str]) -> Place:
        """A place of its own for these qualifiers, optional."""
        items = None if self.items is None else [item.copy(item.qualifiers) for item in self.items]
        mandatory = self.mandatory and qualifiers == self.qualifiers
        return Place(self.origin, self.spec, qualifiers, mandatory, self.maximum, items)

    def frozen(self) -> Use | LoopUse:
        """The place as a guide holds it."""
        origin = self.origin
        if self.items is None:
            assert isinstance(origin, Use)
            return self._use(origin, mandatory=self.mandatory, maximum=self.maximum)
        assert isinstance(origin, LoopUse)
        items = [item.frozen() for item in self.items]
        if self.spec is not None:
            items.insert(0, self._use(origin.start, mandatory=True, maximum=1))
        same = len(items) == len(origin.items) and all(a is b for a, b in zip(items, origin.items, strict=True))
        if same and (self.mandatory, self.maximum) == (origin.mandatory, origin.maximum):
            return origin
        return LoopUse(
            name=origin.name,
            label=origin.label,
            items=tuple(items),
            mandatory=self.mandatory,
            maximum=self.maximum,
            group=origin.group,
        )

    def _use(self, origin: Use, *, mandatory: bool, maximum: int) -> Use:
        assert self.spec is not None
        now = (self.spec, mandatory, maximum, self.qualifiers)
        if origin.spec is self.spec and now[1:] == (origin.mandatory, origin.maximum, origin.qualifiers):
            return origin
        return Use(spec=self.spec, mandatory=mandatory, maximum=maximum, qualifiers=self.qualifiers)


def thaw(item: Use | LoopUse) -> Place:
    """A place that can be edited."""
    if isinstance(item, Use):
        return Place(item, item.spec, item.qualifiers, item.mandatory, item.maximum, None)
    start = item.start
    return Place(
        item, start.spec, start.qualifiers, item.mandatory, item.maximum, [thaw(one) for one in item.items[1:]]
    )


def thaw_root(guide: Guide) -> Place:
    """The whole of a guide."""
    root = guide.root
    return Place(root, None, frozenset(), root.mandatory, root.maximum, [thaw(one) for one in root.items])


def labels(siblings: Sequence[Place]) -> list[str]:
    """The steps that lead to each: the second `PID` is `PID#2`."""
    seen: dict[str, int] = {}
    names = []
    for place in siblings:
        seen[place.label] = number = seen.get(place.label, 0) + 1
        names.append(place.label if number == 1 else f"{place.label}#{number}")
    return names


def find(root: Place, path: str) -> tuple[list[Place], int]:
    """The place at `path`: its siblings and its index among them. Raises NoPlace."""
    siblings = root.items or []
    steps = path.split("/")[:MAX_STEPS]
    for number, step in enumerate(steps, 1):
        above = "/".join(steps[: number - 1])
        index = _index(siblings, step)
        if index is None:
            raise NoPlace(step, above, labels(siblings))
        if number == len(steps):
            return siblings, index
        inner = siblings[index].items
        if inner is None:
            raise NoPlace(steps[number], "/".join(steps[:number]), [])
        siblings = inner
    raise NoPlace(path, "", labels(siblings))


def _index(siblings: list[Place], step: str) -> int | None:
    found = _STEP.fullmatch(step)
    if found is None:
        return None
    wanted = frozenset((found["codes"] or "").split("|")) - {""}
    nth = int(found["nth"] or 1)
    named = [index for index, one in enumerate(siblings) if found["name"] in {one.tag, one.group}]
    exact = [
        index
        for index in named
        if siblings[index].qualifiers == wanted or (not wanted and siblings[index].group == found["name"])
    ]
    if nth <= len(exact):
        return exact[nth - 1]
    if not wanted:
        return None
    wider = [index for index in named if wanted < siblings[index].qualifiers]
    wider = wider or [index for index in named if not siblings[index].qualifiers]
    return _split(siblings, wider[nth - 1], wanted) if nth <= len(wider) else None


def _split(siblings: list[Place], index: int, wanted: frozenset[str]) -> int:
    rest = siblings[index]
    siblings.insert(index, rest.copy(wanted))
    # One of the two may be what satisfies a mandatory place: only the delta can say which must come.
    rest.mandatory = False
    rest.qualifiers -= wanted
    return index


def open_twin(siblings: Sequence[Place], index: int) -> Place | None:
    """The place that would take what is sent for a qualified one if that were not there."""
    place = siblings[index]
    if not place.qualifiers:
        return None
    return next((one for one in siblings[index + 1 :] if one.tag == place.tag and not one.qualifiers), None)


def holding(root: Place, path: str, tag: str) -> list[Place]:
    """The places whose segment has this tag: at the path or directly in it, anywhere without a path. Raises NoPlace."""
    if not path:
        return [place for place in root.all() if place.tag == tag]
    siblings, index = find(root, path)
    place = siblings[index]
    if place.tag == tag:
        return [place]
    inner = [one for one in place.items or () if one.tag == tag]
    if not inner:
        raise NoPlace(tag, path, labels(place.items or ()))
    return inner
