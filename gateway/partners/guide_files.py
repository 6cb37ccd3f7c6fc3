"""The guides of a workspace: `guides/edifact/D01B/` and `guides/x12/004010/`, in the notation of the shipped ones.

Imported with `gateway edi import`, or written by hand from an X12 guide that the company has a licence for. They stand
before the shipped ones. Reads the bytes; what is wrong in them is said when a guide is first needed.
"""

from __future__ import annotations

import re
from pathlib import Path

from gateway.edi.library import Guides
from gateway.errors import OurFault

FOLDER = "guides"
STANDARDS = ("edifact", "x12")
MAX_FOLDERS = 100
MAX_FILES = 1_000
MAX_BYTES = 8_000_000
"""Of one file; `segments.yaml` with all codes closed has about 2,000,000."""

_VERSION = re.compile(r"[0-9A-Za-z]{1,6}")
_FILE = re.compile(r"(?:segments|[0-9A-Z]{2,6})\.yaml")


def with_workspace_guides(guides: Guides, workspace: Path) -> Guides:
    """`guides` and, before them, those in the workspace's folder. OurFault when a file there cannot be read."""
    for standard in STANDARDS:
        for folder in _sorted(workspace / FOLDER / standard, _VERSION, MAX_FOLDERS):
            files = {path.name: _bytes(path) for path in _sorted(folder, _FILE, MAX_FILES)}
            if files:
                guides = guides.adding(standard, folder.name, files)
    return guides


def _sorted(folder: Path, names: re.Pattern[str], most: int) -> list[Path]:
    if not folder.is_dir():
        return []
    try:
        found = sorted(path for path in folder.iterdir() if names.fullmatch(path.name))
    except OSError as error:
        raise OurFault(f"cannot read {folder}: {error.strerror}", remedy="make it readable for the gateway") from error
    if len(found) > most:
        raise OurFault(f"{folder} has {len(found)} entries", remedy=f"keep at most {most}")
    return found


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise OurFault(f"cannot read {path}: {error.strerror}", remedy="make it readable for the gateway") from error
    if len(data) > MAX_BYTES:
        raise OurFault(f"{path} has more than {MAX_BYTES:,} bytes", remedy="take codes out, or divide the messages")
    return data
