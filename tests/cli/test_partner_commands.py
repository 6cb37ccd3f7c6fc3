"""`gateway partner`: what is configured, what is wrong with it, and who holds a key."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from gateway.partners.api_keys import parse_api_key, secret_matches
from gateway.ports import ApiKey
from gateway.wiring import open_store

Run = Callable[..., Result]
BALTIC = """\
title: Baltic Fasteners
ids: [{scheme: assigned_by_buyer, value: V-2002}]
channel: rest
documents:
  send: {purchase_order: {}}
"""


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A workspace with the partner baltic."""
    shutil.copytree(made, tmp_path / "w")
    (tmp_path / "w/partners/baltic.yaml").write_text(BALTIC)
    return tmp_path / "w"


def test_partners_are_listed(run: Run, folder: Path) -> None:
    """For people as a plain table, for programs as JSON; the folder may come from the environment."""
    result = run("partner", "list", env={"GATEWAY_WORKSPACE": str(folder)})
    assert result.exit_code == 0
    assert "baltic" in result.stdout
    (row,) = json.loads(run("partner", "list", "--workspace", folder, "--json").stdout)
    assert row["name"] == "baltic"
    assert row["send"] == ["purchase_order"]
    assert len(row["version"]) == 64


def test_a_sound_workspace_checks_with_exit_code_0(run: Run, folder: Path) -> None:
    """And says what was checked."""
    result = run("partner", "check", "--workspace", folder)
    assert result.exit_code == 0
    assert "gateway.yaml, 1 partner: no findings" in result.stdout


def test_findings_are_shown_with_file_and_line_and_exit_code_1(run: Run, folder: Path) -> None:
    """All of all files; with a name, those of that partner."""
    (folder / "partners/baltic.yaml").write_text(BALTIC.replace("channel: rest", "chanel: rest"))
    (folder / "gateway.yaml").write_text("bogus: 1\n" + (folder / "gateway.yaml").read_text())
    result = run("partner", "check", "--workspace", folder)
    assert result.exit_code == 1
    assert "partners/baltic.yaml:3 chanel: unknown key 'chanel'" in result.stdout
    assert "write channel" in result.stdout
    assert "gateway.yaml:1 bogus" in result.stdout
    found = json.loads(run("partner", "check", "baltic", "--workspace", folder, "--json").stdout)
    assert {(one["file"], one["rule"]) for one in found} == {
        ("partners/baltic.yaml", "file.unknown_key"),
        ("partners/baltic.yaml", "file.missing_key"),
    }
    listing = run("partner", "list", "--workspace", folder)
    assert listing.exit_code == 2
    assert "gateway partner check" in listing.stderr


def test_secrets_are_read_unless_that_is_left_out(run: Run, folder: Path) -> None:
    """A configuration is checked where its secrets are, and in a pipeline where they are not."""
    shutil.rmtree(folder / "keys")
    result = run("partner", "check", "--workspace", folder)
    assert result.exit_code == 1
    assert "[workspace.secret]" in result.stdout
    left_out = run("partner", "check", "--without-secrets", "--workspace", folder)
    assert left_out.exit_code == 0
    assert "no findings" in left_out.stdout


def test_an_agreement_is_shown_with_its_defaults(run: Run, folder: Path) -> None:
    """And with the version that decides."""
    result = run("partner", "show", "baltic", "--workspace", folder)
    assert result.exit_code == 0
    assert "status: active" in result.stdout
    assert result.stdout.startswith("# version ")
    assert json.loads(run("partner", "show", "baltic", "--workspace", folder, "--json").stdout)["agreement"]["channel"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("partner", "show", "blatic"), "did you mean baltic?"),
        (("partner", "check", "zzz"), "partners are: baltic"),
        (("partner", "key", "new", "blatic"), "did you mean baltic?"),
        (("partner", "key", "new"), "--erp"),
        (("partner", "key", "new", "baltic", "--erp"), "not both"),
        (("partner", "key", "revoke", "nosuch"), "gateway partner key list"),
    ],
)
def test_what_cannot_be_done_says_why(run: Run, folder: Path, arguments: tuple[str, ...], words: str) -> None:
    """Exit code 2, the remedy on stderr, nothing on stdout."""
    result = run(*arguments, "--workspace", folder)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""


def test_a_folder_without_settings_is_named(run: Run, tmp_path: Path) -> None:
    """Every command says the same."""
    for command in ("list", "check"):
        result = run("partner", command, "--workspace", tmp_path)
        assert result.exit_code == 2
        assert "is no workspace" in result.stderr


def test_a_key_is_shown_once_and_only_its_hash_is_kept(run: Run, folder: Path) -> None:
    """Its text alone is on stdout, so that it can be piped into a vault."""
    result = run("partner", "key", "new", "baltic", "--name", "robot", "--days", "30", "--workspace", folder)
    assert result.exit_code == 0
    parsed = parse_api_key(result.stdout.strip())
    assert parsed is not None
    key, secret_sha256 = asyncio.run(stored(folder, parsed[0]))
    assert secret_matches(parsed[1], secret_sha256)
    assert (key.partner, key.scope, key.name) == ("baltic", "supplier", "robot")
    assert key.expires_at is not None
    assert (key.expires_at - key.created_at).days == 30
    listing = run("partner", "key", "list", "--workspace", folder)
    assert key.id in listing.stdout
    assert parsed[1] not in listing.stdout
    assert parsed[1].encode() not in b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def stored(folder: Path, key_id: str) -> tuple[ApiKey, str]:
    """A key as the store has it."""
    async with open_store(folder) as store:
        found = await store.key(key_id)
    assert found is not None
    return found


def test_an_erp_key_belongs_to_no_partner(run: Run, folder: Path) -> None:
    """Its scope is erp; a revoked key stays in the list."""
    made = json.loads(run("partner", "key", "new", "--erp", "--workspace", folder, "--json").stdout)
    assert (made["scope"], made["partner"]) == ("erp", None)
    assert parse_api_key(made["key"]) is not None
    assert json.loads(run("partner", "key", "list", "baltic", "--workspace", folder, "--json").stdout) == []
    assert run("partner", "key", "revoke", made["id"], "--workspace", folder).exit_code == 0
    assert "revoked" in run("partner", "key", "list", "--workspace", folder).stdout


def test_mistakes_in_a_partners_guide_are_shown_with_the_partner(run: Run, folder: Path) -> None:
    """With a name too; what is only noted does not fail the check."""
    rule = "{set: '850', map: x12/850, guide: baltic/850}"
    (folder / "partners/baltic.yaml").write_text(BALTIC.replace("purchase_order: {}", f"purchase_order: {rule}"))
    (folder / "guides/baltic").mkdir(parents=True)
    guide = folder / "guides/baltic/850.yaml"
    guide.write_text("extends: x12/004010/850\nrequired: [BGE05]\n")
    result = run("partner", "check", "baltic", "--workspace", folder)
    assert result.exit_code == 1
    assert "guides/baltic/850.yaml:2 required.0: BGE05" in result.stdout
    guide.write_text("extends: x12/004010/850\nlengths: {REF02: 1/50}\n")
    result = run("partner", "check", "baltic", "--workspace", folder)
    assert result.exit_code == 0, result.output
    assert "1 finding" in result.stdout


SENDING = """\
title: {name}
ids: [{{scheme: assigned_by_buyer, value: V-{name}}}]
channel: as2
as2: {{id: {name}, url: https://{name}.example.com/as2, certificates: [certs/partner.pem]}}
x12: {{identity: {{qualifier: ZZ, id: {name}}}}}
documents:
  send: {{purchase_order: {{set: "850", map: {name}/850}}}}
"""


def test_partner_check_tells_all_that_is_wrong_in_the_maps_that_agreements_name(run: Run, folder: Path) -> None:
    """Compiled and held against their guides, each by itself: a map that is broken hides nothing in another."""
    shutil.copy(next((folder / "certs").glob("*.pem")), folder / "certs/partner.pem")
    maps = {
        "broken": "extends: x12/850\nchange:\n  BEG: {BEG03: nummer}\nremove: [XYZ]\n",
        "unguided": "extends: x12/850\nafter:\n  BEG: [{XYZ: {XYZ01: project}}]\n",
        "sound": "extends: x12/850\n",
    }
    for name, text in maps.items():
        (folder / f"partners/{name}.yaml").write_text(SENDING.format(name=name))
        (folder / f"maps/{name}").mkdir(parents=True)
        (folder / f"maps/{name}/850.yaml").write_text(text)
    result = run("partner", "check", "--workspace", folder, "--json")
    assert result.exit_code == 1
    found = {(one["rule"], one["file"], one["line"]) for one in json.loads(result.stdout)}
    assert found >= {
        ("map.field.unknown", "maps/broken/850.yaml", 3),
        ("map.change.nowhere", "maps/broken/850.yaml", 4),
        ("map.guide.segment", "maps/unguided/850.yaml", 3),
    }
    assert not any("sound" in file for _, file, _ in found)
    alone = run("partner", "check", "unguided", "--workspace", folder)
    assert "map.guide.segment" in alone.stdout or "maps/unguided/850.yaml:3" in alone.stdout
    assert "broken" not in alone.stdout


def test_weak_algorithms_of_a_partner_are_told_by_check_list_and_show(run: Run, folder: Path) -> None:
    """A note: somebody chose it, so the check passes, and it is said every time."""
    shutil.copy(next((folder / "certs").glob("*.pem")), folder / "certs/partner.pem")
    shutil.copytree(folder, folder.parent / "sound")
    text = SENDING.format(name="old").replace("[certs/partner.pem]", "[certs/partner.pem], accept_weak: [sha-1, md5]")
    (folder / "partners/old.yaml").write_text(text.replace("map: old/850", "map: x12/850"))
    check = run("partner", "check", "--workspace", folder)
    assert check.exit_code == 0, check.output
    assert "partners/old.yaml:4 as2.accept_weak: sha-1, md5 taken from this partner" in check.stdout
    listed = run("partner", "list", "--workspace", folder, env={"COLUMNS": "200"}).stdout
    assert "weak algorithms" in listed
    assert "sha1, md5" in listed
    rows = json.loads(run("partner", "list", "--workspace", folder, "--json").stdout)
    assert {row["name"]: row["weak"] for row in rows} == {"baltic": [], "old": ["sha1", "md5"]}
    assert (
        "weak algorithms are taken from this partner: sha1, md5"
        in run("partner", "show", "old", "--workspace", folder).stdout
    )
    assert "weak" not in run("partner", "list", "--workspace", folder.parent / "sound").stdout
