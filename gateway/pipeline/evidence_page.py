"""The README of an evidence: what happened, what each file is, and the commands that verify it without a gateway."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from gateway.as2 import fingerprint
from gateway.as2.explaining_receipts import hash_of
from gateway.as2.explanation import name_of

if TYPE_CHECKING:
    from cryptography import x509

    from gateway.pipeline.evidence import Evidence

_VERIFY = (
    "openssl cms -verify -binary -inform DER -in {signature} -content {content} -nointern -certfile {signer} \\\n"
    "  -CAfile {signer} -partial_chain -purpose any -no_check_time -out {content}.verified"
)
_FILES = {
    "message.http": "the message as it was on the wire: headers, blank line, body",
    "payload": "the bytes inside: what was exchanged",
    "entity": "exactly the octets that the MIC covers, and that the signature is over",
    "signature.p7s": "the sender's signature (CMS, detached)",
    "signer.pem": "the certificate that verifies it",
    "receipt.http": "the answer byte for byte: headers, blank line, body",
    "receipt-entity": "exactly what the receipt's signature is over",
    "receipt.p7s": "the receipt's signature (CMS, detached)",
    "receipt-signer.pem": "the certificate that verifies it",
    "seal.pub": "the public key of the seals",
    "trail/hashes": "the hash of each event; `trail/NNNN` is what it is over",
}
_BASE64 = re.compile(r"[A-Za-z0-9+/]{20,100}={0,2}")
_OPENSSL_HASH = {"sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512", "sha-1": "sha1", "md5": "md5"}


def page(evidence: Evidence, names: AbstractSet[str]) -> str:
    """The whole page; only commands whose files are there."""
    parts = [_happened(evidence), _list(names)]
    parts += [_signature(evidence, names), _mic(evidence, names), _receipt(evidence, names)]
    parts += [_trail(evidence), _limits(evidence)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _happened(evidence: Evidence) -> str:
    message = evidence.message
    way = "came from" if evidence.inbound else "went to"
    facts = [
        ("message", message.id),
        ("partner", message.partner or "unknown"),
        ("channel", message.channel.value),
        ("state", message.state.value),
        ("at", f"{message.at:%Y-%m-%d %H:%M:%S} UTC"),
        ("Message-ID", message.as2_message_id or "none"),
        ("payload, SHA-256", message.payload_sha256),
    ]
    rows = "\n".join(f"| {name} | `{_cell(value)}` |" for name, value in facts)
    lines = [
        f"# Evidence: a message that {way} {_cell(message.partner or 'somebody unknown')}",
        "",
        "| | |",
        "|---|---|",
    ]
    lines.append(rows)
    if evidence.seen is not None and evidence.inbound:
        lines += ["", f"The message: {_cell(evidence.seen.sentence)}"]
    if evidence.receipt is not None:
        lines += ["", f"The receipt: {_cell(evidence.receipt.sentence)}"]
    return "\n".join(lines)


def _list(names: AbstractSet[str]) -> str:
    rows = [f"| `{name}` | {what} |" for name, what in _FILES.items() if name in names]
    rows += ["| `seals/N.signed`, `.signature`, `.entries` | each seal: what is signed, the signature, what it lists |"]
    return "\n".join(
        [
            "## Files",
            "",
            "| | |",
            "|---|---|",
            *rows,
            "",
            "No private key is here. What was encrypted is here in the clear (`entity`, `payload`), or nobody but the",
            "gateway could verify it: who gets this evidence can read the message. All commands run in this folder,",
            "with OpenSSL 3; each exits with 0 when what it says is true.",
            "",
            "```sh",
            "sha256sum --check --quiet SHA256SUMS",
            "```",
        ]
    )


def _signature(evidence: Evidence, names: AbstractSet[str]) -> str:
    if not {"entity", "signature.p7s", "signer.pem"} <= names or evidence.seen is None:
        return ""
    assert evidence.seen.signer is not None
    verify = _VERIFY.format(signature="signature.p7s", content="entity", signer="signer.pem")
    return "\n".join(["## The signature", "", _who("signature", evidence.seen.signer), "", "```sh", verify, "```"])


def _who(what: str, certificate: x509.Certificate) -> str:
    return (
        f"The {what} was made with the key of {_cell(name_of(certificate))}, certificate SHA-256\n"
        f"`{fingerprint(certificate)}`, valid {certificate.not_valid_before_utc:%Y-%m-%d} to "
        f"{certificate.not_valid_after_utc:%Y-%m-%d}.\nThat the key is theirs is what both sides agreed when they "
        "exchanged certificates; its validity today is\nnot looked at (`-no_check_time`)."
    )


def _mic(evidence: Evidence, names: AbstractSet[str]) -> str:
    mic = evidence.message.mic
    if not mic or "entity" not in names or evidence.entity is None:
        return ""
    algorithm = hash_of(mic)
    if evidence.seen is not None and evidence.seen.mic == mic and evidence.seen.mic_algorithm:
        algorithm = evidence.seen.mic_algorithm
    said = (
        f"The MIC (RFC 4130 7.3.1) is the {algorithm} of `entity`, {len(evidence.entity)} octets, in base64: `{mic}`."
    )
    return f"## The MIC\n\n{said}\n\n```sh\n{_digest(algorithm, mic)}\n```"


def _digest(algorithm: str, mic: str) -> str:
    return f'test "$(openssl dgst -{_OPENSSL_HASH[algorithm]} -binary entity | openssl base64 -A)" = "{mic}"'


def _receipt(evidence: Evidence, names: AbstractSet[str]) -> str:
    receipt = evidence.receipt
    if not {"receipt-entity", "receipt.p7s", "receipt-signer.pem"} <= names or receipt is None:
        return ""
    assert receipt.signer is not None
    assert receipt.signed_octets is not None
    verify = _VERIFY.format(signature="receipt.p7s", content="receipt-entity", signer="receipt-signer.pem")
    lines = ["## The receipt", "", _who("receipt", receipt.signer), "", "```sh", verify]
    mic = receipt.mic or ""
    # What they wrote goes into a command only in the letters of base64, and in quotes that it cannot end.
    proven = bool(receipt.taken and receipt.mic_algorithm in _OPENSSL_HASH and _BASE64.fullmatch(mic))
    if proven and "entity" in names and mic != evidence.message.mic:
        lines.append(_digest(str(receipt.mic_algorithm), mic))  # it chose another hash of those that we offered
    lines += [
        f"grep --quiet --text --fixed-strings -e '{one}' receipt-entity"
        for one in (evidence.message.as2_message_id, mic if proven else None)
        if one and one.encode() in receipt.signed_octets and "'" not in one
    ]
    lines += ["```", ""]
    if proven and mic.encode() in receipt.signed_octets:
        lines.append(
            "It names the Message-ID and carries the MIC: what one side sent is what the other side received, to the"
        )
        lines.append("octet, and the signer of the receipt said so.")
    else:
        lines.append(f"What it says: {_cell(receipt.sentence)}")
    return "\n".join(lines)


def _trail(evidence: Evidence) -> str:
    trail = evidence.trail
    rows = [
        f"| {one.number} | {one.at:%Y-%m-%d %H:%M:%S} | {one.kind} | `{one.hash}` | {one.seal or 'not yet'} |"
        for one in trail.events
    ]
    commands = ["sha256sum --check --quiet trail/hashes"]
    for seal in trail.seals:
        name = f"seals/{seal.number}"
        commands += [
            f"openssl pkeyutl -verify -pubin -inkey seal.pub -rawin -in {name}.signed -sigfile {name}.signature",
            f'grep --quiet --text "$(openssl dgst -sha256 -r {name}.entries | cut -d" " -f1)" {name}.signed',
        ]
    commands += [
        f"grep --quiet --line-regexp '{evidence.message.id} {one.number} {one.hash}' seals/{one.seal}.entries"
        for one in trail.events
        if one.seal is not None
    ]
    return "\n".join(
        [
            "## The trail",
            "",
            "What the gateway wrote down as it happened: each event with the hash of the one before it, in seals.",
            "The format: docs/audit-trail.md of the gateway. Nobody who lacks the seal key can have changed it since.",
            "",
            "| | at (UTC) | event | hash | seal |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "```sh",
            *commands,
            "```",
        ]
    )


def _limits(evidence: Evidence) -> str:
    lines = [f"- {one}" for one in evidence.lacking]
    if any(one.seal is None for one in evidence.trail.events):
        lines.append("- Some events are not sealed yet; ask for the evidence again in a minute.")
    lines.append("- That the seal key is the gateway's is shown by a copy of `seal.pub`, or an anchor, kept elsewhere.")
    return "\n".join(["## What it does not show", "", *lines])


def _cell(text: str) -> str:
    """Text from outside in a page: one line, nothing that Markdown would read."""
    return "".join(one if one.isprintable() and one not in "|`<>[]*_" else " " for one in text)[:300]
