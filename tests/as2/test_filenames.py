"""File names: every form that stations write is read, and none can reach beyond being a name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.as2.filenames import disposition, filename_of, safe
from gateway.as2.mime import Entity, Index, entity, fields


def part(head: str) -> Entity:
    """A part with these header lines, as its octets arrive."""
    return entity(head.encode("utf-8").replace(b"\n", b"\r\n") + b"\r\n\r\nx")


FORMS = {
    "quoted": ('Content-Disposition: attachment; filename="order.edi"', "order.edi"),
    "quoted, OpenAS2 in capitals": ('Content-Disposition: Attachment; filename="order 12.edi"', "order 12.edi"),
    "without quotes": ("Content-Disposition: attachment; filename=order.edi", "order.edi"),
    "without quotes, with blanks": (
        "Content-Disposition: attachment; filename=my order 12.edi; size=3",
        "my order 12.edi",
    ),
    "quotes inside": (r'Content-Disposition: attachment; filename="the \"new\" one.edi"', 'the "new" one.edi'),
    "semicolon inside": ('Content-Disposition: attachment; filename="a;b=c.edi"', "a;b=c.edi"),
    "folded, as JavaMail writes it": (
        'Content-Disposition: attachment; \n\tfilename="2026-03-01 order.edi"',
        "2026-03-01 order.edi",
    ),
    "of the content type": ('Content-Type: application/edi-x12; name="order.edi"', "order.edi"),
    "disposition before content type": (
        'Content-Type: application/edi-x12; name="b.edi"\nContent-Disposition: attachment; filename="a.edi"',
        "a.edi",
    ),
    "RFC 2231": ("Content-Disposition: attachment; filename*=UTF-8''Bestellung%20%C3%BC.edi", "Bestellung ü.edi"),
    "RFC 2231 in pieces": (
        "Content-Disposition: attachment; filename*0*=UTF-8''Bestell;\n\tfilename*1*=%C3%BC; filename*2=ng.edi",
        "Bestellüng.edi",
    ),
    "RFC 2231 beside a plain one": (
        "Content-Disposition: attachment; filename=\"Bestell_ng.edi\"; filename*=UTF-8''Bestell%C3%BCng.edi",
        "Bestellüng.edi",
    ),
    "RFC 2047 base64": (
        'Content-Disposition: attachment; filename="=?UTF-8?B?QmVzdGVsbMO8bmcuZWRp?="',
        "Bestellüng.edi",
    ),
    "RFC 2047 without quotes": (
        "Content-Disposition: attachment; filename==?iso-8859-1?Q?Bestell=FCng_12.edi?=",
        "Bestellüng 12.edi",
    ),
    "RFC 2047 quoted": (
        'Content-Disposition: attachment; filename="=?iso-8859-1?Q?Bestell=FCng_12.edi?="',
        "Bestellüng 12.edi",
    ),
    "RFC 2047 in two words": (
        'Content-Disposition: attachment; filename="=?utf-8?Q?Bestell=C3=BC?= =?utf-8?Q?ng.edi?="',
        "Bestellüng.edi",
    ),
    "RFC 2047 that is none": ('Content-Disposition: attachment; filename="=?utf-8?B?A?="', "=?utf-8?B?A?="),
    "octets of UTF-8": ('Content-Disposition: attachment; filename="Bestellüng.edi"', "Bestellüng.edi"),
    "a Windows path": (r'Content-Disposition: attachment; filename="C:\temp\new\order.edi"', "order.edi"),
    "a Windows share": (r'Content-Disposition: attachment; filename="\\server\out\order.edi"', "order.edi"),
    "a Windows path, escaped": (r'Content-Disposition: attachment; filename="C:\\temp\\order.edi"', "order.edi"),
    "a drive alone": ('Content-Disposition: attachment; filename="C:order.edi"', "order.edi"),
    "a path": ('Content-Disposition: attachment; filename="../../etc/passwd"', "passwd"),
    "a path in RFC 2231": ("Content-Disposition: attachment; filename*=UTF-8''..%2F..%5Cboot.ini", "boot.ini"),
    "a path in RFC 2047": ('Content-Disposition: attachment; filename="=?utf-8?Q?..=2F..=2Fpasswd?="', "passwd"),
    "line ends in RFC 2231": ("Content-Disposition: attachment; filename*=UTF-8''a%0D%0AX-Evil:1.edi", "aX-Evil:1.edi"),
    "line ends in RFC 2047": (
        'Content-Disposition: attachment; filename="=?utf-8?B?YQ0KWC1FdmlsOiAx?="',
        "aX-Evil: 1",
    ),
    "turned text": ("Content-Disposition: attachment; filename*=UTF-8''invoice%E2%80%AEfdp.exe", "invoicefdp.exe"),
    "a layer's name": ('Content-Disposition: attachment; filename="smime.p7m"', None),
    "nothing": ("Content-Disposition: attachment", None),
    "an empty one": ('Content-Disposition: attachment; filename=""', None),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_file_name_is_read(form: str) -> None:
    """As stations write them; the path, the drive and what cannot be seen is cut off."""
    head, name = FORMS[form]
    assert filename_of(part(head)) == name


def test_the_name_of_the_envelope_is_not_the_files(stations: Any) -> None:
    """`smime.p7m` in the HTTP headers names the layer: a message without a name for its payload has none."""
    built = stations.send(filename=None)
    assert 'filename="smime.p7m"' in dict(built.headers)["Content-Disposition"]
    assert stations.take(built.headers, built.body).filename is None


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1, max_size=120)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(NAMES)
def test_a_name_that_is_safe_comes_back(name: str) -> None:
    """What we write, we read: unchanged, but for what is cut off any name."""
    if name in {".", ".."}:
        return
    written = disposition(name)
    read = filename_of(Entity(data=b"", start=0, body=0, end=0, headers=Index([("Content-Disposition", written)])))
    assert (read or "") == ("" if name.lower() in {"smime.p7m", "smime.p7s", "smime.p7z"} else safe(name))


@given(NAMES)
def test_a_name_never_ends_its_header(name: str) -> None:
    """One header goes out and one is read, whatever the name holds."""
    if name in {".", ".."}:
        return
    written = disposition(name)
    assert written.isascii()
    assert written.isprintable()
    assert fields(f"Content-Disposition: {written}\r\n") == (("Content-Disposition", written),)


@given(ANY, st.booleans())
def test_a_name_that_was_read_is_only_a_name(value: str, as_word: bool) -> None:  # noqa: FBT001  by hypothesis
    """However it was written: no path, no control, no line end, not too long; and it can be written again."""
    octets = value.encode()
    written = "".join(f"={octet:02X}" for octet in octets) if as_word else "".join(f"%{octet:02X}" for octet in octets)
    header = f'attachment; filename="=?utf-8?Q?{written}?="' if as_word else f"attachment; filename*=UTF-8''{written}"
    name = filename_of(Entity(data=b"", start=0, body=0, end=0, headers=Index([("Content-Disposition", header)])))
    if name is None:
        return
    assert not set(name) & set("/\\\r\n\x00\u202e")
    assert name not in {".", ".."}
    assert 0 < len(name) <= 255
    assert safe(name) == name
    disposition(name)
