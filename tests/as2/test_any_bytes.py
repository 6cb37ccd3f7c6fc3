"""Whatever arrives: taken, or refused with a fault; never a traceback."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.as2 import As2Fault, Policy, compression, read_headers
from gateway.as2.building import Layer
from gateway.errors import PartnerFault

QUICK = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TYPES = st.sampled_from(
    [
        "application/pkcs7-mime",
        "multipart/signed; boundary=b",
        "multipart/report; boundary=b",
        "text/plain",
        "",
        'a/b; name="',
    ]
)
HTTP = (("AS2-From", "acme"), ("AS2-To", "us"), ("Message-ID", "<1@acme>"))


@cache
def genuine(stations: Any) -> list[tuple[Any, bytes]]:
    """One message of each kind, and a receipt."""
    chosen: list[dict[str, Any]] = [
        {},
        {"encrypt_for": []},
        {"encrypt_for": [], "compress": True},
        {"sign_with": None, "compress": True, "encrypt_for": []},
        {"cipher": "aes-256-gcm"},
    ]
    built = [stations.send(**changes) for changes in chosen]
    receipt = stations.answer(built[0].headers, stations.take(built[0].headers, built[0].body))
    return [(one.headers, one.body) for one in built] + [(receipt.headers, receipt.body)]


def take_and_read(stations: Any, headers: Any, body: bytes) -> None:
    """As a message and as a receipt."""
    policy = Policy(require_signature=False, require_encryption=False)
    built = stations.send(encrypt_for=[], sign_with=None)
    with suppress(PartnerFault):
        stations.take(headers, body, policy)
    with suppress(PartnerFault):
        stations.verdict(built, None, headers=headers, body=body)


@QUICK
@given(content_type=TYPES, body=st.binary(max_size=300))
def test_any_bytes_are_a_fault_or_a_message(stations: Any, content_type: str, body: bytes) -> None:
    """Under every content type."""
    take_and_read(stations, (*HTTP, ("Content-Type", content_type)), body)


@QUICK
@given(which=st.integers(0, 5), at=st.integers(0, 10_000), change=st.binary(max_size=4), cut=st.integers(0, 4))
def test_genuine_messages_with_changed_bytes_are_a_fault_or_a_message(
    stations: Any, which: int, at: int, change: bytes, cut: int
) -> None:
    """Octets replaced, inserted, taken away, anywhere."""
    headers, body = genuine(stations)[which]
    at %= len(body)
    take_and_read(stations, headers, body[:at] + change + body[at + cut :])


@QUICK
@given(content_type=TYPES, body=st.binary(max_size=200), extra=st.text(max_size=40))
def test_any_bytes_inside_a_compressed_layer(stations: Any, content_type: str, body: bytes, extra: str) -> None:
    """The second layer is as hostile as the first."""
    name = content_type.encode() + extra.encode("utf-8", "replace")
    layer = Layer(headers=(), content=[b"Content-Type: " + name + b"\r\n\r\n" + body])
    packed = compression.deflate(layer.content)
    take_and_read(stations, (*HTTP, ("Content-Type", "application/pkcs7-mime")), packed)


@QUICK
@given(st.lists(st.tuples(st.sampled_from(["AS2-From", "AS2-To", "Message-ID", "Subject", "X"]), st.text(max_size=40))))
def test_any_headers_are_a_fault_or_an_address(headers: list[tuple[str, str]]) -> None:
    """Doubled, missing, unprintable."""
    with suppress(PartnerFault):
        read_headers(headers)


def test_a_receipt_can_be_built_for_every_fault(stations: Any) -> None:
    """Whatever the refusal, the sender gets an answer he can read."""
    for headers, body in genuine(stations)[:5]:
        for at in range(0, len(body), 97):
            changed = body[:at] + b"\xff" + body[at + 1 :]
            fault = None
            try:
                stations.take(headers, changed, Policy(require_signature=False, require_encryption=False))
            except As2Fault as caught:
                fault = caught
            assert fault is None or stations.answer(headers, None, fault).disposition == fault.refusal
