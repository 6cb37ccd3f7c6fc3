"""The pattern of a whole message: its guide as one regular expression over the text between ST and SE (UNH and UNT).

A match means that nothing is wrong: every segment fits and stands in its place, no repeat is one too many, nothing
mandatory is missing. It is one call into C for the whole message; what does not match is read again by `check`, segment
by segment, which says what is wrong. Loops are possessive: a pattern never takes back a segment, so that matching is
linear, and it never takes another way than `structure` does, so that both mean the same tree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from gateway.edi.delimiters import Delimiters
from gateway.edi.guide import UNLIMITED, Guide, LoopUse, SegmentSpec, Use
from gateway.edi.patterns import segment_pattern


class _Compiler:
    def __init__(self, guide: Guide, delimiters: Delimiters) -> None:
        self._delimiters = delimiters
        self._ends = re.escape(delimiters.element + delimiters.segment)
        self._tags = Counter(_tags(guide.root))
        self._known: dict[int, str] = {}
        self._others: dict[int, frozenset[str]] = {}

    def items(self, items: Sequence[Use | LoopUse]) -> str:
        """Items in their order. Optional ones that follow each other are tried only where one of their tags stands."""
        parts: list[str] = []
        optional: list[Use | LoopUse] = []
        for before, item in zip((None, *items), items, strict=False):
            self._others[id(item)] = self._taken(before, item)
            if not item.mandatory:
                optional.append(item)
                continue
            parts += [self._guarded(optional), self._item(item)]
            optional = []
        return "".join([*parts, self._guarded(optional)])

    def _taken(self, before: Use | LoopUse | None, item: Use | LoopUse) -> frozenset[str]:
        """The qualifiers of the places of this tag right before it: it takes none of them, however often they came."""
        if before is None or before.tag != item.tag:
            return frozenset()
        start = before.start if isinstance(before, LoopUse) else before
        return self._others[id(before)] | start.qualifiers

    def _guarded(self, run: Sequence[Use | LoopUse]) -> str:
        if len(run) <= 1:
            return "".join(map(self._item, run))
        half = len(run) // 2
        inner = self._guarded(run[:half]) + self._guarded(run[half:])
        # Looking for one of many tags at once is what makes a long guide cheap: most of it is passed over by one look.
        return f"(?:(?={_one_of(sorted({item.tag for item in run}))}){inner})?+"

    def _item(self, item: Use | LoopUse) -> str:
        body = (
            self._segment(item.start) + self.items(item.items[1:]) if isinstance(item, LoopUse) else self._segment(item)
        )
        if others := self._others[id(item)]:
            # Places that qualifiers tell apart: in the guide's order here, in any other order they are read one by one.
            taken = Use(spec=item.start.spec if isinstance(item, LoopUse) else item.spec, qualifiers=others)
            body = f"(?!{self._head(taken)}){body}"
        low = 1 if item.mandatory else 0
        high = "" if item.maximum >= UNLIMITED else str(item.maximum)
        times = {("0", "1"): "?+", ("1", "1"): ""}.get((str(low), high), f"{{{low},{high}}}+")
        # What follows must not take what this place refused: one repeat too many, or a wrong segment.
        start = item.start if isinstance(item, LoopUse) else item
        refused = f"(?!{self._head(start)})" if self._tags[item.tag] > 1 else ""
        return f"(?:{body}){times}{refused}" if times else f"{body}"

    def _segment(self, use: Use) -> str:
        pattern = self._spec(use.spec) + re.escape(self._delimiters.segment)
        return f"(?={self._head(use)}){pattern}" if use.qualifiers else pattern

    def _spec(self, spec: SegmentSpec) -> str:
        known = self._known.get(id(spec))
        if known is None:
            known = self._known[id(spec)] = segment_pattern(spec, self._delimiters)
        return known

    def _head(self, use: Use) -> str:
        """The beginning of a segment that belongs to this place."""
        tag = re.escape(use.tag)
        if not use.qualifiers:
            return f"{tag}[{self._ends}]"
        ends = self._ends + re.escape(self._delimiters.component)
        codes = "|".join(re.escape(code) for code in sorted(use.qualifiers))
        return f"{tag}{re.escape(self._delimiters.element)}(?:{codes})[{ends}]"


def _tags(loop: LoopUse) -> list[str]:
    found: list[str] = []
    for item in loop.items:
        found += _tags(item) if isinstance(item, LoopUse) else [item.tag]
    return found


def _one_of(tags: Sequence[str]) -> str:
    """Tags as an alternation by first letter."""
    by: dict[str, list[str]] = {}
    for tag in tags:
        by.setdefault(tag[0], []).append(tag[1:])
    return "|".join(first + (rest[0] if len(rest) == 1 else f"(?:{'|'.join(rest)})") for first, rest in by.items())


def compile_message(guide: Guide, delimiters: Delimiters) -> re.Pattern[str]:
    """The pattern to be matched in full against a message's text, each segment with its terminator.

    Large: a tenth of a second and some hundred KB for an 850, so it is made for guides that are used much.
    """
    return re.compile(_Compiler(guide, delimiters).items(guide.root.items))
