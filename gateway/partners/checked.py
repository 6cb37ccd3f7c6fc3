"""Which maps were found sound before, by hash: `data/checked-maps.json`, so that a start need not compile them all.

Only the same code may believe it: the file names the hash of the code that checked. A file that is missing, foreign or
broken means that every map is checked again; nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from gateway import canonical, mapping
from gateway.mapping import Head

FILE = "data/checked-maps.json"
MAX_BYTES = 50_000_000
_HEAD = 2


def remembered(file: Path) -> dict[str, Head]:
    """The sound contents, by hash, and what each is for."""
    try:
        with file.open("rb") as handle:
            said = json.loads(handle.read(MAX_BYTES))
        if said["code"] != code_version():
            return {}
        return {
            content: Head(document=str(document), canonical=str(kind))
            for content, (document, kind) in said["maps"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def remember(file: Path, sound: Mapping[str, Head]) -> None:
    """Write them down. Where that cannot be done the next start takes longer; nobody is told."""
    maps = {content: (head.document, head.canonical) for content, head in sorted(sound.items())}
    text = json.dumps({"code": code_version(), "maps": maps}, separators=(",", ":"))
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".checked-")
        try:
            with os.fdopen(handle, "w") as writing:
                writing.write(text)
            Path(name).replace(file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


@lru_cache(maxsize=1)
def code_version() -> str:
    """SHA-256 over the code that decides whether a map is sound: the map language and the canonical documents."""
    whole = hashlib.sha256()
    for package in (mapping, canonical):
        folder = Path(str(package.__file__)).parent
        for file in sorted(folder.rglob("*.py")):
            whole.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()
