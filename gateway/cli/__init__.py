"""The `gateway` command: each module adds its group to `app`; exit codes: 0 fine, 1 findings, 2 cannot run."""

from __future__ import annotations

import typer

from gateway.cli import audit, config, edi, message, partner
from gateway.cli import map as map_
from gateway.cli.demo import demo
from gateway.cli.message_purge import purge
from gateway.cli.message_send import send
from gateway.cli.schema import schema
from gateway.cli.serve import serve
from gateway.cli.workspace import init

app = typer.Typer(
    name="gateway",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="A self-hosted EDI/B2B partner gateway: X12 over AS2, JSON over REST, canonical documents to ERP APIs.",
)
app.command()(serve)
app.command()(init)
app.command()(demo)
app.command()(schema)
message.app.command()(send)
message.app.command()(purge)
app.add_typer(edi.app, name="edi")
app.add_typer(map_.app, name="map")
app.add_typer(partner.app, name="partner")
app.add_typer(message.app, name="message")
app.add_typer(audit.app, name="audit")
app.add_typer(config.app, name="config")


def main() -> None:
    """Entry point of the console script."""
    app()
