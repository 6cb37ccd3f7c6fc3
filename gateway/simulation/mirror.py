"""An agreement as the partner has it: their identity for ours, what we send is what they receive, the same maps.

Values and texts only; `write_workspace` makes them a folder that a gateway can be started in. No private key of a
partner is ever on our side: what the simulator signs with is made for it.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from gateway.errors import OurFault
from gateway.partners import pairs
from gateway.partners.agreement import Agreement, Dialect
from gateway.partners.as2_channel import As2Channel
from gateway.partners.initial import GITIGNORE, PASSPHRASE_FILE
from gateway.partners.keys import create_keys, write_file
from gateway.partners.reference import scalar
from gateway.partners.workspace import SETTINGS_FILE, Workspace
from gateway.settings import EdifactIdentity, Settings, X12Identity

US = "us"
"""What the simulator calls us: `partners/us.yaml` in its workspace."""
MAILBOX = "mailbox"
CERTIFICATE, OUR_CERTIFICATE = "certs/gateway.pem", "certs/us.pem"

Json = dict[str, Any]


def mirrored(settings: Settings, agreement: Agreement) -> tuple[Settings, Agreement]:
    """The partner's settings, and the agreement with us as they have it."""
    turned = _agreement(settings, agreement, "http://127.0.0.1/as2", (OUR_CERTIFICATE,))
    return (
        Settings.model_validate(_settings(settings, agreement, host="127.0.0.1", port=0, passphrase={"env": "NONE"})),
        Agreement.model_validate({"name": US, **turned}),
    )


def write_workspace(
    workspace: Workspace,
    agreement: Agreement,
    folder: Path,
    *,
    url: str,
    host: str,
    port: int,
    now: datetime,
    bits: Literal[2048, 3072] = 3072,
) -> None:
    """The partner's workspace in `folder`, new or empty: settings, agreement, maps, guides, keys of its own.

    `url` is where we listen. Raises OurFault where the agreement is not over AS2 or the folder is not empty.
    """
    if agreement.as2 is None:
        raise OurFault(
            f"{agreement.name} does not use AS2",
            remedy=f"play it over folders: gateway partner simulate {agreement.name} --inbox DIR --outbox DIR",
        )
    ours = _ours(workspace)
    for source in ours.values():
        if not source.is_file():
            raise OurFault(f"{source} is not there", remedy="make our keys: gateway init DIR --keys-only")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OurFault(f"{folder} is not empty", remedy="name an empty folder or a new one")
        for part in ("partners", "certs", "data", "keys"):
            (folder / part).mkdir(parents=True)
        for part in ("data", "keys"):
            (folder / part).chmod(0o700)
        for part in ("maps", "guides"):
            if (workspace.folder / part).is_dir():
                shutil.copytree(workspace.folder / part, folder / part)
        for name, source in ours.items():
            shutil.copy(source, folder / name)
    except OSError as error:
        raise OurFault(f"{folder}: {error.strerror}", remedy="choose a folder that can be written") from error
    settings = _settings(workspace.settings, agreement, host=host, port=port, passphrase={"file": PASSPHRASE_FILE})
    title = f"# {agreement.title} as `gateway partner simulate` plays it: {agreement.name} turned round."
    files = {
        SETTINGS_FILE: _yaml(settings, title),
        f"partners/{US}.yaml": _yaml(_agreement(workspace.settings, agreement, url, tuple(ours)), title),
        ".gitignore": GITIGNORE,
    }
    for name, text in files.items():
        write_file(folder / name, text.encode(), mode=0o644)
    write_file(folder / PASSPHRASE_FILE, f"{secrets.token_urlsafe(32)}\n".encode(), mode=0o600)
    create_keys(folder, Settings.model_validate(settings), now=now, bits=bits)


def _ours(workspace: Workspace) -> dict[str, Path]:
    """Our certificates that count, by their file there: during a rollover there are several."""
    known = pairs.known(workspace.settings, pairs.read(workspace.folder)[0])
    files = [workspace.folder / one.certificate for one in known if not one.retired]
    names = (OUR_CERTIFICATE, *(f"certs/us-{number}.pem" for number in range(2, len(files) + 1)))
    return dict(zip(names, files, strict=True))


def _settings(settings: Settings, agreement: Agreement, *, host: str, port: int, passphrase: Json) -> Json:
    identity: Json = {"name": agreement.title, "as2_id": agreement.as2.id if agreement.as2 else "SIMULATOR"}
    for standard in ("x12", "edifact"):
        dialect: Any = getattr(agreement, standard)
        if dialect is not None:
            identity[standard] = _said(dialect.identity)
    return {
        "identity": identity,
        "listen": {"host": host, "port": port},
        "passphrase": passphrase,
        # What we send them comes to rest as files: data/mailbox/purchase_order/….json
        "targets": {MAILBOX: {"kind": "folder", "path": f"data/{MAILBOX}"}},
        "routes": [{"to": MAILBOX}],
        "retries": {"schedule_seconds": [1, 1, 2, 3, 5, 10, 30, 60]},
        "max_message_bytes": settings.max_message_bytes,
        "seal_seconds": 2,
    }


def _agreement(settings: Settings, agreement: Agreement, url: str, certificates: Sequence[str]) -> Json:
    turned: Json = {
        "title": settings.identity.name,
        # Nothing that comes is looked up by these; answers without a buyer go to the only partner there is.
        "ids": [{"scheme": "assigned_by_seller", "value": settings.identity.as2_id}],
        "channel": agreement.channel,
    }
    if agreement.as2 is not None:
        turned["as2"] = {
            "id": settings.identity.as2_id,
            "url": url,
            "certificates": list(certificates),
            **_as2(agreement.as2),
        }
    for standard, own in (("x12", settings.identity.x12), ("edifact", settings.identity.edifact)):
        dialect: Dialect | None = getattr(agreement, standard)
        if dialect is not None:
            turned[standard] = {**_said(dialect), "identity": _said(_known(dialect, own, agreement))}
            turned[standard].pop("our_identity", None)
    documents = agreement.documents
    turned["documents"] = {
        "send": {kind: _said(rule) for kind, rule in documents.receive.items()},
        "receive": {kind: _said(rule) for kind, rule in documents.send.items()},
    }
    return turned


ONLY_OURS = frozenset(
    {"authentication", "certificates", "url", "id", "require_authentication", "require_client_certificates"}
    | {"transport", "retries", "subject", "filename", "content_type", "micalgs", "require_receipt_request"}
    | {"require_compression", "accept_hashes", "accept_ciphers", "accept_weak", "accept_content_types"}
    | {"receipt_mode", "receipt_urls", "receipt_within_minutes", "processing_after_seconds"}
    | {"encrypt_for", "accept_expired_until", "trust", "signer_ca", "signer_subject", "revocation", "crls", "stale_crl"}
)
"""Of an agreement's as2: secrets, files and addresses of one side, and what the other side has no part in."""


def _as2(ours: As2Channel) -> Json:
    """How they send, so that we take it, and what they demand, so that what we send is taken."""
    return {
        **{name: value for name, value in _said(ours).items() if name not in ONLY_OURS},
        "sign": _taken(ours.sign, ours.accept_hashes, needed=ours.require_signature),
        "encrypt": _taken(ours.encrypt, ours.accept_ciphers, needed=ours.require_encryption),
        "compress": "before" if ours.compress == "no" and ours.require_compression else ours.compress,
        "receipt": "signed" if ours.receipt == "none" and ours.require_receipt_request else ours.receipt,
        "require_signature": ours.sign != "no",
        "require_encryption": ours.encrypt != "no",
    }


def _taken(word: str, taken: Sequence[str], *, needed: bool) -> str:
    """What we use ourselves, where we would take it from them; else the first that we take."""
    return word if word in taken or (word == "no" and not needed) else taken[0]


def _known(
    dialect: Dialect, own: X12Identity | EdifactIdentity | None, agreement: Agreement
) -> X12Identity | EdifactIdentity:
    """Who we are for this partner."""
    found: X12Identity | EdifactIdentity | None = getattr(dialect, "our_identity", None) or own
    if found is None:
        raise OurFault(
            f"we have no identity in interchanges with {agreement.name}",
            remedy="add it under identity: in gateway.yaml",
        )
    return found


def _said(model: Any) -> Json:
    made: Json = model.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    return made


def _yaml(values: Mapping[str, Any], title: str) -> str:
    return "\n".join([title, *_lines(values, "")]) + "\n"


def _lines(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{key}:"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{key}: {scalar(value)}"
