"""Documents in the other side's words: ids beside ids, units with exact factors, codes; back and forth is the same."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import canonical
from gateway.findings import Severity
from gateway.mapping.references import CrossReference, References
from gateway.mapping.translate import Agreed, Codes, Ids, Translation, to_ours, to_theirs

DAY = dt.date(2026, 6, 1)
ROWS: tuple[tuple[str, str, str, str, str | None], ...] = (
    ("items", "supplier", "A-1", "100", None),
    ("units", "", "CT", "EA", "12"),
    ("units", "A-2", "CT", "EA", "6"),
    ("units", "", "KGM", "GRM", "1000"),
    ("units", "", "BX", "CT", None),
    ("locations", "", "S-7", "W07", None),
    ("parties", "", "P-1", "700", None),
    ("carriers", "", "FX", "FEDEX", None),
)


def tables(*rows: tuple[str, str, str, str, str | None]) -> References:
    """Acme's rows."""
    made = (
        CrossReference(
            partner="acme", list=a, scheme=b, theirs=c, ours=d, factor=Decimal(e) if e else None, id=f"{a}{b}{c}"
        )
        for a, b, c, d, e in rows
    )
    return References(made, "1.0", "acme")


KNOWN = tables(*ROWS)
BOTH = tables(*ROWS, ("units", "", "EA", "EA", None))
"""Acme uses pieces, too."""
AGREED = Agreed(
    items=Ids(theirs="supplier", ours="buyer"),
    units="hold",
    locations=Ids(theirs="assigned_by_seller", ours="assigned_by_buyer"),
    parties=Ids(theirs="assigned_by_seller", ours="assigned_by_buyer", unknown="keep"),
    codes=(Codes(path=("carrier", "scac"), list="carriers"), Codes(path=("lines", "responses", "reason"))),
)


def ours(body: dict[str, Any], known: References = BOTH) -> Translation:
    """In our words."""
    return to_ours(body, AGREED, known, DAY)


def theirs(body: dict[str, Any], known: References = KNOWN) -> Translation:
    """In their words."""
    return to_theirs(body, AGREED, known, DAY)


def line(value: str, unit: str, item: str = "A-1", **fields: Any) -> dict[str, Any]:
    """A document of one line."""
    ids = [{"scheme": "supplier", "value": item}]
    return {"lines": [{"quantity": {"value": value, "unit": unit}, "item": {"ids": ids}, **fields}]}


def test_an_id_of_ours_is_added_beside_the_partners() -> None:
    """And the other way round; nothing is removed."""
    both = [{"scheme": "supplier", "value": "A-1"}, {"scheme": "buyer", "value": "100"}]
    assert ours(line("1", "EA")).body["lines"][0]["item"]["ids"] == both
    back = theirs({"lines": [{"item": {"ids": both[1:]}}]})
    assert back.body["lines"][0]["item"]["ids"] == both[::-1]


def test_an_id_that_is_there_is_believed() -> None:
    """No look-up, so nothing is missing."""
    ids = [{"scheme": "supplier", "value": "NEW"}, {"scheme": "buyer", "value": "5"}]
    made = ours({"lines": [{"item": {"ids": ids}}]})
    assert (made.missing, made.body["lines"][0]["item"]["ids"]) == ((), ids)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (("3", "CT", "A-1"), ("36", "EA")),
        (("3", "CT", "A-2"), ("18", "EA")),
        (("0.250", "KGM", "A-1"), ("250.000", "GRM")),
        (("2", "BX", "A-1"), ("2", "CT")),
        (("7", "EA", "A-1"), ("7", "EA")),
    ],
)
def test_quantities_follow_their_units(said: tuple[str, str, str], meant: tuple[str, str]) -> None:
    """The factor of the item goes before the one for all; a unit that both use is taught as itself."""
    found = ours(line(*said)).body["lines"][0]["quantity"]
    assert (found["value"], found["unit"]) == meant


def test_prices_for_one_unit_follow_and_stay_exact() -> None:
    """24.00 for 12 is 2.00 for one; 25.00 has no exact twelfth: it is for 12. A price with its own unit stays."""
    prices = [
        {"type": "unit", "amount": "24.00"},
        {"type": "unit", "amount": "25.00"},
        {"type": "list", "amount": "9", "basis_unit": "KGM"},
    ]
    found = ours(line("3", "CT", prices=prices)).body["lines"][0]["prices"]
    told = [{name: value for name, value in one.items() if name != "extensions"} for one in found]
    assert told == [
        {"type": "unit", "amount": "2.00"},
        {"type": "unit", "amount": "25.00", "basis_quantity": "12"},
        prices[2],
    ]
    order = line("24", "EA", prices=[{"amount": "2.00"}])
    assert theirs(order).body["lines"][0]["prices"] == [{"amount": "24.00"}]


def test_a_quantity_that_the_factor_does_not_divide_is_held_never_rounded() -> None:
    """37 pieces are no cases."""
    made = theirs(line("37", "EA"))
    (one,) = made.held
    assert (one.finding.rule, one.said, str(one.finding.place)) == (
        "reference.inexact",
        "EA",
        "/lines/0/quantity/value",
    )
    assert made.body["lines"][0]["quantity"] == {"value": "37", "unit": "EA"}


def test_a_unit_that_both_use_is_taught_as_itself_and_then_goes_first() -> None:
    """Until then it is unknown; what is near says so. On its way out a unit that is theirs only stays."""
    (one,) = ours(line("7", "EA"), KNOWN).held
    assert one.finding.fix == "teach it: gateway reference learn acme units EA EA"
    assert theirs(line("37", "EA"), BOTH).missing == ()
    assert theirs(line("3", "KGM")).missing == ()


def test_places_and_parties_are_told_apart_by_role() -> None:
    """Also the place of an allocation, and of a schedule."""
    body = {
        "parties": [
            {"role": "ship_to", "ids": [{"scheme": "assigned_by_seller", "value": "S-7"}]},
            {"role": "seller", "ids": [{"scheme": "assigned_by_seller", "value": "P-1"}]},
        ],
        "lines": [{"allocations": [{"location": {"scheme": "assigned_by_seller", "value": "S-7"}}]}],
    }
    made = ours(body).body
    assert [one["ids"][1]["value"] for one in made["parties"]] == ["W07", "700"]
    place = made["lines"][0]["allocations"][0]["location"]
    assert (place["scheme"], place["value"]) == ("assigned_by_buyer", "W07")
    assert theirs(made).body["lines"] == body["lines"]


def test_codes_of_named_fields_are_replaced_and_come_back() -> None:
    """By the list that the agreement names."""
    made = ours({"carrier": {"scac": "FX"}})
    assert made.body["carrier"]["scac"] == "FEDEX"
    assert theirs(made.body).body == {"carrier": {"scac": "FX"}}
    assert theirs({"carrier": {"scac": "FEDEX"}}).body == {"carrier": {"scac": "FX"}}


def test_an_unknown_word_is_one_finding_with_place_near_matches_and_the_command() -> None:
    """However often the document says it."""
    body = {"lines": [*line("1", "EA", "A-9")["lines"], *line("1", "EA", "A-9")["lines"]]}
    (one,) = ours(body).held
    assert (one.finding.rule, str(one.finding.place)) == ("reference.unknown", "/lines/0/item/ids")
    assert one.finding.said == "items 'A-9' (theirs)"
    quoted = ours({"carrier": {"scac": "F X; rm"}}).held[0].finding
    assert "near: FX = FEDEX" not in quoted.wanted
    assert quoted.fix == "teach it: gateway reference learn acme carriers 'F X; rm' OURS"
    (near,) = ours(line("1", "EA", "a 1")).held
    assert "A-1 = 100 (100 %)" in near.finding.wanted
    assert near.finding.fix == "teach it: gateway reference learn acme items 'a 1' 100 --scheme supplier"


def test_what_is_kept_is_told_and_holds_nothing() -> None:
    """Parties keep what is unknown here."""
    body = {"parties": [{"role": "seller", "ids": [{"scheme": "assigned_by_seller", "value": "NEW"}]}]}
    made = ours(body)
    assert (made.held, made.body) == ((), body)
    assert [one.finding.severity for one in made.missing] == [Severity.ACCEPT_WITH_ERRORS]


def test_the_document_that_was_given_is_not_changed() -> None:
    """It is the one that stands in the store."""
    body = line("3", "CT", prices=[{"amount": "1"}])
    before = repr(body)
    ours(body)
    assert repr(body) == before


def test_a_word_that_a_nearer_row_means_otherwise_is_never_written() -> None:
    """All partners' CT is our CA, acme's own CT is our BX: our CA must not become acme's BX."""
    both = (
        CrossReference(partner="", list="units", theirs="CT", ours="CA", id="1"),
        CrossReference(partner="acme", list="units", theirs="CT", ours="BX", id="2"),
    )
    known = References(both, "1.1", "acme")
    said = theirs(line("5", "CA"), known)
    assert [one.said for one in said.held if one.list == "units"] == ["CA"]
    assert said.body["lines"][0]["quantity"] == {"value": "5", "unit": "CA"}
    assert theirs(line("5", "BX"), known).body["lines"][0]["quantity"]["unit"] == "CT"


def test_a_word_that_holds_is_noted_behind_however_many_that_do_not() -> None:
    """Sixty unknown items are let stand; the unit behind them holds the document all the same."""
    lenient = Agreed(items=Ids(theirs="supplier", ours="buyer", unknown="keep"), units="hold")
    items = [{"item": {"ids": [{"scheme": "supplier", "value": f"U-{n}"}]}} for n in range(60)]
    made = to_ours({"lines": [*items, {"quantity": {"value": "1", "unit": "XX"}}]}, lenient, KNOWN, DAY)
    assert [one.said for one in made.held] == ["XX"]
    assert len(made.missing) == 51


def test_blanks_around_a_word_say_nothing() -> None:
    """What is taught has none, so that padded words would wait for ever."""
    made = ours({"lines": [*line("2", "CT ", "A-1 ")["lines"], *line("2", "QQ ")["lines"]]})
    assert made.body["lines"][0]["quantity"]["unit"] == "EA"
    assert [one.said for one in made.held] == ["QQ"]


def test_hostile_extensions_change_nothing() -> None:
    """What stands beside is believed only while it means the same."""
    quantity = {"value": "24", "unit": "EA", "extensions": {"references": {"unit": "CT", "value": "1", "x": [1]}}}
    price = {"amount": "2", "extensions": {"references": {"amount": "1E+999999", "basis_quantity": []}}}
    place = {
        "scheme": "assigned_by_buyer",
        "value": "W07",
        "extensions": {"references": {"scheme": "assigned_by_seller"}},
    }
    carrier = {"scac": "FEDEX", "extensions": {"references": {"scac": {"a": 1}}}}
    made = theirs(
        {"lines": [{"quantity": quantity, "prices": [price], "allocations": [{"location": place}]}], "carrier": carrier}
    ).body
    one = made["lines"][0]
    assert (one["quantity"]["value"], one["prices"][0]["amount"], made["carrier"]["scac"]) == ("2", "24", "FX")
    assert one["allocations"][0]["location"]["value"] == "S-7"


_numbers = st.decimals(min_value=0, max_value=10**9, allow_nan=False, places=3).map(str)
_lines = st.lists(
    st.fixed_dictionaries(
        {"quantity": st.fixed_dictionaries({"value": _numbers, "unit": st.sampled_from(["CT", "KGM", "BX", "EA"])})},
        optional={
            "prices": st.lists(st.fixed_dictionaries({"amount": _numbers}, optional={"basis_quantity": _numbers})),
            "item": st.just({"ids": [{"scheme": "supplier", "value": "A-1"}, {"scheme": "buyer", "value": "100"}]}),
            "cumulative_shipped": _numbers,
        },
    ),
    max_size=4,
)


@given(lines=_lines, scac=st.sampled_from(["FX", None]))
def test_there_and_back_is_the_same_document(lines: list[dict[str, Any]], scac: str | None) -> None:
    """Units, prices, codes: to the last digit, and nothing stays behind."""
    body: dict[str, Any] = {"lines": lines} | ({"carrier": {"scac": scac}} if scac else {})
    made = ours(body)
    assert not made.missing
    there = theirs(made.body, BOTH).body
    for one, other in zip(lines, there["lines"], strict=True):
        assert {**one, "cumulative_shipped": 0} == {**other, "cumulative_shipped": 0}
        assert Decimal(one.get("cumulative_shipped", 0)) == Decimal(other.get("cumulative_shipped", 0))
    assert there.get("carrier") == body.get("carrier")


def test_a_translated_document_is_still_a_canonical_one() -> None:
    """What stands beside fits the model."""
    body = {
        "order": {"number": "1"},
        "response": "accepted",
        "lines": line("3", "CT", prices=[{"type": "unit", "amount": "25.00"}])["lines"],
    }
    model, findings = canonical.parse("order_acknowledgement", ours(body).body)
    assert model is not None, findings
