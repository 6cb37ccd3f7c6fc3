"""Any map, whatever it is for: a segment map, or one for JSON, XML or CSV."""

from __future__ import annotations

from gateway.mapping.csv.map import CsvMap, compile_csv_map
from gateway.mapping.head import head
from gateway.mapping.hooks import NO_HOOKS, Hooks
from gateway.mapping.json.map import JsonMap, compile_json_map
from gateway.mapping.map import Map, Sources, compile_map
from gateway.mapping.overlay import CSV, JSON, XML
from gateway.mapping.xml.map import XmlMap, compile_xml_map

AnyMap = Map | JsonMap | XmlMap | CsvMap


def compile_any(name: str, sources: Sources, hooks: Hooks = NO_HOOKS) -> AnyMap:
    """The map `name`, whatever it is for. OurFault as its own compiler raises it."""
    found = head(name, sources)
    document = found.document if found else ""
    if document == JSON:
        return compile_json_map(name, sources)
    if document == XML:
        return compile_xml_map(name, sources)
    if document == CSV:
        return compile_csv_map(name, sources)
    return compile_map(name, sources, hooks)
