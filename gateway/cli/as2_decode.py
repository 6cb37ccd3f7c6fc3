"""`gateway as2 decode`: messages or receipts looked into, offline; what fails and why in one sentence first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, show, show_json
from gateway.cli.as2_looking import Asked, look
from gateway.cli.as2_tree import COLOURS, explanation_json, show_explanation
from gateway.cli.message_names import complete_message
from gateway.cli.partner_names import complete_partner
from gateway.cli.printable import printable
from gateway.errors import OurFault


def decode(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE...]", help="Headers, blank line, body; - reads stdin.")
    ] = None,
    *,
    headers: Annotated[Path | None, typer.Option(help="The HTTP headers, when FILE is the body alone.")] = None,
    message: Annotated[
        str | None,
        typer.Option(metavar="ID", help="A stored message instead of a file.", autocompletion=complete_message),
    ] = None,
    receipt: Annotated[bool, typer.Option("--receipt", help="With --message: its receipt instead of itself.")] = False,
    held_against: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="ID|FILE",
            help="FILE is a receipt: hold it against this stored message, or a captured one.",
        ),
    ] = None,
    partner: Annotated[
        str | None,
        typer.Option(help="Whose agreement judges it; otherwise AS2-From says.", autocompletion=complete_partner),
    ] = None,
    key: Annotated[
        list[Path] | None, typer.Option(help="A private key of ours as PEM, for use without keys of a workspace.")
    ] = None,
    cert: Annotated[list[Path] | None, typer.Option(help="A certificate as PEM, ours or the partner's.")] = None,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Look into an AS2 message or receipt: layers, algorithms, signers, MIC; what fails and why, in one sentence first.

    Nothing is sent and nothing stored. With a workspace its keys decrypt and the agreement with the sender judges;
    with --key and --cert those do; with neither it says what cannot be seen. Of several files each gets its sentence.
    Exit code 1: one would be refused.

    Example: gateway as2 decode captured.http --partner acme
    """
    with answering():
        if (not files) == (message is None):
            raise OurFault("one message is looked into", remedy="give a FILE, or --message ID of a stored one")
        asked = Asked(
            files=tuple(files or ()),
            headers=headers,
            message=message,
            receipt=receipt,
            held_against=held_against,
            partner=partner,
            keys=key or [],
            certificates=cert or [],
            workspace=workspace,
        )
        found = look(asked)
        several = len(found) > 1
        if as_json:
            told = [{"file": str(one.name)} | explanation_json(one.explanation) for one in found]
            show_json(told if several else told[0])
        for one in found if not as_json else ():
            if not several:
                show_explanation(one.explanation)
                continue
            style = COLOURS[one.explanation.taken]
            show(Text.assemble(f"{printable(one.name)}: ", (printable(one.explanation.sentence), style)))
        if any(one.explanation.taken is False for one in found):
            raise typer.Exit(FINDINGS)
