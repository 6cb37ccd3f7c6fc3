"""One message: its segments matched to the guide's loops, checked, and hung into a tree.

What is right as a whole (`grammar`) is hung together (`hang`) only when somebody looks. Everything else goes segment by
segment: find the step, match the pattern, append; begin and end loops. Whatever needs a reason (a segment without a
step, a pattern that does not match, a mandatory place passed over) goes to `walk`.
"""

from __future__ import annotations

from gateway.edi.body import Piece
from gateway.edi.guide import SegmentSpec
from gateway.edi.hang import hang
from gateway.edi.hierarchy import sound
from gateway.edi.rules import finding
from gateway.edi.structure import KEY, State, Structure, choose
from gateway.edi.tolerances import Limits
from gateway.edi.tree import Loop, Segment
from gateway.edi.walk import BINARY, Walk


def clean(structure: Structure, body: list[Piece], limits: Limits) -> Loop | None:
    """The tree of a message that is right as a whole; None when it is not, or when that is not known."""
    if len(body) != 1 or body[0].binary:
        return None
    piece = body[0]
    if not piece.decodable or not structure.clean(piece.text):
        return None
    if structure.guide.nests and not sound(piece.text, structure.guide, structure.delimiters, limits.depth):
        return None
    return Loop("", lambda: hang(structure, piece))


def check_message(walk: Walk, body: list[Piece], end: int) -> int:
    """Read the body of one message into `walk`, segment by segment; how many it has, ST and SE included.

    `end` is the byte offset of SE or UNT.
    """
    stack, counts = walk.stack, walk.counts
    children = stack[-1]
    state = walk.structure.start
    position = 1
    for piece in body:
        offset, gap, even = piece.offset, piece.gap, piece.even
        dirty = not piece.decodable
        for raw in piece.segments:
            position += 1
            step = state[raw[:KEY]]
            if step is None or not step.match(raw) or (dirty and not raw.isascii()):
                state, used = _one(walk, state, raw, position, offset)
                position += used - 1
                children = stack[-1]
                if walk.hopeless:
                    return _give_up(walk, body, state, end)
            elif step.plain:
                children.append(Segment(step.tag, raw, position, offset, step.wire))
                state = step.state
            elif step.loops:
                # The common loop: it begins (again), perhaps after others ended, with nothing passed over.
                pops = step.pops
                segment = Segment(step.tag, raw, position, offset, step.wire)
                times = counts[-pops] + 1 if step.again else 1
                if times == step.maximum + 1:
                    walk.too_many("edi.segment.too_many_loops", step, segment)
                if pops:
                    del stack[-pops:]
                    del counts[-pops:]
                children = [segment]
                stack[-1].append(Loop(step.tag, children))
                stack.append(children)
                counts.append(times)
                state = step.state
            elif step.leaves:
                del stack[-step.pops :]
                del counts[-step.pops :]
                children = stack[-1]
                children.append(Segment(step.tag, raw, position, offset, step.wire))
                state = step.state
            else:
                state, _ = _one(walk, state, raw, position, offset)
                children = stack[-1]
            offset += len(raw) + gap if even else piece.size(raw) + gap
    walk.finish(state, position + 1, end)
    return position + 1


def _give_up(walk: Walk, body: list[Piece], state: State, end: int) -> int:
    """Stop reading a message that is refused a hundred times over; its segments are counted all the same."""
    count = sum(1 for piece in body for raw in piece.segments if raw.strip()) + 2
    walk.finish(state, count, end)
    return count


def _one(walk: Walk, state: State, raw: str, position: int, offset: int) -> tuple[State, int]:
    """One segment, slowly: the state behind it, and whether it was a segment at all (1 or 0)."""
    structure = walk.structure
    step = choose(state[raw[:KEY]], raw, structure.delimiters)
    if step is None or not (step.match(raw) and raw.isascii()):
        if raw[:KEY] not in BINARY or structure.guide.standard != "x12":
            # Line breaks in a binary payload are data.
            raw, offset = walk.clean(raw, position, offset)
        if not raw:
            walk.report(finding("edi.segment.empty", walk.at(position, "", offset), said="", wanted="a segment"))
            return state, 0
        tag = raw.partition(structure.delimiters.element)[0]
        step = choose(state[structure.key(tag)], raw, structure.delimiters)
        if step is None or step.tag != tag:
            return _unplaced(walk, state, tag, raw, (position, offset)), 1
        if not (step.match(raw) and raw.isascii()):
            walk.elements(step.spec, raw, position, offset)
    walk.move(state, step, Segment(step.tag, raw, position, offset, step.wire))
    return step.state, 1


def _unplaced(walk: Walk, state: State, tag: str, raw: str, at: tuple[int, int]) -> State:
    """A segment for which there is no step; `at` is its position and its offset. The state to go on from."""
    structure = walk.structure
    position, offset = at
    spec = structure.specs.get(tag)
    if spec is None:
        wire = structure.unknown
        if raw[:KEY] in BINARY and structure.guide.standard == "x12":
            walk.elements(SegmentSpec(tag=tag, label="binary data", open=True), raw, position, offset)
    else:
        patterns = structure.compiled(spec)
        wire = patterns.wire
        if not (patterns.match(raw) and raw.isascii()):
            walk.elements(spec, raw, position, offset)
    return walk.resume(state, tag, Segment(tag, raw, position, offset, wire))
