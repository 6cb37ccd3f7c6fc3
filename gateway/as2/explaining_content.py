"""The payload of a message looked into for an operator: what it calls itself, how it begins, the files it encloses."""

from __future__ import annotations

from gateway.as2 import attachments, mime
from gateway.as2.algorithms import HASHES
from gateway.as2.explanation import Layer

_SHOWN = 78
_MAX_VALUE = 200


def content_layer(entity: mime.Entity) -> tuple[Layer, bytes | None]:
    """The innermost layer, and the payload; `None` when it cannot be decoded."""
    kind = mime.printable(entity.content_type)[:_MAX_VALUE]
    try:
        octets = bytes(entity.decoded())
    except mime.MimeFault as fault:
        return Layer(title="content", facts=(("type", kind),), wrong=(str(fault),)), None
    facts = [("type", kind)]
    facts += [
        (name.replace("-", " "), mime.printable(entity.headers[name])[:_MAX_VALUE])
        for name in ("content-disposition", "content-transfer-encoding")
        if name in entity.headers
    ]
    facts += [("size", f"{len(octets)} octets"), ("sha-256", HASHES["sha-256"].digest([octets]).hex())]
    begins = mime.printable(octets[:_SHOWN].decode("utf-8", "replace"))
    facts += [("begins", begins)] if begins else []
    wrong: tuple[str, ...] = ()
    files: tuple[Layer, ...] = ()
    try:
        files = _files(entity.content_type, octets)
    except mime.MimeFault as fault:
        wrong = (f"its files cannot be taken apart: {fault}",)
    return Layer(title="content", facts=tuple(facts), wrong=wrong, inside=files), octets


def _files(content_type: str, octets: bytes) -> tuple[Layer, ...]:
    """The files of a multipart/related (RFC 6362), the main one first. Raises MimeFault."""
    if not attachments.is_multipart(content_type):
        return ()
    return tuple(
        Layer(
            title=f"file {number}",
            facts=(
                ("type", one.content_type[:_MAX_VALUE]),
                ("file name", one.filename or "none"),
                ("size", f"{len(one.data)} octets"),
            ),
        )
        for number, one in enumerate(attachments.split(content_type, octets), 1)
    )
