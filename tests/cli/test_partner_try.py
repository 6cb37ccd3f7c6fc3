"""`gateway partner test` and `gateway partner simulate` as commands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.partners import configuration, keys
from gateway.partners.checks import ONLY_TO_RUN
from gateway.partners.workspace import load
from gateway.simulation.mirror import CERTIFICATE, OUR_CERTIFICATE

ROOT = Path(__file__).parents[2]
RUN = CliRunner()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The example without any key, in a folder of its own."""
    folder = tmp_path / "ours"
    folder.mkdir()
    shutil.copy(ROOT / "gateway.yaml", folder)
    for part in ("partners", "maps"):
        shutil.copytree(ROOT / part, folder / part)
    return folder


def test_a_right_agreement_is_told_row_by_row_and_ends_with_0(workspace: Path) -> None:
    """Without certificates: nothing is sent. In a pipe without colours."""
    done = RUN.invoke(app, ["partner", "test", "acme", "--count", "2", "--workspace", str(workspace)])
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.stdout
    assert "order_acknowledgement  855     backorder                   1  right" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("acme: ")


def test_json_has_every_check(workspace: Path) -> None:
    """With problems and notes as lists."""
    done = RUN.invoke(app, ["partner", "test", "rheintal", "--count", "1", "--workspace", str(workspace), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["right"]
    split = next(one for one in told["checks"] if one["set"] == "ORDRSP" and one["check"] == "split")
    assert split["state"] == "noted"
    assert any(note["said"].startswith("not expressible: /lines/0/responses/1") for note in split["notes"])


def test_a_wrong_example_ends_with_1_and_names_the_line(workspace: Path) -> None:
    """The map's own example, whose canonical form was changed."""
    path = workspace / "samples/x12/acme-855-reasons.json"
    path.parent.mkdir(parents=True)
    for name in ("acme-855-reasons.edi", "acme-855-reasons.json"):
        shutil.copy(ROOT / "samples/x12" / name, path.parent)
    path.write_text(path.read_text().replace('"order"', '"order_"', 1))
    done = RUN.invoke(app, ["partner", "test", "acme", "--count", "1", "--workspace", str(workspace)])
    assert done.exit_code == 1
    assert "maps/acme/855.yaml:" in done.stdout


def test_an_unknown_partner_ends_with_2_and_the_near_miss(workspace: Path) -> None:
    """For both commands."""
    for command in (["test", "acne"], ["simulate", "acne", "--inbox", "a", "--outbox", "b", "--once"]):
        done = RUN.invoke(app, ["partner", *command, "--workspace", str(workspace)])
        assert done.exit_code == 2
        assert "did you mean acme?" in done.stderr


def test_simulate_answers_a_folder_once(workspace: Path, tmp_path: Path) -> None:
    """A sample order: 997, 855 and 856 in the outbox."""
    inbox, outbox = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    shutil.copy(ROOT / "samples/x12/850-simple.edi", inbox)
    command = ["partner", "simulate", "acme", "--inbox", str(inbox), "--outbox", str(outbox), "--once"]
    for lines in (4, 0):
        done = RUN.invoke(app, [*command, "--workspace", str(workspace)])
        assert done.exit_code == 0, done.output
        assert len(done.stdout.splitlines()) == lines
    assert [path.name.split("-")[1] for path in sorted(outbox.glob("*.edi"))] == ["997", "855", "856"]


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ([], "--inbox and --outbox"),
        (["--inbox", "a"], "--inbox and --outbox"),
        (["--inbox", "a", "--folder", "b"], "--prepare FOLDER"),
        (["--inbox", "a", "--outbox", "b", "--scenario", "acept"], "accept, backorder"),
        (["--folder", "nowhere"], "--prepare nowhere"),
    ],
)
def test_how_to_play_must_be_said(workspace: Path, options: list[str], remedy: str) -> None:
    """One way, and a scenario that there is."""
    done = RUN.invoke(app, ["partner", "simulate", "acme", *options, "--workspace", str(workspace)])
    assert done.exit_code == 2
    assert remedy in done.stderr


def test_a_rest_partner_is_not_played(workspace: Path, tmp_path: Path) -> None:
    """It fetches and posts by itself; its documents can be tried."""
    for options in (
        ["--inbox", str(tmp_path / "a"), "--outbox", str(tmp_path / "b")],
        ["--prepare", str(tmp_path / "c")],
    ):
        done = RUN.invoke(app, ["partner", "simulate", "baltic", *options, "--workspace", str(workspace)])
        assert done.exit_code == 2


def test_prepare_makes_a_station_with_keys_of_its_own(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agreement turned round is sound, has our certificate, and no key of ours."""
    monkeypatch.setenv("GATEWAY_PASSPHRASE", "a passphrase of the test")
    loaded = configuration.read(workspace, ignoring=ONLY_TO_RUN).workspace
    from datetime import UTC, datetime  # noqa: PLC0415

    keys.create_keys(workspace, loaded.settings, now=datetime.now(UTC), bits=2048)
    station = tmp_path / "station"
    command = ["partner", "simulate", "rheintal", "--prepare", str(station), "--port", "8099"]
    done = RUN.invoke(app, [*command, "--workspace", str(workspace)])
    assert done.exit_code == 0, done.output
    assert "url: http://127.0.0.1:8099/as2" in done.stdout
    made = load(station)
    (us,) = made.agreements
    assert not made.findings
    assert us.edifact is not None
    assert us.edifact.identity == loaded.settings.identity.edifact
    assert made.settings.identity.as2_id == "RHEINTAL-AS2"
    ours = (workspace / loaded.settings.identity.certificate).read_bytes()
    assert (station / OUR_CERTIFICATE).read_bytes() == ours
    assert (station / CERTIFICATE).read_bytes() != ours
    assert (station / "keys/gateway.key").read_bytes() != (workspace / "keys/gateway.key").read_bytes()
    again = RUN.invoke(app, [*command, "--workspace", str(workspace)])
    assert again.exit_code == 2
    assert "is not empty" in again.stderr


def test_prepare_without_our_certificate_says_how_to_make_it(workspace: Path, tmp_path: Path) -> None:
    """Nothing is written."""
    station = tmp_path / "station"
    done = RUN.invoke(app, ["partner", "simulate", "acme", "--prepare", str(station), "--workspace", str(workspace)])
    assert done.exit_code == 2
    assert "gateway init DIR --keys-only" in done.stderr
    assert not station.exists()


def test_a_missing_inbox_and_one_folder_for_both_are_refused(workspace: Path, tmp_path: Path) -> None:
    """A mistyped inbox is no empty one, and answers are never put among what is to be answered."""
    command = ["partner", "simulate", "acme", "--workspace", str(workspace), "--once", "--inbox"]
    missing = RUN.invoke(app, [*command, str(tmp_path / "typo"), "--outbox", str(tmp_path / "in")])
    assert (missing.exit_code, "typo is no folder" in missing.stderr) == (2, True)
    assert not (tmp_path / "typo").exists()
    same = RUN.invoke(app, [*command, str(tmp_path), "--outbox", str(tmp_path)])
    assert (same.exit_code, "are one folder" in same.stderr) == (2, True)
