"""The gateway's folder for the matrix: one agreement for each combination, in the words of the agreement's model."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.partners import keys as workspace_keys
from gateway.partners.workspace import load_settings

from .combinations import Combination, Way

US = "MATRIX"


def section(one: Combination, name: str, url: str) -> dict[str, Any]:
    """The `as2` of the agreement for one combination."""
    usual: dict[str, Any] = {"id": name, "url": url, "certificates": ["certs/peer.pem"]}
    if one.way is Way.IN:
        usual |= {"require_signature": one.sign != "no", "require_encryption": one.encrypt != "no"}
        weak = [word for word in ("sha1", "3des-cbc") if word in {one.hash.replace("-", ""), one.cipher}]
        usual |= {"accept_weak": weak} if weak else {}
        return usual | ({"receipt_urls": [url]} if one.asynchronous else {})
    usual |= {
        "sign": "no" if one.sign == "no" else one.hash.replace("-", ""),
        "encrypt": one.cipher.replace("aes-", "aes"),
        "compress": one.compress,
        "receipt": one.receipt_kind,
        "require_signature": False,
        "require_encryption": False,
    }
    usual |= {"signature_scheme": "pss"} if one.sign.endswith("pss") else {}
    usual |= {"key_transport": "oaep"} if one.encrypt.endswith("oaep") else {}
    return usual | ({"receipt_mode": "async"} if one.asynchronous else {})


def write_workspace(folder: Path, port: int, url: str) -> Path:
    """A gateway's folder with keys; the path of its certificate."""
    for part in ("partners", "certs", "data", "keys"):
        (folder / part).mkdir(parents=True)
    (folder / "keys" / "passphrase").write_text("a passphrase for a test\n", encoding="utf-8")
    settings = {
        "identity": {"name": "Matrix", "as2_id": US, "x12": {"qualifier": "ZZ", "id": US}},
        "listen": {"host": "127.0.0.1", "port": port, "public_url": url.removesuffix("/as2")},
        "passphrase": {"file": "keys/passphrase"},
        "retries": {"schedule_seconds": [3600]},  # one attempt each: what fails is seen
    }
    (folder / "gateway.yaml").write_text(json.dumps(settings), encoding="utf-8")
    loaded = load_settings(folder)
    workspace_keys.create_keys(folder, loaded, now=datetime.now(UTC), bits=2048)
    return folder / loaded.identity.certificate


def write_partner(folder: Path, name: str, agreed: dict[str, Any]) -> None:
    """An agreement that says nothing but its section `as2`."""
    agreement = {
        "title": name,
        "ids": [{"scheme": "test", "value": name}],
        "channel": "as2",
        "as2": agreed,
        "x12": {"identity": {"qualifier": "ZZ", "id": name.upper()}},
        "documents": {},
    }
    (folder / "partners" / f"{name}.yaml").write_text(json.dumps(agreement), encoding="utf-8")
