"""A code table, read from code to word and written from word to code.

{IA: accepted, AR: {read: accepted}, …: keep}      AR is read too; an unknown code stays as it is
{AC: accepted, …: {read: other}}                   an unknown code is read as `other`
{"3": {read: changed, write: [changed, price_changed]}}    the one code for both words: a price change is read back as a
                                                           change, and that loss is told when it is written
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.mapping.rules import Problems
from gateway.mapping.source import Node
from gateway.mapping.units import ALSO, TO_REC20

REST: Final = "…"
"""The key that stands for every other code."""


@dataclass(frozen=True, slots=True)
class Codes:
    """A table both ways. `keep`: unknown codes stay as they are; `rest`: the word they are read as."""

    name: str
    reading: dict[str, str]
    writing: dict[str, str]
    keep: bool = False
    rest: str | None = None
    coarse: frozenset[str] = frozenset()
    """Words whose code is read back as a word that says less."""

    @property
    def exact(self) -> bool:
        """Whether each code that can be read is the one that would be written."""
        return len(self.reading) == len(self.writing) and self.rest is None

    def read(self, code: str) -> str | None:
        """The word for `code`; None where the table has none."""
        word = self.reading.get(code)
        if word is None:
            # A code that is also another code's word would be read back as that other code.
            return code if self.keep and code not in self.writing else self.rest
        return word

    def write(self, word: str) -> str | None:
        """The code for `word`; None where the table has none."""
        code = self.writing.get(word)
        if code is None and self.keep and word not in self.reading and _is_code(word):
            return word
        return code


def _is_code(word: str) -> bool:
    return bool(word) and not any(letter.islower() or letter == "_" for letter in word)


UNITS: Final = Codes(
    name="units", reading=TO_REC20 | ALSO, writing={word: code for code, word in TO_REC20.items()}, keep=True
)
"""Element 355 and Recommendation 20."""


def read_codes(name: str, node: Node, problems: Problems) -> Codes:
    """The table under `codes.NAME`; a table that cannot be turned round is a problem (law 5)."""
    reading: dict[str, str] = {}
    writing: dict[str, str] = {}
    coarse: set[str] = set()
    keep, rest = False, None
    for code, entry in node.keys.items():
        key = f"codes.{name}.{code}"
        only_read = entry.keys.get("read")
        word = only_read.text if only_read is not None else entry.text
        written = _written(entry, word)
        if not word or written is None:
            wanted = "a word, {read: word}, {read: word, write: [words]}, or ~ in a delta"
            problems.add("map.file.shape", entry.file, entry.line, key, said="nothing", wanted=wanted)
        elif code == REST:
            keep, rest = (True, None) if entry.text == "keep" else (False, word)
            if only_read is None and not keep:
                problems.add("map.file.shape", entry.file, entry.line, key, said=word, wanted="keep or {read: word}")
        else:
            reading[code] = word
            for own in written:
                if own in writing:
                    said = f"{writing[own]} and {code} both mean {own}"
                    wanted = f"{{read: {own}}} for one of them"
                    problems.add("map.codes.not_invertible", entry.file, entry.line, key, said=said, wanted=wanted)
                writing.setdefault(own, code)
            coarse.update(own for own in written if own != word)
    return Codes(name=name, reading=reading, writing=writing, keep=keep, rest=rest, coarse=frozenset(coarse))


def _written(entry: Node, word: str | None) -> list[str] | None:
    """The words that are written as the entry's code; None where that is not said in words."""
    if "write" not in entry.keys:
        return [word] if word and "read" not in entry.keys else []
    words = [each.text or "" for each in entry.keys["write"].items]
    return words if words and all(words) else None
