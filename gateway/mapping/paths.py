"""A field's path inside the object a rule works on: `order.number`, `.`, `prices[type=unit].amount`.

`[key=value]` is the first item of a list whose key has that value, `[key!=value]` the first whose key has another or
none; writing into a document makes it where it is missing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

_STEP: Final = re.compile(r"([a-z][a-z0-9_]*)(?:\[([a-z][a-z0-9_]*)(!?=)([^\[\]=!]+)\])?\Z", re.ASCII)

Get = Callable[[dict[str, Any]], Any]
Put = Callable[[dict[str, Any], Any], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a field, or an item of a list told by a key."""

    name: str
    key: str = ""
    value: str = ""
    other: bool = False
    """Any value but this one."""

    def __str__(self) -> str:
        sign = "!=" if self.other else "="
        return f"{self.name}[{self.key}{sign}{self.value}]" if self.key else self.name


Path = tuple[Step, ...]
"""Empty for `.`."""


@functools.lru_cache(maxsize=4096)
def read_path(text: str) -> Path | None:
    """The steps of `text`; None where it is no path."""
    if text == ".":
        return ()
    steps = []
    for part in text.split("."):
        found = _STEP.match(part)
        if found is None:
            return None
        steps.append(Step(found[1], found[2] or "", found[4] or "", found[3] == "!="))
    return tuple(steps)


def _item(items: list[dict[str, Any]], step: Step) -> dict[str, Any] | None:
    for each in items:
        if (each.get(step.key) == step.value) is not step.other:
            return each
    return None


def getter(path: Path) -> Get:
    """Reads the path; None where anything on it is missing."""
    if len(path) == 1 and not path[0].key:
        name = path[0].name
        return lambda target: target.get(name)

    def get(target: dict[str, Any]) -> Any:
        here: Any = target
        for step in path:
            here = here.get(step.name)
            if here is not None and step.key:
                here = _item(here, step)
            if here is None:
                return None
        return here

    return get


def putter(path: Path) -> Put:
    """Sets the path, making what is missing on the way."""
    *way, last = path
    name = last.name
    if not way:

        def put_here(target: dict[str, Any], value: Any) -> None:
            target[name] = value

        return put_here

    def put(target: dict[str, Any], value: Any) -> None:
        here = target
        for step in way:
            if step.key:
                items = here.setdefault(step.name, [])
                item = _item(items, step)
                if item is None:
                    item = {} if step.other else {step.key: step.value}
                    items.append(item)
                here = item
            else:
                below = here.get(step.name)
                if below is None:
                    below = here[step.name] = {}
                here = below
        here[name] = value

    return put
