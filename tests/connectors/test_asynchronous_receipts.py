"""Facts about the way of our receipts: to no private machine by whatever name, credentials to nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from gateway.connectors import public_only
from gateway.connectors.as2 import As2Connector
from gateway.errors import DeliveryFailed, Outcome
from gateway.partners.agreement import Agreement
from gateway.partners.receipt_address import ReceiptAddress

HEADERS = (("AS2-From", "US"), ("Content-Type", "multipart/signed"))


def agreement(url: str, **as2: object) -> Agreement:
    """A partner whose station is at `url`."""
    channel = {"id": "ACME", "url": url, "certificates": ["certs/acme.pem"]} | as2
    return Agreement.model_validate(
        {
            "name": "acme",
            "title": "Acme",
            "ids": [{"scheme": "gln", "value": "1"}],
            "channel": "as2",
            "as2": channel,
            "x12": {"identity": {"qualifier": "ZZ", "id": "ACME"}},
            "documents": {},
        }
    )


async def post(session: aiohttp.ClientSession, url: str, *, named: bool, station: str = "", **as2: object) -> int:
    """Post a receipt to `url`; the status."""
    partner = agreement(station or "https://as2.acme.example/as2", **as2)
    connector = As2Connector([partner], Path(), session)
    answer = await connector.post_receipt(partner, ReceiptAddress(url=url, named=named), HEADERS, b"mdn")
    return answer.status


LEADS_HOME = (
    "127.0.0.1",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
)


@pytest.mark.parametrize("host", LEADS_HOME)
async def test_no_name_or_number_of_a_private_machine_is_ever_connected_to(
    far_side: Any, session: aiohttp.ClientSession, host: str
) -> None:
    """Permanent, with the remedy; the machine never hears of it."""
    with pytest.raises(DeliveryFailed) as caught:
        await post(session, f"http://{host}:{URL(far_side.url).port}/receipts", named=False)
    assert far_side.requests == []
    assert caught.value.outcome in {Outcome.PERMANENT, Outcome.TRANSIENT}
    if host in {"127.0.0.1", "localhost"}:
        assert caught.value.outcome is Outcome.PERMANENT
        assert "receipt_urls" in str(caught.value)


async def test_a_name_server_that_changes_its_answer_does_not_help(
    far_side: Any, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was resolved before, the socket itself is refused."""

    async def resolve(*_: object, **__: object) -> list[dict[str, Any]]:
        at = {"hostname": "as2.acme.example", "host": "127.0.0.1", "port": URL(far_side.url).port, "family": 2}
        return [at | {"proto": 6, "flags": 0}]

    monkeypatch.setattr(aiohttp.TCPConnector, "_resolve_host", resolve)
    with pytest.raises(DeliveryFailed, match=r"127\.0\.0\.1, which is not public"):
        await post(session, "http://as2.acme.example/receipts", named=False)
    assert far_side.requests == []


async def test_a_public_address_is_posted_to_without_being_named_whole(
    far_side: Any, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loopback counts as public here, because a test has no other."""
    monkeypatch.setattr(public_only, "is_public", lambda host: host == "127.0.0.1")
    assert await post(session, far_side.url, named=False) == 200
    assert far_side.bodies == [b"mdn"]
    assert far_side.requests[0].headers["AS2-From"] == "US"


async def test_an_address_that_is_named_whole_may_be_private(far_side: Any, session: aiohttp.ClientSession) -> None:
    """A partner in our own network."""
    assert await post(session, far_side.url, named=True) == 200


async def test_a_redirect_to_wherever_is_a_permanent_refusal(
    far_side: Any, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not followed, from a public address neither."""
    monkeypatch.setattr(public_only, "is_public", lambda host: host == "127.0.0.1")

    async def elsewhere(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": str(request.url)})

    far_side.handler = elsewhere
    for named in (True, False):
        with pytest.raises(DeliveryFailed) as caught:
            await post(session, far_side.url, named=named)
        assert caught.value.outcome is Outcome.PERMANENT
    assert len(far_side.requests) == 2


@pytest.mark.parametrize("at_station", [True, False])
async def test_what_is_agreed_about_the_way_holds_for_the_station_only(
    far_side: Any, session: aiohttp.ClientSession, *, at_station: bool
) -> None:
    """Its fixed headers, and with them its TLS, are for nobody else."""
    station = far_side.url if at_station else "https://as2.acme.example/as2"
    await post(session, far_side.url, named=True, station=station, transport={"headers": {"X-Own": "1"}})
    assert ("X-Own" in far_side.requests[0].headers) is at_station


async def test_behind_an_agreed_proxy_the_proxy_connects(far_side: Any, session: aiohttp.ClientSession) -> None:
    """Whichever host the address names; a station's own headers go to no other host there either."""
    transport = {"proxy": {"url": far_side.url}, "headers": {"X-Own": "1"}}
    assert await post(session, "http://mdn.acme.example/receipts", named=False, transport=transport) == 200
    (seen,) = far_side.requests
    assert (seen.headers["Host"], "X-Own" in seen.headers) == ("mdn.acme.example", False)


@pytest.mark.parametrize("at_station", [True, False])
async def test_our_credentials_go_to_the_station_and_to_no_other_host(
    far_side: Any, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, *, at_station: bool
) -> None:
    """An address for receipts elsewhere must not learn them."""
    monkeypatch.setenv("STATION_TOKEN", "t")
    authentication = {"kind": "bearer", "token": {"env": "STATION_TOKEN"}}
    station = far_side.url if at_station else "https://as2.acme.example/as2"
    await post(session, far_side.url, named=True, station=station, authentication=authentication)
    assert far_side.requests[0].headers.get("Authorization") == ("Bearer t" if at_station else None)
