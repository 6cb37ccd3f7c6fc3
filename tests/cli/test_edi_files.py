"""What `gateway edi` reads: folders, patterns, standard input, gzip; what cannot be read, and how it says so."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import edi_files, edi_progress
from gateway.cli.edi import app
from gateway.cli.edi_files import Source, blocks, sources
from gateway.cli.edi_progress import Meter
from gateway.errors import OurFault

SAMPLES = Path(__file__).parents[2] / "samples" / "x12"
ORDER = SAMPLES / "850-simple.edi"
runner = CliRunner()


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """A folder with two files, one of them deeper and packed, and a hidden one."""
    (tmp_path / "deeper").mkdir()
    (tmp_path / "one.edi").write_bytes(ORDER.read_bytes())
    (tmp_path / "deeper" / "two.bin").write_bytes(gzip.compress(ORDER.read_bytes()))
    (tmp_path / ".hidden").write_bytes(b"no EDI")
    return tmp_path


def test_a_folder_is_every_file_below_it_that_is_not_hidden(inbox: Path) -> None:
    """Sorted; sizes are known for the progress bar."""
    found = sources([str(inbox)])
    assert [Path(one.name).name for one in found] == ["two.bin", "one.edi"]
    assert found[1].size == ORDER.stat().st_size
    assert runner.invoke(app, ["check", str(inbox)]).exit_code == 0


def test_a_pattern_that_the_shell_did_not_expand_is_expanded(inbox: Path) -> None:
    """`**` goes deeper."""
    result = runner.invoke(app, ["check", "--json", str(inbox / "**" / "*.*")])
    assert [Path(json.loads(line)["file"]).name for line in result.stdout.splitlines()] == ["two.bin", "one.edi"]


def test_gzip_is_known_by_its_first_bytes_and_may_have_several_members(tmp_path: Path) -> None:
    """As `cat a.gz b.gz` makes them, with the padding that some tools leave."""
    data = ORDER.read_bytes()
    packed = tmp_path / "order"
    packed.write_bytes(gzip.compress(data[:100]) + gzip.compress(data[100:]) + b"\0" * 512)
    assert b"".join(blocks(Source(name=str(packed)))) == data
    result = runner.invoke(app, ["check", "-"], input=packed.read_bytes())
    assert result.exit_code == 0


def test_a_gzip_that_unpacks_out_of_all_proportion_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two bounds: what is free, and a ratio beyond it."""
    monkeypatch.setattr(edi_files, "FREE", 1 << 20)
    packed = tmp_path / "bomb.gz"
    packed.write_bytes(gzip.compress(bytes(1 << 23)))
    with pytest.raises(OurFault, match="200 times"):
        for _ in blocks(Source(name=str(packed))):
            pass


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(ORDER.read_bytes())[:-30], "cut off"),
        (b"\x1f\x8b" + b"junk" * 20, "damaged"),
        (b"ISA*00", "no gzip"),
    ],
)
def test_a_broken_gzip_ends_with_code_2_and_a_remedy(tmp_path: Path, content: bytes, said: str) -> None:
    """The other files are checked all the same; the JSON of this one is complete and says why."""
    packed = tmp_path / "order.gz"
    packed.write_bytes(content)
    result = runner.invoke(app, ["check", "--json", str(packed), str(ORDER)])
    assert result.exit_code == 2
    broken, fine = map(json.loads, result.stdout.splitlines())
    assert (broken["outcome"], fine["outcome"]) == (None, "accepted")
    assert said in broken["error"]
    assert "remedy:" in result.stderr


@pytest.mark.parametrize("command", ["check", "show", "explain", "acknowledge"])
def test_what_is_not_there_ends_with_code_2_and_a_remedy(tmp_path: Path, command: str) -> None:
    """A missing file, a pattern or a folder without files."""
    for name in ("none.edi", "*.edi", "."):
        result = runner.invoke(app, [command, str(tmp_path / name)])
        assert (result.exit_code, "remedy:" in result.stderr) == (2, True), name


class _Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_on_a_terminal_after_a_while_and_never_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes read of the total; nothing before the patience is over."""
    monkeypatch.setenv("TERM", "xterm")
    for stream, patience, drawn in ((_Terminal(), 0.0, True), (_Terminal(), 60.0, False), (io.StringIO(), 0.0, False)):
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(edi_progress, "PATIENCE", patience)
        with Meter([Source(name="in", size=2000)]) as meter:
            meter.add(1000)
            meter.add(1000)
        assert ("2.0" in stream.getvalue()) == drawn


@pytest.mark.parametrize("command", ["explain", "acknowledge"])
def test_one_file_that_cannot_be_read_does_not_keep_from_the_next(tmp_path: Path, command: str) -> None:
    """Exit code 2 and a remedy all the same."""
    packed = tmp_path / "order.gz"
    packed.write_bytes(b"ISA*00")
    result = runner.invoke(app, [command, str(packed), str(ORDER)])
    assert (result.exit_code, "remedy:" in result.stderr) == (2, True)
    assert "accepted" in result.stdout or "AK5*A" in result.stdout


def test_numbers_of_answers_start_again_behind_nine_digits() -> None:
    """ISA13 has no more; 1 follows 999999999, as in the gateway's own series."""
    result = runner.invoke(app, ["acknowledge", str(ORDER), str(ORDER), "--number", "999999999"])
    assert result.exit_code == 0, result.stderr
    assert "IEA*1*999999999~" in result.stdout
    assert "IEA*1*000000001~" in result.stdout


@pytest.mark.parametrize("command", ["show", "acknowledge"])
def test_what_is_no_edi_is_said_with_its_remedy(tmp_path: Path, command: str) -> None:
    """Place, value, expectation, and what to do."""
    (tmp_path / "note.txt").write_bytes(b"hello")
    result = runner.invoke(app, [command, str(tmp_path / "note.txt")])
    assert result.exit_code == 1
    assert "X12 begins with ISA, EDIFACT with UNA or UNB." in result.output
