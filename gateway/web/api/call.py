"""One authenticated call of a route, and the values that its parameters are read into."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from gateway.ports import DocumentState
from gateway.web.authentication import Principal
from gateway.web.circumstances import CIRCUMSTANCES
from gateway.web.limits import Limiter
from gateway.web.problems import Problem
from gateway.web.services import Services

DEFAULT_LIMIT, LARGEST_LIMIT = 50, 200
_LONGEST_ID = 64
_LONGEST_CURSOR = 512
_LONGEST_NUMBER = 128
_LONGEST_KEY = 255


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """What a handler gets."""

    services: Services
    principal: Principal
    request: web.Request
    refusals: Limiter
    """Counts the refused bodies of each key that are kept."""

    @property
    def id(self) -> str:
        """The `{id}` in the address; far too long ones are nobody's."""
        return self.request.match_info["id"][:_LONGEST_ID]

    @property
    def correlation_id(self) -> str:
        """The id that joins this call to what follows from it."""
        return self.request[CIRCUMSTANCES].correlation_id


def reply(body: Mapping[str, Any], status: int = 200) -> web.Response:
    """A JSON answer."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return web.Response(status=status, body=text.encode("utf-8", "backslashreplace"), content_type="application/json")


def idempotency_key(request: web.Request) -> str | None:
    """The Idempotency-Key header: 1 to 255 printable ASCII characters, once. Raises Problem (400)."""
    said = request.headers.getall("Idempotency-Key", [])
    if not said:
        return None
    key = said[0]
    if len(said) > 1 or not 1 <= len(key) <= _LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise Problem(
            400,
            "api.idempotency.key_invalid",
            "The Idempotency-Key cannot be used",
            detail=f"Send it once, 1 to {_LONGEST_KEY} printable ASCII characters; a UUID is a good choice.",
        )
    return key


@dataclass(frozen=True, kw_only=True, slots=True)
class ListQuery:
    """The parameters of a list. `number` looks up one order and goes with nothing else."""

    status: DocumentState | None = None
    updated_after: datetime | None = None
    cursor: str | None = None
    limit: int = DEFAULT_LIMIT
    number: str | None = None


STATUSES = tuple(
    state.value
    for state in (
        DocumentState.SUBMITTED,
        DocumentState.HELD,
        DocumentState.COMPOSED,
        DocumentState.AVAILABLE,
        DocumentState.FETCHED,
        DocumentState.SENT,
        DocumentState.ACKNOWLEDGED,
        DocumentState.ANSWERED,
        DocumentState.SHIPPED,
        DocumentState.FAILED,
    )
)
"""The states that an order to a supplier goes through."""


def list_query(request: web.Request) -> ListQuery:
    """Read the parameters. Raises Problem (400) with all that is wrong at once."""
    errors = list(_errors(request))
    if errors:
        title = "The parameters cannot be used"
        raise Problem(400, "api.parameters.invalid", title, detail=f"{len(errors)} wrong; see errors", errors=errors)
    query = request.query
    return ListQuery(
        status=DocumentState(query["status"]) if "status" in query else None,
        updated_after=_moment(query["updated_after"]) if "updated_after" in query else None,
        cursor=query.get("cursor"),
        limit=int(query.get("limit", DEFAULT_LIMIT)),
        number=query.get("number"),
    )


def _errors(request: web.Request) -> Iterator[dict[str, str]]:
    query = request.query
    for name in sorted(set(query)):
        values = query.getall(name)
        check = _CHECKS.get(name)
        if check is None:
            known = ", ".join(_CHECKS)
            yield _error(name, "unknown", values[0], f"one of {known}", "correct the name or leave it out")
        elif len(values) > 1:
            yield _error(name, "repeated", f"{len(values)} values", "one value", "send it once")
        elif not check[0](values[0]):
            yield _error(name, "invalid", values[0], check[1], "correct the value")
    if "number" in query and len(set(query)) > 1:
        yield _error("number", "alone", "number with others", "number alone", "leave the other parameters out")


def _error(name: str, rule: str, said: str, wanted: str, fix: str) -> dict[str, str]:
    return {
        "parameter": name[:64],
        "rule": f"api.parameter.{rule}",
        "said": said[:128],
        "wanted": wanted,
        "fix": fix,
        "severity": "reject",
    }


def _moment(text: str) -> datetime | None:
    """RFC 3339 with its offset; a plus sign that the query turned into a blank is put back."""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _is_limit(text: str) -> bool:
    return (
        text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_LIMIT)) and 1 <= int(text) <= LARGEST_LIMIT
    )


_CHECKS: dict[str, tuple[Callable[[str], bool], str]] = {
    "status": (lambda text: text in STATUSES, f"one of {', '.join(STATUSES)}"),
    "updated_after": (lambda text: _moment(text) is not None, "a time with its offset, such as 2026-11-21T01:00:00Z"),
    "cursor": (lambda text: 1 <= len(text) <= _LONGEST_CURSOR, "next_cursor of the page before"),
    "limit": (_is_limit, f"1 to {LARGEST_LIMIT}"),
    "number": (lambda text: 1 <= len(text) <= _LONGEST_NUMBER, "an order's number"),
}
