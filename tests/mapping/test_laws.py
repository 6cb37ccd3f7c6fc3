"""Each law refuses the map that breaks it, with file, line, key and the near miss; all problems come at once."""

from __future__ import annotations

import pytest

from gateway.errors import OurFault
from gateway.mapping import compile_map

HEAD = "document: 855\ncanonical: order_acknowledgement\n"
BAK = "  - BAK: {BAK02: response, BAK03: order.number}\n"
SEGMENTS = HEAD + "segments:\n" + BAK

# Map file, rule, line, key, what the message must say.
BROKEN: dict[str, tuple[str, str, int, str, str]] = {
    "unknown key": (SEGMENTS + "exmples: []\n", "map.key.unknown", 5, "exmples", "did you mean examples?"),
    "unknown rule key": (
        SEGMENTS + "  - REF: {REF01: type}\n    eech: references\n",
        "map.key.unknown",
        6,
        "REF.eech",
        "did you mean each?",
    ),
    "unknown field": (
        SEGMENTS + "  - CUR: {CUR02: currency.kode}\n",
        "map.field.unknown",
        5,
        "CUR.CUR02",
        "did you mean code?",
    ),
    "field of a list item": (
        SEGMENTS + "  - REF: {REF01: typ}\n    each: references\n",
        "map.field.unknown",
        5,
        "REF.REF01",
        "did you mean type?",
    ),
    "list without each": (
        SEGMENTS + "  - REF: {REF01: references.type}\n",
        "map.field.unknown",
        5,
        "REF.REF01",
        "each: references",
    ),
    "no such list": (
        SEGMENTS + "  - REF: {REF01: type}\n    each: refrences\n",
        "map.field.unknown",
        6,
        "REF.each",
        "references?",
    ),
    "pair for another type": (
        SEGMENTS + "  - BAK*00: {BAK04: order.issue_date | decimal}\n",
        "map.field.type",
        5,
        "BAK*00.BAK04",
        "decimal field",
    ),
    "unknown pair": (
        SEGMENTS + "  - DTM: {DTM02: issue_date | dat}\n",
        "map.pair.unknown",
        5,
        "DTM.DTM02",
        "did you mean date?",
    ),
    "unknown table": (
        HEAD
        + "codes: {answer: {AD: accepted}}\nsegments:\n  - BAK: {BAK02: response | code anser, BAK03: order.number}\n",
        "map.codes.unknown",
        5,
        "BAK.BAK02",
        "did you mean answer?",
    ),
    "two codes for one word": (
        (
            "document: 855\ncanonical: order_acknowledgement\n"
            "codes:\n  r:\n    AD: accepted\n    AT: accepted\nsegments:\n"
            "  - BAK: {BAK02: response | code r, BAK03: order.number}\n"
        ),
        "map.codes.not_invertible",
        6,
        "codes.r.AT",
        "{read: accepted}",
    ),
    "a word the field does not allow": (
        HEAD + "codes: {r: {AD: acepted}}\nsegments:\n  - BAK: {BAK02: response | code r, BAK03: order.number}\n",
        "map.codes.word",
        5,
        "BAK.BAK02",
        "did you mean accepted?",
    ),
    "two lines for one field": (
        SEGMENTS + "  - BAK*00: {BAK09: order.number}\n",
        "map.field.twice",
        5,
        "BAK*00.BAK09",
        "one line for the field",
    ),
    "two lines for one element": (
        SEGMENTS + "  - CUR: {CUR01..02: notes, CUR02: currency.code}\n",
        "map.address.twice",
        5,
        "CUR.CUR02",
        "one line",
    ),
    "two rules for one segment": (SEGMENTS + "  - BAK: {BAK09: number}\n", "map.address.twice", 5, "BAK#2", "one rule"),
    "an address of another segment": (
        SEGMENTS + "  - CUR: {REF02: currency.code}\n",
        "map.address.wrong",
        5,
        "CUR.REF02",
        "CURnn",
    ),
    "a required field without a line": (
        HEAD + "segments:\n  - BAK: {BAK02: response}\n",
        "map.field.required",
        3,
        "segments",
        "OrderAcknowledgement.order",
    ),
    "a companion that is not there": (
        SEGMENTS + "  - REF: {REF01: type, REF03: =ZZ with valu, REF02: value}\n    each: references\n",
        "map.field.unknown",
        5,
        "REF.REF03",
        "did you mean value?",
    ),
    "unknown canonical kind": (
        "document: 855\ncanonical: order_acknowledgment\nsegments: []\n",
        "map.key.missing",
        2,
        "canonical",
        "did you mean order_acknowledgement?",
    ),
    "an alias": (HEAD + "codes: &a {x: {A: b}}\nsegments: []\n", "map.file.yaml", 3, "", "an anchor, alias or tag"),
    "a tag": (HEAD + "title: !!python/name:os.system\nsegments: []\n", "map.file.yaml", 3, "", "plain YAML"),
    "a key twice": (SEGMENTS + "title: a\ntitle: b\n", "map.file.yaml", 6, "title", "a second time"),
    "no YAML": (HEAD + "segments: [\n", "map.file.yaml", 4, "", "YAML"),
    "too deep": (HEAD + "segments: " + "[" * 40 + "]" * 40 + "\n", "map.file.limit", 3, "", "at most 24 levels"),
    "too long": (HEAD + "#" * 600_000, "map.file.limit", 1, "", "at most"),
    "no mapping": ("- a\n", "map.file.shape", 1, "", "keys such as document"),
    "a base that is not there": (
        "extends: x12/999\n",
        "map.file.missing",
        1,
        "extends",
        "a map of that name",
    ),
    "a loop without its segment": (
        SEGMENTS + "  - loop: N1\n    each: parties\n    segments: []\n",
        "map.file.shape",
        5,
        "N1",
        "its segments",
    ),
    "an unknown level": (
        (
            "document: 856\ncanonical: ship_notice\nsegments:\n"
            "  - BSN: {BSN02: number}\n  - tree: HL\n    each: contents\n"
            "    levels:\n      O: {is: ordr, segments: [{PRF: {PRF01: order.number}}]}\n"
        ),
        "map.field.unknown",
        8,
        "HL/O.is",
        "did you mean order?",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_map_is_refused_at_its_line(name: str) -> None:
    """File, line, key and what was wanted."""
    text, rule, line, key, says = BROKEN[name]
    with pytest.raises(OurFault) as caught:
        compile_map("t/855", {"t/855": text})
    finding = next(one for one in caught.value.findings if one.rule == rule)
    assert str(finding.place) == f"maps/t/855.yaml:{line}" + (f" {key}" if key else "")
    assert says in finding.text
    assert "gateway map check" in caught.value.remedy


def test_all_problems_come_at_once() -> None:
    """One run tells an analyst everything."""
    text = SEGMENTS + "  - CUR: {CUR02: currency.kode}\n  - DTM: {DTM02: issue_date | dat}\ntitel: x\n"
    with pytest.raises(OurFault) as caught:
        compile_map("t/855", {"t/855": text})
    assert len(caught.value.findings) == 3


def test_a_circle_of_extends_is_refused() -> None:
    """Each map is named once in the chain."""
    with pytest.raises(OurFault, match="a/1 → b/2 → a/1"):
        compile_map("a/1", {"a/1": "extends: b/2\n", "b/2": "extends: a/1\n"})


def test_every_scalar_is_text() -> None:
    """Plain YAML makes True, False, 0, 8 and 750 of these."""
    codes = "codes: {r: {ON: accepted, NO: rejected, 00: pending, 010: received, 12:30: accepted_no_detail}}\n"
    own = compile_map(
        "t/855", {"t/855": HEAD + codes + "segments:\n  - BAK: {BAK02: response | code r, BAK03: order.number}\n"}
    )
    lens = own.scope.rules[0].lens.lenses[0]  # type: ignore[attr-defined]
    assert list(lens.pair.codes.reading) == ["ON", "NO", "00", "010", "12:30"]


@pytest.mark.parametrize(
    "junk", ["", "\x00", "a: b: c", "[]", "- - -", "{", "%YAML 9", "é\x85", "a: |\n\tb", "? [a]\n: b"]
)
def test_any_text_is_a_map_or_findings(junk: str) -> None:
    """Never another exception."""
    with pytest.raises(OurFault) as caught:
        compile_map("t/855", {"t/855": junk})
    assert caught.value.findings or junk == ""
