"""Draws documents that a map of members can express: JSON, XML and CSV."""

from __future__ import annotations

import random
from typing import Any

from gateway.canonical import KINDS
from gateway.canonical.shape import fields
from gateway.mapping.json.scope import Each, JsonScope
from gateway.mapping.moments import Date
from gateway.mapping.pairs import Coded
from gateway.mapping.rows import Rows
from gateway.mapping.xml.pairs import CommaNumber, Day, Elements, Moment, Spelled


class Drawing:
    """A document from a seed. `letters` are those its texts are made of."""

    def __init__(self, seed: int, letters: str) -> None:
        self.random = random.Random(seed)
        self.letters = letters
        self.count = 0

    def document(self, own: Any) -> dict[str, Any]:
        """A document of the map's kind."""
        made: dict[str, Any] = {}
        self.fill(own.scope, made, (KINDS[own.canonical],))
        for pointer, value in own.default:
            *way, last = pointer.split("/")[1:]
            if not way or way[0] in made:
                here = made[way[0]] if way else made
                here[last] = value
        return made

    def text(self) -> str:
        """A text that no other is."""
        self.count += 1
        return "".join(self.random.choices(self.letters, k=self.random.randint(1, 6))) + str(self.count)

    def number(self) -> str:
        """A decimal with its zeros."""
        whole = str(self.random.randint(0, 10 ** self.random.randint(1, 9)))
        return whole + (f".{self.random.randint(0, 999):03d}" if self.random.random() < 0.5 else "")

    def when(self) -> dict[str, str]:
        """A moment of a day, a minute or a second."""
        value, precision = self.random.choice(
            [("2026-05-01", "day"), ("2026-05-01T08:30", "minute"), ("2026-05-01T08:30:59", "second")]
        )
        zone = self.random.choice([None, "UTC", "+02:00", "-11:30"]) if precision != "day" else None
        return {"value": value, "precision": precision, **({"zone": zone} if zone else {})}

    def value(self, pair: Any) -> Any:
        """A value that the pair can write."""
        if isinstance(pair, Moment):
            return self.when()
        if isinstance(pair, Elements):
            texts = [self.text() for _ in range(self.random.randint(1, pair.width or 3))]
            return "\n".join(texts) if pair.joined else texts
        assert isinstance(pair, Spelled)
        if isinstance(pair.inner, Coded):
            return self.random.choice(list(pair.inner.codes.writing))
        if isinstance(pair.inner, (Day, Date)):
            return f"20{self.random.randint(10, 99)}-0{self.random.randint(1, 9)}-28"
        return self.number() if pair.makes == "decimal" or isinstance(pair.inner, CommaNumber) else self.text()

    def fill(self, scope: JsonScope, target: dict[str, Any], models: tuple[Any, ...]) -> None:
        """Fill `target` with what the scope can write."""
        groups: dict[Any, list[Any]] = {}
        for member in scope.members:
            if member.count is None and member.path[-1].name != "source_code":
                groups.setdefault(member.path[:-1], []).append(member)
        for parent, members in groups.items():
            wanted = all(_required(parent[: number + 1], models) for number in range(len(parent)))
            if not wanted and self.random.random() < 0.4:
                continue
            for member in members:
                if _required(member.path, models) or self.random.random() < 0.6:
                    member.put(target, self.value(member.pair))
        for rule in scope.lists:
            if isinstance(rule, Each):
                self.items(rule, target, models)
            elif isinstance(rule, Rows):
                self.stages(rule, 0, target, models)

    def items(self, rule: Each, target: dict[str, Any], models: tuple[Any, ...]) -> None:
        """Items that no other rule would take."""
        found = []
        least = 1 if _required(rule.path, models) else 0
        for _ in range(self.random.randint(least, 3)):
            item: dict[str, Any] = dict(rule.preset)
            self.fill(rule.scope, item, _narrowed(_models(rule.path, models), rule.preset))
            taken = any((key, item.get(key)) == (key, value) for key, value in rule.claimed)
            taken = taken or any(all(item.get(key) == value for key, value in each) for each in rule.elsewhere)
            if len(item) > len(rule.preset) and not taken:
                found.append({**dict(rule.default), **item})
        if found:
            rule.put(target, [*(rule.get(target) or ()), *found])

    def stages(self, rule: Rows, level: int, target: dict[str, Any], models: tuple[Any, ...]) -> None:
        """Items of a stage, each with items of a stage below it."""
        stage = rule.stages[level]
        found = []
        inner = _narrowed(_models(stage.path, models), stage.preset)
        for _ in range(self.random.randint(1, 3)):
            item: dict[str, Any] = dict(stage.preset)
            while len(item) == len(stage.preset):
                self.fill(stage.scope, item, inner)
            if any(all(each.get(name) == value for name, value in item.items()) for each in found):
                continue  # two that say the same, side by side, are one in the rows
            if level + 1 < len(rule.stages):
                below = [
                    place
                    for place in range(level + 1, len(rule.stages))
                    if _models(rule.stages[place].path, inner, missing=True)
                ]
                self.stages(rule, self.random.choice(below), item, inner)
            found.append(item)
        stage.put(target, found)


def _models(path: Any, models: tuple[Any, ...], *, missing: bool = False) -> tuple[Any, ...]:
    for step in path:
        found = [own[step.name] for model in models if step.name in (own := fields(model))]
        if not found and missing:
            return ()
        models = found[0].models
    return models


def _narrowed(models: tuple[Any, ...], preset: Any) -> tuple[Any, ...]:
    kind = dict(preset).get("kind")
    if kind is None:
        return models
    return tuple(model for model in models if model.model_fields["kind"].annotation.__args__[0] == kind)


def _required(path: Any, models: tuple[Any, ...]) -> bool:
    parents = _models(path[:-1], models)
    found = [own[path[-1].name] for model in parents if path[-1].name in (own := fields(model))]
    return any(step.required for step in found)
