"""The files of a message: the one that is its payload, or those that a multipart/related encloses (RFC 6362).

Says which of them are EDI, by media type and, where that says nothing, by how they begin. Reads none of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from gateway import as2
from gateway.as2 import Stretch
from gateway.as2.octets import Spool
from gateway.edi.reading import standard_at
from gateway.errors import OurFault, PartnerFault
from gateway.events import AttachmentKept
from gateway.pipeline.bodies import Body, as_octets
from gateway.pipeline.hashing import sha256_hex
from gateway.ports import Message, Queries

START_SEEN = 65_536
"""Bytes that are looked at of a file that is not read for its size."""
EDI_TYPES = {"x12": "application/edi-x12", "edifact": "application/edifact"}
_EDI = frozenset({*EDI_TYPES.values(), "application/edi-consent"})
"""RFC 1767: as partners call what is an interchange, whatever it turns out to be."""
UNKNOWN = "application/octet-stream"
_SAYS_NOTHING = frozenset({UNKNOWN, "binary/octet-stream"})
"""As programs call what they do not know; text/* is looked into as well."""
_TYPES = {
    ".bmp": "image/bmp", ".csv": "text/csv", ".doc": "application/msword", ".gif": "image/gif", ".htm": "text/html",
    ".html": "text/html", ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".json": "application/json",
    ".pdf": "application/pdf", ".png": "image/png", ".rtf": "application/rtf", ".tif": "image/tiff",
    ".tiff": "image/tiff", ".txt": "text/plain", ".xls": "application/vnd.ms-excel", ".xml": "application/xml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".zip": "application/zip",
}  # fmt: skip
"""Media types by the end of a file's name: those that RFC 6362 wants taken, and what business sends beside them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """One file of a message."""

    name: str | None
    content_type: str
    data: bytes | Stretch = field(repr=False)
    """A stretch when it is too large for memory."""
    edi: bool
    """Whether it is read as an interchange."""

    def whole(self) -> bytes:
        """All of it, in memory."""
        return self.data if isinstance(self.data, bytes) else b"".join(self.data.pieces())

    @property
    def start(self) -> bytes:
        """How it begins."""
        return self.data if isinstance(self.data, bytes) else self.data.look(0, START_SEEN)

    @property
    def sha256(self) -> str:
        """Of its bytes, in hexadecimal."""
        return sha256_hex(self.data)


def files_of(
    content_type: str, payload: bytes | Stretch, *, name: str | None = None, spool: Spool | None = None
) -> tuple[File, ...]:
    """The files of a payload, the main one first. Raises PartnerFault when they cannot be told apart.

    A payload that encloses nothing is one file and read as EDI, whatever its type says. `spool` is for files of a
    stretch that come in a transfer encoding.
    """
    if not as2.is_multipart(content_type):
        return (File(name=name, content_type=content_type, data=payload, edi=True),)
    try:
        attachments = as2.split(content_type, payload, spool)
    except ValueError as fault:  # MimeFault
        raise PartnerFault(f"the attachments cannot be told apart: {fault}") from fault
    return tuple(map(_file, attachments))


def _file(one: as2.Attachment) -> File:
    data = one.data if isinstance(one.data, Stretch) else bytes(one.data)
    file = File(name=one.filename, content_type=one.content_type, data=data, edi=True)
    return file if _is_edi(one.media_type, file.start) else replace(file, edi=False)


def kept(message: Message, file: File) -> AttachmentKept:
    """The event of a file that nobody reads."""
    return AttachmentKept(
        message_id=message.id,
        partner=message.partner,
        name=file.name,
        media_type=as2.media_type(file.content_type),
        size=len(file.data),
        sha256=file.sha256,
    )


async def came_in(queries: Queries, message: Message, file: File, spool: Spool) -> bool:
    """Whether this very file came in that message, too: alone, or among others. Of bytes that were purged, no."""
    if message.payload_sha256 == await asyncio.to_thread(lambda: file.sha256):
        return True
    if not as2.is_multipart(message.content_type):
        return False
    try:
        payload = await queries.octets(message.id)
    except OurFault:
        return False
    return await asyncio.to_thread(_encloses, message.content_type, as_octets(payload or b""), file, spool)


def _encloses(content_type: str, payload: bytes | Stretch, file: File, spool: Spool) -> bool:
    try:
        return any(
            len(one.data) == len(file.data) and one.sha256 == file.sha256
            for one in files_of(content_type, payload, spool=spool)
        )
    except PartnerFault:
        return False


@dataclass(frozen=True, kw_only=True, slots=True)
class Again:
    """The payload of a message whose Message-ID came before."""

    content_type: str
    payload: Body
    sha256: str


async def came_before(queries: Queries, first_id: str, again: Again, spool: Spool) -> bool:
    """Whether a payload is that of an earlier message, or encloses the very files of it, whatever divides them.

    A station that makes a message anew for a repeat gives it a new boundary, which is no other content. Of bytes that
    were purged, no.
    """
    first = await queries.message(first_id)
    if first is None or first.payload_sha256 == again.sha256:
        return True
    if not (as2.is_multipart(first.content_type) and as2.is_multipart(again.content_type)):
        return False
    try:
        before = await queries.octets(first_id)
    except OurFault:
        return False
    if before is None:
        return False

    def told(type_: str, octets: bytes | Stretch) -> list[tuple[str | None, str, str]]:
        found = files_of(type_, octets, spool=spool)
        return [(one.name, as2.media_type(one.content_type), one.sha256) for one in found]

    try:
        return await asyncio.to_thread(
            lambda: told(first.content_type, as_octets(before)) == told(again.content_type, as_octets(again.payload))
        )
    except PartnerFault:
        return False


def joined(files: Sequence[tuple[str, bytes]]) -> as2.Joined:
    """Files with their names as one payload; its root is the first that is EDI. Raises OurFault for an unfit name."""
    types = [media_type_of(name, data) for name, data in files]
    root = next((number for number, one in enumerate(types) if one in _EDI), 0)
    return as2.join(
        [
            as2.Attachment(content_type=type_, filename=name, data=data)
            for type_, (name, data) in zip(types, files, strict=True)
        ],
        root=root,
    )


def media_type_of(name: str, data: bytes) -> str:
    """What a file of ours is: EDI by how it begins, anything else by the end of its name."""
    standard = standard_at(data)
    if standard is not None:
        return EDI_TYPES[standard]
    return _TYPES.get(PurePath(name).suffix.lower(), UNKNOWN)


def _is_edi(media_type: str, data: bytes) -> bool:
    if media_type in _EDI:
        return True
    return (media_type in _SAYS_NOTHING or media_type.startswith("text/")) and standard_at(data) is not None
