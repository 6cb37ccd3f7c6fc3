"""A far side looked at step by step: name, connection, TLS, certificate. Sends nothing but the handshakes.

Every step is bounded in time, and the ones after a failed one are not tried: the first red step is the cause.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtensionOID
from yarl import URL

from gateway.as2.certificates import readable
from gateway.as2.explanation import certificate_layer
from gateway.connectors.said import clean
from gateway.connectors.way import Way
from gateway.ports import Step

SECONDS = 10.0
_MAX_ADDRESSES = 4
_FEW_DAYS = 30
_CERTIFICATE_REQUEST = 13
"""HandshakeType certificate_request (RFC 8446 4)."""

# The first text that stands in OpenSSL's reason decides.
_TLS_FIXES: tuple[tuple[str, str], ...] = (
    ("is pinned", "ask them whether they exchanged it; if so, write the new SHA-256 into as2.transport.pinned"),
    (
        "hostname mismatch",
        "the address must be one of the certificate's names: correct as2.url, or ask for a certificate",
    ),
    ("IP address mismatch", "the address must be one of the certificate's names: use the host's name in as2.url"),
    ("has expired", "their web server's certificate has expired: they must renew it"),
    ("not yet valid", "their certificate is not valid yet, or our clock is wrong"),
    (
        "self-signed",
        "their certificate is signed by no authority known here: ask for their CA's certificate, for as2.transport.ca",
    ),
    (
        "unable to get local issuer",
        "their server leaves out its intermediate certificate, or its CA is unknown: as2.transport.ca",
    ),
    ("WRONG_VERSION_NUMBER", "that port does not speak TLS: http:// instead of https://, or another port"),
    ("PROTOCOL_VERSION", "they speak only old TLS: they must allow TLS 1.2 or 1.3"),
    ("HANDSHAKE_FAILURE", "no cipher in common, or they want a client certificate: ask them which"),
    ("CERTIFICATE_REQUIRED", "they want a client certificate: as2.transport.client_certificate"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Handshake:
    """What a TLS handshake showed."""

    version: str
    cipher: str
    certificate: x509.Certificate | None
    asked_for_ours: bool


async def probe(url: URL, *, way: Way, moment: datetime) -> AsyncIterator[Step]:
    """The steps to a station, in order; it ends after the first one that does not hold.

    Behind a proxy only the proxy is looked at: which machines it reaches is its own to say.
    """
    target = url if way.proxy is None else way.proxy
    host, port = target.host or "", target.port or 0
    name = await _resolved(host, port)
    yield name[0]
    if not name[0].held:
        return
    reached = await _connected(name[1], port)
    yield reached
    if way.proxy is not None:
        if reached.held is not False:
            said = f"{url.host} is reached through it; what it shows there is not looked at"
            yield Step(name="proxy", held=None, said=said)
        return
    if reached.held is False or url.scheme != "https":
        if reached.held is not False:
            said = "http:// sends everything in the clear but what AS2 encrypts; anybody between can see who trades"
            yield Step(name="TLS", held=None, said=said, fix="use https:// where they offer it")
        return
    context = way.tls if isinstance(way.tls, ssl.SSLContext) else ssl.create_default_context()
    async for step in _secured(_Tls(host, port, way.server_name or host), context, moment):
        yield step


async def _resolved(host: str, port: int) -> tuple[Step, list[str]]:
    began = time.monotonic()
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(SECONDS):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        said = "no answer in time" if isinstance(error, TimeoutError) else clean(str(error), 200)
        fix = "check the host in as2.url, and that this machine's DNS knows it"
        return Step(name="name", held=False, said=f"{host} cannot be resolved: {said}", fix=fix), []
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))[:_MAX_ADDRESSES]
    took = time.monotonic() - began
    return Step(name="name", held=True, said=f"{host} is {', '.join(addresses)}", seconds=took), addresses


async def _connected(addresses: list[str], port: int) -> Step:
    """The first address that takes a connection; those before it are named."""
    failed: list[str] = []
    for address in addresses:
        began = time.monotonic()
        try:
            async with asyncio.timeout(SECONDS):
                _, writer = await asyncio.open_connection(address, port)
        except OSError as error:
            reason = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or "refused"
            failed.append(f"{address}: {clean(reason, 100)}")
            continue
        took = time.monotonic() - began
        writer.close()
        before = f"; not reached: {'; '.join(failed)}" if failed else ""
        held = None if failed else True
        return Step(name="connection", held=held, said=f"port {port} of {address} answers{before}", seconds=took)
    return Step(
        name="connection",
        held=False,
        said=f"nobody takes a connection on port {port}: {'; '.join(failed)}",
        fix="check the port; ask whether their firewall lets this machine's address in, and ours lets it out",
    )


@dataclass(frozen=True, slots=True)
class _Tls:
    """Where to shake hands, and with which name."""

    host: str
    port: int
    name: str


async def _secured(where: _Tls, context: ssl.SSLContext, moment: datetime) -> AsyncIterator[Step]:
    """TLS as we would do it; where that fails, once more without verifying, to see what they show."""
    began = time.monotonic()
    try:
        found = await _handshake(where, context)
        refused = None
    except (OSError, ssl.SSLError) as error:
        refused = error
    took = time.monotonic() - began
    if refused is not None:
        reason = "no answer in time" if isinstance(refused, TimeoutError) else clean(str(refused), 300)
        fix = next((fix for text, fix in _TLS_FIXES if text.lower() in reason.lower()), "ask them for their log of it")
        yield Step(name="TLS", held=False, said=f"the handshake failed: {reason}", fix=fix, seconds=took)
        try:
            found = await _handshake(where, _unverified())
        except (OSError, ssl.SSLError):
            return
    else:
        asked = (("client certificate", "asked for" if found.asked_for_ours else "not asked for"),)
        said = f"{found.version}, {found.cipher}"
        yield Step(name="TLS", held=True, said=said, facts=asked, seconds=took)
    if found.certificate is not None:
        yield _certificate(found.certificate, moment, trusted=refused is None)


async def _handshake(where: _Tls, context: ssl.SSLContext) -> Handshake:
    """One handshake. Raises OSError, ssl.SSLError."""
    asked: list[bool] = []

    def seen(
        _connection: object, direction: str, _version: object, _kind: object, message: object, _data: bytes
    ) -> None:
        if direction == "read" and message == _CERTIFICATE_REQUEST:
            asked.append(True)

    # The standard library tells of handshake messages only here; where it does not, nothing is told.
    if hasattr(context, "_msg_callback"):
        context._msg_callback = seen  # noqa: SLF001  see above
    async with asyncio.timeout(SECONDS):
        _, writer = await asyncio.open_connection(where.host, where.port, ssl=context, server_hostname=where.name)
    try:
        session: ssl.SSLObject = writer.get_extra_info("ssl_object")
        octets = session.getpeercert(binary_form=True)
        cipher = session.cipher()
        return Handshake(
            version=session.version() or "unknown",
            cipher=cipher[0] if cipher else "unknown",
            certificate=readable(octets) if octets else None,
            asked_for_ours=bool(asked),
        )
    finally:
        writer.transport.abort()


def _unverified() -> ssl.SSLContext:
    """Only to look at what they show; nothing is sent over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _certificate(certificate: x509.Certificate, moment: datetime, *, trusted: bool) -> Step:
    layer = certificate_layer(certificate, "", moment)
    days = (certificate.not_valid_after_utc - moment).days
    names = (("names", ", ".join(_names(certificate))[:300] or "none"),)
    issuer = (("issuer", clean(certificate.issuer.rfc4514_string(), 200)),)
    expired = days < 0
    held: bool | None = trusted and not expired
    if held and (days < _FEW_DAYS or layer.notes):
        held = None
    return Step(
        name="their TLS certificate",
        held=held,
        said=f"expired {-days} days ago" if expired else f"{'trusted' if trusted else 'not trusted'}, {days} days left",
        facts=(*layer.facts, *issuer, *names),
        fix="they must renew it" if expired else "they should renew it soon" if held is None else "",
    )


def _names(certificate: x509.Certificate) -> list[str]:
    """The host names that it is for (RFC 6125 6.4)."""
    try:
        extension = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    except (x509.ExtensionNotFound, ValueError):
        return []
    assert isinstance(extension.value, x509.SubjectAlternativeName)
    return [clean(str(one.value), 100) for one in extension.value][:20]
