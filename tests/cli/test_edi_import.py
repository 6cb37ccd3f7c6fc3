"""`gateway edi import`: archives as UNECE makes them, and archives that are none."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import directory_archive
from gateway.cli.edi_import import import_
from gateway.edi import library
from gateway.errors import OurFault
from gateway.partners import guide_files
from gateway.partners.guide_files import with_workspace_guides

TEXTS = Path(__file__).parents[1] / "edi" / "directories"
app = typer.Typer()
app.command()(import_)
runner = CliRunner()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip file of these."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def texts_of(version: str) -> dict[str, bytes]:
    """The condensed texts of a directory."""
    return {path.name: path.read_text(encoding="utf-8").encode("cp437") for path in (TEXTS / version).iterdir()}


def nested(texts: Mapping[str, bytes]) -> bytes:
    """As published: a zip file for every part, and texts nobody needs."""
    parts = {"MD" if "_" in name else name.partition(".")[0]: name for name in texts}
    inner = {f"{part}.ZIP": zipped({name: texts[name], f"{part}I1.01B": b"an index"}) for part, name in parts.items()}
    return zipped(
        {**inner, "IDMD.ZIP": zipped({"IHCLME_D.01B": b"-"}), "README.TXT": b"-", "DOCUMENT/LICENAGR.TXT": b"free"}
    )


def run(tmp_path: Path, data: bytes, *options: str, name: str = "d01b.zip") -> Result:
    """`gateway edi import d01b.zip --into guides`."""
    archive = tmp_path / name
    archive.write_bytes(data)
    return runner.invoke(app, [str(archive), "--into", str(tmp_path / "guides"), *options])


@pytest.mark.parametrize(("version", "folder", "type_"), [("d01b", "D01B", "ORDERS"), ("d96a", "D96A", "DESADV")])
def test_an_archive_of_archives_becomes_a_folder_of_guides(
    tmp_path: Path, version: str, folder: str, type_: str
) -> None:
    """What was written is told, and the gateway uses it in a workspace."""
    result = run(tmp_path, nested(texts_of(version)))
    assert result.exit_code == 0, result.output
    names = ["segments.yaml", f"{type_}.yaml"]
    where = tmp_path / "guides" / "edifact" / folder
    assert result.stdout.split() == [word for name in names for word in ("wrote", str(where / name))]
    assert sorted(path.name for path in where.iterdir()) == sorted(names)
    guide = with_workspace_guides(library.standard(), tmp_path).find(folder, type_)
    assert guide is not None
    assert guide.name == f"edifact/{folder}/{type_}"
    assert "\x1b" not in result.output


def test_an_archive_without_inner_archives_and_in_lower_case_is_read_too(tmp_path: Path) -> None:
    """Somebody packed the unpacked texts again."""
    texts = {f"some/folder/{name.lower()}": data for name, data in texts_of("d01b").items()}
    result = run(tmp_path, zipped(texts), "--message", "orders", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["version"], told["messages"], told["findings"]) == ("D01B", ["ORDERS"], [])
    assert [Path(path).name for path in told["written"]] == ["segments.yaml", "ORDERS.yaml"]


def test_codes_are_closed_on_request(tmp_path: Path) -> None:
    """Into the same folder only with --replace."""
    data = nested(texts_of("d01b"))
    assert run(tmp_path, data).exit_code == 0
    result = run(tmp_path, data, "--codes")
    assert (result.exit_code, "--replace" in result.output) == (2, True)
    assert run(tmp_path, data, "--codes", "--replace").exit_code == 0
    text = (tmp_path / "guides" / "edifact" / "D01B" / "segments.yaml").read_text(encoding="utf-8")
    assert "1225 message function code [1 9 ZZZ]" in text


def test_the_same_import_again_changes_nothing(tmp_path: Path) -> None:
    """Byte for byte."""
    data = nested(texts_of("d96a"))
    assert [run(tmp_path, data).exit_code for _ in range(2)] == [0, 0]


def test_what_was_left_out_is_told_with_file_and_line_and_code_1(tmp_path: Path) -> None:
    """The rest is written; when no message is left, nothing is."""
    texts = texts_of("d01b")
    other = texts["ORDERS_D.01B"].replace(b"ORDERS", b"ORDRSP").replace(b"0080   IDE", b"0080   QQQ")
    result = run(tmp_path, zipped({**texts, "ORDRSP_D.01B": other}))
    assert result.exit_code == 1
    assert "d01b.zip/ORDRSP_D.01B:32: QQQ; expected a segment of the segment directory" in result.stdout
    assert "ORDERS.yaml" in result.stdout
    assert "ORDRSP was left out" in result.stdout
    broken = tmp_path / "other"
    broken.mkdir()
    result = run(broken, zipped({**texts, "ORDERS_D.01B": b"no message"}))
    assert (result.exit_code, "nothing was written" in result.output) == (1, True)
    assert not (broken / "guides").exists()


def _encrypted() -> bytes:
    data = bytearray(zipped({"EDSD.01B": b"x"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _damaged() -> bytes:
    data = bytearray(zipped({"EDSD.01B": bytes(range(256)) * 40}))
    data[60:90] = bytes(30)
    return bytes(data)


def _deep() -> bytes:
    data = zipped({"EDSD.01B": b"x"})
    for _ in range(4):
        data = zipped({"more.zip": data})
    return data


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "is no zip file"),
        (b"MZ this is a program", "is no zip file"),
        (zipped({}), "no segment directory"),
        (zipped({"EDSD.ZIP": b"not one"}), "EDSD.ZIP is no zip file"),
        (zipped({"a.txt": b"a"}), "no segment directory"),
        (
            nested({name: data for name, data in texts_of("d01b").items() if not name.startswith("EDSD")}),
            "EDSD or TRSD",
        ),
        (_encrypted(), "cannot be opened"),
        (_damaged(), "damaged"),
        (_deep(), "levels deep"),
    ],
)
def test_what_is_no_directory_ends_with_code_2_and_a_remedy(tmp_path: Path, data: bytes, word: str) -> None:
    """Nothing is written, and there is no traceback."""
    result = run(tmp_path, data)
    assert result.exit_code == 2, result.output
    assert word in result.output
    assert "remedy: take the archive of one directory" in result.output
    assert not (tmp_path / "guides").exists()


def test_a_missing_file_and_an_unknown_message_end_with_code_2(tmp_path: Path) -> None:
    """With their remedies."""
    result = runner.invoke(app, [str(tmp_path / "none.zip")])
    assert (result.exit_code, "check the path" in result.output) == (2, True)
    result = run(tmp_path, nested(texts_of("d01b")), "--message", "ORDRES")
    assert (result.exit_code, "did you mean ORDERS?" in result.output) == (2, True)


def test_a_folder_that_cannot_be_written_ends_with_code_2(tmp_path: Path) -> None:
    """A file stands where the folder belongs."""
    (tmp_path / "guides").write_text("a file")
    result = run(tmp_path, nested(texts_of("d01b")))
    assert (result.exit_code, "cannot write" in result.output) == (2, True)


def test_a_bomb_is_refused_before_it_fills_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the headers say: one member, all members, their number."""
    monkeypatch.setattr(directory_archive, "MAX_MEMBER", 100_000)
    result = run(tmp_path, zipped({"EDSD.01B": bytes(10_000_000)}))
    assert (result.exit_code, "more than 100,000 bytes unpacked" in result.output) == (2, True)
    monkeypatch.setattr(directory_archive, "MAX_TOTAL", 150_000)
    result = run(tmp_path, zipped({f"EDSD.{number:02}B": bytes(90_000) for number in range(9)}))
    assert (result.exit_code, "it has over 150,000 bytes" in result.output) == (2, True)
    monkeypatch.setattr(directory_archive, "MAX_MEMBERS", 8)
    result = run(tmp_path, zipped({f"{number}.txt": b"" for number in range(9)}))
    assert (result.exit_code, "more than 8 files" in result.output) == (2, True)
    monkeypatch.setattr(directory_archive, "MAX_ARCHIVE", 100)
    assert "more than 100 bytes" in run(tmp_path, zipped({"a": bytes(1_000)}) + bytes(200)).output


def test_a_name_that_climbs_out_of_the_archive_only_says_what_the_text_is(tmp_path: Path) -> None:
    """Nothing is written but the guides, under the names of their types."""
    texts = {f"../../../{name}": data for name, data in texts_of("d01b").items()}
    assert run(tmp_path, zipped(texts)).exit_code == 0
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {"d01b.zip", "guides/edifact/D01B/segments.yaml", "guides/edifact/D01B/ORDERS.yaml"}


def test_a_workspace_without_guides_has_the_shipped_ones(tmp_path: Path) -> None:
    """And files that are no guides are passed over."""
    shipped = library.standard()
    assert with_workspace_guides(shipped, tmp_path) is shipped
    folder = tmp_path / "guides" / "x12" / "004010"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("our guides")
    assert with_workspace_guides(shipped, tmp_path) is shipped
    (folder / "850.yaml").write_text("message: '850'\ngroup: PO\nlabel: our order\nsegments: [BEG M]\n")
    guide = with_workspace_guides(shipped, tmp_path).find("004010", "850")
    assert guide is not None
    assert guide.label == "our order"


def test_guide_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their size and their number."""
    folder = tmp_path / "guides" / "x12" / "004010"
    folder.mkdir(parents=True)
    (folder / "850.yaml").write_bytes(bytes(2_000))
    monkeypatch.setattr(guide_files, "MAX_BYTES", 1_000)
    with pytest.raises(OurFault, match=r"850\.yaml has more than 1,000 bytes"):
        with_workspace_guides(library.standard(), tmp_path)
    monkeypatch.setattr(guide_files, "MAX_FILES", 0)
    with pytest.raises(OurFault, match="004010 has 1 entries"):
        with_workspace_guides(library.standard(), tmp_path)
