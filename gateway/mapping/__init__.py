"""Two-way maps between the wire's checked tree and canonical documents. Pure: files are passed in as text.

compile_map(name, sources) -> Map       OurFault with all problems at once
Map.read(root) -> Reading               document, unmapped, findings
Map.write(document) -> Writing          root, lost, findings
check_map(map, example) -> findings     its examples both ways
trace(name, finder(sources), problems) -> Resolved    its nodes with all bases applied, each with its origin
shipped(), from_folders(*folders), shipped_map(name)

For JSON bodies: compile_json_map(name, sources) -> JsonMap, its read(body) and write(document), check_json_map, and
json_text.decode and encode with exact numbers. For XML documents and CSV files, bytes both ways: compile_xml_map,
compile_csv_map, check_xml_map, check_csv_map. head(name, sources) says for which documents a map is; compile_any(…)
compiles any. chain(name, sources) and version(links) tell a map's texts and its hash without compiling it.
"""

from __future__ import annotations

from gateway.mapping.anymap import AnyMap, compile_any
from gateway.mapping.chain import Link, chain, version
from gateway.mapping.csv.map import CsvMap, check_csv_map, compile_csv_map
from gateway.mapping.head import Head, head
from gateway.mapping.json.map import (
    JsonExample,
    JsonMap,
    JsonReading,
    JsonWriting,
    check_json_map,
    compile_json_map,
)
from gateway.mapping.json.scope import UnmappedMember
from gateway.mapping.laws import check_map
from gateway.mapping.map import (
    Example,
    Map,
    Reading,
    Sources,
    Writing,
    compile_map,
    finder,
    from_folders,
    shipped,
    shipped_map,
)
from gateway.mapping.overlay import Resolved, trace
from gateway.mapping.state import Lost, Unmapped
from gateway.mapping.texts import TextExample, TextReading, TextWriting
from gateway.mapping.xml.map import XmlMap, check_xml_map, compile_xml_map

__all__ = [
    "AnyMap",
    "CsvMap",
    "Example",
    "Head",
    "JsonExample",
    "JsonMap",
    "JsonReading",
    "JsonWriting",
    "Link",
    "Lost",
    "Map",
    "Reading",
    "Resolved",
    "Sources",
    "TextExample",
    "TextReading",
    "TextWriting",
    "Unmapped",
    "UnmappedMember",
    "Writing",
    "XmlMap",
    "chain",
    "check_csv_map",
    "check_json_map",
    "check_map",
    "check_xml_map",
    "compile_any",
    "compile_csv_map",
    "compile_json_map",
    "compile_map",
    "compile_xml_map",
    "finder",
    "from_folders",
    "head",
    "shipped",
    "shipped_map",
    "trace",
    "version",
]
