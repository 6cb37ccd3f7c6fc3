"""Folders of what was acknowledged: made, and their names synced."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.store import Store
from gateway.store.folders import make_durably


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that are synced, in order."""
    found: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        found.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return found


def test_the_name_of_every_folder_on_the_way_is_synced(tmp_path: Path, synced: list[str]) -> None:
    """Up to the root: one of them may have been made a moment ago, by somebody who died before the sync."""
    make_durably(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    above = [str(tmp_path / "a"), *(str(one) for one in (tmp_path / "a").parents)]
    assert synced == above


def test_a_folder_that_is_there_is_synced_all_the_same(tmp_path: Path, synced: list[str]) -> None:
    """Whoever made it need not have."""
    (tmp_path / "a").mkdir()
    make_durably(tmp_path / "a")
    assert synced[0] == str(tmp_path)


def test_folders_further_up_need_not_be_ours_to_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the one that holds the name must be."""
    real = os.open

    def only_below(path: Path, *arguments: int) -> int:
        if Path(path) == tmp_path.parent:
            raise PermissionError
        return real(path, *arguments)

    monkeypatch.setattr(os, "open", only_below)
    make_durably(tmp_path / "a")
    assert (tmp_path / "a").is_dir()


async def test_a_store_that_opens_has_synced_the_names_of_its_folders(
    sqlite_url: str, tmp_path: Path, synced: list[str], clock: Callable[[], object]
) -> None:
    """Before it can acknowledge anything."""
    store = await Store.open(sqlite_url, payloads=tmp_path / "data" / "payloads", clock=clock, serve=True)
    await store.close()
    assert {str(tmp_path), str(tmp_path.parent), str(tmp_path / "data")} <= set(synced)
