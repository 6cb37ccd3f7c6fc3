"""Webhooks: signed so that others verify them, never sent where they must not go, every answer with its outcome."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook as Peer
from standardwebhooks import WebhookVerificationError

from gateway.connectors.public_only import public_connector
from gateway.connectors.webhook import WebhookPost
from gateway.connectors.webhook_secrets import new_secret, read_secrets, signed_headers
from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.settings import Secret, Webhook

EVENT_ID, BODY = "0199-1", '{"specversion":"1.0","data":{"number":"Ä-1"}}'
Make = Callable[..., WebhookPost]


@pytest.fixture
async def make(tmp_path: Path, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """A webhook to an address, with the secrets in $HOOK."""
    async with aiohttp.ClientSession(connector=public_connector(limit=4, keep=True)) as public:

        def made(url: str, *, secrets: str, allow_private: bool = True) -> WebhookPost:
            monkeypatch.setenv("HOOK", secrets)
            return WebhookPost(
                "erp",
                Webhook(url=url, secrets=Secret(env="HOOK"), allow_private=allow_private),
                tmp_path,
                session=session,
                public=public,
                clock=lambda: datetime.now(UTC),
            )

        yield made


async def test_the_reference_library_verifies_what_is_sent(make: Make, far_side: Any) -> None:
    """By each of two secrets, as long as both sign; by no other; and not when an octet of the body is changed."""
    new, old = new_secret().text, new_secret().text
    assert await make(far_side.url, secrets=f"{new}\n{old}").post(EVENT_ID, BODY) == 200
    headers, body = dict(far_side.requests[0].headers), far_side.bodies[0]
    assert body == BODY.encode()
    assert headers["webhook-id"] == EVENT_ID
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    for secret in (new, old):
        assert Peer(secret).verify(body, headers)["specversion"] == "1.0"
    for secret, changed in ((new_secret().text, body), (new, body.replace(b"1.0", b"1.1"))):
        with pytest.raises(WebhookVerificationError):
            Peer(secret).verify(changed, headers)


def test_the_signature_of_the_reference_librarys_own_test() -> None:
    """The vector that implementations of Standard Webhooks share."""
    keys = read_secrets("test", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_asymmetric_secret_signs_as_v1a_beside_a_symmetric_one() -> None:
    """The receiver needs the public key alone, which is what is shown."""
    pair, shared = new_secret(asymmetric=True), new_secret()
    keys = read_secrets("test", f"{pair.text} {shared.text}")
    signatures = signed_headers(keys, "m-1", 5, b"{}")["webhook-signature"].split(" ")
    assert [one.partition(",")[0] for one in signatures] == ["v1a", "v1"]
    assert pair.shown.startswith("whpk_")
    assert shared.shown == shared.text
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(pair.shown.removeprefix("whpk_")))
    public.verify(base64.b64decode(signatures[0].removeprefix("v1a,")), b"m-1.5.{}")
    key = base64.b64decode(shared.text.removeprefix("whsec_"))
    assert base64.b64decode(signatures[1][3:]) == hmac.digest(key, b"m-1.5.{}", hashlib.sha256)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_!!!!",
        "whsk_AAAA",
        "whsk_" + base64.b64encode(bytes(64)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        " ".join(["whsec_" + base64.b64encode(bytes(32)).decode()] * 5),
    ],
)
def test_what_is_no_secret_is_refused_without_repeating_it(text: str) -> None:
    """With what would be one."""
    with pytest.raises(OurFault) as refused:
        read_secrets("webhook erp", text)
    assert "webhook erp" in str(refused.value)
    assert not (rest := text[6:]) or rest not in f"{refused.value} {refused.value.remedy}"
    assert refused.value.remedy


ANSWERS = {
    204: None,
    301: Outcome.TRANSIENT,
    307: Outcome.TRANSIENT,
    400: Outcome.TRANSIENT,
    404: Outcome.TRANSIENT,
    410: Outcome.PERMANENT,
    429: Outcome.TRANSIENT,
    500: Outcome.TRANSIENT,
    503: Outcome.TRANSIENT,
}


@pytest.mark.parametrize(("status", "outcome"), ANSWERS.items())
async def test_every_answer_has_its_outcome(make: Make, far_side: Any, status: int, outcome: Outcome | None) -> None:
    """Only 410 is for ever; a redirect is never followed; how long to wait is heard."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": "77", "Location": far_side.url + "/elsewhere"})

    far_side.handler = answer
    endpoint = make(far_side.url, secrets=new_secret().text)
    if outcome is None:
        assert await endpoint.post(EVENT_ID, BODY) == status
        return
    with pytest.raises(DeliveryFailed, match=f"answered {status}") as failed:
        await endpoint.post(EVENT_ID, BODY)
    assert (failed.value.outcome, failed.value.retry_after, failed.value.status) == (outcome, 77.0, status)
    assert len(far_side.requests) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_private_address_is_refused_before_a_socket_is_made(make: Make, far_side: Any, host: str) -> None:
    """Whatever name leads there; with how to allow it."""
    url = far_side.url.replace("127.0.0.1", host)
    with pytest.raises(DeliveryFailed, match=r"private address.*allow_private: true"):
        await make(url, secrets=new_secret().text, allow_private=False).post(EVENT_ID, BODY)
    assert far_side.requests == []


async def test_a_secret_that_is_missing_is_our_fault_and_nothing_is_sent(make: Make, far_side: Any) -> None:
    """Unsigned events are never sent."""
    with pytest.raises(OurFault, match="HOOK"):
        await make(far_side.url, secrets="").post(EVENT_ID, BODY)
    assert far_side.requests == []


async def test_a_secret_that_was_exchanged_signs_from_the_next_event_on(
    make: Make, far_side: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a restart."""
    first, second = new_secret().text, new_secret().text
    endpoint = make(far_side.url, secrets=first)
    await endpoint.post(EVENT_ID, BODY)
    monkeypatch.setenv("HOOK", second)
    await endpoint.post(EVENT_ID, BODY)
    Peer(second).verify(far_side.bodies[1], dict(far_side.requests[1].headers))
