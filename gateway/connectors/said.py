"""Text that a far side said, made fit to be stored and shown: no NUL, no other controls, no lone surrogates, bounded.

PostgreSQL takes no NUL, UTF-8 no lone surrogate: neither may stop us from writing down that a call succeeded.
"""

from __future__ import annotations

REPLACEMENT = "\ufffd"
"""Stands for a character that cannot be kept."""


def clean(text: str, most: int, *, keep: str = "") -> str:
    """The first `most` characters; what is not printable and not in `keep` is replaced."""
    return "".join(one if one.isprintable() or one in keep else REPLACEMENT for one in text[:most])


def clean_answer(body: bytes, most: int) -> str:
    """The start of an answer's body as text, at most `most` bytes of it; line ends and tabs stay."""
    return clean(body[:most].decode("utf-8", "replace"), most, keep="\r\n\t")
