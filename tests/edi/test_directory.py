"""UN/EDIFACT directories become guides: both layouts, their drawings, and what cannot be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.edi import directory, library, reading
from gateway.edi.directory import Imported, convert, part
from gateway.edi.directory.elements import codes
from gateway.edi.directory.text import label, lines
from gateway.edi.guide import ElementSpec, Guide, LoopUse
from gateway.errors import OurFault
from gateway.findings import FilePlace, Severity

TEXTS = Path(__file__).parent / "directories"


def texts_of(version: str, charset: str = "cp437") -> dict[str, bytes]:
    """A directory's condensed texts, with CRLF and in the charset of its time."""
    folder = TEXTS / version
    return {
        path.name: path.read_text(encoding="utf-8").replace("\n", "\r\n").encode(charset)
        for path in sorted(folder.iterdir())
    }


def guide_of(imported: Imported, type_: str) -> Guide:
    """An imported message, read as any guide."""
    specs = library.parse_segments(imported.files["segments.yaml"].encode(), "segments.yaml")
    data = imported.files[f"{type_}.yaml"].encode()
    return library.parse_guide(data, specs, imported.version, f"{type_}.yaml", standard="edifact")


def outline(guide: Guide) -> list[str]:
    """`SG2 PAC C 9999` and `DTM C 10`, indented by group."""

    def rows(items: tuple[object, ...], indent: str) -> list[str]:
        found: list[str] = []
        for item in items:
            use = f"{'M' if item.mandatory else 'C'} {item.maximum}"  # type: ignore[attr-defined]
            if isinstance(item, LoopUse):
                assert (item.start.mandatory, item.start.maximum) == (True, 1)
                found += [f"{indent}{item.group} {item.tag} {use}", *rows(item.items[1:], indent + "  ")]
            else:
                found.append(f"{indent}{item.tag} {use}")  # type: ignore[attr-defined]
        return found

    return rows(guide.root.items, "")


def fact(element: ElementSpec) -> tuple[object, ...]:
    """What a directory says of an element."""
    return (element.number, element.mandatory, element.type, element.minimum, element.maximum, element.repeat)


def changed(version: str, name: str, old: str, new: str) -> dict[str, bytes]:
    """The texts with one of them changed in one place."""
    texts = texts_of(version, "utf-8")
    before = texts[name].decode()
    assert before.count(old) == 1
    return {**texts, name: before.replace(old, new).encode()}


def told(imported: Imported) -> list[tuple[str, str, int | None]]:
    """Rule, file and line of the findings."""
    return [(one.rule, one.place.file, one.place.line) for one in imported.findings if isinstance(one.place, FilePlace)]


def line_of(version: str, name: str, text: str) -> int:
    """The line in which a text stands."""
    rows = (TEXTS / version / name).read_text(encoding="utf-8").splitlines()
    return next(number for number, row in enumerate(rows, start=1) if text in row)


@pytest.mark.parametrize("charset", ["cp437", "utf-8"])
def test_segment_groups_drawn_with_box_characters_nest_as_drawn(charset: str) -> None:
    """D.96A: three groups close in one row, and the next one opens in the first."""
    imported = convert(texts_of("d96a", charset))
    assert imported.findings == ()
    assert (imported.version, imported.messages) == ("D96A", ("DESADV",))
    guide = guide_of(imported, "DESADV")
    assert (guide.type, guide.version, guide.label, guide.nests) == ("DESADV", "D96A", "despatch advice", "CPS")
    assert outline(guide) == [
        "BGM M 1",
        "DTM C 10",
        "SG1 CPS C 9999",
        "  SG2 PAC C 9999",
        "    DTM C 10",
        "    SG3 PCI C 1000",
        "      DTM C 5",
        "      SG4 GIN C 99",
        "        DTM C 10",
        "  SG5 LIN C 9999",
        "DTM C 5",
    ]


def test_box_characters_taken_for_latin_letters_are_still_a_drawing() -> None:
    """Archives put into UTF-8 by somebody who thought them Latin-1."""
    texts = {name: data.decode("latin-1").encode() for name, data in texts_of("d96a").items()}
    assert convert(texts).files == convert(texts_of("d96a")).files


def test_segment_groups_drawn_in_ascii_nest_as_drawn() -> None:
    """D.01B: names that run on below, change indicators, mandatory groups, UNS."""
    imported = convert(texts_of("d01b"))
    assert imported.findings == ()
    guide = guide_of(imported, "ORDERS")
    assert (guide.label, guide.nests, guide.standard) == ("purchase order", "", "edifact")
    assert outline(guide) == [
        "BGM M 1",
        "GPO C 10",
        "SG1 ARD C 9999",
        "  GPO C 5",
        "SG2 IDE M 99",
        "  SG3 ARD C 5",
        "    GPO C 5",
        "  SG4 IDE C 5",
        "    SG5 GPO C 200000",
        "      ARD C 1",
        "UNS M 1",
    ]


def test_segments_have_the_elements_of_an_early_directory() -> None:
    """No number of times; a representation may stand in the element directory only."""
    guide = guide_of(convert(texts_of("d96a")), "DESADV")
    segments = {spec.tag: spec for spec in guide.segments()}
    assert [fact(one) for one in segments["GIN"].elements[:1]] == [("7405", True, "an", 1, 3, 1)]
    assert [one.number for one in segments["GIN"].elements] == ["7405", "C208", "C208"]
    assert [one.mandatory for one in segments["GIN"].elements] == [True, True, False]
    assert [fact(one) for one in segments["GIN"].elements[2].components] == [
        ("7402", True, "an", 1, 35, 1),
        ("7402", False, "an", 1, 35, 1),
    ]
    assert [fact(one) for one in segments["LIN"].elements] == [
        ("1082", False, "n", 1, 6, 1),
        ("1229", False, "an", 1, 3, 1),
    ]
    assert [one.label for one in segments["BGM"].elements] == [
        "document/message name",
        "document/message number",
        "message function, coded",
    ]


def test_segments_have_the_elements_of_a_later_directory() -> None:
    """Repeats, exact lengths, names that run on below, rows marked for deletion, notes."""
    guide = guide_of(convert(texts_of("d01b")), "ORDERS")
    segments = {spec.tag: spec for spec in guide.segments()}
    assert segments["GPO"].label == "geographical position a name that does not end in its line"
    assert [fact(one) for one in segments["GPO"].elements] == [
        ("6029", True, "an", 1, 3, 1),
        ("2002", False, "n", 4, 4, 1),
    ]
    assert [one.repeat for one in segments["ARD"].elements] == [1, 8]
    assert [one.repeat for one in segments["IDE"].elements] == [1, 99]
    assert [fact(one) for one in segments["ARD"].elements[0].components] == [
        ("5007", False, "an", 1, 3, 1),
        ("1131", False, "an", 1, 17, 1),
        ("3292", False, "a", 1, 35, 1),
    ]
    assert segments["ARD"].elements[1].components[0].label == "monetary amount function detail description code"
    assert [fact(one) for one in segments["UNS"].elements] == [("0081", True, "a", 1, 1, 1)]


@pytest.mark.parametrize("version", ["d96a", "d01b"])
def test_every_finding_says_a_rule_that_is_documented(version: str) -> None:
    """And nothing is found in a sound directory."""
    assert convert(texts_of(version), codes=True).findings == ()
    page = (Path(__file__).parents[2] / "docs" / "import-directory.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(directory\.\w+)` \|", page, re.MULTILINE) == list(directory.RULES)
    assert all(text in page for text in directory.RULES.values())


def test_codes_stay_open_unless_asked_for() -> None:
    """A list that another agency may give (1131 behind the element) stays open in any case."""
    segments = {spec.tag: spec for spec in guide_of(convert(texts_of("d96a")), "DESADV").segments()}
    assert all(one.codes is None for spec in segments.values() for one in spec.elements)
    segments = {spec.tag: spec for spec in guide_of(convert(texts_of("d96a"), codes=True), "DESADV").segments()}
    assert segments["BGM"].elements[2].codes == {"1", "9", "31"}
    assert segments["BGM"].elements[0].components[0].codes is None
    assert segments["LIN"].elements[1].codes == {"1"}
    segments = {spec.tag: spec for spec in guide_of(convert(texts_of("d01b"), codes=True), "ORDERS").segments()}
    assert segments["BGM"].elements[0].codes == {"1", "9", "ZZZ"}
    assert segments["IDE"].elements[1].codes == {"1"}


def test_a_code_list_is_read_in_both_layouts() -> None:
    """Names that run on, descriptions and notes hold numbers too; none of them is a code."""
    assert codes(lines(texts_of("d96a")["UNCL.96A"]))["1001"] == {"105", "220"}
    assert codes(lines(texts_of("d01b")["UNCL.01B"])) == {"1225": {"1", "9", "ZZZ"}, "4405": {"1"}}


def test_without_a_code_list_codes_stay_open_and_that_is_said() -> None:
    """D.93A has none."""
    texts = {name: data for name, data in texts_of("d01b").items() if not name.startswith("UNCL")}
    imported = convert(texts, codes=True)
    assert told(imported) == [("directory.codes", "UNCL", None)]
    assert imported.files == convert(texts_of("d01b")).files


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("d01b.zip/EDSD.ZIP/EDSD.01B", (directory.Part.SEGMENTS, "01B", "")),
        ("TRCD.96A", (directory.Part.COMPOSITES, "96A", "")),
        ("eded.10b", (directory.Part.ELEMENTS, "10B", "")),
        ("UNCL-1.99A", (directory.Part.CODES, "99A", "")),
        ("a\\orders_d.96a", (directory.Part.MESSAGE, "96A", "ORDERS")),
        ("EDSDI1.01B", None),
        ("IDSD.01B", None),
        ("d01b.zip/IDMD.ZIP/IHCLME_D.01B", None),
        ("../../etc/passwd", None),
    ],
)
def test_a_part_is_known_by_its_name(name: str, expected: object) -> None:
    """In either case, by both names of the parts; indexes and interactive directories are not needed."""
    assert part(name) == expected


DAMAGE = [
    # the file, what it says, what it says now, the rule, what stands in the line told
    ("EDSD.01B", "010    1225 MESSAGE", "01O    1225 MESSAGE", "directory.row", "01O"),
    ("EDSD.01B", "TIME                                       C    1 n4", "TIME", "directory.row", "2002 TIME"),
    ("EDSD.01B", "020    4405 STATUS", "010    4405 STATUS", "directory.row", "4405 STATUS"),
    ("EDSD.01B", "BGM  BEGINNING", "??? BEGINNING", "directory.entry", "??? BEGINNING"),
    ("EDSD.01B", "6029 GEOGRAPHICAL", "C999 GEOGRAPHICAL", "directory.composite", "C999"),
    ("EDCD.01B", "C      a..35", "C", "directory.element", "3292"),
    ("ORDERS_D.01B", "UNS Section control                           M   1", "UNS Section", "directory.table", "0170"),
    ("ORDERS_D.01B", "0150   GPO Geographical", "0150   9#! Geographical", "directory.table", "9#!"),
    ("ORDERS_D.01B", "Section control                           M   1", "(none)", "directory.table", "0170"),
    ("ORDERS_D.01B", "0180   UNT", "0180   UNX", "directory.table", ""),
    ("ORDERS_D.01B", "M   1          ||\r\n0110", "M   1           |\r\n0110", "directory.drawing", "0100"),
    ("ORDERS_D.01B", "C   5-----------+", "C   5           |", "directory.drawing", "0070"),
    ("ORDERS_D.01B", "C   1---------+++", "C   1---------++|", "directory.drawing", "0170"),
    ("ORDERS_D.01B", "0170   UNS", "0170   ZZZ", "directory.segment", "ZZZ"),
    ("ORDERS_D.01B", "Pos    Tag Name", "Nothing", "directory.table", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "rule", "where"), DAMAGE)
def test_what_cannot_be_read_is_left_out_and_told_with_its_line(
    name: str, old: str, new: str, rule: str, where: str
) -> None:
    """The message that needs it is not written; nothing is guessed. Without a line it is the last one."""
    texts = changed("d01b", name, old, new)
    imported = convert(texts)
    rows = texts[name].decode().split("\r\n")
    line = next(number for number, row in enumerate(rows, start=1) if where in row) if where else len(rows)
    assert imported.messages == ()
    assert told(imported)[0] == (rule, name, line)
    assert imported.findings[0].severity is Severity.REJECT
    assert imported.findings[0].fix


def test_a_segment_that_is_not_in_the_directory_is_told_where_it_is_used() -> None:
    """The line of the table, and that the message was left out."""
    texts = changed("d01b", "EDSD.01B", "IDE  IDENTITY", "IDX  IDENTITY")
    imported = convert(texts)
    assert told(imported) == [("directory.segment", "ORDERS_D.01B", line_of("d01b", "ORDERS_D.01B", "0080   IDE"))]
    assert "ORDERS was left out" in imported.findings[0].fix


def test_a_gap_between_positions_is_a_note() -> None:
    """Perhaps a row got lost; the entry is taken as it stands."""
    imported = convert(changed("d01b", "EDSD.01B", "020    4405 STATUS", "030    4405 STATUS"))
    assert imported.messages == ("ORDERS",)
    assert told(imported) == [("directory.row", "EDSD.01B", line_of("d01b", "EDSD.01B", "020    4405 STATUS"))]
    assert imported.findings[0].severity is Severity.ACCEPT_WITH_ERRORS


def test_a_trigger_that_is_not_mandatory_once_is_taken_as_such_and_told() -> None:
    """A guide cannot say otherwise."""
    row = "0080   IDE Identity                                  {}   1 "
    imported = convert(changed("d01b", "ORDERS_D.01B", row.format("M"), row.format("C")))
    assert [one.rule for one in imported.findings] == ["directory.trigger"]
    assert imported.messages == ("ORDERS",)


def test_a_remark_among_the_rows_is_passed_over_and_told() -> None:
    """It is no row: no position, no tag."""
    imported = convert(
        changed("d01b", "ORDERS_D.01B", "            SUMMARY", "       See the note.\r\n            SUMMARY")
    )
    assert [one.rule for one in imported.findings] == ["directory.table"]
    assert imported.messages == ("ORDERS",)


def test_a_message_of_another_version_is_left_out() -> None:
    """Its UNH would never find this guide."""
    imported = convert(changed("d01b", "ORDERS_D.01B", "Release      : 01B", "Release      : 01C"))
    assert (imported.messages, imported.findings[0].rule) == ((), "directory.version")


@pytest.mark.parametrize(
    ("without", "word"),
    [("EDSD", "segment directory"), ("EDCD", "composite directory"), ("ORDERS", "no message")],
)
def test_without_its_main_parts_there_is_no_directory(without: str, word: str) -> None:
    """And the remedy says what to give."""
    texts = {name: data for name, data in texts_of("d01b").items() if not name.startswith(without)}
    with pytest.raises(OurFault, match=word) as fault:
        convert(texts)
    assert "d01b.zip" in fault.value.remedy


def test_two_directories_at_once_are_refused() -> None:
    """Their segments differ."""
    with pytest.raises(OurFault, match="01B, 96A"):
        convert(texts_of("d01b") | texts_of("d96a"))


def test_a_message_that_is_not_there_is_named_with_the_near_miss() -> None:
    """Messages may be asked for in any case."""
    with pytest.raises(OurFault, match="no message ORDRES") as fault:
        convert(texts_of("d01b"), messages=["ORDRES"])
    assert fault.value.remedy == "did you mean ORDERS?"
    assert convert(texts_of("d01b"), messages=["orders"]).messages == ("ORDERS",)


def test_findings_are_bounded() -> None:
    """A text of rubbish does not make a report of its size."""
    rubbish = "\n".join(f"{'-' * 70}\n!{number}" for number in range(5_000))
    imported = convert({**texts_of("d01b"), "EDSD.01B": rubbish.encode()})
    assert len(imported.findings) == directory.report.MAX_FINDINGS + 1
    assert imported.findings[-1].rule == "directory.more"


@pytest.mark.parametrize("part_", ["EDSD.01B", "EDCD.01B", "EDED.01B", "UNCL.01B", "ORDERS_D.01B"])
@pytest.mark.parametrize("junk", [b"", b"\x00" * 5_000, b"-" * 70 + b"\n" + b" -" * 200, b"\xff\xc4\xb3\n" * 3_000])
def test_no_bytes_bring_a_traceback(part_: str, junk: bytes) -> None:
    """Empty, binary, endless lines: what is not read is told."""
    for data in (junk, texts_of("d01b")[part_] + junk, texts_of("d01b")[part_][:-200] + junk):
        imported = convert({**texts_of("d01b"), part_: data}, codes=True)
        library.parse_segments(imported.files["segments.yaml"].encode(), "segments.yaml")
        for type_ in imported.messages:
            guide_of(imported, type_)


def test_a_label_is_always_plain_text_of_the_notation() -> None:
    """Brackets would close codes, colons and hashes are YAML."""
    assert label("DATE: [OR] #1 [B]", "x") == "date (or) 1"
    assert label("  \x00 ", "7402") == "7402"


def test_an_imported_folder_is_used_beside_the_shipped_guides() -> None:
    """`Guides.adding`: its versions, messages and segments are known, the shipped ones still are."""
    imported = convert(texts_of("d01b"))
    shipped = library.standard()
    assert not shipped.knows_version("D77Z")
    guides = shipped.adding("edifact", "D77Z", {name: text.encode() for name, text in imported.files.items()})
    guide = guides.find("D77Z", "ORDERS")
    assert guide is not None
    assert guide.name == "edifact/D77Z/ORDERS"
    assert guides.knows_version("D77Z")
    assert guides.knows_segment("D77Z", "GPO")
    assert guides.find("D77Z", "INVOIC") is None
    assert guides.find("004010", "850") is not None
    assert "edifact/D77Z/ORDERS" in {one.name for one in guides}
    assert not shipped.knows_version("D77Z")


def test_interchanges_are_checked_against_imported_guides() -> None:
    """D.96A: a despatch advice with every group drawn, then one whose packages have no sequence."""
    imported = convert(texts_of("d96a"), codes=True)
    files = {name: text.encode() for name, text in imported.files.items()}
    guides = library.standard().adding("edifact", "D77Z", files)
    sound = [
        "BGM+351+DN1+9",
        "DTM+137:20260105",
        "CPS+1",
        "PAC+2",
        "PCI+33E",
        "GIN+BJ+1:2+3",
        "LIN+1+1",
        "DTM+11:20260106",
    ]
    assert found_in(sound, guides) == []
    assert found_in([*sound[:2], "CPS+1", "DTM+11:1"], guides) == []
    assert found_in(["BGM+351+DN1+7", *sound[1:]], guides) == ["edi.element.code"]
    assert found_in(["BGM+351+DN1+9", "CPS+1", "PAC+123456789"], guides) == ["edi.element.too_long"]
    assert "edi.segment.unknown" in found_in(["BGM+351+DN1+9", "QQQ+1"], guides)


def found_in(body: list[str], guides: library.Guides) -> list[str]:
    """The rules broken by a DESADV with this body."""
    message = ["UNH+1+DESADV:D:77Z:UN", *body, f"UNT+{len(body) + 2}+1"]
    rows = ["UNB+UNOC:3+A+B+260105:1200+1", *message, "UNZ+1+1"]
    whole = reading.read_all("".join(f"{row}'" for row in rows).encode(), guides=guides)
    (read,) = whole[0].groups[0].messages
    assert (read.type, read.version) == ("DESADV", "D77Z")
    return [one.rule for one in read.findings]


def test_a_companys_own_x12_guide_stands_before_the_shipped_one() -> None:
    """Its file alone is enough: the shipped segments are known to it, its own segments.yaml adds to them."""
    own = b"message: '850'\ngroup: PO\nlabel: our order\nsegments: [BEG M, ZZ1 M]\n"
    segments = b"segments:\n  ZZ1:\n    label: ours\n    elements: [M AN 1/5 1 it]\n"
    guides = library.standard().adding("x12", "004010", {"850.yaml": own, "segments.yaml": segments})
    guide = guides.find("004010", "850")
    assert guide is not None
    assert [item.tag for item in guide.root.items] == ["BEG", "ZZ1"]
    other = guides.find("004010", "855")
    assert other is library.standard().find("004010", "855")
    assert guides.knows_segment("004010", "ZZ1")
    assert guides.knows_segment("004010", "PO1")
    assert guides.with_guide(guide).adding("x12", "004010", {}).find("004010", "850") is guide


@pytest.mark.parametrize(
    "data",
    [
        b"a list: [",
        b"[1, 2]",
        b"message: '850'",
        b"message: '850'\nlabel: x\nsegments: 3\nlevels: 7",
        b"message: '850'\nlabel: x\nsegments: {a: b}",
        b"message: '855'\nlabel: x\nsegments: []",
        b"message: '850'\nlabel: x\nsegments: [QQQ]",
        b"\xff\xfe",
    ],
)
def test_an_own_guide_that_cannot_be_read_is_named(data: bytes) -> None:
    """OurFault with the file, when it is first needed."""
    guides = library.standard().adding("x12", "004010", {"850.yaml": data})
    with pytest.raises(OurFault, match=r"004010/850\.yaml"):
        guides.find("004010", "850")
