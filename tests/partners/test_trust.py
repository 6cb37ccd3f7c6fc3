"""Trust by chain and revocation: each way a certificate in a message may not count, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.as2 import KeyPair, signature
from gateway.as2.certificates import Signers, readable
from gateway.errors import OurFault, PartnerFault
from gateway.findings import FilePlace, Severity
from gateway.partners.keys import write_file
from gateway.partners.revocation import CrlShelf, Revocation
from gateway.partners.trust import ChainTrust
from gateway.partners.workspace import examine

from .authority import issue, name, revoked
from .conftest import ACME, NOW

LIST = "certs/list.crl"


@cache
def root() -> KeyPair:
    """The authority of the agreement."""
    return issue(name("Root"), None, at=NOW, days=3000, authority=True)


@cache
def middle() -> KeyPair:
    """An intermediate of it, which messages enclose."""
    return issue(name("Middle"), root(), at=NOW, days=2000, authority=True)


@cache
def stranger() -> KeyPair:
    """An authority with the same name and another key."""
    return issue(name("Middle"), None, at=NOW, days=2000, authority=True, label="stranger")


def signer(**how: Any) -> KeyPair:
    """Acme's new certificate."""
    given = {"subject": name("acme-as2", "Acme Tools"), "issuer": middle(), "at": NOW} | how
    return issue(given.pop("subject"), given.pop("issuer"), **given)


def trust(revocation: Revocation | None = None) -> ChainTrust:
    """What the agreement says."""
    subject = x509.Name.from_rfc4514_string("CN=acme-as2,O=Acme Tools")
    return ChainTrust(authorities=(root().certificate,), subject=subject, revocation=revocation)


def test_a_signer_that_chains_to_the_authority_and_has_the_name_counts() -> None:
    """By an intermediate that the message encloses, in any order; further parts in the subject are no matter."""
    one = signer().certificate
    for enclosed in ([one, middle().certificate], [middle().certificate, one]):
        assert trust().judged(enclosed, NOW) == ((one,), "")
    direct = signer(issuer=root()).certificate
    assert trust().judged([direct], NOW) == ((direct,), "")


@pytest.mark.parametrize("place", ["root", "intermediate"])
@pytest.mark.parametrize(
    ("how", "counts"),
    [
        ({"extended": [ExtendedKeyUsageOID.EMAIL_PROTECTION]}, True),
        ({"extended": [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]}, True),
        ({"extended": [ExtendedKeyUsageOID.SERVER_AUTH]}, False),
        ({"allowed": ()}, True),
        ({"allowed": ("crl_sign",)}, False),
        ({"authority": False, "allowed": ("key_cert_sign",)}, False),
    ],
    ids=["for S/MIME", "for anything", "for TLS", "key usage unsaid", "may not issue", "no authority"],
)
def test_an_authority_of_signers_may_be_one_of_s_mime_or_say_no_key_usage(
    how: dict[str, Any], *, counts: bool, place: str
) -> None:
    """TLS's own rules would refuse both: public S/MIME authorities have emailProtection alone."""
    given = {"at": NOW, "days": 3000, "authority": True}
    top = issue(name("Top"), None, **(given | how)) if place == "root" else root()
    above = issue(name("Below"), top, **(given | (how if place == "intermediate" else {})))
    one = signer(issuer=above).certificate
    subject = x509.Name.from_rfc4514_string("CN=acme-as2,O=Acme Tools")
    asked = ChainTrust(authorities=(top.certificate,), subject=subject)
    assert (asked.judged([one, above.certificate], NOW)[0] == (one,)) is counts


def _by_signer() -> list[x509.Certificate]:
    """Whoever has a certificate of the authority tries to be one."""
    other = issue(name("somebody"), middle(), at=NOW)
    return [signer(issuer=other).certificate, other.certificate, middle().certificate]


REFUSED: dict[str, tuple[Callable[[], list[x509.Certificate]], str]] = {
    "another name": (
        lambda: [signer(subject=name("acme-as2", "Evil")).certificate, middle().certificate],
        "no certificate",
    ),
    "half the name": (lambda: [signer(subject=name("acme-as2")).certificate, middle().certificate], "no certificate"),
    "another authority of the same name": (
        lambda: [signer(issuer=stranger()).certificate, stranger().certificate],
        "no chain to an authority",
    ),
    "self-signed": (lambda: [signer(issuer=None).certificate], "no chain to an authority"),
    "the intermediate is missing": (lambda: [signer().certificate], "no chain to an authority"),
    "expired": (lambda: [signer(at=NOW - timedelta(days=200)).certificate, middle().certificate], "no chain"),
    "not valid yet": (lambda: [signer(at=NOW + timedelta(days=50)).certificate, middle().certificate], "no chain"),
    "an authority": (lambda: [signer(authority=True).certificate, middle().certificate], "key usage"),
    "key usage for encryption": (
        lambda: [signer(allowed=("key_agreement",)).certificate, middle().certificate],
        "key usage",
    ),
    "for TLS servers only": (
        lambda: [signer(extended=(ExtendedKeyUsageOID.SERVER_AUTH,)).certificate, middle().certificate],
        "key usage",
    ),
    "issued by a signer": (_by_signer, "no chain"),
    "nothing": (list, "no certificate"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_chain_or_fit_is_refused_with_the_reason(case: str) -> None:
    """The operator reads it; the sender reads what every stranger reads."""
    made, said = REFUSED[case]
    accepted, why = trust().judged(made(), NOW)
    assert accepted == ()
    assert said in why


BROKEN: dict[str, tuple[str, str]] = {
    "a curve that nobody knows": ("06082a8648ce3d030107", "06082a8648ce3d030102"),
    "an extension twice": ("0603551d0f", "0603551d13"),
    "an extension that is garbage": ("0603551d0e", "0603551d0f"),
    "a version that there is none of": ("a003020102", "a003020107"),
    "serial number nought": ("02024711", "02020000"),
}
"""Octets of a sound certificate, and what stands there instead."""


@pytest.mark.parametrize("case", BROKEN)
def test_a_certificate_in_a_message_that_cannot_be_looked_at_is_a_strangers_and_no_crash(case: str) -> None:
    """Anybody may write one: nothing is verified yet when it is read."""
    was, instead = map(bytes.fromhex, BROKEN[case])
    sound = signer(serial=0x4711).certificate
    whole = sound.public_bytes(Encoding.DER)
    assert was in whole
    broken = whole.replace(was, instead)
    assert readable(whole) == sound
    assert readable(broken) is None
    stranger_made = issue(name("somebody"), None, at=NOW)
    signed = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(b"content")
        .add_signer(stranger_made.certificate, cast("Any", stranger_made.private_key), hashes.SHA256())
        .add_certificate(sound)
        .sign(Encoding.DER, [pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.DetachedSignature])
    )
    octets = signed.replace(whole, broken)
    believed = Signers((), lambda enclosed: trust().judged(enclosed, NOW))
    with pytest.raises(PartnerFault, match="no certificate in the message has the subject"):
        signature.verify(octets, memoryview(b"content"), certificates=believed, accepted=frozenset({"sha-256"}))


def test_of_many_certificates_with_the_agreed_name_two_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's, made to lead into loops: each costs many signature checks until it is given up."""
    looked_at: list[x509.Certificate] = []

    def refusal(self: ChainTrust, certificate: x509.Certificate, *_: object) -> str:
        del self
        looked_at.append(certificate)
        return "no"

    monkeypatch.setattr(ChainTrust, "_refusal", refusal)
    forged = [signer(issuer=stranger()).certificate for _ in range(8)]
    accepted, why = trust().judged([*forged, stranger().certificate], NOW)
    assert (accepted, len(looked_at)) == ((), 2)
    assert "8 certificates have the subject" in why


def revocation(tmp_path: Path, listed: x509.CertificateRevocationList | None, *, stale: Any = "warn") -> Revocation:
    """What the agreement says of revocation."""
    shelf = CrlShelf(tmp_path)
    if listed is not None:
        write_file(tmp_path / LIST, listed.public_bytes(Encoding.DER), mode=0o644, overwrite=True)
        shelf.load([LIST])
    authorities = (root().certificate, middle().certificate)
    return Revocation(shelf=shelf, sources=(LIST,), authorities=authorities, stale=stale)


def test_a_revoked_signer_does_not_count_by_chain_and_not_when_it_is_pinned(tmp_path: Path) -> None:
    """The day is named."""
    one = signer().certificate
    asked = revocation(tmp_path, revoked(middle(), [one], at=NOW))
    assert asked.refusal(one, NOW) == "it was revoked on 2026-03-01 (certs/list.crl)"
    assert trust(asked).judged([one, middle().certificate], NOW)[0] == ()
    other = signer().certificate
    assert asked.refusal(other, NOW) is None
    assert trust(asked).judged([other, middle().certificate], NOW)[0] == (other,)


def above(*lists: x509.CertificateRevocationList, folder: Path, stale: Any = "warn") -> Revocation:
    """The root's list, and others; the authorities are the root and the intermediate."""
    shelf = CrlShelf(folder)
    names = tuple(f"certs/{number}.crl" for number in range(len(lists)))
    for file, listed in zip(names, lists, strict=True):
        write_file(folder / file, listed.public_bytes(Encoding.DER), mode=0o644)
    shelf.load(names)
    authorities = (root().certificate, middle().certificate, stranger().certificate)
    return Revocation(shelf=shelf, sources=names, authorities=authorities, stale=stale)


def test_what_a_revoked_intermediate_issued_does_not_count_pinned_or_by_chain(tmp_path: Path) -> None:
    """The root's list says so; the intermediate's own list may not even be there."""
    one = signer().certificate
    asked = above(revoked(root(), [middle().certificate], at=NOW), folder=tmp_path)
    said = asked.refusal(one, NOW)
    assert said == "its authority CN=Middle: it was revoked on 2026-03-01 (certs/0.crl)"
    accepted, why = trust(asked).judged([one, middle().certificate], NOW)
    assert accepted == ()
    assert said in why
    assert asked.refusal(signer(issuer=root()).certificate, NOW) is None


def test_an_intermediate_that_came_with_the_message_is_looked_for_too(tmp_path: Path) -> None:
    """The agreement names the root alone."""
    one = signer().certificate
    asked = replace(
        above(revoked(root(), [middle().certificate], at=NOW), folder=tmp_path), authorities=(root().certificate,)
    )
    assert asked.refusal(one, NOW) is None, "pinned, and nothing is known of who issued it"
    assert "its authority CN=Middle" in trust(asked).judged([one, middle().certificate], NOW)[1]


def test_an_authority_needs_a_current_list_of_the_one_above_it_where_the_agreement_refuses(tmp_path: Path) -> None:
    """Else a list that is kept from us hides that the authority was revoked. A warning lets it count."""
    one = signer().certificate
    own, missing = revoked(middle(), [], at=NOW), "its authority CN=Middle: there is no current revocation list"
    old = revoked(root(), [], at=NOW - timedelta(days=30))
    for number, lists in enumerate(((own,), (own, old))):
        asked = above(*lists, folder=tmp_path / str(number), stale="refuse")
        assert missing in (asked.refusal(one, NOW) or "")
        assert missing in trust(asked).judged([one, middle().certificate], NOW)[1]
        assert replace(asked, stale="warn").refusal(one, NOW) is None
    asked = above(own, revoked(root(), [], at=NOW), folder=tmp_path / "2", stale="refuse")
    assert asked.refusal(one, NOW) is None
    assert trust(asked).judged([one, middle().certificate], NOW)[0] == (one,)


def test_an_authority_that_is_trusted_by_itself_needs_no_list_above_it(tmp_path: Path) -> None:
    """The agreement names the intermediate alone: nobody is above it."""
    one = signer().certificate
    asked = above(revoked(middle(), [], at=NOW), folder=tmp_path, stale="refuse")
    assert replace(asked, authorities=(middle().certificate,)).refusal(one, NOW) is None


STALE: dict[str, tuple[Callable[[], x509.CertificateRevocationList | None], bool]] = {
    "current": (lambda: revoked(middle(), [], at=NOW), False),
    "too old": (lambda: revoked(middle(), [], at=NOW - timedelta(days=30)), True),
    "missing": (lambda: None, True),
    "another authority's": (lambda: revoked(root(), [], at=NOW), True),
    "signed by a stranger": (lambda: revoked(stranger(), [], at=NOW), True),
}


@pytest.mark.parametrize("case", STALE)
def test_without_a_current_list_signers_are_refused_only_where_the_agreement_says_so(tmp_path: Path, case: str) -> None:
    """The default is a warning."""
    made, stale = STALE[case]
    one = signer().certificate
    assert revocation(tmp_path, made()).refusal(one, NOW) is None
    own = replace(revocation(tmp_path, made(), stale="refuse"), authorities=(middle().certificate,))
    assert (own.refusal(one, NOW) is None) is not stale


def test_a_list_signed_by_a_stranger_revokes_nothing(tmp_path: Path) -> None:
    """Whoever can put a list in our way cannot stop a partner with it."""
    one = signer().certificate
    assert revocation(tmp_path, revoked(stranger(), [one], at=NOW)).refusal(one, NOW) is None


def test_a_fetched_list_outlives_a_restart_and_a_broken_one_replaces_nothing(tmp_path: Path) -> None:
    """It is kept below data/."""
    address = "http://ca.example/list.crl"
    shelf = CrlShelf(tmp_path)
    shelf.load([address])
    assert shelf.get(address) is None
    known = [root().certificate, middle().certificate]
    shelf.put(address, revoked(middle(), [], at=NOW).public_bytes(Encoding.PEM), known)
    with pytest.raises(OurFault, match="is no revocation list"):
        shelf.put(address, b"<html>", known)
    again = CrlShelf(tmp_path)
    again.load([address])
    assert again.get(address) == shelf.get(address)
    assert again.get(address) is not None


@pytest.mark.parametrize(
    ("instead", "why"),
    [
        (lambda: revoked(stranger(), [], at=NOW + timedelta(days=1)), "signed by nobody"),
        (lambda: revoked(middle(), [], at=NOW - timedelta(days=1)), "before the one that is known"),
    ],
    ids=["a stranger's", "an older one"],
)
def test_nobody_on_the_way_to_the_address_can_make_a_revocation_forgotten(
    tmp_path: Path, instead: Callable[[], x509.CertificateRevocationList], why: str
) -> None:
    """Most addresses of lists are http: what comes from there is believed for its signature and its date."""
    address, one = "http://ca.example/list.crl", signer().certificate
    shelf, known = CrlShelf(tmp_path), (middle().certificate,)
    shelf.put(address, revoked(middle(), [one], at=NOW).public_bytes(Encoding.DER), known)
    with pytest.raises(OurFault, match=why):
        shelf.put(address, instead().public_bytes(Encoding.DER), known)
    asked = Revocation(shelf=shelf, sources=(address,), authorities=known, stale="warn")
    assert "revoked" in (asked.refusal(one, NOW) or "")


INCOMPLETE = {
    "trust: chain": {"trust", "signer_ca", "signer_subject"},
    "revocation: crl": {"crls", "signer_ca"},
}


@pytest.mark.parametrize("line", INCOMPLETE)
def test_chain_and_revocation_need_their_keys(sound: Path, line: str) -> None:
    """Each that lacks is named."""
    (sound / "partners/acme.yaml").write_text(ACME.replace("  id: ACME-AS2\n", f"  id: ACME-AS2\n  {line}\n"))
    _, findings = examine(sound, now=NOW)
    assert {one.rule for one in findings} == {"workspace.trust"}
    text = " ".join(one.text for one in findings)
    assert all(word in text for word in INCOMPLETE[line])


def test_a_list_of_a_file_is_looked_at_by_the_check(sound: Path) -> None:
    """Too old is a warning; not there, no list or nobody's are refused."""
    text = ACME.replace(
        "  id: ACME-AS2\n", f"  id: ACME-AS2\n  revocation: crl\n  crls: [{LIST}]\n  signer_ca: [certs/ca.pem]\n"
    )
    (sound / "partners/acme.yaml").write_text(text)
    write_file(sound / "certs/ca.pem", middle().certificate.public_bytes(Encoding.PEM), mode=0o644)
    cases: list[tuple[bytes | None, list[Severity]]] = [
        (None, [Severity.REJECT]),
        (b"nonsense", [Severity.REJECT]),
        (revoked(stranger(), [], at=NOW).public_bytes(Encoding.DER), [Severity.REJECT]),
        (revoked(middle(), [], at=NOW - timedelta(days=30)).public_bytes(Encoding.DER), [Severity.ACCEPT_WITH_ERRORS]),
        (revoked(middle(), [], at=NOW).public_bytes(Encoding.DER), []),
    ]
    for content, severities in cases:
        if content is not None:
            write_file(sound / LIST, content, mode=0o644, overwrite=True)
        _, findings = examine(sound, now=NOW)
        assert [one.severity for one in findings] == severities, content
        assert all(isinstance(one.place, FilePlace) and one.place.line == 8 for one in findings)


@pytest.mark.parametrize(("stale", "listed", "warned"), [("refuse", 1, True), ("warn", 1, False), ("refuse", 2, False)])
def test_an_authority_without_a_list_above_it_is_told_where_that_refuses_its_signers(
    sound: Path,
    stale: str,
    listed: int,
    warned: bool,  # noqa: FBT001
) -> None:
    """Before the first message is refused for it; a list that is yet to be fetched may be the one."""
    lists = {"certs/own.crl": middle(), "certs/above.crl": root()}
    names = list(lists)[:listed]
    for one in names:
        write_file(sound / one, revoked(lists[one], [], at=NOW).public_bytes(Encoding.DER), mode=0o644)
    for number, authority in enumerate((root(), middle())):
        pem = authority.certificate.public_bytes(Encoding.PEM)
        write_file(sound / f"certs/ca{number}.pem", pem, mode=0o644)

    def told(*sources: str) -> list[str]:
        said = f"revocation: crl\n  crls: [{', '.join(sources)}]\n  stale_crl: {stale}"
        lines = f"  id: ACME-AS2\n  {said}\n  signer_ca: [certs/ca0.pem, certs/ca1.pem]\n"
        (sound / "partners/acme.yaml").write_text(ACME.replace("  id: ACME-AS2\n", lines))
        _, findings = examine(sound, now=NOW)
        assert {one.severity for one in findings} <= {Severity.ACCEPT_WITH_ERRORS}
        return [one.said for one in findings]

    expected = ["no list says whether CN=Middle was revoked, and stale_crl is refuse"]
    assert told(*names) == (expected if warned else [])
    assert told(*names, "http://ca.example.com/above.crl") == []
