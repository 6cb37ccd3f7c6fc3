"""A message too large for memory is opened and built as a small one is: the same result, or the same refusal.

Everything runs both ways: from bytes, and from a stretch with every layer in a scratch, read a few octets at a time.
"""

from __future__ import annotations

import base64
import binascii
import os
import quopri
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.as2 import As2Fault, Built, Policy, ber, cms, der, mime, octets, transfer
from gateway.as2.octets import Stretch
from gateway.errors import PartnerFault

Stations = Any


class Memory:
    """A scratch that counts what is read of it at once."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.most = 0

    @property
    def size(self) -> int:
        """All of it."""
        return len(self.data)

    def read(self, at: int, count: int) -> bytes:
        """As a file does."""
        self.most = max(self.most, count)
        return bytes(self.data[at : at + count])

    def write(self, piece: bytes | memoryview) -> None:
        """At the end."""
        self.data += piece


@pytest.fixture(params=[211, 4096])
def tiny(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Everything is too large for memory, and read so many octets at a time."""
    size: int = request.param
    monkeypatch.setattr(octets, "IN_MEMORY", 16)
    for module in (octets, ber):
        monkeypatch.setattr(module, "PIECE", size)
    return size


def both_ways(stations: Stations, headers: Any, body: bytes, policy: Policy | None = None) -> Any:
    """What opening comes to, from memory and from a stretch; they are found equal."""

    def outcome(of: bytes | Stretch, **changes: Any) -> Any:
        try:
            opened = stations.take(headers, of, policy, **changes)
        except As2Fault as fault:
            return fault.refusal, fault.public
        except PartnerFault as fault:
            return fault.public
        payload = opened.payload
        return (
            b"".join(payload.pieces()) if isinstance(payload, Stretch) else payload,
            opened.mic,
            opened.content_type,
            opened.filename,
            opened.signed_by,
            opened.cipher,
        )

    expected = outcome(body)
    assert outcome(Stretch(Memory(body)), spool=Memory) == expected
    return expected


SHAPES: list[dict[str, Any]] = [
    {},
    {"compress": True},
    {"compress": True, "compress_after_signing": True},
    {"cipher": "aes-128-gcm"},
    {"encrypt_for": []},
    {"encrypt_for": [], "compress": True},
    {"sign_with": None},
    {"sign_with": None, "compress": True},
    {"sign_with": None, "encrypt_for": []},
    {"sign_with": None, "encrypt_for": [], "compress": True},
]
ALL = Policy(require_signature=False, require_encryption=False)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.usefixtures("tiny")
def test_every_shape_is_built_and_opened_by_stretches(stations: Stations, shape: dict[str, Any]) -> None:
    """Built from a stretch, opened by bytes and by stretch: payload and MIC are the sender's."""
    payload = os.urandom(300) + b"--\r\n" * 40
    built: Built = stations.send(Stretch(Memory(payload)), spool=Memory, **shape)
    assert isinstance(built.body, Stretch)
    body = b"".join(built.body.pieces())
    assert len(built.body) == len(body)
    outcome = both_ways(stations, built.headers, body, ALL)
    assert outcome[:2] == (payload, built.mic)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("cipher", ["aes-256-cbc", "aes-256-gcm"])
def test_a_change_anywhere_is_refused_as_from_memory(stations: Stations, cipher: str) -> None:
    """Bad padding, bad tag, bad form: one refusal, the uniform one, also from a stretch."""
    built = stations.send(cipher=cipher)
    for at in range(0, len(built.body), 41):
        changed = bytearray(built.body)
        changed[-1 - at] ^= 0x01
        outcome = both_ways(stations, built.headers, bytes(changed))
        assert not isinstance(outcome[0], bytes) or outcome[0] == stations.payload, "changed content was taken"


def chunked(content: bytes, size: int, *, nested: bool = False) -> bytes:
    """An octet string of indefinite length in pieces, as streaming writers make it (X.690 8.7.3)."""
    pieces = b"".join(der.tlv(ber.OCTET_STRING, content[at : at + size]) for at in range(0, len(content), size))
    inner = b"\x24\x80" + pieces + b"\0\0" if nested else pieces
    return b"\x24\x80" + inner + b"\0\0"


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("size", [100, 1000, 70_000])
@pytest.mark.parametrize("piece", [512, 256 * 1024])
def test_octet_string_in_thousands_of_pieces_is_read_without_holding_them(
    size: int, piece: int, monkeypatch: pytest.MonkeyPatch, *, nested: bool
) -> None:
    """The octets come out in order; elements are a few dozen."""
    monkeypatch.setattr(octets, "PIECE", piece)
    monkeypatch.setattr(ber, "_OCTETS_PER_PIECE", 64)
    content = os.urandom(400_000)
    element = ber.read(Stretch(Memory(chunked(content, size, nested=nested))))
    assert b"".join(octets.flat(element.octets())) == content
    held = element.parts[0].parts if nested else element.parts
    assert len(held) <= 66


def test_elements_of_a_large_structure_are_bounded() -> None:
    """Millions of tiny elements would take more memory than the file has octets."""
    with pytest.raises(ber.BerFault, match="too many"):
        ber.read(Stretch(Memory(b"\x30\x80" + b"\x02\x01\x00" * 1_000_000 + b"\0\0")))
    with pytest.raises(ber.BerFault, match="too many pieces"):
        ber.read(Stretch(Memory(chunked(bytes(2_000_000), 10))))


def test_only_content_may_be_large() -> None:
    """A name, a key or a number of two megabytes is never read."""
    source = Memory(der.sequence(der.tlv(ber.OID, bytes(2_000_000)), der.tlv(ber.OCTET_STRING, bytes(2_000_000))))
    parts = ber.read(Stretch(source)).parts
    for read in (parts[0].oid, parts[1].joined, lambda: parts[1].whole):
        with pytest.raises(ber.BerFault, match="may stand"):
            read()
    assert source.most <= octets.PIECE


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
@given(payload=st.binary(max_size=400), line=st.integers(1, 80), piece=st.integers(1, 90))
def test_transfer_encodings_in_pieces_give_the_same_octets(
    encoding: str, payload: bytes, line: int, piece: int
) -> None:
    """Wherever a piece ends."""
    if encoding == "base64":
        text = base64.b64encode(payload)
        text = b"\r\n".join(text[at : at + line] for at in range(0, len(text), line))
    else:
        text = quopri.encodestring(payload)
    decoder = transfer.DECODERS[encoding]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(octets, "PIECE", piece)
        assert b"".join(decoder.in_pieces(Stretch(Memory(text)))) == decoder.at_once(memoryview(text))


def test_base64_cut_off_in_a_group_is_refused() -> None:
    """Both ways."""
    for text in (b"QUJDR", b"QUJD" * 1000 + b"R"):
        with pytest.raises(binascii.Error):
            b"".join(transfer.DECODERS["base64"].in_pieces(Stretch(Memory(text))))


def test_quoted_printable_without_line_ends_is_refused() -> None:
    """It would have to be held as a whole."""
    with pytest.raises(ValueError, match="a line of more"):
        b"".join(transfer.DECODERS["quoted-printable"].in_pieces(Stretch(Memory(b"x" * 600_000))))


@given(
    data=st.lists(st.sampled_from([b"--b", b"--b--", b"\r\n", b"\n", b"A: b", b" ", b"x", b"--bb"]), max_size=40).map(
        b"".join
    ),
    piece=st.integers(4, 20),
)
def test_parts_of_a_multipart_are_the_same(data: bytes, piece: int) -> None:
    """Delimiters are found wherever a piece ends."""
    index = mime.Index((("Content-Type", "multipart/mixed; boundary=b"),))

    def spans(of: bytes | Stretch) -> Any:
        try:
            found = mime.parts(mime.Entity(data=of, start=0, body=0, end=len(of), headers=index))
        except mime.MimeFault:
            return None
        return [(one.start, one.body, one.end, dict(one.headers)) for one in found]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(octets, "PIECE", piece)
        assert spans(Stretch(Memory(data))) == spans(data)


def test_near_delimiters_are_bounded_and_read_once() -> None:
    """Thousands of lines that only begin as the delimiter are refused, and the file is not read again for each."""
    source = Memory(b"\n--bx" * 200_000)
    index = mime.Index((("Content-Type", "multipart/mixed; boundary=b"),))
    with pytest.raises(mime.MimeFault, match="nearly"):
        mime.parts(mime.Entity(data=Stretch(source), start=0, body=0, end=source.size, headers=index))


def counted(limit: int) -> Callable[[], Memory]:
    """A spool whose scratches refuse to take more than `limit`."""

    class Bounded(Memory):
        def write(self, piece: bytes | memoryview) -> None:
            super().write(piece)
            assert self.size <= limit, "more was written than the limit allows"

    return Bounded


def test_a_bomb_is_stopped_in_the_scratch_too(stations: Stations) -> None:
    """Neither memory nor disk takes more than the limit and one piece."""
    packed = zlib.compress(bytes(64 * 1024 * 1024), 9)
    content = der.sequence(der.identifier(cms.DATA), der.tlv(cms.EXPLICIT_0, der.tlv(ber.OCTET_STRING, packed)))
    name = der.sequence(der.identifier(der.oid("1.2.840.113549.1.9.16.3.8")))
    body = cms.frame(cms.COMPRESSED_DATA, [der.sequence(der.integer(0), name, content)])
    headers = [("AS2-From", "acme"), ("AS2-To", "us"), ("Message-ID", "<1@acme>")]
    headers.append(("Content-Type", "application/pkcs7-mime; smime-type=compressed-data"))
    policy = Policy(require_signature=False, require_encryption=False, max_inflated=8 * 1024 * 1024)
    fault = stations.refusal(headers, Stretch(Memory(body)), policy, spool=counted(8 * 1024 * 1024 + octets.PIECE))
    assert "inflate to more than" in str(fault)


def test_content_is_never_read_as_a_whole(stations: Stations) -> None:
    """Each layer of a message of 8 MB is read in pieces of at most a quarter of a megabyte."""
    made: list[Memory] = []

    def spool() -> Memory:
        made.append(Memory())
        return made[-1]

    payload = Memory(os.urandom(8 * 1024 * 1024))
    built = stations.send(Stretch(payload), spool=spool, compress=True)
    opened = stations.take(built.headers, built.body, spool=spool)
    assert isinstance(opened.payload, Stretch)
    assert opened.mic == built.mic
    assert len(made) == 4
    assert max(one.most for one in (payload, *made)) == octets.PIECE
