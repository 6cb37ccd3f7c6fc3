"""The walk: one order out over AS2 and its answers back, one over REST, and everything that goes wrong on the way.

Each step says what it does, does it on real processes, and proves the effect from the outside. The first effect that
cannot be proven ends the walk with exit code 1.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway import wiring
from gateway.canonical.check_digits import is_right
from gateway.demo import scenario
from gateway.demo.outside import Http, Unproven, command, erp_calls, erp_documents, eventually, mailbox, prove
from gateway.demo.processes import Process
from gateway.demo.workspaces import Demo, exchange_certificates, prepare
from gateway.ports import Direction, Message, MessageState, TrailEntry
from gateway.simulation.mirror import US
from gateway.store import Store

ORDER, REST_ORDER, EDIFACT_ORDER = "4500012345", "4500012346", "4500012347"
PLAYED = {"acme": ("station", "backorder"), "rheintal": ("rheintal", "accept")}
"""The partners over AS2: the name of their station, and the scenario that it answers with."""
SIMULATE = ("-m", "gateway", "partner", "simulate")
ACKNOWLEDGEMENTS, SHIP_NOTICES = "/api/order-acknowledgements", "/api/ship-notices"


@dataclass(kw_only=True)
class Cast:
    """Everybody in the walk."""

    demo: Demo
    console: Console
    processes: dict[str, Process]
    http: aiohttp.ClientSession
    erp: Http
    """The distributor's ERP, calling the gateway."""
    baltic: Http
    """The supplier that uses the REST API."""
    acme_order: str = ""
    """The id of the order that went to ACME."""

    def say(self, text: str) -> None:
        """A step that was proven."""
        self.console.print(f"  [green]✓[/green] {text}")

    def sandbox(self, erp: str) -> Http:
        """An ERP sandbox, to make it misbehave."""
        token = self.demo.environment[f"{erp.upper()}_ERP_TOKEN"]
        return Http(session=self.http, base=self.demo.url(erp), token=token)


async def walk(folder: Path, console: Console, *, keep: bool = False) -> int:
    """Walk through everything in `folder`; 0 when every effect was proven, 1 when one was not."""
    started = time.monotonic()
    demo = prepare(folder)
    os.environ.update(demo.environment)  # for the processes, for commands, and for opening the stores here
    console.print(f"[bold]Partner gateway: the main job on real processes[/bold]  (everything is in {demo.folder})")
    exchange_certificates(demo)
    processes = _processes(demo)
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
            cast = await _start(demo, console, processes, http)
            steps: list[tuple[str, Callable[[Cast], Awaitable[None]]]] = [
                ("An order leaves the ERP as an 850 over AS2", _order_out),
                ("The supplier answers with an 855", _acknowledged),
                ("The goods: an 856 with cartons, and an ERP that answered 503 twice", _shipped),
                ("A second supplier does the same over REST", _over_rest),
                ("A third one speaks EDIFACT: ORDERS out, CONTRL, ORDRSP and DESADV in", _edifact),
                ("A malformed 855 is refused with its place", _malformed),
                ("The same AS2 message once more", _repeated),
                ("The gateway is killed between receipt and delivery", _killed),
                ("The audit trail", _audit),
            ]
            for title, step in steps:
                console.print(f"\n[bold]{title}[/bold]")
                await step(cast)
            await _timelines(cast)
            seconds = time.monotonic() - started
            console.print(f"\n[green bold]Every effect was verified from the outside[/green bold] in {seconds:.0f} s.")
            _addresses(cast)
            if keep:
                await _stay(cast)
    except Unproven as unproven:
        console.print("\n[red bold]Not proven:[/red bold]", Text(str(unproven)))
        console.print(f"The logs are in {demo.folder / 'log'}.")
        return 1
    finally:
        for process in processes.values():
            process.stop()
    return 0


def _processes(demo: Demo) -> dict[str, Process]:
    def gateway(name: str, workspace: Path) -> Process:
        return Process(
            name=name,
            arguments=("-m", "gateway", "serve", "--workspace", str(workspace)),
            ready_url=f"{demo.url(name)}/health/ready",
            log=demo.folder / "log" / f"{name}.log",
        )

    def erp(name: str) -> Process:
        token = demo.environment[f"{name.upper()}_ERP_TOKEN"]
        demo.database(name).parent.mkdir(parents=True, exist_ok=True)
        options = ("--port", str(demo.ports[name]), "--database", str(demo.database(name)), "--token", token)
        return Process(
            name=name,
            arguments=("-m", "gateway.demo.erp", *options, "--name", name),
            ready_url=f"{demo.url(name)}/api/calls",
            log=demo.folder / "log" / f"{name}.log",
        )

    return {
        "north": erp("north"),
        "south": erp("south"),
        "gateway": gateway("gateway", demo.gateway),
        **{station: _played(demo, name, station, answers) for name, (station, answers) in PLAYED.items()},
    }


def _played(demo: Demo, name: str, station: str, answers: str) -> Process:
    """A partner over AS2, played by its agreement turned round."""
    return Process(
        name=station,
        arguments=(*SIMULATE, name, "--folder", str(demo.folder / station), "--scenario", answers),
        ready_url=f"{demo.url(station)}/health/ready",
        log=demo.folder / "log" / f"{station}.log",
    )


async def _start(demo: Demo, console: Console, processes: dict[str, Process], http: aiohttp.ClientSession) -> Cast:
    await asyncio.gather(*(asyncio.to_thread(process.start) for process in processes.values()))

    async def key(workspace: Path, *arguments: str) -> str:
        made = json.loads(await command(workspace, "partner", "key", "new", *arguments, "--json"))
        return str(made["key"])

    erp_key, baltic_key = await asyncio.gather(
        key(demo.gateway, "--erp", "--name", "demo ERP"),
        key(demo.gateway, "baltic", "--name", "demo supplier"),
    )
    cast = Cast(
        demo=demo,
        console=console,
        processes=processes,
        http=http,
        erp=Http(session=http, base=demo.url("gateway"), token=erp_key),
        baltic=Http(session=http, base=demo.url("gateway"), token=baltic_key),
    )
    cast.say("two ERP sandboxes, the gateway and the supplier's station are running; API keys are made beside them")
    cast.say("the station is `gateway partner simulate acme`: the agreement turned round, with keys of its own")
    return cast


async def _order_out(cast: Cast) -> None:
    seller = {"scheme": "assigned_by_buyer", "value": "V-1001"}
    today = datetime.now(UTC).date()
    order = scenario.order(ORDER, seller, name="ACME Tools", business_unit="north", today=today)
    # The station answers at once: what is to go wrong with its notice is ordered before.
    await cast.sandbox("north").call("POST", "/control", {"fail": {"status": 503, "times": 2, "path": SHIP_NOTICES}})
    answer = await cast.erp.post("/v1/purchase-orders", order, key=f"order-{ORDER}")
    cast.say(f"the ERP posted order {ORDER}: 202, transaction {answer['transaction_id']}")

    async def arrived() -> dict[str, Any] | None:
        return next((one for one in mailbox(cast.demo, "purchase_order") if _body(one)["number"] == ORDER), None)

    received = _body(await eventually(arrived, "the order is in the supplier's mailbox"))
    prove(len(received["lines"]) == len(order["lines"]), "the supplier has all lines of the order")
    cast.say("the supplier's mailbox has the order with its 3 lines")
    cast.acme_order = answer["document_id"]

    async def closed() -> bool:
        return bool(await _events(cast, ORDER, "acknowledgment.received"))

    await eventually(closed, "the supplier's 997 closed the order")
    sent = await _events(cast, ORDER, "message.sent")
    prove(sent and sent[0].data.get("mic_matched") is True, "the receipt's MIC is the one we computed")
    cast.say(f"its signed receipt was verified, MIC {sent[0].data['mic']}; the supplier's 997 closed it")


async def _acknowledged(cast: Cast) -> None:
    rows = await _once_at(cast, "north", "order_acknowledgement", 1)
    lines = json.loads(rows[0]["body"])
    lines = (lines.get("document") or lines)["lines"]
    words = [[response["status"] for response in line["responses"]] for line in lines]
    prove(
        words == [["accepted"], ["accepted", "backordered"], ["accepted"]],
        f"the ERP has the answers in the canonical words, but it has {words}",
    )
    prove(not erp_documents(cast.demo, "south", "order_acknowledgement"), "the other ERP has nothing of it")
    cast.say("the ERP 'north' has it once: line 1 accepted, line 2 backordered in part, line 3 accepted")


async def _shipped(cast: Cast) -> None:
    rows = await _once_at(cast, "north", "ship_notice", 1)
    cartons = _cartons(rows[0])
    prove(len(cartons) == 3 and all(map(is_right, cartons)), "three cartons with right SSCCs are in the ERP")  # noqa: PLR2004

    async def answered() -> list[int]:
        """Its log of calls is written when a call ends, a moment after its books."""
        told = [call["status"] for call in erp_calls(cast.demo, "north", SHIP_NOTICES)]
        return told if len(told) > 2 else []  # noqa: PLR2004

    statuses = await eventually(answered, "the ERP was called three times")
    prove(statuses[:2] == [503, 503] and statuses[2] in {200, 201}, f"503 twice, then taken; it answered {statuses}")
    keys = {call["key"] for call in erp_calls(cast.demo, "north", SHIP_NOTICES)}
    prove(len(keys) == 1, "every attempt carried the same idempotency key")
    cast.say(f"the ERP answered {statuses}; it has the notice once, with 3 cartons and their SSCCs")


async def _over_rest(cast: Cast) -> None:
    seller = {"scheme": "assigned_by_buyer", "value": "V-2002"}
    today = datetime.now(UTC).date()
    order = scenario.order(REST_ORDER, seller, name="Baltic Fasteners", business_unit="south", today=today)
    await cast.erp.post("/v1/purchase-orders", order, key=f"order-{REST_ORDER}")
    listed = await cast.baltic.get("/v1/purchase-orders")
    found = [one for one in listed["items"] if one["number"] == REST_ORDER]
    prove(len(found) == 1 and len(listed["items"]) == 1, "baltic sees its own order and no other")
    fetched = await cast.baltic.get(f"/v1/purchase-orders/{found[0]['id']}")
    answer = scenario.acknowledgement(_body(fetched), supplier_number="B-9001", today=today)
    await cast.baltic.post(f"/v1/purchase-orders/{found[0]['id']}/acknowledgements", answer, key="baltic-1")
    rows = await _once_at(cast, "south", "order_acknowledgement", 1)
    taken = json.loads(rows[0]["body"])
    prove(
        taken.get("PurchaseOrder", {}).get("Number") == REST_ORDER
        and [[one["Status"] for one in item["Confirmations"]] for item in taken["Items"]] == [[10], [10, 30], [22]],
        f"the ERP 'south' has the answer in its own words, by the map erp/order_acknowledgement; it has {taken}",
    )
    cast.say(f"baltic fetched order {REST_ORDER} and acknowledged it")
    cast.say("the ERP 'south' has the answer once, in its own words: a JSON map wrote the body")
    status, _, _ = await cast.baltic.call("GET", f"/v1/purchase-orders/{cast.acme_order}")
    prove(status == 404, "ACME's order does not exist for baltic")  # noqa: PLR2004
    cast.say("ACME's order does not exist for baltic: 404")


async def _edifact(cast: Cast) -> None:
    seller = {"scheme": "gln", "value": "4012345000023"}
    today = datetime.now(UTC).date()
    order = scenario.order(EDIFACT_ORDER, seller, name="Rheintal Armaturen", business_unit="south", today=today)
    await cast.erp.post("/v1/purchase-orders", order, key=f"order-{EDIFACT_ORDER}")

    async def closed() -> bool:
        return bool(await _events(cast, EDIFACT_ORDER, "acknowledgment.received"))

    await eventually(closed, "the supplier's CONTRL closed the order")
    composed = (await _events(cast, EDIFACT_ORDER, "interchange.composed"))[0]
    async with _store(cast.demo.gateway) as store:
        sent = (await store.payload(composed.message_id)).decode("latin-1")
    prove("UNH+1+ORDERS:D:96A:UN" in sent, f"what was sent is an ORDERS of D.96A, not {sent[:120]}")
    cast.say(f"order {EDIFACT_ORDER} left as ORDERS; the supplier's CONTRL closed it")
    rows = await _once_at(cast, "south", "order_acknowledgement", 2)
    taken = [json.loads(row["body"]) for row in rows]
    found = [one for one in taken if one["PurchaseOrder"]["Number"] == EDIFACT_ORDER]
    prove(
        len(found) == 1
        and [[one["Status"] for one in item["Confirmations"]] for item in found[0]["Items"]] == [[10]] * 3,
        f"the ERP 'south' has the ORDRSP in its own words, every line accepted; it has {found}",
    )
    cast.say("its ORDRSP came back; the ERP 'south' has it once, in the same words as the answer over REST")
    (row,) = await _once_at(cast, "south", "ship_notice", 1)
    cartons = _cartons(row)
    prove(len(cartons) == 3 and all(map(is_right, cartons)), "three cartons with right SSCCs came as DESADV")  # noqa: PLR2004
    cast.say("its DESADV too: 3 cartons with their SSCCs, as the 856 has them")


async def _malformed(cast: Cast) -> None:
    async with _store(cast.demo.station) as store:
        good = next(
            message
            for message in await store.messages(limit=100)
            if message.direction is Direction.OUTBOUND and (message.filename or "").startswith("855")
        )
        text = (await store.payload(good.id)).decode("ascii")
    broken = _break(text)
    path = cast.demo.folder / "malformed-855.edi"
    path.write_text(broken, encoding="ascii")
    sent = json.loads(await command(cast.demo.station, "message", "send", "--partner", US, str(path), "--json"))

    async def refused() -> Message | None:
        async with _store(cast.demo.station) as store:
            message = await store.message(sent["id"])
            return message if message is not None and message.state is MessageState.REJECTED else None

    await eventually(refused, "the gateway's 997 refused the malformed 855")
    async with _store(cast.demo.station) as store:
        answers = [
            (await store.payload(one.id)).decode("ascii")
            for one in await store.messages(limit=20)
            if one.direction is Direction.INBOUND
        ]
    named = next((one for one in answers if "AK3*PO1" in one and "AK4*2" in one and "AK5*R" in one), None)
    prove(named, "the 997 names segment PO1 and element 2")
    assert named is not None
    lines = [line for line in named.split("~") if line.startswith(("AK3", "AK4", "AK5", "AK9"))]
    cast.say(f"its 997 says where: {'  '.join(lines)}")


async def _repeated(cast: Cast) -> None:
    async with _store(cast.demo.station) as store:
        first = next(
            one
            for one in reversed(await store.messages(limit=100))
            if one.direction is Direction.OUTBOUND and (one.filename or "").startswith("855")
        )
        raw = await store.raw(first.id)
    assert raw is not None
    assert first.receipt is not None
    url = f"{cast.demo.url('gateway')}/as2"
    async with cast.http.post(url, data=raw, headers=dict(first.raw_headers)) as answer:
        again = await answer.read()
    prove(again == first.receipt.body, "the second receipt is the first one, byte for byte")
    await asyncio.sleep(1)
    await _once_at(cast, "north", "order_acknowledgement", 1)
    cast.say("it got the first receipt again, byte for byte, and had no second effect")


async def _killed(cast: Cast) -> None:
    number = "4500012399"
    order = scenario.order(
        number,
        {"scheme": "assigned_by_buyer", "value": "V-1001"},
        name="ACME Tools",
        business_unit="north",
        today=datetime.now(UTC).date(),
    )
    sandbox = cast.sandbox("north")
    await sandbox.call("POST", "/control", {"fail": {"status": 503, "times": 10_000, "path": ACKNOWLEDGEMENTS}})
    await cast.erp.post("/v1/purchase-orders", order, key=f"order-{number}")

    async def receipted() -> bool | None:
        async with _store(cast.demo.station) as store:
            answers = await store.documents(partner=US, kind="order_acknowledgement", direction=Direction.OUTBOUND)
            answer = next((one for one in answers.documents if one.order_number == number), None)
            return answer is not None and answer.state.value in {"sent", "acknowledged"}

    await eventually(receipted, "the supplier's station has the receipt for its answer to the second order")
    process = cast.processes["gateway"]
    process.kill()
    await sandbox.call("DELETE", "/control")
    await asyncio.to_thread(process.start)
    rows = await _once_at(cast, "north", "order_acknowledgement", 2)
    prove(len({row["number"] for row in rows} | {row["key"] for row in rows}) >= 2, "two different answers")  # noqa: PLR2004
    cast.say("SIGKILL after the receipt, before the delivery; restarted, it delivered the answer once: nothing is lost")


async def _audit(cast: Cast) -> None:
    stations = [(name, cast.demo.folder / name) for name, _ in PLAYED.values()]
    for name, workspace in (("gateway", cast.demo.gateway), *stations):

        async def sealed(workspace: Path = workspace) -> dict[str, Any] | None:
            seen: dict[str, Any] = json.loads(await command(workspace, "audit", "verify", "--json"))
            return seen if seen["sealed"] and not seen["unsealed"] else None

        seen = await eventually(sealed, f"the trail of the {name} is sealed")
        cast.say(f"{name}: {seen['sealed']} events in {seen['seals']} seals, the trail is as it was written")
    changed = cast.demo.folder / "changed"
    shutil.copytree(cast.demo.gateway, changed, ignore=shutil.ignore_patterns("data"))
    (changed / "data").mkdir()
    with (
        closing(sqlite3.connect(cast.demo.gateway / "data" / "gateway.db")) as original,
        closing(sqlite3.connect(changed / "data" / "gateway.db")) as copy,
    ):
        original.backup(copy)
        copy.execute("UPDATE event SET data = replace(data, 'rejected', 'accepted') WHERE kind = 'interchange.read'")
        copy.commit()
    found = json.loads(await command(changed, "audit", "verify", "--json", code=1))
    prove(found["problems"], "a change to a sealed event is found")
    first = found["problems"][0]
    where = f"event {first['number']} of message {first['message_id']}"
    cast.say(f"in a copy with one changed event it names it: {first['what']}, {where}")


async def _once_at(cast: Cast, erp: str, kind: str, count: int) -> list[dict[str, Any]]:
    """The ERP's own database has exactly `count` documents of a kind."""

    async def there() -> list[dict[str, Any]] | None:
        rows = erp_documents(cast.demo, erp, kind)
        return rows if len(rows) >= count else None

    rows = await eventually(there, f"{count} {kind} at the ERP {erp!r}")
    prove(len(rows) == count, f"exactly {count} {kind} at the ERP {erp!r}, not {len(rows)}")
    return rows


def _store(workspace: Path) -> AbstractAsyncContextManager[Store]:
    """The store of a workspace, opened beside its running process as any command opens it."""
    return wiring.open_store(workspace)


async def _events(cast: Cast, order_number: str, kind: str) -> list[TrailEntry]:
    async with _store(cast.demo.gateway) as store:
        return [entry for entry in await store.timeline(order_number=order_number) if entry.kind == kind]


async def _timelines(cast: Cast) -> None:
    async with _store(cast.demo.gateway) as store:
        for number in (ORDER, REST_ORDER, EDIFACT_ORDER):
            table = Table(title=f"Order {number}, as the gateway's trail has it", title_justify="left", box=None)
            for column in ("time", "partner", "what", "detail"):
                table.add_column(column, overflow="fold")
            for entry in await store.timeline(order_number=number):
                table.add_row(entry.at.strftime("%H:%M:%S.%f")[:-3], entry.partner or "", entry.kind, _detail(entry))
            cast.console.print()
            cast.console.print(table)


def _detail(entry: TrailEntry) -> str:
    shown = (
        "channel",
        "document",
        "type",
        "outcome",
        "target",
        "rule",
        "status",
        "their_id",
        "disposition",
        "control_number",
    )
    return ", ".join(f"{key} {entry.data[key]}" for key in shown if entry.data.get(key) is not None)


def _cartons(row: dict[str, Any]) -> list[str]:
    """The SSCCs of a notice that an ERP has, which is for one order."""
    (goods,) = _body(json.loads(row["body"]))["contents"]
    return [unit["sscc"] for unit in goods["contents"]]


def _break(text: str) -> str:
    """A good 855 with a quantity that is no number, and a control number of its own."""
    segments = text.split("~")
    for index, segment in enumerate(segments):
        elements = segment.split("*")
        if elements[0] == "PO1":
            elements[2] = "TWELVE"
            segments[index] = "*".join(elements)
            break
    old = text.split("*")[13]
    return "~".join(segments).replace(old, "000009999")


def _body(document: dict[str, Any]) -> dict[str, Any]:
    body = document.get("document") or document.get("body") or document
    assert isinstance(body, dict)
    return body


def _state(document: dict[str, Any]) -> str:
    return str(document.get("state") or document.get("status"))


def _addresses(cast: Cast) -> None:
    demo = cast.demo
    cast.console.print(f"  gateway   {demo.url('gateway')}   /openapi.json  /metrics  /health/ready")
    cast.console.print(f"  station   {demo.url('station')}   mailbox in {demo.station / 'data' / 'mailbox'}")
    cast.console.print(f"  ERPs      {demo.url('north')}  {demo.url('south')}")


async def _stay(cast: Cast) -> None:
    cast.console.print("\nEverything keeps running; Ctrl-C ends it.")
    cast.console.print("  Look around in another terminal:")
    secret = cast.demo.environment["GATEWAY_PASSPHRASE"]
    words = f"  export GATEWAY_WORKSPACE={cast.demo.gateway} GATEWAY_PASSPHRASE={secret}"
    cast.console.print(words, soft_wrap=True)  # to be copied
    cast.console.print("  gateway status")
    cast.console.print("  gateway message list")
    gone: set[str] = set()
    while len(gone) < len(cast.processes):
        await asyncio.sleep(1)
        for name, process in cast.processes.items():
            if name not in gone and not process.running:
                gone.add(name)
                cast.console.print(f"\n{name} has ended; the others go on. Begin it again with:")
                again = shlex.join([sys.executable, *process.arguments])
                cast.console.print(f"  {again} >> {shlex.quote(str(process.log))} 2>&1 &", soft_wrap=True, markup=False)
