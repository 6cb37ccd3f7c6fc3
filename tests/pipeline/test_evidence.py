"""The evidence of an exchange: the commands of its README run against its files, and fail when one is changed."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.pipeline.evidence import files, gather, zipped

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command on this machine")

SEAL_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
COMMANDS = re.compile(r"```sh\n(.*?)```", re.DOTALL)


async def evidence(side: Any, message_id: str, folder: Path) -> dict[str, bytes]:
    """Everything is sealed, then gathered, zipped and unpacked."""
    await side.store.seal(SEAL_KEY)
    key = SEAL_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    found = await gather(side.station, message_id, await side.store.proof(message_id), key)
    archive = zipped(files(found))
    again = await gather(side.station, message_id, await side.store.proof(message_id), key)
    assert zipped(files(again)) == archive, "the same message gives the same octets"
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        opened.extractall(folder)
        return {name: opened.read(name) for name in opened.namelist()}


def verify(folder: Path) -> list[str]:
    """Run the README's commands; those that failed."""
    failed = []
    blocks = COMMANDS.findall((folder / "README.md").read_text("utf-8"))
    for command in "".join(blocks).replace("\\\n", " ").splitlines():
        done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, check=False, timeout=60)
        if done.returncode:
            failed.append(f"{command}: {done.stderr.decode()}")
    return failed


async def test_a_received_message_verifies_with_openssl_alone(trade: Any, edi: Any, tmp_path: Path) -> None:
    """Their signature, the MIC, our signed receipt with the same MIC, the trail and its seal."""
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    made = await evidence(trade.gateway, message.id, tmp_path)
    expected = {"message.http", "payload", "entity", "signature.p7s", "signer.pem"}
    assert expected | {"receipt.http", "receipt-entity", "receipt.p7s", "receipt-signer.pem"} <= set(made)
    page = made["README.md"].decode()
    assert "Taken: encrypted with aes-256-cbc, signed by" in page
    assert page.count("openssl cms -verify") == 2
    assert "pkeyutl -verify" in page
    assert verify(tmp_path) == []


@pytest.mark.parametrize("name", ["entity", "receipt-entity", "trail/0001", "seals/1.entries", "signature.p7s"])
async def test_whatever_is_changed_is_found_out(trade: Any, edi: Any, tmp_path: Path, name: str) -> None:
    """By the sums, and by the command that is for it."""
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    made = await evidence(trade.gateway, message.id, tmp_path)
    octets = bytearray(made[name])
    octets[-5] ^= 1
    (tmp_path / name).write_bytes(octets)
    failed = verify(tmp_path)
    assert len(failed) >= 2, failed
    assert "SHA256SUMS" in failed[0]


@pytest.mark.parametrize(
    "channel",
    [
        {},
        {"compress": "after"},
        {"compress": "no", "filename": "no"},
        {"content_type": "application/x-edi"},
        {"micalgs": ("sha512", "sha256")},
    ],
    ids=["as it is", "compressed after signing", "no file name", "another type", "the receipt chooses the hash"],
)
async def test_a_sent_message_is_proven_by_the_partners_receipt(
    trade: Any, tmp_path: Path, channel: dict[str, Any]
) -> None:
    """What we signed is made again and has the MIC that they signed for; our own signature only they can see."""
    trade.gateway.agree("acme", as2=channel)
    await trade.order()
    sent = next(one for one in await trade.gateway.all() if one.direction == "outbound")
    made = await evidence(trade.gateway, sent.id, tmp_path)
    assert {"entity", "receipt.p7s", "receipt-signer.pem", "message.http"} <= set(made)
    assert "signature.p7s" not in made
    assert b"850" in made["payload"]
    page = made["README.md"].decode()
    assert "its MIC is ours" in page
    assert "what one side sent is what the other side received" in page
    assert ("openssl dgst -sha512" in page) is ("micalgs" in channel)
    assert "Our signature is encrypted for the partner" in page
    assert verify(tmp_path) == []


async def test_a_receipt_that_came_by_itself_proves_the_same(trade: Any, tmp_path: Path) -> None:
    """It is the one in the evidence, with its own headers; the trail tells when it was posted."""
    gateway, station = trade.gateway, trade.station
    settings = gateway.station.settings
    listen = settings.listen.model_copy(update={"public_url": gateway.url})
    gateway.change(settings=settings.model_copy(update={"listen": listen}))
    gateway.agree("acme", as2={"receipt_mode": "async"})
    station.agree("us", as2={"receipt_urls": (f"{gateway.url}/as2/receipts",)})
    await trade.order()
    await station.work()
    await gateway.work()
    sent = next(one for one in await gateway.all() if one.direction == "outbound")
    made = await evidence(gateway, sent.id, tmp_path)
    page = made["README.md"].decode()
    assert "its MIC is ours" in page, page
    assert "message.posted" in page
    assert {"entity", "receipt.p7s", "receipt-signer.pem"} <= set(made)
    assert verify(tmp_path) == []


async def test_of_a_message_in_the_clear_our_own_signature_is_evidence_too(trade: Any, tmp_path: Path) -> None:
    """Nothing had to be made again."""
    trade.gateway.agree("acme", as2={"encrypt": "no"})
    trade.station.agree("us", as2={"require_encryption": False})
    await trade.order()
    sent = next(one for one in await trade.gateway.all() if one.direction == "outbound")
    made = await evidence(trade.gateway, sent.id, tmp_path)
    assert {"signature.p7s", "signer.pem", "entity", "receipt.p7s"} <= set(made)
    assert "encrypted for the partner" not in made["README.md"].decode()
    assert verify(tmp_path) == []


async def test_a_message_whose_agreement_changed_since_says_what_it_lacks(trade: Any, tmp_path: Path) -> None:
    """A guess that has another MIC is never given out."""
    await trade.order()
    sent = next(one for one in await trade.gateway.all() if one.direction == "outbound")
    trade.gateway.agree("acme", as2={"filename": "changed-{name}"})
    made = await evidence(trade.gateway, sent.id, tmp_path)
    assert "entity" not in made
    assert "could not be made again with the same MIC" in made["README.md"].decode()
    assert verify(tmp_path) == []


async def test_a_refused_message_has_evidence_too(trade: Any, edi: Any, tmp_path: Path) -> None:
    """What came, why it was refused, and what the sender was told; its changed content proves nothing."""
    text = edi.file(edi.ack()).encode()
    built = trade.wire(text, encrypt_for=())
    await trade.post(built.headers, built.body.replace(b"*855*", b"*856*"))
    refused = next(one for one in await trade.gateway.all() if one.state == "refused")
    made = await evidence(trade.gateway, refused.id, tmp_path)
    page = made["README.md"].decode()
    assert "the content is not what was signed" in page
    assert "message.refused" in page
    assert "signature.p7s" in made
    assert "signer.pem" not in made
    assert b"integrity-check-failed" in made["receipt.http"]
    assert verify(tmp_path) == []


async def test_what_a_partner_wrote_never_becomes_a_command(trade: Any, edi: Any, tmp_path: Path) -> None:
    """A Message-ID may hold what a shell would read; the commands take it as it stands, or leave it out."""
    await trade.order()
    for number, odd in enumerate(("$(touch evil)`touch evil`", "'; touch evil; '", '";touch${IFS}evil;"')):
        folder = tmp_path / str(number)
        folder.mkdir()
        control = f"00000000{number + 1}"
        message = await trade.arrives(edi.file(edi.ack(), control=control), message_id=f"<{odd}@acme>")
        await evidence(trade.gateway, message.id, folder)
        assert verify(folder) == []
        assert not (folder / "evil").exists()


async def test_no_private_key_is_among_the_files(trade: Any, edi: Any, tmp_path: Path) -> None:
    """Neither ours nor anybody's."""
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    made = await evidence(trade.gateway, message.id, tmp_path)
    assert not [name for name, octets in made.items() if b"PRIVATE KEY" in octets]


async def test_purged_bytes_are_said_to_be_gone_and_the_rest_still_verifies(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """The receipt and the trail are kept."""
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    await trade.gateway.store.purge_payload(message.id, by="ann", reason="retention")
    made = await evidence(trade.gateway, message.id, tmp_path)
    assert not {"payload", "entity", "message.http"} & set(made)
    assert "The octets are not kept any more" in made["README.md"].decode()
    assert "receipt.p7s" in made
    assert verify(tmp_path) == []
