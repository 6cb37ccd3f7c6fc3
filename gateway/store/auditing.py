"""The store's audit duties: sealing the trail and verifying it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select

from gateway.ports import Clock
from gateway.store import contents, seals, verify
from gateway.store.database import Database
from gateway.store.payloads import Payloads
from gateway.store.tables import event
from gateway.store.verify import Problem, Verification, Wrong


class Auditing:
    """Seals, verification."""

    database: Database
    payloads: Payloads
    clock: Clock

    async def seal(self, key: Ed25519PrivateKey) -> int:
        """Seal everything that is not sealed yet; how many events that were. Each seal is one commit."""
        total = 0
        while True:
            count = await self.database.write(partial(seals.make, key=key, now=self.clock()))
            total += count
            if count < seals.MOST:
                return total

    async def oldest_unsealed(self) -> datetime | None:
        """When the first event that is not sealed yet was written."""
        first = select(event.c.at).where(event.c.seal.is_(None)).order_by(event.c.id).limit(1)
        return await self.database.read(lambda connection: connection.execute(first).scalar())

    async def verify(
        self,
        keys: Sequence[Ed25519PublicKey],
        *,
        anchor: tuple[int, str] | None = None,
        read_bytes: bool = True,
    ) -> Verification:
        """Recompute the whole trail. `keys` are the public keys seals may be signed with, old ones included.

        `anchor` is number and hash of a seal as noted elsewhere at an earlier verification: with it, a trail whose
        newest seals were cut off, or that was made anew with a stolen key, is found out.

        Documents, and the hashes that stand with messages, are held against the events; `read_bytes` reads every
        payload that is not purged, too.
        """
        known = {seals.key_name(key): key for key in keys}
        problems: list[Problem] = []
        before: seals.Seal | None = None
        count = 0
        while (
            this := await self.database.read(partial(verify.next_seal, after=before.number if before else 0))
        ) is not None:
            problems += verify.check_seal(this, before, known)
            problems += await self.database.read(partial(verify.check_events, this=this))
            if anchor is not None and this.number == anchor[0] and seals.seal_hash(this) != anchor[1]:
                detail = "its hash is not the one noted elsewhere"
                problems.append(Problem(what=Wrong.SEAL_CHANGED, detail=detail, seal=this.number))
            before, count = this, count + 1
        if anchor is not None and anchor[0] > (before.number if before else 0):
            detail = "it was noted elsewhere and is gone"
            problems.append(Problem(what=Wrong.SEAL_REMOVED, detail=detail, seal=anchor[0]))
        problems += await self.database.read(verify.check_claims)
        unsealed, last, oldest = 0, 0, None
        while True:
            wrong, found, end, since = await self.database.read(partial(verify.check_unsealed, after=last))
            if end is None:
                break
            problems += wrong
            unsealed, last = unsealed + found, end
            oldest = min(filter(None, (oldest, since)), default=None)
        problems += await self._check_contents(read_bytes=read_bytes)
        return Verification(
            seals=count,
            sealed=await self.database.read(verify.count_sealed),
            unsealed=unsealed,
            oldest_unsealed=oldest,
            last_seal=before.number if before else None,
            last_hash=seals.seal_hash(before) if before else None,
            problems=tuple(problems),
        )

    async def _check_contents(self, *, read_bytes: bool) -> list[Problem]:
        problems: list[Problem] = []
        message_id: str | None = ""
        while message_id is not None and len(problems) < verify.SHOWN:
            check = partial(contents.check_messages, after=message_id, read_bytes=read_bytes)
            wrong, files, message_id = await self.database.read(check)
            problems += wrong
            for file in files:
                found = await asyncio.to_thread(contents.check_file, self.payloads, file)
                if found is not None and await self.database.read(partial(contents.is_current, file=file)):
                    problems.append(found)
        event_id: int | None = 0
        while event_id is not None and len(problems) < verify.SHOWN:
            wrong, event_id = await self.database.read(partial(contents.check_documents, after=event_id))
            problems += wrong
        return problems
