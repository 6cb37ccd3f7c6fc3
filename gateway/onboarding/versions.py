"""Which version's guides read a version that has none: the nearest one that has a guide for what was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.edi.library import VERSION_LENGTH, Guides

_DIRECTORY = re.compile(r"[A-Z](\d\d)([A-Z])?")
CENTURY = 70
"""Directories from D.88 on are of the last century."""


def nearest(guides: Guides, standard: str, version: str, types: Iterable[str]) -> str:
    """The version to read `version` by; empty where it has guides itself, or none has a guide for any of `types`."""
    own = version[:VERSION_LENGTH]
    wanted = set(types)
    if guides.knows_version(own):
        return ""
    having = {
        name.split("/")[1]
        for name in guides.names()
        if name.startswith(f"{standard}/") and name.split("/")[2] in wanted
    }
    place = age(standard, own)
    # Of two as near, the newer one: it knows more.
    ranked = sorted(having, key=lambda one: (abs(age(standard, one) - place), -age(standard, one)))
    return ranked[0] if ranked else ""


def age(standard: str, version: str) -> float:
    """A number that grows with the version: 004010 of X12; D96A, D01B, 911 of EDIFACT by year and half."""
    if standard == "x12":
        digits = re.sub(r"\D", "", version)
        return float(digits or 0)
    found = _DIRECTORY.fullmatch(version)
    if found is None:
        return 0.0
    year = int(found[1]) + (1900 if int(found[1]) >= CENTURY else 2000)
    return year + (ord(found[2]) - ord("A")) / 3 if found[2] else float(year)
