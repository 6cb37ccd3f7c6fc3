"""What a partner sent, made safe for a terminal: it cannot move the cursor, change colours or hide itself."""

from __future__ import annotations


def printable(value: object) -> str:
    """`value` as text; every control character but the line feed is shown as U+FFFD."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in text)
