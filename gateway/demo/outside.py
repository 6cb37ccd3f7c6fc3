"""Looking from the outside: the ERPs' databases, the supplier's mailbox, HTTP answers, the audit command.

What the walk claims is checked here, never inside the gateway.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from gateway.demo.workspaces import Demo
from gateway.errors import OurFault

PATIENCE_SECONDS = 30

T = TypeVar("T")


class Unproven(Exception):  # noqa: N818  the walk's one verdict against itself
    """An effect that should be visible from the outside is not."""


def prove(fact: object, claim: str) -> None:
    """Raise Unproven unless `fact` holds."""
    if not fact:
        raise Unproven(claim)


async def eventually(look: Callable[[], Awaitable[T | None]], claim: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Look again and again until there is something to see. Raises Unproven with `claim`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = await look()
        if seen:
            return seen
        await asyncio.sleep(0.1)
    raise Unproven(f"{claim} (waited {seconds:.0f} s)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Http:
    """Plain HTTP as a supplier's or ERP's program would use it."""

    session: aiohttp.ClientSession
    base: str
    token: str | None = None

    async def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Status, decoded JSON (or text) and headers."""
        sent = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        async with self.session.request(method, self.base + path, json=body, headers=sent) as answer:
            text = await answer.text()
            decoded = json.loads(text) if "json" in answer.content_type else text
            return answer.status, decoded, answer.headers

    async def post(self, path: str, body: object, *, key: str | None = None) -> Any:
        """POST and expect 202."""
        status, answer, _ = await self.call("POST", path, body, {"Idempotency-Key": key} if key else None)
        prove(status == 202, f"POST {path} answered {status}: {answer}")  # noqa: PLR2004
        return answer

    async def get(self, path: str) -> Any:
        """GET and expect 200."""
        status, answer, _ = await self.call("GET", path)
        prove(status == 200, f"GET {path} answered {status}: {answer}")  # noqa: PLR2004
        return answer


def erp_documents(demo: Demo, erp: str, kind: str) -> list[dict[str, Any]]:
    """What an ERP has in its own database."""
    return _rows(demo.database(erp), "SELECT kind, number, body, key FROM document WHERE kind = ?", (kind,))


def erp_calls(demo: Demo, erp: str, path: str) -> list[dict[str, Any]]:
    """Every call that an ERP got, with what it answered."""
    return _rows(demo.database(erp), "SELECT path, key, status, what FROM call WHERE path = ? ORDER BY rowid", (path,))


def _rows(database: Path, statement: str, parameters: tuple[str, ...]) -> list[dict[str, Any]]:
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(statement, parameters)]


def mailbox(demo: Demo, kind: str) -> list[dict[str, Any]]:
    """The canonical documents in the supplier's mailbox folder."""
    folder = demo.station / "data" / "mailbox" / kind
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


async def command(workspace: Path, *arguments: str, code: int = 0) -> str:
    """Run `gateway ARGUMENTS` beside the running processes; its output. Raises OurFault when it ends otherwise."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "GATEWAY_WORKSPACE": str(workspace), "NO_COLOR": "1"},
    )
    output, errors = await process.communicate()
    if process.returncode != code:
        told = (errors or output).decode(errors="replace")[-2000:]
        raise OurFault(f"gateway {' '.join(arguments)} ended with {process.returncode}: {told}")
    return output.decode()
