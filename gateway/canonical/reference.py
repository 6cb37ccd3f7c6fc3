"""docs/canonical.md, written from the models: every document, shape and field, and every rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from pydantic import BaseModel

from gateway.canonical import shape
from gateway.canonical.documents import KINDS
from gateway.canonical.rules import RULES

_HEAD: Final = """# Canonical documents

Generated from the models by `gateway.canonical.reference.markdown()`; a test fails when this page is not current.

Whatever the channel, a document becomes one of these. Names follow UBL 2.4 meanings, values GS1 and UN code lists.
Decimals are JSON strings, dates ISO 8601; null, absent and empty mean the same and are not written. Unknown fields are
refused, with the near miss. Every shape may carry `extensions`: what a map read that has no field, written back by the
map and read by nobody else. A partner's own code stands in `…source_code` only where the map would write another one.
"""
_NAMES: Final = {Decimal: "decimal", dt.date: "date", int: "whole number", bool: "true or false", dict: "object"}


def markdown() -> str:
    """The whole page."""
    parts = [_HEAD]
    waiting: list[type[BaseModel]] = list(KINDS.values())
    seen: list[type[BaseModel]] = []
    while waiting:
        model = waiting.pop(0)
        if model in seen:
            continue
        seen.append(model)
        kind = next((f" (`{name}`)" for name, each in KINDS.items() if each is model), "")
        parts.append(
            f"\n## {model.__name__}{kind}\n\n{(model.__doc__ or '').strip()}\n\n" + "\n".join(_rows(model)) + "\n"
        )
        waiting += [below for step in shape.fields(model).values() for below in step.models]
    rules = [f"| `{name}` | {rule.text} | {rule.fix} | {rule.severity.value} |" for name, rule in RULES.items()]
    return (
        "".join(parts)
        + "\n## Rules\n\n| rule | says | remedy | severity |\n|---|---|---|---|\n"
        + "\n".join(rules)
        + "\n"
    )


def _rows(model: type[BaseModel]) -> Iterator[str]:
    yield "| field | type | |"
    yield "|---|---|---|"
    for name, step in shape.fields(model).items():
        if name == "extensions":
            continue
        what = " or ".join(f"[{each.__name__}](#{_anchor(each)})" for each in step.models)
        what = what or (", ".join(step.words) if step.words else _NAMES.get(step.type, "text"))
        listed = f"list of {what}" if step.many else what
        yield f"| `{name}`{' (required)' if step.required else ''} | {listed} | {step.description} |"
    for name, field in model.model_computed_fields.items():
        yield f"| `{name}` | computed | {field.description or ''} |"


def _anchor(model: type[BaseModel]) -> str:
    return model.__name__.lower()
