"""What pyx12's X12Reader says of the X12 files in a folder: one JSON line a file, the first line says who speaks.

Runs in the peer's own environment (`tests/make_peers.py`); knows nothing of the gateway. Usage: pyx12_peer.py FOLDER
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pyx12.errors import X12Error
from pyx12.x12file import X12Reader

FILLER = b"\xef\xbb\xbf \t\r\n"
COUNTED = ("ISA", "GS", "ST", "TA1")


def heard(data: bytes) -> dict[str, Any]:
    """Errors as [kind, code, text], each once; how many segments; what stopped it."""
    errors: list[list[str]] = []
    tags: Counter[str] = Counter()
    stopped = ""
    try:
        reader = X12Reader(io.StringIO(data.decode("latin-1"), newline=""))
        for segment in reader:
            tags[segment.get_seg_id()] += 1
            errors += [[str(part) for part in one[:3]] for one in reader.pop_errors()]
        reader.cleanup()
        errors += [[str(part) for part in one[:3]] for one in reader.pop_errors()]
    except X12Error as fault:
        stopped = str(fault)[:80]
    except (IndexError, AttributeError, TypeError, ValueError) as crash:
        stopped = f"{type(crash).__name__}: {crash}"[:80]
    return {
        "verdict": "stopped" if stopped else "errors" if errors else "accepted",
        "stopped": stopped,
        "errors": [list(one) for one in dict.fromkeys(map(tuple, errors))],
        "segments": sum(tags.values()),
        "counts": {tag: tags[tag] for tag in COUNTED if tags[tag]},
    }


def line(row: dict[str, Any]) -> str:
    """As JSON with a line end."""
    return json.dumps(row) + "\n"


def main(folder: Path) -> None:
    """Print what was heard."""
    sys.stdout.write(line({"peer": "pyx12", "version": version("pyx12"), "reader": "x12file.X12Reader, latin-1"}))
    for file in sorted(folder.rglob("*")):
        data = file.read_bytes() if file.is_file() else b""
        if data.lstrip(FILLER)[:3] == b"ISA":
            row = {"file": file.relative_to(folder).as_posix(), "sha256": hashlib.sha256(data).hexdigest()[:16]}
            sys.stdout.write(line(row | heard(data)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
