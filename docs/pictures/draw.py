"""Draws docs/pictures/demo.svg: what `make demo` prints, from a real run. `python docs/pictures/draw.py` renews it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from gateway.demo.walk import walk

PICTURE = Path(__file__).with_name("demo.svg")
# The font is whatever monospaced one the reader has: a picture must not fetch anything.
FORMAT = re.sub(r"@font-face \{\{.*?\n    \}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code", "monospace"
)


def main() -> None:
    """Run the demo in an empty folder, under a name without the machine's paths, and draw what it said."""
    console = Console(record=True, width=124, highlight=False, force_terminal=True)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        code = asyncio.run(walk(Path("run/demo"), console))
    if code:
        sys.exit(code)
    PICTURE.write_text(
        console.export_svg(title="make demo", code_format=FORMAT, unique_id="demo").replace("\u00a0", "&#160;"),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
