"""What the web layer needs, joined once by `gateway.wiring`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web

from gateway import canonical
from gateway.partners.agreement import Agreement
from gateway.ports import Clock, Keys, Queries, Submissions, Tracing
from gateway.ports.tracing import NoTracing
from gateway.settings import Settings
from gateway.web.metrics import Metrics


class Agreements(Protocol):
    """What the web layer asks the directory."""

    def by_name(self, name: str) -> Agreement | None:
        """The agreement of this name, if it exchanges documents."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """Ports and settings behind the HTTP border."""

    settings: Settings
    directory: Agreements
    queries: Queries
    keys: Keys
    submissions: Submissions
    ready: Callable[[], Awaitable[Mapping[str, str]]]
    """Checks by name: `ok`, or what is wrong in words that strangers may read."""
    clock: Clock
    metrics: Metrics = field(default_factory=Metrics)
    schema: Callable[[str], Mapping[str, Any]] = canonical.schema
    configuration: Callable[[], Mapping[str, str]] = dict
    """What is active and how the last change went, in words that strangers may read."""
    routes: tuple[web.AbstractRouteDef, ...] = ()
    """Further routes with their own manners, such as the AS2 address; they are not part of the OpenAPI document."""
    tracing: Tracing = field(default_factory=NoTracing)
    draining: Callable[[], bool] = lambda: False
    """Whether this process was told to stop: each answer then ends its connection, so that callers go elsewhere."""
