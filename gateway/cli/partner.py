"""`gateway partner`: the agreements as they are read, everything wrong with them, and the partners' API keys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from gateway.as2 import fingerprint
from gateway.cli import partner_guide, partner_key, partner_simulate, partner_try
from gateway.cli.answers import (
    AsJson,
    WorkspaceFolder,
    answering,
    show,
    show_json,
    show_table,
)
from gateway.cli.certificate import ways as certificate_ways
from gateway.cli.partner_check import check, known_partner
from gateway.cli.partner_infer import infer_
from gateway.cli.partner_new import new
from gateway.partners.agreement import Agreement
from gateway.partners.keys import load_certificate
from gateway.partners.reference import scalar
from gateway.partners.workspace import Workspace, load

app = typer.Typer(no_args_is_help=True, help="Trading partners: agreements, checks, API keys.")
app.add_typer(partner_key.app, name="key")
app.command("test")(partner_try.try_)
app.command()(partner_simulate.simulate)
app.command()(partner_guide.guide)
app.command("new")(new)
app.command("infer")(infer_)
app.command("check")(check)


@app.command("list")
def list_(*, workspace: WorkspaceFolder = Path(), as_json: AsJson = False) -> None:
    """List the partners.

    Example: gateway partner list --workspace /srv/gateway
    """
    with answering():
        loaded = load(workspace)
        if as_json:
            show_json([_summary(loaded, agreement) for agreement in loaded.agreements])
            return
        rows = [_summary(loaded, agreement) for agreement in loaded.agreements]
        # Only where there is something to warn of: a column of nothing warns of nothing.
        weak = ("weak algorithms",) if any(row["weak"] for row in rows) else ()
        show_table(
            ("name", "title", "status", "channel", "we send", "we receive", "version", *weak),
            (
                [
                    *(row["name"], row["title"], row["status"], row["channel"], *_kinds(row), row["version"][:12]),
                    *(", ".join(row["weak"]) for _ in weak),
                ]
                for row in rows
            ),
        )


@app.command("show")
def show_(
    name: Annotated[str, typer.Argument(help="The partner's name.")],
    *,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show one agreement with all defaults filled in, its version and its certificates.

    Example: gateway partner show acme
    """
    with answering():
        loaded = load(workspace)
        known = {agreement.name: agreement for agreement in loaded.agreements}
        known_partner(name, list(known))
        agreement = known[name]
        values: dict[str, Any] = agreement.model_dump(mode="json", exclude_none=True)
        certificates = [
            _certificate(loaded.folder, file) for file in (agreement.as2.certificates if agreement.as2 else ())
        ]
        ways = certificate_ways(workspace, name) if agreement.as2 else []
        if as_json:
            answer = {"version": loaded.versions[name], "agreement": values, "certificates": certificates}
            show_json(answer | {"certificate_states": ways})
            return
        show(f"# version {loaded.versions[name]}")
        if agreement.as2 is not None and agreement.as2.weak:
            show(
                Text(f"# weak algorithms are taken from this partner: {', '.join(agreement.as2.weak)}", style="yellow")
            )
        for certificate in certificates:
            show("# " + "  ".join(certificate.values()))
        for way in ways:
            show(f"# {way['whose']} {way['name']}: {way['stage']}")
        for line in _yaml(values, ""):
            show(line)


def _summary(workspace: Workspace, agreement: Agreement) -> dict[str, Any]:
    return {
        "name": agreement.name,
        "title": agreement.title,
        "status": agreement.status.value,
        "channel": agreement.channel,
        "send": list(agreement.documents.send),
        "receive": list(agreement.documents.receive),
        "ids": [f"{one.scheme} {one.value}" for one in agreement.ids],
        "weak": list(agreement.as2.weak) if agreement.as2 else [],
        "version": workspace.versions[agreement.name],
    }


def _kinds(row: dict[str, Any]) -> tuple[str, str]:
    return ", ".join(row["send"]), ", ".join(row["receive"])


def _certificate(folder: Path, file: str) -> dict[str, str]:
    certificate = load_certificate(folder / file)
    days = (certificate.not_valid_after_utc - datetime.now(UTC)).days
    return {
        "file": file,
        "subject": certificate.subject.rfc4514_string(),
        "valid_until": f"{certificate.not_valid_after_utc:%Y-%m-%d} ({days} days)",
        "sha256": fingerprint(certificate),
    }


def _yaml(values: dict[str, Any], indent: str) -> list[str]:
    """Values as they might stand in the file."""
    lines: list[str] = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            lines += [f"{indent}{key}:", *_yaml(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {scalar(value)}")
    return lines
