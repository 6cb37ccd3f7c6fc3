"""A JSON scope: what holds between one JSON object and one object of the document, both ways.

Members that no line names, and values that no line understands, are kept in `extensions.json` of the nearest object,
as JSON text under their pointer, and written back where nothing else stands. An item of an array that is no object, or
of no level, is reported and dropped. Presence is a rule as in segments: constants alone make no object inside another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from gateway.findings import Finding, JsonPlace
from gateway.mapping.codes import Codes
from gateway.mapping.json.pairs import Pair
from gateway.mapping.json.text import Pointer, decode, encode, find, put, read_pointer, same, write_pointer
from gateway.mapping.paths import Get, Path, Put
from gateway.mapping.rules import finding
from gateway.mapping.state import Json, Lost, WriteState

MAX_DEPTH: Final = 32
SYNTAX: Final = "json"
Preset = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class UnmappedMember:
    """A member that no line of the map names, or whose value no line understands. It is kept and written back."""

    pointer: str
    value: str
    """JSON text, shortened."""


@dataclass(slots=True)
class JsonReadState:
    """Gathered while reading one body."""

    unmapped: list[UnmappedMember] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    depth: int = 0
    document: Json = field(default_factory=dict)
    """The whole document as far as it is read, for lines that repeat a field of it."""

    def find(self, rule: str, pointer: str, value: Any, wanted: str) -> None:
        """A finding at a member."""
        self.findings.append(finding(rule, JsonPlace(pointer=pointer), said=encode(value), wanted=wanted))


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One line: a member and its field."""

    rank: int
    pointer: Pointer
    path: Path
    pair: Pair
    get: Get
    put: Put
    get_beside: Get | None = None
    put_beside: Put | None = None
    default: str = ""
    """What the field says where nobody says anything."""
    count: Get | None = None
    """Of a counted member: reads the list that is counted."""

    def read(self, value: Any, target: Json) -> bool:
        """Put what the value says into `target`; False where it says nothing that the field can hold."""
        made = self.pair.read(value)
        if made is None:
            return False
        self.put(target, made)
        if self.put_beside is not None and self.pair.write(made) != value:
            self.put_beside(target, value)
        return True

    def number(self, target: Json) -> str:
        """What is counted."""
        return str(len((self.count(target) if self.count else None) or ()))

    @property
    def codes(self) -> Codes | None:
        """The table of the pair."""
        found: Codes | None = getattr(getattr(self.pair, "inner", self.pair), "codes", None)
        return found

    @property
    def wanted(self) -> str:
        """What the member may say, in words."""
        codes = self.codes
        known = "" if codes is None else f" of the table {codes.name}: {', '.join(list(codes.reading)[:12])}"
        return self.pair.wanted + known


@dataclass(frozen=True, kw_only=True, slots=True)
class Fixed:
    """A constant. Below the scope's own object it is written where one of `beside` is, or where it stands alone."""

    rank: int
    pointer: Pointer
    value: Any
    get: Get | None = None
    """Written, and allowed in reading, only together with this field."""
    beside: frozenset[Pointer] | None = None
    """Pointers of lines and lists in the same object; None where it is always written."""

    def said(self, _document: Json) -> Any:
        """What is written."""
        return self.value

    def agrees(self, value: Any, _document: Json) -> bool:
        """Whether what was read is what would be written."""
        return same(value, self.value)

    def holds(self, target: Json, there: set[Pointer]) -> bool:
        """Whether it is written; `there` are the pointers of what else is."""
        return (self.get is None or self.get(target) is not None) and (self.beside is None or bool(self.beside & there))


class ListRule(Protocol):
    """A member with an array of objects."""

    rank: int
    pointer: Pointer

    def read(self, value: Any, target: Json, state: JsonReadState, at: str) -> Any:
        """Append what the array says to `target`; what of the array was not understood, or None."""

    def write(self, target: Json, state: WriteState, at: str) -> list[Json]:
        """The array's objects."""


@dataclass(slots=True)
class JsonScope:
    """The rules of one object."""

    members: tuple[Member, ...] = ()
    fixed: tuple[Fixed, ...] = ()
    lists: tuple[ListRule, ...] = ()
    names: dict[str, Any] = field(default_factory=dict)
    """The named members as a tree of objects; None for a member that is a line's or a list's whole."""

    def read(self, source: Json, target: Json, state: JsonReadState, at: str) -> None:
        """Put what `source` says into `target`. `at` is the pointer of `source`."""
        odd: dict[Pointer, Any] = {}
        counted: list[Member] = []
        for member in self.members:
            value = find(source, member.pointer)
            if _says_nothing(value):
                continue
            if member.count is not None:
                counted.append(member)
            elif not member.read(value, target):
                odd[member.pointer] = value
                rule = "map.read.value" if member.codes is None else "map.read.code"
                state.find(rule, at + write_pointer(member.pointer), value, member.wanted)
        for fixed in self.fixed:
            value = find(source, fixed.pointer)
            if not _says_nothing(value) and not fixed.agrees(value, state.document):
                odd[fixed.pointer] = value
                wanted = encode(fixed.said(state.document))
                state.find("map.read.value", at + write_pointer(fixed.pointer), value, wanted)
        for array in self.lists:
            value = find(source, array.pointer)
            if not _says_nothing(value):
                rest = array.read(value, target, state, at + write_pointer(array.pointer))
                odd |= {} if rest is None else {array.pointer: rest}
        for member in counted:
            value, number = find(source, member.pointer), member.number(target)
            stated = member.pair.read(value)
            if stated == number:
                continue
            if stated is None:
                odd[member.pointer] = value
            else:
                member.put(target, stated)  # a stated count is kept only where it is not the number counted
            state.find("map.read.count", at + write_pointer(member.pointer), value, number)
        odd.update(_unnamed(source, self.names, ()))
        self.keep(source, odd, target, state, at)

    def keep(self, _source: Json, odd: dict[Pointer, Any], target: Json, state: JsonReadState, at: str) -> None:
        """Remember what was not mapped, or not understood, and report it."""
        if odd:
            _keep(odd, target, state, at)

    def restore(self, body: Json, target: Json) -> bool:
        """Put back what a reading kept; whether anything was."""
        return _restore(body, target)

    def write(self, target: Json, state: WriteState, at: str) -> tuple[Json, bool]:
        """The object that says what `target` holds, and whether anything but constants is in it."""
        made: list[tuple[int, Pointer, Any]] = []
        for member in self.members:
            value = member.get(target)
            if value is None and member.count is not None:
                value = member.number(target)
            if value is None:
                continue
            own = member.get_beside(target) if member.get_beside else None
            out = own if own is not None and member.pair.read(own) == value else member.pair.write(value)
            if out is None and value == member.default:
                continue  # what nobody says is taken to say it
            if out is None:
                codes = member.codes
                wanted = f"a value for {member.pair.wanted}" if codes is None else f"a word of the table {codes.name}"
                state.lose(f"{at}/{'/'.join(map(str, member.path))}", value, wanted)
                continue
            if member.codes is not None and isinstance(value, str) and value in member.codes.coarse:
                state.coarsen(f"{at}/{'/'.join(map(str, member.path))}", value, str(member.pair.read(out)))
            made.append((member.rank, member.pointer, out))
        arrays = [(rule, rule.write(target, state, at)) for rule in self.lists]
        made += [(rule.rank, rule.pointer, items) for rule, items in arrays if items]
        said = bool(made)
        there = {pointer for _, pointer, _ in made}
        made += [
            (each.rank, each.pointer, value)
            for each in self.fixed
            if each.holds(target, there) and (value := each.said(state.document)) is not None
        ]
        made.sort(key=lambda each: each[0])
        body: Json = {}
        for _, pointer, value in made:
            put(body, pointer, value)
        return body, self.restore(body, target) or said


@dataclass(slots=True)
class Each:
    """One object of a list for each object of an array; with `preset`, those of the list that have these values."""

    rank: int
    pointer: Pointer
    path: Path
    scope: JsonScope
    get: Get
    put: Put
    preset: Preset = ()
    elsewhere: tuple[Preset, ...] = ()
    """Values of items that earlier rules of the same list take."""
    claimed: tuple[tuple[str, str], ...] = ()
    """Items that single lines write: the first with this key and value."""
    default: Preset = ()
    """What an item says where the wire says nothing; written as nothing."""

    def read(self, value: Any, target: Json, state: JsonReadState, at: str) -> Any:
        """Append an object for each of the array's."""
        if not isinstance(value, list):
            state.find("map.read.value", at, value, "an array of objects")
            return value
        found: list[Json] = []
        for number, each in enumerate(value):
            if not isinstance(each, dict):
                state.find("map.read.value", f"{at}/{number}", each, "an object")
                state.unmapped.append(UnmappedMember(pointer=f"{at}/{number}", value=encode(each)[:200]))
                continue
            item: Json = dict(self.preset)
            self.scope.read(each, item, state, f"{at}/{number}")
            if item:
                found.append({**dict(self.default), **item})
        if found:
            self.put(target, [*(self.get(target) or ()), *found])
        return None

    def write(self, target: Json, state: WriteState, at: str) -> list[Json]:
        """An object for each item, but for those that another rule writes."""
        items = self.get(target) or ()
        taken = [next((one for one in items if one.get(key) == value), None) for key, value in self.claimed]
        below = f"{at}/{'/'.join(map(str, self.path))}"
        made: list[Json] = []
        for number, item in enumerate(items):
            if not fits(item, self.preset) or any(fits(item, each) for each in self.elsewhere):
                continue
            if any(item is one for one in taken):
                continue
            told = {name: value for name, value in item.items() if (name, value) not in self.default}
            body, said = self.scope.write(told, state, f"{below}/{number}")
            if said or self.preset:
                made.append(body)
            else:
                state.lost.append(Lost(pointer=f"{below}/{number}", value=str(item)[:200], reason="something to write"))
        return made


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """What a node of the tree is, by its code."""

    code: str
    preset: Preset
    parents: tuple[str, ...]
    """Codes it may stand under; none listed: anywhere."""
    scope: JsonScope


@dataclass(slots=True)
class Tree:
    """Nodes nested as the document's: the member `by` tells their level, their children stand at `pointer` of each."""

    rank: int
    pointer: Pointer
    name: str
    by: Pointer
    levels: Mapping[str, Level]
    above: str = ""

    def read(self, value: Any, target: Json, state: JsonReadState, at: str) -> Any:
        """Append a node for each object of the array, with all below it."""
        if not isinstance(value, list):
            state.find("map.read.value", at, value, "an array of nodes")
            return value
        if state.depth >= MAX_DEPTH:
            state.find("map.read.too_deep", at, value, f"at most {MAX_DEPTH} levels")
            return value
        for number, each in enumerate(value):
            pointer = f"{at}/{number}"
            code = find(each, self.by)
            level = self.levels.get(code) if isinstance(code, str) else None
            if level is None:
                wanted = f"{write_pointer(self.by)} is one of {', '.join(self.levels)}"
                state.find("map.read.code", pointer, code if isinstance(each, dict) else each, wanted)
                state.unmapped.append(UnmappedMember(pointer=pointer, value=encode(each)[:200]))
                continue
            if level.parents and self.above not in level.parents:
                state.find("map.read.nesting", pointer, code, f"a node under {', '.join(level.parents)}")
            node: Json = dict(level.preset)
            state.depth += 1
            level.scope.read(each, node, state, pointer)
            state.depth -= 1
            target.setdefault(self.name, []).append(node)
        return None

    def write(self, target: Json, state: WriteState, at: str) -> list[Json]:
        """An object for each node."""
        made: list[Json] = []
        for number, node in enumerate(target.get(self.name) or ()):
            pointer = f"{at}/{self.name}/{number}"
            level = next((each for each in self.levels.values() if fits(node, each.preset)), None)
            if level is None or len(state.parents) >= MAX_DEPTH:
                said = " ".join(str(node.get(key)) for key in ("kind", "type") if node.get(key))
                known = ", ".join(" ".join(value for _, value in each.preset) for each in self.levels.values())
                state.lose(pointer, said, f"one of {known}" if level is None else f"at most {MAX_DEPTH} levels")
                continue
            state.parents.append(level.code)
            body, _ = level.scope.write(node, state, pointer)
            state.parents.pop()
            made.append(body)
        return made


def fits(item: Any, preset: Preset) -> bool:
    """Whether `item` has all these values."""
    return all(item.get(key) == value for key, value in preset)


def _says_nothing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, (dict, list)) and not value)


def _unnamed(source: Json, names: Mapping[str, Any], at: Pointer) -> dict[Pointer, Any]:
    """The members of `source` that `names` does not know, topmost first."""
    found: dict[Pointer, Any] = {}
    for name, value in source.items():
        own = (*at, name)
        below = names.get(name, ...)
        if below is ... or (below is not None and not isinstance(value, dict)):
            if not _says_nothing(value):
                found[own] = value
        elif below is not None:
            found.update(_unnamed(value, below, own))
    return found


def _keep(odd: dict[Pointer, Any], target: Json, state: JsonReadState, at: str) -> None:
    """Remember what was not mapped, and report it."""
    kept = target.setdefault("extensions", {}).setdefault(SYNTAX, {})
    for pointer, value in odd.items():
        name = write_pointer(pointer)
        kept[name] = encode(value)
        state.unmapped.append(UnmappedMember(pointer=at + name, value=kept[name][:200]))


def _restore(body: Json, target: Json) -> bool:
    """Put back what a reading kept, where nothing stands; whether anything was. What is no JSON came from elsewhere."""
    extensions = target.get("extensions")
    kept = extensions.get(SYNTAX) if isinstance(extensions, dict) else None
    restored = False
    for name, text in kept.items() if isinstance(kept, dict) else ():
        pointer = read_pointer(name)
        try:
            value = decode(text) if pointer and isinstance(text, str) else None
        except (ValueError, RecursionError):
            continue
        if pointer and value is not None:
            restored |= put(body, pointer, value)
    return restored
