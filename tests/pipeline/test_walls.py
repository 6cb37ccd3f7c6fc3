"""Walls between partners, and replays: what one partner, or a stranger with a partner's old message, cannot do.

Mallory is a partner in good standing, with an agreement and a certificate of its own, who tries to be acme.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.as2 import make_pair
from gateway import as2
from gateway.partners.directory import Directory
from gateway.pipeline import answering
from gateway.pipeline.evidence import files, gather
from gateway.ports import ApiKey, Direction, DocumentState, MessageState
from gateway.web.api.routes import ROUTES

from .front import PROCESSED, front_of

NAME = "MALLORY-AS2"


@dataclass(kw_only=True)
class Mallory:
    """A second partner over AS2, with keys of its own."""

    trade: Any
    key: as2.KeyPair

    def wire(self, payload: bytes, **how: Any) -> as2.Built:
        """A message as mallory's station writes it."""
        given: dict[str, Any] = {"as2_from": NAME, "sign_with": self.key, "message_id": "<1@mallory>"}
        return self.trade.wire(payload, **(given | how))  # type: ignore[no-any-return]

    async def post(self, built: as2.Built, **headers: str) -> Any:
        """Post it, some of its headers changed: `AS2_From="x"`."""
        return await self.trade.post(renamed(built, **headers), built.body)

    async def messages(self) -> list[Any]:
        """What came from mallory and was taken."""
        found = await self.trade.gateway.store.messages(partner="mallory", limit=200)
        return [one for one in found if one.direction is Direction.INBOUND and one.state is not MessageState.REFUSED]


def renamed(built: as2.Built, **headers: str) -> tuple[tuple[str, str], ...]:
    """The headers of a message, some of them changed: none of them is signed."""
    changes = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return tuple((name, changes.get(name.lower(), value)) for name, value in built.headers)


@pytest.fixture
async def mallory(trade: Any) -> Mallory:
    """An agreement like acme's, under names of its own."""
    station = trade.gateway.station
    acme = station.directory.known("acme")
    x12 = acme.x12.model_copy(update={"identity": acme.x12.identity.model_copy(update={"id": "MALLORY"})})
    agreement = acme.model_copy(
        update={
            "name": "mallory",
            "title": "Mallory",
            "ids": (acme.ids[0].model_copy(update={"value": "V-9"}),),
            "as2": acme.as2.model_copy(update={"id": NAME, "certificates": ("certs/mallory.pem",)}),
            "x12": x12,
        }
    )
    key = make_pair("mallory")
    keyring = station.keyring
    trade.gateway.change(
        directory=Directory([*trade.gateway.agreements, agreement]),
        keyring=replace(keyring, theirs={**keyring.theirs, "mallory": (key.certificate,)}),
    )
    return Mallory(trade=trade, key=key)


# -- names and certificates


async def test_a_partner_in_good_standing_is_taken_under_its_own_name(mallory: Mallory, edi: Any) -> None:
    """So that what is refused below is refused for its reason."""
    built = mallory.wire(edi.file(edi.ack(), sender="MALLORY").encode())
    assert PROCESSED in (await mallory.post(built)).body
    assert len(await mallory.messages()) == 1


async def test_each_partner_with_the_others_certificate_is_refused(trade: Any, mallory: Mallory, edi: Any) -> None:
    """The certificates of the partner named in AS2-From alone verify, both ways."""
    payload = edi.file(edi.ack()).encode()
    for built in (mallory.wire(payload, as2_from="ACME-AS2"), trade.wire(payload, as2_from=NAME)):
        answer = await mallory.post(built)
        assert "authentication-failed" in answer.text
    assert {one.state for one in await trade.gateway.store.messages(limit=9)} == {MessageState.REFUSED}


@pytest.mark.parametrize(
    "name", ["acme-as2", "Acme-AS2", '"ACME-AS2 "', '" ACME-AS2"', "ACME-AS2.", "ACME_AS2", '"ACME\\\\-AS2"']
)
async def test_a_name_that_is_nearly_a_partners_is_a_strangers(trade: Any, edi: Any, name: str) -> None:
    """Compared as it is (RFC 4130 6.2): no case, no blank and no look-alike is forgiven, also for our own name."""
    built = trade.wire(edi.file(edi.ack()).encode())
    for header in ("AS2_From", "AS2_To"):
        changed = name if header == "AS2_From" else name.replace("ACME-AS2", "HARBORLINE").replace("acme", "harbor")
        answer = await trade.post(renamed(built, **{header: changed}), built.body)
        assert b"unknown-trading-relationship" in answer.body or answer.status == 400
    assert all(one.partner is None for one in await trade.gateway.store.messages(limit=9))


async def test_a_quoted_name_is_the_same_name(trade: Any, edi: Any) -> None:
    """RFC 4130 6.2: quotes are not part of it."""
    built = trade.wire(edi.file(edi.ack()).encode())
    assert PROCESSED in (await trade.post(renamed(built, AS2_From='"ACME-AS2"'), built.body)).body


# -- replays of a message


async def test_a_message_of_another_partner_is_not_taken_under_ones_own_name(
    trade: Any, mallory: Mallory, edi: Any
) -> None:
    """The same octets with another AS2-From: the signature is not that partner's."""
    built = trade.wire(edi.file(edi.ack()).encode())
    answer = await mallory.post(built, AS2_From=NAME)
    assert "authentication-failed" in answer.text
    assert await mallory.messages() == []


async def test_another_partners_interchange_signed_anew_answers_nothing_and_takes_no_number(
    trade: Any, mallory: Mallory, edi: Any
) -> None:
    """Whose interchange it is, ISA06 says, and it must be the sender's; acme's own comes through afterwards."""
    order_id = await trade.order()
    payload = edi.file(edi.ack()).encode()
    assert PROCESSED in (await mallory.post(mallory.wire(payload))).body
    await trade.gateway.work()
    assert trade.at_erp("order_acknowledgement") == []
    (taken,) = await mallory.messages()
    (read,) = [one for one in await trade.gateway.trail(message_id=taken.id) if one.kind == "interchange.read"]
    assert (read.data["sender"], read.data["outcome"]) == ("ACMETOOLS", "rejected")
    await trade.arrives(payload.decode())
    assert len(trade.at_erp("order_acknowledgement")) == 1
    assert (await trade.gateway.store.document(order_id)).partner == "acme"


async def test_a_genuine_message_again_under_a_new_message_id_has_no_second_effect(trade: Any, edi: Any) -> None:
    """AS2 does not sign the Message-ID: the replay is taken and gets a receipt, and its control number stops it."""
    await trade.order()
    built = trade.wire(edi.file(edi.ack()).encode())
    assert PROCESSED in (await trade.post(built.headers, built.body)).body
    await trade.gateway.work()
    trade.clock.advance(days=30)
    again = await trade.post(renamed(built, Message_ID="<new@acme>"), built.body)
    assert PROCESSED in again.body
    await trade.gateway.work()
    assert len(trade.at_erp("order_acknowledgement")) == 1
    replay = await trade.gateway.store.message_by_duplicate_key("as2:acme:<new@acme>")
    first = await trade.gateway.store.message_by_duplicate_key(f"as2:acme:{built.message_id}")
    kinds = await trade.gateway.kinds(message_id=first.id) + await trade.gateway.kinds(message_id=replay.id)
    assert "message.duplicate" in kinds


async def test_a_flood_of_replays_is_no_flood_of_answers_to_the_partner(
    trade: Any, edi: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each repeat under a new Message-ID asks for the stored answers again: a few times an hour they go."""
    monkeypatch.setattr(answering, "AGAIN_AN_HOUR", 2)
    payload = edi.file(edi.ack()).encode()
    built = trade.wire(payload)
    for number in range(5):
        assert PROCESSED in (await trade.post(renamed(built, Message_ID=f"<{number}@acme>"), built.body)).body
        await trade.gateway.work()

    async def sent() -> int:
        found = await trade.gateway.store.messages(limit=200)
        return sum(one.direction is Direction.OUTBOUND for one in found)

    once = 1
    assert await sent() == once + 2
    trade.clock.advance(hours=1)
    await trade.post(renamed(built, Message_ID="<later@acme>"), built.body)
    await trade.gateway.work()
    assert await sent() == once + 3


async def test_a_partners_message_id_used_by_another_partner_is_no_duplicate(
    trade: Any, mallory: Mallory, edi: Any
) -> None:
    """Nobody blocks another's Message-ID by using it first, or gets its receipt by repeating it."""
    theirs = mallory.wire(edi.file(edi.ack(), sender="MALLORY").encode(), message_id="<same@acme>")
    first = await mallory.post(theirs)
    await trade.order()
    built = trade.wire(edi.file(edi.ack()).encode(), message_id="<same@acme>")
    second = await trade.post(built.headers, built.body)
    assert PROCESSED in first.body
    assert PROCESSED in second.body
    assert built.mic.encode() in second.body
    assert built.mic.encode() not in first.body
    await trade.gateway.work()
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_a_refused_forgery_under_a_partners_message_id_does_not_block_the_genuine_one(
    trade: Any, mallory: Mallory, edi: Any
) -> None:
    """A forger who guesses the next Message-ID gains nothing."""
    await trade.order()
    forged = mallory.wire(b"ISA*forged~", as2_from="ACME-AS2", message_id="<next@acme>")
    assert "authentication-failed" in (await mallory.post(forged)).text
    genuine = trade.wire(edi.file(edi.ack()).encode(), message_id="<next@acme>")
    assert PROCESSED in (await trade.post(genuine.headers, genuine.body)).body


# -- answers to what we sent


async def test_an_answer_of_another_partner_closes_nothing(trade: Any, mallory: Mallory, edi: Any) -> None:
    """Its 997 for acme's group, its 855 for acme's order: acme's order stays as it was."""
    order_id = await trade.order()
    before = await trade.gateway.store.document(order_id)
    closing = edi.closes("1", "R").replace("ACMETOOLS      ", "MALLORY        ").replace("ACMETOOLS", "MALLORY")
    answering = edi.file(edi.ack(), sender="MALLORY", control="000000002")
    for number, payload in enumerate((closing, answering)):
        built = mallory.wire(payload.encode(), message_id=f"<{number}@mallory>")
        assert PROCESSED in (await mallory.post(built)).body
    await trade.gateway.work()
    after = await trade.gateway.store.document(order_id)
    assert before.state is after.state is DocumentState.SENT
    assert (await trade.gateway.newest("850")).state is MessageState.SENT
    assert trade.at_erp("order_acknowledgement") == []


Receipt = Callable[[tuple[tuple[str, str], ...], bytes], tuple[tuple[tuple[str, str], ...], bytes]]


@pytest.fixture
async def answered_by(trade: Any) -> AsyncIterator[Callable[[Receipt], None]]:
    """A station in acme's place whose receipts a test makes."""
    how: list[Receipt] = []

    async def post(request: web.Request) -> web.Response:
        headers, body = how[-1](tuple(request.headers.items()), await request.read())
        return web.Response(body=body, headers=dict(headers))

    application = web.Application()
    application.router.add_post("/as2", post)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    trade.gateway.agree("acme", as2={"url": f"http://127.0.0.1:{runner.addresses[0][1]}/as2"})
    yield how.append
    await runner.cleanup()


def receipt_by(trade: Any, key: as2.KeyPair) -> Receipt:
    """A receipt as acme's station makes it, signed with this key."""

    def answer(headers: tuple[tuple[str, str], ...], body: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
        keyring = trade.station.station.keyring
        opened = as2.open_message(
            headers, body, keys=keyring.ours, partner_certificates=keyring.theirs["us"], policy=as2.Policy()
        )
        made = as2.build_receipt(
            request=opened.addressing,
            opened=opened,
            fault=None,
            key=key,
            our_name="ACME-AS2",
            message_id="<receipt@acme>",
            date=trade.clock(),
        )
        return made.headers, made.body

    return answer


async def test_a_receipt_signed_by_another_partner_delivers_nothing(
    trade: Any, mallory: Mallory, answered_by: Callable[[Receipt], None]
) -> None:
    """Right in everything but its signer: the message is sent again, and acme's own receipt ends it."""
    answered_by(receipt_by(trade, mallory.key))
    order_id = await trade.order()
    assert (await trade.gateway.store.document(order_id)).state is not DocumentState.SENT
    answered_by(receipt_by(trade, trade.station.station.keyring.ours[0]))
    trade.clock.advance(minutes=1)
    await trade.gateway.work()
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.SENT


async def test_a_genuine_receipt_replayed_for_another_message_delivers_nothing(
    trade: Any, answered_by: Callable[[Receipt], None]
) -> None:
    """Acme's own receipt for the first order, octet for octet, in answer to the second."""
    genuine = receipt_by(trade, trade.station.station.keyring.ours[0])
    kept: list[Any] = []

    def keeping(headers: Any, body: bytes) -> Any:
        kept.append(genuine(headers, body))
        return kept[-1]

    answered_by(keeping)
    first = await trade.order("4500000001")
    answered_by(lambda *_: kept[0])
    second = await trade.order("4500000002")
    store = trade.gateway.store
    assert (await store.document(first)).state is DocumentState.SENT
    assert (await store.document(second)).state is not DocumentState.SENT


# -- the API


async def test_a_partners_key_reaches_no_row_of_another_partner(trade: Any, edi: Any, tmp_path: Path) -> None:
    """Every route with an id, against the real store: orders, messages with their files, receipts, answers."""
    order_id = await trade.order()
    answer = await trade.arrives(edi.file(edi.ack()))
    (document,) = await trade.gateway.documents(answer)
    sent = await trade.gateway.newest("850")
    secret = "s" * 32
    key = ApiKey(
        id="baltic", scope="supplier", partner="baltic", name="", created_at=trade.clock(), expires_at=None,
        revoked_at=None, last_used_at=None,
    )  # fmt: skip
    await trade.gateway.store.add_key(key, secret_sha256=hashlib.sha256(secret.encode()).hexdigest())
    before = await trade.gateway.kinds(order="4500012345")
    async with front_of(trade, tmp_path) as front:
        for route in ROUTES:
            for id_ in (order_id, document.id, answer.id, sent.id):
                address = f"http://127.0.0.1:{front.port}{route.path.replace('{id}', id_)}"
                body = {"json": {"order": {"number": "4500012345"}}} if route.method == "POST" else {}
                headers = {"Authorization": f"Bearer gw_baltic_{secret}"}
                async with trade.http.request(route.method, address, headers=headers, **body) as said:
                    text = await said.text()
                    assert said.status in {403, 404, 422, 400} or route.listed, (route, said.status)
                    assert "4500012345" not in text or said.status in {400, 422}, route
                    assert "acme" not in text.lower(), route
    assert await trade.gateway.kinds(order="4500012345") == before


# -- evidence


async def test_evidence_of_a_partners_message_holds_nothing_of_another_partner(
    trade: Any, mallory: Mallory, edi: Any
) -> None:
    """Whoever gets it in a dispute learns of nobody else; of other events it has hashes."""
    await trade.order()
    theirs = mallory.wire(edi.file(edi.ack(), sender="MALLORY").encode(), message_id="<same@acme>")
    assert PROCESSED in (await mallory.post(theirs)).body
    message = await trade.arrives(edi.file(edi.ack()), message_id="<same@acme>")
    store = trade.gateway.store
    seal_key = Ed25519PrivateKey.generate()
    await store.seal(seal_key)
    public = seal_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    made = files(await gather(trade.gateway.station, message.id, await store.proof(message.id), public))
    assert "payload" in made
    certificate = mallory.key.certificate.public_bytes(Encoding.DER)
    for name, octets in made.items():
        assert b"mallory" not in octets.lower(), name
        assert certificate not in octets, name
