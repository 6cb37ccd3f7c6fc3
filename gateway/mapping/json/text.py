"""JSON text in and out with exact numbers: every number is a Decimal both ways, never a binary float (RFC 8259 6).

Also pointers (RFC 6901) as tuples of member names; a pointer of a map names members, never places in an array.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 64
MAX_NUMBER: Final = 40
"""Characters of a number."""
_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)*\Z")

Pointer = tuple[str, ...]
"""Member names from the outside in; empty for the whole object."""


def decode(text: str | bytes) -> Any:
    """The value of strict JSON; ValueError, in words, for anything else, for excess and for a name said twice."""
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    if len(text) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} characters")
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth += 1 if found[1] else -1 if found[2] else 0
        if depth > MAX_DEPTH:
            raise ValueError(f"more than {MAX_DEPTH} levels")
    value = json.loads(
        text, parse_int=_number, parse_float=_number, parse_constant=_constant, object_pairs_hook=_members
    )
    if "\\u" in text:
        encode(value).encode()  # half of a surrogate pair (RFC 8259 8.2) is a UnicodeEncodeError, a ValueError too
    return value


def encode(value: Any, *, indent: int | None = None, _pad: str = "\n") -> str:
    """JSON text of texts, Decimals, booleans, None, lists and dicts; a Decimal is written as the number it is."""
    if isinstance(value, (dict, list)) and value:
        pad = _pad + " " * (indent or 0)
        start, between, end = ("", ",", "") if indent is None else (pad, "," + pad, _pad)
        colon = ":" if indent is None else ": "
        if isinstance(value, dict):
            members = [f"{_text(name)}{colon}{encode(each, indent=indent, _pad=pad)}" for name, each in value.items()]
            return "{" + start + between.join(members) + end + "}"
        return "[" + start + between.join(encode(each, indent=indent, _pad=pad) for each in value) + end + "]"
    return str(value) if isinstance(value, Decimal) else _text(value)


def read_pointer(text: str) -> Pointer | None:
    """The names of `/Header/Plant`; None where `text` is no pointer."""
    if _POINTER.match(text) is None:
        return None
    return tuple(each.replace("~1", "/").replace("~0", "~") for each in text.split("/")[1:])


def write_pointer(pointer: Pointer) -> str:
    """The pointer's text."""
    return "".join("/" + each.replace("~", "~0").replace("/", "~1") for each in pointer)


def find(source: Any, pointer: Pointer) -> Any:
    """The value at `pointer`; None where it, or anything on the way, is not there."""
    for name in pointer:
        source = source.get(name) if isinstance(source, dict) else None
    return source


def put(target: dict[str, Any], pointer: Pointer, value: Any) -> bool:
    """Set `value` at `pointer`, making objects on the way; False where something else stands there."""
    *way, last = pointer
    for name in way:
        below = target.setdefault(name, {})
        if not isinstance(below, dict):
            return False
        target = below
    if last in target:
        return False
    target[last] = value
    return True


def same(left: Any, right: Any) -> bool:
    """Whether two values are the same JSON: members in any order, numbers by their digits."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(each, right[name]) for name, each in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and encode(left) == encode(right)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _number(text: str) -> Decimal:
    if len(text) > MAX_NUMBER:
        raise ValueError(f"a number of {len(text)} characters")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"a number out of reach: {text}") from None


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"the name {name[:80]!r} stands twice in an object")
            seen.add(name)
    return made
