"""BER within bounds, and DER written back."""

from __future__ import annotations

import time

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from gateway.as2 import ber, der


def test_indefinite_lengths_and_constructed_octet_strings_are_read() -> None:
    """As OpenAS2 and `openssl cms -stream` write them; nested ones too."""
    inner = b"\x24\x80\x04\x02ab\x24\x03\x04\x01c\x00\x00"
    sequence = b"\x30\x80\x02\x01\x05" + inner + b"\x00\x00"
    number, text = ber.read(sequence).parts
    assert number.integer() == 5
    assert bytes(text.joined()) == b"abc"


def test_an_octet_string_in_one_piece_is_referenced_not_copied() -> None:
    """Ten megabytes stay where they are; what is small is cheaper to copy."""
    data = der.tlv(4, b"x" * 100_000)
    (piece,) = ber.read(data).octets()
    assert isinstance(piece, memoryview)
    assert piece.obj is data


@pytest.mark.parametrize("data", [b"\x1f\x00", b"\x3f\x80\x00\x00", b"\x30\x80\xff\x80\x00\x00\x00\x00"])
def test_a_tag_number_above_30_is_refused_whatever_its_length(data: bytes) -> None:
    """Nothing in CMS has one (X.690 8.1.2.4)."""
    with pytest.raises(ber.BerFault, match="tag number above 30"):
        ber.read(data)


def deepest(element: ber.Element) -> ber.Element:
    """The innermost element."""
    while element.parts:
        element = element.parts[0]
    return element


def test_depth_is_bounded() -> None:
    """Definite and indefinite alike, long before Python's stack."""
    definite = b""
    for _ in range(100):
        definite = der.tlv(0x30, definite)
    with pytest.raises(ber.BerFault, match="deeper"):
        deepest(ber.read(definite))
    with pytest.raises(ber.BerFault, match="deeper"):
        ber.read(b"\x30\x80" * 100_000)


def test_endless_indefinite_lengths_are_refused_in_linear_time() -> None:
    """A megabyte of empty elements without an end; a megabyte of them with one."""
    started = time.process_time()
    for data in (b"\x30\x80" + b"\x04\x00" * 500_000, b"\x30\x80" + b"\x04\x00" * 500_000 + b"\x00\x00"):
        with pytest.raises(ber.BerFault, match="too many"):
            ber.read(data)
    with pytest.raises(ber.BerFault, match="too many"):
        _ = ber.read(der.tlv(0x30, b"\x04\x00" * 500_000)).parts
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x05\x00",
        b"\x04\x80ab\x00\x00",
        b"\x30\x80\x02\x01\x05",
        b"\x30\x80\x00\x01",
        b"\x1f\x81\x00\x00",
        b"\x30\x89" + b"\x01" * 9,
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x00more",
        b"\x30\x00\r\n\r\n\r\n\r\n\r\n",
    ],
)
def test_what_is_not_one_element_is_a_fault(data: bytes) -> None:
    """Cut, overlong, unfinished, followed by something."""
    with pytest.raises(ber.BerFault):
        ber.read(data)


def test_line_ends_behind_it_are_tolerated() -> None:
    """MIME writers append them to binary parts."""
    assert ber.read(b"\x30\x00\r\n").parts == []


@pytest.mark.parametrize(
    ("data", "use"),
    [
        (b"\x02\x00", lambda element: element.integer()),
        (b"\x02\x48" + b"\x01" * 72, lambda element: element.integer()),
        (b"\x04\x01a", lambda element: element.integer()),
        (b"\x04\x01a", lambda element: element.parts),
        (b"\x30\x00", lambda element: element.content),
        (b"\x24\x03\x02\x01\x05", lambda element: element.joined()),
        (b"\x30\x00", lambda element: element.oid()),
    ],
)
def test_an_element_of_another_kind_is_a_fault(data: bytes, use: object) -> None:
    """Each accessor checks what it reads."""
    assert callable(use)
    with pytest.raises(ber.BerFault):
        use(ber.read(data))


@given(st.integers(min_value=-(2**160), max_value=2**160))
def test_integers_come_back(number: int) -> None:
    """In the fewest octets."""
    assert ber.read(der.integer(number)).integer() == number


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 2**40), max_size=10))
def test_object_identifiers_are_written_as_the_library_writes_them(first: int, second: int, rest: list[int]) -> None:
    """Compared with an extension's identifier in cryptography's own DER."""
    dotted = ".".join(map(str, (first, second, *rest, 1)))
    name = x509.Name([x509.NameAttribute(x509.ObjectIdentifier(dotted), "x")])
    assert der.identifier(der.oid(dotted)) in name.public_bytes()


@given(st.integers(0, 70_000))
def test_lengths_come_back(length: int) -> None:
    """Short and long form."""
    assert len(ber.read(der.tlv(4, bytes(length))).joined()) == length
    assert b"".join(der.wrap(4, [bytes(length)])) == der.tlv(4, bytes(length))
