"""Good documents, damaged row by row: each row says the rule that finds it and every code that answers it.

The rows stand in `mutations/x12.yaml` and `mutations/edifact.yaml`, the exact answers beside them (`.ack`);
`GATEWAY_RENEW=1` writes the answers anew, to be read before they are committed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.edi import rules
from gateway.edi.delta import resolve
from gateway.edi.header import _CHECKS as ISA_CHECKS
from gateway.edi.library import Guides
from gateway.edi.tolerances import Limits

FOLDER = Path(__file__).with_name("mutations")
TABLES = {name: yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8")) for name in ("x12", "edifact")}
HEADS = {
    "004010": {"isa11": "U", "isa12": "00401", "gs08": "004010"},
    "005010": {"isa11": "^", "isa12": "00501", "gs08": "005010"},
    "edifact": {},
}
Answer = Callable[..., Any]
Row = dict[str, Any]

ROWS = [
    *((row, version) for row in TABLES["x12"]["rows"] for version in ("004010", "005010")),
    *((row, "edifact") for row in TABLES["edifact"]["rows"]),
]
ROWS = [(row, version) for row, version in ROWS if row.get("only", version) == version]
CODED = {
    "TA1": {4: "TA104", 5: "TA105"},
    "AK3": {4: "AK304"},
    "AK4": {3: "AK403"},
    "IK3": {4: "AK304"},
    "IK4": {3: "AK403"},
    **{tag: {1: "AK501", **dict.fromkeys(range(2, 7), "AK502")} for tag in ("AK5", "IK5")},
    "AK9": {1: "AK901", **dict.fromkeys(range(5, 10), "AK905")},
    "UCI": {4: "UCI04", 5: "0085"},
    "UCF": {4: "UCF04", 5: "0085"},
    "UCM": {3: "UCM03", 4: "0085"},
    "UCS": {2: "0085"},
    "UCD": {1: "0085"},
}
"""Where an answer has a code, by segment and element, and what the table calls it."""

NEVER = {
    ("contrl", "20"): "a file whose UNA cannot be used is not read as far as its UNB: there is nobody to answer",
    ("contrl", "31"): "a note: the message is taken, and CONTRL tells errors only",
    ("contrl", "45"): "a note, too",
    ("contrl", "48"): "the EDIFACT guides have no conditions between elements; a partner's guide may",
}
"""Codes that no answer holds, and why."""


def damaged(row: Row, version: str) -> bytes:
    """The document of a row with its damage done, and its segments counted."""
    table = "edifact" if version == "edifact" else "x12"
    segments: list[str] = TABLES[table]["documents"][row["document"]]
    at = [index for index, one in enumerate(segments) if one.startswith(row["at"])]
    assert len(at) == 1
    segments = [*segments[: at[0]], *row["by"], *segments[at[0] + 1 :]]
    text = [one.replace("{count}", str(_counted(segments))) for one in segments]
    for name, value in HEADS[version].items():
        text = [one.replace(f"{{{name}}}", value) for one in text]
    return "".join(one + ("'" if table == "edifact" else "~") + "\n" for one in text).encode()


def _counted(segments: list[str]) -> int:
    head = next(index for index, one in enumerate(segments) if one.startswith(("ST", "UNH")))
    tail = [index for index, one in enumerate(segments) if "{count}" in one]
    return tail[0] - head + 1 if tail else 0


def codes_in(answer: bytes) -> list[str]:
    """Every code and verdict of an answer."""
    found: set[str] = set()
    for line in answer.decode().splitlines():
        tag, *elements = re.split(r"[*+]", line.rstrip("~'"))
        places = CODED.get(tag, {})
        found.update(f"{places[at]}={one}" for at, one in enumerate(elements, 1) if one and at in places)
    return sorted(found)


@cache
def answers() -> dict[str, bytes]:
    """The answers that are committed, by row and version."""
    found: dict[str, bytes] = {}
    for path in sorted(FOLDER.glob("*.ack")):
        for part in path.read_bytes().split(b"== ")[1:]:
            name, _, answer = part.partition(b"\n")
            found[name.decode()] = answer
    return found


def called(row: Row, version: str) -> str:
    """The name of a row in the file of answers."""
    return f"{row['name']} ({version})"


def guides_of(row: Row, version: str, guides: Guides) -> Guides:
    """The package's guides, with the partner's that the row has."""
    if "delta" not in row:
        return guides
    text = f"extends: x12/{version}/{row['document']}\n{row['delta']}\n"
    partner, _ = resolve("acme", find=lambda name: ("acme.yaml", text) if name == "acme" else None, guides=guides)
    assert partner is not None
    return guides.with_guide(partner.guide)


def answered_to(row: Row, version: str, guides: Guides, answered: Answer) -> Any:
    """What is found in the document of a row, and answered."""
    limits = Limits(**row["limits"]) if "limits" in row else None
    return answered(damaged(row, version), guides=guides_of(row, version, guides), limits=limits)


@pytest.mark.parametrize(("row", "version"), ROWS, ids=[called(*one) for one in ROWS])
def test_a_damage_breaks_these_rules_and_is_answered_with_these_codes(
    row: Row, version: str, guides: Guides, answered: Answer
) -> None:
    """One damage, the rules it breaks and no others, every code of the answer, and the answer's very bytes."""
    read = answered_to(row, version, guides, answered)
    assert read.rules == row["rules"]
    wanted = row["codes_999"] if version == "005010" and "codes_999" in row else row["codes"]
    assert codes_in(read.answer) == sorted(wanted)
    if not os.environ.get("GATEWAY_RENEW"):
        assert read.answer == answers()[called(row, version)]


def test_the_answers_are_those_of_the_rows(guides: Guides, answered: Answer) -> None:
    """No answer without a row."""
    if os.environ.get("GATEWAY_RENEW"):
        for name, versions in (("x12", ("004010", "005010")), ("edifact", ("edifact",))):
            renewed = [
                f"== {called(row, version)}\n".encode() + answered_to(row, version, guides, answered).answer
                for row, version in ROWS
                if version in versions
            ]
            (FOLDER / f"{name}.ack").write_bytes(b"".join(renewed))
        answers.cache_clear()
    assert set(answers()) == {called(*one) for one in ROWS}


@pytest.mark.parametrize("document", ["850", "856", "ORDERS", "DESADV", "ORDERS syntax 4"])
def test_the_documents_are_right_before_they_are_damaged(document: str, answered: Answer) -> None:
    """In each version."""
    versions = ("004010", "005010") if document.isdigit() else ("edifact",)
    for version in versions:
        table = "x12" if document.isdigit() else "edifact"
        first = TABLES[table]["documents"][document][0]
        row = {"document": document, "at": first[:3], "by": [first]}
        assert answered(damaged(row, version)).findings == ()


def emitted() -> set[tuple[str, str]]:
    """Every code that a rule or a check of the ISA can give a finding, by the field of `Codes`."""
    found = {
        (field.name, code)
        for rule in rules.RULES.values()
        for field in fields(rule.codes)
        if (code := getattr(rule.codes, field.name))
    }
    return found | {("ta105", code) for _, _, _, code in ISA_CHECKS} | {("contrl", "38")}


def test_every_code_that_can_be_emitted_is_emitted_by_a_row() -> None:
    """I18, 720, 723, 718, 716 and 0085; 620, 621 and 618 in the answers to 005010. What never is has its reason."""
    told: set[tuple[str, str]] = set()
    names = {"TA105": "ta105", "AK304": "ak304", "AK403": "ak403", "AK502": "ak502", "AK905": "ak905", "0085": "contrl"}
    newer = {"ak304": "ik304", "ak403": "ik403", "ak502": "ik502"}
    for row, version in ROWS:
        new = version == "005010"
        for one in row["codes_999"] if new and "codes_999" in row else row["codes"]:
            name, _, code = one.partition("=")
            if name in names:
                told.add((newer.get(names[name], names[name]) if new else names[name], code))
    codes = emitted()
    assert codes - told - set(NEVER) == set()
    assert not told & set(NEVER)
    # A 999 has the codes of the 997 where it has none of its own.
    shared = {(newer[name], code) for name, code in codes if name in newer and name != "ak403"}
    assert shared - told == set()
