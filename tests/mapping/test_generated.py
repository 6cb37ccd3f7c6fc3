"""Law 1 on generated documents: read(write(d)) = d for whatever a map can express.

Hypothesis chooses the seeds; a document is drawn from the map's own rules: a new line of a map is tested with it.
"""

from __future__ import annotations

import datetime as dt
import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.canonical import KINDS, dump, parse
from gateway.canonical.shape import fields
from gateway.findings import Severity
from gateway.mapping import Map, shipped_map
from gateway.mapping.codes import Codes
from gateway.mapping.pairs import Coded, Date, Fields, Implied, Many, Number, Pairs, Sscc, When
from gateway.mapping.paths import Path
from gateway.mapping.segments.hierarchy import DOCUMENT, Tree
from gateway.mapping.segments.scope import Each, Inside, One, Repeated, Scalars, Scope
from gateway.mapping.segments.segment import Lens, SegmentLens

Json = dict[str, Any]


class Source:
    """Draws documents that the rules of a map can write."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def yes(self, chance: float = 0.5) -> bool:
        """Now and then."""
        return self.random.random() < chance

    def text(self) -> str:
        """Letters that begin none of the maps' qualifiers, so that a free text never selects another rule."""
        return "X" + "".join(self.random.choices("QXZWVY01 é-.", k=self.random.randint(0, 6))) + "W"

    def decimal(self) -> str:
        """As canonical JSON has it."""
        whole = str(self.random.randint(0, 10 ** self.random.randint(1, 9)))
        return whole + (f".{self.random.randint(0, 9999):04d}" if self.yes() else "")

    def money(self) -> str:
        """Two places, now and then below zero."""
        cents = self.random.randint(-(10**6), 10**9)
        return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"

    def date(self) -> str:
        """Any day of four-digit years."""
        return dt.date.fromordinal(self.random.randint(364878, 3652059)).isoformat()

    def when(self, width: int) -> Json:
        """A moment that `width` elements can hold."""
        day = self.date()
        if width == 1 or self.yes():
            return {"value": day, "precision": "day"}
        clock = f"{self.random.randint(0, 23):02d}:{self.random.randint(0, 59):02d}"
        made = {"value": f"{day}T{clock}", "precision": "minute"}
        if self.yes():
            made = {"value": f"{day}T{clock}:{self.random.randint(0, 59):02d}", "precision": "second"}
        if width > 2 and self.yes():
            made["zone"] = self.random.choice(["UTC", "ET", "CD"])
        return made

    def word(self, codes: Codes, but: set[str] = frozenset()) -> str:  # type: ignore[assignment]
        """A word the table can write, or a code it keeps."""
        known = [word for word, code in codes.writing.items() if code not in but and word != codes.rest]
        return self.random.choice(known + (["Q9X"] if codes.keep else []))

    def value(self, pair: Any, width: int, but: set[str]) -> Any:
        """A value the pair can write into `width` elements."""
        if isinstance(pair, Coded):
            return self.word(pair.codes, but)
        if isinstance(pair, Pairs):
            count = self.random.randint(1, min(width // 2, 3))
            return [{"scheme": self.word(pair.codes), "value": self.text()} for _ in range(count)]
        if isinstance(pair, Fields):
            count = self.random.randint(1, width // pair.size)
            return {self.word(pair.codes): self.value(pair.inner, pair.size - 1, set()) for _ in range(count)}
        if isinstance(pair, Many):
            return [self.text() for _ in range(self.random.randint(1, width))]
        if isinstance(pair, When):
            return self.when(width)
        if isinstance(pair, Sscc):
            return "".join(self.random.choices("0123456789", k=18))
        return {Number: self.decimal, Implied: self.money, Date: self.date}.get(type(pair), self.text)()

    def fill(self, lens: SegmentLens, target: Json, models: tuple[Any, ...], but: dict[int, set[str]]) -> bool:
        """Fill the fields of one segment; whether anything was said."""
        said = False
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
                must = lens.label.startswith("PID") and each.key.endswith("02")
                must = must or (not isinstance(each.pair, Fields) and needed(each.path, models))
                if not must and not self.yes():
                    continue
                made = self.value(each.pair, each.last - each.first + 1, but.get(each.first, set()))
                each.put(target, made)
                said = True
                if each.put_beside and isinstance(each.pair, Coded):
                    codes = each.pair.codes
                    own = codes.writing.get(made)
                    others = [code for code, word in codes.reading.items() if word == made and code != own]
                    if others and self.yes():
                        each.put_beside(target, self.random.choice(others))
        return said

    def scope(self, scope: Scope, target: Json, models: tuple[Any, ...], depth: int) -> None:
        """Fill `target` with whatever the rules of a scope can write."""
        for rank, rule in enumerate(scope.rules):
            if isinstance(rule, One):
                self.fill(rule.lens, target, models, {})
            elif isinstance(rule, Inside):
                self.scope(rule.scope, target, models, depth)
            elif isinstance(rule, Scalars) and self.yes():
                rule.put(target, [self.text() for _ in range(self.random.randint(1, 3))])
            elif isinstance(rule, Repeated) and self.yes():
                texts = [self.text() for _ in range(self.random.randint(1, 5))]
                rule.put(target, "\n".join(texts) if rule.joined else texts)
            elif isinstance(rule, Each):
                self.items(rule, scope, rank, target, models, depth)
            elif isinstance(rule, Tree):
                self.nodes(rule, target, models, depth)

    def items(  # noqa: PLR0917  one step of the recursion
        self, rule: Each, scope: Scope, rank: int, target: Json, models: tuple[Any, ...], depth: int
    ) -> None:
        """Items of a list, none of which an earlier rule would take."""
        step = fields(models[0])[rule.path[0].name]
        below = step.models if len(rule.path) == 1 else fields(step.models[0])[rule.path[1].name].models
        required = step.required and len(rule.path) == 1
        taken: dict[int, set[str]] = {}
        for own, other in scope.table[rule.name]:
            if own < rank and isinstance(other, (One, Scalars)):
                for index, codes in other.lens.selectors:
                    taken.setdefault(index, set()).update(codes)
        for number in range(self.random.choice([0, 0, 1, 2]) or required):
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

    def nodes(self, tree: Tree, target: Json, models: tuple[Any, ...], depth: int) -> None:
        """A tree of nodes, up to four levels deep."""
        if not tree.above:
            document = next(level for level in tree.levels.values() if level.kind == DOCUMENT)
            self.scope(document.scope, target, models, depth)
            return
        allowed = [each for each in tree.levels.values() if each.kind != DOCUMENT and tree.above in each.parents]
        kinds = {
            model.model_fields["kind"].annotation.__args__[0]: model for model in fields(models[0])["contents"].models
        }
        found = []
        for _ in range(self.random.randint(0 if depth else 1, 2) if depth < 4 and allowed else 0):
            level = self.random.choice(allowed)
            node: Json = {"kind": level.kind, **dict(level.preset)}
            self.scope(level.scope, node, (kinds[level.kind],), depth + 1)
            found.append(node)
        if found:
            target["contents"] = found

    def document(self, own: Map) -> Json:
        """A canonical document of the map's kind."""
        target: Json = {}
        self.scope(own.scope, target, (KINDS[own.canonical],), 0)
        return target


def needed(path: Path, models: tuple[Any, ...]) -> bool:
    """Whether the model demands the last step of `path` wherever its parent is."""
    step = None
    for part in path:
        step = next(own[part.name] for model in models if part.name in (own := fields(model)))
        models = step.models
    return step is not None and step.required


@pytest.mark.parametrize("name", ["x12/850", "x12/855", "x12/856", "acme/855"])
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_what_is_written_is_read_again(name: str, seed: int) -> None:
    """Nothing is lost, nothing is changed, nothing is kept beside."""
    own = shipped_map(name)
    model, errors = parse(own.canonical, Source(seed).document(own))
    assert not errors
    assert model is not None
    made = json.loads(json.dumps(dump(model)))
    writing = own.write(made)
    assert not writing.lost
    assert all(finding.severity is Severity.ACCEPT for finding in writing.findings)
    reading = own.read(writing.root)
    again, errors = parse(own.canonical, reading.document)
    assert not errors
    assert not reading.unmapped
    assert again == model
