"""JSON in, model out with all errors at once; model in, canonical JSON out; digest and schema.

Null, absent and empty mean the same: they are dropped before reading and never written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ValidationError

from gateway.canonical import shape
from gateway.canonical.header import Head
from gateway.canonical.order_acknowledgement import OrderAcknowledgement
from gateway.canonical.purchase_order import PurchaseOrder
from gateway.canonical.rules import finding
from gateway.canonical.ship_notice import ShipNotice
from gateway.findings import Finding

KINDS: Final[dict[str, type[Head]]] = {
    "purchase_order": PurchaseOrder,
    "order_acknowledgement": OrderAcknowledgement,
    "ship_notice": ShipNotice,
}
"""The canonical documents by the name of their kind."""

MAX_DEPTH: Final = 64
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

# Which of our rules a pydantic error type breaks; whatever is not here is a wrong type.
_RULE_OF: Final[dict[str, str]] = {
    "missing": "canonical.field.missing",
    "union_tag_not_found": "canonical.field.missing",
    "extra_forbidden": "canonical.field.unknown",
    "literal_error": "canonical.field.value",
    "union_tag_invalid": "canonical.field.value",
    "value_error": "canonical.field.value",
    "string_too_long": "canonical.field.limit",
    "string_too_short": "canonical.field.limit",
    "too_short": "canonical.field.limit",
    "too_long": "canonical.field.limit",
    "decimal_max_digits": "canonical.field.limit",
    "decimal_max_places": "canonical.field.limit",
    "decimal_whole_digits": "canonical.field.limit",
    "greater_than_equal": "canonical.field.limit",
    "less_than_equal": "canonical.field.limit",
}


def parse(kind: str, data: object) -> tuple[Head | None, tuple[Finding, ...]]:
    """The document in `data` (decoded JSON), or None with every error in it. Unknown kinds and hostile
    nesting are findings.
    """
    model = KINDS.get(kind)
    if model is None:
        wanted = ", ".join(KINDS) + shape.near(kind, KINDS)
        return None, (finding("canonical.kind.unknown", "", said=kind, wanted=wanted),)
    try:
        pruned = prune(data)
    except RecursionError:
        said = f"more than {MAX_DEPTH} levels"
        return None, (finding("canonical.document.too_deep", "", said=said, wanted=f"at most {MAX_DEPTH} levels"),)
    if isinstance(pruned, dict):
        for name in model.model_computed_fields:
            pruned.pop(name, None)
    try:
        return model.model_validate(pruned), ()
    except ValidationError as error:
        rows = error.errors(include_url=False, include_context=True)
        # A list whose items are all wrong counts as empty for pydantic: one cause, one finding.
        parents = {row["loc"][:length] for row in rows for length in range(len(row["loc"]))}
        rows = [row for row in rows if row["type"] != "too_short" or row["loc"] not in parents]
        return None, tuple(_finding(model, pruned, row) for row in rows)


def dump(model: BaseModel) -> dict[str, Any]:
    """The document as canonical JSON: strings, booleans, lists, objects; nothing empty; computed fields included."""
    # Unset fields are empty ones (`parts.said`): left out before they are written, not after.
    kept = prune(model.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True))
    return kept if isinstance(kept, dict) else {}


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON without `source`: the same content gives the same digest, wherever it came from."""
    kept = {name: value for name, value in document.items() if name != "source"}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def schema(kind: str) -> dict[str, Any]:
    """JSON Schema 2020-12 of what `parse` takes for `kind`; KeyError for an unknown one."""
    body = KINDS[kind].model_json_schema(by_alias=True, mode="validation")
    return {"$schema": DIALECT, "$id": f"urn:partner-gateway:canonical:{kind}", **body}


def prune(value: object, depth: int = 0) -> Any:
    """`value` without null, "", [] and {} in objects; lists keep their other items' order. RecursionError
    past MAX_DEPTH.
    """
    if isinstance(value, dict):
        if depth > MAX_DEPTH:
            raise RecursionError
        kept = {}
        for name, each in value.items():
            if name == "extensions":  # a map's own memory: empty texts in it are facts about the wire
                if each:
                    kept[name] = _bounded(each, depth + 1)
            elif isinstance(each, str):
                if each:
                    kept[name] = each
            elif isinstance(each, _HOLDERS):
                if each and (below := prune(each, depth + 1)):
                    kept[name] = below
            elif each is not None:
                kept[name] = each
        return kept
    if isinstance(value, (list, tuple)):
        if depth > MAX_DEPTH:
            raise RecursionError
        items = [prune(each, depth + 1) if isinstance(each, _HOLDERS) else each for each in value]
        return [each for each in items if each or (each is not None and not isinstance(each, _HOLLOW))]
    return value


_HOLDERS: Final = (dict, list, tuple)
_HOLLOW: Final = (str, *_HOLDERS)
"""What may be empty; False and 0 are not."""


def _bounded(value: object, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise RecursionError
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ():
        _bounded(each, depth + 1)
    return value


def _finding(model: type[BaseModel], data: object, row: Any) -> Finding:
    path, at, name = _path(model, data, row["loc"])
    rule = _RULE_OF.get(row["type"], "canonical.field.type")
    pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
    wanted: str = row["msg"].removeprefix("Value error, ")
    fix = None
    if row["type"] == "union_tag_not_found":
        pointer += "/kind"
        wanted = "order, handling_unit or line"
    if rule == "canonical.field.missing":
        return finding(
            rule, pointer, said="nothing", wanted=wanted if row["type"] != "missing" else f"a value for {name}"
        )
    if rule == "canonical.field.unknown":
        known = [each for one in at for each in shape.fields(one)]
        hint = shape.near(str(name), known)
        fix = f"Rename it to {hint.removeprefix('; did you mean ').removesuffix('?')}." if hint else None
        return finding(rule, pointer, said=str(name), wanted="a documented field" + hint, fix=fix)
    if rule == "canonical.field.value" and "expected" in row.get("ctx", {}):
        wanted = row["ctx"]["expected"].replace("'", "") + shape.near(
            str(row["input"]), row["ctx"]["expected"].split("'")
        )
    said = row["input"] if isinstance(row["input"], str) else json.dumps(row["input"], default=str)
    return finding(rule, pointer, said=said, wanted=wanted, fix=fix)


def _path(
    model: type[BaseModel], data: object, loc: Sequence[str | int]
) -> tuple[list[str | int], tuple[type[BaseModel], ...], str | int]:
    """The pointer's steps, the models that could stand at the last but one, and the last name.

    pydantic names the tag of a discriminated union as a step of its own; a pointer must not.
    """
    path: list[str | int] = []
    models: tuple[type[BaseModel], ...] = (model,)
    for step in loc:
        if (
            isinstance(data, dict)
            and path
            and isinstance(path[-1], int)
            and data.get("kind") == step
            and len(models) > 1
        ):
            models = tuple(each for each in models if each.model_fields["kind"].annotation == _kind(step)) or models
            continue
        path.append(step)
        if isinstance(step, int):
            data = data[step] if isinstance(data, list) and step < len(data) else None
            continue
        data = data.get(step) if isinstance(data, dict) else None
        if step is not loc[-1]:
            models = tuple(one for each in models for one in _below(each, str(step)))
    return path, models, path[-1] if path else ""


def _kind(name: str | int) -> Any:

    return Literal[name]


def _below(model: type[BaseModel], name: str) -> tuple[type[BaseModel], ...]:
    step = shape.fields(model).get(name)
    return step.models if step else ()
