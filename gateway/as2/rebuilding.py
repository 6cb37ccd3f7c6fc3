"""What we signed in a message that we encrypted for somebody else, made again: its octets, never its signature.

The MIC that was stored when it was sent says whether it is the same to the octet; a guess is never given out.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from gateway.as2.addressing import ReceiptKind
from gateway.as2.algorithms import HASHES
from gateway.as2.building import build_message
from gateway.errors import OurFault

_ANY_DATE = datetime(2000, 1, 1, tzinfo=UTC)


def rebuilt(payload: bytes, *, content_type: str, filename: str | None, mic: str, mic_algorithm: str) -> bytes | None:
    """The octets that `mic` covers, compressed or not, with or without headers; `None` when none of them has it."""
    digest = HASHES[mic_algorithm].digest
    wanted = base64.b64decode(mic)
    for compress in (False, True):
        try:
            built = build_message(
                payload,
                content_type=content_type,
                filename=filename,
                as2_from="us",
                as2_to="them",
                message_id="<rebuilt@gateway>",
                date=_ANY_DATE,
                subject="rebuilt",
                sign_with=None,
                encrypt_for=(),
                compress=compress,
                receipt=ReceiptKind.NONE,
            )
        except OurFault:
            return None
        names = [name.lower() for name, _ in built.headers]
        own = built.headers[names.index("content-type") :]  # the part's own headers stand last
        head = "".join(f"{name}: {value}\r\n" for name, value in own).encode("ascii")
        part = head + b"\r\n" + built.body
        for octets in (part, built.body):
            if digest([octets]) == wanted:
                return octets
    return None
