"""Deltas on several levels, in segments maps and JSON maps: what each word does, and what is told when it cannot."""

from __future__ import annotations

import pytest

from gateway.errors import OurFault
from gateway.findings import FilePlace
from gateway.mapping import JsonMap, Map, compile_any
from gateway.mapping.overlay import Resolved, trace
from gateway.mapping.rules import Problems
from gateway.mapping.source import Node

BASE = """document: 855
canonical: order_acknowledgement
codes:
  status: {IA: accepted, IR: rejected}
  answer: {AD: accepted}
segments:
  - BAK: {BAK02: response | code answer, BAK03: order.number}
  - REF: {REF01: type, REF02: value}
    each: references
  - loop: PO1
    each: lines
    segments:
      - PO1: {PO101: line_id}
      - PID: {PID05: item.name}
      - loop: ACK
        each: responses
        segments:
          - ACK: {ACK01: status | code status}
"""
INDUSTRY = """extends: t/base
codes: {status: {IB: backordered}}
after: {BAK: [{CUR: {CUR02: currency.code}}]}
"""
TREE = """document: 856
canonical: ship_notice
segments:
  - BSN: {BSN02: number}
  - tree: HL
    each: contents
    levels:
      S: {is: document, segments: [{REF*BM: {REF02: bill_of_lading}}]}
      O: {is: order, in: [S], segments: [{PRF: {PRF01: order.number}}]}
      P: {is: handling_unit, set: {type: carton}, in: [O], segments: [{MAN*GM: {MAN02: sscc}}]}
"""
JSON = """document: json
canonical: order_acknowledgement
codes: {answer: {OK: accepted}}
fields: {/Number: order.number, /Status: response | code answer}
lists:
  - each: lines
    at: /Items
    fields: {/Line: line_id, /Name: item.name}
    lists: [{each: responses, at: /Answers, fields: {/S: status}}]
"""


def made(text: str, base: str = BASE, **others: str) -> Map | JsonMap:
    """The map `t/own` of `text` on `base`."""
    sources = {"t/own": text, "t/base": base, **{f"t/{name}": other for name, other in others.items()}}
    return compile_any("t/own", sources)


def resolved(text: str, base: str = BASE, **others: str) -> Resolved:
    """The same, not compiled."""
    sources = {"t/own": text, "t/base": base, **{f"t/{name}": other for name, other in others.items()}}
    problems = Problems()
    found = trace("t/own", lambda name: (f"maps/{name}.yaml", sources[name]), problems)
    assert not problems.findings
    return found


def told(text: str, base: str = BASE, **others: str) -> list[tuple[str, int | None, str, str]]:
    """Rule, line, key and text of what is wrong in the file of `t/own`."""
    with pytest.raises(OurFault) as caught:
        made(text, base, **others)
    own = [(one.rule, one.place, one.text) for one in caught.value.findings]
    return [
        (rule, place.line, place.key or "", text)
        for rule, place, text in own
        if isinstance(place, FilePlace) and place.file == "maps/t/own.yaml"
    ]


def tags(root: Node | None) -> list[str]:
    """The top rules' keys."""
    assert root is not None
    return [next(iter(rule.keys)) for rule in root.keys["segments"].items]


def test_three_levels_are_applied_from_the_base_up_and_each_line_knows_its_file() -> None:
    """Base, industry, partner."""
    own = resolved(
        "extends: t/industry\nchange:\n  PO1/ACK: {ACK02: quantity.value | decimal}\nremove: [PO1/PID]\n",
        industry=INDUSTRY,
    )
    assert [name for name, _ in own.chain] == ["t/own", "t/industry", "t/base"]
    root = own.root
    assert root is not None
    assert tags(root) == ["BAK", "CUR", "REF", "loop"]
    status = root.keys["codes"].keys["status"].keys
    assert (status["IA"].file, status["IB"].file, status["IB"].line) == ("maps/t/base.yaml", "maps/t/industry.yaml", 2)
    ack = root.keys["segments"].items[3].keys["segments"].items[1].keys["segments"].items[0].keys["ACK"].keys
    assert (ack["ACK01"].file, ack["ACK02"].file, ack["ACK02"].line) == ("maps/t/base.yaml", "maps/t/own.yaml", 3)
    assert [(one.path, one.file, one.line) for one in own.removed] == [("PO1/PID", "maps/t/own.yaml", 4)]


def test_the_base_is_the_same_after_a_delta() -> None:
    """Deltas work on copies."""
    sources = {"t/base": BASE, "t/own": "extends: t/base\nremove: [REF]\n"}
    compile_any("t/own", sources)
    assert isinstance(own := compile_any("t/base", sources), Map)
    assert len(own.scope.rules) == 3


def test_change_sets_attributes_of_a_rule() -> None:
    """Of a loop they go to the loop, elements to its first segment."""
    root = resolved(
        "extends: t/base\nchange: {REF: {set: {type: x}, REF03: description}, PO1: {set: {line_id: y}}}\n"
    ).root
    assert root is not None
    reference, line = root.keys["segments"].items[1:3]
    assert reference.keys["set"].keys["type"].text == "x"
    assert reference.keys["REF"].keys["REF03"].text == "description"
    assert "set" in line.keys
    assert "set" not in line.keys["segments"].items[0].keys


def test_a_level_of_a_hierarchy_is_changed_added_and_removed() -> None:
    """By the tree's path and its code."""
    root = resolved(
        "extends: t/base\nchange:\n  HL/P: {set: {type: pallet}, in: [S, O]}\n"
        "  HL/K: {is: handling_unit, set: {type: carton}, in: [P], segments: [{MAN*GM: {MAN02: sscc}}]}\n"
        "after: {HL/S/REF*BM: [{REF*CN: {REF02: pro_number}}]}\n",
        TREE,
    ).root
    assert root is not None
    levels = root.keys["segments"].items[1].keys["levels"].keys
    assert list(levels) == ["S", "O", "P", "K"]
    assert levels["P"].keys["set"].keys["type"].text == "pallet"
    assert len(levels["S"].keys["segments"].items) == 2
    without = resolved("extends: t/base\nremove: [HL/P]\n", TREE).root
    assert without is not None
    assert list(without.keys["segments"].items[1].keys["levels"].keys) == ["S", "O"]


def test_a_rule_is_replaced_by_one_beside_it_and_its_removal() -> None:
    """Paths speak of the base, so the new rule is not the one that goes."""
    root = resolved("extends: t/base\nbefore: {REF: [{REF*VN: {REF02: supplier_order_number}}]}\nremove: [REF]\n").root
    assert tags(root) == ["BAK", "REF*VN", "loop"]


def test_a_second_rule_of_one_name_keeps_its_number_whatever_is_put_before_it() -> None:
    """PID#2 is the base's second PID."""
    base = BASE + ("  - REF*ZZ: {REF02: contract_number}\n  - REF: {REF02: number}\n")
    root = resolved("extends: t/base\nbefore: {REF: [{REF*A: {REF02: response}}]}\nremove: [REF#2]\n", base).root
    assert tags(root) == ["BAK", "REF*A", "REF", "loop", "REF*ZZ"]


def test_examples_and_guide_of_a_base_hold_for_the_base_only_and_guides_are_inherited() -> None:
    """The guides say which documents a map is for."""
    base = BASE + "guides: [x12/004010/855]\nguide: {extends: x12/004010/855}\nexamples:\n  - {edi: a, canonical: b}\n"
    root = resolved("extends: t/base\n", base).root
    assert root is not None
    assert "guides" in root.keys
    assert not {"examples", "guide"} & root.keys.keys()


WRONG: dict[str, tuple[str, str, int, str, str]] = {
    "a rule that is not there": (
        "change:\n  PO1/AKC: {ACK01: status}",
        "map.change.nowhere",
        3,
        "change.PO1/AKC",
        "ACK?",
    ),
    "an element that is not there": (
        "change:\n  BAK: {BAK30: ~}",
        "map.change.nowhere",
        3,
        "change.BAK.BAK30",
        "BAK03?",
    ),
    "a code that is not there": ("codes:\n  status:\n    IAA: ~", "map.change.nowhere", 4, "codes.status.IAA", "IA?"),
    "a table that is not there": ("codes: {statsu: ~}", "map.change.nowhere", 2, "codes.statsu", "status?"),
    "an attribute that is not there": ("change: {REF: {eahc: x}}", "map.key.unknown", 2, "change.REF.eahc", "each?"),
    "a level that is not there": ("change: {HL/P: {is: x}}", "map.change.nowhere", 2, "change.HL/P", "a rule"),
    "one element changed by two paths": (
        "change:\n  PO1: {PO103: item.name}\n  PO1/PO1: {PO103: line_id}",
        "map.delta.conflict",
        4,
        "change.PO1/PO1.PO103",
        "yaml:3",
    ),
    "a change of what is removed": (
        "change:\n  PO1/ACK: {ACK02: ~}\nremove:\n  - PO1",
        "map.delta.conflict",
        3,
        "change.PO1/ACK",
        "yaml:5",
    ),
    "a rule in what is removed": (
        "after: {PO1/PID: [{REF: {REF02: x}}]}\nremove: [PO1]",
        "map.delta.conflict",
        2,
        "after.PO1/PID",
        "removed with PO1",
    ),
    "removed twice": ("remove:\n  - PO1/PID\n  - PO1/PID", "map.delta.conflict", 4, "remove.PO1/PID", "removed twice"),
    "a text for rules": ("after: {BAK: REF}", "map.file.shape", 2, "after.BAK", "a list of rules"),
    "a list for tables": ("codes: [a]", "map.file.shape", 2, "codes", "keys and their values"),
    "a text for a table": ("codes: {status: IA}", "map.file.shape", 2, "codes.status", "{CODE: word}"),
    "segments of its own": ("segments: []", "map.key.unknown", 2, "segments", "change, before, after"),
    "two codes for one word": (
        "codes: {status: {AR: rejected}}",
        "map.codes.not_invertible",
        2,
        "codes.status.AR",
        "read",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_in_a_delta_is_told_at_its_line(name: str) -> None:
    """Rule, line, key and the near miss."""
    text, rule, line, key, says = WRONG[name]
    found = next(one for one in told(f"extends: t/base\n{text}\n") if one[0] == rule)
    assert found[1:3] == (line, key)
    assert says in found[3]


def test_a_map_without_a_base_has_nothing_to_change() -> None:
    """The words of deltas need `extends`."""
    assert ("map.key.unknown", "remove") in [(one[0], one[2]) for one in told(BASE + "remove: [REF]\n")]


def test_a_json_delta_has_the_same_words() -> None:
    """Change, before, after and remove, by the arrays' pointers and a line's."""
    own = made(
        "extends: t/base\n"
        "change: {.: {/Date: issue_date | date}, /Items: {/Name: ~, /Sku: item.name}}\n"
        "before: {/Items: [{each: references, at: /Refs, fields: {/T: type}}], /Status: {/Currency: currency.code}}\n"
        "remove: [/Items/Answers]\n",
        JSON,
    )
    assert isinstance(own, JsonMap)
    body = own.write(
        {
            "order": {"number": "1"},
            "response": "accepted",
            "issue_date": "2026-01-02",
            "currency": {"code": "EUR"},
            "lines": [{"line_id": "1", "item": {"name": "n"}, "responses": [{"status": "accepted"}]}],
            "references": [{"type": "x"}],
        }
    ).body
    assert list(body) == ["Number", "Currency", "Status", "Date", "Refs", "Items"]
    assert body["Items"] == [{"Line": "1", "Sku": "n"}]


JSON_WRONG: dict[str, tuple[str, str, int, str, str]] = {
    "an array that is not there": ("change:\n  /Itms: {/A: x}", "map.change.nowhere", 3, "change./Itms", "/Items?"),
    "a line that is not there": ("change: {.: {/Numbr: ~}}", "map.change.nowhere", 2, "change...", "/Number?"),
    "an unknown attribute": ("change: {/Items: {eahc: x}}", "map.key.unknown", 2, "change./Items.eahc", "each?"),
    "a line changed twice": (
        "fields: {/Number: ~}\nchange: {.: {/Number: order.number}}",
        "map.delta.conflict",
        3,
        "change...",
        "yaml:2",
    ),
    "a change of what is removed": (
        "change: {/Items/Answers: {/S: ~}}\nremove: [/Items]",
        "map.delta.conflict",
        2,
        "change./Items/Answers",
        "yaml:3",
    ),
    "rules beside a line": ("after: {/Number: [{at: /X}]}", "map.file.shape", 2, "after./Number", "beside a line"),
    "removed twice": ("remove: [/Items, /Items]", "map.delta.conflict", 2, "remove./Items", "twice"),
}


@pytest.mark.parametrize("name", JSON_WRONG)
def test_what_is_wrong_in_a_json_delta_is_told_at_its_line(name: str) -> None:
    """The same rules as of segments maps."""
    text, rule, line, key, says = JSON_WRONG[name]
    found = next(one for one in told(f"extends: t/base\n{text}\n", JSON) if one[0] == rule)
    assert (found[1], found[2][: len(key)]) == (line, key)
    assert says in found[3]
