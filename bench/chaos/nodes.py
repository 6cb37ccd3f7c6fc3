"""Gateway processes and the balancer before them: what is killed, frozen, and cut off in the middle of an answer."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from gateway.errors import OurFault

READY_SECONDS = 90
READINESS_SECONDS = 3
"""A node that takes longer to say that it is ready is not."""
_LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")
_MESSAGE_ID = re.compile(rb"^message-id: *(.+?)\r$", re.IGNORECASE | re.MULTILINE)
_LENGTH = re.compile(rb"^content-length: *(\d+)\r$", re.IGNORECASE | re.MULTILINE)


@dataclass(kw_only=True)
class Node:
    """`gateway serve` on a port of its own choice."""

    workspace: Path
    log: Path
    module: str = "gateway"
    environment: Mapping[str, str] = field(default_factory=dict)
    """Beside that of this process."""
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, and wait until it says where it listens. Raises OurFault with the end of its log."""
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220  it does not wait for it
                [sys.executable, "-m", self.module, "serve", "--workspace", str(self.workspace)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **self.environment},
            )
        for _ in range(READY_SECONDS * 20):
            said = self.log.read_bytes()[before:].decode(errors="replace")
            if found := _LISTENING.search(said):
                self.port = int(found[1])
                return
            if self.process.poll() is not None:
                raise OurFault(f"the gateway ended with code {self.process.returncode}\n{said[-2000:]}")
            await asyncio.sleep(0.05)
        raise OurFault(f"the gateway did not get ready in {READY_SECONDS} s\n{said[-2000:]}")

    @property
    def name(self) -> str:
        """Its own among the nodes of a site."""
        return self.log.stem

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.process is not None
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """SIGTERM; SIGKILL when that does not help."""
        if not self.alive:
            return
        assert self.process is not None
        os.kill(self.pid, signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass(kw_only=True)
class Balancer:
    """Layer 4: asks readiness ten times a second, gives new connections to the ready nodes in turn.

    While `cutting` is set, it breaks so many answers off: after some octets by chance, none perhaps, to the sender; the
    node has answered in full. What a sender was, or would have been, answered to each Message-ID is kept as a hash.
    """

    nodes: list[Node]
    port: int
    chance: random.Random
    cutting: int = 0
    cut: int = 0
    receipts: dict[bytes, set[str]] = field(default_factory=dict)
    """By Message-ID: SHA-256 of the bodies of all answers with status 200."""
    ready: list[Node] = field(default_factory=list)
    _turn: int = 0
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    async def close(self) -> None:
        """Hang up on everybody."""
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def watch(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=READINESS_SECONDS)) as http:
            while True:
                found = await asyncio.gather(*(_is_ready(http, node) for node in self.nodes))
                self.ready = [node for node, ready in zip(self.nodes, found, strict=True) if ready]
                await asyncio.sleep(0.1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client; a node that does not even connect is passed over."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            for node in self._candidates():
                try:
                    theirs, ours = await asyncio.open_connection("127.0.0.1", node.port)
                except OSError:
                    continue
                await self._exchanges(reader, writer, theirs, ours)
                break
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort() if writer.transport.is_closing() else writer.close()

    def _candidates(self) -> list[Node]:
        self._turn += 1
        at = self._turn % max(len(self.ready), 1)
        return self.ready[at:] + self.ready[:at]

    async def _exchanges(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        theirs: asyncio.StreamReader,
        ours: asyncio.StreamWriter,
    ) -> None:
        """Requests and answers in turn, each with its length: the load and the gateway write no others."""
        try:
            while True:
                request = await _whole(reader)
                ours.write(request)
                await ours.drain()
                answer = await _whole(theirs)
                found = _MESSAGE_ID.search(request.partition(b"\r\n\r\n")[0] + b"\r")
                if found is not None and answer.startswith(b"HTTP/1.1 200"):
                    self._note(found[1], answer)
                    if self.cutting > 0:
                        self.cutting -= 1
                        self.cut += 1
                        writer.write(answer[: self.chance.randrange(len(answer))])
                        await writer.drain()
                        writer.transport.abort()
                        return
                writer.write(answer)
                await writer.drain()
        finally:
            ours.close()

    def _note(self, message_id: bytes, answer: bytes) -> None:
        body = answer.partition(b"\r\n\r\n")[2]
        self.receipts.setdefault(message_id, set()).add(hashlib.sha256(body).hexdigest())


async def _is_ready(http: aiohttp.ClientSession, node: Node) -> bool:
    with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
        async with http.get(f"http://127.0.0.1:{node.port}/health/ready") as answer:
            return answer.status == 200
    return False


async def _whole(reader: asyncio.StreamReader) -> bytes:
    """A message with its head and as many octets as that says."""
    head = await reader.readuntil(b"\r\n\r\n")
    found = _LENGTH.search(head)
    return head + await reader.readexactly(int(found[1]) if found else 0)
