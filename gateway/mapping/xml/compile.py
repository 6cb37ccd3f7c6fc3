"""From a resolved XML map to its rules: a JSON map's laws, with element paths in place of pointers.

The order of the lines is the order of the elements. A list stands in its place among the lines, or under `lists` with
`…` in its place, or at the end. `use: NAME` puts the lines of `parts: NAME` into an object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.canonical import KINDS
from gateway.canonical.shape import near
from gateway.mapping.codes import Codes
from gateway.mapping.fields import Place
from gateway.mapping.json.compile import KIND, LIST_KEYS, JsonCompiler, Opened
from gateway.mapping.json.pairs import Texts
from gateway.mapping.json.scope import Each, Fixed, JsonScope, ListRule, Member
from gateway.mapping.json.text import Pointer
from gateway.mapping.json.words import JsonConstant, JsonLine
from gateway.mapping.overlay import PLACE
from gateway.mapping.paths import Get, getter, putter, read_path
from gateway.mapping.rows import Rows, Stage
from gateway.mapping.rules import Problems
from gateway.mapping.source import Node
from gateway.mapping.xml import words
from gateway.mapping.xml.members import Shape
from gateway.mapping.xml.names import TEXT, Names
from gateway.mapping.xml.names import read_path as read_element
from gateway.mapping.xml.scope import Repeated, Usual, XmlScope

ROW_KEYS: Final = ("rows", "at", "order", "inherit")
STAGE_KEYS: Final = ("each", "is", "set", "fields", "lists")


class XmlCompiler(JsonCompiler):
    """Compiles one XML map."""

    def __init__(
        self, kind: str, codes: Mapping[str, Codes], problems: Problems, *, names: Names, writes_only: bool
    ) -> None:
        super().__init__(kind, codes, problems, writes_only=writes_only)
        self.names = names
        self.pairs = words.pairs(comma=False)
        self.times: dict[int, dict[Pointer, str]] = {}
        """By the names of the object: its moments over two elements."""

    def open(self, node: Node, place: Place) -> Opened:
        """The object's lines and lists, each list in its place."""
        lists = node.keys.get("lists")
        placed = {spec.keys["at"].text: spec for spec in (lists.items if lists else []) if "at" in spec.keys}
        above = [rule.keys["inherit"] for rule in placed.values() if "inherit" in rule.keys]
        known = {*placed, *(spec.text for one in above for spec in one.keys.values())}
        fields = node.keys.get("fields")
        if fields is not None:
            for text, spec in fields.keys.items():
                if spec.text == PLACE and text not in known:
                    self._say("map.file.shape", spec, f"{place.key}{text}", PLACE, f"a list with at: {text}")
        return super().open(node, place)

    def line(self, made: Opened, rank: int, text: str, spec: Node) -> None:
        """One line of `fields`; of a moment over two elements both are named."""
        if spec.text == PLACE:
            self._reserve(made, text)
            return
        key = f"{made.place.key}{text}"
        constant = self.constant(spec)
        if constant is not None and not self.constant_fits(constant, spec, key):
            return
        date, _, time = text.partition("..")
        if not time:
            super().line(made, rank, text, spec)
            return
        first, second = read_element(date), read_element(f"{date.rpartition('/')[0]}/{time}")
        pair = (spec.text or "").rpartition("|")[2].strip()
        if not first or not second or "/" in time or pair not in ("when", "list"):
            wanted = "/DATE..TIME: field | when, or /FIRST..SECOND: field | list; two elements side by side"
            self._say("map.address.wrong", spec, key, text, wanted)
            return
        own = Node((spec.text or "").rpartition("|")[0] + "| list 2", spec.file, spec.line) if pair == "list" else spec
        super().line(made, rank, date, own)
        if self.take(second if pair == "list" else (*second, TEXT), spec, key, made.names) is not None:
            self.times.setdefault(id(made.names), {})[first] = second[-1]

    def _reserve(self, made: Opened, text: str) -> None:
        """Keep the place of a list's elements among the children."""
        here: Any = made.names
        for step in read_element(text) or ():
            if not isinstance(here, dict):
                return
            here = here.setdefault(step, {})

    def pointer(self, text: str, node: Node, key: str, names: dict[str, Any]) -> Pointer | None:
        """The steps to the text of an element, or to an attribute."""
        pointer = self.element(text, node, key)
        if pointer is None:
            return None
        if self.as_list(node):
            if not pointer:
                self._say("map.address.wrong", node, key, text, "the path of elements")
                return None
            return self.take(pointer, node, key, names)
        return self.take(pointer if pointer and pointer[-1][0] == "@" else (*pointer, TEXT), node, key, names)

    def as_list(self, node: Node) -> bool:
        """Whether a line's elements make a list of texts."""
        line = (node.text or "").rpartition("|")
        return bool(line[0]) and isinstance(self.pairs.get(tuple(line[2].split())), Texts)

    def element(self, text: str, node: Node, key: str) -> Pointer | None:
        """The steps of a path whose prefixes the map declares."""
        pointer = read_element(text)
        if pointer is None:
            self._say("map.address.wrong", node, key, text or "nothing", "a path, such as /cac:Party/cbc:Name or /@id")
            return None
        unknown = self.names.undeclared(pointer)
        if unknown is not None:
            wanted = "a prefix under namespaces" + near(unknown, self.names.namespaces)
            self._say("map.address.wrong", node, key, f"the prefix {unknown}", wanted)
            return None
        return pointer

    def take(self, pointer: Pointer, node: Node, key: str, names: dict[str, Any]) -> Pointer | None:
        """Take the pointer in `names`; None where another rule has it or a part of it."""
        here: Any = names
        for name in pointer[:-1]:
            here = here.setdefault(name, {}) if isinstance(here, dict) else None
        last = pointer[-1]
        if not isinstance(here, dict) or (last in here and here[last] != {}):
            self._say("map.address.twice", node, key, key, "one rule for the element, and none for its parts")
            return None
        here[last] = None
        return pointer

    def array(self, made: Opened, node: Node, place: Place, keys: tuple[str, ...]) -> Pointer | None:
        """The path of the elements that a rule takes."""
        self.known_keys(node, keys, place.key)
        at = node.keys.get("at")
        pointer = self.element(at.text or "", at, place.key) if at is not None else None
        if at is None or not pointer or pointer[-1].startswith("@"):
            self._say("map.file.shape", node, place.key, "nothing", "at: the path of the elements")
            return None
        return self.take(pointer, at, place.key, made.names)

    def constant(self, spec: Node) -> JsonConstant | None:
        """What a line writes that names no field: always a text."""
        return words.read_constant(spec.text or "")

    def words(self, spec: Node, key: str, _place: Place) -> JsonLine | None:
        """Path and pair of a line that names a field."""
        return words.read_line(spec, key, self.codes, self.pairs, self.problems)

    def defaults(self, node: Node) -> tuple[tuple[str, str], ...]:
        """Pointer and value of fields that the wire has no place for: what they say by default is no loss."""
        made: list[tuple[str, str]] = []
        for text, value in (node.keys["default"].keys if "default" in node.keys else {}).items():
            path, key = read_path(text), f"default.{text}"
            step = self._resolve(path, value, key, Place((KINDS[self.kind],), self.known, key)) if path else None
            if step is None or path is None or step.type is not str or not value.text:
                wanted = "a text field of the document, and its value"
                self._say("map.field.type", value, key, value.text or "nothing", wanted)
            else:
                made.append(("/" + "/".join(one.name for one in path), value.text))
        return tuple(made)

    def fix(
        self, rank: int, pointer: Pointer, constant: JsonConstant, get: Get | None, beside: frozenset[Pointer] | None
    ) -> Fixed:
        """A constant, or a field of the document said again: only with company."""
        if isinstance(constant.value, words.Usually):
            return Usual(rank=rank, pointer=pointer, value=constant.value.text, get=get, beside=beside)
        if not isinstance(constant.value, words.Again):
            return super().fix(rank, pointer, constant, get, beside)
        path = read_path(constant.value.path) or ()
        return Repeated(rank=rank, pointer=pointer, value="", beside=beside or frozenset(), path=path)

    def constant_fits(self, constant: JsonConstant, spec: Node, key: str) -> bool:
        """Whether a field that is said again is a plain text of the document."""
        if not isinstance(constant.value, words.Again):
            return True
        place = Place((KINDS[self.kind],), self.known, key)
        path = read_path(constant.value.path)
        step = self._resolve(path, spec, key, place) if path else None
        if path and step is not None and step.type is str and not step.many:
            self.known.claim(path)  # where no line of its own has it
            return True
        if step is not None or not path:
            self._say("map.field.type", spec, key, constant.value.path, "a text field of the document")
        return False

    def around(self, pointer: Pointer, pointers: set[Pointer]) -> Pointer:
        """The innermost element around it in which a line or list says something."""
        above = pointer[:-2] if pointer[-1] == TEXT else pointer[:-1]
        while above and not any(each[: len(above)] == above for each in pointers):
            above = above[:-1]
        return above

    def made(
        self, members: tuple[Member, ...], fixed: tuple[Fixed, ...], lists: tuple[ListRule, ...], names: dict[str, Any]
    ) -> JsonScope:
        """The scope of these rules."""
        return XmlScope(members, fixed, lists, names, times=self.times.get(id(names), {}))

    def list_of(self, made: Opened, rank: int, node: Node, place: Place) -> ListRule | None:
        """Elements for the items of a list, or rows for a nest of lists."""
        if "rows" in node.keys:
            return self.rows_of(made, rank, node, place)
        default = node.keys.pop("default", None)
        rule = super().list_of(made, rank, node, place)
        if default is None or not isinstance(rule, Each):
            return rule
        said = tuple((name, value.text or "") for name, value in default.keys.items())
        for name, value in default.keys.items():
            member = next((one for one in rule.scope.members if [step.name for step in one.path] == [name]), None)
            if member is None or not value.text:
                wanted = "a field that a line of the list names, and its value"
                self._say("map.field.unknown", value, f"{place.key}.default.{name}", name, wanted)
        return replace(rule, default=said)

    def tree_of(self, _made: Opened, _rank: int, node: Node, place: Place) -> ListRule | None:
        """XML has rows and fixed nestings instead."""
        self.known_keys(node, (*LIST_KEYS, *ROW_KEYS), place.key)
        return None

    def rows_of(self, made: Opened, rank: int, node: Node, place: Place) -> ListRule | None:
        """Rows, their stages from the outside in."""
        pointer = self.array(made, node, place, ROW_KEYS)
        if pointer is None:
            return None
        stages, named = self.stages(node.keys["rows"], replace(made.place, key=place.key))
        if not stages:
            return None
        named = self.in_order(node, named, place)
        inherit = self.handed_down(made, node, named, place)
        return Rows(rank, pointer, stages, _shape(named, stages), named, inherit)

    def in_order(self, node: Node, named: dict[str, Any], place: Place) -> dict[str, Any]:
        """The names, those first that `order` gives."""
        made: dict[str, Any] = {}
        for spec in node.keys["order"].items if "order" in node.keys else ():
            here: Any = made
            known: Any = named
            for step in self.element(spec.text or "", spec, f"{place.key}.order") or ():
                if not isinstance(known, dict) or step not in known:
                    self._say(
                        "map.address.wrong", spec, f"{place.key}.order", spec.text or "", "an element of the rows"
                    )
                    break
                known = known[step]
                here = here.setdefault(step, None if known is None else {})
        _join(made, named, fresh=True)
        return made

    def handed_down(
        self, made: Opened, node: Node, named: dict[str, Any], place: Place
    ) -> tuple[tuple[Pointer, Pointer], ...]:
        """The element of a row, and that of the whole document."""
        found = []
        for inside, spec in (node.keys["inherit"].keys if "inherit" in node.keys else {}).items():
            key = f"{place.key}.inherit.{inside}"
            row = self.element(inside, spec, key)
            above = self.element(spec.text or "", spec, key)
            if row is None or above is None or made.place.key:
                self._say("map.address.wrong", spec, key, inside, "rows of the whole document, and two elements")
                continue
            here: Any = named
            for step in (*row, TEXT):
                here = here.get(step, ...) if isinstance(here, dict) else ...
            if here is not None:
                self._say("map.address.wrong", spec, key, inside, "an element that a line of the rows names")
            elif (taken := self.take((*above, TEXT), spec, key, made.names)) is not None:
                found.append(((*row, TEXT), taken))
        return tuple(found)

    def stages(self, node: Node, place: Place) -> tuple[tuple[Stage, ...], dict[str, Any]]:
        """The stages of rows, and all that they name: the innermost first, as their elements stand."""
        made: list[Stage] = []
        above: list[Place] = [place]
        for spec in node.items:
            self.known_keys(spec, STAGE_KEYS, place.key)
            each = spec.keys.get("each")
            path = read_path((each.text if each else None) or "")
            key = f"{place.key}/{each.text if each else '?'}"
            inside = self.items(path, each, replace(above[-1], key=key)) if each and path else None
            if inside is None or each is None or not path:
                if not path:
                    self._say("map.file.shape", spec, key, "nothing", "each: the path of a list")
                return (), {}
            preset, inside = self.preset(spec, inside)
            for outer in above if KIND in dict(preset) else above[-1:]:
                known = outer.known.at(path)
                if KIND in dict(preset):
                    known.put_kind((dict(preset)[KIND], preset), inside.known)
                else:
                    known.items = inside.known
            scope = self.scope_of(spec, inside)
            if not self.writes_only:
                self._required(inside.known, inside.models, spec, key)
            made.append(Stage(path=path, preset=preset, scope=scope, get=getter(path), put=putter(path)))
            above.append(inside)
        named: dict[str, Any] = {}
        for stage in reversed(made):
            twice = _join(named, stage.scope.names)
            if twice:
                self._say("map.address.twice", node, place.key, twice, "one rule for the element, in one stage")
        return tuple(made), named


def use_parts(node: Node, parts: Mapping[str, Node], problems: Problems, above: tuple[str, ...] = ()) -> None:
    """Put the lines of parts where they are used."""
    use = node.keys.pop("use", None)
    if use is not None:
        name = use.text or ""
        if name not in parts or name in above:
            wanted = "a name under parts" + near(name, parts)
            problems.add("map.file.shape", use.file, use.line, "use", said=name or "nothing", wanted=wanted)
        else:
            part = parts[name].copy()
            use_parts(part, parts, problems, (*above, name))
            for section in ("fields", "lists"):
                own = node.keys.get(section)
                theirs = part.keys.get(section)
                if theirs is not None and own is None:
                    node.keys[section] = theirs
                elif theirs is not None and own is not None:
                    own.value = {**own.keys, **theirs.keys} if section == "fields" else [*own.items, *theirs.items]
    for section in ("lists", "rows"):
        for each in node.keys[section].items if section in node.keys else ():
            use_parts(each, parts, problems, above)
    fields = node.keys.get("fields")
    made: dict[str, Node] = {}
    for text, spec in fields.keys.items() if fields else ():
        if spec.keys:
            use_parts(spec, parts, problems, above)
            for key, value in spec.keys.items():
                if key not in ("fields", "lists"):
                    wanted = "each: a list, or fields and use for a group of lines"
                    problems.add("map.key.unknown", value.file, value.line, text, said=key, wanted=wanted)
            inner, lists = spec.keys.get("fields"), spec.keys.get("lists")
            made.update({_below(text, key): value for key, value in (inner.keys if inner else {}).items()})
            for rule in lists.items if lists else ():
                at = rule.keys["at"] if "at" in rule.keys else Node("", rule.file, rule.line)
                rule.keys["at"] = Node(_below(text, at.text or ""), at.file, at.line)
                node.keys.setdefault("lists", Node([], rule.file, rule.line)).items.append(rule)
        else:
            made[text] = spec
    if fields is not None:
        fields.value = made


def _below(path: str, key: str) -> str:
    """The path of a line in a group."""
    return path if key == "." else path + key


def _join(left: dict[str, Any], right: Mapping[str, Any], *, fresh: bool = False) -> str:
    """Add `right` to `left`; a name that both have as their own. `fresh`: `left` is but the order of some of them."""
    twice = ""
    for name, below in right.items():
        if name not in left:
            left[name] = {} if isinstance(below, dict) else below
        elif below is None and left[name] is None and fresh:
            continue
        elif not (isinstance(below, dict) and isinstance(left[name], dict)):
            return name
        if isinstance(below, dict):
            twice = _join(left[name], below, fresh=fresh) or twice
    return twice


def _shape(named: dict[str, Any], stages: tuple[Stage, ...]) -> Shape:
    lists: dict[Pointer, Shape | None] = {}
    times: dict[Pointer, str] = {}
    for stage in stages:
        if isinstance(stage.scope, XmlScope):
            lists.update(stage.scope.shape.lists)
            times.update(stage.scope.shape.times)
    return Shape(named, lists, times)
