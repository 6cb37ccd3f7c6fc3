"""Reading, checking and mapping documents to canonical JSON, against a bare split of the same bytes in the same run.

`python -m bench.map`. Bare split: segments and elements cut with `bytes.split`, everything thrown away. CPU time of
this process, the least over many short turns that alternate between the rows, because the machine is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.edi import bare_split, order_file
from bench.primitives import cpu_milliseconds
from gateway import canonical
from gateway.canonical.header import Head
from gateway.edi import x12
from gateway.edi.library import standard
from gateway.edi.tree import Message
from gateway.mapping import Map, shipped_map

LINES = 20
"""Lines of the order measured."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One piece of work over the same bytes."""

    name: str
    work: Callable[[], object]


def sets(data: bytes) -> list[Message]:
    """The checked sets in `data`; none has a finding."""
    found = [event for event in x12.read(data, guides=standard()) if isinstance(event, Message)]
    assert found
    assert not any(message.findings for message in found)
    return found


def rows(data: bytes, mapping: Map, kind: str) -> Sequence[Row]:
    """What is measured, each row doing all of the one before and more."""

    def mapped() -> list[Head]:
        models = []
        for message in sets(data):
            reading = mapping.read(message.root)
            model, findings = canonical.parse(kind, reading.document)
            assert model is not None, findings
            models.append(model)
        return models

    def judged() -> None:
        for model in mapped():
            canonical.check(model)
            canonical.digest(canonical.dump(model))

    return (
        Row(name="bare split, segments and elements", work=lambda: bare_split(data)),
        Row(name="read + guide check + tree", work=lambda: sets(data)),
        Row(name="+ map", work=lambda: [mapping.read(message.root) for message in sets(data)]),
        Row(name="+ canonical model, every field validated", work=mapped),
        Row(name="+ invariants, canonical JSON, digest", work=judged),
    )


def main() -> None:
    """Print the table."""
    data = order_file(1, lines=LINES)
    found = rows(data, shipped_map("x12/850"), "purchase_order")
    costs = cpu_milliseconds(*(row.work for row in found))
    print(f"one 850 interchange, {LINES} lines, {len(data)} bytes, guides and map warm")
    print(f"  {'':44}{'CPU ms':>9}{'MB/s':>8}{'x bare':>8}")
    for row, cost in zip(found, costs, strict=True):
        print(f"  {row.name:44}{cost:>9.3f}{len(data) / cost / 1e3:>8.1f}{cost / costs[0]:>8.1f}")


if __name__ == "__main__":
    main()
