"""Every certificate that a workspace names is known by what it is for, so that none ends unseen."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.as2 import KeyPair
from gateway.partners.inventory import FEW_AUTHORITIES, Role, due, inventory
from gateway.partners.keys import write_certificate
from gateway.partners.workspace import load

from .authority import issue, name
from .conftest import ACME, NOW, SETTINGS

NAMED = {
    "certs/tls.pem": Role.TLS,
    "certs/client-ca.pem": Role.CA,
    "certs/ours-client.pem": Role.TLS_CLIENT,
    "certs/their-client.pem": Role.THEIR_TLS_CLIENT,
    "certs/their-ca.pem": Role.CA,
    "certs/signer-ca.pem": Role.CA,
}


def test_certificates_of_tls_and_authorities_are_in_it(sound: Path, key_pair: KeyPair) -> None:
    """Of listen.tls and of each agreement, with the partner they belong to."""
    for file in NAMED:
        write_certificate(sound / file, key_pair.certificate)
    (sound / "keys").mkdir()
    (sound / "keys/tls.key").touch()
    (sound / "keys/client.key").touch()
    tls = "listen: {tls: {certificate: certs/tls.pem, key: keys/tls.key, client_ca: certs/client-ca.pem}}\n"
    (sound / "gateway.yaml").write_text(SETTINGS + tls)
    more = """\
  id: ACME-AS2
  signer_ca: [certs/signer-ca.pem]
  require_client_certificates: [certs/their-client.pem]
  transport: {ca: certs/their-ca.pem, client_certificate: certs/ours-client.pem, client_key: keys/client.key}
"""
    (sound / "partners/acme.yaml").write_text(ACME.replace("  id: ACME-AS2\n", more))
    loaded = load(sound, now=NOW)
    held = inventory(sound, loaded.settings, loaded.agreements)
    found = {one.file: one for one in held}
    assert {file: found[file].role for file in NAMED} == NAMED
    assert found["certs/gateway.pem"].role is Role.OURS
    assert found["certs/acme.pem"].role is Role.THEIRS
    assert {one.partner for file, one in found.items() if file in NAMED} == {"", "acme"}
    assert found["certs/tls.pem"].partner == ""


@pytest.mark.parametrize("count", [3, FEW_AUTHORITIES, FEW_AUTHORITIES + 1])
def test_every_certificate_of_an_authoritys_file_is_warned_about(sound: Path, count: int) -> None:
    """The first one is the root, with years to go; a bundle of public authorities is the system's business."""
    made = [issue(name("Root"), None, at=NOW, days=3000, authority=True)]
    made += [issue(name(f"Sub {one}"), made[0], at=NOW, days=20, authority=True) for one in range(count - 1)]
    (sound / "certs/ca.pem").write_bytes(b"".join(one.certificate.public_bytes(Encoding.PEM) for one in made))
    (sound / "partners/acme.yaml").write_text(
        ACME.replace("  id: ACME-AS2\n", "  id: ACME-AS2\n  signer_ca: [certs/ca.pem]\n")
    )
    loaded = load(sound, now=NOW)
    warned = [(one.name, days) for one, days in due(inventory(sound, loaded.settings, loaded.agreements), NOW)]
    few = count <= FEW_AUTHORITIES
    assert warned == ([(f"certs/ca.pem#{number}", 30) for number in range(2, count + 1)] if few else [])


def test_an_authority_that_a_younger_one_of_its_name_follows_is_not_warned_about(sound: Path) -> None:
    """Both stand in the file while the one takes the other's place."""
    made = [issue(name("Root"), None, at=NOW, days=days, authority=True, label=str(days)) for days in (20, 3000)]
    (sound / "certs/ca.pem").write_bytes(b"".join(one.certificate.public_bytes(Encoding.PEM) for one in made))
    (sound / "partners/acme.yaml").write_text(
        ACME.replace("  id: ACME-AS2\n", "  id: ACME-AS2\n  signer_ca: [certs/ca.pem]\n")
    )
    loaded = load(sound, now=NOW)
    assert due(inventory(sound, loaded.settings, loaded.agreements), NOW) == []
