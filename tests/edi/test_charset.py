"""Charsets in which separators cannot be mistaken."""

from __future__ import annotations

import pytest

from gateway.edi.charset import is_transparent


@pytest.mark.parametrize(
    ("name", "transparent"),
    [
        *[(name, True) for name in ("utf-8", "UTF8", "iso-8859-1", "latin-1", "ISO-8859-15", "windows-1252", "koi8-r")],
        *[(name, True) for name in ("windows-1250", "ascii", "cp850", "iso8859_7")],
        *[(name, False) for name in ("utf-16", "utf-32", "utf-7", "shift_jis", "gbk", "big5", "cp037", "cp500")],
        *[(name, False) for name in ("iso2022_jp", "iso2022_kr", "hz", "idna", "punycode", "unicode_escape")],
        *[(name, False) for name in ("raw_unicode_escape", "rot13", "hex", "zlib", "undefined", "", "no such", "a\0b")],
    ],
)
def test_only_charsets_that_leave_ascii_alone(name: str, transparent: bool) -> None:  # noqa: FBT001  a row of the table
    """A byte below 0x80 is always itself, and never part of another character."""
    assert is_transparent(name) is transparent
