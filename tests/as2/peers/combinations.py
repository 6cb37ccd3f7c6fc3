"""What is combined in the matrix: direction, signature, encryption, compression, receipt; and what came of each.

Names are ours (docs/as2.md); each station translates them into its own words.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Way(StrEnum):
    """Who sends."""

    IN = "in"
    OUT = "out"


SIGN = ("no", "sha-1", "sha-256", "sha-384", "sha-512", "sha-256 pss", "sha-256 ecdsa")
ENCRYPT = (
    "no",
    "3des-cbc",
    "aes-128-cbc",
    "aes-192-cbc",
    "aes-256-cbc",
    "aes-256-cbc oaep",
    "aes-256-cbc ecdh",
    "aes-128-gcm",
    "aes-192-gcm",
    "aes-256-gcm",
)
COMPRESS = ("no", "before", "after")
RECEIPTS = ("none", "unsigned", "signed", "unsigned async", "signed async")


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Combination:
    """One exchange. `sign` may end in ` pss` or ` ecdsa`, `encrypt` in ` oaep` or ` ecdh`, `receipt` in ` async`."""

    way: Way
    sign: str
    encrypt: str
    compress: str
    receipt: str

    def __str__(self) -> str:
        """As the names of tests and notes have it."""
        words = f"signed {self.sign}, encrypted {self.encrypt}, compressed {self.compress}"
        return f"{self.way}: {words}, receipt {self.receipt}"

    @property
    def hash(self) -> str:
        """The hash of signature and MIC."""
        return "sha-256" if self.sign == "no" else self.sign.partition(" ")[0]

    @property
    def cipher(self) -> str:
        """The content cipher."""
        return self.encrypt.partition(" ")[0]

    @property
    def elliptic(self) -> bool:
        """Whether an EC key signs or is encrypted for."""
        return self.sign.endswith("ecdsa") or self.encrypt.endswith("ecdh")

    @property
    def receipt_kind(self) -> str:
        """none, unsigned or signed."""
        return self.receipt.partition(" ")[0]

    @property
    def asynchronous(self) -> bool:
        """Whether the receipt comes by a request of its own."""
        return self.receipt.endswith("async")


def combinations(way: Way) -> Iterator[Combination]:
    """All of one direction. Nothing signed: before and after signing are the same."""
    for sign, encrypt, compress, receipt in itertools.product(SIGN, ENCRYPT, COMPRESS, RECEIPTS):
        if sign != "no" or compress != "after":
            yield Combination(way=way, sign=sign, encrypt=encrypt, compress=compress, receipt=receipt)


class Standing(StrEnum):
    """What came of a combination."""

    WORKS = "works"
    FAILS = "fails"
    NOT_THEIRS = "not supported by the peer"
    NOT_OURS = "not offered by the gateway"


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One combination after the run."""

    standing: Standing
    why: str = ""


class Station(Protocol):
    """The other side, and our side with it."""

    def theirs(self, one: Combination) -> str | None:
        """Why the peer has no such combination; None when it has."""

    def ours(self, one: Combination) -> str | None:
        """Why we offer no such combination; None when we do."""

    def run(self, chosen: Sequence[Combination]) -> dict[Combination, str]:
        """Run them for real; for each what went wrong, empty when nothing did."""


def results(station: Station, way: Way) -> dict[Combination, Result]:
    """The whole table of one direction."""
    found: dict[Combination, Result] = {}
    chosen: list[Combination] = []
    for one in combinations(way):
        if (why := station.theirs(one)) is not None:
            found[one] = Result(standing=Standing.NOT_THEIRS, why=why)
        elif (why := station.ours(one)) is not None:
            found[one] = Result(standing=Standing.NOT_OURS, why=why)
        else:
            chosen.append(one)
    for one, why in station.run(chosen).items():
        found[one] = Result(standing=Standing.FAILS if why else Standing.WORKS, why=why)
    return found
