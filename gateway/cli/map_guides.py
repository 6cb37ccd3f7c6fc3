"""`gateway map` and guides: a map held against those it names, and what it wrote against one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.edi import library
from gateway.edi.guide import Guide
from gateway.edi.library import Guides
from gateway.edi.tree import Loop
from gateway.errors import OurFault
from gateway.findings import Finding
from gateway.mapping import Map, Sources, finder, trace
from gateway.mapping.rules import Problems
from gateway.mapping.segments.guided import against_guides
from gateway.mapping.written import check_written
from gateway.partners.guide_files import with_workspace_guides
from gateway.partners.guides import GuideShelf
from gateway.yamltext import near_miss


class Desk:
    """The guides of a workspace, partners' and the gateway's, for one run of a command."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.shelf = GuideShelf(workspace)
        self._all: Guides | None = None

    @property
    def all(self) -> Guides:
        """The gateway's and those of whole versions in the workspace."""
        if self._all is None:
            self._all = with_workspace_guides(library.standard(), self.workspace)
        return self._all

    def find(self, name: str) -> Guide | None:
        """A guide that can be used."""
        made, _ = self.shelf.resolve(name)
        return made.guide if made else None

    def findings(self, name: str, sources: Sources) -> tuple[Finding, ...]:
        """What is wrong with the guide in the map's file, and with the map by all its guides."""
        problems = Problems()
        resolved = trace(name, finder(sources), problems)
        if resolved.root is None:
            return ()
        problems.findings.clear()  # they are told when the map is compiled
        own, found = self.shelf.resolve(name) if "guide" in resolved.root.keys else (None, ())
        against_guides(resolved.root, self.find, problems, own.guide if own else None)
        return (*found, *problems.findings)

    def refused(self, own: Map, root: Loop, named: str | None) -> tuple[Finding, ...]:
        """What the guide refuses in a set that was written; without a name the map's guides, one of which must take it.

        Raises OurFault for a guide that is not there.
        """
        guides = [self.guide(named)] if named else self.guides_of(own)
        first: tuple[Finding, ...] = ()
        for guide in guides:
            found = check_written(own, root, guide, self.all)
            if not found:
                return ()
            first = first or found
        return first

    def guides_of(self, own: Map) -> list[Guide]:
        """The guide in the map's own file, or those that it names."""
        mine = self.find(own.name) if own.name in self.shelf.names() else None
        return [mine] if mine else [guide for name in own.guides if (guide := self.find(name))]

    def guide(self, name: str) -> Guide:
        """The guide of that name. Raises OurFault."""
        found, findings = self.shelf.resolve(name)
        if found is None:
            names = [*self.all.names(), *self.shelf.names()]
            meant = near_miss(name, names)
            remedy = f"did you mean {meant}?" if meant and meant != name else "list them: gateway edi guides"
            raise OurFault(f"the guide {name} cannot be used", remedy=remedy, findings=findings)
        return found.guide


def complete_any_guide(ctx: typer.Context, incomplete: str) -> list[str]:
    """The gateway's guides and the workspace's, for shells."""
    desk = Desk(Path(str(ctx.params.get("workspace") or ".")))
    return [name for name in (*desk.all.names(), *desk.shelf.names()) if name.startswith(incomplete)]


ByGuide = Annotated[
    str | None,
    typer.Option(
        "--guide",
        help="The guide that must take what is written: x12/004010/855, acme/855; the map's own without.",
        autocompletion=complete_any_guide,
    ),
]
Unchecked = Annotated[bool, typer.Option("--unchecked", help="Write it also where the guide refuses it.")]
