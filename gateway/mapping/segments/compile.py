"""From a resolved map to its rules, with every law that can be told from the file alone; all problems come at once.

One line writes one field and one address; what holds of fields, types and words is `gateway.mapping.fields`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gateway.canonical import KINDS, shape
from gateway.mapping.codes import Codes
from gateway.mapping.fields import How, Place, Taken
from gateway.mapping.groups import Ids
from gateway.mapping.known import Known
from gateway.mapping.moments import Moment
from gateway.mapping.pairs import Coded, Fields
from gateway.mapping.paths import getter, read_path
from gateway.mapping.rules import Problems
from gateway.mapping.segments.claimed import claimed, claims
from gateway.mapping.segments.condition import Condition, read_condition
from gateway.mapping.segments.inherit import Inherited
from gateway.mapping.segments.labels import ATTRIBUTES, labels, rule_key
from gateway.mapping.segments.lens import Count, Guard, Lens
from gateway.mapping.segments.lines import Line, read_line
from gateway.mapping.segments.more import More
from gateway.mapping.segments.rule import Rule
from gateway.mapping.segments.scope import Scope
from gateway.mapping.segments.segment import SegmentLens, Selectors
from gateway.mapping.segments.several import Each, Repeated, Scalars
from gateway.mapping.segments.single import Ignored, Inside, One
from gateway.mapping.segments.trees import NESTS, TreeRules, lines_of
from gateway.mapping.segments.words import IGNORE, KEEP, Address, Key, Spot, read_address, read_constant, read_key
from gateway.mapping.source import Node
from gateway.mapping.state import Json

_RULE_KEYS: Final = ("loop", "tree", *ATTRIBUTES)


class Compiler(TreeRules):
    """Compiles one map. Problems go to `problems`; rules are made as far as they can be."""

    def __init__(self, kind: str, codes: Mapping[str, Codes], problems: Problems, *, comma: bool = False) -> None:
        """`comma`: numbers may have a decimal comma, as in EDIFACT."""
        super().__init__(codes, problems, comma=comma)
        self.kind = kind
        self.known = Known()
        self.said: tuple[tuple[str, str], ...] = ()

    def root(self, segments: Node, whole: Node) -> Scope:
        """The scope of the whole set; `whole` may set fields that no segment says."""
        model = KINDS[self.kind]
        self.line_orders = self.says_orders(segments)
        self.said = self._preset(whole, Place((model,), self.known, ""))
        scope = self.scope(segments, "", Place((model,), self.known, ""))
        self._required(self.known, (model,), segments, "")
        return scope

    def scope(self, segments: Node, label: str, place: Place) -> Scope:
        """The rules of a list of segments and loops."""
        nodes = segments.items
        if not nodes:
            self._say("map.file.shape", segments, place.key or "segments", "nothing", "a list of segments and loops")
        place = replace(place, claimed=claims(nodes))
        rules: list[Rule] = []
        conditions: dict[int, Condition] = {}
        counted: dict[int, int] = {}
        taken: dict[object, Node] = {}
        for node, name in zip(nodes, labels(nodes), strict=True):
            own = f"{place.key}/{name}".lstrip("/")
            rule = self._rule(node, f"{label}/{name}".lstrip("/"), own, place)
            if rule is None:
                continue
            condition, number = self.condition(node, own, place), self.number(node, own)
            same = (rule.name, _selectors(rule), number, condition.text if condition else "") if rule.once else None
            if same is not None and same in taken:
                wanted = "one rule for the segment, or nth: 2 for the second such"
                self._twice("map.address.twice", node, taken[same], own, name, wanted)
            elif same is not None:
                taken[same] = node
            if condition is not None:
                conditions[len(rules)] = condition
            if number is not None:
                counted[len(rules)] = number
            rules.append(rule)
        return Scope(label, tuple(rules), conditions, counted)

    def _rule(self, node: Node, label: str, own: str, place: Place) -> Rule | None:
        """The rule, shared or compiled."""
        each = node.keys.get("each")
        taken = claimed(place, read_path(each.text or "") or ()) if each is not None and place.claimed else ()
        rule = self.again(node, label, own, place, taken)
        if rule is None:
            begun = self.begin()
            self._known_keys(node, own)
            place = replace(place, key=own)
            rule = self.rule(node, label, place)
            if rule is not None:
                self.keep(node, rule, begun, label, place, taken)
        return rule

    def _known_keys(self, node: Node, own: str) -> None:
        for key in node.keys:
            if key not in _RULE_KEYS and read_key(key) is None:
                wanted = "a segment such as REF*BM, or one of " + ", ".join(_RULE_KEYS) + shape.near(key, _RULE_KEYS)
                self._say("map.key.unknown", node.keys[key], f"{own}.{key}", key, wanted)

    def condition(self, node: Node, own: str, place: Place) -> Condition | None:
        """`when:` of a rule; its field must exist."""
        spec = node.keys.get("when")
        if spec is None:
            return None
        found = read_condition(spec.text or "")
        if found is None:
            wanted = "field = word, field in word, word, field present or field absent"
            self._say("map.file.shape", spec, f"{own}.when", spec.text or "nothing", wanted)
            return None
        self._resolve(found.path, spec, f"{own}.when", place)
        return found

    def number(self, node: Node, own: str) -> int | None:
        """`nth:` of a rule."""
        spec = node.keys.get("nth")
        if spec is None:
            return None
        text = spec.text or ""
        if not (text.isascii() and text.isdigit() and len(text) < 3 and int(text)):  # noqa: PLR2004  two digits
            self._say("map.file.shape", spec, f"{own}.nth", text or "nothing", "a number from 1 to 99")
            return None
        return int(text)

    def rule(self, node: Node, label: str, place: Place) -> Rule | None:
        """One entry of a list of segments."""
        if "tree" in node.keys:
            return self.tree(node, place)
        each = node.keys.get("each")
        kind = self._kind_of(node)
        many = self._list(each, place, kind) if each is not None else None
        if each is not None and many is None:
            return None
        inside = place if many is None else replace(many, key=place.key)
        if "loop" in node.keys:
            return self.loop(node, label, place, inside, many)
        key = rule_key(node)
        read = read_key(key)
        if read is not None and node.keys[key].text == IGNORE:
            return Ignored(SegmentLens(read.tag, label, read.chosen, ()), label)
        if read is None or not node.keys[key].keys:
            self._say("map.file.shape", node, place.key, key or "nothing", "a segment such as REF: {REF02: field}")
            return None
        if "more" in node.keys or "inherit" in node.keys:
            return (self.further if "more" in node.keys else self.inherited)(node, read, label, place)
        if many is not None and not many.models:  # a list of texts
            lens = self.segment(node, read, label, many, scalar=True)
            path = read_path(each.text or "") if each else None
            return Scalars(lens, label, path) if lens.lenses and path else None
        lens = self.segment(node, read, label if many is None else key, inside)
        if node.keys.get("repeat") is not None:
            return self.repeated(node, lens, label, place)
        if many is None:
            if lens.always:
                self.always.append(label)
            return One(lens, label)
        path = read_path(each.text or "") if each else None
        assert path is not None
        scope = Scope("", (One(lens, key),))
        self._required(many.known, many.models, node, place.key)
        preset = self._preset(node, many)
        return Each(scope, label, path, False, lens, preset, claimed(place, path), kind)  # noqa: FBT003

    def loop(self, node: Node, label: str, place: Place, inside: Place, many: Place | None) -> Rule | None:
        """A loop, of one object each or inside the scope's own."""
        key = read_key(node.keys["loop"].text or "")
        segments = node.keys.get("segments")
        if key is None or segments is None or not segments.items:
            self._say("map.file.shape", node, place.key, "a loop without segments", "loop: TAG, and its segments")
            return None
        preset = self._preset(node, inside) if many is not None else ()
        scope = self.scope(segments, "" if many is not None else label, inside)
        first = scope.rules[0] if scope.rules else None
        if not isinstance(first, One) or first.lens.tag != key.tag:
            said = rule_key(segments.items[0])
            self._say("map.file.shape", segments.items[0], place.key, said, "first the segment that starts the loop")
            return None
        if many is None:
            return Inside(scope, label, first.lens, once=node.keys.get("repeat") is None)
        path = read_path(node.keys["each"].text or "") or ()
        self._required(many.known, many.models, node, place.key)
        return Each(scope, label, path, True, first.lens, preset, claimed(place, path), self._kind_of(node))  # noqa: FBT003

    def repeated(self, node: Node, lens: SegmentLens, label: str, place: Place) -> Rule | None:
        """A segment repeated for one list or one text."""
        if len(lens.lenses) != 1 or lens.lenses[0].pair.makes not in ("list", "allocations"):
            self._say("map.file.shape", node, place.key, "several lines", "one line with list, lines or allocations")
            return None
        return Repeated(lens, label)

    def inherited(self, node: Node, key: Key, label: str, place: Place) -> Rule | None:
        """A segment of the header that speaks of each item of a list."""
        spec, hoist = node.keys["inherit"], node.keys.get("hoist")
        path = read_path(spec.text or "")
        step = self._resolve(path, spec, f"{place.key}.inherit", place) if path else None
        if path is not None and step is None:
            return None
        if path is None or step is None or not step.many or not step.models or len(path) > 1 or path[0].key:
            self._say("map.file.shape", spec, f"{place.key}.inherit", spec.text or "nothing", "a list, such as lines")
            return None
        if hoist is not None and hoist.text not in ("when_equal", "never"):
            self._say("map.file.shape", hoist, f"{place.key}.hoist", hoist.text or "nothing", "when_equal or never")
        lens = self.segment(node, key, label, Place(step.models, Known(), place.key))
        wrong = [each for each in lens.lenses if not each.path or any(step.key for step in each.path)]
        for each in wrong:
            self.problems.add(
                "map.file.shape", each.file, each.line, each.key, said="not a field alone", wanted="a plain field"
            )
        return None if wrong else Inherited(lens, label, path, hoist is None or hoist.text != "never")

    def further(self, node: Node, key: Key, label: str, place: Place) -> Rule | None:
        """A segment with further items of a list that a segment before it begins."""
        spec, first = node.keys["more"], node.keys.get("first")
        path = read_path(spec.text or "")
        step = self._resolve(path, spec, f"{place.key}.more", place) if path else None
        lens = self.segment(node, key, label, replace(place, known=Known()))
        begun = bool(path) and place.known.at(path or ()).leaf
        if path and begun:
            self.note(Taken(How.MORE, path), place.known)
        only = len(lens.lenses) == 1 and lens.lenses[0].path == path and isinstance(lens.lenses[0].pair, Ids)
        if path is None or step is None or not begun or not only:
            wanted = "a list that a line above begins with ids, and one line of this segment for it"
            self._say("map.file.shape", spec, f"{place.key}.more", spec.text or "nothing", wanted)
            return None
        return More(lens, label, path, tuple(each.text or "" for each in (first.items if first else [])))

    def segment(self, node: Node, key: Key, label: str, place: Place, *, scalar: bool = False) -> SegmentLens:
        """The lenses and constants of one segment."""
        constants = list(key.chosen)
        lenses: list[Lens] = []
        ignored: set[Spot] = set()
        quiet: set[Spot] = set()
        guards: list[tuple[Spot, str, str, Node]] = []
        covered: set[Spot] = set()
        always = (emit := node.keys.get("emit")) is not None and emit.text == "always"
        for text, spec in node.keys[rule_key(node)].keys.items():
            own = f"{place.key}.{text}"
            address = read_address(key.tag, text)
            if address is None:
                wanted = f"{key.tag}nn, {key.tag}nn.c, {key.tag}nn..mm or {key.tag}nn.c..d"
                self._say("map.address.wrong", spec, own, text, wanted)
                continue
            constant = read_constant(spec.text or "")
            spots = address.spots()
            if constant is None and covered.intersection(spots):
                self._say("map.address.twice", spec, own, text, "one line for the element")
            covered.update(spots)
            if spec.text == IGNORE:
                ignored.update(spots)
            elif spec.text == KEEP:
                quiet.update(spots)
            elif constant is not None and constant[1]:
                guards.append((spots[0], constant[0], constant[1], spec))
            elif constant is not None:
                constants.append((spots[0], (constant[0],)))
            else:
                line = read_line(spec, address, own, self.codes, self.problems, comma=self.comma, hooks=self.hooks)
                if line is not None and (lens := self.lens(line, address, spec, own, place, scalar=scalar)):
                    lenses.append(lens)
                    always = always or lens.count is not None
        for spot, value, field, spec in guards:
            path = read_path(field)
            target = next((number for number, each in enumerate(lenses) if each.path == path), None)
            if target is None:
                wanted = "a field of the same segment" + shape.near(field, [".".join(map(str, e.path)) for e in lenses])
                own = f"{place.key}.{key.tag}{spot.element + 1:02d}"
                self._say("map.field.unknown", spec, own, field, wanted)
                continue
            lenses[target] = replace(lenses[target], guard=Guard(spot, value))
        return SegmentLens(
            key.tag, label, tuple(constants), tuple(lenses), frozenset(ignored), frozenset(quiet), always
        )

    def lens(self, line: Line, address: Address, spec: Node, key: str, place: Place, *, scalar: bool) -> Lens | None:
        """One line's lens, its field checked and claimed."""
        if scalar:
            if line.path:
                self._say("map.field.unknown", spec, key, str(line.path), ". for an item of a list of texts")
                return None
        elif isinstance(line.pair, Fields):
            if line.pair.codes.keep or line.pair.codes.rest is not None:
                # Its words are fields: a code that it does not know names none.
                said, wanted = f"…: in the table {line.pair.codes.name}", "only codes with the fields they name"
                self._say("map.codes.word", spec, key, said, wanted)
                return None
            for word in {*line.pair.codes.writing, *line.pair.codes.reading.values()}:
                steps = read_path(word)
                if steps is None or not self.field((*line.path, *steps), line.pair.inner.makes, None, spec, key, place):
                    return None
        elif isinstance(line.pair, Moment):
            for word in line.pair.codes.writing:
                makes = "when" if word == "at" else "text"
                if not self.field((*line.path, *(read_path(word) or ())), makes, None, spec, key, place):
                    return None
        else:
            table = line.pair.codes if isinstance(line.pair, Coded) else None
            if not self.field(line.path, line.pair.makes, table, spec, key, place):
                return None
        if line.beside is not None and not self.field(line.beside, "text", None, spec, key, place):
            return None
        return Lens.make(
            address=address, path=line.path, pair=line.pair, where=(spec.file, spec.line, key), joined=line.joined,
            beside=line.beside, count=_count(line.count) if line.count else None,
        )  # fmt: skip


def _count(what: str) -> Count:
    if what in NESTS:
        return lambda _document, nodes: nodes
    if what == "LIN":
        return lambda document, _nodes: lines_of(document)
    read = getter(read_path(what) or ())

    def count(document: Json, _nodes: int) -> int:
        return len(read(document) or ())

    return count


def _selectors(rule: Rule) -> Selectors:
    if isinstance(rule, (One, Inherited)):
        return rule.lens.constants
    return rule.first.constants if isinstance(rule, Inside) else ()
