"""Cross-references: looked up both ways by day, planned over what stands, near matches, bounded."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from gateway.mapping.references import CrossReference, References, plan

JUNE = dt.date(2026, 6, 1)


def row(theirs: str, ours: str, **fields: object) -> CrossReference:
    """An item of acme's."""
    given: dict[str, object] = {"partner": "acme", "list": "items", "theirs": theirs, "ours": ours, "id": theirs + ours}
    return CrossReference(**{**given, **fields})  # type: ignore[arg-type]


def ours(known: References, theirs: str, *, day: dt.date = JUNE, scheme: str = "") -> str | None:
    """Our word."""
    found = known.ours("items", scheme, theirs, day)
    return found.ours if found else None


def test_a_row_holds_from_its_first_day_to_its_last() -> None:
    """Both days included."""
    known = References([row("A", "1", valid_from=dt.date(2026, 5, 1), valid_to=JUNE)])
    days = [dt.date(2026, 4, 30), dt.date(2026, 5, 1), JUNE, dt.date(2026, 6, 2)]
    assert [ours(known, "A", day=day) for day in days] == [None, "1", "1", None]


def test_the_partners_own_row_goes_before_one_for_all_and_a_schemes_before_any() -> None:
    """The nearest decides."""
    known = References(
        [
            row("A", "all", partner=""),
            row("A", "own"),
            row("A", "scheme", scheme="supplier"),
            row("B", "all", partner=""),
        ]
    )
    assert (ours(known, "A"), ours(known, "A", scheme="supplier"), ours(known, "B")) == ("own", "scheme", "all")


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([row("A", "1"), row("B", "1", valid_from=dt.date(2026, 5, 1))], ["B"]),
        ([row("A", "1"), row("B", "1")], ["A", "B"]),
        ([row("A", "1"), row("1", "1")], ["1"]),
        ([], []),
    ],
)
def test_of_several_of_their_words_the_same_goes_first_then_the_newest_else_all_are_told(
    rows: list[CrossReference], found: list[str]
) -> None:
    """Nobody guesses between equals."""
    assert [one.theirs for one in References(rows).theirs("items", "", "1", JUNE)] == found


def test_near_matches_ignore_case_and_signs_on_either_side_and_have_a_score() -> None:
    """The best first; what is far is not told."""
    known = References([row("AX-1001", "700100"), row("AX-1002", "700200"), row("ZZZ", "OTHER")])
    near = known.near("items", "ax 1001", JUNE)
    assert [(one.row.ours, one.score) for one in near] == [("700100", 100), ("700200", 83)]
    assert known.near("items", "7001-00", JUNE)[0].row.theirs == "AX-1001"
    assert known.near("units", "AX-1001", JUNE) == ()
    assert known.near("items", "#####", JUNE) == ()


def test_a_later_first_day_ends_the_open_row_before_it() -> None:
    """The day before."""
    old, new = row("A", "1"), row("A", "2", valid_from=JUNE)
    made = plan([old], [new])
    assert (made.add, made.end, made.retire) == ((new,), ((old, dt.date(2026, 5, 31)),), ())


def test_the_same_first_day_replaces_and_the_same_row_changes_nothing() -> None:
    """Learning again what is known is harmless."""
    old = row("A", "1")
    assert plan([old], [row("A", "1")]).unchanged == (0,)
    made = plan([old], [row("A", "2")])
    assert (made.retire, [one.ours for one in made.add]) == ((old,), ["2"])


@pytest.mark.parametrize(
    ("standing", "wanted"),
    [
        ([row("A", "1", valid_from=JUNE)], [row("A", "2")]),
        ([row("A", "1", valid_to=JUNE)], [row("A", "2", valid_from=dt.date(2026, 5, 1))]),
        ([], [row("A", "1"), row("A", "2")]),
        ([], [row("A", "1", valid_to=JUNE), row("A", "2", valid_from=JUNE)]),
    ],
)
def test_other_overlaps_are_clashes(standing: list[CrossReference], wanted: list[CrossReference]) -> None:
    """With what stands, and inside a file."""
    assert len(plan(standing, wanted).clashes) == 1


def test_a_file_with_several_spans_of_one_word_is_planned_in_order_of_days() -> None:
    """Whatever the order of its lines."""
    wanted = [row("A", "2", valid_from=JUNE), row("A", "1", valid_to=dt.date(2026, 5, 31)), row("B", "3")]
    made = plan([], wanted)
    assert (made.clashes, set(made.add)) == ((), set(wanted))
    assert plan(made.add, wanted).unchanged == (0, 1, 2)


def test_units_differ_by_factor() -> None:
    """The same words with another factor are another row."""
    old = row("CT", "EA", list="units", factor=Decimal(12))
    assert plan([old], [row("CT", "EA", list="units", factor=Decimal("12.0"))]).unchanged == (0,)
    assert plan([old], [row("CT", "EA", list="units", factor=Decimal(6))]).retire == (old,)
