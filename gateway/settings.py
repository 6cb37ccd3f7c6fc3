"""`gateway.yaml`: who we are, where we listen, where the ERPs are. Every field says what it is for.

Models only: reading the file, with all its errors at once, is `gateway.partners.workspace`; rules that join several
fields or files (a route leads to a target that exists) are `gateway.partners.checks`, so that none hides another.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from gateway.errors import OurFault
from gateway.published import TYPES, fitting


@dataclass(frozen=True, slots=True)
class Form:
    """A form that text must have: the pattern for us, the words for whoever wrote the file."""

    pattern: str
    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Text as usual, then the pattern over all of it."""
        return core_schema.no_info_after_validator_function(self.checked, handler(source))

    def checked(self, text: str) -> str:
        """`text` itself; ValueError in words when its form is wrong."""
        if re.fullmatch(self.pattern, text) is None:
            raise ValueError(self.words)
        return text


def _network(text: str) -> str:
    """An address or network as text; anything else is refused."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("an IP address or network, such as 10.0.0.7 or 10.0.0.0/8") from None
    return text


def reachable(address: str) -> str:
    """An address with a host, and a port that there can be; the pattern alone takes `https://host:84430`."""
    try:
        found = urlsplit(address)
        sound = bool(found.hostname) and found.port != 0  # RFC 6335 6: no service is on port 0
    except ValueError:
        sound = False
    if not sound:
        raise ValueError("an address with a host, and a port from 1 to 65535 if any")
    return address


Name = Annotated[
    str, Form(r"[a-z][a-z0-9_-]{0,62}", "a short name: small letters, digits, - and _; a letter first, 63 at most")
]
"""A short name used in file names, lanes and idempotency keys."""
As2Id = Annotated[str, Form(r"[\x20-\x7e]{1,128}", "1 to 128 printable ASCII characters")]
"""RFC 4130 6.2."""
HooksFile = Annotated[str, Form(r"[a-z][a-z0-9_]{0,62}\.py", "a Python file such as hooks.py")]
"""Beside gateway.yaml, never elsewhere."""
Url = Annotated[
    str,
    Form(r"https?://[^/\s@?#]+(/[^\s?#]*)?", "an http:// or https:// address without user, query or fragment"),
    AfterValidator(reachable),
]
"""Secrets never stand in an address."""
Network = Annotated[str, AfterValidator(_network)]
"""`10.0.0.7`, `10.0.0.0/8`, `2001:db8::/32`."""
HttpStatus = Annotated[int, Field(ge=100, le=599)]
LONGEST_SECRET = 65_536
"""Bytes of a file that holds a secret; also what keeps a device named by mistake from being read for ever."""
Kind = Literal["purchase_order", "order_change", "order_acknowledgement", "ship_notice"]
"""The canonical documents."""


class Part(BaseModel):
    """Base of every configuration section: unknown keys are errors, a key without a value counts as absent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: Any) -> Any:
        if data is None:
            return {}
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


class Secret(Part):
    """A secret that stands outside the configuration."""

    env: str | None = Field(default=None, description="Environment variable that holds it.")
    file: str | None = Field(default=None, description="File that holds it; a final newline is dropped.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Secret:
        if (self.env is None) == (self.file is None):
            raise ValueError("either env or file")
        return self

    def read(self, folder: Path) -> str:
        """The secret's text; relative files are under `folder`. Raises OurFault when it is not there."""
        if self.env is not None:
            value = os.environ.get(self.env)
            if not value:
                raise OurFault(
                    f"environment variable {self.env} is not set",
                    remedy=f"set {self.env} where the gateway, or this command, is started",
                )
            return value
        path = folder / str(self.file)
        remedy = "create the file, readable by the gateway only"
        try:
            with path.open("rb") as file:
                content = file.read(LONGEST_SECRET + 1)
            text = content.decode("utf-8").rstrip("\n")
        except OSError as error:
            raise OurFault(f"secret file {path}: {error.strerror}", remedy=remedy) from error
        except UnicodeDecodeError:
            raise OurFault(f"secret file {path} is no text in UTF-8", remedy=remedy) from None
        if not text or len(content) > LONGEST_SECRET:
            what = "is empty" if not text else f"is larger than {LONGEST_SECRET} bytes"
            raise OurFault(f"secret file {path} {what}", remedy=remedy)
        return text


class X12Identity(Part):
    """Who somebody is in ISA and GS."""

    qualifier: Annotated[str, Form(r"[A-Z0-9]{2}", "two letters or digits")] = Field(
        description="ISA05/ISA07, for example ZZ, 01 or 12.", examples=["ZZ"]
    )
    id: Annotated[str, Form(r"[!-~]([ -~]{0,13}[!-~])?", "1 to 15 printable characters, no blank at either end")] = (
        Field(description="ISA06/ISA08, without padding.", examples=["EXAMPLEID"])
    )
    group_id: (
        Annotated[str, Form(r"[!-~][ -~]{0,13}[!-~]", "2 to 15 printable characters, no blank at either end")] | None
    ) = Field(default=None, description="GS02/GS03; the same as id when absent.")


class EdifactIdentity(Part):
    """Who somebody is in UNB: S002 of a sender, S003 of a recipient."""

    id: Annotated[str, Form(r"[!-~]([ -~]{0,33}[!-~])?", "1 to 35 printable characters, no blank at either end")] = (
        Field(description="0004/0010, for example a GLN.", examples=["4012345000009"])
    )
    qualifier: Annotated[str, Form(r"[A-Z0-9]{1,4}", "1 to 4 capital letters or digits")] | None = Field(
        default=None, description="0007, for example 14 for a GLN; absent: none.", examples=["14"]
    )
    internal: (
        Annotated[str, Form(r"[!-~]([ -~]{0,33}[!-~])?", "1 to 35 printable characters, no blank at either end")] | None
    ) = Field(default=None, description="0008/0014, address for routing inside their house; written, not compared.")


class Identity(Part):
    """Ourselves, as partners know us."""

    name: str = Field(description="The company's name, shown to people.", examples=["Example Company"])
    as2_id: As2Id = Field(description="Our AS2 name (AS2-To of what we receive).", examples=["EXAMPLE-AS2"])
    x12: X12Identity | None = Field(
        default=None, description="Our ISA and GS identity; needed for X12, unless a partner's file has our_identity."
    )
    edifact: EdifactIdentity | None = Field(
        default=None, description="Our UNB identity; needed for EDIFACT, unless a partner's file has our_identity."
    )
    certificate: str = Field(
        default="certs/gateway.pem", description="Our AS2 certificate; its private key is keys/gateway.key, encrypted."
    )


class Tls(Part):
    """Serving HTTPS ourselves."""

    certificate: str = Field(description="PEM file with the certificate chain.", examples=["certs/tls.pem"])
    key: str = Field(description="PEM file with the private key.", examples=["keys/tls.key"])
    client_ca: str | None = Field(
        default=None,
        description="PEM file with CAs, or client certificates themselves, that TLS clients may show; who must, their "
        "agreement says.",
        examples=["certs/tls-clients.pem"],
    )


class Listen(Part):
    """Where the gateway listens."""

    host: str = Field(default="127.0.0.1", description="Address to bind; 0.0.0.0 for all.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(default=8080, description="TCP port.")
    tls: Tls | None = Field(default=None, description="Certificate files; absent behind a proxy that ends TLS.")
    max_connections: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=20_000,
        description="Connections at once, over all callers, as far as the system's limit of open files allows; for one "
        "more the oldest silent one is ended, and where none is silent it is answered 503.",
    )
    trusted_proxies: tuple[Network, ...] = Field(
        default=(), description="Addresses or networks whose X-Forwarded-For and -Proto are believed."
    )
    public_url: Url | None = Field(
        default=None,
        description="Our address as partners reach it; asynchronous receipts come to /as2/receipts below it.",
        examples=["https://edi.example.com"],
    )


class Bearer(Part):
    """`Authorization: Bearer …`."""

    kind: Literal["bearer"] = Field(default="bearer", description="A token in the Authorization header.")
    token: Secret = Field(description="The token.")


class Basic(Part):
    """HTTP basic authentication (RFC 7617)."""

    kind: Literal["basic"] = Field(default="basic", description="User name and password.")
    username: str = Field(description="The user name.", examples=["gateway"])
    password: Secret = Field(description="The password.")


class HeaderKey(Part):
    """A key in a header of its own."""

    kind: Literal["header"] = Field(default="header", description="A key in a header of its own.")
    name: Annotated[str, Form(r"[A-Za-z0-9-]+", "letters, digits and -")] = Field(
        description="The header's name.", examples=["X-Api-Key"]
    )
    value: Secret = Field(description="The header's value.")


Authentication = Annotated[Bearer | Basic | HeaderKey, Field(discriminator="kind")]


CallPath = Annotated[str, Form(r"/\S*", "a path that begins with /")]
Pointer = Annotated[str, Form(r"/.*", "a JSON Pointer, such as /id")]


class Found(Part):
    """What an answer to a look-up has when the document is there; all of it."""

    status: Annotated[tuple[HttpStatus, ...], Field(min_length=1)] = Field(
        default=(200,), description="Its status is one of these."
    )
    pointer: Pointer | None = Field(
        default=None,
        description="Where its JSON has something that is neither null nor empty.",
        examples=["/items/0/id"],
    )
    equals: str | None = Field(
        default=None,
        description="What stands there, as text; {idempotency_key}, {number} and the like are filled in.",
        examples=["{idempotency_key}"],
    )

    @model_validator(mode="after")
    def _equals_somewhere(self) -> Found:
        if self.equals is not None and self.pointer is None:
            raise ValueError("equals needs pointer: where the text stands")
        return self


class Missing(Part):
    """What an answer to a look-up has when the document is not there; one of these is enough."""

    status: tuple[HttpStatus, ...] = Field(default=(404,), description="Its status is one of these.")
    empty_at: Pointer | None = Field(
        default=None,
        description="Where the JSON of a 2xx has null, 0, or an empty list, object or text: for searches.",
        examples=["/items"],
    )


class Lookup(Part):
    """How an ERP is asked whether it took a document whose answer never came; asked before any repeat."""

    method: Literal["GET", "POST"] = Field(default="GET", description="HTTP method; no body is sent.")
    path: CallPath = Field(
        description="Path and query below base_url; {idempotency_key}, {document_id}, {number}, {order_number} and "
        "{partner} are filled in.",
        examples=["/api/documents?key={idempotency_key}"],
    )
    found: Found = Field(default_factory=Found, description="The answer that says: it is there.")
    missing: Missing = Field(default_factory=Missing, description="The answer that says: it is not there.")
    id_at: Pointer | None = Field(default=None, description="JSON Pointer to the ERP's own id in the answer.")
    wait_seconds: Annotated[Decimal, Field(ge=0, le=3600)] = Field(
        default=Decimal(10),
        description="How long after a call that got no answer it is asked at the earliest: the ERP may still be at "
        "work on it.",
    )


class Compensation(Part):
    """How what a target took is undone when a critical one of the same document was given up."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"] = Field(default="POST", description="HTTP method.")
    path: CallPath = Field(
        description="As the call's path; also {their_id}, {idempotency_key} and {document_id}.",
        examples=["/api/documents/{their_id}/cancel"],
    )
    map: str | None = Field(
        default=None, description="JSON map for the body; absent: the canonical JSON, and nothing with DELETE."
    )
    when: tuple[Name, ...] = Field(
        default=(), description="Only when one of these targets was given up; absent: any critical one."
    )


class Replacement(Part):
    """How a document is handed over that replaces or cancels one that the target has."""

    method: Literal["POST", "PUT", "PATCH"] = Field(default="PUT", description="HTTP method.")
    path: CallPath = Field(
        description="As the call's path; also {their_id}, the target's id of what is replaced, {idempotency_key} and "
        "{document_id}.",
        examples=["/api/documents/{their_id}"],
    )
    map: str | None = Field(default=None, description="JSON map for the body; absent: as the call's.")


class Call(Part):
    """How one kind of document is handed to an ERP."""

    method: Literal["POST", "PUT", "PATCH"] = Field(default="POST", description="HTTP method.")
    path: CallPath = Field(
        description="Path below base_url; {number}, {order_number} and {partner} are filled in.",
        examples=["/api/documents"],
    )
    map: str | None = Field(default=None, description="JSON map for the body; absent: the canonical JSON itself.")
    id_at: Pointer | None = Field(default=None, description="JSON Pointer to the ERP's own id in its answer.")
    lookup: Lookup | None = Field(default=None, description="As the target's, for this kind of document only.")
    compensate: Compensation | None = Field(
        default=None, description="The call that undoes it, when another target of the same document was given up."
    )
    replace: Replacement | None = Field(
        default=None,
        description="The call for a document that replaces or cancels an earlier one; absent: the same call, with a "
        "key of its own.",
    )


RateText = Annotated[
    str,
    Form(
        r"[1-9][0-9]{0,5}/(second|minute|hour)( burst [1-9][0-9]{0,5})?",
        "a number, / and second, minute or hour, such as 10/second or 600/minute burst 50",
    ),
]
RATE_OF_A_TARGET = (
    "How many deliveries start in a time, of all partners together, over all nodes. After burst, how many at once "
    "after a rest (else what comes in a second). Without it there is no limit."
)
ORDERED = (
    "Each partner's documents one by one, in the order in which they came; one that fails holds those behind it "
    "until it succeeds, or an operator decides."
)


class HttpTarget(Part):
    """An ERP reached over HTTP."""

    kind: Literal["http"] = Field(default="http", description="An ERP reached over HTTP.")
    base_url: Url = Field(description="Where its API begins.", examples=["https://erp.example.com"])
    authentication: Authentication | None = Field(default=None, description="How we show who we are.")
    documents: Annotated[dict[Kind, Call], Field(min_length=1)] = Field(
        description="The call for each kind of document that it takes."
    )
    idempotency_header: str = Field(
        default="Idempotency-Key", description="Header with the key that is the same on every attempt."
    )
    honours_key: bool = Field(
        default=True,
        description="Whether a second call with the same key has no second effect. Where it has one and there is no "
        "lookup, a call without an answer is not repeated: an operator decides.",
    )
    lookup: Lookup | None = Field(
        default=None, description="How it is asked whether it took a document whose answer never came."
    )
    headers: dict[str, str] = Field(default_factory=dict, description="Further fixed headers.")
    timeout_seconds: Annotated[Decimal, Field(gt=0, le=600)] = Field(
        default=Decimal(30), description="How long to wait for an answer."
    )
    retried: tuple[HttpStatus, ...] = Field(
        default=(408, 425, 429, 500, 502, 503, 504), description="Answers that are tried again."
    )
    accepted: tuple[HttpStatus, ...] = Field(
        default=(), description="Answers beside 2xx that mean it is there, for example 409 for a repeat."
    )
    cap: Annotated[int, Field(ge=1, le=256)] = Field(
        default=16,
        description="Calls of one gateway process under way at once, over all partners; one partner has half of them.",
    )
    ordered: bool = Field(default=False, description=ORDERED)
    rate: RateText | None = Field(default=None, description=RATE_OF_A_TARGET, examples=["10/second"])


class FolderTarget(Part):
    """A folder that receives each document as a JSON file, written atomically."""

    kind: Literal["folder"] = Field(default="folder", description="JSON files in a folder.")
    path: str = Field(description="The folder; one sub-folder for each kind of document.", examples=["data/mailbox"])
    cap: Annotated[int, Field(ge=1, le=256)] = Field(default=4, description="Writes under way at once, at most.")
    ordered: bool = Field(default=False, description=ORDERED)
    rate: RateText | None = Field(default=None, description=RATE_OF_A_TARGET, examples=["10/second"])


Target = Annotated[HttpTarget | FolderTarget, Field(discriminator="kind")]


class Destination(Part):
    """One of several targets of a route."""

    target: Name = Field(description="The target's name.", examples=["webhook-example"])
    optional: bool = Field(
        default=False, description="Whether the document is delivered without it, and nothing is undone when it fails."
    )


def _listed(said: Any) -> Any:
    """One name, or names and sections in a list, as sections."""
    every = said if isinstance(said, list | tuple) else [said]
    return [{"target": one} if isinstance(one, str) else one for one in every]


class Route(Part):
    """One routing rule; the first that fits decides. Conditions that are absent fit everything."""

    to: Annotated[tuple[Destination, ...], Field(min_length=1, max_length=16), BeforeValidator(_listed)] = Field(
        description="The target's name, or a list of names and sections: each of them gets the document by itself.",
        examples=["http-example"],
    )
    business_unit: tuple[str, ...] = Field(default=(), description="Business units of the order.")
    partner: tuple[Name, ...] = Field(default=(), description="Partners.")
    document: tuple[Kind, ...] = Field(default=(), description="Kinds of document.")
    ship_to: tuple[str, ...] = Field(
        default=(),
        description="Ids of the place that the goods go to, as VALUE or SCHEME:VALUE; of an answer, its order's.",
        examples=[("gln:4012345000009",)],
    )
    postcode: tuple[str, ...] = Field(
        default=(), description="Beginnings of that place's postcode; blanks and small letters do not count."
    )
    number_prefix: tuple[str, ...] = Field(
        default=(), description="Beginnings of the number of the order that it is or answers.", examples=[("45",)]
    )
    since: date | None = Field(
        default=None, description="First day of the orders (UTC, the day an order came or went) that go there."
    )
    until: date | None = Field(default=None, description="Last day of the orders that go there.")

    @model_validator(mode="after")
    def _each_once(self) -> Route:
        names = [one.target for one in self.destinations]
        if len(set(names)) < len(names):
            raise ValueError("each target once")
        if all(one.optional for one in self.destinations):
            raise ValueError("at least one target that is not optional")
        return self

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """The targets, those that count first."""
        return tuple(sorted(self.to, key=lambda one: one.optional))


class Database(Part):
    """Where state is kept."""

    url: Annotated[str, Form(r"(sqlite:///|postgresql\+asyncpg://)\S+", "sqlite:///… or postgresql+asyncpg://…")] = (
        Field(
            default="sqlite:///data/gateway.db",
            description="sqlite:///file or postgresql+asyncpg://…; GATEWAY_DATABASE_URL overrides it.",
        )
    )
    payloads: str = Field(default="data/payloads", description="Folder for payloads over 1 MiB.")


class Retries(Part):
    """When failed work is tried again."""

    schedule_seconds: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        min_length=1,
        default=(5, 15, 60, 300, 900, 3600, 7200, 14400, 28800, 43200, 86400, 86400),
        description="Waiting times between attempts, in seconds; the last one repeats until give_up_after_hours.",
    )
    give_up_after_hours: Annotated[Decimal, Field(gt=0, le=720)] = Field(
        default=Decimal(72), description="When the last attempt is made, counted from the first."
    )
    jitter: Annotated[Decimal, Field(ge=0, le=1)] = Field(
        default=Decimal("0.2"), description="Share by which each waiting time varies at random."
    )


class Nodes(Part):
    """This process among others on the same database."""

    heartbeat_seconds: Annotated[Decimal, Field(ge=Decimal("0.1"), le=60)] = Field(
        default=Decimal(5),
        description="How often it says that it is alive; after three of these without a word the others give its work "
        "back.",
    )
    drain_seconds: Annotated[Decimal, Field(ge=0, le=600)] | None = Field(
        default=None,
        description="How long it still answers after it was told to stop and is not ready any more, so that a balancer "
        "sees it; absent: 5 on PostgreSQL, 0 on SQLite.",
    )


def _some_type(pattern: str) -> str:
    if not fitting((pattern,)):
        raise ValueError(f"a type of event, or a pattern such as order.*; the types are {', '.join(TYPES)}")
    return pattern


TypePattern = Annotated[str, Form(r"[a-z_.*]{1,60}", "small letters, dots, _ and *"), AfterValidator(_some_type)]
"""A type of published event; `*` stands for any characters."""
_EVERYTHING = ("*",)


class Webhook(Part):
    """Somebody who is told of events by HTTP, signed (docs/webhooks.md)."""

    url: Url = Field(description="Where events are posted.", examples=["https://erp.example.com/hooks"])
    types: Annotated[tuple[TypePattern, ...], Field(min_length=1)] = Field(
        default=_EVERYTHING, description="The types of event; * stands for any characters.", examples=[("order.*",)]
    )
    secrets: Secret = Field(
        description="Where its signing secrets stand (whsec_… or whsk_…, the newest first); each of them signs. "
        "`gateway webhook rotate` writes the file, such as keys/webhook-erp.secret.",
    )
    allow_private: bool = Field(
        default=False, description="Whether the address may be one of a private network, such as 10.0.0.7."
    )
    retries: Retries = Field(
        default_factory=lambda: Retries(
            schedule_seconds=(5, 60, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400),
            give_up_after_hours=Decimal(96),
        ),
        description="When an event that was not taken is sent again; absent: over four days.",
    )


class OurWebhook(Webhook):
    """The same in gateway.yaml: told of all partners, or of some."""

    partners: tuple[Name, ...] = Field(default=(), description="Only events of these partners; absent: all.")


class Nats(Part):
    """A NATS JetStream that gets every event (`pip install partner-gateway[nats]`)."""

    servers: Annotated[
        tuple[Annotated[str, Form(r"(nats|tls|ws|wss)://[^\s@]+", "nats://host:4222, without user")], ...],
        Field(min_length=1, max_length=20),
    ] = Field(description="Its servers; any of them will do.", examples=[("nats://127.0.0.1:4222",)])
    types: Annotated[tuple[TypePattern, ...], Field(min_length=1)] = Field(
        default=_EVERYTHING, description="The types of event; * stands for any characters."
    )
    subject: Annotated[str, Form(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", "words joined by dots")] = Field(
        default="gateway", description="How subjects begin: <subject>.<type>.<partner>; without a partner it is _."
    )
    stream: Annotated[str, Form(r"[A-Za-z0-9_-]{1,64}", "letters, digits, - and _")] = Field(
        default="GATEWAY", description="The stream that is made where none takes these subjects."
    )
    user: str | None = Field(default=None, description="User name.")
    password: Secret | None = Field(default=None, description="Its password.")
    token: Secret | None = Field(default=None, description="A token, instead of a user.")
    ca: str | None = Field(default=None, description="PEM file with the CAs that vouch for the servers.")

    @model_validator(mode="after")
    def _one_way_in(self) -> Nats:
        if (self.user is None) != (self.password is None) or (self.user is not None and self.token is not None):
            raise ValueError("user with password, or token, or neither")
        return self


class Traces(Part):
    """Traces to an OpenTelemetry collector (`pip install partner-gateway[traces]`)."""

    endpoint: Url = Field(
        description="Its address for traces by OTLP over HTTP. Headers and certificates for it stand in the variables "
        "of OpenTelemetry, such as OTEL_EXPORTER_OTLP_HEADERS.",
        examples=["http://127.0.0.1:4318/v1/traces"],
    )
    share: Annotated[Decimal, Field(ge=0, le=1)] = Field(
        default=Decimal(1), description="How many of the messages are traced: 1 all, 0.01 one in a hundred."
    )


LONGEST_DAYS = 36_500
Days = Annotated[int, Field(ge=0, le=LONGEST_DAYS)]
"""Days that something is kept; 0: for ever."""
_OF_A_KIND = "The same for messages with, and documents of, one kind; where several fit, the longest counts."


class KindRetention(Part):
    """How long what belongs to one kind of document is kept (docs/retention.md)."""

    payload_days: Days | None = Field(default=None, description="Bytes of its messages, as they came and unwrapped.")
    document_days: Days | None = Field(default=None, description="The canonical document.")


class PartnerRetention(Part):
    """How long a partner's data is kept where that is not as in gateway.yaml (docs/retention.md)."""

    payload_days: Days | None = Field(
        default=None, description="Bytes of messages, as they came and unwrapped; 0: for ever."
    )
    document_days: Days | None = Field(default=None, description="Canonical documents; 0: for ever.")
    attempts_days: Days | None = Field(
        default=None, description="The record of the attempts at the work on a message; 0: for ever."
    )
    control_number_days: Days | None = Field(
        default=None,
        description="For how long an interchange control number of theirs is known to be used; 0: for ever.",
    )
    kinds: dict[Kind, KindRetention] = Field(default_factory=dict, description=_OF_A_KIND)


class Retention(Part):
    """How long data is kept (docs/retention.md); 0: for ever. A legal hold goes before all of it."""

    payload_days: Days = Field(default=0, description="Bytes of messages, as they came and unwrapped; 0: for ever.")
    document_days: Days = Field(default=0, description="Canonical documents; 0: for ever.")
    attempts_days: Days = Field(
        default=0, description="The record of the attempts at the work on a message; 0: for ever."
    )
    control_number_days: Days = Field(
        default=0,
        description="For how long an interchange control number of a partner is known to be used; 0: for ever.",
    )
    idempotency_days: Days = Field(
        default=90,
        description="For how long an Idempotency-Key of REST gets the first answer again; 0: for ever. After that the "
        "document's own number still tells a repeat.",
    )
    webhook_days: Days = Field(
        default=30, description="Deliveries to webhooks that have ended, with their attempts; 0: for ever."
    )
    finished_days: Days = Field(
        default=2,
        description="Days after which work that has ended moves out of the job table; its attempts are told as before. "
        "0: never.",
    )
    kinds: dict[Kind, KindRetention] = Field(default_factory=dict, description=_OF_A_KIND)


class Settings(Part):
    """The whole of `gateway.yaml`."""

    identity: Identity = Field(description="Ourselves, as partners know us.")
    listen: Listen = Field(default_factory=Listen, description="Where the gateway listens.")
    database: Database = Field(default_factory=Database, description="Where state is kept.")
    passphrase: Secret = Field(
        default_factory=lambda: Secret(env="GATEWAY_PASSPHRASE"),
        description="Passphrase that encrypts the private keys in keys/.",
    )
    targets: dict[Name, Target] = Field(default_factory=dict, description="ERPs and folders that take documents.")
    routes: tuple[Route, ...] = Field(default=(), description="Which document goes to which target, in order.")
    retries: Retries = Field(default_factory=Retries, description="When failed work is tried again.")
    webhooks: dict[Name, OurWebhook] = Field(
        default_factory=dict,
        description="Who is told of events by HTTP; partners' own stand in their files.",
        examples=["erp"],
    )
    nats: Nats | None = Field(default=None, description="The NATS JetStream that gets every event.")
    traces: Traces | None = Field(default=None, description="The collector that gets traces. Without it none are made.")
    max_message_bytes: Annotated[int, Field(ge=1024, le=2**32)] = Field(
        default=50_000_000, description="Largest message accepted from any partner; JSON over REST: 4 MiB at most."
    )
    max_interchange_bytes: Annotated[int, Field(ge=1024, le=2**31)] = Field(
        default=100_000_000,
        description="Largest EDI file that is read, which is done in memory; what is larger is kept and refused.",
    )
    seal_seconds: Annotated[int, Field(ge=1, le=60)] = Field(
        default=60, description="Longest time that an event of the audit trail stays unsealed."
    )
    hooks: HooksFile | None = Field(
        default=None,
        description="The Python file beside this one with the hooks that maps may name. Without it none may.",
    )
    reload_seconds: Annotated[int, Field(ge=0, le=3600)] = Field(
        default=2, description="How often the workspace is looked at for changes; 0: only on SIGHUP."
    )
    nodes: Nodes = Field(default_factory=Nodes, description="This process among others on the same database.")
    retention: Retention = Field(
        default_factory=Retention, description="How long data is kept; partners' files may say otherwise for theirs."
    )
