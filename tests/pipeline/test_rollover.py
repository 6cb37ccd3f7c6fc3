"""A certificate is rolled over between two gateways: at no moment is a message refused; each stage proves itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.as2 import KeyPair, fingerprint
from gateway.partners.certificate_making import KINDS, self_signed
from gateway.partners.confirmations import Confirmations, Whose
from gateway.partners.keyring import ALWAYS, Keyring, Use
from gateway.partners.revocation import CrlShelf, Revocation
from gateway.partners.trust import ChainTrust
from gateway.ports import MessageState
from tests.partners.authority import issue, name, revoked

GOOD = b"automatic-action/MDN-sent-automatically; processed\r\n"
NEW_SIGNS = timedelta(days=3)
MOMENT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="session")
def new_pair(prepared: Any) -> KeyPair:
    """The pair that follows ours."""
    now = prepared.gateway.keyring.ours[0].certificate.not_valid_before_utc + timedelta(days=1)
    return self_signed(KINDS["rsa-2048"](), company="Harborline", as2_id="HARBORLINE", now=now, days=900)


@pytest.fixture
def remembering(trade: Any) -> Any:
    """Both sides with a memory of their own for what is confirmed, told at each commit as `serve` does."""
    for side in (trade.gateway, trade.station):
        memory = Confirmations()
        side.change(keyring=replace(side.station.keyring, confirmations=memory))
        side.store.on_commit = lambda changes, memory=memory: memory.learn(changes.certificates)
    return trade


async def exchange(trade: Any, number: str) -> dict[str, Any]:
    """An order goes to acme, its 997 comes back; who signed with what, and what was encrypted for what."""
    await trade.order(number)
    await trade.settle()
    for side in (trade.gateway, trade.station):
        assert await side.store.messages(state=MessageState.REFUSED) == []
        assert await side.store.messages(state=MessageState.FAILED) == []
        assert (await side.store.unfinished()).get("ready", 0) == 0
    sent = next(one for one in await trade.gateway.all() if one.state is MessageState.ACKNOWLEDGED)
    came = next(one for one in await trade.gateway.all() if one.direction == "inbound" and one.channel == "as2")
    facts = [*await trade.gateway.trail(message_id=sent.id), *await trade.gateway.trail(message_id=came.id)]
    return {
        "signed with": next(one.data["signed_with"] for one in facts if one.kind == "message.sent"),
        "encrypted for": next(one.data["encrypted_for"] for one in facts if one.kind == "message.received"),
    }


async def test_a_rollover_of_ours_refuses_no_message_at_any_moment(remembering: Any, new_pair: KeyPair) -> None:
    """Made, imported there, in use from its date, confirmed by both directions, the old one retired."""
    trade, ring = remembering, remembering.gateway.station.keyring
    (old,) = ring.ours
    was, will = fingerprint(old.certificate), fingerprint(new_pair.certificate)
    memory = ring.confirmations
    assert await exchange(trade, "1") == {"signed with": was, "encrypted for": was}
    assert ("acme", Whose.OURS, was) in memory

    dates = {was: Use(sign_from=ALWAYS), will: Use(sign_from=trade.clock() + NEW_SIGNS)}
    trade.gateway.change(keyring=replace(ring, ours=(old, new_pair), uses=dates))
    assert await exchange(trade, "2") == {"signed with": was, "encrypted for": was}

    theirs = trade.station.station.keyring
    trade.station.change(keyring=replace(theirs, theirs={"us": (*theirs.theirs["us"], new_pair.certificate)}))
    assert await exchange(trade, "3") == {"signed with": was, "encrypted for": was}  # imported, not confirmed

    trade.clock.advance(days=3)
    assert ("acme", Whose.OURS, will) not in memory
    first = await exchange(trade, "4")
    assert first["signed with"] == will
    assert ("acme", Whose.OURS, will) in memory
    # Their 997 followed our message: by then our new signature had confirmed it there.
    assert await exchange(trade, "5") == {"signed with": will, "encrypted for": will}

    trade.gateway.change(keyring=replace(ring, ours=(new_pair,), uses=dates))
    trade.station.change(keyring=replace(theirs, theirs={"us": (new_pair.certificate,)}))
    assert await exchange(trade, "6") == {"signed with": will, "encrypted for": will}


async def test_what_is_confirmed_is_written_once(remembering: Any) -> None:
    """The proof is the first message; what came after it cost the store nothing."""
    trade = remembering
    await exchange(trade, "1")
    found = await trade.gateway.store.certificate_steps(partner="acme")
    proofs = {one.whose: one.message_id for one in found}
    assert set(proofs) == {Whose.OURS, Whose.THEIRS}
    assert len(found) == 2
    await exchange(trade, "2")
    again = await trade.gateway.store.certificate_steps(partner="acme")
    assert {one.whose: one.message_id for one in again} == proofs


async def test_an_expired_signer_is_told_what_a_stranger_is_told_and_we_learn_which_it_was(
    remembering: Any, edi: Any
) -> None:
    """Not the date, not that it was ever known; the trail names certificate and day."""
    trade = remembering
    ring = trade.gateway.station.keyring
    now = trade.clock()
    gone = self_signed(KINDS["rsa-2048"](), company="Acme", as2_id="ACME-AS2", now=now - timedelta(days=30), days=20)
    stranger = self_signed(KINDS["rsa-2048"](), company="Acme", as2_id="ACME-AS2", now=now, days=20)
    trade.gateway.change(keyring=replace(ring, theirs={"acme": (gone.certificate, *ring.theirs["acme"])}))
    told = []
    for pair in (gone, stranger):
        built = trade.wire(edi.file(edi.ack()).encode(), sign_with=pair)
        told.append((await trade.post(built.headers, built.body)).text)
    for text in told:
        assert "processed/error: authentication-failed" in text
        assert "The message is not signed by a certificate known for this partner." in text
    refused = await trade.gateway.store.messages(state=MessageState.REFUSED)
    facts = [(await trade.gateway.trail(message_id=one.id))[0].data["reason"] for one in refused]
    assert any(fingerprint(gone.certificate)[:16] in one and "expired on 2026-02-20" in one for one in facts)


async def test_without_a_valid_pair_of_ours_nothing_is_taken_and_a_resend_is_once_there_is_one(
    remembering: Any, edi: Any
) -> None:
    """An unsigned positive receipt would be given again for ever: refused without a word of why, taken later."""
    trade = remembering
    ring = trade.gateway.station.keyring
    built = trade.wire(edi.file(edi.ack()).encode())
    days = (ring.ours[0].certificate.not_valid_after_utc - trade.clock()).days + 1
    bearing = replace(ring, accept_expired_until={"acme": (trade.clock() + timedelta(days=days)).date()})
    trade.gateway.change(keyring=bearing)
    trade.clock.advance(days=days)
    answer = await trade.post(built.headers, built.body)
    assert "processed/error: unexpected-processing-error" in answer.text
    assert "send it again later" in answer.text
    assert "expired" not in answer.text
    (kept,) = await trade.gateway.store.messages(state=MessageState.REFUSED)
    (fact, *_) = await trade.gateway.trail(message_id=kept.id)
    assert "none of our certificates may sign" in fact.data["reason"]
    trade.clock.advance(days=-days)
    assert GOOD in (await trade.post(built.headers, built.body)).body


@pytest.fixture(scope="session")
def authority_of_acme() -> KeyPair:
    """Who vouches for acme's certificates."""
    return issue(name("Acme CA"), None, at=MOMENT, days=3000, authority=True)


def trusting(ring: Keyring, authority: KeyPair, revocation: Revocation | None = None) -> Keyring:
    """A keyring that trusts what the authority says of acme."""
    subject = x509.Name.from_rfc4514_string("CN=acme-as2")
    chain = ChainTrust(authorities=(authority.certificate,), subject=subject, revocation=revocation)
    return replace(ring, chains={"acme": chain})


async def test_by_chain_a_partner_rolls_its_signing_certificate_by_itself(
    remembering: Any, edi: Any, authority_of_acme: KeyPair
) -> None:
    """The certificate inside the message counts; without chain, or for another subject, it is a stranger's."""
    trade = remembering
    ring = trade.gateway.station.keyring
    rolled = issue(name("acme-as2"), authority_of_acme, at=trade.clock())
    other = issue(name("baltic-as2"), authority_of_acme, at=trade.clock())

    async def posted(pair: KeyPair) -> str:
        built = trade.wire(edi.file(edi.ack()).encode(), sign_with=pair)
        return str((await trade.post(built.headers, built.body)).text)

    assert "processed/error: authentication-failed" in await posted(rolled)
    trade.gateway.change(keyring=trusting(ring, authority_of_acme))
    assert GOOD.decode() in await posted(rolled)
    assert "processed/error: authentication-failed" in await posted(other)
    assert GOOD.decode() in await posted(trade.station.station.keyring.ours[0])  # the pinned one still counts
    refused = await trade.gateway.store.messages(state=MessageState.REFUSED)
    reasons = [(await trade.gateway.trail(message_id=one.id))[0].data["reason"] for one in refused]
    assert sum("no certificate in the message has the subject that the agreement names" in one for one in reasons) == 1


async def test_a_revoked_certificate_is_a_strangers(
    remembering: Any, edi: Any, authority_of_acme: KeyPair, tmp_path: Path
) -> None:
    """Pinned or by chain, from the moment that the list is there; the trail says when it was revoked."""
    trade = remembering
    ring = trade.gateway.station.keyring
    rolled = issue(name("acme-as2"), authority_of_acme, at=trade.clock())
    shelf = CrlShelf(tmp_path)
    asked = Revocation(shelf=shelf, sources=("http://x/",), authorities=(authority_of_acme.certificate,), stale="warn")
    by_chain = trusting(ring, authority_of_acme, asked)
    pinned = replace(ring, theirs={"acme": (*ring.theirs["acme"], rolled.certificate)}, revocations={"acme": asked})
    for keyring in (by_chain, pinned):
        trade.gateway.change(keyring=keyring)
        built = trade.wire(edi.file(edi.ack()).encode(), sign_with=rolled)
        assert GOOD in (await trade.post(built.headers, built.body)).body
    listed = revoked(authority_of_acme, [rolled.certificate], at=trade.clock()).public_bytes(Encoding.DER)
    shelf.put("http://x/", listed, asked.authorities)
    for keyring in (by_chain, pinned):
        trade.gateway.change(keyring=keyring)
        built = trade.wire(edi.file(edi.ack()).encode(), sign_with=rolled)
        text = (await trade.post(built.headers, built.body)).text
        assert "processed/error: authentication-failed" in text
        assert "revoked" not in text
        message = (await trade.gateway.store.messages(state=MessageState.REFUSED))[0]
        (fact, *_) = await trade.gateway.trail(message_id=message.id)
        assert "it was revoked on 2026-03-02" in fact.data["reason"]


@pytest.mark.parametrize("rolled_between", [False, True])
async def test_a_receipt_that_comes_by_itself_confirms_what_its_message_was_signed_with(
    remembering: Any, new_pair: KeyPair, *, rolled_between: bool
) -> None:
    """What was posted stands on the trail; of two attempts signed with different pairs neither is confirmed."""
    trade, ring = remembering, remembering.gateway.station.keyring
    (old,) = ring.ours
    was, will = fingerprint(old.certificate), fingerprint(new_pair.certificate)
    settings = trade.gateway.station.settings
    listen = settings.listen.model_copy(update={"public_url": trade.gateway.url})
    trade.gateway.change(settings=settings.model_copy(update={"listen": listen}))
    trade.gateway.agree("acme", as2={"receipt_mode": "async", "receipt_within_minutes": 30})
    trade.station.agree("us", as2={"receipt_urls": (f"{trade.gateway.url}/as2/receipts",)})
    theirs = trade.station.station.keyring
    trade.station.change(keyring=replace(theirs, theirs={"us": (old.certificate, new_pair.certificate)}))
    await trade.order()
    if rolled_between:
        dates = {was: Use(sign_from=ALWAYS), will: Use(sign_from=trade.clock())}
        trade.gateway.change(keyring=replace(ring, ours=(old, new_pair), uses=dates))
        trade.clock.advance(minutes=31)
        await trade.gateway.work()
    await trade.settle()
    found = {one.fingerprint: one.how for one in await trade.gateway.store.certificate_steps(partner="acme")}
    by_receipt = {one for one, how in found.items() if how == "a message signed with it got a signed positive receipt"}
    assert by_receipt == (set() if rolled_between else {was})
    message = await trade.gateway.newest("850")
    signed_with = [
        one.data["signed_with"]
        for one in await trade.gateway.trail(message_id=message.id)
        if one.kind == "message.posted"
    ]
    assert signed_with == ([was, will] if rolled_between else [was])


async def test_an_unsigned_message_confirms_nothing(remembering: Any, edi: Any) -> None:
    """Our certificate is public: whoever encrypts for it may be anybody."""
    trade = remembering
    trade.gateway.agree("acme", as2={"require_signature": False})
    built = trade.wire(edi.file(edi.ack()).encode(), sign_with=None)
    assert GOOD in (await trade.post(built.headers, built.body)).body
    assert await trade.gateway.store.certificate_steps(partner="acme") == []
