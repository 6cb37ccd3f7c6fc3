"""A guide delta as text: what a partner's files need beyond a guide, each line with its count and an example.

`--strict` adds what narrows the guide to what was seen: places and elements that never came are forbidden, codes are
closed, what always came is required.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.edi.guide import Guide, LoopUse, SegmentSpec
from gateway.edi.overlay import MAX_ELEMENTS
from gateway.onboarding.needs import Need, remaining, rung
from gateway.onboarding.profile import ElementUse, PlaceUse, SetUse
from gateway.onboarding.spots import Sites
from gateway.partners.reference import scalar

SECTIONS = ("segments", "before", "after", "optional", "required", "forbidden", "codes", "lengths", "repeat", "notes")
ENOUGH = 3
"""Documents from which on "it always came" says something."""

Lines = dict[str, dict[str, tuple[Any, str]]]
"""Section to key to value and the reason, for people; a list's keys have the value None."""


def lines_of(needs: Iterable[Need], observed: SetUse, known: Mapping[str, SegmentSpec]) -> Lines:
    """The delta's lines. `known` are the segments of the version, `observed` what the set was seen to hold."""
    found: Lines = {}
    for need in needs:
        why = f"{need.count}x, {need.said} at {need.at}"
        section = found.setdefault(need.section, {})
        if need.section == "codes":
            assert need.spec is not None
            section[need.key] = (sorted((need.spec.codes or frozenset()) | need.codes), why)
        elif need.section == "lengths":
            if need.spec is not None and need.spec.type == "DT" and need.low != need.high:
                continue  # dates of both lengths: no guide can say that
            text = str(need.high) if need.low == need.high else f"{need.low}/{need.high}"
            section[need.key] = (text, why)
        elif need.section == "repeat":
            section[need.key] = ("*", why)
        elif need.section == "notes":
            section[need.key] = (remaining(need), why)
        elif need.section in {"after", "before"}:
            before = section.get(need.key)
            section[need.key] = ([*(before[0] if before else []), need.line], why)
            tag = need.at.tag
            if tag not in known and isinstance(need.line, str):
                found.setdefault("segments", {}).setdefault(tag, (_own(tag, observed), why))
        else:
            section[need.key] = (None, why)
    return found


def _own(tag: str, observed: SetUse) -> dict[str, Any]:
    """A segment of the partner's own, as wide as what was seen, and a bit wider."""
    longest: dict[int, int] = {}
    for place in observed.places.values():
        if place.tag == tag:
            for name, element in place.elements.items():
                number = int(name.partition(".")[0])
                longest[number] = max(longest.get(number, 0), element.longest)
    edifact = observed.standard == "edifact"
    elements = []
    for number in range(1, min(max(longest, default=0), MAX_ELEMENTS) + 1):
        size = rung(longest.get(number, 1))
        elements.append(f"O an..{size} 0000 element {number}" if edifact else f"O AN 1/{size} 0 element {number}")
    return {"label": "own segment", "elements": elements}


def narrowed(guide: Guide, observed: SetUse, lines: Lines) -> Lines:
    """`lines` and what narrows the guide to what was seen."""
    found: Lines = {section: dict(entries) for section, entries in lines.items()}
    sites = Sites(guide)
    said = {key for section in ("optional", "required", "forbidden") for key in found.get(section, {})}

    def say(section: str, key: str, value: Any, why: str) -> None:
        if key not in said or section == "codes":
            found.setdefault(section, {}).setdefault(key, (value, why))

    waiting: list[tuple[str, LoopUse, int]] = [("", guide.root, observed.documents)]
    while waiting:
        above, loop, parents = waiting.pop()
        for label, item in sites.named(loop):
            path = above + label
            use = observed.places.get(path)
            if use is None:
                if not item.mandatory and "*" not in label:
                    say("forbidden", path, None, "never came")
                continue
            if not item.mandatory and use.within == parents and observed.documents >= ENOUGH:
                say("required", path, None, f"came in all {parents}")
            start = item.start if isinstance(item, LoopUse) else item
            _elements(start.spec, path, use, say)
            if isinstance(item, LoopUse):
                waiting.append((path + "/", item, use.count))
    return found


def _elements(spec: SegmentSpec, path: str, use: PlaceUse, say: Any) -> None:
    for number, element in enumerate(spec.elements, 1):
        key = f"{path}/{spec.tag}{number:02d}"
        seen = [name for name in use.elements if name.partition(".")[0] == f"{number:02d}"]
        if not seen:
            if not element.mandatory:
                say("forbidden", key, None, "never came")
            continue
        for name in seen:
            one = use.elements[name]
            own = key + name[2:]
            fits = all(value.isalnum() and value.isascii() for value in one.values)
            if one.code and fits and one.values:
                say("codes", own, sorted(one.values), _counted(one))
        if not element.mandatory and use.count >= ENOUGH and use.elements[seen[0]].count >= use.count:
            say("required", key, None, f"came in all {use.count}")


def _counted(element: ElementUse) -> str:
    return f"{element.count}x"


def text_of(lines: Lines, *, extends: str, title: str, heading: Iterable[str]) -> str:
    """The file."""
    written = (*(f"# {one}" for one in heading), *_text(lines, extends, title))
    return "\n".join(map(printable, written)) + "\n"


def printable(line: str) -> str:
    """A line without what cannot stand in a file for people: what a partner sent may be anything."""
    return "".join(one if one.isprintable() else "\ufffd" for one in line)


def _text(lines: Lines, extends: str, title: str) -> Iterator[str]:
    yield f"extends: {extends}"
    yield f"title: {scalar(title)}"
    for section in SECTIONS:
        entries = lines.get(section)
        if not entries:
            continue
        yield ""
        yield f"{section}:"
        for key, (value, why) in entries.items():
            remark = f"  # {why}" if why else ""
            if section in {"optional", "required", "forbidden"}:
                yield f"- {scalar(key)}{remark}"
            elif section == "segments":
                yield f"  {key}:{remark}"
                yield f"    label: {value['label']}"
                yield "    elements:"
                yield from (f"    - {one}" for one in value["elements"])
            else:
                yield f"  {scalar(key)}: {'~' if value is None else _flow(value)}{remark}"


def _flow(value: Any) -> str:
    """A value in one line; a place with `*` in quotes, for YAML takes it for an alias at the beginning only."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    return scalar(value, flow=True)
