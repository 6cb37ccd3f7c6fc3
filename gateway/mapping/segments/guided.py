"""A map held against the guides it is for: what a rule names stands in one of them, at that place.

A base map serves several versions, so what one of its guides has is right. Elements of segments that a guide leaves
open are not checked. That a value is too long for its element is found when it is written (`gateway.mapping.written`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.canonical.shape import near
from gateway.edi.guide import ElementSpec, Guide, LoopUse, SegmentSpec, Use
from gateway.mapping.codes import REST
from gateway.mapping.rules import Problems
from gateway.mapping.segments.labels import labels, rule_key
from gateway.mapping.segments.words import IGNORE, Address, Key, Spot, read_address, read_constant, read_key
from gateway.mapping.source import Node

Find = Callable[[str], Guide | None]
"""A guide by its name, `x12/004010/855` or a partner's; None where there is none, or none that can be used."""

_TABLED: Final = ("code", "pairs", "fields", "allocations")
_SEVERAL: Final = ("each", "repeat", "inherit", "when")
"""A rule with one of these may be written often, or not at all: its uses are counted when it is written."""


def against_guides(root: Node, find: Find, problems: Problems, own: Guide | None = None) -> None:
    """Note whatever of the resolved map `root` no guide of its `guides`, nor its `own` guide, has."""
    named = root.keys.get("guides")
    document = root.keys["document"].text if "document" in root.keys else None
    guides = [own] if own is not None else []
    for node in named.items if named else []:
        guide = find(node.text or "")
        if guide is None:
            wanted = "a guide such as x12/004010/850, or a partner's"
            problems.add(
                "map.guide.missing", node.file, node.line, "guides", said=node.text or "nothing", wanted=wanted
            )
        elif guide.type != document:
            wanted = f"a guide for {document}"
            problems.add("map.guide.missing", node.file, node.line, "guides", said=guide.name, wanted=wanted)
        else:
            guides.append(guide)
    if guides and "segments" in root.keys:
        _Check(root, guides, problems).scope(root.keys["segments"], [guide.root for guide in guides], "")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line, and the specs of the segments that its segment may be."""

    node: Node
    key: str
    specs: tuple[SegmentSpec, ...]


class _Check:
    def __init__(self, root: Node, guides: Sequence[Guide], problems: Problems) -> None:
        self.codes = root.keys["codes"].keys if "codes" in root.keys else {}
        self.levels = frozenset[str]().union(*(guide.levels for guide in guides))
        self.open_levels = not all(guide.levels for guide in guides)
        self.tags = sorted({spec.tag for guide in guides for spec in guide.segments()})
        self.names = ", ".join(guide.name for guide in guides)
        self.problems = problems
        self.told: set[tuple[str, str, str]] = set()

    def scope(self, segments: Node, places: list[LoopUse], above: str) -> None:
        """The rules of a list of segments; `places` are the loops they stand in, one or more of each guide."""
        rules = segments.items
        uses: dict[str, list[Node]] = {}
        for rule, name in zip(rules, labels(rules), strict=True):
            own = f"{above}/{name}".lstrip("/")
            key = read_key(rule_key(rule))
            if key is None:
                continue  # refused when it is compiled
            found = [item for place in places for item in place.items if item.tag == key.tag]
            if not found:
                known = sorted({item.tag for place in places for item in place.items})
                elsewhere = " (it stands elsewhere in the document)" if key.tag in self.tags else ""
                wanted = f"a segment of {above or 'the header'} in {self.names}{elsewhere}" + near(key.tag, known)
                self._say("map.guide.segment", rule, own, key.tag, wanted)
                continue
            self.rule(rule, key, self._chosen(rule, key, found, own), own)
            if not any(each in rule.keys for each in _SEVERAL) and "tree" not in rule.keys:
                uses.setdefault(key.tag, []).append(rule)
                self._uses(uses[key.tag], own, key.tag, places)

    def rule(self, rule: Node, key: Key, found: list[Use | LoopUse], own: str) -> None:
        """One rule at the places that it may have."""
        loops = [_as_loop(item) for item in found]
        if "tree" in rule.keys:
            for code, level in (rule.keys["levels"].keys if "levels" in rule.keys else {}).items():
                if not self.open_levels and code not in self.levels:
                    wanted = "one of " + ", ".join(sorted(self.levels))
                    self._say("map.guide.code", level, f"{own}/{code}", code, wanted)
                if "segments" in level.keys:
                    self.scope(level.keys["segments"], loops, f"{own}/{code}")
        elif "loop" in rule.keys:
            if "segments" in rule.keys:
                self.scope(rule.keys["segments"], loops, own)
        else:
            specs = tuple(_start(item).spec for item in found)
            lines = rule.keys[rule_key(rule)]
            for spot, values in key.chosen:
                self.constant(_Line(rule, own, specs), spot, values)
            for text, node in lines.keys.items():
                address = read_address(key.tag, text)
                if address is not None:
                    self.line(_Line(node, f"{own}.{text}", specs), key.tag, address)

    def line(self, line: _Line, tag: str, address: Address) -> None:
        """The elements that one line names."""
        specs = [spec for spec in line.specs if not spec.open]
        if len(specs) < len(line.specs):
            return
        last = max(len(spec.elements) for spec in specs)
        for spot in address.spots():
            elements = _elements(specs, spot.element)
            said = f"{tag}{spot.element + 1:02d}"
            if not elements:
                self._say("map.guide.element", line.node, line.key, said, f"at most {tag}{last:02d} in {self.names}")
                return
            if not any(each.used for each in elements):
                self._say("map.guide.element", line.node, line.key, said, f"not {said}: the guide forbids it")
                return
            most = max(max(len(each.components), 1) for each in elements)
            if spot.component > most:
                wanted = f"at most {most} components" if most > 1 else "an element: it has no components"
                self._say("map.guide.element", line.node, line.key, f"{said}.{spot.component}", wanted)
                return
        constant = read_constant(line.node.text or "")
        if constant is not None and constant[0]:
            self.constant(line, address.spots()[0], (constant[0],))
        elif line.node.text != IGNORE:
            self.table(line, tag, address)

    def constant(self, line: _Line, spot: Spot, values: tuple[str, ...]) -> None:
        """Values that select a segment and are written."""
        for value in values:
            elements = [_component(each, spot) for each in _elements(line.specs, spot.element)]
            if not elements or any(_takes(each, value) for each in elements):
                continue
            self._say("map.guide.code", line.node, line.key, value, _allowed(elements))

    def table(self, line: _Line, tag: str, address: Address) -> None:
        """The codes that a line's table may write."""
        calls = [word.split() for word in (line.node.text or "").split("|")[1:]]
        name = next((call[1] for call in calls if len(call) > 1 and call[0] in _TABLED), "")
        if name not in self.codes:
            return
        spot = address.spots()[0]
        elements = [_component(each, spot) for each in _elements(line.specs, spot.element)]
        for code, entry in self.codes[name].keys.items():
            if code == REST or entry.text is None or not elements or any(_takes(each, code) for each in elements):
                continue
            told = (name, code, f"{tag}{spot.element + 1:02d}")
            if told not in self.told:
                self.told.add(told)
                wanted = f"for {told[2]} {_allowed(elements)}"
                self._say("map.guide.code", entry, f"codes.{name}.{code}", code, wanted)

    def _chosen(self, rule: Node, key: Key, found: list[Use | LoopUse], own: str) -> list[Use | LoopUse]:
        """The places whose qualifier the rule selects."""
        values = next((values for spot, values in key.chosen if spot == Spot(0)), ())
        fitting = [
            item for item in found if not values or not (taken := _start(item).qualifiers) or taken & set(values)
        ]
        if fitting:
            return fitting
        known = sorted({word for item in found for word in _start(item).qualifiers})
        self._say("map.guide.code", rule, own, "|".join(values), "one of " + ", ".join(known))
        return found

    def _uses(self, rules: list[Node], own: str, tag: str, places: list[LoopUse]) -> None:
        """Each guide has its own number; the most generous one counts. Of too many rules a delta's is told."""
        most = max(sum(item.maximum for item in place.items if item.tag == tag) for place in places)
        number = (rules[-1].keys["nth"].text or "") if "nth" in rules[-1].keys else ""
        if len(rules) > most or (number.isascii() and number.isdigit() and int(number) > most):
            told = next((one for one in rules if self.problems.nearer(one.file, rules[-1].file)), rules[-1])
            said = f"{tag} number {number or len(rules)}"
            self._say("map.guide.uses", told, own, said, f"at most {most} in {self.names}")

    def _say(self, rule: str, node: Node, key: str, said: str, wanted: str) -> None:
        self.problems.add(rule, node.file, node.line, key, said=said, wanted=wanted)


def _as_loop(item: Use | LoopUse) -> LoopUse:
    """A loop; of a segment that the guide has alone, a loop of nothing else."""
    return item if isinstance(item, LoopUse) else LoopUse(name=item.tag, label="", items=(item,))


def _start(item: Use | LoopUse) -> Use:
    return item if isinstance(item, Use) else item.start


def _elements(specs: Sequence[SegmentSpec], index: int) -> list[ElementSpec]:
    return [spec.elements[index] for spec in specs if index < len(spec.elements)]


def _component(element: ElementSpec, spot: Spot) -> ElementSpec:
    return element.components[spot.component - 1] if spot.component <= len(element.components) else element


def _takes(element: ElementSpec, value: str) -> bool:
    return (element.codes is None or value in element.codes) and len(value) <= element.maximum and element.used


def _allowed(elements: Sequence[ElementSpec]) -> str:
    codes = sorted({code for each in elements for code in each.codes or ()})
    longest = max(each.maximum for each in elements)
    return "one of " + ", ".join(codes[:20]) if codes else f"at most {longest} characters"


def guides_named(root: Node) -> Iterator[str]:
    """The names under `guides`."""
    for node in root.keys["guides"].items if "guides" in root.keys else []:
        if node.text:
            yield node.text
