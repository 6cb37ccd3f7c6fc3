"""What `partner check` says of certificates: what ends soon, what a key may not do, and of certs/ours.yaml."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.as2 import KeyPair
from gateway.findings import FilePlace, Severity
from gateway.partners import pairs
from gateway.partners.certificate_making import KINDS, self_signed
from gateway.partners.keys import write_certificate
from gateway.partners.workspace import examine

from .conftest import NOW


def said(folder: Path, *, days: int = 0) -> list[tuple[str, Severity, str, int | None]]:
    """Rule, severity, file and line of every finding about certificates."""
    _, findings = examine(folder, now=NOW + timedelta(days=days))
    places = [(one, one.place) for one in findings]
    return [
        (one.rule.removeprefix("workspace."), one.severity, place.file, place.line)
        for one, place in places
        if isinstance(place, FilePlace)
    ]


def test_a_certificate_that_ends_soon_is_a_note_then_a_warning_then_expired(sound: Path) -> None:
    """At the key that names it."""
    assert said(sound) == []
    note, warning = Severity.ACCEPT, Severity.ACCEPT_WITH_ERRORS
    expiring = [
        ("certificate_expiring", note, "gateway.yaml", 1),
        ("certificate_expiring", note, "partners/acme.yaml", 8),
    ]
    assert said(sound, days=365 - 89) == expiring
    assert [one[1] for one in said(sound, days=365 - 29)] == [warning, warning]
    assert [one[0] for one in said(sound, days=366)] == ["certificate_expired", "certificate_expired"]


def only_signing() -> x509.Certificate:
    """A certificate whose key usage is digitalSignature."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Signer")])
    names = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign")
    names += ("crl_sign", "encipher_only", "decipher_only")
    usage: Any = x509.KeyUsage(digital_signature=True, **dict.fromkeys(names, False))
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW - timedelta(days=1))
    return (
        builder.not_valid_after(NOW + timedelta(days=900))
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def test_a_partner_without_a_certificate_to_encrypt_for_is_told(sound: Path) -> None:
    """A warning: their station may take it all the same."""
    write_certificate(sound / "certs/acme.pem", only_signing(), overwrite=True)
    assert said(sound) == [("certificate_use", Severity.ACCEPT_WITH_ERRORS, "partners/acme.yaml", 8)]


@pytest.fixture(scope="module")
def further() -> KeyPair:
    """A further pair."""
    return self_signed(KINDS["ec-p256"](), company="Example", as2_id="EXAMPLE", now=NOW, days=900)


PAIR = "{name: n, certificate: certs/n.pem, key: keys/n.key}"
WRONG = {
    "a name twice": (
        f"pairs: [{PAIR}, {PAIR}]",
        1,
    ),
    "the first pair's name": ("pairs: [{name: gateway, certificate: certs/n.pem, key: keys/n.key}]", 1),
    "no key": ("pairs: [{name: n, certificate: certs/n.pem, key: keys/m.key}]", 1),
    "no certificate": ("pairs: [{name: n, certificate: certs/m.pem, key: keys/n.key}]", 1),
    "no such partner": (
        "pairs:\n- {name: n, certificate: certs/n.pem, key: keys/n.key, partners: {acmee: 2027-01-01T00:00:00Z}}",
        2,
    ),
    "no such pair": ("retired: [n]", 1),
    "no date": ("pairs:\n- {name: n, certificate: certs/n.pem, key: keys/n.key, sign_from: soon}", 2),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_in_ours_yaml_is_a_finding_at_its_line(sound: Path, further: KeyPair, name: str) -> None:
    """And the configuration is refused whole."""
    text, line = WRONG[name]
    write_certificate(sound / "certs/n.pem", further.certificate)
    (sound / "keys").mkdir()
    (sound / "keys/n.key").touch()
    (sound / pairs.FILE).write_text(text)
    (found,) = said(sound)
    assert found[1:] == (Severity.REJECT, pairs.FILE, line)


def test_the_first_pair_needs_no_certificate_when_it_is_retired(sound: Path, further: KeyPair) -> None:
    """Others have followed it."""
    write_certificate(sound / "certs/n.pem", further.certificate)
    (sound / "keys").mkdir()
    (sound / "keys/n.key").touch()
    (sound / "certs/gateway.pem").unlink()
    text = "pairs: [{name: n, certificate: certs/n.pem, key: keys/n.key, sign_from: 2026-01-01T00:00:00Z}]\n"
    (sound / pairs.FILE).write_text(text)
    assert [one[0] for one in said(sound)] == ["certificate"]
    (sound / pairs.FILE).write_text(f"{text}retired: [gateway]\n")
    assert said(sound) == []
