"""How commands answer: results on stdout, what went wrong on stderr; exit 0 fine, 1 findings, 2 cannot run."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.errors import OurFault
from gateway.findings import FilePlace, Finding, Severity

ResultT = TypeVar("ResultT")

FINDINGS = 1
CANNOT_RUN = 2
PIPE_WIDTH = 240
COLOURS = {Severity.REJECT: "bold red", Severity.ACCEPT_WITH_ERRORS: "yellow", Severity.ACCEPT: "dim"}

WorkspaceFolder = Annotated[
    Path,
    typer.Option(
        "--workspace",
        envvar="GATEWAY_WORKSPACE",
        help="The folder with gateway.yaml.",
        show_default="the current folder",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@contextmanager
def answering() -> Iterator[None]:
    """Turn OurFault into a message, its remedy and exit code 2."""
    try:
        yield
    except OurFault as fault:
        say_fault(fault)
        raise typer.Exit(CANNOT_RUN) from None
    except UnicodeEncodeError as fault:
        word = fault.object[fault.start : fault.end]
        if not any("\ud800" <= character <= "\udfff" for character in word):
            raise
        # Octets of a command's words that are no UTF-8 come as lone surrogates (PEP 383); no store takes them.
        say_fault(OurFault(f"what was said has octets that are not UTF-8: {word!a}", remedy="say it in UTF-8"))
        raise typer.Exit(CANNOT_RUN) from None


def say_fault(fault: OurFault) -> None:
    """What cannot be done, and its remedy, on stderr; for a command that goes on with the next file."""
    say(Text(f"cannot run: {fault}", style="bold red"))
    for finding in fault.findings[1:]:
        say(Text(f"  also: {finding.text}"))
    if fault.remedy:
        say(Text(f"remedy: {fault.remedy}"))


def run(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run `work` on the fastest event loop there is."""
    try:
        import uvloop  # noqa: PLC0415  not on every platform
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def say(text: Text | str) -> None:
    """A line for people, on stderr."""
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(text)


def show(text: Text | str) -> None:
    """A line of the result, on stdout; never wrapped, so that it can be copied and piped."""
    Console(highlight=False, markup=False, soft_wrap=True).print(text)


def show_table(columns: Iterable[str], rows: Iterable[Iterable[str | Text]]) -> None:
    """A table; without lines and colours in a pipe. A cell may have a style of its own."""
    terminal = sys.stdout.isatty()
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    Console(highlight=False, width=None if terminal else PIPE_WIDTH).print(table)


def times(number: int, thing: str) -> str:
    """`1 finding`, `2 findings`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def show_json(value: Any) -> None:
    """A value as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def show_findings(findings: Iterable[Finding]) -> None:
    """Place first, as terminals and editors make it clickable; the remedy below."""
    for finding in findings:
        line = Text()
        line.append(str(finding.place), style="bold")
        line.append(f": {finding.said}", style=COLOURS[finding.severity])
        line.append(f"; expected {finding.wanted}  [{finding.rule}]")
        show(line)
        show(Text(f"    {finding.fix}", style="dim"))


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding in a file, for programs."""
    place = finding.place if isinstance(finding.place, FilePlace) else FilePlace(file=str(finding.place))
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "file": place.file,
        "line": place.line,
        "key": place.key,
        "said": finding.said,
        "wanted": finding.wanted,
        "fix": finding.fix,
    }
