"""`gateway certificate`: every file that people send, every way it is wrong, and the steps of a rollover."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import NameOID

from gateway.as2 import KeyPair, fingerprint
from gateway.errors import OurFault
from gateway.partners import keys, one_writer, pairs
from gateway.partners.agreement_certificates import add, remove
from gateway.partners.certificate_facts import with_colons
from gateway.partners.certificate_making import KINDS, self_signed
from gateway.partners.keyring_files import load_keyring
from gateway.partners.workspace import load, load_settings
from gateway.simulation.mirror import write_workspace

Run = Callable[..., Result]
ACME = """\
title: Acme Tools
contact: {name: EDI desk, email: edi@acme.example}
ids: [{scheme: assigned_by_buyer, value: V-1001}]
channel: as2
as2:
  id: ACME-AS2
  url: http://127.0.0.1:8090/as2
  # theirs, the old one first
  certificates:
    - certs/acme.pem   # from their desk
x12: {identity: {qualifier: "01", id: ACME}}
documents:
  send: {purchase_order: {set: 850, map: x12/850}}
"""
NOW = datetime.now(UTC)


@cache
def pair(name: str, *, kind: str = "ec-p256", days: int = 400, begins: int = -1) -> KeyPair:
    """A pair, the same for the same words."""
    at = NOW + timedelta(days=begins)
    return self_signed(KINDS[kind](), company="Acme", as2_id=name, now=at, days=days)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A workspace with the partner acme, over AS2."""
    shutil.copytree(made, tmp_path / "w")
    (tmp_path / "w/partners/acme.yaml").write_text(ACME)
    keys.write_certificate(tmp_path / "w/certs/acme.pem", pair("acme").certificate)
    return tmp_path / "w"


def wrote(folder: Path, name: str, content: bytes) -> Path:
    """A file beside the workspace."""
    path = folder.parent / name
    path.write_bytes(content)
    return path


def pem(*certificates: x509.Certificate) -> bytes:
    """As PEM."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def key_pem(one: KeyPair, passphrase: bytes | None = None) -> bytes:
    """A private key as PEM."""
    lock: Any = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return one.private_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)


def p12(one: KeyPair, passphrase: bytes, *, cas: tuple[x509.Certificate, ...] = ()) -> bytes:
    """PKCS#12."""
    return pkcs12.serialize_key_and_certificates(
        b"x", one.private_key, one.certificate, cas, serialization.BestAvailableEncryption(passphrase)
    )


@cache
def authority() -> KeyPair:
    """A certification authority: its key signs certificates only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An Authority")])
    certificate = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return KeyPair(private_key=key, certificate=certificate)


def _builder(subject: x509.Name, issuer: x509.Name, key: Any) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=800))
    )


def usage(**said: bool) -> x509.KeyUsage:
    """A key usage."""
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    names += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: said.get(name, False) for name in names})


def issued(public: Any, name: str = "Acme") -> x509.Certificate:
    """A certificate of the authority."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    key: Any = authority().private_key
    return _builder(subject, authority().certificate.subject, public).sign(key, hashes.SHA256())


def said_of(result: Result) -> Any:
    """The JSON of a command that went well."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


THEIRS: dict[str, Callable[[x509.Certificate], bytes]] = {
    "pem": pem,
    "der": lambda one: one.public_bytes(serialization.Encoding.DER),
    "p7b in DER": lambda one: pkcs7.serialize_certificates([one], serialization.Encoding.DER),
    "p7c in PEM": lambda one: pkcs7.serialize_certificates([one], serialization.Encoding.PEM),
    "chain, issuer first": lambda one: pem(authority().certificate, one),
    "p7b with its chain": lambda one: pkcs7.serialize_certificates(
        [authority().certificate, one], serialization.Encoding.DER
    ),
}


@pytest.mark.parametrize("form", THEIRS)
def test_a_partners_certificate_in_any_form_goes_to_certs_and_into_the_agreement(
    run: Run, folder: Path, form: str
) -> None:
    """Its own first in the file, comments of the agreement kept; the configuration is sound afterwards."""
    certificate = issued(pair("acme-next").private_key.public_key())
    file = wrote(folder, "theirs.bin", THEIRS[form](certificate))
    said = said_of(run("certificate", "import", file, "--partner", "acme", "--workspace", folder, "--json"))
    (agreement,) = load(folder).agreements
    assert agreement.as2 is not None
    _, second = agreement.as2.certificates
    assert said["written"] == [second, "partners/acme.yaml"]
    assert keys.load_certificate(folder / second) == certificate
    text = (folder / "partners/acme.yaml").read_text()
    assert text == ACME.replace("# from their desk\n", f"# from their desk\n    - {second}\n")
    again = said_of(run("certificate", "import", file, "--partner", "acme", "--workspace", folder, "--json"))
    assert again["written"] == []


def test_the_file_that_the_agreement_waits_for_is_the_one_that_is_written(run: Run, folder: Path) -> None:
    """A new partner's file names its certificate before it is there."""
    (folder / "certs/acme.pem").unlink()
    file = wrote(folder, "a.cer", THEIRS["der"](pair("acme").certificate))
    said = said_of(run("certificate", "import", file, "--partner", "acme", "--workspace", folder, "--json"))
    assert said["written"] == ["certs/acme.pem"]
    assert (folder / "partners/acme.yaml").read_text() == ACME


@cache
def weak() -> x509.Certificate:
    """RSA of 1024 bits."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  that is what is refused
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Weak")])
    return _builder(name, name, key.public_key()).sign(key, hashes.SHA256())


def odd(was: str, instead: str) -> x509.Certificate:
    """A certificate in which something else stands."""
    octets = issued(pair("odd").private_key.public_key()).public_bytes(serialization.Encoding.DER)
    assert bytes.fromhex(was) in octets
    return x509.load_der_x509_certificate(octets.replace(bytes.fromhex(was), bytes.fromhex(instead)))


def odd_curve() -> x509.Certificate:
    """On prime192v2, which is read by nobody here."""
    return odd("06082a8648ce3d030107", "06082a8648ce3d030102")


def odd_extension() -> x509.Certificate:
    """With a key usage that is none."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Odd")])
    other = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.15"), b"garbage")
    key: Any = pair("odd").private_key
    return _builder(name, name, key.public_key()).add_extension(other, critical=False).sign(key, hashes.SHA256())


def odd_subject() -> x509.Certificate:
    """Whose name is no text."""
    return odd("06035504030c0441636d65", "06035504030c0441ffff65")


@pytest.mark.parametrize("odd_one", [odd_curve, odd_extension, odd_subject])
def test_a_certificate_in_the_agreement_that_cannot_be_looked_at_is_a_finding(
    run: Run, folder: Path, odd_one: Callable[[], x509.Certificate]
) -> None:
    """Its file and line are told, by every command that reads the workspace; no traceback."""
    (folder / "certs/acme.pem").write_bytes(pem(odd_one()))
    checked = run("partner", "check", "--workspace", folder)
    assert checked.exit_code in {1, 2}, checked.output
    assert "partners/acme.yaml:10" in checked.output
    assert "cannot be read" in checked.output
    listed = run("certificate", "list", "--workspace", folder)
    assert listed.exception is None or isinstance(listed.exception, SystemExit)


BAD_THEIRS: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"hello", "holds no readable certificate"),
    "a private key": (lambda: key_pem(pair("acme-next")) + pem(pair("acme-next").certificate), "holds a private key"),
    "two strangers": (
        lambda: pem(pair("one").certificate, pair("two").certificate),
        "holds 2 certificates of which none is another's issuer",
    ),
    "a weak key": (lambda: pem(weak()), "an RSA key of 1024 bits"),
    "an authority": (lambda: pem(authority().certificate), "it is an authority's certificate"),
    "expired": (lambda: pem(pair("gone", begins=-50, days=20).certificate), "expired on"),
    "a curve that nobody knows": (lambda: pem(odd_curve()), "a key that cannot be read"),
    "an extension that is garbage": (lambda: pem(odd_extension()), "certificate cannot be read"),
    "a subject that is garbage": (lambda: pem(odd_subject()), "certificate cannot be read"),
    "60 certificates": (lambda: pem(*(pair(f"n{n}").certificate for n in range(60))), "holds 60 certificates"),
    "2 MB": (lambda: bytes(2_000_000), "larger than"),
}


@pytest.mark.parametrize("name", BAD_THEIRS)
def test_what_is_wrong_with_a_partners_file_is_said_and_nothing_is_written(run: Run, folder: Path, name: str) -> None:
    """Exit code 2, the remedy printed."""
    content, said = BAD_THEIRS[name]
    file = wrote(folder, "theirs.bin", content())
    before = sorted((folder / "certs").iterdir())
    result = run("certificate", "import", file, "--partner", "acme", "--workspace", folder)
    assert result.exit_code == 2, result.output
    assert said in result.output.replace("\n", " ")
    assert "remedy:" in result.output
    assert sorted((folder / "certs").iterdir()) == before
    assert (folder / "partners/acme.yaml").read_text() == ACME


def test_our_pair_comes_from_pkcs12_with_its_chain_and_is_encrypted_with_our_passphrase(run: Run, folder: Path) -> None:
    """The passphrase of the file comes from a file; ours from the workspace. It does not sign before it is rolled."""
    key = pair("ours", kind="rsa-2048").private_key
    own = KeyPair(private_key=key, certificate=issued(key.public_key(), "Ours"))
    file = wrote(folder, "ours.p12", p12(own, b"s3cret", cas=(authority().certificate,)))
    secret = wrote(folder, "secret", b"s3cret\n")
    arguments = ("certificate", "import", file, "--name", "as2-2027", "--passphrase-file", secret)
    said = said_of(run(*arguments, "--workspace", folder, "--json"))
    assert said["written"] == ["keys/as2-2027.key", "certs/as2-2027.pem", "certs/ours.yaml"]
    assert stat.S_IMODE((folder / "keys/as2-2027.key").stat().st_mode) == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in (folder / "keys/as2-2027.key").read_bytes()
    assert (folder / "certs/as2-2027.pem").read_bytes() == pem(own.certificate, authority().certificate)
    opened, uses = pairs.load(folder, load_settings(folder))
    assert [fingerprint(one.certificate) for one in opened][1] == fingerprint(own.certificate)
    assert uses[fingerprint(own.certificate)].sign_from is None


def test_our_pair_comes_from_pem_clear_or_encrypted(run: Run, folder: Path) -> None:
    """Key and certificate in one file, in any order."""
    own = pair("ours", kind="rsa-2048")
    for name, content in (
        ("clear", pem(own.certificate) + key_pem(own)),
        ("locked", key_pem(pair("other"), b"pw") + pem(pair("other").certificate)),
    ):
        file = wrote(folder, "ours.pem", content)
        result = run(
            *("certificate", "import", file, "--name", name, "--passphrase-env", "PW", "--workspace", folder),
            env={"PW": "pw"},
        )
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize("algorithm", ["PBE-SHA1-RC2-40", "PBE-SHA1-3DES"])
def test_pkcs12_of_old_programs_is_read(run: Run, folder: Path, algorithm: str) -> None:
    """RC2 and 3DES protect such a file poorly; what we store of it is encrypted anew."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here to make one")
    one = pair("ours", kind="rsa-2048")
    source = wrote(folder, "source.pem", key_pem(one) + pem(one.certificate))
    made = folder.parent / "old.p12"
    command = ["openssl", "pkcs12", "-export", "-legacy", "-keypbe", algorithm, "-certpbe", algorithm]
    command += ["-in", str(source), "-out", str(made), "-passout", "pass:pw"]
    subprocess.run(command, check=True, capture_output=True)
    result = run(
        *("certificate", "import", made, "--name", "old", "--passphrase-env", "PW", "--workspace", folder),
        env={"PW": "pw"},
    )
    assert result.exit_code == 0, result.output


@cache
def without_key() -> bytes:
    """A PKCS#12 of certificates only."""
    lock = serialization.BestAvailableEncryption(b"pw")
    return pkcs12.serialize_key_and_certificates(b"x", None, None, [pair("acme").certificate], lock)


def _ed25519() -> bytes:
    """A key that AS2 has no use for."""
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + pem(pair("ours").certificate)


BAD_OURS: dict[str, tuple[Callable[[], bytes], str]] = {
    "wrong passphrase of PKCS#12": (lambda: p12(pair("ours"), b"other"), "wrong passphrase"),
    "wrong passphrase of PEM": (
        lambda: key_pem(pair("ours"), b"other") + pem(pair("ours").certificate),
        "wrong passphrase",
    ),
    "no key in PKCS#12": (without_key, "holds no private key"),
    "no key in PEM": (lambda: pem(pair("ours").certificate), "holds no private key"),
    "no certificate": (lambda: key_pem(pair("ours")), "holds a key but no certificate"),
    "another's certificate": (
        lambda: key_pem(pair("ours")) + pem(pair("acme").certificate),
        "do not belong together",
    ),
    "a certificate on an odd curve": (lambda: key_pem(pair("odd")) + pem(odd_curve()), "do not belong together"),
    "an Ed25519 key": (_ed25519, "neither RSA nor EC"),
    "expired": (
        lambda: key_pem(pair("gone", begins=-50, days=20)) + pem(pair("gone", begins=-50, days=20).certificate),
        "expired on",
    ),
}


@pytest.mark.parametrize("name", BAD_OURS)
def test_what_is_wrong_with_our_file_is_said_without_the_passphrase(run: Run, folder: Path, name: str) -> None:
    """Nothing is written."""
    content, said = BAD_OURS[name]
    file = wrote(folder, "ours.bin", content())
    arguments = ("certificate", "import", file, "--name", "x", "--passphrase-env", "PW", "--workspace", folder)
    result = run(*arguments, env={"PW": "swordfish"})
    if name.startswith("no key in PKCS"):
        result = run(*arguments, env={"PW": "pw"})
    assert result.exit_code == 2, result.output
    assert said in result.output.replace("\n", " ")
    assert "swordfish" not in result.output
    assert not (folder / "keys/x.key").exists()
    assert not (folder / "certs/ours.yaml").exists()


def test_a_missing_passphrase_is_asked_for_by_its_options(run: Run, folder: Path) -> None:
    """Where no terminal is there."""
    file = wrote(folder, "ours.p12", p12(pair("ours"), b"pw"))
    result = run("certificate", "import", file, "--name", "x", "--workspace", folder)
    assert result.exit_code == 2
    assert "--passphrase-file" in result.output


def test_a_further_key_is_never_encrypted_with_another_passphrase_than_the_first(run: Run, folder: Path) -> None:
    """A workspace has one passphrase: with a mistyped one nothing is written that the gateway could not open."""
    (folder / "keys/passphrase").write_text("mistyped\n")
    file = wrote(folder, "x.pem", key_pem(pair("x")) + pem(pair("x").certificate))
    for command in (("new", "next"), ("import", file, "--name", "next")):
        result = run("certificate", *command, "--workspace", folder)
        assert result.exit_code == 2
        assert "keys/gateway.key does not open: wrong passphrase" in result.stderr
    assert not (folder / "keys/next.key").exists()


def test_of_two_commands_at_once_the_second_waits_then_is_refused(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Naming the process that goes on; what only looks is not kept waiting."""
    monkeypatch.setattr(one_writer, "PATIENCE_SECONDS", 0.2)
    with one_writer.one_writer(folder):
        for command in (
            ("new", "n", "--key", "ec-p256"),
            ("import", __file__, "--name", "n"),
            ("roll", "n", "--from", "now"),
            ("retire", "gateway"),
        ):
            refused = run("certificate", *command, "--workspace", folder)
            assert refused.exit_code == 2, command
            assert f"process {os.getpid()}) is changing" in refused.stderr
        assert run("certificate", "list", "--workspace", folder).exit_code == 0
    assert run("certificate", "new", "n", "--key", "ec-p256", "--workspace", folder).exit_code == 0


def test_pairs_made_at_once_are_all_there(run: Run, folder: Path) -> None:
    """Four commands, each in its own process: none undoes what another one wrote."""
    names = [f"pair-{number}" for number in range(4)]
    program = [sys.executable, "-m", "gateway", "certificate", "new", "--key", "ec-p256", "--workspace", str(folder)]
    started = [subprocess.Popen([*program, name], stdout=subprocess.DEVNULL) for name in names]
    assert [one.wait(timeout=120) for one in started] == [0] * len(names)
    assert {one.name for one in pairs.read(folder)[0].pairs} == set(names)
    listed = json.loads(run("certificate", "list", "--workspace", folder, "--json").stdout)
    assert set(names) <= {one["name"] for one in listed}


@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p256", "ec-p384"])
def test_a_new_pair_decrypts_at_once_and_signs_from_its_date(run: Run, folder: Path, kind: str) -> None:
    """The steps of a rollover, by the commands; cancelled, the old one signs again."""
    at = ("--workspace", folder)
    said_of(run("certificate", "new", "next", "--key", kind, *at, "--json"))
    assert run("certificate", "new", "next", *at).exit_code == 2
    settings = load_settings(folder)
    (first, second), uses = pairs.load(folder, settings)
    will = fingerprint(second.certificate)
    assert uses[will].sign_from is None
    day = (NOW + timedelta(days=30)).date()
    rows = said_of(run("certificate", "roll", "next", "--from", day, *at, "--json"))["partners"]
    assert rows == [
        {"partner": "acme", "from": f"{day} 00:00 UTC", "stage": "not told", "how": None, "contact": "edi@acme.example"}
    ]
    run("certificate", "roll", "next", "--from", "now", "--partner", "acme", *at)
    _, uses = pairs.load(folder, settings)
    assert uses[will].sign_from == datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert uses[will].begins("acme") <= datetime.now(UTC)  # type: ignore[operator]
    run("certificate", "roll", "next", "--cancel", "--partner", "acme", *at)
    assert pairs.load(folder, settings)[1][will].partners == {}
    run("certificate", "roll", "next", "--cancel", *at)
    assert pairs.load(folder, settings)[1][will].sign_from is None
    assert fingerprint(first.certificate) in uses


def test_the_letter_has_the_certificate_its_fingerprints_and_the_date_and_is_noted(run: Run, folder: Path) -> None:
    """And the partner counts as told."""
    at = ("--workspace", folder)
    run("certificate", "new", "next", "--key", "ec-p256", *at)
    run("certificate", "roll", "next", "--from", (NOW + timedelta(days=30)).date(), *at)
    text = run("certificate", "letter", "next", "--partner", "acme", *at).stdout
    certificate = keys.load_certificate(folder / "certs/next.pem")
    assert text.startswith("To: edi@acme.example\nSubject: New AS2 certificate of Harborline: Supply (HARBOR LINE)")
    assert with_colons(certificate, "sha256") in text
    assert with_colons(certificate, "sha1") in text
    assert f"{(NOW + timedelta(days=30)):%Y-%m-%d} 00:00 UTC" in text
    assert pem(certificate).decode() in text
    (row,) = said_of(run("certificate", "roll", "next", *at, "--json"))["partners"]
    assert row["stage"] == "sent"


def test_ours_is_retired_only_when_every_partner_has_confirmed_another(run: Run, folder: Path) -> None:
    """An operator may say so, or force it; without one that signs nothing is retired at all."""
    at = ("--workspace", folder)
    run("certificate", "new", "next", "--key", "ec-p256", *at)
    result = run("certificate", "retire", "gateway", "--force", *at)
    assert result.exit_code == 2
    assert "without gateway nothing would sign now" in result.output
    run("certificate", "roll", "next", "--from", "now", *at)
    result = run("certificate", "retire", "gateway", *at)
    assert result.exit_code == 2
    assert "no other certificate of ours is confirmed by acme (1 of 1 partners)" in result.output
    assert run("certificate", "confirm", "next", "--partner", "acme", "--imported", *at).exit_code == 0
    assert run("certificate", "retire", "gateway", *at).exit_code == 2
    assert run("certificate", "confirm", "next", "--partner", "acme", *at).exit_code == 0
    assert run("certificate", "retire", "gateway", *at).exit_code == 0
    (only,), _ = pairs.load(folder, load_settings(folder))
    assert only.certificate == keys.load_certificate(folder / "certs/next.pem")


@pytest.mark.parametrize("command", ["confirm x", "import x", "letter x", "roll x", "retire x", "list"])
def test_partners_complete_on_the_tab_key_in_every_command(run: Run, folder: Path, command: str) -> None:
    """As the shell asks for them."""
    words = f"gateway certificate {command} --workspace {folder} --partner a"
    told = run(env={"_GATEWAY_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))})
    assert told.stdout.split() == ["acme"]


def test_no_command_leaves_a_partner_for_whom_nothing_signs(run: Run, folder: Path) -> None:
    """A partner with a later date of its own still needs the old pair; a plan is not taken back when it is alone."""
    at = ("--workspace", folder)
    run("certificate", "new", "next", "--key", "ec-p256", *at)
    run("certificate", "roll", "next", "--from", "now", *at)
    run("certificate", "roll", "next", "--from", "2050-01-01", "--partner", "acme", *at)
    # Valid for too short a time to plan 2050: the date is written as an operator might.
    ours = folder / "certs/ours.yaml"
    text = ours.read_text()
    if "acme" not in text:
        ours.write_text(text.replace("retired:", "    partners: {acme: 2050-01-01T00:00:00Z}\nretired:"))
    result = run("certificate", "retire", "gateway", "--force", *at)
    assert result.exit_code == 2
    assert "without gateway nothing would sign now to acme" in result.output
    assert run("certificate", "roll", "next", "--cancel", "--partner", "acme", *at).exit_code == 0
    assert run("certificate", "retire", "gateway", "--force", *at).exit_code == 0
    for plan in (("--cancel",), ("--from", f"{NOW + timedelta(days=30):%Y-%m-%d}")):
        result = run("certificate", "roll", "next", *plan, *at)
        assert result.exit_code == 2
        assert "by this plan nothing would sign now" in result.output


@pytest.mark.parametrize("name", ["null", "no", "2027", "0x1f", "1e5"])
def test_a_pair_may_be_called_what_yaml_would_read_as_something_else(run: Run, folder: Path, name: str) -> None:
    """Its file is read back by every command."""
    at = ("--workspace", folder)
    assert run("certificate", "new", name, "--key", "ec-p256", *at).exit_code == 0
    assert run("certificate", "roll", name, "--from", "now", *at).exit_code == 0
    assert run("certificate", "retire", "gateway", "--force", *at).exit_code == 0
    (only,), _ = pairs.load(folder, load_settings(folder))
    assert only.certificate == keys.load_certificate(folder / f"certs/{name}.pem")


def test_theirs_is_retired_only_when_another_one_is_confirmed(run: Run, folder: Path) -> None:
    """It leaves the agreement, the file stays; the last one never goes."""
    at = ("--workspace", folder)
    old = fingerprint(pair("acme").certificate)
    assert "no other certificate of acme" in run("certificate", "retire", old[:12], "--partner", "acme", *at).output
    assert "only certificate" in run("certificate", "retire", old[:12], "--partner", "acme", "--force", *at).output
    file = wrote(folder, "next.pem", pem(pair("acme-next").certificate))
    run("certificate", "import", file, "--partner", "acme", *at)
    assert run("certificate", "retire", old, "--partner", "acme", *at).exit_code == 2
    new = fingerprint(pair("acme-next").certificate)
    assert run("certificate", "confirm", new, "--partner", "acme", *at).exit_code == 0
    assert run("certificate", "retire", old, "--partner", "acme", *at).exit_code == 0
    (agreement,) = load(folder).agreements
    assert agreement.as2 is not None
    assert [fingerprint(keys.load_certificate(folder / one)) for one in agreement.as2.certificates] == [new]
    assert (folder / "certs/acme.pem").exists()


def test_a_retired_certificate_that_an_authority_still_vouches_for_is_told(run: Run, folder: Path) -> None:
    """In an emergency taking it out of the agreement is not enough."""
    at = ("--workspace", folder)
    keys.write_certificate(folder / "certs/ca.pem", authority().certificate)
    chain = "  trust: chain\n  signer_ca: [certs/ca.pem]\n  signer_subject: CN=Acme\nx12:"
    (folder / "partners/acme.yaml").write_text(ACME.replace("x12:", chain, 1))
    file = wrote(folder, "next.pem", pem(pair("acme-next").certificate))
    assert run("certificate", "import", file, "--partner", "acme", *at).exit_code == 0
    result = run("certificate", "retire", "certs/acme.pem", "--partner", "acme", "--force", *at)
    assert result.exit_code == 0, result.output
    assert "With trust: chain what acme signs with it still counts" in result.output


def test_the_certificate_that_an_agreement_encrypts_for_is_one_of_its_own_and_not_retired(
    run: Run, folder: Path
) -> None:
    """It reaches the keyring; the import of the next one says that nothing changes by it."""
    at = ("--workspace", folder)
    file = wrote(folder, "next.pem", pem(pair("acme-next").certificate))
    assert run("certificate", "import", file, "--partner", "acme", *at).exit_code == 0
    agreement = folder / "partners/acme.yaml"
    without = agreement.read_text()
    agreement.write_text(without.replace("x12:", "  encrypt_for: certs/other.pem\nx12:", 1))
    checked = run("partner", "check", *at)
    assert "[workspace.encrypt_for]" in checked.output
    agreement.write_text(without.replace("x12:", "  encrypt_for: certs/acme.pem\nx12:", 1))
    assert load_keyring(load(folder)).encrypting("acme", NOW) == (pair("acme").certificate,)
    result = run("certificate", "retire", "certs/acme.pem", "--partner", "acme", "--force", *at)
    assert result.exit_code == 2
    assert "is what we encrypt for, by as2.encrypt_for" in result.output
    third = wrote(folder, "third.pem", pem(pair("acme-third").certificate))
    said = said_of(run("certificate", "import", third, "--partner", "acme", *at, "--json"))
    assert "We go on encrypting for certs/acme.pem, which as2.encrypt_for names." in said["notes"]


def test_an_agreement_keeps_its_line_ends_its_rights_and_its_place(tmp_path: Path) -> None:
    """Edited on Windows, readable by a group, a link into a repository: only the list changes."""
    (tmp_path / "shelf").mkdir()
    real = tmp_path / "shelf/acme.yaml"
    real.write_bytes(ACME.replace("\n", "\r\n").encode())
    real.chmod(0o640)
    (tmp_path / "acme.yaml").symlink_to(real)
    add(tmp_path, "acme.yaml", "certs/next.pem")
    kept = "# from their desk\n"
    wanted = ACME.replace(kept, f"{kept}    - certs/next.pem\n").replace("\n", "\r\n").encode()
    assert real.read_bytes() == wanted
    assert (tmp_path / "acme.yaml").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    remove(tmp_path, "acme.yaml", "certs/next.pem")
    assert real.read_bytes() == ACME.replace("\n", "\r\n").encode()


def test_an_authoritys_answer_to_our_request_becomes_our_pair(run: Run, folder: Path) -> None:
    """Its key is the one that was made; another's answer is refused."""
    at = ("--workspace", folder)
    assert run("certificate", "new", "ca", "--key", "rsa-2048", "--request", *at).exit_code == 0
    assert not (folder / "certs/ours.yaml").exists()
    asked = x509.load_pem_x509_csr((folder / "certs/ca.csr").read_bytes())
    assert asked.is_signature_valid
    foreign = wrote(folder, "foreign.pem", pem(pair("acme").certificate))
    result = run("certificate", "import", foreign, "--name", "ca", *at)
    assert "do not belong together" in result.output
    answer = pkcs7.serialize_certificates(
        [authority().certificate, issued(asked.public_key(), "Ours")], serialization.Encoding.PEM
    )
    assert run("certificate", "import", wrote(folder, "a.p7b", answer), "--name", "ca", *at).exit_code == 0
    (_, second), _ = pairs.load(folder, load_settings(folder))
    assert second.certificate.issuer == authority().certificate.subject


def test_list_and_show_say_state_end_and_fingerprints(run: Run, folder: Path) -> None:
    """Ours and theirs; by name, by file, by the beginning of a fingerprint, with colons too."""
    at = ("--workspace", folder)
    ours, theirs = said_of(run("certificate", "list", *at, "--json"))
    assert (ours["name"], ours["state"], ours["signs"]) == ("gateway", "valid", "from ever")
    assert (theirs["partner"], theirs["state"]) == ("acme", "valid")
    table = run("certificate", "list", *at).stdout
    assert "confirmed by 0 of 1" in table
    certificate = pair("acme").certificate
    for word in ("certs/acme.pem", theirs["sha256"][:10], with_colons(certificate, "sha256")):
        shown = said_of(run("certificate", "show", word, *at, "--json"))
        assert shown["sha1_with_colons"] == with_colons(certificate, "sha1")
        assert shown["key"] == "EC secp256r1"
        assert shown["may"] == ["sign", "encrypt"]
    assert run("certificate", "show", "gateway", "--pem", *at).stdout.startswith("-----BEGIN CERTIFICATE")
    assert "did you mean gateway?" in run("certificate", "show", "gatewy", *at).output


def test_expiring_ones_exit_with_1_unless_another_follows(run: Run, folder: Path) -> None:
    """What is replaced in time, or retired, is no finding."""
    at = ("--workspace", folder)
    assert run("certificate", "list", "--expiring", "30d", *at).exit_code == 0
    (folder / "certs/acme.pem").unlink()
    keys.write_certificate(folder / "certs/acme.pem", pair("soon", days=20).certificate)
    result = run("certificate", "list", "--expiring", "30d", *at)
    assert result.exit_code == 1
    assert "expiring" in result.stdout
    run("certificate", "import", wrote(folder, "n.pem", pem(pair("acme-next").certificate)), "--partner", "acme", *at)
    assert run("certificate", "list", "--expiring", "30d", *at).exit_code == 0
    assert run("certificate", "list", "--expiring", "soon", *at).exit_code == 2


FORMS = {
    "flow": "as2: {id: A, certificates: [certs/a.pem, certs/b.pem]}\n",
    "flow line": "as2:\n  certificates: [certs/a.pem,certs/b.pem]  # two\n  id: A\n",
    "block": "as2:\n  certificates:\n  - certs/a.pem\n  - certs/b.pem",
    "quoted": "as2:\n  certificates:\n    - 'certs/a.pem'\n    # the new one\n    - \"certs/b.pem\"\n  id: A\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_list_of_certificates_is_changed_in_place(tmp_path: Path, form: str) -> None:
    """One more and one less give the text of before, in every form that people write."""
    keys.write_file(tmp_path / "p.yaml", FORMS[form].encode(), mode=0o644)
    add(tmp_path, "p.yaml", "certs/c.pem")
    assert "certs/c.pem" in (tmp_path / "p.yaml").read_text()
    remove(tmp_path, "p.yaml", "certs/c.pem")
    squeezed = (tmp_path / "p.yaml").read_text().replace(", ", ",").strip()
    assert squeezed == FORMS[form].replace(", ", ",").strip()


@pytest.mark.parametrize("text", ["as2:\n  certificates:\n    [certs/a.pem,\n     certs/b.pem]\n", "as2: {id: A}\n"])
def test_a_list_that_is_written_otherwise_is_left_alone_and_the_line_told(tmp_path: Path, text: str) -> None:
    """Nothing is written."""
    keys.write_file(tmp_path / "p.yaml", text.encode(), mode=0o644)
    with pytest.raises(OurFault, match="in a way that is not changed here") as raised:
        add(tmp_path, "p.yaml", "certs/c.pem")
    assert "certs/c.pem]" in raised.value.remedy
    assert (tmp_path / "p.yaml").read_text() == text


def test_partner_show_says_how_far_each_certificate_has_come(run: Run, folder: Path) -> None:
    """Ours with this partner, and theirs."""
    at = ("--workspace", folder)
    assert run("certificate", "confirm", "gateway", "--partner", "acme", "--imported", *at).exit_code == 0
    text = run("partner", "show", "acme", *at).stdout
    assert "# ours gateway: imported\n# theirs certs/acme.pem: imported\n" in text
    states = said_of(run("partner", "show", "acme", *at, "--json"))["certificate_states"]
    assert [(one["whose"], one["state"], one["stage"]) for one in states] == [
        ("ours", "valid", "imported"),
        ("theirs", "valid", "imported"),
    ]


def test_during_a_rollover_the_partners_guide_and_a_played_partner_have_both_of_ours(run: Run, folder: Path) -> None:
    """The guide names the date; a pair without a date of use is nobody's business yet; a retired one never again."""
    at = ("--workspace", folder)
    run("certificate", "new", "next", "--key", "ec-p256", *at)
    run("certificate", "new", "spare", "--key", "ec-p256", *at)
    early = run("certificate", "roll", "next", "--from", "2026-01-01", *at)
    assert "next is valid from" in early.output
    assert early.exit_code == 2
    run("certificate", "roll", "next", "--from", "now", *at)
    guide = run("partner", "guide", "acme", "--md", *at).stdout
    digits = fingerprint(keys.load_certificate(folder / "certs/next.pem"))
    assert f"Our certificate from {datetime.now(UTC):%Y-%m-%d} on" in guide
    assert digits[:8] in guide
    assert fingerprint(keys.load_certificate(folder / "certs/spare.pem"))[:8] not in guide
    (agreement,) = load(folder).agreements
    played = folder.parent / "played"
    write_workspace(load(folder), agreement, played, url="http://x/as2", host="127.0.0.1", port=0, now=NOW, bits=2048)
    (us,) = load(played).agreements
    assert us.as2 is not None
    assert len(us.as2.certificates) == 3
    run("certificate", "retire", "gateway", "--force", *at)
    assert "Our certificate |" not in run("partner", "guide", "acme", "--md", *at).stdout


@pytest.mark.parametrize("text", ["soon", "2027-01-31T06:00:00", "9999-12-31T23:59:59-23:00", "2027-02-30"])
def test_what_is_no_date_is_no_date(run: Run, folder: Path, text: str) -> None:
    """A time needs its zone; a day begins at 0:00 UTC."""
    at = ("--workspace", folder)
    run("certificate", "new", "next", "--key", "ec-p256", *at)
    result = run("certificate", "roll", "next", "--from", text, *at)
    assert result.exit_code == 2
    assert "is no date" in result.output
