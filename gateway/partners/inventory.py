"""Every certificate that a workspace names, with what it is for: ours, our partners', and those of TLS.

Reads the files of a workspace that was found sound; one that cannot be read is the checks' business and left out here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography import x509

from gateway.as2 import fingerprint
from gateway.errors import OurFault
from gateway.partners import keys, pairs
from gateway.partners.agreement import Agreement
from gateway.partners.authorities import load_authorities
from gateway.partners.certificate_facts import days_left, expired
from gateway.partners.keyring import Use
from gateway.settings import Settings

THRESHOLDS = (90, 60, 30, 7, 0)
"""Days before the end at which we warn; 0: it has come."""


FEW_AUTHORITIES = 20
"""In one file; with more it is a bundle of public ones."""


class Role(StrEnum):
    """What a certificate is for."""

    OURS = "ours"
    THEIRS = "theirs"
    TLS = "tls"
    TLS_CLIENT = "tls-client"
    THEIR_TLS_CLIENT = "their-tls-client"
    CA = "ca"


OF_SETTINGS: tuple[tuple[tuple[str, ...], Role], ...] = (
    (("listen", "tls", "certificate"), Role.TLS),
    (("listen", "tls", "client_ca"), Role.CA),
)
OF_AGREEMENTS: tuple[tuple[tuple[str, ...], Role], ...] = (
    (("as2", "certificates"), Role.THEIRS),
    (("as2", "require_client_certificates"), Role.THEIR_TLS_CLIENT),
    (("as2", "transport", "client_certificate"), Role.TLS_CLIENT),
    (("as2", "transport", "ca"), Role.CA),
    (("as2", "signer_ca"), Role.CA),
)
"""Keys that name certificate files, of gateway.yaml and of an agreement; a file may be named by a key or a list."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """One certificate in its place."""

    role: Role
    partner: str
    """Empty where it is no single partner's business."""
    name: str
    """Of our pairs; else the file, and from the second certificate of an authorities' file on its number."""
    file: str
    certificate: x509.Certificate
    retired: bool = False
    use: Use | None = None
    """Of our pairs: from when it signs."""

    @property
    def fingerprint(self) -> str:
        """SHA-256, lower-case hexadecimal."""
        return fingerprint(self.certificate)


def inventory(folder: Path, settings: Settings, agreements: Iterable[Agreement]) -> tuple[Held, ...]:
    """Every certificate that can be read, ours first."""
    return (*_ours(folder, settings), *_named(folder, settings, agreements))


def due(held: Iterable[Held], now: datetime) -> list[tuple[Held, int]]:
    """Those whose end needs a warning, with its threshold."""
    known = tuple(held)
    beside: dict[tuple[Role, str], list[Held]] = defaultdict(list)
    for one in known:
        beside[one.role, one.partner].append(one)
    found = ((one, threshold(one, beside[one.role, one.partner], now)) for one in known)
    return [(one, days) for one, days in found if days is not None]


def threshold(held: Held, others: Iterable[Held], now: datetime) -> int | None:
    """The warning that is due: the narrowest threshold that its end has crossed. None while it has time.

    One that is retired, or that another one follows in time, needs no warning.
    """
    left = days_left(held.certificate, now)
    if left >= THRESHOLDS[0] or held.retired or _followed(held, others, now):
        return None
    if expired(held.certificate, now):
        return 0
    return next(one for one in reversed(THRESHOLDS) if one and left < one)


def _followed(held: Held, others: Iterable[Held], now: datetime) -> bool:
    """Whether one for the same end takes its place before its time is over, or has."""
    end = held.certificate.not_valid_after_utc
    for one in others:
        if one is held or (one.role, one.partner) != (held.role, held.partner) or one.retired:
            continue
        later = one.certificate.not_valid_after_utc > end and one.certificate.not_valid_before_utc <= max(end, now)
        if held.role is Role.OURS:
            since = one.use.sign_from if one.use else None
            before = held.use.sign_from if held.use else None
            later = later and since is not None and since <= end and (before is None or since >= before)
        elif held.role is Role.CA:
            later = later and one.certificate.subject == held.certificate.subject
        elif held.role is not Role.THEIRS:
            later = False
        if later:
            return True
    return False


def _ours(folder: Path, settings: Settings) -> Iterator[Held]:
    for one in pairs.known(settings, pairs.read(folder)[0]):
        for certificate in _read(folder, one.certificate):
            yield Held(
                role=Role.OURS,
                partner="",
                name=one.name,
                file=one.certificate,
                certificate=certificate,
                retired=one.retired,
                use=one.use,
            )


def _named(folder: Path, settings: Settings, agreements: Iterable[Agreement]) -> Iterator[Held]:
    sources: list[tuple[str, Any, tuple[tuple[tuple[str, ...], Role], ...]]] = [("", settings, OF_SETTINGS)]
    sources += [(one.name, one, OF_AGREEMENTS) for one in agreements]
    for partner, model, table in sources:
        for path, role in table:
            value: Any = model
            for key in path:
                value = getattr(value, key, None)
            for file in (value,) if isinstance(value, str) else value or ():
                found = _authorities(folder, file) if role is Role.CA else _read(folder, file)
                for number, certificate in enumerate(found, start=1):
                    name = file if number == 1 else f"{file}#{number}"
                    yield Held(role=role, partner=partner, name=name, file=file, certificate=certificate)


def _authorities(folder: Path, file: str) -> Sequence[x509.Certificate]:
    """Every certificate in a file of authorities, unless it is a public bundle: in those some end every year."""
    try:
        found = load_authorities(folder, (file,))
    except OurFault:
        return ()
    return found if len(found) <= FEW_AUTHORITIES else ()


def _read(folder: Path, file: str) -> Iterator[x509.Certificate]:
    try:
        yield keys.load_certificate(folder / file)
    except OurFault:
        return
