"""Hooks: a pair of Python functions that a map names where no pair of the language fits, with examples run both ways.

The functions are given; nothing is imported here. A hook that raises, or gives something other than text, has not
understood: the reader makes a finding of it and keeps the wire's form, the writer lists the value as lost. An OurFault
of whoever calls it (it did not end in its time) is no answer about the value, and goes on to whoever reads or writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.canonical.shape import near
from gateway.errors import OurFault
from gateway.mapping.rules import Problems
from gateway.mapping.source import Node

Turn = Callable[[str], str | None]
"""From text to text; None for what it does not understand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """Both directions of one hook."""

    read: Turn
    """From the wire's text to the field's."""
    write: Turn


@dataclass(frozen=True, kw_only=True, slots=True)
class Hooks:
    """The hooks that maps may name."""

    functions: Mapping[str, Hook] = field(default_factory=dict)
    text: str = ""
    """Their source: a part of the version of each map that names one."""
    shown: bool = False
    """Their examples in the map were run before, and were right: they are not run again."""


NO_HOOKS = Hooks()


@dataclass(frozen=True, slots=True)
class Hooked:
    """The pair of a hook, on one element."""

    name: str
    hook: Hook
    makes: str = "text"
    exact: bool = False

    def read(self, text: str) -> str | None:
        """What the text means; None where the hook does not know."""
        return _turned(self.hook.read, text)

    def write(self, value: Any) -> str | None:
        """The text for a value; None where the hook does not know."""
        return _turned(self.hook.write, value) if isinstance(value, str) else None


def _turned(turn: Turn, text: str) -> str | None:
    try:
        made = turn(text)
    except OurFault:
        raise
    except Exception:  # noqa: BLE001  whatever the workspace's own code does wrong is a finding about this value
        return None
    return made if isinstance(made, str) and made else None


def compile_hooks(node: Node | None, hooks: Hooks, problems: Problems) -> dict[str, Hooked]:
    """The hooks that a map lists, each shown by its examples; what is wrong with them goes to `problems`."""
    made: dict[str, Hooked] = {}
    for name, spec in (node.keys if node else {}).items():
        key = f"hooks.{name}"
        hook = hooks.functions.get(name)
        if hook is None:
            wanted = f"read_{name} and write_{name} in the workspace's hooks, and hooks: hooks.py in gateway.yaml"
            said = name + near(name, hooks.functions)
            problems.add("map.hook.unknown", spec.file, spec.line, key, said=said, wanted=wanted)
            continue
        made[name] = pair = Hooked(name, hook)
        for extra in spec.keys.keys() - {"examples"}:
            problems.add(
                "map.key.unknown", spec.keys[extra].file, spec.keys[extra].line, key, said=extra, wanted="examples"
            )
        examples = spec.keys["examples"].items if "examples" in spec.keys else []
        if not examples:
            problems.add("map.hook.example", spec.file, spec.line, key, said="no examples", wanted="one or more")
        for example in () if hooks.shown else examples:
            _show(pair, example, key, problems)
    return made


def _show(pair: Hooked, example: Node, key: str, problems: Problems) -> None:
    """Run one example both ways."""
    wire, value = (example.keys[name].text if name in example.keys else None for name in ("wire", "value"))
    if not wire or not value or example.keys.keys() != {"wire", "value"}:
        said, wanted = ", ".join(example.keys) or "nothing", "{wire: …, value: …}"
        problems.add("map.hook.example", example.file, example.line, key, said=said, wanted=wanted)
        return
    for turn, given, expected in (("read", wire, value), ("write", value, wire)):
        try:
            got = pair.read(given) if turn == "read" else pair.write(given)
        except OurFault:  # _why tells it
            got = None
        if got != expected:
            gives = (
                f"gives {got!r}"
                if got is not None
                else _why(pair.hook.read if turn == "read" else pair.hook.write, given)
            )
            said = f"{turn}_{pair.name}({given!r}) {gives}"
            problems.add("map.hook.example", example.file, example.line, key, said=said, wanted=repr(expected))


def _why(turn: Turn, text: str) -> str:
    """What an example's hook does instead of giving text, by asking it once more."""
    try:
        return f"gives {turn(text)!r}"
    except Exception as fault:  # noqa: BLE001  as above
        return f"raises {type(fault).__name__}: {str(fault)[:200]}"
