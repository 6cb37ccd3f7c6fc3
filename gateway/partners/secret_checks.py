"""Findings about what stands outside the configuration: secrets that are not there, private keys that do not open.

Asked by `gateway partner check` alone, and only on the machine that has them: a start says the same of the first one,
and where the configuration is checked elsewhere there is nothing to read. A secret's value never stands in a finding.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.errors import OurFault
from gateway.findings import FilePlace, Finding, Severity
from gateway.partners import keys, pairs
from gateway.partners.agreement import Agreement
from gateway.settings import Part, Secret, Settings
from gateway.yamltext import Path as Keys

RULES: Mapping[str, str] = {
    "workspace.secret": "Every secret that is named can be read here: its environment variable is set, its file is "
    "there (a note where the agreement exchanges nothing).",
    "workspace.key": "Our private keys are there, open with the passphrase, and belong to their certificates.",
}
PlaceOf = Callable[[str, Keys], FilePlace]
"""Finds a key of a partner's file; "" is gateway.yaml."""


def check(folder: Path, settings: Settings, agreements: Iterable[Agreement], place: PlaceOf) -> Iterator[Finding]:
    """Read every secret, open every key; what cannot be is told, with its variable or file."""
    yield from _secrets(folder, "", settings, place, Severity.REJECT)
    for one in agreements:
        severity = Severity.REJECT if one.exchanges else Severity.ACCEPT
        yield from _secrets(folder, one.name, one, place, severity)
        yield from _shown(folder, one, place, severity)
    yield from _keys(folder, settings, place)
    tls = settings.listen.tls
    if tls is not None and (said := _misfit(folder, tls.certificate, tls.key, "")) is not None:
        fix = "PEM files, the chain first, a key without passphrase that fits"
        yield _finding("key", place("", ("listen", "tls", "key")), said, "the key of listen.tls.certificate", fix)


def _secrets(folder: Path, partner: str, model: Part, place: PlaceOf, severity: Severity) -> Iterator[Finding]:
    for at, secret in _named(model, ()):
        try:
            secret.read(folder)
        except OurFault as fault:
            said = str(fault).replace(f"{folder}/", "")
            yield _finding("secret", place(partner, at), said, "a secret that can be read here", fault.remedy, severity)


def _named(value: Any, at: Keys) -> Iterator[tuple[Keys, Secret]]:
    """Every secret in a section, with where it stands."""
    if isinstance(value, Secret):
        yield at, value
        return
    inside: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, Part):
        inside = ((name, getattr(value, name)) for name in type(value).model_fields)
    elif isinstance(value, Mapping):
        inside = value.items()
    elif isinstance(value, tuple):
        inside = enumerate(value)
    for key, one in inside:
        yield from _named(one, (*at, key))


def _keys(folder: Path, settings: Settings, place: PlaceOf) -> Iterator[Finding]:
    """Our AS2 keys and the seal's. Certificates that cannot be read are told by `checks`."""
    try:
        passphrase = settings.passphrase.read(folder)
        ours, source = pairs.read(folder)
    except OurFault:
        return  # told already
    for one in pairs.known(settings, ours):
        if one.retired:
            continue
        if one.name != pairs.FIRST and not (folder / one.key).is_file():
            continue  # told by `certificate_checks`
        if (fault := _key_fault(folder, one, passphrase)) is not None:
            at = place("", ("identity", "certificate")) if one.name == pairs.FIRST else source.place(("pairs",))
            yield _unopened(folder, at, fault)
    try:
        keys.load_seal_key(folder, settings)
    except OurFault as fault:
        yield _unopened(folder, place("", ("passphrase",)), fault)


def _key_fault(folder: Path, one: pairs.OurCertificate, passphrase: str) -> OurFault | None:
    try:
        keys.load_private_key(folder / one.key, passphrase)
    except OurFault as fault:
        return fault
    try:
        keys.load_certificate(folder / one.certificate)
    except OurFault:
        return None  # told by `checks`
    try:
        keys.load_pair(folder / one.key, folder / one.certificate, passphrase)
    except OurFault as fault:
        return fault
    return None


def _unopened(folder: Path, at: FilePlace, fault: OurFault) -> Finding:
    said = str(fault).replace(f"{folder}/", "")
    return _finding("key", at, said, "a private key that opens with the passphrase", fault.remedy)


def _shown(folder: Path, agreement: Agreement, place: PlaceOf, severity: Severity) -> Iterator[Finding]:
    """The client certificate that we show a partner's station."""
    transport = None if agreement.as2 is None else agreement.as2.transport
    if transport is None or transport.client_certificate is None or transport.client_key is None:
        return
    try:
        password = "" if transport.client_passphrase is None else transport.client_passphrase.read(folder)
    except OurFault:
        return  # told already
    said = _misfit(folder, transport.client_certificate, transport.client_key, password)
    if said is not None:
        at = place(agreement.name, ("as2", "transport", "client_key"))
        fix = "put the key there that belongs to client_certificate, and name its passphrase in client_passphrase"
        yield _finding("key", at, said, "the key of client_certificate", fix, severity)


def _misfit(folder: Path, certificate: str, key: str, password: str) -> str | None:
    """Why TLS could not use a key and its certificate; None where it could, or where a file is missing, told before."""
    if not ((folder / certificate).is_file() and (folder / key).is_file()):
        return None
    try:
        # A key with a passphrase would ask at the terminal: an empty one is refused at once instead.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(folder / certificate, folder / key, password)
    except (OSError, ssl.SSLError, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or "it cannot be read"
        return f"{key} with {certificate}: {str(why).replace('_', ' ').lower()}"
    return None


def _finding(  # noqa: PLR0917  the parts of a finding
    rule: str, place: FilePlace, said: str, wanted: str, fix: str, severity: Severity = Severity.REJECT
) -> Finding:
    return Finding(rule=f"workspace.{rule}", place=place, said=said, wanted=wanted, fix=fix, severity=severity)
