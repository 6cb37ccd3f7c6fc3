"""How we show who we are at a far side: configured authentication becomes one HTTP header, secrets read once."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from gateway.errors import OurFault
from gateway.settings import Authentication, Basic, Bearer

_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def checked_header(where: str, name: str, value: str) -> tuple[str, str]:
    """The header as it is, if RFC 9110 5.5 allows it; raises OurFault that names `where` and never the value."""
    if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value) or value != value.strip():
        raise OurFault(
            f"{where}: header {name!r} cannot be sent",
            remedy="use letters and hyphens in the name; no line breaks, no outer blanks in the value",
        )
    return name, value


def basic(where: str, authentication: Basic, folder: Path) -> str:
    """The value of a header for HTTP basic authentication (RFC 7617). Raises OurFault as `credentials`."""
    if ":" in authentication.username:  # RFC 7617 2: a user-id cannot contain a colon
        raise OurFault(f"{where}: the user name contains a colon", remedy="HTTP basic authentication forbids it")
    pair = f"{authentication.username}:{authentication.password.read(folder)}"
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")


def credentials(where: str, authentication: Authentication | None, folder: Path) -> tuple[tuple[str, str], ...]:
    """The headers that authenticate us; secrets are read now. Raises OurFault when one is missing or unusable."""
    if authentication is None:
        return ()
    if isinstance(authentication, Bearer):
        header = ("Authorization", f"Bearer {authentication.token.read(folder)}")
    elif isinstance(authentication, Basic):
        header = ("Authorization", basic(where, authentication, folder))
    else:
        header = (authentication.name, authentication.value.read(folder))
    return (checked_header(where, *header),)
