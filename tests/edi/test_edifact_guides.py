"""The EDIFACT guides: facts of the directories, checked by hand against the published texts, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import pytest

from gateway.edi.guide import ElementSpec, Guide, LoopUse, SegmentSpec, Use
from gateway.edi.library import standard

ORDERS = ("ORDERS", "ORDRSP", "ORDCHG")
KEYS = [
    *((version, type_) for version in ("D96A", "D01B") for type_ in (*ORDERS, "DESADV", "APERAK")),
    ("D3", "CONTRL"),
    ("41", "CONTRL"),
]
GROUPS = {
    ("D96A", "ORDERS"): 54,
    ("D96A", "ORDRSP"): 56,
    ("D96A", "ORDCHG"): 56,
    ("D96A", "DESADV"): 23,
    ("D96A", "APERAK"): 4,
    ("D01B", "ORDERS"): 60,
    ("D01B", "ORDRSP"): 56,
    ("D01B", "ORDCHG"): 58,
    ("D01B", "DESADV"): 25,
    ("D01B", "APERAK"): 5,
    ("D3", "CONTRL"): 5,
    ("41", "CONTRL"): 5,
}

LINE_96A = (
    "LIN PIA IMD MEA QTY PCD ALI DTM MOA GIN GIR QVR DOC PAI FTX"
    " CCI PAT PRI RFF PAC LOC TAX NAD ALC TDT TOD EQD SCC RCS STG"
)
LINE_01B = (
    "LIN PIA IMD MEA QTY PCD ALI DTM MOA GIS GIN GIR QVR DOC PAI MTD FTX"
    " CCI PAT PRI RFF PAC LOC TAX NAD ALC TDT TOD EQD SCC RCS STG DGS"
)

# Group, repeats, the tags of what it holds, the trigger first.
PLACES = [
    ("D96A/ORDERS/SG1", 10, "RFF DTM"),
    ("D96A/ORDERS/SG2", 99, "NAD LOC FII RFF DOC CTA"),
    ("D96A/ORDERS/SG13", 5, "PCI RFF DTM GIN"),
    ("D96A/ORDERS/SG18", 15, "ALC ALI DTM QTY PCD MOA RTE TAX"),
    ("D96A/ORDERS/SG25", 200_000, LINE_96A),
    ("D96A/ORDERS/SG28", 25, "PRI CUX APR RNG DTM"),
    ("D96A/ORDERS/SG49", 100, "SCC FTX RFF QTY"),
    ("D96A/ORDERS/SG53", 3, "QTY MOA"),
    ("D96A/ORDERS/SG54", 10, "ALC ALI MOA"),
    ("D96A/ORDRSP/SG2", 1, "AJT FTX"),
    ("D96A/ORDRSP/SG14", 5, "PCI RFF DTM GIN"),
    ("D96A/ORDRSP/SG31", 999, "RFF DTM"),
    ("D96A/ORDCHG/SG37", 10, "NAD LOC RFF DOC CTA"),
    ("D96A/DESADV/SG2", 10, "NAD LOC RFF CTA"),
    ("D96A/DESADV/SG10", 9999, "CPS FTX PAC LIN"),
    ("D96A/DESADV/SG11", 9999, "PAC MEA QTY HAN PCI"),
    ("D96A/DESADV/SG13", 1000, "PCI RFF DTM GIR GIN"),
    ("D96A/DESADV/SG14", 99, "GIN DLM"),
    ("D96A/DESADV/SG15", 9999, "LIN PIA IMD MEA QTY ALI GIN GIR DLM DTM FTX MOA RFF DGS LOC SGP PCI QVR"),
    ("D96A/APERAK/SG3", 999, "ERC FTX RFF"),
    ("D01B/ORDERS/SG1", 9999, "RFF DTM"),
    ("D01B/ORDERS/SG9", 9999, "MOA GIR RJL"),
    ("D01B/ORDERS/SG26", 999, "DGS FTX CTA"),
    ("D01B/ORDERS/SG28", 200_000, LINE_01B),
    ("D01B/ORDERS/SG31", 9999, "MOA GIR"),
    ("D01B/ORDERS/SG33", 9999, "RFF DTM GIS MOA"),
    ("D01B/ORDERS/SG37", 9999, "LOC QTY PCD DTM"),
    ("D01B/ORDERS/SG60", 10, "ALC ALI MOA"),
    ("D01B/ORDRSP/SG14", 99, "PCI RFF DTM GIN"),
    ("D01B/ORDRSP/SG35", 9999, "LOC QTY PCD DTM"),
    ("D01B/ORDCHG/SG37", 9999, "LOC QTY DTM"),
    ("D01B/ORDCHG/SG39", 999, "NAD LOC FII RFF DOC CTA"),
    ("D01B/DESADV/SG2", 99, "NAD LOC RFF CTA"),
    ("D01B/DESADV/SG10", 9999, "CPS FTX QVR PAC LIN"),
    ("D01B/DESADV/SG14", 99, "GIR DTM"),
    ("D01B/DESADV/SG16", 99, "COD MEA QTY PCD"),
    ("D01B/DESADV/SG18", 99, "RFF NAD CTA DTM"),
    ("D01B/APERAK/SG1", 99, "DOC DTM"),
    ("D01B/APERAK/SG4", 99_999, "ERC FTX RFF"),
    ("D3/CONTRL/SG1", 999_999, "UCM UCS"),
    ("D3/CONTRL/SG3", 999_999, "UCF UCM"),
    ("41/CONTRL/SG5", 999, "UCS UCD"),
]

# Segment, place, number, then format in D.96A and in D.01B ("" where there is no such place).
FORMATS = [
    ("BGM", "1.1", "1001", "C an..3", "C an..3"),
    ("BGM", "2.1", "1004", "", "C an..35"),
    ("BGM", "2", "1004", "C an..35", ""),
    ("BGM", "2.3", "1060", "", "C an..6"),
    ("DTM", "1.1", "2005", "M an..3", "M an..3"),
    ("DTM", "1.2", "2380", "C an..35", "C an..35"),
    ("RFF", "1.2", "1154", "C an..35", "C an..70"),
    ("RFF", "1.5", "1060", "", "C an..6"),
    ("MOA", "1.2", "5004", "C n..18", "C n..35"),
    ("QTY", "1.2", "6060", "M n..15", "M an..35"),
    ("MEA", "3.2", "6314", "C n..18", "C an..18"),
    ("LIN", "1", "1082", "C n..6", "C an..6"),
    ("LIN", "3.1", "7140", "C an..35", "C an..35"),
    ("LIN", "4.2", "1082", "C n..6", "C an..6"),
    ("PIA", "6.1", "7140", "C an..35", "C an..35"),
    ("NAD", "1", "3035", "M an..3", "M an..3"),
    ("NAD", "2.1", "3039", "M an..35", "M an..35"),
    ("NAD", "2.2", "1131", "C an..3", "C an..17"),
    ("NAD", "5.4", "3042", "C an..35", "C an..35"),
    ("NAD", "7", "3229", "C an..9", ""),
    ("NAD", "7.1", "3229", "", "C an..9"),
    ("NAD", "7.4", "3228", "", "C an..70"),
    ("NAD", "8", "3251", "C an..9", "C an..17"),
    ("FTX", "3.1", "4441", "M an..3", "M an..17"),
    ("FTX", "4.5", "4440", "C an..70", "C an..512"),
    ("FTX", "6", "4447", "", "C an..3"),
    ("IMD", "2", "7081", "C an..3", ""),
    ("IMD", "2.1", "7081", "", "C an..3"),
    ("IMD", "3.5", "7008", "C an..35", "C an..256"),
    ("LOC", "2.4", "3224", "C an..70", "C an..256"),
    ("CPS", "1", "7164", "M an..12", "M an..35"),
    ("CPS", "2", "7166", "C an..12", "C an..35"),
    ("PCI", "1", "4233", "C an..3", "C an..3"),
    ("PCI", "2.10", "7102", "C an..35", "C an..35"),
    ("GIN", "2.1", "7402", "M an..35", "M an..35"),
    ("GIN", "6.2", "7402", "C an..35", "C an..35"),
    ("SEL", "1", "9308", "M an..10", "C an..35"),
    ("DGS", "3.1", "7124", "C n4", "C n4"),
    ("DOC", "2.3", "1366", "C an..35", "C an..70"),
    ("PRI", "1.2", "5118", "C n..15", "C n..15"),
    ("PCD", "2", "4405", "", "C an..3"),
    ("TAX", "5.4", "5278", "C an..17", "C an..17"),
    ("TAX", "8", "1227", "", "C an..3"),
    ("HAN", "2.1", "7419", "C an..4", "C an..7"),
    ("ERC", "1.1", "9321", "M an..8", "M an..8"),
    ("CNT", "1.2", "6066", "M n..18", "M n..18"),
    ("UNS", "1", "0081", "M a1", "M a1"),
]

# The service message, syntax 3 and syntax 4.
SERVICE = [
    ("UCI", "1", "0020", "M an..14", "M an..14"),
    ("UCI", "2.3", "0008", "C an..14", "C an..35"),
    ("UCI", "3.1", "0010", "M an..35", "M an..35"),
    ("UCI", "4", "0083", "M an..3", "M an..3"),
    ("UCI", "6", "0013", "C a3", ""),
    ("UCI", "6", "0135", "", "C an..3"),
    ("UCI", "7.3", "0136", "", "C n..6"),
    ("UCI", "8", "0534", "", "C an..14"),
    ("UCF", "2.1", "0040", "M an..35", "M an..35"),
    ("UCM", "1", "0062", "M an..14", "C an..14"),
    ("UCM", "2.4", "0051", "M an..2", "M an..3"),
    ("UCM", "8.2", "0802", "", "M an..35"),
    ("UCS", "1", "0096", "M n..6", "M n..6"),
    ("UCD", "1", "0085", "M an..3", "M an..3"),
    ("UCD", "2.1", "0098", "M n..3", "M n..3"),
    ("UCD", "2.2", "0104", "C n..3", "C n..3"),
]


def guide(version: str, type_: str) -> Guide:
    """The guide, which has to exist."""
    found = standard().find(version, type_)
    assert found is not None
    return found


def groups(loop: LoopUse) -> Iterator[LoopUse]:
    """Every group below this one, in the order of the segment table."""
    for item in loop.items:
        if isinstance(item, LoopUse):
            yield item
            yield from groups(item)


@cache
def segments(version: str) -> Mapping[str, SegmentSpec]:
    """The segments that the messages of a version use, by tag."""
    return {spec.tag: spec for key in KEYS if key[0] == version for spec in guide(*key).segments()}


def written(spec: ElementSpec) -> str:
    """Usage and format as a directory writes them: `M an..35`, `C n4`."""
    length = str(spec.maximum) if spec.minimum == spec.maximum > 1 or spec.type == "a" else f"..{spec.maximum}"
    return f"{'M' if spec.mandatory else 'C'} {spec.type}{length}"


def format_at(version: str, tag: str, place: str, number: str) -> str:
    """The format at a place such as `2` or `2.1`, or nothing where that place is not this data element."""
    parts, spec = segments(version)[tag].elements, None
    for position in place.split("."):
        if int(position) > len(parts):
            return ""
        spec = parts[int(position) - 1]
        parts = spec.components
    assert spec is not None
    return written(spec) if spec.number == number else ""


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_every_guide_loads_and_says_what_it_is(key: tuple[str, str]) -> None:
    """Name, standard and label."""
    found = guide(*key)
    assert found.name == f"edifact/{key[0]}/{key[1]}"
    assert found.label
    assert found.nests == ("CPS" if key[1] == "DESADV" else "")
    assert standard().knows_version(key[0])


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_groups_are_numbered_in_the_order_of_the_segment_table(key: tuple[str, str]) -> None:
    """SG1, SG2, … depth first, and as many as the directory has."""
    names = [group.group for group in groups(guide(*key).root)]
    assert names == [f"SG{number + 1}" for number in range(GROUPS[key])]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_group_begins_with_its_mandatory_trigger(key: tuple[str, str]) -> None:
    """The trigger stands once in each repetition and names the loop; no group of these messages is mandatory."""
    for group in groups(guide(*key).root):
        assert group.start.mandatory
        assert group.start.maximum == 1
        assert group.name == group.tag
        assert not group.mandatory


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_no_two_neighbours_have_one_tag(key: tuple[str, str]) -> None:
    """Tags alone tell where a segment belongs: twice in one level only where UNS stands between."""
    for loop in (guide(*key).root, *groups(guide(*key).root)):
        tags = [item.tag for item in loop.items]
        parts = [tags[: tags.index("UNS")], tags[tags.index("UNS") :]] if "UNS" in tags else [tags]
        for part in parts:
            assert len(part) == len(set(part))


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_codes_are_open_but_for_the_section(key: tuple[str, str]) -> None:
    """A guide closes no list that a partner or GS1 extends."""
    for spec in guide(*key).segments():
        for element in spec.elements:
            assert (element.codes is None) == (element.number != "0081")
            assert all(part.codes is None for part in element.components)


@pytest.mark.parametrize("version", ["D96A", "D01B", "D3", "41"])
def test_segments_have_places_and_short_labels(version: str) -> None:
    """No segment is left unchecked, no label is empty or long, every composite has components."""
    for spec in segments(version).values():
        assert not spec.open
        assert spec.elements
        for element in spec.elements:
            assert bool(element.components) == (element.number[0] in "CS")
            for part in (element, *element.components):
                assert 0 < len(part.label) <= 40
                assert part.repeat == 1 or (version, part.number) == ("41", "S020")


@pytest.mark.parametrize("version", ["D96A", "D01B"])
@pytest.mark.parametrize("type_", ORDERS)
def test_what_an_order_must_have(version: str, type_: str) -> None:
    """BGM, DTM and UNS; lines are conditional, for a response may answer the order as a whole."""
    root = guide(version, type_).root
    assert [item.tag for item in root.items if item.mandatory] == ["BGM", "DTM", "UNS"]
    assert [item.tag for item in root.items][-3:] == ["MOA", "CNT", "ALC"]


@pytest.mark.parametrize(("key", "mandatory"), [(key, ["BGM"]) for key in KEYS if key[1] in {"DESADV", "APERAK"}])
def test_a_notice_must_have_its_beginning_only(key: tuple[str, str], mandatory: list[str]) -> None:
    """DTM is asked for by the text of DESADV, not by its table."""
    assert [item.tag for item in guide(*key).root.items if item.mandatory] == mandatory


@pytest.mark.parametrize(("name", "maximum", "tags"), PLACES)
def test_a_group_is_where_the_table_has_it(name: str, maximum: int, tags: str) -> None:
    """Rows of the published segment tables."""
    version, type_, number = name.split("/")
    group = next(group for group in groups(guide(version, type_).root) if group.group == number)
    assert group.maximum == maximum
    assert " ".join(item.tag for item in group.items) == tags


@pytest.mark.parametrize(
    ("version", "type_", "tag", "maximum"),
    [
        ("D96A", "ORDERS", "DTM", 35),
        ("D96A", "ORDERS", "IMD", 1),
        ("D01B", "ORDERS", "IMD", 999),
        ("D01B", "ORDERS", "GIR", 10),
        ("D96A", "ORDERS", "MOA", 12),
        ("D01B", "ORDERS", "MOA", 99),
        ("D96A", "DESADV", "CNT", 5),
        ("D01B", "DESADV", "CUX", 9),
        ("D96A", "APERAK", "FTX", 9),
        ("D3", "CONTRL", "UCI", 1),
    ],
)
def test_a_segment_of_the_first_level_repeats_as_often_as_the_table_says(
    version: str, type_: str, tag: str, maximum: int
) -> None:
    """Rows of the published segment tables."""
    items = guide(version, type_).root.items
    assert next(item for item in items if isinstance(item, Use) and item.tag == tag).maximum == maximum


@pytest.mark.parametrize(("tag", "place", "number", "old", "new"), FORMATS)
def test_a_format_is_that_of_its_directory(tag: str, place: str, number: str, old: str, new: str) -> None:
    """Where D.96A and D.01B differ, each keeps its own."""
    assert format_at("D96A", tag, place, number) == old
    assert format_at("D01B", tag, place, number) == new


@pytest.mark.parametrize(("tag", "place", "number", "old", "new"), SERVICE)
def test_a_service_format_is_that_of_its_syntax(tag: str, place: str, number: str, old: str, new: str) -> None:
    """CONTRL D.3 for syntax 1 to 3, CONTRL 4.1 for syntax 4."""
    assert format_at("D3", tag, place, number) == old
    assert format_at("41", tag, place, number) == new


def test_a_package_is_named_by_up_to_99_references() -> None:
    """S020 of UCM is the only repeated place: elements repeat from syntax 4 on, the directories predate it."""
    assert segments("41")["UCM"].elements[7].repeat == 99


@pytest.mark.parametrize(
    ("tag", "old", "new"),
    [("GIS", False, True), ("MTD", False, True), ("RJL", False, True), ("TMD", False, True), ("COD", False, True)],
)
def test_a_segment_is_known_where_its_messages_use_it(tag: str, old: bool, new: bool) -> None:  # noqa: FBT001  a table
    """Segments that the later messages gained."""
    assert standard().knows_segment("D96A", tag) == old
    assert standard().knows_segment("D01B", tag) == new
