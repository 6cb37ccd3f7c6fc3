"""`gateway edi`: joins the commands that check, show, explain, answer and split EDI files. It does nothing itself."""

from __future__ import annotations

import typer

from gateway.cli.edi_check import check
from gateway.cli.edi_explain import explain
from gateway.cli.edi_show import show

app = typer.Typer(no_args_is_help=True, help="Check, show, explain, answer and split EDI files.")
app.command()(check)
app.command()(show)
app.command()(explain)
