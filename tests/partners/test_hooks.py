"""The workspace's own hooks: run only where gateway.yaml names their file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import OurFault
from gateway.partners.hooks import hooks_of
from gateway.partners.map_shelf import MapShelf

CODE = "def read_part(text):\n    return text[::-1]\n\n\ndef write_part(text):\n    return text[::-1]\n"
MAP = (
    "extends: x12/855\nhooks: {part: {examples: [{wire: ab, value: ba}]}}\n"
    "change: {BAK: {BAK03: order.number | hook part}}\n"
)


def workspace(folder: Path, settings: str, code: str = CODE) -> Path:
    """A folder with a map that names a hook."""
    (folder / "maps" / "odd").mkdir(parents=True)
    (folder / "maps" / "odd" / "855.yaml").write_text(MAP)
    (folder / "hooks.py").write_text(code)
    (folder / "gateway.yaml").write_text(settings)
    return folder


def test_hooks_of_a_file_that_nobody_names_are_not_run(tmp_path: Path) -> None:
    """And a map that wants one is refused with the remedy."""
    folder = workspace(tmp_path, "identity: {}\n", "raise SystemExit\n")
    assert not hooks_of(folder).functions
    (first, *_) = MapShelf(folder, hooks=hooks_of(folder)).check(["odd/855"])
    assert first.rule == "map.hook.unknown"
    assert "gateway.yaml" in first.wanted


def test_a_map_is_compiled_with_the_hooks_and_its_version_knows_them(tmp_path: Path) -> None:
    """Other functions make another version."""
    folder = workspace(tmp_path, "hooks: hooks.py\n")
    shelf = MapShelf(folder, hooks=hooks_of(folder))
    assert not shelf.check(["odd/855"])
    assert shelf.map("odd/855").hash == shelf.version("odd/855")
    (folder / "hooks.py").write_text(CODE + "# another\n")
    other = MapShelf(folder, hooks=hooks_of(folder))
    assert other.version("odd/855") != shelf.version("odd/855")
    assert other.version("x12/855") == shelf.version("x12/855")


@pytest.mark.parametrize("code", ["def", "raise ValueError('x')", "import nothing_of_that_name"])
def test_a_file_that_cannot_be_run_is_told_with_its_name(tmp_path: Path, code: str) -> None:
    """Never a traceback."""
    with pytest.raises(OurFault, match=r"hooks\.py"):
        hooks_of(workspace(tmp_path, "hooks: hooks.py\n", code))


@pytest.mark.parametrize("name", ["../hooks.py", "/tmp/hooks.py", "hooks", "[hooks.py]"])
def test_only_a_python_file_beside_gateway_yaml_is_taken(tmp_path: Path, name: str) -> None:
    """The settings refuse it too."""
    assert not hooks_of(workspace(tmp_path, f"hooks: {name}\n")).functions
