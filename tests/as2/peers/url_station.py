"""Any AS2 server by its URL: our messages are posted to it, its receipts read by `gateway.as2`. Only that way is run.

Nothing is known of the server but what the environment says, so every combination that we write is tried; one that it
refuses is recorded with its own words.
"""

from __future__ import annotations

import http.client
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway import as2

from .combinations import Combination, Way
from .material import Keys, Public, build
from .pyas2lib_station import never_written, read

SECONDS = 60
"""For an answer, and for an asynchronous receipt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """Where it is, and who is who."""

    url: str
    name: str
    our_name: str
    receipts: str | None = None
    """Where it reaches us for asynchronous receipts: `http://this-host:port/`; None: they are not tried."""


class UrlStation:
    """One server, asked once for each combination."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self._server, self._keys = server, keys
        self._receipts: dict[str, tuple[list[tuple[str, str]], bytes]] = {}
        self._listener: ThreadingHTTPServer | None = None
        if server.receipts is not None:
            self._listener = _listen(server.receipts, self._receipts)

    def close(self) -> None:
        """Listen no longer."""
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()

    def versions(self) -> dict[str, str]:
        """What it calls itself."""
        _, headers, _ = self._post([], b"")
        named = {name.lower(): value for name, value in headers}
        return {"server": named.get("server", "it does not say")}

    def theirs(self, one: Combination) -> str | None:
        """What cannot be asked of it from here."""
        if one.way is Way.IN:
            return "it sends when it is told to: send from it to a running gateway, then: gateway message list"
        if one.encrypt.endswith("ecdh"):
            return "one certificate is known of it, with an RSA key"
        if one.sign.endswith("ecdsa"):
            return "one certificate of ours is known to it, with an RSA key"
        return None

    def ours(self, one: Combination) -> str | None:
        """What we never write."""
        if one.asynchronous and self._server.receipts is None:
            return "GATEWAY_AS2_RECEIPTS is not set"
        return never_written(one)

    def run(self, chosen: Sequence[Combination]) -> dict[Combination, str]:
        """One after the other."""
        return {one: self._sent(one) for one in chosen}

    def _sent(self, one: Combination) -> str:
        message_id = f"<{uuid.uuid4()}@gateway.example>"
        names = {"as2_from": self._server.our_name, "as2_to": self._server.name}
        built = build(one, self._keys, message_id=message_id, **names)
        headers = list(built.headers)
        if one.asynchronous:
            headers.append(("Receipt-Delivery-Option", self._server.receipts or ""))
        try:
            status, answered, body = self._post(headers, built.body)
        except (OSError, http.client.HTTPException) as error:
            return f"no answer: {type(error).__name__} {error}"
        if status // 100 != 2:
            return f"it answers {status}: {body[:100]!r}"
        if one.receipt_kind == "none":
            return ""
        if one.asynchronous:
            deadline = time.monotonic() + SECONDS
            while message_id not in self._receipts:
                if time.monotonic() > deadline:
                    return f"no receipt came in {SECONDS} s"
                time.sleep(0.05)
            answered, body = self._receipts[message_id]
        return read(one, built, answered, body, self._keys)

    def _post(self, headers: Sequence[tuple[str, str]], body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        url = urlsplit(self._server.url)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.netloc, timeout=SECONDS)
        try:
            connection.request("POST", url.path or "/", body=body, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


def _listen(url: str, receipts: dict[str, tuple[list[tuple[str, str]], bytes]]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # its name is the library's
            body = self.rfile.read(min(int(self.headers.get("Content-Length", "0")), 1_000_000))
            for line in body.splitlines():
                name, _, value = line.decode("latin-1").partition(":")
                if name.strip().lower() == "original-message-id":
                    receipts[value.strip()] = (list(self.headers.items()), body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  its name is the library's
            pass

    server = ThreadingHTTPServer(("", urlsplit(url).port or 80), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def by_environment(environment: Mapping[str, str], keys: Keys) -> UrlStation:
    """The server that the environment names; certificates and our key are PEM files."""
    pair = keys.ours
    if own := environment.get("GATEWAY_AS2_OUR_KEY"):
        text = Path(own).read_bytes()
        key: Any = load_pem_private_key(text, None)
        pair = as2.KeyPair(private_key=key, certificate=x509.load_pem_x509_certificate(text))
    certificate = x509.load_pem_x509_certificate(Path(environment["GATEWAY_AS2_PEER_CERTIFICATE"]).read_bytes())
    server = Server(
        url=environment["GATEWAY_AS2_PEER_URL"],
        name=environment["GATEWAY_AS2_PEER_NAME"],
        our_name=environment["GATEWAY_AS2_OUR_NAME"],
        receipts=environment.get("GATEWAY_AS2_RECEIPTS"),
    )
    return UrlStation(
        server, Keys(ours=pair, theirs=Public(certificate=certificate), ours_ec=keys.ours_ec, theirs_ec=keys.theirs_ec)
    )
