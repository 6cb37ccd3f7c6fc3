"""`gateway edi`: joins the commands that check, show, explain, answer and split EDI files. It does nothing itself."""

from __future__ import annotations

import typer

from gateway.cli.edi_acknowledge import acknowledge
from gateway.cli.edi_check import check
from gateway.cli.edi_explain import explain
from gateway.cli.edi_generate import generate
from gateway.cli.edi_guides import guide, guides
from gateway.cli.edi_import import import_
from gateway.cli.edi_rules import rule, rules
from gateway.cli.edi_show import show
from gateway.cli.edi_split import split

app = typer.Typer(
    no_args_is_help=True, help="Check, show, explain, answer, split and generate EDI files; look up rules and guides."
)
app.command()(check)
app.command()(show)
app.command()(explain)
app.command()(acknowledge)
app.command()(split)
app.command()(generate)
app.command()(rules)
app.command()(rule)
app.command()(guides)
app.command()(guide)
app.command(name="import")(import_)
