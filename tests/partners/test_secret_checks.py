"""What `partner check` says of secrets and private keys, without ever saying what they are."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.findings import FilePlace, Severity
from gateway.partners.keys import create_keys
from gateway.partners.workspace import examine, load_settings

from .conftest import ACME, BALTIC, NOW, SETTINGS

Edit = Callable[[str, str, str], int]
PASSPHRASE = "a-passphrase-for-tests-only"


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with keys, made once; tests work on copies."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "partners").mkdir()
    (folder / "keys").mkdir()
    (folder / "gateway.yaml").write_text(f"passphrase: {{file: keys/passphrase}}\n{SETTINGS}")
    (folder / "partners/acme.yaml").write_text(ACME)
    (folder / "partners/baltic.yaml").write_text(BALTIC)
    (folder / "keys/passphrase").write_text(f"{PASSPHRASE}\n")
    create_keys(folder, load_settings(folder), now=NOW, days=365, bits=2048)
    shutil.copy(folder / "certs/gateway.pem", folder / "certs/acme.pem")
    return folder


@pytest.fixture
def sound(whole: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(whole, tmp_path / "w")
    return tmp_path / "w"


def told(folder: Path) -> list[tuple[str, str, int | None, str]]:
    """Rule, file, line and words of every finding; no secret is ever among them."""
    _, findings = examine(folder, now=NOW, secrets=True)
    assert PASSPHRASE not in repr(findings)
    assert str(folder) not in repr([one.said for one in findings])
    assert all(one.severity is Severity.REJECT for one in findings)
    return [
        (one.rule.removeprefix("workspace."), one.place.file, one.place.line, one.said)
        for one in findings
        if isinstance(one.place, FilePlace)
    ]


def test_a_workspace_whose_secrets_are_there_has_no_findings(sound: Path) -> None:
    """And none are read unless that is asked for."""
    assert told(sound) == []
    shutil.rmtree(sound / "keys")
    assert examine(sound, now=NOW)[1] == ()


SECRETS = [
    ("gateway.yaml", "{file: keys/passphrase}", "{env: NO_SUCH_SECRET}", "environment variable NO_SUCH_SECRET is not"),
    ("gateway.yaml", "{file: keys/passphrase}", "{file: keys/other}", "secret file keys/other: No such file"),
    ("gateway.yaml", "{file: keys/passphrase}", "{file: /dev/null}", "secret file /dev/null is empty"),
    ("gateway.yaml", "{file: keys/passphrase}", "{file: /dev/zero}", "secret file /dev/zero is larger than"),
    (
        "gateway.yaml",
        "    kind: http\n",
        "    authentication: {kind: bearer, token: {env: NO_SUCH_SECRET}}\n    kind: http\n",
        "NO_SUCH_SECRET",
    ),
    (
        "partners/acme.yaml",
        "x12:\n",
        "  require_authentication: {username: a, password: {file: keys/none}}\nx12:\n",
        "keys/none",
    ),
    (
        "partners/acme.yaml",
        "x12:\n",
        "  transport: {proxy: {url: 'http://p', authentication: {username: a, password: {file: keys/none}}}}\nx12:\n",
        "keys/none",
    ),
]


@pytest.mark.parametrize("row", SECRETS, ids=lambda row: f"{row[0]} {row[2].strip()}")
def test_a_secret_that_cannot_be_read_is_a_finding_at_its_line(
    sound: Path, edit: Edit, row: tuple[str, str, str, str]
) -> None:
    """Named by its variable or file."""
    file, old, new, words = row
    line = edit(file, old, new)
    ((rule, where, at, said),) = told(sound)
    assert (rule, where, at) == ("secret", file, line)
    assert words in said


def test_a_secret_file_of_other_octets_is_told_in_words(sound: Path) -> None:
    """No traceback of a decoder."""
    (sound / "keys/passphrase").write_bytes(b"\xff\xfe")
    ((rule, _, _, said),) = told(sound)
    assert (rule, said) == ("secret", "secret file keys/passphrase is no text in UTF-8")


def test_secrets_of_an_agreement_that_exchanges_nothing_are_notes(sound: Path, edit: Edit) -> None:
    """A draft may wait for them."""
    authentication = "authentication: {kind: bearer, token: {env: NO_SUCH_SECRET}}"
    edit("partners/acme.yaml", "x12:\n", f"  {authentication}\nx12:\n")
    edit("partners/acme.yaml", "channel: as2\n", "channel: as2\nstatus: suspended\n")
    edit("partners/acme.yaml", "http://127.0.0.1", "https://127.0.0.1")
    _, findings = examine(sound, now=NOW, secrets=True)
    assert [(one.rule, one.severity) for one in findings] == [("workspace.secret", Severity.ACCEPT)]


def test_a_wrong_passphrase_is_told_of_each_key_that_it_does_not_open(sound: Path) -> None:
    """Ours and the seal's, with the file."""
    (sound / "keys/passphrase").write_text("another one\n")
    found = told(sound)
    assert [one[0] for one in found] == ["key", "key"]
    assert {one[3] for one in found} == {
        f"keys/{name}.key does not open: wrong passphrase, or not a private key" for name in ("gateway", "seal")
    }


def test_a_key_that_is_missing_or_no_key_is_told(sound: Path) -> None:
    """One is no key at all, the seal's is gone."""
    (sound / "keys/seal.key").unlink()
    (sound / "keys/gateway.key").write_text("no key")
    assert {one[3] for one in told(sound)} == {
        "keys/gateway.key does not open: wrong passphrase, or not a private key",
        "keys/seal.key: No such file or directory",
    }


def test_the_key_of_tls_is_tried_and_never_asks_at_the_terminal(sound: Path, edit: Edit) -> None:
    """One with a passphrase cannot be served with; for a partner's station its passphrase must fit."""
    edit(
        "gateway.yaml", "targets:\n", "listen: {tls: {certificate: certs/acme.pem, key: keys/gateway.key}}\ntargets:\n"
    )
    shown = "client_certificate: certs/acme.pem, client_key: keys/gateway.key"
    edit(
        "partners/acme.yaml",
        "x12:\n",
        f"  transport: {{{shown}, client_passphrase: {{file: keys/passphrase}}}}\nx12:\n",
    )
    ((rule, file, _, said),) = told(sound)
    assert (rule, file) == ("key", "gateway.yaml")
    assert said.startswith("keys/gateway.key with certs/acme.pem:")
    edit("partners/acme.yaml", ", client_passphrase: {file: keys/passphrase}", "")
    assert [one[1] for one in told(sound)] == ["gateway.yaml", "partners/acme.yaml"]
