"""Commented configuration files, written from the models: every key stands there, explained, with its default.

A key that was decided is live; one that may be left out is commented. Taking one `# ` away from a whole block makes it
live, with what it requires filled in by an example, and what is optional in it still commented.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.partners.reference import Shape, default_text, fields, kind_of, scalar, shape_of

WIDTH = 110


def commented_yaml(model: type[BaseModel], values: Mapping[str, Any], *, heading: str) -> str:
    """A file of `model` in which `values` are live. A section given as `{}` is live with its examples."""
    top = [f"# {line}" for line in textwrap.wrap(heading, WIDTH)]
    return "\n".join([*top, "", *_section(model, values, top=True)]).rstrip() + "\n"


def _section(model: type[BaseModel], values: Mapping[str, Any], *, top: bool = False) -> Iterator[str]:
    for name, info in fields(model):
        yield from (f"# {line}" for line in textwrap.wrap(_explanation(info), WIDTH))
        live = name in values or info.is_required() or name == "kind"
        mark = "" if live else "# "
        yield from (mark + line for line in _field(name, info, values.get(name)))
        if top:
            yield ""


def _explanation(info: FieldInfo) -> str:
    shape = shape_of(info)
    default = None if info.is_required() else default_text(info)
    if shape.models and default is None:
        return info.description or ""
    notes = [shape.words, "required" if info.is_required() else f"default {default}" if default else "optional"]
    return f"{info.description} ({'; '.join(notes)})"


def _field(name: str, info: FieldInfo, value: Any) -> Iterator[str]:
    shape = shape_of(info)
    if not shape.models:
        plain = _plain_value(info, shape, value)
        yield f"{name}:" if plain is None else f"{name}: {scalar(plain)}"
        return
    if shape.container == "one":
        for number, member in enumerate(shape.models):
            # Only one of several kinds can be live under this key: the others are one comment deeper.
            mark = "# # or:" if number else ""
            block = [f"{name}:", *_indented(_section(member, value or _example(name, info)), "  ")]
            yield from ([mark, *(f"# # {line}" for line in block)] if number else block)
        return
    yield f"{name}:"
    if shape.container == "list":
        if isinstance(value, list):
            for one in value:
                yield from _item(_section(shape.models[0], one))
            return
        for member in shape.models:
            yield from _item(_section(member, {}))
        return
    given = value if isinstance(value, Mapping) else {}
    for key, member in _entries_of(info, shape, given):
        yield f"  {key}:"
        yield from _indented(_section(member, given.get(key) or {}), "    ")


def _entries_of(info: FieldInfo, shape: Shape, given: Mapping[str, Any]) -> Iterator[tuple[str, type[BaseModel]]]:
    """The named sections to show: those given, else one for each fixed key, example or kind."""
    if given:
        yield from ((key, shape.models[0]) for key in given)
    elif shape.keys:
        yield from ((key, shape.models[0]) for key in shape.keys)
    elif info.examples:
        yield from ((str(key), shape.models[0]) for key in info.examples)
    else:
        yield from ((f"{kind_of(member)}-example", member) for member in shape.models)


def _example(name: str, info: FieldInfo) -> dict[str, Any]:
    """What a section shows when nothing was decided: its default, or the secret's usual variable."""
    if shape_of(info).models[0].__name__ == "Secret":
        default = info.get_default(call_default_factory=True, validated_data={}) if not info.is_required() else None
        return {"env": getattr(default, "env", None) or f"EXAMPLE_{name.upper()}"}
    return {}


def _plain_value(info: FieldInfo, shape: Shape, value: Any) -> Any:
    if value is not None:
        return value
    if info.examples:
        return info.examples[0]
    default = None if info.is_required() else info.get_default(call_default_factory=True, validated_data={})
    if default is not None:
        return default
    return {} if shape.container == "named" else None


def _item(lines: Iterator[str]) -> Iterator[str]:
    """A section as an item of a list: its first live key carries the dash."""
    dash = "  - "
    for line in lines:
        yield (dash if not line.startswith("#") else "    ") + line
        if not line.startswith("#"):
            dash = "    "


def _indented(lines: Iterator[str], by: str) -> Iterator[str]:
    return (by + line if line else line for line in lines)
