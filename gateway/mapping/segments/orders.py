"""Orders of a ship notice that the wire says line by line (DESADV RFF+ON), and the tree that has them as nodes.

`lowered` takes the order nodes out: each line gets `order`, the nearest above it, and the header a reference to the
order where there is only one. `lift` makes them again, as high as all lines below agree: one order in the whole notice
stands directly under the document. A node that would not come back where it stands is listed as lost.

What the wire left out (`said` of a line, `orders` of the document) is remembered, and used while it means the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel

from gateway.canonical.parts import OrderReference
from gateway.findings import JsonPlace
from gateway.mapping.memory import recall, remember
from gateway.mapping.paths import Step
from gateway.mapping.rules import finding
from gateway.mapping.state import Json, Lost, WriteState
from gateway.mapping.trace import Note

TYPE: Final = "purchase_order"
"""The type of the header's reference to the order."""
Key = tuple[str, str]
"""Number and date of an order."""


class Ordered(BaseModel):
    """What a line has besides its own fields while it is written or read."""

    order: OrderReference | None = None


def lift(document: Json, syntax: str, *, memory: bool = True) -> dict[int, Json]:
    """Make the order nodes of a document just read, in place; by a line's identity its order as it was said."""
    contents = document.get("contents") or []
    lines = list(_lines(contents))
    named = [each for each in document.get("references") or () if each.get("type") == TYPE]
    heads = [each for each in named if each.get("value")]
    head = heads[0] if len(heads) == 1 else None
    stated = {id(line): line.pop("order", None) or {} for line in lines}
    dates = _dates([*stated.values(), *([_of_reference(head)] if head else [])])
    default = _key(_of_reference(head), dates) if head else None
    keys = {id(line): _key(stated[id(line)], dates) or default for line in lines}
    one = set(keys.values()) or {default}
    single = next(iter(one)) if len(one) == 1 else None
    plain = bool(head and single and single == default and head.keys() <= {"type", "value", "date"} and _is_day(head))
    dated = plain and bool(head) and "date" in (head or {})
    if memory and single:
        place = document["references"].index(head) if plain and head else -1
        if place < 0 and not named:
            remember(document, syntax)["orders"] = "lines"
        elif place > 0 or (plain and single[1] and not dated):
            remember(document, syntax)["orders"] = {"at": place, "date": dated}
    for line in lines:
        _settle(line, stated[id(line)], keys[id(line)], dated, syntax if memory else "")
    if plain:
        document["references"] = [each for each in document["references"] if each is not head]
        if not document["references"]:
            del document["references"]
    if single and contents:
        document["contents"] = [_node(single, contents)]
    elif contents:
        document["contents"] = _grouped(contents, keys)
    return stated


def rehung(notes: list[Note], stated: dict[int, Json], document: Json) -> list[Note]:
    """Notes on what lines and header said of orders, as notes on the nodes made of it."""
    if not notes:
        return notes
    above: dict[int, Json] = {}
    waiting = [(node, None) for node in document.get("contents") or []]
    while waiting:
        node, order = waiting.pop()
        order = node if node.get("kind") == "order" else order
        if order is not None:
            above[id(node)] = order
        waiting += [(each, order) for each in node.get("contents") or []]
    made: list[Note] = []
    for note in notes:
        if note.lens.path[:1] == (Step("order"),) and id(note.target) in stated:
            if id(note.target) in above:
                made.append(replace(note, target=above[id(note.target)]))
        elif note.lens.path != (Step("order_line_id"),) or "order_line_id" in note.target:
            made.append(note)
    return made


def _settle(line: Json, stated: Json, key: Key | None, dated: bool, syntax: str) -> None:  # noqa: FBT001
    """Leave out the line's number in the order where it is its own, and remember what was not said as usual."""
    if key is None:
        return
    said = [name for name, there in zip(("number", "date"), ("number", "issue_date"), strict=True) if there in stated]
    if "order_line_id" in line:
        said.append("line")
        if line["order_line_id"] == line.get("line_id"):
            del line["order_line_id"]
    if syntax and said != _usual(line, key, dated):
        remember(line, syntax)["said"] = said


def _usual(line: Json, key: Key, dated: bool) -> list[str]:  # noqa: FBT001
    """What a line says of its order unless it is remembered otherwise; `dated`: the header says the date."""
    there = (True, bool(key[1]) and not dated, bool(line.get("order_line_id") or line.get("line_id")))
    return [name for name, is_there in zip(("number", "date", "line"), there, strict=True) if is_there]


def _grouped(nodes: list[Json], keys: dict[int, Key | None]) -> list[Json]:
    """Runs of neighbours of one order under a node for it; what is of several is looked into."""
    made: list[Json] = []
    current: Key | None = None
    for node in nodes:
        found = {keys[id(line)] for line in _lines([node])}
        key = next(iter(found)) if len(found) == 1 else None
        if not found and current is not None:
            key = current
        if key is None:
            if "contents" in node:
                node["contents"] = _grouped(node["contents"], keys)
            made.append(node)
        elif key == current:
            made[-1]["contents"].append(node)
        else:
            made.append(_node(key, [node]))
        current = key
    return made


def _node(key: Key, contents: list[Json]) -> Json:
    number, date = key
    order = {"number": number, **({"issue_date": date} if date else {})}
    return {"kind": "order", "order": order, "contents": contents}


class Lowered:
    """A document without order nodes, and where its nodes were."""

    def __init__(self, document: Json, syntax: str) -> None:
        """Say what is remembered where it still means what the document says."""
        self.given = document
        self.pointers: dict[str, str] = {}
        self.lost: list[Lost] = []
        self.document = self._lower(document, syntax)
        if not self._comes_back(syntax):
            self.document = self._lower(document, "")
            if not self._comes_back(syntax):
                self._lose()
        self.document = self._lower(document, syntax if not self.lost and self.remembered else "")

    def _lower(self, document: Json, syntax: str) -> Json:
        self.remembered = bool(syntax)
        self.pointers = {}
        place = recall(document, syntax).get("orders") if syntax else None
        found: list[Key | None] = []
        nodes = self._stripped(document.get("contents") or [], None, "/contents", "/contents", found)
        keys = set(found)
        if not keys:  # no lines: an order of packages alone
            keys = {_key(each["order"], {}) for each in _orders(document.get("contents") or [])}
        single = next(iter(keys)) if len(keys) == 1 else None
        references = list(document.get("references") or ())
        header = single is not None and place != "lines" and all(each.get("type") != TYPE for each in references)
        dated = header
        if header and single:
            spot = place.get("at") if isinstance(place, dict) else 0
            dated = not isinstance(place, dict) or place.get("date") is not False
            reference = _reference(single if dated else (single[0], ""))
            references.insert(spot if isinstance(spot, int) and 0 <= spot <= len(references) else 0, reference)
        for line in _lines(nodes):
            _state(line, dated, syntax)
        made = {**document, "contents": nodes}
        if references:
            made["references"] = references
        return made

    def _stripped(
        self, nodes: list[Json], order: Json | None, given: str, at: str, found: list[Key | None]
    ) -> list[Json]:
        """Copies of the nodes without orders between them, lines first: the wire has them before packages."""
        flat = list(_transparent(nodes, order, given))
        flat.sort(key=lambda each: each[0].get("kind") != "line")
        made: list[Json] = []
        for number, (node, own, pointer) in enumerate(flat):
            below = f"{at}/{number}"
            self.pointers[below] = pointer
            copy = dict(node)
            if copy.get("kind") == "line":
                found.append(_key(own or {}, {}))
                if own and own.get("number"):
                    copy["order"] = {name: own[name] for name in ("number", "issue_date") if own.get(name)}
            if copy.get("contents"):
                inside = f"{below}/contents"
                copy["contents"] = self._stripped(copy["contents"], own, f"{pointer}/contents", inside, found)
            made.append(copy)
        return made

    def _comes_back(self, syntax: str) -> bool:
        self.again = self.document
        lift(self.again, syntax, memory=False)
        same = _bare(self.again.get("contents") or []) == _bare(self.given.get("contents") or [])
        return same and list(self.again.get("references") or ()) == list(self.given.get("references") or ())

    def _lose(self) -> None:
        """List the orders that would stand elsewhere."""
        reason = "an order where all lines below it and none beside it are of it: the wire says the order of each line"
        pairs = _moved(_bare(self.given.get("contents") or []), _bare(self.again.get("contents") or []), "/contents")
        self.lost += [Lost(pointer=pointer, value=str(order.get("number")), reason=reason) for pointer, order in pairs]
        if not self.lost:
            same = list(self.again.get("references") or ()) == list(self.given.get("references") or ())
            pointer = "/contents" if same else "/references"
            wanted = "lines before packages" if same else "the order as a node of the tree, not as a reference too"
            self.lost.append(Lost(pointer=pointer, value="another order of the same", reason=wanted))

    def name(self, state: WriteState) -> None:
        """Give what was lost the pointers of the document as it was given, and list what will stand elsewhere."""
        state.lost = [*self.lost, *(replace(each, pointer=self.pointer(each.pointer)) for each in state.lost)]
        for number, each in enumerate(state.findings):
            if isinstance(each.place, JsonPlace):
                place = JsonPlace(pointer=self.pointer(each.place.pointer))
                state.findings[number] = replace(each, place=place)
        state.findings += [
            finding("map.write.order", JsonPlace(pointer=each.pointer), said=each.value, wanted=each.reason)
            for each in self.lost
        ]

    def pointer(self, at: str) -> str:
        """The pointer in the document as it was given."""
        here = at
        while here and here not in self.pointers:
            here = here.rpartition("/")[0]
        return self.pointers[here] + at[len(here) :] if here else at


def _bare(nodes: list[Json]) -> list[Json]:
    """The tree with no more of its orders than a line can say."""
    made: list[Json] = []
    for node in nodes:
        copy = dict(node)
        if node.get("kind") == "order":
            order = node.get("order") or {}
            copy = {"kind": "order", "order": {name: order[name] for name in ("number", "issue_date") if name in order}}
        if node.get("contents"):
            copy["contents"] = _bare(node["contents"])
        made.append(copy)
    return made


def _transparent(nodes: list[Json], order: Json | None, given: str) -> Iterator[tuple[Json, Json | None, str]]:
    """The nodes that are no orders, each with the order nearest above and its pointer."""
    for number, node in enumerate(nodes):
        pointer = f"{given}/{number}"
        if node.get("kind") == "order":
            own = node.get("order") or {}
            yield from _transparent(node.get("contents") or [], own, f"{pointer}/contents")
        else:
            yield node, order, pointer


def _moved(given: list[Json], again: list[Json], at: str) -> Iterator[tuple[str, Json]]:
    """Pointer and order of the nodes that do not come back where they stand."""
    for number, node in enumerate(given):
        other = again[number] if number < len(again) else {}
        pointer = f"{at}/{number}"
        same = node.get("kind") == other.get("kind") and node.get("order") == other.get("order")
        inside, there = node.get("contents") or [], other.get("contents") or []
        if not same or len(inside) != len(there):
            yield from _pointed([node], at, number)
        else:
            yield from _moved(inside, there, f"{pointer}/contents")


def _pointed(nodes: list[Json], at: str, first: int = 0) -> Iterator[tuple[str, Json]]:
    """Every order below, the nodes' own included."""
    for number, node in enumerate(nodes, first):
        if node.get("kind") == "order":
            yield f"{at}/{number}", node.get("order") or {}
        yield from _pointed(node.get("contents") or [], f"{at}/{number}/contents")


def _state(line: Json, dated: bool, syntax: str) -> None:  # noqa: FBT001
    """What the line says of its order."""
    order = line.get("order")
    if order is None:
        return
    key = _key(order, {}) or ("", "")
    said = recall(line, syntax).get("said") if syntax and "extensions" in line else None
    if not isinstance(said, list):
        said = _usual(line, key, dated)
    if "line" in said and (answers := line.get("order_line_id") or line.get("line_id")):
        line["order_line_id"] = answers
    kept = {"number": key[0]} if "number" in said else {}
    if "date" in said and key[1]:
        kept["issue_date"] = key[1]
    if kept:
        line["order"] = kept
    else:
        del line["order"]


def _lines(nodes: list[Json]) -> Iterator[Json]:
    for node in nodes:
        if node.get("kind") == "line":
            yield node
        yield from _lines(node.get("contents") or [])


def _orders(nodes: list[Json]) -> Iterator[Json]:
    for node in nodes:
        if node.get("kind") == "order":
            yield node
        yield from _orders(node.get("contents") or [])


def _key(order: Json, dates: dict[str, set[str]]) -> Key | None:
    """An order's number and date, the date as others say it where it does not."""
    number = order.get("number")
    if not number:
        return None
    known = dates.get(number, set())
    return number, order.get("issue_date") or (next(iter(known)) if len(known) == 1 else "")


def _dates(orders: list[Json]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for order in orders:
        if order.get("number") and order.get("issue_date"):
            found.setdefault(order["number"], set()).add(order["issue_date"])
    return found


def _reference(key: Key) -> Json:
    number, date = key
    when = {"date": {"value": date, "precision": "day"}} if date else {}
    return {"type": TYPE, "value": number, **when}


def _of_reference(reference: Json) -> Json:
    value: Any = (reference.get("date") or {}).get("value") or ""
    return {"number": reference["value"], **({"issue_date": value[:10]} if len(value) >= len("2026-11-20") else {})}


def _is_day(reference: Json) -> bool:
    date = reference.get("date")
    return date is None or (date.keys() == {"value", "precision"} and date["precision"] == "day")
