"""The only place that joins ports to store, connectors and clock: from a workspace folder to a running gateway.

Nothing is decided here; each part is made once, in the order of its needs, and closed in the reverse one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
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

from gateway.activation import Activation, last_activated
from gateway.connectors.as2 import As2Connector
from gateway.connectors.folder import FolderConnector
from gateway.connectors.http import HttpConnector
from gateway.connectors.mapped import mapped_body
from gateway.connectors.revocation import CrlFetcher
from gateway.errors import OurFault
from gateway.findings import Finding
from gateway.mapping import JsonMap
from gateway.observation import Observation
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
from gateway.pipeline import (
    composing,
    delivery,
    notifying,
    reading,
    receipting,
    releasing,
    replaying_step,
    saga,
    sending,
    versions,
    waiting,
)
from gateway.pipeline.admission import guards
from gateway.pipeline.lanes import terms_of
from gateway.pipeline.reception import Reception
from gateway.pipeline.station import Station
from gateway.pipeline.submission import SubmissionDesk
from gateway.ports import CONFIGURATION, Changes, Connector, Job, Node, NodeState, WebhookPost
from gateway.publication import NOTIFY, Announcer, Subscribers
from gateway.publishers import Publishers, Publishing
from gateway.settings import Call, HttpTarget, Retries, Settings, Target
from gateway.store import Store, head, migrate
from gateway.web import Services, application, serve
from gateway.web.as2 import As2Endpoint
from gateway.worker import (
    Accord,
    Duties,
    ExpiryWatch,
    Handler,
    OnDead,
    OnFailed,
    Presence,
    Schedule,
    Sealer,
    Worker,
    keeping,
)

Step = Callable[[Station, Job], Awaitable[Changes]]

STEPS: Mapping[str, Step] = {
    "read": reading.read,
    "deliver": delivery.deliver,
    "settle": saga.settle,
    "undo": saga.undo,
    "compose": composing.compose,
    "send": sending.send,
    "overdue": waiting.unacknowledged,
    "unanswered": waiting.unanswered,
    "unshipped": waiting.unanswered,
    "match": releasing.look,
    "release": releasing.release,
    "receipt": receipting.send,
    "replay": replaying_step.replay,
}
"""Every kind of work by its name in the job table."""

GIVEN_UP: Mapping[str, OnDead] = {
    "read": reading.given_up,
    "compose": composing.given_up,
    "send": sending.given_up,
}
"""What else becomes true when a job of that kind is given up."""

FAILED: Mapping[str, OnFailed] = {"deliver": delivery.failed, "undo": saga.undo_failed}
"""What else becomes true when a try of that kind failed, whether it is tried again or given up."""

BY_PARTNER = frozenset({"send"})
"""Steps that go to a partner's station, whose agreement may have retries of its own."""

REMEMBER_SECONDS = 10
CONFIRMED_WITHIN = timedelta(minutes=10)
"""How far back the confirmations of other nodes are looked for each time: more than any commit or clock is late."""

UNSEALED_TIMES = 3
"""How many times `seal_seconds` an event may wait for its seal until the gateway says that it is not ready."""

DRAIN_SECONDS = {"postgresql": 5.0, "sqlite": 0.0}
"""`nodes.drain_seconds` where it is not set: no other node could take over what an SQLite file's does."""

ARRIVES_WITHIN = 3
"""Looks, or beats, within which a changed configuration is on every node that shares the files."""

CONNECTIONS = 256
"""Outbound connections at once, over all far sides."""


log = logging.getLogger(__name__)


def now() -> datetime:
    """The clock: aware, in UTC."""
    return datetime.now(UTC)


def load(folder: Path) -> Workspace:
    """The workspace in `folder`, the maps it names checked. Raises OurFault with all findings of all files."""
    return configuration.read(folder).workspace


def compile_bodies(
    folder: Path, target: HttpTarget, shelf: MapShelf | None = None, *, use: str = "deliver"
) -> dict[str, JsonMap]:
    """The JSON maps that a target's calls name, by kind; `use` says which: deliver, undo or replace.

    Raises OurFault with all findings of a map.
    """
    maps = shelf or MapShelf(folder, hooks=hooks_of(folder))
    made: dict[str, JsonMap] = {}
    for kind, call in target.documents.items():
        name = BODIES[use](call)
        if name is None:
            continue
        made[kind] = own = maps.json_map(name)
        if own.canonical != kind:
            raise OurFault(
                f"the map {name} is for {own.canonical}, not for {kind}", remedy="see it: gateway partner check"
            )
    return made


BODIES: Mapping[str, Callable[[Call], str | None]] = {
    "deliver": lambda call: call.map,
    "undo": lambda call: call.compensate.map if call.compensate else None,
    "replace": lambda call: (call.replace.map or call.map) if call.replace else None,
}
"""The map of each way of calling a target."""


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
        announcer = Announcer.of(loaded.settings, Subscribers.of(loaded.settings, loaded.agreements))
        store.announcer = lambda: announcer
        confirmations = Confirmations()
        await _remember(store, confirmations)  # or it would encrypt for another certificate than the server does
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="crypto") as crypto:
            yield make_station(loaded, _agreeing(store, loaded), session, crypto, confirmations=confirmations), store


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
    presence: Presence

    async def drain(self, hurry: asyncio.Event) -> None:
        """Be no longer ready, claim nothing, end what runs; answer on until the balancer has seen it, or `hurry`."""
        with contextlib.suppress(OurFault):  # it drains, whether others can be told or not
            await self.presence.enter(NodeState.DRAINING)
        told = self.activation.current.configuration.workspace.settings.nodes.drain_seconds
        seconds = DRAIN_SECONDS[self.store.database.dialect] if told is None else float(told)
        stopping = asyncio.create_task(self.worker.stop())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hurry.wait(), seconds)
        await stopping

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
    publishing: Publishing

    def schedule_of(self, job: Job) -> Schedule:
        """When a job that failed is tried again."""
        if job.step == NOTIFY:
            webhook = self.publishing.subscribers.endpoints.get(str(job.data.get("endpoint")))
            return self.schedule if webhook is None else _schedule(webhook.webhook.retries)
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
        publishers = await stack.enter_async_context(Publishers(folder, session, now))
        crypto = stack.enter_context(
            ThreadPoolExecutor(max_workers=(os.cpu_count() or 2) + 2, thread_name_prefix="crypto")
        )
        confirmations, shelf = Confirmations(), CrlShelf(folder)
        await _remember(store, confirmations)
        await _tell_stuck(store)
        background: dict[str, asyncio.Task[None]] = {}
        presence = Presence(
            store,
            _node(loaded.settings),
            clock=now,
            configuration=lambda: activation.current.configuration.version,
        )
        owner = presence.ours.id
        observation = await stack.enter_async_context(
            Observation.of(store, presence.ours, loaded.settings, folder, url=database_url(folder, loaded.settings))
        )

        def words() -> dict[str, str]:
            return {**activation.words(), **accord.words()}

        def draining() -> bool:
            return presence.ours.state is NodeState.DRAINING

        def build(new: Configuration, before: Parts | None) -> Parts:
            settings = new.workspace.settings
            _warn(new.workspace.findings, None if before is None else activation.current.configuration)
            publishing = publishers.of(
                settings, new.workspace.agreements, None if before is None else before.publishing
            )
            station = make_station(
                new.workspace,
                _agreeing(store, new.workspace),
                session,
                crypto,
                new.maps,
                confirmations=confirmations,
                crls=shelf,
                webhooks=publishing.webhooks,
            )
            desk = SubmissionDesk(station) if before is None else before.desk.at(station)
            services = Services(
                settings=settings,
                directory=station.directory,
                queries=store,
                keys=store,
                submissions=desk,
                ready=partial(_ready, store, background, loaded.settings.seal_seconds, draining),
                clock=now,
                metrics=observation.metrics,
                tracing=observation.tracing,
                configuration=words,
                draining=draining,
                routes=() if before is None else before.services.routes,
            )
            return Parts(
                station=station,
                reception=Reception(station) if before is None else before.reception.at(station),
                desk=desk,
                services=services,
                schedule=_schedule(settings.retries),
                schedules=_schedules(new.workspace.agreements),
                publishing=publishing,
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
        accord = Accord(
            partial(_newest, store),
            patience=lambda: _patience(activation.current.configuration.workspace.settings),
        )
        presence.looked = accord.look
        await activation.begin()
        await presence.enter(NodeState.STARTING)
        stack.push_async_callback(presence.leave)

        def working(name: str, step: Step) -> Handler:
            # The station is taken once: a step ends with the configuration that it began with.
            return observation.seen(name, lambda job: step(activation.current.built.station, job))

        def schedule(job: Job) -> Schedule:
            return activation.current.built.schedule_of(job)

        worker = Worker(
            store,
            {name: working(name, step) for name, step in STEPS.items()},
            now,
            owner=owner,
            on_dead=GIVEN_UP,
            on_failed=FAILED,
            schedule=schedule,
        )

        worker.aside = lambda: accord.aside

        def committed(changes: Changes) -> None:
            observation.committed(changes)
            confirmations.learn(changes.certificates)

        store.on_commit, presence.returned = publishers.told(committed), worker.wake
        store.taker = worker
        _beside(stack, observation.run(), "figures")
        _beside(stack, _remembering(store, confirmations), "confirmations")
        sealer = Sealer(store, seal_key, interval=loaded.settings.seal_seconds / 2)
        await stack.enter_async_context(_background(worker, sealer, background))
        await stack.enter_async_context(
            publishers.working(
                store,
                lambda: activation.current.built.publishing,
                working(NOTIFY, notifying.notify),
                schedule,
                owner=owner,
                died=_died,
            )
        )
        services = replace(
            activation.current.built.services, routes=_as2_routes(lambda: activation.current.built.reception)
        )
        web_side = application(services, lambda: activation.current.built.services)
        server = await serve(web_side, loaded.settings.listen, folder)
        stack.push_async_callback(server.close)
        _look_after(stack, store, owner, activation, observation)
        _beside(
            stack,
            CrlFetcher(shelf, lambda: _lists(activation.current.built.station), session, now).run(),
            "revocation",
        )
        _beside(stack, activation.run(), "activation", background)
        await presence.enter(NodeState.READY)
        _beside(stack, presence.run(), "node", background)
        yield Running(address=server.url, store=store, worker=worker, activation=activation, presence=presence)


def _look_after(
    stack: AsyncExitStack, store: Store, owner: str, activation: Activation[Parts], observation: Observation
) -> None:
    """Certificates that come near their end, and what one node does at a time."""
    expiry = ExpiryWatch(
        store, lambda: _certificates(activation.current.configuration), observation.metrics.certificates, now
    )
    _beside(stack, expiry.run(), "certificates")
    duties = keeping(store, lambda: activation.current.configuration.workspace)
    _beside(stack, Duties(store, owner, duties, clock=now).run(), "duties")


async def _tell_stuck(store: Store) -> None:
    """Work of another version that nobody here will claim: somebody should know from the log, too."""
    for one in await store.stuck_work(STEPS):
        log.warning(
            "%d jobs wait for the step %s, which this version does not know: gateway message list --stuck",
            one.jobs,
            one.step,
        )


async def _newest(store: Store) -> str | None:
    """The configuration that was activated last, by any node."""
    last = last_activated(await store.newest_events(CONFIGURATION))
    return None if last is None else str(last.data["version"])


def _patience(settings: Settings) -> float:
    """How long a changed configuration may take to arrive at every node."""
    return ARRIVES_WITHIN * max(float(settings.reload_seconds), float(settings.nodes.heartbeat_seconds))


def _node(settings: Settings) -> Node:
    """This process; its id is its own even where host and process id come again, as they do in containers."""
    host, pid, at = socket.gethostname(), os.getpid(), now()
    return Node(
        id=f"{host}:{pid}:{secrets.token_hex(3)}",
        host=host,
        pid=pid,
        started_at=at,
        seen_at=at,
        beats=0,
        beat_seconds=float(settings.nodes.heartbeat_seconds),
        gateway=versions.gateway_version(),
        schema=head(),
        configuration="",
        state=NodeState.STARTING,
    )


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


def _beside(
    stack: AsyncExitStack,
    work: Coroutine[None, None, None],
    name: str,
    needed: dict[str, asyncio.Task[None]] | None = None,
) -> None:
    """Run `work` until the stack is left; one that is `needed` is named there, and its death is logged."""
    task = asyncio.create_task(work, name=name)
    if needed is not None:
        needed[name] = task
        task.add_done_callback(_died)
    stack.push_async_callback(_cancelled, task)


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


def _agreeing(store: Store, loaded: Workspace) -> Store:
    """The store, told what the workspace says of its lanes."""
    store.agree(terms_of(loaded.settings, loaded.agreements))
    return store


def make_station(
    loaded: Workspace,
    store: Store,
    session: aiohttp.ClientSession,
    crypto: Executor,
    shelf: MapShelf | None = None,
    *,
    confirmations: Confirmations | None = None,
    crls: CrlShelf | None = None,
    webhooks: Mapping[str, WebhookPost] | None = None,
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
        hooks=maps.hooks,
        webhooks=webhooks or {},
    )


def _connector(
    name: str, target: Target, folder: Path, session: aiohttp.ClientSession, maps: MapShelf | None = None
) -> Connector:
    if isinstance(target, HttpTarget):
        bodies = {use: mapped_body(compile_bodies(folder, target, maps, use=use)) for use in BODIES}
        return HttpConnector(name, target, folder, session, bodies=bodies, clock=now)
    return FolderConnector(name, target, folder)


def _session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, limit_per_host=0)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)


def _as2_routes(current: Callable[[], Reception]) -> tuple[web.AbstractRouteDef, ...]:
    return As2Endpoint(current).routes()


async def _ready(
    store: Store,
    background: Mapping[str, asyncio.Task[None]],
    seal_seconds: int,
    draining: Callable[[], bool] = lambda: False,
) -> dict[str, str]:
    """Checks for the load balancer, in words that strangers may read."""
    if draining():
        return {"node": "draining"}
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


async def _remembering(store: Store, confirmations: Confirmations) -> None:
    """Keep what other nodes confirmed current. A database that does not answer is readiness's business."""
    while True:
        with contextlib.suppress(OurFault):
            await _remember(store, confirmations, since=now() - CONFIRMED_WITHIN)
        await asyncio.sleep(REMEMBER_SECONDS)


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
