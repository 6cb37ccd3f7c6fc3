"""What is agreed with one partner about AS2: the section `as2` of an agreement.

Three parts, in this order: what we send, what we take, how HTTP carries it. A model only; what joins keys with each
other, with other sections and with files is `gateway.partners.as2_checks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from string import Formatter
from typing import Annotated, Literal

from cryptography import x509
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from gateway.partners.as2_transport import Transport
from gateway.partners.receipt_address import plain_address
from gateway.settings import As2Id, Authentication, Basic, Form, Part, Retries, Url
from gateway.yamltext import near_miss


def spelled(word: object) -> object:
    """`sha-256` and `aes-256-cbc`, as they stand on the wire, are `sha256` and `aes256-cbc` here."""
    return re.sub(r"^(sha|aes)-(?=[0-9])", r"\1", word.strip().lower()) if isinstance(word, str) else word


_STRONGER = {
    "sha1": ("sha1", "sha256"),
    "md5": ("md5", "sha256"),
    **dict.fromkeys(("3des-cbc", "3des", "des3", "des-ede3-cbc", "tripledes"), ("3des-cbc", "aes128-cbc")),
}
"""Weak algorithms, by what they are called: as `accept_weak` calls them, and what every station reads instead."""


def _strong(word: object) -> object:
    """The word as it is spelled here. A weak algorithm is told what to write instead, and the switch that reads it."""
    known = spelled(word)
    if isinstance(known, str) and known in _STRONGER:
        weak, instead = _STRONGER[known]
        fix = f"write {instead}; what they send with {weak} is read where it says accept_weak: [{weak}]"
        raise PydanticCustomError("weak_algorithm", "{instead} or stronger", {"instead": instead, "fix": fix})
    return known


Spelled = BeforeValidator(spelled)
Strong = BeforeValidator(_strong)
Hash = Annotated[Literal["sha256", "sha384", "sha512"], Strong]
Cipher = Annotated[Literal["aes128-cbc", "aes192-cbc", "aes256-cbc", "aes128-gcm", "aes192-gcm", "aes256-gcm"], Strong]
WeakName = Literal["sha1", "md5", "3des-cbc"]
Weak = Annotated[WeakName, Spelled]
"""What is read from a partner that cannot do better; messages of ours use none of it."""
MediaType = Annotated[
    str, Form(r"[A-Za-z0-9.+-]{1,60}/([A-Za-z0-9.+-]{1,100}|\*)", "a media type such as application/edi-x12 or text/*")
]
_YES, _NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
ReceiptUrl = Annotated[Url, AfterValidator(plain_address)]
RECEIPTS_PATH = "/as2/receipts"
"""Below our public address: where receipts come by themselves."""
PLACEHOLDERS = ("name", "stem", "extension", "id", "date", "time")
"""Of `filename`: of the file's own name, of the message, and when it was made (UTC)."""


def _order(word: object) -> object:
    """Yes and no, which this key took once, are still read."""
    said = str(word).strip().lower()
    return "before" if said in _YES else "no" if said in _NO else word


def _template(text: str) -> str:
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        raise ValueError("a file name in which every { is closed by }") from None
    known = " ".join(f"{{{one}}}" for one in PLACEHOLDERS)
    for fixed, name, form, conversion in parts:
        if set(fixed) & set("/\\") or not fixed.isprintable():
            raise ValueError("a file name without a path")
        if name is not None and (name not in PLACEHOLDERS or form or conversion):
            meant = near_miss(name, PLACEHOLDERS)
            raise ValueError(f"a file name with {known}" + (f"; {{{name}}} is probably {{{meant}}}" if meant else ""))
    return text


def _name(text: str) -> str:
    try:
        name = x509.Name.from_rfc4514_string(text)
    except ValueError:
        raise ValueError("a subject such as CN=example-as2,O=Example Supplier") from None
    if not list(name):
        raise ValueError("a subject with at least one part, such as CN=example-as2")
    return text


class As2Channel(Part):
    """How we exchange AS2 messages with this partner."""

    id: As2Id = Field(description="The partner's AS2 name (AS2-From of what they send).", examples=["PARTNER-AS2"])
    url: Url = Field(description="Where their station listens.", examples=["https://as2.example.com/as2"])
    certificates: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="Their certificates, PEM files in the workspace. Any of them may sign; encrypted is for the newest "
        "that a signed exchange confirmed, and for the first one while none is.",
        examples=[("certs/example.pem",)],
    )
    encrypt_for: str | None = Field(
        default=None,
        description="Which of the certificates we encrypt for, where they sign with another one; absent: see "
        "certificates.",
        examples=["certs/example-encryption.pem"],
    )
    accept_expired_until: date | None = Field(
        default=None,
        description="Up to the end of this day (UTC) their certificates count though they have expired.",
        examples=["2027-01-31"],
    )
    trust: Literal["pinned", "chain"] = Field(
        default="pinned",
        description="Who may have signed: the certificates above; or also what an authority vouches for (chain).",
    )
    signer_ca: tuple[str, ...] = Field(
        default=(),
        description="PEM files with the authorities of chain and of revocation lists, roots and intermediates.",
        examples=[("certs/example-ca.pem",)],
    )
    signer_subject: Annotated[str, AfterValidator(_name)] | None = Field(
        default=None,
        description="What must stand in a signer's subject, for chain.",
        examples=["CN=example-as2,O=Example Supplier"],
    )
    revocation: Literal["none", "crl"] = Field(default="none", description="Whether revocation lists are asked.")
    crls: tuple[str, ...] = Field(
        default=(),
        description="Revocation lists: files in the workspace, or http addresses that are fetched every hour.",
        examples=[("http://ca.example.com/as2.crl",)],
    )
    stale_crl: Literal["warn", "refuse"] = Field(
        default="warn",
        description="What happens while a list is missing or too old: a warning, or signers are refused.",
    )

    # What we send.
    sign: Annotated[Literal["sha256", "sha384", "sha512", "no"], Strong] = Field(
        default="sha256", description="Hash of the signatures we make; no: unsigned."
    )
    signature_scheme: Literal["pkcs1", "pss"] = Field(
        default="pkcs1",
        description="How an RSA key of ours signs, receipts too; pss is RSA-PSS. An EC key signs by ECDSA.",
    )
    encrypt: Annotated[
        Literal["aes128-cbc", "aes192-cbc", "aes256-cbc", "aes128-gcm", "aes192-gcm", "aes256-gcm", "no"], Strong
    ] = Field(
        default="aes128-cbc",
        description="Cipher we encrypt with; no: unencrypted. GCM is better, where their station reads it.",
    )
    key_transport: Literal["pkcs1", "oaep", "oaep-sha384", "oaep-sha512"] = Field(
        default="pkcs1",
        description="How an RSA certificate of theirs gets the session key; oaep is RSA-OAEP with SHA-256. An EC "
        "certificate gets it by ECDH.",
    )
    compress: Annotated[Literal["before", "after", "no"], BeforeValidator(_order)] = Field(
        default="before", description="Compress what we send (RFC 5402), before or after signing; yes means before."
    )
    receipt: Literal["signed", "unsigned", "none"] = Field(default="signed", description="Receipt that we ask for.")
    micalgs: tuple[Hash, ...] = Field(
        default=(),
        description="Hashes of which their signed receipt takes the first that it knows; absent: that of sign.",
        examples=[("sha256", "sha384")],
    )
    subject: Annotated[str, Form(r"[!-~]([ -~]{0,198}[!-~])?", "1 to 200 printable ASCII characters")] | None = Field(
        default=None, description="Subject of our messages; absent: EDI from, and our AS2 name.", examples=["Orders"]
    )
    content_type: MediaType | None = Field(
        default=None,
        description="Content type of what we send; absent: that of its standard.",
        examples=["application/edi-consent"],
    )
    filename: Annotated[str, AfterValidator(_template), Field(max_length=200)] = Field(
        default="{name}",
        description="File name we send, from {name}, {stem}, {extension}, {id}, {date}, {time}; no: none.",
        examples=["{stem}-{date}.{extension}"],
    )

    # What we take, judged by what was really decrypted and verified.
    require_signature: bool = Field(default=True, description="Refuse what is not signed.")
    require_encryption: bool = Field(default=True, description="Refuse what is not encrypted.")
    require_compression: bool = Field(default=False, description="Refuse what is not compressed.")
    require_receipt_request: bool = Field(default=False, description="Refuse what does not ask for a receipt.")
    accept_hashes: Annotated[tuple[Hash, ...], Field(min_length=1)] = Field(
        default=("sha256", "sha384", "sha512"), description="Hashes we take in signatures and for MICs."
    )
    accept_ciphers: Annotated[tuple[Cipher, ...], Field(min_length=1)] = Field(
        default=("aes128-cbc", "aes192-cbc", "aes256-cbc", "aes128-gcm", "aes192-gcm", "aes256-gcm"),
        description="Ciphers we take.",
    )
    accept_weak: tuple[Weak, ...] = Field(
        default=(),
        description="Broken algorithms of theirs that are read all the same, and warned about; our messages use none.",
        examples=[("sha1", "3des-cbc")],
    )
    accept_content_types: tuple[MediaType, ...] = Field(
        default=(),
        description="Content types of files that we take, such as application/edi-x12 or text/*; absent: any.",
        examples=[("application/edi-x12", "application/edi-consent")],
    )
    max_inflated_bytes: Annotated[int, Field(ge=1024, le=2**33)] | None = Field(
        default=None,
        description="Largest content that a compressed message of theirs may become; absent: 200 MiB, or twice "
        "max_message_bytes where that is more.",
    )
    max_inflate_ratio: Annotated[int, Field(ge=2, le=1000)] = Field(
        default=200, description="How many times its size a compressed message may become, from 1 MiB on."
    )

    # How HTTP carries it.
    require_authentication: Basic | None = Field(
        default=None, description="User and password (HTTP basic) that their requests must carry; else they get 401."
    )
    require_client_certificates: tuple[str, ...] = Field(
        default=(),
        description="TLS client certificates, PEM files, one of which their requests must show (listen.tls.client_ca).",
        examples=[("certs/example-tls.pem",)],
    )
    authentication: Authentication | None = Field(default=None, description="HTTP authentication at their station.")
    timeout_seconds: Annotated[Decimal, Field(gt=0, le=600)] = Field(
        default=Decimal(60), description="How long to wait for the receipt."
    )
    retries: Retries | None = Field(
        default=None, description="When a message that failed is sent again; absent: as in gateway.yaml."
    )
    transport: Transport = Field(default_factory=Transport, description="The way of our requests: TLS, proxy, headers.")

    receipt_mode: Literal["sync", "async"] = Field(
        default="sync",
        description="How the receipt comes: sync in the answer; async by itself, to /as2/receipts below "
        "listen.public_url of gateway.yaml.",
    )
    receipt_within_minutes: Annotated[int, Field(ge=1, le=4320)] = Field(
        default=60, description="An asynchronous receipt that has not come by then: the message is sent again."
    )
    receipt_urls: tuple[ReceiptUrl, ...] = Field(
        default=(),
        description="Where they may have their asynchronous receipts sent: addresses, or beginnings that end in /; "
        "absent: anywhere at the scheme, host and port of url. A private address only where it is named whole.",
        examples=[("https://as2.example.com/receipts",)],
    )
    processing_after_seconds: Annotated[int, Field(ge=1, le=300)] | None = Field(
        default=None,
        description="Send HTTP 102 each time that a message of theirs has been worked for so long; absent: never, "
        "because many HTTP clients take 102 for the answer. For partners whose client is known to wait on.",
    )

    @property
    def weak(self) -> tuple[str, ...]:
        """Broken algorithms that are read from this partner."""
        return tuple(dict.fromkeys(self.accept_weak))

    def media_type_accepted(self, content_type: str) -> bool:
        """Whether a content type, parameters and all, is among those agreed."""
        media = content_type.partition(";")[0].strip().lower()
        return not self.accept_content_types or any(
            media == one or (one.endswith("/*") and media.startswith(one[:-1])) for one in self._types()
        )

    def _types(self) -> Iterator[str]:
        return map(str.lower, self.accept_content_types)

    @property
    def asks_asynchronously(self) -> bool:
        """Whether we ask for receipts that come by themselves."""
        return self.receipt != "none" and self.receipt_mode == "async"
