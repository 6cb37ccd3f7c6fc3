"""JSON maps keep the laws of the language: both ways on examples and generated documents, no silent loss."""

from __future__ import annotations

import functools
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.canonical import KINDS, dump, parse
from gateway.canonical.shape import fields
from gateway.errors import OurFault
from gateway.findings import Severity
from gateway.mapping import JsonMap, check_json_map, compile_json_map, from_folders, shipped
from gateway.mapping.json import text as json_text
from gateway.mapping.json.pairs import Flag, IsoDate, IsoWhen, JsonNumber, Option, Said, Texts
from gateway.mapping.json.scope import Each, JsonScope, Tree
from gateway.mapping.pairs import Coded, Date, Number

ROOT = Path(__file__).parents[2]
NOTICE = """
document: json
canonical: ship_notice
codes:
  purpose: {N: original, C: cancel, R: replace}
  freight: {"1": collect, "2": prepaid}
fields:
  /Header/Type: =ASN
  /Header/Version: =2 | number
  /Header/Number: number
  /Header/Purpose: purpose | code purpose
  /Header/Shipped: ship_date | when
  /Header/Reason: =R with bill_of_lading
  /Header/BillOfLading: bill_of_lading
  /Freight/Payer: delivery_terms.freight_payment | option freight
  /Freight/System: =TMS
  /Seals: seals | list
lists:
  - each: parties
    at: /From
    set: {role: ship_from}
    fields: {/Name: name}
  - each: parties
    at: /Others
    fields: {/Role: role, /Name: name}
  - tree: contents
    at: /Contents
    by: /Node
    levels:
      ORDER: {is: order, in: [PALLET], fields: {/Number: order.number, /Date: order.issue_date | date compact}}
      PALLET: {is: handling_unit, set: {type: pallet}, fields: {/Sscc: sscc}}
      CARTON: {is: handling_unit, set: {type: carton}, in: [ORDER, PALLET], fields: {/Sscc: sscc}}
      ITEM:
        is: line
        fields: {/Line: line_id | number, /Quantity: shipped.value | number, /Unit: shipped.unit}
        lists: [{each: lots, at: /Lots, fields: {/Lot: lot_number, /Until: expiry | date}}]
"""


@functools.cache
def notice() -> JsonMap:
    """A ship notice with a tree, constants and a list told apart by a value."""
    return compile_json_map("t/notice", {"t/notice": NOTICE})


@functools.cache
def confirmation() -> JsonMap:
    """The shipped example."""
    return compile_json_map("erp/order_acknowledgement", from_folders(shipped()))


class Source:
    """Draws documents that a map can express."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def text(self) -> str:
        """A text without a meaning."""
        return "".join(self.random.choices('ABxyz019 -/~"\\ä€\U0001f600', k=self.random.randint(1, 8)))

    def number(self) -> str:
        """A decimal with its zeros."""
        whole = str(self.random.randint(0, 10 ** self.random.randint(1, 17)))
        return whole + (f".{self.random.randint(0, 999):03d}" if self.random.random() < 0.5 else "")

    def when(self) -> dict[str, str]:
        """A moment of any precision."""
        value, precision = self.random.choice(
            [
                ("2026", "year"),
                ("2026-05", "month"),
                ("2026-05-01", "day"),
                ("2026-05-01T08:30", "minute"),
                ("2026-05-01T08:30:59", "second"),
            ]
        )
        zone = self.random.choice([None, "UTC", "+02:00", "-11:30"]) if precision in ("minute", "second") else None
        return {"value": value, "precision": precision, **({"zone": zone} if zone else {})}

    def value(self, pair: Any) -> Any:
        """A value that the pair can write."""
        if isinstance(pair, (Flag, Option)):
            return self.random.choice(list(pair.codes.writing))
        if isinstance(pair, JsonNumber):
            return self.number()
        if isinstance(pair, IsoWhen):
            return self.when()
        if isinstance(pair, Texts):
            texts = [self.text() for _ in range(self.random.randint(1, 3))]
            return "\n".join(texts) if pair.joined else texts
        assert isinstance(pair, Said)
        if isinstance(pair.inner, Coded):
            return self.random.choice(list(pair.inner.codes.writing))
        if isinstance(pair.inner, (Date, IsoDate)):
            return f"20{self.random.randint(10, 99)}-0{self.random.randint(1, 9)}-28"
        return self.number() if isinstance(pair.inner, Number) else self.text()

    def fill(self, scope: JsonScope, target: dict[str, Any], models: tuple[Any, ...], depth: int = 0) -> None:
        """Fill `target` with what the scope can write."""
        groups: dict[Any, list[Any]] = {}
        for member in scope.members:
            if member.count is None:
                groups.setdefault(member.path[:-1], []).append(member)
        for parent, members in groups.items():
            wanted = all(_required(parent[: number + 1], models) for number in range(len(parent)))
            if not wanted and self.random.random() < 0.4:
                continue
            for member in members:
                if _required(member.path, models) or self.random.random() < 0.6:
                    member.put(target, self.value(member.pair))
        for rule in scope.lists:
            if isinstance(rule, Tree):
                self.nodes(rule, target, depth)
            elif isinstance(rule, Each):
                self.items(rule, target, models, depth)

    def items(self, rule: Each, target: dict[str, Any], models: tuple[Any, ...], depth: int) -> None:
        """Items that no other rule would take."""
        found = []
        for _ in range(self.random.randint(0, 3)):
            item: dict[str, Any] = dict(rule.preset)
            self.fill(rule.scope, item, _models(rule.path, models), depth + 1)
            taken = any((key, item.get(key)) == (key, value) for key, value in rule.claimed)
            taken = taken or any(all(item.get(key) == value for key, value in each) for each in rule.elsewhere)
            if item and not taken:
                found.append(item)
        if found:
            rule.put(target, [*(rule.get(target) or ()), *found])

    def nodes(self, tree: Tree, target: dict[str, Any], depth: int) -> None:
        """Nodes where their levels may stand; the outermost is always there."""
        allowed = [each for each in tree.levels.values() if not each.parents or tree.above in each.parents]
        if not allowed or depth > 3:
            return
        kinds = {
            model.model_fields["kind"].annotation.__args__[0]: model
            for model in fields(KINDS["ship_notice"])["contents"].models
        }
        made = []
        for _ in range(self.random.randint(0 if depth else 1, 3)):
            level = self.random.choice(allowed)
            node: dict[str, Any] = dict(level.preset)
            self.fill(level.scope, node, (kinds[node["kind"]],), depth + 1)
            made.append(node)
        if made:
            target["contents"] = made


def _models(path: Any, models: tuple[Any, ...]) -> tuple[Any, ...]:
    for step in path:
        models = next(own[step.name] for model in models if step.name in (own := fields(model))).models
    return models


def _required(path: Any, models: tuple[Any, ...]) -> bool:
    parents = _models(path[:-1], models)
    return any(own[path[-1].name].required for model in parents if path[-1].name in (own := fields(model)))


@pytest.mark.parametrize("make", [confirmation, notice])
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_what_is_written_is_read_again(make: Any, seed: int) -> None:
    """read(write(d)) = d through the text of the body, and write(read(b)) = b."""
    own: JsonMap = make()
    drawn: dict[str, Any] = {}
    Source(seed).fill(own.scope, drawn, (KINDS[own.canonical],))
    model, errors = parse(own.canonical, drawn)
    assert not errors
    assert model is not None
    writing = own.write(dump(model))
    assert (writing.lost, writing.findings) == ((), ())
    body = json_text.decode(json_text.encode(writing.body).encode())
    assert json_text.same(body, writing.body)
    reading = own.read(body)
    assert reading.unmapped == ()
    assert all(finding.severity is Severity.ACCEPT for finding in reading.findings)
    again, errors = parse(own.canonical, reading.document)
    assert not errors
    assert again == model
    assert json_text.same(own.write(dump(again)).body, body)  # type: ignore[arg-type]


ANY = st.recursive(
    st.none() | st.booleans() | st.text(max_size=6) | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_no_body_raises(data: st.DataObject) -> None:
    """Whatever stands where something else belongs is a finding, kept and written back."""
    own = notice()
    item = st.fixed_dictionaries(
        {}, optional={"Node": st.sampled_from(["ITEM", "ORDER", "X"]) | ANY, "Line": ANY, "Lots": ANY}
    )
    names = {
        "Header": ANY,
        "Freight": ANY,
        "Seals": ANY,
        "From": ANY,
        "Contents": st.lists(item | ANY, max_size=3),
        "More": ANY,
    }
    body = data.draw(st.fixed_dictionaries({}, optional=names))
    reading = own.read(body)
    json.dumps(reading.document)
    parse(own.canonical, reading.document)
    own.write(reading.document)


def test_examples_of_the_shipped_map_hold_both_ways() -> None:
    """Numbers to their last zero, unknown members, a wrong count, a code of the supplier's own."""

    def load(example: Any) -> tuple[Any, Any]:
        canonical = json.loads((ROOT / example.canonical).read_text("utf-8"))
        return json_text.decode((ROOT / example.json).read_bytes()), canonical

    own = confirmation()
    assert len(own.examples) == 2
    assert check_json_map(own, load) == ()


def test_an_example_that_differs_is_a_finding_with_the_pointer() -> None:
    """Both ways; a number is not a text with the same digits."""
    own = compile_json_map("t/n", {"t/n": NOTICE + "examples: [{json: a, canonical: b}]"})
    body = own.write({"number": "1", "contents": [{"kind": "line", "line_id": "5"}]}).body
    wanted = {"number": "1", "contents": [{"kind": "line", "line_id": "6"}]}
    rules = {one.rule: one.text for one in check_json_map(own, lambda _: (body, wanted))}
    assert '/contents/0/line_id: "5", not "6"' in rules["map.example.read"]
    assert "/Contents/0/Line: 6, not 5" in rules["map.example.write"]
    assert [one.rule for one in check_json_map(own, lambda _: None)] == ["map.example.missing"]


def test_numbers_are_never_binary_floats() -> None:
    """What a float would round stays as it was said."""
    own = notice()
    body = json_text.decode(
        '{"Header":{"Number":"1"},"Contents":[{"Node":"ITEM","Quantity":0.1000000000000000055511151231}]}'
    )
    assert own.read(body).findings[0].rule == "map.read.value", "more places than a canonical decimal has"
    line = {"kind": "line", "shipped": {"value": "9007199254740993.10", "unit": "EA"}}
    text = json_text.encode(own.write({"number": "1", "contents": [line]}).body)
    assert '"Quantity":9007199254740993.10' in text
    assert own.read(json_text.decode(text)).document["contents"][0]["shipped"]["value"] == "9007199254740993.10"


def test_unmapped_members_are_counted_kept_and_written_back() -> None:
    """Under the nearest object; a kept member never overwrites what the map says."""
    own = notice()
    body = json_text.decode('{"Header":{"Number":"1","Plant":{"Id":10.50}},"Contents":[{"Node":"ITEM","Bin":"B"}]}')
    reading = own.read(body)
    assert {one.pointer: one.value for one in reading.unmapped} == {
        "/Header/Plant": '{"Id":10.50}',
        "/Contents/0/Bin": '"B"',
    }
    document = {**reading.document, "number": "2"}
    document["extensions"]["json"]["/Header/Number"] = '"X"'
    again = own.write(document).body
    assert again["Header"]["Number"] == "2"
    assert json_text.same(again["Header"]["Plant"], {"Id": Decimal("10.50")})
    assert again["Contents"][0]["Bin"] == "B"


def test_what_no_line_says_and_no_pair_can_write_is_lost_with_its_pointer() -> None:
    """A field without a line is counted; a value its line cannot write is a finding too."""
    contents = [{"kind": "line", "line_id": "007", "country_of_origin": "US"}]
    writing = notice().write(
        {"number": "1", "contents": contents, "delivery_terms": {"freight_payment": "third_party"}}
    )
    assert {one.pointer for one in writing.lost} == {
        "/delivery_terms/freight_payment", "/contents/0/line_id", "/contents/0/country_of_origin",
    }  # fmt: skip
    assert [one.rule for one in writing.findings] == ["map.write.value"] * 2
    assert "a word of the table freight" in writing.findings[0].wanted


def test_constants_stand_only_where_something_stands_beside_them() -> None:
    """`=X` in an object of its own only with company; `=X with field` only with its field."""
    own = notice()
    alone = own.write({"number": "1", "contents": [{"kind": "line"}]}).body
    assert alone["Header"] == {"Type": "ASN", "Version": Decimal(2), "Number": "1"}
    assert "Freight" not in alone
    full = {"number": "1", "bill_of_lading": "B", "delivery_terms": {"freight_payment": "collect"}}
    body = own.write({**full, "contents": [{"kind": "line"}]}).body
    assert (body["Header"]["Reason"], body["Freight"]) == ("R", {"Payer": Decimal(1), "System": "TMS"})
    wrong = own.read({"Header": {"Type": "XXX", "Number": "1"}})
    assert [(one.rule, str(one.place)) for one in wrong.findings] == [("map.read.value", "/Header/Type")]


def test_flat_lines_make_a_map_that_says_it_only_writes() -> None:
    """The computed lines of a ship notice go out; nothing can be read back, and reading says so."""
    text = (
        "document: json\ncanonical: ship_notice\none_way: write\nfields: {/Delivery: number}\nlists:\n"
        "  - {each: lines, at: /Items, fields: {/Order: order.number, /Quantity: shipped.value | number, "
        "/Box: ssccs | list}}\n"
    )
    own = compile_json_map("t/flat", {"t/flat": text})
    sscc = "006141410000000012"
    line = {"kind": "line", "shipped": {"value": "5"}}
    unit = {"kind": "handling_unit", "type": "pallet", "sscc": sscc, "contents": [line]}
    model, _ = parse(
        "ship_notice", {"number": "1", "contents": [{"kind": "order", "order": {"number": "P"}, "contents": [unit]}]}
    )
    assert model is not None
    writing = own.write(dump(model))
    assert writing.body == {"Delivery": "1", "Items": [{"Order": "P", "Quantity": Decimal(5), "Box": [sscc]}]}
    assert {one.pointer for one in writing.lost} == {"/purpose"}
    with pytest.raises(OurFault, match="only writes") as caught:
        own.read({})
    assert caught.value.remedy
    with pytest.raises(OurFault) as refused:
        compile_json_map("t/flat", {"t/flat": text.replace("one_way: write\n", "")})
    assert "map.one_way" in {one.rule for one in refused.value.findings}


@pytest.mark.parametrize(
    "text",
    [
        "[" * 65,
        '{"a":' * 65,
        '{"a":1,"a":2}',
        "1" * 41,
        "NaN",
        "[1e99999999999999999999]",
        '"\\ud800"',
        "{",
        b"\xff",
        '"' + '\\"' * 50_000,
    ],
)
def test_hostile_json_is_refused_in_words(text: str | bytes) -> None:
    """Depth, doubled names, numbers out of reach, half characters: each a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        json_text.decode(text)


def test_pointers_are_those_of_rfc_6901() -> None:
    """Section 5: a slash and a tilde in a name."""
    assert json_text.read_pointer("/a~1b/m~0n//x y") == ("a/b", "m~n", "", "x y")
    assert json_text.write_pointer(("a/b", "m~n", "")) == "/a~1b/m~0n/"
    assert json_text.read_pointer("a/b") is None
    assert json_text.read_pointer("/a~2") is None
