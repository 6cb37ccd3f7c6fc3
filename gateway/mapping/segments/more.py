"""Further items of a list that a segment before has begun: PIA after LIN, one list of item numbers over both.

Reading appends. Writing gives the segment before the first item whose scheme the map names under `first`, or none, and
packs the rest. Where the wire did it otherwise its runs are remembered and used while the list has as many items.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from gateway.edi.tree import Segment
from gateway.mapping.memory import recall, remember
from gateway.mapping.paths import Get, Path, Put, getter, putter
from gateway.mapping.segments.elements import place, trimmed
from gateway.mapping.segments.inherit import removed
from gateway.mapping.segments.rule import sole
from gateway.mapping.segments.segment import SegmentLens
from gateway.mapping.state import Json, ReadState, WriteState
from gateway.mapping.trace import Note

_HELD: Final = "\0more"
"""Where the scope's object holds, for a while, what was read in which segment and what is to be written."""
Run = tuple[str, int]
"""What selects the segment, and how many items it holds."""


@dataclass(slots=True)
class More:
    """A segment with further items."""

    lens: SegmentLens
    label: str
    path: Path
    first: tuple[str, ...]
    once: bool = False
    get: Get = field(default=lambda target: None)  # noqa: ARG005
    put: Put = field(default=lambda target, value: None)  # noqa: ARG005
    fields: frozenset[str] | None = None
    alone: SegmentLens | None = None

    def __post_init__(self) -> None:
        self.get, self.put = getter(self.path), putter(self.path)
        self.fields = frozenset({self.key})

    @property
    def name(self) -> str:
        """The segment's tag."""
        return self.lens.tag

    @property
    def key(self) -> str:
        """Under which the object holds its segments for a while."""
        return f"{_HELD}{self.label}"

    @property
    def codes(self) -> tuple[str, ...]:
        """What selects it: of two the first is for the item in place of that of the segment before."""
        return self.lens.constants[0][1] if self.lens.constants else ("",)

    def accepts(self, segment: Segment) -> bool:
        """By its constants."""
        return self.lens.accepts(segment)

    def claims(self, target: Json) -> str | None:  # noqa: ARG002  as all rules
        """It takes one after the other."""
        return None

    def read(self, child: Any, target: Json, state: ReadState) -> bool:
        """Append the segment's items; False where it says more than them."""
        segment = sole(child)
        if segment is None or not self.lens.accepts(segment):
            return False
        lens = self.lens.lenses[0]
        texts = lens.texts(segment.elements)
        items = lens.read(texts) if texts else None
        code = segment.text(1)
        if not items or self._segment(code, items) != segment:
            return False
        have = self.get(target) or []
        held = target.setdefault(self.key, {"before": len(have), "runs": []})
        held["runs"].append([code, len(items)])
        self.put(target, [*have, *items])
        if state.notes is not None:
            state.notes.append(Note(target, lens, segment, texts or [], items, len(have)))
        return True

    def hand_down(self, target: Json, state: ReadState) -> None:
        """Remember the wire's runs where writing would choose others."""
        held = target.pop(self.key, None)
        items = self.get(target)
        if not items:
            return
        before, runs = (held["before"], held["runs"]) if held else (len(items), [])
        usual, rest, chosen = self._usual(items)
        if [usual, *rest] != [items[:before], *items[before:]] or chosen != [tuple(run) for run in runs]:
            remember(target, state.syntax).setdefault("more", {})[self.label] = [before, *runs]

    def take_up(self, target: Json) -> Json:
        """`target` with what stands in segments of its own held apart from the item of the segment before."""
        items = self.get(target)
        if not items:
            return target
        before, rest, runs = self._remembered(target, items) or self._usual(items)
        changed = removed(target, self.path)
        if before:
            self.put(changed, before)
        segments, start = [], 0
        for code, count in runs:
            segments.append((code, rest[start : start + count]))
            start += count
        changed[self.key] = segments
        return changed

    def _usual(self, items: list[Any]) -> tuple[list[Any], list[Any], list[Run]]:
        """The item of the segment before, if any, the others, and how they are packed."""
        schemes = [each.get("scheme") for each in items]
        found = next((schemes.index(scheme) for scheme in self.first if scheme in schemes), None)
        before = [] if found is None else [items[found]]
        rest = items if found is None else items[:found] + items[found + 1 :]
        lens = self.lens.lenses[0]
        room = max(lens.address.last - lens.address.first + 1, 1)
        alone = 1 if found is None else 0
        runs = [(self.codes[-1], len(rest[place : place + room])) for place in range(alone, len(rest), room)]
        return before, rest, [(self.codes[0], 1), *runs] if alone else runs

    def _remembered(self, target: Json, items: list[Any]) -> tuple[list[Any], list[Any], list[Run]] | None:
        """What the wire did, while the list has as many items; None for anything that is not ours."""
        memory = recall(target, "edifact").get("more")
        form = memory.get(self.label) if isinstance(memory, dict) else None
        if not isinstance(form, list) or not form or not isinstance(form[0], int) or not 0 <= form[0] <= len(items):
            return None
        runs: list[Run] = []
        for each in form[1:]:
            match each:
                case [str(code), int(count)] if code in self.codes and count > 0:
                    runs.append((code, count))
                case _:
                    return None
        if form[0] + sum(count for _, count in runs) != len(items) or form[0] > 1:
            return None
        return items[: form[0]], items[form[0] :], runs

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Any]:  # noqa: ARG002  as all rules
        """A segment for each run."""
        made: list[Any] = []
        for code, items in target.get(self.key, ()):
            lens = self.lens.lenses[0]
            if lens.write(items) is None:
                pointer = f"{at}/{'/'.join(str(step) for step in self.path)}"
                state.lose(pointer, items, lens.reason)
            else:
                made.append(self._segment(code, items))
        return made

    def _segment(self, code: str, items: list[Any]) -> Segment:
        lens = self.lens.lenses[0]
        segment = Segment(self.lens.tag, [])
        lens.place(segment.elements, lens.write(items) or [])
        for spot, values in self.lens.constants:
            place(segment.elements, spot, code if code in values else values[0])
        return Segment(self.lens.tag, trimmed(segment.elements))
