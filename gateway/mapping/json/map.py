"""A compiled JSON map: `read` takes a partner's or ERP's JSON body to canonical JSON, `write` canonical JSON to a body.

`one_way: write` makes a map that is never read: it may write computed fields, such as a ship notice's flat `lines`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.canonical import KINDS, dump, parse
from gateway.canonical.shape import near
from gateway.errors import OurFault
from gateway.findings import FilePlace, Finding
from gateway.mapping.json.compile import JsonCompiler
from gateway.mapping.json.scope import JsonReadState, JsonScope, UnmappedMember
from gateway.mapping.json.text import encode, same
from gateway.mapping.known import Known, lost
from gateway.mapping.map import Sources, finder
from gateway.mapping.overlay import JSON, resolve
from gateway.mapping.rules import Problems, finding
from gateway.mapping.segments.shared import compile_codes
from gateway.mapping.source import Node
from gateway.mapping.state import Json, Lost, WriteState

SHADOWS: Final[Mapping[str, str]] = {"lines": "contents"}
"""What a computed field says again: a map that writes the one is not asked for the other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonExample:
    """A body and its canonical form, by the names the map gives."""

    json: str
    canonical: str
    file: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonReading:
    """A body as canonical JSON, ready for `canonical.parse`."""

    document: Json
    unmapped: tuple[UnmappedMember, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonWriting:
    """A document as a body; numbers are Decimals, see `json_text.encode`. `lost` is what the map does not express."""

    body: Json
    lost: tuple[Lost, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonMap:
    """One kind of body, both ways. Immutable and shareable between threads."""

    name: str
    canonical: str
    """The canonical kind: order_acknowledgement."""
    hash: str
    """SHA-256 over all sources, the version of the map."""
    examples: tuple[JsonExample, ...]
    writes_only: bool
    scope: JsonScope
    known: Known
    computed: frozenset[str]

    def read(self, body: Mapping[str, Any]) -> JsonReading:
        """The canonical document that a decoded body says (`json_text.decode`). OurFault where the map only writes."""
        if self.writes_only:
            raise OurFault(
                f"The map {self.name} only writes: it says one_way: write",
                remedy="Read with a map that goes both ways.",
            )
        state = JsonReadState()
        document: Json = {}
        self.scope.read(dict(body), document, state, "")
        return JsonReading(document=document, unmapped=tuple(state.unmapped), findings=tuple(state.findings))

    def write(self, document: Mapping[str, Any]) -> JsonWriting:
        """The body that says the document (canonical JSON as `canonical.dump` gives it)."""
        state = WriteState()
        body, _ = self.scope.write(dict(document), state, "")
        left_out = frozenset(KINDS[self.canonical].model_computed_fields) - self.computed
        left_out |= {SHADOWS[name] for name in self.computed if name in SHADOWS}
        for pointer, value in lost(document, self.known, left_out):
            state.lost.append(Lost(pointer=pointer, value=str(value)[:200], reason="no line of the map names it"))
        return JsonWriting(body=body, lost=tuple(state.lost), findings=tuple(state.findings))


def compile_json_map(name: str, sources: Sources) -> JsonMap:
    """The JSON map `name` with its bases. OurFault with every problem as a finding where it breaks a law."""
    problems = Problems()
    node, version = resolve(name, finder(sources), problems)
    made = None if node is None else _made(name, node, version, problems)
    if problems.findings or made is None:
        first = problems.findings[0].text if problems.findings else ""
        raise OurFault(
            f"The map {name} cannot be used: {problems.counted}; the first: {first}",
            remedy=f"Correct the map; `gateway map check {name}` lists all of them.",
            findings=tuple(problems.findings),
        )
    return made


def _made(name: str, node: Node, version: str, problems: Problems) -> JsonMap | None:
    keys = node.keys
    said, kind, way = (keys[key].text or "" if key in keys else "" for key in ("document", "canonical", "one_way"))
    if said != JSON:
        place = keys.get("document", node)
        problems.add("map.document.other", place.file, place.line, "document", said=said or "nothing", wanted="json")
        return None
    if kind not in KINDS:
        place = keys.get("canonical", node)
        wanted = "one of " + ", ".join(KINDS) + near(kind, KINDS)
        problems.add("map.key.missing", place.file, place.line, "canonical", said=kind or "nothing", wanted=wanted)
        return None
    if way not in ("", "write"):
        place = keys["one_way"]
        problems.add("map.file.shape", place.file, place.line, "one_way", said=way, wanted="write")
    compiler = JsonCompiler(kind, compile_codes(keys.get("codes"), problems), problems, writes_only=bool(way))
    scope = compiler.top(node)
    return JsonMap(
        name=name, canonical=kind, hash=version, examples=_examples(node, problems), writes_only=bool(way),
        scope=scope, known=compiler.known, computed=frozenset(compiler.computed),
    )  # fmt: skip


def _examples(node: Node, problems: Problems) -> tuple[JsonExample, ...]:
    found = []
    for each in node.keys["examples"].items if "examples" in node.keys else []:
        body, canonical = (each.keys[key].text if key in each.keys else None for key in ("json", "canonical"))
        if body and canonical:
            found.append(JsonExample(json=body, canonical=canonical, file=each.file, line=each.line))
        else:
            problems.add(
                "map.file.shape", each.file, each.line, "examples", said="an example", wanted="json and canonical"
            )
    return tuple(found)


JsonLoad = Callable[[JsonExample], tuple[Any, Any] | None]
"""From an example to its decoded body and its canonical JSON; None where a file is missing."""


def check_json_map(own: JsonMap, load: JsonLoad) -> tuple[Finding, ...]:
    """Every example of `own` read and written; a finding where the result is not the file's."""
    found: list[Finding] = []
    for example in own.examples:
        place = FilePlace(file=example.file, line=example.line, key="examples")
        loaded = load(example)
        if loaded is None or not isinstance(loaded[0], dict) or not isinstance(loaded[1], dict):
            said = f"{example.json}, {example.canonical}"
            found.append(finding("map.example.missing", place, said=said, wanted="both files, each a JSON object"))
            continue
        found += _check(own, example, place, *loaded)
    return tuple(found)


def _check(own: JsonMap, example: JsonExample, place: FilePlace, body: Json, wanted: Json) -> list[Finding]:
    found = []
    if not own.writes_only:
        model, errors = parse(own.canonical, own.read(body).document)
        if model is None:
            said = f"{example.json}: {errors[0].text}"
            return [finding("map.example.read", place, said=said, wanted=f"a {own.canonical} without errors")]
        got = dump(model)
        if got != wanted:
            said = f"{example.json}: {difference(wanted, got)}"
            found.append(finding("map.example.read", place, said=said, wanted=example.canonical))
    writing = own.write(wanted)
    if not same(writing.body, body):
        said = f"{example.canonical}: {difference(body, writing.body)}"
        found.append(finding("map.example.write", place, said=said, wanted=example.json))
    if writing.lost and not own.writes_only:
        said = f"{example.canonical}: {writing.lost[0].pointer} is lost"
        found.append(finding("map.example.write", place, said=said, wanted="every field written"))
    return found


def difference(wanted: Any, got: Any, at: str = "") -> str:
    """Pointer of the first difference, and both sides."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        names = [name for name in [*wanted, *got] if not same(wanted.get(name), got.get(name))]
        return difference(wanted.get(names[0]), got.get(names[0]), f"{at}/{names[0]}") if names else ""
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        places = [place for place in range(len(got)) if not same(wanted[place], got[place])]
        return difference(wanted[places[0]], got[places[0]], f"{at}/{places[0]}") if places else ""
    return f"{at}: {encode(got)}, not {encode(wanted)}"
