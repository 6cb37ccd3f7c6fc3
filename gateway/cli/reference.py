"""`gateway reference`: cross-references listed, exported, imported, learned and retired; what documents wait for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from gateway.cli.answers import (
    FINDINGS,
    AsJson,
    WorkspaceFolder,
    answering,
    finding_json,
    run,
    say,
    show,
    show_findings,
    show_json,
    show_table,
)
from gateway.cli.printable import printable
from gateway.cli.reference_asking import ALL_WORD, holder, known_partners, opened, partner_of, row_from, who
from gateway.cli.reference_waiting import resume, unknown
from gateway.errors import OurFault
from gateway.mapping import reference_csv
from gateway.mapping.references import LISTS, CrossReference
from gateway.pipeline import teaching
from gateway.pipeline.teaching import Lesson, Taught
from gateway.yamltext import near_miss

app = typer.Typer(
    no_args_is_help=True, help="Cross-references: partners' words for items, units, places and codes, and ours."
)


def complete_partner(incomplete: str) -> list[str]:
    """Partners' names, and the word for all of them."""
    try:
        names = known_partners(Path())
    except OurFault:
        names = ()
    return [name for name in (*names, ALL_WORD) if name.startswith(incomplete)]


def complete_list(incomplete: str) -> list[str]:
    """The lists with a meaning of their own."""
    return [name for name in LISTS if name.startswith(incomplete)]


Partner = Annotated[str, typer.Argument(metavar="PARTNER", help="Its name, or all.", autocompletion=complete_partner)]
List = Annotated[
    str,
    typer.Argument(
        metavar="LIST",
        help="items, units, locations, parties, codes, or a name of yours.",
        autocompletion=complete_list,
    ),
]
Scheme = Annotated[str, typer.Option(help="Only for ids of this scheme; units: for this item of the partner's.")]
By = Annotated[str | None, typer.Option(help="Who says so; it is recorded.", show_default="who is logged in")]
Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]
OnlyPartner = Annotated[
    str | None, typer.Option("--partner", help="Only this partner's, or all.", autocompletion=complete_partner)
]
OnlyList = Annotated[str | None, typer.Option("--list", help="Only this list.", autocompletion=complete_list)]


@app.command("list")
def list_(
    *,
    workspace: WorkspaceFolder = Path(),
    partner: OnlyPartner = None,
    list_name: OnlyList = None,
    retired: Annotated[bool, typer.Option("--retired", help="Those that hold no more.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the cross-references that stand.

    Example: gateway reference list --partner acme --list items
    """
    with answering():
        rows = run(_rows(workspace, partner, list_name, retired=retired))
        if as_json:
            show_json([_as_json(row) for row in rows])
            return
        show_table(
            (*reference_csv.COLUMNS, "by", "origin"),
            (
                [
                    holder(row.partner),
                    *(printable(word) for word in reference_csv.cells(row)[1:]),
                    printable(row.changed_by),
                    row.origin,
                ]
                for row in rows
            ),
        )


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A new file; stdout when absent.")] = None,
    *,
    workspace: WorkspaceFolder = Path(),
    partner: OnlyPartner = None,
    list_name: OnlyList = None,
) -> None:
    """Write the cross-references that stand as CSV; import reads it back.

    Example: gateway reference export acme.csv --partner acme
    """
    with answering():
        rows = run(_rows(workspace, partner, list_name, retired=False))
        text = reference_csv.write(rows)
        if file is None:
            sys.stdout.write(text)
            return
        try:
            with file.open("x", encoding="utf-8", newline="") as out:
                out.write(text)
        except OSError as error:
            raise OurFault(f"{file}: {error.strerror}", remedy="name a new file in a folder that is there") from error
        say(f"{len(rows)} rows written to {file}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a first line that names the columns.")],
    *,
    workspace: WorkspaceFolder = Path(),
    partner: Annotated[
        str | None, typer.Option(help="Whose rows they are where a row does not say.", autocompletion=complete_partner)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    by: By = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Teach every row of a CSV file, or none: columns list, theirs, ours; also partner, scheme, factor, days.

    A row with a later first day ends the one before it; one with the same first day takes its place; rows that the
    file does not have stay. All mistakes are told at once, with their lines.

    Example: gateway reference import acme.csv --partner acme --dry-run
    """
    with answering():
        names = known_partners(workspace)
        whose = None if partner is None else partner_of(partner, names)
        try:
            with file.open("rb") as content:
                data = content.read(reference_csv.MOST_BYTES + 1)
        except OSError as error:
            raise OurFault(f"{file}: {error.strerror}", remedy="name a CSV file that can be read") from error
        read = reference_csv.read(file.name, data, partner=whose)
        findings = [*read.findings, *reference_csv.strangers(file.name, read.rows, names)]
        taught = Taught(plans={}, findings=tuple(findings))
        if not findings:
            lesson = Lesson(file=file.name, rows=read.rows, by=who(by), reason=reason)
            taught = run(_teach(workspace, lesson, dry=dry_run))
        _answer(taught, dry=dry_run, as_json=as_json)


@app.command()
def learn(
    partner: Partner,
    list_name: List,
    theirs: Annotated[str, typer.Argument(metavar="THEIRS", help="The partner's word.")],
    ours: Annotated[str, typer.Argument(metavar="OURS", help="Our word for it.")],
    *,
    workspace: WorkspaceFolder = Path(),
    factor: Annotated[str, typer.Option(help="Units: how many of ours one of theirs is.")] = "",
    valid_from: Annotated[str, typer.Option("--from", help="The first day, such as 2026-05-01.")] = "",
    valid_to: Annotated[str, typer.Option("--to", help="The last day.")] = "",
    scheme: Scheme = "",
    by: By = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Teach one word; documents that wait for it go on.

    Example: gateway reference learn acme units CT EA --factor 12
    """
    with answering():
        row, findings = row_from(
            {
                "partner": partner_of(partner, known_partners(workspace)),
                "list": list_name,
                "scheme": scheme,
                "theirs": theirs,
                "ours": ours,
                "factor": factor,
                "valid_from": valid_from,
                "valid_to": valid_to,
            }
        )
        taught = Taught(plans={}, findings=findings)
        if row is not None:
            if meant := list_name not in LISTS and near_miss(list_name, LISTS):
                say(f"{list_name} is a list of your own; did you mean {meant}?")
            lesson = Lesson(file="learn", rows=((0, row),), by=who(by), reason=reason)
            taught = run(_teach(workspace, lesson, dry=False))
        _answer(taught, dry=False, as_json=as_json)


@app.command()
def retire(
    partner: Partner,
    list_name: List,
    theirs: Annotated[str, typer.Argument(metavar="THEIRS", help="The partner's word.")],
    *,
    workspace: WorkspaceFolder = Path(),
    scheme: Annotated[str | None, typer.Option(help="Only the rows of this scheme.", show_default="any")] = None,
    by: By = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Let a word's rows hold no more, on any day; they are kept, and `learn` brings them back.

    Example: gateway reference retire acme items A-1001 --reason "number given to another item"
    """

    def which(row: CrossReference) -> bool:
        return row.list == list_name and row.theirs == theirs and scheme in {None, row.scheme}

    async def work() -> Taught:
        whose = partner_of(partner, None)
        async with opened(workspace) as (store, clock):
            return await teaching.retire(store, store, whose, which, by=who(by), reason=reason, clock=clock)

    with answering():
        taught = run(work())
        if not taught.changes:
            raise OurFault(
                f"{partner} has no row for {theirs!r} in {list_name}", remedy="see them: gateway reference list"
            )
        _answer(taught, dry=False, as_json=as_json)


app.command()(unknown)
app.command()(resume)


async def _rows(workspace: Path, partner: str | None, list_name: str | None, *, retired: bool) -> list[CrossReference]:
    whose = None if partner is None else partner_of(partner, None)
    async with opened(workspace) as (store, _):
        return await store.reference_rows(partner=whose, list_=list_name, retired=retired)


async def _teach(workspace: Path, lesson: Lesson, *, dry: bool) -> Taught:
    async with opened(workspace) as (store, clock):
        return await teaching.teach(store, store, lesson, clock=clock, dry=dry)


_SHOWN = 200
"""Rows of a difference that people are shown; --json has all."""
_MARKS = {"add": ("+", "green"), "end": ("~", "yellow"), "retire": ("-", "red")}


def _answer(taught: Taught, *, dry: bool, as_json: bool) -> None:
    """What changed, or would, or why nothing did; exit code 1 with findings."""
    if as_json:
        show_json(
            {
                "changed": 0 if taught.findings or dry else taught.changes,
                "message_id": taught.message_id,
                "difference": [
                    {"change": word, **_as_json(row)} for word, row in taught.difference if not taught.findings
                ],
                "unchanged": sum(len(one.unchanged) for one in taught.plans.values()),
                "findings": [finding_json(one) for one in taught.findings],
            }
        )
    elif taught.findings:
        show_findings(taught.findings)
    else:
        _show_difference(taught, dry=dry)
    if taught.findings:
        raise typer.Exit(FINDINGS)


def _show_difference(taught: Taught, *, dry: bool) -> None:
    difference = taught.difference
    for word, row in difference[:_SHOWN]:
        mark, colour = _MARKS[word]
        factor = f" x {row.factor}" if row.factor is not None else ""
        scheme = f" ({row.scheme})" if row.scheme else ""
        days = f", {row.valid_from or '…'} to {row.valid_to or '…'}" if row.valid_from or row.valid_to else ""
        text = f"{mark} {holder(row.partner)} {row.list}{scheme}: {row.theirs} = {row.ours}{factor}{days}"
        show(Text(printable(text), style=colour))
    if len(difference) > _SHOWN:
        show(f"… {len(difference) - _SHOWN} more (--json has all)")
    unchanged = sum(len(one.unchanged) for one in taught.plans.values())
    rows = f"{taught.changes} {'row' if taught.changes == 1 else 'rows'}"
    show(
        (f"{rows} would change" if dry else f"{rows} changed")
        + (f", {unchanged} are there already" if unchanged else "")
    )
    if taught.message_id:
        say(f"recorded as message {taught.message_id}")


def _as_json(row: CrossReference) -> dict[str, Any]:
    words = dict(zip(reference_csv.COLUMNS, reference_csv.cells(row), strict=True))
    return words | {"id": row.id, "origin": row.origin, "changed_at": row.changed_at, "changed_by": row.changed_by}
