"""Refusals as `application/problem+json` (RFC 9457): one shape for all of them, every error at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from gateway.findings import Finding, JsonPlace

CONTENT_TYPE = "application/problem+json"
TYPE = "tag:partner-gateway,2026:"
"""A problem's type is this and its rule (RFC 4151): a name to compare, not an address to fetch."""


class Problem(Exception):  # noqa: N818  RFC 9457 calls it a problem
    """A request that is not served; `errors` are entries of `errors[]`."""

    def __init__(
        self,
        status: int,
        rule: str,
        title: str,
        *,
        detail: str | None = None,
        errors: Iterable[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.rule = rule
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


def rendered(problem: Problem, correlation_id: str) -> web.Response:
    """The answer. After 413 and 408 the connection is closed: the rest of the body is not read."""
    body: dict[str, Any] = {
        "type": TYPE + problem.rule,
        "title": problem.title,
        "status": problem.status,
        "correlation_id": correlation_id,
    }
    if problem.detail is not None:
        body["detail"] = problem.detail
    if problem.errors:
        body["errors"] = problem.errors
    response = web.Response(
        status=problem.status,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace"),
        content_type=CONTENT_TYPE,
        headers=problem.headers,
    )
    if problem.status in {408, 413}:
        response.force_close()
    return response


def error(finding: Finding) -> dict[str, Any]:
    """A finding as an entry of `errors[]`: a JSON Pointer (RFC 6901) where it has one, words where it has not."""
    where = (
        {"pointer": finding.place.pointer} if isinstance(finding.place, JsonPlace) else {"place": str(finding.place)}
    )
    return where | {
        "rule": finding.rule,
        "said": finding.said,
        "wanted": finding.wanted,
        "fix": finding.fix,
        "severity": finding.severity.value,
    }


def invalid(status: int, rule: str, title: str, findings: Iterable[Finding]) -> Problem:
    """A problem whose errors are findings; `detail` counts them."""
    errors = [error(finding) for finding in findings]
    count = f"{len(errors)} error{'' if len(errors) == 1 else 's'}; each entry of errors says where, and what to do"
    return Problem(status, rule, title, detail=count if errors else None, errors=errors)


def not_found() -> Problem:
    """The one 404 for what does not exist and for what belongs to somebody else."""
    return Problem(404, "api.not_found", "There is nothing here", detail="It does not exist, or it is not yours.")
