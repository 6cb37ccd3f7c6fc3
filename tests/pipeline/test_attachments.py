"""Messages of several files: every interchange is answered as if it had come alone, the rest is kept and named."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from gateway import as2
from gateway.cli import message_explain
from gateway.errors import OurFault
from gateway.pipeline import files, ready
from gateway.ports import DocumentState, MessageState

DRAWING = b"%PDF-1.7\n" + bytes(range(256)) * 8


def attached(*named: tuple[str | None, str, bytes | str]) -> dict[str, Any]:
    """Name, type and content of each file, as a payload that `arrives` takes."""
    made = [
        as2.Attachment(
            filename=name, content_type=type_, data=data if isinstance(data, bytes) else data.encode("latin-1")
        )
        for name, type_, data in named
    ]
    joined = as2.join(made)
    return {"payload": joined.content.decode("latin-1"), "content_type": joined.content_type, "filename": None}


async def test_two_interchanges_and_a_drawing_come_in_one_message(trade: Any, edi: Any) -> None:
    """Both acknowledgements are answered and delivered; the drawing is named on the trail; all is one payload."""
    await trade.order()
    await trade.order("4500012346")
    first = edi.file(edi.ack(), control="000000011")
    second = edi.file(edi.ack("4500012346", supplier="SO-2"), control="000000012")
    what = attached(
        ("first.edi", "application/EDI-X12", first),
        ("Zeichnung ü.pdf", "application/pdf", DRAWING),
        ("second.edi", "application/octet-stream", second),
    )
    message = await trade.arrives(**what)
    assert message.state is MessageState.PROCESSED
    assert await trade.gateway.payload(message) == what["payload"]
    documents = await trade.gateway.documents(message)
    assert [(one.order_number, one.position, one.state) for one in documents] == [
        ("4500012345", "000000011/1/0001", DocumentState.DELIVERED),
        ("4500012346", "000000012/1/0001", DocumentState.DELIVERED),
    ]
    answers = await trade.answers(message)
    assert ["AK9*A*1*1*1~" in one for one in answers] == [True, True]
    trail = await trade.gateway.trail(message_id=message.id)
    (kept,) = [one for one in trail if one.kind == "attachment.kept"]
    assert kept.data == {
        "name": "Zeichnung ü.pdf",
        "media_type": "application/pdf",
        "size": len(DRAWING),
        "sha256": sha256(DRAWING).hexdigest(),
    }
    received = trail[0].data
    assert (received["attachments"], received["as2_version"]) == (3, "1.2")
    assert received["features"] == ["multiple-attachments"]


async def test_the_lineage_of_each_file_is_told_by_its_own_bytes(trade: Any, edi: Any) -> None:
    """`gateway message explain`: both sets are number 0001, and each is held against its own document."""
    await trade.order()
    await trade.order("4500012346")
    first = edi.file(edi.ack(), control="000000011")
    second = edi.file(edi.ack("4500012346", supplier="SO-2"), control="000000012")
    what = attached(
        ("a.pdf", "application/pdf", DRAWING),
        ("1.edi", "application/edi-x12", first),
        ("2.edi", "application/edi-x12", second),
    )
    message = await trade.arrives(**what)
    documents = await trade.gateway.documents(message)
    mapping = trade.gateway.station.maps["acme/855"]
    kept = message_explain._Kept(
        files=files.files_of(message.content_type, what["payload"].encode("latin-1")),
        documents=tuple(documents),
        maps={},
        guides={},
        agreements={},
    )
    reading = message_explain._reading(kept, [])
    differing: list[str] = []
    found = list(message_explain._explained(kept, reading, lambda _: mapping, differing))
    assert [one.position for one in found] == [one.position for one in documents]
    assert [one.document["order"]["number"] for one in found] == ["4500012345", "4500012346"]
    assert differing == []


async def test_what_is_wrong_with_one_file_costs_the_others_nothing(trade: Any, edi: Any) -> None:
    """The one for somebody else gets its TA1, the unreadable one its reason on the trail, the good one its 997."""
    await trade.order()
    message = await trade.arrives(
        **attached(
            ("stranger.edi", "application/edi-x12", edi.file(edi.ack(), control="000000021", receiver="SOMEBODY")),
            ("torn.edi", "application/edi-x12", "ISA*00*"),
            ("good.edi", "text/plain; charset=us-ascii", edi.file(edi.ack(), control="000000022")),
        )
    )
    assert message.state is MessageState.PROCESSED
    refused, taken = await trade.answers(message)
    assert "TA1*000000021*260302*0800*R*008~" in refused
    assert "AK9*A*1*1*1~" in taken
    assert len(await trade.gateway.documents(message)) == 1
    rejected = [one for one in await trade.gateway.trail(message_id=message.id) if one.kind == "document.rejected"]
    assert len(rejected) == 1
    assert "the whole ISA" in rejected[0].data["reason"]


async def test_a_file_that_comes_again_is_a_duplicate_however_it_is_packed(trade: Any, edi: Any) -> None:
    """First among others, then alone, then among others: its answer is sent again, nothing has a second effect."""
    await trade.order()
    good = edi.file(edi.ack(), control="000000031")
    drawing = ("a.pdf", "application/pdf", DRAWING)
    first = await trade.arrives(**attached(("a.edi", "application/edi-x12", good), drawing))
    alone = await trade.arrives(good)
    packed = await trade.arrives(**attached(drawing, ("b.edi", "application/edi-x12", good)))
    assert len(await trade.gateway.documents(first)) == 1
    for again in (alone, packed):
        assert again.state is MessageState.PROCESSED
        assert await trade.gateway.documents(again) == []
        kinds = await trade.gateway.kinds(message_id=again.id)
        assert "message.duplicate" in kinds
        assert len(await trade.answers(again)) == 1
    other = edi.file(edi.ack(supplier="SO-9"), control="000000031")
    refused = await trade.arrives(**attached(("a.edi", "application/edi-x12", other), drawing))
    assert "*R*025~" in (await trade.answers(refused))[0]


async def test_a_repeat_of_several_files_may_have_a_new_boundary(trade: Any, edi: Any) -> None:
    """The files, their names and their order are what is the same; one octet, one name else is other content."""
    good = ("a.edi", "application/edi-x12", edi.file(edi.ack(), control="000000031"))
    drawing = ("a.pdf", "application/pdf", DRAWING)

    async def posted(*named: Any) -> tuple[str, Any]:
        what = attached(*named)
        payload = what.pop("payload").encode("latin-1")
        built = trade.wire(payload, message_id="<several@acme>", **what)
        return payload, await trade.post(built.headers, built.body)

    one, first = await posted(good, drawing)
    two, again = await posted(good, drawing)
    assert one != two, "the boundary is drawn each time"
    # A receipt of its own: the boundary is in what the MIC is over (RFC 4130 7.3.1), and its sender knows no other one.
    assert b"automatic-action/MDN-sent-automatically; processed\r\n" in again.body
    assert again.body != first.body
    message = await trade.gateway.store.message_by_duplicate_key("as2:acme:<several@acme>")
    assert (await trade.gateway.kinds(message_id=message.id)).count("message.received") == 1
    for other in (
        (good, ("a.pdf", "application/pdf", DRAWING[:-1])),
        (good, ("b.pdf", "application/pdf", DRAWING)),
        (drawing, good),
        (good,),
    ):
        assert "used before with other content" in (await posted(*other))[1].text


async def test_a_message_without_an_interchange_is_kept_and_said_to_be_none(trade: Any) -> None:
    """As one file that is none: taken, named, and rejected for people to look at."""
    what = attached(("a.pdf", "application/pdf", DRAWING), ("note.txt", "text/plain", "see drawing"))
    message = await trade.arrives(**what)
    assert message.state is MessageState.REJECTED
    assert await trade.answers(message) == []
    trail = await trade.gateway.trail(message_id=message.id)
    assert [one.data["name"] for one in trail if one.kind == "attachment.kept"] == ["a.pdf", "note.txt"]
    (rejected,) = [one for one in trail if one.kind == "document.rejected"]
    assert rejected.data["reason"] == "none of the files attached (2) is an interchange"


@pytest.mark.parametrize(
    ("type_", "data", "edi"),
    [
        ("application/EDI-X12", "whatever", True),
        ("application/edifact; charset=x", "whatever", True),
        ("Application/EDI-Consent", "whatever", True),
        ("application/octet-stream", "ISA*00*", True),
        ("application/octet-stream", "\r\n\r\nUNB+UNOC:3", True),
        ("text/plain", "UNA:+.? '", True),
        ("text/plain", "hello ISA", False),
        ("application/octet-stream", "", False),
        ("application/xml", "ISA*00*", False),
        ("application/pdf", "%PDF", False),
        ("multipart/mixed; boundary=b", "ISA*", False),
    ],
)
def test_what_is_read_as_an_interchange(type_: str, data: str, *, edi: bool) -> None:
    """By its media type (RFC 1767); where that says nothing, by how it begins."""
    what = attached((None, type_, data))
    (file,) = files.files_of(what["content_type"], what["payload"].encode("latin-1"))
    assert file.edi is edi


def test_a_payload_that_is_one_file_is_always_read() -> None:
    """Whatever type the sender gave it: partners send X12 as application/xml, too."""
    (file,) = files.files_of("application/pdf", b"ISA*", name="x")
    assert (file.edi, file.name, file.data) == (True, "x", b"ISA*")


async def test_files_that_we_send_together_arrive_as_one_message_and_are_closed_by_their_997(trade: Any) -> None:
    """One Message-ID, one MIC over all of it; the supplier's station reads the order and keeps the drawing."""
    await trade.order()
    await trade.settle()
    sent = await trade.gateway.newest("850-")
    text = (await trade.gateway.payload(sent)).replace("4500012345", "4500012399")
    number = text.split("*")[13]
    order = text.replace(number, "000000777")
    group = order.split("GS*PO*")[1].split("*")[4]
    order = order.replace(f"*{group}*X*004010", "*777*X*004010").replace(f"GE*1*{group}~", "GE*1*777~")
    station = trade.gateway.station
    agreement = station.agreement("acme")
    changes = ready.ready_together(
        station.settings, agreement, [("Zeichnung ü.pdf", DRAWING), ("order.edi", order.encode())], trade.clock()
    )
    await trade.gateway.store.apply(changes)
    await trade.settle()
    message = await trade.gateway.store.message(changes.messages[0].id)
    assert as2.root_type(message.content_type) == "application/edi-x12"
    assert message.state is MessageState.ACKNOWLEDGED
    (there,) = [one for one in await trade.station.all() if one.as2_message_id == message.as2_message_id]
    assert there.payload_sha256 == message.payload_sha256
    trail = await trade.station.trail(message_id=there.id)
    assert [one.data["name"] for one in trail if one.kind == "attachment.kept"] == ["Zeichnung ü.pdf"]
    assert [one.order_number for one in await trade.station.documents(there)] == ["4500012399"]


def test_a_file_that_says_nothing_of_itself_is_not_sent_alone(trade: Any) -> None:
    """A mistyped interchange would go out as who knows what; a drawing goes, by its name's end."""
    station = trade.gateway.station
    agreement = station.agreement("acme")
    with pytest.raises(OurFault, match="begins with no interchange"):
        ready.ready_file(station.settings, agreement, b"hello", "order.edi", trade.clock())
    with pytest.raises(OurFault, match="no whole interchange"):
        ready.ready_file(station.settings, agreement, b"ISA*", "order.edi", trade.clock())
    (message,) = ready.ready_file(station.settings, agreement, DRAWING, "Plan.PDF", trade.clock()).messages
    assert (message.content_type, message.payload, message.wait_key) == ("application/pdf", DRAWING, None)
