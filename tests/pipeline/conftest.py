"""Two real gateways on loopback, the distributor's and its supplier's station, with an ERP; nothing between is faked.

Work is done only when a test says so (`work`), by the worker's own code and on a clock that the test moves.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import BaseModel

from gateway import as2, wiring
from gateway.connectors.as2 import As2Connector
from gateway.connectors.exchange import open_session
from gateway.demo import scenario
from gateway.demo.erp import Erp
from gateway.demo.erp_ledger import Ledger
from gateway.demo.workspaces import exchange_certificates, prepare
from gateway.partners.agreement import Agreement
from gateway.partners.directory import Directory
from gateway.partners.workspace import Workspace
from gateway.pipeline.reception import Reception
from gateway.pipeline.station import Station
from gateway.pipeline.submission import SubmissionDesk
from gateway.ports import Changes, Document, Job, Message, Refused, Submitted, TrailEntry
from gateway.store import Store
from gateway.web.as2 import As2Endpoint
from gateway.worker import Worker

SELLER = {"acme": ("V-1001", "ACME Tools"), "baltic": ("V-2002", "Baltic Fasteners")}
ORDER = "4500012345"


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """What costs time and never changes: workspaces with keys, compiled maps."""

    gateway: Station
    station: Station
    gateway_workspace: Workspace
    station_workspace: Workspace
    certs: Path


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """Both workspaces of the demo, with keys made once for all tests."""
    demo = prepare(tmp_path_factory.mktemp("trade") / "demo")
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as crypto:
        for name, value in demo.environment.items():
            patch.setenv(name, value)
        exchange_certificates(demo)
        loaded = [wiring.load(folder) for folder in (demo.gateway, demo.station)]
        nothing: Any = None
        bare = [
            wiring.make_station(
                replace(one, settings=one.settings.model_copy(update={"targets": {}}), agreements=one.agreements),
                nothing,
                nothing,
                crypto,
            )
            for one in loaded
        ]
        stations = [
            replace(made, settings=one.settings.model_copy(update={"max_message_bytes": 300_000}))
            for made, one in zip(bare, loaded, strict=True)
        ]
        yield Prepared(
            gateway=stations[0],
            station=stations[1],
            gateway_workspace=loaded[0],
            station_workspace=loaded[1],
            certs=demo.gateway / "certs",
        )


@dataclass(kw_only=True)
class Side:
    """One gateway: its store, its address, its worker; `station` may be changed while it runs."""

    name: str
    station: Station
    store: Store
    worker: Worker
    reception: Reception
    desk: SubmissionDesk
    url: str = ""

    def change(self, **values: Any) -> None:
        """Another station from now on: `change(connectors={})`."""
        self.station = replace(self.station, **values)
        self.reception._station = self.station
        self.desk._station = self.station

    def agree(self, partner: str, **sections: Mapping[str, Any] | BaseModel | None) -> None:
        """Another agreement from now on: `agree("acme", x12={"request_ta1": True})`; a model replaces the section."""
        known = self.station.directory.known(partner)
        assert known is not None
        update: dict[str, Any] = {}
        for name, values in sections.items():
            part = getattr(known, name)
            if isinstance(part, BaseModel) and isinstance(values, Mapping):
                update[name] = part.model_copy(update=dict(values))
            else:
                update[name] = values
        changed: Agreement = known.model_copy(update=update)
        others = [one for one in self.agreements if one.name != partner]
        self.change(directory=Directory([*others, changed]))

    @property
    def agreements(self) -> list[Agreement]:
        """All agreements."""
        return list(self.station.directory._known.values())

    async def work(self, *, rounds: int = 30) -> int:
        """Do everything that is due, and what that leads to; how many jobs ran."""
        done = 0
        for _ in range(rounds):
            jobs = await self.store.claim("tests", tuple(wiring.STEPS), 50)
            if not jobs:
                return done
            for job in jobs:
                await self.worker._work(job)
                done += 1
        raise AssertionError("work never ends")

    async def step(self, job: Job) -> Changes:
        """What the handler of a job decides, without writing it: a crash before the commit."""
        return await wiring.STEPS[job.step](self.station, job)

    async def claim(self) -> list[Job]:
        """Take what is due without doing it."""
        return await self.store.claim("tests", tuple(wiring.STEPS), 50)

    async def kinds(self, *, message_id: str | None = None, order: str | None = None) -> list[str]:
        """The kinds of the events on a trail."""
        return [one.kind for one in await self.trail(message_id=message_id, order=order)]

    async def trail(self, *, message_id: str | None = None, order: str | None = None) -> list[TrailEntry]:
        """The trail of a message or of an order."""
        return await self.store.timeline(message_id=message_id, order_number=order)

    async def newest(self, start: str = "") -> Message:
        """The newest message whose file name starts so."""
        return (await self.all(start))[0]

    async def all(self, start: str = "") -> list[Message]:
        """The messages whose file name starts so, the newest first."""
        found = await self.store.messages(limit=200)
        return sorted(
            (one for one in found if (one.filename or "").startswith(start)), key=lambda one: one.id, reverse=True
        )

    async def payload(self, message: Message) -> str:
        """The text of a message."""
        return (await self.store.payload(message.id)).decode("latin-1")

    async def documents(self, message: Message) -> list[Document]:
        """The documents of a message."""
        return await self.store.documents_of(message.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """As text."""
        return self.body.decode("latin-1")


@dataclass(kw_only=True)
class Trade:
    """The distributor's gateway, the station of acme, the ERP, and acme's hands on the wire."""

    clock: Any
    gateway: Side
    station: Side
    http: aiohttp.ClientSession
    ledger: Ledger
    erp: Erp
    another_node: Callable[[], Awaitable[Side]]
    """A second gateway of the distributor's, on the same database."""
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1000)))

    async def settle(self) -> None:
        """Both sides work until nothing is due."""
        for _ in range(10):
            if not await self.gateway.work() + await self.station.work():
                return
        raise AssertionError("they answer each other for ever")

    def order_body(self, number: str = ORDER, partner: str = "acme", unit: str = "north") -> dict[str, Any]:
        """What the ERP orders."""
        vendor, name = SELLER[partner]
        seller = {"scheme": "assigned_by_buyer", "value": vendor}
        return scenario.order(number, seller, name=name, business_unit=unit, today=self.clock().date())

    def answer_body(self, number: str = ORDER, partner: str = "acme", **changes: Any) -> dict[str, Any]:
        """What the supplier answers."""
        body = scenario.acknowledgement(
            self.order_body(number, partner), supplier_number=f"SO-{number}", today=self.clock().date()
        )
        return body | changes

    def notice_body(self, number: str = ORDER, partner: str = "acme", **changes: Any) -> dict[str, Any]:
        """What the supplier ships."""
        return (
            scenario.ship_notice(self.order_body(number, partner), number=f"ASN-{number}", now=self.clock()) | changes
        )

    async def submit(
        self,
        body: object,
        *,
        kind: str = "purchase_order",
        partner: str | None = None,
        key: str | None = None,
        order_id: str | None = None,
    ) -> Submitted | Refused:
        """Hand a document to the distributor's desk."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.gateway.desk.submit(
            kind=kind, partner=partner, body=raw, idempotency_key=key, order_id=order_id, correlation_id="c"
        )

    async def order(self, number: str = ORDER, partner: str = "acme", unit: str = "north") -> str:
        """An order goes to the partner's station, which does nothing with it yet; the document's id."""
        done = await self.submit(self.order_body(number, partner, unit))
        assert isinstance(done, Submitted), done
        await self.gateway.work()
        return str(json.loads(done.receipt.body)["document_id"])

    def wire(self, payload: bytes, **how: Any) -> as2.Built:
        """What acme's station would post."""
        ours = self.station.station
        given: dict[str, Any] = {
            "content_type": "application/edi-x12",
            "filename": "in.edi",
            "as2_from": "ACME-AS2",
            "as2_to": "HARBORLINE",
            "message_id": f"<in-{next(self.numbers)}@acme>",
            "date": self.clock(),
            "subject": "test",
            "sign_with": ours.keyring.ours[0],
            "micalg": "sha-256",
            "encrypt_for": ours.keyring.theirs["us"][:1],
            "cipher": "aes-256-cbc",
            "compress": False,
            "receipt": as2.ReceiptKind.SIGNED,
        }
        return as2.build_message(payload, **(given | how))

    async def post(self, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
        """Post to the distributor's AS2 address."""
        async with self.http.post(f"{self.gateway.url}/as2", data=body, headers=dict(headers)) as answer:
            return Answer(status=answer.status, headers=answer.headers.copy(), body=await answer.read())

    async def arrives(self, payload: str, **how: Any) -> Message:
        """An interchange of acme's comes over AS2 and is read; its message."""
        built = self.wire(payload.encode("latin-1"), **how)
        answer = await self.post(built.headers, built.body)
        assert b"automatic-action/MDN-sent-automatically; processed\r\n" in answer.body, answer.text
        message = await self.gateway.store.message_by_duplicate_key(f"as2:acme:{built.message_id}")
        assert message is not None
        await self.gateway.work()
        again = await self.gateway.store.message(message.id)
        assert again is not None
        return again

    async def answers(self, message: Message) -> list[str]:
        """The acknowledgments that were composed for a message, in the order of their numbers."""
        found = [one for one in await self.gateway.all() if one.answers == message.id]
        texts = [await self.gateway.payload(one) for one in found]
        return sorted(texts, key=lambda text: text.split("*")[13] if text.startswith("ISA") else text.split("+")[5])

    def misbehave(self, **how: Any) -> None:
        """Make the ERP misbehave: `fail={"status": 503, "times": 2}`."""
        from gateway.demo.erp import read_control  # noqa: PLC0415  the same control that POST /control reads

        self.erp._orders.update(read_control(how))

    def behave(self) -> None:
        """The ERP is well again."""
        self.erp._orders.clear()

    def at_erp(self, kind: str) -> list[dict[str, Any]]:
        """What the ERP has in its database."""
        return list(self.ledger.documents(kind))


async def _listen(stack: AsyncExitStack, routes: Sequence[web.AbstractRouteDef] | web.Application) -> str:
    if isinstance(routes, web.Application):
        app = routes
    else:
        app = web.Application(client_max_size=1_000_000)
        app.router.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _side(stack: AsyncExitStack, name: str, bare: Station, store: Store, crypto: ThreadPoolExecutor) -> Side:
    clock: Any = store.clock
    station = replace(bare, store=store, queries=store, clock=clock, crypto=crypto)
    side: Side

    def handler(step: wiring.Step, job: Job) -> Awaitable[Changes]:
        return step(side.station, job)

    worker = Worker(
        store,
        {step: partial(handler, function) for step, function in wiring.STEPS.items()},
        clock,
        owner="tests",
        on_dead=wiring.GIVEN_UP,
        on_failed=wiring.FAILED,
        random=lambda: 0.5,
    )
    reception = Reception(station)
    side = Side(
        name=name, station=station, store=store, worker=worker, reception=reception, desk=SubmissionDesk(station)
    )
    endpoint = As2Endpoint(lambda: reception)
    side.url = await _listen(stack, endpoint.routes())
    return side


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite; the files where the database decides (races, retries, the whole job) ask for PostgreSQL as well."""
    if getattr(request, "param", "sqlite") == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    made: str = request.getfixturevalue("new_postgres_database")()
    return made


@pytest.fixture
def new_database(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], str]:
    """A second database of the same kind."""

    def make() -> str:
        if database_url.startswith("sqlite"):
            shutil.copy(request.getfixturevalue("migrated_sqlite_file"), tmp_path / "station.db")
            return f"sqlite:///{tmp_path / 'station.db'}"
        url: str = request.getfixturevalue("new_postgres_database")()
        return url

    return make


@pytest.fixture
async def trade(
    prepared: Prepared, database_url: str, new_database: Callable[[], str], tmp_path: Path, clock: Any
) -> AsyncIterator[Trade]:
    """Everybody, on each kind of database."""
    async with AsyncExitStack() as stack:
        crypto = stack.enter_context(ThreadPoolExecutor(2))
        http = await stack.enter_async_context(aiohttp.ClientSession(auto_decompress=False))
        session = await stack.enter_async_context(open_session())
        stores = [
            await Store.open(url, payloads=tmp_path / f"payloads-{index}", clock=clock)
            for index, url in enumerate((database_url, new_database()))
        ]
        for store in stores:
            stack.push_async_callback(store.close)
        gateway = await _side(stack, "gateway", prepared.gateway, stores[0], crypto)
        station = await _side(stack, "station", prepared.station, stores[1], crypto)

        ledger = Ledger(tmp_path / "erp.db", "erp")
        stack.callback(ledger.close)
        erp = Erp(ledger, "T")
        erp_url = await _listen(stack, erp.application())
        targets = {
            name: target.model_copy(update={"base_url": erp_url})
            for name, target in prepared.gateway_workspace.settings.targets.items()
        }
        for name in ("NORTH_ERP_TOKEN", "SOUTH_ERP_TOKEN"):
            os.environ[name] = "T"  # what the connectors read once, here
        connectors = {name: wiring._connector(name, one, tmp_path, session) for name, one in targets.items()}
        mailbox = prepared.station_workspace.settings.targets["mailbox"]
        gateway.change(
            connectors=connectors,
            settings=gateway.station.settings.model_copy(update={"targets": targets}),
            as2=As2Connector(gateway.agreements, prepared.gateway_workspace.folder, session, clock=clock),
        )
        station.change(
            connectors={"mailbox": wiring._connector("mailbox", mailbox, tmp_path, session)},
            settings=station.station.settings.model_copy(update={"targets": {"mailbox": mailbox}}),
            as2=As2Connector(station.agreements, prepared.station_workspace.folder, session, clock=clock),
        )
        gateway.agree("acme", as2={"url": f"{station.url}/as2", "timeout_seconds": 5})
        station.agree("us", as2={"url": f"{gateway.url}/as2", "timeout_seconds": 5})

        async def another_node() -> Side:
            store = await Store.open(database_url, payloads=tmp_path / "payloads-0", clock=clock)
            stack.push_async_callback(store.close)
            side = await _side(stack, "gateway", gateway.station, store, crypto)
            side.change(connectors=gateway.station.connectors, as2=gateway.station.as2)
            return side

        yield Trade(
            clock=clock,
            gateway=gateway,
            station=station,
            http=http,
            ledger=ledger,
            erp=erp,
            another_node=another_node,
        )


@pytest.fixture
def edi() -> type[Edi]:
    """Writes interchanges as acme does."""
    return Edi


class Edi:
    """X12 text with whatever is wrong with it; nothing here knows the engine."""

    @staticmethod
    def interchange(*groups: str, control: str = "000000001", ack: str = "0", **changes: str) -> str:
        """An interchange of acme's; `sender`, `receiver`, `count`, `trailer` (IEA02) can be changed."""
        sender, receiver = changes.get("sender", "ACMETOOLS"), changes.get("receiver", "HARBORLINE")
        blank = " " * 10
        head = f"ISA*00*{blank}*00*{blank}*ZZ*{sender:<15}*ZZ*{receiver:<15}*260302*0800*U*00401*{control}*{ack}*P*>~"
        count = changes.get("count", str(sum(one.startswith("GS") for one in groups)))
        return f"{head}{''.join(groups)}IEA*{count}*{changes.get('trailer', control)}~"

    @staticmethod
    def group(*sets: str, code: str = "PR", number: str = "1", count: str | None = None) -> str:
        """A group."""
        head = f"GS*{code}*ACMETOOLS*HARBORLINE*20260302*0800*{number}*X*004010~"
        return f"{head}{''.join(sets)}GE*{len(sets) if count is None else count}*{number}~"

    @staticmethod
    def set(type_: str, *segments: str, number: str = "0001", count: int | None = None) -> str:
        """A transaction set."""
        said = len(segments) + 2 if count is None else count
        return f"ST*{type_}*{number}~{''.join(f'{one}~' for one in segments)}SE*{said}*{number}~"

    @classmethod
    def ack(cls, order: str = ORDER, *, number: str = "0001", supplier: str = "SO-1", **changes: str) -> str:
        """An 855 that accepts line 1; `quantity`, `purpose`, `accepted` can be changed."""
        quantity = changes.get("quantity", "24")
        return cls.set(
            "855",
            f"BAK*{changes.get('purpose', '00')}*AC*{order}*20260302****{supplier}*20260302",
            f"PO1*{changes.get('line', '1')}*{quantity}*EA*89.5**VP*A-1001",
            f"ACK*AC*{changes.get('accepted', '24')}*EA*068*20260309",
            "CTT*1",
            number=number,
        )

    @classmethod
    def file(cls, *sets: str, control: str = "000000001", **changes: str) -> str:
        """One interchange with one group of these sets."""
        return cls.interchange(cls.group(*sets), control=control, **changes)

    @classmethod
    def closes(
        cls, group: str, outcome: str = "A", *, control: str = "000000001", code: str = "PO", ack: str = "0"
    ) -> str:
        """A 997 about a group of ours with one set."""
        inner = "R" if outcome in {"R", "P"} else outcome
        taken = "0" if inner == "R" else "1"
        segments = (f"AK1*{code}*{group}", "AK2*850*0001", f"AK5*{inner}", f"AK9*{outcome}*1*1*{taken}")
        return cls.interchange(cls.group(cls.set("997", *segments), code="FA"), control=control, ack=ack)
