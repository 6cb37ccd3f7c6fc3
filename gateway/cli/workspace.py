"""`gateway init`: a commented workspace with keys, in an empty folder."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.answers import AsJson, answering, say, show, show_json
from gateway.errors import OurFault
from gateway.partners.initial import PASSPHRASE_FILE, Company, create_workspace
from gateway.partners.keys import create_keys
from gateway.partners.workspace import SETTINGS_FILE
from gateway.settings import Settings
from gateway.yamltext import read_yaml, validate

PASSPHRASE_VARIABLE = "GATEWAY_PASSPHRASE"  # noqa: S105  the variable's name, not the passphrase


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="An empty folder, or a new one.")],
    *,
    name: Annotated[str, typer.Option(help="Our company's name.")] = "Example Company",
    as2_id: Annotated[str, typer.Option(help="Our AS2 name.")] = "EXAMPLE-AS2",
    x12_qualifier: Annotated[str, typer.Option(help="Our ISA qualifier.")] = "ZZ",
    x12_id: Annotated[str, typer.Option(help="Our ISA id.")] = "EXAMPLEID",
    edifact_id: Annotated[str | None, typer.Option(help="Our UNB id (0004), where partners speak EDIFACT.")] = None,
    edifact_qualifier: Annotated[str | None, typer.Option(help="Its qualifier (0007): 14 for a GLN.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long our certificate is valid.")] = 1095,
    keys_only: Annotated[bool, typer.Option("--keys-only", help="Only make missing keys in a workspace.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a workspace: commented settings, an example partner, our keys and certificate.

    The private keys are encrypted with the passphrase in GATEWAY_PASSPHRASE; when that is not set, one is generated
    into keys/passphrase. Keys and files that are there are never replaced.

    Example: gateway init /srv/gateway --name "Harborline Supply" --as2-id HARBORLINE --x12-id HARBORLINE
    """
    with answering():
        now = datetime.now(UTC)
        company = Company(
            name=name,
            as2_id=as2_id,
            x12_qualifier=x12_qualifier,
            x12_id=x12_id,
            edifact_id=edifact_id,
            edifact_qualifier=edifact_qualifier,
        )
        variable = PASSPHRASE_VARIABLE if os.environ.get(PASSPHRASE_VARIABLE) else None
        if keys_only:
            written = create_keys(folder, _settings(folder), now=now, days=days)
        else:
            written = create_workspace(folder, company, passphrase_variable=variable, now=now, days=days)
        if as_json:
            show_json({"folder": str(folder), "written": [path.relative_to(folder).as_posix() for path in written]})
            return
        for path in written:
            show(f"wrote {path}")
        if folder / PASSPHRASE_FILE in written:
            say(f"{PASSPHRASE_VARIABLE} is not set: a passphrase was generated into {folder / PASSPHRASE_FILE}.")
            say("Keep a copy of it, and of keys/, in a safe place: without it the private keys cannot be opened.")
        if not keys_only:
            say(
                f"Next: look through {folder / SETTINGS_FILE}, add partners, gateway partner check --workspace {folder}"
            )


def _settings(folder: Path) -> Settings:
    """The settings alone: certificates may still be missing here."""
    try:
        content = (folder / SETTINGS_FILE).read_bytes()
    except OSError as error:
        raise OurFault(f"{folder / SETTINGS_FILE}: {error.strerror}", remedy="make it: gateway init DIR") from error
    source, wrong = read_yaml(SETTINGS_FILE, content)
    settings, more = validate(source, Settings) if not wrong else (None, ())
    if settings is None:
        findings = (*wrong, *more)
        raise OurFault(f"the configuration is wrong: {findings[0].text}", remedy=findings[0].fix, findings=findings)
    return settings
