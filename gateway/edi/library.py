"""The guides that come with the gateway: compact YAML in `guides/`, read when first asked for, kept as frozen values.

`guides/x12/004010/` and `guides/edifact/D96A/`: `segments.yaml` of a version holds composites and segments, each other
file there holds one transaction set. An element is written `M AN 1/22 324 order number` (usage, type, lengths,
dictionary number, label), in EDIFACT `M an..35 1004 document number`; a composite `O C040 reference`; ` x5` behind the
number lets it repeat; `[A B]` at the end closes its codes. `extends: "004010"` takes over what another version has,
`lengths: {"127": 1/50}` gives an element its length wherever it stands. A place is `REF M 12` (usage, repeats; `*` is
any number; `REF*DP|PS` takes those qualifiers only), a loop maps its place to its items (`SG2 NAD M 99: [LOC 25]`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from gateway.edi.guide import UNLIMITED, ElementSpec, Guide, LoopUse, Note, SegmentSpec, Use
from gateway.errors import OurFault

VERSION_LENGTH = 6
"""GS08 begins with version, release and subrelease; what follows names an industry (X12.6, element 480)."""

_ELEMENT = re.compile(
    r"(?P<usage>[MOC]) "
    r"(?:(?P<composite>[CSE]\d{3})"
    r"|(?P<type>AN|ID|DT|TM|R|B|N[0-6]) (?P<min>\d+)/(?P<max>\d+) (?P<number>\d+)"
    r"|(?P<form>an|a|n)(?P<upto>\.\.)?(?P<size>\d+) (?P<code>\d{4}))"
    r"(?: x(?P<repeat>\d+|\*))?"
    r" (?P<label>[^\[]+?)(?: \[(?P<codes>[^\]]*)\])?"
)
_TIMES = re.compile(r"[1-9][0-9]?x")
MOST_ELEMENTS = 99
"""More than any group of elements has: a group of groups of groups would fill the memory."""
_NOTE = re.compile(r"([PRECL])((?:\d\d)+)(?:\.\.\1((?:\d\d)+))?")
_PLACE = re.compile(
    r"(?:(?P<group>SG\d+) )?(?P<tag>[A-Z][A-Z0-9]{1,2})(?:[*+](?P<qualifiers>\S+))?"
    r"(?P<mandatory> M| C)?(?: (?P<times>\d+|\*))?"
)

Key = tuple[str, str]
"""Version and type."""

SAME: dict[Key, Key] = {(version, "CONTRL"): ("D3", "CONTRL") for version in ("11", "12", "13", "22", "23", "D2", "33")}
"""CONTRL of syntax 1 to 3, as stations name it: before it was D.3 it had versions of its own."""


class Guides:
    """A set of guides by version and type. Frozen: `closing`, `with_guide` and `adding` return another one."""

    def __init__(
        self,
        package: Package | Added,
        own: Mapping[Key, Guide] | None = None,
        agreed: Collection[str] = (),
        read_as: Mapping[str, str] | None = None,
    ) -> None:
        self._package = package
        self._own = dict(own or {})
        self._agreed = frozenset(agreed)
        """Types that are read by one of `own` or not at all."""
        self._read_as = dict(read_as or {})
        """A version without guides of its own to the one whose guides read it."""

    def __iter__(self) -> Iterator[Guide]:
        """All of them, read now. Raises OurFault, naming the file, when one cannot be read."""
        for key in sorted(self._package.keys | self._own.keys()):
            guide = self.find(*key)
            if guide is not None:
                yield guide

    def find(self, version: str, type: str) -> Guide | None:  # noqa: A002  it is the trade's word
        """The guide for a GS08 (only its first six characters count) and an ST01, or a directory and a message type."""
        key = (self.version(version), type)
        key = SAME.get(key, key)
        own = self._own.get(key)
        return own if own is not None or type in self._agreed else self._package.guide(key)

    def knows_version(self, version: str) -> bool:
        """Whether there is any guide for this GS08 or directory."""
        return self.version(version) in self._package.versions

    def version(self, version: str) -> str:
        """The version whose guides read this GS08 or directory: itself, unless another was agreed."""
        own = version[:VERSION_LENGTH]
        return self._read_as.get(own, own)

    def knows_segment(self, version: str, tag: str) -> bool:
        """Whether any set of this version has a segment with this tag."""
        return tag in self._package.segments(self.version(version))

    def segments(self, version: str) -> Mapping[str, SegmentSpec]:
        """Every segment known in this version, by tag; none for a version that is not there."""
        return self._package.segments(self.version(version))

    def names(self) -> list[str]:
        """The names of the guides in the package, without reading them: `x12/004010/850`."""
        return self._package.names()

    def sources(self, version: str, type: str) -> tuple[tuple[str, bytes], ...]:  # noqa: A002  it is the trade's word
        """File and text of all that the guide of the package or a folder is made of, the most general last; from them
        `adding`, from the last to the first, makes it again.
        """
        key = (version[:VERSION_LENGTH], type)
        return self._package.sources(SAME.get(key, key))

    def with_guide(self, guide: Guide) -> Guides:
        """Guides in which this one stands for its version and type."""
        return Guides(self._package, {**self._own, (guide.version, guide.type): guide}, self._agreed, self._read_as)

    def agreeing(self, guide: Guide) -> Guides:
        """Guides in which this one stands for its type: other versions of it were not agreed and are not read."""
        own = {**self._own, (guide.version, guide.type): guide}
        return Guides(self._package, own, self._agreed | {guide.type}, self._read_as)

    def reading_as(self, versions: Mapping[str, str]) -> Guides:
        """Guides that read each version on the left by the guides of the one on the right: `{"003050": "004010"}`."""
        if not versions:
            return self
        own = {version[:VERSION_LENGTH]: other for version, other in versions.items()}
        return Guides(self._package, self._own, self._agreed, {**self._read_as, **own})

    def adding(self, standard: str, version: str, files: Mapping[str, bytes]) -> Guides:
        """Guides that also hold those of a folder, such as `gateway edi import` writes.

        `standard` is x12 or edifact, `version` the folder's name (004010, D96A), `files` its YAML files by name:
        `segments.yaml`, which may be missing, and one for every type. They stand before what was there: a guide for its
        version and type (but one of `with_guide` stays first), a segment for its tag in the guides of this folder. Read
        when first asked for; OurFault, naming the file, comes then.
        """
        return Guides(Added(self._package, standard, version, files), self._own, self._agreed, self._read_as)

    def closing(self, type: str, codes: Mapping[str, Collection[str]], version: str = "004010") -> Guides:  # noqa: A002
        """Guides in which one set has these code lists closed. Raises ValueError for what does not exist."""
        guide = self.find(version, type)
        if guide is None:
            raise ValueError(f"there is no guide {version}/{type}")
        return self.with_guide(guide.closing(codes))


class Package:
    """The guides in the package, each read when first asked for and kept."""

    def __init__(self) -> None:
        self._folders: dict[str, tuple[str, Traversable]] = {}
        self._guides: dict[Key, Guide] = {}
        self._segments: dict[str, dict[str, SegmentSpec]] = {}
        self._sources: dict[str, tuple[tuple[str, bytes], ...]] = {}
        self._made_of: dict[Key, tuple[tuple[str, bytes], ...]] = {}
        keys: set[Key] = set()
        for standard in resources.files("gateway.edi").joinpath("guides").iterdir():
            if not standard.is_dir():
                continue
            for folder in standard.iterdir():
                self._folders[folder.name] = (standard.name, folder)
                names = (file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))
                keys.update((folder.name, name) for name in names if name != "segments")
        self.keys = frozenset(keys)
        self.versions = frozenset(self._folders)

    def names(self) -> list[str]:
        """`x12/004010/850` and so on, in order."""
        return sorted(f"{self._folders[version][0]}/{version}/{type_}" for version, type_ in self.keys)

    def guide(self, key: Key) -> Guide | None:
        """One guide, or None. Raises OurFault, naming the file, when it cannot be read."""
        known = self._guides.get(key)
        if known is None and key in self.keys:
            version, type_ = key
            standard, folder = self._folders[version]
            name = f"{version}/{type_}.yaml"
            data = folder.joinpath(f"{type_}.yaml").read_bytes()
            known = self._guides[key] = parse_guide(data, self.segments(version), version, name, standard=standard)
        return known

    def segments(self, version: str) -> Mapping[str, SegmentSpec]:
        """The segments of a version; none for a version that is not there."""
        known = self._segments.get(version)
        if known is None:
            if version not in self.versions:
                return {}
            known = self._segments[version] = parse_segments(self.text(version), f"{version}/segments.yaml", self.text)
        return known

    def sources(self, key: Key) -> tuple[tuple[str, bytes], ...]:
        """File and text of all that a guide is made of; nothing for one that is not there."""
        version, type_ = key
        if key not in self.keys:
            return ()
        if key not in self._made_of:
            standard, folder = self._folders[version]
            own = (f"{standard}/{version}/{type_}.yaml", folder.joinpath(f"{type_}.yaml").read_bytes())
            self._made_of[key] = (own, *self.segment_sources(version))
        return self._made_of[key]

    def segment_sources(self, version: str) -> tuple[tuple[str, bytes], ...]:
        """The segments of a version and, behind them, those of the version that it extends."""
        if version not in self._folders:
            return ()
        if version not in self._sources:
            standard = self._folders[version][0]
            text = self.text(version)
            found = [(f"{standard}/{version}/segments.yaml", text)]
            if (extended := _extended(text)) in self._folders and extended != version:
                found += [(f"{standard}/{extended}/segments.yaml", self.text(extended))]
            self._sources[version] = tuple(found)
        return self._sources[version]

    def text(self, version: str) -> bytes:
        """The text of a version's `segments.yaml`; KeyError for a version that is not there."""
        _, folder = self._folders[version]
        return folder.joinpath("segments.yaml").read_bytes()


class Added:
    """The guides of one more folder before those of another source, each read when first asked for and kept."""

    def __init__(self, base: Package | Added, standard: str, version: str, files: Mapping[str, bytes]) -> None:
        self._base, self._standard, self._version = base, standard, version[:VERSION_LENGTH]
        self._files = {name.removesuffix(".yaml"): data for name, data in files.items() if name.endswith(".yaml")}
        self._guides: dict[str, Guide] = {}
        self._segments: Mapping[str, SegmentSpec] | None = None
        self.keys: frozenset[Key] = base.keys | {(self._version, name) for name in self._files if name != "segments"}
        self.versions: frozenset[str] = base.versions | {self._version}

    def names(self) -> list[str]:
        """`x12/004010/850` and so on, in order."""
        own = (f"{self._standard}/{version}/{name}" for version, name in self.keys - self._base.keys)
        return sorted((*self._base.names(), *own))

    def guide(self, key: Key) -> Guide | None:
        """One guide, or None. Raises OurFault, naming the file, when it cannot be read."""
        version, type_ = key
        if version != self._version or type_ == "segments" or type_ not in self._files:
            return self._base.guide(key)
        known = self._guides.get(type_)
        if known is None:
            name = f"{version}/{type_}.yaml"
            segments = self.segments(version)
            with _readable(name):
                known = parse_guide(self._files[type_], segments, version, name, standard=self._standard)
            if known.type != type_:
                raise _wrong(name, "the message", known.type)
            self._guides[type_] = known
        return known

    def segments(self, version: str) -> Mapping[str, SegmentSpec]:
        """The segments of a version; none for a version that is not there."""
        if version != self._version:
            return self._base.segments(version)
        if self._segments is None:
            own: Mapping[str, SegmentSpec] = {}
            name = f"{version}/segments.yaml"
            if "segments" in self._files:
                with _readable(name):
                    own = parse_segments(self._files["segments"], name, self._base.text)
            self._segments = {**self._base.segments(version), **own}
        return self._segments

    def sources(self, key: Key) -> tuple[tuple[str, bytes], ...]:
        """File and text of all that a guide is made of; nothing for one that is not there."""
        version, type_ = key
        if version != self._version:
            return self._base.sources(key)
        if type_ in self._files and type_ != "segments":
            own: tuple[tuple[str, bytes], ...] = ((f"{self._standard}/{version}/{type_}.yaml", self._files[type_]),)
        else:
            # A guide of the base keeps the base's segments.
            return self._base.sources(key)
        return own + self.segment_sources(version)

    def segment_sources(self, version: str) -> tuple[tuple[str, bytes], ...]:
        """The segments of a version, and behind them those of the base and of the version that it extends."""
        behind = self._base.segment_sources(version)
        own = self._files.get("segments") if version == self._version else None
        if own is None:
            return behind
        extended = _extended(own)
        if extended and extended != version:
            behind += tuple(one for one in self._base.segment_sources(extended) if one not in behind)
        return ((f"{self._standard}/{version}/segments.yaml", own), *behind)

    def text(self, version: str) -> bytes:
        """The text of a version's `segments.yaml`; KeyError for a version that is not there."""
        own = self._files.get("segments") if version == self._version else None
        return self._base.text(version) if own is None else own


@contextmanager
def _readable(name: str) -> Iterator[None]:
    # A user's own file may be any YAML: what is not of our shape is said, not a traceback.
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise OurFault(
            f"guide {name} cannot be read: {error.__class__.__name__} {error}", remedy="see docs/edi.md for the format"
        ) from error


@lru_cache(maxsize=1)
def standard() -> Guides:
    """The guides in the package."""
    return Guides(Package())


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


_EXTENDS = re.compile(rb"""^extends:[ \t]*["']?(\w+)""", re.MULTILINE)


def _extended(text: bytes) -> str:
    """The version that a `segments.yaml` extends."""
    found = _EXTENDS.search(text)
    return found[1].decode() if found else ""


def _wrong(name: str, what: str, text: object) -> OurFault:
    return OurFault(f"guide {name}: {what} cannot be read: {text!r}", remedy="see docs/edi.md for the format")


def parse_segments(data: bytes, name: str, others: Callable[[str], bytes] | None = None) -> dict[str, SegmentSpec]:
    """The segments of a version from their YAML text; `others` gives the text of the version that it extends.

    Raises OurFault naming the line that cannot be read.
    """
    document = _load(data, name)
    if "extends" in document:
        if others is None:
            raise _wrong(name, "what it extends", document["extends"])
        extended = _load(others(document["extends"]), f"{document['extends']}/segments.yaml")
        for part in ("composites", "segments", "open"):
            document[part] = extended.get(part, {}) | document.get(part, {})
    lengths = document.get("lengths", {})
    composites: dict[str, tuple[ElementSpec, ...]] = {}
    for key, lines in document.get("composites", {}).items():
        composites[key] = tuple(elements_of(lines, {}, lengths, f"{name} {key}"))
    specs = {tag: SegmentSpec(tag=tag, label=label, open=True) for tag, label in document.get("open", {}).items()}
    for tag, body in document["segments"].items():
        specs[tag] = SegmentSpec(
            tag=tag,
            label=body["label"],
            elements=tuple(elements_of(body["elements"], composites, lengths, f"{name} {tag}")),
            notes=tuple(notes_of(body.get("notes", ""), f"{name} {tag}")),
        )
    return specs


def elements_of(
    lines: list[Any], composites: Mapping[str, tuple[ElementSpec, ...]], lengths: Mapping[str, str], name: str
) -> Iterator[ElementSpec]:
    """Elements from their lines; `lengths` are the version's own by number. OurFault for a line that is wrong."""
    for line in lines:
        if isinstance(line, dict):
            # {10x: [...]} repeats a group of elements.
            for times, group in line.items():
                inner = tuple(elements_of(group, composites, lengths, name))
                if _TIMES.fullmatch(times) is None or len(inner) > MOST_ELEMENTS:
                    raise _wrong(name, "a repeated group of elements", f"{times}: {len(inner)} elements")
                yield from inner * int(times[:-1])
            continue
        found = _ELEMENT.fullmatch(line)
        if found is None:
            raise _wrong(name, "an element", line)
        spec = _spec(found, composites)
        if spec.number in lengths:
            minimum, _, maximum = lengths[spec.number].partition("/")
            spec = replace(spec, minimum=int(minimum), maximum=int(maximum))
        yield spec


def _spec(found: re.Match[str], composites: Mapping[str, tuple[ElementSpec, ...]]) -> ElementSpec:
    composite = found["composite"]
    size = found["max"] or found["size"]
    repeat = found["repeat"]
    return ElementSpec(
        mandatory=found["usage"] == "M",
        type=found["type"] or found["form"] or composite,
        minimum=int(found["min"] or (1 if found["upto"] or composite else size)),
        maximum=int(size or UNLIMITED),
        number=found["number"] or found["code"] or composite,
        label=found["label"],
        codes=None if found["codes"] is None else frozenset(found["codes"].split()),
        components=composites[composite] if composite else (),
        repeat=UNLIMITED if repeat == "*" else int(repeat or 1),
    )


def notes_of(text: str, name: str) -> Iterator[Note]:
    """Syntax notes from their words. Raises OurFault for a word that is none."""
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


def parse_guide(
    data: bytes, specs: Mapping[str, SegmentSpec], version: str, name: str, *, standard: str = "x12"
) -> Guide:
    """A guide from its YAML text. Raises OurFault naming the line that cannot be read."""
    document = _load(data, name)
    levels = document.get("levels", {})
    return Guide(
        type=document["message"],
        version=version,
        label=document["label"],
        standard=standard,
        functional_id=document.get("group", ""),
        nests=document.get("nests", "HL" if levels else ""),
        root=LoopUse(name="", label=document["label"], items=tuple(items_of(document["segments"], specs, name))),
        levels=frozenset(levels),
        level_labels=levels,
    )


def items_of(lines: list[Any], specs: Mapping[str, SegmentSpec], name: str) -> Iterator[Use | LoopUse]:
    """Places and loops from their lines. Raises OurFault for a line that cannot be read or a segment not in `specs`."""
    for line in lines:
        if isinstance(line, dict):
            for place, inner in line.items():
                use, maximum, group = _place(place, specs, name)
                start = Use(spec=use.spec, mandatory=True, qualifiers=use.qualifiers)
                yield LoopUse(
                    name=use.tag,
                    label=use.spec.label,
                    items=(start, *items_of(inner, specs, name)),
                    mandatory=use.mandatory,
                    maximum=maximum,
                    group=group,
                )
        else:
            yield _place(line, specs, name)[0]


def _place(text: str, specs: Mapping[str, SegmentSpec], name: str) -> tuple[Use, int, str]:
    found = _PLACE.fullmatch(text)
    if found is None or found["tag"] not in specs:
        raise _wrong(name, "a segment", text)
    times = found["times"]
    maximum = UNLIMITED if times == "*" else int(times or 1)
    qualifiers = frozenset(found["qualifiers"].split("|")) if found["qualifiers"] else frozenset[str]()
    use = Use(spec=specs[found["tag"]], mandatory=found["mandatory"] == " M", maximum=maximum, qualifiers=qualifiers)
    return use, maximum, found["group"] or ""
