"""What maps have in common is compiled once: a rule without a problem stays with its node, and so does a table.

A delta leaves most of its base alone, and what it leaves alone is the base's own node. What was made of such a node
holds in the delta's map too when it stands at the same place, its tables are the same and all that it takes of the
document is still free; it is then only taken again. Anything else is compiled anew, so that every problem is told as
if nothing were ever shared. What is shared knows nothing of the map it stands in, and nobody changes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.mapping.codes import Codes, read_codes
from gateway.mapping.fields import FieldChecks, How, Place, Taken
from gateway.mapping.hooks import Hooked

if TYPE_CHECKING:
    from pydantic import BaseModel

    from gateway.mapping.rules import Problems
    from gateway.mapping.segments.rule import Rule
    from gateway.mapping.source import Node

Claims = tuple[tuple[str, str], ...]


class Tables(Mapping[str, Codes]):
    """The tables of a map, noting those that a line asks for."""

    def __init__(self, all_: Mapping[str, Codes]) -> None:
        self.all = all_
        self.asked: list[Codes] = []

    def __getitem__(self, name: str) -> Codes:
        table = self.all[name]
        self.asked.append(table)
        return table

    def __iter__(self) -> Iterator[str]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)


@dataclass(frozen=True, slots=True)
class _Made:
    """A rule, all that it depends on, and all that it takes."""

    rule: Rule
    at: tuple[object, ...]
    """Where it stands: label, models, what is claimed of its list, comma, orders, key."""
    tables: tuple[Codes, ...]
    taken: tuple[Taken, ...]
    always: tuple[str, ...]


class Shared(FieldChecks):
    """A compiler that takes a rule as another map has it, where it can."""

    def __init__(self, codes: Mapping[str, Codes], problems: Problems, *, comma: bool) -> None:
        super().__init__(problems)
        self.codes = Tables(codes)
        self.comma = comma
        self.hooks: Mapping[str, Hooked] = {}
        """What the map's lines may name as hook."""
        self.line_orders = False
        """Whether each line of the document says its order."""
        self.always: list[str] = []
        """Labels of segments written for their count alone."""

    def again(self, node: Node, label: str, key: str, place: Place, claimed: Claims) -> Rule | None:
        """The rule that another map made of this very node, all that it takes taken; None where it must be compiled."""
        made = node.made
        if not isinstance(made, _Made) or made.at != (*self._at(label, place.models, claimed), key):
            return None
        if any(self.codes.all.get(table.name) is not table for table in made.tables):
            return None
        if not all(taken.free(place.known) for taken in made.taken):
            return None
        for taken in made.taken:
            self.note(taken, place.known)
        self.codes.asked += made.tables
        self.always += made.always
        return made.rule

    def _at(self, label: str, models: tuple[type[BaseModel], ...], claimed: Claims) -> tuple[object, ...]:
        return label, models, claimed, self.comma, self.line_orders

    def begin(self) -> tuple[int, int, int, int]:
        """How much was noted before a rule is compiled."""
        return len(self.problems.findings), len(self.taken), len(self.codes.asked), len(self.always)

    def keep(  # noqa: PLR0917  what identifies the rule
        self, node: Node, rule: Rule, begun: tuple[int, int, int, int], label: str, place: Place, claimed: Claims
    ) -> None:
        """Leave the rule with its node: for other maps, and so only where the node may stand in others."""
        findings, taken, asked, always = begun
        if node.file in self.problems.files[:1] or len(self.problems.findings) > findings or self.hooks:
            return
        node.made = _Made(
            rule,
            (*self._at(label, place.models, claimed), place.key),
            tuple({table.name: table for table in self.codes.asked[asked:]}.values()),
            _needed([one for known, one in self.taken[taken:] if known is place.known]),
            tuple(self.always[always:]),
        )


def _needed(taken: list[Taken]) -> tuple[Taken, ...]:
    """Without what goes on with a list that the rule has begun itself."""
    own = {one.path for one in taken if one.how is How.FIELD}
    return tuple(one for one in taken if one.how is not How.MORE or one.path not in own)


def compile_codes(node: Node | None, problems: Problems) -> dict[str, Codes]:
    """All code tables of a map."""
    found: dict[str, Codes] = {}
    for name, table in (node.keys if node else {}).items():
        made = table.made
        if not isinstance(made, Codes) or made.name != name:
            before = len(problems.findings)
            made = read_codes(name, table, problems)
            if len(problems.findings) == before:
                table.made = made
        found[name] = made
    return found
