"""A compiled XML map: `read` takes a document's bytes to canonical JSON, `write` canonical JSON to a document's bytes.

The envelope is not a map's: `payloadID`, `timestamp` and credentials of a cXML file are read by whoever carries it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from lxml import etree

from gateway.errors import OurFault
from gateway.findings import Finding, JsonPlace, XmlPlace
from gateway.mapping.json.scope import JsonReadState, UnmappedMember
from gateway.mapping.json.text import Pointer, read_pointer
from gateway.mapping.known import Known
from gateway.mapping.map import Sources
from gateway.mapping.overlay import XML
from gateway.mapping.rows import Rows
from gateway.mapping.rules import Problems, finding
from gateway.mapping.segments.shared import compile_codes
from gateway.mapping.source import Node
from gateway.mapping.state import Json, WriteState
from gateway.mapping.texts import (
    TextExample,
    TextLoad,
    TextReading,
    TextWriting,
    compare_reading,
    compare_writing,
    note_lost,
    place_of,
    read_examples,
    read_heading,
    refused,
)
from gateway.mapping.xml.compile import XmlCompiler, use_parts
from gateway.mapping.xml.members import line_of, read_members, write_members
from gateway.mapping.xml.names import XML as XML_URI
from gateway.mapping.xml.names import Names, read_path, write_path
from gateway.mapping.xml.scope import XmlScope
from gateway.mapping.xml.text import line_in, parse, serialize

_PREFIX: Final = re.compile(r"(?:[A-Za-z_][\w.-]*)?\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class XmlMap:
    """One kind of document, both ways. Immutable and shareable between threads."""

    name: str
    canonical: str
    """The canonical kind: order_acknowledgement."""
    hash: str
    """SHA-256 over all sources, the version of the map."""
    examples: tuple[TextExample, ...]
    writes_only: bool
    root: str
    """The root element's name, by the map's prefixes."""
    doctype: str
    """What the DOCTYPE of a written document names; empty for none."""
    names: Names
    envelope: tuple[Pointer, ...]
    """What belongs to whoever carries the document: never read, kept or written."""
    scope: XmlScope
    known: Known
    default: tuple[tuple[str, str], ...]
    """Pointer and usual value of fields that the wire has no place for."""

    def read(self, data: bytes) -> TextReading:
        """The canonical document that the bytes say. OurFault where the map only writes."""
        if self.writes_only:
            raise OurFault(
                f"The map {self.name} only writes: it says one_way: write",
                remedy="Read with a map that goes both ways.",
            )
        root = parse(data)
        if isinstance(root, Finding):
            return TextReading(document={}, unmapped=(), findings=(root,))
        if root.tag != self.names.wire(self.root):
            wanted = self.names.wire(self.root)
            place = XmlPlace(path="", line=line_in(root))
            wrong = finding("map.xml.root", place, said=str(root.tag), wanted=wanted)
            return TextReading(document={}, unmapped=(), findings=(wrong,))
        _without(root, self.envelope, self.names)
        members = read_members(root, self.scope.shape, self.names)
        document: Json = {}
        state = JsonReadState(document=document)
        for rule in self.scope.lists:
            if isinstance(rule, Rows):
                rule.hand_down(members)
        self.scope.read(members, document, state, "")
        findings = tuple(_placed(one, members) for one in state.findings)
        unmapped = tuple(
            UnmappedMember(pointer=write_path(tuple(one.pointer.split("/")[1:])), value=one.value)
            for one in state.unmapped
        )
        return TextReading(document=document, unmapped=unmapped, findings=findings)

    def write(self, document: Mapping[str, Any]) -> TextWriting:
        """The document that says `document` (canonical JSON as `canonical.dump` gives it)."""
        state = WriteState(document=dict(document))
        body, _ = self.scope.write(state.document, state, "")
        for rule in self.scope.lists:
            if isinstance(rule, Rows):
                rule.hoist(body)
        note_lost(document, self.canonical, self.known, self.default, state)
        root = write_members(self.root, body, self.scope.shape, self.names, self.names.namespaces)
        data = serialize(root, self.doctype and f'<!DOCTYPE {self.root} SYSTEM "{self.doctype}">')
        return TextWriting(data=data, lost=tuple(state.lost), findings=tuple(state.findings))


def _without(root: etree._Element, envelope: tuple[Pointer, ...], names: Names) -> None:
    """Take the envelope's parts from the document."""
    for pointer in envelope:
        *way, last = pointer
        here = [root]
        for step in way:
            here = [child for each in here for child in each.findall(names.wire(step))]
        for each in here:
            if last.startswith("@"):
                each.attrib.pop(names.wire(last), "")
            else:
                for child in each.findall(names.wire(last)):
                    each.remove(child)


def _placed(one: Finding, members: Any) -> Finding:
    """The finding with its path and line in place of a pointer."""
    if not isinstance(one.place, JsonPlace):
        return one
    pointer = read_pointer(one.place.pointer.replace("~", "~0")) or ()
    return replace(one, place=XmlPlace(path=write_path(pointer), line=line_of(members, pointer)))


def compile_xml_map(name: str, sources: Sources) -> XmlMap:
    """The XML map `name` with its bases. OurFault with every problem as a finding where it breaks a law."""
    problems = Problems()
    heading = read_heading(name, sources, XML, problems)
    made = None
    if heading is not None:
        node = heading.node
        names = _names(node, problems)
        parts = node.keys["parts"].keys if "parts" in node.keys else {}
        use_parts(node, parts, problems)
        codes = compile_codes(node.keys.get("codes"), problems)
        compiler = XmlCompiler(heading.kind, codes, problems, names=names, writes_only=heading.writes_only)
        scope = compiler.top(node)
        root = _root(node, compiler, problems)
        if isinstance(scope, XmlScope):
            made = XmlMap(
                name=name, canonical=heading.kind, hash=heading.hash, examples=read_examples(node, XML, problems),
                writes_only=heading.writes_only, root=root, envelope=_envelope(node, compiler),
                doctype=_doctype(node, problems), names=names, scope=scope, known=compiler.known,
                default=compiler.defaults(node),
            )  # fmt: skip
    if problems.findings or made is None:
        raise refused(name, problems)
    return made


def _names(node: Node, problems: Problems) -> Names:
    found: dict[str, str] = {}
    for prefix, spec in (node.keys["namespaces"].keys if "namespaces" in node.keys else {}).items():
        key = f"namespaces.{prefix}"
        if not _PREFIX.match(prefix) or prefix.lower().startswith("xml"):
            problems.add("map.file.shape", spec.file, spec.line, key, said=prefix, wanted="a prefix that is not xml…")
        elif not spec.text or any(letter.isspace() for letter in spec.text) or spec.text in (*found.values(), XML_URI):
            problems.add("map.file.shape", spec.file, spec.line, key, said=spec.text or "nothing", wanted="a namespace")
        else:
            found[prefix] = spec.text
    return Names(namespaces=found)


def _root(node: Node, compiler: XmlCompiler, problems: Problems) -> str:
    spec = node.keys.get("root")
    steps = read_path(f"/{spec.text}") if spec is not None and spec.text else None
    if spec is None or steps is None or len(steps) != 1 or steps[0].startswith("@"):
        place = spec or node
        said = (spec.text if spec else None) or "nothing"
        problems.add("map.key.missing", place.file, place.line, "root", said=said, wanted="the root element's name")
        return "root"
    return steps[0] if compiler.element(f"/{steps[0]}", spec, "root") else "root"


def _envelope(node: Node, compiler: XmlCompiler) -> tuple[Pointer, ...]:
    specs = node.keys["envelope"].items if "envelope" in node.keys else []
    found = [compiler.element(spec.text or "", spec, "envelope") for spec in specs]
    return tuple(one for one in found if one)


def _doctype(node: Node, problems: Problems) -> str:
    spec = node.keys.get("doctype")
    said = (spec.text if spec else None) or ""
    if spec is not None and ('"' in said or ">" in said or not said.isascii()):
        problems.add("map.file.shape", spec.file, spec.line, "doctype", said=said, wanted="the address of a DTD")
        return ""
    return said


def check_xml_map(own: XmlMap, load: TextLoad) -> tuple[Finding, ...]:
    """Every example of `own` read and written; a finding where the result is not the file's."""
    found: list[Finding] = []
    for example in own.examples:
        loaded = load(example)
        if loaded is None or not isinstance(loaded[1], dict):
            said = f"{example.wire}, {example.canonical}"
            found.append(finding("map.example.missing", place_of(example), said=said, wanted="both files"))
            continue
        data, wanted = loaded
        if not own.writes_only:
            found += compare_reading(own.canonical, example, own.read(data), wanted)
        same = own.write(wanted)
        if (told := facts(data, own)) is not None and facts(same.data, own) == told:
            same = replace(same, data=data)  # prefixes, indentation and comments are no facts
        found += compare_writing(example, same, data, all_of_it=not own.writes_only)
    return tuple(found)


def facts(data: bytes, own: XmlMap) -> list[tuple[object, ...]] | None:
    """What a document says, without prefixes, indentation, comments, the order of attributes and the envelope; None
    where it is none.
    """
    root = parse(data)
    if isinstance(root, Finding):
        return None
    _without(root, own.envelope, own.names)
    etree.indent(root)
    found: list[tuple[object, ...]] = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            found.append((element.tag, sorted(element.attrib.items()), element.text))
        else:
            found.append((element.tag, element.tail))
    return found
