"""Waiting with a partner: HTTP 102 (Processing) while its message is worked, where the agreement says so.

Only after the body was read and before the answer begins, as aiohttp itself sends 100 (Continue). To HTTP/1.1 only
(RFC 9110 15.2: nothing of the kind for a client of HTTP/1.0).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiohttp import ClientConnectionResetError, HttpVersion11, web

PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
T = TypeVar("T")


async def patiently(request: web.Request, work: Coroutine[Any, Any, T], seconds: float | None) -> T:
    """What `work` gives; every `seconds` that it takes the sender is told to wait on. None: never."""
    if seconds is None or request.version != HttpVersion11:
        return await work
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait((task,), timeout=seconds)
            if not task.done():
                # A sender who has gone hears nothing; the work goes on, its answer is for the repeat.
                with contextlib.suppress(ClientConnectionResetError, ConnectionError):
                    await request.writer.write(PROCESSING)
                    request.writer.output_size = 0  # nothing of the answer itself has been sent
    except asyncio.CancelledError:
        task.cancel()
        raise
    return task.result()
