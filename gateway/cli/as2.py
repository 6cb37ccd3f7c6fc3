"""`gateway as2`: looking into AS2 messages and at partners' stations."""

from __future__ import annotations

import typer

from gateway.cli.as2_check import check
from gateway.cli.as2_decode import decode
from gateway.cli.as2_send import send

app = typer.Typer(no_args_is_help=True, help="AS2: look into a message or receipt, check a station, send a file.")
app.command()(decode)
app.command()(check)
app.command()(send)


@app.callback()
def group() -> None:
    """AS2: look into a message or receipt, check a station, send a file."""
