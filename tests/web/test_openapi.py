"""Facts about the OpenAPI document; every other test in this folder holds its answers against it (conftest)."""

from __future__ import annotations

from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from gateway import canonical
from gateway.web import openapi
from gateway.web.api.routes import ROUTES

SPECIFICATION = openapi.document(canonical.schema)


def test_it_is_valid_openapi_3_1() -> None:
    """By the specification's own schema."""
    validate(SPECIFICATION, cls=OpenAPIV31SpecValidator)


def test_every_reference_leads_somewhere() -> None:
    """The moved `$defs` included."""

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for inner in value.values() for found in references(inner)]
        return [found for inner in value for found in references(inner)] if isinstance(value, list) else []

    found = set(references(SPECIFICATION))
    assert len(found) > 50
    for reference in found:
        place: Any = SPECIFICATION
        for token in reference.removeprefix("#/").split("/"):
            place = place[token]


async def test_every_route_of_the_server_is_described_and_the_other_way_round(caller: Any) -> None:
    """What is served is what the document says."""
    served = (await caller("GET", "/openapi.json", None)).json
    described = {(method.upper(), path) for path, methods in served["paths"].items() for method in methods}
    monitoring = {("GET", path) for path in ("/health/live", "/health/ready", "/metrics", "/openapi.json")}
    assert described == {(route.method, route.path) for route in ROUTES} | monitoring


def test_bodies_are_the_canonical_schemas() -> None:
    """What a client generates from the document is what the pipeline checks."""
    for route in ROUTES:
        operation = SPECIFICATION["paths"][route.path][route.method.lower()]
        if route.takes is not None:
            name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            own = set(SPECIFICATION["components"]["schemas"][name]["properties"])
            assert own == set(canonical.schema(route.takes)["properties"])
