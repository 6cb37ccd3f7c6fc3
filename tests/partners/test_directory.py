"""Partners are found by what messages and orders call them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import PartnerFault
from gateway.partners.directory import Directory
from gateway.partners.workspace import load

from .conftest import ACME, NOW


@pytest.fixture
def directory(sound: Path) -> Directory:
    """Acme (AS2), baltic (REST) and a retired predecessor of acme with the same identities."""
    (sound / "partners/acme-old.yaml").write_text("status: retired\n" + ACME)
    return Directory(load(sound, now=NOW).agreements)


def test_each_name_leads_to_its_partner(directory: Directory) -> None:
    """AS2-From, ISA05/06 with their padding, and the seller ids of an order."""
    found = [
        directory.by_name("acme"),
        directory.by_as2_id("ACME-AS2"),
        directory.by_x12("01", "ACME           "),
        directory.by_party_ids([("duns", "1"), ("assigned_by_buyer", "V-1001")]),
    ]
    assert [one and one.name for one in found] == ["acme"] * 4
    assert [one.name for one in directory.exchanging()] == ["acme", "baltic"]


def test_unknown_names_lead_nowhere(directory: Directory) -> None:
    """Case matters in AS2 names; a qualifier belongs to its id."""
    assert directory.by_as2_id("acme-as2") is None
    assert directory.by_x12("ZZ", "ACME") is None
    assert directory.by_party_ids([]) is None


def test_only_exchanging_partners_are_found(directory: Directory) -> None:
    """`known` finds the others by name."""
    assert directory.by_name("acme-old") is None
    retired = directory.known("acme-old")
    assert retired is not None
    assert not retired.exchanges


def test_ids_of_two_partners_are_refused(directory: Directory) -> None:
    """Guessing would send an order to the wrong supplier."""
    with pytest.raises(PartnerFault, match="acme and baltic"):
        directory.by_party_ids([("assigned_by_buyer", "V-1001"), ("assigned_by_buyer", "V-2002")])
