"""What real stations write: one row a habit, in our own words, with the thread that tells of it.

`source` is a project's issue (owner/repository#number) or the rule that allows what looks odd. What we do not read on
purpose stands in a table of its own, with the reason. `test_quirks.py` runs the rows, docs/interoperability.md lists
them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

PAYLOAD = b"ISA*00*~\r\nIEA*0*1~\r\n"
PART = b"Content-Type: application/edi-x12\r\nContent-Transfer-Encoding: binary\r\n\r\n" + PAYLOAD
MULTIPART = 'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="b"'
PLAIN = b"--b\r\n<part>\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\n<der>\r\n--b--\r\n"

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Message:
    """A signed message as a station writes it; `<part>`, `<der>` and `<base64>` in the body are filled in."""

    source: str
    headers: Headers = ()
    """Instead of the usual ones of the same name, in this spelling."""
    without: tuple[str, ...] = ()
    part: bytes = PART
    payload: bytes = PAYLOAD
    body: bytes = PLAIN
    filename: str | None = None


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """An encrypted message: how its body and headers differ from ours."""

    source: str
    headers: Headers = ()
    change: Callable[[bytes], bytes] = bytes


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """A receipt as a station writes it; `<id>` and `<mic>` are filled in, line ends are those of `line_end`."""

    source: str
    headers: Headers = ()
    content_type: str = 'multipart/report; report-type=disposition-notification; boundary="r"'
    text: str = "Content-Type: text/plain\n\nThe message was received.\n"
    notification: str = "Content-Type: message/disposition-notification"
    fields: str = (
        "Original-Message-ID: <id>\nDisposition: automatic-action/MDN-sent-automatically; processed\n"
        "Received-Content-MIC: <mic>, sha-256\n"
    )
    report: str = "--r\n<text>\n--r\n<notification>\n\n<fields>\n--r--\n"
    line_end: str = "\r\n"
    envelope: bytes = PLAIN
    processed: bool = True
    error: str | None = None
    signed: bool = True


MESSAGES: dict[str, Message] = {
    "header names in lower case": Message(
        source="phax/phase2#141", headers=[("message-id", "<1@acme>"), ("as2-from", "acme"), ("as2-to", "us")]
    ),
    "message id without angle brackets": Message(
        source="phax/as2-server#22", headers=[("Message-ID", "OPENAS2-31052018073154+0000-5e7e@acme_us")]
    ),
    "message id with what base64 has": Message(
        source="phax/as2-server#15",
        headers=[("Message-Id", "<7872594.2015-08-31.14.53.23@u7Pqup3njo54pU/YcI+F1Yg3ks=>")],
    ),
    "name with a blank, not quoted": Message(source="phax/phase2#92", headers=[("AS2-From", "ACME Tools")]),
    "name quoted without need": Message(source="OpenAS2/OpenAs2App#92", headers=[("AS2-From", '"ACME"')]),
    "neither MIME-Version nor AS2-Version nor date": Message(
        source="RFC 4130 6.1", without=("MIME-Version", "AS2-Version", "Date", "Subject")
    ),
    "version 1.2 and a list of features": Message(
        source="phax/phase2#12",
        headers=[("AS2-Version", "1.2"), ("EDIINT-Features", "multiple-attachments, AS2-Reliability, CEM")],
    ),
    "a receipt asked for by an address of the web": Message(
        source="phax/as2-server#15", headers=[("Disposition-Notification-To", "http://edi.acme.example:4080")]
    ),
    "no hash named for the receipt": Message(
        source="phax/as2-server#15",
        headers=[("Disposition-notification-options", "signed-receipt-protocol=optional, pkcs7-signature;")],
    ),
    "hashes without hyphens, in capitals": Message(
        source="OpenAS2/OpenAs2App#124",
        headers=[
            (
                "Disposition-Notification-Options",
                "signed-receipt-protocol=required,pkcs7-signature;signed-receipt-micalg=required,SHA256,SHA1",
            )
        ],
    ),
    "hash with its old prefix": Message(
        source="RFC 5751 3.4.3.2 (historical note); phax/phase2#75",
        headers=[
            (
                "Disposition-Notification-Options",
                "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, rsa-sha256",
            )
        ],
    ),
    "an empty address for an asynchronous receipt": Message(
        source="BizTalk Server, known issues with AS2 processing: it answers at once, as we do",
        headers=[("Receipt-Delivery-Option", "")],
    ),
    "the signature's algorithm named with its hash": Message(
        source="abhishek-ram/pyas2-lib#15; RFC 3370 3.2", body=PLAIN.replace(b"<der>", b"<with hash>")
    ),
    "a charset behind the boundary": Message(
        source="phax/phase2#12", headers=[("Content-Type", f"{MULTIPART};charset=UTF-8")]
    ),
    "a boundary with = and not quoted": Message(
        source="phax/phase2#12",
        headers=[("Content-Type", "multipart/signed; micalg=sha1; boundary=boundaryEHSgAQ==")],
        body=PLAIN.replace(b"--b", b"--boundaryEHSgAQ=="),
    ),
    "a boundary that begins with hyphens, a blank line first": Message(
        source="OpenAS2/OpenAs2App#61",
        headers=[("Content-Type", 'multipart/signed; \tboundary="----=_Part_0_7708347.1515044844190"')],
        body=b"\r\n" + PLAIN.replace(b"--b", b"------=_Part_0_7708347.1515044844190"),
    ),
    "a preamble for readers of mail": Message(
        source="RFC 2046 5.1.1", body=b"This is an S/MIME signed message\r\n\r\n" + PLAIN
    ),
    "nothing behind the closing delimiter": Message(source="RFC 2046 5.1.1", body=PLAIN.removesuffix(b"\r\n")),
    "line ends behind the closing delimiter": Message(source="RFC 2046 5.1.1", body=PLAIN + b"\r\n\r\n"),
    "the signature as binary, its own headers in another order": Message(
        source="abhishek-ram/django-pyas2#59",
        body=PLAIN.replace(
            b"Content-Type: application/pkcs7-signature",
            b'Content-Transfer-Encoding: binary\r\nContent-Disposition: attachment; filename="smime.p7s"\r\n'
            b'Content-Type: application/pkcs7-signature; name="smime.p7s"',
        ),
    ),
    "a file name with stray backslashes": Message(
        source="OpenAS2/OpenAs2App#294",
        body=PLAIN.replace(
            b"Content-Type: application/pkcs7-signature",
            b"Content-Type: application/pkcs7-signature; name=smime.p7s; smime-type=signed-data\r\n"
            b'Content-Disposition: attachment; filename=\\"smime.p7s\\"',
        ),
    ),
    "the old name of the signature's type": Message(
        source="RFC 8551 3.2.1", body=PLAIN.replace(b"application/pkcs7", b"application/x-pkcs7")
    ),
    "the signature in base64, on one line": Message(
        source="RFC 2045 6.8",
        body=PLAIN.replace(
            b"signature\r\n\r\n<der>", b"signature\r\nContent-Transfer-Encoding: base64\r\n\r\n<base64>"
        ),
    ),
    "the signature in base64 without saying so": Message(
        source="phax/as2-server#15", body=PLAIN.replace(b"<der>", b"<base64>")
    ),
    "headers of the part folded with tabs": Message(
        source="OpenAS2/OpenAs2App#71",
        part=b'Content-Type: application/edi-x12;\r\n\tname="order.edi"\r\nContent-Disposition: Attachment;\r\n'
        b' filename="order.edi"\r\n\r\n' + PAYLOAD,
    ),
    "a payload whose lines end in LF": Message(
        source="jstedfast/MimeKit#1184; apache/camel#18937",
        part=PART.replace(b"~\r\n", b"~\n"),
        payload=PAYLOAD.replace(b"\r\n", b"\n"),
    ),
    "LF everywhere": Message(
        source="phax/phase2#12",
        part=PART.replace(b"\r\n", b"\n"),
        payload=PAYLOAD.replace(b"\r\n", b"\n"),
        # Its signature in base64: a binary one that ends in CR, one of 256, could not be told from a line end of two.
        body=PLAIN.replace(b"\r\n", b"\n").replace(b"<der>", b"<base64>"),
    ),
    "a payload that does not end its last line": Message(
        source="jstedfast/MimeKit#569", part=PART.removesuffix(b"\r\n"), payload=PAYLOAD.removesuffix(b"\r\n")
    ),
    "a part without any header": Message(source="RFC 2046 5.1", part=b"\r\n" + PAYLOAD),
    "a payload said to be 8bit": Message(source="abhishek-ram/django-pyas2#48", part=PART.replace(b"binary", b"8bit")),
    "a payload in base64": Message(
        source="phax/as2-server#15",
        part=PART.replace(b"binary", b"base64").replace(PAYLOAD, base64.encodebytes(PAYLOAD)),
    ),
    "a subject beyond ASCII": Message(source="RFC 9110 5.5", headers=[("Subject", "Auftr\xe4ge")]),
    "a weekday in the sender's language": Message(
        source="phax/phase2#141; OpenAS2/OpenAs2App#204", headers=[("Date", "Mi, 17 Aug 2022 23:02:58 +0200")]
    ),
    "a file name of several words, not quoted": Message(
        source="RFC 2045 5.1 (wants quotes)",
        part=PART.replace(b"\r\n\r\n", b"\r\nContent-Disposition: attachment; filename=May orders.edi\r\n\r\n", 1),
        filename="May orders.edi",
    ),
    "a file name as an encoded word": Message(
        source="RFC 2047 5 (forbids it, mail programs do it)",
        part=PART.replace(b"\r\n\r\n", b'\r\nContent-Disposition: attachment; filename="=?utf-8?B?w7wu?="\r\n\r\n', 1),
        filename="\xfc.",
    ),
}

ENVELOPES: dict[str, Envelope] = {
    "no smime-type": Envelope(source="phax/as2-server#15", headers=[("Content-Type", "application/pkcs7-mime")]),
    "an smime-type that is wrong": Envelope(
        source="gateway law 4: the structure decides",
        headers=[("Content-Type", "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m")],
    ),
    "the old name of the type": Envelope(
        source="RFC 8551 3.2.1", headers=[("Content-Type", 'application/x-pkcs7-mime; name="smime.p7m"')]
    ),
    "base64, said so": Envelope(
        source="OpenAS2/OpenAs2App#120", headers=[("Content-Transfer-Encoding", "base64")], change=base64.encodebytes
    ),
    "base64 without saying so": Envelope(source="phax/as2-server#15", change=base64.encodebytes),
    "binary, though base64 is said": Envelope(
        source="OpenAS2/OpenAs2App#120", headers=[("Content-Transfer-Encoding", "base64")]
    ),
    "an encoding that is none": Envelope(
        source="phax/as2-server#15 (a star before the name)", headers=[("Content-Transfer-Encoding", "*8BIT")]
    ),
    "a line end behind the structure": Envelope(source="phax/phase2#54", change=lambda body: body + b"\r\n"),
}

REPORT = Receipt(source="").report
RECEIPTS: dict[str, Receipt] = {
    "no angle brackets around the message id": Receipt(
        source="phax/as2-server#22", fields=Receipt(source="").fields.replace("<id>", "<bare>")
    ),
    "small letters and no blank in the disposition": Receipt(
        source="abhishek-ram/django-pyas2#48",
        fields="Original-Message-ID: <id>\nDisposition: automatic-action/mdn-sent-automatically;processed\n"
        "Received-content-MIC: <mic>,sha256\n",
    ),
    "hash in capitals": Receipt(
        source="OpenAS2/OpenAs2App#204", fields=Receipt(source="").fields.replace("sha-256", "SHA256")
    ),
    "hash with its old prefix": Receipt(
        source="RFC 5751 3.4.3.2 (historical note)", fields=Receipt(source="").fields.replace("sha-256", "rsa-sha256")
    ),
    "blanks around the MIC": Receipt(
        source="phax/phase2#75", fields=Receipt(source="").fields.replace("<mic>, sha-256", " <mic> ,  sha-256 ")
    ),
    "the MIC folded": Receipt(
        source="RFC 5322 2.2.3", fields=Receipt(source="").fields.replace("<mic>,", "<mic>,\n\t")
    ),
    "fields in another order, recipients without a type or missing": Receipt(
        source="abhishek-ram/pyas2-lib#33; abhishek-ram/django-pyas2#52",
        fields="Received-Content-MIC: <mic>, sha-256\nDisposition: automatic-action/MDN-sent-automatically; processed\n"
        "Original-Message-ID: <id>\nFinal-Recipient: ACME\nReporting-UA: 192.0.2.7; a station\n",
    ),
    "an empty line among the fields": Receipt(
        source="abhishek-ram/django-pyas2#59", fields=Receipt(source="").fields.replace("Disp", "\nDisp") + "\n\n"
    ),
    "LF everywhere": Receipt(source="phax/phase2#90", line_end="\n"),
    "LF in the text alone": Receipt(
        source="phax/phase2#90", text="Content-Type: text/plain\n\nProcessed.<lf>at line 2<lf>at line 3\n"
    ),
    "no type for the text": Receipt(source="apache/camel#18937", text="\nThe message was received.\n"),
    "no text at all": Receipt(source="OpenAS2/OpenAs2App#204", report="--r\n<notification>\n\n<fields>\n--r--\n"),
    "the text as a page": Receipt(source="RFC 6522 3", text="Content-Type: text/html\n\n<p>Received.</p>\n"),
    "the text in a charset that nobody knows": Receipt(
        source="OpenAS2/OpenAs2App#204", text="Content-Type: text/plain; charset=x-acme\n\nre\xe7u\n"
    ),
    "the text in an encoding that is none": Receipt(
        source="phax/as2-server#15", text="Content-Type: text/plain\nContent-Transfer-Encoding: 8 bits\n\nReceived.\n"
    ),
    "the text in base64 that is none": Receipt(
        source="RFC 2045 6.8", text="Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nA\n"
    ),
    "the notification in base64": Receipt(
        source="phax/as2-server#15",
        notification="Content-Type: message/disposition-notification\nContent-Transfer-Encoding: base64",
        fields="<base64 fields>",
    ),
    "the notification said to be 7bit, a description with it": Receipt(
        source="abhishek-ram/django-pyas2#59",
        notification="Content-Type: message/disposition-notification\nContent-Transfer-Encoding: 7bit\n"
        "Content-Description: notification\nContent-ID: <2>",
    ),
    "the report's type folded": Receipt(
        source="OpenAS2/OpenAs2App#61",
        content_type='multipart/report; Report-Type=disposition-notification; \n\tboundary="r"',
    ),
    "more parts than two": Receipt(
        source="RFC 6522 3: the message may follow",
        report=REPORT.replace("--r--", "--r\nContent-Type: text/rfc822-headers\n\nSubject: x\n\n--r--"),
    ),
    "a preamble in both multiparts": Receipt(
        source="RFC 2046 5.1.1", report=f"A report.\n{REPORT}", envelope=b"A receipt.\r\n" + PLAIN
    ),
    "an error without a blank behind its colon": Receipt(
        source="phax/as2-server#16",
        fields="Original-Message-ID: <id>\n"
        "Disposition: automatic-action/MDN-sent-automatically; processed/Error:authentication-failed\n",
        processed=False,
        error="authentication-failed",
    ),
    "an error in words of its own": Receipt(
        source="Azure/logicapps#322",
        fields="Final-Recipient: rfc822; us\nOriginal-Message-ID: <id>\n"
        "Disposition: automatic-action/MDN-sent-automatically; processed/Error: Could not parse message\n",
        processed=False,
        error="Could not parse message",
    ),
    "an error without an explanation": Receipt(
        source="RFC 8098 3.2.6",
        fields="Original-Message-ID: <id>\nDisposition: automatic-action/MDN-sent-automatically; processed/error: \n",
        processed=False,
        error="error",
    ),
    "unsigned, though signed was asked for, when it refuses": Receipt(
        source="RFC 4130 7.3",
        fields="Original-Message-ID: <id>\n"
        "Disposition: automatic-action/MDN-sent-automatically; failed/failure: unsupported format\n",
        processed=False,
        error="unsupported format",
        signed=False,
    ),
    "a bare notification, when a refusal needs no multipart": Receipt(
        source="abhishek-ram/django-pyas2#48",
        content_type="message/disposition-notification",
        report="<fields>",
        fields="Original-Message-ID: <id>\n"
        "Disposition: automatic-action/MDN-sent-automatically; processed/error: decryption-failed\n",
        processed=False,
        error="decryption-failed",
        signed=False,
    ),
    "a bare notification, signed": Receipt(
        source="abhishek-ram/django-pyas2#48", content_type="message/disposition-notification", report="<fields>"
    ),
}

NOT_READ: dict[str, tuple[Message, str, str]] = {
    "signed as CRLF, sent as LF": (
        Message(source="phax/phase2#12", body=PLAIN.replace(b"<part>", PART.replace(b"~\r\n", b"~\n"))),
        "integrity-check-failed",
        "what came is not what was signed; whoever changed it may have been on the way",
    ),
    "words behind the closing delimiter": (
        Message(source="RFC 2046 5.1.1", body=PLAIN + b"-- \r\nsent by a relay\r\n"),
        "unexpected-processing-error",
        "no signature covers it, and the end of a forged ciphertext could lie there",
    ),
    "a header twice": (
        Message(source="RFC 5322 3.6", headers=[("Content-Type", MULTIPART), ("content-type", "text/plain")]),
        "unexpected-processing-error",
        "each reader takes another one",
    ),
}
"""What some stations write and we refuse, by which name, and why."""
