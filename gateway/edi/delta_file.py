"""The shape of a delta's file, and the rules that it must keep, as one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.findings import Finding, Severity
from gateway.yamltext import YamlText

RULES: Mapping[str, str] = {
    "guide.missing": "A guide that is named exists: a file in guides/, or one that comes with the gateway.",
    "guide.extends": "A guide extends another one, at most eight deep, and never itself.",
    "guide.place": "A place or element that a guide speaks of is in the guide it extends; the near miss is named.",
    "guide.use": "What is said of a place can be said of it: codes of a simple element, no twofold usage.",
    "guide.segment": "Own segments and places are written in the notation of docs/edi.md.",
    "guide.codes": "A code list has codes of letters and digits that fit the element's length.",
    "guide.lengths": "Lengths are written 1/20, ..20 or 20, and a date keeps the lengths that dates have.",
    "guide.lengths_wider": "Lengths go beyond the standard's: taken as it is, and noted.",
    "guide.notes": "Syntax notes of a segment are written P0203 C0405, of elements that it has; ~ asks for none.",
    "guide.repeat": "A repeat is a number from 1 on, or *.",
}
"""What can be wrong with a partner's guide beside what can be wrong with any file."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


class OwnSegment(_Section):
    """A segment in our notation."""

    label: str = "own segment"
    elements: tuple[Any, ...]
    notes: str = ""


class Delta(_Section):
    """One file in `guides/`, or what stands under `guide` in a map."""

    extends: str
    title: str | None = None
    segments: dict[str, OwnSegment] = Field(default_factory=dict)
    before: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    after: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    codes: dict[str, tuple[str, ...] | None] = Field(default_factory=dict)
    lengths: dict[str, str] = Field(default_factory=dict)
    notes: dict[str, str | None] = Field(default_factory=dict)
    repeat: dict[str, str] = Field(default_factory=dict)


class Report:
    """The findings of one file, each at its line."""

    def __init__(self, source: YamlText) -> None:
        self.source = source
        self.findings: list[Finding] = []

    def add(
        self,
        rule: str,
        path: tuple[str | int, ...],
        *,
        said: str,
        wanted: str,
        fix: str,
        severity: Severity = Severity.REJECT,
    ) -> None:
        """Note what is wrong at `path` in the file."""
        assert rule in RULES
        place = self.source.place(path)
        shown = said if len(said) <= 80 else said[:79] + "…"  # noqa: PLR2004  one line of a terminal
        found = Finding(rule=rule, place=place, said=shown, wanted=wanted, fix=fix, severity=severity)
        if found not in self.findings:
            self.findings.append(found)

    @property
    def wrong(self) -> bool:
        """Whether anything keeps the guide from being used."""
        return any(one.severity is Severity.REJECT for one in self.findings)
