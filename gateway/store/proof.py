"""A message's events and their seals for somebody who verifies them without the gateway. Only reads, judges nothing."""

from __future__ import annotations

from sqlalchemy import Connection, select

from gateway.ports import ProvenEvent, ProvenSeal, TrailProof
from gateway.store import seals, trail
from gateway.store.tables import event, seal


def of(connection: Connection, *, message_id: str) -> TrailProof:
    """The chain of one message and the seals that cover it, as one reading."""
    rows = connection.execute(select(event).where(event.c.message_id == message_id).order_by(event.c.number)).all()
    numbers = sorted({row.seal for row in rows if row.seal is not None})
    found = connection.execute(select(seal).where(seal.c.number.in_(numbers)).order_by(seal.c.number)).all()
    return TrailProof(
        events=tuple(
            ProvenEvent(
                number=row.number,
                kind=row.kind,
                at=row.at,
                data=row.data,
                hashed=trail.hashed_bytes(row),
                hash=row.hash,
                seal=row.seal,
            )
            for row in rows
        ),
        seals=tuple(
            _proven(seals.Seal(**row._mapping))  # noqa: SLF001  SQLAlchemy's public name
            for row in found
        ),
    )


def _proven(one: seals.Seal) -> ProvenSeal:
    return ProvenSeal(
        number=one.number,
        at=one.at,
        signed=seals.signed_bytes(one),
        signature=one.signature,
        key=one.key,
        entries=one.entries,
        hash=seals.seal_hash(one),
    )
