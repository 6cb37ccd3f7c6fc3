"""`gateway config`: what can be configured, from the models themselves."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.answers import AsJson, answering, show_json, show_table
from gateway.errors import OurFault
from gateway.partners.reference import markdown, reference, sections, with_reference
from gateway.yamltext import near_miss

app = typer.Typer(no_args_is_help=True, help="What can be configured.")


@app.callback()
def _group() -> None:
    """What can be configured."""


@app.command()
def describe(
    section: Annotated[
        str | None, typer.Argument(help="A section, such as listen or as2; gateway or partner for a whole file.")
    ] = None,
    *,
    as_json: AsJson = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables of everything.")] = False,
    into: Annotated[Path | None, typer.Option(help="Renew the reference in this Markdown page.")] = None,
) -> None:
    """Print every setting: key, type, default and meaning.

    Example: gateway config describe targets
    """
    with answering():
        if into is not None:
            _renew(into)
            return
        entries = reference(section)
        if not entries:
            meant = near_miss(str(section), sections())
            remedy = f"did you mean {meant}?" if meant else f"use one of: {', '.join(sections())}"
            raise OurFault(f"there is no section {section}", remedy=remedy)
        if as_json:
            show_json([asdict(entry) for entry in entries])
        elif as_markdown:
            typer.echo(markdown())
        else:
            show_table(
                ("key", "type", "default", "meaning"),
                (
                    (one.path, one.type, "(required)" if one.required else one.default or "", one.description)
                    for one in entries
                ),
            )


def _renew(page: Path) -> None:
    try:
        page.write_text(with_reference(page.read_text(encoding="utf-8")), encoding="utf-8")
    except OSError as error:
        raise OurFault(f"{page}: {error.strerror}", remedy="name the page, such as docs/configuration.md") from error
