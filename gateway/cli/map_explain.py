"""`gateway map explain` and `gateway map coverage`: which bytes became which field, and what a map leaves unread."""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.answers import FINDINGS, AsJson, answering
from gateway.cli.edi_files import NO_EDI, Source, blocks, sources
from gateway.cli.edi_ink import Ink
from gateway.cli.edi_progress import Meter
from gateway.cli.edi_reading import Charset, File, Files, Partner, Tolerate, Workspace, reading
from gateway.cli.edi_window import Window
from gateway.cli.map_explain_html import page
from gateway.cli.map_lineage import Explained, MapFor, Row, explained, not_read
from gateway.cli.printable import printable
from gateway.edi.library import VERSION_LENGTH
from gateway.edi.tree import Message
from gateway.errors import OurFault, PartnerFault
from gateway.mapping import Map, compile_map, from_folders, shipped
from gateway.mapping.known import Known
from gateway.partners.hooks import hooks_of
from gateway.partners.map_names import map_names


def _complete_map(incomplete: str) -> list[str]:
    return sorted(name for name in map_names(Path()) if name.startswith(incomplete))


_SHOWN = 12
"""Fields that nothing sets, as far as a terminal lists them."""
MapName = Annotated[
    str | None,
    typer.Option(
        "--map",
        help="The map.",
        show_default="the partner's, or the gateway's own for the message",
        autocompletion=_complete_map,
    ),
]
AsHtml = Annotated[bool, typer.Option("--html", help="One self-contained HTML page, wire and fields side by side.")]


def explain(
    file: File,
    *,
    name: MapName = None,
    html: AsHtml = False,
    as_json: AsJson = False,
    tolerate: Tolerate = None,
    charset: Charset = None,
    partner: Partner = None,
    workspace: Workspace = Path(),
) -> None:
    """Show for every segment of FILE which field each element became, by which line of the map and which code.

    Elements that no line reads are marked. Exit code 1 when the file cannot be read to its end, holds no message that
    the map is for, or one whose version has no guide.

    Example: gateway map explain samples/x12/855-split.edi
    """
    with answering():
        if html and as_json:
            raise OurFault("--html and --json exclude each other", remedy="choose one of them")
        how = reading(tolerate, charset, partner, workspace)
        chosen = _chooser(name, partner, workspace)
        (source, *more) = sources([file])
        if more:
            raise OurFault(f"{file} names {len(more) + 1} files", remedy="name one file")
        with Meter([source]) as meter:
            window = Window(blocks(source, meter.add), unwrapped=how.tolerances.wrapped_lines)
            found = explained(how, window, chosen)
            if html and isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8")  # as the page declares, whatever the terminal has
            count = written(found, html=html, as_json=as_json, title=source.name)
    if not count:
        typer.echo(f"{printable(source.name)} holds no message that a map is for.", err=True)
        raise typer.Exit(FINDINGS)


def coverage(
    files: Files,
    *,
    name: MapName = None,
    as_json: AsJson = False,
    tolerate: Tolerate = None,
    charset: Charset = None,
    partner: Partner = None,
    workspace: Workspace = Path(),
) -> None:
    """Count over FILES which elements no map line reads, and which fields of the map nothing ever sets.

    Exit code 1 where a file cannot be read to its end, or a message not at all, for no guide is for its version.

    Example: gateway map coverage samples/x12 --map x12/855
    """
    with answering():
        how = reading(tolerate, charset, partner, workspace)
        chosen = _chooser(name, partner, workspace)
        found = sources(files)
        tallies: dict[str, Tally] = {}
        with Meter(found) as meter:
            failed = 0
            for source in found:
                failed += _tally(tallies, how, source, chosen, meter.add, named=source.name in files)
    if as_json:
        typer.echo(json.dumps([tally.row() for tally in tallies.values()], indent=2, ensure_ascii=False))
    else:
        for tally in tallies.values():
            tally.show(Ink())
    if not tallies and not failed:
        typer.echo("no message that a map is for", err=True)
    if failed or not tallies:
        raise typer.Exit(FINDINGS)


def written(found: Iterator[Explained], *, html: bool, as_json: bool, title: str) -> int:
    """Print every message; how many there were. What cannot be read is told and ends the file."""
    count = failed = 0

    def counted() -> Iterator[Explained]:
        nonlocal count, failed
        try:
            for one in found:
                count += 1
                if (why := not_read(one.message)) is not None:
                    failed += 1
                    typer.echo(printable(why), err=True)
                yield one
        except PartnerFault as fault:
            for finding in fault.findings:
                typer.echo(printable(finding.text), err=True)
            raise typer.Exit(FINDINGS) from fault

    if html:
        for piece in page(title, counted()):
            sys.stdout.write(piece)
    elif as_json:
        typer.echo(json.dumps([_json(one) for one in counted()], indent=2, ensure_ascii=False))
    else:
        ink = Ink()
        for one in counted():
            _text(one, ink)
    if failed:
        raise typer.Exit(FINDINGS)
    return count


def _text(one: Explained, ink: Ink) -> None:
    message = one.message
    head = f"{message.type} {message.control_number}"
    ink.line(ink(printable(head), "bold"), f"  by {one.map.name} ", ink(one.map.hash[:12], "dim"))
    for row in one.rows:
        ink.line(ink(f"{row.position:5} ", "dim"), ink(printable(row.raw), "cyan"), ink(f"  byte {row.offset}", "dim"))
        for each in row.reads:
            origin = each.origin
            code = (
                f"  {printable(origin.text)} in {origin.codes}" if origin.codes and origin.text != origin.value else ""
            )
            ink.line(
                f"        {each.element:<10} ",
                ink(f"{origin.pointer} ", "green"),
                printable(origin.value),
                ink(f"{code}  {origin.file}:{origin.line}", "dim"),
            )
        for gap in row.unread:
            ink.line(f"        {gap.element:<10} ", ink("read by no line: ", "yellow"), printable(gap.text))


def _json(one: Explained) -> dict[str, Any]:
    message = one.message
    return {
        "message": message.type,
        "version": message.version,
        "control_number": message.control_number,
        "map": one.map.name,
        "map_version": one.map.hash,
        "fields": [_field(row, each) for row in one.rows for each in row.reads],
        "unread": [
            {"element": gap.element, "segment": row.position, "bytes": _bytes(row, gap), "text": gap.text}
            for row in one.rows
            for gap in row.unread
        ],
        "document": one.document,
    }


def _field(row: Row, each: Any) -> dict[str, Any]:
    origin = each.origin
    field: dict[str, Any] = {
        "pointer": origin.pointer,
        "value": origin.value,
        "element": each.element,
        "segment": row.position,
        "bytes": _bytes(row, each),
        "text": origin.text,
        "map": {"file": origin.file, "line": origin.line, "key": origin.key},
    }
    return {**field, "codes": origin.codes} if origin.codes else field


def _bytes(row: Row, each: Any) -> list[int]:
    """From the first byte in the file to behind the last."""
    return [row.offset + each.start, row.offset + each.end]


class Tally:
    """What one map read and left over many messages."""

    def __init__(self, own: Map) -> None:
        self.map = own
        self.messages = 0
        self.unread: Counter[str] = Counter()
        self.example: dict[str, str] = {}
        self.set: set[str] = set()

    def add(self, one: Explained, file: str) -> None:
        """Count one message."""
        self.messages += 1
        for row in one.rows:
            for gap in row.unread:
                self.unread[gap.element] += 1
                self.example.setdefault(gap.element, f"{gap.text!r} in {file}, segment {row.position}")
            for each in row.reads:
                path = "".join(f"/{step}" for step in each.origin.pointer.split("/")[1:] if not step.isdigit())
                self.set.update(path[:end] for end in range(1, len(path) + 1) if end == len(path) or path[end] == "/")

    def never(self) -> list[str]:
        """The fields that lines of the map name and no message set."""
        return [path for path in dict.fromkeys(_fields(self.map.known, "")) if path not in self.set]

    def row(self) -> dict[str, Any]:
        """For programs."""
        return {
            "map": self.map.name,
            "messages": self.messages,
            "unread": [
                {"element": element, "times": times, "example": self.example[element]}
                for element, times in self.unread.most_common()
            ],
            "never_set": self.never(),
        }

    def show(self, ink: Ink) -> None:
        """For people."""
        ink.line(ink(self.map.name, "bold"), f"  {self.messages} message{'' if self.messages == 1 else 's'}")
        if not self.unread:
            ink.line(ink("  every element is read", "green"))
        for element, times in self.unread.most_common():
            ink.line(
                "  ", ink(f"{element:<8}", "yellow"), f"{times:6} x unread, such as {printable(self.example[element])}"
            )
        never = self.never()
        shown = ", ".join(never[:_SHOWN]) + (f" and {len(never) - _SHOWN} more (--json)" if len(never) > _SHOWN else "")
        ink.line(ink(f"  fields never set: {shown or 'none'}", "dim"))


def _fields(known: Known, at: str) -> Iterator[str]:
    """The paths that a map's lines name, without numbers of items."""
    for name, below in known.fields.items():
        path = f"{at}/{name}"
        inside = [below, *([below.items] if below.items else []), *(own for *_, own in below.keyed)]
        nested = [each for each in inside if each.fields or each.items or each.keyed or each.kinds]
        if not nested:
            yield path
        for each in nested:
            yield from _fields(each, path)


def _tally(
    tallies: dict[str, Tally],
    how: Any,
    source: Source,
    chosen: MapFor,
    count: Callable[[int], None],
    *,
    named: bool,
) -> int:
    """Count a file's messages; how many problems there were. What else lies in a folder that was named is no EDI."""
    failed = 0
    window = Window(blocks(source, count), unwrapped=how.tolerances.wrapped_lines)
    try:
        for one in explained(how, window, chosen):
            if (why := not_read(one.message)) is not None:
                failed += 1
                typer.echo(printable(f"{source.name}: {why}"), err=True)
                continue
            tallies.setdefault(one.map.name, Tally(one.map)).add(one, source.name)
    except PartnerFault as fault:
        if not named and fault.findings and fault.findings[0].rule in NO_EDI:
            return failed
        failed += 1
        typer.echo(printable(f"{source.name}: {fault.findings[0].text if fault.findings else fault}"), err=True)
    return failed


def _chooser(name: str | None, partner: str | None, workspace: Path) -> MapFor:
    """Chooses the map of a message: the one named, the partner's, or the gateway's own for its type."""
    find = from_folders(workspace / "maps", shipped())
    made: dict[str, Map | None] = {}
    if name is not None:
        own = compile_map(name, find, hooks_of(workspace))
        return lambda message: own if message.type == own.document else None
    known = map_names(workspace)
    agreed = _agreed(partner, workspace) if partner is not None else {}

    def choose(message: Message) -> Map | None:
        own = f"{message.standard}/{message.version[:VERSION_LENGTH]}/{message.type}"
        wanted = agreed.get(message.type) or (own if own in known else f"{message.standard}/{message.type}")
        if wanted not in made:
            made[wanted] = compile_map(wanted, find, hooks_of(workspace)) if wanted in known else None
        return made[wanted]

    return choose


def _agreed(partner: str, workspace: Path) -> dict[str, str]:
    """The maps of an agreement by set or message."""
    from gateway.mapping import head  # noqa: PLC0415  reading a file needs no workspace
    from gateway.partners.workspace import load  # noqa: PLC0415

    agreement = next(one for one in load(workspace).agreements if one.name == partner)
    rules = [*agreement.documents.send.values(), *agreement.documents.receive.values()]
    find = from_folders(workspace / "maps", shipped())
    maps = [(rule.set, rule.map) for rule in rules if rule.map is not None]
    heads = [(head(name, find), document, name) for document, name in maps]
    # A map whose file is no YAML has no head: it is still the one agreed, and is told to be wrong when it is used.
    return {found.document if found else document or "": name for found, document, name in heads}
