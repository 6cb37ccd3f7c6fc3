"""HL both ways: a hierarchy of loops is the document's tree of nodes; HL01, HL02 and HL04 are the engine's work.

The loops come nested by HL02. A level's code (HL03) says what its node is; the shipment level speaks of the
document itself.
Numbers are kept only where they are not the count in wire order; HL04 only where it is not stated everywhere
or nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.edi.tree import Element, Loop, Segment, joined
from gateway.mapping.memory import keep, kept_of, recall, remember
from gateway.mapping.segments.rule import Child
from gateway.mapping.segments.scope import Scope
from gateway.mapping.segments.segment import SegmentLens
from gateway.mapping.state import Json, ReadState, WriteState

MAX_DEPTH: Final = 32
DOCUMENT: Final = "document"


@dataclass(slots=True)
class Level:
    """One level: its code, what its node is, where it may stand."""

    code: str
    kind: str
    preset: tuple[tuple[str, str], ...]
    parents: tuple[str, ...]
    """Codes it may stand under; none listed: anywhere."""
    scope: Scope = field(default_factory=lambda: Scope("", ()))
    told: tuple[tuple[str, str], ...] = ()
    """Those of the preset fields that no line of the level may change: they tell its nodes from others."""
    presumed: tuple[tuple[str, str], ...] = ()
    """What each of its nodes is unless it says otherwise: written, and left out of the document."""
    unless: tuple[str, ...] = ()
    """Of the root: a segment, told by the loops it stands in, that makes it another level."""
    plain: Scope | None = None
    """Its rules without those for what is below."""

    def fits(self, node: Json) -> bool:
        """Whether a node of the document is of this level."""
        return node.get("kind") == self.kind and all(node.get(key) == value for key, value in self.told)


@dataclass(slots=True)
class Tree:
    """The rule for the hierarchy: at the root of the set (`above` is empty), and one inside each level."""

    levels: Mapping[str, Level]
    path: str
    above: str = ""
    """Code of the level it stands in."""
    name: str = "HL"
    label: str = "HL"
    once: bool = False
    fields: frozenset[str] | None = None
    alone: SegmentLens | None = None

    def accepts(self, segment: Segment) -> bool:
        """A level that the map knows."""
        return _text(segment.elements, 2) in self.levels

    def claims(self, target: Json) -> str | None:  # noqa: ARG002  as all rules
        """A node says itself what it is."""
        return None

    def read(self, child: Child, target: Json, state: ReadState) -> bool:
        """Take one loop and all below it."""
        segment = child.children[0] if isinstance(child, Loop) else child
        level = self.levels.get(_text(segment.elements, 2)) if isinstance(segment, Segment) else None
        if level is None or not isinstance(segment, Segment):
            return False
        if level.kind == DOCUMENT and (self.above or state.nodes):
            return False
        children = child.children[1:] if isinstance(child, Loop) else []
        if not state.nodes:
            state.child_codes = isinstance(child, Loop) and _states_children(child)
            if state.child_codes:
                remember(target, state.syntax)["hl04"] = "all"
        if self.above and level.parents and self.above not in level.parents:
            state.find("map.read.nesting", segment, 2, wanted=f"a level under {', '.join(level.parents)}")
        node: Json = target if level.kind == DOCUMENT else {"kind": level.kind, **dict(level.preset)}
        state.nodes += 1
        _keep_numbers(node, segment, level, state, children)
        state.depth += 1
        if state.depth > MAX_DEPTH:
            state.find("map.read.too_deep", segment, 0, wanted=f"at most {MAX_DEPTH} levels")
        else:
            level.scope.read(children, node, state)
        state.depth -= 1
        if level.kind != DOCUMENT:
            target.setdefault(self.path, []).append(node)
        return True

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:
        """A loop for each node in `target`'s contents; at the root, the document's own loop with all of them below."""
        if not self.above:
            state.child_codes = recall(target, state.syntax).get("hl04") == "all"
            own = next((level for level in self.levels.values() if level.kind == DOCUMENT), None)
            if own is not None:
                return [_loop(own, target, "", state, at, root)]
        loops: list[Child] = []
        for number, node in enumerate(target.get(self.path) or ()):
            pointer = f"{at}/{self.path}/{number}"
            level = next((each for each in self.levels.values() if each.fits(node)), None)
            if level is None:
                said = " ".join(str(node.get(key)) for key in ("kind", "type") if node.get(key))
                known = (" ".join((each.kind, *(value for _, value in each.preset))) for each in self.levels.values())
                state.lose(pointer, said, "one of " + ", ".join(known))
            elif len(state.parents) >= MAX_DEPTH:
                state.lose(pointer, level.kind, f"at most {MAX_DEPTH} levels")
            else:
                loops.append(_loop(level, node, state.parents[-1] if state.parents else "", state, pointer, root))
        return loops


def _loop(  # noqa: PLR0917  one step of the recursion
    level: Level, node: Json, parent: str, state: WriteState, at: str, root: Json
) -> Loop:
    state.nodes += 1
    kept = kept_of(node, state.syntax, f"HL/{level.code}")
    number = state.number(_kept(kept, "01"))
    segment = Segment("HL", [number, _kept(kept, "02") or parent, level.code])
    state.parents.append(number)
    children = level.scope.write(node, state, at, root)
    state.parents.pop()
    code = _kept(kept, "04")
    if state.child_codes and code is None:
        code = "1" if any(isinstance(child, Loop) and child.name == "HL" for child in children) else "0"
    if code:
        segment.elements.append(code)
    return Loop("HL", [segment, *children])


def _kept(kept: Mapping[str, object], element: str) -> str | None:
    value = kept.get(element)
    return value if isinstance(value, str) else None


def _keep_numbers(node: Json, segment: Segment, level: Level, state: ReadState, children: Sequence[Child]) -> None:
    elements = segment.elements
    number, code, usual = _text(elements, 0), _text(elements, 3), ""
    if number != str(state.nodes):
        keep(node, state.syntax, f"HL/{level.code}", 0, number)
    if state.child_codes:
        usual = "1" if any(isinstance(each, Loop) and each.name == "HL" for each in children) else "0"
    if code != usual:
        keep(node, state.syntax, f"HL/{level.code}", 3, code)
    for index in range(4, len(elements)):
        state.note_element(segment, index)


def _states_children(loop: Loop) -> bool:
    """Whether HL04 is there in every level, rightly."""
    waiting = [loop]
    while waiting:
        here = waiting.pop()
        inside = [each for each in here.children if isinstance(each, Loop) and each.name == "HL"]
        segment = here.children[0]
        if not isinstance(segment, Segment) or _text(segment.elements, 3) != ("1" if inside else "0"):
            return False
        waiting += inside
    return True


def _text(elements: Sequence[Element], index: int) -> str:
    value = elements[index] if index < len(elements) else ""
    return value if isinstance(value, str) else joined(value)
