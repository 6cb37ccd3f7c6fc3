"""A sound workspace that the tests break in one place each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.as2 import KeyPair
from gateway.partners.keys import new_as2_key_pair, write_certificate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

SETTINGS = """\
identity:
  name: Example Distribution
  as2_id: EXAMPLE-AS2
  x12: {qualifier: ZZ, id: EXAMPLE}
targets:
  north:
    kind: http
    base_url: http://127.0.0.1:8071
    documents:
      order_acknowledgement: {path: /api/acknowledgements}
      ship_notice: {path: "/api/orders/{order_number}/ship-notices"}
routes:
  - to: north
    business_unit: [N1, N2]
  - to: north
    partner: [acme, baltic]
"""
ACME = """\
title: Acme Tools
ids:
  - {scheme: assigned_by_buyer, value: V-1001}
channel: as2
as2:
  id: ACME-AS2
  url: http://127.0.0.1:8090/as2
  certificates: [certs/acme.pem]
x12:
  identity: {qualifier: "01", id: ACME}
documents:
  send:
    purchase_order: {set: 850, map: x12/850}
  receive:
    order_acknowledgement: {set: 855, map: acme/855}
    ship_notice: {set: 856, map: x12/856}
"""
BALTIC = """\
title: Baltic Fasteners
ids:
  - {scheme: assigned_by_buyer, value: V-2002}
channel: rest
documents:
  send:
    purchase_order:
  receive:
    order_acknowledgement: {}
"""


@pytest.fixture(scope="session")
def key_pair() -> KeyPair:
    """One RSA key pair for all tests: making one takes a tenth of a second."""
    return new_as2_key_pair(company="Example Distribution", as2_id="EXAMPLE-AS2", now=NOW, days=365, bits=2048)


@pytest.fixture
def sound(tmp_path: Path, key_pair: KeyPair) -> Path:
    """A workspace without findings."""
    (tmp_path / "partners").mkdir()
    (tmp_path / "gateway.yaml").write_text(SETTINGS)
    (tmp_path / "partners/acme.yaml").write_text(ACME)
    (tmp_path / "partners/baltic.yaml").write_text(BALTIC)
    for name in ("gateway", "acme"):
        write_certificate(tmp_path / f"certs/{name}.pem", key_pair.certificate)
    return tmp_path


@pytest.fixture
def edit(sound: Path) -> Callable[[str, str, str], int]:
    """Replace a piece of a file; the line (from 1) where it stood."""

    def replace(file: str, old: str, new: str) -> int:
        text = (sound / file).read_text()
        assert text.count(old) == 1, old
        (sound / file).write_text(text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1

    return replace
