"""The workspace's hooks: the Python file that `gateway.yaml` names, its pairs of functions by name.

Only what `hooks:` names is ever run; a workspace without that key runs no code of its own. For a hook `part_number`
the file has `read_part_number(text)` and `write_part_number(text)`.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Final

from gateway.errors import OurFault
from gateway.mapping.hooks import NO_HOOKS, Hook, Hooks
from gateway.partners.hook_calls import START_SECONDS, BoundedTurn, HookThread
from gateway.yamltext import read_yaml

SETTINGS: Final = "gateway.yaml"
_MOST: Final = 1 << 20


def file_of(folder: Path) -> str | None:
    """The file that `gateway.yaml` names; None where it names none, or there is nothing to read."""
    try:
        tree, findings = read_yaml(SETTINGS, (folder / SETTINGS).read_bytes())
    except OSError:
        return None
    named = tree.data.get("hooks") if not findings and isinstance(tree.data, dict) else None
    plain = isinstance(named, str) and named.endswith(".py") and "/" not in named and "\\" not in named
    return str(named) if plain else None


def hooks_of(folder: Path) -> Hooks:
    """The hooks of the workspace in `folder`. OurFault where the file cannot be run."""
    name = file_of(folder)
    if name is None:
        return NO_HOOKS
    try:
        with (folder / name).open("rb") as content:
            source = content.read(_MOST).decode("utf-8")
        module = ModuleType(f"workspace_{name.removesuffix('.py')}")
        code, thread = compile(source, str(folder / name), "exec"), HookThread()
        thread.run(exec, code, module.__dict__, seconds=START_SECONDS)  # gateway.yaml names the file
    except Exception as fault:
        said = f"{type(fault).__name__}: {fault}"
        raise OurFault(
            f"the hooks in {name} cannot be used: {said}", remedy=f"correct {name}, or take hooks: out of {SETTINGS}"
        ) from fault
    functions = vars(module)

    def turn(function: str) -> BoundedTurn:
        return BoundedTurn(thread, f"{function} in {name}", functions[function])

    pairs = {
        (hook := each.removeprefix("read_")): Hook(read=turn(each), write=turn(f"write_{hook}"))
        for each, function in list(functions.items())
        if each.startswith("read_") and callable(function) and callable(functions.get(f"write_{each[5:]}"))
    }
    return Hooks(functions=pairs, text=source)
