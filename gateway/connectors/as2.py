"""The way to a partner's AS2 station: prepared octets out, the answer's octets back. No cryptography here.

Messages go to the station's address, asynchronous receipts to the address that was asked for and is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import aiohttp
from yarl import URL

from gateway.as2 import Stretch
from gateway.connectors.credentials import checked_header, credentials
from gateway.connectors.exchange import exchange, retry_after
from gateway.connectors.public_only import public_session
from gateway.connectors.said import clean, clean_answer
from gateway.connectors.way import Way, Ways
from gateway.errors import DeliveryFailed, Outcome
from gateway.partners.agreement import Agreement
from gateway.partners.receipt_address import ReceiptAddress, same_origin
from gateway.ports import Clock, HttpAnswer

ANSWER_LIMIT = 1_048_576
"""Bytes of an answer, at most: a receipt is a few KiB."""
KEPT_ANSWER = 2048
KEPT_HEADERS = 200
KEPT_HEADER = 8190
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that say nothing about the message itself: the station is busy or broken."""
GENERAL = (("Accept-Encoding", "identity"),)


def _now() -> datetime:
    return datetime.now(UTC)


class As2Connector:
    """Keeps `ports.As2Post` for the stations of `agreements`.

    Raises OurFault at once when one of their secrets is missing.
    """

    def __init__(
        self, agreements: Iterable[Agreement], folder: Path, session: aiohttp.ClientSession, clock: Clock = _now
    ) -> None:
        self._credentials: dict[str, tuple[tuple[str, str], ...]] = {}
        self._ways: dict[str, Way] = {}
        ways = Ways(folder)
        for agreement in agreements:
            if agreement.as2 is not None and agreement.exchanges:
                where = f"station of {agreement.name}"
                self._credentials[agreement.name] = credentials(where, agreement.as2.authentication, folder)
                self._ways[agreement.name] = ways.of(where, agreement.as2.transport)
        self._session = session
        self._clock = clock

    async def post(self, agreement: Agreement, headers: Sequence[tuple[str, str]], body: bytes | Stretch) -> HttpAnswer:
        """Send the message as it is. Raises DeliveryFailed; a 2xx whose body broke off is uncertain: no receipt."""
        where = f"station of {agreement.name}"
        if agreement.as2 is None or agreement.name not in self._credentials:
            raise DeliveryFailed(f"{where}: no section as2 in its agreement", outcome=Outcome.PERMANENT)
        return await self._exchange(
            agreement, self._session, agreement.as2.url, headers=headers, body=body, way=self._ways[agreement.name]
        )

    async def post_receipt(
        self, agreement: Agreement, address: ReceiptAddress, headers: Sequence[tuple[str, str]], body: bytes
    ) -> HttpAnswer:
        """Send an asynchronous receipt as it is. Raises DeliveryFailed; an address that is not public is permanent.

        Only an address that the agreement names whole may be a private one. Our credentials, and what TLS shows of us,
        go nowhere but to the partner's own station. Behind a proxy the proxy connects, and which machines it may
        connect to is its own to say.
        """
        where = f"station of {agreement.name}"
        if agreement.as2 is None or agreement.name not in self._credentials:
            raise DeliveryFailed(f"{where}: no section as2 in its agreement", outcome=Outcome.PERMANENT)
        way = self._ways[agreement.name]
        if not same_origin(agreement.as2, address.url):
            way = Way(proxy=way.proxy, proxy_authorization=way.proxy_authorization, connect_seconds=way.connect_seconds)
        if address.named or way.proxy is not None:
            return await self._exchange(agreement, self._session, address.url, headers=headers, body=body, way=way)
        async with public_session() as (session, refused):
            try:
                return await self._exchange(agreement, session, address.url, headers=headers, body=body, way=way)
            except DeliveryFailed as failed:
                if not refused:
                    raise
                raise DeliveryFailed(
                    f"{where}: the address for receipts leads to {', '.join(refused[:5])}, which is not public; "
                    "if that is right, name the address whole in receipt_urls",
                    outcome=Outcome.PERMANENT,
                ) from failed

    async def _exchange(
        self,
        agreement: Agreement,
        session: aiohttp.ClientSession,
        url: str,
        *,
        headers: Sequence[tuple[str, str]],
        body: bytes | Stretch,
        way: Way,
    ) -> HttpAnswer:
        assert agreement.as2 is not None
        where = f"station of {agreement.name}"
        more = self._credentials[agreement.name] if same_origin(agreement.as2, url) else ()
        own = tuple(checked_header(where, name, value) for name, value in headers)
        answer = await exchange(
            session,
            "POST",
            URL(url),
            headers=(*GENERAL, *own, *way.headers, *more),
            body=body,
            seconds=agreement.as2.timeout_seconds,
            limit=ANSWER_LIMIT,
            way=way,
        )
        if answer.status // 100 != 2:  # noqa: PLR2004  the class 2xx
            transient = answer.status in RETRIED
            raise DeliveryFailed(
                f"{where} answered {answer.status}",
                outcome=Outcome.TRANSIENT if transient else Outcome.PERMANENT,
                retry_after=retry_after(answer, self._clock()) if transient else None,
                status=answer.status,
                answer=clean_answer(answer.body, KEPT_ANSWER),
            )
        if not answer.complete:
            raise DeliveryFailed(
                f"{where} answered {answer.status}, but its receipt broke off or is over {ANSWER_LIMIT} bytes",
                outcome=Outcome.UNCERTAIN,
                status=answer.status,
            )
        return HttpAnswer(status=answer.status, headers=_kept(answer.headers.items()), body=answer.body)


def _kept(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The answer's headers as they are stored with it; octets that are not UTF-8 arrive as lone surrogates."""
    kept = islice(headers, KEPT_HEADERS)
    return tuple((clean(name, KEPT_HEADER), clean(value, KEPT_HEADER, keep="\t")) for name, value in kept)
