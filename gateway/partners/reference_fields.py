"""Which fields of the canonical documents a list of codes may translate: plain texts, by their dotted path."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel

from gateway.canonical import KINDS
from gateway.canonical.shape import fields, near

CLOSED = frozenset({"extensions", "source", "interchange"})
"""What is never translated, nor anything in it."""


def checked(path: str) -> str:
    """`path` itself. ValueError in words where no document has such a field, or it is no free text."""
    models: tuple[type[BaseModel], ...] = tuple(KINDS.values())
    names = path.split(".")
    for number, name in enumerate(names):
        steps = [fields(model)[name] for model in models if name in fields(model) and name not in CLOSED]
        at = ".".join(names[: number + 1])
        if not steps:
            raise ValueError(f"a field of a document; there is no {at}{near(name, _names(models))}")
        models = tuple(below for step in steps for below in step.models)
        if number == len(names) - 1 and not any(
            step.type is str and not step.words and not step.models for step in steps
        ):
            inside = f", such as {at}.{next(iter(sorted(_texts(models))), '')}" if models else ""
            raise ValueError(f"a field that is free text, which {at} is not{inside}")
    return path


def _names(models: Iterable[type[BaseModel]]) -> set[str]:
    return {name for model in models for name in fields(model)} - CLOSED


def _texts(models: Iterable[type[BaseModel]]) -> set[str]:
    return {name for model in models for name, step in fields(model).items() if step.type is str and not step.models}
