"""The lines of the log: one record is one line, whatever text of strangers is in it.

A partner's words (a name, a receipt's text, the answer of its station) may hold line ends and terminal codes; a line
that looks like one of ours must be one. Tracebacks keep their lines, each of them indented.
"""

from __future__ import annotations

import logging
import re
import sys
from types import TracebackType

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def to_stderr() -> None:
    """Log from INFO up to stderr, in such lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class Lines(logging.Formatter):
    """Writes records as lines that nobody else can write."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        """The record without its traceback, controls as escapes in hexadecimal."""
        return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", super().formatMessage(record))

    def formatException(  # noqa: N802  logging's name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """The traceback, each line indented and without controls."""
        lines = super().formatException(ei).splitlines()
        return "\n".join("    " + _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", line) for line in lines)
