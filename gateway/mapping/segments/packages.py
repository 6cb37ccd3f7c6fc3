"""CPS both ways: packages within packages are the document's tree of nodes; CPS01 to CPS03 are the engine's work.

The loops come nested by CPS02. No segment says what a node is, so a level is told by its place and by CPS03: `root` is
the first CPS without a parent and speaks of the document itself, unless it holds what its `unless` names (an own SSCC
makes it a package); a code of CPS03 (7075) names a level; `…` is any other. Numbers, parents and codes are kept only
where they are not what would be written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.edi.tree import Loop, Segment, joined
from gateway.mapping.memory import keep, kept_of, recall, remember
from gateway.mapping.segments.hierarchy import DOCUMENT, MAX_DEPTH, Level
from gateway.mapping.segments.rule import Child
from gateway.mapping.segments.segment import SegmentLens
from gateway.mapping.state import Json, ReadState, WriteState

ROOT: Final = "root"
OTHER: Final = "…"


@dataclass(slots=True)
class Packages:
    """The rule for the packages: at the root of the message (`above` is empty), and one inside each level."""

    levels: Mapping[str, Level]
    path: str
    above: str = ""
    """Code of the level it stands in."""
    aside: frozenset[str] = frozenset()
    """Kinds of nodes of the same list that other rules write: lines."""
    name: str = "CPS"
    label: str = "CPS"
    once: bool = False
    fields: frozenset[str] | None = None
    alone: SegmentLens | None = None

    def accepts(self, segment: Segment) -> bool:
        """A level that the map knows."""
        return OTHER in self.levels or _text(segment, 2) in self.levels

    def claims(self, target: Json) -> str | None:  # noqa: ARG002  as all rules
        """A node says itself what it is."""
        return None

    def read(self, child: Child, target: Json, state: ReadState) -> bool:
        """Take one loop and all below it."""
        children: list[Child] = child.children if isinstance(child, Loop) else [child]
        segment = children[0]
        level = self._level(segment, children, state) if isinstance(segment, Segment) else None
        if level is None or not isinstance(segment, Segment):
            return False
        if self.above and level.parents and self.above not in level.parents:
            state.find("map.read.nesting", segment, 0, wanted=f"a level under {', '.join(level.parents)}")
        if not state.nodes and ROOT in self.levels and level.kind != DOCUMENT:
            remember(target, state.syntax)["root"] = "none"
        state.nodes += 1
        node: Json = target if level.kind == DOCUMENT else {"kind": level.kind, **dict(level.preset)}
        _keep_numbers(node, segment, level, state)
        if level.kind == DOCUMENT:
            state.whole = _text(segment, 0)
        state.open.append(_text(segment, 0))
        if len(state.open) > MAX_DEPTH:
            state.find("map.read.too_deep", segment, 0, wanted=f"at most {MAX_DEPTH} levels")
        else:
            level.scope.read(children[1:], node, state)
        state.open.pop()
        _presume(level, node, state.syntax)
        if level.kind != DOCUMENT:
            target.setdefault(self.path, []).append(node)
        return True

    def _level(self, segment: Segment, children: list[Child], state: ReadState) -> Level | None:
        root = self.levels.get(ROOT)
        if root is not None and not self.above and not state.nodes and not _holds(children[1:], root.unless):
            return root
        return self.levels.get(_text(segment, 2)) or self.levels.get(OTHER)

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:
        """A loop for each package in `target`'s contents; at the root, the document's own loop with all below it."""
        if not self.above:
            own = self.levels.get(ROOT)
            if own is not None and not self._rootless(own, target, state, at, root):
                return [_loop(own, target, "", state, at, root)]
        loops: list[Child] = []
        for number, node in enumerate(target.get(self.path) or ()):
            if node.get("kind") in self.aside:
                continue
            pointer = f"{at}/{self.path}/{number}"
            level = self._of(node)
            if level is None:
                said = " ".join(str(node.get(key)) for key in ("kind", "type") if node.get(key))
                known = (" ".join((each.kind, *(value for _, value in each.told))) for each in self.levels.values())
                state.lose(pointer, said, "one of " + ", ".join(known))
            elif len(state.parents) >= MAX_DEPTH:
                state.lose(pointer, level.kind, f"at most {MAX_DEPTH} levels")
            else:
                loops.append(_loop(level, node, state.parents[-1] if state.parents else "", state, pointer, root))
        return loops

    def _of(self, node: Json) -> Level | None:
        return next((each for each in self.levels.values() if each.fits(node)), None)

    def _rootless(self, own: Level, target: Json, state: WriteState, at: str, root: Json) -> bool:
        """Whether the message read had no CPS for the document, and it still needs none."""
        if recall(target, state.syntax).get("root") != "none" or own.plain is None:
            return False
        packed = all(self._of(node) is not None for node in target.get(self.path) or ())
        return packed and not own.plain.write(target, WriteState(syntax=state.syntax), at, root)


def _loop(  # noqa: PLR0917  one step of the recursion
    level: Level, node: Json, parent: str, state: WriteState, at: str, root: Json
) -> Loop:
    state.nodes += 1
    kept = kept_of(node, state.syntax, f"CPS/{level.code}")
    stated, code = _kept(kept, "02"), _kept(kept, "03")
    if stated in state.numbers:  # the wire's named no package; now it would name another than this one stands in
        stated = None
    number = state.number(_kept(kept, "01"))
    elements = [number, parent if stated is None else stated, _code(level) if code is None else code]
    state.parents.append(number)
    children = level.scope.write(_said(level, node, state.syntax), state, at, root)
    state.parents.pop()
    while not elements[-1]:
        elements.pop()
    return Loop("CPS", [Segment("CPS", [*elements]), *children])


def _keep_numbers(node: Json, segment: Segment, level: Level, state: ReadState) -> None:
    expected = (str(state.nodes), state.open[-1] if state.open else state.whole, _code(level))
    for index, usual in enumerate(expected):
        if (text := _text(segment, index)) != usual:
            keep(node, state.syntax, f"CPS/{level.code}", index, text)
    for index in range(3, len(segment.elements)):
        state.note_element(segment, index)


def _presume(level: Level, node: Json, syntax: str) -> None:
    """Leave out what every package is unless it says otherwise, and remember where the wire did not even say that."""
    unsaid = []
    for name, value in level.presumed:
        if name not in node:
            unsaid.append(name)
        elif node[name] == value:
            del node[name]
    if unsaid:
        remember(node, syntax)["unsaid"] = unsaid


def _said(level: Level, node: Json, syntax: str) -> Json:
    """The node with what is presumed; without that, and without what is preset, where the wire did not say it."""
    unsaid = recall(node, syntax).get("unsaid") if "extensions" in node else None
    for name, value in level.presumed:
        if name in node:
            continue
        if isinstance(unsaid, list) and name in unsaid:
            fixed = set(level.preset) - set(level.told)
            node = {key: each for key, each in node.items() if not isinstance(each, str) or (key, each) not in fixed}
        else:
            node = {**node, name: value}
    return node


def _holds(children: list[Child], names: tuple[str, ...]) -> bool:
    """Whether there is such a segment, told by the loops it stands in."""
    if not names:
        return False
    for child in children:
        if (child.tag if isinstance(child, Segment) else child.name) == names[0]:
            if len(names) == 1:
                return True
            if isinstance(child, Loop) and _holds(child.children, names[1:]):
                return True
    return False


def _code(level: Level) -> str:
    """What CPS03 says of the level."""
    return "" if level.code in {ROOT, OTHER} else level.code


def _kept(kept: Mapping[str, object], element: str) -> str | None:
    value = kept.get(element)
    return value if isinstance(value, str) else None


def _text(segment: Segment, index: int) -> str:
    value = segment.elements[index] if index < len(segment.elements) else ""
    return joined(value)
