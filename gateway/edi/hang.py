"""The tree of a message that is known to be right: its segments hung into loops, without another check.

`grammar` said that the message is right; `check` hangs what is not. Both follow the same steps, so they mean one tree.
"""

from __future__ import annotations

from gateway.edi.body import Offsets, Piece
from gateway.edi.structure import KEY, Structure, choose
from gateway.edi.tree import Loop, Segment


def hang(structure: Structure, piece: Piece) -> list[Segment | Loop]:
    """What the root of the message holds."""
    root: list[Segment | Loop] = []
    stack = [root]
    children = root
    nests, separator = structure.guide.nests, structure.delimiters.element
    nested = {"": root}
    """By the number of an HL or CPS: what hangs below it. Parents came first, or the message would not be here."""
    state = structure.start
    position = 1
    offset = Offsets(piece)
    for raw in piece.segments:
        position += 1
        step = state[raw[:KEY]]
        if step is None:
            # A short tag without any element has no separator either.
            step = state[structure.key(raw)]
        if step is not None and step.choices:
            step = choose(step, raw, structure.delimiters)
        assert step is not None
        if step.plain:
            children.append(Segment(step.tag, raw, position, offset, step.wire))
        else:
            pops = step.pops
            if pops:
                del stack[-pops:]
            if step.opens is None:
                children = stack[-1]
                children.append(Segment(step.tag, raw, position, offset, step.wire))
            else:
                children = [Segment(step.tag, raw, position, offset, step.wire)]
                if step.opens == nests:
                    _, number, *parent = raw.split(separator, 3)
                    nested[parent[0] if parent else ""].append(Loop(nests, children))
                    nested[number] = children
                else:
                    stack[-1].append(Loop(step.tag, children))
                stack.append(children)
        state = step.state
    return root
