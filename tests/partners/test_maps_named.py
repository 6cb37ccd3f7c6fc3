"""A map stands where its documents are: `partner check` refuses any other, with file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.findings import FilePlace
from gateway.partners.map_names import known_maps, map_heads
from gateway.partners.workspace import examine

from .conftest import NOW

Edit = Callable[[str, str, str], int]
CALL = "{path: /api/acknowledgements}"
NOTICE = "path: /api/orders/{order_number}/ship-notices"

# file, what stands there, the mistake, the rule, words of what was said, words of what is wanted
WRONG = [
    ("gateway.yaml", CALL, "{path: /a, map: erp/nothing}", "workspace.unknown_map", "erp/nothing", "a map in maps/"),
    ("gateway.yaml", CALL, "{path: /a, map: x12/855}", "workspace.wrong_map", "a map for 855", "a map for json"),
    (
        "gateway.yaml",
        f'"{NOTICE[6:]}"}}',
        f'"{NOTICE[6:]}", map: erp/order_acknowledgement}}',
        "workspace.wrong_map",
        "a map for order_acknowledgement",
        "a map for ship_notice",
    ),
    ("partners/acme.yaml", "map: x12/856", "map: own/856", "workspace.wrong_map", "a map for 855", "a map for 856"),
    (
        "partners/acme.yaml",
        "map: acme/855",
        "map: erp/order_acknowledgement",
        "workspace.wrong_map",
        "a map for json",
        "a map for 855",
    ),
]


@pytest.mark.parametrize("mistake", WRONG, ids=lambda row: row[2])
def test_a_map_for_other_documents_is_a_finding_at_its_line(
    sound: Path, edit: Edit, mistake: tuple[str, str, str, str, str, str]
) -> None:
    """At targets and at partners, by set and by kind."""
    (sound / "maps" / "own").mkdir(parents=True)
    (sound / "maps" / "own" / "856.yaml").write_text("document: 855\ncanonical: ship_notice\n", "utf-8")
    file, old, new, rule, said, wanted = mistake
    line = edit(file, old, new)
    _, found = examine(sound, now=NOW, map_exists=known_maps(sound), map_head=map_heads(sound))
    assert [(one.rule, one.place) for one in found] == [
        (rule, FilePlace(file=file, line=line, key=found[0].place.key)),  # type: ignore[union-attr]
    ]
    assert said in found[0].said
    assert wanted in found[0].wanted
    assert found[0].fix


def test_a_map_that_cannot_be_read_is_left_to_its_own_check(sound: Path, edit: Edit) -> None:
    """`gateway map check` and the start tell what is wrong in it."""
    (sound / "maps" / "own").mkdir(parents=True)
    (sound / "maps" / "own" / "ack.yaml").write_bytes(b"\xff")
    edit("gateway.yaml", CALL, "{path: /a, map: own/ack}")
    assert examine(sound, now=NOW, map_exists=known_maps(sound), map_head=map_heads(sound))[1] == ()
