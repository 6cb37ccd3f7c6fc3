"""Every public sample that a base map is for: `gateway map read`, then `gateway map write`, then the bytes compared.

`roundtrip.tsv` has a row for each set: what came back, ST to SE or UNH to UNT, and why where it is not what came. Files
are found by GATEWAY_SAMPLES and never copied. GATEWAY_RENEW=1 writes the table anew, keeping the reasons: those of
changed rows are to be read again before it is committed.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.edi import library, reading
from gateway.edi.tree import Message, Verdict

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).parent / "roundtrip.tsv"
COLUMNS = ("file", "set", "document", "version", "map", "outcome", "unmapped", "reason")
UNSUPPORTED = "edi.message.unsupported"
SHIPPED = frozenset(
    path.relative_to(ROOT / "maps").with_suffix("").as_posix() for path in ROOT.glob("maps/*/**/*.yaml")
)

IDENTICAL = "identical"
"""The bytes that came."""
DIFFERENT = "different"
"""Other bytes, for the reason in the row."""
UNWRITTEN = "unwritten"
"""The canonical document lacks what it must have, so nothing is written: the guide refuses the set, too."""
NO_GUIDE = "no guide"
"""There is no guide for the version: a partner's agreement may say `read_as`."""

with TABLE.open(newline="", encoding="utf-8") as lines:
    ROWS = {(row["file"], row["set"]): row for row in csv.DictReader(lines, delimiter="\t")}
FILES = sorted({file for file, _ in ROWS})


@dataclass(frozen=True, kw_only=True)
class Set:
    """One set of a file, and the bytes it came as."""

    message: Message
    data: bytes

    @property
    def map_name(self) -> str:
        """The shipped map: that of its version, else the common one."""
        message = self.message
        own = f"{message.standard}/{message.version[:6]}/{message.type}"
        return own if own in SHIPPED else f"{message.standard}/{message.type}"


@cache
def sets_of(path: Path) -> tuple[Set, ...]:
    """The sets of a file that are of a kind with a base map, refused ones too."""
    return tuple(_sets(path))


def _sets(path: Path) -> Iterator[Set]:
    data = path.read_bytes()
    for interchange in reading.read_whole(data, guides=library.standard()).interchanges:
        for group in interchange.groups:
            for message in group.messages:
                one = Set(message=message, data=data[message.offset : message.end])
                if one.map_name in SHIPPED:
                    yield one


def rows_of(samples: Path, name: str) -> list[dict[str, str]]:
    """The rows of a file: its sets read by the command and written by the command; reasons as they are."""
    path = samples / name
    sets = sets_of(path)
    rows = []
    for number, one in enumerate(sets):
        same_map = [other for other in sets if other.message.type == one.message.type]
        row = came_back(path, one, same_map.index(one)) | {"file": name, "set": str(number + 1)}
        reason = ROWS.get((name, row["set"]), {}).get("reason", "")
        rows.append({column: (row | {"reason": reason})[column] for column in COLUMNS})
    return rows


def came_back(path: Path, one: Set, index: int) -> dict[str, str]:
    """What became of a set, the `index`th that its map is for; what no line names is counted over the file."""
    row = {"document": one.message.type, "version": one.message.version, "map": one.map_name, "unmapped": ""}
    refusing = {finding.rule for finding in one.message.findings} if one.message.outcome is Verdict.REJECTED else set()
    if UNSUPPORTED in refusing:
        return row | {"outcome": NO_GUIDE}
    read = CliRunner().invoke(app, ["map", "read", "--map", one.map_name, "--lines", str(path)])
    document = read.stdout.splitlines()[index]
    written = CliRunner().invoke(app, ["map", "write", "--map", one.map_name, "-"], input=document)
    assert "lost: " not in written.stderr
    unmapped = sum(line.startswith("unmapped: ") for line in read.stderr.splitlines())
    if not written.stdout_bytes:
        outcome = UNWRITTEN
    elif written.stdout_bytes.rstrip(b"\r\n") != one.data.rstrip(b"\r\n"):
        outcome = DIFFERENT
    else:
        outcome = IDENTICAL
    return row | {"outcome": outcome, "unmapped": str(unmapped or "")}


def sample_files(samples: Path) -> list[str]:
    """All that may hold a set; the folder's own index is no sample."""
    names = [path.relative_to(samples).as_posix() for path in sorted(samples.rglob("*")) if path.is_file()]
    return [name for name in names if name != "INDEX.tsv"]


def test_every_set_with_a_base_map_has_its_row(shared_samples: Path) -> None:
    """And every row its set."""
    files = sample_files(shared_samples)
    if os.environ.get("GATEWAY_RENEW"):
        rows = [row for name in files for row in rows_of(shared_samples, name)]
        TABLE.write_text("".join("\t".join(row) + "\n" for row in [COLUMNS, *(row.values() for row in rows)]), "utf-8")
        ROWS.clear()
        ROWS.update({(row["file"], row["set"]): row for row in rows})
    found = {(name, str(number + 1)) for name in files for number in range(len(sets_of(shared_samples / name)))}
    assert found == set(ROWS)


@pytest.mark.parametrize("name", FILES, ids=lambda name: "/".join(name.split("/")[-3:]))
def test_a_set_comes_back_as_the_table_says(shared_samples: Path, name: str) -> None:
    """Outcome, map and what no line of it names."""
    assert rows_of(shared_samples, name) == [row for row in ROWS.values() if row["file"] == name]


def test_whatever_is_not_identical_is_explained() -> None:
    """In words; so is what no line names."""
    for row in ROWS.values():
        assert bool(row["reason"]) == (row["outcome"] != IDENTICAL or bool(row["unmapped"])), row


def test_nothing_that_the_reader_accepts_comes_back_different(shared_samples: Path) -> None:
    """Other bytes, or none, are for what is refused."""
    for name in FILES:
        whole = reading.read_whole((shared_samples / name).read_bytes(), guides=library.standard())
        for interchange in whole.interchanges:
            if interchange.outcome is not Verdict.REJECTED:
                assert {row["outcome"] for row in ROWS.values() if row["file"] == name} == {IDENTICAL}


def test_line_breaks_inside_a_set_are_those_that_are_written(tmp_path: Path) -> None:
    """Whatever follows the envelope's own terminators."""
    data = (ROOT / "samples/x12/855-accepted.edi").read_bytes().replace(b"\n", b"")
    head, rest = data.split(b"ST*", 1)
    for inside in (b"", b"\n", b"\r\n"):
        body = rest.replace(b"~", b"~" + inside)
        path = tmp_path / "855.edi"
        path.write_bytes(head.replace(b"~", b"~\r\n") + b"ST*" + body)
        read = CliRunner().invoke(app, ["map", "read", "--map", "x12/855", str(path)])
        written = CliRunner().invoke(app, ["map", "write", "--map", "x12/855", "-"], input=read.stdout).stdout_bytes
        assert b"ST*" + body.split(b"GE*")[0].rstrip() == written.rstrip()
