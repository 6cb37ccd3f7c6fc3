"""The configuration describes itself: every key of gateway.yaml and of a partner's file, from the models.

One walk over the models feeds `gateway config describe`, docs/configuration.md and the commented files of
`gateway init`, so none of them can be out of date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gateway.edi.delta import RULES as GUIDE_RULES
from gateway.errors import OurFault
from gateway.partners.agreement import FROM_FILE_NAME, Agreement
from gateway.partners.checks import RULES
from gateway.settings import Form, Settings
from gateway.yamltext import RULES as FILE_RULES

FILES: Mapping[str, type[BaseModel]] = {"gateway.yaml": Settings, "partners/<name>.yaml": Agreement}
MARKER = "<!-- generated: gateway config describe --into docs/configuration.md -->"
_PLAIN = re.compile(r"[A-Za-z0-9_./{][A-Za-z0-9_./:@{}<> +-]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One key. `path` is dotted: `<name>` is a name of yours, `<document>` a document, `[]` each item of a list,
    `[http]` what belongs to that kind.
    """

    file: str
    path: str
    type: str
    required: bool
    default: str | None
    description: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What a field holds: sections (`models`, several for a choice by `kind`) or plain values, one, listed or named."""

    container: Literal["one", "list", "named"]
    models: tuple[type[BaseModel], ...]
    words: str
    keys: tuple[str, ...] = ()
    """The keys of a named container, when they are fixed."""


def reference(section: str | None = None) -> tuple[Entry, ...]:
    """All entries, or those of one section: `listen`, `targets`, `as2`; `gateway` and `partner` select a file."""
    entries = [entry for file, model in FILES.items() for entry in _entries(file, model, "")]
    if section in {None, ""}:
        return tuple(entries)
    files = {"gateway": "gateway.yaml", "partner": "partners/<name>.yaml"}
    pattern = re.compile(re.escape(str(section)) + r"($|[.\[])")
    return tuple(entry for entry in entries if entry.file == files.get(str(section)) or pattern.match(entry.path))


def sections() -> tuple[str, ...]:
    """What `reference` takes beside the full paths."""
    return ("gateway", "partner", *dict.fromkeys(name for model in FILES.values() for name, _ in fields(model)))


def markdown() -> str:
    """All entries and all rules as Markdown tables: the generated part of docs/configuration.md."""
    parts: list[str] = ["## Every key", ""]
    for file, model in FILES.items():
        parts += [f"### `{file}`", "", "| key | type | default | meaning |", "|---|---|---|---|"]
        for entry in _entries(file, model, ""):
            default = "**required**" if entry.required else f"`{entry.default}`" if entry.default else ""
            cells = [f"`{entry.path}`", entry.type, default, entry.description]
            parts.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        parts.append("")
    parts += ["## Every rule", "", "| rule | what it asks for |", "|---|---|"]
    parts += [f"| `{rule}` | {meaning} |" for rule, meaning in {**FILE_RULES, **RULES, **GUIDE_RULES}.items()]
    return "\n".join(parts) + "\n"


def with_reference(page: str) -> str:
    """A Markdown page with everything below its marker line replaced by the present reference; OurFault: no marker."""
    head, marker, _ = page.partition(MARKER)
    if not marker:
        raise OurFault("the page has no place for the reference", remedy=f"add the line {MARKER}")
    return f"{head}{MARKER}\n\n{markdown()}"


def _entries(file: str, model: type[BaseModel], prefix: str) -> Iterator[Entry]:
    for name, info in fields(model):
        shape = shape_of(info)
        path = prefix + name
        inside = path + {"one": "", "list": "[]", "named": ".<name>"}[shape.container]
        if shape.keys:
            inside = f"{path}.<document>"
        yield Entry(
            file=file,
            path=path,
            type=shape.words,
            required=info.is_required(),
            default=None if info.is_required() else default_text(info),
            description=info.description or "",
        )
        for member in shape.models:
            label = f"[{kind_of(member)}]" if len(shape.models) > 1 else ""
            yield from _entries(file, member, f"{inside}{label}.")


def fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """The fields that stand in a file."""
    for name, info in model.model_fields.items():
        if not (isinstance(info.json_schema_extra, dict) and FROM_FILE_NAME in info.json_schema_extra):
            yield name, info


def shape_of(info: FieldInfo) -> Shape:
    """The shape of a model's field."""
    return _shape(info.annotation, tuple(info.metadata))


def kind_of(model: type[BaseModel]) -> str:
    """The `kind` by which a choice names this model."""
    return str(model.model_fields["kind"].default)


def default_text(info: FieldInfo) -> str | None:
    """The default as it would stand in the file; None when there is none, or when the section's keys have their own."""
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is None or value is PydanticUndefined:
        return None
    if isinstance(value, BaseModel):
        given = value.model_dump(exclude_none=True) if info.default_factory not in _sections_of(info) else {}
        return scalar(given) if given else None
    return scalar(value)


def _sections_of(info: FieldInfo) -> tuple[Any, ...]:
    """A section whose default is simply all its own defaults needs no text."""
    return shape_of(info).models


def scalar(value: Any, *, flow: bool = False) -> str:
    """A value as YAML in one line, as our reader (every scalar is text) understands it; `flow`: inside braces."""
    if isinstance(value, Enum):
        return scalar(value.value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {scalar(one, flow=True)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(scalar(one, flow=True) for one in value) + "]"
    text = str(value)
    plain = _PLAIN.fullmatch(text) and ": " not in text and not text.startswith("{") and text.strip() == text
    plain = plain and not text.endswith(":") and not (flow and set("{}") & set(text))
    return text if plain and text != "null" else json.dumps(text, ensure_ascii=False)


def _shape(annotation: Any, metadata: tuple[Any, ...]) -> Shape:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return _shape(inner, (*metadata, *(one for item in more for one in getattr(item, "metadata", [item]))))
    if origin in {Union, UnionType}:
        members = [one for one in get_args(annotation) if one is not NoneType]
        if len(members) == 1:
            return _shape(members[0], metadata)
        models = tuple(model for one in members for model in _shape(one, ()).models)
        return Shape(container="one", models=models, words="section: kind " + " or ".join(map(kind_of, models)))
    if origin is tuple:
        inner_shape = _shape(get_args(annotation)[0], ())
        return Shape(container="list", models=inner_shape.models, words=f"list of {_plural(inner_shape.words)}")
    if origin is dict:
        key, value = get_args(annotation)
        keys = tuple(map(str, get_args(key))) if get_origin(key) is Literal else ()
        inner_shape = _shape(value, ())
        words = f"{_plural(inner_shape.words)} by {'document' if keys else 'name'}"
        return Shape(container="named", models=inner_shape.models, words=words, keys=keys)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Shape(container="one", models=(annotation,), words="section")
    return Shape(container="one", models=(), words=_words(annotation, metadata))


def _plural(words: str) -> str:
    """`section: kind a or b` becomes `sections: kind a or b`; text stays text."""
    first = re.split(r"[:,]", words)[0]
    return f"{first}s{words[len(first) :]}" if first in {"section", "whole number", "number"} else words


def _words(annotation: Any, metadata: tuple[Any, ...]) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(map(str, get_args(annotation)))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(str(one.value) for one in annotation)
    if annotation is bool:
        return "yes or no"
    if annotation in {int, Decimal}:
        return ("whole number" if annotation is int else "number") + _range(metadata)
    return next((f"text: {one.words}" for one in metadata if isinstance(one, Form)), "text")


def _range(metadata: tuple[Any, ...]) -> str:
    found = {
        bound: getattr(one, bound) for one in metadata for bound in ("ge", "gt", "le", "lt") if hasattr(one, bound)
    }
    low = f"{found['ge']}" if "ge" in found else f"above {found['gt']}" if "gt" in found else ""
    high = f"up to {found['le']}" if "le" in found else f"below {found['lt']}" if "lt" in found else ""
    if "ge" in found and "le" in found:
        return f", {found['ge']} to {found['le']}"
    return "".join(f", {part}" for part in (f"{low} or more" if "ge" in found else low, high) if part)
