"""One transaction set: its segments matched to the guide's loops, checked, and hung into a tree. The fast path.

Find the step, match the pattern, append; begin and end loops. Whatever needs a reason (a segment without a step, a
pattern that does not match, a mandatory place passed over) goes to `walk`.
"""

from __future__ import annotations

from gateway.edi.guide import SegmentSpec
from gateway.edi.rules import finding
from gateway.edi.segments import BINARY, Mark, Run
from gateway.edi.structure import KEY, State
from gateway.edi.tree import Loop, Segment, Wire
from gateway.edi.walk import Walk


def check_set(walk: Walk, parts: list[Run | Mark], end: int) -> int:
    """Read the body of one set, without ST and SE, into `walk`; how many segments the set has, both included.

    `parts` are what `segments.cut` gave between ST and SE, `end` is the byte offset of SE.
    """
    stack, counts = walk.stack, walk.counts
    children = stack[-1]
    state = walk.structure.start
    position = 1
    for part in parts:
        offset, gap = part.offset, part.gap
        for raw in part.segments:
            position += 1
            step = state[raw[:KEY]]
            if step is None or not step.match(raw):
                state, used = _one(walk, state, raw, position, offset)
                position += used - 1
                children = stack[-1]
                if walk.hopeless:
                    return _give_up(walk, parts, state, end)
            elif step.plain:
                children.append(Segment(step.tag, raw, position, offset, step.wire))
                state = step.state
            elif step.loops:
                # The common loop: it begins (again), perhaps after others ended, with nothing passed over.
                pops = step.pops
                times = counts[-pops] + 1 if step.again else 1
                segment = Segment(step.tag, raw, position, offset, step.wire)
                children = [segment]
                if times == step.maximum + 1:
                    walk.too_many("edi.segment.too_many_loops", step, segment)
                while pops:
                    pops -= 1
                    stack.pop()
                    counts.pop()
                stack[-1].append(Loop(step.tag, children))
                stack.append(children)
                counts.append(times)
                state = step.state
            elif step.leaves:
                for _ in range(step.pops):
                    stack.pop()
                    counts.pop()
                children = stack[-1]
                children.append(Segment(step.tag, raw, position, offset, step.wire))
                state = step.state
            else:
                state, _ = _one(walk, state, raw, position, offset)
                children = stack[-1]
            offset += len(raw) + gap
    walk.finish(state, position + 1, end)
    return position + 1


def _give_up(walk: Walk, parts: list[Run | Mark], state: State, end: int) -> int:
    """Stop reading a set that is refused a hundred times over; its segments are counted all the same."""
    count = sum(1 for part in parts for raw in part.segments if raw.strip()) + 2
    walk.finish(state, count, end)
    return count


def _one(walk: Walk, state: State, raw: bytes, position: int, offset: int) -> tuple[State, int]:
    """One segment, slowly: the state behind it, and whether it was a segment at all (1 or 0)."""
    structure = walk.structure
    step = state[raw[:KEY]]
    if step is None or not step.match(raw):
        raw, offset = walk.clean(raw, position, offset)
        if not raw:
            walk.report(finding("edi.segment.empty", walk.at(position, "", offset), said="", wanted="a segment"))
            return state, 0
        tag = raw.partition(structure.delimiters.element.encode())[0].decode(structure.charset, "replace")
        step = state[structure.key(tag)]
        if step is None or step.tag != tag:
            return _unplaced(walk, state, tag, raw, (position, offset)), 1
    if step.choices:
        # The place decides by which definition the segment is checked: partners' guides have one for each qualifier.
        chosen = walk.choose(step, raw)
        if chosen is None:
            return _unplaced(walk, state, step.tag, raw, (position, offset)), 1
        step = chosen
    if not step.match(raw):
        walk.elements(step.spec, raw, position, offset)
    walk.move(state, step, Segment(step.tag, raw, position, offset, step.wire))
    return step.state, 1


def _unplaced(walk: Walk, state: State, tag: str, raw: bytes, at: tuple[int, int]) -> State:
    """A segment for which there is no step; `at` is its position and its offset. The state to go on from."""
    structure = walk.structure
    position, offset = at
    spec = structure.specs.get(tag)
    if spec is None:
        wire = Wire(structure.delimiters.element, structure.delimiters.component, structure.charset)
        if raw[:KEY] in BINARY:
            walk.elements(SegmentSpec(tag=tag, label="binary data", open=True), raw, position, offset)
    else:
        patterns = structure.compiled(spec)
        wire = patterns.wire
        if not patterns.match(raw):
            walk.elements(spec, raw, position, offset)
    return walk.resume(state, tag, Segment(tag, raw, position, offset, wire))
