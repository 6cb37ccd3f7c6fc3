"""Folders that hold what was acknowledged: made, and their names synced up to the root of the file system.

A synced file in a folder whose own name is not on the disk is gone with it after a power loss (fsync(2): an explicit
fsync on the folder is needed). Whoever made the folder, and died before the sync, is not known: so every start does it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def make_durably(folder: Path) -> None:
    """Make the folder where it is missing. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sync(folder.absolute().parent)
    for above in folder.absolute().parent.parents:
        with contextlib.suppress(OSError):  # those further up may be nobody's to open
            sync(above)


def sync(folder: Path) -> None:
    """The names in a folder are on the disk. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
