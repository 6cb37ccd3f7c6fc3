"""`gateway route explain`: which route, and why not the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ROUTES = """routes:
  - {to: south, ship_to: ["gln:4000000000000"]}
  - {to: south, until: 2020-12-31}
  - {to: north, number_prefix: ["45"]}
  - {to: south}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The example with routes that look at place, day and number."""
    folder = tmp_path / "ours"
    folder.mkdir()
    for part in ("partners", "maps"):
        shutil.copytree(ROOT / part, folder / part)
    text = (ROOT / "gateway.yaml").read_text()
    start = text.index("routes:\n")
    rest = text[start:].split("\n")
    end = next((n for n, line in enumerate(rest[1:], start=1) if line and not line.startswith((" ", "#", "-"))), None)
    after = "" if end is None else "\n".join(rest[end:])
    (folder / "gateway.yaml").write_text(text[:start] + ROUTES + after)
    return folder


def test_an_x12_file_is_routed_by_what_it_says_and_each_miss_is_told(run: Any, workspace: Path, tmp_path: Path) -> None:
    """The order is not in the store: its number alone decides, the day is today's."""
    file = tmp_path / "855.edi"
    shutil.copy(ROOT / "samples/x12/acme-855-reasons.edi", file)
    done = run("route", "explain", file, "--partner", "acme", "--workspace", workspace)
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].startswith("order_acknowledgement")
    assert "north  by gateway.yaml: route 3" in lines[0]
    assert [line.split(":", 1)[0].strip() for line in lines[2:]] == [f"route {n} to {to}" for n, to in
        ((1, "south"), (2, "south"), (3, "north"), (4, "south"))]  # fmt: skip
    assert "ship_to is not said" in lines[2] or "ship_to is" in lines[2]
    assert "until is over" in lines[3]
    assert lines[4].endswith("decides")
    assert lines[5].endswith("fits too, but comes later")


def test_json_says_the_same_for_programs(run: Any, workspace: Path, tmp_path: Path) -> None:
    """With every route and why it does not fit."""
    file = tmp_path / "ack.json"
    file.write_text(json.dumps({"order": {"number": "77"}, "response": "accepted"}))
    arguments = ("--partner", "acme", "--document", "order_acknowledgement", "--workspace", workspace, "--json")
    done = run("route", "explain", file, *arguments)
    assert done.exit_code == 0, done.output
    (told,) = json.loads(done.stdout)
    assert (told["rule"], told["order_number"]) == ("gateway.yaml: route 4", "77")
    assert told["targets"] == [{"target": "south", "optional": False}]
    assert told["routes"][2]["why_not"] == ["number_prefix is 77, not 45"]


def test_no_route_ends_with_1(run: Any, workspace: Path, tmp_path: Path) -> None:
    """It would wait, and says so."""
    path = workspace / "gateway.yaml"
    path.write_text(path.read_text().replace("  - {to: south}\n", ""))
    file = tmp_path / "ack.json"
    file.write_text(json.dumps({"order": {"number": "77"}, "response": "accepted"}))
    arguments = ("--partner", "acme", "--document", "order_acknowledgement", "--workspace", workspace)
    done = run("route", "explain", file, *arguments)
    assert done.exit_code == 1
    assert "no route fits: it waits" in done.stdout


WRONG = [
    (("nowhere",), "is no file, and no message"),
    (("FILE",), "whose file is it?"),
    (("FILE", "--partner", "amce"), "did you mean acme?"),
    (("FILE", "--partner", "acme"), "cannot be read"),
    (("FILE", "--partner", "acme", "--document", "invoice"), "there is no document invoice"),
    (("FILE", "--partner", "acme", "--document", "ship_notice"), "is no JSON"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_what_cannot_be_explained_is_said(run: Any, workspace: Path, tmp_path: Path, arguments: Any, said: str) -> None:
    """Exit code 2 and a remedy, never a traceback."""
    file = tmp_path / "bad"
    file.write_bytes(b"no edi \xff")
    done = run("route", "explain", *(file if one == "FILE" else one for one in arguments), "--workspace", workspace)
    assert done.exit_code == 2, done.output
    assert said in done.stderr
