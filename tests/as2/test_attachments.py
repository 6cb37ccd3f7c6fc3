"""Several files in one message (RFC 6362): as other stations write them, and as we do."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.as2 import HASHES, MAX_ATTACHMENTS, Attachment, Policy, Refusal, join, split
from gateway.as2.building import Layer, sign_layer
from gateway.as2.compression import deflate
from gateway.as2.mime import MimeFault, fields
from gateway.errors import OurFault

MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ORDER = b"ISA*00*          *00*          ~\r\nST*850*0001~\r\nSE*2*0001~\r\n"
CHANGE = b"ISA*00*          *00*          ~\nST*860*0001~\nSE*2*0001~"
DRAWING = b"%PDF-1.7\r\n--b\r\n" + bytes(range(256)) * 40 + b"\r\n%%EOF\r\n"


def lines(data: bytes, ending: bytes = b"\r\n") -> bytes:
    """Base64 in lines of 76 characters."""
    return base64.encodebytes(data).replace(b"\n", ending)


JAVAMAIL = (
    'multipart/related; \r\n\tboundary="----=_Part_3_1204.1772366400000"; type="application/EDI-X12"',
    b"------=_Part_3_1204.1772366400000\r\n"
    b"Content-Type: application/EDI-X12\r\nContent-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; \r\n\tfilename="order.edi"\r\n\r\n' + lines(ORDER) + b"\r\n"
    b"------=_Part_3_1204.1772366400000\r\n"
    b"Content-Type: application/EDI-X12\r\nContent-Transfer-Encoding: 7bit\r\n"
    b"Content-Disposition: attachment; filename=change 2.edi\r\n\r\n" + CHANGE + b"\r\n"
    b"------=_Part_3_1204.1772366400000\r\n"
    b"Content-Type: application/pdf; \r\n\tname*=UTF-8''Zeichnung%20%C3%BC.pdf\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-ID: <drawing@acme>\r\n\r\n" + lines(DRAWING) + b"\r\n"
    b"------=_Part_3_1204.1772366400000--\r\n",
)
"""Two X12 files and a drawing, as programs on JavaMail (OpenAS2, mendelson) fold, encode and name them."""
BARE = (
    'Multipart/Related; boundary=b; start="<2@acme>"; type=application/edi-x12',
    b"preamble\r\n--b\r\nContent-ID: <3@acme>\r\nContent-Type: Application/PDF\r\n"
    b'Content-Disposition: attachment; filename="=?utf-8?Q?Zeichnung_=C3=BC.pdf?="\r\n'
    b"Content-Transfer-Encoding: BASE64\r\n\r\n" + lines(DRAWING, b"\n") + b"\r\n"
    b"--b\r\nContent-ID: <2@acme>\r\nContent-Type: application/edi-x12; name=order.edi\r\n\r\n" + ORDER + b"\r\n"
    b"--b\r\nContent-Transfer-Encoding: binary\r\n"
    b'Content-Disposition: attachment; filename="C:\\out\\change 2.edi"\r\n\r\n' + CHANGE + b"\r\n"
    b"--b--",
)
"""The same with the root in the middle, a preamble, bare words, Windows paths and a part without a type."""


def signed(stations: Any, content_type: str, content: bytes, compress: str = "no") -> tuple[Any, bytes, bytes]:
    """A message as another station writes it: its headers, its body, and what was signed."""
    entity = Layer(headers=(("Content-Type", content_type),), content=[content])

    def compressed(layer: Layer) -> Layer:
        kind = "application/pkcs7-mime; smime-type=compressed-data; name=smime.p7z"
        encoded = lines(deflate(layer.pieces()))
        return Layer(headers=(("Content-Type", kind), ("Content-Transfer-Encoding", "base64")), content=[encoded])

    if compress == "before":
        entity = compressed(entity)
    covered = b"".join(bytes(piece) for piece in entity.pieces())
    whole, _ = sign_layer(entity, key=stations.acme, algorithm=HASHES["sha-256"], moment=MOMENT)
    if compress == "after":
        whole = compressed(whole)
    headers = [("AS2-From", "acme"), ("AS2-To", "us"), ("Message-ID", "<1@acme>"), *whole.headers]
    return headers, b"".join(whole.content), covered


@pytest.mark.parametrize("compress", ["no", "before", "after"])
@pytest.mark.parametrize("written", [JAVAMAIL, BARE], ids=["as JavaMail", "bare"])
def test_a_message_of_three_files_is_taken_as_it_came(
    stations: Any, anything: Policy, written: tuple[str, bytes], compress: str
) -> None:
    """Payload and MIC are the multipart as a whole, headers included (RFC 6362, RFC 4130 7.3.1); files are named."""
    headers, body, covered = signed(stations, *written, compress)
    opened = stations.take(headers, body, anything)
    assert opened.payload == written[1]
    assert opened.mic == base64.b64encode(hashlib.sha256(covered).digest()).decode()
    assert opened.compressed is (compress != "no")
    assert opened.filename is None
    files = split(opened.content_type, opened.payload)
    assert [one.filename for one in files] == list(opened.attachments)
    assert sorted(opened.attachments) == ["Zeichnung ü.pdf", "change 2.edi", "order.edi"]
    assert opened.attachments[0] == "order.edi"
    found = {one.filename: bytes(one.data) for one in files}
    assert found == {"order.edi": ORDER, "change 2.edi": CHANGE, "Zeichnung ü.pdf": DRAWING}
    types = {one.filename: one.media_type for one in files}
    assert types["order.edi"] == "application/edi-x12"
    assert types["Zeichnung ü.pdf"] == "application/pdf"


@pytest.mark.parametrize("name", ["order.edi", "Zeichnung ü.pdf", 'a;b=c "d".pdf', "x" * 200 + ".pdf"])
def test_what_pythons_mail_package_writes_is_read_and_the_other_way_round(name: str) -> None:
    """A reader and writer of MIME that knows nothing of ours: encoded words, pieces, lines of base64."""
    mail = EmailMessage(policy=policy.SMTP)
    mail.add_related(ORDER, maintype="application", subtype="edi-x12", cid="<1@a>", filename=name)
    mail.add_related(DRAWING, maintype="application", subtype="pdf", cid="<2@a>", filename=f"2 {name}")
    head, _, content = mail.as_bytes().partition(b"\r\n\r\n")
    content_type = dict(fields(head.decode()))["Content-Type"]
    files = split(content_type, content)
    assert [(one.filename, bytes(one.data)) for one in files] == [(name, ORDER), (f"2 {name}", DRAWING)]
    ours = join([Attachment(content_type=one.content_type, filename=one.filename, data=one.data) for one in files])
    theirs = message_from_bytes(
        f"Content-Type: {ours.content_type}\r\n\r\n".encode() + ours.content, policy=policy.default
    )
    assert isinstance(theirs, EmailMessage)
    assert [part.get_filename() for part in theirs.iter_parts()] == [name, f"2 {name}"]
    assert [part.get_content() for part in theirs.iter_parts()] == [ORDER, DRAWING]


@given(st.text(max_size=100), st.binary(max_size=400))
def test_any_octets_are_a_fault_or_files(more: str, content: bytes) -> None:
    """Whatever a sender calls a multipart/related."""
    with contextlib.suppress(MimeFault):
        assert split(f"multipart/related; boundary=b; {more}", b"--b\r\n" + content)


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        (None, ORDER),
        ("binary", ORDER),
        ("8BIT", ORDER),
        ("7bit", ORDER),
        ("base64", lines(ORDER)),
        ("Base64 ", lines(ORDER, b"\n")),
        ("base64", base64.b64encode(ORDER)),
        ("base64", b"\r\n".join(base64.b64encode(ORDER)[at : at + 4] for at in range(0, 92, 4))),
        ("quoted-printable", b"ISA*00*          *00*          ~=0D=0AST*850*0001~=0D=0ASE=\r\n*2*0001~=0D=0A"),
    ],
)
def test_every_transfer_encoding_of_a_file_is_taken_off(encoding: str | None, content: bytes) -> None:
    """RFC 2045 section 6: in lines of any length, in any case."""
    said = f"Content-Transfer-Encoding: {encoding}\r\n".encode() if encoding else b""
    (one,) = split("multipart/related; boundary=b", b"--b\r\n" + said + b"\r\n" + content + b"\r\n--b--")
    assert bytes(one.data) == ORDER


def test_the_root_is_the_part_that_start_names() -> None:
    """RFC 2387 3.2; with or without angle brackets, the first where no part has that name."""
    content = b"--b\r\nContent-ID: <1@a>\r\n\r\none\r\n--b\r\nContent-ID: <2@a>\r\n\r\ntwo\r\n--b--"
    for start, root in (('"<2@a>"', b"two"), ("2@a", b"two"), ('"<3@a>"', b"one"), ('""', b"one")):
        files = split(f"multipart/related; boundary=b; start={start}", content)
        assert bytes(files[0].data) == root
        assert len(files) == 2


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("multipart/related; boundary=b", b"--b\r\n\r\nx"),
        ("multipart/related; boundary=b", b"--b--"),
        ("multipart/related", b"--b\r\n\r\nx\r\n--b--"),
        ("multipart/related; boundary=b", b"--b\r\nContent-Transfer-Encoding: x-own\r\n\r\nx\r\n--b--"),
        ("multipart/related; boundary=b", b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\nAAA\r\n--b--"),
        ("multipart/related; boundary=b", b"--b\r\n\r\nx\r\n" * (MAX_ATTACHMENTS + 1) + b"--b--"),
    ],
)
def test_what_cannot_be_taken_apart_is_refused(
    stations: Any, anything: Policy, content_type: str, content: bytes
) -> None:
    """`processed` would say that its files can be had. Inside an envelope it is called what everything is there."""
    with pytest.raises(MimeFault):
        split(content_type, content)
    headers, body, _ = signed(stations, content_type, content)
    assert stations.refusal(headers, body, anything).refusal is Refusal.UNEXPECTED
    built = stations.send(content, content_type=content_type, filename=None)
    assert stations.refusal(built.headers, built.body).refusal is Refusal.DECRYPTION_FAILED


def test_a_multipart_inside_is_one_file() -> None:
    """Nothing nests: what is inside a file is its reader's business."""
    content = b"--b\r\nContent-Type: multipart/related; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--"
    (one,) = split("multipart/related; boundary=b", content)
    assert bytes(one.data) == b"--c\r\n\r\nx\r\n--c--"


@pytest.mark.parametrize(
    ("sign", "encrypt", "compress", "after"),
    [
        (True, True, False, False),
        (True, True, True, False),
        (True, False, True, True),
        (False, True, False, False),
        (False, False, True, False),
        (False, False, False, False),
    ],
)
def test_what_we_send_together_comes_back(
    stations: Any, anything: Policy, *, sign: bool, encrypt: bool, compress: bool, after: bool
) -> None:
    """Files, names and types; both sides have the same MIC, whatever the layers."""
    together = join(
        [
            Attachment(content_type="application/pdf", filename="Zeichnung ü.pdf", data=DRAWING),
            Attachment(content_type="application/edi-x12", filename='the "new" order.edi', data=ORDER),
            Attachment(content_type="application/octet-stream", filename=None, data=b""),
        ],
        root=1,
    )
    built = stations.send(
        together.content,
        content_type=together.content_type,
        filename=None,
        sign_with=stations.acme if sign else None,
        encrypt_for=[stations.ours.certificate] if encrypt else [],
        compress=compress,
        compress_after_signing=after,
    )
    opened = stations.take(built.headers, built.body, anything)
    assert (opened.payload, opened.mic) == (together.content, built.mic)
    assert opened.attachments == ('the "new" order.edi', "Zeichnung ü.pdf", "")
    files = split(opened.content_type, opened.payload)
    assert [bytes(one.data) for one in files] == [ORDER, DRAWING, b""]
    assert [one.media_type for one in files] == ["application/edi-x12", "application/pdf", "application/octet-stream"]


def test_the_type_of_a_joined_payload_names_its_root() -> None:
    """RFC 2387 3.1: `type` is required; `start` names the root's Content-ID."""
    files = [Attachment(content_type=f"a/{name}; x=y", filename=None, data=b"") for name in "bc"]
    assert join(files, root=1, boundary="q").content_type == (
        'multipart/related; type="a/c"; start="<2.q>"; boundary="q"'
    )


@given(
    st.lists(
        st.tuples(
            st.binary(max_size=200),
            st.none()
            | st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"], exclude_characters="/\\:")),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_files_with_any_names_come_back(files: list[tuple[bytes, str | None]]) -> None:
    """Bytes exactly; names but for blanks around them."""
    files = [(data, name if name and name.strip() not in {"", ".", ".."} else None) for data, name in files]
    joined = join([Attachment(content_type="a/b", filename=name, data=data) for data, name in files])
    found = split(joined.content_type, joined.content)
    assert [bytes(one.data) for one in found] == [data for data, _ in files]
    assert [one.filename for one in found] == [None if name is None else name.strip() for _, name in files]


@pytest.mark.parametrize(
    "change",
    [
        {"content_type": "a/b\r\nX-Evil: 1"},
        {"content_id": "<1>\r\nX-Evil: 1"},
        {"filename": "a\r\nX-Evil: 1"},
        {"filename": "../a"},
    ],
)
def test_nothing_can_be_put_into_a_header(change: dict[str, str]) -> None:
    """Found before anything is sent."""
    given_: dict[str, Any] = {"content_type": "a/b", "filename": "a", "data": b""}
    with pytest.raises(OurFault):
        join([Attachment(**(given_ | change))])


@pytest.mark.parametrize("count", [0, MAX_ATTACHMENTS + 1])
def test_the_number_of_files_is_bounded(count: int) -> None:
    """Both ways: what we would not take, we do not send."""
    with pytest.raises(OurFault, match=f"{count} files"):
        join([Attachment(content_type="a/b", filename=None, data=b"")] * count)


def test_a_message_of_one_file_has_no_attachments(stations: Any) -> None:
    """They are the files of a multipart/related, and of nothing else: another multipart is one file."""
    built = stations.send()
    assert stations.take(built.headers, built.body).attachments == ()
    mixed = stations.send(b"--b\r\n\r\nx\r\n--b--", content_type="multipart/mixed; boundary=b", filename=None)
    assert stations.take(mixed.headers, mixed.body).attachments == ()
