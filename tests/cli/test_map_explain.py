"""`gateway map explain` and `gateway map coverage`: bytes and fields beside each other."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import map as map_commands

ROOT = Path(__file__).parents[2]
FILE = ROOT / "samples/x12/855-split.edi"
RUN = CliRunner()


def test_each_field_names_the_bytes_it_was_read_from() -> None:
    """The bytes of the file at the place are the text that is said to stand there."""
    data = FILE.read_bytes()
    ran = RUN.invoke(map_commands.app, ["explain", str(FILE), "--json"])
    assert ran.exit_code == 0
    ((message),) = json.loads(ran.stdout)
    assert message["map"] == "x12/855"
    for field in message["fields"]:
        start, end = field["bytes"]
        assert data[start:end].replace(b"*", b" ").split() == field["text"].encode().split(), field
    by_pointer = {field["pointer"]: field for field in message["fields"]}
    assert by_pointer["/response"]["codes"] == "response"
    assert by_pointer["/lines/0/item/ids/1"]["element"] == "PO108..09"


def test_bytes_of_edifact_are_found_behind_release_characters(tmp_path: Path) -> None:
    """A released separator is data, and one byte longer on the wire than in the field."""
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps/one.yaml").write_text(
        "document: ORDERS\ncanonical: purchase_order\nsegments:\n"
        "  - BGM: {BGM02: number}\n  - DTM+137: {DTM01.2..3: issue_date | day}\n"
        "  - FTX+ZZZ: {FTX04.1..5: contract_number | join blank}\n"
        "  - loop: LIN\n    each: lines\n    segments:\n      - LIN: {LIN01: line_id}\n"
    )
    file = tmp_path / "orders.edi"
    data = (
        b"UNB+UNOC:3+A:14+B:14+260101:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+220+4711'DTM+137:20260101:102'"
        b"FTX+ZZZ+++A?+B:C'LIN+1'UNS+S'UNT+7+1'UNZ+1+1'"
    )
    file.write_bytes(data)
    ran = RUN.invoke(map_commands.app, ["explain", str(file), "--map", "one", "--workspace", str(tmp_path), "--json"])
    assert ran.exit_code == 0, ran.output
    ((message),) = json.loads(ran.stdout)
    found = {field["pointer"]: data[slice(*field["bytes"])] for field in message["fields"]}
    assert found["/contract_number"] == b"A?+B:C"
    assert found["/issue_date"] == b"20260101:102"


def test_what_no_line_reads_is_marked(tmp_path: Path) -> None:
    """In text and in JSON."""
    file = ROOT / "samples/x12/850-unknown-codes.edi"
    text = RUN.invoke(map_commands.app, ["explain", str(file)]).stdout
    assert "IT807      read by no line: B0" in text
    ((message),) = json.loads(RUN.invoke(map_commands.app, ["explain", str(file), "--json"]).stdout)
    assert {gap["element"] for gap in message["unread"]} == {"IT807"}


class Links(HTMLParser):
    """Gathers ids and links to them."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                assert value not in self.ids
                self.ids.add(value or "")
            elif name == "href":
                self.links.add((value or "").removeprefix("#"))


def test_the_page_links_bytes_and_fields_both_ways() -> None:
    """Every link has its target; no script, nothing from outside."""
    ran = RUN.invoke(map_commands.app, ["explain", str(FILE), "--html"])
    assert ran.exit_code == 0
    page = Links()
    page.feed(ran.stdout)
    assert page.links
    assert page.links <= page.ids
    assert "script" not in page.tags
    assert "http:" not in ran.stdout


def test_what_a_partner_sent_is_text_in_the_page(tmp_path: Path) -> None:
    """Never markup."""
    file = tmp_path / "hostile.edi"
    file.write_bytes(FILE.read_bytes().replace(b"Balance ships from Reno.", b"<img src=x onerror=1>"))
    ran = RUN.invoke(map_commands.app, ["explain", str(file), "--html"])
    assert "<img" not in ran.stdout
    assert "&lt;img" in ran.stdout


def test_coverage_counts_what_is_unread_and_what_is_never_set() -> None:
    """Over many files, with an example each."""
    ran = RUN.invoke(map_commands.app, ["coverage", str(ROOT / "samples/x12/850-*.edi"), "--json"])
    assert ran.exit_code == 0
    newer, row = json.loads(ran.stdout)
    assert (row["map"], row["messages"]) == ("x12/850", 4)
    assert (newer["map"], newer["messages"]) == ("x12/005010/850", 1)
    unread = {each["element"]: each for each in row["unread"]}
    assert unread["IT807"]["times"] == 1
    assert "850-unknown-codes.edi, segment 14" in unread["IT807"]["example"]
    assert "/lines/taxes/amount" in row["never_set"]
    assert "/number" not in row["never_set"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["explain", "samples/x12/855-split.edi", "--html", "--json"], 2, "exclude each other"),
        (["explain", "samples/x12/855-split.edi", "--map", "x12/850"], 1, "no message"),
        (["explain", "samples/x12/855-split.edi", "--map", "x12/85"], 2, "x12/85"),
        (["explain", "samples/x12/855-split.json"], 1, "ISA"),
        (["explain", "nowhere.edi"], 2, "nowhere.edi"),
        (["coverage", "samples/edifact/contrl-syntax-3.edi"], 1, "no message"),
    ],
)
def test_what_cannot_be_explained_is_said_in_words(
    arguments: list[str], code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the exit code that scripts can ask."""
    monkeypatch.chdir(ROOT)
    ran = RUN.invoke(map_commands.app, arguments)
    assert ran.exit_code == code, ran.output
    assert said in ran.output
    assert "Traceback" not in ran.output


def test_what_else_lies_in_a_folder_is_passed_over_by_coverage(tmp_path: Path) -> None:
    """The JSON beside a sample is no EDI; named itself it is told, with exit code 1."""
    (tmp_path / "one.edi").write_bytes(FILE.read_bytes())
    (tmp_path / "one.json").write_text("{}", "utf-8")
    ran = RUN.invoke(map_commands.app, ["coverage", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    assert "x12/855  1 message\n" in ran.stdout
    assert "one.json" not in ran.output
    named = RUN.invoke(map_commands.app, ["coverage", str(tmp_path / "one.json")])
    assert named.exit_code == 1
    assert "one.json: byte 0" in named.stderr
