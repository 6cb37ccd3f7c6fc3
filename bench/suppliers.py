"""Many invented suppliers: agreements like that of the demo's, orders for each, ship notices that name their sender.

All of them are one station: keys, certificate and address are the demo's supplier's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.load import CARTONS, Effect, Json, Parties, Prepared, Supplier, notice_number, notices, order
from gateway.demo.workspaces import Demo

NOTICES_FOR_AN_ORDER = 100
"""Of one supplier. Each notice looks at the earlier ones of its order, a little."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suppliers:
    """Who they are, and whose turn it is: notice n is of supplier n modulo their number."""

    all: tuple[Supplier, ...]

    @classmethod
    def of(cls, count: int) -> Suppliers:
        """So many, p000 and so on."""
        made = (
            Supplier(name=f"p{n:03}", as2_id=f"P{n:03}-AS2", x12_id=f"P{n:03}", vendor=f"V-P{n:03}")
            for n in range(count)
        )
        return cls(all=tuple(made))

    def agree(self, demo: Demo, *, terms: Callable[[int], str] = lambda _: "") -> None:
        """Write their agreements: acme's, with other names and further lines. 997s only for what is wrong.

        A lane would otherwise have a second message for each: that is measured elsewhere.
        """
        folder = demo.gateway / "partners"
        text = (folder / "acme.yaml").read_text(encoding="utf-8")
        text = re.sub(r"x12:\n", "x12:\n  answer: refused\n", text, count=1)
        for number, one in enumerate(self.all):
            own = text
            for theirs, his in (("ACME-AS2", one.as2_id), ("ACMETOOLS", one.x12_id), ("V-1001", one.vendor)):
                own = own.replace(theirs, his)
            (folder / f"{one.name}.yaml").write_text(f"{own}{terms(number)}", encoding="utf-8")

    def order_of(self, number: int) -> tuple[int, Supplier]:
        """The order that a notice answers, by its number among all orders, and who has it."""
        turn, whose = divmod(number, len(self.all))
        return whose + turn // NOTICES_FOR_AN_ORDER * len(self.all), self.all[whose]

    def orders(self, count: int) -> list[Json]:
        """The orders that so many notices answer."""
        needed = 1 + max((self.order_of(number)[0] for number in range(count)), default=0)
        return [order(index, self.all[index % len(self.all)]) for index in range(needed)]

    def notices(self, parties: Parties, numbers: Iterable[int], *, cartons: int = CARTONS) -> Iterator[Prepared]:
        """Notices with these numbers, built."""
        return notices(parties, self.order_of, numbers, cartons=cartons)

    def effect(self, number: int) -> Effect:
        """What the notice with this number is to the ERP."""
        return "ship_notice", notice_number(number, self.all[number % len(self.all)])


def inversions(effects: Sequence[Effect]) -> tuple[int, list[str]]:
    """How many documents stand after a later one of the same sender, and the first of them in words."""
    last: dict[str, int] = {}
    found = []
    for _, name in effects:
        sender, _, number = name.rpartition("-")
        if int(number) < last.get(sender, -1):
            found.append(f"{name} after {last[sender]:06}")
        last[sender] = max(int(number), last.get(sender, -1))
    return len(found), found[:5]
