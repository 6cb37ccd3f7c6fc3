"""YAML files as people wrote them: every scalar is text, every key knows its line, every error names its place.

Plain YAML turns `ON`, `NO`, `00`, `010` and `12:30` into True, False, 0, 8 and 750; configuration and maps are full of
such codes, so nothing is guessed here. Where a model wants a boolean, pydantic takes `true yes on y t 1` and
`false no off n f 0` in any case; where it wants text, they stay text. Knows nothing of what the files mean.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from gateway.findings import FilePlace, Finding

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 100_000

RULES: Mapping[str, str] = {
    "file.unreadable": "The file can be read.",
    "file.not_utf8": "The file is UTF-8.",
    "file.not_yaml": "The file is one YAML document.",
    "file.too_large": f"A file has at most {MAX_BYTES:,} bytes; a workspace at most 20,000 partners.",
    "file.too_deep": f"A file is at most {MAX_DEPTH} levels deep and has at most {MAX_NODES:,} values.",
    "file.alias": "YAML aliases (*name) are not used: they can make a small file endless.",
    "file.key": "A key is text.",
    "file.key_twice": "A key stands once in its section.",
    "file.name_twice": "A partner has one file.",
    "file.unknown_key": "Only the keys of the reference exist; the near miss is named.",
    "file.missing_key": "Required keys are there.",
    "file.value": "A value has the type and form of the reference.",
}
"""What can be wrong with a file by itself; whoever reads files may use these rules."""

Tree = Any
"""str | None | list[Tree] | dict[str, Tree]; `~` and an empty value are None."""

Path = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, kw_only=True, slots=True)
class YamlText:
    """A file's data with the line (from 1) of every path in it."""

    file: str
    data: Tree
    lines: Mapping[Path, int] = field(default_factory=dict)
    under: Path = ()
    """Where in the file this data stands; paths are told from there."""

    def section(self, key: str) -> YamlText:
        """What stands under a key of the top level, its places those of the whole file."""
        data = self.data.get(key) if isinstance(self.data, dict) else None
        lines = {path[1:]: line for path, line in self.lines.items() if path[:1] == (key,)}
        return YamlText(file=self.file, data=data, lines=lines, under=(*self.under, key))

    def place(self, path: Iterable[str | int]) -> FilePlace:
        """The place of `path`, or of its nearest parent that stands in the file."""
        full = tuple(path)
        known = full
        while known and known not in self.lines:
            known = known[:-1]
        return FilePlace(
            file=self.file, line=self.lines.get(known), key=".".join(map(str, (*self.under, *full))) or None
        )


class _Refused(Exception):  # noqa: N818  internal: carries the one finding
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


def read_yaml(file: str, text: str | bytes) -> tuple[YamlText, tuple[Finding, ...]]:
    """`text` as data with places; syntax errors, doubled keys, aliases and excess are findings and give no data."""
    try:
        return _Reader(file).read(text), ()
    except _Refused as refused:
        return YamlText(file=file, data=None), (refused.finding,)


class _Reader:
    """One pass over the parser's events; composing nodes recurses in C without a bound (50,000 times `[` crashes)."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Path, int] = {}
        self.nodes = 0

    def read(self, text: str | bytes) -> YamlText:
        if len(text) > MAX_BYTES:
            raise self.refused(
                "file.too_large",
                said=f"{len(text)} bytes",
                wanted=f"at most {MAX_BYTES}",
                fix="split it into several files",
            )
        loader = yaml.CBaseLoader(self.decoded(text))
        try:
            return YamlText(file=self.file, data=self.document(loader), lines=self.lines)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else None
            said = error.problem or "not YAML"
            fix = "mend the syntax at that line"
            raise self.refused("file.not_yaml", said=said, wanted="YAML", fix=fix, line=line) from None
        except yaml.YAMLError as error:
            fix = "remove the character"
            raise self.refused("file.not_yaml", said=str(error), wanted="YAML", fix=fix) from None
        finally:
            loader.dispose()

    def decoded(self, text: str | bytes) -> str:
        if isinstance(text, str):
            return text
        try:
            return text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = text.count(b"\n", 0, error.start) + 1
            said = f"byte 0x{text[error.start]:02X}"
            raise self.refused(
                "file.not_utf8", said=said, wanted="UTF-8", fix="save the file as UTF-8", line=line
            ) from None

    def document(self, loader: yaml.CBaseLoader) -> Tree:
        """The only document of the stream; an empty stream is None."""
        data: Tree = None
        documents = 0
        while not isinstance(event := _next(loader), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    said, fix = "a second document (---)", "make it a file of its own"
                    raise self.refused("file.not_yaml", said=said, wanted="one document", fix=fix, line=_line(event))
                data = self.value(loader, _next(loader), ())
        return data

    def value(self, loader: yaml.CBaseLoader, event: yaml.Event, path: Path) -> Tree:
        line = _line(event)
        self.lines.setdefault(path, line)
        self.nodes += 1
        if isinstance(event, yaml.AliasEvent):  # aliases can make a small file endless ("billion laughs")
            said, fix = "an alias (*name)", "write the value out"
            raise self.refused("file.alias", said=said, wanted="plain values", fix=fix, line=line)
        if len(path) > MAX_DEPTH or self.nodes > MAX_NODES:
            said = f"depth {len(path)}, {self.nodes} values"
            wanted = f"at most {MAX_DEPTH} deep, {MAX_NODES} values"
            raise self.refused("file.too_deep", said=said, wanted=wanted, fix="simplify the file", line=line)
        if isinstance(event, yaml.ScalarEvent):
            return None if not event.style and event.value in {"", "~", "null"} else str(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Tree] = []
            while not isinstance(item := _next(loader), yaml.SequenceEndEvent):
                items.append(self.value(loader, item, (*path, len(items))))
            return items
        return self.section(loader, path)

    def section(self, loader: yaml.CBaseLoader, path: Path) -> dict[str, Tree]:
        data: dict[str, Tree] = {}
        while not isinstance(event := _next(loader), yaml.MappingEndEvent):
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                said = "a key that is not text"
                raise self.refused("file.key", said=said, wanted="a text key", fix="quote the key", line=line)
            key = str(event.value)
            if key in data:
                said = f"{key} again (first in line {self.lines[(*path, key)]})"
                raise self.refused("file.key_twice", said=said, wanted="each key once", fix="remove one", line=line)
            self.lines[(*path, key)] = line
            data[key] = self.value(loader, _next(loader), (*path, key))
        return data

    def refused(self, rule: str, *, said: str, wanted: str, fix: str, line: int | None = None) -> _Refused:
        place = FilePlace(file=self.file, line=line)
        return _Refused(Finding(rule=rule, place=place, said=said, wanted=wanted, fix=fix))


def _next(loader: yaml.CBaseLoader) -> yaml.Event:
    event = loader.get_event()
    if event is None:  # only after the end of the stream, where nobody reads on
        raise yaml.YAMLError("unexpected end of the file")
    return event


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def near_miss(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, if any is close."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


def validate(source: YamlText, model: type[ModelT]) -> tuple[ModelT | None, tuple[Finding, ...]]:
    """`source` as `model`; all errors of the file at once, each with its line and, for a word, the near miss."""
    data = {} if source.data is None else source.data
    try:
        return model.model_validate(data), ()
    except ValidationError as error:
        errors = error.errors(include_url=False)
        return None, tuple(_finding(source, model, one) for one in errors if not _follows(one, errors))


WANTED: Mapping[str, str] = {
    "string_type": "text",
    "tuple_type": "a list: [a, b], or lines that begin with -",
    "dict_type": "a section: lines of key: value",
    "model_type": "a section: lines of key: value",
    "model_attributes_type": "a section: lines of key: value",
    "bool_type": "yes or no",
    "bool_parsing": "yes or no",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "decimal_parsing": "a number",
    "decimal_type": "a number",
    "date_parsing": "a day, such as 2027-01-31",
    "date_type": "a day, such as 2027-01-31",
    "date_from_datetime_parsing": "a day, such as 2027-01-31",
    "date_from_datetime_inexact": "a day, such as 2027-01-31",
}
"""Our words for pydantic's error types; the others speak for themselves."""


def _follows(error: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """Whether `error` is only the echo of another: a list counts as too short when its items are wrong."""
    loc = error["loc"]
    return error["type"] == "too_short" and any(one["loc"][: len(loc)] == loc != one["loc"] for one in errors)


def _finding(source: YamlText, model: type[BaseModel], details: ErrorDetails) -> Finding:
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    path = _path_in_file(source, details["loc"])
    if kind in {"union_tag_invalid", "union_tag_not_found"}:  # pydantic names the section; the mistake is its `kind`
        path = (*path, str(context["discriminator"]).strip("'"))
        kind, given = ("literal_error", context["tag"]) if "tag" in context else ("missing", None)
        details = {**details, "msg": str(context.get("expected_tags", ""))}
    place = source.place(path)
    key = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        known = _known_keys(model, details["loc"][:-1])
        meant = near_miss(key, known)
        wanted = "one of " + ", ".join(sorted(known)) if known else "no such key"
        fix = f"write {meant}" if meant else "remove it"
        return Finding(rule="file.unknown_key", place=place, said=f"unknown key {key!r}", wanted=wanted, fix=fix)
    if kind == "missing":
        wanted, fix = f"a value for {key}", f"add {key}: …"
        return Finding(rule="file.missing_key", place=place, said="nothing", wanted=wanted, fix=fix)
    if kind == "too_short":  # pydantic would name its own type: Tuple
        details = {**details, "msg": f"at least {context['min_length']} of them"}
    wanted = WANTED.get(kind) or details["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    choices = re.findall(r"'([^']*)'", wanted) if kind in {"enum", "literal_error"} else []
    meant = near_miss(given, choices) if isinstance(given, str) else None
    return Finding(
        rule="file.value",
        place=place,
        said=_shape(given, expected_section=kind in {"dict_type", "model_type", "model_attributes_type"}),
        wanted=wanted,
        fix=str(context.get("fix") or (f"write {meant}" if meant else "correct the value")),
    )


def _shape(given: object, *, expected_section: bool) -> str:
    """What stood there. Text where a section belongs is not repeated: it may be a password put in the wrong place."""
    if isinstance(given, str) and not expected_section:
        given = re.sub(r"(://)[^/\s]*@", r"\1…@", given)  # an address may carry a password
        return repr(given if len(given) <= 80 else given[:79] + "…")  # noqa: PLR2004  a line on a terminal
    words = {str: "plain text", list: "a list", dict: "a section", type(None): "nothing"}
    return words.get(type(given), "another shape")


def _path_in_file(source: YamlText, loc: Path) -> Path:
    """`loc` without the names of union members that pydantic adds between the keys of the file."""
    path: Path = ()
    for index, part in enumerate(loc):
        if (*path, part) in source.lines or (index == len(loc) - 1 and part != "[key]"):
            path = (*path, part)
    return path


def _known_keys(model: type[BaseModel], loc: Path) -> set[str]:
    """The keys that the model knows at `loc`; steps into lists, maps and unions, by `kind` to one of their members."""
    here: set[type[BaseModel]] = {model}
    for part in loc:
        members = {candidate for candidate in here if _kind_of(candidate) == part}
        following: set[type[BaseModel]] = set()
        for candidate in here:
            info = candidate.model_fields.get(str(part))
            following |= _models_in(info.annotation) if info else {candidate}
        here = members or following
    return {name for candidate in here for name in candidate.model_fields}


def _kind_of(model: type[BaseModel]) -> object:
    info = model.model_fields.get("kind")
    return info.default if info else None


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    found: set[type[BaseModel]] = set()
    for argument in getattr(annotation, "__args__", ()):
        found |= _models_in(argument)
    return found
