"""`gateway edi split`: what stands, what its trailers leave, and that no byte of a set is changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import edi_files
from gateway.cli.edi import app
from gateway.cli.edi_splitter import file_name

SAMPLES = Path(__file__).parents[2] / "samples" / "x12"
ISA = "ISA*00*          *00*          *ZZ*{sender:15}*ZZ*US             *260105*0930*U*00401*{number:09d}*0*T*>~\n"
SET = "ST*850*{0}~\nBEG*00*SA*PO-1**20260105~\nPO1*1*{1}*EA*2.50**BP*BOLT-8~\nCTT*1~\nSE*5*{0}~\n"
runner = CliRunner()

Split = Callable[..., Result]


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """Where the files go; it is made when needed."""
    return tmp_path / "sets"


@pytest.fixture
def split(into: Path) -> Split:
    """Split bytes; all files of the folder are looked at by the tests themselves."""
    return lambda data, *options: runner.invoke(app, ["split", "-", "--into", str(into), *options], input=data)


def interchange(*groups: list[str], sender: str = "SUPPLIER", number: int = 1, ge: int = 0, iea: int = 0) -> bytes:
    """An interchange of groups of quantities; a quantity that is a word refuses its set. `ge`, `iea` falsify counts."""
    text = ISA.format(sender=sender, number=number)
    for index, quantities in enumerate(groups, 1):
        text += f"GS*PO*{sender}*US*20260105*0930*{index}*X*004010~\n"
        text += "".join(SET.format(f"{at:04d}", quantity) for at, quantity in enumerate(quantities, 1))
        text += f"GE*{len(quantities) + ge}*{index}~\n"
    return (text + f"IEA*{len(groups) + iea}*{number:09d}~\n").encode()


def names(folder: Path) -> list[str]:
    """Everything in the folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_every_set_becomes_a_file_that_is_valid_by_itself(split: Split, into: Path) -> None:
    """Names from sender, type and control numbers; nothing provisional remains."""
    data = interchange(["1", "2"], ["3"])
    result = split(data)
    assert result.exit_code == 0, result.output
    assert names(into) == [
        "SUPPLIER_850_000000001_1_0001.edi",
        "SUPPLIER_850_000000001_1_0002.edi",
        "SUPPLIER_850_000000001_2_0001.edi",
    ]
    assert runner.invoke(app, ["check", str(into)]).exit_code == 0
    for path in into.iterdir():
        whole = path.read_bytes()
        body = whole[whole.index(b"ST*") : whole.index(b"GE*")]
        assert body in data


@pytest.mark.parametrize("size", [61, 200, 1 << 18])
def test_one_group_or_interchange_is_the_very_file(
    split: Split, into: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte, wherever the blocks end."""
    monkeypatch.setattr(edi_files, "BLOCK", size)
    for name in ("856-pallets.edi", "850-simple.edi"):
        data = (SAMPLES / name).read_bytes()
        for by in ("message", "group", "interchange"):
            result = split(data, "--by", by, "--json")
            written = json.loads(result.stdout.splitlines()[0])
            assert Path(written["file"]).read_bytes() == data
            assert (written["bytes"], written["messages"]) == (len(data), 1)


@pytest.mark.parametrize("by", ["message", "group", "interchange"])
@pytest.mark.parametrize(("counts", "left"), [((1, 0), []), ((0, 1), []), ((0, 0), ["1", "2"])])
def test_a_wrong_count_at_the_trailer_leaves_nothing(
    split: Split, into: Path, by: str, counts: tuple[int, int], left: list[str]
) -> None:
    """The sets before it were fine, and were read before it."""
    result = split(interchange(left or ["1", "2"], ge=counts[0], iea=counts[1]), "--by", by)
    assert result.exit_code == (0 if left else 1)
    assert bool(names(into)) == bool(left)


@pytest.mark.parametrize(
    ("by", "partial", "kept"),
    [
        ("message", "set", ["SUPPLIER_850_000000001_1_0001.edi", "SUPPLIER_850_000000001_2_0001.edi"]),
        ("message", "group", ["SUPPLIER_850_000000001_2_0001.edi"]),
        ("message", "interchange", []),
        ("group", "set", ["SUPPLIER_PO_000000001_1.edi", "SUPPLIER_PO_000000001_2.edi"]),
        ("group", "group", ["SUPPLIER_PO_000000001_2.edi"]),
        ("group", "interchange", []),
        ("interchange", "set", ["SUPPLIER_000000001.edi"]),
        ("interchange", "group", ["SUPPLIER_000000001.edi"]),
        ("interchange", "interchange", []),
    ],
)
def test_what_a_refused_set_takes_with_it(split: Split, into: Path, by: str, partial: str, kept: list[str]) -> None:
    """Group 1 has a good set and a bad one, group 2 a good one; what stands is valid."""
    result = split(interchange(["1", "bad"], ["3"]), "--by", by, "--partial", partial)
    assert result.exit_code == 1
    assert names(into) == kept
    if kept:
        assert runner.invoke(app, ["check", str(into)]).exit_code == 0
        text = b"".join((into / name).read_bytes() for name in kept)
        assert b"bad" not in text
        assert text.count(b"ST*850") == (2 if partial == "set" else 1)


def test_an_interchange_that_breaks_off_leaves_nothing_and_the_one_before_it_stays(split: Split, into: Path) -> None:
    """The second file's ISA is cut."""
    result = split(interchange(["1"]) + interchange(["2"], number=2)[:60])
    assert result.exit_code == 1
    assert names(into) == ["SUPPLIER_850_000000001_1_0001.edi"]


def test_a_file_is_never_replaced_and_the_same_bytes_are_the_same_file(split: Split, into: Path) -> None:
    """Other content under the same numbers gets another name."""
    split(interchange(["1"]))
    split(interchange(["1"]))
    assert len(names(into)) == 1
    split(interchange(["2"]))
    assert names(into) == ["SUPPLIER_850_000000001_1_0001.edi", "SUPPLIER_850_000000001_1_0001~2.edi"]


@pytest.mark.parametrize("sender", ["../../x", "/etc/x", "..", ".hidden", "a b\\c", "CON:"])
def test_a_hostile_sender_stays_in_the_folder(split: Split, into: Path, sender: str) -> None:
    """Names are made of letters, digits, points and hyphens."""
    split(interchange(["1"], sender=sender))
    (name,) = names(into)
    assert name.endswith("_850_000000001_1_0001.edi")
    assert not name.startswith(".")
    assert not set(name) & set("/\\: ")
    assert [path.name for path in into.parent.iterdir()] == ["sets"]


def test_names_are_short_and_never_empty() -> None:
    """Whatever stood there."""
    assert file_name("é" * 5, "x" * 500) == "none_" + "x" * 40


def test_the_json_says_what_was_left_out_and_why(split: Split) -> None:
    """One object a line, in the order of the file."""
    result = split(interchange(["1", "bad"]), "--json")
    written, left_out = map(json.loads, result.stdout.splitlines())
    assert (written["control_number"], written["messages"], written["outcome"]) == ("0001", 1, "accepted")
    assert (left_out["control_number"], left_out["file"], left_out["outcome"]) == ("0002", None, "rejected")
    assert "edi.element.characters" in left_out["reason"]


def test_a_folder_that_cannot_be_written_ends_with_code_2(tmp_path: Path) -> None:
    """A file stands in its way."""
    (tmp_path / "sets").write_text("")
    result = runner.invoke(app, ["split", str(SAMPLES / "850-simple.edi"), "--into", str(tmp_path / "sets" / "deeper")])
    assert (result.exit_code, "remedy:" in result.stderr) == (2, True)


EDIFACT = (
    "UNA:+.? '\r\nUNB+UNOC:3+BUYER:14+SELLER?+CO:14+260105:0930+R?'1'\r\n{ung}"
    "UNH+1+ORDERS:D:96A:UN'\r\nBGM+220+PO??'\r\nDTM+137:20260105:102'\r\nNAD+BY+1::9'\r\nLIN+1++4000862141404:EN'\r\n"
    "UNS+S'\r\nUNT+7+1'\r\n{une}UNZ+1+R?'1'\r\n"
)


@pytest.mark.parametrize("groups", [False, True])
@pytest.mark.parametrize("by", ["message", "group", "interchange"])
def test_edifact_keeps_its_una_its_groups_and_its_release_characters(split: Split, by: str, *, groups: bool) -> None:
    """Without UNG, UNZ counts messages."""
    ung = "UNG+ORDERS+BUYER+SELLER+260105:0930+7+UN+D:96A'\r\n" if groups else ""
    data = EDIFACT.format(ung=ung, une="UNE+1+7'\r\n" if groups else "").encode()
    result = split(data, "--by", by, "--json")
    written = json.loads(result.stdout.splitlines()[0])
    assert Path(written["file"]).read_bytes() == data


def test_wrapped_lines_are_unwrapped_in_the_files(split: Split, into: Path) -> None:
    """In both standards; what comes out is valid without the tolerance."""
    edifact = EDIFACT.format(ung="", une="").replace("\r\n", "").encode()
    for data in (interchange(["1", "2"]).replace(b"\n", b""), edifact):
        wrapped = b"\r\n".join(data[at : at + 80] for at in range(0, len(data), 80))
        result = split(wrapped, "--tolerate", "wrapped_lines")
        assert result.exit_code == 0, result.output
    assert len(names(into)) == 3
    assert runner.invoke(app, ["check", str(into)]).exit_code == 0
