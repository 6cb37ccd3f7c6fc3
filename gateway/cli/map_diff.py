"""`gateway map diff`: what a change of a map changes in canonical documents, of files or stored, one at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from gateway.canonical import dump, parse
from gateway.cli.answers import FINDINGS, answering, run, say, say_fault, show
from gateway.cli.edi_files import NO_EDI, blocks, sources
from gateway.cli.edi_progress import COUNTED, Meter
from gateway.cli.edi_reading import Charset, Partner, Reading, Tolerate, reading
from gateway.cli.map_files import HERE, Folder, complete_map
from gateway.cli.map_files import sources as maps_of
from gateway.cli.map_lineage import not_read
from gateway.cli.map_stored import Limit, Readings, Since, Stored, Wanted, asked, each_stored
from gateway.edi.interchange import InterchangeStart
from gateway.edi.tree import Message
from gateway.errors import OurFault, PartnerFault
from gateway.findings import Finding
from gateway.mapping import AnyMap, JsonMap, Map, compile_any, from_folders, shipped
from gateway.mapping.differences import ADDED, CHANGED, REMOVED, Difference, differences
from gateway.mapping.json import text as json_text
from gateway.mapping.trace import Origin

MAX_BODY = 64 * 1024 * 1024
"""Bytes of one JSON body; it is read whole."""
MOST_SHOWN = 50
"""Differences of one document on a terminal; `--json` has them all."""
MOST_FIELDS = 10_000
"""Different fields that are counted one by one; a document with a million fields of its own cannot fill the memory."""
SIGNS = {ADDED: ("+", "green"), REMOVED: ("-", "red"), CHANGED: ("~", "yellow")}

Versions = Annotated[
    Path | None,
    typer.Option("--old-maps", help="A folder of maps in which OLD and its bases are looked for: maps/ as it was."),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """One document through both maps."""

    file: str
    document: str
    fields: tuple[Difference, ...]
    origins: dict[str, Origin]
    """By pointer where a field comes from: in the new reading, or in the old one where it is gone."""
    lines: tuple[tuple[str, str], ...]
    """What else differs: findings and unmapped elements that only one of the maps has; + or -, and what."""

    @property
    def same(self) -> bool:
        """Whether the change of the map changes nothing here."""
        return not self.fields and not self.lines


@dataclass(slots=True)
class Summary:
    """Counts over all documents; bounded."""

    documents: int = 0
    different: int = 0
    fields: Counter[tuple[str, str]] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    beyond: int = 0

    def add(self, one: Compared) -> None:
        """Count one document."""
        self.documents += 1
        self.different += not one.same
        for each in one.fields:
            if (key := (each.field, each.kind)) in self.fields or len(self.fields) < MOST_FIELDS:
                self.fields[key] += 1
            else:
                self.beyond += 1
        for sign, what in one.lines:
            self.others[f"{'only new' if sign == '+' else 'only old'}: {what.partition(':')[0]}"] += 1


def diff(
    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD", help="A map, or a map's file: acme/855, old/855.yaml.", autocompletion=complete_map
        ),
    ],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The map it is held against.", autocompletion=complete_map)],
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]...", help="Files, folders, patterns; `-` is standard input.")
    ] = None,
    *,
    stored: Stored = False,
    since: Since = None,
    limit: Limit = 1000,
    old_maps: Versions = None,
    summary: Annotated[bool, typer.Option("--summary", help="The counts alone, not each document.")] = False,
    tolerate: Tolerate = None,
    charset: Charset = None,
    partner: Partner = None,
    workspace: Folder = HERE,
    as_json: Annotated[
        bool, typer.Option("--json", help="A line of JSON for each document that differs, and one for the counts.")
    ] = False,
) -> None:
    """Show what documents say differently when they are read with NEW instead of OLD, and the counts by field.

    One document is held at a time, whatever the files' size. Exit code 1 where anything differs. To hold a map against
    itself as it was, name it twice and give the folder: --old-maps. With --stored the messages that the gateway has
    kept are read instead of files, each as the agreement with its partner says now; nothing of them changes.

    Example: gateway map diff x12/855 acme/855 samples/x12/acme-855-reasons.edi --summary

    Example: gateway map diff x12/855 acme/855 --stored --partner acme --since 2026-01-01
    """
    with answering():
        before = _map(old, workspace, old_maps)
        after = _map(new, workspace, None)
        _comparable(before, after, old, new)
        if stored is bool(files):
            raise OurFault("either files or --stored", remedy="name files, or give --stored and no file")
        run_ = _Run(before, after, summary=summary, as_json=as_json)
        if stored:
            looked_at = run_.over_store(workspace, Wanted(partner=partner, since=since, limit=limit), tolerate, charset)
        else:
            looked_at = run_.over_files(files or [], reading(tolerate, charset, partner, workspace))
        total, failed = run_.total, run_.failed
        _sum(total, failed, as_json=as_json, what="messages" if stored else "files")
        if not total.documents:
            raise OurFault(
                f"no {_document(before)} in {looked_at}",
                remedy="other messages: --since, --limit, --partner; `gateway message list` shows the newest"
                if stored
                else "look at one: gateway edi show; or name other files",
            )
        if failed or total.different:
            raise typer.Exit(FINDINGS)


class _Run:
    """One comparison over many inputs; what cannot be read is told and counted, and ends nothing."""

    def __init__(self, before: Map | JsonMap, after: Map | JsonMap, *, summary: bool, as_json: bool) -> None:
        self.maps = (before, after)
        self.summary = summary
        self.as_json = as_json
        self.total = Summary()
        self.failed = 0

    def over_files(self, files: list[str], how: Reading) -> str:
        """Compare what the files hold; what was looked at, in words."""
        found = sources(files)
        with Meter(found, quiet=self.as_json) as meter:
            for source in found:
                self._add(source.name, partial(blocks, source, meter.add), how, named=source.name in files)
        return f"{len(found)} files"

    def over_store(self, workspace: Path, wanted: Wanted, tolerate: list[str] | None, charset: str | None) -> str:
        """The same of stored messages."""
        if not isinstance(self.maps[0], Map):
            raise OurFault("stored messages are compared by maps for EDI", remedy="give JSON bodies as files")
        readings = Readings(workspace, tolerate, charset)
        with Meter(wanted.limit, columns=COUNTED, quiet=self.as_json) as meter:

            def take(name: str, payload: bytes, partner: str | None) -> None:
                self._add(name, lambda: iter((payload,)), readings.of(partner), named=False)
                meter.add(1)

            seen, purged = run(asked(workspace, lambda store: each_stored(store, wanted, take)))
        self.failed += purged
        return f"{seen} stored messages" + (f", {purged} of them purged" if purged else "")

    def _add(self, name: str, data: Callable[[], Iterable[bytes]], how: Reading, *, named: bool) -> None:
        try:
            for one in _documents(name, data(), *self.maps, how):
                if isinstance(one, str):
                    self.failed += 1
                    say(f"{name}: {one}")
                    continue
                self.total.add(one)
                if not one.same and not self.summary:
                    _show(one, as_json=self.as_json)
        except PartnerFault as fault:
            if not named and fault.findings[0].rule in NO_EDI:
                return  # what else lies in a folder, or was sent
            self.failed += 1
            say(f"{name}: {fault.public}")
        except OurFault as fault:
            self.failed += 1
            say_fault(fault)


def _map(name: str, workspace: Path, folder: Path | None) -> Map | JsonMap:
    """A map by its name, or by its file, whose bases are then those of the workspace."""
    if folder is not None and not folder.is_dir():
        raise OurFault(f"{folder} is no folder", remedy="name a folder of maps: the maps/ of a copy of the workspace")
    find = maps_of(workspace) if folder is None else from_folders(folder, shipped())
    if not name.endswith((".yaml", ".yml")):
        return _known(name, compile_any(name, find))
    path = Path(name)

    def from_file(asked: str) -> tuple[str, str]:
        if asked != name:
            return find(asked)
        try:
            return name, path.read_text("utf-8")
        except OSError as error:
            raise OurFault(f"{name} cannot be read: {error.strerror}", remedy="name a map, or a map's file") from error

    return _known(name, compile_any(name, from_file))


def _known(name: str, own: AnyMap) -> Map | JsonMap:
    if isinstance(own, Map | JsonMap):
        return own
    raise OurFault(f"{name} is for XML or CSV, which are not compared yet", remedy="name two maps for EDI or JSON")


def _document(own: Map | JsonMap) -> str:
    return own.document if isinstance(own, Map) else "JSON body"


def _comparable(before: Map | JsonMap, after: Map | JsonMap, old: str, new: str) -> None:
    one, other = ((_document(each), each.canonical) for each in (before, after))
    if one != other:
        told = f"{old} is for {one[0]} and {one[1]}, {new} for {other[0]} and {other[1]}"
        raise OurFault(told, remedy="name two maps for the same document")


def _documents(
    name: str, data: Iterable[bytes], before: Map | JsonMap, after: Map | JsonMap, how: Reading
) -> Iterator[Compared | str]:
    """Every document of a file that the maps are for; of one that no guide is for, why it is not read."""
    if isinstance(before, JsonMap) or isinstance(after, JsonMap):
        assert isinstance(before, JsonMap)
        assert isinstance(after, JsonMap)
        body = _body(name, data)
        old, new = (_canonical(own.canonical, own.read(body)) for own in (before, after))
        yield _compared(name, "body", old, new)
        return
    interchange = ""
    for event in how.events(data):
        if isinstance(event, InterchangeStart):
            interchange = event.control_number
        elif isinstance(event, Message) and event.type == before.document:
            if (why := not_read(event)) is not None:
                yield why
                continue
            old, new = (_canonical(own.canonical, own.read(event.root)) for own in (before, after))
            where = f"interchange {interchange}, set {event.control_number}"
            one = _compared(name, where, old, new)
            if one.fields:
                assert isinstance(after, Map)
                for own in (before, after):  # once more, with origins: most documents do not differ
                    one.origins.update({each.pointer: each for each in own.read(event.root, traced=True).origins})
            yield one


Read = tuple[dict[str, Any], tuple[Finding, ...], list[str]]
"""A document, its findings, and what was unmapped."""


def _canonical(kind: str, found: Any) -> Read:
    model, errors = parse(kind, found.document)
    unmapped = [f"{getattr(one, 'place', None) or getattr(one, 'pointer', '')}: {one.value}" for one in found.unmapped]
    return dump(model) if model else found.document, (*found.findings, *errors), unmapped


def _compared(file: str, document: str, old: Read, new: Read) -> Compared:
    told = [Counter([f"{one.rule}: {one.text}" for one in each[1]]) for each in (old, new)]
    told_too = [Counter([f"unmapped: {one}" for one in each[2]]) for each in (old, new)]
    lines = [
        (sign, what)
        for was, now in (told, told_too)
        for sign, more in (("-", was - now), ("+", now - was))
        for what in more.elements()
    ]
    return Compared(file=file, document=document, fields=differences(old[0], new[0]), origins={}, lines=tuple(lines))


def _body(name: str, parts: Iterable[bytes]) -> dict[str, Any]:
    data = bytearray()
    for block in parts:
        data += block
        if len(data) > MAX_BODY:
            raise OurFault(f"{name} is larger than {MAX_BODY:,} bytes", remedy="give one body a file")
    try:
        body = json_text.decode(bytes(data))
    except (ValueError, RecursionError) as fault:
        raise OurFault(f"{name} is no JSON: {fault}", remedy="give JSON objects to a JSON map") from fault
    if not isinstance(body, dict):
        raise OurFault(f"{name} is no JSON object", remedy="give JSON objects to a JSON map")
    return body


def _show(one: Compared, *, as_json: bool) -> None:
    if as_json:
        fields = [_row(one, each) for each in one.fields]
        others = [{"only": "new" if sign == "+" else "old", "said": what} for sign, what in one.lines]
        typer.echo(
            json.dumps(
                {"file": one.file, "document": one.document, "fields": fields, "others": others}, ensure_ascii=False
            )
        )
        return
    show(Text(f"{one.file}: {one.document}", style="bold"))
    for each in one.fields[:MOST_SHOWN]:
        sign, style = SIGNS[each.kind]
        said = each.now if each.was is None else each.was if each.now is None else f"{each.was} → {each.now}"
        line = Text.assemble("  ", (f"{sign} {each.pointer}", style), f": {said}")
        found = _origin(one, each.pointer)
        if found is not None:
            line.append(f"  ({_place(found)}; {found.file}:{found.line})", "dim")
        show(line)
    for sign, what in one.lines[:MOST_SHOWN]:
        show(Text.assemble("  ", (f"{sign} {what}", "green" if sign == "+" else "red")))
    left = max(len(one.fields) - MOST_SHOWN, 0) + max(len(one.lines) - MOST_SHOWN, 0)
    if left:
        show(Text(f"  … and {left} more", style="dim"))


def _row(one: Compared, each: Difference) -> dict[str, Any]:
    found = _origin(one, each.pointer)
    return {
        "pointer": each.pointer, "change": each.kind, "was": each.was, "now": each.now,
        "place": None if found is None else _place(found),
        "map": None if found is None else f"{found.file}:{found.line}",
    }  # fmt: skip


def _origin(one: Compared, pointer: str) -> Origin | None:
    """Where a field comes from; of a part, such as the value of a moment, where the whole comes from."""
    while pointer and pointer not in one.origins:
        pointer = pointer.rpartition("/")[0]
    return one.origins.get(pointer)


def _place(found: Origin) -> str:
    elements = ", ".join(f"{found.tag}{spot.element + 1:02d}" for spot in found.spots[:4])
    return f"segment {found.segment} {elements}, byte {found.offset}"


def _sum(total: Summary, failed: int, *, as_json: bool, what: str) -> None:
    fields = sorted(total.fields.items(), key=lambda one: (-one[1], one[0]))
    if as_json:
        rows = [{"field": name, "change": kind, "count": count} for (name, kind), count in fields]
        others = dict(total.others.most_common())
        typer.echo(
            json.dumps(
                {
                    "documents": total.documents, "different": total.different, f"{what}_not_read": failed,
                    "fields": rows, "others": others, "fields_not_counted": total.beyond,
                },
                ensure_ascii=False,
            )
        )  # fmt: skip
        return
    for (name, kind), count in fields:
        sign, style = SIGNS[kind]
        show(Text.assemble((f"{count:>8}  {sign} {name}", style)))
    for other, count in total.others.most_common():
        show(f"{count:>8}  {other}")
    if total.beyond:
        show(f"{total.beyond:>8}  differences of other fields")
    told = f"{total.documents} documents, {total.different} different"
    show(Text(told + (f", {failed} {what} not read" if failed else ""), style="bold" if total.different else "green"))
