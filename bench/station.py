"""A supplier's AS2 station as a load: posts prepared messages, verifies receipts, answers what the gateway sends.

It behaves as a partner does: the same bytes and Message-ID again until a verified receipt is there, and the stored
receipt again for a Message-ID that it has seen.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from bench.load import Effect, Parties, Prepared, group_answered
from gateway import as2
from gateway.errors import PartnerFault

PAUSE_SECONDS = 0.1
"""Between two attempts at the same message."""
ATTEMPT_SECONDS = 15
GIVEN_UP_AFTER = 1000

_POLICY = as2.Policy()


@dataclass(kw_only=True)
class Station:
    """The station and what it has seen."""

    parties: Parties
    url: Callable[[], str]
    """Where a gateway listens: asked before each attempt."""
    session: aiohttp.ClientSession
    acknowledged: list[Prepared] = field(default_factory=list)
    """Messages with a verified, positive receipt, in the order of their receipts."""
    waits: list[float] = field(default_factory=list)
    """Seconds from each message's first attempt to its verified receipt."""
    posted: dict[Effect, float] = field(default_factory=dict)
    """When each message was posted, or was due to be, by the clock of the machine."""
    retries: int = 0
    refused: list[str] = field(default_factory=list)
    """Dispositions that were not positive."""
    invalid: list[str] = field(default_factory=list)
    """Answers with status 200 that were no valid receipts: there must be none."""
    functional: Counter[str] = field(default_factory=Counter)
    """Different 997 messages by the group that they answer."""
    received: list[float] = field(default_factory=list)
    """When each different message of the gateway came, by the clock of the machine."""
    _receipts: dict[str, as2.BuiltReceipt] = field(default_factory=dict)

    async def send(self, message: Prepared, *, since: float | None = None) -> None:
        """Post one message until its receipt is there; `since` is when it was due (a paced load)."""
        started = time.perf_counter() if since is None else since
        self.posted[message.effect] = time.time() - (time.perf_counter() - started)
        for _ in range(GIVEN_UP_AFTER):
            verdict = await self._attempt(message)
            if verdict is not None:
                break
            self.retries += 1
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            self.refused.append("never answered")
            return
        self.waits.append(time.perf_counter() - started)
        if verdict.processed and verdict.mic_matched:
            self.acknowledged.append(message)
        else:
            self.refused.append(verdict.disposition)

    async def send_all(self, messages: Sequence[Prepared], *, outstanding: int) -> None:
        """Post all, so many at once."""
        left = iter(messages)

        async def one_after_another() -> None:
            for message in left:
                await self.send(message)

        await asyncio.gather(*(one_after_another() for _ in range(outstanding)))

    async def send_paced(self, messages: Sequence[Prepared], *, a_second: float) -> None:
        """Post at a fixed rate, whether earlier ones are answered or not."""
        begin = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for index, message in enumerate(messages):
                due = begin + index / a_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                tasks.create_task(self.send(message, since=due))

    async def _attempt(self, message: Prepared) -> as2.ReceiptVerdict | None:
        built = message.built
        try:
            async with self.session.post(self.url(), data=built.body, headers=dict(built.headers)) as answer:
                if answer.status != 200:
                    return None
                body = await answer.read()
                headers = tuple(answer.headers.items())
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        sent = as2.Sent(
            message_id=built.message_id, mic=built.mic, mic_algorithm=built.mic_algorithm, signed=built.signed
        )
        try:
            return as2.read_receipt(
                headers, body, sent=sent, partner_certificates=self.parties.distributor, require_signature=True
            )
        except PartnerFault as fault:  # no receipt of ours, or not for this message: the sender tries again
            self.invalid.append(str(fault))
            return None

    async def take(self, request: web.Request) -> web.Response:
        """What the gateway sends: opened, noted, answered with a signed receipt."""
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
        message_id = as2.read_headers(headers).message_id
        receipt = self._receipts.get(message_id)
        if receipt is None:
            receipt, group = await asyncio.to_thread(self._open, headers, await request.read(), message_id)
            if message_id not in self._receipts:
                self._receipts[message_id] = receipt
                self.received.append(time.time())
                if group is not None:
                    self.functional[group] += 1
            receipt = self._receipts[message_id]
        answer = web.Response(body=receipt.body)
        answer.headers.update(dict(receipt.headers))
        return answer

    def _open(self, headers: as2.building.Headers, body: bytes, message_id: str) -> tuple[as2.BuiltReceipt, str | None]:
        opened = as2.open_message(
            headers,
            body,
            keys=[self.parties.supplier],
            partner_certificates=self.parties.distributor,
            policy=_POLICY,
        )
        receipt = as2.build_receipt(
            request=opened.addressing,
            opened=opened,
            fault=None,
            key=self.parties.supplier,
            our_name="load",
            message_id=f"<receipt-{len(message_id)}-{message_id.strip('<>')}>",
            date=datetime.now(UTC),
        )
        return receipt, group_answered(opened.payload)


@asynccontextmanager
async def station(parties: Parties, *, gateway: str | Callable[[], str], port: int) -> AsyncIterator[Station]:
    """A station that listens on `port` and posts to `gateway`, or to what that says each time."""
    timeout = aiohttp.ClientTimeout(total=ATTEMPT_SECONDS)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        url = gateway if callable(gateway) else lambda: gateway
        made = Station(parties=parties, url=url, session=session)
        application = web.Application(client_max_size=64 * 2**20)
        application.router.add_post("/as2", made.take)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield made
        finally:
            await runner.cleanup()
