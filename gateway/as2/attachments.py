"""Several files in one message: multipart/related taken apart and put together (RFC 6362, RFC 2387).

The multipart as a whole is the payload: what is signed, digested and stored, octet for octet. This module only says
where its files are, and writes such a payload; what a file is good for is not its business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.as2 import mime
from gateway.as2.addressing import write_printable
from gateway.as2.building import new_boundary
from gateway.as2.filenames import disposition, filename_of
from gateway.as2.octets import Octets, Spool, Stretch, flat
from gateway.errors import OurFault

MAX_ATTACHMENTS = 100
MULTIPART = "multipart/related"
_MAX_CONTENT_ID = 250


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """One file of a message."""

    content_type: str
    """Media type with its parameters, as sent but for controls."""
    filename: str | None
    """Without any path."""
    data: Octets = field(repr=False)
    """Without its transfer encoding."""
    content_id: str | None = None
    """With its angle brackets."""

    @property
    def media_type(self) -> str:
        """The media type alone, in lower case."""
        return media_type(self.content_type)


@dataclass(frozen=True, kw_only=True, slots=True)
class Joined:
    """Several files as one payload: what `build_message` takes."""

    content_type: str
    content: bytes = field(repr=False)


def media_type(content_type: str) -> str:
    """The media type alone, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def is_multipart(content_type: str) -> bool:
    """Whether a payload of this type encloses several files."""
    return media_type(content_type) == MULTIPART


def root_type(content_type: str) -> str:
    """The media type of a payload; of a multipart/related that of its main file (RFC 2387 3.1, where it is said)."""
    if not is_multipart(content_type):
        return media_type(content_type)
    return media_type(mime.structured(content_type).parameters.get("type", ""))


def split(content_type: str, content: bytes | Stretch, spool: Spool | None = None) -> tuple[Attachment, ...]:
    """The files of a multipart/related, its root first, the others in their order. Raises MimeFault.

    A multipart inside it is one file. `spool` is for files too large for memory that come in a transfer encoding.
    """
    headers = mime.Index([("Content-Type", content_type)])
    whole = mime.Entity(data=content, start=0, body=0, end=len(content), headers=headers)
    found = [_attachment(part, spool) for part in mime.parts(whole, most=MAX_ATTACHMENTS)]
    if not found:
        raise mime.MimeFault("a multipart/related without a part")
    # RFC 2387 3.2: the root is the part that `start` names, else the first; a name that no part has is passed over.
    start = mime.structured(content_type).parameters.get("start", "").strip()
    root = next((one for one in found if start and _bare(one.content_id or "") == _bare(start)), found[0])
    return (root, *(one for one in found if one is not root))


def join(attachments: Sequence[Attachment], *, root: int = 0, boundary: str | None = None) -> Joined:
    """Files as one multipart/related; `root` is the place of the main one. Raises OurFault for what cannot be sent.

    `boundary` is for reproducible tests.
    """
    if not 0 < len(attachments) <= MAX_ATTACHMENTS:
        raise OurFault(
            f"{len(attachments)} files cannot be one message", remedy=f"Send 1 to {MAX_ATTACHMENTS} files together."
        )
    boundary = new_boundary(boundary)
    names = [one.content_id or f"<{number}.{boundary}>" for number, one in enumerate(attachments, 1)]
    pieces: list[Octets] = []
    for name, one in zip(names, attachments, strict=True):
        lines = [
            f"Content-Type: {write_printable(one.content_type, 'Content-Type')}",
            "Content-Transfer-Encoding: binary",
            f"Content-ID: {write_printable(name, 'Content-ID')}",
        ]
        if one.filename is not None:
            lines.append(f"Content-Disposition: {disposition(one.filename)}")
        head = "".join(f"{line}\r\n" for line in lines)
        pieces += [f"--{boundary}\r\n{head}\r\n".encode("ascii"), one.data, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode("ascii"))
    # RFC 2387 3.1: `type` is required, the media type of the root.
    content_type = f'{MULTIPART}; type="{attachments[root].media_type}"; start="{names[root]}"; boundary="{boundary}"'
    return Joined(content_type=content_type, content=b"".join(flat(pieces)))


def _attachment(part: mime.Entity, spool: Spool | None) -> Attachment:
    content_id = mime.printable(part.header("content-id") or "").strip()[:_MAX_CONTENT_ID]
    return Attachment(
        content_type=mime.printable(part.content_type),
        filename=filename_of(part),
        data=part.decoded(spool),
        content_id=content_id or None,
    )


def _bare(content_id: str) -> str:
    """Some stations drop the angle brackets in `start`."""
    return content_id.removeprefix("<").removesuffix(">")
