"""Every certificate that a workspace names is known by what it is for, so that none ends unseen."""

from __future__ import annotations

from pathlib import Path

from gateway.as2 import KeyPair
from gateway.partners.inventory import Role, inventory
from gateway.partners.keys import write_certificate
from gateway.partners.workspace import load

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
