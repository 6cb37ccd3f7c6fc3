"""How far certificates have come between us and each partner, and which warnings were given: rows that only come.

A row is written the first time and never changed; whoever writes it first has given the warning, on all nodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select

from gateway.events import CertificateExpiring
from gateway.partners.confirmations import Reached, Stage, Whose
from gateway.store.statements import add_or_leave
from gateway.store.tables import certificate_step

MOST = 100_000
"""Rows read at once."""


def add(connection: Connection, reached: Iterable[Reached], now: datetime) -> tuple[Reached, ...]:
    """Add those that are not there; which were new."""
    return tuple(one for one in reached if add_or_leave(connection, certificate_step, _row(one, now)))


def reached(
    connection: Connection, *, partner: str | None = None, stage: Stage | None = None, since: datetime | None = None
) -> list[Reached]:
    """The steps of certificates, in the order of their times."""
    statement = select(certificate_step).where(certificate_step.c.step.in_([one.value for one in Stage]))
    if partner is not None:
        statement = statement.where(certificate_step.c.partner == partner)
    if stage is not None:
        statement = statement.where(certificate_step.c.step == stage.value)
    if since is not None:
        statement = statement.where(certificate_step.c.at >= since)
    rows = connection.execute(statement.order_by(certificate_step.c.at).limit(MOST))
    return [
        Reached(
            partner=row.partner,
            whose=Whose(row.whose),
            fingerprint=row.fingerprint,
            stage=Stage(row.step),
            how=row.how,
            message_id=row.message_id,
            at=row.at,
        )
        for row in rows
    ]


def first_warning(connection: Connection, warning: CertificateExpiring, now: datetime) -> bool:
    """Note a warning; whether nobody has given it before."""
    row = {
        "partner": warning.partner or "",
        "whose": warning.role,
        "fingerprint": warning.certificate,
        "step": f"warned {warning.threshold}",
        "how": warning.file,
        "message_id": warning.message_id,
        "at": now,
    }
    return add_or_leave(connection, certificate_step, row)


def _row(one: Reached, now: datetime) -> dict[str, object]:
    return {
        "partner": one.partner,
        "whose": one.whose.value,
        "fingerprint": one.fingerprint,
        "step": one.stage.value,
        "how": one.how,
        "message_id": one.message_id,
        "at": now,
    }
