"""An ERP that costs next to nothing: HTTP/1.1 with keep-alive, idempotent by key in memory; it tells when what came.

`python -m bench.erp PORT TOKEN [PREFIX SECONDS]`. POST takes a document (201 with an id); GET /seen lists what came
first when, GET /count how many. It is slow to answer where the document's number begins with PREFIX. It knows just what
the gateway's HTTP connector sends: no chunks, no continuation lines.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from functools import partial
from typing import Any, cast

import uvloop

KINDS = {b"/api/order-acknowledgements": "order_acknowledgement", b"/api/ship-notices": "ship_notice"}


class Books:
    """What was taken, by idempotency key, and when each effect was there for the first time."""

    def __init__(self) -> None:
        self.seen: dict[str, float] = {}
        self.keys: dict[bytes, str] = {}
        self.repeats = 0
        self.doubled = 0

    def take(self, kind: str, number: str, key: bytes) -> str:
        """The document's id here."""
        if key in self.keys:
            self.repeats += 1
            return self.keys[key]
        effect = f"{kind}/{number}"
        self.doubled += effect in self.seen
        self.seen.setdefault(effect, time.time())
        self.keys[key] = made = str(len(self.keys) + 1)
        return made

    def shown(self) -> bytes:
        """All of it."""
        return json.dumps({"seen": self.seen, "repeats": self.repeats, "doubled": self.doubled}).encode()


class Exchange(asyncio.Protocol):
    """One connection: requests are answered as soon as they are whole."""

    def __init__(self, books: Books, token: bytes, slow: tuple[str, float] | None) -> None:
        self._books = books
        self._token = token
        self._slow = slow
        self._rest = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Where answers go."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Part of a request, one, or several."""
        self._rest += data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            start, *lines = self._rest[:end].split(b"\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
            length = int(headers.get(b"content-length", b"0"))
            if len(self._rest) < end + 4 + length:
                return
            body, self._rest = self._rest[end + 4 : end + 4 + length], self._rest[end + 4 + length :]
            self._answer(start, headers, body)

    def _answer(self, start: bytes, headers: dict[bytes, bytes], body: bytes) -> None:
        method, path, _ = start.split(b" ", 2)
        if method == b"GET":
            shown = b"%d" % len(self._books.seen) if path == b"/count" else self._books.shown()
            self._say(b"200 OK", shown)
        elif headers.get(b"authorization") != b"Bearer " + self._token or path not in KINDS:
            self._say(b"401 Unauthorized", b"{}")
        else:
            kind, document = KINDS[path], cast("dict[str, Any]", json.loads(body))
            number = str(document["order"]["number"] if kind == "order_acknowledgement" else document["number"])
            id_ = self._books.take(kind, number, headers[b"idempotency-key"])
            said = json.dumps({"id": id_}).encode()
            if self._slow is not None and number.startswith(self._slow[0]):
                asyncio.get_running_loop().call_later(self._slow[1], self._say, b"201 Created", said)
            else:
                self._say(b"201 Created", said)

    def _say(self, status: bytes, body: bytes) -> None:
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % (status, len(body)) + body)


async def _serve(port: int, token: str, prefix: str = "", seconds: str = "0") -> None:
    books, slow = Books(), (prefix, float(seconds)) if prefix else None
    make = partial(Exchange, books, token.encode(), slow)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), *sys.argv[2:]))
