"""`gateway edi`: check and show X12 files, and print the rules. Reads files, tells findings, changes nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from gateway.edi import interchange, outline, rules_page, x12
from gateway.edi.library import standard
from gateway.edi.tolerances import Tolerances
from gateway.edi.tree import Message, Verdict
from gateway.errors import OurFault, PartnerFault
from gateway.findings import EdiPlace, Finding, Severity

app = typer.Typer(no_args_is_help=True, help="Check and show EDI files.")

BLOCK = 1 << 18
STYLES = {Verdict.ACCEPTED: "green", Verdict.ACCEPTED_WITH_ERRORS: "yellow", Verdict.REJECTED: "red"}
MARKS = {Severity.ACCEPT: "note", Severity.ACCEPT_WITH_ERRORS: "error", Severity.REJECT: "reject"}

Files = Annotated[list[str], typer.Argument(help="X12 files; `-` is standard input.")]
Tolerate = Annotated[list[str] | None, typer.Option("--tolerate", help="Switch on a tolerance by name; repeatable.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per file, one line each.")]


@app.command()
def check(files: Files, *, as_json: AsJson = False, tolerate: Tolerate = None) -> None:
    """Check files and say what is wrong, where, and what to do about it.

    Exit code 0 when everything is accepted, 1 when something is not, 2 when a file cannot be read.

    Example: gateway edi check samples/x12/*.edi --json
    """
    tolerances = _tolerances(tolerate)
    console = Console(soft_wrap=True, highlight=False)
    worse = False
    for name in files:
        report = _report(name, tolerances)
        if as_json:
            sys.stdout.write(json.dumps(report) + "\n")
        else:
            _print_report(console, report)
        worse = worse or report["outcome"] != Verdict.ACCEPTED.value
    if worse:
        raise typer.Exit(1)


@app.command()
def show(
    file: Annotated[str, typer.Argument(help="An X12 file; `-` is standard input.")], tolerate: Tolerate = None
) -> None:
    """Show a file's messages, indented by loop, with labels.

    Example: gateway edi show samples/x12/850.edi
    """
    tolerances = _tolerances(tolerate)
    console = Console(soft_wrap=True, highlight=False)
    guides = standard()
    try:
        for event in x12.read(_blocks(file), guides=guides, tolerances=tolerances):
            match event:
                case interchange.InterchangeStart():
                    parties = f"{event.sender_qualifier}:{event.sender} → {event.receiver_qualifier}:{event.receiver}"
                    kind = "test" if event.test else "production"
                    console.print(f"[bold]interchange {escape(event.control_number)}[/] {escape(parties)} ({kind})")
                case interchange.GroupStart():
                    what = f"{event.functional_id} {event.control_number} version {event.version}"
                    console.print(f"  [bold]group[/] {escape(what)}")
                case Message():
                    _print_message(console, event)
                case _:
                    pass
    except PartnerFault as fault:
        console.print(f"[red]{escape(str(fault))}[/]")
        raise typer.Exit(1) from fault


@app.command(name="rules")
def rules_() -> None:
    """Print every rule of the syntax engine as Markdown, the text of docs/rules.md.

    Example: gateway edi rules > docs/rules.md
    """
    sys.stdout.write(rules_page.markdown())


def _tolerances(names: list[str] | None) -> Tolerances:
    try:
        return Tolerances.named(*(names or ()))
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def _blocks(name: str) -> Iterator[bytes]:
    """The bytes of a file, in blocks. A file that cannot be read ends the command with code 2."""
    try:
        with sys.stdin.buffer if name == "-" else Path(name).open("rb") as stream:
            while block := stream.read(BLOCK):
                yield block
    except OSError as error:
        typer.echo(f"cannot read {name}: {error.strerror}; check the path and your rights", err=True)
        raise typer.Exit(2) from error


def _report(name: str, tolerances: Tolerances) -> dict[str, Any]:
    """What `--json` prints for one file; `outcome` last."""
    interchanges: list[dict[str, Any]] = []
    findings: list[dict[str, Any]] = []
    outcomes: list[Verdict] = []
    try:
        for one in x12.read_all(_blocks(name), guides=standard(), tolerances=tolerances):
            interchanges.append(_interchange(one))
            outcomes.append(one.outcome)
    except PartnerFault as fault:
        findings = [_finding(found) for found in fault.findings]
        outcomes = [Verdict.REJECTED]
    except OurFault as fault:
        typer.echo(f"{fault}; {fault.remedy}", err=True)
        raise typer.Exit(2) from fault
    outcome = interchange.combined(outcomes)
    return {"file": name, "interchanges": interchanges, "findings": findings, "outcome": outcome.value}


def _interchange(one: interchange.Interchange) -> dict[str, Any]:
    return {
        "standard": "x12",
        "version": one.version,
        "sender": f"{one.sender_qualifier}:{one.sender}",
        "receiver": f"{one.receiver_qualifier}:{one.receiver}",
        "control_number": one.control_number,
        "outcome": one.outcome.value,
        "groups": [_group(group) for group in one.groups],
        "findings": [_finding(found) for found in one.findings],
    }


def _group(group: interchange.Group) -> dict[str, Any]:
    return {
        "type": group.functional_id,
        "control_number": group.control_number,
        "outcome": group.outcome.value,
        "messages": [
            {
                "type": message.type,
                "version": message.version,
                "control_number": message.control_number,
                "segments": message.segments,
                "outcome": message.outcome.value,
                "findings": [_finding(found) for found in message.findings],
            }
            for message in group.messages
        ],
        "findings": [_finding(found) for found in group.findings],
    }


def _finding(found: Finding) -> dict[str, Any]:
    place = found.place if isinstance(found.place, EdiPlace) else EdiPlace()
    codes = {name: getattr(found.codes, name) for name in ("ta105", "ak304", "ak403", "ak502", "ak905")}
    return {
        "rule": found.rule,
        "text": found.text,
        "fix": found.fix,
        "segment": place.tag,
        "position": place.segment,
        "element": place.element,
        "component": place.component,
        "repeat": place.repeat,
        "offset": place.offset,
        "said": found.said,
        "wanted": found.wanted,
        "severity": found.severity.value,
        "codes": {name: code for name, code in codes.items() if code is not None},
    }


def _print_report(console: Console, report: dict[str, Any]) -> None:
    verdict = Verdict(report["outcome"])
    console.print(f"[bold]{escape(report['file'])}[/] [{STYLES[verdict]}]{verdict.value}[/]")
    found = list(report["findings"])
    for envelope in report["interchanges"]:
        found += envelope["findings"]
        for group in envelope["groups"]:
            found += group["findings"]
            for message in group["messages"]:
                found += message["findings"]
    for one in found:
        mark = MARKS[Severity(one["severity"])]
        console.print(f"  {mark:6} {escape(one['text'])}")
        console.print(f"         [dim]{escape(one['fix'])} ({one['rule']})[/]")


def _print_message(console: Console, message: Message) -> None:
    style = STYLES[message.outcome]
    what = f"{message.type} {message.control_number}"
    console.print(f"    [bold]{escape(what)}[/] [{style}]{message.outcome.value}[/]")
    for line in outline.lines(message, standard().find(message.version, message.type)):
        indent = "  " * (line.depth + 3)
        values = "  ".join(f"[dim]{escape(label)}[/] {escape(value)}" for label, value in line.values)
        tag = f"[cyan]{escape(line.tag):3}[/]"
        label = f"[bold]{escape(line.label)}[/]" if line.loop else escape(line.label)
        console.print(f"{line.position:5} {indent}{tag} {label}  {values}")
    for found in message.findings:
        console.print(f"      [{style}]{MARKS[found.severity]}[/] {escape(found.text)}")
