"""The aiohttp application: the border around everything, a guard before every API route, the table as routes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from gateway.publication import asyncapi
from gateway.web import openapi
from gateway.web.api.call import Call
from gateway.web.api.routes import ROUTES, Route
from gateway.web.authentication import PRINCIPAL, Principal, authenticate
from gateway.web.body import LARGEST
from gateway.web.border import HEADERS, border
from gateway.web.health import Health
from gateway.web.limits import Limiter
from gateway.web.problems import Problem
from gateway.web.services import Services

ERP_REQUESTS_PER_MINUTE = 6000
SUPPLIER_REQUESTS_PER_MINUTE = 600
"""For partners whose agreement has no section rest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limiters:
    """What is counted: failed keys by address, requests by caller, refused bodies by key."""

    strangers: Limiter
    callers: Limiter
    refusals: Limiter


def application(services: Services, current: Callable[[], Services] | None = None) -> web.Application:
    """The whole HTTP side. Raises ValueError when a trusted proxy is neither an address nor a network.

    `current` gives the services of the moment: each API request is answered with those that it began with. The border
    and the addresses stay as `services` has them.
    """
    now = current or (lambda: services)
    made = web.Application(middlewares=[border(services)], client_max_size=LARGEST)
    limiters = Limiters(
        strangers=Limiter(services.clock), callers=Limiter(services.clock), refusals=Limiter(services.clock)
    )
    for route in ROUTES:
        made.router.add_route(route.method, route.path, _guarded(now, limiters, route))
    health = Health(services, limiters.strangers)
    made.router.add_get("/health/live", health.live)
    made.router.add_get("/health/ready", health.ready)
    made.router.add_get("/metrics", health.metrics)
    made.router.add_get("/openapi.json", _described(openapi.document(services.schema)))
    made.router.add_get("/asyncapi.json", _described(asyncapi.document()))
    made.router.add_routes(services.routes)
    made.on_response_prepare.append(partial(_goodbye, services))
    return made


async def _goodbye(services: Services, _request: web.Request, answer: web.StreamResponse) -> None:
    """RFC 9112 9.6: whoever is about to close says so in its answer; the next request finds another node."""
    if services.draining():
        answer.headers["Connection"] = "close"
        answer.force_close()


def _guarded(
    current: Callable[[], Services], limiters: Limiters, route: Route
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The route's handler behind key, rate and scope, in this order."""

    async def handler(request: web.Request) -> web.StreamResponse:
        services = current()
        principal = await authenticate(services, limiters.strangers, request)
        request[PRINCIPAL] = principal
        allowance = limiters.callers.take(principal.partner or "(erp)", _quota(principal))
        request[HEADERS].update(allowance.headers)
        if allowance.wait:
            detail = f"{allowance.quota} requests a minute are agreed."
            raise Problem(429, "api.too_many_requests", "Too many requests", detail=detail)
        if principal.scope not in route.scopes:
            needed = " or ".join(sorted(route.scopes))
            detail = f"This route is for keys of scope {needed}; this key has scope {principal.scope}."
            raise Problem(403, "api.scope", "The key is not for this route", detail=detail)
        call = Call(services=services, principal=principal, request=request, refusals=limiters.refusals)
        return await route.handler(call)

    return handler


def _quota(principal: Principal) -> int:
    if principal.agreement is None:
        return ERP_REQUESTS_PER_MINUTE
    rest = principal.agreement.rest
    return SUPPLIER_REQUESTS_PER_MINUTE if rest is None else rest.requests_per_minute


def _described(document: Mapping[str, object]) -> Callable[[web.Request], Awaitable[web.Response]]:
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    async def handler(request: web.Request) -> web.Response:
        del request
        return web.Response(body=body, content_type="application/json")

    return handler
