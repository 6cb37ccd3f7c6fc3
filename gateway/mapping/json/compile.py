"""From a resolved JSON map to its rules, with every law that can be told from the file; all problems come at once.

What holds of fields, types, words and of what the model demands is the segment compiler's; here are members.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import BaseModel

from gateway.canonical import KINDS, shape
from gateway.mapping.codes import Codes
from gateway.mapping.fields import Place
from gateway.mapping.json.scope import Each, Fixed, JsonScope, Level, ListRule, Member, Preset, Tree
from gateway.mapping.json.text import Pointer, read_pointer
from gateway.mapping.json.words import JsonConstant, JsonLine, read_constant, read_line
from gateway.mapping.known import Known
from gateway.mapping.paths import Get, Path, getter, putter, read_path
from gateway.mapping.rules import Problems
from gateway.mapping.segments.compile import Compiler
from gateway.mapping.source import Node

LIST_KEYS: Final = ("each", "at", "set", "fields", "lists")
TREE_KEYS: Final = ("tree", "at", "by", "levels")
LEVEL_KEYS: Final = ("is", "set", "in", "fields", "lists")
KIND: Final = "kind"


@dataclass(slots=True)
class Opened:
    """One object while it is compiled."""

    place: Place
    names: dict[str, Any] = field(default_factory=dict)
    """The members named so far, as `JsonScope.names`."""
    members: list[Member] = field(default_factory=list)
    constants: list[tuple[int, Pointer, JsonConstant, Node, str]] = field(default_factory=list)
    lists: list[ListRule] = field(default_factory=list)
    claimed: tuple[tuple[tuple[str, ...], str, str], ...] = ()
    """List, key and value of items that single lines write."""
    presets: dict[tuple[str, ...], list[Preset]] = field(default_factory=dict)
    """What the rules of each list take."""


class JsonCompiler(Compiler):
    """Compiles one JSON map. `writes_only`: it may name computed fields, and need not name what a model demands."""

    def __init__(self, kind: str, codes: Mapping[str, Codes], problems: Problems, *, writes_only: bool) -> None:
        super().__init__(kind, codes, problems)
        self.writes_only = writes_only
        self.computed: set[str] = set()
        """Computed fields that the map writes."""

    def top(self, root: Node) -> JsonScope:
        """The scope of the whole body."""
        model = KINDS[self.kind]
        scope = self.scope_of(root, Place((model,), self.known, ""))
        if not self.writes_only:
            self._required(self.known, (model,), root.keys.get("fields", root), "fields")
        return scope

    def scope_of(self, node: Node, place: Place) -> JsonScope:
        """The scope that `fields` and `lists` of `node` make."""
        return self.close(self.open(node, place))

    def open(self, node: Node, place: Place) -> Opened:
        """The object's lines and lists; more may be added before it is closed."""
        fields, lists = node.keys.get("fields"), node.keys.get("lists")
        made = Opened(place, claimed=_claims(fields))
        if fields is None and lists is None:
            self._say("map.file.shape", node, place.key or "fields", "nothing", "fields: {/Member: field}, or lists")
        rank = 0
        for text, spec in (fields.keys if fields else {}).items():
            self.line(made, rank, text, spec)
            rank += 1
        for each in lists.items if lists else []:
            at = each.keys["at"].text if "at" in each.keys else None
            inside = replace(place, key=f"{place.key}{at or '/?'}")
            rule = (self.tree_of if "tree" in each.keys else self.list_of)(made, rank, each, inside)
            made.lists += [rule] if rule is not None else []
            rank += 1
        return made

    def close(self, made: Opened) -> JsonScope:
        """The scope, its constants joined to what stands beside them."""
        pointers = {each.pointer for each in made.members} | {each.pointer for each in made.lists}
        fixed: list[Fixed] = []
        for rank, pointer, constant, spec, key in made.constants:
            member = None
            if constant.field:
                path = read_path(constant.field)
                member = next((each for each in made.members if each.path == path), None)
                if member is None:
                    known = [".".join(map(str, each.path)) for each in made.members]
                    wanted = "a field that a line beside it names" + shape.near(constant.field, known)
                    self._say("map.field.unknown", spec, key, constant.field, wanted)
                    continue
            above = self.around(pointer, pointers)
            beside = frozenset(each for each in pointers if above and each[: len(above)] == above) or None
            get = member.get if member else None
            fixed.append(self.fix(rank, pointer, constant, get, beside))
        return self.made(tuple(made.members), tuple(fixed), tuple(made.lists), made.names)

    def fix(
        self, rank: int, pointer: Pointer, constant: JsonConstant, get: Get | None, beside: frozenset[Pointer] | None
    ) -> Fixed:
        """A constant."""
        return Fixed(rank=rank, pointer=pointer, value=constant.value, get=get, beside=beside)

    def made(
        self, members: tuple[Member, ...], fixed: tuple[Fixed, ...], lists: tuple[ListRule, ...], names: dict[str, Any]
    ) -> JsonScope:
        """The scope of these rules."""
        return JsonScope(members, fixed, lists, names)

    def line(self, made: Opened, rank: int, text: str, spec: Node) -> None:
        """One line of `fields`."""
        place = made.place
        key = f"{place.key}{text}"
        pointer = self.pointer(text, spec, key, made.names)
        if pointer is None:
            return
        constant = self.constant(spec)
        if constant is not None:
            made.constants.append((rank, pointer, constant, spec, key))
            return
        line = self.words(spec, key, place)
        if line is None or not self.field(line.path, line.pair.makes, line.table, spec, key, place):
            return
        if line.beside is not None and not self.field(line.beside, "text", None, spec, key, place):
            return
        if line.count is not None:
            step = self._resolve(line.count, spec, key, place)
            if step is None or not step.many:
                if step is not None:
                    self._say("map.field.type", spec, key, str(line.count[-1]), "a list to count")
                return
        step = self._resolve(line.path, spec, key, place)
        made.members.append(
            Member(
                rank=rank, default=step.default if step else "", pointer=pointer, path=line.path, pair=line.pair,
                get=getter(line.path), put=putter(line.path),
                get_beside=getter(line.beside) if line.beside else None,
                put_beside=putter(line.beside) if line.beside else None,
                count=getter(line.count) if line.count else None,
            )
        )  # fmt: skip

    def constant(self, spec: Node) -> JsonConstant | None:
        """What a line writes that names no field."""
        return read_constant(spec.text or "")

    def words(self, spec: Node, key: str, place: Place) -> JsonLine | None:
        """Path and pair of a line that names a field."""
        return read_line(spec, key, self.codes, self.problems, digits=self._is_text(spec, place))

    def around(self, pointer: Pointer, _pointers: set[Pointer]) -> Pointer:
        """The object that a constant stands in, which is written with company only."""
        return pointer[:-1]

    def list_of(self, made: Opened, rank: int, node: Node, place: Place) -> ListRule | None:
        """An array with an object for each item of a list."""
        pointer = self.array(made, node, place, LIST_KEYS)
        each = node.keys.get("each")
        path = read_path((each.text if each else None) or "")
        if pointer is None or each is None or not path:
            if pointer is not None:
                self._say("map.file.shape", each or node, place.key, "nothing", "each: the path of a list")
            return None
        inside = self.items(path, each, replace(made.place, key=place.key))
        if inside is None:
            return None
        preset, inside = self.preset(node, inside)
        names = tuple(step.name for step in path)
        before = made.presets.setdefault(names, [])
        if any(set(one) <= set(preset) for one in before):
            self._say(
                "map.field.twice", each, place.key, each.text or "", "one rule for the list, or other values to set"
            )
            return None
        known = made.place.known.at(path)
        if preset:
            known.put_kind((dict(preset).get(KIND), preset), inside.known)
        else:
            known.items = inside.known
        scope = self.scope_of(node, inside)
        if not self.writes_only:
            self._required(inside.known, inside.models, node, place.key)
        claimed = tuple((key, value) for where, key, value in made.claimed if where == names)
        rule = Each(
            rank, pointer, path, scope, getter(path), putter(path),
            preset=preset, elsewhere=tuple(before), claimed=claimed,
        )  # fmt: skip
        before.append(preset)
        return rule

    def tree_of(self, made: Opened, rank: int, node: Node, place: Place) -> ListRule | None:
        """Nodes nested as the document nests them."""
        pointer = self.array(made, node, place, TREE_KEYS)
        each, by, levels = (node.keys.get(name) for name in ("tree", "by", "levels"))
        path = read_path((each.text if each else None) or "")
        told = read_pointer((by.text if by else None) or "")
        if pointer is None or each is None or not path or not told or by is None or levels is None or not levels.keys:
            self._say("map.file.shape", node, place.key, "a tree", "tree: contents, at: /…, by: /…, levels: {CODE: …}")
            return None
        inside = self.items(path, each, replace(made.place, key=place.key))
        if inside is None:
            return None
        known = made.place.known.at(path)
        name = path[-1].name
        table: dict[str, Level] = {}
        opened: list[tuple[str, Node, Opened, Preset]] = []
        for code, spec in levels.keys.items():
            self.known_keys(spec, LEVEL_KEYS, f"{place.key}/{code}")
            preset, here = self.preset(spec, replace(inside, known=Known(), key=f"{place.key}/{code}"))
            if not preset or len(here.models) != 1:
                self._say("map.file.shape", spec, here.key, "a level of no kind", "is: order, handling_unit or line")
                continue
            known.put_kind((dict(preset).get(KIND), preset), here.known)
            here.known.put(name, Known(kinds=known.kinds))
            own = self.open(spec, here) if {"fields", "lists"} & spec.keys.keys() else Opened(here)
            if self.pointer(by.text or "", by, f"{here.key} by", own.names) is not None:
                own.constants.append((-1, told, JsonConstant(code, ""), spec, here.key))
            self.pointer(node.keys["at"].text or "", node, here.key, own.names)
            opened.append((code, spec, own, preset))
        for code, spec, own, preset in opened:
            own.lists.append(Tree(len(own.lists) + 10_000, pointer, name, told, table, code))
            parents = spec.keys.get("in")
            above = tuple(one.text or "" for one in (parents.items if parents else []))
            for one in above:
                if one not in levels.keys:
                    self._say("map.field.unknown", spec, own.place.key, one, "a level" + shape.near(one, levels.keys))
            table[code] = Level(code=code, preset=preset, parents=above, scope=self.close(own))
            if not self.writes_only:
                self._required(own.place.known, own.place.models, spec, own.place.key)
        return Tree(rank, pointer, name, told, table)

    def array(self, made: Opened, node: Node, place: Place, keys: tuple[str, ...]) -> Pointer | None:
        """The pointer at which a rule's array stands."""
        self.known_keys(node, keys, place.key)
        at = node.keys.get("at")
        if at is None or not at.text:
            self._say("map.file.shape", node, place.key, "nothing", "at: the pointer of an array")
            return None
        return self.pointer(at.text, at, place.key, made.names)

    def known_keys(self, node: Node, keys: tuple[str, ...], key: str) -> None:
        """Only the keys that a rule knows."""
        for name, spec in node.keys.items():
            if name not in keys:
                self._say("map.key.unknown", spec, key, name, "one of " + ", ".join(keys) + shape.near(name, keys))

    def pointer(self, text: str, node: Node, key: str, names: dict[str, Any]) -> Pointer | None:
        """The member's names, taken in `names`; None where it is no pointer, or another rule has it or a part of it."""
        pointer = read_pointer(text)
        if not pointer or not all(pointer):
            self._say("map.address.wrong", node, key, text or "nothing", "a JSON Pointer, such as /Header/Plant")
            return None
        here: Any = names
        for name in pointer[:-1]:
            here = here.setdefault(name, {})
            if here is None:
                break
        if here is None or pointer[-1] in here:
            self._say("map.address.twice", node, key, text, "one rule for the member, and none for its parts")
            return None
        here[pointer[-1]] = None
        return pointer

    def items(self, path: Path, node: Node, place: Place) -> Place | None:
        """The place inside the items of the list at `path`; a computed list only where the map but writes."""
        computed = shape.computed(place.models[0]) if place.models else {}
        if len(path) == 1 and path[0].name in computed:
            step = computed[path[0].name]
            self.computed.add(path[0].name)
            if not self.writes_only:
                self._say("map.one_way", node, place.key, f"{path[0]} is computed", "`one_way: write` at the top")
        else:
            found = self._resolve(path, node, place.key, place)
            if found is None:
                return None
            step = found
        if not step.many or not step.models:
            wanted = "a list of objects; a list of texts is a line with the pair list"
            self._say("map.field.type", node, place.key, ".".join(map(str, path)), wanted)
            return None
        return Place(step.models, Known(), place.key)

    def preset(self, node: Node, place: Place) -> tuple[Preset, Place]:
        """The values of `is` and `set`, and the place narrowed to the kind that they say."""
        kind = node.keys.get("is")
        given = {KIND: kind} if kind else {}
        given |= (node.keys["set"].keys if "set" in node.keys else {})  # fmt: skip
        if KIND in given and len(place.models) > 1:
            kinds = {str(_kind(model)): model for model in place.models}
            said = given[KIND].text or ""
            if said not in kinds:
                wanted = "one of " + ", ".join(kinds) + shape.near(said, kinds)
                self._say("map.field.unknown", given[KIND], f"{place.key}.{KIND}", said, wanted)
                return (), place
            place = replace(place, models=(kinds[said],))
        elif len(place.models) > 1 and "levels" not in node.keys:
            self._say("map.file.shape", node, place.key, "a list of several kinds", "set: {kind: …}, or a tree")
        preset: list[tuple[str, str]] = []
        for name, value in given.items():
            if self.field(read_path(name) or (), "text", None, value, f"{place.key}.{name}", place, preset=True):
                preset.append((name, value.text or ""))
        return tuple(preset), place

    def _is_text(self, spec: Node, place: Place) -> bool:
        """Whether the line's field is a plain text; unknown fields are reported by whoever claims them."""
        step, models = None, place.models
        for part in read_path((spec.text or "").split("|")[0].strip()) or ():
            step = next((own[part.name] for model in models if part.name in (own := shape.fields(model))), None)
            if step is None:
                return False
            models = step.models
        return step is not None and step.type is str and not step.many


def _claims(fields: Node | None) -> tuple[tuple[tuple[str, ...], str, str], ...]:
    """List, key and value of every `list[key=value]` in the lines of an object."""
    found = []
    for spec in (fields.keys if fields else {}).values():
        names: tuple[str, ...] = ()
        for step in read_path((spec.text or "").split("|")[0].strip()) or ():
            names = (*names, step.name)
            if step.key:
                found.append((names, step.key, step.value))
                break
    return tuple(dict.fromkeys(found))


def _kind(model: type[BaseModel]) -> str:
    annotation = model.model_fields[KIND].annotation
    return str(annotation.__args__[0])  # type: ignore[union-attr]
