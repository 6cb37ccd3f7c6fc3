"""The AsyncAPI document: sound by AsyncAPI's own schema, current in docs/, and true of what is published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from gateway import events
from gateway.publication import asyncapi
from gateway.publication.telling import LINE_TYPES, MAY_TELL, TELLERS
from gateway.published import TYPES, fitting

ROOT = Path(__file__).parents[2]
OFFICIAL = json.loads((Path(__file__).parent / "asyncapi-3.0.0.schema.json").read_text())


def test_the_document_is_sound_by_asyncapis_own_schema() -> None:
    """And that schema refuses what is wrong, so it was really asked."""
    document = asyncapi.document()
    assert [error.message for error in Draft7Validator(OFFICIAL).iter_errors(document)] == []
    del document["info"]["version"]
    document["operations"]["tellWebhook"]["action"] = "shout"
    assert len(list(Draft7Validator(OFFICIAL).iter_errors(document))) == 2


def test_every_reference_in_it_leads_somewhere() -> None:
    """JSON Pointers from the root."""
    document = asyncapi.document()
    text = json.dumps(document)
    references = {part.split('"')[0] for part in text.split('"$ref": "#')[1:]}
    assert len(references) > 20
    for reference in references:
        found: Any = document
        for token in reference.split("/")[1:]:
            found = found[token]


def test_the_committed_document_is_current() -> None:
    """Renew it with `gateway events describe --into docs/asyncapi.json`."""
    assert json.loads((ROOT / "docs" / "asyncapi.json").read_text()) == asyncapi.document()


def test_every_type_can_be_told_and_every_fact_tells_only_known_types() -> None:
    """The tables agree: types, tellers, what each may tell."""
    told = set().union(*MAY_TELL.values())
    assert told | {"webhook.test"} == set(TYPES)
    assert MAY_TELL.keys() == TELLERS.keys()
    assert TELLERS.keys() <= events.EVENTS.keys()
    assert set(LINE_TYPES.values()) <= set(TYPES)


@pytest.mark.parametrize(
    ("pattern", "count"), [("order.line.*", 3), ("*.rejected", 2), ("order.sent", 1), ("nothing", 0)]
)
def test_a_pattern_names_types(pattern: str, count: int) -> None:
    """`*` stands for any characters."""
    assert len(fitting((pattern,))) == count
