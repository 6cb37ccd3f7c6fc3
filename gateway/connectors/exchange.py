"""One HTTP request and its bounded answer; every way it can go wrong becomes a `DeliveryFailed` with its outcome.

The law: *transient* is said only when the request cannot have taken effect, *uncertain* whenever it may have.
Redirects are never followed, answers are never inflated, and no more of an answer is read than was asked for.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from gateway.as2 import Stretch
from gateway.connectors.posted import A_SECOND, StretchPayload
from gateway.connectors.said import clean
from gateway.connectors.way import STRAIGHT, Way
from gateway.errors import DeliveryFailed, Outcome

_CHUNK = 65_536
_LONGEST_RETRY_AFTER = 86_400.0
_LONGEST_CAUSE = 200

# The first class that fits decides. Everything in front of the last two rows happens before a byte of the request
# leaves us (a proxy that refuses was only asked to CONNECT); the connect time-out is always shorter than the total one,
# so a total time-out means: it was sent.
FAILURES: tuple[tuple[type[Exception], Outcome, str], ...] = (
    (aiohttp.ClientConnectorDNSError, Outcome.TRANSIENT, "its name cannot be resolved"),
    (aiohttp.ClientProxyConnectionError, Outcome.TRANSIENT, "the proxy cannot be reached"),
    (aiohttp.ClientHttpProxyError, Outcome.TRANSIENT, "the proxy refused to connect"),
    (aiohttp.ClientConnectorCertificateError, Outcome.TRANSIENT, "its certificate is not trusted"),
    (aiohttp.ClientConnectorError, Outcome.TRANSIENT, "no connection"),
    (ssl.SSLError, Outcome.TRANSIENT, "TLS failed"),
    (aiohttp.ServerFingerprintMismatch, Outcome.TRANSIENT, "its certificate is not the one expected"),
    (aiohttp.ConnectionTimeoutError, Outcome.TRANSIENT, "no connection in time"),
    (aiohttp.InvalidURL, Outcome.PERMANENT, "the address is not valid"),
    (TimeoutError, Outcome.UNCERTAIN, "sent, but no answer in time"),
    (aiohttp.ClientError, Outcome.UNCERTAIN, "sent, but the connection ended without an answer"),
    (OSError, Outcome.UNCERTAIN, "sent, but the connection broke"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back. `complete` is false when the body was longer than the limit or broke off."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    complete: bool


def open_session() -> aiohttp.ClientSession:
    """A session for connectors: no cookies kept, no environment proxies or netrc, answers not inflated."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False)


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    *,
    headers: Iterable[tuple[str, str]],
    body: bytes | Stretch,
    seconds: Decimal | float,
    limit: int,
    way: Way = STRAIGHT,
) -> Answer:
    """Send `body` and read at most `limit` bytes of the answer. Raises DeliveryFailed when no status line came.

    `seconds` are for all of it; a body from a file may take longer as long as each piece goes out in that time.
    """
    whole = float(seconds)
    large = isinstance(body, Stretch)
    own = CIMultiDict(headers)
    # RFC 9110 11.7.1: who we are at the proxy is said in CONNECT; of what it forwards in the clear, in the request.
    to_proxy = CIMultiDict({"Proxy-Authorization": way.proxy_authorization} if way.proxy_authorization else {})
    if way.proxy is not None and url.scheme == "http":
        own.extend(to_proxy)
    connect = min(way.connect_seconds, whole / 2)
    timeout = aiohttp.ClientTimeout(total=None if large else whole, connect=connect)
    try:
        async with (
            asyncio.timeout(whole if large else None) as patience,
            session.request(
                method,
                url,
                headers=own,
                data=_streamed(body, patience, whole) if isinstance(body, Stretch) else body,
                timeout=timeout,
                allow_redirects=False,
                auto_decompress=False,
                ssl=way.tls,
                server_hostname=way.server_name,
                proxy=way.proxy,
                proxy_headers=to_proxy if way.proxy is not None and url.scheme == "https" else None,
                chunked=way.chunked or None,
                expect100=way.expect_from is not None and len(body) >= way.expect_from,
            ) as response,
        ):
            content, complete = await _read(response, limit)
            return Answer(status=response.status, headers=response.headers, body=content, complete=complete)
    except (aiohttp.ClientError, OSError) as error:
        raise _failed(url, error) from error


def _streamed(body: Stretch, patience: asyncio.Timeout, seconds: float) -> StretchPayload:
    """The body from its file; our patience begins anew with each piece, and ends with what the station needs for it."""
    loop = asyncio.get_running_loop()
    answer = seconds + len(body) / A_SECOND
    return StretchPayload(body, lambda left: patience.reschedule(loop.time() + (seconds if left else answer)))


async def _read(response: aiohttp.ClientResponse, limit: int) -> tuple[bytes, bool]:
    content = bytearray()
    try:
        async for chunk in response.content.iter_chunked(_CHUNK):
            content += chunk
            if len(content) > limit:
                response.close()
                return bytes(content[:limit]), False
    except (aiohttp.ClientError, OSError):
        # The status line is the decision; a body that breaks off only costs us what stood in it.
        response.close()
        return bytes(content), False
    return bytes(content), True


def _failed(url: URL, error: Exception) -> DeliveryFailed:
    outcome, words = next((row[1], row[2]) for row in FAILURES if isinstance(error, row[0]))
    where = f"{url.scheme}://{url.host}:{url.port}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        cause = error.certificate_error
        words += f": {clean(str(getattr(cause, 'verify_message', None) or cause), _LONGEST_CAUSE)}"
    elif isinstance(error, aiohttp.ClientHttpProxyError):
        words += f": {error.status}"
    return DeliveryFailed(f"{where}: {words} ({type(error).__name__})", outcome=outcome)


def retry_after(answer: Answer, now: datetime) -> float | None:
    """Seconds that the far side asked us to wait (RFC 9110 10.2.3: seconds or a date), 0 to one day; None if unsaid."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said[:12]), _LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(said)
    except (ValueError, OverflowError):  # a year or a zone beyond every calendar
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return min(max((at - now).total_seconds(), 0.0), _LONGEST_RETRY_AFTER)
