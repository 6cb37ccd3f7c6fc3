"""Durable state: messages, documents, jobs, the audit trail, API keys; one store on SQLite or PostgreSQL.

`await migrate(url)`, then `await Store.open(url, …)`. It keeps the Protocols Store, Queries, Keys of `gateway.ports`.
"""

from gateway.store.lanes import Lane
from gateway.store.schema import head, migrate
from gateway.store.store import Store
from gateway.store.verify import Problem, Verification

__all__ = ["Lane", "Problem", "Store", "Verification", "head", "migrate"]
