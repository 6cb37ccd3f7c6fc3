"""The page about ERPs says what the connector does: its example works, its table is the code's."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest
import yaml
from pydantic import TypeAdapter

from gateway.connectors.http import HttpConnector
from gateway.connectors.mapped import mapped_body
from gateway.connectors.paths import LATER_PLACEHOLDERS
from gateway.demo.erp import KINDS, MISBEHAVIOURS
from gateway.ports import document_state
from gateway.settings import FolderTarget, HttpTarget, Route, Target
from gateway.wiring import BODIES

PAGE = (Path(__file__).parents[2] / "docs/erp-connector.md").read_text("utf-8")


async def test_the_example_is_a_working_configuration(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every field is known, and the connector starts with it."""
    monkeypatch.setenv("NORTH_TOKEN", "t")
    block = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    # Scalars as text, as the gateway's own reader gives them.
    targets = yaml.load(block[1], yaml.BaseLoader)["targets"]  # noqa: S506  builds text, lists and dicts only
    read = {name: TypeAdapter[HttpTarget | FolderTarget](Target).validate_python(one) for name, one in targets.items()}
    north = read["north"]
    assert isinstance(north, HttpTarget)
    assert north.accepted == (409,)
    assert isinstance(read["mailbox"], FolderTarget)
    HttpConnector("north", north, Path(), session, bodies=dict.fromkeys(BODIES, mapped_body({})))
    routes = yaml.load(block[1], yaml.BaseLoader)["routes"]  # noqa: S506  as above
    assert [one.optional for one in Route.model_validate(routes[0]).destinations] == [False, True]


def table(text: str) -> list[str]:
    """The document's states, line by line."""
    lines = [line.strip().split("|") for line in text.splitlines()]
    rows = [
        line
        for line in lines
        if len(line) > 2 and line[1].strip().startswith(("one that", "every one", "some", "none"))
    ]
    return [line[2].strip(" `").replace(" ", "_") for line in rows]


def test_states_of_documents_are_those_of_the_code() -> None:
    """The table on the page is the table of the rule."""
    assert table(PAGE) == table(document_state.__doc__ or "")
    assert table(PAGE) == ["compensated", "failed", "delivered", "partly_delivered", "accepted"]


def test_placeholders_paths_and_misbehaviours_are_named() -> None:
    """What the code knows and the page does not name fails here."""
    known = [f"`{{{name}}}`" for name in LATER_PLACEHOLDERS] + list(KINDS) + [f'"{name}"' for name in MISBEHAVIOURS]
    assert [one for one in known if one not in PAGE] == []
