"""A pyas2lib station as a process: JSON requests on standard input, JSON answers on standard output, one a line.

Runs in the peer's own environment (`tests/make_peers.py`); knows nothing of the gateway. Octets travel as base64.
Requests: {"do": "send", …} builds a message, keeps its state in "state"; {"do": "receive", …} opens one and builds the
receipt; {"do": "receipt", …} reads a receipt for the message of a former "send"; {"do": "cost", …} opens one so many
"times" and tells the least CPU of it; {"do": "versions"} tells who answers.
"""

from __future__ import annotations

import base64
import json
import logging
import sys
import time
from functools import lru_cache

import pyas2lib
from pyas2lib import Mdn, Message, Organization, Partner


def octets(text: str) -> bytes:
    """From base64."""
    return base64.b64decode(text)


def text(data: bytes) -> str:
    """To base64."""
    return base64.b64encode(data).decode()


@lru_cache
def organization(name: str, key: str) -> Organization:
    """Ourselves, with a key that signs and decrypts."""
    return Organization(
        as2_name=name, sign_key=octets(key), sign_key_pass="", decrypt_key=octets(key), decrypt_key_pass=""
    )


def answer(request: dict) -> dict:
    """What is asked."""
    if request["do"] == "versions":
        return {"pyas2lib": pyas2lib.__version__}
    us = organization(request["our_name"], request["our_key"])
    certificate = octets(request["their_certificate"])
    them = Partner(
        as2_name=request["their_name"],
        verify_cert=certificate,
        encrypt_cert=certificate,
        validate_certs=False,
        **request["settings"],
    )
    if request["do"] == "send":
        message = Message(us, them)
        message.build(octets(request["payload"]), filename="order.edi", content_type="application/edi-x12")
        mic = message.mic.decode() if message.mic else None
        state = text(json.dumps([message.message_id, mic]).encode())
        content = message.content
        return {"headers": list(message.headers.items()), "body": text(content), "mic": mic, "state": state}
    if request["do"] == "cost":
        raw, least = octets(request["raw"]), float("inf")
        for _ in range(request["times"]):
            started = time.process_time()
            status, failure, _ = Message().parse(raw, find_org_cb=lambda _: us, find_partner_cb=lambda _: them)
            least = min(least, time.process_time() - started)
        return {"status": status, "failure": repr(failure[0]), "milliseconds": least * 1000}
    if request["do"] == "receive":
        message = Message()
        status, failure, mdn = message.parse(
            octets(request["raw"]), find_org_cb=lambda _: us, find_partner_cb=lambda _: them
        )
        return {
            "status": status,
            "failure": repr(failure[0]),
            "payload": text(message.content or b""),
            "headers": list(mdn.headers.items()) if mdn else [],
            "body": text(mdn.content) if mdn else "",
            "flags": [bool(message.signed), bool(message.encrypted), bool(message.compressed)],
        }
    message = Message(us, them)
    message.message_id, mic = json.loads(octets(request["state"]))
    message.mic = mic.encode() if mic else None
    status, detail = Mdn().parse(octets(request["raw"]), lambda *_: message)
    return {"status": status, "detail": detail}


def main() -> None:
    """Answer until the input ends."""
    logging.disable(logging.CRITICAL)  # its log is a traceback for each refusal
    for line in sys.stdin:
        try:
            said = answer(json.loads(line))
        except Exception as error:  # noqa: BLE001  whatever the library raises is its answer
            said = {"raised": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


main()
