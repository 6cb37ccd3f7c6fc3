"""Values in the JSON of an answer, by JSON Pointer (RFC 6901)."""

from __future__ import annotations

import json
from typing import Any, Final

from gateway.connectors.exchange import Answer
from gateway.connectors.said import clean

KEPT_ID = 255
"""Characters kept of the id that the far side gave a document."""
NOWHERE: Final = object()
"""There is no such place: the body is no JSON, broke off, or has another shape."""


def value_at(pointer: str, answer: Answer) -> Any:
    """The value at a JSON Pointer, or NOWHERE."""
    if not answer.complete:
        return NOWHERE
    try:
        value: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        return NOWHERE
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isascii() and key.isdigit() and int(key[:9]) < len(value):
            value = value[int(key[:9])]
        else:
            return NOWHERE
    return value


def id_at(pointer: str | None, answer: Answer) -> str | None:
    """The value at a JSON Pointer when it is text or a whole number, cleaned; None when it is not there."""
    value = None if pointer is None else value_at(pointer, answer)
    return clean(str(value), KEPT_ID) if isinstance(value, str | int) and not isinstance(value, bool) else None
