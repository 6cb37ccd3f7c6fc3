"""Where a partner may have receipts sent: by the agreement, read in one way, private machines only by name."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.partners.as2_channel import As2Channel
from gateway.partners.receipt_address import is_public, receipt_address, same_origin


def channel(url: str = "https://as2.acme.example/as2", **keys: Any) -> As2Channel:
    """A partner's section as2."""
    return As2Channel(id="ACME", url=url, certificates=("certs/acme.pem",), **keys)


ALLOWED: dict[str, tuple[tuple[str, ...], str]] = {
    "the station's own address": ((), "https://as2.acme.example/as2"),
    "another path of it": ((), "https://as2.acme.example/receipts?m=1"),
    "its port in full": ((), "https://as2.acme.example:443/as2"),
    "a name in capitals": ((), "HTTPS://AS2.acme.EXAMPLE/as2"),
    "agreed whole": (("http://mdn.acme.example:8080/in",), "http://mdn.acme.example:8080/in"),
    "agreed whole, with a query": (("http://mdn.acme.example/in",), "http://mdn.acme.example/in?id=7"),
    "below an agreed beginning": (("https://mdn.acme.example/a/",), "https://mdn.acme.example/a/b/c"),
    "one of several": (("https://a.example/", "https://b.example/"), "https://b.example/x"),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_an_agreed_address_is_allowed_and_stays_as_it_was_asked_for(name: str) -> None:
    """Octet for octet what the partner wrote is called."""
    agreed, asked = ALLOWED[name]
    assert receipt_address(channel(receipt_urls=agreed), asked).url == asked


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "another host": ((), "https://as2.acme.example.evil.example/as2"),
    "another scheme": ((), "http://as2.acme.example/as2"),
    "another port": ((), "https://as2.acme.example:8443/as2"),
    "the station, where others were agreed": (("https://mdn.acme.example/",), "https://as2.acme.example/as2"),
    "beside an agreed address": (("https://mdn.acme.example/in",), "https://mdn.acme.example/in/more"),
    "an agreed address as a beginning": (("https://mdn.acme.example/in",), "https://mdn.acme.example/inner"),
    "above the beginning by dots": (("https://a.example/b/",), "https://a.example/b/../c"),
    "above by coded dots": (("https://a.example/b/",), "https://a.example/b/%2e%2E/c"),
    "above by a coded slash": (("https://a.example/b/",), "https://a.example/b/..%2fc"),
    "above by a backslash": (("https://a.example/b/",), "https://a.example/b/..\\c"),
    "a user that looks like the host": ((), "https://as2.acme.example@evil.example/as2"),
    "a user": ((), "https://me@as2.acme.example/as2"),
    "a fragment": ((), "https://as2.acme.example/as2#x"),
    "a backslash before another host": ((), "https://as2.acme.example\\@evil.example/as2"),
    "a line end": ((), "https://as2.acme.example/as2\r\nHost: evil.example"),
    "a blank": ((), "https://as2.acme.example/ as2"),
    "a name beyond ASCII": ((), "https://as2.acme.ex\u00e4mple/as2"),
    "a coded name": ((), "https://as2.acme%2eexample/as2"),
    "mail": ((), "mailto:mdn@acme.example"),
    "a file": ((), "file:///etc/passwd"),
    "gopher": ((), "gopher://as2.acme.example/as2"),
    "no host": ((), "https:///as2"),
    "port 0": ((), "https://as2.acme.example:0/as2"),
    "a port beyond all ports": ((), "https://as2.acme.example:65536/as2"),
    "endless": ((), "https://as2.acme.example/" + "x" * 2000),
    "nothing": ((), "https"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_any_other_address_is_refused_in_words(name: str) -> None:
    """A ValueError that names nothing of ours."""
    agreed, asked = REFUSED[name]
    with pytest.raises(ValueError, match=r"it (is|was) not"):
        receipt_address(channel(receipt_urls=agreed), asked)


PRIVATE = (
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255",  # noqa: S104  judged, not bound
    "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
    "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "::127.0.0.1",
    "fe80::1%eth0",
)  # fmt: skip
ODD = ("127.1", "2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.0.0.1.", "localhost", "", "1.2.3.4.5")


@pytest.mark.parametrize("host", [*PRIVATE, *ODD])
def test_an_address_that_is_not_of_the_public_internet_is_not_public(host: str) -> None:
    """Private, loopback, link-local, shared, documentation, multicast, embedded ones; and what is no plain address."""
    assert not is_public(host)


@pytest.mark.parametrize("host", ["8.8.8.8", "1.1.1.1", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_address_of_the_public_internet_is_public(host: str) -> None:
    """Also behind a mapping."""
    assert is_public(host)


@pytest.mark.parametrize("host", ["10.1.2.3", "127.1", "2130706433", "[::1]", "[::ffff:10.0.0.1]"])
def test_a_private_address_is_refused_at_once_unless_the_agreement_names_it_whole(host: str) -> None:
    """The station's own host is not enough, nor a beginning; the whole address is, without a query."""
    base = f"http://{host}:4080"
    for agreed in ((), (f"{base}/",)):
        with pytest.raises(ValueError, match="it is a private address"):
            receipt_address(channel(f"{base}/as2", receipt_urls=agreed), f"{base}/receipts")
    whole = channel(f"{base}/as2", receipt_urls=(f"{base}/receipts",))
    assert receipt_address(whole, f"{base}/receipts").named
    with pytest.raises(ValueError, match="private"):
        receipt_address(whole, f"{base}/receipts?x")
    assert receipt_address(channel(f"{base}/as2"), f"{base}/as2").named


def test_a_name_is_judged_when_the_connection_is_made() -> None:
    """Not named whole: whatever it leads to then must be public."""
    assert not receipt_address(channel(), "https://as2.acme.example/receipts").named


def test_our_credentials_belong_to_the_station_only() -> None:
    """Same scheme, host and port."""
    assert same_origin(channel(), "https://AS2.acme.example:443/receipts")
    for other in ("http://as2.acme.example/receipts", "https://mdn.acme.example/", "nonsense"):
        assert not same_origin(channel(), other)


@pytest.mark.parametrize(
    "url", ["https://a.example/x/../y", "https://\u00e4.example/x", "https://a%2eb/x", "ftp://a.example/"]
)
def test_an_agreement_names_no_address_that_could_never_match(url: str) -> None:
    """Told when the file is read, and not when a message is refused."""
    with pytest.raises(ValidationError, match="address"):
        channel(receipt_urls=(url,))
