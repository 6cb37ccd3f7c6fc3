"""Durable state: messages, documents, jobs, the audit trail, API keys; one store on SQLite or PostgreSQL.

`await migrate(url)`, then `await Store.open(url, …)`. It keeps the Protocols Store, Queries, Keys of `gateway.ports`.
"""

from gateway.store.lanes import Lane
from gateway.store.retention import RetentionLine
from gateway.store.retention_holds import LegalHold
from gateway.store.schedules import Scheduled
from gateway.store.schema import head, migrate
from gateway.store.store import Store
from gateway.store.upkeep import PayloadReport, Stuck
from gateway.store.verify import Problem, Verification

__all__ = [
    "Lane",
    "LegalHold",
    "PayloadReport",
    "Problem",
    "RetentionLine",
    "Scheduled",
    "Store",
    "Stuck",
    "Verification",
    "head",
    "migrate",
]
