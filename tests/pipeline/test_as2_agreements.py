"""Each key of an agreement's as2 does what it says, over real HTTP, judged by what was on the wire or refused."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway import as2
from gateway.pipeline import wrapping
from gateway.pipeline.admission import guards
from gateway.ports import MessageState
from gateway.settings import Basic, Listen, Secret, Tls
from gateway.web.as2 import As2Endpoint
from gateway.web.server import serve

ANY = as2.Policy(require_signature=False, require_encryption=False)
PROCESSED = b"automatic-action/MDN-sent-automatically; processed\r\n"


class Listener:
    """A station that keeps what came, opened, and answers with a receipt made by a MIC algorithm of the test."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.raw = b""
        self.opened: as2.Opened | None = None
        self.micalg: str | None = None

    async def post(self, trade: Any, request: web.Request) -> web.Response:
        """One message."""
        ours = trade.station.station.keyring
        self.headers, self.raw = dict(request.headers), await request.read()
        headers = list(self.headers.items())
        policy = ANY if self.micalg is None else as2.Policy(hashes=frozenset({self.micalg, "sha-256"}))
        self.opened = as2.open_message(
            headers, self.raw, keys=ours.ours, partner_certificates=ours.theirs["us"], policy=policy
        )
        receipt = as2.build_receipt(
            request=self.opened.addressing,
            opened=self.opened,
            fault=None,
            key=ours.ours[0],
            our_name="acme",
            message_id="<r@acme>",
            date=trade.clock(),
        )
        return web.Response(body=receipt.body, headers=dict(receipt.headers))


@pytest.fixture
async def listener(trade: Any) -> AsyncIterator[Listener]:
    """It stands where acme's station stood."""
    made = Listener()

    async def post(request: web.Request) -> web.Response:
        return await made.post(trade, request)

    application = web.Application()
    application.router.add_post("/as2", post)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    trade.gateway.agree("acme", as2={"url": f"http://127.0.0.1:{runner.addresses[0][1]}/as2"})
    yield made
    await runner.cleanup()


def layers(listener: Listener) -> tuple[str | None, str | None, bool]:
    """What was really used: the signature's hash, the cipher, compression."""
    assert listener.opened is not None
    return listener.opened.signature_hash, listener.opened.cipher, listener.opened.compressed


@pytest.mark.parametrize(
    ("keys", "used"),
    [
        ({}, ("sha-256", "aes-128-cbc", True)),
        ({"sign": "sha512", "encrypt": "aes256-gcm", "compress": "no"}, ("sha-512", "aes-256-gcm", False)),
        ({"sign": "sha384", "encrypt": "aes192-cbc", "compress": "after"}, ("sha-384", "aes-192-cbc", True)),
        ({"sign": "no", "receipt": "unsigned"}, (None, "aes-128-cbc", True)),
        ({"encrypt": "no", "compress": "no"}, ("sha-256", None, False)),
    ],
)
async def test_what_goes_out_is_made_as_agreed_and_the_trail_says_so(
    trade: Any, listener: Listener, keys: dict[str, str], used: tuple[str | None, str | None, bool]
) -> None:
    """Signature, cipher, compression, as the far side found them; the same in the event, and it was delivered."""
    trade.gateway.agree("acme", as2=keys)
    await trade.order()
    assert layers(listener) == used
    sent = await trade.gateway.newest("850")
    (event,) = [one for one in await trade.gateway.trail(message_id=sent.id) if one.kind == "message.sent"]
    told = tuple(event.data.get(name) for name in ("signature_hash", "cipher", "compressed"))
    assert told == used
    assert event.data["receipt_asked"] == keys.get("receipt", "signed")
    assert event.data["mic_matched"] is True


@pytest.mark.parametrize(("order", "outermost"), [("before", "multipart/signed"), ("after", "application/pkcs7-mime")])
async def test_compression_stands_where_agreed(trade: Any, listener: Listener, order: str, outermost: str) -> None:
    """Before signing: the signature is outside; after: the compressed layer is."""
    trade.gateway.agree("acme", as2={"encrypt": "no", "compress": order})
    await trade.order()
    assert listener.headers["Content-Type"].startswith(outermost)
    assert layers(listener)[2] is True


@pytest.mark.parametrize("word", ["pkcs1", "pss"])
async def test_signature_scheme_is_the_agreed_one(trade: Any, listener: Listener, word: str) -> None:
    """Of message and receipt, by the OID of RSASSA-PSS (RFC 4056) in the signature, or its absence."""
    trade.gateway.agree("acme", as2={"encrypt": "no", "compress": "no", "signature_scheme": word})
    await trade.order()
    signature = base64.b64decode(listener.raw.rpartition(b"\r\n\r\n")[2].partition(b"--")[0])
    assert (bytes.fromhex("2a864886f70d01010a") in signature) is (word == "pss")
    assert layers(listener)[0] == "sha-256"
    built = trade.wire(b"x")
    receipt = await trade.post(built.headers, built.body)
    signature = base64.b64decode(receipt.body.rpartition(b"\r\n\r\n")[2].partition(b"--")[0])
    assert (bytes.fromhex("2a864886f70d01010a") in signature) is (word == "pss")


@pytest.mark.parametrize(
    ("word", "identifier"),
    [
        ("pkcs1", "2a864886f70d010101"),
        ("oaep", "2a864886f70d010107"),
        ("oaep-sha512", "2a864886f70d010107"),
    ],
)
async def test_session_key_travels_as_agreed(trade: Any, listener: Listener, word: str, identifier: str) -> None:
    """By its OID in the envelope: rsaEncryption or id-RSAES-OAEP (RFC 3560)."""
    trade.gateway.agree("acme", as2={"key_transport": word})
    await trade.order()
    assert bytes.fromhex(identifier) in listener.raw[:1000]
    assert layers(listener)[1] == "aes-128-cbc"


@pytest.mark.parametrize("chosen", ["sha-512", "sha-384"])
async def test_station_chooses_among_the_mic_hashes_in_our_order(trade: Any, listener: Listener, chosen: str) -> None:
    """Whichever it knows first; the receipt's MIC is compared by that hash."""
    trade.gateway.agree("acme", as2={"micalgs": ("sha512", "sha384")})
    listener.micalg = chosen
    await trade.order()
    assert listener.headers["Disposition-Notification-Options"].endswith("micalg=optional, sha-512, sha-384")
    assert listener.opened is not None
    assert listener.opened.mic_algorithm == chosen
    assert (await trade.gateway.newest("850")).state is MessageState.SENT


async def test_subject_type_and_file_name_are_the_agreed_ones(trade: Any, listener: Listener) -> None:
    """The file name by its template; the payload is the same octets."""
    keys = {"subject": "Orders, north", "content_type": "application/edi-consent", "filename": "{stem}_{date}.x12"}
    trade.gateway.agree("acme", as2=keys)
    await trade.order()
    sent = await trade.gateway.newest("850")
    assert listener.opened is not None
    assert listener.headers["Subject"] == "Orders, north"
    assert listener.opened.content_type == "application/edi-consent"
    assert listener.opened.filename == f"{sent.filename.removesuffix('.edi')}_{sent.at:%Y%m%d}.x12"
    assert listener.opened.payload == await trade.gateway.store.payload(sent.id)


@pytest.mark.parametrize(("word", "name"), [("no", None), ("{name}", "850-4500012345.edi")])
async def test_file_name_is_kept_or_left_out(trade: Any, listener: Listener, word: str, name: str | None) -> None:
    """As it is by default."""
    trade.gateway.agree("acme", as2={"filename": word})
    await trade.order()
    assert listener.opened is not None
    assert listener.opened.filename == name


@pytest.mark.parametrize(("word", "asked"), [("signed", True), ("unsigned", False), ("none", None)])
async def test_receipt_is_asked_for_as_agreed(trade: Any, listener: Listener, word: str, *, asked: bool | None) -> None:
    """Signed, unsigned, or not at all."""
    trade.gateway.agree("acme", as2={"receipt": word})
    await trade.order()
    assert ("Disposition-Notification-To" in listener.headers) is (asked is not None)
    assert ("Disposition-Notification-Options" in listener.headers) is bool(asked)


REFUSED = [
    ({"require_compression": True}, {}, "insufficient-message-security"),
    ({"require_receipt_request": True}, {"receipt": as2.ReceiptKind.NONE}, "insufficient-message-security"),
    ({"accept_hashes": ("sha512",)}, {"micalg": "sha-256"}, "unsupported MIC-algorithms"),
    ({"accept_ciphers": ("aes256-gcm",)}, {"cipher": "aes-256-cbc"}, "insufficient-message-security"),
    ({"accept_content_types": ("application/edifact",)}, {}, "unexpected-processing-error"),
    ({"max_inflated_bytes": 1024}, {"compress": True, "encrypt_for": ()}, "decompression-failed"),
]


@pytest.mark.parametrize(("keys", "how", "failure"), REFUSED, ids=lambda one: str(one)[:40])
async def test_what_comes_otherwise_than_agreed_is_refused_and_kept(
    trade: Any, edi: Any, keys: dict[str, Any], how: dict[str, Any], failure: str
) -> None:
    """The receipt names the failure; without the key the very same message is taken."""
    await trade.order()
    payload = edi.file(edi.ack()).encode()
    built = trade.wire(payload + b"\n" * 5000, **how)
    relaxed = {"require_encryption": False}
    trade.gateway.agree("acme", as2=relaxed | keys)
    answer = await trade.post(built.headers, built.body)
    assert failure in answer.text
    (kept,) = await trade.gateway.store.messages(state=MessageState.REFUSED)
    assert (kept.partner, await trade.gateway.store.payload(kept.id)) == ("acme", built.body)
    trade.gateway.agree("acme", as2=_defaults(keys) | relaxed)
    taken = (await trade.post(built.headers, built.body)).body
    assert taken == b"" if how.get("receipt") is as2.ReceiptKind.NONE else PROCESSED in taken


def _defaults(keys: dict[str, Any]) -> dict[str, Any]:
    fields = wrapping.As2Channel.model_fields
    return {name: fields[name].default for name in keys}


async def test_of_several_files_each_has_an_agreed_type(trade: Any, edi: Any) -> None:
    """A drawing beside the interchange is refused where only EDI is agreed, and taken where drawings are, too."""
    await trade.order()
    files = [
        as2.Attachment(content_type="application/edi-x12", filename="a.edi", data=edi.file(edi.ack()).encode()),
        as2.Attachment(content_type="image/png", filename="a.png", data=b"png"),
    ]
    joined = as2.join(files)
    built = trade.wire(joined.content, content_type=joined.content_type, filename=None)
    trade.gateway.agree("acme", as2={"accept_content_types": ("application/edi-x12",)})
    assert "unexpected-processing-error" in (await trade.post(built.headers, built.body)).text
    trade.gateway.agree("acme", as2={"accept_content_types": ("application/edi-x12", "image/*")})
    assert PROCESSED in (await trade.post(built.headers, built.body)).body


async def test_a_small_file_may_not_become_a_large_one(trade: Any) -> None:
    """`max_inflate_ratio`, from one megabyte on."""
    built = trade.wire(b" " * 2_000_000, compress=True, encrypt_for=())
    trade.gateway.agree("acme", as2={"require_encryption": False, "max_inflate_ratio": 2})
    assert "decompression-failed" in (await trade.post(built.headers, built.body)).text
    trade.gateway.agree("acme", as2={"require_encryption": False, "max_inflate_ratio": 1000})
    taken = trade.wire(b" " * 2_000_000, compress=True, encrypt_for=())
    assert PROCESSED in (await trade.post(taken.headers, taken.body)).body


async def test_weak_algorithms_are_read_by_the_switch_only_and_never_sent(trade: Any, listener: Listener) -> None:
    """SHA-1 in their micalg list counts only when it is switched on; what we send stays SHA-256 and AES."""
    channel = trade.gateway.station.directory.known("acme").as2
    assert wrapping.accepted_hashes(channel) == {"sha-256", "sha-384", "sha-512"}
    built = trade.wire(b"x")
    asking = tuple(
        (name, value.replace("sha-256", "sha1") if name == "Disposition-Notification-Options" else value)
        for name, value in built.headers
    )
    assert "unsupported MIC-algorithms" in (await trade.post(asking, built.body)).text
    trade.gateway.agree("acme", as2={"accept_weak": ("sha1", "3des-cbc")})
    answer = await trade.post(asking, built.body)
    assert PROCESSED in answer.body
    assert ", sha-1\r\n" in answer.text
    station = trade.gateway.station
    policy = wrapping.policy(station, station.directory.known("acme"))
    assert {"sha-1"} == policy.hashes & {"sha-1", "md5"}
    assert "3des-cbc" in policy.ciphers
    await trade.order()
    assert layers(listener)[:2] == ("sha-256", "aes-128-cbc")


async def test_the_trail_says_what_a_received_message_really_was(trade: Any, edi: Any) -> None:
    """Hash, cipher, compression, receipt: what `message show` prints."""
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()), micalg="sha-384", cipher="aes-128-gcm", compress=True)
    data = (await trade.gateway.trail(message_id=message.id))[0].data
    assert (data["signature_hash"], data["cipher"], data["compressed"]) == ("sha-384", "aes-128-gcm", True)
    assert data["receipt_asked"] == "signed"


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (_basic("acme", "p:ä"), 200),
        (None, 401),
        (_basic("acme", "p:a"), 401),
        (_basic("acm", "ep:ä"), 401),
        ("Basic !!!", 401),
        ("Bearer " + "p" * 10, 401),
        ("basic  " + _basic("acme", "p:ä")[6:], 200),
    ],
)
async def test_requests_carry_user_and_password_where_agreed(
    trade: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authorization: str | None, status: int
) -> None:
    """Else 401 with a challenge; the refusal is on record, the password nowhere."""
    monkeypatch.setenv("ACME_PASSWORD", "p:ä")
    basic = Basic(username="acme", password=Secret(env="ACME_PASSWORD"))
    trade.gateway.agree("acme", as2={"require_authentication": basic})
    trade.gateway.change(guards=guards(trade.gateway.agreements, tmp_path))
    built = trade.wire(b"x")
    shown = () if authorization is None else (("Authorization", authorization),)
    answer = await trade.post((*built.headers, *shown), built.body)
    assert answer.status == status
    messages = await trade.gateway.store.messages()
    assert len(messages) == 1
    assert "authorization" not in json.dumps(messages[0].raw_headers).lower()
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert messages[0].state is MessageState.REFUSED
        assert await trade.gateway.kinds(message_id=messages[0].id) == ["message.refused"]


async def test_a_denied_sender_is_answered_before_its_body(
    trade: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With Expect: 100-continue it never sends one; admitted senders get their 100."""
    monkeypatch.setenv("ACME_PASSWORD", "p")
    basic = Basic(username="acme", password=Secret(env="ACME_PASSWORD"))
    trade.gateway.agree("acme", as2={"require_authentication": basic})
    trade.gateway.change(guards=guards(trade.gateway.agreements, tmp_path))
    sent: list[bytes] = []

    async def body(octets: bytes) -> AsyncIterator[bytes]:
        sent.append(octets)
        yield octets

    built = trade.wire(b"x")
    for password, status in (("wrong", 401), ("p", 200)):
        headers = dict(built.headers) | {"Authorization": _basic("acme", password)}
        url = f"{trade.gateway.url}/as2"
        async with trade.http.post(url, data=body(built.body), headers=headers, expect100=True) as answer:
            assert answer.status == status
        assert len(sent) == (status == 200)


async def test_requests_show_the_agreed_client_certificate_where_agreed(
    trade: Any, tmp_path: Path, new_authority: Any
) -> None:
    """Over our own TLS: the agreed one is let in; none, and another one of the same CA, get 403 and are on record."""
    authority = new_authority(tmp_path, "authority")
    authority.issue("server", "127.0.0.1")
    authority.issue("client")
    other = authority.issue("other")[2]
    trade.gateway.agree("acme", as2={"require_client_certificates": ("client.crt",)})
    trade.gateway.change(guards=guards(trade.gateway.agreements, tmp_path))
    application = web.Application()
    application.add_routes(As2Endpoint(lambda: trade.gateway.reception).routes())
    tls = Tls(certificate="server.crt", key="server.key", client_ca="authority.pem")
    server = await serve(application, Listen(port=0, tls=tls), tmp_path)
    answers = []
    for name in (None, "other", "client"):
        context = ssl.create_default_context(cafile=tmp_path / "authority.pem")
        if name is not None:
            context.load_cert_chain(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        built = trade.wire(b"x")
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
            session.post(f"{server.url}/as2", data=built.body, headers=dict(built.headers)) as answer,
        ):
            answers.append(answer.status)
    await server.close()
    assert answers == [403, 403, 200]
    refused = await trade.gateway.store.messages(state=MessageState.REFUSED)
    reasons = [(await trade.gateway.trail(message_id=one.id))[0].data["reason"] for one in refused]
    assert any("showed none" in one for one in reasons)
    assert any(other in one for one in reasons)


async def test_a_client_certificate_may_stand_in_client_ca_itself(
    trade: Any, tmp_path: Path, new_authority: Any
) -> None:
    """Without the CA that issued it."""
    authority = new_authority(tmp_path, "authority")
    authority.issue("server", "127.0.0.1")
    authority.issue("client")
    authority.issue("other")
    application = web.Application()
    application.add_routes(As2Endpoint(lambda: trade.gateway.reception).routes())
    tls = Tls(certificate="server.crt", key="server.key", client_ca="client.crt")
    server = await serve(application, Listen(port=0, tls=tls), tmp_path)
    answers: list[object] = []
    for name in ("client", "other"):
        context = ssl.create_default_context(cafile=tmp_path / "authority.pem")
        context.load_cert_chain(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        try:
            async with (
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
                session.get(f"{server.url}/as2") as answer,
            ):
                answers.append(answer.status)
        except aiohttp.ClientError:
            answers.append("refused")
    await server.close()
    assert answers == [200, "refused"]


async def test_retries_are_the_partners_own_where_agreed(trade: Any) -> None:
    """What goes to its station waits by its schedule, everything else by the gateway's."""
    from gateway import wiring  # noqa: PLC0415
    from gateway.settings import Retries  # noqa: PLC0415

    own = Retries.model_validate({"schedule_seconds": ["7", "9"], "give_up_after_hours": "1", "jitter": "0"})
    trade.gateway.agree("acme", as2={"retries": own, "url": "http://127.0.0.1:1/as2"})
    schedules = wiring._schedules(trade.gateway.agreements)
    nothing: Any = None
    parts = wiring.Parts(
        station=nothing,
        reception=nothing,
        desk=nothing,
        services=nothing,
        schedule=wiring._schedule(Retries()),
        schedules=schedules,
        publishing=nothing,
    )
    trade.gateway.worker._schedule = parts.schedule_of
    await trade.order()
    trade.clock.advance(seconds=6.9)
    assert await trade.gateway.work() == 0
    trade.clock.advance(seconds=0.2)
    assert await trade.gateway.work() == 1
    trade.clock.advance(hours=1)
    await trade.gateway.work()
    assert (await trade.gateway.newest("850")).state is MessageState.FAILED
