"""What stands where in a canonical model: one step from a model through a field, for messages, maps and the
documentation.
"""

from __future__ import annotations

import difflib
import functools
import types
import typing
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What a field holds: `models` (several for a union, none for a plain value), whether it is a list, the
    words if closed.
    """

    models: tuple[type[BaseModel], ...]
    many: bool
    words: tuple[str, ...]
    type: Any
    """The bare type of a plain value: str, Decimal, date, bool, int, dict."""
    required: bool
    description: str
    default: str = ""
    """What a field that nobody says is taken to say."""


@functools.cache
def fields(model: type[BaseModel]) -> dict[str, Step]:
    """The fields of `model` by their JSON names."""
    return {
        field.alias or name: _step(
            field.annotation,
            required=field.is_required(),
            description=field.description or "",
            default=field.default if isinstance(field.default, str) else "",
        )
        for name, field in model.model_fields.items()
    }


@functools.cache
def computed(model: type[BaseModel]) -> dict[str, Step]:
    """The fields of `model` that follow from others and are only ever written."""
    return {
        name: _step(info.return_type, required=False, description=info.description or "")
        for name, info in model.model_computed_fields.items()
    }


def near(name: str, candidates: typing.Iterable[str]) -> str:
    """`, did you mean x?` for the nearest candidate, empty when none is near."""
    found = difflib.get_close_matches(name, list(candidates), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def _step(annotation: Any, *, required: bool, description: str, default: str = "") -> Step:
    many = False
    words: tuple[str, ...] = ()
    models: list[type[BaseModel]] = []
    plain: Any = str
    waiting = [annotation]
    while waiting:
        kind = waiting.pop(0)
        origin = typing.get_origin(kind)
        if origin is Annotated:
            waiting.append(typing.get_args(kind)[0])
        elif origin in (typing.Union, types.UnionType):
            waiting.extend(each for each in typing.get_args(kind) if each is not type(None))
        elif origin is tuple:
            many = True
            waiting.append(typing.get_args(kind)[0])
        elif origin is typing.Literal:
            words += typing.get_args(kind)
        elif origin is dict:
            plain = dict
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            models.append(kind)
        else:
            plain = kind
    return Step(
        models=tuple(models), many=many, words=words, type=plain,
        required=required, description=description, default=default,
    )  # fmt: skip
