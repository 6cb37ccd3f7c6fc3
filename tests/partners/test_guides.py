"""Partners' guides in a workspace: found, checked beside everything else, and put together for reading."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from gateway.edi.library import standard
from gateway.edi.tolerances import Tolerances
from gateway.errors import OurFault
from gateway.mapping import compile_any, from_folders, shipped
from gateway.partners.agreement import Tolerance
from gateway.partners.guides import GuideShelf, syntax_of
from gateway.partners.workspace import Workspace, examine, load

from .conftest import NOW

Edit = Callable[[str, str, str], int]


def guide(folder: Path, name: str, text: str) -> None:
    """Write a guide of the workspace."""
    path = folder / f"guides/{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def named(edit: Edit, *, received: str = "acme/855", sent: str = "acme/850") -> int:
    """Let the agreement with acme name guides; the line of the one we receive."""
    edit("partners/acme.yaml", "map: x12/850}", f"map: x12/850, guide: {sent}}}")
    return edit("partners/acme.yaml", "map: acme/855}", f"map: acme/855, guide: {received}}}")


def sound_one(folder: Path) -> Workspace:
    """The workspace without mistakes."""
    return load(folder, now=NOW)


def test_a_guide_is_checked_beside_everything_else(sound: Path, edit: Edit) -> None:
    """Mistakes in its file come with its line, those of a name at the agreement."""
    line = named(edit, received="acme/856")
    guide(sound, "acme/850", "extends: x12/004010/850\ncodes: {BGE02: [SA]}\n")
    guide(sound, "acme/855", "extends: x12/004010/855\n")
    edit("partners/acme.yaml", "title: Acme Tools", "titel: Acme Tools")
    workspace, findings = examine(sound, now=NOW)
    assert workspace is None
    told = [(one.rule, str(one.place), one.fix) for one in findings]
    assert ("guide.place", "guides/acme/850.yaml:2 codes.BGE02", "write BEG02") in told
    where = f"partners/acme.yaml:{line} documents.receive.order_acknowledgement.guide"
    assert ("workspace.unknown_guide", where, "write acme/855") in told
    assert "file.unknown_key" in {rule for rule, _, _ in told}


def test_a_mistake_in_a_shared_guide_is_told_once(sound: Path, edit: Edit) -> None:
    """However many agreements or documents name it."""
    named(edit, received="industry/855", sent="industry/855")
    guide(sound, "industry/855", "extends: x12/004010/855\nrequired: [BAK99]\n")
    _, findings = examine(sound, now=NOW)
    assert [one.rule for one in findings] == ["guide.place"]


def test_a_guide_of_the_gateway_can_be_named_and_a_guide_for_another_set_not(sound: Path, edit: Edit) -> None:
    """The set and, where we send, the version."""
    line = named(edit, received="x12/004010/856", sent="x12/004010/850")
    _, findings = examine(sound, now=NOW)
    assert [(one.rule, getattr(one.place, "line", 0)) for one in findings] == [("workspace.wrong_guide", line)]


def test_what_an_agreement_says_about_syntax_is_one_value(sound: Path, edit: Edit) -> None:
    """Guides by direction, tolerances, charset, partial."""
    named(edit)
    guide(sound, "acme/850", "extends: x12/004010/850\nrequired: [BEG06]\n")
    guide(sound, "acme/855", "extends: industry/855\ncodes: {BAK02: [AC]}\n")
    guide(sound, "industry/855", "extends: x12/004010/855\nforbidden: [CUR]\n")
    edit(
        "partners/acme.yaml",
        "x12:\n",
        "x12:\n  tolerate: [collapsed_isa, wrapped_lines]\n  charset: windows-1252\n  partial: group\n",
    )
    workspace = sound_one(sound)
    acme = next(one for one in workspace.agreements if one.name == "acme")
    syntax = syntax_of(acme, workspace.guides)
    assert syntax.tolerances == Tolerances(collapsed_isa=True, wrapped_lines=True)
    assert (syntax.charset, syntax.partial) == ("windows-1252", "group")
    assert syntax.guides.find("004010", "850") is workspace.guides["acme/850"].guide
    assert syntax.guides.find("004010", "855") is workspace.guides["acme/855"].guide
    received = syntax_of(acme, workspace.guides, direction="receive").guides
    assert received.find("004010", "850") is standard().find("004010", "850")
    assert received.find("004010", "856") is standard().find("004010", "856")
    assert set(workspace.guides) == {"acme/850", "acme/855"}


def test_without_a_word_about_syntax_it_is_the_standards(sound: Path) -> None:
    """Also for a partner without EDI."""
    for agreement in sound_one(sound).agreements:
        syntax = syntax_of(agreement, {})
        assert (syntax.guides, syntax.tolerances, syntax.charset) == (standard(), Tolerances(), None)
        assert syntax.partial == "set"


def test_a_name_never_leaves_the_folder(sound: Path) -> None:
    """Whatever it looks like."""
    guide(sound, "acme/850", "extends: x12/004010/850\n")
    (sound / "850.yaml").write_text("extends: x12/004010/850\n")
    shelf = GuideShelf(sound)
    for name in ("../850", "acme/../../850", "/etc/passwd", "a/b/c/d/e/f", "acme//850", ".", "", "acme/850\0", "acme"):
        made, findings = shelf.resolve(name)
        assert made is None, name
        assert [one.rule for one in findings] == ["guide.missing"], name
    assert shelf.names() == ("acme/850",)
    assert shelf.resolve("acme/850")[0] is shelf.resolve("acme/850")[0]


def test_the_names_of_tolerances_are_those_of_the_engine() -> None:
    """An agreement can choose each of them."""
    assert set(get_args(Tolerance)) == set(Tolerances.__dataclass_fields__)


ONE_FILE = """extends: x12/855
guide:
  extends: x12/004010/855
  codes: {BAK02: [AC, RD]}
  required: [PO1/PID]
remove: [PO1/TD1]
"""


def mapped(folder: Path, name: str, text: str) -> None:
    """Write a map of the workspace."""
    path = folder / f"maps/{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_guide_stands_in_the_file_of_its_map(sound: Path, edit: Edit) -> None:
    """The agreement names both by one name; each half is read by whom it concerns."""
    mapped(sound, "acme/855", ONE_FILE)
    named(edit, sent="x12/004010/850")
    workspace = sound_one(sound)
    made = workspace.guides["acme/855"]
    assert made.guide.name == "x12/004010/855"
    codes = next(spec for spec in made.guide.segments() if spec.tag == "BAK").elements[1].codes
    assert codes == frozenset({"AC", "RD"})
    own = compile_any("acme/855", from_folders(sound / "maps", shipped()))
    assert own.hash != compile_any("x12/855", from_folders(shipped())).hash
    assert GuideShelf(sound).names() == ("acme/855",)


def test_mistakes_in_one_file_have_their_lines_in_both_halves(sound: Path, edit: Edit) -> None:
    """The guide's with their whole key."""
    mapped(
        sound,
        "acme/855",
        ONE_FILE.replace("PO1/PID", "PO1/PIDD").replace("  codes", "  code").replace("PO1/TD1", "PO1/TDD1"),
    )
    named(edit, sent="x12/004010/850")
    _, findings = examine(sound, now=NOW)
    told = {(one.rule, str(one.place)) for one in findings}
    assert ("file.unknown_key", "maps/acme/855.yaml:4 guide.code") in told
    mapped(sound, "acme/855", ONE_FILE.replace("PO1/PID", "PO1/PIDD").replace("PO1/TD1", "PO1/TDD1"))
    _, findings = examine(sound, now=NOW)
    told = {(one.rule, str(one.place)) for one in findings}
    assert ("guide.place", "maps/acme/855.yaml:5 guide.required.0") in told
    with pytest.raises(OurFault) as caught:
        compile_any("acme/855", from_folders(sound / "maps", shipped()))
    assert [str(one.place) for one in caught.value.findings] == ["maps/acme/855.yaml:6 remove.PO1/TDD1"]


def test_a_guide_in_two_files_is_refused(sound: Path, edit: Edit) -> None:
    """Nobody could tell which one counts."""
    mapped(sound, "acme/855", ONE_FILE)
    guide(sound, "acme/855", "extends: x12/004010/855\n")
    named(edit, sent="x12/004010/850")
    workspace, findings = examine(sound, now=NOW)
    assert workspace is None
    assert [one.rule for one in findings] == ["workspace.guide_twice"]
    assert "guides/acme/855.yaml" in findings[0].wanted


def test_a_map_without_a_guide_is_no_guide(sound: Path, edit: Edit) -> None:
    """However it is named."""
    mapped(sound, "acme/855", "extends: x12/855\n")
    named(edit, sent="x12/004010/850")
    _, findings = examine(sound, now=NOW)
    assert [one.rule for one in findings] == ["workspace.unknown_guide"]
