"""JSON in and out: all errors at once with pointers, nothing empty, stable digests, valid schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.canonical import KINDS, ShipNotice, capped, check, digest, dump, parse, schema, written
from gateway.canonical.check_digits import check_digit, is_right
from gateway.canonical.reference import markdown
from gateway.canonical.rules import RULES
from gateway.findings import Severity

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "samples" / "x12").glob("*.json"))
KIND = {
    "850": "purchase_order",
    "855": "order_acknowledgement",
    "856": "ship_notice",
    "860": "order_change",
    "865": "order_change",
    "acme": "order_acknowledgement",
}


def order(**more: Any) -> dict[str, Any]:
    """A small order."""
    return {"number": "1", "issue_date": "2026-07-13", "lines": [{"line_id": "1"}], **more}


def notice(*contents: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A small ship notice."""
    return {"number": "1", "contents": list(contents), **more}


def box(sscc: str) -> dict[str, Any]:
    """A carton."""
    return {"kind": "handling_unit", "type": "carton", "sscc": sscc}


RIGHT = "00850012000000001" + check_digit("00850012000000001")
LINE = {"kind": "line", "item": {"ids": [{"scheme": "upc", "value": "085001202202"}]}}
PO = {"kind": "order", "order": {"number": "P"}}

# Document kind, document, rule, pointer.
BROKEN: list[tuple[str, Any, str, str]] = [
    ("purchase_ordr", {}, "canonical.kind.unknown", ""),
    ("purchase_order", order(number=None), "canonical.field.missing", "/number"),
    ("purchase_order", order(lins=[]) | {"lins": [1]}, "canonical.field.unknown", "/lins"),
    ("purchase_order", order(issue_date="13.07.2026"), "canonical.field.type", "/issue_date"),
    ("purchase_order", order(purpose="orignal"), "canonical.field.value", "/purpose"),
    ("purchase_order", order(requested_ship="soon"), "canonical.field.value", "/requested_ship"),
    ("purchase_order", order(number="x" * 5000), "canonical.field.limit", "/number"),
    ("purchase_order", order(lines=[]), "canonical.field.missing", "/lines"),
    (
        "purchase_order",
        order(lines=[{"quantity": {"value": "ten"}}]),
        "canonical.field.type",
        "/lines/0/quantity/value",
    ),
    (
        "purchase_order",
        order(lines=[{"quantity": {"value": "1E999999"}}]),
        "canonical.field.limit",
        "/lines/0/quantity/value",
    ),
    (
        "purchase_order",
        order(lines=[{"quantity": {"value": "NaN"}}]),
        "canonical.field.type",
        "/lines/0/quantity/value",
    ),
    (
        "purchase_order",
        order(lines=[{"quantity": {"value": "-1"}}]),
        "canonical.quantity.negative",
        "/lines/0/quantity/value",
    ),
    ("purchase_order", order(currency={"code": "usd"}), "canonical.currency.code", "/currency/code"),
    ("purchase_order", order(totals={"line_count": "2"}), "canonical.totals.line_count", "/totals/line_count"),
    (
        "purchase_order",
        order(lines=[{"line_id": "1"}, {"line_id": "1"}]),
        "canonical.lines.same_id",
        "/lines/1/line_id",
    ),
    (
        "purchase_order",
        order(ship_window={"not_before": "2026-08-02", "not_after": "2026-08-01"}),
        "canonical.dates.order",
        "/ship_window/not_after",
    ),
    (
        "purchase_order",
        order(lines=[{"item": {"ids": [{"scheme": "gtin", "value": "123"}]}}]),
        "canonical.item.check_digit",
        "/lines/0/item/ids/0/value",
    ),
    (
        "purchase_order",
        order(parties=[{"role": "buyer", "ids": [{"scheme": "gln", "value": "1234567890123"}]}]),
        "canonical.party.check_digit",
        "/parties/0/ids/0/value",
    ),
    ("purchase_order", "text", "canonical.field.type", ""),
    ("ship_notice", notice({"kind": "ordr"}), "canonical.field.value", "/contents/0"),
    ("ship_notice", notice({"order": {"number": "1"}}), "canonical.field.missing", "/contents/0/kind"),
    (
        "ship_notice",
        notice({"kind": "order", "order": {"numbr": "1"}}),
        "canonical.field.unknown",
        "/contents/0/order/numbr",
    ),
    ("ship_notice", notice(box("123")), "canonical.sscc.length", "/contents/0/sscc"),
    (
        "ship_notice",
        notice(box(RIGHT[:-1] + str((int(RIGHT[-1]) + 1) % 10))),
        "canonical.sscc.check_digit",
        "/contents/0/sscc",
    ),
    ("ship_notice", notice(box(RIGHT), box(RIGHT)), "canonical.sscc.twice", "/contents/1/sscc"),
    ("ship_notice", notice({**PO, "contents": [PO]}), "canonical.contents.nesting", "/contents/0/contents/0"),
    ("ship_notice", notice(LINE), "canonical.contents.no_order", "/contents/0"),
    ("ship_notice", notice(PO, totals={"line_count": "5"}), "canonical.totals.line_count", "/totals/line_count"),
    (
        "ship_notice",
        notice(PO, ship_date="2026-08-02", estimated_delivery="2026-08-01"),
        "canonical.dates.order",
        "/estimated_delivery",
    ),
]


@pytest.mark.parametrize(("kind", "data", "rule", "pointer"), BROKEN)
def test_what_is_wrong_is_a_finding_at_its_pointer(kind: str, data: Any, rule: str, pointer: str) -> None:
    """From parsing or from the invariants."""
    model, findings = parse(kind, data)
    found = findings if model is None else check(model)
    assert (rule, pointer) in [(one.rule, one.place.pointer) for one in found]  # type: ignore[union-attr]


def test_every_rule_is_broken_by_some_test() -> None:
    """The two about depth have tests of their own."""
    deep = {"canonical.document.too_deep", "canonical.contents.too_deep"}
    large = {"canonical.list.too_long", "canonical.document.more_findings"}
    assert {rule for _, _, rule, _ in BROKEN} | deep | large == set(RULES)


def test_all_errors_come_at_once_and_only_those() -> None:
    """A wrong item does not also make its list too short."""
    _, findings = parse("purchase_order", order(lines=[{"quantity": {"value": "1", "unti": "EA"}}], nmber="2"))
    assert [str(one.place) for one in findings] == ["/lines/0/quantity/unti", "/nmber"]
    assert "did you mean unit?" in findings[0].wanted


def test_deep_nesting_is_a_finding() -> None:
    """In JSON and in the tree of packages."""
    deep: Any = {}
    for _ in range(5000):
        deep = {"a": deep}
    assert parse("purchase_order", order(source=deep))[1][0].rule == "canonical.document.too_deep"
    node = box(RIGHT)
    for _ in range(24):
        node = {"kind": "handling_unit", "type": "pallet", "contents": [node]}
    model, _ = parse("ship_notice", notice(node))
    assert model is not None
    assert "canonical.contents.too_deep" in [one.rule for one in check(model)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_endless_list_is_a_finding_at_its_pointer_before_any_item_is_looked_at(kind: str) -> None:
    """Wherever it stands, extensions too; 20,000 items are taken."""
    data = order(lines=[{}] * 20_001, extensions={"a/b": {"x": list(range(20_001))}})
    model, findings = parse(kind, data)
    assert model is None
    assert {(one.rule, str(one.place)) for one in findings} == {
        ("canonical.list.too_long", "/lines"),
        ("canonical.list.too_long", "/extensions/a~1b/x"),
    }
    assert not [one for one in parse(kind, order(notes=[""] * 20_000))[1] if one.rule == "canonical.list.too_long"]


def test_a_hundred_findings_are_told_and_the_rest_is_counted() -> None:
    """A document that is wrong in every line makes a short answer."""
    model, findings = parse("purchase_order", order(lines=[{"line_id": "1", "quantity": "many"}] * 5000))
    assert model is None
    assert len(findings) == 101
    assert (findings[-1].rule, findings[-1].said) == ("canonical.document.more_findings", "and 4900 more")


@pytest.mark.parametrize(
    ("data", "told", "last"),
    [
        ({"lines": [{"line_id": "1", "notes": [1] * 15_000}] * 20}, 101, "and 299900 more"),
        ({"lines": [{"line_id": "1"}] * 50 + [{"quantity": "many"}] * 12_000}, 51, "and 11950 more"),
        ({f"x{number}": 1 for number in range(50_000)}, 1, "50000 errors"),
    ],
    ids=["items", "late items", "names"],
)
def test_very_many_errors_cost_little_and_the_first_ones_are_told(data: Any, told: int, last: str) -> None:
    """They are counted, not listed; where the beginnings of lists show some, those have their pointers."""
    model, findings = parse("purchase_order", order(**data))
    assert model is None
    assert (len(findings), findings[-1].said, findings[-1].severity) == (told, last, Severity.REJECT)


def test_what_refuses_a_document_is_never_left_out() -> None:
    """The gravest findings come first when some are left out."""
    warning = check(parse("purchase_order", order(totals={"line_count": 9}))[0])[0]  # type: ignore[arg-type]
    fatal = parse("purchase_order", {})[1][0]
    told = capped([*[warning] * 150, fatal])
    assert told[0] == fatal
    assert (len(told), told[-1].said, told[-1].severity) == (101, "and 51 more", warning.severity)
    assert capped([warning, fatal]) == (warning, fatal)


def test_null_absent_and_empty_are_the_same() -> None:
    """And are not written."""
    empty, _ = parse("purchase_order", order(notes=[], currency=None, contract_number="", parties=None))
    plain, _ = parse("purchase_order", order())
    assert empty == plain
    assert plain is not None
    assert dump(plain) == order(purpose="original", order_type="stand_alone")


def test_decimals_keep_their_places_and_never_have_an_exponent() -> None:
    """Numbers are taken too."""
    model, _ = parse(
        "purchase_order", order(lines=[{"quantity": {"value": value}} for value in ("10.00", "1E+3", 9.25, 7)])
    )
    assert model is not None
    assert [line["quantity"]["value"] for line in dump(model)["lines"]] == ["10.00", "1000", "9.25", "7"]


def test_the_lines_of_a_ship_notice_are_flat_and_ignored_when_given() -> None:
    """With order and packages, outermost first."""
    data = notice({**PO, "contents": [{**box(RIGHT), "contents": [LINE]}]}, lines=["nonsense"])
    model, findings = parse("ship_notice", data)
    assert not findings
    assert isinstance(model, ShipNotice)
    (line,) = model.lines
    assert (line.order and line.order.number, line.ssccs) == ("P", (RIGHT,))
    again, _ = parse("ship_notice", dump(model))
    assert again == model


def test_the_digest_is_of_the_content() -> None:
    """Not of the order of keys, nor of `source`."""
    one = order(source={"message": "1"})
    other = dict(reversed(list(order(source={"message": "2"}).items())))
    assert digest(one) == digest(other)
    assert digest(one) != digest(order(number="2"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_valid_by_its_schema_and_comes_back_the_same(path: Path) -> None:
    """JSON Schema 2020-12."""
    kind = KIND[path.stem.split("-")[0]]
    document = json.loads(path.read_text("utf-8"))
    model, findings = parse(kind, document)
    assert not findings
    assert model is not None
    assert dump(model) == document
    jsonschema.Draft202012Validator.check_schema(schema(kind))
    computed = set(KINDS[kind].model_computed_fields)
    jsonschema.validate({name: each for name, each in document.items() if name not in computed}, schema(kind))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["number", "lines", "contents", "kind", "quantity", "value", "order", "item", "extensions", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(data=JSON, kind=st.sampled_from(list(KINDS)))
def test_any_json_is_a_document_or_findings(data: Any, kind: str) -> None:
    """Never an exception."""
    model, findings = parse(kind, data)
    assert (model is None) == bool(findings)
    if model is not None:
        check(model)


@pytest.mark.parametrize(
    "number", ["4006381333931", "036000291452", "10614141000415", "96385074", "106141412345678908"]
)
def test_known_check_digits_are_right(number: str) -> None:
    """From public examples of GS1 numbers."""
    assert check_digit(number[:-1]) == number[-1]
    assert is_right(number)
    assert not is_right(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_the_documentation_is_current() -> None:
    """docs/canonical.md is what the models say."""
    assert (ROOT / "docs" / "canonical.md").read_text("utf-8") == markdown()


def test_every_field_is_described() -> None:
    """Descriptions become schema and documentation."""
    assert "| text |  |" not in markdown()


def test_flat_lines_from_json_are_those_of_the_model() -> None:
    """`dump` puts a notice's lines together from what it has written; the model's own property says the same."""
    line = {"kind": "line", "line_id": "1", "item": {"ids": [{"scheme": "buyer", "value": "M1"}]}}
    shipped = {"shipped": {"value": "1E+1", "unit": "EA"}, "order_line_id": "7"}
    unit = {"kind": "handling_unit", "type": "carton", "sscc": "006141410000010011", "ssccs": ["006141410000010028"]}
    nested = {**line, **shipped, "contents": [unit, {"kind": "handling_unit", "type": "box"}]}
    first = {"kind": "order", "order": {"number": "77", "issue_date": "2026-03-01"}, "contents": [unit, nested]}
    pallet = {"kind": "handling_unit", "type": "pallet", "contents": [line, {**unit, "contents": [nested, line]}]}
    second = {"kind": "order", "order": {"number": "78"}, "contents": [pallet]}
    model, findings = parse("ship_notice", {"number": "1", "contents": [line, first, second]})
    assert isinstance(model, ShipNotice), findings
    flat = [one.model_dump(mode="json", exclude_none=True, exclude_unset=True) for one in model.lines]
    assert dump(model)["lines"] == [{name: value for name, value in one.items() if value} for one in flat]
    assert written(model) == dump(model)
