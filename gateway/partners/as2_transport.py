"""What is agreed with one partner about the way of our requests to its station: TLS, proxy, headers, framing.

A model only: files that it names are looked at by `gateway.partners.as2_checks`, and used by `gateway.connectors.way`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gateway.settings import Basic, Form, Part, Secret, reachable

OWN_HEADERS = frozenset(
    {"as2-from", "as2-to", "as2-version", "message-id", "ediint-features", "subject", "date", "mime-version", "host"}
    | {"content-type", "content-length", "content-encoding", "content-transfer-encoding", "content-disposition"}
    | {"transfer-encoding", "connection", "expect", "accept-encoding", "authorization", "proxy-authorization"}
    | {"disposition-notification-to", "disposition-notification-options", "receipt-delivery-option"}
)
"""Headers that are written from the message, or by a key of their own."""


def _free(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if name.lower() in OWN_HEADERS:
            raise ValueError(f"headers of your own; {name} is written by the gateway")
        if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not re.fullmatch(r"[!-~]([ -~]*[!-~])?", value):
            raise ValueError("names of letters, digits and -, each with printable ASCII on one line")
    return headers


def _sha256(text: str) -> str:
    digits = re.sub(r"[\s:]", "", text).lower()
    if re.fullmatch(r"[0-9a-f]{64}", digits) is None:
        raise ValueError("the SHA-256 of a certificate: 64 hexadecimal digits, with or without colons")
    return digits


Fingerprint = Annotated[str, AfterValidator(_sha256)]
HostName = Annotated[
    str, Form(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", "a host name, such as as2.example.com")
]


class Proxy(Part):
    """An HTTP proxy on the way out."""

    url: Annotated[
        str,
        Form(r"http://[^/\s@?#]+/?", "an http:// address without user and path, such as http://proxy.example:3128"),
        AfterValidator(reachable),
    ] = Field(description="Its address; what goes to https:// is tunnelled by CONNECT.", examples=["http://proxy:3128"])
    authentication: Basic | None = Field(default=None, description="Who we are at the proxy.")


class Transport(Part):
    """How our requests travel to the partner's station."""

    ca: str | None = Field(
        default=None,
        description="PEM file with the CAs that may have signed their TLS certificate, instead of the system's.",
        examples=["certs/example-ca.pem"],
    )
    pinned: tuple[Fingerprint, ...] = Field(
        default=(),
        description="SHA-256 of their TLS certificate: exactly this one is trusted, whatever signed it and whatever "
        "name it has; two while they change it.",
        examples=[("ab" * 32,)],
    )
    minimum_tls: Literal["1.2", "1.3"] = Field(default="1.2", description="Oldest version of TLS that we speak.")
    server_name: HostName | None = Field(
        default=None,
        description="Name that TLS asks for (SNI) and that their certificate must have; absent: the host of the url.",
        examples=["as2.example.com"],
    )
    host_header: Annotated[str, Form(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", "a host, perhaps with a port")] | None = (
        Field(default=None, description="Host header; absent: the host of the url.", examples=["as2.example.com"])
    )
    client_certificate: str | None = Field(
        default=None,
        description="PEM file with the certificate (and its chain) that we show in TLS.",
        examples=["certs/tls-client.pem"],
    )
    client_key: str | None = Field(
        default=None, description="PEM file with its private key.", examples=["keys/tls-client.key"]
    )
    client_passphrase: Secret | None = Field(default=None, description="Passphrase of client_key.")
    proxy: Proxy | None = Field(default=None, description="HTTP proxy; absent: none, whatever the environment says.")
    headers: Annotated[dict[str, str], AfterValidator(_free)] = Field(
        default_factory=dict, description="Further fixed headers, no secrets."
    )
    connect_seconds: Annotated[Decimal, Field(gt=0, le=120)] = Field(
        default=Decimal(10), description="How long to wait for the connection, TLS included."
    )
    expect_continue_bytes: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="Bodies of this size and more wait for 100 (Continue) before they go; absent: none does. Only for "
        "stations that answer Expect.",
        examples=[1_048_576],
    )
    chunked: bool = Field(
        default=False, description="Send bodies in chunks; no: with Content-Length, which every station takes."
    )
