"""The command as a process of its own: closed streams, a terminal without Unicode. Never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORDER = ROOT / "samples" / "x12" / "850-simple.edi"


def sh(command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """What a shell makes of `$G edi …`; `$F` is an order."""
    known = {"G": f"{sys.executable} -m gateway", "F": str(ORDER), "PYTHONPATH": str(ROOT)}
    return subprocess.run(  # noqa: S602  the commands stand below
        command, shell=True, capture_output=True, check=False, timeout=60, env={**os.environ, **known, **environment}
    )


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("$G edi check $F >&-", 0, b""),
        ("$G edi check - <&-", 2, b"standard input is closed"),
        ("$G edi check - - <$F", 2, b"named twice"),
        ("$G edi check '' $F", 2, b"name of a file is empty"),
        ("$G edi check $F >/dev/full", 2, b"No space left on device"),
    ],
)
def test_a_stream_that_is_closed_or_full_or_named_twice_is_said_in_words(command: str, code: int, said: bytes) -> None:
    """With its remedy on stderr."""
    done = sh(command)
    assert (done.returncode, b"Traceback" in done.stderr) == (code, False), done.stderr
    assert said in done.stderr


def test_a_terminal_without_the_signs_gets_them_escaped() -> None:
    """An arrow, a rule: escapes for those that the terminal's charset lacks."""
    done = sh("$G edi show $F", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"ZZ:MERIDIANTOOL \\u2192 ZZ:ACMEINDUSTRIAL" in done.stdout


def test_a_page_is_utf_8_as_it_declares_whatever_the_terminal_has() -> None:
    """It goes into a file, for a browser."""
    page = sh("$G edi show --html $F", PYTHONIOENCODING="latin-1").stdout
    assert "ZZ:MERIDIANTOOL → ZZ:ACMEINDUSTRIAL" in page.decode("utf-8")
