"""What an answer to a look-up says: there, not there, or neither; and whose calls undo and replace."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.connectors.folder import FolderConnector
from gateway.connectors.http import HttpConnector
from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.ports import Delivered, Delivery
from gateway.settings import FolderTarget, HttpTarget

BY_KEY = {"path": "/documents?key={idempotency_key}", "found": {"pointer": "/id"}, "id_at": "/id"}
SEARCH = {
    "path": "/search?n={number}&o={order_number}&p={partner}&d={document_id}",
    "found": {"pointer": "/items/0/key", "equals": "{idempotency_key}"},
    "missing": {"status": [], "empty_at": "/items"},
    "id_at": "/items/0/id",
}
THERE, MISSING, NEITHER = "SO-1", None, "neither"
ANSWERS = [
    (BY_KEY, 200, '{"id": "SO-1"}', THERE),
    (BY_KEY, 404, "", MISSING),
    (BY_KEY, 404, "<html>", MISSING),
    (BY_KEY, 200, "{}", NEITHER),
    (BY_KEY, 200, '{"id": null}', NEITHER),
    (BY_KEY, 200, '{"id": ""}', NEITHER),
    (BY_KEY, 200, "<html>please log in</html>", NEITHER),
    (BY_KEY, 204, "", NEITHER),
    (BY_KEY, 401, '{"id": "SO-1"}', NEITHER),
    (BY_KEY, 500, "", NEITHER),
    (BY_KEY, 302, "", NEITHER),
    (SEARCH, 200, '{"items": [{"key": "0193-key", "id": "SO-1"}]}', THERE),
    (SEARCH, 200, '{"items": []}', MISSING),
    (SEARCH, 200, '{"items": null}', MISSING),
    (SEARCH, 200, '{"items": 0}', MISSING),
    (SEARCH, 200, '{"items": false}', NEITHER),
    (SEARCH, 200, '{"items": [{"key": "another", "id": "SO-1"}]}', NEITHER),
    (SEARCH, 200, '{"items": [{"key": ["0193-key"], "id": "SO-1"}]}', NEITHER),
    (SEARCH, 200, '{"items": [], "more": ', NEITHER),
    (SEARCH, 200, "{}", NEITHER),
    (SEARCH, 404, '{"items": []}', NEITHER),
    (SEARCH, 500, '{"items": []}', NEITHER),
]


def connector(url: str, session: aiohttp.ClientSession, call: Any = None, **target: Any) -> HttpConnector:
    """A target with these calls."""
    documents = {"order_acknowledgement": {"path": "/acks"} | (call or {})}
    read = HttpTarget.model_validate({"base_url": url, "documents": documents, "timeout_seconds": "2"} | target)
    return HttpConnector("north", read, Path(), session)


@pytest.mark.parametrize("row", ANSWERS)
async def test_answer_to_a_look_up_says_there_not_there_or_neither(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery, row: tuple[Any, int, str, Any]
) -> None:
    """Only whole signs count: a call is made again on the strength of `not there`."""
    lookup, status, body, says = row

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type="application/json")

    far_side.handler = answer
    asked = connector(far_side.url, session, lookup=lookup)
    assert asked.looks_up("order_acknowledgement")
    if says == NEITHER:
        with pytest.raises(DeliveryFailed, match=f"answered {status}, which says neither") as caught:
            await asked.look_up(delivery)
        assert caught.value.outcome is Outcome.UNCERTAIN
    else:
        found = await asked.look_up(delivery)
        assert (found.their_id if found else None) == says
    assert far_side.requests[0].method == "GET"
    assert far_side.bodies == [b""]


async def test_values_in_a_look_up_are_percent_encoded(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """A slash or an ampersand in a number stays in its place."""
    far_side.handler = lambda _: _json({"items": []})
    assert await connector(far_side.url, session, lookup=SEARCH).look_up(delivery) is None
    assert far_side.requests[0].raw_path == "/search?n=A%2F1%20%C3%A4&o=PO-7&p=acme&d=0193-d"


@pytest.mark.parametrize("broken", ["nobody listens", "no answer", "breaks off"])
async def test_look_up_that_gets_no_answer_leaves_it_uncertain(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery, broken: str
) -> None:
    """Also where the look-up itself surely did not take place: the first call may have."""

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        if broken == "breaks off":
            response = web.StreamResponse(headers={"Content-Length": "100"})
            await response.prepare(request)
            await response.write(b'{"id": "SO-1"')
        request.transport.abort()
        return web.Response()

    far_side.handler = answer
    url = "http://127.0.0.1:1" if broken == "nobody listens" else far_side.url
    with pytest.raises(DeliveryFailed, match="asked whether it took the document") as caught:
        await connector(url, session, lookup=BY_KEY).look_up(delivery)
    assert caught.value.outcome is Outcome.UNCERTAIN


async def test_look_up_of_a_call_goes_before_the_targets(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """One kind of document may be found elsewhere."""
    own = {"lookup": BY_KEY | {"path": "/acks?key={idempotency_key}", "wait_seconds": "3"}}
    far_side.handler = lambda _: _json({"id": "SO-1"})
    asked = connector(far_side.url, session, own, lookup=BY_KEY)
    assert await asked.look_up(delivery) == Delivered(status=200, their_id="SO-1")
    assert far_side.requests[0].path == "/acks"
    assert asked.lookup_wait("order_acknowledgement") == 3
    assert not connector(far_side.url, session).looks_up("order_acknowledgement")


async def test_undoing_is_the_configured_call_with_their_id(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """DELETE goes without a body, POST with the document; a document whose id nobody knows cannot be undone so."""
    taken = replace(delivery, their_id="SO/1", idempotency_key="k.undo")
    for method, body in (("DELETE", b""), ("POST", json.dumps(delivery.body, ensure_ascii=False).replace(" ", ""))):
        undo = {"compensate": {"method": method, "path": "/acks/{their_id}", "when": ["erp"]}}
        made = connector(far_side.url, session, undo)
        await made.undo(taken)
        assert (far_side.requests[-1].method, far_side.requests[-1].raw_path) == (method, "/acks/SO%2F1")
        assert far_side.requests[-1].headers["Idempotency-Key"] == "k.undo"
        assert far_side.bodies[-1].replace(b" ", b"") == (body if isinstance(body, bytes) else body.encode())
    assert made.undoes("order_acknowledgement", ["erp", "wms"])
    assert not made.undoes("order_acknowledgement", ["wms"])
    assert not made.undoes("ship_notice", ["erp"])
    with pytest.raises(DeliveryFailed, match="needs their_id") as caught:
        await made.undo(delivery)
    assert caught.value.outcome is Outcome.PERMANENT
    with pytest.raises(DeliveryFailed, match="has no call under compensate"):
        await connector(far_side.url, session).undo(taken)


async def test_replacement_goes_by_its_own_call_where_there_is_one(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """Only for what replaces something; without such a call it goes by the usual one."""
    anew = replace(delivery, their_id="SO-1", replaces=True)
    made = connector(far_side.url, session, {"replace": {"path": "/acks/{their_id}"}})
    for one, sent in ((made, anew), (made, delivery), (connector(far_side.url, session), anew)):
        await one.deliver(sent)
    assert [(one.method, one.path) for one in far_side.requests] == [
        ("PUT", "/acks/SO-1"),
        ("POST", "/acks"),
        ("POST", "/acks"),
    ]


@pytest.mark.parametrize(
    "call",
    [
        {"path": "/acks/{their_id}"},
        {"lookup": {"path": "/acks/{their_id}"}},
        {"lookup": BY_KEY | {"found": {"pointer": "/id", "equals": "{id}"}}},
        {"compensate": {"path": "/acks/{id}"}},
        {"replace": {"path": "/acks/{"}},
    ],
)
def test_placeholders_that_are_not_known_there_stop_the_start(call: Any) -> None:
    """With the remedy."""
    nothing: Any = None
    with pytest.raises(OurFault, match="target north, order_acknowledgement") as caught:
        connector("http://127.0.0.1:1", nothing, call)
    assert caught.value.remedy


async def test_folder_finds_the_file_by_its_name_and_undoes_nothing(tmp_path: Path, delivery: Delivery) -> None:
    """The same document again is the same file."""
    folder = FolderConnector("box", FolderTarget(path="box"), tmp_path)
    assert await folder.look_up(delivery) is None
    await folder.deliver(delivery)
    found = await folder.look_up(delivery)
    assert found is not None
    assert folder.honours_key
    assert not folder.undoes("order_acknowledgement", ["erp"])
    assert (folder.looks_up("order_acknowledgement"), folder.lookup_wait("order_acknowledgement")) == (False, 0)
    with pytest.raises(DeliveryFailed, match="is not undone"):
        await folder.undo(delivery)


async def _json(body: Any) -> web.Response:
    return web.json_response(body)
