"""The outermost layer of every answer: errors in one shape, security headers, correlation, one structured log line.

Whatever happens inside, the caller never sees a traceback and the log never sees a secret or a payload.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.errors import NoRoom, PartnerFault
from gateway.ports.doing import DOING
from gateway.web.authentication import PRINCIPAL
from gateway.web.circumstances import CIRCUMSTANCES, Circumstances, networks, observe
from gateway.web.problems import Problem, invalid, rendered
from gateway.web.services import Services

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HEADERS: web.RequestKey[dict[str, str]] = web.RequestKey("headers", dict)
"""Headers that go out with the answer, refusals too."""

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "partner-gateway",
}
"""On every answer, unless its handler set another value."""
HSTS = "max-age=31536000"

_access = logging.getLogger("gateway.access")
_log = logging.getLogger("gateway.web")
_LONGEST_PATH = 256


def border(services: Services) -> Middleware:
    """The middleware. Raises OurFault never; ValueError when a trusted proxy is neither address nor network."""
    trusted = networks(services.settings.listen.trusted_proxies)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        seen = observe(request, trusted, services.clock)
        request[CIRCUMSTANCES] = seen
        request[HEADERS] = {}
        DOING.set({"correlation_id": seen.correlation_id})
        method = request.method if request.method in _METHODS else "other"
        with services.tracing.request(method=method, traceparent=seen.traceparent) as ended:
            response = await _answer(request, handler, seen)
            _dress(response, seen, request[HEADERS])
            seconds = time.perf_counter() - started
            resource = request.match_info.route.resource
            route = resource.canonical if resource is not None else "unmatched"
            services.metrics.answered(method=method, route=route, status=response.status, seconds=seconds)
            ended(route, response.status)
            _access.info(_line(request, response, seen, seconds))
        return response

    return middleware


_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


async def _answer(request: web.Request, handler: Handler, seen: Circumstances) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as refusal:
        return rendered(refusal, seen.correlation_id)
    except PartnerFault as fault:
        return rendered(invalid(400, "api.request.invalid", fault.public, fault.findings), seen.correlation_id)
    except web.HTTPException as answer:
        return rendered(_uniform(request, answer), seen.correlation_id)
    except NoRoom as fault:
        _log.warning("request %s was asked to come later: %s", seen.correlation_id, fault)
        problem = Problem(
            503,
            "api.no_room",
            "There is no room for it now",
            detail="Nothing is wrong with the request; send it again later with the same Idempotency-Key.",
            headers={"Retry-After": "60"},
        )
        return rendered(problem, seen.correlation_id)
    except Exception:  # noqa: BLE001  the outermost layer: nothing may reach the caller
        _log.exception("request %s failed", seen.correlation_id)
        problem = Problem(
            500,
            "api.our_fault",
            "Something went wrong on our side",
            detail="Nothing is wrong with the request; send it again later with the same Idempotency-Key.",
        )
        return rendered(problem, seen.correlation_id)


def _uniform(request: web.Request, refusal: web.HTTPException) -> Problem:
    """What aiohttp itself refuses (404, 405, …) in the shape of every other refusal."""
    allow = {"Allow": refusal.headers["Allow"]} if "Allow" in refusal.headers else {}
    if refusal.status == HTTPStatus.NOT_FOUND:
        return Problem(404, "api.no_such_address", "There is nothing at this address", detail="See /openapi.json.")
    if refusal.status == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{request.method[:16]} is not for this address; {allow.get('Allow', 'nothing')} is."
        return Problem(405, "api.method_not_allowed", "Wrong method", detail=detail, headers=allow)
    return Problem(refusal.status, "api.refused", refusal.reason or "Refused", headers=allow)


def _dress(response: web.StreamResponse, seen: Circumstances, further: dict[str, str]) -> None:
    for name, value in (SECURITY | further).items():
        response.headers.setdefault(name, value)
    response.headers["X-Correlation-Id"] = seen.correlation_id
    if seen.traceparent is not None:
        response.headers["traceparent"] = seen.traceparent
    if seen.secure:  # RFC 6797 7.2: only over secure transport
        response.headers.setdefault("Strict-Transport-Security", HSTS)


def _line(request: web.Request, response: web.StreamResponse, seen: Circumstances, seconds: float) -> str:
    principal = request.get(PRINCIPAL)
    return json.dumps(
        {
            "client": seen.client,
            "method": request.method[:16],
            "path": request.path[:_LONGEST_PATH],
            "status": response.status,
            "milliseconds": round(seconds * 1000, 1),
            "received": request.content_length,
            "sent": response.content_length,
            "scope": None if principal is None else principal.scope,
            "partner": None if principal is None else principal.partner,
            "key": None if principal is None else principal.key_id,
            "correlation_id": seen.correlation_id,
        },
        ensure_ascii=True,
    )
