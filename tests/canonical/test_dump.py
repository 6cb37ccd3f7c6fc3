"""What `dump` writes: everything that was said and every default that means something, nothing empty."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from gateway import canonical
from gateway.canonical import shape
from gateway.canonical.documents import KINDS, prune

SAMPLES = sorted((Path(__file__).parents[2] / "samples" / "x12").glob("*.json"))
NAMES = {"850": "purchase_order", "855": "order_acknowledgement", "856": "ship_notice", "86": "order_change"}


def models(root: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """`root` and every model below it."""
    if root in seen:
        return
    seen.add(root)
    yield root
    for step in shape.fields(root).values():
        for below in step.models:
            yield from models(below, seen)


@pytest.mark.parametrize("kind", KINDS)
def test_a_default_that_is_not_empty_is_given_as_if_it_was_said(kind: str) -> None:
    """`dump` leaves out what was not set: a default with a meaning must be set by a validator (`parts.said`)."""
    for model in models(KINDS[kind], set()):
        fields = model.model_fields.items()
        meant = {name for name, field in fields if not field.is_required() and field.get_default() not in {None, ()}}
        said: set[str] = set()
        for validator in model.__pydantic_decorators__.model_validators.values():
            if validator.info.mode == "before":
                said |= validator.func({}).keys()  # type: ignore[call-arg]
        assert meant <= said, model


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_leaving_out_what_was_not_set_loses_nothing(sample: Path) -> None:
    """The same JSON as writing every field and dropping the empty ones afterwards."""
    document = json.loads(sample.read_text(encoding="utf-8"))
    kind = next(name for number, name in NAMES.items() if number in sample.stem)
    model, findings = canonical.parse(kind, document)
    assert model is not None, findings
    whole: dict[str, Any] = prune(model.model_dump(mode="json", by_alias=True, exclude_none=True))
    assert canonical.dump(model) == whole


def test_pruning_keeps_false_and_zero_and_drops_what_is_empty() -> None:
    """Empty is null, "", [] and {}; anything else says something."""
    said = {"a": False, "b": 0, "c": "", "d": None, "e": [], "f": {"g": {}}, "h": [0, "", [], {"i": None}, "x"]}
    assert prune(said) == {"a": False, "b": 0, "h": [0, "x"]}
