"""django-pyas2 as the other station: its application behind gunicorn, our side a running `gateway serve`, real HTTP.

Each combination that we send is an agreement of its own with a partner of its own name; what they send comes from one
partner for each way of signing and encrypting, whose agreement demands just that.
"""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from gateway import as2, wiring
from gateway.demo.processes import Process
from gateway.partners.agreement import As2Channel
from gateway.pipeline.ready import ready_file
from gateway.ports import Changes, Message, MessageState
from gateway.store import Store

from .combinations import Combination, Way, combinations
from .material import PAYLOAD, Keys, certificate_pem, pem
from .process import Asked
from .pyas2lib_station import CIPHERS, never_written
from .workspace import US, section, write_partner, write_workspace

T = TypeVar("T")
PEERS = Path(__file__).parent
SETTLED = {MessageState.SENT, MessageState.DELIVERED, MessageState.REJECTED, MessageState.FAILED}
SECONDS = 120
"""For everything that was queued at once to be sent and receipted."""
RECEIPT_SECONDS = 10
"""For one asynchronous receipt of ours."""


class DjangoStation:
    """A django-pyas2 server and a gateway, from start to end."""

    def __init__(self, environment: Path, folder: Path, keys: Keys) -> None:
        self._folder, self._keys, self._python = folder, keys, environment / "bin" / "python"
        self._ports = _free_ports(2)
        self._workspace = folder / "gateway"
        self._stack = ExitStack()
        self._urls = {
            "gateway": f"http://127.0.0.1:{self._ports[0]}/as2",
            "peer": f"http://127.0.0.1:{self._ports[1]}/pyas2/as2receive",
        }
        # What the agreement cannot say is not run, so it needs no partner.
        self._partners = {
            one: f"out-{number}" for number, one in enumerate(combinations(Way.OUT)) if not self._left_out(one)
        }
        self._senders: dict[tuple[str, str], str] = {}
        for one in combinations(Way.IN):
            if not self._left_out(one):
                self._senders.setdefault((one.sign, one.encrypt), f"in-{len(self._senders)}")
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End all processes."""
        self._stack.close()

    def add_partner(self, name: str, pair: as2.KeyPair) -> str:
        """Somebody else who writes to it, to an organisation of the same name with -PEER; its URL."""
        certificate = base64.b64encode(certificate_pem(pair)).decode()
        self._checked(self._ask("partner", name=name, certificate=certificate))
        return self._urls["peer"]

    def send_receipts(self, name: str) -> None:
        """Once its server has written an asynchronous receipt for that partner: send it."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            found = self._messages(direction="IN", partner_id=name).values()
            if any(one["receipt"] is not None for one in found):
                break
            time.sleep(0.1)
        time.sleep(0.5)  # its row is there before its file
        self._checked(self._ask("receipts"))

    def versions(self) -> dict[str, str]:
        """Who answers."""
        return self._ask("versions")

    def theirs(self, one: Combination) -> str | None:
        """What it has no setting for, or its library does not know."""
        if one.encrypt.endswith("gcm"):
            return "it knows no AuthEnvelopedData"
        if one.elliptic:
            return "it takes RSA keys only"
        if one.encrypt.endswith("oaep"):
            return "pyas2lib 1.4.3, which it pins, knows no OAEP"
        if one.way is Way.IN and one.sign.endswith("pss"):
            return "it has no setting for PSS"
        if one.way is Way.IN and one.compress == "after":
            return "it compresses before signing only"
        return None

    def ours(self, one: Combination) -> str | None:
        """What we never write, or have no word for in an agreement."""
        if (why := never_written(one)) is not None:
            return why
        try:
            As2Channel.model_validate(section(one, "name", self._urls["peer"]))
        except ValidationError as fault:
            return f"no such word in the agreement: {', '.join(str(error['loc'][0]) for error in fault.errors())}"
        return None

    def run(self, chosen: Sequence[Combination]) -> dict[Combination, str]:
        """What we send is queued at once; what they send goes one after the other."""
        if not chosen:
            return {}
        return self._sent(chosen) if chosen[0].way is Way.OUT else self._taken(chosen)

    def _left_out(self, one: Combination) -> bool:
        return self.theirs(one) is not None or self.ours(one) is not None

    def _start(self) -> None:
        (self._folder / "peer").mkdir()
        environment = os.environ | {
            "PEER_FOLDER": str(self._folder / "peer"),
            "PEER_MDN_URL": self._urls["peer"],
            "PYTHONPATH": str(PEERS),
        }
        own = write_workspace(self._workspace, self._ports[0], self._urls["gateway"])
        (self._workspace / "certs/peer.pem").write_bytes(certificate_pem(self._keys.theirs))
        for one, name in self._partners.items():
            write_partner(self._workspace, name, section(one, name, self._urls["peer"]))
        for one in combinations(Way.IN):
            if (name := self._senders.get((one.sign, one.encrypt))) and not self._left_out(one):
                # Written several times; the last one allows asynchronous receipts, too.
                write_partner(self._workspace, name, section(one, name, self._urls["peer"]))
        command = [self._python, PEERS / "django_peer.py"]
        self._ask = self._stack.enter_context(Asked(command, self._folder / "django.log", environment))
        self._checked(
            self._ask(
                "setup",
                key=base64.b64encode(pem(self._keys.theirs)).decode(),
                certificate=base64.b64encode(own.read_bytes()).decode(),
                organisations=[*self._partners.values(), *self._senders.values()],
                partner=US,
                url=self._urls["gateway"],
            )
        )
        log = self._stack.enter_context((self._folder / "gunicorn.log").open("wb"))
        server = subprocess.Popen(
            [
                self._python, "-m", "gunicorn", "--chdir", PEERS, "--workers", "2", "--timeout", "120", "--bind",
                f"127.0.0.1:{self._ports[1]}", "django_peer:application",
            ],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._stack.callback(_ended, server)
        _answers(self._urls["peer"])
        gateway = Process(
            name="gateway",
            arguments=["-m", "gateway", "serve", "--workspace", str(self._workspace)],
            ready_url=f"http://127.0.0.1:{self._ports[0]}/health/ready",
            log=self._folder / "gateway.log",
        )
        self._stack.callback(gateway.stop)
        gateway.start()

    def _checked(self, answer: dict[str, Any]) -> dict[str, Any]:
        assert "raised" not in answer, answer["raised"]
        return answer

    # What we send.

    def _sent(self, chosen: Sequence[Combination]) -> dict[Combination, str]:
        self._checked(self._ask("agree", settings={"signature": None, "encryption": None}))  # it demands nothing
        queued = self._with_store(lambda store: self._queue(store, chosen))
        ours = self._settled(queued)
        theirs = {one["organisation"]: one for one in self._messages(direction="IN").values()}
        return {one: _sending(one, ours.get(queued[one]), theirs.get(self._partners[one])) for one in chosen}

    async def _queue(self, store: Store, chosen: Sequence[Combination]) -> dict[Combination, str]:
        loaded = wiring.load(self._workspace)
        agreements = {one.name: one for one in loaded.agreements}
        queued: dict[Combination, str] = {}
        changes: list[Changes] = []
        for one in chosen:
            agreement = agreements[self._partners[one]]
            changes.append(ready_file(loaded.settings, agreement, PAYLOAD, "order.edi", datetime.now(UTC)))
            queued[one] = changes[-1].messages[0].id
        await store.apply(
            Changes(
                messages=tuple(message for one in changes for message in one.messages),
                jobs=tuple(job for one in changes for job in one.jobs),
            )
        )
        return queued

    def _settled(self, queued: dict[Combination, str]) -> dict[str, tuple[Message, str]]:
        """All that was queued, once it went or failed, with the reason of the last attempt."""
        settled: dict[str, tuple[Message, str]] = {}
        deadline = time.monotonic() + SECONDS
        while left := [one for one in queued.values() if one not in settled]:
            found, posted = self._with_store(partial(self._look, waiting=left))
            settled |= found
            if time.monotonic() > deadline:
                return settled | posted
            if posted and len(posted) + len(found) == len(left):
                # Its server has written all receipts: sooner, the command that sends them would spoil some.
                self._checked(self._ask("receipts"))
            time.sleep(0.5)
        return settled

    async def _look(
        self, store: Store, waiting: Sequence[str]
    ) -> tuple[dict[str, tuple[Message, str]], dict[str, tuple[Message, str]]]:
        """What went or failed, and what was posted and waits for an asynchronous receipt."""
        settled: dict[str, tuple[Message, str]] = {}
        posted: dict[str, tuple[Message, str]] = {}
        for message_id in waiting:
            message = await store.message(message_id)
            assert message is not None
            wrong = [one for one in await store.attempts(message_id) if one.outcome not in {None, "done"}]
            reason = (wrong[-1].reason or wrong[-1].outcome or "") if wrong else ""
            if message.state is MessageState.POSTED:
                posted[message_id] = (message, reason)
            elif message.state in SETTLED or wrong:
                settled[message_id] = (message, reason)
        return settled, posted

    # What they send.

    def _taken(self, chosen: Sequence[Combination]) -> dict[Combination, str]:
        sent = {one: self._send(one) for one in chosen}
        theirs = self._messages(direction="OUT")
        ours = self._with_store(_received)
        return {one: _taking(one, sent[one], theirs, ours) for one in chosen}

    def _send(self, one: Combination) -> dict[str, Any]:
        receipt = one.receipt_kind != "none"
        mode = "ASYNC" if one.asynchronous else "SYNC"
        settings = {
            "compress": one.compress != "no",
            "encryption": CIPHERS.get(one.cipher),
            "signature": None if one.sign == "no" else one.hash.replace("-", ""),
            "mdn": receipt,
            "mdn_mode": mode if receipt else None,
            "mdn_sign": one.hash.replace("-", "") if one.receipt_kind == "signed" else None,
        }
        self._checked(self._ask("agree", settings=settings))
        sender = self._senders[one.sign, one.encrypt]
        sent = self._ask("send", organisation=sender, payload=base64.b64encode(PAYLOAD).decode())
        if one.asynchronous and "id" in sent:
            # Its receipt is judged by the partner's settings of that moment: they stay until it is there.
            deadline = time.monotonic() + RECEIPT_SECONDS
            while time.monotonic() < deadline:
                if self._messages(message_id=sent["id"])[sent["id"]]["receipt"] is not None:
                    break
                time.sleep(0.02)
        return sent

    def _messages(self, **where: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self._checked(self._ask("messages", where=where))["messages"]
        return found

    def _with_store(self, work: Callable[[Store], Awaitable[T]]) -> T:
        async def opened() -> T:
            async with wiring.open_store(self._workspace) as store:
                return await work(store)

        return asyncio.run(opened())


def _sending(one: Combination, here: tuple[Message, str] | None, there: dict[str, Any] | None) -> str:
    """What is wrong with one message of ours."""
    if here is None:
        return f"it was not sent in {SECONDS} s"
    message, reason = here
    if message.state not in {MessageState.SENT, MessageState.DELIVERED}:
        return f"the message is {message.state.value}: {reason}"
    if there is None or there["status"] != "S":
        return f"it has {there and there['detail']}"
    if base64.b64decode(there["payload"]) != PAYLOAD:
        return "it has another payload"
    layers = [one.sign != "no", one.encrypt != "no", one.compress != "no"]
    if there["layers"] != layers:
        return f"it saw signed, encrypted, compressed as {there['layers']}"
    if one.receipt_kind == "none":
        return "" if there["receipt"] is None else "it made a receipt that nobody asked for"
    return "" if there["receipt"] == ["S", one.receipt_kind == "signed"] else f"its receipt is {there['receipt']}"


def _taking(
    one: Combination, sent: dict[str, Any], theirs: dict[str, dict[str, Any]], ours: dict[str, tuple[Message, bytes]]
) -> str:
    """What is wrong with one message of theirs."""
    if "raised" in sent:
        return f"it does not send: {sent['raised']}"
    there, here = theirs[sent["id"]], ours.get(f"<{sent['id']}>")
    if here is None:
        return f"we have not taken it; it says {there['detail'].strip()[-200:]}"
    if here[1] != PAYLOAD:
        return "we have another payload"
    if sent["mic"] is not None and sent["mic"] != here[0].mic:
        return f"its MIC is {sent['mic']}, ours {here[0].mic}"
    # It writes P after its request, over the S of a receipt that was quicker; the receipt itself is kept.
    if there["status"] not in ({"S", "P"} if one.asynchronous else {"S"}):
        return f"it says {there['status']} {there['detail']}"
    if one.receipt_kind == "none":
        return ""
    return "" if there["receipt"] == ["R", one.receipt_kind == "signed"] else f"our receipt is {there['receipt']} there"


async def _received(store: Store) -> dict[str, tuple[Message, bytes]]:
    """All messages taken, by the partner's message id."""
    found: dict[str, tuple[Message, bytes]] = {}
    before: str | None = None
    while page := await store.messages(before=before, limit=1000):
        for message in page:
            if message.as2_message_id is not None and message.state is not MessageState.REFUSED:
                found[message.as2_message_id] = (message, await store.payload(message.id))
        before = page[-1].id
    return found


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def _answers(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  an address on this machine
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
