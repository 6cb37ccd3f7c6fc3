"""`gateway edi generate`: documents from any guide, valid or with one fault each, for load and other tests."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from gateway.cli.answers import answering, say
from gateway.cli.edi_guides import complete_guide, guide_named
from gateway.cli.edi_progress import COUNTED, Meter
from gateway.cli.edi_reading import Workspace
from gateway.edi.generate import DENSITY, LINES, PER_INTERCHANGE, interchanges
from gateway.edi.library import Guides, standard
from gateway.edi.mutate import MUTATIONS, mutate, mutate_any
from gateway.errors import OurFault
from gateway.partners.guide_files import with_workspace_guides
from gateway.yamltext import near_miss

ANY = "any"


def _complete_mutation(incomplete: str) -> list[str]:
    return [name for name in (ANY, *MUTATIONS) if name.startswith(incomplete)]


def generate(
    *,
    guide: Annotated[
        str, typer.Option("--guide", "-g", help="Its name, such as x12/004010/856.", autocompletion=complete_guide)
    ],
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many documents.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 1,
    density: Annotated[float, typer.Option(min=0, max=1, help="The chance of what is optional.")] = DENSITY,
    lines: Annotated[int, typer.Option(min=1, help="The most lines of a document.")] = LINES,
    per_interchange: Annotated[int, typer.Option(min=1, help="Documents in one interchange.")] = PER_INTERCHANGE,
    mutation: Annotated[
        str | None,
        typer.Option(
            "--mutate",
            help="Make each interchange wrong in one way: its name, or `any`.",
            autocompletion=_complete_mutation,
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; it is replaced.", show_default="standard output")
    ] = None,
    workspace: Workspace = Path(),
) -> None:
    """Generate valid documents from a guide, X12 or EDIFACT: whole interchanges, for load and property tests.

    Values are made up. With --mutate each interchange has exactly one fault, to test what is said about it; those in
    which that fault cannot be made are left out.

    Example: gateway edi generate --guide x12/004010/856 --count 1000 --seed 7 -o ship-notices.edi
    """
    faults: Counter[str] = Counter()
    with answering():
        known = with_workspace_guides(standard(), workspace)
        chosen = guide_named(guide, known)
        if mutation is not None and mutation not in {ANY, *MUTATIONS}:
            meant = near_miss(mutation, list(MUTATIONS))
            remedy = f"did you mean {meant}?" if meant else f"there are any, {', '.join(MUTATIONS)}"
            raise OurFault(f"there is no mutation {mutation}", remedy=remedy)
        made = interchanges(
            chosen, count=count, seed=seed, density=density, lines=lines, per_interchange=per_interchange
        )
        with _opened(output) as out, Meter(count, columns=COUNTED) as meter:
            for number, data in enumerate(made):
                if mutation is None:
                    out.write(data)
                else:
                    name, mutated = _mutated(data, known, mutation, seed + number)
                    faults[name] += 1
                    out.write(mutated)
                meter.add(per_interchange)
            out.flush()
        if mutation is not None and not faults.keys() - {""}:
            raise OurFault(
                f"{mutation} cannot be made in these documents",
                remedy="give another guide, more documents or a higher --density",
            )
    if mutation is not None:
        told = ", ".join(f"{name} {times:,}" for name, times in sorted(faults.items()) if name)
        say(f"wrong in one way each: {told}" + (f"; {faults['']:,} left out" if faults[""] else ""))


def _mutated(data: bytes, guides: Guides, name: str, seed: int) -> tuple[str, bytes]:
    """The name of a fault and an interchange with it; nothing where that fault cannot be made in it."""
    if name == ANY:
        return mutate_any(data, guides=guides, seed=seed)
    mutated = mutate(data, guides=guides, name=name, seed=seed)
    return ("", b"") if mutated is None else (name, mutated)


@contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO]:
    """Where the bytes go. Raises OurFault for a file that cannot be written."""
    if path is None:
        yield sys.stdout.buffer
        return
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise OurFault(
            f"cannot write {path}: {error.strerror}", remedy="check the path, your rights and the space on the disk"
        ) from error
