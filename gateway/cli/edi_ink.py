"""Coloured lines on stdout, cheap enough for a million of them: rich decides whether there is colour, not each line."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.style import Style


class Ink:
    """Writes lines. `ink("text", "bold red")` is a piece of one; without a terminal it is the text itself."""

    def __init__(self) -> None:
        console = Console(highlight=False)
        self._system = console._color_system if console.is_terminal and not console.no_color else None  # noqa: SLF001  the enum has no public name
        self._codes: dict[str, tuple[str, str]] = {}

    def __call__(self, text: str, style: str) -> str:
        """A piece in a style of rich."""
        if self._system is None or not text:
            return text
        codes = self._codes.get(style)
        if codes is None:
            before, _, after = Style.parse(style).render("\0", color_system=self._system).partition("\0")
            codes = self._codes[style] = (before, after)
        return f"{codes[0]}{text}{codes[1]}"

    def line(self, *pieces: str) -> None:
        """Write one line."""
        sys.stdout.write("".join(pieces) + "\n")
