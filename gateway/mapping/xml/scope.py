"""An XML scope: a JSON scope on the members of an element, with XML's memory.

What no line names is kept in `extensions.xml` of the nearest object as `others`, each with the element it stood behind;
a value that no line understands as `values`; a form that would be written otherwise (` 5 `, `+5`, a date with a zone)
as `forms`, used while it still means what the field says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.mapping.json.pairs import Texts
from gateway.mapping.json.scope import Each, Fixed, JsonReadState, JsonScope, UnmappedMember
from gateway.mapping.json.text import Pointer, find, put
from gateway.mapping.paths import Path, getter, putter
from gateway.mapping.rows import Rows
from gateway.mapping.state import Json
from gateway.mapping.xml.members import OTHERS, Members, Other, Shape, others_of
from gateway.mapping.xml.names import TEXT, read_path, write_path
from gateway.mapping.xml.text import MAX_DEPTH, may_hold

SYNTAX: Final = "xml"
MAX_OTHERS: Final = 1000
"""Elements that are kept with one object; more are reported, and lost."""


@dataclass(slots=True)
class XmlScope(JsonScope):
    """The rules of one element."""

    times: dict[Pointer, str] = field(default_factory=dict)
    """As `Shape.times`."""
    made: Shape | None = None

    @property
    def shape(self) -> Shape:
        """What is named of the element; lists of texts are lines with an array."""
        if self.made is None:
            lists: dict[Pointer, Shape | None] = {}
            for each in self.lists:
                lists[each.pointer] = each.shape if isinstance(each, Rows) else _inside(each)
            lists |= {each.pointer: None for each in self.members if isinstance(each.pair, Texts)}
            self.made = Shape(self.names, lists, self.times)
        return self.made

    def keep(self, source: Json, odd: dict[Pointer, Any], target: Json, state: JsonReadState, at: str) -> None:
        """Remember what was not mapped, not understood, or would be written otherwise."""
        kept: Json = {}
        for pointer, value in odd.items():
            if isinstance(value, str):
                kept.setdefault("values", {})[_path(pointer)] = value
                state.unmapped.append(UnmappedMember(pointer=f"{at}/{'/'.join(pointer)}", value=value[:200]))
        for fixed in self.fixed:
            value = find(source, fixed.pointer)
            if isinstance(fixed, Usual) and isinstance(value, str) and value not in ("", fixed.value):
                kept.setdefault("values", {})[_path(fixed.pointer)] = value
        for member in self.members:
            value = find(source, member.pointer)
            if not isinstance(value, str) or member.pointer in odd or member.get_beside or member.count:
                continue
            if member.pair.write(member.get(target)) != value and member.pair.read(value) == member.get(target):
                kept.setdefault("forms", {})[_path(member.pointer)] = value
        for pointer, other in others_of(source) if isinstance(source, Members) else ():
            row = {"in": _path(pointer), "name": other.name, "after": other.after, "xml": other.text}
            if len(kept.setdefault("others", [])) < MAX_OTHERS:
                kept["others"].append({name: value for name, value in row.items() if value})
            where = f"{at}/{'/'.join((*pointer, other.name))}"
            state.unmapped.append(UnmappedMember(pointer=where, value=other.text[:200]))
        if kept:
            target.setdefault("extensions", {})[SYNTAX] = kept

    def restore(self, body: Json, target: Json) -> bool:
        """Put back what a reading kept, where nothing else stands."""
        kept = (target.get("extensions") or {}).get(SYNTAX)
        if not isinstance(kept, dict):
            return False
        for member in self.members:
            form = _mapping(kept, "forms").get(_path(member.pointer))
            if not isinstance(form, str) or not may_hold(form) or find(body, member.pointer) is None:
                continue
            if member.pair.read(form) == member.get(target):
                _set(body, member.pointer, form)
        restored = False
        for path, value in _mapping(kept, "values").items():
            pointer = _pointer(path) if isinstance(value, str) and may_hold(value) else None
            usual = any(isinstance(fixed, Usual | Repeated) and fixed.pointer == pointer for fixed in self.fixed)
            if usual and pointer and find(body, pointer) is not None:
                _set(body, pointer, value)
            elif pointer and not usual:
                restored |= put(body, pointer, value)
        others = kept.get("others")
        for row in others[:MAX_OTHERS] if isinstance(others, list) else ():
            other = _other(row)
            pointer = None if other is None else _pointer(row.get("in") or ".", element=True)
            here = None if pointer is None else _element(body, pointer)
            if other is not None and here is not None:
                here.setdefault(OTHERS, []).append(other)
                restored = True
        return restored


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeated(Fixed):
    """A field of the document that the wire says again: the currency of each amount.

    Reading, the first that says it sets it where nothing else has; one that differs is kept and found.
    """

    path: Path

    def said(self, document: Json) -> Any:
        """The document's own value."""
        return getter(self.path)(document)

    def agrees(self, value: Any, document: Json) -> bool:
        """Whether it is the document's value, which it becomes where there is none."""
        if self.said(document) is None:
            putter(self.path)(document, value)
        return bool(self.said(document) == value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Usual(Fixed):
    """A constant that may be anything: the language of a text. What was read is kept where it is another."""

    def agrees(self, value: Any, _document: Json) -> bool:
        """Always, if it is a text."""
        return isinstance(value, str)


def _inside(rule: Any) -> Shape | None:
    scope = rule.scope if isinstance(rule, Each) else None
    return scope.shape if isinstance(scope, XmlScope) else None


def _path(pointer: Pointer) -> str:
    return write_path(pointer) or "."


def _pointer(path: Any, *, element: bool = False) -> Pointer | None:
    found = read_path(path) if isinstance(path, str) else None
    if found is None or len(found) > MAX_DEPTH:
        return None
    return found if element or (found and found[-1].startswith("@")) else (*found, TEXT)


def _mapping(kept: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = kept.get(name)
    return found if isinstance(found, dict) else {}


def _other(row: Any) -> Other | None:
    if not isinstance(row, dict) or not all(isinstance(row.get(key, ""), str) for key in ("name", "after", "xml")):
        return None
    return Other(name=row.get("name", ""), after=row.get("after", ""), text=row.get("xml", ""))


def _element(body: Json, pointer: Pointer) -> Json | None:
    """The element's members, made where they are missing."""
    here: Any = body
    for name in pointer:
        here = here.setdefault(name, {})
        if not isinstance(here, dict):
            return None
    return here  # type: ignore[no-any-return]


def _set(body: Json, pointer: Pointer, value: str) -> None:
    here: Any = body
    for name in pointer[:-1]:
        here = here[name]
    here[pointer[-1]] = value
