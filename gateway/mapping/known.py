"""What a map can express: the fields its lines name, as a tree beside the document's. What stands outside it
is lost in writing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from gateway.mapping.paths import Path

# The envelope's and the pipeline's fields; never a map's.
NOT_MAPPED: Final = frozenset(
    {"interchange", "group_control_number", "message_reference", "source", "extensions", "business_unit"}
)
Kind = tuple[str | None, tuple[tuple[str, str], ...]]
"""A node's kind and its fixed fields."""
_NONE: Final[Mapping[str, Known]] = MappingProxyType({})
_NO_KINDS: Final[Mapping[Kind, Known]] = MappingProxyType({})


@dataclass(slots=True)
class Known:
    """What is expressed of one object. `leaf`: all of it, whatever is in it."""

    leaf: bool = False
    fields: Mapping[str, Known] = field(default_factory=lambda: _NONE)
    items: Known | None = None
    """Of a list: what is expressed of each item."""
    keyed: tuple[tuple[str, str, bool, Known], ...] = ()
    """Of a list: the first item with this key and value, or with any other value."""
    preset: frozenset[str] = frozenset()
    """Fields that a rule sets to a fixed value."""
    kinds: Mapping[Kind, Known] = field(default_factory=lambda: _NO_KINDS)
    """Of a list of nodes: by kind and fixed fields."""

    passed: frozenset[str] | None = field(default=None, compare=False)

    def skipped(self) -> frozenset[str]:
        """Names of what is expressed whatever it says; known once the map is compiled."""
        if self.passed is None:
            leaves = {name for name, below in self.fields.items() if below.leaf}
            self.passed = frozenset(leaves | self.preset | {"extensions"})
        return self.passed

    def put(self, name: str, below: Known) -> Known:
        """Set what is expressed of a field."""
        if not isinstance(self.fields, dict):
            self.fields = {}
        self.fields[name] = below
        return below

    def put_kind(self, kind: Kind, below: Known) -> None:
        """Set what is expressed of a kind of nodes."""
        if not isinstance(self.kinds, dict):
            self.kinds = {}
        self.kinds[kind] = below

    def at(self, path: Path) -> Known:
        """The place at `path`, made where it is missing."""
        here = self
        for step in path:
            here = here.fields.get(step.name) or here.put(step.name, Known())
            if step.key:
                asked = (step.key, step.value, step.other)
                found = next((own for *key, own in here.keyed if tuple(key) == asked), None)
                if found is None:
                    found = Known() if step.other else Known(fields={step.key: Known(leaf=True)})
                    here.keyed = (*here.keyed, (*asked, found))
                here = found
        return here

    def find(self, path: Path) -> Known | None:
        """The place at `path`; None where nothing was made of it yet."""
        here = self
        for step in path:
            found = here.fields.get(step.name)
            if found is not None and step.key:
                asked = (step.key, step.value, step.other)
                found = next((own for *key, own in found.keyed if tuple(key) == asked), None)
            if found is None:
                return None
            here = found
        return here

    def claim(self, path: Path) -> bool:
        """Mark `path` as expressed; False where it, or a part of it, already was."""
        here = self.at(path)
        if here.leaf or here.fields or here.items is not None:
            return False
        here.leaf = True
        return True


def lost(document: Mapping[str, Any], known: Known, computed: frozenset[str]) -> list[tuple[str, Any]]:
    """Pointer and value of everything in `document` that `known` does not express."""
    found: list[tuple[str, Any]] = []
    skipped = known.skipped() | NOT_MAPPED | computed
    for name, each in document.items():
        if name not in skipped:
            _lost(each, known.fields.get(name), f"/{name}", found)
    return found


def _lost(value: Any, known: Known | None, at: str, found: list[tuple[str, Any]]) -> None:
    if known is None:
        found.append((at, value))
    elif known.leaf:
        return
    elif isinstance(value, dict):
        skipped = known.skipped()
        for name, each in value.items():
            if name not in skipped:
                below = known.fields.get(name)
                if below is None or each.__class__ is not dict or not below.skipped().issuperset(each):
                    _lost(each, below, f"{at}/{name}", found)
    elif isinstance(value, list):
        taken: list[int] = []
        items = known.items if not known.keyed and not known.kinds else None
        skipped = items.skipped() if items is not None and not items.leaf else frozenset()
        for number, each in enumerate(value):
            if items is None:
                _lost(each, _item(each, known, taken), f"{at}/{number}", found)
            elif each.__class__ is not dict or not skipped.issuperset(each):
                _lost(each, items, f"{at}/{number}", found)
    else:
        found.append((at, value))


def _item(value: Any, known: Known, taken: list[int]) -> Known | None:
    if not isinstance(value, dict):
        return known.items
    for number, (key, wanted, other, own) in enumerate(known.keyed):
        if number not in taken and (value.get(key) == wanted) is not other:
            taken.append(number)
            return own
    for (kind, preset), own in known.kinds.items():
        if value.get("kind") == kind and all(value.get(key) == wanted for key, wanted in preset):
            return own
    return known.items
