"""What is wrong, or risky, in the section as2 of an agreement: files of TLS, what a switch lets in, where receipts go.

Works on the file's text like `gateway.partners.checks`, which gives each finding its place. A weak algorithm or an
open door that somebody chose is a note: it is said at every check and start, and stops neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from gateway.errors import OurFault
from gateway.findings import Severity
from gateway.partners.as2_channel import WeakName, spelled
from gateway.partners.dialects import Wrong
from gateway.partners.keys import load_certificate
from gateway.partners.receipt_address import is_private_by_its_name

RULES: Mapping[str, str] = {
    "workspace.as2_files": "The files of as2.transport and as2.require_client_certificates are PEM files that can be "
    "read; a client certificate has its key.",
    "workspace.as2_client_ca": "A partner that must show a TLS client certificate needs listen.tls.client_ca.",
    "workspace.as2_weak": "Broken algorithms that are taken from a partner, and what is not signed, are told (a note: "
    "somebody chose it).",
    "workspace.as2_clear": "Passwords do not travel over http:// (a warning).",
    "workspace.receipt_urls": "Addresses for asynchronous receipts in a private network are named whole in "
    "as2.receipt_urls (a warning).",
}
ONLY_TO_RUN = frozenset({"workspace.as2_files", "workspace.as2_client_ca", "workspace.receipt_urls"})
_NO = frozenset({"false", "no", "off", "0"})


def wrong_in(section: Mapping[str, Any], folder: Path, *, client_ca: bool) -> Iterator[Wrong]:
    """Everything to say about one section; `client_ca`: whether TLS clients can show certificates at all."""
    transport = _section(section, "transport")
    yield from _files(section, transport, folder)
    if _listed(section, "require_client_certificates") and not client_ca:
        yield Wrong(
            keys=("require_client_certificates",),
            rule="as2_client_ca",
            said="no listen.tls.client_ca in gateway.yaml",
            wanted="our own TLS, which asks for client certificates",
            fix="add tls: with client_ca under listen:, or leave it to the proxy that ends TLS and remove this key",
        )
    yield from _weak(section)
    yield from _clear(section)
    yield from _receipts(section)


def _files(section: Mapping[str, Any], transport: Mapping[str, Any], folder: Path) -> Iterator[Wrong]:
    named: list[tuple[tuple[str | int, ...], object]] = [
        (("transport", key), transport.get(key)) for key in ("ca", "client_certificate")
    ]
    required = "require_client_certificates"
    named += [((required, number), file) for number, file in enumerate(_listed(section, required))]
    for keys, file in named:
        if isinstance(file, str) and (said := _unreadable(folder, file)) is not None:
            wanted, fix = "a PEM file with a certificate", "put it there, or correct the name"
            yield Wrong(keys=keys, rule="as2_files", said=said, wanted=wanted, fix=fix)
    for key, other in (("client_certificate", "client_key"), ("client_key", "client_certificate")):
        if transport.get(key) is not None and transport.get(other) is None:
            said, wanted = f"no {other}", "client_certificate and client_key, both or none"
            yield Wrong(keys=("transport", key), rule="as2_files", said=said, wanted=wanted, fix=f"add {other}: …")
    key_file = transport.get("client_key")
    if isinstance(key_file, str) and not (folder / key_file).is_file():
        said, fix = f"no file {key_file}", "put it there, or correct the name"
        yield Wrong(keys=("transport", "client_key"), rule="as2_files", said=said, wanted="a PEM file", fix=fix)


def _unreadable(folder: Path, file: str) -> str | None:
    try:
        load_certificate(folder / file)
    except OurFault as fault:
        return str(fault).removeprefix(f"{folder}/")
    return None


def _weak(section: Mapping[str, Any]) -> Iterator[Wrong]:
    names = [str(one) for one in _listed(section, "accept_weak") if spelled(one) in get_args(WeakName)]
    if names:
        yield Wrong(
            keys=("accept_weak",),
            rule="as2_weak",
            said=f"{', '.join(names)} taken from this partner",
            wanted="SHA-2 and AES only",
            fix="ask them for sha256 and aes128-cbc or better, then remove the line",
            severity=Severity.ACCEPT,
        )
    if str(section.get("require_signature", "yes")).strip().lower() in _NO:
        yield Wrong(
            keys=("require_signature",),
            rule="as2_weak",
            said="unsigned messages are taken from this partner",
            wanted="signed messages: without, nobody knows who sent it, and CBC can be decrypted by trial",
            fix="ask them to sign, then remove the line",
            severity=Severity.ACCEPT,
        )


def _clear(section: Mapping[str, Any]) -> Iterator[Wrong]:
    if str(section.get("url", "")).startswith("http://") and section.get("authentication") is not None:
        yield Wrong(
            keys=("authentication",),
            rule="as2_clear",
            said="a secret sent to an http:// address",
            wanted="https://",
            fix="ask them for an https:// address",
            severity=Severity.ACCEPT_WITH_ERRORS,
        )


def _receipts(section: Mapping[str, Any]) -> Iterator[Wrong]:
    """What `receipt_address` will refuse: a private address that the agreement does not have whole.

    Whether the partner asks for receipts by themselves only the partner knows; where we do, they probably do.
    """
    wanted = "each private address for receipts whole: a receipt goes to no other one in a private network"
    named = _listed(section, "receipt_urls")
    for number, one in enumerate(named):
        if isinstance(one, str) and one.endswith("/") and is_private_by_its_name(one):
            said = f"{one}, a beginning in a private network"
            fix = "name the address itself, as their messages ask for it, such as http://10.0.0.5:8080/as2/receipts"
            yield _receipt_urls(("receipt_urls", number), said, wanted, fix)
    url = section.get("url")
    asynchronous = section.get("receipt_mode") == "async" and section.get("receipt") != "none"
    if asynchronous and not named and isinstance(url, str) and is_private_by_its_name(url):
        said = f"async, no receipt_urls, and {url} is in a private network"
        fix = "add receipt_urls: with the address at which they take receipts, or url itself if they ask for none there"
        yield _receipt_urls(("receipt_mode",), said, wanted, fix)


def _receipt_urls(keys: tuple[str | int, ...], said: str, wanted: str, fix: str) -> Wrong:
    return Wrong(
        keys=keys, rule="receipt_urls", said=said, wanted=wanted, fix=fix, severity=Severity.ACCEPT_WITH_ERRORS
    )


def _section(section: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = section.get(key)
    return found if isinstance(found, Mapping) else {}


def _listed(section: Mapping[str, Any], key: str) -> list[Any]:
    found = section.get(key)
    return found if isinstance(found, list) else []
