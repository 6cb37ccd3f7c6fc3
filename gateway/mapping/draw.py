"""Documents drawn from a map's own rules: everything the map can express comes up, a new line of a map at once.

For the laws, for `gateway partner test` and for the simulator. The same seed draws the same document.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from gateway.canonical import KINDS
from gateway.canonical.check_digits import check_digit
from gateway.canonical.shape import fields
from gateway.edi.generate.dice import Dice
from gateway.mapping.codes import Codes
from gateway.mapping.groups import Allocations, Id, Ids, Many, Pairs, Sscc
from gateway.mapping.map import Map
from gateway.mapping.moments import SHORT_YEARS, Date, Day, Moment, ShortDate, ShortWhen, Stamp, When
from gateway.mapping.pairs import Checked, Coded, Fields, Implied, Number
from gateway.mapping.paths import Path
from gateway.mapping.segments.hierarchy import DOCUMENT, Tree
from gateway.mapping.segments.lens import Lens
from gateway.mapping.segments.more import More
from gateway.mapping.segments.orders import Ordered, lift
from gateway.mapping.segments.packages import Packages
from gateway.mapping.segments.scope import Scope
from gateway.mapping.segments.segment import SegmentLens
from gateway.mapping.segments.several import Each, Repeated, Scalars
from gateway.mapping.segments.single import Inside, One
from gateway.mapping.segments.words import Spot

Json = dict[str, Any]
_DEPTH = 4
_LENGTHS = {"gtin": 14, "gln": 13, "sscc": 18}


def draw(own: Map, seed: int) -> Json:
    """A canonical document of the map's kind, as JSON; not yet parsed."""
    return Drawing(seed).document(own)


class Drawing:
    """Draws documents that the rules of a map can write."""

    def __init__(self, seed: int) -> None:
        self.dice = Dice(seed)

    def yes(self, chance: float = 0.5) -> bool:
        """Now and then."""
        return self.dice.chance(chance)

    def text(self) -> str:
        """Letters that begin none of the maps' qualifiers, so that a free text never selects another rule."""
        return "X" + "".join(self.dice.pick("QXZWVY01 é-.") for _ in range(self.dice.between(0, 6))) + "W"

    def digits(self, count: int) -> str:
        """So many digits."""
        return "".join(self.dice.pick("0123456789") for _ in range(count))

    def decimal(self) -> str:
        """As canonical JSON has it."""
        whole = str(self.dice.between(0, 10 ** self.dice.between(1, 9)))
        return whole + (f".{self.dice.between(0, 9999):04d}" if self.yes() else "")

    def money(self) -> str:
        """Two places, now and then below zero."""
        cents = self.dice.between(-(10**6), 10**9)
        return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"

    def date(self) -> str:
        """Any day of four-digit years."""
        return dt.date.fromordinal(self.dice.between(364878, 3652059)).isoformat()

    def short_date(self) -> str:
        """Any day that YYMMDD can say."""
        first, last = SHORT_YEARS
        days = dt.date(first, 1, 1).toordinal(), dt.date(last, 12, 31).toordinal()
        return dt.date.fromordinal(self.dice.between(*days)).isoformat()

    def when(self, width: int, day: str = "") -> Json:
        """A moment that `width` elements can hold, of `day` where one is given."""
        day = day or self.date()
        if width == 1 or self.yes():
            return {"value": day, "precision": "day"}
        clock = f"{self.dice.between(0, 23):02d}:{self.dice.between(0, 59):02d}"
        made = {"value": f"{day}T{clock}", "precision": "minute"}
        if self.yes():
            made = {"value": f"{day}T{clock}:{self.dice.between(0, 59):02d}", "precision": "second"}
        if width > 2 and self.yes():  # noqa: PLR2004  date, time, zone
            made["zone"] = self.dice.pick(["UTC", "ET", "CD"])
        return made

    def moment(self, field: bool) -> Json:  # noqa: FBT001  of a pair
        """A moment, as a value or as the fields that may hold a period instead."""
        if not field:
            return self.when(2)
        return {"at": self.when(2)} if self.yes() else {"period": self.text(), "period_format": "718"}

    def word(self, codes: Codes, but: set[str] = frozenset()) -> str:  # type: ignore[assignment]
        """A word the table can write, or a code it keeps."""
        known = [
            word
            for word, code in codes.writing.items()
            if code not in but and word != codes.rest and word not in codes.coarse
        ]
        return self.dice.pick(known + (["Q9X"] if codes.keep else []))

    def value(self, pair: Any, width: int, but: set[str]) -> Any:
        """A value the pair can write into `width` elements."""
        if isinstance(pair, Coded):
            return self.word(pair.codes, but)
        if isinstance(pair, (Pairs, Ids)):
            count = self.dice.between(1, min(width // (2 if isinstance(pair, Pairs) else pair.size), 3))
            return [{"scheme": self.word(pair.codes), "value": self.text()} for _ in range(count)]
        if isinstance(pair, Id):
            return {"scheme": self.word(pair.codes), "value": self.text()}
        if isinstance(pair, Fields):
            count = self.dice.between(1, width // pair.size)
            return {self.word(pair.codes): self.value(pair.inner, pair.size - 1, set()) for _ in range(count)}
        if isinstance(pair, Many):
            return [self.text() for _ in range(self.dice.between(1, width))]
        if isinstance(pair, When | ShortWhen):
            return self.when(width, self.short_date() if isinstance(pair, ShortWhen) else "")
        if isinstance(pair, (Stamp, Moment)):
            return self.moment(isinstance(pair, Moment))
        if isinstance(pair, Sscc):
            return self.digits(18)
        if isinstance(pair, Checked):
            digits = self.digits(_LENGTHS[pair.kind] - 1)
            return digits + check_digit(digits)
        made = {Number: self.decimal, Implied: self.money, Date: self.date, ShortDate: self.short_date, Day: self.date}
        return made.get(type(pair), self.text)()

    def allocations(self, pair: Allocations) -> list[Json]:
        """Parts of a quantity for locations, of one or two schemes."""
        made: list[Json] = []
        for _ in range(self.dice.between(1, 2)):
            scheme, unit = self.word(pair.codes), self.dice.pick(["EA", "CT"])
            made += [
                {
                    "location": {"scheme": scheme, "value": self.text()},
                    "quantity": {"value": self.decimal(), "unit": unit},
                }
                for _ in range(self.dice.between(1, 12))
            ]
        return made

    def fill(self, lens: SegmentLens, target: Json, models: tuple[Any, ...], but: dict[Spot, set[str]]) -> bool:
        """Fill the fields of one segment; whether anything was said."""
        said = False
        selecting = {spot for spot, _ in lens.constants}
        groups: dict[Path, list[Lens]] = {}
        for each in lens.lenses:
            groups.setdefault(each.path[:-1], []).append(each)
        for parent, lenses in groups.items():
            required = any(needed(parent[: number + 1], models) for number in range(len(parent)))
            if parent and not required and not self.yes():
                continue
            for each in lenses:
                if each.count is not None:
                    continue
                # A description without a characteristic would be read as the item's name.
                must = lens.label.startswith(("PID", "IMD")) and each.key.endswith(("PID02", "IMD02.1"))
                # What selects the segment is written anyway, and read again as a value.
                must = must or each.address.spots()[0] in selecting
                must = must or (not isinstance(each.pair, Fields) and needed(each.path, models, each.pair))
                if not must and not self.yes():
                    continue
                made = self.value(each.pair, each.address.width, but.get(each.address.spots()[0], set()))
                each.put(target, made)
                said = True
                if each.put_beside and isinstance(each.pair, Coded):
                    codes = each.pair.codes
                    own = codes.writing.get(made)
                    others = [code for code, word in codes.reading.items() if word == made and code != own]
                    if others and self.yes():
                        each.put_beside(target, self.dice.pick(others))
        return said

    def scope(self, scope: Scope, target: Json, models: tuple[Any, ...], depth: int) -> None:
        """Fill `target` with whatever the rules of a scope can write."""
        for rank, rule in enumerate(scope.rules):
            if isinstance(rule, (Scalars, Repeated)) and self.taken(scope, rank, target):
                continue
            if isinstance(rule, One):
                self.fill(rule.lens, target, models, {})
            elif isinstance(rule, Inside):
                self.scope(rule.scope, target, models, depth)
            elif isinstance(rule, Scalars) and self.yes():
                rule.put(target, [self.text() for _ in range(self.dice.between(1, 3))])
            elif isinstance(rule, Repeated) and self.yes():
                lens = rule.lens.lenses[0]
                texts = [self.text() for _ in range(self.dice.between(1, 5))]
                if isinstance(lens.pair, Allocations):
                    lens.put(target, self.allocations(lens.pair))
                else:
                    lens.put(target, "\n".join(texts) if lens.joined else texts)
            elif isinstance(rule, More) and self.yes():
                self.further(rule, target)
            elif isinstance(rule, Each):
                self.items(rule, scope, rank, target, models, depth)
            elif isinstance(rule, (Tree, Packages)):
                self.nodes(rule, target, models, depth)

    @staticmethod
    def taken(scope: Scope, rank: int, target: Json) -> bool:
        """Whether a segment of the rule would be read into a field of its own that is still empty."""
        earlier = [rule for own, rule, *_ in scope.table[scope.rules[rank].name] if own < rank]
        return any(isinstance(rule, One) and rule.claims(target) is not None for rule in earlier)

    def further(self, rule: More, target: Json) -> None:
        """More items of a list, the one that goes into the segment before in front."""
        pair = rule.lens.lenses[0].pair
        assert isinstance(pair, Ids)
        items = [*(rule.get(target) or ())]
        items += [{"scheme": self.word(pair.codes), "value": self.text()} for _ in range(self.dice.between(1, 7))]
        own = next((one for scheme in rule.first for one in items if one["scheme"] == scheme), None)
        rule.put(target, items if own is None else [own, *(one for one in items if one is not own)])

    def items(  # noqa: PLR0917  one step of the recursion
        self, rule: Each, scope: Scope, rank: int, target: Json, models: tuple[Any, ...], depth: int
    ) -> None:
        """Items of a list, none of which an earlier rule would take."""
        step = fields(models[0])[rule.path[0].name]
        below = step.models if len(rule.path) == 1 else fields(step.models[0])[rule.path[1].name].models
        required = step.required and len(rule.path) == 1
        if rule.only:
            model = next(model for model in below if rule.only in fields(model)["kind"].words)
            below, required = (model, Ordered), False
        taken: dict[Spot, set[str]] = {}
        for own, other, *_ in scope.table[rule.name]:
            if own < rank and isinstance(other, (One, Scalars, Inside, Each)):
                lens = other.first if isinstance(other, (Inside, Each)) else other.lens
                for spot, codes in lens.constants:
                    taken.setdefault(spot, set()).update(codes)
        for number in range(self.dice.pick([0, 0, 1, 2]) or required):
            item = dict(rule.preset)
            said = self.fill(rule.first, item, below, taken)
            if rule.is_loop:
                self.scope(Scope("", rule.scope.rules[1:]), item, below, depth)
            if not said and required and not number:
                rule.first.lenses[0].put(item, "X1")
                said = True
            if said and item != dict(rule.preset):
                have = rule.get(target)
                if have is None:
                    rule.put(target, [item])
                else:
                    have.append(item)

    def nodes(self, tree: Tree | Packages, target: Json, models: tuple[Any, ...], depth: int) -> None:
        """A tree of nodes, up to four levels deep."""
        if not tree.above:
            document = next(level for level in tree.levels.values() if level.kind == DOCUMENT)
            self.scope(document.scope, target, models, depth)
            return
        allowed = [each for each in tree.levels.values() if each.kind != DOCUMENT]
        allowed = [each for each in allowed if tree.above in each.parents or isinstance(tree, Packages)]
        kinds = {"".join(fields(model)["kind"].words): model for model in fields(models[0])["contents"].models}
        found = []
        for _ in range(self.dice.between(0 if depth else 1, 2) if depth < _DEPTH and allowed else 0):
            level = self.dice.pick(allowed)
            node: Json = {"kind": level.kind, **dict(level.preset)}
            self.scope(level.scope, node, (kinds[level.kind],), depth + 1)
            for name, value in level.presumed:
                if node.get(name) == value:
                    del node[name]
            found.append(node)
        if found:
            target["contents"] = [*target.get("contents", ()), *found]

    def document(self, own: Map) -> Json:
        """A canonical document of the map's kind."""
        target: Json = {}
        self.scope(own.scope, target, (KINDS[own.canonical],), 0)
        if own.ordered:
            self.orders(target)
            lift(target, own.syntax, memory=False)
        return target

    def orders(self, target: Json) -> None:
        """Few orders, so that several lines are of one; now and then one in all."""
        known: list[Json] = []
        waiting = [target]
        while waiting:
            node = waiting.pop()
            waiting += node.get("contents") or []
            if node.get("order", {}).get("number"):
                known.append(node["order"])
                node["order"] = known[0] if self.yes(0.8) else self.dice.pick(known)
            elif "order" in node:
                del node["order"]
            if known and node.get("kind") == "line" and self.yes(0.9):
                node["order"] = known[0]


def needed(path: Path, models: tuple[Any, ...], pair: Any = None) -> bool:
    """Whether the last step of `path` must be said wherever its parent is: the model demands it, or takes it to say
    what `pair` cannot write.
    """
    step = None
    for part in path:
        step = next(own[part.name] for model in models if part.name in (own := fields(model)))
        models = step.models
    if step is None:
        return False
    return step.required or (bool(step.default) and isinstance(pair, Coded) and pair.codes.write(step.default) is None)
