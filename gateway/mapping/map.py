"""A compiled map: `read` takes a checked tree to canonical JSON, `write` takes canonical JSON to a tree."""

from __future__ import annotations

import functools
import importlib.resources
import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

from gateway.canonical import KINDS
from gateway.canonical.shape import near
from gateway.edi.tree import Loop
from gateway.errors import OurFault
from gateway.findings import Finding
from gateway.mapping.hooks import NO_HOOKS, Hooks, compile_hooks
from gateway.mapping.known import Known, lost
from gateway.mapping.memory import remember
from gateway.mapping.overlay import Finder, is_json, resolve
from gateway.mapping.rules import Problems
from gateway.mapping.segments.compile import Compiler
from gateway.mapping.segments.guided import guides_named
from gateway.mapping.segments.orders import Lowered, lift, rehung
from gateway.mapping.segments.scope import Scope
from gateway.mapping.segments.shared import compile_codes
from gateway.mapping.source import MAX_BYTES as MAX_CHARACTERS
from gateway.mapping.state import Json, Lost, ReadState, Unmapped, WriteState
from gateway.mapping.trace import Origin, origins

Sources = Mapping[str, str] | Callable[[str], tuple[str, str]]
"""Map name to text; or a function from a map's name to file name and text that raises KeyError or FileNotFoundError."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A wire file and its canonical form, by the names the map gives."""

    edi: str
    canonical: str
    file: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A set as canonical JSON, ready for `canonical.parse`."""

    document: Json
    unmapped: tuple[Unmapped, ...]
    findings: tuple[Finding, ...]
    origins: tuple[Origin, ...] = ()
    """Where each field came from, when it was asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """A document as a tree. `lost` is what the map cannot express; each is a finding too where a line was
    meant for it.
    """

    root: Loop
    lost: tuple[Lost, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Map:
    """One document type, both ways. Immutable and shareable between threads."""

    name: str
    document: str
    """The transaction set: 855."""
    canonical: str
    """The canonical kind: order_acknowledgement."""
    hash: str
    """SHA-256 over all sources, the version of the map."""
    examples: tuple[Example, ...]
    scope: Scope
    known: Known
    always: tuple[str, ...]
    preset: tuple[tuple[str, str], ...] = ()
    """Fields that every message says by being what it is."""
    ordered: bool = False
    """Whether the wire says the order of each line, and the document has orders as nodes."""
    guides: tuple[str, ...] = ()
    """The guides it is for, by name; each shape of what it writes is one that one of them has."""
    hooked: bool = False
    """Whether lines of it may call hooks: code of the workspace, which may take its time."""

    @property
    def syntax(self) -> str:
        """x12 or edifact, by the name of its message; under it `extensions` keeps what the wire said."""
        return "x12" if self.document.isdigit() else "edifact"

    def read(self, root: Loop, *, traced: bool = False) -> Reading:
        """The canonical document that the set says; what no line names is in `unmapped` and in the
        document's `extensions`. `traced`: with the origin of each field, a few times slower.
        """
        state = ReadState(syntax=self.syntax, notes=[] if traced else None)
        document: Json = dict(self.preset)
        self.scope.read(root.children, document, state)
        notes = state.notes or []
        if self.ordered:
            stated = lift(document, self.syntax)
            notes = rehung(notes, stated, document)
        absent = [label for label in self.always if label not in state.seen]
        if absent:
            remember(document, self.syntax)["absent"] = absent
        return Reading(
            document=document,
            unmapped=tuple(state.unmapped),
            findings=tuple(state.findings),
            origins=origins(document, notes),
        )

    def write(self, document: Mapping[str, Any]) -> Writing:
        """The set that says the document (canonical JSON as `canonical.dump` gives it), segments in wire order."""
        state = WriteState(syntax=self.syntax)
        given: Json = dict(document)
        lowered = Lowered(given, self.syntax) if self.ordered else None
        if lowered is not None:
            given = lowered.document
        children = self.scope.write(dict(given), state, "", given)
        if lowered is not None:
            lowered.name(state)
        for name, value in self.preset:
            if (said := document.get(name)) not in (None, value):
                state.lose(f"/{name}", said, f"{value}, which is all that the map can say")
        computed = frozenset(KINDS[self.canonical].model_computed_fields)
        for pointer, value in lost(document, self.known, computed):
            state.lost.append(Lost(pointer=pointer, value=str(value)[:200], reason="no line of the map names it"))
        return Writing(root=Loop("", children), lost=tuple(state.lost), findings=tuple(state.findings))


def compile_map(name: str, sources: Sources, hooks: Hooks = NO_HOOKS) -> Map:
    """The map `name` with its bases. OurFault with every problem as a finding (file, line, key) where it
    breaks a law. `hooks`: the functions that its lines may name.
    """
    problems = Problems()
    node, version = resolve(name, finder(sources), problems, hooks.text)
    made: Map | None = None
    if node is not None:
        keys = node.keys
        codes = compile_codes(keys.get("codes"), problems)
        kind = (keys["canonical"].text if "canonical" in keys else "") or ""
        document = (keys["document"].text if "document" in keys else "") or ""
        if is_json(node):
            wanted = "an EDI set, 855; JSON maps are for targets"
            line = keys["document"].line
            problems.add("map.document.other", node.file, line, "document", said=document, wanted=wanted)
        elif not document:
            problems.add("map.key.missing", node.file, node.line, "document", said="nothing", wanted="a set, 855")
        if kind not in KINDS:
            wanted = "one of " + ", ".join(KINDS) + near(kind, KINDS)
            line = keys["canonical"].line if "canonical" in keys else node.line
            problems.add("map.key.missing", node.file, line, "canonical", said=kind or "nothing", wanted=wanted)
        elif "segments" not in keys and not is_json(node):
            problems.add("map.key.missing", node.file, node.line, "segments", said="nothing", wanted="a list of rules")
        elif "segments" in keys:
            compiler = Compiler(kind, codes, problems, comma=not document.isdigit())
            compiler.hooks = compile_hooks(keys.get("hooks"), hooks, problems)
            scope = compiler.root(keys["segments"], node)
            made = Map(
                name=name, document=document, canonical=kind, hash=version, examples=_examples(keys, problems),
                scope=scope, known=compiler.known, always=tuple(compiler.always), preset=compiler.said,
                ordered=compiler.line_orders, hooked=bool(compiler.hooks),
                guides=tuple(guides_named(node)),
            )  # fmt: skip
    if problems.findings or made is None:
        first = problems.findings[0].text if problems.findings else ""
        raise OurFault(
            f"The map {name} cannot be used: {problems.counted}; the first: {first}",
            remedy=f"Correct the map; `gateway map check {name}` lists all of them.",
            findings=tuple(problems.findings),
        )
    return made


def _examples(keys: Mapping[str, Any], problems: Problems) -> tuple[Example, ...]:
    found = []
    for node in keys["examples"].items if "examples" in keys else []:
        edi, canonical = (node.keys[key].text if key in node.keys else None for key in ("edi", "canonical"))
        if edi and canonical:
            found.append(Example(edi=edi, canonical=canonical, file=node.file, line=node.line))
        else:
            problems.add(
                "map.file.shape", node.file, node.line, "examples", said="an example", wanted="edi and canonical"
            )
    return tuple(found)


def finder(sources: Sources) -> Finder:
    """`sources` as `overlay.resolve` asks them."""

    def find(name: str) -> tuple[str, str] | None:
        try:
            return (f"maps/{name}.yaml", sources[name]) if isinstance(sources, Mapping) else sources(name)
        except (KeyError, FileNotFoundError):
            return None

    return find


def shipped() -> Traversable:
    """The folder of the maps that come with the gateway: `maps/` of a checkout, `gateway/maps` of an
    installed wheel.
    """
    package = importlib.resources.files("gateway")
    inside = package / "maps"
    if inside.is_dir():
        return inside
    return pathlib.Path(str(package)).parent / "maps"


def from_folders(*folders: Traversable) -> Callable[[str], tuple[str, str]]:
    """Sources that look into `folders` in turn: the workspace's `maps/` before the shipped ones."""

    def find(name: str) -> tuple[str, str]:
        steps = name.split("/")
        if not all(step and step.strip(".") and step.replace("-", "").replace("_", "").isalnum() for step in steps):
            raise KeyError(name)
        for folder in folders:
            file = folder.joinpath(*steps[:-1], f"{steps[-1]}.yaml")
            if file.is_file():
                with file.open("rb") as stream:  # the reader of sources refuses what is longer
                    content = stream.read(4 * MAX_CHARACTERS + 1)
                return "/".join(("maps", *steps[:-1], file.name)), _text(content)
        raise FileNotFoundError(name)

    return find


def _text(content: bytes) -> str:
    if len(content) <= 4 * MAX_CHARACTERS:
        return content.decode("utf-8-sig")
    return content.decode("utf-8-sig", "replace")


@functools.lru_cache(maxsize=64)
def shipped_map(name: str) -> Map:
    """A shipped map, compiled once."""
    return compile_map(name, from_folders(shipped()))
