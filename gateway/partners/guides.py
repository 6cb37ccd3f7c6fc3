"""Partners' guides: `guides/acme/850.yaml` in the workspace is `acme/850`; each is made once, and kept.

And what an agreement says about syntax as one value: by which guides, how tolerantly, in which charset a partner's
files are read, and what a refused set takes with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.edi import library
from gateway.edi.delta import PartnerGuide, resolve
from gateway.edi.library import Guides
from gateway.edi.partial import Mode
from gateway.edi.tolerances import Tolerances
from gateway.findings import Finding
from gateway.partners.agreement import Agreement, Dialect
from gateway.partners.guide_files import STANDARDS, with_workspace_guides
from gateway.yamltext import MAX_BYTES

_STEP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
MAX_DEPTH = 4
"""Steps in a guide's name."""


class GuideShelf:
    """The guides of a workspace. Reads a file when it is asked for, and each only once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "guides"
        self.standard = with_workspace_guides(library.standard(), folder)
        self._made: dict[str, tuple[PartnerGuide | None, tuple[Finding, ...]]] = {}
        self._names: tuple[str, ...] | None = None

    def names(self) -> tuple[str, ...]:
        """The names of all guides in the workspace."""
        found = (path.relative_to(self._folder).with_suffix("") for path in self._folder.rglob("*.yaml"))
        # `guides/x12` and `guides/edifact` hold whole versions, see `guide_files`.
        own = (name for name in found if name.parts[0] not in STANDARDS)
        return tuple(sorted(name.as_posix() for name in own if len(name.parts) <= MAX_DEPTH))

    def resolve(self, name: str) -> tuple[PartnerGuide | None, tuple[Finding, ...]]:
        """A guide by its name, and everything wrong or notable in the files it is made of."""
        known = self._made.get(name)
        if known is None:
            known = self._made[name] = resolve(name, find=self._find, guides=self.standard, names=self._all_names())
        return known

    def _all_names(self) -> tuple[str, ...]:
        if self._names is None:
            self._names = self.names()
        return self._names

    def sound(self) -> dict[str, PartnerGuide]:
        """The guides that were asked for and can be used."""
        return {name: guide for name, (guide, _) in self._made.items() if guide is not None}

    def _find(self, name: str) -> tuple[str, bytes] | None:
        steps = name.split("/")
        if len(steps) > MAX_DEPTH or not all(map(_STEP.fullmatch, steps)):
            return None
        try:
            with self._folder.joinpath(*steps[:-1], f"{steps[-1]}.yaml").open("rb") as file:
                return f"guides/{name}.yaml", file.read(MAX_BYTES + 1)
        except OSError:
            return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Syntax:
    """How a partner's files are read."""

    guides: Guides
    tolerances: Tolerances
    charset: str | None
    """None where the agreement leaves it to the standard: utf-8 in X12, what UNB names in EDIFACT."""
    partial: Mode


def syntax_of(
    agreement: Agreement,
    guides: Mapping[str, PartnerGuide],
    *,
    standard: Guides | None = None,
    direction: Literal["send", "receive"] | None = None,
    dialect: Dialect | None = None,
) -> Syntax:
    """What the agreement says, with `standard` (default: the package's) where it names no guide.

    `guides` are the partners' guides by name. Without a direction both count, what we receive before what we send;
    without a dialect it is that of X12, or the only one there is.
    """
    own = standard or library.standard()
    rules = [
        *(agreement.documents.send.values() if direction != "receive" else ()),
        *(agreement.documents.receive.values() if direction != "send" else ()),
    ]
    for rule in rules:
        if rule.guide is not None and (made := guides.get(rule.guide)) is not None:
            own = own.agreeing(made.guide)
    dialect = dialect or agreement.x12 or agreement.edifact
    return Syntax(
        guides=own,
        tolerances=Tolerances.named(*dialect.tolerate) if dialect else Tolerances(),
        charset=dialect.charset if dialect else None,
        partial=dialect.partial if dialect else "set",
    )
