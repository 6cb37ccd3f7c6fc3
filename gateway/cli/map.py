"""`gateway map`: read a file through a map, write one, check maps with their examples."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from gateway.canonical import check, dump, parse
from gateway.cli import map_edi, map_json, map_text
from gateway.cli.answers import times
from gateway.cli.edi_reading import Partner, reading
from gateway.cli.map_diff import diff
from gateway.cli.map_explain import coverage, explain
from gateway.cli.map_files import Folder, complete_map
from gateway.cli.map_guides import ByGuide, Desk, Unchecked
from gateway.cli.map_init import init
from gateway.cli.map_lineage import not_read
from gateway.cli.map_show import list_, show_
from gateway.cli.printable import printable
from gateway.edi.interchange import Group, Interchange
from gateway.edi.tree import Loop, Message
from gateway.errors import OurFault, PartnerFault
from gateway.findings import Finding, Severity, worst
from gateway.mapping import (
    AnyMap,
    CsvMap,
    Example,
    JsonMap,
    Map,
    XmlMap,
    check_json_map,
    check_map,
    compile_any,
    from_folders,
    shipped,
)
from gateway.mapping.envelope import FIELDS as ENVELOPE
from gateway.mapping.envelope import read_envelope
from gateway.mapping.hooks import Hooks
from gateway.mapping.json import text as json_text
from gateway.partners.hooks import hooks_of
from gateway.partners.map_names import map_names
from gateway.yamltext import near_miss

app = typer.Typer(no_args_is_help=True, help="Maps: between EDI and canonical JSON, both ways.")

FINDINGS = 1
CANNOT_RUN = 2
MAX_BYTES = 64 * 1024 * 1024

MapName = Annotated[str, typer.Option("--map", help="The map: x12/855, acme/855.", autocompletion=complete_map)]
AsJson = Annotated[bool, typer.Option("--json", help="Findings as JSON.")]
HERE = Path()

app.command("list")(list_)
app.command("show")(show_)
app.command()(diff)
app.command()(init)


@app.command()
def read(
    file: Annotated[
        str, typer.Argument(help="An EDI, XML or CSV file, or a body for a JSON map; - for standard input.")
    ],
    *,
    name: MapName,
    partner: Partner = None,
    workspace: Folder = HERE,
    lines: Annotated[bool, typer.Option("--lines", help="One document per line instead of an indented one.")] = False,
) -> None:
    """Print the canonical JSON of every set in FILE that the map is for; what no map line names goes to stderr.

    With --partner by the guides, tolerances and charset of the agreement, another version read as it says.

    Example: gateway map read --map x12/855 samples/x12/855-split.edi > 855-split.json
    """
    own = _map(name, workspace)
    if isinstance(own, JsonMap):
        _finish(map_json.read_body(own, _object(file), indent=None if lines else 2))
        return
    data = _bytes(file)
    if isinstance(own, XmlMap | CsvMap):
        _finish(map_text.read_text(own, data, indent=None if lines else 2))
        return
    sets = [one for one in _messages(data, file, partner, workspace) if one[2].type == own.document]
    if not sets:
        _stop(
            f"{file} holds no set {own.document}.", "Name a map for the sets it holds, or look at it: gateway edi show."
        )
    bad = False
    for interchange, group, message in sets:
        if (why := not_read(message)) is not None:
            typer.echo(printable(why), err=True)
            bad = True
            continue
        result = own.read(message.root)
        model, errors = parse(own.canonical, result.document)
        found = (*message.findings, *result.findings, *errors, *(check(model) if model else ()))
        for one in result.unmapped:
            typer.echo(f"unmapped: {one.place}: {one.value}", err=True)
        _say(found)
        bad = bad or worst(found) is not Severity.ACCEPT
        envelope = read_envelope(
            interchange, group, message, map_edi.line_ending(data, message, interchange.delimiters)
        )
        document = {**envelope, **(dump(model) if model else result.document)}
        typer.echo(json.dumps(document, ensure_ascii=False, indent=None if lines else 2))
    if bad:
        raise typer.Exit(FINDINGS)


@app.command(name="write")
def write_(
    file: Annotated[
        str, typer.Argument(help="Canonical JSON, for CSV also a list of documents; - for standard input.")
    ],
    *,
    name: MapName,
    workspace: Folder = HERE,
    number: Annotated[
        str | None,
        typer.Option("--number", help="Control number of the set (ST02, UNH 0062); as in the JSON, or 0001."),
    ] = None,
    version: Annotated[
        str | None,
        typer.Option("--version", help="Version of an EDIFACT message, D96A:UN:EAN008; as in the JSON, or D96A."),
    ] = None,
    newlines: Annotated[
        bool, typer.Option("--newlines", help="A line break after each segment, also where the JSON has none.")
    ] = False,
    guide: ByGuide = None,
    unchecked: Unchecked = False,
) -> None:
    """Print the set, ST to SE or UNH to UNT, the JSON body, XML or CSV file that says what canonical JSON says.

    What is lost goes to stderr, and a value that its element cannot hold: the guide says what that is, and the set is
    not written. A JSON map for an ERP leaves out much on purpose: that alone is no finding.

    Example: gateway map write --map x12/855 855-split.json --newlines
    """
    own = _map(name, workspace)
    try:
        data = json.loads(_bytes(file))
    except (ValueError, RecursionError) as fault:
        _stop(f"{file} is no JSON: {fault}.", "Give the output of gateway map read, or a canonical document.")
    if isinstance(own, XmlMap | CsvMap):
        found, lost = map_text.write_text(own, data)
        _finish(found)
        if lost:
            raise typer.Exit(FINDINGS)
        return
    model, errors = parse(own.canonical, data)
    if model is None:
        _say(errors)
        raise typer.Exit(FINDINGS)
    if isinstance(own, JsonMap):
        _finish((*check(model), *map_json.write_body(own, dump(model))))
        return
    writing = own.write(dump(model))
    for one in writing.lost:
        typer.echo(f"lost: {one.pointer}: {one.value} ({one.reason})", err=True)
    refused = () if unchecked else _refused(own, writing.root, guide, workspace)
    found = (*check(model), *writing.findings, *refused)
    _say(found)
    if refused:
        raise typer.Exit(FINDINGS)
    try:
        text = map_edi.write_set(own, data, writing.root, number=number, newlines=newlines, version=version)
    except PartnerFault as fault:
        _say(fault.findings)
        raise typer.Exit(FINDINGS) from fault
    except OurFault as fault:
        _stop(f"{file}: {fault}.", fault.remedy)
    sys.stdout.buffer.write(text if text.endswith((b"\n", b"\r")) else text + b"\n")
    if writing.lost or worst(found) is not Severity.ACCEPT:
        raise typer.Exit(FINDINGS)


@app.command(name="check")
def check_(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Maps; all of the workspace and the shipped ones without.", autocompletion=complete_map),
    ] = None,
    *,
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Check maps against the laws of the language and run their examples both ways.

    Example: gateway map check acme/855
    """
    rows: list[dict[str, Any]] = []
    console = Console(highlight=False)
    desk = Desk(workspace)
    for name in names or ():
        _exists(name, workspace)
    hooks = _hooks(workspace)
    for name in names or sorted(map_names(workspace)):
        examples, only_writes = 0, ""
        try:
            own = compile_any(name, from_folders(workspace / "maps", shipped()), hooks)
        except OurFault as fault:
            if not fault.findings:  # no law was broken: it cannot be known whether the map is right
                _stop(f"{fault}.", fault.remedy)
            found = fault.findings
        else:
            examples = len(own.examples)
            if isinstance(own, JsonMap):
                found = check_json_map(own, lambda example: map_json.example(example, workspace))
                only_writes = ", only writes" if own.writes_only else ""
            elif isinstance(own, XmlMap | CsvMap):
                found = map_text.check_text(own, workspace)
                only_writes = ", only writes" if own.writes_only else ""
            else:
                found = check_map(own, lambda example: _example(example, workspace))
        found = (*found, *desk.findings(name, from_folders(workspace / "maps", shipped())))
        rows.append({"map": name, "examples": examples, "findings": [_row(one) for one in found]})
        if not as_json:
            verdict = f"[red]{times(len(found), 'finding')}[/red]" if found else "[green]right[/green]"
            console.print(f"{name:24} {times(examples, 'example')}, {verdict}{only_writes}")
            for one in found:
                console.print(f"  {one.text}\n    {one.fix}", markup=False, soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    if any(row["findings"] for row in rows):
        raise typer.Exit(FINDINGS)


def _hooks(workspace: Path) -> Hooks:
    """Those of the workspace. Without them no map is called right: which would need them, none can say."""
    try:
        return hooks_of(workspace)
    except OurFault as fault:
        _stop(f"{fault}.", fault.remedy)


def _refused(own: Map, root: Loop, guide: str | None, workspace: Path) -> tuple[Finding, ...]:
    try:
        return Desk(workspace).refused(own, root, guide)
    except OurFault as fault:
        _say(fault.findings)
        _stop(f"{fault}.", fault.remedy)


def _exists(name: str, workspace: Path) -> None:
    known = map_names(workspace)
    if name not in known:
        meant = near_miss(name, known)
        _stop(f"There is no map {name}.", f"Did you mean {meant}?" if meant else "All of them: gateway map list.")


def _map(name: str, workspace: Path) -> AnyMap:
    _exists(name, workspace)
    try:
        return compile_any(name, from_folders(workspace / "maps", shipped()), hooks_of(workspace))
    except OurFault as fault:
        _say(fault.findings)
        _stop(f"{fault}.", fault.remedy)


def _object(file: str) -> dict[str, Any]:
    try:
        body = json_text.decode(_bytes(file))
    except (ValueError, RecursionError) as fault:
        _stop(f"{file} is no JSON: {fault}.", "Give one JSON object, as the far side sends it.")
    if not isinstance(body, dict):
        _stop(f"{file} is no JSON object.", "Give one JSON object, as the far side sends it.")
    return body


def _finish(found: tuple[Finding, ...]) -> None:
    _say(found)
    if worst(found) is not Severity.ACCEPT:
        raise typer.Exit(FINDINGS)


def _example(example: Example, workspace: Path) -> tuple[Loop, dict[str, Any]] | None:
    """The example's files, looked for in the workspace and beside the shipped maps."""
    for folder in (workspace, Path(str(shipped())).parent):
        edi, canonical = folder / example.edi, folder / example.canonical
        if edi.is_file() and canonical.is_file():
            messages = _messages(edi.read_bytes(), str(edi), workspace=workspace)
            document = json.loads(canonical.read_text("utf-8"))
            wanted = {key: value for key, value in document.items() if key not in ENVELOPE}
            return (messages[0][2].root, wanted) if messages else None
    return None


def _messages(
    data: bytes, file: str, partner: str | None = None, workspace: Path = HERE
) -> list[tuple[Interchange, Group, Message]]:
    try:
        interchanges = reading(partner=partner, workspace=workspace).interchanges(data)
    except OurFault as fault:
        _say(fault.findings)
        _stop(f"{fault}.", fault.remedy)
    except PartnerFault as fault:
        _say(fault.findings)
        _stop(f"{file}: {fault.public}.", "Give an X12 or EDIFACT file; gateway edi check says more.")
    return [
        (interchange, group, message)
        for interchange in interchanges
        for group in interchange.groups
        for message in group.messages
    ]


def _bytes(file: str) -> bytes:
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1) if file == "-" else _limited(Path(file))
    except OSError as fault:
        _stop(f"{file} cannot be read: {fault.strerror}.", "Name a file that exists, or - for standard input.")
    if len(data) > MAX_BYTES:
        _stop(f"{file} is larger than {MAX_BYTES} bytes.", "Give the sets in smaller files.")
    return data


def _limited(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _say(found: tuple[Finding, ...]) -> None:
    for one in found:
        typer.echo(f"{one.severity.value}: {one.rule}: {one.text}. {one.fix}", err=True)


def _row(one: Finding) -> dict[str, str]:
    return {
        "rule": one.rule, "place": str(one.place), "said": one.said, "wanted": one.wanted, "fix": one.fix,
        "severity": one.severity.value,
    }  # fmt: skip


def _stop(message: str, remedy: str) -> NoReturn:
    typer.echo(f"{message} {remedy}".strip(), err=True)
    raise typer.Exit(CANNOT_RUN)


app.command()(explain)
app.command()(coverage)
