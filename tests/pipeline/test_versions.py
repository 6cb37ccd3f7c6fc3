"""What decided about a document is recorded by name and hash, and can be made again from the texts of then."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.edi import library
from gateway.edi.delta import resolve
from gateway.edi.library import Guides
from gateway.errors import OurFault
from gateway.partners.guide_files import with_workspace_guides
from gateway.partners.guides import GuideShelf
from gateway.pipeline import versions
from gateway.ports import Source, Version, VersionKind

OWN_SEGMENTS = """\
extends: "004010"
segments:
  BAK: {label: beginning of mine, elements: [M ID 2/2 353 purpose]}
"""
RECORDS = [
    (None, (None, None)),
    ("", (None, None)),
    ("004010", (None, None)),
    ("a" * 64, (None, "a" * 64)),
    ("x12/855 " + "b" * 64, ("x12/855", "b" * 64)),
    ("004010 acme/855 " + "c" * 64, ("acme/855", "c" * 64)),
]


def kept(guides: Guides, name: str) -> Version:
    """What the store has of a guide without a partner's delta."""
    _, version, type_ = name.split("/")
    sources = tuple(Source(name=name, file=file, content=text) for file, text in guides.sources(version, type_))
    return Version(kind=VersionKind.GUIDE, hash="", name=name, gateway="", sources=sources)


@pytest.mark.parametrize(("text", "said"), RECORDS)
def test_a_record_says_name_and_hash_in_every_form_that_was_ever_written(
    text: str | None, said: tuple[str | None, str | None]
) -> None:
    """Older ones have a hash or a version only."""
    assert versions.recorded(text) == said


def test_every_guide_of_the_gateway_is_made_again_from_its_texts() -> None:
    """Segments that a version takes from another one are among them."""
    guides = library.standard()
    for name in guides.names():
        _, version, type_ = name.split("/")
        assert versions.guide_of(kept(guides, name)) == guides.find(version, type_), name


def test_a_guide_of_the_workspace_is_made_again_when_its_folder_is_gone(tmp_path: Path) -> None:
    """Its own segments before those of the gateway; another guide of the same version keeps the gateway's."""
    folder = tmp_path / "guides/x12/004010"
    folder.mkdir(parents=True)
    shipped = dict(library.standard().sources("004010", "855"))["x12/004010/855.yaml"]
    (folder / "855.yaml").write_bytes(shipped)
    (folder / "segments.yaml").write_text(OWN_SEGMENTS)
    guides = with_workspace_guides(library.standard(), tmp_path)
    found = guides.find("004010", "855")
    assert found is not None
    assert found != library.standard().find("004010", "855")
    assert versions.guide_of(kept(guides, "x12/004010/855")) == found
    record = versions.guide_record(guides, None, "004010", "855")
    assert record.startswith("004010 x12/004010/855 ")
    assert record != versions.guide_record(library.standard(), None, "004010", "855")
    other = versions.guide_record(guides, None, "004010", "856")
    assert other == versions.guide_record(library.standard(), None, "004010", "856")


def test_the_hash_of_a_partners_guide_is_another_when_the_gateways_guide_under_it_is(tmp_path: Path) -> None:
    """Else one hash would stand for two guides after an upgrade."""
    folder = tmp_path / "guides/x12/004010"
    folder.mkdir(parents=True)
    shipped = dict(library.standard().sources("004010", "855"))["x12/004010/855.yaml"]
    (folder / "855.yaml").write_bytes(shipped + b"# of the company\n")
    text = "extends: x12/004010/855\nrequired: [CUR]\n"
    hashes = set()
    for guides in (library.standard(), with_workspace_guides(library.standard(), tmp_path)):
        made, findings = resolve("acme/855", find=lambda name: (f"guides/{name}.yaml", text), guides=guides)
        assert made is not None, findings
        hashes.add(made.hash)
    assert len(hashes) == 2


def test_what_cannot_be_read_any_more_names_the_gateway_that_could() -> None:
    """The texts are there; the language moved on."""
    source = Source(name="acme", file="partners/acme.yaml", content=b"title: 1\nno_such_key: 1\n")
    old = Version(kind=VersionKind.AGREEMENT, hash="", name="acme", gateway="0.0.1", sources=(source,))
    with pytest.raises(OurFault) as gone:
        versions.agreement_then(old)
    assert "0.0.1" in gone.value.remedy


def test_a_guide_in_a_maps_file_is_made_again_from_the_kept_file(tmp_path: Path) -> None:
    """The file's name says that the guide stands under `guide`."""
    (tmp_path / "maps/acme").mkdir(parents=True)
    text = "extends: x12/855\nguide: {extends: x12/004010/855, codes: {BAK02: [AC]}}\n"
    (tmp_path / "maps/acme/855.yaml").write_text(text)
    made, findings = GuideShelf(tmp_path).resolve("acme/855")
    assert made is not None
    assert not findings
    sources = tuple(Source(name=name, file=file, content=content) for name, file, content in made.sources)
    then = Version(kind=VersionKind.GUIDE, hash=made.hash, name=made.name, gateway="", sources=sources)
    assert versions.guide_of(then) == made.guide
