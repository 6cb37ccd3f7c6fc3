"""Maps of a workspace: read once, checked by content, compiled when needed, the same for all who say the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.mapping import Head, chain, compile_any, compile_map, from_folders, shipped, version
from gateway.partners import checked
from gateway.partners.configuration import read, stamps
from gateway.partners.map_names import map_names
from gateway.partners.map_shelf import MapCache, MapShelf

DELTA = "extends: x12/855\ncodes: {line_status: {ZZ: accepted_too}}\n"


def write(folder: Path, name: str, text: str) -> None:
    """A map of the workspace."""
    file = folder / "maps" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_the_hash_of_a_map_is_known_without_compiling_it(tmp_path: Path) -> None:
    """For every shipped map, and through a delta."""
    write(tmp_path, "acme/855", "extends: x12/855\n")
    find = from_folders(tmp_path / "maps", shipped())
    for name in (*sorted(map_names(tmp_path))[:6], "acme/855"):
        assert version(chain(name, find)) == compile_any(name, find).hash, name
    assert [link.name for link in chain("acme/855", find)] == ["acme/855", "x12/855"]


def test_a_chain_ends_where_a_map_is_missing_or_was_there(tmp_path: Path) -> None:
    """What is wrong is for the compiler to say; nothing runs for ever."""
    write(tmp_path, "a", "extends: b\n")
    write(tmp_path, "b", "extends: a\n")
    write(tmp_path, "c", "extends: nowhere\n")
    find = from_folders(tmp_path / "maps")
    assert [link.name for link in chain("a", find)] == ["a", "b"]
    assert [link.name for link in chain("c", find)] == ["c"]
    assert chain("nowhere", find) == ()


def test_partners_that_say_the_same_share_one_compiled_map_under_their_own_names(tmp_path: Path) -> None:
    """One compilation for 500 partners that extend a base without a word."""
    for number in range(50):
        write(tmp_path, f"p{number}/855", "extends: x12/855\n")
    cache = MapCache()
    shelf = MapShelf(tmp_path, cache)
    maps = shelf.of(f"p{number}/855" for number in range(50))
    assert {one.name for one in maps.values()} == {f"p{number}/855" for number in range(50)}
    assert len({id(one.scope) for one in maps.values()}) == 1
    assert len(cache) == 1


def test_no_more_maps_are_kept_ready_than_agreed_and_all_can_be_used(tmp_path: Path) -> None:
    """The one that was used longest ago is compiled again when it is needed."""
    for number in range(3):
        write(tmp_path, f"p{number}/855", f"extends: x12/855 # {number}\n")
    cache = MapCache(most=2)
    maps = MapShelf(tmp_path, cache).of(f"p{number}/855" for number in range(3))
    hashes = [maps[name].hash for name in (*maps, *maps)]
    assert len(set(hashes)) == 3
    assert len(cache) == 2


def test_a_map_is_as_it_was_when_the_workspace_was_read(tmp_path: Path) -> None:
    """Compiled later, from the texts of then: a file that changes meanwhile belongs to the next configuration."""
    write(tmp_path, "acme/855", "extends: x12/855\n")
    shelf = MapShelf(tmp_path)
    before = shelf.version("acme/855")
    write(tmp_path, "acme/855", "extends: x12/855\nremove: [PO1]\n")
    assert shelf.map("acme/855").hash == before


def test_a_content_that_was_found_sound_is_not_compiled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By this very code; then a start takes a second, not a minute."""
    write(tmp_path, "acme/855", "extends: x12/855\n")
    first = MapCache()
    assert MapShelf(tmp_path, first).head("acme/855") == Head(document="855", canonical="order_acknowledgement")
    file = tmp_path / checked.FILE
    checked.remember(file, first.sound)
    monkeypatch.setattr("gateway.partners.map_shelf.compile_map", None)
    again = MapShelf(tmp_path, MapCache(checked.remembered(file)))
    assert again.head("acme/855") == Head(document="855", canonical="order_acknowledgement")
    said = json.loads(file.read_text())
    file.write_text(json.dumps(said | {"code": "another gateway's"}))
    assert checked.remembered(file) == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"code": 1}', "\x00", '{"code": "CODE", "maps": {"a": [1, 2, 3]}}'])
def test_a_broken_memory_of_sound_maps_means_no_more_than_checking_again(tmp_path: Path, text: str) -> None:
    """It is a cache: nothing it holds can end a start."""
    file = tmp_path / "checked.json"
    file.write_text(text.replace("CODE", checked.code_version()))
    assert checked.remembered(file) == {}


def test_all_mistakes_of_all_maps_come_at_once(sound: Path) -> None:
    """Not those of the first map only; what is sound beside them is not blamed."""
    from gateway.errors import OurFault  # noqa: PLC0415

    write(sound, "acme/855", "extends: x12/855\nchange:\n  BAK: {BAK08: nummer}\n")
    write(sound, "acme/850", "extends: x12/850\nchange:\n  BEG: {BEG03: nummer}\n")
    partner = sound / "partners/acme.yaml"
    partner.write_text(partner.read_text().replace("x12/850", "acme/850"))
    with pytest.raises(OurFault) as wrong:
        read(sound)
    places = {finding.place.file for finding in wrong.value.findings}  # type: ignore[union-attr]
    assert {"maps/acme/855.yaml", "maps/acme/850.yaml"} <= places


def test_the_version_of_a_configuration_is_that_of_all_its_files(sound: Path) -> None:
    """Any byte of any file makes another version; files of editors and keys are none of it."""
    write(sound, "acme/855", DELTA.replace("codes", "# codes"))
    first = read(sound)
    (sound / "partners/.acme.yaml.swp").write_text("half")
    (sound / "keys").mkdir()
    (sound / "keys/gateway.key").write_text("secret")
    assert read(sound).version == first.version
    assert set(stamps(sound)) == set(first.files)
    write(sound, "acme/855", DELTA.replace("codes", "# codes") + "\n")
    second = read(sound)
    assert second.version != first.version
    assert second.changed(first.files) == ("maps/acme/855.yaml",)
    assert compile_map("acme/855", from_folders(sound / "maps", shipped())).hash == second.maps.version("acme/855")


def test_an_empty_map_is_wrong_and_never_becomes_active(tmp_path: Path) -> None:
    """An editor that truncates before it writes leaves one: no finding would mean that it is sound."""
    for text in ("", "# nothing yet\n"):
        write(tmp_path, "acme/855", text)
        assert [one.rule for one in MapShelf(tmp_path).check(["acme/855"])] == ["map.file.shape"]
