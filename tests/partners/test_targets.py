"""Targets and routes in gateway.yaml: several targets, look-ups, compensation; each mistake at its line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.findings import FilePlace, Severity
from gateway.partners.workspace import examine

ROUTE = "- to: north\n    business_unit"
CALL = "ship_notice: {path: "
SOUND = [
    (ROUTE, "- to: [north]\n    business_unit"),
    (ROUTE, "- to: [{target: north}]\n    business_unit"),
    (CALL, "ship_notice: {compensate: {path: '/x/{their_id}', when: [north]}, path: "),
    (CALL, "ship_notice: {lookup: {path: '/x?k={idempotency_key}&d={document_id}'}, path: "),
    (CALL, "ship_notice: {replace: {path: '/x/{their_id}'}, path: "),
    ("kind: http", "honours_key: no\n    lookup: {path: '/x/{number}', missing: {empty_at: /items}}\n    kind: http"),
]
MISTAKES = [
    (ROUTE, "- to: [north, nroth]\n    business_unit", "workspace.unknown_target", "write north"),
    (ROUTE, "- to: [{target: nroth, optional: yes}, north]\n    business_unit", "workspace.unknown_target", "north"),
    (ROUTE, "- to: [north, north]\n    business_unit", "file.value", "each target once"),
    (ROUTE, "- to: [{target: north, optional: yes}]\n    business_unit", "file.value", "not optional"),
    (ROUTE, "- to: []\n    business_unit", "file.value", ""),
    (CALL, "ship_notice: {compensate: {path: '/x', when: [sotuh]}, path: ", "workspace.unknown_target", "north"),
    (CALL, "ship_notice: {compensate: {path: '/{thier_id}'}, path: ", "workspace.placeholder", "write {their_id}"),
    (CALL, "ship_notice: {compensate: {path: '/x', map: e/u}, path: ", "workspace.unknown_map", "maps/e/u.yaml"),
    (CALL, "ship_notice: {replace: {path: '/x', map: e/u}, path: ", "workspace.unknown_map", "maps/e/u.yaml"),
    (CALL, "ship_notice: {lookup: {path: '/{their_id}'}, path: ", "workspace.placeholder", "{idempotency_key}"),
    ("kind: http", "lookup: {path: '/{their_id}'}\n    kind: http", "workspace.placeholder", "{document_id}"),
    ("kind: http", "lookup: {path: /x, found: {equals: a}}\n    kind: http", "file.value", "needs pointer"),
    ("kind: http", "lookup: {path: /x, found: {pointer: id}}\n    kind: http", "file.value", "JSON Pointer"),
]
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def no_map(name: str) -> str | None:
    """The partners' maps are there, no other."""
    return None if name in {"x12/850", "x12/856", "acme/855"} else ""


@pytest.mark.parametrize(("old", "new"), SOUND)
def test_sound_targets_have_no_findings(sound: Path, edit: Callable[..., int], old: str, new: str) -> None:
    """Every form of them."""
    edit("gateway.yaml", old, new)
    assert examine(sound, now=NOW, map_exists=no_map)[1] == ()


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda row: row[1])
def test_each_mistake_in_a_target_or_route_is_one_finding_at_its_line(
    sound: Path, edit: Callable[..., int], mistake: tuple[str, str, str, str]
) -> None:
    """Said with the remedy."""
    old, new, rule, words = mistake
    line = edit("gateway.yaml", old, new)
    (found,) = examine(sound, now=NOW, map_exists=no_map)[1]
    assert isinstance(found.place, FilePlace)
    assert (found.rule, found.place.line) == (rule, line)
    assert words in found.wanted + found.fix + found.said


WMS = """\
  wms:
    kind: http
    base_url: http://127.0.0.1:8072
    documents:
      ship_notice: {path: /asn}
routes:
"""


def test_target_beside_others_without_a_call_for_what_may_come_is_a_warning(
    sound: Path, edit: Callable[..., int]
) -> None:
    """Once for a target and a kind; a route that leaves the kind out has none."""
    edit("gateway.yaml", "routes:\n", WMS)
    line = edit("gateway.yaml", ROUTE, "- to: [north, wms]\n    business_unit")
    (found,) = examine(sound, now=NOW, map_exists=no_map)[1]
    assert isinstance(found.place, FilePlace)
    assert (found.rule, found.place.line, found.severity) == ("workspace.no_call", line, Severity.ACCEPT_WITH_ERRORS)
    assert "wms has no call for order_acknowledgement" in found.said
    edit("gateway.yaml", "- to: [north, wms]\n", "- to: [north, wms]\n    document: [ship_notice]\n")
    assert examine(sound, now=NOW, map_exists=no_map)[1] == ()
