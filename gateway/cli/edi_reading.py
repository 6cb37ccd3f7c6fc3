"""How `gateway edi` reads: the one place that chooses the reader, the guides, the tolerances and the charset."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.edi.interchange import Event, Interchange
from gateway.edi.library import Guides, standard
from gateway.edi.partial import Mode
from gateway.edi.reading import read, read_all, standard_at
from gateway.edi.tolerances import Tolerances
from gateway.errors import OurFault
from gateway.partners.guide_files import with_workspace_guides
from gateway.yamltext import near_miss

if TYPE_CHECKING:
    from gateway.partners.agreement import Agreement
    from gateway.partners.workspace import Workspace as Loaded


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What the options of a command chose."""

    guides: Guides
    tolerances: Tolerances
    charset: str | None = None
    """That of the data; None: as the interchange declares."""
    partial: Mode = "set"
    """What a refused set takes with it."""
    edifact: Reading | None = None
    """How files of EDIFACT are read, where a partner has another section for them."""

    def events(self, blocks: Iterable[bytes]) -> Iterator[Event]:
        """The events of one file; raises PartnerFault with its findings."""
        rest = iter(blocks)
        first = next(rest, b"")
        own = self._of(first)
        yield from read(chain((first,), rest), guides=own.guides, tolerances=own.tolerances, charset=own.charset)

    def interchanges(self, data: bytes) -> list[Interchange]:
        """All of one file; raises PartnerFault with its findings."""
        own = self._of(data)
        return read_all(data, guides=own.guides, tolerances=own.tolerances, charset=own.charset)

    def _of(self, first: bytes) -> Reading:
        """How a file is read that begins so."""
        return self.edifact if self.edifact is not None and standard_at(first) == "edifact" else self


def reading(
    tolerate: Iterable[str] | None = None,
    charset: str | None = None,
    partner: str | None = None,
    workspace: Path = Path(),
) -> Reading:
    """A reading from options: the partner's agreement, and over it what is said here. Raises OurFault."""
    guides = with_workspace_guides(standard(), workspace)
    own = Reading(guides=guides, tolerances=Tolerances()) if partner is None else of_partner(partner, workspace, guides)
    return _with(own, [*(tolerate or ())], _charset(charset))


def _with(own: Reading, tolerate: list[str], charset: str | None) -> Reading:
    switched_on = {one.name for one in fields(Tolerances) if getattr(own.tolerances, one.name)}
    return Reading(
        guides=own.guides,
        tolerances=_tolerances([*switched_on, *tolerate]),
        charset=charset or own.charset,
        partial=own.partial,
        edifact=None if own.edifact is None else _with(own.edifact, tolerate, charset),
    )


def of_partner(name: str, workspace: Path, guides: Guides) -> Reading:
    """A reading as the agreement with this partner says. Raises OurFault when there is none of that name."""
    from gateway.partners.workspace import load  # noqa: PLC0415  reading a file needs no workspace

    loaded = load(workspace)
    agreements = {one.name: one for one in loaded.agreements}
    if name not in agreements:
        meant = near_miss(name, agreements)
        remedy = f"did you mean {meant}?" if meant else f"partners are: {', '.join(agreements) or 'none'}"
        raise OurFault(f"there is no partner {name}", remedy=remedy)
    return of_agreement(agreements[name], loaded, guides)


def of_agreement(
    agreement: Agreement,
    loaded: Loaded,
    guides: Guides,
    *,
    tolerate: list[str] | None = None,
    charset: str | None = None,
) -> Reading:
    """A reading as this agreement says, and over it what is said here. Raises OurFault."""
    from gateway.partners.guides import syntax_of  # noqa: PLC0415  reading a file needs no workspace

    said = [
        syntax_of(agreement, loaded.guides, standard=guides, dialect=dialect)
        for dialect in (agreement.x12, agreement.edifact)
        if dialect is not None
    ] or [syntax_of(agreement, loaded.guides, standard=guides)]
    made = [
        Reading(guides=one.guides, tolerances=one.tolerances, charset=one.charset, partial=one.partial) for one in said
    ]
    own = made[0] if len(made) == 1 else replace(made[0], edifact=made[1])
    return _with(own, tolerate or [], _charset(charset))


def _tolerances(names: Iterable[str]) -> Tolerances:
    try:
        return Tolerances.named(*names)
    except ValueError as error:
        known = [one.name for one in fields(Tolerances)]
        wrong = next(name for name in names if name not in known)
        meant = near_miss(wrong, known)
        raise OurFault(str(error), remedy=f"did you mean {meant}?" if meant else "choose one of these") from error


def _charset(name: str | None) -> str | None:
    """The charset's name in Python; it must hold ASCII, for the service characters are."""
    if name is None:
        return None
    printable = bytes(range(32, 127))
    try:
        found = codecs.lookup(name).name
        fits = printable.decode(found) == printable.decode("ascii")
    except (LookupError, UnicodeDecodeError):
        fits, found = False, name
    if not fits:
        raise OurFault(
            f"{name} is no charset that EDI can come in", remedy="try utf-8, iso-8859-1, windows-1252 or iso-8859-2"
        )
    return found


def _complete_tolerance(incomplete: str) -> list[str]:
    return [one.name for one in fields(Tolerances) if one.name.startswith(incomplete)]


Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...", help="Files, folders, patterns such as 'in/**/*.edi'; `-` is standard input. Gzip is read."
    ),
]
File = Annotated[str, typer.Argument(metavar="FILE", help="A file; `-` is standard input. Gzip is read.")]
Tolerate = Annotated[
    list[str] | None,
    typer.Option("--tolerate", help="Switch on a tolerance by name; repeatable.", autocompletion=_complete_tolerance),
]
Charset = Annotated[
    str | None,
    typer.Option("--charset", help="The charset of the data, such as windows-1252.", show_default="as declared"),
]
Partner = Annotated[str | None, typer.Option("--partner", help="Read as this partner's agreement says.")]
Workspace = Annotated[
    Path,
    typer.Option(
        "--workspace",
        envvar="GATEWAY_WORKSPACE",
        help="A workspace: its agreements, its own guides.",
        show_default="the current folder",
    ),
]
