"""One transaction set: its segments matched to the guide's loops, checked, and hung into a tree.

The loop below is the fast path: find the step, match the pattern, append. Everything that is not plain (a loop begins or
ends, a repeat is counted, a segment has no step, a pattern does not match) goes through `_Walk`, which can say why.
A segment without a place costs one finding: the walk resumes where the segment belongs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.edi.elements import Text, check_segment
from gateway.edi.guide import LoopUse
from gateway.edi.hierarchy import Hierarchy
from gateway.edi.library import Guides
from gateway.edi.rules import finding
from gateway.edi.segments import BINARY, Mark, Run
from gateway.edi.structure import KEY, Place, State, Step, Structure
from gateway.edi.tolerances import Limits, Tolerances
from gateway.edi.tree import Loop, Segment, Wire
from gateway.findings import EdiPlace, Finding, Severity


@dataclass(slots=True)
class Frame:
    """A loop that is open: its place, its children, and how often it has come so far."""

    place: Place
    loop: Loop
    times: int = 1


@dataclass(slots=True)
class Walk:
    """The state of one set while it is read."""

    structure: Structure
    guides: Guides
    place: EdiPlace
    """Names interchange, group and set."""
    tolerances: Tolerances
    limits: Limits
    root: Loop = field(default_factory=lambda: Loop("", []))
    stack: list[Frame] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    dropped: int = 0
    times: int = 0
    last: Segment | None = None
    """The last segment whose repeats were counted, and how many there were."""
    hierarchy: Hierarchy | None = None
    said: set[str] = field(default_factory=set)
    """Rules that are reported once per set."""

    def __post_init__(self) -> None:
        self.stack = [Frame(self.structure.root, self.root)]
        if self.structure.guide.levels:
            self.hierarchy = Hierarchy(self.structure.guide.levels, self.limits.depth)

    def report(self, *found: Finding) -> None:
        """Keep findings, up to the limit."""
        for one in found:
            if len(self.findings) < self.limits.findings:
                self.findings.append(one)
            else:
                self.dropped += 1

    def at(self, segment: int, tag: str, offset: int) -> EdiPlace:
        """The place of one segment."""
        return replace(self.place, segment=segment, tag=tag, offset=offset)

    def elements(self, step: Step, raw: bytes, position: int, offset: int) -> None:
        """Say what is wrong inside a segment that the fast path did not pass."""
        text = Text(self.structure.delimiters, self.structure.charset)
        self.report(*check_segment(step.spec, raw, self.at(position, step.tag, offset), text))

    def passed_over(self, missing: tuple[Place, ...], position: int, offset: int) -> None:
        """Report mandatory places that were passed over, unless they came out of sequence."""
        for place in missing:
            frame = next((frame for frame in self.stack if frame.place is place.loop), None)
            if frame is None or not any(_tag(child) == place.tag for child in frame.loop.children):
                self._missing("edi.segment.missing", place.tag, position, offset)

    def _missing(self, rule: str, tag: str, position: int, offset: int) -> None:
        wanted = f"{tag} before this place"
        self.report(finding(rule, self.at(position, tag, offset), said="", wanted=wanted))

    def move(self, step: Step, segment: Segment) -> None:
        """Take a step that is not plain: end loops, count repeats, begin a loop, append."""
        if step.missing:
            self.passed_over(step.missing, segment.position, segment.offset)
        if step.opens is None:
            if step.pops:
                del self.stack[-step.pops :]
            children = self.stack[-1].loop.children
            if step.again:
                # The first one was not counted: it is this segment's neighbour all the same.
                self.times = self.times + 1 if children and children[-1] is self.last else 2
                self.last = segment
                if self.times == step.maximum + 1:
                    wanted = f"at most {step.maximum} {step.tag} here"
                    self._too_many("edi.segment.too_many", segment, wanted)
            children.append(segment)
            return
        times = 1
        if step.again:
            times = self.stack[-step.pops].times + 1
            if times == step.maximum + 1:
                self._too_many("edi.segment.too_many_loops", segment, f"at most {step.maximum} {step.tag} loops here")
        if step.pops:
            del self.stack[-step.pops :]
        self._open(step.opens, step.state.place.loop, segment, times)

    def _too_many(self, rule: str, segment: Segment, wanted: str) -> None:
        place = self.at(segment.position, segment.tag, segment.offset)
        self.report(finding(rule, place, said=segment.tag, wanted=wanted))

    def _open(self, use: LoopUse, place: Place, segment: Segment, times: int) -> None:
        loop = Loop(use.name, [segment])
        parent = self.stack[-1].loop
        if self.hierarchy is not None and use.name == "HL":
            self.hierarchy.add(self.root, loop)
        else:
            parent.children.append(loop)
        self.stack.append(Frame(place, loop, times))

    def choose(self, step: Step, raw: bytes) -> Step | None:
        """Of several steps for one tag, the one whose qualifiers have this segment's element 01."""
        pieces = raw.split(self.structure.delimiters.element.encode(), 2)
        code = pieces[1].decode("ascii", "replace") if len(pieces) > 1 else ""
        for one in step.choices:
            if not one.qualifiers or code in one.qualifiers:
                return one
        return None

    def resume(self, state: State, tag: str, segment: Segment) -> State:
        """A segment that has no step: say what it is, hang it where it belongs, and go on from there."""
        place = self.at(segment.position, tag, segment.offset)
        structure = self.structure
        target = self._earlier(tag)
        if target is not None:
            self.report(finding("edi.segment.out_of_sequence", place, said=tag, wanted=f"{tag} at its place"))
            return self._hang(target, segment)
        starter = self._without_start(state, tag)
        if starter is not None:
            self._missing("edi.segment.loop_start_missing", starter.tag, segment.position, segment.offset)
            assert isinstance(starter.use, LoopUse)
            while self.stack[-1].place is not starter.parent:
                self.stack.pop()
            loop = Loop(starter.use.name, [])
            self.stack[-1].loop.children.append(loop)
            self.stack.append(Frame(starter, loop))
            return self._hang(next(item for item in starter.items if item.tag == tag), segment)
        if tag in structure.tags:
            rule, wanted = "edi.segment.unexpected", f"{tag} in the loop it belongs to"
        elif self.guides.knows_segment(structure.guide.version, tag):
            rule, wanted = "edi.segment.not_in_set", f"a segment of {structure.guide.type}"
        else:
            rule, wanted = "edi.segment.unknown", f"a segment of {structure.guide.type}"
        self.report(finding(rule, place, said=tag, wanted=wanted))
        self.stack[-1].loop.children.append(segment)
        return state

    def _earlier(self, tag: str) -> Place | None:
        """The place that the open loops, innermost first, have for this tag."""
        for frame in reversed(self.stack):
            for item in frame.place.items:
                if item.tag == tag:
                    return item
        return None

    def _without_start(self, state: State, tag: str) -> Place | None:
        """The loop that could begin here and has this tag inside."""
        place: Place | None = state.place.parent
        index = state.place.index
        while place is not None:
            for item in place.items[index + 1 :]:
                if any(inner.tag == tag for inner in item.items[1:]):
                    return item
            place, index = place.parent, place.index
        return None

    def _hang(self, target: Place, segment: Segment) -> State:
        while self.stack[-1].place is not target.parent:
            self.stack.pop()
        if isinstance(target.use, LoopUse):
            self._open(target.use, target, segment, 1)
            return self.structure.state(target.items[0])
        self.stack[-1].loop.children.append(segment)
        return self.structure.state(target)

    def clean(self, raw: bytes, position: int, offset: int) -> tuple[bytes, int]:
        """A segment without what may or must not stand around and in it: line breaks, indentation."""
        stripped = raw.lstrip(b"\r\n")
        offset += len(raw) - len(stripped)
        raw = stripped
        if raw[:1] in (b" ", b"\t"):
            stripped = raw.lstrip(b" \t\r\n")
            self._once("edi.segment.indented", raw[:8], position, offset, tolerated=self.tolerances.indented_segments)
            offset += len(raw) - len(stripped)
            raw = stripped
        if b"\n" in raw or b"\r" in raw:
            at = offset + min(index for index in (raw.find(b"\n"), raw.find(b"\r")) if index >= 0)
            self._once("edi.segment.line_break", raw[:40], position, at, tolerated=self.tolerances.wrapped_lines)
            raw = raw.replace(b"\r", b"").replace(b"\n", b"")
        return raw, offset

    def _once(self, rule: str, said: bytes, position: int, offset: int, *, tolerated: bool) -> None:
        if rule not in self.said:
            self.said.add(rule)
            severity = Severity.ACCEPT if tolerated else None
            place = replace(self.place, segment=position, offset=offset)
            self.report(finding(rule, place, said=said, wanted="segments without it", severity=severity))

    def finish(self, state: State, position: int, offset: int) -> None:
        """The end of the set: what is still missing, and the hierarchy."""
        self.passed_over(state.ending, position, offset)
        if self.hierarchy is not None:
            self.report(*self.hierarchy.nest(self.root, self.place))
        if self.dropped:
            said = f"{self.dropped} more"
            wanted = f"at most {self.limits.findings} findings in a set"
            self.findings.append(finding("edi.message.too_many_findings", self.place, said=said, wanted=wanted))


def _tag(child: Segment | Loop) -> str:
    return child.tag if isinstance(child, Segment) else child.name


def check_set(walk: Walk, parts: list[Run | Mark], end: int) -> int:
    """Read the body of one set, without ST and SE, into `walk`; how many segments it has.

    `parts` are what `segments.cut` gave between ST and SE, `end` is the byte offset of SE.
    """
    structure = walk.structure
    separator = structure.delimiters.element.encode()
    state = structure.start
    position = 1
    for part in parts:
        if isinstance(part, Mark):
            raws, offset, gap = [part.raw], part.offset, 1
        else:
            raws, offset, gap = part.segments, part.offset, part.gap
        for raw in raws:
            position += 1
            step = state.steps[raw[:KEY]]
            if step is not None and step.plain and step.match(raw):
                walk.stack[-1].loop.children.append(Segment(step.tag, raw, position, offset, step.wire))
                state = step.state
                offset += len(raw) + gap
                continue
            state, used = _one(walk, state, raw, position, offset, separator)
            if not used:
                position -= 1
            offset += len(raw) + gap
    walk.finish(state, position + 1, end)
    return position + 1


def _one(walk: Walk, state: State, raw: bytes, position: int, offset: int, separator: bytes) -> tuple[State, bool]:
    """One segment that is not plain; the state behind it, and whether it was a segment at all."""
    step = state.steps[raw[:KEY]]
    if step is None or not step.match(raw):
        raw, offset = walk.clean(raw, position, offset)
        if not raw:
            walk.report(finding("edi.segment.empty", walk.at(position, "", offset), said="", wanted="a segment"))
            return state, False
        name = raw.partition(separator)[0]
        tag = name.decode(walk.structure.charset, "replace")
        step = state.steps[raw[:KEY]]
        if step is None or step.tag != tag:
            step = state.steps[walk.structure.key(tag)] if len(tag) < KEY else None
        if step is None or step.tag != tag:
            return _unplaced(walk, state, tag, raw, position, offset), True
        if tag in ("BIN", "BDS"):
            _binary_length(walk, raw, tag, position, offset, separator)
        elif not step.match(raw):
            walk.elements(step, raw, position, offset)
    if step.choices:
        chosen = walk.choose(step, raw)
        if chosen is None:
            return _unplaced(walk, state, step.tag, raw, position, offset), True
        step = chosen
    segment = Segment(step.tag, raw, position, offset, step.wire)
    walk.move(step, segment)
    return step.state, True


def _unplaced(walk: Walk, state: State, tag: str, raw: bytes, position: int, offset: int) -> State:
    delimiters = walk.structure.delimiters
    wire = Wire(delimiters.element, delimiters.component, walk.structure.charset)
    if tag in ("BIN", "BDS"):
        _binary_length(walk, raw, tag, position, offset, delimiters.element.encode())
    spec = next((spec for spec in walk.structure.guide.segments() if spec.tag == tag), None)
    if spec is not None:
        match, wire = walk.structure.compiled(spec)
        if not match(raw):
            text = Text(delimiters, walk.structure.charset)
            walk.report(*check_segment(spec, raw, walk.at(position, tag, offset), text))
    return walk.resume(state, tag, Segment(tag, raw, position, offset, wire))


def _binary_length(walk: Walk, raw: bytes, tag: str, position: int, offset: int, separator: bytes) -> None:
    """X12.6: the length element counts the bytes of the payload, whatever stands in them."""
    element = BINARY[tag.encode()]
    pieces = raw.split(separator, element + 1)
    declared = pieces[element] if len(pieces) > element else b""
    payload = pieces[element + 1] if len(pieces) > element + 1 else b""
    if not declared.isdigit() or len(declared) > 15 or int(declared) != len(payload):  # noqa: PLR2004  element 784
        place = replace(walk.at(position, tag, offset), element=element)
        walk.report(finding("edi.segment.binary_length", place, said=declared, wanted=f"{len(payload)} bytes"))
