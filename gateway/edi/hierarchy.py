"""HL and CPS loops nested by their parents, whatever their order in the file.

X12 segment HL: HL01 is the loop's own number, HL02 its parent's, HL03 its level; EDIFACT's CPS has the same elements.
Parents exist, nobody is his own ancestor, levels are the guide's. What breaks a rule is a finding and stays at the top
level, so that nothing is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from gateway.edi.delimiters import Delimiters
from gateway.edi.guide import Guide
from gateway.edi.rules import finding
from gateway.edi.tree import Loop, Segment
from gateway.findings import EdiPlace, Finding

NUMBER, PARENT, LEVEL = 1, 2, 3


@lru_cache(maxsize=64)
def _heads(tag: str, delimiters: Delimiters) -> re.Pattern[str]:
    separator, terminator = re.escape(delimiters.element), re.escape(delimiters.segment)
    element = f"(?:{separator}([^{separator}{terminator}]*)|)"
    # The tag comes first, so that the search is one for its letters; then a look back tells that it is a tag.
    return re.compile(f"{tag}(?<![^{terminator}]{tag})(?={separator}){element}{element}{element}")


def sound(text: str, guide: Guide, delimiters: Delimiters, depth: int) -> bool:
    """Whether the hierarchy of a whole message is right, told from its text; False may mean unknown.

    Parents that come before their children, as nearly everybody sends them, cannot be a cycle.
    """
    depths: dict[str, int] = {"": -1}
    for number, parent, level in _heads(guide.nests, delimiters).findall(text):
        above = depths.get(parent)
        if above is None or number in depths or above + 1 >= depth:
            return False
        if guide.levels and level not in guide.levels:
            return False
        depths[number] = above + 1
    return True


@dataclass(slots=True)
class Hierarchy:
    """The HL loops of one set, in file order; `nest` puts them together at the end."""

    levels: frozenset[str]
    depth: int
    """How deep they may nest."""
    loops: list[Loop] = field(default_factory=list)
    at: int = -1
    """Where in the root the first of them stands."""

    def add(self, at: int, loop: Loop) -> None:
        """Take note of a loop instead of hanging it into the root at once; the root has `at` children so far."""
        if self.at < 0:
            self.at = at
        self.loops.append(loop)

    def nest(self, root: list[Segment | Loop], place: EdiPlace) -> list[Finding]:
        """Hang every loop below its parent. `place` names interchange, group and set."""
        found: list[Finding] = []
        heads = [_head(loop) for loop in self.loops]
        numbered: dict[str, int] = {}
        # A loop whose first segment is missing was told already: it may be the parent that nobody else is.
        headless = next((index for index, head in enumerate(heads) if not head.elements), -1)
        for index, head in enumerate(heads):
            number = head.text(NUMBER)
            if not number:
                continue
            if number in numbered:
                found.append(_finding("edi.hl.number_repeated", head, NUMBER, place, "a number of its own"))
            else:
                numbered[number] = index
            if self.levels and head.text(LEVEL) not in self.levels and head.text(LEVEL):
                wanted = "one of " + ", ".join(sorted(self.levels))
                found.append(_finding("edi.hl.level", head, LEVEL, place, wanted))
        parents: list[int] = []
        for head in heads:
            named = head.text(PARENT)
            parent = numbered.get(named, headless) if named else -1
            if named and parent < 0:
                found.append(_finding("edi.hl.parent_missing", head, PARENT, place, "the number of another HL"))
            parents.append(parent)
        found += _cut_cycles(parents, heads, place)
        found += self._cut_depth(parents, heads, place)
        tops: list[Segment | Loop] = []
        for loop, parent in zip(self.loops, parents, strict=True):
            (tops if parent < 0 else self.loops[parent].children).append(loop)
        if self.loops:
            root[self.at : self.at] = tops
        return found

    def _cut_depth(self, parents: list[int], heads: list[Segment], place: EdiPlace) -> list[Finding]:
        found: list[Finding] = []
        depths = [0] * len(parents)
        for index in _parents_first(parents):
            parent = parents[index]
            if parent >= 0:
                depths[index] = depths[parent] + 1
                if depths[index] >= self.depth:
                    wanted = f"at most {self.depth} levels"
                    found.append(_finding("edi.hl.too_deep", heads[index], PARENT, place, wanted))
                    parents[index], depths[index] = -1, 0
        return found


def _head(loop: Loop) -> Segment:
    first = loop.children[0]
    assert isinstance(first, Segment)
    return first


def _finding(rule: str, head: Segment, element: int, place: EdiPlace, wanted: str) -> Finding:
    where = EdiPlace(
        interchange=place.interchange,
        group=place.group,
        message=place.message,
        segment=head.position,
        tag=head.tag,
        element=element,
        offset=head.offset,
    )
    return finding(rule, where, said=head.text(element), wanted=wanted)


def _parents_first(parents: list[int]) -> list[int]:
    """Indexes in an order in which a parent comes before its children. There are no cycles any more."""
    order: list[int] = []
    done = [False] * len(parents)
    for start in range(len(parents)):
        path: list[int] = []
        index = start
        while index >= 0 and not done[index]:
            done[index] = True
            path.append(index)
            index = parents[index]
        order += reversed(path)
    return order


def _cut_cycles(parents: list[int], heads: list[Segment], place: EdiPlace) -> list[Finding]:
    """Find each cycle once and cut it where the walk closes it."""
    found: list[Finding] = []
    walk_of = [-1] * len(parents)
    for start in range(len(parents)):
        index = start
        while index >= 0 and walk_of[index] < 0:
            walk_of[index] = start
            parent = parents[index]
            if parent >= 0 and walk_of[parent] == start:
                wanted = "a parent that is not below this HL"
                found.append(_finding("edi.hl.cycle", heads[index], PARENT, place, wanted))
                parents[index] = -1
                break
            index = parent
    return found
