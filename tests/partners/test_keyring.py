"""Which certificate counts when: dates of use, overlap, expiry and confirmation, each rule of the keyring a test."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gateway.as2 import KeyPair, fingerprint
from gateway.errors import OurFault
from gateway.partners import pairs
from gateway.partners.certificate_making import KINDS, self_signed
from gateway.partners.confirmations import Confirmations, Whose
from gateway.partners.keyring import ALWAYS, Keyring, Use
from gateway.partners.keys import create_keys, write_certificate, write_private_key
from gateway.settings import Identity, Secret, Settings

from .conftest import NOW

SETTINGS = Settings(identity=Identity(name="Example", as2_id="EXAMPLE-AS2"), passphrase=Secret(file="keys/passphrase"))


@cache
def pair(name: str, *, begins: int = -100, days: int = 1000) -> KeyPair:
    """An EC pair that is valid from `begins` days after NOW, for `days`; the same words give the same one."""
    at = NOW + timedelta(days=begins)
    return self_signed(KINDS["ec-p256"](), company="Example", as2_id=name, now=at, days=days)


def ring(*ours: KeyPair, theirs: tuple[KeyPair, ...] = (), **changes: Any) -> Keyring:
    """A keyring with one partner, acme."""
    given = theirs or (pair("acme"),)
    return Keyring(ours=ours or (pair("old"),), theirs={"acme": tuple(one.certificate for one in given)}, **changes)


def uses(**dates: datetime | None) -> dict[str, Use]:
    """Dates of use by the names of `pair`."""
    return {fingerprint(pair(name).certificate): Use(sign_from=since) for name, since in dates.items()}


def test_the_new_pair_signs_from_its_date_on_and_not_a_moment_before() -> None:
    """Both decrypt all the time."""
    both = ring(pair("old"), pair("new"), uses=uses(old=ALWAYS, new=NOW))
    assert both.signing("acme", NOW - timedelta(microseconds=1)) is pair("old")
    assert both.signing("acme", NOW) is pair("new")
    assert both.decrypting(NOW) == (pair("old"), pair("new"))


def test_a_pair_without_a_date_only_decrypts() -> None:
    """It was made, but no roll is planned."""
    both = ring(pair("old"), pair("new"), uses=uses(old=ALWAYS, new=None))
    assert both.signing("acme", NOW) is pair("old")


def test_a_partner_can_have_a_date_of_its_own() -> None:
    """One that is not ready gets the old one longer."""
    later = Use(sign_from=NOW, partners={"acme": NOW + timedelta(days=30)})
    both = ring(pair("old"), pair("new"), uses=uses(old=ALWAYS) | {fingerprint(pair("new").certificate): later})
    assert both.signing("acme", NOW) is pair("old")
    assert both.signing("baltic", NOW) is pair("new")
    assert both.signing("acme", NOW + timedelta(days=30)) is pair("new")


def test_a_partner_that_signs_with_another_certificate_is_encrypted_for_by_the_one_that_is_named() -> None:
    """A signature proves that they sign with it, not that they decrypt with it; an expired one is not encrypted for."""
    signs, opens = pair("signs", begins=-1), pair("opens")
    proved = Confirmations([("acme", Whose.THEIRS, fingerprint(signs.certificate))])
    by_proof = ring(theirs=(opens, signs), confirmations=proved)
    assert by_proof.encrypting("acme", NOW) == (signs.certificate,)
    named = replace(by_proof, encrypt_for={"acme": opens.certificate})
    assert named.encrypting("acme", NOW) == (opens.certificate,)
    assert signs.certificate in named.verifying("acme", NOW)
    gone = replace(by_proof, encrypt_for={"acme": pair("gone", begins=-200, days=100).certificate})
    with pytest.raises(OurFault, match="have expired"):
        gone.encrypting("acme", NOW)


def test_an_expired_pair_of_ours_decrypts_but_never_signs() -> None:
    """The next newest signs; where there is none, the fault names certificate, date and remedy."""
    gone = pair("gone", begins=-200, days=100)
    both = ring(pair("old"), gone, uses=uses(old=ALWAYS) | {fingerprint(gone.certificate): Use(sign_from=NOW)})
    assert both.signing("acme", NOW) is pair("old")
    alone = ring(gone)
    assert alone.decrypting(NOW) == (gone,)
    with pytest.raises(OurFault, match=f"{fingerprint(gone.certificate)[:16]}.*2025-11-21") as raised:
        alone.signing("acme", NOW)
    assert "gateway certificate new" in raised.value.remedy


def test_while_none_is_confirmed_the_first_valid_certificate_of_theirs_encrypts() -> None:
    """A new one that was only imported is not used yet: they may not have its key in place."""
    assert ring(theirs=(pair("a"), pair("b"))).encrypting("acme", NOW) == (pair("a").certificate,)


def test_the_newest_confirmed_certificate_of_theirs_encrypts() -> None:
    """Newest by the beginning of its validity, wherever it stands in the agreement."""
    new, newest = pair("b", begins=-50), pair("c", begins=-10)
    known = Confirmations(("acme", Whose.THEIRS, fingerprint(one.certificate)) for one in (pair("a"), new))
    for order in ((pair("a"), new, newest), (newest, new, pair("a"))):
        assert ring(theirs=order, confirmations=known).encrypting("acme", NOW) == (new.certificate,)


def test_a_confirmed_one_that_expired_gives_way_to_a_valid_one() -> None:
    """Confirmed or not."""
    gone, new = pair("gone", begins=-200, days=100), pair("b")
    known = Confirmations([("acme", Whose.THEIRS, fingerprint(gone.certificate))])
    assert ring(theirs=(gone, new), confirmations=known).encrypting("acme", NOW) == (new.certificate,)


def test_one_that_is_not_valid_yet_is_used_only_when_there_is_no_other() -> None:
    """It was pinned by hand, and clocks differ."""
    coming = pair("coming", begins=10)
    assert ring(theirs=(coming, pair("a"))).encrypting("acme", NOW) == (pair("a").certificate,)
    assert ring(theirs=(coming,)).encrypting("acme", NOW) == (coming.certificate,)


def test_nothing_is_encrypted_for_an_expired_certificate_unless_the_agreement_says_so() -> None:
    """To the end of the day named, in UTC."""
    gone = pair("gone", begins=-200, days=100)
    refusing = ring(theirs=(gone,))
    with pytest.raises(OurFault, match=r"certificates of acme .* have expired.*2025-11-21") as raised:
        refusing.encrypting("acme", NOW)
    assert "gateway certificate import" in raised.value.remedy
    bearing = replace(refusing, accept_expired_until={"acme": date(2026, 3, 1)})
    assert bearing.encrypting("acme", NOW) == (gone.certificate,)
    with pytest.raises(OurFault):
        bearing.encrypting("acme", NOW + timedelta(hours=12))


def test_the_refusal_of_an_expired_signer_names_certificate_and_date() -> None:
    """For the operator; a valid signer has no refusal."""
    gone = pair("gone", begins=-200, days=100)
    both = ring(theirs=(gone, pair("a")))
    said = both.refusal("acme", fingerprint(gone.certificate), NOW)
    assert said is not None
    assert fingerprint(gone.certificate)[:16] in said
    assert "2025-11-21" in said
    assert both.refusal("acme", fingerprint(pair("a").certificate), NOW) is None
    bearing = replace(both, accept_expired_until={"acme": date(2026, 3, 1)})
    assert bearing.refusal("acme", fingerprint(gone.certificate), NOW) is None


def test_valid_certificates_are_tried_before_expired_ones() -> None:
    """Two certificates of one key have one key identifier."""
    gone = pair("gone", begins=-200, days=100)
    assert ring(theirs=(gone, pair("a"))).verifying("acme", NOW) == (pair("a").certificate, gone.certificate)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace's keys, as gateways before this one made them."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/passphrase").write_text("correct horse\n")
    create_keys(tmp_path, SETTINGS, now=NOW, days=30, bits=2048)
    return tmp_path


def add(folder: Path, name: str) -> pairs.FurtherPair:
    """The files of a further pair."""
    write_private_key(folder / f"keys/{name}.key", pair(name).private_key, "correct horse")
    write_certificate(folder / f"certs/{name}.pem", pair(name).certificate)
    return pairs.FurtherPair(name=name, certificate=f"certs/{name}.pem", key=f"keys/{name}.key")


def test_a_workspace_without_further_pairs_has_the_one_it_always_had(folder: Path) -> None:
    """keys/gateway.key with identity.certificate signs from ever."""
    (only,), dates = pairs.load(folder, SETTINGS)
    assert dates == {fingerprint(only.certificate): Use(sign_from=ALWAYS)}


def test_what_is_written_of_our_pairs_is_read_the_same(folder: Path) -> None:
    """Dates in UTC, to the second; retired ones are not opened."""
    new = add(folder, "as2-2027").model_copy(update={"sign_from": NOW, "partners": {"acme": NOW + timedelta(days=1)}})
    said = pairs.OurPairs(pairs=(new, add(folder, "spare")), retired=("spare",))
    pairs.write(folder, said)
    assert pairs.read(folder)[0] == said
    opened, dates = pairs.load(folder, SETTINGS)
    assert [fingerprint(one.certificate) for one in opened][1:] == [fingerprint(pair("as2-2027").certificate)]
    assert dates[fingerprint(pair("as2-2027").certificate)] == new.use


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pairs: [{name: x, certificate: ../x.pem, key: keys/x.key}]", "a file below the workspace"),
        ("pairs: [{name: x, certificate: x.pem, key: x, sign_from: 2027-01-01T00:00:00}]", "a time with its zone"),
        ("pairs: [{name: x, certificate: x, key: x, sign_from: 0001-01-01T00:00:00+14:00}]", "between the years"),
        ("pears: []", "did you mean|write pairs"),
    ],
)
def test_a_mistake_in_ours_yaml_is_told_with_file_and_line(folder: Path, text: str, said: str) -> None:
    """As everywhere in the configuration."""
    (folder / pairs.FILE).write_text(text)
    with pytest.raises(OurFault, match=r"certs/ours.yaml:1") as raised:
        pairs.read(folder)
    assert raised.value.findings

    assert re.search(said, f"{raised.value} {raised.value.remedy}")
