"""The laws that need documents: a map's examples, read and written.

What can be told from the file alone is refused when a map is compiled; generated documents are the test suite's work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.canonical import dump, parse
from gateway.edi.tree import Loop, Segment
from gateway.findings import FilePlace, Finding
from gateway.mapping.map import Example, Map
from gateway.mapping.rules import finding

Load = Callable[[Example], tuple[Loop, dict[str, Any]] | None]
"""From an example to its tree and its canonical JSON; None where a file is missing."""


def check_map(own: Map, load: Load) -> tuple[Finding, ...]:
    """Every example of `own` read and written; a finding where the result is not the file's."""
    found: list[Finding] = []
    for example in own.examples:
        place = FilePlace(file=example.file, line=example.line, key="examples")
        loaded = load(example)
        if loaded is None:
            said = f"{example.edi}, {example.canonical}"
            found.append(finding("map.example.missing", place, said=said, wanted="both files"))
            continue
        root, wanted = loaded
        found += _check(own, example, place, root, wanted)
    return tuple(found)


def _check(own: Map, example: Example, place: FilePlace, root: Loop, wanted: dict[str, Any]) -> list[Finding]:
    reading = own.read(root)
    model, errors = parse(own.canonical, reading.document)
    if model is None:
        said = f"{example.edi}: {errors[0].text}"
        return [finding("map.example.read", place, said=said, wanted=f"a {own.canonical} without errors")]
    found = []
    difference = _difference(wanted, dump(model), "")
    if difference:
        said = f"{example.edi}: {difference}"
        found.append(finding("map.example.read", place, said=said, wanted=example.canonical))
    for document, name in ((dump(model), example.edi), (wanted, example.canonical)):
        writing = own.write(document)
        if flat(writing.root) != flat(root):
            pairs = zip(flat(writing.root), flat(root), strict=False)
            first = next((f"{a} for {b}" for a, b in pairs if a != b), "another number of segments")
            found.append(finding("map.example.write", place, said=f"{name}: {first}", wanted=example.edi))
        if writing.lost:
            said = f"{name}: {writing.lost[0].pointer} is lost"
            found.append(finding("map.example.write", place, said=said, wanted="every field written"))
    return found


def flat(root: Loop) -> list[tuple[Any, ...]]:
    """The segments of a tree in wire order, as tuples of tag and elements."""
    found: list[tuple[Any, ...]] = []
    waiting: list[Segment | Loop] = [root]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Loop):
            waiting.extend(reversed(here.children))
        else:
            found.append((here.tag, *here.elements))
    return found


def _difference(wanted: Any, got: Any, at: str) -> str:
    if isinstance(wanted, dict) and isinstance(got, dict):
        for name in [*wanted, *(each for each in got if each not in wanted)]:
            if (found := _difference(wanted.get(name), got.get(name), f"{at}/{name}")) != "":
                return found
        return ""
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for number, (left, right) in enumerate(zip(wanted, got, strict=True)):
            if (found := _difference(left, right, f"{at}/{number}")) != "":
                return found
        return ""
    return "" if wanted == got else f"{at}: {got!r}, not {wanted!r}"
