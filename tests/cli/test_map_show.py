"""`gateway map show` and `gateway map list`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from gateway.cli.map_files import complete_map
from gateway.mapping import compile_any, from_folders, shipped

Run = Callable[..., Result]


def test_show_resolved_prints_a_map_that_can_be_used_with_the_origin_of_a_deltas_lines(run: Run) -> None:
    """It goes back into a file as it is."""
    shown = run("map", "show", "acme/855", "--resolved")
    assert shown.exit_code == 0
    line = next(one for one in shown.stdout.splitlines() if "ACK29: reason" in one)
    assert line.split("#")[1].strip() == "maps/acme/855.yaml:9"
    assert "\x1b" not in shown.stdout
    printed, own = compile_any("again", {"again": shown.stdout}), compile_any("acme/855", from_folders(shipped()))
    sample = json.loads(Path("samples/x12/acme-855-reasons.json").read_text("utf-8"))
    assert printed.write(sample) == own.write(sample)


def test_show_prints_the_file_and_its_bases(run: Run) -> None:
    """As it is written, with its remarks."""
    shown = run("map", "show", "acme/855")
    assert shown.stdout.startswith("# maps/acme/855.yaml → maps/x12/855.yaml\n")
    assert shown.stdout.partition("\n")[2] == Path("maps/acme/855.yaml").read_text("utf-8")


def test_show_as_json_has_the_chain_and_the_nodes(run: Run, tmp_path: Path) -> None:
    """And what was removed."""
    own = tmp_path / "maps/own/855.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("extends: acme/855\nremove: [PO1/PID]\n", "utf-8")
    shown = json.loads(run("map", "show", "own/855", "--resolved", "--json", "--workspace", tmp_path).stdout)
    assert [one["map"] for one in shown["chain"]] == ["own/855", "acme/855", "x12/855"]
    assert shown["removed"] == [{"path": "PO1/PID", "file": "maps/own/855.yaml", "line": 2}]
    assert shown["resolved"]["codes"]["line_status"]["AC"] == "accepted"


@pytest.mark.parametrize(("name", "says"), [("x12/588", "x12/8"), ("../etc", "map list"), ("a b", "map list")])
def test_a_map_that_is_not_there_is_told_with_the_near_one(run: Run, name: str, says: str) -> None:
    """Exit code 2."""
    shown = run("map", "show", name)
    assert shown.exit_code == 2
    assert says in shown.stderr


def test_a_broken_map_is_shown_as_it_is_and_resolved_with_what_is_wrong(run: Run, tmp_path: Path) -> None:
    """Exit code 1 where the outcome is asked for."""
    own = tmp_path / "maps/own/855.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("extends: x12/855\nremove: [PO1/PIDD]\n", "utf-8")
    assert run("map", "show", "own/855", "--workspace", tmp_path).exit_code == 0
    shown = run("map", "show", "own/855", "--resolved", "--workspace", tmp_path)
    assert shown.exit_code == 1
    assert "maps/own/855.yaml:2" in shown.stderr
    own.write_text("extends: [", "utf-8")
    assert run("map", "show", "own/855", "--resolved", "--workspace", tmp_path).exit_code == 1


def test_list_says_for_what_a_map_is_and_who_uses_it(run: Run) -> None:
    """Partners and targets."""
    rows = {row["map"]: row for row in json.loads(run("map", "list", "--json").stdout)}
    assert rows["acme/855"]["extends"] == "x12/855"
    assert rows["acme/855"]["used_by"] == ["acme (receives order_acknowledgement)"]
    assert rows["erp/order_acknowledgement"]["used_by"] == ["target south (order_acknowledgement)"]
    assert (rows["x12/850"]["document"], rows["x12/850"]["canonical"]) == ("850", "purchase_order")
    assert "x12/856" in run("map", "list").stdout


def test_names_of_maps_are_completed() -> None:
    """Of the workspace and the shipped ones."""

    class Context:
        params: dict[str, object] = {}  # noqa: RUF012  never changed

    assert complete_map(Context(), "acme/") == ["acme/855"]  # type: ignore[arg-type]
