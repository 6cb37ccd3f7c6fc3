"""The only place that joins ports to store, connectors and clock: from a workspace folder to a running gateway.

Nothing is decided here; each part is made once, in the order of its needs, and closed in the reverse one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.activation import Activation
from gateway.connectors.as2 import As2Connector
from gateway.connectors.folder import FolderConnector
from gateway.connectors.http import HttpConnector
from gateway.connectors.mapped import mapped_body
from gateway.connectors.revocation import CrlFetcher
from gateway.errors import OurFault
from gateway.findings import Finding
from gateway.mapping import JsonMap
from gateway.partners import checked, configuration, keys, workspace
from gateway.partners.agreement import Agreement
from gateway.partners.configuration import Configuration
from gateway.partners.confirmations import Confirmations, Stage
from gateway.partners.directory import Directory
from gateway.partners.hooks import hooks_of
from gateway.partners.inventory import Held, inventory
from gateway.partners.keyring_files import load_keyring
from gateway.partners.map_shelf import MapCache, MapShelf
from gateway.partners.revocation import CrlShelf
from gateway.partners.workspace import Workspace
from gateway.pipeline import composing, delivery, reading, receipting, sending
from gateway.pipeline.admission import guards
from gateway.pipeline.lanes import terms_of
from gateway.pipeline.reception import Reception
from gateway.pipeline.station import Station
from gateway.pipeline.submission import SubmissionDesk
from gateway.ports import Changes, Connector, Job
from gateway.settings import HttpTarget, Retries, Settings, Target
from gateway.store import Store, migrate
from gateway.web import Services, application, serve
from gateway.web.as2 import As2Endpoint
from gateway.web.metrics import Metrics
from gateway.worker import ExpiryWatch, Handler, OnDead, Schedule, Sealer, Worker

Step = Callable[[Station, Job], Awaitable[Changes]]

STEPS: Mapping[str, Step] = {
    "read": reading.read,
    "deliver": delivery.deliver,
    "compose": composing.compose,
    "send": sending.send,
    "overdue": sending.overdue,
    "receipt": receipting.send,
}
"""Every kind of work by its name in the job table."""

GIVEN_UP: Mapping[str, OnDead] = {
    "read": reading.given_up,
    "deliver": delivery.given_up,
    "compose": composing.given_up,
    "send": sending.given_up,
}
"""What else becomes true when a job of that kind is given up."""

BY_PARTNER = frozenset({"send"})
"""Steps that go to a partner's station, whose agreement may have retries of its own."""

GAUGES_SECONDS = 10
CONFIRMED_WITHIN = timedelta(minutes=10)
"""How far back the confirmations of other nodes are looked for each time: more than any commit or clock is late."""

UNSEALED_TIMES = 3
"""How many times `seal_seconds` an event may wait for its seal until the gateway says that it is not ready."""

CONNECTIONS = 256
"""Outbound connections at once, over all far sides."""


log = logging.getLogger(__name__)


def now() -> datetime:
    """The clock: aware, in UTC."""
    return datetime.now(UTC)


def load(folder: Path) -> Workspace:
    """The workspace in `folder`, the maps it names checked. Raises OurFault with all findings of all files."""
    return configuration.read(folder).workspace


def compile_bodies(folder: Path, target: HttpTarget, shelf: MapShelf | None = None) -> dict[str, JsonMap]:
    """The JSON maps that a target's calls name, by kind. Raises OurFault with all findings of a map."""
    maps = shelf or MapShelf(folder, hooks=hooks_of(folder))
    made: dict[str, JsonMap] = {}
    for kind, call in target.documents.items():
        if call.map is None:
            continue
        made[kind] = own = maps.json_map(call.map)
        if own.canonical != kind:
            raise OurFault(
                f"the map {call.map} is for {own.canonical}, not for {kind}", remedy="see it: gateway partner check"
            )
    return made


def database_url(folder: Path, settings: Settings) -> str:
    """The database's URL: GATEWAY_DATABASE_URL, else gateway.yaml's; a relative SQLite file is under the workspace."""
    url = os.environ.get("GATEWAY_DATABASE_URL") or settings.database.url
    prefix = "sqlite:///"
    if not url.startswith(prefix):
        return url
    path = folder.absolute() / url.removeprefix(prefix)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return f"{prefix}{path}"


@asynccontextmanager
async def open_store(folder: Path, *, serve: bool = False) -> AsyncIterator[Store]:
    """The store of a workspace, brought to this version's schema; safe beside a running `serve`."""
    settings = workspace.load_settings(folder)
    url = database_url(folder, settings)
    await migrate(url)
    store = await Store.open(url, payloads=folder / settings.database.payloads, clock=now, serve=serve)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_station(folder: Path) -> AsyncIterator[tuple[Station, Store]]:
    """Station and store of a workspace for a command, beside a running server or without one; no jobs are worked."""
    loaded = load(folder)
    async with open_store(folder) as store, _session() as session:
        store.agree(terms_of(loaded.settings, loaded.agreements))
        confirmations = Confirmations()
        await _remember(store, confirmations)  # or it would encrypt for another certificate than the server does
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="crypto") as crypto:
            yield make_station(loaded, store, session, crypto, confirmations=confirmations), store


def public_seal_key(folder: Path) -> Ed25519PublicKey:
    """The key that verifies the seals of this workspace's trail."""
    if (folder / keys.PUBLIC_SEAL_KEY).exists():  # no passphrase needed: an auditor need not have it
        return keys.load_public_seal_key(folder)
    return keys.load_seal_key(folder, workspace.load_settings(folder)).public_key()


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A gateway that listens."""

    address: str
    """`http://127.0.0.1:8080`"""
    store: Store
    worker: Worker
    activation: Activation[Parts]

    @property
    def station(self) -> Station:
        """As the active configuration has it."""
        return self.activation.current.built.station


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """All that is built of one configuration; whoever works a message takes one of these and keeps it to the end."""

    station: Station
    reception: Reception
    desk: SubmissionDesk
    services: Services
    schedule: Schedule
    schedules: Mapping[str, Schedule]
    """By partner, for what is sent to its station."""

    def schedule_of(self, job: Job) -> Schedule:
        """When a job that failed is tried again."""
        partner = job.lane.partition(":")[0] if job.step in BY_PARTNER else ""
        return self.schedules.get(partner, self.schedule)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Running]:
    """A whole gateway: store, worker, sealer, web. Ends in good order: no new work, then what runs, then the rest."""
    cache = MapCache(checked.remembered(folder / checked.FILE))
    seen = configuration.stamps(folder)
    first = configuration.read(folder, cache=cache)
    first.remember()
    loaded = first.workspace
    seal_key = keys.load_seal_key(folder, loaded.settings)
    keys.publish_seal_key(folder, seal_key)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(folder, serve=True))
        session = await stack.enter_async_context(_session())
        crypto = stack.enter_context(
            ThreadPoolExecutor(max_workers=(os.cpu_count() or 2) + 2, thread_name_prefix="crypto")
        )
        metrics = Metrics()
        confirmations = Confirmations()
        shelf = CrlShelf(folder)
        await _remember(store, confirmations)
        background: dict[str, asyncio.Task[None]] = {}
        owner = f"{socket.gethostname()}:{os.getpid()}"

        def words() -> dict[str, str]:
            return activation.words()

        def build(new: Configuration, before: Parts | None) -> Parts:
            settings = new.workspace.settings
            store.agree(terms_of(settings, new.workspace.agreements))
            _warn(new.workspace.findings, None if before is None else activation.current.configuration)
            station = make_station(
                new.workspace, store, session, crypto, new.maps, confirmations=confirmations, crls=shelf
            )
            desk = SubmissionDesk(station)
            if before is not None:
                desk = before.desk.at(station)
            services = Services(
                settings=settings,
                directory=station.directory,
                queries=store,
                keys=store,
                submissions=desk,
                ready=partial(_ready, store, background, loaded.settings.seal_seconds),
                clock=now,
                metrics=metrics,
                configuration=words,
                routes=() if before is None else before.services.routes,
            )
            return Parts(
                station=station,
                reception=Reception(station) if before is None else before.reception.at(station),
                desk=desk,
                services=services,
                schedule=_schedule(settings.retries),
                schedules=_schedules(new.workspace.agreements),
            )

        activation = Activation(
            folder,
            first,
            build(first, None),
            read=partial(_read_again, folder, cache),
            build=build,
            store=store,
            clock=now,
            node=owner,
            seen=seen,
        )
        await activation.begin()

        def working(step: Step) -> Handler:
            # The station is taken once: a step ends with the configuration that it began with.
            return lambda job: step(activation.current.built.station, job)

        def schedule(job: Job) -> Schedule:
            return activation.current.built.schedule_of(job)

        worker = Worker(
            store,
            {name: working(step) for name, step in STEPS.items()},
            now,
            owner=owner,
            on_dead=GIVEN_UP,
            schedule=schedule,
        )

        def committed(changes: Changes) -> None:
            for event in changes.events:
                metrics.record(event)
            confirmations.learn(changes.certificates)

        store.on_commit = committed
        store.taker = worker
        gauges = asyncio.create_task(_gauges(store, metrics, confirmations), name="gauges")
        stack.callback(gauges.cancel)
        sealer = Sealer(store, seal_key, interval=loaded.settings.seal_seconds / 2)
        await stack.enter_async_context(_background(worker, sealer, background))
        services = replace(
            activation.current.built.services, routes=_as2_routes(lambda: activation.current.built.reception)
        )
        web_side = application(services, lambda: activation.current.built.services)
        server = await serve(web_side, loaded.settings.listen, folder)
        stack.push_async_callback(server.close)
        expiry = ExpiryWatch(store, lambda: _certificates(activation.current.configuration), metrics.certificates, now)
        warning = asyncio.create_task(expiry.run(), name="certificates")
        stack.push_async_callback(_cancelled, warning)
        lists = CrlFetcher(shelf, lambda: _lists(activation.current.built.station), session, now)
        fetching = asyncio.create_task(lists.run(), name="revocation")
        stack.push_async_callback(_cancelled, fetching)
        watching = asyncio.create_task(activation.run(), name="activation")
        background["activation"] = watching
        watching.add_done_callback(_died)
        stack.push_async_callback(_cancelled, watching)
        yield Running(address=server.url, store=store, worker=worker, activation=activation)


def _warn(findings: Iterable[Finding], before: Configuration | None) -> None:
    """Say what a sound configuration is warned of: at the start all of it, later what is new.

    When certificates end says `ExpiryWatch`, whether the configuration changes or not.
    """
    told = {one.text for one in before.workspace.findings} if before is not None else set()
    for finding in findings:
        if finding.text not in told and finding.rule != "workspace.certificate_expiring":
            log.warning("%s [%s]", finding.text, finding.rule)


def _read_again(folder: Path, cache: MapCache) -> Configuration:
    known = set(cache.sound)
    found = configuration.read(folder, cache=cache)
    if set(cache.sound) != known:
        found.remember()
    return found


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait((task,))


def _schedule(retries: Retries) -> Schedule:
    return Schedule(
        seconds=tuple(float(one) for one in retries.schedule_seconds),
        give_up_after=timedelta(hours=float(retries.give_up_after_hours)),
        jitter=float(retries.jitter),
    )


def _schedules(agreements: Iterable[Agreement]) -> dict[str, Schedule]:
    """The schedules of partners that have one of their own."""
    own = ((one.name, one.as2.retries) for one in agreements if one.as2 is not None)
    return {name: _schedule(retries) for name, retries in own if retries is not None}


def make_station(
    loaded: Workspace,
    store: Store,
    session: aiohttp.ClientSession,
    crypto: Executor,
    shelf: MapShelf | None = None,
    *,
    confirmations: Confirmations | None = None,
    crls: CrlShelf | None = None,
) -> Station:
    """Who we are and whom we trade with, from a workspace. Raises OurFault for missing keys, certificates, secrets."""
    maps = shelf or MapShelf(loaded.folder, hooks=hooks_of(loaded.folder))
    settings, folder = loaded.settings, loaded.folder
    return Station(
        settings=settings,
        directory=Directory(loaded.agreements),
        versions=loaded.versions,
        maps=maps.of(configuration.agreed_maps(loaded)),
        guides=loaded.standard,
        partner_guides=loaded.guides,
        keyring=load_keyring(loaded, confirmations, crls),
        store=store,
        queries=store,
        clock=now,
        connectors={name: _connector(name, target, folder, session, maps) for name, target in settings.targets.items()},
        as2=As2Connector(loaded.agreements, folder, session, clock=now),
        crypto=crypto,
        guards=guards(loaded.agreements, folder),
    )


def _connector(
    name: str, target: Target, folder: Path, session: aiohttp.ClientSession, maps: MapShelf | None = None
) -> Connector:
    if isinstance(target, HttpTarget):
        body = mapped_body(compile_bodies(folder, target, maps))
        return HttpConnector(name, target, folder, session, body, clock=now)
    return FolderConnector(name, target, folder)


def _session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, limit_per_host=0)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)


def _as2_routes(current: Callable[[], Reception]) -> tuple[web.AbstractRouteDef, ...]:
    return As2Endpoint(current).routes()


async def _ready(store: Store, background: Mapping[str, asyncio.Task[None]], seal_seconds: int) -> dict[str, str]:
    """Checks for the load balancer, in words that strangers may read."""
    checks = {name: "stopped" if task.done() else "ok" for name, task in background.items()}
    try:
        await store.check()
        oldest = await store.oldest_unsealed()
    except OurFault:
        return checks | {"database": "not reachable"}
    late = oldest is not None and (now() - oldest).total_seconds() > UNSEALED_TIMES * seal_seconds
    return checks | {"database": "ok", "audit trail": "not sealed in time" if late else "ok"}


def _certificates(active: Configuration) -> tuple[Configuration, Callable[[], Sequence[Held]]]:
    found = active.workspace
    return active, lambda: inventory(found.folder, found.settings, found.agreements)


def _lists(station: Station) -> dict[str, tuple[x509.Certificate, ...]]:
    """The revocation lists that agreements ask, and who may sign each."""
    found: dict[str, tuple[x509.Certificate, ...]] = {}
    for one in station.keyring.revocations.values():
        for source in one.sources:
            found[source] = (*found.get(source, ()), *one.authorities)
    return found


async def _gauges(store: Store, metrics: Metrics, confirmations: Confirmations) -> None:
    """Keep the figures about work and what other nodes confirmed current.

    A database that does not answer is readiness's business.
    """
    while True:
        with contextlib.suppress(OurFault):
            metrics.jobs(await store.unfinished())
            await _remember(store, confirmations, since=now() - CONFIRMED_WITHIN)
        await asyncio.sleep(GAUGES_SECONDS)


async def _remember(store: Store, confirmations: Confirmations, since: datetime | None = None) -> None:
    """What was confirmed, by any node or an operator."""
    confirmations.learn(await store.certificate_steps(stage=Stage.CONFIRMED, since=since))


@asynccontextmanager
async def _background(worker: Worker, sealer: Sealer, tasks: dict[str, asyncio.Task[None]]) -> AsyncIterator[None]:
    """Worker and sealer beside the web server; the seal comes last, so that it covers what was finished at the end.

    `tasks` gets both by name. What killed one of them is logged when it dies.
    """
    for name, running_part in (("worker", worker.run()), ("sealer", sealer.run())):
        tasks[name] = asyncio.create_task(running_part, name=name)
        tasks[name].add_done_callback(_died)
    try:
        yield
    finally:
        await worker.stop()
        await asyncio.wait((tasks["worker"],))
        tasks["sealer"].cancel()
        await asyncio.wait((tasks["sealer"],))


def _died(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (fault := task.exception()) is not None:
        log.error("The %s died; the gateway is not ready until it is restarted", task.get_name(), exc_info=fault)
