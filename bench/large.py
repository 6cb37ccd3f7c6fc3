"""One message of a gigabyte into a running gateway and one out: seconds, its CPU against bare primitives, its memory.

    python -m bench large [--gigabytes 1] [--shapes plain compressed out]

Signed and encrypted, synchronous signed MDN. While a large message is posted and opened, small ones of 4 KB go to the
same gateway; how long they wait is the price that others pay. Memory is the most that the gateway process has held
(VmHWM); CPU is its own, all threads, against one AES-256-CBC pass and one SHA-256 over as many octets in this process.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bench import load
from bench.load import Parties
from bench.surroundings import Surroundings, surroundings
from gateway import as2
from gateway.connectors.posted import StretchPayload
from gateway.partners import workspace
from gateway.pipeline.outgoing import outbound_message, send_job
from gateway.ports import Changes, MessageState, new_id
from gateway.store.spool import SpoolFile
from gateway.wiring import open_store

LIMIT_MB = 200
SHAPES = ("plain", "compressed", "out")
_BLOCK = 8 * 1024 * 1024
_PATIENCE_SECONDS = 1800
_PAUSE_SECONDS = 0.2
_SPOOL = "bench-spool"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What one message cost."""

    seconds: float
    cpu: float
    memory: float
    """MB, the most so far."""
    small: tuple[float, ...] = ()
    """Milliseconds that small messages waited meanwhile."""


def payload_of(folder: Path, size: int) -> as2.Stretch:
    """Octets that compress to about a half and repeat only beyond what zlib sees."""
    file = SpoolFile(folder)
    block = os.urandom(_BLOCK // 2).hex().encode("ascii")
    while file.size < size:
        file.write(block[: size - file.size])
    return as2.Stretch(file)


def build(parties: Parties, payload: as2.Stretch, *, number: int, compress: bool, folder: Path) -> as2.Built:
    """A message of the supplier's."""
    return as2.build_message(
        payload,
        content_type="application/octet-stream",
        filename="drawings.tar",
        as2_from="ACME-AS2",
        as2_to="HARBORLINE",
        message_id=f"<large-{number}@bench>",
        date=datetime.now(UTC),
        subject="large",
        sign_with=parties.supplier,
        encrypt_for=parties.distributor,
        compress=compress,
        receipt=as2.ReceiptKind.SIGNED,
        spool=partial(SpoolFile, folder),
    )


async def receive(around: Surroundings, built: as2.Built, number: int) -> Figures:
    """Post it, with small ones beside it, and verify its receipt."""
    small = iter(load.unreadable(around.parties, 2000, size=4096, first=number * 10_000))
    waits: list[float] = []
    cpu, begun = around.cpu_seconds(), time.perf_counter()
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:

        async def small_ones() -> None:
            while True:
                one = next(small)
                asked = time.perf_counter()
                async with session.post(around.url, data=one.built.body, headers=dict(one.built.headers)) as answer:
                    await answer.read()
                    assert answer.status == 200, await answer.text()
                waits.append((time.perf_counter() - asked) * 1000)
                await asyncio.sleep(_PAUSE_SECONDS)

        beside = asyncio.create_task(small_ones())
        assert isinstance(built.body, as2.Stretch)
        data = StretchPayload(built.body, lambda _left: None)
        async with session.post(around.url, data=data, headers=dict(built.headers)) as answer:
            body = await answer.read()
            assert answer.status == 200, body
            headers = tuple(answer.headers.items())
        seconds = time.perf_counter() - begun
        beside.cancel()
        await asyncio.wait((beside,))
    sent = as2.Sent(message_id=built.message_id, mic=built.mic, mic_algorithm=built.mic_algorithm, signed=True)
    verdict = as2.read_receipt(
        headers, body, sent=sent, partner_certificates=around.parties.distributor, require_signature=True
    )
    assert verdict.processed, verdict
    assert verdict.mic_matched, verdict
    memory = around.memory_megabytes()
    return Figures(seconds=seconds, cpu=around.cpu_seconds() - cpu, memory=memory, small=tuple(waits))


async def send(around: Surroundings, size: int, folder: Path) -> Figures:
    """Queue a file as a command beside the server does; the supplier's station opens and receipts it."""
    arrived: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    runner = web.AppRunner(_station(around, folder, arrived), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", around.demo.ports["station"]).start()
    try:
        settings = workspace.load_settings(around.demo.gateway)
        agreement = next(one for one in workspace.load(around.demo.gateway).agreements if one.name == "acme")
        async with open_store(around.demo.gateway) as store:
            file = store.spool(kept=True)
            for piece in payload_of(folder, size).pieces():
                file.write(piece)
            wanted, now = file.sha256, datetime.now(UTC)
            message = outbound_message(
                settings,
                agreement,
                message_id=new_id(now),
                payload=file,
                content_type="application/octet-stream",
                filename="drawings.tar",
                now=now,
            )
            cpu, begun = around.cpu_seconds(), time.perf_counter()
            await store.apply(Changes(messages=(message,), jobs=(send_job(agreement, message.id, now),)))
            assert await asyncio.wait_for(arrived, _PATIENCE_SECONDS) == wanted, "it arrived changed"
            while True:
                stored = await store.message(message.id)
                if stored is not None and stored.state is MessageState.DELIVERED:
                    break
                await asyncio.sleep(0.1)
            seconds = time.perf_counter() - begun
            return Figures(seconds=seconds, cpu=around.cpu_seconds() - cpu, memory=around.memory_megabytes())
    finally:
        await runner.cleanup()


def _station(around: Surroundings, folder: Path, arrived: asyncio.Future[str]) -> web.Application:
    async def take(request: web.Request) -> web.Response:
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
        file = SpoolFile(folder)
        async for chunk in request.content.iter_chunked(1 << 20):
            await asyncio.to_thread(file.write, chunk)
        sha256, receipt = await asyncio.to_thread(_opened, around.parties, headers, file, folder)
        if not arrived.done():
            arrived.set_result(sha256)
        answer = web.Response(body=receipt.body)
        answer.headers.update(dict(receipt.headers))
        return answer

    application = web.Application()
    application.router.add_post("/as2", take)
    return application


def _opened(
    parties: Parties, headers: tuple[tuple[str, str], ...], file: SpoolFile, folder: Path
) -> tuple[str, as2.BuiltReceipt]:
    opened = as2.open_message(
        headers,
        as2.Stretch(file),
        keys=[parties.supplier],
        partner_certificates=parties.distributor,
        policy=as2.Policy(max_size=2**33, max_inflated=2**33),
        spool=partial(SpoolFile, folder),
    )
    state = hashlib.sha256()
    assert isinstance(opened.payload, as2.Stretch)
    for piece in opened.payload.pieces():
        state.update(piece)
    receipt = as2.build_receipt(
        request=opened.addressing,
        opened=opened,
        fault=None,
        key=parties.supplier,
        our_name="bench",
        message_id="<receipt-large@bench>",
        date=datetime.now(UTC),
    )
    return state.hexdigest(), receipt


def bare(size: int) -> float:
    """CPU seconds of one AES-256-CBC decryption and one SHA-256 over so many octets, in buffers of 1 MiB."""
    block = os.urandom(1 << 20)
    started = time.process_time()
    cipher = Cipher(algorithms.AES(os.urandom(32)), modes.CBC(os.urandom(16))).decryptor()
    state = hashlib.sha256()
    for _ in range(size >> 20):
        cipher.update(block)
        state.update(block)
    return time.process_time() - started


async def measure(size: int, shapes: list[str], show: Callable[[str], None]) -> float:
    """All shapes in one gateway; the most memory that it held, in MB."""
    most = max(4 * size, 1 << 28)
    async with surroundings(settings={"max_message_bytes": min(most, 2**32)}) as around:
        partner = around.demo.gateway / "partners" / "acme.yaml"
        text = partner.read_text(encoding="utf-8").replace("as2:\n", "as2:\n  timeout_seconds: 600\n", 1)
        partner.write_text(text, encoding="utf-8")
        folder = around.demo.folder / _SPOOL
        memory = around.memory_megabytes()
        show(f"  started: {memory:.0f} MB")
        for number, shape in enumerate(shapes):
            if shape == "out":
                figures = await send(around, size, folder)
            else:
                payload = await asyncio.to_thread(payload_of, folder, size)
                make = partial(build, around.parties, payload, number=number, compress=shape == "compressed")
                built = await asyncio.to_thread(make, folder=folder)
                figures = await receive(around, built, number)
            cost = await asyncio.to_thread(bare, size)
            waits = sorted(figures.small)
            meanwhile = (
                f"; 4 KB meanwhile: {statistics.median(waits):.0f} ms, at most {waits[-1]:.0f} ms ({len(waits)})"
                if waits
                else ""
            )
            show(
                f"  {shape:<10} {figures.seconds:6.1f} s, CPU {figures.cpu:5.1f} s ({figures.cpu / cost:.1f} x bare), "
                f"{size / figures.seconds / 1e6:.0f} MB/s, peak memory {figures.memory:.0f} MB{meanwhile}"
            )
            memory = figures.memory
        return memory


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; 1 when the gateway held more than 200 MB."""
    parser = argparse.ArgumentParser(prog="bench.large", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    options = parser.parse_args(arguments)
    size = int(options.gigabytes * 10**9)
    print(f"messages of {options.gigabytes:g} GB, signed and encrypted, synchronous signed MDN")
    memory = asyncio.run(measure(size, options.shapes, partial(print, flush=True)))
    return 0 if memory <= LIMIT_MB else 1


if __name__ == "__main__":
    sys.exit(main())
