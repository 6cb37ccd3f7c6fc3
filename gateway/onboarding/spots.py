"""Where each segment of a message stands in its guide: the path that a guide delta names it by.

`PO1/REF*DP` is the place, a loop is named by the segment that starts it. Paths are those of `gateway.edi.places`, so
that what is found here can be written into a delta.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.edi.guide import Guide, LoopUse, SegmentSpec, Use
from gateway.edi.tree import Loop, Segment


@dataclass(frozen=True, slots=True)
class Spot:
    """One segment of a message."""

    segment: Segment
    path: str
    """Its place; of a segment that starts a loop the loop's."""
    parent: str
    """The place of the loop around it; empty at the top."""
    before: str
    """The place of what stands before it in that loop; empty for the first."""
    spec: SegmentSpec | None
    starts: bool
    """It starts a loop."""
    instance: int
    """Number of the loop (or message, 0) around it, to count by."""
    loops: tuple[str, ...]
    """Tags of the loops around it and of the one it starts; a nested HL or CPS counts once."""
    level: str
    """The level code of the HL or CPS around it."""


class Sites:
    """The named places of one guide."""

    def __init__(self, guide: Guide | None) -> None:
        self.guide = guide
        self._named: dict[int, list[tuple[str, Use | LoopUse]]] = {}
        self._tags: dict[str, int] = {}
        if guide is not None:
            self._count(guide.root)

    def _count(self, root: LoopUse) -> None:
        waiting = [root]
        while waiting:
            for item in waiting.pop().items:
                if isinstance(item, LoopUse):
                    waiting.append(item)
                else:
                    self._tags[item.tag] = self._tags.get(item.tag, 0) + 1

    def named(self, loop: LoopUse) -> list[tuple[str, Use | LoopUse]]:
        """The places in a loop behind its first segment, with the steps that lead to them."""
        known = self._named.get(id(loop))
        if known is None:
            items = loop.items[1:] if loop.name else loop.items
            seen: dict[str, int] = {}
            known = []
            for item in items:
                start = item.start if isinstance(item, LoopUse) else item
                label = item.tag + ("*" + "|".join(sorted(start.qualifiers)) if start.qualifiers else "")
                seen[label] = number = seen.get(label, 0) + 1
                known.append((label if number == 1 else f"{label}#{number}", item))
            self._named[id(loop)] = known
        return known

    def element(self, spot: Spot, element: int, component: int = 0) -> str:
        """An element as a delta names it: `ACK02` where the segment has one place, else with its path."""
        name = f"{spot.segment.tag}{element:02d}" + (f".{component}" if component else "")
        if self._tags.get(spot.segment.tag) == 1:
            return name
        if spot.starts or not spot.parent or "*" in spot.path or "#" in spot.path:
            return f"{spot.path}/{name}"
        return f"{spot.parent}/{name}"

    def mandatory(self, tag: str, near: Spot) -> str:
        """The path of the mandatory place of `tag` in the innermost loop around `near` that has one."""
        assert self.guide is not None
        found, depth = "", -1
        around = f"{near.path}/"
        waiting = [("", self.guide.root)]
        while waiting:
            above, loop = waiting.pop()
            for label, item in self.named(loop):
                path = above + label
                inside = not above or around.startswith(above)
                if item.tag == tag and item.mandatory and inside and path.count("/") > depth:
                    found, depth = path, path.count("/")
                if isinstance(item, LoopUse):
                    waiting.append((path + "/", item))
        return found

    def spots(self, root: Loop) -> Iterator[Spot]:
        """Every segment in wire order; never recursive."""
        top = None if self.guide is None else self.guide.root
        nests = "" if self.guide is None else self.guide.nests
        # loop's use, its path, its number, its tags, its level, its children, where its last child stood
        stack: list[tuple[LoopUse | None, str, int, tuple[str, ...], str, Iterator[Segment | Loop], _Reached]] = []
        stack.append((top, "", 0, (), "", iter(root.children), _Reached()))
        instances = 0
        while stack:
            use, path, instance, loops, level, children, before = stack[-1]
            child = next(children, None)
            if child is None:
                stack.pop()
                continue
            if isinstance(child, Segment):
                step, item = self._item(use, child.tag, child.text(1), before)
                own = f"{path}/{step}".lstrip("/")
                alone = isinstance(item, LoopUse)
                tags = (*loops, child.tag) if alone else loops
                spec = item.start.spec if isinstance(item, LoopUse) else item.spec if item is not None else None
                yield Spot(child, own, path, before.path, spec, alone, instance, tags, level)
                before.path = own
                continue
            first = child.children[0] if child.children else None
            code = first.text(1) if isinstance(first, Segment) else ""
            step, item = self._item(use, child.name, code, before)
            inner = item if isinstance(item, LoopUse) else None
            if inner is None and use is not None and use.name == child.name:
                own, inner, tags = path, use, loops  # a nested HL or CPS is its own place
            else:
                own, tags = f"{path}/{step}".lstrip("/"), (*loops, child.name)
            instances += 1
            rest = iter(child.children)
            if isinstance(first, Segment) and first.tag == child.name:
                next(rest)
                if nests and child.name == nests:
                    level = first.text(3)
                spec = inner.start.spec if inner is not None else None
                yield Spot(first, own, path, before.path, spec, True, instance, tags, level)  # noqa: FBT003
            before.path = own
            stack.append((inner, own, instances, tags, level, rest, _Reached()))

    def _item(self, loop: LoopUse | None, tag: str, code: str, reached: _Reached) -> tuple[str, Use | LoopUse | None]:
        """The step and place of a tag in a loop: that of its qualifier or any, the first that was not passed yet."""
        if loop is None:
            return tag, None
        mine = [(index, *named) for index, named in enumerate(self.named(loop)) if named[1].tag == tag]
        own = [one for one in mine if code in _qualifiers(one[2])]
        fitting = own or [one for one in mine if not _qualifiers(one[2])]
        if not fitting:
            return tag, None
        index, label, item = next((one for one in fitting if one[0] >= reached.index), fitting[0])
        reached.index = index
        return label, item


@dataclass(slots=True)
class _Reached:
    """How far a loop was read."""

    path: str = ""
    index: int = 0


def _qualifiers(item: Use | LoopUse) -> frozenset[str]:
    return (item.start if isinstance(item, LoopUse) else item).qualifiers
