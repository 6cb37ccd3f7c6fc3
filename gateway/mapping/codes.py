"""A code table, read from code to word and written from word to code.

{IA: accepted, AR: {read: accepted}, …: keep}      AR is read too; an unknown code stays as it is
{AC: accepted, …: {read: other}}                   an unknown code is read as `other`
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
    keep, rest = False, None
    for code, entry in node.keys.items():
        key = f"codes.{name}.{code}"
        only_read = entry.keys.get("read")
        word = only_read.text if only_read is not None else entry.text
        if not word:
            wanted = "a word, {read: word}, or ~ in a delta"
            problems.add("map.file.shape", entry.file, entry.line, key, said="nothing", wanted=wanted)
        elif code == REST:
            keep, rest = (True, None) if entry.text == "keep" else (False, word)
            if only_read is None and not keep:
                problems.add("map.file.shape", entry.file, entry.line, key, said=word, wanted="keep or {read: word}")
        else:
            reading[code] = word
            if only_read is None:
                if word in writing:
                    said = f"{writing[word]} and {code} both mean {word}"
                    wanted = f"{{read: {word}}} for one of them"
                    problems.add("map.codes.not_invertible", entry.file, entry.line, key, said=said, wanted=wanted)
                writing.setdefault(word, code)
    return Codes(name=name, reading=reading, writing=writing, keep=keep, rest=rest)
