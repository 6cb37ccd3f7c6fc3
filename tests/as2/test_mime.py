"""MIME by received octets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.as2.filenames import disposition
from gateway.as2.mime import Entity, Index, MimeFault, entity, fields, parts, structured


def multipart(body: bytes, boundary: str = "b") -> Entity:
    """An entity with that multipart body."""
    headers = Index([("Content-Type", f'multipart/mixed; boundary="{boundary}"')])
    return Entity(data=body, start=0, body=0, end=len(body), headers=headers)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"--b\r\nA: 1\r\n\r\nx\r\n--b--", [b"A: 1\r\n\r\nx"]),
        (b"--b\r\nA: 1\r\n\r\nx\r\n\r\n--b--\r\n", [b"A: 1\r\n\r\nx\r\n"]),
        (b"preamble\r\n--b\r\n\r\nx\r\n--b \t\r\n\r\ny\r\n--b--", [b"\r\nx", b"\r\ny"]),
        (b"--b\n\nx\n--b\nA: 1\n\ny\r\n--b--\n", [b"\nx", b"A: 1\n\ny"]),
        (b"--b\r\n\r\nx --b\r\n--bb\r\n\r\n--b--", [b"\r\nx --b\r\n--bb\r\n"]),
        (b"--b\r\n\r\n\r\n--b--", [b"\r\n"]),
        (b"--b--", []),
    ],
)
def test_parts_are_the_octets_between_delimiters(body: bytes, found: list[bytes]) -> None:
    """The line end before a delimiter is the delimiter's; a longer word is no delimiter."""
    assert [bytes(part.octets) for part in parts(multipart(body))] == found


@pytest.mark.parametrize(
    "body", [b"", b"--b\r\n\r\nx", b"--b\r\nno header here\r\n--b--", b"--b\r\n\r\nx\r\n--b--y", b"x--b--"]
)
def test_a_multipart_that_does_not_end_is_a_fault(body: bytes) -> None:
    """Also one with something behind its end."""
    with pytest.raises(MimeFault):
        parts(multipart(body))


@pytest.mark.parametrize(
    ("value", "word", "parameters"),
    [
        ("application/EDI-X12", "application/edi-x12", {}),
        ('a/b; Name="x y"; n=1 ;', "a/b", {"name": "x y", "n": "1"}),
        (r'a/b; n="q\"u\\o"', "a/b", {"n": r'q"u\o'}),
        ("attachment; filename*=UTF-8''%E4%BD%A0%20b", "attachment", {"filename": "你 b"}),
        ("attachment; filename*=iso-8859-1'de'%FC", "attachment", {"filename": "ü"}),
        ("attachment; filename*0=ab; filename*1=cd", "attachment", {"filename": "abcd"}),
        ("attachment; filename*1*=%20b; filename*0*=utf-8''a", "attachment", {"filename": "a b"}),
        ("attachment; filename=x; filename*=UTF-8''y", "attachment", {"filename": "y"}),
        ("attachment; filename*=nonsense''%FF", "attachment", {"filename": "ÿ"}),
    ],
)
def test_structured_values_are_read(value: str, word: str, parameters: dict[str, str]) -> None:
    """Quoted, extended, in pieces (RFC 2045 5.1, RFC 2231)."""
    found = structured(value)
    assert (found.word, found.parameters) == (word, parameters)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a/b; x",
        "a/b; x=1; x=2",
        'a/b; x="open',
        "a/b" + "; x=1" * 40,
        "a/b;" + "".join(f"n{n}=1;" for n in range(40)),
    ],
)
def test_structured_values_that_can_be_read_in_two_ways_are_faults(value: str) -> None:
    """Doubled, unfinished, too many."""
    with pytest.raises(MimeFault):
        structured(value)


def test_headers_are_read_folded_and_empty() -> None:
    """RFC 5322 2.2.3."""
    assert fields("A: 1\r\n  2\r\nB:\r\nC : x \n\tz\r\n\r\n") == (("A", "1 2"), ("B", ""), ("C", "x  z"))
    assert fields("") == ()


@pytest.mark.parametrize("text", ["no colon", "A: 1\r\nrest", "A: \x00", "A: b\rC: d", " A: b"])
def test_what_is_no_header_is_a_fault(text: str) -> None:
    """A lone carriage return splits headers for some readers."""
    with pytest.raises(MimeFault):
        fields(text)


def test_a_header_that_stands_twice_has_no_value() -> None:
    """Each reader would take another one."""
    headers = Index([("Content-Type", "a/b"), ("content-type", "c/d"), ("X", "1")])
    assert headers.one("x") == "1"
    with pytest.raises(MimeFault, match="more than once"):
        headers.one("content-type")


@pytest.mark.parametrize(
    ("encoding", "content", "decoded"),
    [
        ("binary", b"\x00\r\n", b"\x00\r\n"),
        ("7BIT", b"x", b"x"),
        ("base64", b"aGVs\r\nbG8=\r\n", b"hello"),
        ("quoted-printable", b"a=3Db=\r\nc", b"a=bc"),
    ],
)
def test_transfer_encodings_are_taken_off(encoding: str, content: bytes, decoded: bytes) -> None:
    """RFC 2045 section 6."""
    assert bytes(entity(f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + content).decoded()) == decoded


@pytest.mark.parametrize(("encoding", "content"), [("x-uuencode", b""), ("base64", b"AAA")])
def test_an_unknown_or_broken_transfer_encoding_is_a_fault(encoding: str, content: bytes) -> None:
    """Never passed through as if it were the payload."""
    with pytest.raises(MimeFault):
        entity(f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + content).decoded()


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1, max_size=100))
def test_every_file_name_comes_back(name: str) -> None:
    """What `disposition` writes, `structured` reads."""
    if name not in {".", ".."}:
        assert structured(disposition(name)).parameters["filename"] == name


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_any_content_comes_back_between_delimiters(contents: list[bytes]) -> None:
    """Bare line ends, delimiters' beginnings, nothing at all."""
    boundary = "=_0123456789"
    whole = b"".join(b"--=_0123456789\r\n\r\n" + content + b"\r\n" for content in contents) + b"--=_0123456789--"
    assert [bytes(part.content) for part in parts(multipart(whole, boundary))] == contents
