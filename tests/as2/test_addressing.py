"""The AS2 headers of a request."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.as2 import ReceiptKind, read_headers, read_name, write_name
from gateway.errors import OurFault, PartnerFault

BASE = {"AS2-From": "acme", "AS2-To": "us", "Message-ID": "<1@acme>"}


def read(**more: str) -> Any:
    """Headers with changes; `_` stands for `-`."""
    return read_headers(list((BASE | {name.replace("_", "-"): value for name, value in more.items()}).items()))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("acme", "acme"),
        ('"ACME Corp"', "ACME Corp"),
        (r'"a\"b\\c"', r'a"b\c'),
        ("ACME Corp", "ACME Corp"),
        (" x\t", "x"),
    ],
)
def test_names_are_read_quoted_or_not(written: str, name: str) -> None:
    """RFC 4130 6.2; blanks without quotes occur and are unambiguous."""
    assert read(AS2_From=written).as2_from == name


@pytest.mark.parametrize(
    "written", ["", '""', '"a', 'a"b', r'"a\x"', "a\x00", "ä", "x" * 129, '"a"b', "a\r\nX: y", "a\\b"]
)
def test_names_that_are_none_are_refused(written: str) -> None:
    """Malformed, too long, not printable ASCII."""
    with pytest.raises(PartnerFault):
        read(AS2_To=written)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=128))
def test_every_name_we_write_we_read(name: str) -> None:
    """Quoted where it must be."""
    assert read_name(write_name(name), "AS2-From") == name


def test_names_we_cannot_write_are_our_fault() -> None:
    """Found before anything is sent."""
    for name in ("", "x" * 129, "a\nb", "ä"):
        with pytest.raises(OurFault):
            write_name(name)


@pytest.mark.parametrize("missing", list(BASE))
def test_without_its_headers_it_is_not_as2(missing: str) -> None:
    """No receipt could be addressed."""
    with pytest.raises(PartnerFault, match="not an AS2 message"):
        read_headers([(name, value) for name, value in BASE.items() if name != missing])


@pytest.mark.parametrize("message_id", ["<1@a>\r\nX: y", "\x00", "", "x" * 999, "<ä@b>"])
def test_a_message_id_that_could_split_our_receipt_is_refused(message_id: str) -> None:
    """It is copied into the receipt."""
    with pytest.raises(PartnerFault):
        read(Message_ID=message_id)


def test_headers_that_stand_twice_or_flood_are_refused() -> None:
    """Two readers would take two partners."""
    headers = list(BASE.items())
    with pytest.raises(PartnerFault, match="more than once"):
        read_headers([*headers, ("as2-from", "mallory")])
    with pytest.raises(PartnerFault, match="too many"):
        read_headers([*headers, *[("X", "y")] * 200])
    with pytest.raises(PartnerFault, match="too many"):
        read_headers([*headers, ("X", "y" * 40_000)])


@pytest.mark.parametrize(
    ("options", "kind", "micalgs", "supported"),
    [
        (None, ReceiptKind.UNSIGNED, (), True),
        ("", ReceiptKind.UNSIGNED, (), True),
        ("signed-receipt-protocol=optional, pkcs7-signature", ReceiptKind.SIGNED, (), True),
        (
            "Signed-Receipt-Protocol = required,PKCS7-Signature ;signed-receipt-micalg=optional,sha1 , md5",
            ReceiptKind.SIGNED,
            ("sha1", "md5"),
            True,
        ),
        ("signed-receipt-protocol=optional, pgp-signature", ReceiptKind.UNSIGNED, (), True),
        ("signed-receipt-protocol=required, pgp-signature", ReceiptKind.UNSIGNED, (), False),
        (";;==;,,", ReceiptKind.UNSIGNED, (), True),
    ],
)
def test_the_receipt_asked_for_is_read(
    options: str | None, kind: ReceiptKind, micalgs: tuple[str, ...], *, supported: bool
) -> None:
    """RFC 4130 7.3: importance, then values."""
    more = {} if options is None else {"Disposition_Notification_Options": options}
    receipt = read(Disposition_Notification_To="x", **more).receipt
    assert (receipt.kind, receipt.micalgs, receipt.supported) == (kind, micalgs, supported)


def test_no_receipt_is_wanted_without_a_notification_address() -> None:
    """Options alone ask for nothing; an asynchronous address is kept for whoever may call it."""
    assert read(Disposition_Notification_Options="signed-receipt-protocol=optional, pkcs7-signature").receipt.kind is (
        ReceiptKind.NONE
    )
    asked = read(Disposition_Notification_To="x", Receipt_Delivery_Option="http://10.0.0.1/")
    assert asked.receipt.delivery_url == "http://10.0.0.1/"


@pytest.mark.parametrize(
    ("written", "features"),
    [
        ("multiple-attachments", ("multiple-attachments",)),
        (" CEM ,multiple-attachments,\tAS2-Reliability", ("CEM", "multiple-attachments", "AS2-Reliability")),
        ("", ()),
        (",,", ()),
        ("two words, CEM, <script>, \x00", ("CEM",)),
        (", ".join(f"f{number}" for number in range(3000)), tuple(f"f{number}" for number in range(16))),
        ("x" * 65, ()),
    ],
)
def test_the_features_of_a_station_are_read_and_never_refused(written: str, features: tuple[str, ...]) -> None:
    """RFC 6017: whoever does not know one must not fail; a header that stands twice decides nothing either."""
    assert read(EDIINT_Features=written).features == features
    read_headers([*BASE.items(), ("EDIINT-Features", "CEM"), ("EDIINT-Features", "CEM")])


@pytest.mark.parametrize("version", [None, "1.0", "1.1", "1.2", "1.3", "2.0", "", "x" * 500])
def test_whatever_version_they_have_we_name_ours(stations: Any, anything: Any, version: str | None) -> None:
    """RFC 4130 6.1: without the header it is 1.0. Ours says what we are able to, so it is the same for everybody."""
    built = stations.send(receipt=ReceiptKind.SIGNED)
    headers = [(name, value) for name, value in built.headers if name != "AS2-Version"]
    headers += [] if version is None else [("AS2-Version", version)]
    opened = stations.take(headers, built.body, anything)
    assert opened.addressing.version == ("1.0" if not version else version[:16])
    for sent in (built, stations.answer(headers, opened)):
        said = dict(sent.headers)
        assert (said["AS2-Version"], said["EDIINT-Features"]) == ("1.2", "multiple-attachments")
