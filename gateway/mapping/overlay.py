"""Deltas: a map that `extends` another and says only what differs.

    codes   {TABLE: {CODE: word}}    entries added or replaced; ~ removes one, or a whole table
    title, document, canonical, guides, examples    replaced; a base's examples hold for the base only
    change, before, after, remove    rules: `segments.overlay`, `json.overlay`
    guide   the partner's guide in the same file; `gateway.edi.delta` reads it, maps only let it stand

Every node of the outcome knows the file and line that it comes from. What a delta leaves alone is its base's own node,
shared by all maps that extend it: nobody changes it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from gateway.canonical.shape import near
from gateway.mapping.json.overlay import apply_json
from gateway.mapping.rules import Problems
from gateway.mapping.segments.overlay import apply_segments
from gateway.mapping.source import Node, read_source

Finder = Callable[[str], tuple[str, str] | None]
"""From a map's name (`x12/855`) to its file's name and text; None where there is none."""

MAX_EXTENDS: Final = 8
JSON: Final = "json"
"""The `document` of maps for JSON bodies."""
XML: Final = "xml"
"""The `document` of maps for XML documents."""
CSV: Final = "csv"
"""The `document` of maps for CSV files."""
MEMBERS: Final = (JSON, XML, CSV)
"""Documents whose maps have fields and lists; all others have segments."""
PLACE: Final = "…"
"""Instead of a line: a list of `lists` has its place here."""
_TEXT: Final = "a text"
_LIST: Final = "a list"
_MAPPING: Final = "keys and their values"
_ANY: Final = {
    "document": _TEXT, "canonical": _TEXT, "title": _TEXT, "extends": _TEXT, "codes": _MAPPING, "examples": _LIST,
    "change": _MAPPING, "before": _MAPPING, "after": _MAPPING, "remove": _LIST, "guides": _LIST, "guide": _MAPPING,
}  # fmt: skip
_TOP: Final = {**_ANY, "set": _MAPPING, "segments": _LIST, "hooks": _MAPPING}
_JSON_TOP: Final = {**_ANY, "fields": _MAPPING, "lists": _LIST, "one_way": _TEXT}
_XML_TOP: Final = {
    **_JSON_TOP, "namespaces": _MAPPING, "root": _TEXT, "doctype": _TEXT, "envelope": _LIST, "parts": _MAPPING,
    "default": _MAPPING,
}  # fmt: skip
_CSV_TOP: Final = {
    **_ANY, "fields": _MAPPING, "rows": _LIST, "one_way": _TEXT, "csv": _MAPPING, "key": _LIST, "default": _MAPPING,
}  # fmt: skip
_TOPS: Final = {JSON: _JSON_TOP, XML: _XML_TOP, CSV: _CSV_TOP}
_DELTA_ONLY: Final = ("change", "before", "after", "remove")


@dataclass(frozen=True, kw_only=True, slots=True)
class Removed:
    """What a delta took away: its path, and where that is said."""

    path: str
    file: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """A map with all its bases applied. `root` is None where a file of it could not be read."""

    root: Node | None
    hash: str
    """SHA-256 over every source it is made of."""
    chain: tuple[tuple[str, str], ...]
    """Name and file of the map and of each base, the outermost first."""
    removed: tuple[Removed, ...]


def resolve(name: str, finder: Finder, problems: Problems, hooks: str = "") -> tuple[Node | None, str]:
    """The map `name` with all its bases applied, and the SHA-256 over every source it is made of.

    `hooks`: the source of the workspace's hooks, which is one of them where any of the files lists a hook.
    """
    found = trace(name, finder, problems, hooks)
    return found.root, found.hash


def trace(name: str, finder: Finder, problems: Problems, hooks: str = "") -> Resolved:
    """The map `name` with all its bases applied, and how it came about."""
    work = _Chain(finder, problems)
    root = work.resolve(name, (), ("", 1))
    sources = [*work.sources, hooks] if hooks and any("hooks:" in each for each in work.sources) else work.sources
    version = hashlib.sha256("\0".join(sources).encode("utf-8", "surrogatepass")).hexdigest()
    return Resolved(root=root, hash=version, chain=tuple(work.chain), removed=tuple(work.removed))


@dataclass(frozen=True, slots=True)
class _Applied:
    """What came of a delta on this very base."""

    base: Node
    root: Node
    removed: tuple[Removed, ...]


_KEPT: Final = 64
_applied: OrderedDict[tuple[str, str], _Applied] = OrderedDict()
"""By file and text of the delta."""


class _Chain:
    """The files of one map, from the one that is asked for down to its last base."""

    def __init__(self, finder: Finder, problems: Problems) -> None:
        self.finder = finder
        self.problems = problems
        self.sources: list[str] = []
        self.chain: list[tuple[str, str]] = []
        self.removed: list[Removed] = []

    def resolve(self, name: str, above: tuple[str, ...], asked: tuple[str, int]) -> Node | None:
        if name in above or len(above) >= MAX_EXTENDS:
            said, wanted = " → ".join((*above, name)), f"at most {MAX_EXTENDS} different maps"
            self.problems.add("map.extends.cycle", *asked, "extends", said=said, wanted=wanted)
            return None
        found = self._found(name, above, asked)
        if found is None:
            return None
        self.sources.append(found[1])
        self.chain.append((name, found[0]))
        self.problems.files.append(found[0])
        own = read_source(found[0], found[1], self.problems)
        if own is None:
            return None
        if {"fields", "lists", "rows", "parts"} & own.keys.keys():
            own = own.copy()  # what was read is kept for the next time, and stays as it was read
            spread(own)
        parent = own.keys.get("extends")
        if parent is None:
            _known_keys(own, own, self.problems)
            return own
        base = self.resolve(parent.text or "", (*above, name), (parent.file, parent.line))
        if base is None:
            return None
        _known_keys(own, base, self.problems)
        if is_json(base):
            return self._apply(base.copy(), own)
        return self._applied(base, own, found) if above else self._apply(base.own(), own)

    def _applied(self, base: Node, own: Node, found: tuple[str, str]) -> Node:
        """A base that is a delta itself: applied once for all maps that extend it, where nothing is wrong in it."""
        known = _applied.get(found)
        if known is not None and known.base is base:
            with suppress(KeyError):  # another thread may drop it meanwhile
                _applied.move_to_end(found)
            self.removed += known.removed
            return known.root
        told, gone = len(self.problems.findings), len(self.removed)
        root = self._apply(base.own(), own)
        if len(self.problems.findings) == told:
            _applied[found] = _Applied(base, root, tuple(self.removed[gone:]))
            while len(_applied) > _KEPT:
                _applied.popitem(last=False)
        return root

    def _found(self, name: str, above: tuple[str, ...], asked: tuple[str, int]) -> tuple[str, str] | None:
        try:
            found = self.finder(name)
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            said = f"byte 0x{error.object[error.start]:02X}"
            self.problems.add("map.file.yaml", _file_of(name), line, "", said=said, wanted="UTF-8")
            return None
        except OSError as error:
            said, wanted = error.strerror or "cannot be read", "a file that can be read"
            self.problems.add("map.file.missing", _file_of(name), 1, "", said=said, wanted=wanted)
            return None
        if found is None:
            file, line = (asked[0] or name, asked[1])
            key = "extends" if above else ""
            self.problems.add("map.file.missing", file, line, key, said=name, wanted="a map of that name")
        return found

    def _apply(self, base: Node, delta: Node) -> Node:
        keys = base.keys
        for name in ("document", "canonical", "title", "set", "guides", "examples"):
            if name in delta.keys:
                keys[name] = delta.keys[name]
        for name in ("examples", "guide"):
            if name not in delta.keys:
                keys.pop(name, None)  # the base's examples hold for the base; its guide too
        if "guide" in delta.keys:
            keys["guide"] = delta.keys["guide"]
        if "codes" in delta.keys:
            keys["codes"] = keys["codes"].own() if "codes" in keys else Node({}, base.file, base.line)
            _codes(keys["codes"], delta.keys["codes"], self.problems)
        if "hooks" in delta.keys:
            keys["hooks"] = Node(
                {**(keys["hooks"].keys if "hooks" in keys else {}), **delta.keys["hooks"].keys}, base.file, 1
            )
        if is_json(base):
            _merge_keys(base, delta)
        apply = apply_json if is_json(base) else apply_segments
        self.removed += [
            Removed(path=path, file=node.file, line=node.line) for path, node in apply(base, delta, self.problems)
        ]
        return base


def _file_of(name: str) -> str:
    return f"maps/{name}.yaml"


def is_json(node: Node) -> bool:
    """Whether a map has fields and lists, as those for JSON bodies, XML documents and CSV files have."""
    return document_of(node) in MEMBERS


def document_of(node: Node) -> str:
    """What a map is for: 855, ORDERS, json, xml, csv; empty where it does not say."""
    return (node.keys["document"].text if "document" in node.keys else None) or ""


def spread(node: Node) -> None:
    """Move lists that stand among the lines of `fields` to `lists`, with `…` in their place; groups of lines stay."""
    fields = node.keys.get("fields")
    for text, spec in list(fields.keys.items()) if fields else ():
        if spec.keys and not {"each", "rows", "tree"} & spec.keys.keys():
            spread(spec)
        elif spec.keys:
            rule = Node({"at": Node(text, spec.file, spec.line), **spec.keys}, spec.file, spec.line)
            node.keys.setdefault("lists", Node([], spec.file, spec.line)).items.append(rule)
            fields.keys[text] = Node(PLACE, spec.file, spec.line)  # type: ignore[union-attr]
    for name in ("lists", "rows"):
        for inside in node.keys[name].items if name in node.keys else ():
            spread(inside)
    for inside in node.keys["parts"].keys.values() if "parts" in node.keys else ():
        spread(inside)


def _merge_keys(base: Node, delta: Node) -> None:
    """What maps for XML and CSV have beside fields and lists: said again as a whole, but prefixes and parts by name."""
    for name in ("root", "doctype", "envelope", "csv", "key", "rows"):
        if name in delta.keys:
            base.keys[name] = delta.keys[name]
    for name in ("namespaces", "parts", "default"):
        if name in delta.keys:
            own = base.keys.setdefault(name, Node({}, delta.file, delta.line))
            for key, node in delta.keys[name].keys.items():
                if node.value is None:
                    own.keys.pop(key, None)
                else:
                    own.keys[key] = node


def _known_keys(own: Node, base: Node, problems: Problems) -> None:
    """Keys that there are, each of the shape that it needs; a map without a base has nothing to change."""
    top = _TOPS.get(document_of(base), _TOP)
    for key, node in own.keys.items():
        if key not in top:
            wanted = "one of " + ", ".join(top) + near(key, top)
            problems.add("map.key.unknown", node.file, node.line, key, said=key, wanted=wanted)
        elif node.value is not None and (shape := _shape(node)) != top[key]:
            problems.add("map.file.shape", node.file, node.line, key, said=shape, wanted=top[key])
        elif key == "segments" and own is not base:
            wanted = "change, before, after and remove in a map that extends another"
            problems.add("map.key.unknown", node.file, node.line, key, said=key, wanted=wanted)
        elif key in _DELTA_ONLY and own is base:
            wanted = "extends: the map that is changed"
            problems.add("map.key.unknown", node.file, node.line, key, said=key, wanted=wanted)


def _shape(node: Node) -> str:
    return _LIST if isinstance(node.value, list) else _MAPPING if isinstance(node.value, dict) else _TEXT


def _codes(base: Node, delta: Node, problems: Problems) -> None:
    """Replaced entries go to the end: of two that cannot stand together the delta's is the one that is reported."""
    for table, node in delta.keys.items():
        if node.value is not None and not isinstance(node.value, dict):
            wanted = "{CODE: word}"
            problems.add("map.file.shape", node.file, node.line, f"codes.{table}", said=_shape(node), wanted=wanted)
        elif node.value is None:
            if base.keys.pop(table, None) is None:
                _absent(node, f"codes.{table}", table, base, problems)
        else:
            own = base.keys[table].own() if table in base.keys else Node({}, node.file, node.line)
            base.keys[table] = own
            for code, entry in node.keys.items():
                before = own.keys.pop(code, None)
                if entry.value is not None:
                    own.keys[code] = entry
                elif before is None:
                    _absent(entry, f"codes.{table}.{code}", code, own, problems)


def _absent(node: Node, key: str, said: str, base: Node, problems: Problems) -> None:
    wanted = "an entry of the base map" + near(said, base.keys)
    problems.add("map.change.nowhere", node.file, node.line, key, said=said, wanted=wanted)
