"""One line of a map: the texts at an address and the field they say, both ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.edi.tree import Element
from gateway.mapping.codes import Codes
from gateway.mapping.moments import Moment
from gateway.mapping.pairs import Fields, Narrow, Wide, is_wide, read_texts, write_texts
from gateway.mapping.paths import Get, Path, Put, Step, getter, putter
from gateway.mapping.segments.elements import place_texts, texts_at
from gateway.mapping.segments.words import Address, Spot

Json = dict[str, Any]
Count = Callable[[Json, int], int]
"""From the document and the number of hierarchy nodes to the count an element states."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A text that is written, and required on reading, only together with a lens: `=ZZ with reason`."""

    spot: Spot
    value: str


@dataclass(frozen=True, slots=True)
class Lens:
    """An address and its field."""

    address: Address
    path: Path
    pair: Narrow | Wide
    file: str
    line: int
    key: str
    joined: bool = False
    """Lines of one text, for a repeated segment."""
    beside: Path | None = None
    """Where the wire's code is kept when the table would write another."""
    count: Count | None = None
    guard: Guard | None = None
    get: Get = lambda target: None  # noqa: ARG005  set below from `path`
    put: Put = lambda target, value: None  # noqa: ARG005
    get_beside: Get | None = None
    put_beside: Put | None = None

    @staticmethod
    def make(
        *,
        address: Address,
        path: Path,
        pair: Narrow | Wide,
        where: tuple[str, int, str],
        joined: bool = False,
        beside: Path | None = None,
        count: Count | None = None,
    ) -> Lens:
        """A lens with its accessors compiled."""
        get: Get
        put: Put
        if isinstance(pair, (Fields, Moment)):
            get, put = _fields(path, pair)
        else:
            get, put = (getter(path), putter(path)) if path else (_whole, _nowhere)
        return Lens(
            address, path, pair, *where, joined,
            beside=beside, count=count, get=get, put=put,
            get_beside=getter(beside) if beside else None, put_beside=putter(beside) if beside else None,
        )  # fmt: skip

    @property
    def wide(self) -> bool:
        """Whether its pair takes several texts."""
        return is_wide(self.pair)

    @property
    def codes(self) -> Codes | None:
        """The code table of its pair."""
        found: Codes | None = getattr(self.pair, "codes", None)
        return found

    @property
    def rule(self) -> str:
        """The finding's rule where a text is not understood."""
        return "map.read.value" if self.codes is None else "map.read.code"

    @property
    def wanted(self) -> str:
        """What the text may be, in words."""
        if self.codes is None:
            return f"{self.pair.makes}, as the map reads it ({self.key})"
        return f"a code of the table {self.codes.name}: {', '.join(list(self.codes.reading)[:12])}"

    @property
    def reason(self) -> str:
        """What a value that cannot be written should be."""
        return f"a value that {self.key} can hold" if self.codes is None else f"a word of the table {self.codes.name}"

    def texts(self, elements: list[Element]) -> list[str] | None:
        """What stands at the address; None where it is no text, empty where it is absent."""
        return texts_at(elements, self.address)

    def read(self, texts: list[str]) -> Any:
        """What `texts` mean; None where they mean nothing."""
        return read_texts(self.pair, texts)

    def write(self, value: Any) -> list[str] | None:
        """The texts for `value`, no empty one at the end; None where it cannot be written."""
        texts = write_texts(self.pair, value, self.address.width)
        while texts and not texts[-1]:
            texts.pop()
        return texts

    def place(self, elements: list[Element], texts: list[str]) -> None:
        """Put texts at the address."""
        place_texts(elements, self.address, texts)


def _whole(target: Any) -> Any:
    return target


def _nowhere(target: Json, value: Any) -> None:
    raise AssertionError((target, value))


def _fields(path: Path, pair: Fields | Moment) -> tuple[Get, Put]:
    """Accessors of several fields at once, named by the pair's table."""
    base = getter(path) if path else None
    words = list(pair.codes.writing)
    getters = [(word, getter(_steps(word))) for word in words]
    putters = {word: putter((*path, *_steps(word))) for word in {*words, *pair.codes.reading.values()}}

    def get(target: Json) -> Any:
        here = base(target) if base else target
        if here is None:
            return None
        found = {word: value for word, read in getters if (value := read(here)) is not None}
        return found or None

    def put(target: Json, value: Any) -> None:
        for word, each in value.items():
            putters[word](target, each)

    return get, put


def _steps(word: str) -> Path:
    return tuple(Step(name) for name in word.split("."))
