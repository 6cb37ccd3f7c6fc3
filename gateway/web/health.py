"""For monitors: alive, ready, figures. What strangers see names checks, never partners; figures are for our own."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from gateway.web.authentication import ERP, authenticate
from gateway.web.circumstances import CIRCUMSTANCES, is_loopback
from gateway.web.limits import Limiter
from gateway.web.metrics import CONTENT_TYPE
from gateway.web.problems import not_found
from gateway.web.services import Services

READY_SECONDS = 5
OK = "ok"


class Health:
    """The handlers."""

    def __init__(self, services: Services, strangers: Limiter) -> None:
        self._services = services
        self._strangers = strangers
        host = services.settings.listen.host
        self._at_home = host == "localhost" or is_loopback(host)

    async def live(self, request: web.Request) -> web.Response:
        """200 as long as the process answers."""
        del request
        return web.json_response({"status": OK})

    async def ready(self, request: web.Request) -> web.Response:
        """200 when every check is ok, else 503 with the ones that are not."""
        del request
        try:
            async with asyncio.timeout(READY_SECONDS):
                checks = dict(await self._services.ready())
        except TimeoutError:
            checks = {"checks": f"no answer within {READY_SECONDS} seconds"}
        failing = {name: words for name, words in checks.items() if words != OK}
        body: dict[str, object] = {"status": "failing" if failing else OK, "checks": failing or checks}
        if configuration := dict(self._services.configuration()):
            body["configuration"] = configuration
        return web.Response(status=503 if failing else 200, text=json.dumps(body), content_type="application/json")

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus: for this machine itself while we listen on nothing else, and with a key of the ERP scope.

        A proxy on this machine that forwards TCP alone (layer 4) looks like this machine: only who listens on
        loopback has said that nobody else is let in.
        """
        seen = request[CIRCUMSTANCES]
        if not (self._at_home and seen.direct and is_loopback(seen.client)):
            principal = await authenticate(self._services, self._strangers, request)
            if principal.scope != ERP:
                raise not_found()
        return web.Response(body=self._services.metrics.text(), headers={"Content-Type": CONTENT_TYPE})
