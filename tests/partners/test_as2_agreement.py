"""The section as2 of an agreement: spellings that are understood, mistakes that are told, risks that are noted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.findings import Finding, Severity
from gateway.partners.as2_channel import As2Channel
from gateway.partners.workspace import examine, load

from .conftest import NOW


def channel(**keys: Any) -> As2Channel:
    """A section with these keys."""
    return As2Channel.model_validate({"id": "A", "url": "https://a.example/as2", "certificates": ["a.pem"], **keys})


def wrong(**keys: Any) -> str:
    """What a wrong section is told."""
    with pytest.raises(ValidationError) as caught:
        channel(**keys)
    return str(caught.value)


def test_defaults_are_those_of_the_newest_draft_and_every_station_reads_them() -> None:
    """SHA-256, AES-128-CBC, PKCS #1 v1.5; nothing weak is taken, signature and encryption are demanded."""
    made = channel()
    assert (made.sign, made.encrypt, made.key_transport, made.receipt) == ("sha256", "aes128-cbc", "pkcs1", "signed")
    assert (made.require_signature, made.require_encryption, made.accept_weak) == (True, True, ())
    assert made.transport.minimum_tls == "1.2"


def test_names_of_the_wire_are_understood_too() -> None:
    """sha-256 and aes-256-gcm, as AS2 writes them."""
    made = channel(sign="SHA-384", encrypt="aes-256-gcm", micalgs=["sha-512"], accept_weak=["sha-1", "md5", "3des-cbc"])
    assert (made.sign, made.encrypt, made.micalgs) == ("sha384", "aes256-gcm", ("sha512",))
    assert made.weak == ("sha1", "md5", "3des-cbc")


@pytest.mark.parametrize(
    ("word", "means"), [("yes", "before"), ("true", "before"), ("No", "no"), ("off", "no"), ("after", "after")]
)
def test_compress_takes_yes_and_no_as_before(word: str, means: str) -> None:
    """Agreements of earlier versions stay as they are."""
    assert channel(compress=word).compress == means


@pytest.mark.parametrize("word", ["sha1", "md5"])
def test_weak_hashes_cannot_be_chosen_for_what_we_send(word: str) -> None:
    """Not for signatures, not for receipts; nor can 3DES."""
    assert "sha256" in wrong(sign=word)
    assert "sha256" in wrong(micalgs=[word])
    assert "sha256" in wrong(accept_hashes=[word])
    assert "aes128-cbc" in wrong(encrypt="3des-cbc")


@pytest.mark.parametrize("host", ["a.example:84430", "a.example:abc", "a.example:0", "[::1", ":8080", "a:b:c"])
def test_an_address_that_nobody_can_connect_to_is_a_mistake_in_the_file(host: str) -> None:
    """Not a traceback when a message is to be sent, or when the gateway starts."""
    assert "a port from 1 to 65535" in wrong(url=f"https://{host}/as2")
    assert "a port from 1 to 65535" in wrong(transport={"proxy": {"url": f"http://{host}"}})


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"filename": "{nmae}.edi"}, "{nmae} is probably {name}"),
        ({"filename": "{id!r}"}, "a file name with {name}"),
        ({"filename": "../{name}"}, "without a path"),
        ({"filename": "{name"}, "closed by }"),
        ({"content_type": "edi"}, "a media type"),
        ({"subject": "two\nlines"}, "printable"),
        ({"transport": {"headers": {"AS2-From": "x"}}}, "AS2-From is written by the gateway"),
        ({"transport": {"headers": {"X-A": "b\r\nc"}}}, "printable ASCII on one line"),
        ({"transport": {"pinned": ["abc"]}}, "64 hexadecimal digits"),
        ({"transport": {"proxy": {"url": "http://user:pw@proxy"}}}, "without user and path"),
        ({"transport": {"server_name": "https://x"}}, "a host name"),
        ({"max_inflate_ratio": "1"}, "greater than or equal to 2"),
        ({"retries": {"schedule_seconds": ["0"]}}, "greater than or equal to 1"),
        ({"retries": {"schedule_seconds": []}}, "at least 1"),
    ],
)
def test_each_mistake_is_told_in_words(keys: dict[str, Any], words: str) -> None:
    """Before anything is sent."""
    assert words in wrong(**keys)


@pytest.mark.parametrize(
    ("agreed", "content_type", "taken"),
    [
        ((), "text/plain", True),
        (("application/edi-x12",), "application/EDI-X12; charset=utf-8", True),
        (("application/*",), "application/xml", True),
        (("application/*",), "text/xml", False),
        (("application/edi-x12", "text/csv"), "application/edi-x12-more", False),
    ],
)
def test_content_types_compare_without_case_and_parameters(
    *, agreed: tuple[str, ...], content_type: str, taken: bool
) -> None:
    """`type/*` takes all of a type."""
    assert channel(accept_content_types=agreed).media_type_accepted(content_type) is taken


def findings(folder: Path) -> tuple[Finding, ...]:
    """All findings at the tests' moment."""
    return examine(folder, now=NOW)[1]


_NO = Severity.REJECT
MISTAKES = [
    ("encrypt: aes128-gmc", "file.value", "write aes128-gcm", Severity.REJECT),
    (
        "sign: sha1",
        "file.value",
        "write sha256; what they send with sha1 is read where it says accept_weak: [sha1]",
        _NO,
    ),
    ("sign: SHA-1", "file.value", "accept_weak: [sha1]", _NO),
    ("micalgs: [sha256, md5]", "file.value", "write sha256", _NO),
    ("accept_hashes: [sha1]", "file.value", "accept_weak: [sha1]", _NO),
    ("encrypt: 3des", "file.value", "write aes128-cbc; what they send with 3des-cbc is read", _NO),
    ("accept_ciphers: [des-ede3-cbc]", "file.value", "accept_weak: [3des-cbc]", _NO),
    ("sign: sha265", "file.value", "write sha256", _NO),
    ("accept_weak: [sha-2]", "file.value", "sha1", Severity.REJECT),
    ("retries: {schedule_seconds: []}", "file.value", "correct the value", Severity.REJECT),
    ("requier_signature: yes", "file.unknown_key", "write require_signature", Severity.REJECT),
    ("transport: {prxy: {url: 'http://x'}}", "file.unknown_key", "write proxy", Severity.REJECT),
    ("transport: {ca: certs/none.pem}", "workspace.as2_files", "put it there", Severity.REJECT),
    ("transport: {ca: partners/acme.yaml}", "workspace.as2_files", "put it there", Severity.REJECT),
    ("transport: {client_certificate: certs/acme.pem}", "workspace.as2_files", "add client_key", Severity.REJECT),
    ("transport: {client_key: certs/acme.pem}", "workspace.as2_files", "add client_certificate", Severity.REJECT),
    ("require_client_certificates: [certs/acme.pem]", "workspace.as2_client_ca", "client_ca", Severity.REJECT),
    ("accept_weak: [sha-1, 3des-cbc]", "workspace.as2_weak", "aes128-cbc", Severity.ACCEPT),
    ("require_signature: no", "workspace.as2_weak", "ask them to sign", Severity.ACCEPT),
    (
        "authentication: {kind: basic, username: us, password: {env: P}}",
        "workspace.as2_clear",
        "https://",
        Severity.ACCEPT_WITH_ERRORS,
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda row: row[0])
def test_each_mistake_in_a_file_is_one_finding_at_its_line(sound: Path, edit: Any, mistake: Any) -> None:
    """With the remedy; a risk that somebody chose is a note or a warning and stops nothing."""
    text, rule, fix, severity = mistake
    line = edit("partners/acme.yaml", "x12:\n", f"  {text}\nx12:\n")
    (found,) = findings(sound)
    assert (found.rule, found.severity) == (rule, severity)
    assert fix in found.fix + found.wanted
    assert f"acme.yaml:{line}" in str(found.place)
    if severity is not Severity.REJECT:
        assert load(sound, now=NOW).findings == (found,)


def test_client_certificates_may_be_asked_for_where_our_tls_does(sound: Path, edit: Any) -> None:
    """listen.tls.client_ca is there: nothing is wrong."""
    edit("partners/acme.yaml", "x12:\n", "  require_client_certificates: [certs/acme.pem]\nx12:\n")
    tls = "listen: {tls: {certificate: certs/acme.pem, key: certs/acme.pem, client_ca: certs/acme.pem}}\n"
    edit("gateway.yaml", "targets:\n", f"{tls}targets:\n")
    assert findings(sound) == ()


PRIVATE = "url: http://127.0.0.1:8090/as2"
RECEIPT_ADDRESSES = [
    (f"{PRIVATE}\n  receipt_mode: async", 1, "url itself"),
    ("url: http://as2-acme:8090/as2\n  receipt_mode: async", 1, "url itself"),
    ("url: http://acme.internal/as2\n  receipt_mode: async", 1, "url itself"),
    (f"{PRIVATE}\n  receipt_urls: [http://10.0.0.5/receipts/]", 1, "name the address itself"),
    (f"{PRIVATE}\n  receipt_mode: async\n  receipt_urls: [http://127.0.0.1:8090/as2]", None, ""),
    (f"{PRIVATE}\n  receipt_mode: async\n  receipt: none", None, ""),
    (f"{PRIVATE}\n  receipt_urls: [https://acme.example/receipts/]", None, ""),
    (PRIVATE, None, ""),
    ("url: https://as2.acme.example/as2\n  receipt_mode: async", None, ""),
    ("url: http://93.184.216.34/as2\n  receipt_mode: async", None, ""),
]


@pytest.mark.parametrize("row", RECEIPT_ADDRESSES, ids=lambda row: row[0])
def test_private_addresses_for_receipts_are_to_be_named_whole(sound: Path, edit: Any, row: Any) -> None:
    """Said before the first receipt is refused, as a warning, where the address shows it without a look-up."""
    section, below, fix = row
    edit("gateway.yaml", "targets:\n", "listen: {public_url: https://edi.example.com}\ntargets:\n")
    line = edit("partners/acme.yaml", PRIVATE, section)
    told = findings(sound)
    assert [(one.rule, one.severity) for one in told] == [("workspace.receipt_urls", Severity.ACCEPT_WITH_ERRORS)] * (
        below is not None
    )
    for one in told:
        assert fix in one.fix
        assert f"acme.yaml:{line + below}" in str(one.place)
