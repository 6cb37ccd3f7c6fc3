"""From a partner's files to what they need beyond the base: it is asked for, it is enough, and it is no more."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.edi.delta import resolve
from gateway.edi.library import standard
from gateway.errors import OurFault
from gateway.mapping import compile_map, from_folders, shipped
from gateway.onboarding.infer import infer
from gateway.onboarding.outcome import CLEAN, Inference, Known
from gateway.onboarding.report import as_json, as_markdown, rows
from gateway.onboarding.samples import Sample
from gateway.yamltext import read_yaml

SAMPLES = Path(__file__).parents[2] / "samples"
Infer = Callable[..., Inference]
Interchange = Callable[..., bytes]
BAK = "BAK*00*AC*4500012345*20261120****BL-1*20261121"
SHIPPED = from_folders(shipped())
PO1 = "PO1*1*24*EA*89.5*PE*BP*A-1001"


def _taken(found: Inference) -> bool:
    return all(sum(one.then[word] for word in CLEAN) == sum(one.then.values()) for one in found.outcomes)


def _guide(found: Inference) -> str:
    return found.outcomes[0].guide_text


NEEDED: list[tuple[str, tuple[str, ...], str]] = [
    ("a segment out of its place", (BAK, PO1, "ACK*IA*24*EA", "PO4*12*1*EA"), 'PO1/ACK: ["PO4 *"]'),
    ("a longer value", (BAK, f"REF*VN*{'X' * 31}", PO1), "REF/REF02: 1/31"),
    ("a short date", (BAK.replace("20261120", "261120"), PO1), "BAK04: 6"),
    ("a broken note, the others stay", (BAK, PO1, "ACK*IA*24"), "PO1/ACK: C0405 "),
    ("a segment of another set", (BAK, "BSN*00*1*20261121*0915", PO1), 'BAK: ["BSN *"]'),
    ("a segment of their own", (BAK, "ZZ1*H*UN1993", PO1), "ZZ1:"),
    ("an absent element", ("BAK*00*AC*4500012345", PO1), "- BAK04"),
    ("more of them", (BAK, "CUR*SE*USD", "CUR*SE*EUR", PO1), 'CUR: "*"'),
]


@pytest.mark.parametrize(("segments", "line"), [(one[1], one[2]) for one in NEEDED], ids=[one[0] for one in NEEDED])
def test_what_the_guide_would_refuse_becomes_a_line_of_the_delta(
    segments: tuple[str, ...], line: str, inferred: Infer, interchange: Interchange
) -> None:
    """And with it the file is taken."""
    found = inferred(interchange("855", *segments))
    assert line in _guide(found)
    assert _taken(found), rows(found)


def test_a_file_that_needs_nothing_gets_no_delta(inferred: Infer, interchange: Interchange) -> None:
    """The agreement names the base map, and no guide."""
    found = inferred(interchange("855", BAK, PO1, "ACK*IA*24*EA"))
    assert set(found.files()) == {"partners/acme.yaml", "partners/acme.profile.json"}
    assert "order_acknowledgement: {set: 855, map: x12/855}" in found.agreement


def test_a_version_without_guides_is_read_as_the_nearest_and_says_so(inferred: Infer, interchange: Interchange) -> None:
    """In the agreement; YYMMDD gets the pair that reads and writes it."""
    found = inferred(interchange("855", BAK.replace("20261120", "261120"), PO1, version="003050"))
    assert found.read_as == {"003050": "004010"}
    assert 'read_as: {"003050": "004010"}' in found.agreement
    assert "BAK04: order.issue_date | date short" in found.outcomes[0].map_text
    assert _taken(found)


def test_tolerances_are_switched_on_only_where_they_are_needed(inferred: Infer, interchange: Interchange) -> None:
    """Collapsed padding asks for one of them, and no other."""
    data = interchange("855", BAK, PO1)
    assert inferred(data).how.tolerances == ()
    found = inferred(data.replace(b"ACME           *", b"ACME*"))
    assert found.how.tolerances == ("collapsed_isa",)
    assert "tolerate: [collapsed_isa]" in found.agreement


def test_text_that_is_no_utf_8_names_a_charset(inferred: Infer, interchange: Interchange) -> None:
    """Only then."""
    data = interchange("855", BAK, "N1*SE*M\u00dcLLER", PO1)
    assert inferred(data).how.charset is None
    found = inferred(data.decode().encode("windows-1252"))
    assert found.how.charset == "windows-1252"
    assert _taken(found)


def test_habits_of_the_envelope_stand_in_the_agreement(inferred: Infer, interchange: Interchange) -> None:
    """Separators, line breaks and the test indicator, where they are not the usual ones."""
    data = interchange("855", BAK, PO1).replace(b"~", b"!\r\n").replace(b"*0*P*>", b"*0*T*@")
    text = inferred(data).agreement
    assert 'segment_terminator: "!"' in text
    assert 'component_separator: "@"' in text
    assert "line_breaks: yes" in text
    assert "test: yes" in text


def test_two_senders_are_asked_about(inferred: Infer, interchange: Interchange) -> None:
    """And one of them can be named."""
    files = interchange("855", BAK, PO1), interchange("855", BAK, PO1, sender="OTHER", number=2)
    with pytest.raises(OurFault, match="2 senders: ZZ/ACME"):
        inferred(*files)
    found = inferred(*files, sender="OTHER")
    assert (found.name, found.others) == ("other", 1)
    with pytest.raises(OurFault, match="no interchange is of NOBODY"):
        inferred(*files, sender="NOBODY")


def test_what_we_sent_them_is_theirs_to_receive(inferred: Infer, interchange: Interchange) -> None:
    """Both directions may lie in one folder; we are no sender of our own."""
    order = interchange("850", "BEG*00*SA*4500012345**20261120", "PO1*1*24*EA*89.5*PE*BP*A-1001", sender="HARBORLINE")
    order = order.replace(b"*ZZ*HARBORLINE     *261121", b"*ZZ*ACME           *261121")
    found = inferred(order, interchange("855", BAK, PO1, number=2))
    assert [(one.kind[1], one.kind[2]) for one in found.outcomes] == [("850", "send"), ("855", "receive")]
    assert "  send:\n    purchase_order: {set: 850" in found.agreement


def test_no_edi_at_all_is_said(inferred: Infer) -> None:
    """With the reason."""
    with pytest.raises(OurFault, match="no interchange can be read"):
        inferred(b"dear sir or madam")


def test_a_mistake_that_no_delta_mends_stays_the_senders(inferred: Infer, interchange: Interchange) -> None:
    """A wrong count is told, not learned."""
    found = inferred(interchange("855", BAK, PO1).replace(b"SE*4*", b"SE*9*"))
    assert not _guide(found)
    assert [(one.part, one.what.rpartition("[")[2]) for one in rows(found)] == [("wrong", "edi.message.count]")]


def test_codes_that_no_table_has_stand_as_comments_and_the_map_compiles(
    inferred: Infer, interchange: Interchange
) -> None:
    """What they mean is a person's to say; what it is read as until then is told."""
    found = inferred(interchange("855", BAK, PO1, "ACK*OK*24*EA"))
    text = found.outcomes[0].map_text
    assert "#     OK: TODO  # 1x, PO1/ACK/ACK01, line status, now read as other" in text
    compile_map("acme/855", lambda name: (name, text) if name == "acme/855" else SHIPPED(name))


def test_what_a_partner_writes_cannot_break_the_files(inferred: Infer, interchange: Interchange) -> None:
    """Quotes, colons and control characters in data end up in comments, harmless."""
    nasty = "A\"': #{[\u0007\u0085" + "X" * 30
    found = inferred(interchange("855", BAK, f"REF*VN*{nasty}", "ZZ1*" + nasty, PO1))
    made, findings = resolve(
        "acme/855", find=lambda name: (name, _guide(found)) if name == "acme/855" else None, guides=standard()
    )
    assert made is not None, findings
    assert all(one.isprintable() for one in _guide(found).replace("\n", ""))


def test_what_is_kept_is_bounded(inferred: Infer, interchange: Interchange) -> None:
    """A file of nothing but new segments and elements fills neither memory nor the workspace."""
    tags = [
        f"{one}{two}{three}*{'*'.join(['x'] * 600)}" for one in "XYZ" for two in "ABCDEFGHIJ" for three in range(10)
    ]
    found = inferred(interchange("855", BAK, *tags, PO1))
    (only,) = found.profile.sets
    assert max(len(place.elements) for place in only.places.values()) <= 500
    assert len(found.outcomes[0].needs) <= 500


def test_strict_forbids_what_never_came_and_still_takes_what_did(inferred: Infer, interchange: Interchange) -> None:
    """Codes are closed, unused places forbidden."""
    found = inferred(interchange("855", BAK, "N1*ST*NORTH*92*N-1", PO1, "ACK*IA*24*EA"), strict=True)
    text = _guide(found)
    assert "\n- CUR  # never came" in text
    assert "N1/N101: [ST]" in text
    assert _taken(found)


def test_the_report_is_the_same_in_every_form(inferred: Infer, interchange: Interchange, known: Known) -> None:
    """Terminal, Markdown and JSON have the same rows."""
    found = inferred(interchange("855", BAK, PO1, "ACK*OK*24*EA", "PO4*12*1*EA"))
    table = as_markdown(found, known.guides)
    document = as_json(found, known.guides)
    assert len(document["rows"]) == len(rows(found)) == 2
    assert all(one.what in table for one in rows(found))
    assert "CUR" in document["sets"][0]["unused"]


def _all(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.edi") if path.is_file())


WHOLE = [*(SAMPLES / "x12").glob("*.edi"), *(SAMPLES / "edifact").glob("*.edi")]
BROKEN = [
    *(SAMPLES / "x12/broken").glob("edi.segment.*.edi"),
    *(SAMPLES / "x12/broken").glob("edi.element.*.edi"),
    *(SAMPLES / "edifact/broken").glob("edi.segment.*.edi"),
]


@pytest.mark.parametrize("path", sorted(WHOLE), ids=lambda path: path.stem)
def test_a_narrowed_guide_takes_all_that_it_was_made_from(path: Path, known: Known) -> None:
    """What is forbidden never came, what is required always did."""
    found = infer([Sample(name=path.name, blocks=lambda: [path.read_bytes()])], known, name="acme", strict=True)
    _sound(found)


@pytest.mark.parametrize("path", sorted(BROKEN), ids=lambda path: path.stem)
def test_a_delta_never_takes_less_than_its_base(path: Path, known: Known) -> None:
    """Whatever is wrong in a file; and what is written can be read."""
    _sound(infer([Sample(name=path.name, blocks=lambda: [path.read_bytes()])], known, name="acme"))


def _sound(found: Inference) -> None:
    for one in found.outcomes:
        assert sum(one.first[word] for word in CLEAN) <= sum(one.then[word] for word in CLEAN)
        if one.guide_text:
            made, findings = resolve("a/b", find=lambda _, text=one.guide_text: ("g", text), guides=standard())  # type: ignore[misc]
            assert made is not None, findings
        if one.map_text:
            compile_map("a/b", lambda name, text=one.map_text: ("m", text) if name == "a/b" else SHIPPED(name))  # type: ignore[misc]


def test_public_samples_are_inferred_from_without_loss(known: Known) -> None:
    """Where the folder of public samples is there: each file by itself, as above."""
    folder = os.environ.get("GATEWAY_SAMPLES")
    for path in _all(Path(folder)) if folder else ():
        try:
            found = infer([Sample(name=path.name, blocks=lambda path=path: [path.read_bytes()])], known, name="acme")  # type: ignore[misc]
        except OurFault:
            continue
        _sound(found)


@pytest.mark.parametrize("sender", ["ACME{14", "ACME}", "ACME:", "AC\udcffME"])
def test_an_id_of_odd_characters_makes_files_that_can_be_read(
    sender: str, known: Known, interchange: Interchange
) -> None:
    """A brace, a colon at the end, a byte that is no text: none ends in a traceback or in YAML that is none."""
    text = interchange("855", "BAK*00*AC*4711*20261121", "PO1*1*1*EA*1**VP*1", "CTT*1", sender="SENDERID")
    data = text.replace(b"SENDERID", sender.encode("utf-8", "surrogateescape").ljust(8))
    found = infer([Sample(name="1.edi", blocks=lambda: [data])], known, name="acme")
    for name, content in found.files().items():
        if name.endswith(".yaml"):
            assert [one.text for one in read_yaml(name, content)[1]] == []
