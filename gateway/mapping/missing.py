"""Words that no cross-reference translates: each as a finding with what is near, and the command that teaches it."""

from __future__ import annotations

import datetime as dt
import shlex
from dataclasses import dataclass, replace
from typing import Literal

from gateway.findings import Finding, JsonPlace, Severity
from gateway.mapping.references import SURE, CrossReference, Near, References
from gateway.mapping.rules import finding

Unknown = Literal["hold", "keep"]
Side = Literal["theirs", "ours"]
MOST_FINDINGS = 50
"""Of one document that hold it, and as many that do not."""
MOST_SUGGESTIONS = 3
"""Unknown words of one document that near matches are looked up for; the rest is looked up when an operator asks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A word to be translated, and where it stands."""

    list: str
    scheme: str
    side: Side
    said: str
    at: str
    """JSON pointer."""
    unknown: Unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """A word that nothing translates, or nothing translates exactly."""

    list: str
    scheme: str
    side: Side
    said: str
    held: bool
    finding: Finding


class Missings:
    """What one document is short of: one finding a word, however often the document says it."""

    def __init__(self, known: References, day: dt.date) -> None:
        self._known, self._day = known, day
        self._found: dict[tuple[str, str, str, str], Missing] = {}

    @property
    def all(self) -> tuple[Missing, ...]:
        """In the order of the document."""
        return tuple(self._found.values())

    def unknown(self, word: Word) -> None:
        """No row has it."""
        if self._room("reference.unknown", word):
            near = self._known.near(word.list, word.said, self._day) if len(self._found) < MOST_SUGGESTIONS else ()
            words = ", ".join(f"{one.row.theirs} = {one.row.ours} ({one.score} %)" for one in near)
            wanted = f"a word of the cross-references{f'; near: {words}' if words else ''}"
            fix = teaching(word, self._known.partner, near[0] if near else None)
            self._add("reference.unknown", word, wanted=wanted, fix=f"teach it: {fix}")

    def ambiguous(self, word: Word, rows: tuple[CrossReference, ...]) -> None:
        """Several of the partner's words stand for ours."""
        if self._room("reference.ambiguous", word):
            wanted = f"one word of the partner's, not {' and '.join(one.theirs for one in rows[:5])}"
            command = f"gateway reference retire {rows[0].partner or 'all'} {word.list} THEIRS"
            fix = f"retire those that hold no more: {command}"
            self._add("reference.ambiguous", word, wanted=wanted, fix=fix)

    def inexact(self, word: Word, value: str, row: CrossReference) -> None:
        """A quantity that the factor does not divide."""
        if self._room("reference.inexact", word):
            wanted = f"a multiple: 1 {row.theirs} is {row.factor} {row.ours}"
            self._add("reference.inexact", word, said=f"{value} {word.said}", wanted=wanted)

    def _room(self, rule: str, word: Word) -> bool:
        """A word that holds the document is noted though many were let stand before it."""
        alike = sum(one.held is (word.unknown == "hold") for one in self._found.values())
        return (rule, word.list, word.scheme, word.said) not in self._found and alike < MOST_FINDINGS

    def _add(self, rule: str, word: Word, *, wanted: str, said: str | None = None, fix: str | None = None) -> None:
        told = f"{word.list} {said or word.said!r} ({word.side})"
        made = finding(rule, JsonPlace(pointer=word.at), said=told, wanted=wanted, fix=fix)
        held = word.unknown == "hold"
        if not held:
            made = replace(made, severity=Severity.ACCEPT_WITH_ERRORS)
        self._found[rule, word.list, word.scheme, word.said] = Missing(
            list=word.list, scheme=word.scheme, side=word.side, said=word.said, held=held, finding=made
        )


def teaching(word: Word, partner: str, near: Near | None = None) -> str:
    """The command that teaches an unknown word; with the other side's word where a row is as good as the same."""
    other = {"theirs": "OURS", "ours": "THEIRS"}[word.side]
    if near is not None and near.score >= SURE:
        other = shlex.quote(near.row.ours if word.side == "theirs" else near.row.theirs)
    said = shlex.quote(word.said)
    both = f"{said} {other}" if word.side == "theirs" else f"{other} {said}"
    scheme = f" --scheme {shlex.quote(word.scheme)}" if word.scheme and word.list != "units" else ""
    return f"gateway reference learn {partner or 'PARTNER'} {word.list} {both}{scheme}"
