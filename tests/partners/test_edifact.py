"""Agreements in EDIFACT: the section, who is who, and every mistake that a file alone can show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from gateway.edi.repertoires import CHARSETS
from gateway.findings import FilePlace
from gateway.partners.agreement import VERSIONS, EdifactDialect, Syntax, X12Dialect, standard_of
from gateway.partners.directory import Directory
from gateway.partners.guides import syntax_of
from gateway.partners.workspace import examine, load

from .conftest import ACME, NOW, SETTINGS

EDIFACT = """\
edifact:
  identity: {id: "5412345000013", qualifier: "14", internal: SALES}
  version: D96A
  association: EAN008
"""
DOCUMENTS = """\
documents:
  send:
    purchase_order: {set: ORDERS, map: small/ORDERS}
  receive:
    order_acknowledgement: {set: ORDRSP, map: small/ORDRSP}
"""
Edit = Callable[[str, str, str], None]


@pytest.fixture
def spoken(sound: Path) -> Path:
    """The sound workspace, where acme speaks EDIFACT instead of X12."""
    x12 = ACME.index("x12:\n")
    (sound / "partners/acme.yaml").write_text(ACME[:x12] + EDIFACT + DOCUMENTS)
    settings = SETTINGS.replace("targets:\n", '  edifact: {id: "4012345000009", qualifier: "14"}\ntargets:\n')
    (sound / "gateway.yaml").write_text(settings)
    return sound


def told(folder: Path) -> list[tuple[str, str | None]]:
    """Each finding's rule and key."""
    found = examine(folder, now=NOW)[1]
    return [(one.rule.removeprefix("workspace."), one.place.key) for one in found if isinstance(one.place, FilePlace)]


def edited(folder: Path, old: str, new: str, file: str = "partners/acme.yaml") -> Path:
    """The folder with one edit."""
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    return folder


def test_a_partner_of_edifact_alone_is_sound_and_found_by_its_unb(spoken: Path) -> None:
    """No x12 section is asked for; 0007 counts, 0008 does not."""
    workspace = load(spoken, now=NOW)
    acme = workspace.agreements[0]
    assert acme.x12 is None
    assert acme.edifact is not None
    assert (acme.edifact.version, acme.edifact.syntax, acme.edifact.syntax_version) == ("D96A", "UNOC", 3)
    assert acme.edifact.request_acknowledgment
    assert acme.dialect("edifact") is acme.edifact
    directory = Directory(workspace.agreements)
    assert directory.by_edifact("14", "5412345000013") is acme
    assert directory.by_edifact("", "5412345000013") is None
    assert directory.by_x12("14", "5412345000013") is None


ORDERS = "documents.send.purchase_order.set"
MISTAKES: dict[str, tuple[str, str, list[tuple[str, str | None]]]] = {
    "no section at all": (EDIFACT, "", [("channel_incomplete", "channel")]),
    "a section for another standard": ("{set: ORDRSP,", "{set: 855,", [("channel_incomplete", "channel")]),
    "equal service characters": (
        "  version: D96A\n",
        "  release_character: ':'\n",
        [("delimiters", "edifact.release_character")],
    ),
    "own characters without UNA": (
        "  version: D96A\n",
        "  una: never\n  element_separator: '|'\n",
        [("una", "edifact.element_separator")],
    ),
    "small letters in UNOA": (
        "internal: SALES}\n",
        "internal: Sales}\n  syntax: UNOA\n",
        [("repertoire", "edifact.identity.internal")],
    ),
    "a routing address too long": (
        "internal: SALES",
        "internal: A234567890123456",
        [("repertoire", "edifact.identity.internal")],
    ),
    "a directory without guides": ("  version: D96A\n", "  version: D99Z\n", [("no_guide", ORDERS)]),
    "a message without a guide": ("{set: ORDERS,", "{set: INVOIC,", [("no_guide", ORDERS)]),
    "a guide for another directory": (
        "small/ORDERS}",
        "small/ORDERS, guide: edifact/D01B/ORDERS}",
        [("wrong_guide", "documents.send.purchase_order.guide")],
    ),
    "an unknown syntax": ("  version: D96A\n", "  syntax: UNOX\n", [("file.value", "edifact.syntax")]),
    "syntax version 5": ("  version: D96A\n", "  syntax_version: 5\n", [("file.value", "edifact.syntax_version")]),
    "our own UNB identity": ("5412345000013", "4012345000009", [("edifact_id_twice", "edifact.identity.id")]),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_one_finding_at_its_key(spoken: Path, name: str) -> None:
    """Nothing else is reported beside it."""
    old, new, wanted = MISTAKES[name]
    assert told(edited(spoken, old, new)) == wanted


def test_repetition_separator_counts_in_syntax_4_only(spoken: Path) -> None:
    """Before, that character is data."""
    edited(spoken, "  version: D96A\n", "  element_separator: '*'\n")
    assert told(spoken) == []
    edited(spoken, "  element_separator: '*'\n", "  element_separator: '*'\n  syntax_version: 4\n")
    assert told(spoken) == [("delimiters", "edifact.element_separator")]


def test_who_we_are_is_needed_for_each_standard_spoken(spoken: Path) -> None:
    """In gateway.yaml, or with this partner; X12 is not asked for where nobody speaks it."""
    edited(spoken, '  edifact: {id: "4012345000009", qualifier: "14"}\n', "", "gateway.yaml")
    edited(spoken, "  x12: {qualifier: ZZ, id: EXAMPLE}\n", "", "gateway.yaml")
    assert told(spoken) == [("our_identity", "edifact")]
    edited(spoken, "  version: D96A\n", '  our_identity: {id: "4012345000009"}\n')
    assert told(spoken) == []


def test_two_partners_never_share_a_unb_identity(spoken: Path) -> None:
    """Qualifier and id together."""
    other = (spoken / "partners/acme.yaml").read_text().replace("ACME-AS2", "OTHER").replace("V-1001", "V-9")
    (spoken / "partners/other.yaml").write_text(other)
    assert told(spoken) == [("edifact_id_twice", "edifact.identity.id")]
    edited(spoken, 'qualifier: "14"', "qualifier: ZZ", "partners/other.yaml")
    assert told(spoken) == []


def test_both_standards_keep_their_own_charset_and_tolerances(sound: Path) -> None:
    """A file is read by the section of its standard."""
    x12 = ACME.index("documents:\n")
    text = ACME[:x12] + "  charset: windows-1252\n" + EDIFACT + "  partial: interchange\n" + ACME[x12:]
    (sound / "partners/acme.yaml").write_text(text)
    edited(sound, "  version: D96A\n", '  our_identity: {id: "4012345000009"}\n')
    acme = load(sound, now=NOW).agreements[0]
    one, other = (syntax_of(acme, {}, dialect=acme.dialect(name)) for name in ("x12", "edifact"))
    assert (one.charset, one.partial) == ("windows-1252", "set")
    assert (other.charset, other.partial) == (None, "interchange")


def test_tables_of_the_model_are_those_of_the_engine() -> None:
    """Syntax identifiers with a charset; the set's name tells its standard; defaults have the form."""
    assert set(get_args(Syntax)) == set(CHARSETS)
    assert (standard_of("850"), standard_of("ORDERS")) == ("x12", "edifact")
    assert X12Dialect.model_fields["version"].default == VERSIONS["x12"]
    assert EdifactDialect.model_fields["version"].default == "D96A"
