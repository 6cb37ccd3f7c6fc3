"""A record of the log is one line, whoever's words are in it."""

from __future__ import annotations

import contextvars
import json
import logging
import sys
from typing import Any

from gateway.cli.log_lines import FORMAT, LONGEST, JsonLines, Lines
from gateway.ports.doing import DOING, TRACEPARENT

FORGED = "x\r\n2026-03-01 12:00:00,000 INFO gateway.access all is well\x1b[2K\u2028\x85"


def record(**how: object) -> logging.LogRecord:
    """A record with words of a stranger."""
    made = logging.LogRecord("gateway.worker", logging.WARNING, "x.py", 1, "station said %s", (FORGED,), None)
    made.__dict__.update(how)
    return made


def test_a_strangers_line_ends_and_terminal_codes_are_escapes() -> None:
    """One line, all of it printable."""
    line = Lines(FORMAT).format(record())
    assert line.isprintable()
    assert len(line.splitlines()) == 1
    assert "x\\x0d\\x0a2026-03-01" in line
    assert line.endswith("\\x1b[2K\\x2028\\x85")


def test_a_traceback_is_indented_so_that_no_line_of_it_looks_like_a_record() -> None:
    """Its text may hold what a stranger sent."""
    try:
        int(FORGED, base=99)
    except ValueError as error:
        error.args = (FORGED,)
        lines = Lines(FORMAT).format(record(exc_info=sys.exc_info())).splitlines()
    assert all(line.startswith("    ") for line in lines[1:])
    assert all(line.isprintable() for line in lines)
    assert any("ValueError: x" in line for line in lines)


def _json(of: logging.LogRecord, doing: dict[str, str | int] | None = None, trace: str | None = None) -> dict[str, Any]:
    """The line of a record that a task wrote which does this."""

    def inside() -> str:
        DOING.set(doing or {})
        TRACEPARENT.set(trace)
        return JsonLines().format(of)

    line = contextvars.copy_context().run(inside)
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_json_line_says_which_message_partner_lane_step_and_node() -> None:
    """As the task that wrote it is at work on them; a stranger's words are one member's text."""
    doing: dict[str, str | int] = {
        "message": "m1", "partner": "acme", "lane": "acme:inbound:erp", "step": "deliver", "attempt": 2,
    }  # fmt: skip
    line = _json(record(), doing, "00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    assert line.items() >= doing.items()
    assert (line["level"], line["logger"], line["trace_id"]) == ("WARNING", "gateway.worker", "a" * 32)
    assert line["text"] == f"station said {FORGED}"
    assert ":" in line["node"]
    assert line["at"].endswith("+00:00")


def test_a_json_line_of_a_request_has_its_members_and_no_others_place_is_taken() -> None:
    """The border's own JSON; what is not known is not there."""
    said = json.dumps({"client": "10.0.0.1", "path": "/as2", "status": 200, "key": None, "message": "forged"})
    access = logging.LogRecord("gateway.access", logging.INFO, "x.py", 1, said, None, None)
    line = _json(access, {"message": "m1", "correlation_id": "c1"})
    assert (line["path"], line["status"], line["message"], line["correlation_id"]) == ("/as2", 200, "m1", "c1")
    assert "key" not in line


def test_a_json_line_is_bounded_and_keeps_the_end_of_a_traceback() -> None:
    """Where the cause stands."""
    try:
        int("", base=99)
    except ValueError as error:
        error.args = ("x" * 3 * LONGEST + "the cause",)
        line = _json(record(exc_info=sys.exc_info(), args=("y" * 3 * LONGEST,)))
    assert len(line["text"]) == LONGEST
    assert line["traceback"].endswith("the cause")
    assert len(line["traceback"]) == LONGEST
