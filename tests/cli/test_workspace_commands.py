"""`gateway init` makes a workspace that is sound at once; `gateway config` describes every setting."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.partners.keys import load_as2_key_pair, load_seal_key
from gateway.partners.workspace import load, load_settings
from gateway.settings import EdifactIdentity

Run = Callable[..., Result]


def test_a_fresh_workspace_is_sound_and_its_keys_open(made: Path) -> None:
    """Whatever characters the names have."""
    workspace = load(made)
    assert workspace.findings == ()
    assert workspace.settings.identity.name == "Harborline: Supply"
    assert workspace.settings.identity.as2_id == "HARBOR LINE"
    load_as2_key_pair(made, workspace.settings)
    load_seal_key(made, workspace.settings)


def test_secrets_of_a_fresh_workspace_are_private(made: Path) -> None:
    """Passphrase and keys for the owner only, and never committed."""
    for path in (made / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == (0o644 if path.suffix == ".pub" else 0o600), path
    assert stat.S_IMODE((made / "keys").stat().st_mode) == 0o700
    assert "/keys/" in (made / ".gitignore").read_text()


def test_the_example_partner_is_sound_once_it_has_its_certificate(run: Run, made: Path, tmp_path: Path) -> None:
    """Taking it as it is leaves two findings: no certificate yet, and no route for what it sends."""
    folder = tmp_path / "w"
    shutil.copytree(made, folder)
    shutil.copy(folder / "partners/example.yaml.disabled", folder / "partners/example.yaml")
    result = run("partner", "check", "--workspace", folder, "--json")
    assert result.exit_code == 1
    rules = {finding["rule"] for finding in json.loads(result.stdout)}
    assert rules - {"workspace.unknown_map"} == {"workspace.certificate", "workspace.nowhere_to_go"}


def test_a_folder_that_is_not_empty_is_refused(run: Run, made: Path) -> None:
    """Nothing is touched; the remedy is told."""
    before = sorted(made.rglob("*"))
    result = run("init", made)
    assert result.exit_code == 2
    assert "is not empty" in result.stderr
    assert "--keys-only" in result.stderr
    assert sorted(made.rglob("*")) == before


def test_the_passphrase_may_come_from_the_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then no file holds it, and nothing prints it."""
    monkeypatch.setenv("GATEWAY_PASSPHRASE", "correct horse battery")
    result = run("init", tmp_path / "w", "--json")
    assert result.exit_code == 0
    assert "keys/passphrase" not in json.loads(result.stdout)["written"]
    assert not (tmp_path / "w/keys/passphrase").exists()
    assert "correct horse" not in result.output
    load_as2_key_pair(tmp_path / "w", load(tmp_path / "w").settings)


def test_missing_keys_can_be_made_later(run: Run, made: Path, tmp_path: Path) -> None:
    """In a workspace whose keys did not come along, as in a fresh clone."""
    shutil.copytree(made, tmp_path / "w")
    for file in ("keys/gateway.key", "keys/seal.key", "keys/seal.pub", "certs/gateway.pem"):
        (tmp_path / "w" / file).unlink()
    result = run("init", tmp_path / "w", "--keys-only", "--json")
    assert json.loads(result.stdout)["written"] == [
        "keys/gateway.key",
        "certs/gateway.pem",
        "keys/seal.key",
        "keys/seal.pub",
    ]
    assert json.loads(run("init", tmp_path / "w", "--keys-only", "--json").stdout)["written"] == []
    assert run("init", tmp_path / "nowhere", "--keys-only").exit_code == 2


def test_our_unb_identity_stands_in_the_settings_when_it_is_said(run: Run, tmp_path: Path) -> None:
    """Otherwise it is commented, with an example."""
    assert run("init", tmp_path / "w", "--edifact-id", "4012345000009", "--edifact-qualifier", "14").exit_code == 0
    settings = load_settings(tmp_path / "w").identity
    assert settings.edifact == EdifactIdentity(id="4012345000009", qualifier="14")
    assert run("init", tmp_path / "v").exit_code == 0
    assert load_settings(tmp_path / "v").identity.edifact is None


def test_a_wrong_option_writes_nothing(run: Run, tmp_path: Path) -> None:
    """The value is checked as the file would be."""
    result = run("init", tmp_path / "w", "--x12-id", "far too long for ISA06")
    assert result.exit_code == 2
    assert "identity.x12.id" in result.stderr
    assert not (tmp_path / "w").exists()


def test_settings_are_described_for_people_and_programs(run: Run) -> None:
    """A table, JSON, Markdown; one section or all."""
    table = run("config", "describe", "retries")
    assert table.exit_code == 0
    assert "retries.jitter" in table.stdout
    assert "\x1b" not in table.stdout
    entries = json.loads(run("config", "describe", "--json").stdout)
    assert {"listen.port", "as2.url"} <= {entry["path"] for entry in entries}
    assert "| `listen.port` |" in run("config", "describe", "--markdown").stdout


def test_an_unknown_section_names_the_near_miss(run: Run) -> None:
    """Exit code 2: nothing to show."""
    result = run("config", "describe", "listne")
    assert result.exit_code == 2
    assert "did you mean listen?" in result.stderr


def test_every_command_shows_an_example() -> None:
    """In its help."""
    from gateway.cli import config, partner, partner_key, workspace  # noqa: PLC0415

    commands = [
        workspace.init,
        *(one.callback for app in (config.app, partner.app, partner_key.app) for one in app.registered_commands),
    ]
    assert len(commands) > 9
    assert all("Example: gateway " in (one.__doc__ or "") for one in commands if one)
    assert CliRunner().invoke(partner.app, ["key", "new", "--help"]).exit_code == 0
