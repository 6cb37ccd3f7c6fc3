"""How pydifact cuts the EDIFACT files in a folder: one JSON line a file, the first line says who speaks.

Runs in the peer's own environment (`tests/make_peers.py`); knows nothing of the gateway.
Usage: pydifact_peer.py FOLDER [--tokens]; with --tokens the segments themselves are printed, too.
"""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydifact.control import Characters
from pydifact.exceptions import EDISyntaxError
from pydifact.parser import Parser
from pydifact.tokenizer import Tokenizer

FILLER = b"\xef\xbb\xbf \t\r\n"


def cut(text: str) -> list[list[list[str]]]:
    """Segments of elements of components after release; empty ones at the end are cut off, UNA is left out.

    What stands before UNA or UNB was left out by the caller: a byte order mark would become part of the first tag.
    """
    parser = Parser()
    characters = Characters()
    if text.startswith("UNA"):
        characters = parser.get_control_characters(text, characters) or characters
        text = text[9:].lstrip("\r\n")
    segments = []
    for raw in parser.convert_tokens_to_raw_segments(Tokenizer().get_tokens(text, characters)):
        elements = [trimmed([one] if isinstance(one, str) else list(one)) for one in raw]
        while elements and not elements[-1]:
            elements.pop()
        segments.append(elements)
    return segments


def trimmed(components: list[str]) -> list[str]:
    """Without the empty ones at the end."""
    while components and not components[-1]:
        components.pop()
    return components


def heard(data: bytes, *, tokens: bool) -> dict[str, Any]:
    """The tokens as a hash of their JSON, and their counts; what stopped it."""
    try:
        segments = cut(data.lstrip(FILLER).decode("latin-1"))
    except EDISyntaxError as fault:
        return {"verdict": "stopped", "stopped": str(fault)[:80]}
    except (IndexError, AttributeError, TypeError, ValueError, AssertionError) as crash:
        return {"verdict": "stopped", "stopped": f"{type(crash).__name__}: {crash}"[:80]}
    row: dict[str, Any] = {
        "verdict": "read",
        "segments": len(segments),
        "elements": sum(len(segment) for segment in segments),
        "components": sum(len(element) for segment in segments for element in segment),
        "tokens": hashlib.sha256(json.dumps(segments).encode()).hexdigest()[:16],
    }
    return row | ({"list": segments} if tokens else {})


def line(row: dict[str, Any]) -> str:
    """As JSON with a line end."""
    return json.dumps(row) + "\n"


def main(folder: Path, *, tokens: bool) -> None:
    """Print what was heard."""
    sys.stdout.write(line({"peer": "pydifact", "version": version("pydifact"), "reader": "tokens, latin-1"}))
    for file in sorted(folder.rglob("*")):
        data = file.read_bytes() if file.is_file() else b""
        if data.lstrip(FILLER)[:3] in (b"UNA", b"UNB"):
            row = {"file": file.relative_to(folder).as_posix(), "sha256": hashlib.sha256(data).hexdigest()[:16]}
            sys.stdout.write(line(row | heard(data, tokens=tokens)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), tokens="--tokens" in sys.argv)
