"""`gateway webhook` and `gateway events`: tried, listed, sent again, switched, secrets exchanged; refused in words."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from standardwebhooks import Webhook as Peer
from standardwebhooks import WebhookVerificationError

from gateway import wiring
from gateway.cli.answers import run as run_async
from gateway.events import MessageRefused
from gateway.partners import one_writer
from gateway.ports import Changes, Direction, NewMessage, new_id, own_chain
from gateway.publication import NOTIFY, Announcer, Subscribers

Run = Callable[..., Result]


class Receiver(ThreadingHTTPServer):
    """Answers `status`; keeps what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.status = 204
        self.came: list[tuple[dict[str, str], bytes]] = []


class Answering(BaseHTTPRequestHandler):
    """One request."""

    server: Receiver

    def do_POST(self) -> None:
        """Keep it, answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((dict(self.headers.items()), body))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b"") if self.server.status == 204 else self.wfile.write(b"no\x00t now")

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """It, listening."""
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def workspace(made: Path, tmp_path: Path, receiver: Receiver) -> Path:
    """A workspace with one webhook whose secrets stand in a file, and one in a variable."""
    folder = tmp_path / "w"
    shutil.copytree(made, folder)
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    with (folder / "gateway.yaml").open("a") as file:
        file.write(
            f"\nwebhooks:\n  erp: {{url: '{url}', secrets: {{file: keys/webhook-erp.secret}}, allow_private: true}}\n"
            f"  far: {{url: '{url}', types: [order.*], secrets: {{env: FAR_SECRET}}}}\n"
        )
    return folder


def call(run: Run, workspace: Path, *words: object, code: int = 0) -> str:
    """What a command prints."""
    done = run(*words, "--workspace", workspace)
    assert done.exit_code == code, done.output
    return done.output


def json_of(run: Run, workspace: Path, *words: object, code: int = 0) -> Any:
    """What it prints as JSON."""
    done = run(*words, "--json", "--workspace", workspace)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_two_who_exchange_a_secret_at_once_do_so_one_after_the_other(
    run: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is refused while the first writes: its secret would be in no file."""
    monkeypatch.setattr(one_writer, "PATIENCE_SECONDS", 0.2)
    with one_writer.one_writer(workspace):
        said = call(run, workspace, "webhook", "rotate", "erp", code=2).replace("\n", " ")
    assert "another gateway command" in said
    assert not (workspace / "keys" / "webhook-erp.secret").exists()
    assert json_of(run, workspace, "webhook", "rotate", "erp")["secrets"] == 1


def test_a_secret_is_made_tried_exchanged_and_the_old_one_dropped(
    run: Run, workspace: Path, receiver: Receiver
) -> None:
    """What is printed verifies what is sent; the file is for the gateway only."""
    assert "gateway webhook rotate" in call(run, workspace, "webhook", "test", "erp", code=2).replace("\n", " ")
    first = json_of(run, workspace, "webhook", "rotate", "erp")["shown"]
    file = workspace / "keys" / "webhook-erp.secret"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "204" in call(run, workspace, "webhook", "test", "erp")
    second = json_of(run, workspace, "webhook", "rotate", "erp")["shown"]
    call(run, workspace, "webhook", "test", "erp")
    call(run, workspace, "webhook", "rotate", "erp", "--finish", "--by", "ann", "--reason", "yearly")
    call(run, workspace, "webhook", "test", "erp")
    for number, verifies in enumerate(((first,), (first, second), (second,))):
        headers, body = receiver.came[number]
        for secret in verifies:
            assert Peer(secret).verify(body, headers)["type"] == "webhook.test"
    with pytest.raises(WebhookVerificationError):
        Peer(first).verify(receiver.came[2][1], receiver.came[2][0])
    assert json_of(run, workspace, "webhook", "rotate", "erp", "--asymmetric")["shown"].startswith("whpk_")

    async def trail() -> list[str]:
        async with wiring.open_store(workspace) as store:
            return [
                f"{one.data['secrets']} {one.data['reason']}" for one in await store.timeline(message_id="webhooks")
            ]

    assert run_async(trail()) == ["1 ", "2 ", "1 yearly", "2 "]


def test_what_a_receiver_refuses_is_said_with_its_answer(run: Run, workspace: Path, receiver: Receiver) -> None:
    """Exit code 1; controls in the answer are not printed."""
    call(run, workspace, "webhook", "rotate", "erp")
    receiver.status = 503
    said = call(run, workspace, "webhook", "test", "erp", code=1)
    assert "it answered 503: no�t now" in said
    found = json_of(run, workspace, "webhook", "test", "erp", code=1)
    assert found["status"] == 503


def test_what_cannot_be_done_is_said_with_the_remedy(
    run: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a traceback."""
    monkeypatch.delenv("FAR_SECRET", raising=False)
    assert "did you mean erp?" in call(run, workspace, "webhook", "test", "epr", code=2)
    assert "webhooks are: erp, far" in call(run, workspace, "webhook", "enable", "zzzz", code=2)
    assert "FAR_SECRET is not set" in call(run, workspace, "webhook", "test", "far", code=2)
    assert "FAR_SECRET" in call(run, workspace, "webhook", "rotate", "far", code=2)
    assert "no secret yet" in call(run, workspace, "webhook", "rotate", "erp", "--finish", code=2)
    assert "no state 'gone'" in call(run, workspace, "webhook", "deliveries", "erp", "--state", "gone", code=2)
    (workspace / "keys" / "webhook-erp.secret").write_text("hello there\n")
    assert "hello" not in call(run, workspace, "webhook", "test", "erp", code=2)


def test_a_private_address_that_was_not_allowed_is_refused(
    run: Run, workspace: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With how to allow it; nothing came."""
    monkeypatch.setenv("FAR_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert "allow_private: true" in call(run, workspace, "webhook", "test", "far", code=1)
    assert receiver.came == []


async def _refused_message(workspace: Path) -> None:
    """One event, handed on, given up."""
    async with wiring.open_station(workspace) as (station, store):
        subscribers = Subscribers.of(station.settings, ())
        announcer = Announcer.of(station.settings, subscribers)
        store.announcer = lambda: announcer
        at = wiring.now()
        message: NewMessage = own_chain(new_id(at), b"?", at=at)
        assert message.direction is Direction.INBOUND
        fact = MessageRefused(message_id=message.id, partner="acme", channel="as2", reason="no", sha256="00", size=1)
        await store.accept(Changes(messages=(message,), events=(fact,)))
        assert [one.events for one in await store.outbox()] == [1]
        await store.hand_on(subscribers, 10)
        (job,) = await store.claim("me", [NOTIFY], 1)
        await store.bury(job, outcome="permanent", reason="it answered 500", changes=Changes())


def test_deliveries_are_listed_and_sent_again_and_the_endpoint_switched(run: Run, workspace: Path) -> None:
    """As tables and as JSON."""
    run_async(_refused_message(workspace))
    (found,) = json_of(run, workspace, "webhook", "deliveries", "erp")
    assert (found["type"], found["state"], found["reason"]) == ("message.rejected", "dead", "it answered 500")
    assert "it answered 500" in call(run, workspace, "webhook", "deliveries", "erp", "--state", "dead")
    assert "1 event for erp" in call(run, workspace, "webhook", "redeliver", "erp", "--by", "ann")
    call(run, workspace, "webhook", "redeliver", "erp", code=1)
    assert "told nothing more" in call(run, workspace, "webhook", "disable", "erp", "--by", "ann", "--reason", "moves")
    rows = {row["name"]: row for row in json_of(run, workspace, "webhook", "list")}
    assert (rows["erp"]["state"], rows["erp"]["waiting"], rows["erp"]["why"]) == ("disabled", 1, "by ann: moves")
    assert rows["far"]["state"] == "active"
    assert "disabled" in call(run, workspace, "webhook", "list")
    assert "told again" in call(run, workspace, "webhook", "enable", "erp")
    assert "was not disabled" in call(run, workspace, "webhook", "enable", "erp")
    assert "nothing waits" in call(run, workspace, "events", "waiting")
    assert json_of(run, workspace, "events", "waiting") == []


def test_the_document_is_written_and_a_folder_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    """Exit code 2 with the file's name."""
    assert run("events", "describe", "--into", tmp_path / "asyncapi.json").exit_code == 0
    assert json.loads((tmp_path / "asyncapi.json").read_text())["asyncapi"] == "3.0.0"
    refused = run("events", "describe", "--into", tmp_path / "no" / "asyncapi.json")
    assert refused.exit_code == 2
    assert "asyncapi.json" in refused.output
