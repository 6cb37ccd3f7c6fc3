"""The `gateway` command: each module adds its group to `app`; exit codes: 0 fine, 1 findings, 2 cannot run."""

from __future__ import annotations

import errno
import io
import os
import sys

import typer

from gateway.cli import (
    as2,
    audit,
    certificate,
    config,
    database,
    dead,
    edi,
    events,
    lane,
    message,
    node,
    order,
    partner,
    payload,
    reference,
    replay,
    retention,
    review,
    route,
    schedule,
    webhook,
)
from gateway.cli import map as map_
from gateway.cli.answers import CANNOT_RUN, FINDINGS, say_fault
from gateway.cli.config_status import status
from gateway.cli.demo import demo
from gateway.cli.message_evidence import evidence
from gateway.cli.message_export import export
from gateway.cli.message_purge import purge
from gateway.cli.message_send import send
from gateway.cli.message_trace import trace
from gateway.cli.overview import overview
from gateway.cli.schema import schema
from gateway.cli.serve import serve
from gateway.cli.workspace import init
from gateway.errors import OurFault

app = typer.Typer(
    name="gateway",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="A self-hosted EDI/B2B gateway: X12 and EDIFACT over AS2, JSON over REST, canonical documents to ERP APIs.",
)
app.command()(serve)
app.command("status")(overview)
app.command()(init)
app.command()(demo)
app.command()(schema)
message.app.command()(send)
message.app.command()(export)
message.app.command()(purge)
message.app.command()(evidence)
message.app.command()(trace)
config.app.command()(status)
app.add_typer(edi.app, name="edi")
app.add_typer(map_.app, name="map")
app.add_typer(partner.app, name="partner")
app.add_typer(certificate.app, name="certificate")
app.add_typer(message.app, name="message")
app.add_typer(lane.app, name="lane")
app.add_typer(dead.app, name="dead")
app.add_typer(replay.app, name="replay")
app.add_typer(as2.app, name="as2")
app.add_typer(reference.app, name="reference")
app.add_typer(order.app, name="order")
app.add_typer(review.app, name="review")
app.add_typer(route.app, name="route")
app.add_typer(audit.app, name="audit")
app.add_typer(config.app, name="config")
app.add_typer(node.app, name="node")
app.add_typer(database.app, name="database")
app.add_typer(payload.app, name="payload")
app.add_typer(webhook.app, name="webhook")
app.add_typer(events.app, name="events")
app.add_typer(retention.app, name="retention")
app.add_typer(schedule.app, name="schedule")


def main() -> None:
    """Entry point of the console script."""
    _bear_any_terminal()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except OurFault as fault:  # that no command expects, as of a hook that took too long
        say_fault(fault)
        sys.exit(CANNOT_RUN)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EPIPE}:
            raise
        # What is still buffered would fail once more at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if error.errno == errno.EPIPE:
            sys.exit(FINDINGS)
        say_fault(OurFault(f"cannot write: {error.strerror}", remedy="make room on the disk, or write elsewhere"))
        sys.exit(CANNOT_RUN)


def _bear_any_terminal() -> None:
    """Signs that the terminal's charset lacks are escaped, not raised; a closed stream takes what comes."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123  as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
