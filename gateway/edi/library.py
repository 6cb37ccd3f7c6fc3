"""The guides that come with the gateway: compact YAML in `guides/`, read once, kept as frozen values.

`segments.yaml` of a version holds composites and segments; each other file there holds one transaction set.
An element is written `M AN 1/22 324 order number` (usage, type, lengths, dictionary number, label; `[A B]` at the end
closes its codes), a place `REF M 12` (usage, repeats; `*` is any number), a loop maps its place to its items.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from gateway.edi.guide import UNLIMITED, ElementSpec, Guide, LoopUse, Note, SegmentSpec, Use
from gateway.errors import OurFault

VERSION_LENGTH = 6
"""GS08 begins with version, release and subrelease; what follows names an industry (X12.6, element 480)."""

_ELEMENT = re.compile(
    r"(?P<usage>[MO]) "
    r"(?:(?P<composite>C\d{3})|(?P<type>AN|ID|DT|TM|R|N[0-6]) (?P<min>\d+)/(?P<max>\d+) (?P<number>\d+))"
    r" (?P<label>[^\[]+?)(?: \[(?P<codes>[^\]]*)\])?"
)
_NOTE = re.compile(r"([PRECL])((?:\d\d)+)(?:\.\.\1((?:\d\d)+))?")
_PLACE = re.compile(r"(?P<tag>[A-Z][A-Z0-9]{1,2})(?:\*(?P<qualifiers>\S+))?(?P<mandatory> M)?(?: (?P<times>\d+|\*))?")


class Guides:
    """A set of guides by version and type. Frozen: `closing` returns another one."""

    def __init__(self, guides: Mapping[tuple[str, str], Guide], segments: Mapping[str, Collection[str]]) -> None:
        self._guides = dict(guides)
        self._segments = {version: frozenset(tags) for version, tags in segments.items()}

    def __iter__(self) -> Iterator[Guide]:
        return iter(self._guides.values())

    def find(self, version: str, type: str) -> Guide | None:  # noqa: A002  it is the trade's word
        """The guide for a GS08 (only its first six characters count) and an ST01, or None."""
        return self._guides.get((version[:VERSION_LENGTH], type))

    def knows_version(self, version: str) -> bool:
        """Whether there is any guide for this GS08."""
        return version[:VERSION_LENGTH] in self._segments

    def knows_segment(self, version: str, tag: str) -> bool:
        """Whether any set of this version has a segment with this tag."""
        return tag in self._segments.get(version[:VERSION_LENGTH], ())

    def closing(self, type: str, codes: Mapping[str, Collection[str]], version: str = "004010") -> Guides:  # noqa: A002
        """Guides in which one set has these code lists closed. Raises ValueError for what does not exist."""
        guide = self.find(version, type)
        if guide is None:
            raise ValueError(f"there is no guide x12/{version}/{type}")
        return Guides({**self._guides, (guide.version, type): guide.closing(codes)}, self._segments)


@lru_cache(maxsize=1)
def standard() -> Guides:
    """The guides in the package. Raises OurFault, naming the file, when one of them cannot be read."""
    guides: dict[tuple[str, str], Guide] = {}
    segments: dict[str, Collection[str]] = {}
    for folder in resources.files("gateway.edi").joinpath("guides", "x12").iterdir():
        specs = _segments(_load(folder.joinpath("segments.yaml").read_bytes(), f"{folder.name}/segments.yaml"))
        segments[folder.name] = specs.keys()
        for file in folder.iterdir():
            if file.name.endswith(".yaml") and file.name != "segments.yaml":
                guide = parse_guide(file.read_bytes(), specs, folder.name, f"{folder.name}/{file.name}")
                guides[(guide.version, guide.type)] = guide
    return Guides(guides, segments)


def _load(data: bytes, name: str) -> dict[str, Any]:
    # Every scalar is text: plain YAML would read NO, 00 and 010 as False, 0 and 8.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        document = yaml.load(data, Loader=loader)  # noqa: S506  the base loader makes nothing but text, lists and maps
    except yaml.YAMLError as error:
        raise OurFault(f"guide {name} is no YAML: {error}", remedy="correct the guide file") from error
    if not isinstance(document, dict):
        raise OurFault(f"guide {name} holds no mapping", remedy="correct the guide file")
    return document


def _wrong(name: str, what: str, text: object) -> OurFault:
    return OurFault(f"guide {name}: {what} cannot be read: {text!r}", remedy="see docs/edi.md for the format")


def _segments(document: dict[str, Any], name: str = "segments.yaml") -> dict[str, SegmentSpec]:
    composites = {
        key: tuple(_elements(lines, {}, f"{name} {key}")) for key, lines in document.get("composites", {}).items()
    }
    specs = {tag: SegmentSpec(tag=tag, label=label, open=True) for tag, label in document.get("open", {}).items()}
    for tag, body in document["segments"].items():
        specs[tag] = SegmentSpec(
            tag=tag,
            label=body["label"],
            elements=tuple(_elements(body["elements"], composites, f"{name} {tag}")),
            notes=tuple(_notes(body.get("notes", ""), f"{name} {tag}")),
        )
    return specs


def _elements(lines: list[Any], composites: Mapping[str, tuple[ElementSpec, ...]], name: str) -> Iterator[ElementSpec]:
    for line in lines:
        if isinstance(line, dict):
            # {10x: [...]} repeats a group of elements.
            for times, group in line.items():
                for _ in range(int(times.removesuffix("x"))):
                    yield from _elements(group, composites, name)
            continue
        found = _ELEMENT.fullmatch(line)
        if found is None:
            raise _wrong(name, "an element", line)
        composite = found["composite"]
        yield ElementSpec(
            mandatory=found["usage"] == "M",
            type=found["type"] or composite,
            minimum=int(found["min"] or 1),
            maximum=int(found["max"] or UNLIMITED),
            number=found["number"] or composite,
            label=found["label"],
            codes=None if found["codes"] is None else frozenset(found["codes"].split()),
            components=composites[composite] if composite else (),
        )


def _notes(text: str, name: str) -> Iterator[Note]:
    for word in text.split():
        found = _NOTE.fullmatch(word)
        if found is None:
            raise _wrong(name, "a note", word)
        kind, first, last = found.groups()
        elements = tuple(int(first[i : i + 2]) for i in range(0, len(first), 2))
        end = int(last[:2]) if last else elements[0]
        # P0607..P2425 stands for every pair from the first to the last.
        for step in range(0, end - elements[0] + 1, len(elements)):
            yield Note(kind=kind, elements=tuple(element + step for element in elements))


def parse_guide(data: bytes, specs: Mapping[str, SegmentSpec], version: str, name: str) -> Guide:
    """A guide from its YAML text. Raises OurFault naming the line that cannot be read."""
    document = _load(data, name)
    levels = document.get("levels", {})
    return Guide(
        type=document["message"],
        version=version,
        label=document["label"],
        functional_id=document["group"],
        root=LoopUse(name="", label=document["label"], items=tuple(_items(document["segments"], specs, name))),
        levels=frozenset(levels),
        level_labels=levels,
    )


def _items(lines: list[Any], specs: Mapping[str, SegmentSpec], name: str) -> Iterator[Use | LoopUse]:
    for line in lines:
        if isinstance(line, dict):
            for place, inner in line.items():
                use, maximum = _place(place, specs, name)
                start = Use(spec=use.spec, mandatory=True, qualifiers=use.qualifiers)
                yield LoopUse(
                    name=use.tag,
                    label=use.spec.label,
                    items=(start, *_items(inner, specs, name)),
                    mandatory=use.mandatory,
                    maximum=maximum,
                )
        else:
            yield _place(line, specs, name)[0]


def _place(text: str, specs: Mapping[str, SegmentSpec], name: str) -> tuple[Use, int]:
    found = _PLACE.fullmatch(text)
    if found is None or found["tag"] not in specs:
        raise _wrong(name, "a segment", text)
    times = found["times"]
    maximum = UNLIMITED if times == "*" else int(times or 1)
    qualifiers = frozenset(found["qualifiers"].split("|")) if found["qualifiers"] else frozenset[str]()
    use = Use(spec=specs[found["tag"]], mandatory=bool(found["mandatory"]), maximum=maximum, qualifiers=qualifiers)
    return use, maximum
