"""Facts about what is handed over: form, idempotency, the pipeline's answer."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.errors import NoRoom
from gateway.findings import EdiPlace, Finding, JsonPlace
from gateway.ports import Refused

from .conftest import SECRET

ACK = "/v1/purchase-orders/b1/acknowledgements"
DEEP = b'{"a":' * 65 + b"1" + b"}" * 65


async def test_the_receipt_goes_out_byte_for_byte(caller: Any, world: Any) -> None:
    """Status, headers and body are the pipeline's; the correlation id is ours."""
    answer = await caller.post(ACK, {"number": "A"}, Idempotency_Key="k-1", X_Correlation_Id="their-7")
    assert (answer.status, answer.headers["Location"]) == (202, "/v1/transactions/t-1")
    assert answer.body == b'{"transaction_id":"t-1","status":"accepted"}'
    assert world.submitted == [
        {
            "kind": "order_acknowledgement",
            "partner": "baltic",
            "body": b'{"number": "A"}',
            "idempotency_key": "k-1",
            "order_id": "b1",
            "correlation_id": "their-7",
        }
    ]


@pytest.mark.parametrize(
    ("path", "key", "taken"),
    [
        ("/v1/purchase-orders", "erp", ("purchase_order", None)),
        ("/v1/order-acknowledgements", "erp", ("order_acknowledgement", None)),
        ("/v1/ship-notices", "erp", ("ship_notice", None)),
        ("/v1/ship-notices", "baltic", ("ship_notice", "baltic")),
    ],
)
async def test_path_and_key_decide_kind_and_partner(
    caller: Any, world: Any, path: str, key: str, taken: tuple[str, str | None]
) -> None:
    """Nothing in the body can change whose document it is."""
    await caller.post(path, {"partner": "acme"}, key)
    assert (world.submitted[0]["kind"], world.submitted[0]["partner"]) == taken


async def test_every_finding_is_told_at_once(caller: Any, world: Any) -> None:
    """One entry each with pointer, rule, said, wanted, fix; a place in EDI is told in words."""
    one = Finding(rule="a.b", place=JsonPlace(pointer="/lines/0/quantity"), said="x", wanted="a number", fix="f")
    two = Finding(rule="c.d", place=EdiPlace(segment=3, tag="PO1"), said="y", wanted="z", fix="g")
    world.outcome = Refused(status=422, rule="api.document.invalid", title="It cannot be taken", findings=(one, two))
    answer = await caller.post(ACK, {})
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["type"] == "tag:partner-gateway,2026:api.document.invalid"
    assert answer.json["errors"] == [
        {
            "pointer": "/lines/0/quantity",
            "rule": "a.b",
            "said": "x",
            "wanted": "a number",
            "fix": "f",
            "severity": "reject",
        },
        {"place": "segment 3 PO1", "rule": "c.d", "said": "y", "wanted": "z", "fix": "g", "severity": "reject"},
    ]


@pytest.mark.parametrize("status", [404, 409, 422])
async def test_a_refusal_without_findings_keeps_its_status(caller: Any, world: Any, status: int) -> None:
    """In flight, contradiction, key reused."""
    world.outcome = Refused(status=status, rule="api.x", title="No", findings=())
    answer = await caller.post(ACK, {})
    assert (answer.status, answer.json["title"], "errors" in answer.json) == (status, "No", False)


@pytest.mark.parametrize(
    ("body", "rule", "said"),
    [
        (b"", "api.json.syntax", "line 1, column 1"),
        (b'{\n "a": 1,\n}', "api.json.syntax", "line 3, column 1"),
        (b'{"a": 01}', "api.json.syntax", "line 1, column 8"),
        (b'{"a": NaN}', "api.json.syntax", "NaN"),
        (b'{"a": "\xff"}', "api.json.encoding", "byte 7"),
        (b'\xef\xbb\xbf{"a": 1}', "api.json.syntax", "line 1, column 1"),
        (b"[]", "api.json.not_an_object", "array"),
        (b"null", "api.json.not_an_object", "null"),
        (DEEP, "api.json.too_deep", "line 1, column 321"),
        (b'{"a": "' + b'\\"' * 50_000, "api.json.syntax", "line 1, column 7"),
        (b"[" * 100_000, "api.json.too_deep", "line 1, column 65"),
        (b'{"a": ' + b"9" * 5000 + b"}", "api.json.number", "5000 characters"),
        (b'{"a": 0.1234567890123456789}', "api.json.number", "line 1, column 7"),
    ],
)
async def test_json_that_is_not_strict_is_refused_with_its_place(
    caller: Any, world: Any, body: bytes, rule: str, said: str
) -> None:
    """Nothing of it reaches the pipeline."""
    answer = await caller("POST", ACK, data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 400
    assert answer.json["errors"][0]["rule"] == rule
    assert said in answer.json["errors"][0]["said"]
    assert world.submitted == []


async def test_names_that_stand_twice_are_found_wherever_they_are(caller: Any) -> None:
    """Two readers could see two different documents; all of them at once, with pointers."""
    body = b'{"number": "A", "lines": [{"x/y": {"q": 1, "q": 2}}], "number": "B"}'
    answer = await caller("POST", ACK, data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 400
    assert [error["pointer"] for error in answer.json["errors"]] == ["/lines/0/x~1y/q", "/number"]


async def test_characters_that_cannot_be_kept_are_found_wherever_they_are(caller: Any, world: Any) -> None:
    """NUL and lone surrogates, in texts and in names; an escaped pair and an escaped backslash are fine."""
    body = rb'{"number": "A\u0000", "lines": [{"x": "\ud800"}, {"y\u0000": 1}], "ok": "\ud83d\ude00 \\u0000"}'
    answer = await caller("POST", ACK, data=body, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.json["type"].rpartition(":")[2]) == (400, "api.json.character")
    assert sorted(error["pointer"] for error in answer.json["errors"]) == ["/lines/0/x", "/lines/1", "/number"]
    fine = rb'{"ok": "\ud83d\ude00 \\u0000"}'
    assert (await caller("POST", ACK, data=fine, headers={"Content-Type": "application/json"})).status == 202


async def test_many_repeated_names_cost_no_more_than_they_should(caller: Any) -> None:
    """A hostile object of repeats is counted in linear time and answered in a few lines."""
    body = b"{" + b",".join(b'"%d":1,"%d":1' % (number, number) for number in range(7000)) + b"}"
    answer = await caller("POST", ACK, data=body, headers={"Content-Type": "application/json"})
    assert (answer.status, len(answer.json["errors"])) == (400, 20)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json; charset=latin-1"}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
        ({"Content-Type": 'application/json; charset="UTF-8"'}, 202),
    ],
)
async def test_only_plain_json_in_utf8_is_read(caller: Any, headers: dict[str, str], status: int) -> None:
    """A compressed body is refused, not inflated."""
    body = gzip.compress(b"{}") if "Content-Encoding" in headers else b"{}"
    assert (await caller("POST", ACK, data=body, headers=headers)).status == status


async def test_a_body_over_the_limit_is_413_announced_or_not(caller: Any, world: Any) -> None:
    """With a length it is refused before reading; chunked, as soon as it is over."""

    async def chunks() -> Any:
        for _ in range(5):
            yield b" " * 50_000

    for body in (b" " * 200_001, chunks()):
        answer = await caller("POST", ACK, data=body, headers={"Content-Type": "application/json"})
        assert (answer.status, answer.json["detail"]) == (413, "At most 200000 bytes are taken.")
    assert world.submitted == []
    assert [(one["partner"], one["start"]) for one in world.unreadable] == [("baltic", b" " * 65_536)] * 2
    assert world.unreadable[0]["size"] == 200_001
    assert world.unreadable[0]["reason"] == "api.body.too_large: At most 200000 bytes are taken."


async def test_json_bodies_have_a_limit_of_their_own(
    caller: Any, services: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much a partner may send over AS2."""
    monkeypatch.setattr("gateway.web.body.LARGEST", 1000)
    answer = await caller.post(ACK, {"number": "x" * 1000})
    assert (answer.status, answer.json["detail"]) == (413, "At most 1000 bytes are taken.")


async def test_what_is_not_json_leaves_a_trace_sixty_times_a_minute(caller: Any, world: Any) -> None:
    """Start, size and hash of what came, and why it was refused; for each key by itself."""
    body = b"{" + b" " * 70_000
    answer = await caller("POST", ACK, data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 400
    (kept,) = world.unreadable
    assert (kept["partner"], kept["start"], kept["size"]) == ("baltic", body[:65_536], 70_001)
    assert kept["sha256"] == hashlib.sha256(body).hexdigest()
    assert kept["reason"].startswith("api.json.syntax: line 1")
    for _ in range(70):
        await caller("POST", "/v1/ship-notices", "erp", data=b"[", headers={"Content-Type": "application/json"})
    assert [one["partner"] for one in world.unreadable].count(None) == 60
    await caller("POST", "/v1/ship-notices", None, data=b"[", headers={"Content-Type": "application/json"})
    assert len(world.unreadable) == 61, "strangers leave nothing"


async def test_a_large_body_within_the_limit_is_taken(caller: Any, world: Any) -> None:
    """Over 64 KiB the check runs beside the event loop."""
    assert (await caller.post(ACK, {"number": "x" * 150_000})).status == 202


@pytest.mark.parametrize("key", ["", "x" * 256, "ä", "tab\there"])
async def test_an_idempotency_key_that_cannot_be_kept_is_refused(caller: Any, world: Any, key: str) -> None:
    """1 to 255 printable characters."""
    answer = await caller.post(ACK, {}, Idempotency_Key=key)
    assert (answer.status, answer.json["type"].endswith("api.idempotency.key_invalid")) == (400, True)
    assert world.submitted == []


async def test_another_partners_order_is_404_before_anything_about_the_body(caller: Any) -> None:
    """Not even the form of the answer tells that the order exists."""
    assert (await caller("POST", "/v1/purchase-orders/a1/acknowledgements", data=b"[")).status == 404


async def test_our_own_fault_is_told_without_its_inside(caller: Any, world: Any) -> None:
    """No traceback, no message; the log and the caller share the correlation id."""
    world.outcome = RuntimeError("password=hunter2")
    answer = await caller.post(ACK, {}, X_Correlation_Id="c-1")
    assert (answer.status, answer.json["correlation_id"]) == (500, "c-1")
    assert b"hunter2" not in answer.body
    assert b"Traceback" not in answer.body


async def test_a_full_disk_asks_to_come_later(caller: Any, world: Any) -> None:
    """As over AS2: 503 with Retry-After, nothing of the reason."""
    world.outcome = NoRoom("/secret/place is full")
    answer = await caller.post(ACK, {})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    assert answer.json["type"].endswith("api.no_room")
    assert b"secret" not in answer.body


async def test_framing_that_breaks_within_the_body_is_refused_at_once(caller: Any, world: Any) -> None:
    """400, and the connection is closed: what follows cannot be told apart."""
    where = urlsplit(caller.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    head = f"POST {ACK} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer gw_baltic_{SECRET}\r\n"
    head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode() + b"1\r\n{\r\n")
    await asyncio.sleep(0.05)
    writer.write(b"zz\r\n")
    async with asyncio.timeout(2):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"api.body.framing" in answer
    assert world.submitted == []
    writer.close()


async def test_a_body_that_trickles_is_cut_off(caller: Any, world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """408, and the connection is closed."""
    monkeypatch.setattr("gateway.web.body.SECONDS", 0.1)

    async def trickle() -> Any:
        for _ in range(100):
            yield b" "
            await asyncio.sleep(0.05)

    answer = await caller("POST", ACK, data=trickle(), headers={"Content-Type": "application/json"})
    assert (answer.status, world.submitted) == (408, [])
