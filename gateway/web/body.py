"""A JSON body from outside: bounded in size, time and depth, strict in syntax, exact in its numbers.

Checks form only. What is read here is handed on as the bytes that came; meaning is the pipeline's business.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NoReturn

from aiohttp import web

from gateway.findings import Finding, JsonPlace
from gateway.web.problems import Problem, invalid

LARGEST = 4 * 1_048_576
"""Bytes of a JSON body, whatever the agreement allows for AS2: it is read and checked as one piece."""
DEEPEST = 64
"""Levels of nesting; a canonical document needs about twelve."""
LONGEST_NUMBER = 15
"""Significant digits that every JSON reader keeps (RFC 8259 6); decimals of any length are sent as strings."""
SECONDS = 60
REFUSED_SECONDS = 2
"""What the first octets of a body that is announced too large may take: nobody waits for them."""
_CHUNK = 65_536
_SHOWN_ERRORS = 20
_LONGEST_REASON = 500
# Group 1 is the next bracket, number or end. Strings, closed or not, are passed over whole, nothing is tried twice and
# something always matches: the scan is linear in whatever comes.
_TOKEN = re.compile(r'(?:[^"\[\]{}0-9]++|"(?:[^"\\]++|\\.)*+"?)*+([\[\]{}]|[0-9][0-9.eE+-]*+|\Z)', re.DOTALL)
_DIGITS = re.compile(r"[0-9]")
_UNKEPT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Unread:
    """What is known of a body that was refused: its first octets, and size and SHA-256 of what came."""

    start: bytes
    size: int
    sha256: str


class Unreadable(Problem):
    """413 or 400: a body that is too large, or not the JSON that is needed."""

    def __init__(self, problem: Problem, unread: Unread) -> None:
        super().__init__(problem.status, problem.rule, problem.title, detail=problem.detail, errors=problem.errors)
        self.unread = unread

    @property
    def reason(self) -> str:
        """One line for the trail."""
        first = self.errors[0]["said"] if self.errors else self.detail
        return f"{self.rule}: {first or self.title}"[:_LONGEST_REASON]


async def read_json(request: web.Request, limit: int) -> bytes:
    """The body's bytes, known to be one JSON object in UTF-8. Raises Unreadable (400, 413), Problem (408, 415)."""
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
        raise Problem(415, "api.body.media_type", "The body must be application/json in UTF-8")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, "api.body.encoded", "A compressed body is not read", detail="Leave out Content-Encoding.")
    body = await _bounded(request, min(limit, LARGEST))
    try:
        if len(body) <= _CHUNK:
            check_json(body)
        else:
            await asyncio.to_thread(check_json, body)
    except Problem as problem:
        raise Unreadable(problem, _unread(body, len(body))) from problem
    return body


async def _bounded(request: web.Request, limit: int) -> bytes:
    announced = request.content_length or 0
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS if announced <= limit else REFUSED_SECONDS):
            async for chunk in request.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > limit or (announced > limit and len(body) >= _CHUNK):
                    break
    except TimeoutError as late:
        if announced <= limit:
            detail = f"{SECONDS} seconds are given."
            raise Problem(408, "api.body.slow", "The body took too long", detail=detail) from late
    except web.RequestPayloadError as fault:
        raise Problem(400, "api.body.framing", "The body is not framed as HTTP/1.1 has it (RFC 9112 7.1)") from fault
    if max(announced, len(body)) > limit:
        detail = f"At most {limit} bytes are taken."
        problem = Problem(413, "api.body.too_large", "The body is too large", detail=detail)
        raise Unreadable(problem, _unread(bytes(body), max(announced, len(body))))
    return bytes(body)


def _unread(body: bytes, size: int) -> Unread:
    return Unread(start=body[:_CHUNK], size=size, sha256=hashlib.sha256(body).hexdigest())


def check_json(body: bytes) -> None:
    """Nothing, when `body` is one strict JSON object. Raises Problem (400) with the place of what is wrong."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as fault:
        _refuse(
            "api.json.encoding", f"byte {fault.start}", "UTF-8 (RFC 8259 8.1)", "send UTF-8 without a byte order mark"
        )
    _scan(text)
    repeated: list[tuple[dict[str, Any], str]] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            counts = Counter(name for name, _ in pairs)
            repeated.extend((made, name) for name, count in counts.items() if count > 1)
        return made

    try:
        value = json.loads(text, object_pairs_hook=once, parse_constant=_constant)
    except json.JSONDecodeError as fault:
        place = f"line {fault.lineno}, column {fault.colno}"
        _refuse("api.json.syntax", f"{place}: {fault.msg}", "JSON (RFC 8259)", "correct the JSON at that place")
    except (ValueError, RecursionError):
        _refuse(
            "api.json.syntax", "NaN, Infinity or a number out of reach", "JSON (RFC 8259)", "send decimals as strings"
        )
    if repeated:
        raise invalid(400, "api.json.duplicate_name", "A name stands twice in one object", _duplicates(value, repeated))
    if "\\u" in text and (unkept := list(islice(_unkept(value), _SHOWN_ERRORS))):
        raise invalid(400, "api.json.character", "A text has characters that cannot be kept", unkept)
    if not isinstance(value, dict):
        _refuse("api.json.not_an_object", f"a JSON {_KINDS[type(value)]}", "one JSON object", "send one document")


_KINDS = {list: "array", str: "string", int: "number", float: "number", bool: "literal", type(None): "null"}


def _scan(text: str) -> None:
    """Depth and length of numbers, before anything is built."""
    depth = 0
    for match in _TOKEN.finditer(text):
        symbol = match[1]
        if symbol in {"[", "{"}:
            depth += 1
            if depth > DEEPEST:
                _refuse(
                    "api.json.too_deep", _place(text, match.start(1)), f"at most {DEEPEST} levels", "nest less deeply"
                )
        elif symbol in {"]", "}"}:
            depth -= 1
        elif len(symbol) > LONGEST_NUMBER and len(_DIGITS.findall(symbol)) > LONGEST_NUMBER:
            said = f"{_place(text, match.start(1))}: a number of {len(symbol)} characters"
            _refuse("api.json.number", said, f"at most {LONGEST_NUMBER} digits", "send it as a string")


def _place(text: str, offset: int) -> str:
    line = text.count("\n", 0, offset) + 1
    return f"line {line}, column {offset - text.rfind(chr(10), 0, offset)}"


def _constant(name: str) -> NoReturn:
    raise ValueError(name)


def _refuse(rule: str, said: str, wanted: str, fix: str) -> NoReturn:
    finding = Finding(rule=rule, place=JsonPlace(pointer=""), said=said, wanted=wanted, fix=fix)
    raise invalid(400, rule, "The body is not the JSON that is needed", [finding])


def _walk(root: Any) -> Iterator[tuple[str, Any]]:
    """Every value with its pointer (RFC 6901), the root first."""
    waiting = [("", root)]
    while waiting:
        pointer, value = waiting.pop()
        yield pointer, value
        if isinstance(value, dict):
            waiting += [(f"{pointer}/{_escaped(name)}", inner) for name, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{pointer}/{index}", inner) for index, inner in enumerate(value)]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _duplicates(root: Any, repeated: list[tuple[dict[str, Any], str]]) -> list[Finding]:
    """The findings with their pointers, found by walking to the objects that have repeats."""
    wanted: dict[int, list[str]] = {}
    for holder, name in repeated[:_SHOWN_ERRORS]:
        wanted.setdefault(id(holder), []).append(name)
    found = [f"{pointer}/{_escaped(name)}" for pointer, value in _walk(root) for name in wanted.get(id(value), ())]
    return [
        Finding(
            rule="api.json.duplicate_name",
            place=JsonPlace(pointer=pointer),
            said="the name stands more than once in its object",
            wanted="each name once (RFC 8259 4)",
            fix="leave one of them out",
        )
        for pointer in sorted(found)
    ]


def _unkept(root: Any) -> Iterator[Finding]:
    """Texts and names that no database keeps: NUL, and half of a surrogate pair (RFC 8259 8.2)."""
    for pointer, value in _walk(root):
        texts = value if isinstance(value, dict) else (value,)
        if any(isinstance(text, str) and _UNKEPT.search(text) for text in texts):
            yield Finding(
                rule="api.json.character",
                place=JsonPlace(pointer=pointer),
                said="an escape such as \\u0000 or a lone \\ud800",
                wanted="whole Unicode characters other than NUL",
                fix="leave the character out",
            )
