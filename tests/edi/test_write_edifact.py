"""EDIFACT written: service segments, releases, repertoires, charsets; read back by an independent splitter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.edi import edifact_write as write
from gateway.edi import tree
from gateway.edi.delimiters import EDIFACT, EDIFACT_4, Delimiters
from gateway.edi.edifact_write import Envelope, Group, Outgoing, Party
from gateway.edi.repertoires import CHARSETS
from gateway.edi.syntax import Syntax, Una
from gateway.edi.tree import Loop, Segment
from gateway.errors import OurFault, PartnerFault

AT = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
OTHERS = Delimiters(element="|", component="^", segment="~", release="\\", decimal=",")


@dataclass(frozen=True, slots=True)
class _Repeats:
    """An element that stands several times, as `tree.Repeats` says it."""

    values: tuple[object, ...]


Repeats = getattr(tree, "Repeats", _Repeats)


def envelope(**changes: object) -> Envelope:
    """Who we are, in the tests."""
    values: dict[str, object] = {
        "sender": Party(id="4012345000009", qualifier="14"),
        "receiver": Party(id="5412345000013", qualifier="14"),
        "control_reference": "REF1",
        "at": AT,
    }
    return Envelope(**{**values, **changes})  # type: ignore[arg-type]


def syntax(identifier: str = "UNOC", version: int = 3, **changes: object) -> Syntax:
    """How it is written."""
    return Syntax(identifier=identifier, version=version, **changes)  # type: ignore[arg-type]


def order(*segments: Segment, **changes: object) -> Outgoing:
    """An ORDERS of these segments."""
    values: dict[str, object] = {"type": "ORDERS", "version": "D96A", "control_reference": "1", "association": "EAN008"}
    root = Loop("", list(segments) or [Segment("BGM", ["220", "PO-1", "9"])])
    return Outgoing(**{**values, "root": root, **changes})  # type: ignore[arg-type]


def split(data: bytes, delimiters: Delimiters = EDIFACT, charset: str = "latin-1") -> list[list[list[list[str]]]]:
    """ISO 9735 read by its letter: segments of elements of repeats of components; a released character is data."""
    segments: list[list[list[list[str]]]] = [[[[""]]]]
    text = iter(data.decode(charset))
    for c in text:
        if c == delimiters.release:
            segments[-1][-1][-1][-1] += next(text)
        elif c == delimiters.component:
            segments[-1][-1][-1].append("")
        elif c == delimiters.repetition:
            segments[-1][-1].append([""])
        elif c == delimiters.element:
            segments[-1].append([[""]])
        elif c == delimiters.segment:
            segments.append([[[""]]])
        else:
            segments[-1][-1][-1][-1] += c
    assert segments.pop() == [[[""]]], "the last segment has its terminator"
    return segments


def values(data: bytes, tag: str, *, delimiters: Delimiters = EDIFACT, charset: str = "utf-8") -> list[object]:
    """The elements of the first segment with that tag, as a tree has them."""
    found = next(one for one in split(data, delimiters, charset) if one[0] == [[tag]])
    plain = [[parts[0] if len(parts) == 1 else tuple(parts) for parts in repeats] for repeats in found[1:]]
    return [repeats[0] if len(repeats) == 1 else Repeats(tuple(repeats)) for repeats in plain]


def refusal(message: Outgoing, chosen: Syntax | None = None) -> list[tuple[str, str, str]]:
    """Rule, place and expectation of each finding."""
    with pytest.raises(PartnerFault) as fault:
        write.write_message(message, chosen or syntax())
    return [(one.rule, str(one.place), one.wanted) for one in fault.value.findings]


def test_an_interchange_is_byte_stable_and_counts() -> None:
    """Every byte of UNB, UNH, UNT, UNZ in syntax 3."""
    messages = [order(), order(control_reference="2")]
    data = write.write_interchange(envelope(), messages)
    assert data == (
        b"UNB+UNOC:3+4012345000009:14+5412345000013:14+260105:0930+REF1'"
        b"UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+PO-1+9'UNT+3+1'"
        b"UNH+2+ORDERS:D:96A:UN:EAN008'BGM+220+PO-1+9'UNT+3+2'"
        b"UNZ+2+REF1'"
    )
    assert data == write.write_interchange(envelope(), messages)


def test_every_element_of_unb_has_its_place() -> None:
    """S001 to 0035, in syntax 4 with the long date and the sub-identification."""
    chosen = envelope(
        sender=Party(id="US", qualifier="ZZ", internal="DEPT", sub="DESK"),
        syntax=syntax("UNOW", 4, newline="\r\n"),
        password="PASS",
        password_qualifier="AA",
        application_reference="ORDERS",
        priority="A",
        ack_requested=True,
        agreement="OURS",
        test=True,
    )
    assert write.write_interchange(chosen, [order()]).startswith(
        b"UNB+UNOW:4+US:ZZ:DEPT:DESK+5412345000013:14+20260105:0930+REF1+PASS:AA+ORDERS+A+1+OURS+1'\r\nUNH+1+"
    )


def test_groups_are_counted_by_unz_and_messages_by_une() -> None:
    """UNG with all its elements; UNZ counts the groups."""
    messages = [order(), order(control_reference="2")]
    group = Group(
        type="ORDERS",
        sender=Party(id="BUYING"),
        receiver=Party(id="SALES", qualifier="91"),
        control_reference="G1",
        version="D96A",
        association="EAN008",
        password="SECRET",
        messages=messages,
    )
    data = write.write_interchange(envelope(), groups=[group, group])
    assert data.count(b"UNG+ORDERS+BUYING+SALES:91+260105:0930+G1+UN+D:96A:EAN008+SECRET'UNH+1+") == 2
    assert data.count(b"UNT+3+2'UNE+2+G1'") == 2
    assert data.endswith(b"UNZ+2+REF1'")
    with pytest.raises(OurFault):
        write.write_interchange(envelope(), messages, groups=[group])


@pytest.mark.parametrize(
    ("version", "written"),
    [("D96A", "D:96A"), ("D01B", "D:01B"), ("S93A", "S:93A"), ("1911", "1:911"), ("901", "90:1"), ("41", "4:1"),
     ("D3", "D:3"), ("22", "2:2")],
)  # fmt: skip
def test_a_version_is_two_elements(version: str, written: str) -> None:
    """0052 and 0054, service messages and the first directories included."""
    data = write.write_message(order(type="CONTRL", version=version, association=""), syntax())
    assert data.startswith(f"UNH+1+CONTRL:{written}:UN'".encode())


@pytest.mark.parametrize(
    ("una", "delimiters", "version", "written"),
    [
        (Una.ALWAYS, None, 3, b"UNA:+.? '"),
        (Una.ALWAYS, None, 4, b"UNA:+.?*'"),
        (Una.NEEDED, None, 3, b""),
        (Una.NEEDED, EDIFACT_4, 4, b""),
        (Una.NEEDED, EDIFACT, 4, b"UNA:+.? '"),
        (Una.NEEDED, OTHERS, 3, b"UNA^|,\\ ~"),
        (Una.NEEDED, Delimiters(element="+", component=":", segment="'", release="?", decimal=","), 3, b"UNA:+,? '"),
        (Una.NEEDED, Delimiters(element="+", component=":", segment="'"), 3, b"UNA:+.  '"),
        (Una.NEVER, None, 3, b""),
        (Una.NEVER, Delimiters(element="+", component=":", segment="'", release="?", repetition="*", decimal=","), 4,
         b""),
    ],
)  # fmt: skip
def test_una_is_written_when_asked_or_needed(
    una: Una, delimiters: Delimiters | None, version: int, written: bytes
) -> None:
    """Blank where there is no release or repetition; in syntax 4 the decimal mark needs no UNA."""
    chosen = envelope(syntax=syntax(version=version, una=una, delimiters=delimiters))
    data = write.write_interchange(chosen, [order()])
    assert data.partition(b"UNB")[0] == written


@pytest.mark.parametrize(
    "changes",
    [
        {"una": Una.NEVER, "delimiters": OTHERS},
        {"delimiters": EDIFACT_4},
        {"version": 5},
        {"identifier": "UNOX"},
        {"charset": "no such"},
        {"charset": "utf-16"},
        {"charset": "cp037"},
        {"newline": "x"},
        {"delimiters": Delimiters(element="+", component="+", segment="'", release="?")},
        {"delimiters": Delimiters(element="+", component=":", segment="'", release=":")},
        {"delimiters": Delimiters(element="+", component=":", segment="'", release="A")},
    ],
)
def test_an_agreement_that_nobody_could_read_is_our_fault(changes: dict[str, object]) -> None:
    """Delimiters, syntax and charset are ours to choose."""
    with pytest.raises(OurFault) as fault:
        write.write_interchange(envelope(syntax=syntax(**changes)), [order()])  # type: ignore[arg-type]
    assert fault.value.remedy


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("?", "??"),
        ("'", "?'"),
        ("?'", "???'"),
        ("??", "????"),
        ("??'", "?????'"),
        ("ends with ?", "ends with ??"),
        ("a+b:c'd?e*f", "a?+b?:c?'d??e*f"),
        ("@ needs none", "@ needs none"),
        ("", ""),
    ],
)
def test_service_characters_are_released(text: str, written: str) -> None:
    """Parity: a release before a terminator is data or not by the number of releases."""
    data = write.write_message(order(Segment("FTX", ["AAI", "", "", ("X", text, "Y"), text, "Z"])), syntax())
    assert f"FTX+AAI+++X:{written}:Y+{written}+Z'".encode() in data
    assert values(data, "FTX") == ["AAI", "", "", ("X", text, "Y"), text, "Z"]


def test_trailing_empties_are_cut_and_released_ones_stay() -> None:
    """Components, elements; a colon that is data at the end of a composite is no trailing separator."""
    segments = [
        Segment("PIA", ["1", ("A", "", ""), ("", ""), "", ()]),
        Segment("IMD", ["F", "", ("", "", "", "a:", "")]),
        Segment("UNS", ["S"]),
        Segment("XXX", ["", ("", "")]),
    ]
    data = write.write_message(order(*segments), syntax())
    assert b"'PIA+1+A'IMD+F++:::a?:'UNS+S'XXX'UNT+6+1'" in data


def test_repeats_need_a_repetition_separator() -> None:
    """Written in syntax 4, refused in syntax 3 and where UNA has none."""
    repeated = Segment("DOC", [Repeats(("A*B", ("C", "D", ""), "")), Repeats(("ONE",)), "E"])  # type: ignore[list-item]
    data = write.write_message(order(repeated), syntax(version=4))
    assert b"DOC+A?*B*C:D+ONE+E'" in data
    assert values(data, "DOC", delimiters=EDIFACT_4) == [Repeats(("A*B", ("C", "D"))), "ONE", "E"]
    wanted = "one value: this interchange has no repetition separator"
    assert refusal(order(repeated)) == [("edi.write.repetition", "set 1, segment 2 DOC, element 01", wanted)]
    blank = syntax(version=4, delimiters=EDIFACT)
    assert [one[0] for one in refusal(order(repeated), blank)] == ["edi.write.repetition"]


@pytest.mark.parametrize(
    ("identifier", "version", "text", "foreign"),
    [
        ("UNOA", 3, "Bolt M8", "o, l, t"),
        ("UNOA", 3, "BOLT_8", "_"),
        ("UNOA", 3, "BOLT @ 8 # {5}", "@, #, {, }"),
        ("UNOB", 3, "bolt_8~", "_, ~"),
        ("UNOB", 4, "bolt_8~", "~"),
        ("UNOA", 4, "abcdefghijklmno", "a, b, c, d, e, f, g, h, i, j …"),
    ],
)
def test_what_a_repertoire_lacks_is_refused_by_name(identifier: str, version: int, text: str, foreign: str) -> None:
    """The place and the characters; by option it is written all the same."""
    message = order(Segment("IMD", ["F", "", ("", "", "", text)]), type="ORDERS")
    chosen = syntax(identifier, version=version)
    place = "set 1, segment 2 IMD, element 03, component 4"
    assert refusal(message, chosen) == [("edi.write.repertoire", place, f"characters of {identifier}, not {foreign}")]
    lax = syntax(identifier, version=version, strict=False)
    assert text.encode() in write.write_message(message, lax)


def test_a_repertoire_has_its_own_service_characters_as_data() -> None:
    """Level A holds all that syntax 3 and 4 use, released or not."""
    text = "ABC XYZ 019 .,-()/='+:?!\"%&*;<>"
    data = write.write_message(order(Segment("FTX", [text])), syntax("UNOA"))
    assert values(data, "FTX") == [text]
    data = write.write_message(order(Segment("FTX", [text])), syntax("UNOA", delimiters=OTHERS))
    assert text.encode() in data


@pytest.mark.parametrize(
    ("identifier", "text"),
    [("UNOC", "Größe"), ("UNOD", "Łódź"), ("UNOE", "Болт"), ("UNOF", "Βίδα"), ("UNOG", "Ħal"), ("UNOH", "Ķīlis"),
     ("UNOI", "برغي"), ("UNOJ", "בורג"), ("UNOK", "Şişe"), ("UNOL", "5 €"), ("UNOW", "ボルト"), ("UNOY", "ボルト")],
)  # fmt: skip
def test_a_syntax_identifier_names_the_charset(identifier: str, text: str) -> None:
    """Written in its charset, and refused in ASCII and in another alphabet."""
    data = write.write_message(order(Segment("FTX", [text])), syntax(identifier))
    assert text.encode(CHARSETS[identifier]) in data
    place = "set 1, segment 2 FTX, element 01"
    (found,) = refusal(order(Segment("FTX", [text])), syntax("UNOC" if identifier != "UNOC" else "UNOE"))
    assert found[:2] == ("edi.write.characters", place)
    assert [one[0] for one in refusal(order(Segment("FTX", [text])), syntax("UNOB"))] == ["edi.write.characters"]


def test_a_partners_charset_goes_before_that_of_the_syntax_identifier() -> None:
    """UNOA with Windows-1252 in it, because that is what the partner reads; UNOX with what was agreed."""
    message = order(Segment("FTX", ["5 € groß"]))
    assert "5 € groß".encode("cp1252") in write.write_message(message, syntax("UNOA", charset="cp1252", strict=False))
    assert "5 € groß".encode() in write.write_message(message, syntax("UNOX", charset="utf-8"))


@pytest.mark.parametrize("text", ["a\nb", "\x00", "\x7f", "\x85", "\ufdd0", "\uffff", "\ud800"])
def test_controls_and_what_is_no_character_are_refused(text: str) -> None:
    """In every charset."""
    found = refusal(order(Segment("FTX", [text])), syntax("UNOY"))
    assert [one[0] for one in found] == ["edi.write.characters"]


def test_letters_whose_bytes_hold_ascii_are_refused() -> None:
    """Shift JIS: the second byte of this letter is a backslash; a reader would cut it."""
    found = refusal(order(Segment("FTX", ["表"])), syntax("UNOX", charset="shift_jis"))
    assert [one[0] for one in found] == ["edi.write.characters"]


def test_without_a_release_character_data_is_refused_as_in_x12() -> None:
    """UNA with a blank in its place."""
    bare = syntax(delimiters=Delimiters(element="+", component=":", segment="'"))
    assert refusal(order(Segment("FTX", ["a+b:c"])), bare) == [
        ("edi.write.delimiter", "set 1, segment 2 FTX, element 01", "text without +, :")
    ]


def test_every_fault_of_a_message_is_named_at_once() -> None:
    """Places count UNH as 1."""
    message = order(Segment("FTX", ["é", "ok"]), Segment("FTX", ["", ("x", "ü")]))
    places = [one[1] for one in refusal(message, syntax("UNOB"))]
    assert places == ["set 1, segment 2 FTX, element 01", "set 1, segment 3 FTX, element 02, component 2"]


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"control_reference": ""}, ["UNB, element 05"]),
        ({"control_reference": "A" * 15, "priority": "AB"}, ["UNB, element 05", "UNB, element 08"]),
        ({"sender": Party(id="")}, ["UNB, element 02"]),
        ({"receiver": Party(id="A" * 36, qualifier="ABCDE")}, ["UNB, element 03", "UNB, element 03"]),
        ({"sender": Party(id="A", internal="B" * 15)}, ["UNB, element 02"]),
        ({"sender": Party(id="A", sub="B")}, ["UNB, element 02"]),
        ({"password_qualifier": "AA"}, ["UNB, element 06"]),
        ({"syntax": syntax("LATIN", charset="ascii")}, ["UNB, element 01"]),
    ],
)
def test_envelope_values_that_do_not_fit_are_named(changes: dict[str, object], places: list[str]) -> None:
    """Lengths of UNB; syntax 4 takes longer internal identifications."""
    with pytest.raises(PartnerFault) as fault:
        write.write_interchange(envelope(**changes), [order()])
    assert [str(one.place).rpartition("segment ")[2] for one in fault.value.findings] == places
    assert {one.rule for one in fault.value.findings} == {"edi.write.envelope"}


def test_what_syntax_4_takes_longer_is_written() -> None:
    """0008 is an..35 there, and 0051 an..3."""
    chosen = envelope(syntax=syntax(version=4), sender=Party(id="A", internal="B" * 35, sub="C"))
    data = write.write_interchange(chosen, [order(agency="UNX")])
    assert b"+A::" + b"B" * 35 + b":C+" in data


def test_messages_and_groups_that_do_not_fit_are_named() -> None:
    """UNH, UNG, and an interchange or a group without anything in it."""
    found = refusal(order(type="ORDERSX", control_reference="", association="1234567"))
    assert [one[1] for one in found] == [
        "set , segment UNH, element 01",
        "set , segment UNH, element 02",
        "set , segment UNH, element 02",
    ]
    empty = Group(type="", sender=Party(id="A"), receiver=Party(id="B"), control_reference="1", version="", messages=())
    with pytest.raises(PartnerFault) as fault:
        write.write_interchange(envelope(), groups=[empty])
    assert [str(one.place).rpartition("segment ")[2] for one in fault.value.findings] == [
        "UNG, element 01",
        "UNG, element 07",
        "UNG, element 07",
        "UNE, element 01",
    ]
    with pytest.raises(PartnerFault):
        write.write_interchange(envelope())


texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]) | st.sampled_from("?'+:*^|~\\"), max_size=12)
plain = st.one_of(texts, st.lists(texts, min_size=2, max_size=4).map(tuple))


def cut(value: object) -> object:
    """A value without what the writer cuts: empty texts at the end."""
    if isinstance(value, tuple):
        parts = list(value)
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
        return parts[0] if len(parts) == 1 else tuple(parts)
    return value


@given(st.lists(plain, min_size=1, max_size=6), st.sampled_from([EDIFACT, OTHERS]))
@settings(max_examples=300, deadline=None)
def test_any_text_is_written_and_read_back(elements: list[object], delimiters: Delimiters) -> None:
    """read(write(x)) = x for whatever is no control character."""
    segment = Segment("FTX", elements)  # type: ignore[arg-type]
    data = write.write_message(order(segment), syntax("UNOY", delimiters=delimiters))
    wanted = [cut(one) for one in elements]
    while wanted and not wanted[-1]:
        wanted.pop()
    assert values(data, "FTX", delimiters=delimiters) == wanted
    assert len(split(data, delimiters, "utf-8")) == 3


@given(st.lists(plain.filter(cut), min_size=2, max_size=4))
@settings(max_examples=200, deadline=None)
def test_any_repeats_are_written_and_read_back(repeats: list[object]) -> None:
    """Syntax 4, composites included."""
    segment = Segment("DOC", ["A", Repeats(tuple(repeats)), "Z"])  # type: ignore[list-item]
    data = write.write_message(order(segment), syntax("UNOY", version=4))
    assert values(data, "DOC", delimiters=EDIFACT_4) == ["A", Repeats(tuple(cut(one) for one in repeats)), "Z"]
