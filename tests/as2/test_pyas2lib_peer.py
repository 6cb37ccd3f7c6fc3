"""Exchanges with pyas2lib 1.4.4, a process in its own environment (GATEWAY_PEERS, made by tests/make_peers.py)."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.as2 import (
    As2Fault,
    Attachment,
    KeyPair,
    Policy,
    ReceiptKind,
    Sent,
    build_message,
    build_receipt,
    join,
    open_message,
    read_headers,
    read_receipt,
)

PYTHON = Path(os.environ.get("GATEWAY_PEERS", "/nonexistent")) / "pyas2lib" / "bin" / "python"
SCRIPT = Path(__file__).parent / "peers" / "pyas2lib_peer.py"
PAYLOAD = b"ISA*00*          ~\r\nST*850*0001~\r\nSE*2*0001~\r\n"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(
        not PYTHON.exists(), reason="no pyas2lib peer: run tests/make_peers.py FOLDER and set GATEWAY_PEERS=FOLDER"
    ),
]

Peer = Callable[..., dict[str, Any]]


def _pem(pair: KeyPair) -> bytes:
    key = pair.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key + pair.certificate.public_bytes(Encoding.PEM)


def _raw(headers: Any, body: bytes) -> str:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return base64.b64encode(f"{lines}\r\n".encode() + body).decode()


@pytest.fixture
def peer(acme: KeyPair, ours: KeyPair) -> Peer:
    """The peer `acme`, whose partner we are."""

    def call(do: str, settings: dict[str, Any], **more: Any) -> dict[str, Any]:
        request = {
            "do": do,
            "our_name": "acme",
            "their_name": "us",
            "our_key": base64.b64encode(_pem(acme)).decode(),
            "their_certificate": base64.b64encode(ours.certificate.public_bytes(Encoding.PEM)).decode(),
            "settings": settings,
            **more,
        }
        done = subprocess.run(
            [PYTHON, SCRIPT], input=json.dumps(request).encode(), capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return call


@pytest.mark.parametrize("cipher", ["aes_256_cbc", "aes_128_cbc"])
@pytest.mark.parametrize("compress", [False, True])
def test_we_take_what_pyas2lib_sends_and_it_takes_our_receipt(
    peer: Peer, acme: KeyPair, ours: KeyPair, cipher: str, *, compress: bool
) -> None:
    """Signed, encrypted, compressed or not; the MICs of both sides are the same."""
    settings = {
        "sign": True,
        "encrypt": True,
        "enc_alg": cipher,
        "compress": compress,
        "mdn_mode": "SYNC",
        "mdn_digest_alg": "sha256",
    }
    sent = peer("send", settings, payload=base64.b64encode(PAYLOAD).decode())
    headers = [tuple(header) for header in sent["headers"]]
    opened = open_message(
        headers,
        base64.b64decode(sent["body"]),
        keys=[ours],
        partner_certificates=[acme.certificate],
        policy=Policy(),
    )
    assert opened.payload == PAYLOAD
    assert opened.mic == sent["mic"]
    assert (opened.encrypted, opened.compressed, opened.filename) == (True, compress, "order.edi")
    receipt = build_receipt(
        request=opened.addressing,
        opened=opened,
        fault=None,
        key=ours,
        our_name="gateway",
        message_id="<r@us>",
        date=NOW,
    )
    assert receipt.signed
    answer = peer("receipt", settings, raw=_raw(receipt.headers, receipt.body), state=sent["state"])
    assert answer == {"status": "processed", "detail": None}


@pytest.mark.parametrize("cipher", ["aes-256-cbc", "aes-128-cbc"])
@pytest.mark.parametrize("compress", [None, "before", "after"])
def test_pyas2lib_takes_what_we_send_and_we_take_its_receipt(
    peer: Peer, acme: KeyPair, ours: KeyPair, cipher: str, compress: str | None
) -> None:
    """Compressed before or after signing; its signed receipt carries our MIC."""
    built = build_message(
        PAYLOAD,
        content_type="application/edi-x12",
        filename="order.edi",
        as2_from="us",
        as2_to="acme",
        message_id="<1@us>",
        date=NOW,
        subject="order",
        sign_with=ours,
        encrypt_for=[acme.certificate],
        cipher=cipher,
        compress=compress is not None,
        compress_after_signing=compress == "after",
        receipt=ReceiptKind.SIGNED,
    )
    answer = peer("receive", {"sign": True, "encrypt": True}, raw=_raw(built.headers, built.body))
    assert answer["status"] == "processed", answer["failure"]
    assert base64.b64decode(answer["payload"]) == PAYLOAD
    assert answer["flags"] == [True, True, compress is not None]
    verdict = read_receipt(
        [tuple(header) for header in answer["headers"]],
        base64.b64decode(answer["body"]),
        sent=Sent(message_id=built.message_id, mic=built.mic, mic_algorithm=built.mic_algorithm, signed=built.signed),
        partner_certificates=[acme.certificate],
        require_signature=True,
    )
    assert verdict.processed
    assert verdict.mic_matched


def test_pyas2lib_agrees_on_the_mic_of_several_files(peer: Peer, acme: KeyPair, ours: KeyPair) -> None:
    """RFC 6362: over the multipart as a whole, which is handed on as one content.

    Compressed before it is signed: of an uncompressed one pyas2lib verifies the last file alone, and refuses it.
    """
    together = join(
        [
            Attachment(content_type="application/edi-x12", filename="order.edi", data=PAYLOAD),
            Attachment(content_type="text/plain", filename="Notiz ü.txt", data=b"see the drawing\r\n"),
        ]
    )
    built = build_message(
        together.content,
        content_type=together.content_type,
        filename=None,
        as2_from="us",
        as2_to="acme",
        message_id="<1@us>",
        date=NOW,
        subject="order and note",
        sign_with=ours,
        encrypt_for=[acme.certificate],
        compress=True,
        receipt=ReceiptKind.SIGNED,
    )
    answer = peer("receive", {"sign": True, "encrypt": True}, raw=_raw(built.headers, built.body))
    assert answer["status"] == "processed", answer["failure"]
    assert PAYLOAD in base64.b64decode(answer["payload"])
    verdict = read_receipt(
        [tuple(header) for header in answer["headers"]],
        base64.b64decode(answer["body"]),
        sent=Sent(message_id=built.message_id, mic=built.mic, mic_algorithm=built.mic_algorithm, signed=built.signed),
        partner_certificates=[acme.certificate],
        require_signature=True,
    )
    assert verdict.mic_matched


def test_pyas2lib_reads_our_refusal(peer: Peer, acme: KeyPair, ours: KeyPair, pair: Callable[..., KeyPair]) -> None:
    """Encrypted for somebody else: the peer learns `decryption-failed`."""
    stranger = pair("stranger")
    settings = {"sign": True, "encrypt": True, "enc_alg": "aes_256_cbc", "mdn_mode": "SYNC", "mdn_digest_alg": "sha256"}
    sent = peer("send", settings, payload=base64.b64encode(PAYLOAD).decode())
    headers = [tuple(header) for header in sent["headers"]]
    with pytest.raises(As2Fault) as caught:
        open_message(
            headers,
            base64.b64decode(sent["body"]),
            keys=[stranger],
            partner_certificates=[acme.certificate],
            policy=Policy(),
        )
    receipt = build_receipt(
        request=read_headers(headers),
        opened=None,
        fault=caught.value,
        key=ours,
        our_name="gateway",
        message_id="<r@us>",
        date=NOW,
    )
    answer = peer("receipt", settings, raw=_raw(receipt.headers, receipt.body), state=sent["state"])
    assert answer == {"status": "processed/error", "detail": "decryption-failed"}
