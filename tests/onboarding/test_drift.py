"""Later files against a profile: what is new is told once, with its count; what is not new is not told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.edi.library import standard
from gateway.errors import OurFault
from gateway.onboarding.drift import drift
from gateway.onboarding.outcome import Inference
from gateway.onboarding.profile import Profile, load_profile, merged, saved

Infer = Callable[..., Inference]
Interchange = Callable[..., bytes]
SEGMENTS = (
    "BAK*00*AC*4500012345*20261120****BL-1*20261121",
    "N1*SE*ACME",
    "PO1*1*24*EA*89.5*PE*BP*A-1001",
    "ACK*IA*24*EA",
)


@pytest.fixture
def profile(inferred: Infer, interchange: Interchange) -> Profile:
    """Of one plain acknowledgement."""
    return inferred(interchange("855", *SEGMENTS)).profile


def _changed(old: str, new: str) -> tuple[str, ...]:
    return tuple(one.replace(old, new) for one in SEGMENTS)


NEWS: list[tuple[str, tuple[str, ...], dict[str, str], list[tuple[str, str]]]] = [
    ("nothing new", SEGMENTS, {}, []),
    ("a code", _changed("ACK*IA", "ACK*IB"), {}, [("profile.code", "PO1/ACK01 IB")]),
    ("a qualifier", _changed("*BP*", "*VP*"), {}, [("profile.code", "PO106 VP")]),
    ("an element", _changed("*SE*ACME", "*SE*ACME*92"), {}, [("profile.element", "N103 such as 92")]),
    ("a segment", (*SEGMENTS, "CTT*1"), {}, [("profile.place", "CTT")]),
    ("a longer value", _changed("A-1001", "A-10012"), {}, [("profile.length", "PO107 of 7 characters")]),
    ("a second one", (SEGMENTS[0], SEGMENTS[1], *SEGMENTS[1:]), {}, [("profile.repeat", "N1 2 times")]),
    ("a version", SEGMENTS, {"version": "005010"}, [("profile.habit", "005010"), ("profile.set", "855 005010")]),
]


@pytest.mark.parametrize(("segments", "options", "wanted"), [one[1:] for one in NEWS], ids=[one[0] for one in NEWS])
def test_what_the_profile_had_not_is_a_note(  # noqa: PLR0917  a row of the table, and what reads it
    segments: tuple[str, ...],
    options: dict[str, str],
    wanted: list[tuple[str, str]],
    profile: Profile,
    inferred: Infer,
    interchange: Interchange,
) -> None:
    """Each with its rule, its place and how often."""
    later = inferred(interchange("855", *segments, **options)).profile
    found = drift(profile, later)
    told = [(one.finding.rule, one.finding.said) for one in found]
    assert [rule for rule, _ in told] == [rule for rule, _ in wanted]
    assert all(words in said for (_, words), (_, said) in zip(wanted, told, strict=True))
    assert all(one.count and one.finding.severity.value == "accept" for one in found)


def test_other_separators_are_a_habit(profile: Profile, inferred: Infer, interchange: Interchange) -> None:
    """Told with what they were before."""
    later = inferred(interchange("855", *SEGMENTS).replace(b"~", b"!\n")).profile
    assert {one.finding.said for one in drift(profile, later)} == {"'!'", "'lf'"}


def test_a_profile_is_saved_and_read_back(profile: Profile, tmp_path: Path) -> None:
    """Byte for byte the same again."""
    path = tmp_path / "acme.profile.json"
    path.write_text(saved(profile))
    assert load_profile(path) == profile
    assert saved(load_profile(path)) == saved(profile)


@pytest.mark.parametrize("text", ["", "{}", '{"format": 2}', "[" * 5000, '{"format": 1, "bogus": 1}'])
def test_a_file_that_is_no_profile_is_said(text: str, tmp_path: Path) -> None:
    """With what to do."""
    path = tmp_path / "acme.profile.json"
    path.write_text(text)
    with pytest.raises(OurFault, match="is no profile") as raised:
        load_profile(path)
    assert "gateway partner infer" in (raised.value.remedy or "")


def test_two_versions_of_a_set_add_up(inferred: Infer, interchange: Interchange) -> None:
    """Counts are added, lengths widened, codes joined."""
    found = inferred(
        interchange("855", *SEGMENTS), interchange("855", *_changed("IA", "IB"), version="004010VICS", number=2)
    )
    both = merged(found.profile.sets)
    assert both.documents == 2
    assert both.places["PO1/ACK"].elements["01"].values == {"IA": 1, "IB": 1}


def test_the_standards_guides_stay_as_they_are(inferred: Infer, interchange: Interchange) -> None:
    """An inference changes nothing that others read by."""
    inferred(interchange("855", *_changed("IA", "IB"), version="003050"))
    assert not standard().knows_version("003050")
