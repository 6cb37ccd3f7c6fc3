"""The OpenAPI 3.1 document, built from the table of routes and the canonical JSON Schemas: it cannot fall behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from gateway.ports import DeliveryState, Expected
from gateway.web.api.call import DEFAULT_LIMIT, LARGEST_LIMIT, STATUSES
from gateway.web.api.routes import ROUTES, Route
from gateway.web.problems import CONTENT_TYPE as PROBLEM

Schema = dict[str, Any]
KINDS = ("purchase_order", "order_change", "order_acknowledgement", "ship_notice")

_REFUSALS = {
    400: "The request's form is wrong: JSON, parameters or headers.",
    401: "No valid API key.",
    403: "The key is not for this route, or the agreement is at rest.",
    404: "It does not exist, or it is not yours.",
    408: "The body took too long.",
    409: "The same request is under way, or the document contradicts one that is there.",
    410: "Its content was removed, as the agreements say of its retention.",
    413: "The body is too large.",
    415: "The body is not application/json in UTF-8.",
    422: "The document is wrong; every error at once.",
    429: "Too many requests; Retry-After says when to go on.",
    500: "Our fault; send it again later with the same Idempotency-Key.",
    503: "Our disk is full; Retry-After says when to send it again, with the same Idempotency-Key.",
}
_EVERYWHERE = frozenset({401, 403, 429, 500, 503})
_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time"}


def document(schema: Callable[[str], Mapping[str, Any]]) -> Schema:
    """The whole document. `schema` gives a kind's JSON Schema 2020-12 with its parts in `$defs`."""
    paths: dict[str, Schema] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "partner-gateway", "version": _version(), "license": _LICENSE, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths | _MONITORING,
        "components": {
            "schemas": _own_schemas() | _canonical(schema),
            "parameters": _PARAMETERS,
            "headers": _HEADERS,
            "responses": {str(status): _refusal(status) for status in _REFUSALS},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "gw_<id>_<secret>"}},
        },
    }


def component(kind: str) -> str:
    """A kind's name among the schemas: `PurchaseOrder`."""
    return "".join(word.capitalize() for word in kind.split("_"))


_ABOUT = (
    "Suppliers read their orders and answer them; ERPs hand over documents. Refusals are application/problem+json "
    "(RFC 9457) with every error at once. A POST repeated with the same Idempotency-Key has one effect and one answer."
)
_LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}


def _version() -> str:
    try:
        return version("partner-gateway")
    except PackageNotFoundError:
        return "0"


def _ref(group: str, name: str) -> Schema:
    return {"$ref": f"#/components/{group}/{name}"}


def _json(name: str) -> Schema:
    return {"application/json": {"schema": _ref("schemas", name)}}


_PARAMETERS: dict[str, Schema] = {
    "Id": {"name": "id", "in": "path", "required": True, "schema": _TEXT | {"maxLength": 64}},
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key and body get the first answer again; the same key with another body is refused.",
        "schema": _TEXT | {"minLength": 1, "maxLength": 255},
    },
    "CorrelationId": {
        "name": "X-Correlation-Id",
        "in": "header",
        "description": "Joins your log to ours; made for you when absent.",
        "schema": _TEXT | {"pattern": "^[A-Za-z0-9._:-]{1,128}$"},
    },
    "Status": {"name": "status", "in": "query", "schema": {"enum": list(STATUSES)}},
    "UpdatedAfter": {"name": "updated_after", "in": "query", "schema": _TIME},
    "Cursor": {"name": "cursor", "in": "query", "description": "next_cursor of the page before.", "schema": _TEXT},
    "Limit": {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT},
    },
    "Number": {"name": "number", "in": "query", "description": "Looks up one order; goes alone.", "schema": _TEXT},
}
_LIST = ("Status", "UpdatedAfter", "Cursor", "Limit", "Number")
_HEADERS: dict[str, Schema] = {
    "CorrelationId": {"description": "The correlation id, given or made.", "schema": _TEXT},
    "Location": {"description": "Where to ask what became of it.", "schema": _TEXT},
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "RateLimit": {"description": "What is left, and seconds until there is more.", "schema": _TEXT},
    "RateLimitPolicy": {"description": "Requests for each window of seconds.", "schema": _TEXT},
    "WwwAuthenticate": {"description": "The scheme to use.", "schema": _TEXT},
}
_COMMON_HEADERS = {
    "X-Correlation-Id": _ref("headers", "CorrelationId"),
    "RateLimit": _ref("headers", "RateLimit"),
    "RateLimit-Policy": _ref("headers", "RateLimitPolicy"),
}


def _operation(route: Route) -> Schema:
    names = (
        *(("Id",) if "{id}" in route.path else ()),
        *(_LIST if route.listed else ()),
        *(("IdempotencyKey",) if route.method == "POST" else ()),
        "CorrelationId",
    )
    located = {"Location": _ref("headers", "Location")} if route.method == "POST" else {}
    answer = {"description": _GIVEN[route.gives], "headers": _COMMON_HEADERS | located, "content": _json(route.gives)}
    operation: Schema = {
        "operationId": route.operation,
        "summary": route.summary,
        "description": f"Scope: {' or '.join(sorted(route.scopes))}.",
        "security": [{"key": []}],
        "parameters": [_ref("parameters", name) for name in names],
        "responses": {str(route.status): answer}
        | {str(status): _ref("responses", str(status)) for status in sorted(route.refusals | _EVERYWHERE)},
    }
    if route.takes is not None:
        operation["requestBody"] = {"required": True, "content": _json(component(route.takes))}
    return operation


_GIVEN = {
    "Receipt": "It is durable; Location says where to ask what became of it.",
    "OrderList": "A page.",
    "Order": "The order.",
    "Change": "The change.",
    "Transaction": "Its state.",
}


def _refusal(status: int) -> Schema:
    special = {
        401: {"WWW-Authenticate": _ref("headers", "WwwAuthenticate")},
        429: {"Retry-After": _ref("headers", "RetryAfter")},
        503: {"Retry-After": _ref("headers", "RetryAfter")},
    }
    return {
        "description": _REFUSALS[status],
        "headers": {"X-Correlation-Id": _ref("headers", "CorrelationId")} | special.get(status, {}),
        "content": {PROBLEM: {"schema": _ref("schemas", "Problem")}},
    }


def _object(properties: Schema, *, optional: Schema | None = None) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties | (optional or {})}


def _own_schemas() -> dict[str, Schema]:
    entry = dict.fromkeys(("rule", "said", "wanted", "fix"), _TEXT)
    severity: Schema = {"enum": ["accept", "accept_with_errors", "reject"]}
    place: Schema = {"description": "Where, when it is not in the JSON.", "type": ["string", "object"]}
    pointer: Schema = {"description": "JSON Pointer (RFC 6901) into the body.", "type": "string"}
    summary = {"id": _TEXT, "number": _TEXT, "status": {"enum": list(STATUSES)}, "received_at": _TIME}
    summary |= {"updated_at": _TIME, "location": _TEXT}
    # The ERP of a supplier sees the orders that came to it: they have the states of the other direction too.
    late: Schema = {"enum": [Expected.ORDER_ACKNOWLEDGEMENT.value, Expected.SHIP_NOTICE.value]}
    overdue: Schema = {"overdue": {"description": "Answers that should be here.", "type": "array", "items": late}}
    wait = _object({"kind": late, "due_at": _TIME, "overdue": {"type": "boolean"}})
    expected: Schema = {"expected": {"description": "Answers that it waits for.", "type": "array", "items": wait}}
    whole = summary | {"status": _TEXT, "document": _ref("schemas", component("purchase_order"))}
    change = summary | {"status": _TEXT, "document": _ref("schemas", component("order_change"))}
    finding = _object(entry | {"severity": severity}, optional={"pointer": pointer, "place": place, "parameter": _TEXT})
    nullable: Schema = {"type": ["string", "null"]}
    state = {"id": _TEXT, "kind": {"enum": list(KINDS)}, "number": _TEXT, "order_number": nullable, "status": _TEXT}
    state |= {"updated_at": _TIME, "findings": {"type": "array", "items": _ref("schemas", "Finding")}}
    transaction = {"transaction_id": _TEXT, "status": _TEXT, "direction": _TEXT, "channel": _TEXT, "received_at": _TIME}
    transaction["documents"] = {"type": "array", "items": _ref("schemas", "TransactionDocument")}
    problem: Schema = {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "correlation_id": _TEXT}
    errors: Schema = {"errors": {"type": "array", "items": _ref("schemas", "Finding")}, "detail": _TEXT}
    items: Schema = {"type": "array", "items": _ref("schemas", "OrderSummary")}
    checks: Schema = {"type": "object", "additionalProperties": _TEXT}
    return {
        "Finding": finding,
        "Problem": _object(problem, optional=errors),
        "Receipt": _object(
            {"transaction_id": _TEXT},
            optional={"document": _TEXT, "document_id": _TEXT, "status": _TEXT, "location": _TEXT}
            | {"findings": {"type": "array", "items": _ref("schemas", "Finding")}},
        ),
        "OrderSummary": _object(summary, optional=overdue),
        "OrderList": _object({"items": items, "next_cursor": nullable}),
        "Order": _object(whole, optional={"partner": _TEXT, "transaction_id": _TEXT} | overdue | expected),
        "Change": _object(change, optional={"partner": _TEXT, "transaction_id": _TEXT}),
        "TransactionDocument": _object(
            state,
            optional={"target": nullable, "their_id": nullable}
            | {"deliveries": {"type": "array", "items": _ref("schemas", "Delivery")}},
        ),
        "Delivery": _object(
            {"target": _TEXT, "optional": {"type": "boolean"}, "status": {"enum": [one.value for one in DeliveryState]}}
            | {"their_id": nullable, "updated_at": _TIME, "reason": nullable}
        ),
        "Transaction": _object(transaction, optional={"partner": nullable}),
        "Health": _object({"status": _TEXT}, optional={"checks": checks}),
    }


def _canonical(schema: Callable[[str], Mapping[str, Any]]) -> dict[str, Schema]:
    """The kinds' schemas, their `$defs` as `Kind.Part`: OpenAPI resolves references from the document's root."""
    found: dict[str, Schema] = {}
    for kind in KINDS:
        name = component(kind)
        whole = {key: value for key, value in schema(kind).items() if key not in {"$schema", "$id"}}
        parts = whole.pop("$defs", {})
        found[name] = _moved(whole, name)
        found |= {f"{name}.{part}": _moved(inner, name) for part, inner in parts.items()}
    return found


def _moved(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _target(inner, name) if key == "$ref" else _moved(inner, name) for key, inner in value.items()}
    return [_moved(inner, name) for inner in value] if isinstance(value, list) else value


def _target(reference: Any, name: str) -> Any:
    if not isinstance(reference, str):  # a property that is called $ref
        return _moved(reference, name)
    if reference == "#":
        return f"#/components/schemas/{name}"
    return re.sub(r"^#/\$defs/", f"#/components/schemas/{name}.", reference)


def _monitor(operation: str, summary: str, responses: Schema) -> Schema:
    return {"get": {"operationId": operation, "summary": summary, "security": [], "responses": responses}}


_MONITORING: dict[str, Schema] = {
    "/health/live": _monitor(
        "live", "Whether the process answers.", {"200": {"description": "It does.", "content": _json("Health")}}
    ),
    "/health/ready": _monitor(
        "ready",
        "Whether it can do its work.",
        {
            "200": {"description": "It can.", "content": _json("Health")},
            "503": {"description": "It cannot; the failing checks.", "content": _json("Health")},
        },
    ),
    "/metrics": _monitor(
        "metrics",
        "Figures for Prometheus: from this machine, or with a key of the ERP scope.",
        {
            "200": {"description": "Exposition format.", "content": {"text/plain": {"schema": _TEXT}}},
            **{str(status): _ref("responses", str(status)) for status in (401, 403, 404, 429)},
        },
    ),
    "/openapi.json": _monitor(
        "openapi",
        "This document.",
        {"200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}}},
    ),
}
