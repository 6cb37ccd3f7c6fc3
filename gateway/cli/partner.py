"""`gateway partner`: the agreements as they are read, everything wrong with them, and the partners' API keys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.as2 import fingerprint
from gateway.cli import partner_guide, partner_key, partner_simulate, partner_try
from gateway.cli.answers import (
    FINDINGS,
    AsJson,
    WorkspaceFolder,
    answering,
    finding_json,
    show,
    show_findings,
    show_json,
    show_table,
)
from gateway.cli.partner_infer import infer_
from gateway.cli.partner_new import new
from gateway.errors import OurFault
from gateway.findings import FilePlace, Finding, Severity, worst
from gateway.partners import checked
from gateway.partners.agreement import Agreement
from gateway.partners.hooks import hooks_of
from gateway.partners.keys import load_certificate
from gateway.partners.map_names import known_maps, map_names, map_users
from gateway.partners.map_shelf import MapCache, MapShelf
from gateway.partners.reference import scalar
from gateway.partners.workspace import SETTINGS_FILE, Workspace, examine, load, partner_files
from gateway.yamltext import near_miss

app = typer.Typer(no_args_is_help=True, help="Trading partners: agreements, checks, API keys.")
app.add_typer(partner_key.app, name="key")
app.command("test")(partner_try.try_)
app.command()(partner_simulate.simulate)
app.command()(partner_guide.guide)
app.command("new")(new)
app.command("infer")(infer_)


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
        show_table(
            ("name", "title", "status", "channel", "we send", "we receive", "version"),
            (
                [row["name"], row["title"], row["status"], row["channel"], *_kinds(row), row["version"][:12]]
                for row in rows
            ),
        )


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Partners; all when absent.")] = None,
    *,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Report everything wrong in gateway.yaml, partners' files, guides and maps, with file and line.

    With names, only the findings in those partners' files, in the maps they name, and in the folders of their guides
    and maps. Exit code 1 if anything is wrong; a note, such as what a draft still lacks, leaves it 0.

    Example: gateway partner check acme --json
    """
    with answering():
        files = dict(partner_files(workspace))
        for name in names or ():
            _known(name, list(files))
        shelf = MapShelf(workspace, MapCache(checked.remembered(workspace / checked.FILE)), hooks_of(workspace))
        _, findings = examine(workspace, map_exists=known_maps(workspace), map_head=shelf.head)
        in_maps = shelf.check(_maps_of(workspace, names))
        findings = tuple(dict.fromkeys((*findings, *in_maps)))
        wanted = {files[name] for name in names} if names else None
        guides = tuple(f"{folder}/{name}/" for folder in ("guides", "maps") for name in names or ())
        shown = [
            finding
            for finding in findings
            if wanted is None
            or (file := _file(finding)) in wanted
            or (file or "").startswith(guides)
            or finding in in_maps
        ]
        if as_json:
            show_json([finding_json(finding) for finding in shown])
        else:
            show_findings(shown)
            looked_at = (
                " ".join(sorted(wanted))
                if wanted
                else f"{SETTINGS_FILE}, {len(files)} partner{'' if len(files) == 1 else 's'}"
            )
            show(f"{looked_at}: {len(shown) or 'no'} finding{'' if len(shown) == 1 else 's'}")
        if worst(shown) is not Severity.ACCEPT:
            raise typer.Exit(FINDINGS)


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
        _known(name, list(known))
        agreement = known[name]
        values: dict[str, Any] = agreement.model_dump(mode="json", exclude_none=True)
        certificates = [
            _certificate(loaded.folder, file) for file in (agreement.as2.certificates if agreement.as2 else ())
        ]
        if as_json:
            show_json({"version": loaded.versions[name], "agreement": values, "certificates": certificates})
            return
        show(f"# version {loaded.versions[name]}")
        for certificate in certificates:
            show("# " + "  ".join(certificate.values()))
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
        "version": workspace.versions[agreement.name],
    }


def _kinds(row: dict[str, Any]) -> tuple[str, str]:
    return ", ".join(row["send"]), ", ".join(row["receive"])


def _maps_of(workspace: Path, names: list[str] | None) -> list[str]:
    """The maps that these partners name, without names all that are named. A missing one is told elsewhere."""
    there = map_names(workspace)
    users = {name: {user.split(" ", 1)[0] for user in users} for name, users in map_users(workspace).items()}
    return sorted(name for name in users.keys() & there if not names or users[name] & set(names))


def _known(name: str, names: list[str]) -> None:
    if name not in names:
        meant = near_miss(name, names)
        remedy = f"did you mean {meant}?" if meant else f"partners are: {', '.join(names) or 'none'}"
        raise OurFault(f"there is no partner {name}", remedy=remedy)


def _file(finding: Finding) -> str | None:
    return finding.place.file if isinstance(finding.place, FilePlace) else None


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
