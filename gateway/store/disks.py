"""The disks that what is kept needs: of the payloads, and of the database where it is a file."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from gateway.store.sqlite import file_of


def room(url: str, payloads: Path) -> dict[str, tuple[int, int]]:
    """Octets that are free, and in all, on the disk of each; without a folder that cannot be asked."""
    places = {"payloads": payloads}
    if url.startswith("sqlite:"):
        places["database"] = file_of(url).parent
    found = {}
    for name, folder in places.items():
        with contextlib.suppress(OSError):
            usage = shutil.disk_usage(folder)
            if usage.total:  # some file systems have no size
                found[name] = usage.free, usage.total
    return found
