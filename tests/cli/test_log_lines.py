"""A record of the log is one line, whoever's words are in it."""

from __future__ import annotations

import logging
import sys

from gateway.cli.log_lines import FORMAT, Lines

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
