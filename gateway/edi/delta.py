"""A partner's guide: a file that `extends` a guide of the gateway, or another such file, and says only what differs.

    segments   own segments, or other definitions of known ones, in the notation of the guides
    before, after   {PO1/PID: [ZZ1 M 3]}   places put beside a place
    required, optional, forbidden   [PO1/PID, REF*DP, BEG05]   usage of places and elements
    codes      {BEG02: [SA, NE]}    closes a list; ~ opens it
    lengths    {REF02: 1/20}        repeat   {PO1: 500}        notes   {PO1/ACK: C0405}

It may stand in the file of the partner's map, under `guide`. Sources are found by whoever calls: nothing is read here.
The result is a plain `Guide`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gateway.edi.delta_file import RULES, Delta, Report
from gateway.edi.guide import Guide, SegmentSpec
from gateway.edi.library import Guides
from gateway.edi.overlay import Overlay
from gateway.findings import FilePlace, Finding
from gateway.yamltext import YamlText, near_miss, read_yaml, validate

__all__ = ["RULES", "Finder", "PartnerGuide", "resolve"]

Finder = Callable[[str], tuple[str, str | bytes] | None]
"""From a guide's name (`acme/850`) to its file's name and content; None where there is none.

A file in `maps/` is the partner's map: there the guide stands under `guide`.
"""

MAX_EXTENDS = 8
_STANDARD = re.compile(r"(x12|edifact)/([A-Za-z0-9]+)/([A-Za-z0-9]+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class PartnerGuide:
    """A delta with everything it extends applied."""

    name: str
    """`acme/850`."""
    guide: Guide
    hash: str
    """SHA-256 (hex) over all its files and those of the gateway's guide under it: its version."""
    sources: tuple[tuple[str, str, bytes], ...] = ()
    """Name, file and text of all these, its own first."""


@dataclass(slots=True)
class _Chain:
    find: Finder
    guides: Guides
    names: tuple[str, ...]
    """What may be meant by a name that does not exist."""
    findings: list[Finding]
    sources: list[tuple[str, str, bytes]]
    """Name, file and text of the deltas, the outermost first."""
    base: tuple[tuple[str, bytes], ...] = ()
    """File and text of all that the guide of the gateway is made of."""


def resolve(
    name: str, *, find: Finder, guides: Guides, names: tuple[str, ...] = ()
) -> tuple[PartnerGuide | None, tuple[Finding, ...]]:
    """The guide `name` with all it extends, and everything wrong in its files, the noted things too.

    None where something is wrong; `names` are the other guides there are, for the near miss.
    """
    chain = _Chain(find, guides, names, [], [])
    made = _resolve(chain, name, (), None)
    if made is None:
        return None, tuple(chain.findings)
    sources = (*chain.sources, *((made[0].name, file, text) for file, text in chain.base))
    return PartnerGuide(name=name, guide=made[0], hash=digest(sources), sources=sources), tuple(chain.findings)


def digest(sources: Iterable[tuple[str, str, bytes]]) -> str:
    """The version of a guide: SHA-256 (hex) over the texts that it is made of."""
    return hashlib.sha256(b"\0".join(text for _, _, text in sources)).hexdigest()


def _resolve(
    chain: _Chain, name: str, above: tuple[str, ...], asked: Report | None
) -> tuple[Guide, Mapping[str, SegmentSpec]] | None:
    standard = _STANDARD.fullmatch(name)
    if standard is not None:
        guide = chain.guides.find(standard[2], standard[3])
        if guide is not None and guide.name == name:
            chain.base = chain.guides.sources(standard[2], standard[3])
            return guide, {spec.tag: spec for spec in guide.segments()} | dict(chain.guides.segments(guide.version))
        _missing(chain, name, asked)
        return None
    if name in above or len(above) >= MAX_EXTENDS:
        assert asked is not None
        said, wanted = " → ".join((*above, name)), f"at most {MAX_EXTENDS} different guides"
        asked.add(
            "guide.extends", ("extends",), said=said, wanted=wanted, fix="extend a guide of the gateway at the end"
        )
        return None
    found = chain.find(name)
    if found is None:
        _missing(chain, name, asked)
        return None
    file, content = found
    chain.sources.append((name, file, content if isinstance(content, bytes) else content.encode()))
    source, wrong = read_yaml(file, content)
    if file.startswith("maps/"):
        source = source.section("guide")
    delta, more = validate(source, Delta) if not wrong else (None, ())
    report = Report(source)
    base = None
    # A file with another mistake still says what it extends: both are reported.
    parent = delta.extends if delta is not None else _said_extends(source)
    if parent is not None:
        base = _resolve(chain, parent, (*above, name), report)
    chain.findings += [*wrong, *more]
    made = None
    if delta is not None and base is not None:
        overlay = Overlay(base[0], delta, report, base[1])
        guide = overlay.apply()
        made = None if report.wrong else (guide, overlay.known)
    chain.findings += report.findings
    return made


def _said_extends(source: YamlText) -> str | None:
    said = source.data.get("extends") if isinstance(source.data, dict) else None
    return said if isinstance(said, str) else None


def _missing(chain: _Chain, name: str, asked: Report | None) -> None:
    known = [*chain.guides.names(), *chain.names]
    meant = near_miss(name, known)
    fix = f"write {meant}" if meant else f"write guides/{name}.yaml"
    wanted = "a guide in guides/ or one of the gateway: x12/004010/850"
    if asked is not None:
        asked.add("guide.missing", ("extends",), said=name, wanted=wanted, fix=fix)
    else:
        place = FilePlace(file=f"guides/{name}.yaml")
        chain.findings.append(Finding(rule="guide.missing", place=place, said=name, wanted=wanted, fix=fix))
