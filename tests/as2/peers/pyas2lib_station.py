"""pyas2lib as the other station, our side by the functions of `gateway.as2`: no HTTP in between, every octet its own.

A library does not care how a receipt travels, so asynchronous ones are left to a station that is a server.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway import as2
from gateway.errors import PartnerFault

from .combinations import Combination, Way
from .material import MOMENT, PAYLOAD, Keys, build, certificate_pem, pem, policy
from .process import Asked

SCRIPT = Path(__file__).parent / "pyas2lib_peer.py"
CIPHERS = {
    "3des-cbc": "tripledes_192_cbc",
    "aes-128-cbc": "aes_128_cbc",
    "aes-192-cbc": "aes_192_cbc",
    "aes-256-cbc": "aes_256_cbc",
}


class Pyas2libStation:
    """Named `acme`; we are `us`."""

    def __init__(self, python: Path, folder: Path, keys: Keys) -> None:
        self._keys = keys
        self._ask = Asked([python, SCRIPT], folder / "pyas2lib.log")

    def close(self) -> None:
        """End its process."""
        self._ask.__exit__(None, None, None)

    def versions(self) -> dict[str, str]:
        """Who answers."""
        return self._ask("versions")

    def theirs(self, one: Combination) -> str | None:
        """What it has no setting for, or does not know."""
        if one.asynchronous:
            return "a library: how a receipt travels is the caller's business"
        if one.encrypt.endswith("gcm"):
            return "it knows no AuthEnvelopedData"
        if one.elliptic:
            return "it takes RSA keys only"
        if one.way is Way.IN and one.compress == "after":
            return "it compresses before signing only"
        if one.way is Way.IN and one.encrypt.endswith("oaep"):
            return "its setting key_enc_alg is not passed on to the encryption: always PKCS#1 v1.5"
        return None

    def ours(self, one: Combination) -> str | None:
        """What we never write."""
        return never_written(one)

    def run(self, chosen: Sequence[Combination], payload: bytes = PAYLOAD) -> dict[Combination, str]:
        """One after the other."""
        return {one: self._taken(one, payload) if one.way is Way.IN else self._sent(one, payload) for one in chosen}

    def pss(self) -> tuple[bytes, bytes]:
        """A part that it signed by PSS, and its signature."""
        one = Combination(way=Way.IN, sign="sha-256 pss", encrypt="no", compress="no", receipt="none")
        sent = self._call("send", self._settings(one), payload=base64.b64encode(PAYLOAD).decode())
        boundary = re.search(r'boundary="([^"]+)"', dict(sent["headers"])["Content-Type"])
        assert boundary is not None
        _, part, signature, _ = (b"\r\n" + base64.b64decode(sent["body"])).split(f"\r\n--{boundary[1]}".encode())
        return part.removeprefix(b"\r\n"), base64.b64decode(signature.partition(b"\r\n\r\n")[2])

    def _settings(self, one: Combination) -> dict[str, Any]:
        pss = one.way is Way.IN and one.sign.endswith("pss")  # else its receipts would be signed so, too
        scheme = "rsassa_pss" if pss else "rsassa_pkcs1v15"
        return {
            "sign": one.sign != "no",
            "digest_alg": one.hash.replace("-", ""),
            "sign_alg": scheme,
            "encrypt": one.encrypt != "no",
            "enc_alg": CIPHERS.get(one.cipher, "aes_256_cbc"),
            "compress": one.compress != "no",
            "mdn_mode": None if one.receipt_kind == "none" else "SYNC",
            "mdn_digest_alg": one.hash.replace("-", "") if one.receipt_kind == "signed" else None,
        }

    def _call(self, do: str, settings: dict[str, Any], **more: Any) -> dict[str, Any]:
        certificate = base64.b64encode(certificate_pem(self._keys.ours)).decode()
        return self._ask(
            do,
            our_name="acme",
            their_name="us",
            our_key=base64.b64encode(pem(self._keys.theirs)).decode(),
            their_certificate=certificate,
            settings=settings,
            **more,
        )

    def _taken(self, one: Combination, payload: bytes) -> str:
        settings = self._settings(one)
        sent = self._call("send", settings, payload=base64.b64encode(payload).decode())
        if "raised" in sent:
            return f"it does not send: {sent['raised']}"
        headers = [tuple(header) for header in sent["headers"]]
        body = base64.b64decode(sent["body"])
        try:
            opened = as2.open_message(
                headers,
                body,
                keys=[self._keys.ours],
                partner_certificates=[self._keys.theirs.certificate],
                policy=policy(one),
            )
        except as2.As2Fault as fault:
            return f"we refuse it: {fault}"
        if opened.payload != payload:
            return f"another payload came: {opened.payload[:40]!r}"
        if sent["mic"] is not None and sent["mic"] != opened.mic:
            return f"its MIC is {sent['mic']}, ours {opened.mic}"
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
        if receipt.signed != (one.receipt_kind == "signed"):
            return f"our receipt is {'signed' if receipt.signed else 'not signed'}"
        answer = self._call("receipt", settings, raw=_raw(receipt.headers, receipt.body), state=sent["state"])
        return "" if answer == {"status": "processed", "detail": None} else f"it reads our receipt as {answer}"

    def _sent(self, one: Combination, payload: bytes) -> str:
        built = build(one, self._keys, payload)
        answer = self._call("receive", self._settings(one), raw=_raw(built.headers, built.body))
        if answer.get("status") != "processed":
            return f"it refuses it: {answer.get('failure', answer)}"
        if base64.b64decode(answer["payload"]) != payload:
            return f"it has another payload: {base64.b64decode(answer['payload'])[:40]!r}"
        if one.receipt_kind == "none":
            return "" if not answer["headers"] else "a receipt that nobody asked for"
        return read(
            one, built, [tuple(header) for header in answer["headers"]], base64.b64decode(answer["body"]), self._keys
        )


def never_written(one: Combination) -> str | None:
    """What we read from those who must, and never write."""
    if one.way is Way.OUT and one.hash == "sha-1":
        return "SHA-1 is never written"
    if one.way is Way.OUT and one.cipher == "3des-cbc":
        return "3DES is never written"
    return None


def read(one: Combination, built: as2.Built, headers: Sequence[tuple[str, str]], body: bytes, keys: Keys) -> str:
    """What is wrong with a receipt for what we sent."""
    try:
        verdict = as2.read_receipt(
            headers,
            body,
            sent=as2.Sent(
                message_id=built.message_id, mic=built.mic, mic_algorithm=built.mic_algorithm, signed=built.signed
            ),
            partner_certificates=[keys.theirs.certificate],
            require_signature=one.receipt_kind == "signed",
        )
    except PartnerFault as fault:
        return f"we refuse its receipt: {fault}"
    if not verdict.processed:
        return f"it says: {verdict.disposition}"
    if verdict.mic_matched is False:
        return f"its MIC is {verdict.mic}, ours {built.mic}"
    if (verdict.signed_by is not None) != (one.receipt_kind == "signed"):
        return f"its receipt is {'signed' if verdict.signed_by else 'not signed'}"
    return ""


def _raw(headers: Sequence[tuple[str, str]], body: bytes) -> str:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return base64.b64encode(f"{lines}\r\n".encode() + body).decode()
