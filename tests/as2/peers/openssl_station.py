"""`openssl cms` as the other station: every layer made or read by that command, compression by zlib, MIME by hand.

What openssl does not do is written here with nothing of the gateway: the CompressedData of RFC 3274, multiparts by
their octets, receipts. Our side are the functions of `gateway.as2`.
"""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path

from gateway import as2

from .combinations import Combination, Way
from .material import MOMENT, PAYLOAD, Keys, build, certificate_pem, pem, policy
from .pyas2lib_station import never_written, read

CIPHERS = {
    "3des-cbc": "-des3",
    "aes-128-cbc": "-aes-128-cbc",
    "aes-192-cbc": "-aes-192-cbc",
    "aes-256-cbc": "-aes-256-cbc",
    "aes-128-gcm": "-aes-128-gcm",
    "aes-192-gcm": "-aes-192-gcm",
    "aes-256-gcm": "-aes-256-gcm",
}
PART = b"Content-Type: application/edi-x12\r\nContent-Transfer-Encoding: binary\r\n\r\n" + PAYLOAD
COMPRESSED = b"Content-Type: application/pkcs7-mime; smime-type=compressed-data; name=smime.p7z\r\n\r\n"
COMPRESSED_DATA = bytes.fromhex("060b2a864886f70d0109100109")  # 1.2.840.113549.1.9.16.1.9
ZLIB = bytes.fromhex("300d060b2a864886f70d0109100308")  # 1.2.840.113549.1.9.16.3.8
DATA = bytes.fromhex("06092a864886f70d010701")  # 1.2.840.113549.1.7.1


class OpensslStation:
    """Named `acme`; we are `us`."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self._folder, self._keys = folder, keys
        for name, pair in (
            ("theirs", keys.theirs),
            ("theirs-ec", keys.theirs_ec),
            ("ours", keys.ours),
            ("ours-ec", keys.ours_ec),
        ):
            (folder / f"{name}.pem").write_bytes(pem(pair))  # ours too: the folder is the test's
            (folder / f"{name}.crt").write_bytes(certificate_pem(pair))

    def close(self) -> None:
        """Nothing runs."""

    def versions(self) -> dict[str, str]:
        """Who answers."""
        said = subprocess.run(["openssl", "version"], capture_output=True, check=True, text=True).stdout
        return {"openssl": said.split()[1]}

    def theirs(self, one: Combination) -> str | None:
        """It has no HTTP."""
        return "a command: how a receipt travels is the caller's business" if one.asynchronous else None

    def ours(self, one: Combination) -> str | None:
        """What we never write."""
        return never_written(one)

    def run(self, chosen: Sequence[Combination]) -> dict[Combination, str]:
        """One after the other."""
        return {one: self._told(one) for one in chosen}

    def _told(self, one: Combination) -> str:
        try:
            return self._taken(one) if one.way is Way.IN else self._sent(one)
        except _RefusedError as refused:
            return f"openssl refuses it: {refused}"

    def _openssl(self, *arguments: str, given: bytes) -> bytes:
        (self._folder / "in").write_bytes(given)
        done = subprocess.run(
            ["openssl", "cms", *arguments, "-binary", "-in", "in"], cwd=self._folder, capture_output=True, check=False
        )
        if done.returncode:
            raise _RefusedError(done.stderr.decode(errors="replace").strip().splitlines()[-1])
        return done.stdout

    def refuses(self, part: bytes, signature: bytes) -> str:
        """What it has against a signature of theirs; empty when it holds."""
        (self._folder / "part").write_bytes(part)
        try:
            self._openssl(
                "-verify", "-inform", "DER", "-content", "part", "-certfile", "theirs.crt", "-CAfile", "theirs.crt",
                "-purpose", "any", given=signature,
            )  # fmt: skip
        except _RefusedError as refused:
            return str(refused)
        return ""

    # What it sends.

    def _taken(self, one: Combination) -> str:
        layer = _deflated(PART) if one.compress == "before" else PART
        signed = layer
        if one.sign != "no":
            layer = self._multipart(layer, one.hash, _who("theirs", one.sign), pss=one.sign.endswith("pss"))
        if one.compress == "after":
            layer = _deflated(layer)
        if one.encrypt != "no":
            padding = ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"]
            padding = padding if one.encrypt.endswith("oaep") else []
            body = self._openssl(
                "-encrypt", CIPHERS[one.cipher], "-stream", "-outform", "DER",
                "-recip", f"{_who('ours', one.encrypt)}.crt", *padding,
                given=layer,
            )  # fmt: skip
            layer = b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\n" + body
        head, _, body = layer.partition(b"\r\n\r\n")
        headers = [("AS2-From", "acme"), ("AS2-To", "us"), ("Message-ID", "<1@acme>"), *_asked(one), *_fields(head)]
        try:
            opened = as2.open_message(
                headers,
                body,
                keys=[self._keys.decrypting(one)],
                partner_certificates=[self._keys.signing(one).certificate],
                policy=policy(one),
            )
        except as2.As2Fault as fault:
            return f"we refuse it: {fault}"
        if opened.payload != PAYLOAD:
            return f"another payload came: {opened.payload[:40]!r}"
        if one.sign != "no":
            covered = signed
        elif one.encrypt == one.compress == "no":
            covered = PAYLOAD
        else:
            covered = PART
        mic = _mic(one, covered)
        if opened.mic != mic:
            return f"its MIC is {mic}, ours {opened.mic}"
        if one.receipt_kind == "none":
            return ""
        receipt = as2.build_receipt(
            request=opened.addressing,
            opened=opened,
            fault=None,
            key=self._keys.ours,
            our_name="gateway",
            message_id="<r@us>",
            date=MOMENT,
        )
        report = b"\r\n".join(f"{name}: {value}".encode() for name, value in receipt.headers)
        report += b"\r\n\r\n" + receipt.body
        if one.receipt_kind == "signed":
            report = self._verified(report, "ours.crt")
        wanted = f"Received-Content-MIC: {mic}, {one.hash}".encode()
        return "" if wanted in report and b"; processed\r\n" in report else f"our receipt says {report!r}"

    def _multipart(self, part: bytes, digest: str, who: str, *, pss: bool) -> bytes:
        scheme = ["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"] if pss else []
        der = self._openssl(
            "-sign", "-md", digest.replace("-", ""), "-outform", "DER", "-signer", f"{who}.crt", "-inkey", f"{who}.pem",
            *scheme, given=part,
        )  # fmt: skip
        return (
            b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=s\r\n\r\n'
            b"--s\r\n" + part + b"\r\n--s\r\nContent-Type: application/pkcs7-signature\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(der) + b"\r\n--s--\r\n"
        )

    # What it takes.

    def _sent(self, one: Combination) -> str:
        built = build(one, self._keys)
        head = b"".join(f"{name}: {value}\r\n".encode() for name, value in built.headers)
        layer = head + b"\r\n" + built.body
        if one.encrypt != "no":
            body = layer.partition(b"\r\n\r\n")[2]
            layer = self._openssl(
                "-decrypt", "-inform", "DER", "-recip", f"{_who('theirs', one.encrypt)}.crt",
                "-inkey", f"{_who('theirs', one.encrypt)}.pem", given=body,
            )  # fmt: skip
        if one.compress == "after":
            layer = _inflated(layer)
        covered = layer
        if one.sign != "no":
            layer = covered = self._verified(layer, f"{_who('ours', one.sign)}.crt")
        if one.compress == "before" or (one.compress != "no" and one.sign == "no"):
            layer = _inflated(layer)
            covered = covered if one.sign != "no" else layer
        payload = layer.partition(b"\r\n\r\n")[2]
        if payload != PAYLOAD:
            return f"it has another payload: {payload[:40]!r}"
        mic = _mic(one, PAYLOAD if one.sign == one.encrypt == one.compress == "no" else covered)
        if mic != built.mic:
            return f"its MIC is {mic}, ours {built.mic}"
        if one.receipt_kind == "none":
            return ""
        report = (
            b'Content-Type: multipart/report; report-type=disposition-notification; boundary="r"\r\n\r\n'
            b"--r\r\nContent-Type: text/plain\r\n\r\nTaken.\r\n--r\r\n"
            b"Content-Type: message/disposition-notification\r\n\r\n"
            b"Original-Message-ID: <1@us>\r\nDisposition: automatic-action/MDN-sent-automatically; processed\r\n"
            b"Received-Content-MIC: " + f"{mic}, {one.hash}".encode() + b"\r\n\r\n--r--\r\n"
        )
        if one.receipt_kind == "signed":
            report = self._multipart(report, one.hash, "theirs", pss=one.sign.endswith("pss"))
        head, _, body = report.partition(b"\r\n\r\n")
        return read(one, built, _fields(head), body, self._keys)

    def _verified(self, entity: bytes, certificate: str) -> bytes:
        """The first part of a multipart/signed, verified by openssl over its octets."""
        head, _, body = entity.partition(b"\r\n\r\n")
        found = re.search(rb'multipart/signed;[^\r]*boundary="([^"]+)"', head)
        if found is None:
            raise _RefusedError(f"no multipart/signed: {head[:100]!r}")
        delimiter = b"--" + found[1]
        _, part, signature, _ = (b"\r\n" + body).split(b"\r\n" + delimiter)
        part = part.removeprefix(b"\r\n")
        (self._folder / "part").write_bytes(part)
        der = base64.b64decode(signature.partition(b"\r\n\r\n")[2])
        self._openssl(
            "-verify", "-inform", "DER", "-content", "part", "-certfile", certificate, "-CAfile", certificate,
            "-purpose", "any", given=der,
        )  # fmt: skip
        return part


class _RefusedError(Exception):
    """openssl, or the little that stands around it here, cannot read it."""


def _who(side: str, algorithm: str) -> str:
    """Whose key and certificate files."""
    return f"{side}-ec" if algorithm.endswith(("ecdsa", "ecdh")) else side


def _asked(one: Combination) -> list[tuple[str, str]]:
    if one.receipt_kind == "none":
        return []
    asked = [("Disposition-Notification-To", "acme@example")]
    options = f"signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, {one.hash}"
    return asked + ([("Disposition-Notification-Options", options)] if one.receipt_kind == "signed" else [])


def _fields(head: bytes) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (line.partition(": ") for line in head.decode().split("\r\n"))]


def _mic(one: Combination, octets: bytes) -> str:
    return base64.b64encode(hashlib.new(one.hash.replace("-", ""), octets, usedforsecurity=False).digest()).decode()


def _tlv(tag: int, *content: bytes) -> bytes:
    inside = b"".join(content)
    size = len(inside)
    length = size.to_bytes((size.bit_length() + 7) // 8 or 1)
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x80 | len(length)]) + length) + inside


def _deflated(entity: bytes) -> bytes:
    """RFC 3274 1.1: CompressedData of version 0 around an OCTET STRING of zlib's format."""
    content = _tlv(0x30, DATA, _tlv(0xA0, _tlv(0x04, zlib.compress(entity))))
    structure = _tlv(0x30, _tlv(0x02, b"\x00"), ZLIB, content)
    return COMPRESSED + _tlv(0x30, COMPRESSED_DATA, _tlv(0xA0, structure))


def _inflated(entity: bytes) -> bytes:
    """What zlib finds in a CompressedData, in the OCTET STRING behind its inner content type."""
    body = entity.partition(b"\r\n\r\n")[2]
    if COMPRESSED_DATA not in body[:40] or ZLIB not in body[:70]:
        raise _RefusedError(f"no CompressedData: {body[:40].hex()}")
    at = body.index(DATA) + len(DATA)
    for _ in range(2):  # [0] and the OCTET STRING: a tag, a length
        at += 2 + (body[at + 1] & 0x7F if body[at + 1] & 0x80 else 0)
    return zlib.decompressobj().decompress(body[at:])
