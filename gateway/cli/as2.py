"""`gateway as2`: looking into AS2 messages and at partners' stations."""

from __future__ import annotations

import typer

from gateway.cli.as2_decode import decode

app = typer.Typer(no_args_is_help=True, help="AS2: look into a message or receipt, check a station, send a file.")
app.command()(decode)


@app.callback()
def group() -> None:
    """AS2: look into a message or receipt, check a station, send a file."""
