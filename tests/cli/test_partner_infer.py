"""`gateway partner infer` and `gateway partner new`: what they write, what they never write over, what they refuse."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
SAMPLES = Path(__file__).parents[2] / "samples/onboarding"
MAILBOX = "\ntargets:\n  mailbox: {kind: folder, path: data/mailbox}\nroutes:\n  - {to: mailbox}\n"


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A workspace without partners, and a folder for what they send."""
    shutil.copytree(made, tmp_path / "w")
    with (tmp_path / "w/gateway.yaml").open("a") as file:
        file.write(MAILBOX)
    return tmp_path / "w"


def test_a_folder_of_samples_becomes_a_partner_that_reads_them(run: Run, folder: Path) -> None:
    """The check passes, and the samples are accepted as the new agreement says."""
    result = run("partner", "infer", SAMPLES / "tidewater", "--name", "tidewater", "--into", folder)
    assert result.exit_code == 0, result.output
    assert run("partner", "check", "tidewater", "--workspace", folder).exit_code == 0
    read = run("edi", "check", SAMPLES / "tidewater", "--partner", "tidewater", "--workspace", folder)
    assert read.exit_code == 0, read.output
    maps = run("map", "check", "tidewater/855", "tidewater/856", "--workspace", folder)
    assert maps.exit_code == 0, maps.output


def test_nothing_is_written_over_unless_it_is_said(run: Run, folder: Path) -> None:
    """All or nothing: one file that is there keeps the others from being written."""
    (folder / "guides/tidewater").mkdir(parents=True)
    (folder / "guides/tidewater/855.yaml").write_text("mine")
    command = ("partner", "infer", SAMPLES / "tidewater", "--name", "tidewater", "--into", folder)
    result = run(*command)
    assert result.exit_code == 2
    assert "guides/tidewater/855.yaml is there already" in result.stderr
    assert not (folder / "partners/tidewater.yaml").exists()
    assert run(*command, "--replace").exit_code == 0
    assert (folder / "guides/tidewater/855.yaml").read_text() != "mine"
    assert (folder / "guides/tidewater/855.yaml.before").read_text() == "mine"
    (folder / "partners/tidewater.yaml").write_text("filled in by hand")
    assert run(*command, "--replace").exit_code == 1
    assert (folder / "partners/tidewater.yaml").read_text() == "filled in by hand"


def test_a_dry_run_writes_nothing_and_needs_no_workspace(run: Run, tmp_path: Path) -> None:
    """It prints the files; as JSON with their contents."""
    result = run("partner", "infer", SAMPLES / "tidewater", "--into", tmp_path, "--dry-run", "--name", "tidewater")
    assert result.exit_code == 0
    assert "----- guides/tidewater/855.yaml" in result.stdout
    printed = json.loads(
        run("partner", "infer", SAMPLES / "tidewater", "--into", tmp_path, "--dry-run", "--json").stdout
    )
    assert printed["read_as"] == {"004060": "004010"}
    assert sorted(printed["contents"]) == printed["files_written"]
    assert not list(tmp_path.iterdir())
    refused = run("partner", "infer", SAMPLES / "tidewater", "--into", tmp_path)
    assert refused.exit_code == 2
    assert "gateway init" in refused.stderr


def test_later_files_are_held_against_the_profile(run: Run, folder: Path) -> None:
    """The samples themselves bring nothing new; what came later does, with exit code 1; strangers are told."""
    run("partner", "infer", SAMPLES / "tidewater", "--name", "tidewater", "--into", folder)
    same = run("partner", "infer", SAMPLES / "tidewater", "--against", "tidewater", "--into", folder)
    assert same.exit_code == 0, same.output
    assert "3 interchanges of 01/300400500: nothing new" in same.stdout
    stranger = folder / "stranger.edi"
    stranger.write_bytes((SAMPLES / "tidewater-later/855.edi").read_bytes().replace(b"300400500", b"300400599"))
    command = ("partner", "infer", SAMPLES / "tidewater-later", stranger, "--against", "tidewater", "--into", folder)
    later = run(*command, "--json")
    assert later.exit_code == 1
    rows = json.loads(later.stdout)
    assert [one["rule"] for one in rows] == ["profile.sender", "profile.code", "profile.place"]
    assert rows[1]["said"] == "PO1/ACK01 HD"
    assert run(*command).exit_code == 1
    assert run(*command, "--learn").exit_code == 0
    learned = json.loads(run(*command, "--json").stdout)
    assert [one["rule"] for one in learned] == ["profile.sender"]


def test_samples_with_mistakes_are_told_and_the_report_is_written(run: Run, folder: Path) -> None:
    """Exit code 1; what could be inferred is written all the same."""
    wrong = folder / "wrong.edi"
    wrong.write_bytes((SAMPLES / "tidewater/855-second.edi").read_bytes().replace(b"SE*10*", b"SE*99*"))
    result = run("partner", "infer", wrong, "--name", "tidewater", "--into", folder, "--md", folder / "report.md")
    assert result.exit_code == 1
    assert "edi.message.count" in result.stdout
    assert "| 855 | wrong |" in (folder / "report.md").read_text()
    assert (folder / "partners/tidewater.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((SAMPLES, "--name", "Tide Water"), "cannot be a partner's name"),
        ((SAMPLES, "--against", "nobody"), "cannot read"),
        ((SAMPLES, "--against", "../nobody"), "cannot be a partner's name"),
        ((SAMPLES, "--sender", "NOBODY"), "no interchange is of NOBODY"),
        (("-",), "standard input can be read only once"),
        ((SAMPLES / "nowhere",), "cannot read"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[object, ...], words: str, run: Run, folder: Path) -> None:
    """Exit code 2 and a remedy, never a traceback."""
    result = run("partner", "infer", *arguments, "--into", folder)
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert "remedy: " in result.stderr


@pytest.mark.parametrize("template", ["as2-x12", "as2-x12-customer", "rest"])
def test_a_new_partner_passes_the_check(template: str, run: Run, folder: Path) -> None:
    """A draft where the channel is not known, and never written over."""
    command = ("partner", "new", "brightline", "--template", template, "--party", "gln:4300000000004")
    result = run(*command, "--workspace", folder)
    assert result.exit_code == 0, result.output
    text = (folder / "partners/brightline.yaml").read_text()
    assert ("status: draft" in text) == (template != "rest")
    assert "value: 4300000000004" in text
    check = run("partner", "check", "brightline", "--workspace", folder)
    assert check.exit_code == 0, check.output
    again = run(*command, "--workspace", folder)
    assert again.exit_code == 2
    assert "is there already" in again.stderr


def test_on_a_terminal_what_is_not_given_is_asked_for(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter takes what is shown, or leaves it open; nothing is written without a yes."""
    monkeypatch.setattr("gateway.cli.partner_new._terminal", lambda: True)
    command = ("partner", "new", "brightline", "--as2-id", "BRIGHTLINE", "--workspace", folder)
    answers = ["Brightline Lamps", "gln", "4300000000004", "", "https://as2.example.com/as2", "", "01", "123456789"]
    assert run(*command, input="\n".join([*answers, "n", ""])).exit_code == 0
    assert not (folder / "partners/brightline.yaml").exists()
    result = run(*command, input="\n".join([*answers, "y", ""]))
    assert result.exit_code == 0, result.output
    text = (folder / "partners/brightline.yaml").read_text()
    assert "title: Brightline Lamps" in text
    assert "status: draft" in text
    assert "their certificate" in result.stderr
    assert run("partner", "check", "brightline", "--workspace", folder).exit_code == 0


def test_a_new_partner_with_everything_is_for_testing(run: Run, folder: Path) -> None:
    """All keys live that were given."""
    result = run(
        *("partner", "new", "brightline", "--title", "Brightline: Lamps", "--party", "assigned_by_buyer:V-1"),
        *("--as2-id", "BRIGHTLINE", "--url", "https://as2.example.com/as2", "--certificate", "certs/gateway.pem"),
        *("--qualifier", "01", "--id", "123456789", "--workspace", folder, "--json"),
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["status"], told["missing"]) == ("testing", [])
    shown = json.loads(run("partner", "show", "brightline", "--workspace", folder, "--json").stdout)["agreement"]
    assert shown["x12"]["identity"] == {"qualifier": "01", "id": "123456789"}
    assert shown["title"] == "Brightline: Lamps"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("brightline", "--template", "as2-x13"), "did you mean as2-x12"),
        (("Bright Line",), "cannot be a partner's name"),
        (("brightline", "--party", "V-1"), "SCHEME:ID"),
        (("brightline", "--as2-id", "B", "--url", "ftp://x", "--certificate", "c.pem"), "http"),
    ],
)
def test_a_new_partner_that_cannot_be_is_said(arguments: tuple[str, ...], words: str, run: Run, folder: Path) -> None:
    """Exit code 2, and no file."""
    result = run("partner", "new", *arguments, "--workspace", folder)
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert not list((folder / "partners").glob("*.yaml"))


def test_an_edifact_partner_has_a_template_of_its_own(run: Run, folder: Path) -> None:
    """With a UNB identity, and messages in place of sets."""
    command = ("partner", "new", "nord", "--template", "as2-edifact", "--id", "4012345000009", "--qualifier", "14")
    assert run(*command, "--workspace", folder).exit_code == 0
    text = (folder / "partners/nord.yaml").read_text()
    assert "\nedifact:\n" in text
    assert "qualifier: 14" in text
    assert "set: ORDERS" in text


def test_an_edifact_sender_becomes_a_partner(run: Run, folder: Path) -> None:
    """With what UNB says; the check has nothing against the draft."""
    file = SAMPLES.parent / "edifact/ordrsp-d96a.edi"
    assert run("partner", "infer", file, "--name", "nord", "--into", folder).exit_code == 0
    text = (folder / "partners/nord.yaml").read_text()
    assert "edifact:\n  identity: {id:" in text
    assert "syntax: UNO" in text
    assert run("partner", "check", "nord", "--workspace", folder).exit_code == 0
    same = run("partner", "infer", file, "--against", "nord", "--into", folder)
    assert same.exit_code == 0, same.output


def test_read_as_must_lead_to_guides(run: Run, folder: Path) -> None:
    """And from a version that has none."""
    run("partner", "infer", SAMPLES / "tidewater", "--name", "tidewater", "--into", folder)
    path = folder / "partners/tidewater.yaml"
    path.write_text(path.read_text().replace('{"004060": "004010"}', '{"004060": "004011", "005010": "004010"}'))
    result = run("partner", "check", "tidewater", "--workspace", folder)
    assert result.exit_code == 1
    assert "004011; expected a version with guides" in result.stdout
    assert "005010; expected a version without guides" in result.stdout


def test_a_version_without_a_guide_is_told_and_never_counted_as_read(run: Run, folder: Path) -> None:
    """Explain, coverage and diff need the agreement, which reads the version as another; then they are quiet."""
    run("partner", "infer", SAMPLES / "tidewater", "--name", "tidewater", "--into", folder)
    first = SAMPLES / "tidewater/855-first.edi"
    for command, code in ((("explain",), 1), (("coverage",), 1), (("diff", "x12/855", "tidewater/855"), 2)):
        ran = run("map", *command, first, "--workspace", folder)
        assert ran.exit_code == code, command
        assert "855 0001 is not read: interchange 000000311" in ran.stderr
        assert "read_as: --partner NAME" in ran.stderr
        assert "every element is read" not in ran.stdout
        agreed = run("map", *command, first, "--workspace", folder, "--partner", "tidewater")
        assert agreed.exit_code == 0, agreed.output
        assert "not read" not in agreed.output


def test_a_broken_map_of_a_partner_is_found_by_its_check_and_never_passed_over(run: Run, folder: Path) -> None:
    """Not replaced by the gateway's own map either."""
    run("partner", "infer", SAMPLES / "tidewater", "--name", "tidewater", "--into", folder)
    (folder / "maps/tidewater/855.yaml").write_text("codes: {a: [}\n")
    for names in ((), ("tidewater",)):
        checked = run("partner", "check", *names, "--workspace", folder)
        assert checked.exit_code == 1
        assert "maps/tidewater/855.yaml:1: " in checked.stdout
        assert "[map.file.yaml]" in checked.stdout
    read = run("map", "coverage", SAMPLES / "tidewater", "--partner", "tidewater", "--workspace", folder)
    assert read.exit_code == 2
    assert "The map tidewater/855 cannot be used: 1 problem; the first: maps/tidewater/855.yaml:1" in read.stderr
