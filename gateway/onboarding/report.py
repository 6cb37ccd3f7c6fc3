"""What an inference found, for people and programs: one list of rows, printed as a table, as Markdown or as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from gateway.edi.guide import Guide, LoopUse
from gateway.edi.library import Guides
from gateway.onboarding.needs import Need, remaining
from gateway.onboarding.outcome import CLEAN, Inference, Outcome
from gateway.onboarding.profile import SetUse
from gateway.onboarding.spots import Sites

MOST = 400
"""Unused places that are listed of one set."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One thing that the files need, or that is wrong in them."""

    set: str
    part: str
    """envelope, guide, map, field, wrong, refused."""
    where: str
    what: str
    count: int
    example: str


def rows(found: Inference) -> tuple[Row, ...]:
    """Everything, in the order of the sets."""
    return tuple(_rows(found))


def _rows(found: Inference) -> Iterator[Row]:
    for version, other in sorted(found.read_as.items()):
        count = sum(one.documents for one in found.profile.sets if one.version[:6] == version)
        what = f"no guides of its own: read as {other}"
        yield Row(set="", part="envelope", where=f"version {version}", what=what, count=count, example="")
    for name in found.how.tolerances:
        what = "without it files are refused"
        yield Row(set="", part="envelope", where=f"tolerate {name}", what=what, count=found.profile.files, example="")
    if found.how.charset is not None:
        what = "their text is no UTF-8"
        where = f"charset {found.how.charset}"
        yield Row(set="", part="envelope", where=where, what=what, count=found.profile.files, example="")
    for one in found.envelope:
        what = f"{one.said}, not {one.wanted} [{one.rule}]"
        part = "note" if one.severity.value == "accept" else "wrong"
        yield Row(set="", part=part, where=one.where, what=what, count=one.count, example=str(one.at))
    for outcome in found.outcomes:
        yield from _outcome(outcome)


def _outcome(outcome: Outcome) -> Iterator[Row]:
    name = outcome.kind[1]
    for need in outcome.needs:
        what = _asked(need)
        yield Row(set=name, part="guide", where=need.key, what=what, count=need.count, example=str(need.at))
    for line in outcome.refused:
        yield Row(set=name, part="refused", where=str(line.place.key), what=line.text, count=1, example="")  # type: ignore[union-attr]
    for one in outcome.mistakes:
        what = f"{one.said}, not {one.wanted} [{one.rule}]"
        yield Row(set=name, part="wrong", where=one.where, what=what, count=one.count, example=str(one.at))
    needs = outcome.map_needs
    if needs is None:
        return
    for (path, address), change in needs.changes.items():
        where = f"{path}/{address}"
        yield Row(set=name, part="map", where=where, what=change.words, count=change.count, example=str(change.at))
    for code in needs.codes.values():
        now = f"read as {code.read_as}" if code.read_as else "not read"
        what = f"code {code.code} is not in {code.table}: {now}"
        yield Row(set=name, part="map", where=code.address, what=what, count=code.count, example=str(code.at))
    for own in needs.unmapped.values():
        near = f"; near: {', '.join(own.near)}" if own.near else ""
        what = f"no line for {own.label or 'the element'}, such as {own.example}{near}"
        where = f"{own.path}/{own.tag}{own.element:02d}"
        yield Row(set=name, part="map", where=where, what=what, count=own.count, example=str(own.at))
    then = outcome.map_then or needs
    for rule, (count, words, at) in then.refused.items():
        yield Row(set=name, part="field", where=rule, what=words, count=count, example=str(at))


def _asked(need: Need) -> str:
    """The line of the guide delta, in words."""
    match need.section:
        case "lengths":
            return f"length {need.low}/{need.high}: {need.said}"
        case "codes":
            return f"codes {', '.join(sorted(need.codes))}"
        case "repeat":
            return "comes more often"
        case "notes":
            return f"syntax notes {', '.join(sorted(need.codes))} are not kept; {remaining(need) or 'none'} stay"
        case "optional":
            return "may be absent"
        case _:
            tag = need.line if isinstance(need.line, str) else ", ".join(need.line)
            return f"{need.section} it comes {tag}"


def unused(outcome: Outcome, guides: Guides) -> tuple[str, ...]:
    """Places of the base guide that never came, the outermost only."""
    if not outcome.base:
        return ()
    guide = guides.find(*outcome.base.split("/")[1:])
    return tuple(_unused(guide, outcome.observed)) if guide is not None else ()


def _unused(guide: Guide, observed: SetUse) -> Iterator[str]:
    sites = Sites(guide)
    waiting: list[tuple[str, LoopUse]] = [("", guide.root)]
    told = 0
    while waiting:
        above, loop = waiting.pop(0)
        for label, item in sites.named(loop):
            path = above + label
            if path not in observed.places:
                told += 1
                if told <= MOST:
                    yield path
            elif isinstance(item, LoopUse):
                waiting.append((path + "/", item))


def verdict(counts: Counter[str]) -> str:
    """`2 of 3`."""
    return f"{sum(counts[one] for one in CLEAN)} of {sum(counts.values())}"


def as_json(found: Inference, guides: Guides) -> dict[str, Any]:
    """For programs."""
    return {
        "name": found.name,
        "partner": found.profile.partner,
        "files": found.profile.files,
        "interchanges": found.profile.interchanges,
        "interchanges_of_others": found.others,
        "tolerate": list(found.how.tolerances),
        "charset": found.how.charset,
        "read_as": dict(found.read_as),
        "sets": [
            {
                "set": one.kind[1],
                "standard": one.kind[0],
                "direction": one.kind[2],
                "version": one.observed.version,
                "documents": one.observed.documents,
                "guide": one.base or None,
                "map": one.base_map or None,
                "taken_by_the_base": sum(one.first[word] for word in CLEAN),
                "taken": sum(one.then[word] for word in CLEAN),
                "unused": list(unused(one, guides)),
            }
            for one in found.outcomes
        ],
        "rows": [asdict(one) for one in rows(found)],
        "files_written": sorted(found.files()),
    }


def as_markdown(found: Inference, guides: Guides) -> str:
    """A page for the partner's folder."""
    profile = found.profile
    lines = [
        f"# {found.name}: what the samples say",
        "",
        f"{profile.partner}, {profile.files} files, {profile.interchanges} interchanges.",
        "",
        "| set | version | documents | taken by the base guide | taken with the delta | map |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.kind[1]} | {one.observed.version} | {one.observed.documents} | {verdict(one.first)} | "
        f"{verdict(one.then)} | {one.base_map or 'none'} |"
        for one in found.outcomes
    ]
    lines += [
        "",
        "## Beyond the base",
        "",
        "| set | part | where | what | times | first seen |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        "| " + " | ".join(map(_cell, (one.set, one.part, one.where, one.what, str(one.count), one.example))) + " |"
        for one in rows(found)
    ]
    lines += ["", "## Habits", "", "| fact | values |", "|---|---|"]
    for name, values in profile.habits.items():
        shown = ", ".join(f"{value!r} ({count})" for value, count in list(values.items())[:12])
        lines.append(f"| {name.replace('_', ' ')} | {_cell(shown)} |")
    lines += ["", "## Never used", ""]
    for one in found.outcomes:
        never = unused(one, guides)
        lines.append(f"- {one.kind[1]}: {', '.join(f'`{path}`' for path in never) or 'nothing'}")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return "".join(one if one.isprintable() else "\ufffd" for one in text).replace("|", "\\|")
