"""From a resolved CSV map to its rules: an XML map's laws, with columns in place of paths; cells hold one text each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.mapping.codes import Codes
from gateway.mapping.csv.text import ENCODINGS, Dialect
from gateway.mapping.fields import Place
from gateway.mapping.json.compile import Opened
from gateway.mapping.json.scope import Fixed, JsonReadState, JsonScope, ListRule, Member, UnmappedMember
from gateway.mapping.json.text import Pointer, find, put
from gateway.mapping.rows import Rows
from gateway.mapping.rules import Problems
from gateway.mapping.source import Node
from gateway.mapping.state import Json
from gateway.mapping.xml import words
from gateway.mapping.xml.compile import XmlCompiler
from gateway.mapping.xml.names import Names

SYNTAX: Final = "csv"
ROWS: Final = "#rows"
"""Where the rows of a document stand among its columns."""
_STAGE_KEYS: Final = ("each", "is", "set", "fields")
_CSV_KEYS: Final = {
    "delimiter": "one character", "quote": "one character", "encoding": "one of " + ", ".join(ENCODINGS),
    "newline": "crlf or lf", "decimal": ". or ,",
}  # fmt: skip


@dataclass(slots=True)
class CsvScope(JsonScope):
    """The rules of one stage; what no line names is kept by its column."""

    def keep(self, source: Json, odd: dict[Pointer, Any], target: Json, state: JsonReadState, at: str) -> None:
        """Remember what was not mapped, not understood, or would be written otherwise."""
        kept: Json = {}
        for pointer, value in odd.items():
            kept.setdefault("values", {})[pointer[0]] = value
            state.unmapped.append(UnmappedMember(pointer=f"{at}/{pointer[0]}", value=value[:200]))
        for member in self.members:
            value = find(source, member.pointer)
            if not value or member.pointer in odd or member.get_beside or member.count:
                continue
            if member.pair.write(member.get(target)) != value and member.pair.read(value) == member.get(target):
                kept.setdefault("forms", {})[member.pointer[0]] = value
        if kept:
            target.setdefault("extensions", {})[SYNTAX] = kept

    def restore(self, body: Json, target: Json) -> bool:
        """Put back what a reading kept, where nothing else stands."""
        extensions = target.get("extensions")
        kept = extensions.get(SYNTAX) if isinstance(extensions, dict) else None
        if not isinstance(kept, dict):
            return False
        forms, values = (one if isinstance(one := kept.get(name), dict) else {} for name in ("forms", "values"))
        for member in self.members:
            form = forms.get(member.pointer[0])
            if isinstance(form, str) and member.pointer[0] in body and member.pair.read(form) == member.get(target):
                body[member.pointer[0]] = form
        restored = False
        for name, value in values.items():
            restored |= isinstance(value, str) and put(body, (name,), value)
        return restored


class CsvCompiler(XmlCompiler):
    """Compiles one CSV map."""

    def __init__(
        self, kind: str, codes: Mapping[str, Codes], problems: Problems, *, comma: bool, writes_only: bool
    ) -> None:
        super().__init__(kind, codes, problems, names=Names(namespaces={}), writes_only=writes_only)
        self.pairs = {
            call: pair for call, pair in words.pairs(comma=comma).items() if call[:1] not in {("list",), ("lines",)}
        }
        self.whole: Node | None = None

    def top(self, root: Node) -> JsonScope:
        """The scope of a document: its columns, and the rows below it."""
        self.whole = root
        return super().top(root)

    def open(self, node: Node, place: Place) -> Opened:
        """The columns, and for a document its rows."""
        made = super().open(node, place)
        if node is self.whole and "rows" in node.keys:
            stages, named = self.stages(node.keys["rows"], place)
            for name in named.keys() & made.names.keys():
                wanted = "one rule for the column, in one stage"
                self._say("map.address.twice", node.keys["rows"], "rows", name, wanted)
            if stages:
                made.names[ROWS] = None
                made.lists.append(Rows(len(made.names), (ROWS,), stages, None, named, bare=False))
        return made

    def known_keys(self, node: Node, keys: tuple[str, ...], key: str) -> None:
        """Cells hold one text: no lists in a row."""
        super().known_keys(node, tuple(each for each in keys if each in _STAGE_KEYS), key)

    def line(self, made: Opened, rank: int, text: str, spec: Node) -> None:
        """One column."""
        super(XmlCompiler, self).line(made, rank, text, spec)

    def pointer(self, text: str, node: Node, key: str, names: dict[str, Any]) -> Pointer | None:
        """The column's name."""
        if not text.strip() or text != text.strip() or text.startswith("#"):
            self._say("map.address.wrong", node, key, text or "nothing", "a column's name, as the header row has it")
            return None
        return self.take((text,), node, key, names)

    def around(self, _pointer: Pointer, _pointers: set[Pointer]) -> Pointer:
        """Columns stand in nothing."""
        return ()

    def made(
        self, members: tuple[Member, ...], fixed: tuple[Fixed, ...], lists: tuple[ListRule, ...], names: dict[str, Any]
    ) -> JsonScope:
        """The scope of these rules."""
        return CsvScope(members, fixed, lists, names)


def read_dialect(node: Node, problems: Problems) -> Dialect:
    """What `csv:` says of the file."""
    spec = node.keys.get("csv")
    said = {name: value.text or "" for name, value in (spec.keys if spec else {}).items()}
    right = {
        "delimiter": len(said.get("delimiter", ",")) == 1 and said.get("delimiter", ",") not in '\r\n"',
        "quote": len(said.get("quote", '"')) == 1 and said.get("quote", '"') not in "\r\n",
        "encoding": said.get("encoding", "utf-8") in ENCODINGS,
        "newline": said.get("newline", "lf") in ("crlf", "lf"),
        "decimal": said.get("decimal", ".") in (".", ","),
    }
    for name, value in (spec.keys if spec else {}).items():
        if name not in _CSV_KEYS:
            wanted = "one of " + ", ".join(_CSV_KEYS)
            problems.add("map.key.unknown", value.file, value.line, f"csv.{name}", said=name, wanted=wanted)
        elif not right[name]:
            problems.add(
                "map.file.shape", value.file, value.line, f"csv.{name}", said=said[name] or "nothing",
                wanted=_CSV_KEYS[name],
            )  # fmt: skip
    if spec is not None and not all(right.values()):
        return Dialect()
    return Dialect(
        delimiter=said.get("delimiter", ","), quote=said.get("quote", '"'), encoding=said.get("encoding", "utf-8"),
        newline=said.get("newline", "crlf"), comma=said.get("decimal") == ",",
    )  # fmt: skip
