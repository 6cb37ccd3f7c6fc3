"""What an explanation says is what `open_message` and `read_receipt` do, whatever comes."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from gateway.as2 import As2Fault, Opened, Policy, ReceiptKind, Refusal, Sent, open_message
from gateway.as2.attachments import Attachment, join
from gateway.as2.explaining import Sight, explain
from gateway.as2.explaining_receipts import ReceiptSight, explain_receipt, hash_of
from gateway.errors import PartnerFault


@pytest.fixture
def sight(stations: Any) -> Sight:
    """As our station sees what acme sends."""
    from datetime import UTC, datetime  # noqa: PLC0415

    return Sight(
        keys=[stations.ours],
        certificates=[stations.acme.certificate],
        policy=Policy(),
        moment=datetime(2026, 3, 1, 13, tzinfo=UTC),
    )


def taken(sight: Sight, headers: Any, body: bytes) -> bool:
    """What the station really does."""
    try:
        open_message(headers, body, keys=sight.keys, partner_certificates=sight.certificates, policy=sight.policy)
    except PartnerFault:
        return False
    return True


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("cipher", ["aes-128-cbc", "aes-256-gcm", None])
@pytest.mark.parametrize("sign", [True, False])
def test_the_mic_explained_is_the_mic_that_the_sender_remembers(
    stations: Any, sight: Sight, *, compress: bool, cipher: str | None, sign: bool
) -> None:
    """For every order of layers, with what it is over in words."""
    encrypt = {"cipher": cipher} if cipher else {"encrypt_for": ()}
    built = stations.send(compress=compress, sign_with=stations.acme if sign else None, **encrypt)
    free = replace(sight, policy=Policy(require_signature=False, require_encryption=False))
    found = explain(built.headers, built.body, free)
    assert found.taken, found.sentence
    assert found.mic == built.mic
    assert found.mic_over is not None
    assert ("headers included" in found.mic_over) == bool(compress or cipher or sign)


def test_what_comes_of_octets_changed_anywhere_is_what_the_station_does(stations: Any, sight: Sight) -> None:
    """Explaining never raises, and never says taken where the station refuses."""
    chance = random.Random(7)
    for compress, cipher in ((True, "aes-128-cbc"), (False, "aes-128-gcm"), (True, None)):
        built = stations.send(compress=compress, **({"cipher": cipher} if cipher else {"encrypt_for": ()}))
        for _ in range(60):
            body = bytearray(built.body)
            for _ in range(chance.randint(1, 3)):
                body[chance.randrange(len(body))] = chance.randrange(256)
            octets = bytes(body[: chance.choice((len(body), len(body), chance.randrange(len(body))))])
            free = replace(sight, policy=Policy(require_encryption=False))
            assert explain(built.headers, octets, free).taken is taken(free, built.headers, octets)


@pytest.mark.parametrize(("kind", "transport"), [("rsa", "rsa-pkcs1-v1.5"), ("ec", "ecdh")])
def test_how_the_session_key_travels_is_told_and_whose_key_opens_it(
    stations: Any, sight: Sight, pair: Any, kind: str, transport: str
) -> None:
    """For RSA and for EC keys; the other one's key does not."""
    mine, other = pair(f"mine-{kind}", kind), pair(f"other-{kind}", kind)
    built = stations.send(encrypt_for=[mine.certificate, other.certificate])
    free = replace(sight, keys=[mine])
    found = explain(built.headers, built.body, free)
    assert found.taken, found.sentence
    rows = [value for name, value in found.layers[1].facts if name == "for"]
    assert len(rows) == 2
    assert all(transport in one for one in rows)
    assert [one for one in rows if f"our key of CN=mine-{kind}" in one]
    third = explain(built.headers, built.body, replace(sight, keys=[stations.ours]))
    assert f"issuer CN=mine-{kind}" in third.sentence


def test_a_stranger_and_a_wrong_address_are_refused_before_anything_else(stations: Any, sight: Sight) -> None:
    """As the station answers: an unknown trading relationship."""
    built = stations.send()
    stranger = explain(built.headers, built.body, replace(sight, our_id="us", partner=None, certificates=()))
    assert stranger.disposition == "processed/error: unknown-trading-relationship"
    assert stranger.sentence == "Refused: no agreement names a partner 'acme'."
    astray = explain(built.headers, built.body, replace(sight, our_id="them", partner="acme"))
    assert astray.sentence == "Refused: it is addressed to 'us', we are 'them'."


def test_what_else_is_agreed_is_judged_of_what_was_opened(stations: Any, sight: Sight) -> None:
    """A message that is sound in itself is refused for it, in its words."""
    built = stations.send()
    seen: list[str] = []

    def demands(opened: Opened) -> As2Fault | None:
        seen.append(opened.content_type)
        return As2Fault("this type is not agreed", refusal=Refusal.UNEXPECTED, public="No.")

    found = explain(built.headers, built.body, replace(sight, demands=demands))
    assert (found.taken, found.sentence, found.told) == (False, "Refused: this type is not agreed.", "No.")
    assert seen == ["application/edi-x12"]
    assert explain(built.headers, built.body, replace(sight, demands=lambda _: None)).taken


def test_the_files_of_a_message_are_listed(stations: Any, sight: Sight) -> None:
    """Name, type and size of each; one that cannot be taken apart is refused with the reason."""
    files = [
        Attachment(content_type="application/edi-x12", filename="order.edi", data=stations.payload),
        Attachment(content_type="application/pdf", filename="terms.pdf", data=b"%PDF-1.7"),
    ]
    joined = join(files, boundary="files")
    built = stations.send(payload=joined.content, content_type=joined.content_type, filename=None)
    content = explain(built.headers, built.body, sight).layers[-1]
    assert [dict(one.facts)["file name"] for one in content.inside] == ["order.edi", "terms.pdf"]
    assert dict(content.inside[1].facts)["size"] == "8 octets"
    cut = stations.send(payload=joined.content[:-12], content_type=joined.content_type, filename=None)
    assert "its files cannot be taken apart" in explain(cut.headers, cut.body, sight).sentence


def test_a_body_over_the_limit_is_not_looked_into(stations: Any, sight: Sight) -> None:
    """The limits are those of the station."""
    built = stations.send()
    found = explain(built.headers, built.body, replace(sight, policy=Policy(max_size=100)))
    assert found.sentence == f"Refused: the body has {len(built.body)} octets; 100 are allowed."


def test_nothing_is_blamed_on_certificates_that_are_not_here(stations: Any, sight: Sight) -> None:
    """Without the partner's certificate a sound signature is not judged, a changed content still is."""
    built = stations.send(encrypt_for=())
    free = replace(sight, certificates=(), policy=Policy(require_encryption=False))
    found = explain(built.headers, built.body, free)
    assert found.taken is None
    assert "fits the certificate inside the message" in found.sentence
    changed = explain(built.headers, built.body.replace(b"855", b"856", 1), free)
    assert changed.taken is False
    assert "the content is not what was signed" in changed.sentence


@pytest.mark.parametrize("changed", [False, True])
def test_a_receipt_counts_as_read_receipt_says(stations: Any, sight: Sight, *, changed: bool) -> None:
    """For the message it answers; of another content it proves nothing."""
    built = stations.send()
    opened = stations.take(built.headers, built.body)
    receipt = stations.answer(built.headers, opened)
    sent = Sent(message_id=built.message_id, mic=built.mic, mic_algorithm=hash_of(built.mic), signed=True)
    if changed:
        sent = replace(sent, mic=stations.send(payload=b"other").mic)
    looked = ReceiptSight(certificates=[stations.ours.certificate], moment=sight.moment, sent=sent)
    found = explain_receipt(receipt.headers, receipt.body, looked)
    assert found.taken is not changed, found.sentence
    assert found.signer == stations.ours.certificate


def test_receipts_changed_anywhere_never_raise(stations: Any, sight: Sight) -> None:
    """Nor do they count, unless nothing that matters was changed."""
    chance = random.Random(11)
    built = stations.send()
    receipt = stations.answer(built.headers, stations.take(built.headers, built.body))
    sent = Sent(message_id=built.message_id, mic=built.mic, mic_algorithm="sha-256", signed=True)
    looked = ReceiptSight(certificates=[stations.ours.certificate], moment=sight.moment, sent=sent)
    for _ in range(150):
        body = bytearray(receipt.body)
        body[chance.randrange(len(body))] = chance.randrange(256)
        found = explain_receipt(receipt.headers, bytes(body[: chance.choice((len(body), 300))]), looked)
        assert found.sentence


@pytest.mark.parametrize(
    ("mic", "name"), [("A" * 43 + "=", "sha-256"), ("A" * 64, "sha-384"), ("A" * 88, "sha-512"), ("A" * 28, "sha-1")]
)
def test_the_hash_of_a_stored_mic_is_known_by_its_length(mic: str, name: str) -> None:
    """The store keeps the MIC alone."""
    assert hash_of(mic) == name


def test_a_refusal_tells_the_operator_more_than_the_sender(stations: Any, sight: Sight) -> None:
    """The sentence is ours, `told` is what a receipt carries."""
    built = stations.send(sign_with=None)
    found = explain(built.headers, built.body, sight)
    with pytest.raises(As2Fault) as caught:
        stations.take(built.headers, built.body)
    assert (found.disposition, found.taken) == (str(caught.value.refusal), False)
    assert built.headers
    assert ReceiptKind.SIGNED.value in dict(found.layers[0].facts).values()
