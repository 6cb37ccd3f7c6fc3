"""Which charsets a partner's data may have: those in which ASCII, and so every separator, is only ever ASCII."""

from __future__ import annotations

import codecs

_PROBE = rb"\x41 \u0041 .xn--4ca. +AEE- ~{VP~}" + b"\x1b$B!!\x1b(B \x0e!!\x0f"
"""Plain ASCII that charsets with escapes (ISO 2022, UTF-7, HZ, IDNA, Python's own) read as something else."""


def is_transparent(name: str) -> bool:
    """Whether no byte below 0x80 is ever part of another character, as in utf-8, iso-8859-1 or windows-1252.

    False for what is no charset, for UTF-16, EBCDIC, Shift-JIS, GBK and the like.
    """
    try:
        info = codecs.lookup(name)
        if info.name == "utf-8":
            return True
        ascii_bytes = bytes(range(128)).replace(b"\\", b"") + _PROBE
        if ascii_bytes.decode(name) != ascii_bytes.decode("ascii"):
            return False
        return all(_alone(info, bytes((byte,))) for byte in range(128, 256))
    except (LookupError, UnicodeError, ValueError):
        return False


def _alone(info: codecs.CodecInfo, byte: bytes) -> bool:
    """Whether a byte is a character by itself or none at all, never the beginning of one."""
    try:
        return len(info.incrementaldecoder("strict").decode(byte)) == 1
    except UnicodeDecodeError:
        return True
