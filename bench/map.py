"""Reading, checking and mapping documents to canonical JSON, against a bare split of the same bytes in the same run.

`python -m bench.map`. Bare split: segments and elements cut with `bytes.split`, everything thrown away. CPU time of
this process, the least over many short turns that alternate between the rows, because the machine is shared.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.edi import bare_split, blocks, order_file
from bench.primitives import cpu_milliseconds
from gateway import canonical
from gateway.canonical.header import Head
from gateway.edi import x12
from gateway.edi.library import standard
from gateway.edi.tree import Message
from gateway.edi.write import write_message
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


def both_ways(data: bytes, mapping: Map, seconds: float = 6.0) -> dict[str, float]:
    """CPU ms of the yardstick and of the map's two directions: the least of many turns. Trees are made outside."""
    (first,) = sets(data)
    document = mapping.read(first.root).document
    text = json.dumps(document, ensure_ascii=False)

    def yardstick() -> None:
        bare_split(data)
        json.dumps(document)

    def to_json(message: Message) -> None:
        json.dumps(mapping.read(message.root).document, ensure_ascii=False)

    def to_edi() -> None:
        write_message("850", "0001", mapping.write(json.loads(text)).root)

    best = {"yardstick": float("inf"), "tree → JSON": float("inf"), "JSON → EDI": float("inf")}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        fresh = sets(data)[0]  # its tree is hung, and its segments cut, when the map looks
        for name, work in (("yardstick", yardstick), ("tree → JSON", lambda: to_json(fresh)), ("JSON → EDI", to_edi)):  # noqa: B023
            started = time.process_time()
            work()
            best[name] = min(best[name], (time.process_time() - started) * 1000)
    return best


def to_ndjson(data: bytes, mapping: Map) -> int:
    """Every set of a file as a line of canonical JSON; how many bytes."""
    written = 0
    for event in x12.read(blocks(data), guides=standard()):
        if isinstance(event, Message):
            written += len(json.dumps(mapping.read(event.root).document, ensure_ascii=False)) + 1
    return written


def whole_file(size: int, mapping: Map) -> None:
    """Print what a file of `size` MB costs, against its bare split."""
    data = order_file(size * 1_000_000, lines=LINES)
    costs = []
    for work in (lambda: bare_split(data), lambda: to_ndjson(data, mapping)):
        started = time.process_time()
        work()
        costs.append(time.process_time() - started)
    bare, mapped = costs
    print(
        f"\n850 file of {size} MB to canonical NDJSON: {mapped:.1f} s CPU, {size / mapped:.1f} MB/s, "
        f"{mapped / bare:.1f} x bare split"
    )


def main(arguments: Sequence[str] = ()) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench map")
    parser.add_argument("--size", type=int, default=4, help="MB of the whole file")
    size = parser.parse_args(arguments).size
    data = order_file(1, lines=LINES)
    mapping = shipped_map("x12/850")
    found = rows(data, mapping, "purchase_order")
    costs = cpu_milliseconds(*(row.work for row in found))
    print(f"one 850 interchange, {LINES} lines, {len(data)} bytes, guides and map warm")
    print(f"  {'':44}{'CPU ms':>9}{'MB/s':>8}{'x bare':>8}")
    for row, cost in zip(found, costs, strict=True):
        print(f"  {row.name:44}{cost:>9.3f}{len(data) / cost / 1e3:>8.1f}{cost / costs[0]:>8.1f}")
    print("\nthe map alone, against a bare split of the set plus json.dumps of its canonical form")
    best = both_ways(data, mapping)
    for name, cost in best.items():
        print(f"  {name:44}{cost:>9.3f}{cost / best['yardstick']:>8.1f} x")
    whole_file(size, mapping)


if __name__ == "__main__":
    main(sys.argv[1:])
