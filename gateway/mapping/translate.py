"""Canonical to canonical: a partner's words to ours and back, by cross-references. Pure, and nothing is lost.

Ids are added beside those that are there. A unit or code takes the place of another, which stays beside it under
`extensions.references`, so that the way back gives the same. What is not known stays as it is and is a finding.
"""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation
from typing import Any, Literal

from gateway.findings import Finding, JsonPlace, Severity
from gateway.mapping.references import ANY, CrossReference, References
from gateway.mapping.rules import finding

Unknown = Literal["hold", "keep"]
Side = Literal["theirs", "ours"]

BESIDE = "references"
"""Under `extensions`: what stood there before it was translated."""
QUANTITIES = ("quantity", "shipped", "ordered", "quantity_left_to_receive")
ITEMS = ("item", "substitute_item")
PLACES = frozenset(
    {"ship_to", "ship_from", "mark_for", "delivery_customer", "deliver_to", "store", "warehouse", "pick_up"}
)
"""Roles of parties that `locations` is for, unless the agreement says otherwise; `parties` is for the rest."""
MOST_FINDINGS = 50
MOST_SUGGESTIONS = 3
"""Unknown words of one document that near matches are looked up for; the rest is looked up when an operator asks."""
_DIGITS, _PLACES = 30, Decimal(1).scaleb(-12)
"""As much as a canonical number holds."""


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
class Missing:
    """A word that nothing translates, or nothing translates exactly."""

    list: str
    scheme: str
    side: Side
    said: str
    held: bool
    finding: Finding


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
    missing: dict[tuple[str, str, str, str], Missing] = field(default_factory=dict)

    @property
    def side(self) -> Side:
        return "theirs" if self.inward else "ours"

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
        return Translation(
            body=root, changes=self.changes, missing=tuple(self.missing.values()), version=self.known.version
        )

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
        row = self._row(list_, ids.theirs, said, f"{at}/ids", ids.unknown)
        if row is not None:
            owner["ids"] = [*(owner.get("ids") or ()), {"scheme": wanted_in, "value": self._other(row)}]
            self.changes += 1

    def _place(self, node: dict[str, Any], at: str, ids: Ids) -> None:
        """A single id (an allocation's place) is replaced, the former one kept beside."""
        place = dict(node["location"])
        said_in, wanted_in = (ids.theirs, ids.ours) if self.inward else (ids.ours, ids.theirs)
        before = _beside(place)
        if not self.inward and before.get("scheme") == wanted_in:
            node["location"] = _restored(place, {"scheme": wanted_in, "value": before.get("value")})
            self.changes += 1
        elif place.get("scheme") == said_in and isinstance(place.get("value"), str):
            row = self._row("locations", ids.theirs, place["value"], f"{at}/location", ids.unknown)
            if row is not None:
                kept = {"scheme": place["scheme"], "value": place["value"]}
                node["location"] = self._kept(place | {"scheme": wanted_in, "value": self._other(row)}, kept)
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
            before = _beside(node).get(name)
            if not self.inward and before is not None and self._still(rule.list, before, node[name]):
                _become(node, _restored(node, {name: before}))
                self.changes += 1
            elif (row := self._row(rule.list, ANY, node[name], f"{at}/{name}", rule.unknown)) is not None:
                other = self._other(row)
                if other != node[name]:
                    _become(node, self._kept(node | {name: other}, {name: node[name]}))
                    self.changes += 1

    def _still(self, list_: str, theirs: str, ours: str) -> bool:
        """Whether the partner's word that stands beside still means what stands there."""
        row = self.known.ours(list_, ANY, theirs, self.day)
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
        return around

    def _quantity(self, said: Mapping[str, Any], at: str, item: str) -> tuple[dict[str, Any], CrossReference | None]:
        """The quantity in the other unit, and the row that says so."""
        quantity = dict(said)
        unit, value = quantity.get("unit"), _number(quantity.get("value"))
        if not isinstance(unit, str) or not unit or value is None:
            return quantity, None
        assert self.agreed.units is not None
        if not self.inward and (back := self._back(quantity, unit, value, item)) is not None:
            self.changes += 1
            return back
        if self._is_theirs_already(unit, item):
            return quantity, None
        row = self._row("units", item, unit, f"{at}/unit", self.agreed.units)
        if row is None or (row.theirs == row.ours and row.factor is None):
            return quantity, None
        counted = _exact(value, row.factor, multiply=self.inward)
        if counted is None:
            self._note("reference.inexact", row.list, item, f"{quantity['value']} {unit}", f"{at}/value", row)
            return quantity, None
        kept = {name: quantity[name] for name in ("value", "unit", "unit_source_code") if quantity.get(name)}
        quantity.pop("unit_source_code", None)  # it is the code of the former unit
        self.changes += 1
        changed = quantity | {"value": format(counted, "f"), "unit": self._other(row)}
        return self._kept(changed, kept), row

    def _is_theirs_already(self, unit: str, item: str) -> bool:
        """A unit that is a word of the side we go to, and none of the side we come from, needs no translation."""
        if self.inward:
            return self.known.ours("units", item, unit, self.day) is None and bool(
                self.known.theirs("units", item, unit, self.day)
            )
        return not self.known.theirs("units", item, unit, self.day) and (
            self.known.ours("units", item, unit, self.day) is not None
        )

    def _back(
        self, quantity: dict[str, Any], unit: str, value: Decimal, item: str
    ) -> tuple[dict[str, Any], CrossReference] | None:
        """What stood there before `to_ours`, while it still means what the quantity says."""
        before = _beside(quantity)
        theirs, counted = before.get("unit"), _number(before.get("value"))
        if not isinstance(theirs, str) or counted is None:
            return None
        row = self.known.ours("units", item, theirs, self.day)
        if row is None or row.ours != unit or _exact(counted, row.factor, multiply=True) != value:
            return None
        return _restored(quantity, before), row

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
        amount, basis = _number(price.get("amount")), _number(price.get("basis_quantity"))
        if amount is None:
            return price
        before = _beside(price)
        if not self.inward and _means(before, price, factor):
            return _restored(price, before)
        if (one := _exact(amount, factor, multiply=not self.inward)) is not None:
            changed = price | {"amount": format(one, "f")}
        elif (many := _exact(basis or Decimal(1), factor, multiply=self.inward)) is not None:
            changed = price | {"basis_quantity": format(many, "f")}
        else:
            return price
        kept = {name: price[name] for name in ("amount", "basis_quantity") if price.get(name)}
        return self._kept(changed, kept)

    def _kept(self, changed: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        """With what stood there before beside it. On the way out nothing is kept: what leaves is the partner's own."""
        extensions = dict(changed.get("extensions") or {})
        beside = {name: value for name, value in _beside(changed).items() if name not in before}
        extensions.pop(BESIDE, None)
        if self.inward:
            beside |= before
        if beside:
            extensions[BESIDE] = beside
        rest = {name: value for name, value in changed.items() if name != "extensions"}
        return rest | ({"extensions": extensions} if extensions else {})

    def _other(self, row: CrossReference) -> str:
        return row.ours if self.inward else row.theirs

    def _row(self, list_: str, scheme: str, said: str, at: str, unknown: Unknown) -> CrossReference | None:
        if self.inward:
            row = self.known.ours(list_, scheme, said, self.day)
            if row is None:
                self._note("reference.unknown", list_, scheme, said, at, None, unknown)
            return row
        rows = self.known.theirs(list_, scheme, said, self.day)
        if len(rows) == 1:
            return rows[0]
        self._note("reference.ambiguous" if rows else "reference.unknown", list_, scheme, said, at, None, unknown, rows)
        return None

    def _note(
        self,
        rule: str,
        list_: str,
        scheme: str,
        said: str,
        at: str,
        row: CrossReference | None,
        unknown: Unknown | None = None,
        several: tuple[CrossReference, ...] = (),
    ) -> None:
        """One finding a word, however often the document says it."""
        held = (unknown or self.agreed.units) == "hold"
        key = (rule, list_, scheme, said)
        if key in self.missing or len(self.missing) >= MOST_FINDINGS:
            return
        if rule == "reference.inexact":
            assert row is not None
            wanted, fix = f"a multiple: 1 {row.theirs} is {row.factor} {row.ours}", None
        elif several:
            wanted = f"one word of the partner's, not {' and '.join(one.theirs for one in several[:5])}"
            who = several[0].partner or "all"
            fix = f"gateway reference retire {who} {list_} THEIRS, for the one that holds no more"
        else:
            wanted, fix = self._suggested(list_, scheme, said)
        place = JsonPlace(pointer=at)
        made = finding(rule, place, said=f"{list_} {said!r} ({self.side})", wanted=wanted, fix=fix)
        if not held:
            made = replace(made, severity=Severity.ACCEPT_WITH_ERRORS)
        # A table's word in one line of a command; what waits for a quantity waits for its unit.
        word = said.rsplit(" ", 1)[-1] if rule == "reference.inexact" else said
        self.missing[key] = Missing(list=list_, scheme=scheme, side=self.side, said=word, held=held, finding=made)

    def _suggested(self, list_: str, scheme: str, said: str) -> tuple[str, str]:
        near = self.known.near(list_, said, self.day) if len(self.missing) < MOST_SUGGESTIONS else ()
        words = ", ".join(f"{one.row.theirs} = {one.row.ours} ({one.score} %)" for one in near)
        wanted = f"a word of the cross-references{f'; near: {words}' if words else ''}"
        return wanted, teaching(self.known.partner, list_, scheme, self.side, said, near[0].row if near else None)


def teaching(partner: str, list_: str, scheme: str, side: Side, said: str, near: CrossReference | None = None) -> str:
    """The command that teaches an unknown word; with the other side's word of a row that is near."""
    other = {"theirs": "OURS", "ours": "THEIRS"}[side]
    if near is not None:
        other = shlex.quote(near.ours if side == "theirs" else near.theirs)
    both = (shlex.quote(said), other) if side == "theirs" else (other, shlex.quote(said))
    scheme = f" --scheme {shlex.quote(scheme)}" if scheme and list_ != "units" else ""
    return f"gateway reference learn {partner or 'PARTNER'} {list_} {both[0]} {both[1]}{scheme}"


def _become(node: dict[str, Any], other: dict[str, Any]) -> None:
    """`node` is referred to from above: it stays the same object."""
    node.clear()
    node.update(other)


def _id(owner: Mapping[str, Any], scheme: str) -> str | None:
    for one in owner.get("ids") or ():
        if isinstance(one, Mapping) and one.get("scheme") == scheme and isinstance(one.get("value"), str):
            return str(one["value"]) or None
    return None


def _number(value: object) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


_EXACT = Context(prec=_DIGITS, rounding=ROUND_HALF_EVEN, traps=[Inexact, InvalidOperation])


def _exact(value: Decimal, factor: Decimal | None, *, multiply: bool) -> Decimal | None:
    """`value` times, or by, `factor`, where a canonical number holds it to the last digit."""
    if factor is None:
        return value
    try:
        number = _EXACT.multiply(value, factor) if multiply else _EXACT.divide(value, factor)
        return number if number == number.quantize(_PLACES, context=Context(prec=60)) else None
    except (Inexact, InvalidOperation):
        return None


def _means(before: Mapping[str, Any], price: Mapping[str, Any], factor: Decimal) -> bool:
    """Whether the price that stands beside, for one of theirs, is the price that stands there, for one of ours."""
    amounts = _number(before.get("amount")), _number(price.get("amount"))
    bases = [_number(one.get("basis_quantity")) or Decimal(1) for one in (before, price)]
    if amounts[0] is None or amounts[1] is None:
        return False
    return amounts[0] * bases[1] == amounts[1] * bases[0] * factor


def _beside(node: Mapping[str, Any]) -> dict[str, Any]:
    extensions = node.get("extensions")
    found = extensions.get(BESIDE) if isinstance(extensions, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def _restored(node: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """`node` with what stood beside it in its place again."""
    extensions = dict(node.get("extensions") or {})
    left = {name: value for name, value in _beside(node).items() if name not in before}
    extensions.pop(BESIDE, None)
    if left:
        extensions[BESIDE] = left
    basis = {"basis_quantity"} if "amount" in before else set()
    rest = {name: value for name, value in node.items() if name != "extensions" and name not in basis - set(before)}
    return {**rest, **before, **({"extensions": extensions} if extensions else {})}
