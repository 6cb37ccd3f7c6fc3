"""The lines of the log, as text for people or as JSON for programs: one record is one line, whoever's words are in it.

A partner's words (a name, a receipt's text, the answer of its station) may hold line ends and terminal codes; a line
that looks like one of ours must be one. Tracebacks keep their lines, each of them indented.
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import sys
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import Any

from gateway.ports.doing import DOING, TRACEPARENT

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


ACCESS = "gateway.access"
"""The logger whose text is JSON itself."""
LONGEST = 16_384
"""Characters of a text or a traceback in a JSON line: what collects lines cuts longer ones in two."""


class Form(StrEnum):
    """How lines are written."""

    TEXT = "text"
    JSON = "json"


def to_stderr(form: Form = Form.TEXT) -> None:
    """Log from INFO up to stderr, in such lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form is Form.JSON else Lines(FORMAT))
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


class JsonLines(logging.Formatter):
    """Writes records as JSON objects, a line each, with what the task that wrote them was doing.

    `at`, `level`, `logger`, `text`, `node`; where they are known `message`, `partner`, `lane`, `step`, `attempt`,
    `document`, `correlation_id`, `trace_id`; `traceback`. Everything outside ASCII is escaped, so no text ends a line.
    """

    def __init__(self) -> None:
        super().__init__()
        self._node = f"{socket.gethostname()}:{os.getpid()}"

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        text = record.getMessage()
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        line |= _request(text) if record.name == ACCESS else {"text": text[:LONGEST]}
        # The task's values stand last: nothing that a stranger said takes their place.
        line |= DOING.get()
        if (traceparent := TRACEPARENT.get()) is not None:
            line["trace_id"] = traceparent.split("-")[1]
        line["node"] = self._node
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)[-LONGEST:]
        return json.dumps(line, ensure_ascii=True, default=str)


def _request(text: str) -> dict[str, Any]:
    """What the border says of a request."""
    try:
        said = json.loads(text)
    except ValueError:
        return {"text": text[:LONGEST]}
    known = {name: value for name, value in said.items() if value is not None} if isinstance(said, dict) else {}
    return {"text": "request", **known}
