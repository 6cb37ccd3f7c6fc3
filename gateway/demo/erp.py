"""The sandbox ERP: a small order system behind a real HTTP API, idempotent by key, that misbehaves on demand.

`python -m gateway.demo.erp --port 0 --database north.db --token T --name north` prints `{"listening": port}` when
it is ready. It shares nothing with the gateway but HTTP.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.demo.erp_ledger import Ledger

KINDS = {
    "/api/purchase-orders": "purchase_order",
    "/api/order-changes": "order_change",
    "/api/order-acknowledgements": "order_acknowledgement",
    "/api/ship-notices": "ship_notice",
}
MISBEHAVIOURS = {
    "fail": "status",
    "stall": "seconds",
    "drop_after_commit": None,
    "drop_before_commit": None,
    "ignore_key": None,
}
"""What POST /control knows, with the setting that each needs beside `times` (default 1) and `path` (default any)."""
BODY_LIMIT = 64 * 1_048_576
LONGEST_STALL = 600


class ControlError(ValueError):
    """The order to misbehave does not make sense; says why."""


@dataclass(kw_only=True, slots=True)
class Misbehaviour:
    """What is still to go wrong."""

    times: int
    path: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def strike(self, path: str) -> bool:
        """Whether it happens to this call; counts down when it does."""
        if self.times < 1 or (self.path is not None and self.path != path):
            return False
        self.times -= 1
        return True


def read_control(body: object) -> dict[str, Misbehaviour]:
    """The misbehaviours that a POST /control orders. Raises ControlError."""
    if not isinstance(body, dict) or (unknown := set(body) - MISBEHAVIOURS.keys()):
        wrong = "a JSON object is needed" if not isinstance(body, dict) else f"unknown: {', '.join(sorted(unknown))}"
        raise ControlError(f"{wrong}; known: {', '.join(MISBEHAVIOURS)}")
    found = {}
    for name, settings in body.items():
        if not isinstance(settings, dict):
            raise ControlError(f"{name}: a JSON object is needed")
        times, needed = settings.get("times", 1), MISBEHAVIOURS[name]
        if not isinstance(times, int) or times < 0:
            raise ControlError(f"{name}: times is a whole number from 0")
        if needed is not None and not isinstance(settings.get(needed), int | float):
            raise ControlError(f"{name}: {needed} is a number")
        found[name] = Misbehaviour(times=times, path=settings.get("path"), settings=settings)
    return found


class Erp:
    """The handlers; documents live in the ledger, orders to misbehave in memory."""

    def __init__(self, ledger: Ledger, token: str) -> None:
        self._ledger = ledger
        self._token = token.encode()
        self._orders: dict[str, Misbehaviour] = {}

    def application(self) -> web.Application:
        """The HTTP side."""
        application = web.Application(client_max_size=BODY_LIMIT, middlewares=[self._authenticated])
        for path in KINDS:
            application.router.add_post(path, self._take)
            application.router.add_get(path, self._list)
            application.router.add_put(path + "/{id}", self._take)
        application.router.add_get("/api/documents", self._find)
        application.router.add_delete("/api/documents/{id}", self._undo)
        application.router.add_get("/api/calls", self._calls)
        application.router.add_get("/control", self._ordered)
        application.router.add_post("/control", self._control)
        application.router.add_delete("/control", self._behave)
        return application

    @web.middleware
    async def _authenticated(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        said = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        if not hmac.compare_digest(said, self._token):
            await self._record(request, 401, "refused")
            return web.json_response({"error": "unauthorized"}, status=401)
        return await handler(request)

    async def _record(self, request: web.Request, status: int | None, what: str) -> None:
        await asyncio.to_thread(
            self._ledger.record,
            method=request.method,
            path=request.path,
            key=request.headers.get("Idempotency-Key"),
            status=status,
            what=what,
        )

    def _struck(self, name: str, path: str) -> Misbehaviour | None:
        order = self._orders.get(name)
        return order if order is not None and order.strike(path) else None

    async def _find(self, request: web.Request) -> web.StreamResponse:
        """GET /api/documents?key=K: the document under a key, or 404."""
        if fail := self._struck("fail", request.path):
            status = int(fail.settings["status"])
            await self._record(request, status, "failed")
            return web.json_response({"error": "on demand"}, status=status)
        found = await asyncio.to_thread(self._ledger.find, request.query.get("key", ""))
        status = 404 if found is None else 200
        await self._record(request, status, "missing" if found is None else "found")
        return web.json_response({"error": "nothing under this key"} if found is None else found, status=status)

    async def _undo(self, request: web.Request) -> web.StreamResponse:
        """DELETE /api/documents/ID: it is marked as undone; again is a repeat."""
        if fail := self._struck("fail", request.path):
            status = int(fail.settings["status"])
            await self._record(request, status, "failed")
            return web.json_response({"error": "on demand"}, status=status)
        id_ = request.match_info["id"]
        what = await asyncio.to_thread(self._ledger.undo, id_, request.headers.get("Idempotency-Key"))
        status = 404 if what == "missing" else 200
        await self._record(request, status, what)
        return web.json_response({"id": id_, "undone": what != "missing"}, status=status)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        """POST a document; PUT one in the place of an earlier one: both are kept."""
        body = await request.read()
        if self._struck("drop_before_commit", request.path):
            await self._record(request, None, "dropped")
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=500)
        if stall := self._struck("stall", request.path):
            await asyncio.sleep(min(float(stall.settings["seconds"]), LONGEST_STALL))
        if fail := self._struck("fail", request.path):
            status = int(fail.settings["status"])
            await self._record(request, status, "failed")
            after = fail.settings.get("retry_after")
            return web.json_response(
                {"error": "on demand"}, status=status, headers={} if after is None else {"Retry-After": str(after)}
            )
        key = request.headers.get("Idempotency-Key")
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            document = None
        if not key or not isinstance(document, dict):
            await self._record(request, 400, "refused")
            return web.json_response({"error": "a JSON object and an Idempotency-Key are needed"}, status=400)
        number = document.get("number")
        taken = await asyncio.to_thread(
            self._ledger.take,
            kind=KINDS[request.path if request.method == "POST" else request.path.rpartition("/")[0]],
            key=key,
            number=None if number is None else str(number),
            body=body,
            honour=self._struck("ignore_key", request.path) is None,
        )
        refused = taken.what == "refused"
        status = 422 if refused else 201
        if self._struck("drop_after_commit", request.path):
            await self._record(request, None, "dropped")
            assert request.transport is not None
            request.transport.abort()  # the caller sees a connection that breaks without an answer
            return web.Response(status=500)
        await self._record(request, status, taken.what)
        answer = {"error": "key used for another body"} if refused else {"id": taken.id, "number": number}
        return web.json_response(answer, status=status)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"items": await asyncio.to_thread(self._ledger.documents, KINDS[request.path])})

    async def _calls(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"items": await asyncio.to_thread(self._ledger.calls)})

    async def _control(self, request: web.Request) -> web.Response:
        try:
            orders = read_control(await request.json())
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        self._orders.update(orders)
        return await self._ordered(request)

    async def _ordered(self, request: web.Request) -> web.Response:
        """What is still to go wrong, and how often: a stall that has begun counts no more."""
        del request
        return web.json_response({name: order.times for name, order in self._orders.items()})

    async def _behave(self, request: web.Request) -> web.Response:
        del request
        self._orders.clear()
        return web.json_response({})


async def _serve(options: argparse.Namespace) -> None:
    ledger = Ledger(Path(options.database), options.name)
    runner = web.AppRunner(Erp(ledger, options.token).application(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, options.host, options.port).start()
        ended = asyncio.Event()
        for ending in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(ending, ended.set)
        sys.stdout.write(json.dumps({"listening": runner.addresses[0][1]}) + "\n")
        sys.stdout.flush()
        await ended.wait()
    finally:
        await runner.cleanup()
        ledger.close()


def main() -> None:
    """Run the sandbox until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m gateway.demo.erp", description="An ERP to try the gateway with.")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind")
    parser.add_argument("--port", type=int, default=0, help="TCP port; 0 takes a free one")
    parser.add_argument("--database", required=True, help="its SQLite file; made when it is not there")
    parser.add_argument("--token", required=True, help="bearer token that callers must show")
    parser.add_argument("--name", default="erp", help="prefix of its own document ids")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
