"""YAML files as people wrote them: every scalar is text, every key knows its line, every error names its place.

Plain YAML turns `ON`, `NO`, `00`, `010` and `12:30` into True, False, 0, 8 and 750; configuration and maps are full of
such codes, so nothing is guessed here. Knows nothing of what the files mean.
"""

from __future__ import annotations

import difflib
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

    def place(self, path: Iterable[str | int]) -> FilePlace:
        """The place of `path`, or of its nearest parent that stands in the file."""
        full = tuple(path)
        known = full
        while known and known not in self.lines:
            known = known[:-1]
        return FilePlace(file=self.file, line=self.lines.get(known), key=".".join(map(str, full)) or None)


class _Refused(Exception):  # noqa: N818  internal: carries the one finding
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


def _refuse(file: str, rule: str, /, *, said: str, wanted: str, fix: str, line: int | None = None) -> _Refused:
    return _Refused(Finding(rule=rule, place=FilePlace(file=file, line=line), said=said, wanted=wanted, fix=fix))


def read_yaml(file: str, text: str) -> tuple[YamlText, tuple[Finding, ...]]:
    """`text` as data with places; syntax errors, doubled keys, aliases and excess are findings and give no data."""
    try:
        return _read(file, text), ()
    except _Refused as refused:
        return YamlText(file=file, data=None), (refused.finding,)


def _read(file: str, text: str) -> YamlText:
    if len(text) > MAX_BYTES:
        raise _refuse(
            file,
            "file.too_large",
            said=f"{len(text)} characters",
            wanted=f"at most {MAX_BYTES}",
            fix="split it into several files",
        )
    loader = yaml.CBaseLoader(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        said = error.problem or "not YAML"
        fix = "mend the syntax at that line"
        raise _refuse(file, "file.not_yaml", said=said, wanted="YAML", fix=fix, line=line) from None
    except yaml.YAMLError as error:
        raise _refuse(file, "file.not_yaml", said=str(error), wanted="YAML", fix="remove the character") from None
    finally:
        loader.dispose()
    lines: dict[Path, int] = {}
    data = None if node is None else _value(file, node, (), lines, set())
    return YamlText(file=file, data=data, lines=lines)


def _value(file: str, node: yaml.Node, path: Path, lines: dict[Path, int], seen: set[int]) -> Tree:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if id(node) in seen:  # aliases can make a small file endless ("billion laughs")
        fix = "write the value out"
        raise _refuse(file, "file.alias", said="an alias (*name)", wanted="plain values", fix=fix, line=line)
    if not isinstance(node, yaml.ScalarNode):
        seen.add(id(node))
    if len(path) > MAX_DEPTH or len(lines) > MAX_NODES:
        raise _refuse(
            file,
            "file.too_deep",
            said=f"depth {len(path)}, {len(lines)} values",
            wanted=f"at most {MAX_DEPTH} deep, {MAX_NODES} values",
            fix="simplify the file",
            line=line,
        )
    if isinstance(node, yaml.ScalarNode):
        return None if node.style is None and node.value in {"", "~", "null"} else str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_value(file, item, (*path, index), lines, seen) for index, item in enumerate(node.value)]
    data: dict[str, Tree] = {}
    for key_node, value_node in node.value:
        key_line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            said = "a key that is not text"
            raise _refuse(file, "file.key", said=said, wanted="a text key", fix="quote the key", line=key_line)
        key = str(key_node.value)
        if key in data:
            first = lines[(*path, key)]
            said = f"{key} again (first in line {first})"
            raise _refuse(file, "file.key_twice", said=said, wanted="each key once", fix="remove one", line=key_line)
        lines[(*path, key)] = key_line
        data[key] = _value(file, value_node, (*path, key), lines, seen)
    return data


def near_miss(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, if any is close."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


def validate(source: YamlText, model: type[ModelT]) -> tuple[ModelT | None, tuple[Finding, ...]]:
    """`source` as `model`; all errors of the file at once, each with its line and, for a key, the near miss."""
    data = {} if source.data is None else source.data
    try:
        return model.model_validate(data), ()
    except ValidationError as error:
        return None, tuple(_finding(source, model, details) for details in error.errors(include_url=False))


def _finding(source: YamlText, model: type[BaseModel], details: ErrorDetails) -> Finding:
    path = _path_in_file(source, details["loc"])
    place = source.place(path)
    key = str(path[-1]) if path else ""
    if details["type"] == "extra_forbidden":
        known = _known_keys(model, path[:-1])
        meant = near_miss(key, known)
        fix = f"write {meant}" if meant else "remove it"
        said, wanted = f"unknown key {key!r}", "one of " + ", ".join(sorted(known)) if known else "no such key"
        return Finding(rule="file.unknown_key", place=place, said=said, wanted=wanted, fix=fix)
    if details["type"] == "missing":
        return Finding(
            rule="file.missing_key", place=place, said="nothing", wanted=f"a value for {key}", fix=f"add {key}: …"
        )
    said = repr(details["input"]) if isinstance(details["input"], str | int | float | bool) else "another shape"
    return Finding(rule="file.value", place=place, said=said, wanted=details["msg"], fix="correct the value")


def _path_in_file(source: YamlText, loc: Path) -> Path:
    """`loc` without the names of union members that pydantic adds between the keys of the file."""
    path: Path = ()
    for index, part in enumerate(loc):
        if (*path, part) in source.lines or index == len(loc) - 1:
            path = (*path, part)
    return path


def _known_keys(model: type[BaseModel], path: Path) -> set[str]:
    """The keys that the model knows at `path`; steps into lists, maps and unions as far as the names lead."""
    here: set[type[BaseModel]] = {model}
    for part in path:
        following: set[type[BaseModel]] = set()
        for candidate in here:
            info = candidate.model_fields.get(str(part))
            following |= _models_in(info.annotation) if info else {candidate}
        here = following
    return {name for candidate in here for name in candidate.model_fields}


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    found: set[type[BaseModel]] = set()
    for argument in getattr(annotation, "__args__", ()):
        found |= _models_in(argument)
    return found
