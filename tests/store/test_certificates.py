"""Steps of certificates and warnings of their ends: written once, whoever comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from gateway.events import CertificateExpiring
from gateway.partners.confirmations import Confirmations, Reached, Stage, Whose
from gateway.ports import CERTIFICATES, Changes, Channel, Direction, MessageState, NewMessage
from gateway.store import Store

FIRST = Reached(
    partner="acme", whose=Whose.THEIRS, fingerprint="ab" * 32, stage=Stage.CONFIRMED, how="first", message_id="m-1"
)


async def test_the_first_proof_stays_and_its_time_is_the_commits(store: Store, clock: Any) -> None:
    """A later one of the same changes nothing; another stage, partner or side is another row."""
    await store.apply(Changes(certificates=(FIRST,)))
    clock.advance(hours=1)
    others = (
        replace(FIRST, whose=Whose.OURS),
        replace(FIRST, partner="baltic"),
        replace(FIRST, stage=Stage.IMPORTED),
    )
    await store.apply(Changes(certificates=(replace(FIRST, how="second", message_id="m-2"), *others)))
    found = await store.certificate_steps()
    assert len(found) == 4
    assert (found[0].how, found[0].message_id) == ("first", "m-1")
    assert len(await store.certificate_steps(partner="acme")) == 3
    assert len(await store.certificate_steps(stage=Stage.IMPORTED)) == 1


async def test_another_node_learns_what_was_confirmed_since(store: Store, clock: Any) -> None:
    """Only the confirmed ones count, and the newest are enough."""
    await store.apply(Changes(certificates=(FIRST,)))
    clock.advance(hours=1)
    since = clock.at - timedelta(minutes=10)
    await store.apply(Changes(certificates=(replace(FIRST, partner="baltic"), replace(FIRST, stage=Stage.SENT))))
    memory = Confirmations()
    memory.learn(await store.certificate_steps(stage=Stage.CONFIRMED, since=since))
    assert ("baltic", Whose.THEIRS, "ab" * 32) in memory
    assert ("acme", Whose.THEIRS, "ab" * 32) not in memory
    memory.learn(await store.certificate_steps())
    assert ("acme", Whose.THEIRS, "ab" * 32) in memory


async def test_a_warning_is_given_once_and_stands_on_the_trail(store: Store, clock: Any) -> None:
    """For each partner, role, certificate and threshold; it is no step of a certificate."""
    chain = NewMessage(
        id=CERTIFICATES,
        partner=None,
        direction=Direction.INBOUND,
        channel=Channel.FOLDER,
        state=MessageState.PROCESSED,
        at=clock(),
        payload=b"",
    )
    await store.apply(Changes(messages=(chain,)))
    warning = CertificateExpiring(
        message_id=CERTIFICATES,
        partner="acme",
        role="theirs",
        file="certs/acme.pem",
        certificate="ab" * 32,
        subject="CN=acme",
        not_after="2026-05-01T00:00:00+00:00",
        days_left=59,
        threshold=60,
    )
    narrower = replace(warning, threshold=30, days_left=29)
    assert await store.warn([warning]) == (warning,)
    assert await store.warn([replace(warning, days_left=58), narrower]) == (narrower,)
    assert [one.data["threshold"] for one in await store.timeline(message_id=CERTIFICATES)] == [60, 30]
    assert await store.certificate_steps() == []
