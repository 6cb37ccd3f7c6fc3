"""`gateway partner guide`: the implementation guide that a partner gets, printed from agreement, guide and map."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.answers import FINDINGS, WorkspaceFolder, answering, say
from gateway.cli.handbook import html, markdown
from gateway.cli.handbook.book import Book
from gateway.cli.handbook.gather import book
from gateway.errors import OurFault
from gateway.partners.workspace import load, partner_files
from gateway.yamltext import near_miss


class Form(StrEnum):
    """What the guide is printed as."""

    HTML = "html"
    MARKDOWN = "md"
    JSON = "json"


def complete_partner(incomplete: str) -> list[str]:
    """The partners of the workspace in the current folder, for shells."""
    return [name for name, _ in partner_files(Path()) if name.startswith(incomplete)]


def guide(
    name: Annotated[str, typer.Argument(help="The partner's name.", autocompletion=complete_partner)],
    *,
    as_html: Annotated[bool, typer.Option("--html", help="One HTML page, to send or to print; the default.")] = False,
    as_markdown: Annotated[bool, typer.Option("--md", help="The same as Markdown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON, for programs.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--for", help="Only this document, such as 855 or order_acknowledgement; repeatable."),
    ] = None,
    date: Annotated[
        str | None, typer.Option("--date", help="The day on it, such as 2026-03-02.", show_default="today")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; it is replaced.", show_default="standard output")
    ] = None,
    workspace: WorkspaceFolder = Path(),
) -> None:
    """Print the implementation guide for a partner: what each document looks like, segment by segment, with examples.

    It is made from the agreement, the partner's guides and maps, and says what differs from the base. Every example in
    it passes `gateway edi check --partner NAME`. Exit code 1 when a document has no example that passes, or an example
    of a map does not pass the guide; the guide is printed all the same.

    Example: gateway partner guide acme --html -o acme-guide.html
    """
    with answering():
        form = _form(as_html=as_html, as_markdown=as_markdown, as_json=as_json)
        loaded = load(workspace)
        agreements = {one.name: one for one in loaded.agreements}
        if name not in agreements:
            meant = near_miss(name, agreements)
            remedy = f"did you mean {meant}?" if meant else f"partners are: {', '.join(agreements) or 'none'}"
            raise OurFault(f"there is no partner {name}", remedy=remedy)
        made = book(loaded, agreements[name], day=_day(date), only=tuple(only or ()))
        _write(_printed(made, form), output)
        for problem in made.problems:
            say(problem)
        if made.problems:
            raise typer.Exit(FINDINGS)


def _form(*, as_html: bool, as_markdown: bool, as_json: bool) -> Form:
    chosen = [
        form for form, asked in ((Form.HTML, as_html), (Form.MARKDOWN, as_markdown), (Form.JSON, as_json)) if asked
    ]
    if len(chosen) > 1:
        raise OurFault(f"--{' and --'.join(chosen)} at once", remedy="choose one of --html, --md and --json")
    return chosen[0] if chosen else Form.HTML


def _day(date: str | None) -> str:
    if date is None:
        return f"{datetime.now(UTC):%Y-%m-%d}"
    try:
        return f"{datetime.strptime(date, '%Y-%m-%d').replace(tzinfo=UTC):%Y-%m-%d}"
    except ValueError as error:
        raise OurFault(f"{date} is no day", remedy="write it as 2026-03-02") from error


def _printed(made: Book, form: Form) -> Iterator[str]:
    match form:
        case Form.HTML:
            yield from html.page(made)
        case Form.MARKDOWN:
            yield from (f"{line}\n" for line in markdown.page(made))
        case Form.JSON:
            yield json.dumps(dataclasses.asdict(made), indent=2, ensure_ascii=False) + "\n"


def _write(pieces: Iterator[str], output: Path | None) -> None:
    if output is None:
        for piece in pieces:
            sys.stdout.write(piece)
        return
    try:
        with output.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(pieces)
    except OSError as error:
        raise OurFault(
            f"cannot write {output}: {error.strerror}", remedy="check the path, your rights and the space on the disk"
        ) from error
