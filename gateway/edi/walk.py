"""The slow path through a guide's loops: says why a segment has no place here, and goes on where it belongs.

A segment without a place costs one finding: the walk resumes at the place that an open loop has for it, or begins the
loop whose first segment is missing. The fast path is `check`; both share the stack of open loops kept here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.edi.characters import sent, size
from gateway.edi.elements import check_segment
from gateway.edi.guide import LoopUse, SegmentSpec
from gateway.edi.hierarchy import Hierarchy
from gateway.edi.library import Guides
from gateway.edi.rules import finding
from gateway.edi.structure import KEY, Place, State, Step, Structure, together
from gateway.edi.tolerances import Limits, Tolerances
from gateway.edi.tree import Loop, Segment
from gateway.findings import EdiPlace, Finding, Severity

Children = list[Segment | Loop]

BINARY = {"BIN": 1, "BDS": 2}
"""Binary segments and the element that counts the payload's bytes; the payload is the next element (X12.6)."""

_NOWHERE = EdiPlace()
_KNOWN_NOTHING = Tolerances()
_NO_LIMITS = Limits()


@dataclass(slots=True)
class Doubt:
    """A segment that came out of sequence, and where the walk stood before it: perhaps it was only a stray."""

    finding: Finding
    segment: Segment
    state: State
    stack: list[Children]
    counts: list[int]
    among: Children
    """Where it was hung: while the walk is still there, what was left can be taken up again."""


@dataclass(slots=True)
class Walk:
    """The state of one set while it is read."""

    structure: Structure
    guides: Guides | None = None
    """Those that may know a segment which this guide does not."""
    place: EdiPlace = _NOWHERE
    """Names interchange, group and set."""
    tolerances: Tolerances = _KNOWN_NOTHING
    limits: Limits = _NO_LIMITS
    charset: str = "utf-8"
    root: Loop = field(default_factory=lambda: Loop("", []))
    stack: list[Children] = field(default_factory=list)
    """The children of every open loop, the root's first."""
    counts: list[int] = field(default_factory=list)
    """How often each open loop has come so far."""
    findings: list[Finding] = field(default_factory=list)
    dropped: int = 0
    """Findings beyond the limit, notes not counted, and whether one of them refuses the set."""
    refused: bool = False
    times: int = 0
    last: Segment | None = None
    """The last segment whose repeats were counted, and how many there were."""
    hierarchy: Hierarchy | None = None
    said: set[str] = field(default_factory=set)
    """Rules that are reported once per set."""
    missed: dict[tuple[int, int], Finding] = field(default_factory=dict)
    """What was reported missing: by the children it should stand among and its place."""
    doubt: Doubt | None = None
    tally: dict[tuple[int, int], int] = field(default_factory=dict)
    """Of places that come in any order: how often each came, by the children that it stands among and its state."""

    def __post_init__(self) -> None:
        self.stack = [self.root.children]
        self.counts = [1]
        if self.structure.guide.nests:
            self.hierarchy = Hierarchy(self.structure.guide.levels, self.limits.depth)

    def report(self, *found: Finding) -> None:
        """Keep findings, up to the limit."""
        for one in found:
            if len(self.findings) < self.limits.findings:
                self.findings.append(one)
            elif one.severity is not Severity.ACCEPT:
                self.dropped += 1
                self.refused = self.refused or one.severity is Severity.REJECT

    @property
    def hopeless(self) -> bool:
        """Whether so much is wrong that reading on would only cost time: the set is refused in any case."""
        return self.refused and self.dropped > self.limits.findings

    def at(self, segment: int, tag: str, offset: int) -> EdiPlace:
        """The place of one segment."""
        place = self.place
        return EdiPlace(
            interchange=place.interchange,
            group=place.group,
            message=place.message,
            segment=segment,
            tag=tag,
            offset=offset,
        )

    def elements(self, spec: SegmentSpec, raw: str, position: int, offset: int) -> None:
        """Say what is wrong inside a segment that the fast path did not pass."""
        place = self.at(position, spec.tag, offset)
        if spec.tag in BINARY and self.structure.guide.standard == "x12":
            payload = raw.encode(self.charset, "surrogateescape")
            self.report(*_binary_length(payload, place, self.structure.delimiters.element.encode()))
        else:
            self.report(*check_segment(spec, raw, place, self.structure.delimiters, self.charset))

    def passed_over(self, state: State, missing: tuple[Place, ...], position: int, offset: int) -> None:
        """Report mandatory places that were passed over, unless they came out of sequence."""
        loops = _chain(state)
        for place in missing:
            open_ = next((self.stack[level] for level, loop in enumerate(loops) if loop is place.loop), None)
            if open_ is not None and len(together(place)) > 1:
                behind = self.structure.state(place.items[0] if place.items else place)
                came = (id(open_), id(behind)) in self.tally
            else:
                came = open_ is not None and any(_tag(child) == place.tag for child in open_)
            if not came:
                found = self._missing("edi.segment.missing", place.tag, position, offset)
                if open_ is not None:
                    self.missed[id(open_), id(place)] = found

    def _missing(self, rule: str, tag: str, position: int, offset: int) -> Finding:
        wanted = f"{tag} before this place"
        found = finding(rule, self.at(position, tag, offset), said="", wanted=wanted)
        self.report(found)
        return found

    def move(self, state: State, step: Step, segment: Segment) -> None:
        """Take any step: report what it passes over, end loops, count repeats, begin a loop, append."""
        if step.missing:
            self.passed_over(state, step.missing, segment.position, segment.offset)
        times = self._times(step) if step.together else 0
        if step.opens is not None:
            times = times or (self.counts[-step.pops] + 1 if step.again else 1)
            if times == step.maximum + 1:
                self.too_many("edi.segment.too_many_loops", step, segment)
            self.end(step.pops)
            self.begin(step.opens, segment, times)
            return
        self.end(step.pops)
        children = self.stack[-1]
        if times:
            if times == step.maximum + 1:
                self.too_many("edi.segment.too_many", step, segment)
        elif step.again:
            # The first one was not counted: it is this segment's neighbour all the same.
            self.times = self.times + 1 if children and children[-1] is self.last else 2
            self.last = segment
            if self.times == step.maximum + 1:
                self.too_many("edi.segment.too_many", step, segment)
        children.append(segment)

    def _times(self, step: Step) -> int:
        """How often this one of several places that come in any order has come in its loop, now counted in."""
        key = (id(self.stack[-1 - step.pops]), id(step.state))
        self.tally[key] = times = self.tally.get(key, 0) + 1
        return times

    def too_many(self, rule: str, step: Step, segment: Segment) -> None:
        """Report the first repeat too many."""
        place = self.at(segment.position, segment.tag, segment.offset)
        wanted = f"at most {step.maximum} {step.tag} here"
        self.report(finding(rule, place, said=segment.tag, wanted=wanted))

    def end(self, loops: int) -> None:
        """Leave so many loops."""
        if loops:
            del self.stack[-loops:]
            del self.counts[-loops:]

    def begin(self, name: str, segment: Segment, times: int) -> None:
        """Begin a loop with its first segment."""
        children: Children = [segment]
        loop = Loop(name, children)
        if self.hierarchy is not None and name == self.structure.guide.nests:
            self.hierarchy.add(len(self.root.children), loop)
        else:
            self.stack[-1].append(loop)
        self.stack.append(children)
        self.counts.append(times)

    def resume(self, state: State, tag: str, segment: Segment) -> State:
        """A segment that has no step: say what it is, hang it where it belongs, and go on from there."""
        place = self.at(segment.position, tag, segment.offset)
        if tag not in self.structure.specs:
            known = self.guides is not None and self.guides.knows_segment(self.structure.guide.version, tag)
            rule = "edi.segment.not_in_set" if known else "edi.segment.unknown"
            self.report(finding(rule, place, said=tag, wanted=f"a segment of {self.structure.guide.type}"))
            self.stack[-1].append(segment)
            return state
        taken = self._taken_up(tag, segment)
        if taken is not None:
            return taken
        loops = _chain(state)
        target = next((item for loop in reversed(loops) for item in loop.items if item.tag == tag), None)
        if target is not None:
            return self._back(state, target, loops, segment)
        starter = _without_start(state, tag)
        if starter is not None:
            self._missing("edi.segment.loop_start_missing", starter.tag, segment.position, segment.offset)
            self.end(len(loops) - 1 - _level(loops, starter.loop))
            return self._inside(starter, segment, None)
        wanted = f"{tag} in the loop it belongs to"
        self.report(finding("edi.segment.unexpected", place, said=tag, wanted=wanted))
        self.stack[-1].append(segment)
        return state

    def _back(self, state: State, target: Place, loops: list[Place], segment: Segment) -> State:
        """A segment whose place was passed already, in a loop that is open."""
        tag = segment.tag
        place = self.at(segment.position, tag, segment.offset)
        if target.index == 0 and target.loop.parent is not None:
            # The segment that begins a loop means the loop.
            target = target.loop
        level = _level(loops, target.loop)
        open_ = target is state.place or any(loop is target for loop in loops)
        before = (list(self.stack), list(self.counts))
        if open_ and target.use.maximum == 1 and not _qualified(target):
            rule = "edi.segment.too_many_loops" if target.items else "edi.segment.too_many"
            found = finding(rule, place, said=tag, wanted=f"one {tag} here")
        else:
            missed = self.missed.pop((id(self.stack[level]), id(target)), None)
            if missed in self.findings:
                # It was not missing: one cause, one finding.
                self.findings.remove(missed)
            found = finding("edi.segment.out_of_sequence", place, said=tag, wanted=f"{tag} at its place")
        self.report(found)
        self.end(len(loops) - 1 - level)
        if isinstance(target.use, LoopUse):
            self.begin(target.use.name, segment, 1)
            return self.structure.state(target.items[0])
        self.stack[-1].append(segment)
        self.doubt = Doubt(found, segment, state, *before, self.stack[-1])
        return self.structure.state(target)

    def _taken_up(self, tag: str, segment: Segment) -> State | None:
        """The state from which to go on where a segment out of sequence was the stray, not this one behind it."""
        doubt, self.doubt = self.doubt, None
        if doubt is None or doubt.among is not self.stack[-1]:
            return None
        step = doubt.state[self.structure.key(tag)]
        if step is not None and step.choices:
            options = step.choices
            step = next((one for one in options if not one.qualifiers or segment.text(1) in one.qualifiers), None)
        if step is not None and step.tag == tag and not step.missing:
            self.stack[:], self.counts[:] = doubt.stack, doubt.counts
            self.move(doubt.state, step, segment)
            return step.state
        starter = _without_start(doubt.state, tag)
        first = doubt.segment
        if (
            starter is None
            or first.position + 1 != segment.position
            or doubt.among[-1] is not first
            or all(inner.tag != first.tag for inner in starter.items[1:])
        ):
            return None
        # Both stand in a loop whose first segment is missing: that is the cause.
        if doubt.finding in self.findings:
            self.findings.remove(doubt.finding)
        doubt.among.pop()
        self.stack[:], self.counts[:] = doubt.stack, doubt.counts
        self._missing("edi.segment.loop_start_missing", starter.tag, first.position, first.offset)
        loops = _chain(doubt.state)
        self.end(len(loops) - 1 - _level(loops, starter.loop))
        return self._inside(starter, segment, first)

    def _inside(self, starter: Place, segment: Segment, first: Segment | None) -> State:
        """Begin a loop without its first segment: with `first`, if there is one, and `segment`."""
        inner = next(item for item in starter.items[1:] if item.tag == segment.tag)
        nests = starter.tag == self.structure.guide.nests
        if first is None and (nests or inner.items):
            # A loop begins with a segment in any tree: here with an empty one, and the message is refused.
            self.begin(starter.tag, Segment(starter.tag, [], segment.position, segment.offset), 1)
        elif first is not None:
            self.begin(starter.tag, first, 1)
        else:
            self.begin(starter.tag, segment, 1)
            return self.structure.state(inner)
        if inner.items:
            self.begin(inner.tag, segment, 1)
            return self.structure.state(inner.items[0])
        self.stack[-1].append(segment)
        return self.structure.state(inner)

    def clean(self, raw: str, position: int, offset: int) -> tuple[str, int]:
        """A segment without what may or must not stand around and in it: line breaks, indentation."""
        stripped = raw.lstrip("\r\n")
        offset += len(raw) - len(stripped)
        raw = stripped
        if raw[:1] in (" ", "\t"):
            stripped = raw.lstrip(" \t\r\n")
            place = self.at(position, self._tag(stripped), offset)
            self._once("edi.segment.indented", raw[:8], place, tolerated=self.tolerances.indented_segments)
            offset += len(raw) - len(stripped)
            raw = stripped
        if "\n" in raw or "\r" in raw:
            at = min(index for index in (raw.find("\n"), raw.find("\r")) if index >= 0)
            at = offset + size(raw[:at], self.charset, self.structure.delimiters)
            self._once("edi.segment.line_break", raw[:40], self.at(position, self._tag(raw), at), tolerated=False)
            raw = raw.replace("\r", "").replace("\n", "")
        return raw, offset

    def _tag(self, raw: str) -> str:
        return raw.partition(self.structure.delimiters.element)[0].replace("\r", "").replace("\n", "")[:KEY]

    def _once(self, rule: str, said: str, place: EdiPlace, *, tolerated: bool) -> None:
        if rule not in self.said:
            self.said.add(rule)
            severity = Severity.ACCEPT if tolerated else None
            said = sent(said, self.structure.delimiters)
            self.report(finding(rule, place, said=said, wanted="segments without it", severity=severity))

    def finish(self, state: State, position: int, offset: int) -> None:
        """The end of the set: what is still missing, and the hierarchy."""
        self.passed_over(state, state.ending, position, offset)
        if self.hierarchy is not None:
            self.report(*self.hierarchy.nest(self.root.children, self.place))
        if self.dropped:
            said = f"{self.dropped} more"
            wanted = f"at most {self.limits.findings} findings in a set"
            severity = None if self.refused else Severity.ACCEPT_WITH_ERRORS
            self.findings.append(
                finding("edi.message.too_many_findings", self.place, said=said, wanted=wanted, severity=severity)
            )


def _tag(child: Segment | Loop) -> str:
    return child.tag if isinstance(child, Segment) else child.name


def _chain(state: State) -> list[Place]:
    """The loops that are open in a state, the root first: one for each level of the stack."""
    loops: list[Place] = []
    loop = state.place.parent
    while loop is not None:
        loops.append(loop)
        loop = loop.parent
    return loops[::-1]


def _level(loops: list[Place], loop: Place) -> int:
    return next(level for level, one in enumerate(loops) if one is loop)


def _qualified(place: Place) -> bool:
    start = place.use.start if isinstance(place.use, LoopUse) else place.use
    return bool(start.qualifiers)


def _without_start(state: State, tag: str) -> Place | None:
    """The loop that could begin here and has this tag inside, as a segment of its own or beginning a loop."""
    loop, index = state.place.parent, state.place.index
    while loop is not None:
        for item in loop.items[index + 1 :]:
            if any(inner.tag == tag for inner in item.items[1:]):
                return item
        index = loop.index
        loop = loop.parent
    return None


def _binary_length(raw: bytes, place: EdiPlace, separator: bytes) -> list[Finding]:
    """X12.6: the length element counts the bytes of the payload, whatever stands in them."""
    element = BINARY[raw[:3].decode("ascii")]
    pieces = raw.split(separator, element + 1)
    declared = pieces[element] if len(pieces) > element else b""
    payload = pieces[element + 1] if len(pieces) > element + 1 else b""
    if declared.isdigit() and len(declared) <= 15 and int(declared) == len(payload):  # noqa: PLR2004  element 784
        return []
    where = replace(place, element=element)
    return [finding("edi.segment.binary_length", where, said=declared, wanted=f"{len(payload)} bytes")]
