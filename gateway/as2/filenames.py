"""File names in headers: every form that stations write is read, one is written (RFC 2183 2.3, RFC 2231, RFC 2047).

A name is a name: never a path, never a control character, at most 255 characters. What could end a header, or turn the
text around it, is not in it, both ways.
"""

from __future__ import annotations

import binascii
import re
from urllib.parse import quote

from gateway.as2 import mime
from gateway.errors import OurFault

MAX_FILENAME = 255

_PLACES = (("content-disposition", "filename"), ("content-type", "name"))
"""Header and parameter, the first one that names a file counts."""
_LAYERS = frozenset({"smime.p7m", "smime.p7s", "smime.p7z"})
"""Names of S/MIME's own layers (RFC 8551 3.2.1), which stations put into the HTTP headers: not the payload's name."""
_DRIVE = re.compile(r"[A-Za-z]:")
_UNSEEN = re.compile(r"[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Not seen where a name is shown, or turning what follows: `invoice<RLO>fdp.exe` would read as a PDF."""
# RFC 2047 section 2; blanks between two encoded words are not part of the text (6.2).
_ENCODED_WORD = re.compile(r"=\?([\w-]{1,40}+)(?:\*[\w-]{0,20}+)?\?([BbQq])\?([^?\s]*+)\?=(?:[ \t]{1,80}+(?==\?))?")


def filename_of(entity: mime.Entity) -> str | None:
    """The file name an entity carries, made safe; `None` without one. Raises MimeFault for a header that is none."""
    for header, parameter in _PLACES:
        value = entity.header(header)
        if value is None or "name" not in value.lower():
            continue
        value = _utf8(value)
        name = mime.structured(value).parameters.get(parameter, "")
        if (
            "=?" in name and "name*" not in value.lower()
        ):  # RFC 2231 replaced the encoded words, which mail programs still write here
            name = _ENCODED_WORD.sub(_word, name)
        name = safe(name)
        if name and name.lower() not in _LAYERS:
            return name
    return None


def safe(name: str) -> str:
    """What is left of a name without path, controls and what is not seen; empty when nothing is."""
    name = name.replace("\\", "/").rpartition("/")[2]
    name = mime.printable(name)
    name = name if name.isascii() else _UNSEEN.sub("", name)
    drive = _DRIVE.match(name)
    name = (name[drive.end() :] if drive else name).strip()[:MAX_FILENAME].strip()
    return "" if name in {".", ".."} else name


def disposition(filename: str) -> str:
    """A Content-Disposition for a file name; beyond plain ASCII by RFC 2231. Raises OurFault on paths and controls."""
    unfit = filename in {".", ".."} or set(filename) & set("/\\") or mime.printable(filename) != filename
    if unfit or not 0 < len(filename) <= MAX_FILENAME:
        raise OurFault(
            f"{filename[:60]!r} cannot be a file name", remedy="Use a name without path and control characters."
        )
    if filename.isascii() and "=?" not in filename:  # what looks like an encoded word would be read as one
        return 'attachment; filename="' + filename.replace('"', r"\"") + '"'
    return f"attachment; filename*=UTF-8''{quote(filename, safe='')}"


def _utf8(value: str) -> str:
    """A header value with its octets as UTF-8, where they are that: headers are read as ISO-8859-1."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _word(match: re.Match[str]) -> str:
    """An encoded word as text (RFC 2047 section 4); one that cannot be decoded stays as it is."""
    charset, encoding, text = match.groups()
    octets = text.encode("utf-8", "replace")
    if encoding in "Qq":
        return mime.text_in(charset, binascii.a2b_qp(octets, header=True))
    try:
        return mime.text_in(charset, binascii.a2b_base64(octets))
    except binascii.Error:
        return match[0]
