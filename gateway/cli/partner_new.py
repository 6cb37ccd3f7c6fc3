"""`gateway partner new`: a new partner's commented file from a template; asks where a terminal is there."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.answers import AsJson, WorkspaceFolder, answering, say, show, show_json
from gateway.errors import OurFault
from gateway.partners.agreement_files import check_name, write_new
from gateway.partners.templates import QUALIFIERS, TEMPLATES, Answers, Template, missing, partner_text, template_of
from gateway.partners.workspace import SETTINGS_FILE, partner_files
from gateway.yamltext import MAX_BYTES

QUESTIONS: tuple[tuple[str, str], ...] = (
    ("title", "The company's name"),
    ("scheme", "How documents name them: the kind of id"),
    ("value", "and the id"),
    ("as2_id", "Their AS2 name"),
    ("url", "The address of their AS2 station"),
    ("certificate", "Their certificate, a PEM file in the workspace"),
    ("qualifier", "The qualifier of their interchange id (ISA05, UNB 0007)"),
    ("id", "Their interchange id (ISA06, UNB 0004)"),
)
AS2 = frozenset(("as2_id", "url", "certificate"))
DIALECT = frozenset(("qualifier", "id"))


def _complete(incomplete: str) -> list[tuple[str, str]]:
    return [(name, one.title) for name, one in TEMPLATES.items() if name.startswith(incomplete)]


def new(
    name: Annotated[str, typer.Argument(help="The partner's name here: small letters, digits, - and _.")],
    *,
    template: Annotated[
        str,
        typer.Option(help=f"What kind of partner: {', '.join(TEMPLATES)}.", autocompletion=_complete),
    ] = "as2-x12",
    title: Annotated[str, typer.Option(help="The company's name.")] = "",
    party: Annotated[
        str, typer.Option(metavar="SCHEME:ID", help="How documents name them, such as assigned_by_buyer:V-1001.")
    ] = "",
    as2_id: Annotated[str, typer.Option(help="Their AS2 name.")] = "",
    url: Annotated[str, typer.Option(help="The address of their AS2 station.")] = "",
    certificate: Annotated[str, typer.Option(help="Their certificate, a PEM file in the workspace.")] = "",
    qualifier: Annotated[str, typer.Option(help="The qualifier of their interchange id.")] = "",
    interchange_id: Annotated[str, typer.Option("--id", help="Their interchange id (ISA06, UNB 0004).")] = "",
    workspace: WorkspaceFolder = Path(),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the file instead of writing it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing, also on a terminal.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a new partner's file from a template, every key explained; on a terminal what is not given is asked for.

    What is still unknown stays a comment, and the agreement a draft. A file that is there is never written over.
    From sample files: gateway partner infer.

    Example: gateway partner new brightline --template as2-x12 --title "Brightline Lamps" --party gln:4300000000004
    """
    with answering():
        check_name(name)
        chosen = template_of(template)
        if not (workspace / SETTINGS_FILE).is_file():
            raise OurFault(
                f"{workspace} is no workspace: it has no {SETTINGS_FILE}",
                remedy="name it with --workspace, or make one: gateway init DIR",
            )
        known = dict(partner_files(workspace))
        if name in known:
            raise OurFault(f"{known[name]} is there already", remedy="take another name, or edit that file")
        answers = _given(name, title, party)
        answers = replace(
            answers, as2_id=as2_id, url=url, certificate=certificate, qualifier=qualifier, id=interchange_id
        )
        asks = _terminal() and not yes and not as_json
        if asks:
            answers = _ask(chosen, answers)
        text = partner_text(name, chosen, answers)
        assert len(text) < MAX_BYTES
        path = f"partners/{name}.yaml"
        if asks and not dry_run:
            show(text)
            if not typer.confirm(f"Write {path}?", default=True):
                raise typer.Exit
        if not dry_run:
            write_new(workspace, {path: text})
        waits = missing(chosen, answers)
        if as_json:
            show_json({"file": path, "status": "draft" if waits else "testing", "missing": list(waits), "text": text})
            return
        show(text if dry_run else f"wrote {path}")
        for step in _next(name, chosen, waits):
            say(step)


def _terminal() -> bool:
    """Whether somebody is there who can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _given(name: str, title: str, party: str) -> Answers:
    scheme, colon, value = party.partition(":")
    if party and not (colon and scheme and value):
        raise OurFault(f"--party {party} is no SCHEME:ID", remedy="write for example assigned_by_buyer:V-1001")
    return Answers(title=title or name.replace("-", " ").title(), scheme=scheme or "assigned_by_buyer", value=value)


def _ask(template: Template, answers: Answers) -> Answers:
    """Each thing that the template needs, with what was given as the answer that Enter gives."""
    for field, words in QUESTIONS:
        if (field in AS2 and template.channel != "as2") or (field in DIALECT and not template.dialect):
            continue
        default = getattr(answers, field) or (QUALIFIERS.get(template.dialect, "") if field == "qualifier" else "")
        told = typer.prompt(f"{words}{'' if default else ' (Enter: not known yet)'}", default=default)
        answers = replace(answers, **{field: told.strip()})
    return answers


def _next(name: str, template: Template, waits: tuple[str, ...]) -> list[str]:
    steps = [f"Still needed: {', '.join(waits)}. The file is a draft until then."] if waits else []
    steps.append(f"Next: look through partners/{name}.yaml, then gateway partner check {name}")
    if template.channel == "rest":
        steps.append(f"Their key: gateway partner key new {name}")
    else:
        steps.append(f"With sample files of theirs: gateway partner infer FILES --name {name} --dry-run")
    return steps
