"""What an inference knows, and what it hands out: frozen but for what one run fills in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.edi.library import Guides
from gateway.edi.tree import Verdict
from gateway.findings import Finding
from gateway.onboarding.map_delta import MapNeeds
from gateway.onboarding.map_lines import MapLines
from gateway.onboarding.needs import Mistake, Need
from gateway.onboarding.profile import Direction, Profile, SetUse, saved
from gateway.onboarding.samples import How, Identity

Kind = tuple[str, str, Direction]
"""Standard, type, direction."""
CLEAN = (Verdict.ACCEPTED.value, Verdict.ACCEPTED_WITH_ERRORS.value)
"""Verdicts under which a document is taken."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What there is to read by: the gateway's and the workspace's own."""

    guides: Guides
    maps: Callable[[str], tuple[str, str]]
    """File name and text of a map; raises KeyError or FileNotFoundError."""
    map_names: frozenset[str]
    ours: frozenset[Identity] = frozenset()
    """Our identities."""
    lines: dict[str, MapLines] = field(default_factory=dict)
    """The lines of each map, read when first asked for."""

    def lines_of(self, name: str) -> MapLines:
        """The lines of a map."""
        if name not in self.lines:
            self.lines[name] = MapLines(name, self.maps)
        return self.lines[name]


@dataclass(kw_only=True, slots=True)
class Outcome:
    """One kind of document: what it needs beyond the base, and the files that say so."""

    kind: Kind
    base: str
    """The guide: `x12/004010/855`; empty where there is none."""
    observed: SetUse
    needs: list[Need] = field(default_factory=list)
    refused: list[Finding] = field(default_factory=list)
    """Lines that the guide would not take."""
    mistakes: list[Mistake] = field(default_factory=list)
    """What remains wrong with the delta."""
    notes: list[Mistake] = field(default_factory=list)
    first: Counter[str] = field(default_factory=Counter)
    """Verdicts by the base guide."""
    then: Counter[str] = field(default_factory=Counter)
    """Verdicts by the delta."""
    guide_name: str = ""
    guide_text: str = ""
    canonical: str = ""
    base_map: str = ""
    map_needs: MapNeeds | None = None
    map_name: str = ""
    map_text: str = ""
    map_then: MapNeeds | None = None
    """What the delta, or the base map where there is none, still does not read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inference:
    """Everything that was found."""

    name: str
    profile: Profile
    how: How
    read_as: Mapping[str, str]
    outcomes: tuple[Outcome, ...]
    envelope: tuple[Mistake, ...]
    """What is wrong with interchanges and groups."""
    agreement: str
    others: int
    """Interchanges of others in the files."""

    def files(self) -> dict[str, str]:
        """What to write into the workspace, by path."""
        found = {
            f"partners/{self.name}.yaml": self.agreement,
            f"partners/{self.name}.profile.json": saved(self.profile),
        }
        for one in self.outcomes:
            if one.guide_text:
                found[f"guides/{one.guide_name}.yaml"] = one.guide_text
            if one.map_text:
                found[f"maps/{one.map_name}.yaml"] = one.map_text
        return found
