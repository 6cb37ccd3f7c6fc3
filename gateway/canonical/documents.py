"""JSON in, model out with all errors at once; model in, canonical JSON out; digest and schema.

Null, absent and empty mean the same: they are dropped before reading and never written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ValidationError

from gateway.canonical import shape
from gateway.canonical.header import Head
from gateway.canonical.order_acknowledgement import OrderAcknowledgement
from gateway.canonical.order_change import OrderChange
from gateway.canonical.purchase_order import PurchaseOrder
from gateway.canonical.rules import RULES, finding
from gateway.canonical.ship_notice import ShipNotice, flat_lines
from gateway.findings import Finding, JsonPlace, Severity

KINDS: Final[dict[str, type[Head]]] = {
    "purchase_order": PurchaseOrder,
    "order_change": OrderChange,
    "order_acknowledgement": OrderAcknowledgement,
    "ship_notice": ShipNotice,
}
"""The canonical documents by the name of their kind."""

MAX_DEPTH: Final = 64
MAX_ITEMS: Final = 20_000
"""Items of any list in a document."""
MAX_FINDINGS: Final = 100
"""Findings of one document that are told one by one; the next one says how many more there are."""
_MAX_ROWS: Final = 10_000
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
    """The document in `data` (decoded JSON), or None with its errors (`capped`). Unknown kinds, hostile nesting and
    endless lists are findings.
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
    except _EndlessList:
        return None, capped([_endless(pointer, count) for pointer, count in _endless_lists(data)])
    if isinstance(pruned, dict):
        for name in model.model_computed_fields:
            pruned.pop(name, None)
    try:
        return model.model_validate(pruned), ()
    except ValidationError as error:
        count = error.error_count()
        rows = _rows(model, pruned, error)
        # A list whose items are all wrong counts as empty for pydantic: one cause, one finding.
        parents = {row["loc"][:length] for row in rows for length in range(len(row["loc"]))}
        told = [row for row in rows if row["type"] != "too_short" or row["loc"] not in parents]
        found = [_finding(model, pruned, row) for row in told[:MAX_FINDINGS]]
        return None, capped(found, count - (len(rows) - len(told)))


def _rows(model: type[BaseModel], data: object, error: ValidationError) -> Sequence[Any]:
    """Pydantic's rows of `error`; of very many only those of the first items of each list.

    All rows are made in one piece that holds the interpreter: a million of them would stop the event loop for seconds.
    """
    if error.error_count() <= _MAX_ROWS:
        return error.errors(include_url=False, include_context=True)
    for items in (10, 100, 1000):
        try:
            model.model_validate(_beginning(data, items))
        except ValidationError as shorter:
            if shorter.error_count() <= _MAX_ROWS:
                return shorter.errors(include_url=False, include_context=True)
            break
    return ()


def _beginning(value: object, items: int) -> object:
    if isinstance(value, dict):
        return {name: _beginning(each, items) for name, each in value.items()}
    return [_beginning(each, items) for each in value[:items]] if isinstance(value, list) else value


def capped(findings: Sequence[Finding], count: int | None = None) -> tuple[Finding, ...]:
    """At most MAX_FINDINGS of `findings`, the gravest first where some are left out, and one that counts the rest.

    `count` is how many there are, where `findings` is only the beginning of them.
    """
    count = len(findings) if count is None else count
    if count <= MAX_FINDINGS:
        return tuple(findings)
    order = list(Severity)
    kept = sorted(findings, key=lambda one: -order.index(one.severity))[:MAX_FINDINGS]
    more = Finding(
        rule="canonical.document.more_findings",
        place=JsonPlace(pointer=""),
        said=f"and {count - len(kept)} more" if kept else f"{count} errors",
        wanted=f"{MAX_FINDINGS} at most are told",
        fix=RULES["canonical.document.more_findings"].fix,
        severity=kept[-1].severity if kept else Severity.REJECT,
    )
    return (*kept, more)


def dump(model: BaseModel) -> dict[str, Any]:
    """The document as canonical JSON: strings, booleans, lists, objects; nothing empty; computed fields included."""
    kept = prune(_dumped(model))
    return kept if isinstance(kept, dict) else {}


def written(model: Head) -> dict[str, Any]:
    """The same of a model that `parse` gave: it was read from what has nothing empty, so nothing is looked for."""
    return _dumped(model)


def _dumped(model: BaseModel) -> dict[str, Any]:
    # Unset fields are empty ones (`parts.said`): left out before they are written, not after.
    if not isinstance(model, ShipNotice):
        return model.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
    # Its lines are those of the tree again: put together from what is written already, and not made as models first.
    made = model.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True, exclude=_LINES)
    if flat := flat_lines(made["contents"]):
        made["lines"] = flat
    return made


_LINES: Final = {"lines"}


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON without `source`: the same content gives the same digest, wherever it came from."""
    kept = {name: value for name, value in document.items() if name != "source"}
    return hashlib.sha256(_digested(kept).encode("utf-8", "surrogatepass")).hexdigest()


# Documents are trees that were just parsed or made: no circle is looked for.
_digested = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


def schema(kind: str) -> dict[str, Any]:
    """JSON Schema 2020-12 of what `parse` takes for `kind`; KeyError for an unknown one."""
    body = KINDS[kind].model_json_schema(by_alias=True, mode="validation")
    return {"$schema": DIALECT, "$id": f"urn:partner-gateway:canonical:{kind}", **body}


def prune(value: object, depth: int = 0) -> Any:
    """`value` without null, "", [] and {} in objects; lists keep their other items' order. RecursionError
    past MAX_DEPTH, _EndlessList past MAX_ITEMS.
    """
    if isinstance(value, dict):
        if depth > MAX_DEPTH:
            raise RecursionError
        kept = {}
        for name, each in value.items():
            if each.__class__ is str:  # most of all there is
                if each:
                    kept[name] = each
            elif name == "extensions":  # a map's own memory: empty texts in it are facts about the wire
                if each:
                    kept[name] = _bounded(each, depth + 1)
            elif isinstance(each, _HOLDERS):
                if each and (below := prune(each, depth + 1)):
                    kept[name] = below
            elif each is not None and each != "":
                kept[name] = each
        return kept
    if isinstance(value, (list, tuple)):
        if depth > MAX_DEPTH:
            raise RecursionError
        if len(value) > MAX_ITEMS:
            raise _EndlessList
        items = [prune(each, depth + 1) if isinstance(each, _HOLDERS) else each for each in value]
        full = all(items)
        return items if full else [one for one in items if one or (one is not None and not isinstance(one, _HOLLOW))]
    return value


_HOLDERS: Final = (dict, list, tuple)
_HOLLOW: Final = (str, *_HOLDERS)
"""What may be empty; False and 0 are not."""


def _bounded(value: object, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, (list, tuple)) and len(value) > MAX_ITEMS:
        raise _EndlessList
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ():
        _bounded(each, depth + 1)
    return value


class _EndlessList(Exception):  # noqa: N818  a signal inside this module
    """A list has more than MAX_ITEMS."""


def _endless_lists(data: object) -> Iterator[tuple[str, int]]:
    """Pointer and length of every list with too many items; what is in those is not looked at."""
    waiting: list[tuple[str, object]] = [("", data)]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{pointer}/{_token(name)}", each) for name, each in value.items() if each]
        elif isinstance(value, (list, tuple)) and len(value) > MAX_ITEMS:
            yield pointer, len(value)
        elif isinstance(value, (list, tuple)):
            waiting += [(f"{pointer}/{index}", each) for index, each in enumerate(value) if each]


def _endless(pointer: str, count: int) -> Finding:
    return finding("canonical.list.too_long", pointer, said=f"{count} items", wanted=f"at most {MAX_ITEMS}")


def _token(step: str | int) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


def _finding(model: type[BaseModel], data: object, row: Any) -> Finding:
    path, at, name = _path(model, data, row["loc"])
    rule = _RULE_OF.get(row["type"], "canonical.field.type")
    pointer = "".join(f"/{_token(step)}" for step in path)
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
