"""`gateway schema`: the canonical documents as JSON Schema, for whoever writes JSON to us or reads it from us."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from gateway.canonical import KINDS
from gateway.canonical import schema as schema_of

CANNOT_RUN = 2


def schema(
    kind: Annotated[str | None, typer.Argument(help="A document kind; without it, all kinds are listed.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="All schemas as one JSON object.")] = False,
) -> None:
    """Print the JSON Schema (2020-12) of a canonical document.

    Example: gateway schema purchase_order > purchase_order.schema.json
    """
    if as_json and kind is None:
        typer.echo(json.dumps({name: schema_of(name) for name in KINDS}, indent=2))
    elif kind is None:
        for name, model in KINDS.items():
            typer.echo(f"{name:24} {(model.__doc__ or '').splitlines()[0]}")
    elif kind in KINDS:
        typer.echo(json.dumps(schema_of(kind), indent=2))
    else:
        typer.echo(f"No document kind is called {kind}. Use one of: {', '.join(KINDS)}.", err=True)
        raise typer.Exit(CANNOT_RUN)
