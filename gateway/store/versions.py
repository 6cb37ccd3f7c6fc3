"""Versions by hash: one row for each agreement, map and guide that was ever in use, one for each text they are made of.

A base map that 500 deltas extend is stored once. Rows are added, never changed.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, select

from gateway.errors import OurFault
from gateway.ports import Source, Version, VersionKind
from gateway.store.statements import add_or_leave
from gateway.store.tables import version, version_source

MAX_BYTES = 64 * 1024 * 1024
"""Of one text, inflated: more than any file that the gateway reads."""
AT_ONCE = 400
"""Hashes in one question."""


def put(connection: Connection, versions: Sequence[Version], now: datetime) -> int:
    """Add what is not there; how many versions were new."""
    known = set()
    hashes = iter(sorted({one.hash for one in versions}))
    while some := tuple(islice(hashes, AT_ONCE)):
        rows = connection.execute(
            select(version.c.kind, version.c.hash, version.c.name).where(version.c.hash.in_(some))
        )
        known |= {tuple(row) for row in rows}
    new = [one for one in versions if (one.kind.value, one.hash, one.name) not in known]
    texts: dict[str, bytes] = {}
    for one in new:
        named = [(source.name, source.file, _sha256(source.content)) for source in one.sources]
        texts.update({sha256: source.content for (_, _, sha256), source in zip(named, one.sources, strict=True)})
        row = {
            "kind": one.kind.value,
            "hash": one.hash,
            "name": one.name,
            "gateway": one.gateway,
            "first_seen": now,
            "sources": named,
        }
        add_or_leave(connection, version, row)
    for sha256, text in sorted(texts.items()):
        add_or_leave(connection, version_source, {"sha256": sha256, "content": zlib.compress(text)})
    return len(new)


def get(connection: Connection, kind: VersionKind, hash_: str) -> Version | None:
    """The version of this hash; of several names for one content the one that came first."""
    statement = select(version).where(version.c.kind == kind.value, version.c.hash == hash_)
    row = connection.execute(statement.order_by(version.c.first_seen, version.c.name).limit(1)).one_or_none()
    if row is None:
        return None
    wanted = [sha256 for _, _, sha256 in row.sources]
    found = connection.execute(select(version_source).where(version_source.c.sha256.in_(wanted)))
    texts = {one.sha256: _inflated(one.sha256, one.content) for one in found}
    if missing := [file for _, file, sha256 in row.sources if sha256 not in texts]:
        raise _damaged(f"{kind.value} {row.name} {hash_} lacks {', '.join(missing)}")
    sources = tuple(Source(name=name, file=file, content=texts[sha256]) for name, file, sha256 in row.sources)
    return Version(
        kind=kind, hash=hash_, name=row.name, gateway=row.gateway, sources=sources, first_seen=row.first_seen
    )


def names(connection: Connection, kind: VersionKind, hashes: Iterable[str]) -> dict[str, str]:
    """Name by hash, for those that are there."""
    statement = select(version.c.hash, version.c.name).where(
        version.c.kind == kind.value, version.c.hash.in_(tuple(hashes))
    )
    return {row.hash: row.name for row in connection.execute(statement.order_by(version.c.first_seen.desc()))}


def _inflated(sha256: str, content: bytes) -> bytes:
    try:
        text = zlib.decompressobj().decompress(content, MAX_BYTES)
    except zlib.error:
        text = b""
    if _sha256(text) != sha256:
        raise _damaged(f"the text with SHA-256 {sha256} is not what it was")
    return text


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _damaged(what: str) -> OurFault:
    return OurFault(f"In the store {what}", remedy="restore the tables version and version_source from a backup")
