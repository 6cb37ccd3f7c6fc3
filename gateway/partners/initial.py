"""A new workspace: commented files, our keys and our certificate, in a folder that was empty."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from gateway.errors import OurFault
from gateway.partners.agreement import Agreement
from gateway.partners.keys import create_keys, write_file
from gateway.partners.template import commented_yaml
from gateway.partners.workspace import SETTINGS_FILE
from gateway.settings import Settings
from gateway.yamltext import read_yaml, validate

PASSPHRASE_FILE = "keys/passphrase"  # noqa: S105  where it is, not what it is
EXAMPLE_FILE = "partners/example.yaml.disabled"
GITIGNORE = "# Private keys and state stay on this machine.\n/keys/\n/data/\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Company:
    """What is asked before a workspace is made."""

    name: str
    as2_id: str
    x12_qualifier: str
    x12_id: str
    edifact_id: str | None = None
    """Absent: commented, with an example."""
    edifact_qualifier: str | None = None


def create_workspace(
    folder: Path,
    company: Company,
    *,
    passphrase_variable: str | None,
    now: datetime,
    days: int,
    bits: Literal[2048, 3072] = 3072,
) -> tuple[Path, ...]:
    """Make a workspace; the files written. OurFault when the folder is not empty or a value is wrong.

    The passphrase comes from the environment variable named, or else is generated into `keys/passphrase`.
    """
    text = settings_text(company, passphrase_variable=passphrase_variable)
    settings, wrong = validate(read_yaml(SETTINGS_FILE, text)[0], Settings)
    if settings is None:
        raise OurFault(wrong[0].text, remedy="correct the option", findings=wrong)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            remedy = "name an empty folder or a new one; for missing keys only: gateway init DIR --keys-only"
            raise OurFault(f"{folder} is not empty", remedy=remedy)
        for part in ("partners", "maps", "certs", "data", "keys"):
            (folder / part).mkdir(parents=True)
        for part in ("data", "keys"):
            (folder / part).chmod(0o700)
    except OSError as error:
        raise OurFault(f"{folder}: {error.strerror}", remedy="choose a folder that can be written") from error
    files = {SETTINGS_FILE: text, EXAMPLE_FILE: partner_text(), ".gitignore": GITIGNORE}
    written = [folder / file for file in files]
    for file, content in files.items():
        write_file(folder / file, content.encode(), mode=0o644)
    if passphrase_variable is None:
        write_file(folder / PASSPHRASE_FILE, f"{secrets.token_urlsafe(32)}\n".encode(), mode=0o600)
        written.append(folder / PASSPHRASE_FILE)
    return (*written, *create_keys(folder, settings, now=now, days=days, bits=bits))


def settings_text(company: Company, *, passphrase_variable: str | None) -> str:
    """A commented gateway.yaml."""
    identity: dict[str, Any] = {
        "name": company.name,
        "as2_id": company.as2_id,
        "x12": {"qualifier": company.x12_qualifier, "id": company.x12_id},
    }
    if company.edifact_id is not None:
        qualifier = {} if company.edifact_qualifier is None else {"qualifier": company.edifact_qualifier}
        identity["edifact"] = {"id": company.edifact_id, **qualifier}
    values = {
        "identity": identity,
        "passphrase": {"env": passphrase_variable} if passphrase_variable else {"file": PASSPHRASE_FILE},
    }
    heading = (
        "The gateway's settings. A key that is commented has the default shown; take one '# ' away from it, and from "
        "what is indented below it, to set it. Check with: gateway partner check"
    )
    return commented_yaml(Settings, values, heading=heading)


def partner_text() -> str:
    """A commented agreement, X12 over AS2."""
    values = {
        "as2": {},
        "x12": {"identity": {"qualifier": "ZZ", "id": "PARTNERID"}},
        "documents": {
            "send": {"purchase_order": {"set": "850", "map": "x12/850"}},
            "receive": {
                "order_acknowledgement": {"set": "855", "map": "x12/855"},
                "ship_notice": {"set": "856", "map": "x12/856"},
            },
        },
    }
    heading = (
        "One partner's agreement. Copy it to partners/<name>.yaml; the file's name is the partner's name. For one "
        "that uses the REST API write 'channel: rest' and leave out as2, x12 and, under documents, set and map. For "
        "EDIFACT take edifact instead of x12, and sets such as ORDERS."
    )
    return commented_yaml(Agreement, values, heading=heading)
