"""A pyas2lib station as a process: one JSON request on standard input, one JSON answer on standard output.

Runs in the peer's own environment (`tests/make_peers.py`); knows nothing of the gateway. Octets travel as base64.
Requests: {"do": "send", …} builds a message, keeps its state in "state"; {"do": "receive", …} opens one and builds the
receipt; {"do": "receipt", …} reads a receipt for the message of a former "send".
"""

from __future__ import annotations

import base64
import json
import sys

from pyas2lib import Mdn, Message, Organization, Partner


def octets(text: str) -> bytes:
    """From base64."""
    return base64.b64decode(text)


def text(data: bytes) -> str:
    """To base64."""
    return base64.b64encode(data).decode()


def main() -> None:
    """Do what is asked once."""
    request = json.load(sys.stdin)
    us = Organization(
        as2_name=request["our_name"],
        sign_key=octets(request["our_key"]),
        sign_key_pass="",
        decrypt_key=octets(request["our_key"]),
        decrypt_key_pass="",
    )
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
        answer = {"headers": list(message.headers.items()), "body": text(message.content), "mic": mic, "state": state}
    elif request["do"] == "receive":
        message = Message()
        status, failure, mdn = message.parse(
            octets(request["raw"]), find_org_cb=lambda _: us, find_partner_cb=lambda _: them
        )
        answer = {
            "status": status,
            "failure": repr(failure[0]),
            "payload": text(message.content or b""),
            "headers": list(mdn.headers.items()) if mdn else [],
            "body": text(mdn.content) if mdn else "",
            "flags": [bool(message.signed), bool(message.encrypted), bool(message.compressed)],
        }
    else:
        message = Message(us, them)
        message.message_id, mic = json.loads(octets(request["state"]))
        message.mic = mic.encode()
        status, detail = Mdn().parse(octets(request["raw"]), lambda *_: message)
        answer = {"status": status, "detail": detail}
    json.dump(answer, sys.stdout)


main()
