"""Who the two sides are and how interchanges travel between them: tables without a secret in them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from gateway.as2 import fingerprint
from gateway.cli.handbook.answers import answers
from gateway.cli.handbook.book import Facts
from gateway.errors import OurFault
from gateway.partners import pairs
from gateway.partners.agreement import Agreement, Dialect, EdifactDialect, X12Dialect
from gateway.partners.as2_channel import RECEIPTS_PATH, As2Channel
from gateway.partners.keys import load_certificate
from gateway.partners.workspace import Workspace

SHOWN = {" ": "a blank", "\n": "a line feed"}
PARTIAL = {
    "set": "Only that document; the others of the interchange are taken.",
    "group": "The documents of its group; other groups are taken.",
    "interchange": "The whole interchange.",
}
NEVER = "—"


def facts(workspace: Workspace, agreement: Agreement) -> Iterator[Facts]:
    """All tables of the first chapter."""
    identity = workspace.settings.identity
    yield Facts(title="The two sides", rows=tuple(_sides(workspace, agreement)))
    if agreement.as2 is not None:
        yield Facts(title="AS2", rows=tuple(_as2(workspace, agreement, agreement.as2)))
    if agreement.x12 is not None:
        ours = agreement.x12.our_identity or identity.x12
        yield Facts(title="X12 interchanges", rows=tuple(_x12(agreement.x12, ours)))
    if agreement.edifact is not None:
        own = agreement.edifact.our_identity or identity.edifact
        yield Facts(title="EDIFACT interchanges", rows=tuple(_edifact(agreement.edifact, own)))
    if agreement.channel == "rest":
        rows = [
            ("Channel", "our REST API, JSON over HTTPS"),
            ("API key", "given to you apart from this guide"),
            ("Requests a minute", f"{agreement.rest.requests_per_minute if agreement.rest else 600:,}; more get 429"),
        ]
        yield Facts(title="REST API", rows=tuple(rows))


def _sides(workspace: Workspace, agreement: Agreement) -> Iterator[tuple[str, str]]:
    yield "We", workspace.settings.identity.name
    yield "You", agreement.title
    for one in agreement.ids:
        yield f"You in our documents ({one.scheme.replace('_', ' ')})", one.value
    if agreement.owner:
        yield "Our contact", agreement.owner
    if (contact := agreement.contact) is not None:
        yield "Your contact", ", ".join(filter(None, (contact.name, contact.email, contact.phone)))


COMPRESSION = {
    "before": "before signing (RFC 5402)",
    "after": "after signing (RFC 5402)",
    "no": "none",
}
SIGNATURE_SCHEME = {"pkcs1": "RSA PKCS #1 v1.5 or ECDSA, as our certificate", "pss": "RSA-PSS"}
KEY_TRANSPORT = {
    "pkcs1": "RSA PKCS #1 v1.5 or ECDH, as your certificate",
    "oaep": "RSA-OAEP with SHA-256",
    "oaep-sha384": "RSA-OAEP with SHA-384",
    "oaep-sha512": "RSA-OAEP with SHA-512",
}


def _as2(workspace: Workspace, agreement: Agreement, as2: As2Channel) -> Iterator[tuple[str, str]]:
    identity = workspace.settings.identity
    yield "Our AS2 name", identity.as2_id
    yield "Your AS2 name", as2.id
    yield "Your address", as2.url
    if as2.sign == "no":
        yield "Signature we make", "none"
    else:
        yield "Signature we make", f"{as2.sign.upper()}, {SIGNATURE_SCHEME[as2.signature_scheme]}"
    if as2.encrypt == "no":
        yield "Encryption we use", "none"
    else:
        yield "Encryption we use", f"{as2.encrypt.upper()}, key by {KEY_TRANSPORT[as2.key_transport]}"
    yield "Compression", COMPRESSION[as2.compress]
    if as2.content_type is not None:
        yield "Content type of what we send", as2.content_type
    yield "Receipt we ask for", _receipt(workspace, as2)
    yield (
        "Your receipts by themselves go to",
        " or ".join(as2.receipt_urls) or "an address at the host and port of yours, where you ask for one",
    )
    yield "What you send must be", _asked(as2)
    yield "Signature hashes we take", _words((*as2.accept_hashes, *(one for one in as2.weak if one != "3des-cbc")))
    yield "Ciphers we take", _words((*as2.accept_ciphers, *(one for one in as2.weak if one == "3des-cbc")))
    if as2.weak:
        yield "Please replace soon", f"{_words(as2.weak)}: broken, taken from you for now, in no message of ours"
    if as2.accept_content_types:
        yield "Content types we take", ", ".join(as2.accept_content_types)
    largest = agreement.max_message_bytes or workspace.settings.max_message_bytes
    yield "Largest message we take", f"{largest:,} bytes"
    yield from _transport(as2)
    for one in pairs.known(workspace.settings, pairs.read(workspace.folder)[0]):
        since = one.use.begins(agreement.name)
        if since is not None and not one.retired:
            name = "Our certificate" if one.name == pairs.FIRST else f"Our certificate from {since:%Y-%m-%d} on"
            yield from _certificate(workspace, name, one.certificate)
    for number, file in enumerate(as2.certificates, 1):
        name = "Your certificate" if len(as2.certificates) == 1 else f"Your certificate {number}"
        yield from _certificate(workspace, name, file)


def _receipt(workspace: Workspace, as2: As2Channel) -> str:
    if as2.receipt == "none":
        return "none"
    hashes = as2.micalgs or (() if as2.sign == "no" else (as2.sign,))
    first = f", MIC by the first you know of {_words(hashes)}" if len(hashes) > 1 else ""
    ours = (workspace.settings.listen.public_url or "our address").rstrip("/")
    where = f", to {ours}{RECEIPTS_PATH} within {as2.receipt_within_minutes} minutes"
    return f"{as2.receipt} MDN{where if as2.asks_asynchronously else ''}{first}"


def _words(names: tuple[str, ...]) -> str:
    return ", ".join(name.upper() for name in names)


def _asked(as2: As2Channel) -> str:
    asked = [
        word
        for word, wanted in (
            ("signed", as2.require_signature),
            ("encrypted", as2.require_encryption),
            ("compressed", as2.require_compression),
        )
        if wanted
    ]
    said = " and ".join(filter(None, (", ".join(asked[:-1]), *asked[-1:]))) or "as you like"
    return f"{said}; it must ask for a receipt" if as2.require_receipt_request else said


def _transport(as2: As2Channel) -> Iterator[tuple[str, str]]:
    """How HTTP carries it; secrets are agreed apart."""
    if as2.authentication is not None:
        yield "HTTP authentication at your station", "as agreed apart from this guide"
    if as2.require_authentication is not None:
        yield "HTTP authentication at ours", "basic, user and password as agreed apart from this guide"
    if as2.require_client_certificates:
        yield "TLS client certificate of yours", "needed; one that you gave us"
    if as2.transport.client_certificate is not None:
        yield "TLS client certificate of ours", "shown to your station; we send it to you"
    if as2.url.startswith("https:"):
        yield "TLS we speak", f"{as2.transport.minimum_tls} or newer"


def _certificate(workspace: Workspace, name: str, file: str) -> Iterator[tuple[str, str]]:
    try:
        certificate = load_certificate(workspace.folder / file)
    except OurFault:
        yield name, "not there yet"
        return
    digits = fingerprint(certificate)
    spaced = " ".join(digits[at : at + 8] for at in range(0, len(digits), 8))
    yield name, f"valid until {certificate.not_valid_after_utc:%Y-%m-%d}, SHA-256 {spaced}"


def _character(one: str) -> str:
    return SHOWN.get(one, one)


def _common(dialect: Dialect) -> Iterator[tuple[str, str]]:
    yield "Line feeds", "one after each segment" if dialect.line_breaks else "none from us; yours are read past"
    if dialect.tolerate:
        yield "Deviations of yours we take", ", ".join(one.replace("_", " ") for one in dialect.tolerate)


def _x12(dialect: X12Dialect, ours: object) -> Iterator[tuple[str, str]]:
    theirs = dialect.identity
    yield "You (ISA qualifier and id)", f"{theirs.qualifier} / {theirs.id}"
    yield "You (GS)", theirs.group_id or theirs.id
    if ours is not None:
        yield "We (ISA qualifier and id)", f"{ours.qualifier} / {ours.id}"  # type: ignore[attr-defined]
        yield "We (GS)", ours.group_id or ours.id  # type: ignore[attr-defined]
    yield "Version (GS08)", dialect.version
    yield "Test indicator (ISA15)", "T: test" if dialect.test else "P: production"
    yield "Element separator", _character(dialect.element_separator)
    yield "Component separator (ISA16)", _character(dialect.component_separator)
    yield "Segment terminator", _character(dialect.segment_terminator)
    yield "Charset", dialect.charset or "utf-8"
    yield from _common(dialect)


def _edifact(dialect: EdifactDialect, ours: object) -> Iterator[tuple[str, str]]:
    theirs = dialect.identity
    yield "You (UNB id and qualifier)", f"{theirs.id} / {theirs.qualifier or NEVER}"
    if ours is not None:
        yield "We (UNB id and qualifier)", f"{ours.id} / {ours.qualifier or NEVER}"  # type: ignore[attr-defined]
    yield "Directory", dialect.version + (f", {dialect.association}" if dialect.association else "")
    yield "Syntax", f"{dialect.syntax} version {dialect.syntax_version}"
    yield "Test indicator (0035)", "1: test" if dialect.test else "absent: production"
    yield "Element separator", _character(dialect.element_separator)
    yield "Component separator", _character(dialect.component_separator)
    yield "Segment terminator", _character(dialect.segment_terminator)
    yield "Release character", _character(dialect.release_character)
    yield (
        "UNA",
        {"needed": "where a character differs from the usual", "always": "always", "never": "never"}.get(
            str(dialect.una.value), str(dialect.una.value)
        ),
    )
    yield "Charset", dialect.charset or f"as {dialect.syntax} says"
    yield from _common(dialect)


def acknowledgments(agreement: Agreement) -> Iterator[tuple[str, str]]:
    """What answers what, and within which time."""
    if (as2 := agreement.as2) is not None:
        said = "A signed MDN" if as2.receipt == "signed" else "An MDN"
        if as2.receipt != "none":
            yield "From you, for what we send", f"{said} in the answer to our request, within {_seconds(as2)}."
        yield "From us, for what you send", "An MDN as your request asks for, once the file is stored safely."
    if (x12 := agreement.x12) is not None:
        yield (
            "997 from us",
            (
                "For every group that you send, as soon as it is checked. It names segment and element of each mistake."
                if x12.answer == "always"
                else "Only for a group with a mistake, as soon as it is checked: it names segment and element of each."
            ),
        )
        yield "997 from you", f"For every group that we send, within {_hours(x12)}. After that we call it overdue."
        yield (
            "TA1",
            (
                "We ask for one (ISA14 is 1)."
                if x12.request_ta1
                else "We do not ask for one; we send one where you ask, or where the envelope is wrong."
            ),
        )
        yield "Control numbers (ISA13)", _numbers(x12)
        yield "What a refused document takes with it", PARTIAL[x12.partial]
    if (edifact := agreement.edifact) is not None:
        always = edifact.answer == "always"
        yield (
            "CONTRL from us",
            ("For every interchange that you send." if always else "Where 0031 asks for it, or something is refused."),
        )
        yield (
            "CONTRL from you",
            (
                f"For every interchange that we send, within {_hours(edifact)}. After that we call it overdue."
                if edifact.request_acknowledgment
                else "We do not ask for one."
            ),
        )
        yield "Control references (0020)", _numbers(edifact)
        yield "What a refused message takes with it", PARTIAL[edifact.partial]
    if agreement.channel == "rest":
        yield (
            "From us, for what you send",
            ("The answer to your request: 202 once it is stored safely, or a list of everything wrong (problem+json)."),
        )
    yield from answers(agreement)


def _numbers(dialect: Dialect) -> str:
    if dialect.control_numbers_may_repeat:
        return "Yours may repeat."
    return "Each of yours is used once; an interchange under a number that was used before is refused."


def _hours(dialect: Dialect) -> str:
    hours = dialect.acknowledgment_within_hours
    return f"{_plain(hours)} hour{'' if hours == 1 else 's'}"


def _seconds(as2: As2Channel) -> str:
    return f"{_plain(as2.timeout_seconds)} seconds"


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")
