"""Valid files made wrong in exactly one way, each way with a name: what a reader must find, in both standards.

A mutation that changes how many segments a message has corrects its trailer, unless the trailer is what it changes:
the fault named is the only one. The same seed gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.edi.generate.dice import Dice
from gateway.edi.library import Guides
from gateway.edi.mutate.elements import ELEMENTS
from gateway.edi.mutate.envelopes import ENVELOPES
from gateway.edi.mutate.hierarchies import HIERARCHIES
from gateway.edi.mutate.segments import SEGMENTS
from gateway.edi.mutate.wire import Mutation, Wire

MUTATIONS: Mapping[str, Mutation] = {**ENVELOPES, **SEGMENTS, **ELEMENTS, **HIERARCHIES}
"""Every mutation by its name; its docstring says what it does."""

__all__ = ["MUTATIONS", "mutate", "mutate_any", "mutations"]


def mutate(data: bytes, *, guides: Guides, name: str, seed: int) -> bytes | None:
    """One valid interchange, made wrong by the mutation of that name; None where it cannot be made wrong so.

    `guides` must know the messages. Raises KeyError for a name that is not in MUTATIONS.
    """
    mutation = MUTATIONS[name]
    wire = Wire(data, guides, Dice(seed, list(MUTATIONS).index(name)))
    segments = mutation(wire)
    return None if segments is None else wire.written(segments)


def mutations(data: bytes, *, guides: Guides, seed: int) -> Iterator[tuple[str, bytes]]:
    """Every mutation that can be made of one valid interchange: its name and the bytes."""
    for name in MUTATIONS:
        mutated = mutate(data, guides=guides, name=name, seed=seed)
        if mutated is not None:
            yield name, mutated


def mutate_any(data: bytes, *, guides: Guides, seed: int) -> tuple[str, bytes]:
    """One valid interchange, made wrong in some way: its name and the bytes."""
    names = list(MUTATIONS)
    at = Dice(seed).below(len(names))
    # Some can always be made: a count can always be wrong.
    made = ((name, mutate(data, guides=guides, name=name, seed=seed)) for name in names[at:] + names[:at])
    return next((name, mutated) for name, mutated in made if mutated is not None)
