"""Canonical to canonical: a partner's words to ours and back, by cross-references. Pure, and nothing is lost.

Ids are added beside those that are there. A unit or code takes the place of another, which stays beside it under
`extensions.references`, so that the way back gives the same. What is not known stays as it is and is a finding.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from gateway.mapping.beside import become, beside, kept, restored
from gateway.mapping.exact import exact, number
from gateway.mapping.missing import Missing, Missings, Side, Unknown, Word
from gateway.mapping.references import ANY, CrossReference, References

QUANTITIES = ("quantity", "shipped", "ordered", "quantity_left_to_receive")
_OF_QUANTITIES, _OF_PRICES = ("value", "unit", "unit_source_code"), ("amount", "basis_quantity")
"""What is kept beside."""
ITEMS = ("item", "substitute_item")
PLACES = frozenset(
    {"ship_to", "ship_from", "mark_for", "delivery_customer", "deliver_to", "store", "warehouse", "pick_up"}
)
"""Roles of parties that `locations` is for, unless the agreement says otherwise; `parties` is for the rest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ids:
    """A partner's ids of `theirs` scheme beside ours of `ours` scheme."""

    theirs: str
    ours: str
    unknown: Unknown = "hold"


@dataclass(frozen=True, kw_only=True, slots=True)
class Codes:
    """A field whose text is translated by a named list."""

    path: tuple[str, ...]
    list: str = "codes"
    unknown: Unknown = "hold"


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreed:
    """What is translated with one partner."""

    items: Ids | None = None
    units: Unknown | None = None
    locations: Ids | None = None
    roles: frozenset[str] = PLACES
    parties: Ids | None = None
    codes: tuple[Codes, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Translation:
    """A document in the other side's words. With `held`, it must not go on."""

    body: dict[str, Any]
    changes: int = 0
    missing: tuple[Missing, ...] = ()
    version: str = ""

    @property
    def held(self) -> tuple[Missing, ...]:
        """What it waits for."""
        return tuple(one for one in self.missing if one.held)


def to_ours(body: Mapping[str, Any], agreed: Agreed, known: References, day: dt.date) -> Translation:
    """A partner's document in our words."""
    return _Walk(agreed, known, day, inward=True).over(body)


def to_theirs(body: Mapping[str, Any], agreed: Agreed, known: References, day: dt.date) -> Translation:
    """Our document in a partner's words; undoes `to_ours`, but for ids that were added."""
    return _Walk(agreed, known, day, inward=False).over(body)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Around:
    """What a node knows from above: the partner's number of the item, and how its line's quantity was converted."""

    item: str = ANY
    row: CrossReference | None = None


@dataclass(slots=True)
class _Walk:
    agreed: Agreed
    known: References
    day: dt.date
    inward: bool
    changes: int = 0
    missing: Missings = field(init=False)

    def __post_init__(self) -> None:
        self.missing = Missings(self.known, self.day)

    def over(self, body: Mapping[str, Any]) -> Translation:
        """Without recursion: a ship notice nests deeply."""
        root = dict(body)
        waiting: list[tuple[dict[str, Any], str, _Around]] = [(root, "", _Around())]
        while waiting:
            node, at, around = waiting.pop()
            around = self._here(node, at, around)
            for key, value in node.items():
                if key in {"extensions", "source", "interchange"}:
                    continue
                if isinstance(value, Mapping):
                    node[key] = copy = dict(value)
                    waiting.append((copy, f"{at}/{key}", around))
                elif isinstance(value, list | tuple):
                    node[key] = copies = [dict(one) if isinstance(one, Mapping) else one for one in value]
                    below = [(one, f"{at}/{key}/{n}", around) for n, one in enumerate(copies) if isinstance(one, dict)]
                    waiting.extend(reversed(below))
        for rule in self.agreed.codes:
            self._code(root, rule)
        return Translation(body=root, changes=self.changes, missing=self.missing.all, version=self.known.version)

    def _here(self, node: dict[str, Any], at: str, around: _Around) -> _Around:
        """Translate what stands in this node; it is ours to change, what is in it is not yet."""
        for key in ITEMS:
            if isinstance(node.get(key), Mapping):
                node[key] = item = dict(node[key])
                if self.agreed.items is not None:
                    self._ids(item, f"{at}/{key}", "items", self.agreed.items)
                if key == "item":
                    around = _Around(item=self._number(item))
        if "role" in node:
            place = node["role"] in self.agreed.roles
            ids = self.agreed.locations if place else self.agreed.parties
            if ids is not None:
                self._ids(node, at, "locations" if place else "parties", ids)
        if self.agreed.locations is not None and isinstance(node.get("location"), Mapping):
            self._place(node, at, self.agreed.locations)
        if self.agreed.units is not None:
            around = self._quantities(node, at, around)
        return around

    def _number(self, item: Mapping[str, Any]) -> str:
        """The partner's number of an item: units may hold for one item only."""
        schemes = [self.agreed.items.theirs] if self.agreed.items else ["supplier", "buyer"]
        return next((value for scheme in schemes if (value := _id(item, scheme)) is not None), ANY)

    def _ids(self, owner: dict[str, Any], at: str, list_: str, ids: Ids) -> None:
        """Add the other side's id; one that is there already is believed."""
        said_in, wanted_in = (ids.theirs, ids.ours) if self.inward else (ids.ours, ids.theirs)
        said = _id(owner, said_in)
        if said is None or _id(owner, wanted_in) is not None:
            return
        # The table's scheme is the partner's, whichever way it is read.
        row = self._row(self._word(list_, ids.theirs, said, f"{at}/ids", unknown=ids.unknown))
        if row is not None:
            owner["ids"] = [*(owner.get("ids") or ()), {"scheme": wanted_in, "value": self._other(row)}]
            self.changes += 1

    def _place(self, node: dict[str, Any], at: str, ids: Ids) -> None:
        """A single id (an allocation's place) is replaced, the former one kept beside."""
        place = dict(node["location"])
        said_in, wanted_in = (ids.theirs, ids.ours) if self.inward else (ids.ours, ids.theirs)
        before = beside(place)
        said, theirs = place.get("value"), before.get("value")
        if not self.inward and before.get("scheme") == wanted_in and self._still("locations", ids.theirs, theirs, said):
            node["location"] = restored(place, {"scheme": wanted_in, "value": theirs})
            self.changes += 1
        elif place.get("scheme") == said_in and isinstance(said, str):
            row = self._row(self._word("locations", ids.theirs, said, f"{at}/location", unknown=ids.unknown))
            if row is not None:
                former = {"scheme": place["scheme"], "value": said}
                node["location"] = self._kept(place | {"scheme": wanted_in, "value": self._other(row)}, former)
                self.changes += 1

    def _code(self, root: dict[str, Any], rule: Codes) -> None:
        """A text at a path; lists on the way are walked through."""
        nodes: list[tuple[Any, str]] = [(root, "")]
        for step in rule.path[:-1]:
            below = [(node[step], f"{at}/{step}") for node, at in nodes if isinstance(node, dict) and node.get(step)]
            nodes = []
            for value, at in below:
                nodes += (
                    [(one, f"{at}/{n}") for n, one in enumerate(value)] if isinstance(value, list) else [(value, at)]
                )
        name = rule.path[-1]
        for node, at in nodes:
            if not isinstance(node, dict) or not isinstance(node.get(name), str) or not node[name]:
                continue
            before = beside(node).get(name)
            if not self.inward and self._still(rule.list, ANY, before, node[name]):
                become(node, restored(node, {name: before}))
                self.changes += 1
            elif (
                row := self._row(self._word(rule.list, ANY, node[name], f"{at}/{name}", unknown=rule.unknown))
            ) is not None:
                other = self._other(row)
                if other != node[name]:
                    become(node, self._kept(node | {name: other}, {name: node[name]}))
                    self.changes += 1

    def _still(self, list_: str, scheme: str, theirs: object, ours: object) -> bool:
        """Whether the partner's word that stands beside still means what stands there."""
        row = self.known.ours(list_, scheme, theirs, self.day) if isinstance(theirs, str) else None
        return row is not None and row.ours == ours

    def _quantities(self, node: dict[str, Any], at: str, around: _Around) -> _Around:
        for key in QUANTITIES:
            if isinstance(node.get(key), Mapping):
                own = bool(node[key].get("unit"))
                node[key], row = self._quantity(node[key], f"{at}/{key}", around.item)
                if own and key in {"quantity", "shipped"}:
                    around = replace(around, row=row)
        if around.row is not None and around.row.factor is not None:
            self._per_unit(node, around.row.factor)
            self._so_far(node, at, around.item, around.row)
        return around

    def _so_far(self, node: dict[str, Any], at: str, item: str, row: CrossReference) -> None:
        """What was shipped so far is a bare number, in the unit of what is shipped."""
        said = number(node.get("cumulative_shipped"))
        if said is None:
            return
        counted = exact(said, row.factor, multiply=self.inward)
        if counted is not None:
            node["cumulative_shipped"] = format(counted, "f")
            return
        word = self._word("units", item, row.ours, f"{at}/cumulative_shipped", unknown=self.agreed.units or "hold")
        self.missing.inexact(word, str(said), row)

    def _quantity(self, said: Mapping[str, Any], at: str, item: str) -> tuple[dict[str, Any], CrossReference | None]:
        """The quantity in the other unit, and the row that says so."""
        quantity = dict(said)
        unit, value = quantity.get("unit"), number(quantity.get("value"))
        if not isinstance(unit, str) or not unit or value is None:
            return quantity, None
        assert self.agreed.units is not None
        if not self.inward and (back := self._back(quantity, unit, value, item)) is not None:
            self.changes += 1
            return back
        if self._is_theirs_already(unit, item):
            return quantity, None
        word = self._word("units", item, unit, f"{at}/unit", unknown=self.agreed.units)
        row = self._row(word)
        if row is None or (row.theirs == row.ours and row.factor is None):
            return quantity, None
        counted = exact(value, row.factor, multiply=self.inward)
        if counted is None:
            self.missing.inexact(replace(word, at=f"{at}/value"), str(quantity["value"]), row)
            return quantity, None
        former = {name: quantity[name] for name in _OF_QUANTITIES if quantity.get(name)}
        quantity.pop("unit_source_code", None)  # it is the code of the former unit
        self.changes += 1
        changed = quantity | {"value": format(counted, "f"), "unit": self._other(row)}
        return self._kept(changed, former), row

    def _is_theirs_already(self, unit: str, item: str) -> bool:
        """On the way out, a unit that is a word of the partner's and none of ours needs no translation."""
        if self.inward or self.known.theirs("units", item, unit, self.day):
            return False
        return self.known.ours("units", item, unit, self.day) is not None

    def _back(
        self, quantity: dict[str, Any], unit: str, value: Decimal, item: str
    ) -> tuple[dict[str, Any], CrossReference] | None:
        """What stood there before `to_ours`, while it still means what the quantity says."""
        before = beside(quantity)
        theirs, counted = before.get("unit"), number(before.get("value"))
        if not isinstance(theirs, str) or counted is None:
            return None
        row = self.known.ours("units", item, theirs, self.day)
        if row is None or row.ours != unit or exact(counted, row.factor, multiply=True) != value:
            return None
        return restored(quantity, {name: before[name] for name in _OF_QUANTITIES if name in before}), row

    def _per_unit(self, node: dict[str, Any], factor: Decimal) -> None:
        """Prices for one of the line's unit follow it; one that names its own basis unit says what it means already."""
        if isinstance(node.get("prices"), list | tuple):
            node["prices"] = [self._price(one, factor) for one in node["prices"]]
        if isinstance(node.get("price"), Mapping):
            node["price"] = self._price(node["price"], factor)

    def _price(self, said: Any, factor: Decimal) -> Any:
        if not isinstance(said, Mapping) or said.get("basis_unit"):
            return said
        price = dict(said)
        amount, basis = number(price.get("amount")), number(price.get("basis_quantity"))
        if amount is None:
            return price
        before = beside(price)
        if not self.inward and _means(before, price, factor):
            return restored(price, {name: before[name] for name in _OF_PRICES if name in before})
        if (one := exact(amount, factor, multiply=not self.inward)) is not None:
            changed = price | {"amount": format(one, "f")}
        elif (many := exact(basis or Decimal(1), factor, multiply=self.inward)) is not None:
            changed = price | {"basis_quantity": format(many, "f")}
        else:
            return price
        former = {name: price[name] for name in _OF_PRICES if price.get(name)}
        return self._kept(changed, former)

    def _other(self, row: CrossReference) -> str:
        return row.ours if self.inward else row.theirs

    def _kept(self, changed: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        """On the way out nothing is kept: what leaves is the partner's own."""
        return kept(changed, before if self.inward else {})

    def _word(self, list_: str, scheme: str, said: str, at: str, *, unknown: Unknown) -> Word:
        side: Side = "theirs" if self.inward else "ours"
        return Word(list=list_, scheme=scheme.strip(), side=side, said=said.strip(), at=at, unknown=unknown)

    def _row(self, word: Word) -> CrossReference | None:
        """The one row for a word; that there is none, or several, is noted."""
        if self.inward:
            row = self.known.ours(word.list, word.scheme, word.said, self.day)
        else:
            rows = self.known.theirs(word.list, word.scheme, word.said, self.day)
            if len(rows) > 1:
                self.missing.ambiguous(word, rows)
                return None
            row = rows[0] if rows else None
        if row is None:
            self.missing.unknown(word)
        return row


def _id(owner: Mapping[str, Any], scheme: str) -> str | None:
    for one in owner.get("ids") or ():
        if isinstance(one, Mapping) and one.get("scheme") == scheme and isinstance(one.get("value"), str):
            return str(one["value"]) or None
    return None


def _means(before: Mapping[str, Any], price: Mapping[str, Any], factor: Decimal) -> bool:
    """Whether the price that stands beside, for one of theirs, is the price that stands there, for one of ours."""
    amounts = number(before.get("amount")), number(price.get("amount"))
    bases = [number(one.get("basis_quantity")) or Decimal(1) for one in (before, price)]
    if amounts[0] is None or amounts[1] is None:
        return False
    return amounts[0] * bases[1] == amounts[1] * bases[0] * factor
