"""A new map from a guide: all its segments in the order of the wire, what must come open, the rest as comments.

Where a known map has the segment, its lines are the guess; one that the new map's document cannot hold is taken back by
compiling what was written and putting a comment sign before each line that is told. Nothing is read or written here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.edi.guide import UNLIMITED, ElementSpec, Guide, LoopUse, SegmentSpec, Use
from gateway.errors import OurFault
from gateway.findings import FilePlace
from gateway.mapping.map import compile_map
from gateway.mapping.printed import WIDTH, flow, scalar
from gateway.mapping.rules import Problems
from gateway.mapping.segments.guided import against_guides
from gateway.mapping.segments.labels import ATTRIBUTES, rule_key
from gateway.mapping.segments.words import read_address, read_key
from gateway.mapping.source import Node, read_source

_ROUNDS: Final = 60
"""How often a guess is compiled and corrected; each round takes every line back that is told."""
_FOR_PEOPLE: Final = frozenset({"map.field.required", "map.key.missing"})
"""What only who writes the map can mend."""
_SAID: Final = ("each", "set", "repeat", "emit", "when", "nth", "inherit", "hoist")
_COLUMN: Final = 52


@dataclass(slots=True)
class _Row:
    """One line. `open`: written without a comment sign although nothing was guessed."""

    indent: int
    text: str
    must: bool
    guess: bool = True
    remark: str = ""
    open: bool = False
    bad: bool = False

    def line(self, *, active: bool) -> str:
        """As it stands in the file; without the `# ` in front it is active again."""
        text = " " * self.indent + self.text
        said = f"{text:{_COLUMN}}  # {self.remark}" if self.remark else text
        return said if active else f"# {said}"


@dataclass(frozen=True, slots=True)
class _Scope:
    """Rules of a known map that stand together, and the loops they stand in."""

    kind: str
    path: tuple[str, ...]
    rules: list[Node]


def skeleton(name: str, guide: Guide, kind: str, known: Sequence[Node]) -> str:
    """The text of a map for the guide's document; `known` are the roots of maps to guess from, the likest first."""
    rows = list(_Writer(guide, kind, known).rows())
    tables = {table: node for root in reversed(known) for table, node in _tables(root)}
    for _ in range(_ROUNDS):
        text, lines = _joined(guide, kind, rows, tables, everything=True)
        told = [row for number in _told(name, text, guide) if (row := lines.get(number)) is not None and not row.bad]
        empty = [row for row in _hollow(rows) if not row.bad]
        if not told and not empty:
            break
        for row in (*told, *empty):
            row.bad = True
            if row.text.startswith(("each:", "set:", "repeat:", "inherit:")):
                _owner(rows, row).bad = True
    return _joined(guide, kind, rows, tables, everything=False)[0]


def _told(name: str, text: str, guide: Guide) -> set[int]:
    """The lines of `text` that cannot stand, when it is compiled and held against its guide."""
    sources = {name: text}
    problems = Problems()
    root = read_source(f"maps/{name}.yaml", text, problems)
    if root is not None:
        against_guides(root, lambda _: guide, problems)
    found = list(problems.findings)
    try:
        compile_map(name, sources)
    except OurFault as fault:
        found += fault.findings
    places = [one.place for one in found if one.rule not in _FOR_PEOPLE]
    return {place.line for place in places if isinstance(place, FilePlace) and place.line}


class _Writer:
    def __init__(self, guide: Guide, kind: str, known: Sequence[Node]) -> None:
        self.guide = guide
        self.scopes: dict[str, list[_Scope]] = {}
        for root in known:
            own = root.keys["canonical"].text or ""
            if "segments" in root.keys:
                for scope in _scopes(root.keys["segments"].items, own, ()):
                    for tag in {_tag(rule) for rule in scope.rules}:
                        self.scopes.setdefault(tag, []).append(scope)
        self.kind = kind

    def rows(self) -> Iterator[_Row]:
        """The rules of the whole document."""
        yield from self.items(self.guide.root.items, (), 2, must=True)

    def items(
        self, items: Sequence[Use | LoopUse], path: tuple[str, ...], indent: int, *, must: bool
    ) -> Iterator[_Row]:
        """Segments and loops that stand together; several places of one tag are one."""
        for number, item in enumerate(items):
            first = next(place for place, one in enumerate(items) if one.tag == item.tag)
            yield _Row(indent, f"# {_usage(item)}", must, guess=False)
            if number != first and isinstance(item, Use):
                continue
            here = must and item.mandatory
            if item.tag == self.guide.nests:
                yield from self.tree(item, indent, must=here)
            elif isinstance(item, LoopUse):
                yield from self.loop(item, path, indent, must=here)
            else:
                yield from self.segment(item, path, indent, must=here)

    def loop(self, item: LoopUse, path: tuple[str, ...], indent: int, *, must: bool) -> Iterator[_Row]:
        """A loop; of several known ones the last, which is the one that takes any."""
        known = [rule for rule in self.known(item.tag, path) if "loop" in rule.keys]
        yield _Row(indent, f"- loop: {item.tag}", must, guess=bool(known), open=must)
        if known:
            yield from self.attributes(known[-1], indent + 2, must=must)
        elif item.maximum > 1:
            yield _Row(indent + 2, "each: LIST", must=False, guess=False)
        yield _Row(indent + 2, "segments:", must, guess=bool(known), open=must)
        if len(path) < 8:  # noqa: PLR2004  no guide nests deeper, and no map may
            yield from self.items(item.items, (*path, item.tag), indent + 4, must=must)

    def segment(self, item: Use, path: tuple[str, ...], indent: int, *, must: bool) -> Iterator[_Row]:
        """The rules that a known map has for the segment, or one without lines."""
        known = [_first(rule) for rule in self.known(item.tag, path)]
        if not known:
            yield _Row(indent, f"- {item.tag}:", must, guess=False, open=must)
            yield from _elements(item.spec, None, indent + 4, must=must)
        for rule in known:
            key = rule_key(rule)
            if not rule.keys[key].keys:
                yield _Row(indent, f"- {scalar(key)}: {flow(rule.keys[key])}", must)
                continue
            yield _Row(indent, f"- {scalar(key)}:", must)
            yield from _elements(item.spec, rule.keys[key], indent + 4, must=must, rest=rule is known[-1])
            yield from self.attributes(rule, indent + 2, must=must)

    def tree(self, item: Use | LoopUse, indent: int, *, must: bool) -> Iterator[_Row]:
        """The hierarchy: a known one, or its frame."""
        known = next((rule for rule in self.known(item.tag, ()) if "tree" in rule.keys), None)
        if known is not None:
            for row in _printed(known, indent):
                row.must = must
                yield row
            return
        labels = self.guide.level_labels or dict.fromkeys(sorted(self.guide.levels), "")
        yield _Row(indent, f"- tree: {item.tag}", must, guess=False)
        yield _Row(indent + 2, "each: contents", must, guess=False)
        yield _Row(indent + 2, "levels:", must, guess=False)
        for code, label in labels.items():
            text = f"{scalar(code)}: {{is: KIND, in: [], segments: []}}"
            yield _Row(indent + 4, text, must, guess=False, remark=label)

    @staticmethod
    def attributes(rule: Node, indent: int, *, must: bool) -> Iterator[_Row]:
        """`each`, `set` and the like."""
        for name in _SAID:
            if name in rule.keys:
                yield _Row(indent, f"{name}: {flow(rule.keys[name])}", must)

    def known(self, tag: str, path: tuple[str, ...]) -> list[Node]:
        """The rules of the likest place that has the tag: of this kind, in the same loops."""
        found = self.scopes.get(tag, [])
        if not found:
            return []
        best = max(
            found, key=lambda one: (one.path == path, one.kind == self.kind, one.path[-1:] == path[-1:], -len(one.path))
        )
        rules = [rule for rule in best.rules if _tag(rule) == tag]
        loops = [rule for rule in rules if "loop" in rule.keys or "tree" in rule.keys]
        return loops or rules


def _joined(
    guide: Guide, kind: str, rows: list[_Row], tables: dict[str, Node], *, everything: bool
) -> tuple[str, dict[int, _Row]]:
    """The file's text, and which row stands in which line."""
    body: list[tuple[str, _Row]] = []
    above: list[tuple[int, bool]] = []
    for row in rows:
        while above and above[-1][0] >= row.indent:
            above.pop()
        inside = above[-1][1] if above else True
        active = inside and not row.bad and row.guess and (everything or row.must)
        active = active or (inside and row.open and not everything)
        above.append((row.indent, active))
        if row.text.startswith("#"):
            body.append((" " * row.indent + row.text, row))
            above.pop()
        else:
            body.append((row.line(active=active), row))
    used = " ".join(text for text, _ in body)
    head = [
        f"# {guide.type} by {guide.name}, from `gateway map init`: guesses from other maps, the rest as comments.",
        "# Take the `# ` from what your partner uses; `gateway map check` says what is wrong or missing.",
        f"document: {scalar(guide.type)}",
        f"canonical: {kind}",
        f"guides: [{guide.name}]",
        f"title: {scalar(guide.label or guide.type)}",
    ]
    named = [
        name for name in tables if any(f" {word} {name}" in used for word in ("code", "pairs", "fields", "allocations"))
    ]
    head += ["", "codes:"] if named else []
    for name in named:
        head += _table(name, tables[name])
    head += ["", "segments:"]
    lines = [*head, *(text for text, _ in body)]
    return "\n".join(lines) + "\n", {len(head) + number: row for number, (_, row) in enumerate(body, 1)}


def _table(name: str, node: Node) -> list[str]:
    text = f"  {name}: {flow(node)}"
    if len(text) <= WIDTH:
        return [text]
    return [f"  {name}:", *(f"    {scalar(code)}: {flow(one)}" for code, one in node.keys.items())]


def _tables(root: Node) -> Iterator[tuple[str, Node]]:
    yield from (root.keys["codes"].keys if "codes" in root.keys else {}).items()


def _elements(spec: SegmentSpec, lines: Node | None, indent: int, *, must: bool, rest: bool = True) -> Iterator[_Row]:
    """The lines of a segment in the order of its elements, and those elements that no line names."""
    named: dict[int, list[tuple[str, Node]]] = {}
    covered: set[int] = set()
    for text, node in (lines.keys if lines else {}).items():
        address = read_address(spec.tag, text)
        if address is not None:
            named.setdefault(address.first, []).append((text, node))
            covered.update(range(address.first, address.last + 1))
    for number, element in enumerate(spec.elements):
        for text, node in named.pop(number, []):
            yield _Row(indent, f"{text}: {flow(node)}", must, remark=_said(element))
        if number not in covered and rest:
            own = f"{spec.tag}{number + 1:02d}"
            yield from (_Row(indent, f"{own}{part}: FIELD", False, False, said) for part, said in _parts(element))  # noqa: FBT003  as the row says
    for entries in named.values():
        for text, node in entries:
            yield _Row(indent, f"{text}: {flow(node)}", must)


def _parts(element: ElementSpec) -> Iterator[tuple[str, str]]:
    """What follows the element's number, and what stands there: the element, or each of its components."""
    if not element.components:
        yield "", _said(element)
    for number, component in enumerate(element.components, 1):
        yield f".{number}", _said(component)


def _said(element: ElementSpec) -> str:
    usage = "must come, " if element.mandatory else ""
    form = "composite" if element.components else f"{element.type} {element.minimum}/{element.maximum}"
    return f"{usage}{element.label}, {form}"


def _usage(item: Use | LoopUse) -> str:
    what = f"{item.name} loop" if isinstance(item, LoopUse) else item.tag
    label = item.start.spec.label if isinstance(item, LoopUse) else item.spec.label
    taken = sorted((item.start if isinstance(item, LoopUse) else item).qualifiers)
    often = "any number" if item.maximum >= UNLIMITED else f"up to {item.maximum}"
    usage = "must come" if item.mandatory else "optional"
    return f"{what}: {label}, {usage}, {often}" + (f", {', '.join(taken)}" if taken else "")


def _scopes(rules: list[Node], kind: str, path: tuple[str, ...]) -> Iterator[_Scope]:
    yield _Scope(kind, path, rules)
    for rule in rules:
        inside = rule.keys["segments"].items if "segments" in rule.keys else []
        if inside:
            yield from _scopes(inside, kind, (*path, _tag(rule)))
        for level in (rule.keys["levels"].keys if "levels" in rule.keys else {}).values():
            if "segments" in level.keys:
                yield from _scopes(level.keys["segments"].items, kind, (*path, _tag(rule)))


def _tag(rule: Node) -> str:
    key = read_key(rule_key(rule))
    return key.tag if key else ""


def _first(rule: Node) -> Node:
    """A segment's rule; of a loop its first, with what the loop says of it."""
    if "loop" not in rule.keys or not rule.keys.get("segments"):
        return rule
    first = rule.keys["segments"].items[0].copy()
    first.keys.update({name: rule.keys[name] for name in _SAID if name in rule.keys})
    return first


def _printed(node: Node, indent: int, lead: str = "- ") -> Iterator[_Row]:
    """Any rule, line by line; short mappings in one."""
    for number, (key, one) in enumerate(node.keys.items()):
        dash = lead if not number else " " * len(lead)
        depth = indent if not number else indent + len(lead)
        head = f"{dash.strip() + ' ' if not number and lead else ''}{scalar(key)}:"
        inside = depth + (len(lead) + 2 if not number else 2)
        if key == "segments" or (one.keys and key != "set" and key not in ATTRIBUTES and len(flow(one)) > WIDTH):
            yield _Row(depth, head, must=True)
            for each in one.items:
                yield from _printed(each, inside)
            yield from _mapping(one, inside)
        elif key == "levels":
            yield _Row(depth, head, must=True)
            for code, level in one.keys.items():
                yield _Row(inside, f"{scalar(code)}:", must=True)
                yield from _printed(level, inside + 2, lead="")
        else:
            yield _Row(depth, f"{head} {flow(one)}", must=True)


def _mapping(node: Node, indent: int) -> Iterator[_Row]:
    for key, one in node.keys.items():
        yield _Row(indent, f"{scalar(key)}: {flow(one)}", must=True)


def _hollow(rows: list[_Row]) -> Iterator[_Row]:
    """Guessed heads under which nothing is left."""
    for number, row in enumerate(rows):
        if not row.guess or row.bad or not row.text.endswith(":"):
            continue
        inside = []
        for one in rows[number + 1 :]:
            if one.indent <= row.indent:
                break
            inside.append(one)
        attributes = tuple(f"{name}:" for name in _SAID)
        if not any(one.guess and not one.bad and not one.text.startswith(attributes) for one in inside):
            yield row


def _owner(rows: list[_Row], row: _Row) -> _Row:
    """The rule that an attribute belongs to."""
    number = next(place for place, one in enumerate(rows) if one is row)
    return next((one for one in reversed(rows[:number]) if one.indent < row.indent and one.text.startswith("- ")), row)
