"""`gateway map` and `gateway schema`: exit codes, what goes to stdout, what to stderr."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import map as map_commands
from gateway.cli.schema import schema

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples" / "x12"
RUN = CliRunner()
SCHEMA = typer.Typer()
SCHEMA.command()(schema)


ENVELOPE = {"interchange", "group_control_number", "message_reference"}


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("8*.edi")), ids=lambda path: path.stem)
def test_read_then_write_gives_the_same_bytes_from_st_to_se(path: Path, tmp_path: Path) -> None:
    """Number, delimiters and line ends come back with the document."""
    number = path.stem[:3]
    name = f"x12/005010/{number}" if path.stem.endswith("005010") and number != "856" else f"x12/{number}"
    read = RUN.invoke(map_commands.app, ["read", "--map", name, str(path)])
    assert read.exit_code == 0
    document = json.loads(read.stdout)
    assert document.keys() >= ENVELOPE
    canonical = {key: value for key, value in document.items() if key not in ENVELOPE}
    assert canonical == json.loads(path.with_suffix(".json").read_text("utf-8"))
    (tmp_path / "out.json").write_text(read.stdout, "utf-8")
    written = RUN.invoke(map_commands.app, ["write", "--map", name, str(tmp_path / "out.json")])
    assert written.exit_code == 0
    data = path.read_bytes()
    assert written.stdout_bytes == data[data.index(b"ST*") : data.index(b"GE*")]


EDIFACT = sorted(
    path
    for path in (ROOT / "samples" / "edifact").glob("ord*.edi")
    if path.name not in {"orders-d01b.edi", "ordchg-d01b-group.edi"}  # several messages
)


@pytest.mark.parametrize("path", EDIFACT, ids=lambda path: path.stem)
def test_read_then_write_gives_the_same_bytes_from_unh_to_unt(path: Path, tmp_path: Path) -> None:
    """Version, reference, service characters and line ends come back with the document."""
    name = f"edifact/{path.stem.split('-')[0].upper()}"
    read = RUN.invoke(map_commands.app, ["read", "--map", name, str(path)])
    assert read.exit_code == 0
    (tmp_path / "out.json").write_text(read.stdout, "utf-8")
    written = RUN.invoke(map_commands.app, ["write", "--map", name, str(tmp_path / "out.json")])
    assert written.exit_code == 0
    data = path.read_bytes()
    assert written.stdout_bytes == data[data.index(b"UNH+") : data.index(b"UNZ+")]


def test_a_document_that_names_no_version_is_written_in_the_one_asked_for(tmp_path: Path) -> None:
    """D96A, or `--version`."""
    document = {"number": "1", "issue_date": "2026-05-01", "lines": [{"line_id": "1", "quantity": {"value": "5"}}]}
    (tmp_path / "out.json").write_text(json.dumps(document), "utf-8")
    ask = ["write", "--map", "edifact/ORDERS", str(tmp_path / "out.json"), "--number", "77"]
    assert RUN.invoke(map_commands.app, ask).stdout.startswith(
        "UNH+77+ORDERS:D:96A:UN'BGM+220+1+9'DTM+137:20260501:102'"
    )
    asked = RUN.invoke(map_commands.app, [*ask, "--version", "D01B:UN:EAN010", "--newlines"]).stdout
    assert asked.splitlines()[0] == "UNH+77+ORDERS:D:01B:UN:EAN010'"
    refused = RUN.invoke(map_commands.app, [*ask, "--version", "tomorrow"])
    assert refused.exit_code == map_commands.FINDINGS
    assert "UNH" in refused.stderr


def test_other_delimiters_come_back_too(tmp_path: Path) -> None:
    """As the ISA declares them."""
    data = (SAMPLES / "855-split.edi").read_bytes().replace(b"\n", b"").replace(b"*", b"|").replace(b"~", b"'")
    (tmp_path / "in.edi").write_bytes(data)
    read = RUN.invoke(map_commands.app, ["read", "--map", "x12/855", str(tmp_path / "in.edi")])
    (tmp_path / "out.json").write_text(read.stdout, "utf-8")
    written = RUN.invoke(map_commands.app, ["write", "--map", "x12/855", str(tmp_path / "out.json")])
    assert written.stdout_bytes.rstrip(b"\n") == data[data.index(b"ST|") : data.index(b"GE|")]


def test_what_no_line_names_is_listed_on_stderr() -> None:
    """Element by element; it is no finding."""
    read = RUN.invoke(map_commands.app, ["read", "--map", "x12/850", str(SAMPLES / "850-unknown-codes.edi")])
    assert read.exit_code == 0
    assert "unmapped: segment 14 IT8, element 07" in read.stderr


def test_check_runs_every_shipped_map_with_its_examples() -> None:
    """All are right."""
    check = RUN.invoke(map_commands.app, ["check", "--json"])
    assert check.exit_code == 0
    rows = {row["map"]: row for row in json.loads(check.stdout)}
    found = {name: row["examples"] for name, row in rows.items() if name.startswith(("acme", "x12"))}
    assert found == {
        "acme/855": 1, "x12/850": 4, "x12/855": 4, "x12/856": 5, "x12/860": 4, "x12/865": 4,
        "x12/005010/850": 1, "x12/005010/855": 1, "x12/005010/860": 1, "x12/005010/865": 1,
    }  # fmt: skip


def test_what_read_prints_serves_as_an_example(tmp_path: Path) -> None:
    """The envelope's fields in it are no map's, so no map is held against them."""
    edi = SAMPLES / "855-split.edi"
    (tmp_path / "split.edi").write_bytes(edi.read_bytes())
    (tmp_path / "split.json").write_text(RUN.invoke(map_commands.app, ["read", "--map", "x12/855", str(edi)]).stdout)
    own = tmp_path / "maps/own/855.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("extends: x12/855\nexamples:\n  - {edi: split.edi, canonical: split.json}\n", "utf-8")
    checked = RUN.invoke(map_commands.app, ["check", "own/855", "--workspace", str(tmp_path)])
    assert checked.exit_code == 0, checked.stdout


def test_check_of_a_broken_map_names_file_line_and_key(tmp_path: Path) -> None:
    """Exit code 1; the workspace's map wins over a shipped one."""
    folder = tmp_path / "maps" / "x12"
    folder.mkdir(parents=True)
    (folder / "855.yaml").write_text("document: 855\ncanonical: order_acknowledgement\nsegmnts: []\n", "utf-8")
    check = RUN.invoke(map_commands.app, ["check", "x12/855", "--workspace", str(tmp_path)])
    assert check.exit_code == 1
    assert "maps/x12/855.yaml:3 segmnts" in check.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["read", "--map", "x12/855", "no-such-file"],
        ["read", "--map", "x12/999", str(SAMPLES / "855-split.edi")],
        ["read", "--map", "../../etc/passwd", str(SAMPLES / "855-split.edi")],
        ["read", "--map", "x12/850", str(SAMPLES / "855-split.edi")],
        ["read", "--map", "x12/850", str(SAMPLES / "855-split.json")],
        ["write", "--map", "x12/855", str(SAMPLES / "855-split.edi")],
    ],
)
def test_what_cannot_run_says_why_on_stderr(arguments: list[str]) -> None:
    """Exit code 2 and a remedy."""
    result = RUN.invoke(map_commands.app, arguments)
    assert result.exit_code == 2
    assert result.stderr
    assert not result.stdout


def test_schema_prints_a_schema_or_the_kinds() -> None:
    """And says which kinds there are when the name is wrong."""
    assert json.loads(RUN.invoke(SCHEMA, ["purchase_order"]).stdout)["title"] == "PurchaseOrder"
    assert "ship_notice" in RUN.invoke(SCHEMA, []).stdout
    wrong = RUN.invoke(SCHEMA, ["invoice"])
    assert wrong.exit_code == 2
    assert "order_acknowledgement" in wrong.stderr


@pytest.mark.parametrize(
    ("name", "file", "lossless"),
    [
        ("ubl/Order", "ubl/order.xml", True),
        ("ubl/DespatchAdvice", "ubl/despatch-advice.xml", True),
        ("csv/order_acknowledgement", "csv/order-acknowledgements.csv", True),
        ("cxml/ConfirmationRequest", "cxml/confirmation-request.xml", False),
    ],
)
def test_xml_and_csv_are_read_and_written(name: str, file: str, tmp_path: Path, *, lossless: bool) -> None:
    """The same bytes where nothing is the envelope's; a CSV file's documents as a list."""
    path = SAMPLES.parent / file
    read = RUN.invoke(map_commands.app, ["read", "--map", name, str(path), "--lines"])
    assert read.exit_code == 0, read.output
    documents = [json.loads(line) for line in read.stdout.splitlines()]
    (tmp_path / "out.json").write_text(json.dumps(documents if len(documents) > 1 else documents[0]), "utf-8")
    written = RUN.invoke(map_commands.app, ["write", "--map", name, str(tmp_path / "out.json")])
    assert written.exit_code == 0, written.output
    assert (written.stdout_bytes == path.read_bytes()) is lossless


def test_a_broken_xml_file_and_a_csv_row_are_told_at_their_place(tmp_path: Path) -> None:
    """Exit 1, on stderr, with the remedy; never a traceback."""
    (tmp_path / "a.xml").write_text("<Order>\n<a></Order>", "utf-8")
    (tmp_path / "a.csv").write_text("Order;Date\n1;2026-01-01;3\n", "utf-8")
    for name, file, place in (("ubl/Order", "a.xml", "line 2, column"), ("csv/order", "a.csv", "row 2: 3 cells")):
        result = RUN.invoke(map_commands.app, ["read", "--map", name, str(tmp_path / file)])
        assert (result.exit_code, result.stdout) == (1, "")
        assert place in result.stderr


def test_a_map_that_is_not_there_is_told_with_the_near_one(tmp_path: Path) -> None:
    """By every command alike, with exit code 2: a mistyped name is no mistake in a map."""
    for command in (["check", "x12/85"], ["read", "--map", "x12/85", "x.edi"], ["write", "--map", "x12/85", "x.json"]):
        ran = RUN.invoke(map_commands.app, [*command, "--workspace", str(tmp_path)])
        assert (ran.exit_code, ran.stderr) == (2, "There is no map x12/85. Did you mean x12/865?\n"), command


def test_every_map_that_is_listed_is_checked(tmp_path: Path) -> None:
    """Those in folders of folders, too."""
    listed = RUN.invoke(map_commands.app, ["list", "--json", "--workspace", str(tmp_path)])
    checked = RUN.invoke(map_commands.app, ["check", "--json", "--workspace", str(tmp_path)])
    names = [row["map"] for row in json.loads(checked.stdout)]
    assert names == [row["map"] for row in json.loads(listed.stdout)]
    assert "x12/005010/850" in names


def test_a_set_without_a_guide_is_not_read_and_the_way_to_read_it_is_told(tmp_path: Path) -> None:
    """No document of nothing; the agreement may say as which version it is read."""
    file = tmp_path / "old.edi"
    data = (SAMPLES / "855-split.edi").read_bytes()
    file.write_bytes(data.replace(b"*004010~", b"*004060~"))
    read = RUN.invoke(map_commands.app, ["read", "--map", "x12/855", str(file)])
    assert read.exit_code == 1
    assert not read.stdout
    assert "--partner NAME" in read.stderr


def test_where_the_hooks_cannot_be_run_no_map_is_called_right(tmp_path: Path) -> None:
    """Nor wrong: the file is named, and what to do."""
    (tmp_path / "gateway.yaml").write_text("hooks: hooks.py\n")
    (tmp_path / "hooks.py").write_text("import nothing_of_that_name\n")
    checked = RUN.invoke(map_commands.app, ["check", "x12/855", "--workspace", str(tmp_path)])
    assert checked.exit_code == 2
    assert "right" not in checked.stdout
    assert "hooks.py cannot be used: ModuleNotFoundError" in checked.stderr
