"""A map file as nodes: every scalar is text, every node knows its file and line.

Plain YAML would turn ON, NO, 00, 010 and 12:30 into True, False, 0, 8 and 750 (law 6). Anchors, aliases,
tags and duplicate
keys are refused; size and depth are bounded, and nesting is read without recursion.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import yaml

from gateway.mapping.rules import Problems

MAX_BYTES: Final = 512 * 1024
MAX_DEPTH: Final = 24
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KEPT: Final = 64
_SHORT: Final = 2_000
"""A delta is read faster than looked up: only longer texts, the bases that many extend, are kept."""
_known: OrderedDict[tuple[str, str], Node] = OrderedDict()


@dataclass(slots=True)
class Node:
    """A value of the file: text, None for `~`, a list or a mapping. `line` counts from 1 and is the key's in
    a mapping.
    """

    value: str | list[Node] | dict[str, Node] | None
    file: str
    line: int
    made: object = field(default=None, compare=False, repr=False)
    """What a compiler made of it, for the next map in which it stands: `segments.shared`."""

    @property
    def text(self) -> str | None:
        """The text of a scalar, None for anything else."""
        return self.value if isinstance(self.value, str) else None

    @property
    def items(self) -> list[Node]:
        """The items of a list; empty for anything else."""
        return self.value if isinstance(self.value, list) else []

    @property
    def keys(self) -> dict[str, Node]:
        """The keys of a mapping; empty for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    def own(self) -> Node:
        """The same with a list or mapping of its own; what is in it is shared, and stays as it is."""
        value = self.value
        if isinstance(value, list):
            return Node(list(value), self.file, self.line)
        return Node(dict(value) if isinstance(value, dict) else value, self.file, self.line)

    def copy(self) -> Node:
        """The same, to be changed wherever without changing this one."""
        value = self.value
        if isinstance(value, list):
            return Node([each.copy() for each in value], self.file, self.line)
        if isinstance(value, dict):
            return Node({key: each.copy() for key, each in value.items()}, self.file, self.line)
        return Node(value, self.file, self.line)


def read_source(file: str, text: str, problems: Problems) -> Node | None:
    """The nodes of `text`; None, with the reason in `problems`, where it is not a YAML mapping that keeps the rules.

    The same nodes for the same text: whoever changes them copies first.
    """
    if (known := _known.get((file, text))) is not None:
        with suppress(KeyError):  # another thread may drop it meanwhile
            _known.move_to_end((file, text))
        return known
    if len(text) > MAX_BYTES:
        problems.add("map.file.limit", file, 1, "", said=f"{len(text)} characters", wanted=f"at most {MAX_BYTES}")
        return None
    before = len(problems.findings)
    try:
        root = _build(file, text, problems)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        said = getattr(error, "problem", None) or "a character that YAML forbids"
        problems.add("map.file.yaml", file, line, "", said=said, wanted="YAML")
        return None
    if root is None and len(problems.findings) == before:  # an empty file is no map, and no reason to believe it
        problems.add("map.file.shape", file, 1, "", said="nothing", wanted="keys such as document, segments")
    if root is not None and not isinstance(root.value, dict):
        problems.add("map.file.shape", file, root.line, "", said="no mapping", wanted="keys such as document, segments")
        return None
    if root is not None and len(text) > _SHORT and len(problems.findings) == before:
        root = _known.setdefault((file, text), root)
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return root


def _build(file: str, text: str, problems: Problems) -> Node | None:  # noqa: C901, PLR0912  one loop over events
    """Builds nodes from parser events with a stack of its own."""
    root: Node | None = None
    stack: list[tuple[Node, str | None, int]] = []  # the open node, the key waiting for its value, the key's line
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or _tagged(event):
            problems.add("map.file.yaml", file, line, "", said="an anchor, alias or tag", wanted="plain YAML")
            return None
        if isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            stack.pop()
            continue
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            null = event.implicit[0] and event.value in ("", "~", "null")
            node = Node(None if null else event.value, file, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Node([], file, line)
        elif isinstance(event, yaml.MappingStartEvent):
            node = Node({}, file, line)
        else:
            continue
        if not stack:
            if root is not None:
                problems.add("map.file.yaml", file, line, "", said="a second document", wanted="one document")
                return None
            root = node
        else:
            parent, key, key_line = stack[-1]
            if isinstance(parent.value, list):
                parent.value.append(node)
            elif key is None:
                if not isinstance(node.value, str):
                    problems.add("map.file.shape", file, line, "", said="a key that is no text", wanted="a text")
                    return None
                if isinstance(parent.value, dict) and node.value in parent.value:
                    problems.add("map.file.yaml", file, line, node.value, said="the key a second time", wanted="once")
                stack[-1] = (parent, node.value, line)
                continue
            elif isinstance(parent.value, dict):
                node.line = key_line
                parent.value[key] = node
                stack[-1] = (parent, None, line)
        if not isinstance(event, yaml.ScalarEvent):
            stack.append((node, None, line))
            if len(stack) > MAX_DEPTH:
                problems.add("map.file.limit", file, line, "", said="deeper", wanted=f"at most {MAX_DEPTH} levels")
                return None
    return root


def _tagged(event: yaml.Event) -> bool:
    tag = getattr(event, "tag", None)
    return tag is not None and tag != "!"
