"""`gateway map` for maps of texts, XML and CSV: a file, its documents, an example; the commands are in `map`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer

from gateway.canonical import check, dump, parse
from gateway.cli.printable import printable
from gateway.findings import Finding
from gateway.mapping import (
    AnyMap,
    CsvMap,
    TextExample,
    TextReading,
    XmlMap,
    check_csv_map,
    check_xml_map,
    shipped,
)


def read_text(own: XmlMap | CsvMap, data: bytes, *, indent: int | None) -> tuple[Finding, ...]:
    """Print the canonical JSON of each document of a file; what no line names goes to stderr."""
    readings = (own.read(data),) if isinstance(own, XmlMap) else own.read(data)
    found: list[Finding] = []
    for reading in readings:
        found += _print(own, reading, indent)
    return tuple(found)


def _print(own: XmlMap | CsvMap, reading: TextReading, indent: int | None) -> list[Finding]:
    for one in reading.unmapped:
        typer.echo(printable(f"unmapped: {one.pointer}: {one.value}"), err=True)
    if not reading.document:
        return list(reading.findings)
    model, errors = parse(own.canonical, reading.document)
    document = dump(model) if model else reading.document
    typer.echo(json.dumps(document, ensure_ascii=False, indent=indent))
    return [*reading.findings, *errors, *(check(model) if model else ())]


def write_text(own: XmlMap | CsvMap, data: Any) -> tuple[tuple[Finding, ...], bool]:
    """Print the file that says the documents of `data`, of CSV also a list; findings, and whether any is lost."""
    given = data if isinstance(data, list) and isinstance(own, CsvMap) else [data]
    found: list[Finding] = []
    documents = []
    for each in given:
        model, errors = parse(own.canonical, each)
        found += errors
        if model is not None:
            found += check(model)
            documents.append(dump(model))
    if len(documents) != len(given) or not documents:
        return tuple(found), False
    writing = own.write(documents[0]) if isinstance(own, XmlMap) else own.write(documents)
    for one in writing.lost:
        typer.echo(printable(f"lost: {one.pointer}: {one.value} ({one.reason})"), err=True)
    sys.stdout.flush()
    sys.stdout.buffer.write(writing.data)
    sys.stdout.buffer.flush()
    return (*found, *writing.findings), bool(writing.lost)


def check_text(own: AnyMap, workspace: Path) -> tuple[Finding, ...]:
    """The examples of a map of texts, both ways."""

    def load(example: TextExample) -> tuple[bytes, Any] | None:
        return _example(example, workspace)

    if isinstance(own, XmlMap):
        return check_xml_map(own, load)
    return check_csv_map(own, load) if isinstance(own, CsvMap) else ()


def _example(example: TextExample, workspace: Path) -> tuple[bytes, Any] | None:
    """The example's files, looked for in the workspace and beside the shipped maps."""
    for folder in (workspace, Path(str(shipped())).parent):
        wire, canonical = folder / example.wire, folder / example.canonical
        if wire.is_file() and canonical.is_file():
            try:
                return wire.read_bytes(), json.loads(canonical.read_bytes())
            except (ValueError, RecursionError):
                return None
    return None
