"""What we signed in a message that we encrypted for somebody else, made again: its octets, never its signature.

The MIC that was stored when it was sent says whether it is the same to the octet; a guess is never given out.
"""

from __future__ import annotations

import base64
import binascii

from gateway.as2.algorithms import HASHES
from gateway.as2.building import Built
from gateway.as2.octets import flat


def rebuilt(built: Built, *, mic: str, mic_algorithm: str) -> bytes | None:
    """The octets that `mic` covers, where `built`, neither signed nor encrypted, holds them; else `None`."""
    try:
        wanted = base64.b64decode(mic, validate=True)
    except binascii.Error:
        return None
    names = [name.lower() for name, _ in built.headers]
    own = built.headers[names.index("content-type") :]  # the part's own headers stand last
    head = "".join(f"{name}: {value}\r\n" for name, value in own).encode("ascii")
    body = b"".join(flat([built.body]))
    for octets in (head + b"\r\n" + body, body):
        if HASHES[mic_algorithm].digest([octets]) == wanted:
            return octets
    return None
