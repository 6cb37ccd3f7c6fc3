"""`gateway map` for JSON maps: a body, a document, an example; the commands themselves are in `map`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from gateway.canonical import check, dump, parse
from gateway.findings import Finding
from gateway.mapping import JsonExample, JsonMap, shipped
from gateway.mapping.json import text as json_text


def read_body(own: JsonMap, body: dict[str, Any], *, indent: int | None) -> tuple[Finding, ...]:
    """Print the canonical JSON of `body`; what no line names goes to stderr."""
    reading = own.read(body)
    model, errors = parse(own.canonical, reading.document)
    for one in reading.unmapped:
        typer.echo(f"unmapped: {one.pointer}: {one.value}", err=True)
    document = dump(model) if model else reading.document
    typer.echo(json.dumps(document, ensure_ascii=False, indent=indent))
    return (*reading.findings, *errors, *(check(model) if model else ()))


def write_body(own: JsonMap, document: dict[str, Any]) -> tuple[Finding, ...]:
    """Print the body that says `document`; what is lost goes to stderr."""
    writing = own.write(document)
    for one in writing.lost:
        typer.echo(f"lost: {one.pointer}: {one.value} ({one.reason})", err=True)
    typer.echo(json_text.encode(writing.body, indent=2))
    return writing.findings


def example(own: JsonExample, workspace: Path) -> tuple[Any, Any] | None:
    """The example's files, looked for in the workspace and beside the shipped maps."""
    for folder in (workspace, Path(str(shipped())).parent):
        body, canonical = folder / own.json, folder / own.canonical
        if body.is_file() and canonical.is_file():
            try:
                return json_text.decode(body.read_bytes()), json.loads(canonical.read_bytes())
            except (ValueError, RecursionError):
                return None
    return None
