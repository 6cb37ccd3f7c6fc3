"""What is wrong inside a partner's `x12` or `edifact` section: characters that clash, data that could never be written.

Works on the section's text tree, as `checks` does, so that a wrong value elsewhere hides nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.edi.repertoires import repertoire_of
from gateway.findings import Severity
from gateway.partners.agreement import Dialect, EdifactDialect, Standard, X12Dialect

MODELS: Mapping[Standard, type[Dialect]] = {"x12": X12Dialect, "edifact": EdifactDialect}
"""The sections by their keys in an agreement."""

ID_TWICE: Mapping[Standard, str] = {"x12": "x12_id_twice", "edifact": "edifact_id_twice"}
"""The rule that an identity is one partner's."""

DELIMITERS: Mapping[Standard, tuple[str, ...]] = {
    "x12": ("element_separator", "component_separator", "segment_terminator"),
    "edifact": (
        "component_separator",
        "element_separator",
        "release_character",
        "repetition_separator",
        "segment_terminator",
    ),
}
FOURTH = "4"
"""The syntax that has a repetition separator and longer addresses."""
INTERNAL_LENGTH = 14
"""Of 0008 and 0014 before syntax 4."""

Section = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrong:
    """One mistake in a section, at `keys` below it."""

    keys: tuple[str | int, ...]
    rule: str
    said: str
    wanted: str
    fix: str
    severity: Severity = Severity.REJECT


def wrong_in(standard: Standard, section: Section) -> Iterator[Wrong]:
    """Everything wrong between the fields of one section."""
    for check in _CHECKS[standard]:
        yield from check(standard, section)


def wrong_versions(section: Section, knows: Callable[[str], bool]) -> Iterator[Wrong]:
    """Versions that are read as others though they have guides, or that lead to none; `knows` tells whether one has."""
    read_as = section.get("read_as")
    for version, other in read_as.items() if isinstance(read_as, Mapping) else ():
        keys = ("read_as", str(version))
        if knows(str(version)):
            wanted = f"a version without guides: {version} has its own"
            yield Wrong(keys=keys, rule="read_as", said=str(version), wanted=wanted, fix="remove the line")
        if isinstance(other, str) and not knows(other):
            wanted, fix = "a version with guides, such as 004010 or D96A", "name one that has guides"
            yield Wrong(keys=keys, rule="read_as", said=other, wanted=wanted, fix=fix)


def value_of(standard: Standard, section: object, key: str) -> str:
    """A plain value as text, the default where the file has none."""
    given = section.get(key) if isinstance(section, Mapping) else None
    if isinstance(given, str):
        return given
    default = MODELS[standard].model_fields[key].default
    return "" if default is None else str(default)


def identity_of(identity: object) -> tuple[str, str] | None:
    """Qualifier and id of an identity in any standard, None where they are not both text."""
    if not isinstance(identity, Mapping):
        return None
    qualifier, id_ = identity.get("qualifier") or "", identity.get("id")
    return (qualifier, id_) if isinstance(qualifier, str) and isinstance(id_, str) else None


def _delimiters(standard: Standard, section: Section) -> Iterator[Wrong]:
    seen: dict[str, str] = {}
    for name in DELIMITERS[standard]:
        if name == "repetition_separator" and value_of(standard, section, "syntax_version") != FOURTH:
            continue
        value = value_of(standard, section, name)
        if value not in seen:
            seen[value] = name
            continue
        keys = name if section.get(name) else seen[value]
        wanted = f"another character than {seen[value] if keys == name else name} has"
        yield Wrong(keys=(keys,), rule="delimiters", said=repr(value), wanted=wanted, fix="choose another one")


def _una(standard: Standard, section: Section) -> Iterator[Wrong]:
    if value_of(standard, section, "una") != "never":
        return
    for name in DELIMITERS[standard]:
        usual = MODELS[standard].model_fields[name].default
        if value_of(standard, section, name) != usual:
            said, wanted = f"{name} {section[name]!r} without UNA", f"{usual!r}, which is understood without UNA"
            yield Wrong(keys=(name,), rule="una", said=said, wanted=wanted, fix="choose it, or write una: needed")


def _repertoire(standard: Standard, section: Section) -> Iterator[Wrong]:
    """The names in UNB stand in the characters of the syntax, and fit it."""
    syntax, version = value_of(standard, section, "syntax"), value_of(standard, section, "syntax_version")
    repertoire = repertoire_of(syntax, int(version)) if version.isdigit() else None
    for side in ("identity", "our_identity"):
        identity = section.get(side)
        for key, value in identity.items() if isinstance(identity, Mapping) else ():
            if not isinstance(value, str):
                continue
            if repertoire and (foreign := [one for one in value if one not in repertoire.characters]):
                said, wanted = f"{value!r} in {syntax}", f"characters of {syntax}, not {' '.join(foreign)}"
                fix = "correct it, or choose a syntax that has them, such as UNOB or UNOC"
                yield Wrong(keys=(side, key), rule="repertoire", said=said, wanted=wanted, fix=fix)
            if key == "internal" and version != FOURTH and len(value) > INTERNAL_LENGTH:
                said, wanted = f"{len(value)} characters", f"at most {INTERNAL_LENGTH} before syntax 4"
                yield Wrong(keys=(side, key), rule="repertoire", said=said, wanted=wanted, fix="shorten it")


_CHECKS: Mapping[Standard, tuple[Callable[[Standard, Section], Iterator[Wrong]], ...]] = {
    "x12": (_delimiters,),
    "edifact": (_delimiters, _una, _repertoire),
}
