"""What a reading must remember to write the same bytes again: `extensions.x12` or `.edifact` of the nearest object.

    kept    {"PO1": {"16": "ZZ", "02": "007"}}    elements no line names, and forms that writing would not choose
    order   {"": ["BEG", ["XYZ", "a"], "REF"]}    only where the wire's order is not the map's; segments no
    line names in place
    absent  ["CTT"]                               segments with counts that were not there
    hl04    "all"                                 the hierarchy states HL04 everywhere
    root    "none"                                no CPS speaks of the document itself
    unsaid  ["count"]                             a package does not say what is presumed of it
    orders  "lines", {"at": 2, "date": false}     no header RFF+ON; or its place among the references, and without date
    said    ["number", "line"]                    what a line says of its order, where it would be written otherwise

A kept form is written while it still means what the field says; an edited field is written anew. The last
run of a key in
`order` stands for all that remain of it, so that added lines find their place.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any, Final

from gateway.edi.tree import Element, Loop, Repeats, Segment

MAX_DEPTH: Final = 64
_TAG: Final = re.compile(r"[A-Za-z0-9]+\Z")
"""A segment's tag: anything else would bring separators of its own into the interchange."""
Json = dict[str, Any]


def recall(target: Json, syntax: str) -> Json:
    """The memory of `syntax` (x12, edifact) in `target`, empty where there is none or where it has another shape."""
    extensions = target.get("extensions")
    own = extensions.get(syntax) if isinstance(extensions, dict) else None
    return own if isinstance(own, dict) else {}


def remember(target: Json, syntax: str) -> Json:
    """The memory of `syntax` in `target`, made where it is missing."""
    own: Json = target.setdefault("extensions", {}).setdefault(syntax, {})
    return own


def keep(target: Json, syntax: str, label: str, element: int, form: Any) -> None:
    """Remember the wire's form of `element` (from 0), or of the elements from it on, of the segment `label`."""
    elements = remember(target, syntax).setdefault("kept", {}).setdefault(label, {})
    elements[f"{element + 1:02d}"] = form


def kept_of(target: Json, syntax: str, label: str) -> dict[str, Any]:
    """What is kept of the segment `label`."""
    kept = recall(target, syntax).get("kept")
    own = kept.get(label) if isinstance(kept, dict) else None
    return own if isinstance(own, dict) else {}


def pack(child: Segment | Loop) -> Any:
    """A segment as `[tag, elements…]`, a loop as `{name: [children]}`."""
    if isinstance(child, Loop):
        return {child.name: [pack(each) for each in child.children]}
    return [child.tag, *map(form_of, child.elements)]


def unpack(entry: Any, depth: int = 0) -> Segment | Loop | None:
    """What `pack` packed; None for anything else, for it may come from outside."""
    if isinstance(entry, dict) and len(entry) == 1 and depth < MAX_DEPTH:
        name, inside = next(iter(entry.items()))
        children = [unpack(each, depth + 1) for each in inside] if isinstance(inside, list) else [None]
        kept = [each for each in children if each is not None]
        return Loop(str(name), kept) if kept and len(kept) == len(children) else None
    if isinstance(entry, list) and entry and isinstance(entry[0], str) and _TAG.match(entry[0]):
        elements = [element_of(each) for each in entry[1:]]
        kept_elements = [each for each in elements if each is not None]
        return Segment(entry[0], kept_elements) if len(kept_elements) == len(elements) else None
    return None


def form_of(element: Element) -> Any:
    """An element as JSON: text, a list of components, or `{"repeats": [...]}`."""
    if isinstance(element, str):
        return element
    if isinstance(element, tuple):
        return list(element)
    return {"repeats": [form_of(each) for each in element.values]}


def element_of(form: Any) -> Element | None:
    """An element from its JSON form; None where it is none."""
    if isinstance(form, str):
        return form
    if isinstance(form, list) and form and all(isinstance(each, str) for each in form):
        return tuple(form)
    if isinstance(form, dict) and isinstance(form.get("repeats"), list):
        values = [element_of(each) for each in form["repeats"]]
        kept = tuple(each for each in values if isinstance(each, (str, tuple)))
        return Repeats(kept) if kept and len(kept) == len(values) else None
    return None


def squeeze(sequence: list[Any]) -> list[Any]:
    """`sequence` with the last run of each label shortened to one entry."""
    kept: list[Any] = []
    ended: set[str] = set()
    after: Any = None
    for each in reversed(sequence):
        if isinstance(each, str) and each == after and each not in ended:
            continue
        if isinstance(after, str) and after != each:
            ended.add(after)
        kept.append(each)
        after = each
    kept.reverse()
    return kept


def arrange(written: list[tuple[int, str, Segment | Loop]], order: object) -> list[Segment | Loop]:
    """`written` (rank, label, child; by rank) in the remembered `order`; what the order does not know stands
    by rank.
    """
    if not isinstance(order, list):
        return [child for _, _, child in written]
    waiting: dict[str, deque[tuple[int, str, Segment | Loop]]] = {}
    for each in written:
        waiting.setdefault(each[1], deque()).append(each)
    last = {each: place for place, each in enumerate(order) if isinstance(each, str)}
    placed: list[tuple[int, Segment | Loop]] = []
    rank = -1
    for place, entry in enumerate(order):
        if isinstance(entry, str):
            queue = waiting.get(entry, deque())
            count = len(queue) if last[entry] == place else 1
            for _ in range(min(count, len(queue))):
                rank, _, child = queue.popleft()
                placed.append((rank, child))
        else:
            raw = unpack(entry)
            if raw is not None:
                placed.append((rank, raw))
    left = deque(sorted((each for queue in waiting.values() for each in queue), key=lambda each: each[0]))
    arranged: list[Segment | Loop] = []
    for rank, child in placed:
        while left and left[0][0] < rank:
            arranged.append(left.popleft()[2])
        arranged.append(child)
    return [*arranged, *(child for _, _, child in left)]
