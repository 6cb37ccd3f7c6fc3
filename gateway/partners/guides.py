"""Partners' guides: `guides/acme/850.yaml` in the workspace is `acme/850`, and so is the key `guide` of the map
`maps/acme/850.yaml`; each is made once, and kept.

And what an agreement says about syntax as one value: by which guides, how tolerantly, in which charset a partner's
files are read, and what a refused set takes with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.edi import library
from gateway.edi.delta import PartnerGuide, resolve
from gateway.edi.library import Guides
from gateway.edi.partial import Mode
from gateway.edi.tolerances import Tolerances
from gateway.findings import FilePlace, Finding
from gateway.partners.agreement import Agreement, Dialect
from gateway.partners.guide_files import STANDARDS, with_workspace_guides
from gateway.yamltext import MAX_BYTES

_STEP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_HOLDS = re.compile(rb"^(?:guide|\"guide\"|'guide')[ \t]*:", re.MULTILINE)
MAX_DEPTH = 4
"""Steps in a guide's name."""
GUIDES, MAPS, KEY = "guides", "maps", "guide"
TWICE = "guide_twice"


class GuideShelf:
    """The guides of a workspace. Reads a file when it is asked for, and each only once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.standard = with_workspace_guides(library.standard(), folder)
        self._made: dict[str, tuple[PartnerGuide | None, tuple[Finding, ...]]] = {}
        self._names: tuple[str, ...] | None = None
        self._twice: list[str] = []

    def names(self) -> tuple[str, ...]:
        """The names of all guides in the workspace."""
        if self._names is None:
            own = _names(self._folder / GUIDES)
            # `guides/x12` and `guides/edifact` hold whole versions, see `guide_files`.
            found = {"/".join(name) for name in own if name[0] not in STANDARDS}
            in_maps = ("/".join(name) for name in _names(self._folder / MAPS))
            self._names = tuple(sorted(found | {name for name in in_maps if self._in_map(name) is not None}))
        return self._names

    def resolve(self, name: str) -> tuple[PartnerGuide | None, tuple[Finding, ...]]:
        """A guide by its name, and everything wrong or notable in the files it is made of."""
        known = self._made.get(name)
        if known is None:
            self._twice = []
            made, findings = resolve(name, find=self._find, guides=self.standard, names=self.names())
            twice = tuple(_twice(one) for one in self._twice)
            known = self._made[name] = (None if twice else made, (*findings, *twice))
        return known

    def knows_version(self, version: str) -> bool:
        """Whether there is any guide for this version: 004010, D96A."""
        return self.standard.knows_version(version)

    def sound(self) -> dict[str, PartnerGuide]:
        """The guides that were asked for and can be used."""
        return {name: guide for name, (guide, _) in self._made.items() if guide is not None}

    def _find(self, name: str) -> tuple[str, bytes] | None:
        steps = name.split("/")
        if len(steps) > MAX_DEPTH or not all(map(_STEP.fullmatch, steps)):
            return None
        in_map = self._in_map(name)
        content = _content(self._folder / GUIDES / f"{name}.yaml")
        if content is None:
            return None if in_map is None else (f"{MAPS}/{name}.yaml", in_map)
        if in_map is not None:
            self._twice.append(name)
        return f"{GUIDES}/{name}.yaml", content

    def _in_map(self, name: str) -> bytes | None:
        """The map of that name, where it holds a guide."""
        content = _content(self._folder / MAPS / f"{name}.yaml")
        return content if content is not None and _HOLDS.search(content) else None


def _names(folder: Path) -> Iterator[tuple[str, ...]]:
    for path in folder.rglob("*.yaml"):
        parts = path.relative_to(folder).with_suffix("").parts
        if len(parts) <= MAX_DEPTH:
            yield parts


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError:
        return None


def _twice(name: str) -> Finding:
    place = FilePlace(file=f"{MAPS}/{name}.yaml", key=KEY)
    wanted, fix = f"one of it and {GUIDES}/{name}.yaml", "put what one of them says into the other"
    return Finding(rule=f"workspace.{TWICE}", place=place, said=f"the guide {name} twice", wanted=wanted, fix=fix)


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
        guides=own.reading_as(dialect.read_as) if dialect else own,
        tolerances=Tolerances.named(*dialect.tolerate) if dialect else Tolerances(),
        charset=dialect.charset if dialect else None,
        partial=dialect.partial if dialect else "set",
    )
