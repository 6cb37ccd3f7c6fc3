"""What an agreement says about syntax, seen from the wire: guide, tolerances, charset, what falls together."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.edi.delta import PartnerGuide, resolve
from gateway.edi.library import standard
from gateway.partners.agreement import DocumentRule
from gateway.ports import DocumentState, MessageState

ORDERS = ("4500000011", "4500000012")


def guide(name: str, text: str) -> PartnerGuide:
    """A partner's guide from its text."""
    made, findings = resolve(name, find=lambda asked: (f"guides/{asked}.yaml", text), guides=standard())
    assert made is not None, [one.text for one in findings]
    return made


def agree_on(trade: Any, made: PartnerGuide) -> None:
    """Let acme's 855 be checked by this guide."""
    acme = trade.gateway.station.directory.known("acme")
    rule = DocumentRule(set="855", map="acme/855", guide=made.name)
    receive = {**acme.documents.receive, "order_acknowledgement": rule}
    trade.gateway.agree("acme", documents={"receive": receive})
    trade.gateway.change(partner_guides={made.name: made})


async def test_partner_whose_guide_closes_a_code_gets_the_997_that_says_so(trade: Any, edi: Any) -> None:
    """The same 855 is accepted by the standard guide; AK4 names element, code and what was sent."""
    await trade.order()
    agree_on(trade, guide("acme/855", "extends: x12/004010/855\ncodes: {BAK01: ['00'], BAK02: [AD, RD]}"))
    message = await trade.arrives(edi.file(edi.ack()))
    (answer,) = await trade.answers(message)
    assert "AK3*BAK*2**8~AK4*2*587*7*AC~AK5*R*5~AK9*R*1*1*0~" in answer
    assert await trade.gateway.documents(message) == []


async def test_partner_with_a_guide_is_not_read_by_another_version(trade: Any, edi: Any) -> None:
    """What the guide closes and requires would be passed over in silence: 005010 was not agreed."""
    await trade.order()
    agree_on(trade, guide("acme/855", "extends: x12/004010/855\ncodes: {BAK02: [AC]}"))
    message = await trade.arrives(edi.file(edi.ack()).replace("*004010~", "*005010~"))
    (answer,) = await trade.answers(message)
    assert "AK5*R*1~" in answer
    assert await trade.gateway.documents(message) == []


async def test_version_that_is_read_as_another_is_taken_by_the_partners_guide(trade: Any, edi: Any) -> None:
    """By agreement only; the document records the guide that read it."""
    await trade.order()
    made = guide("acme/855", "extends: x12/004010/855\ncodes: {BAK02: [AC]}")
    agree_on(trade, made)
    trade.gateway.agree("acme", x12={"read_as": {"003060": "004010"}})
    message = await trade.arrives(edi.file(edi.ack()).replace("*004010~", "*003060~"))
    (answer,) = await trade.answers(message)
    assert "AK9*A*1*1*1~" in answer
    (document,) = await trade.gateway.documents(message)
    assert made.hash in document.guide


async def test_document_records_the_guide_that_it_was_checked_by(trade: Any, edi: Any) -> None:
    """Its name and the hash of its files; another kind of document has the gateway's own."""
    await trade.order()
    made = guide("acme/855", "extends: x12/004010/855\ncodes: {BAK02: [AC]}\nforbidden: [CUR]")
    agree_on(trade, made)
    message = await trade.arrives(edi.file(edi.ack()))
    (document,) = await trade.gateway.documents(message)
    assert document.guide == f"004010 acme/855 {made.hash}"
    (answer,) = await trade.answers(message)
    assert "AK9*A*1*1*1~" in answer


async def test_segment_of_the_partners_own_is_read_and_named_in_the_997(trade: Any, edi: Any) -> None:
    """Its data element number comes from the partner's guide."""
    await trade.order()
    text = "extends: x12/004010/855\nsegments: {ZZ1: {elements: [M AN 1/3 352 note]}}\nafter: {BAK: [ZZ1]}"
    agree_on(trade, guide("acme/855", text))
    message = await trade.arrives(edi.file(edi.ack().replace("PO1*", "ZZ1*toolong~PO1*").replace("SE*6", "SE*7")))
    (answer,) = await trade.answers(message)
    assert "AK3*ZZ1*3**8~AK4*1*352*5*toolong~" in answer


async def test_order_that_the_partners_guide_refuses_is_never_sent(trade: Any) -> None:
    """What we write is read back by the guide of what we send."""
    made = guide("acme/850", "extends: x12/004010/850\nrequired: [FOB]")
    rule = DocumentRule(set="850", map="x12/850", guide=made.name)
    trade.gateway.agree("acme", documents={"send": {"purchase_order": rule}})
    trade.gateway.change(partner_guides={made.name: made})
    document = await trade.gateway.store.document(await trade.order())
    assert document.state is DocumentState.FAILED


@pytest.mark.parametrize(
    ("bad", "first"),
    [
        ({"quantity": "many"}, True),  # refused by the syntax
        ({"quantity": "many"}, False),
        ({"order": "4599999999"}, True),  # refused by what the document says
        ({"order": "4599999999"}, False),
    ],
)
async def test_group_refuses_both_sets_where_the_agreement_says_so(
    trade: Any,
    edi: Any,
    bad: dict[str, str],
    first: bool,  # noqa: FBT001  a row of the table
) -> None:
    """One bad set: nothing is delivered, the 997 refuses both, the trail says why, and the good one can come again."""
    trade.gateway.agree("acme", x12={"partial": "group"})
    for number in ORDERS:
        await trade.order(number)
    good = edi.ack(order=ORDERS[0], number="0001", supplier="SO-1")
    wrong = edi.ack(**{"order": ORDERS[1], "number": "0002", "supplier": "SO-2", **bad})
    message = await trade.arrives(edi.file(*((wrong, good) if first else (good, wrong))))
    (answer,) = await trade.answers(message)
    assert "AK9*R*2*2*0~" in answer
    assert answer.count("~AK5*R") == 2
    assert message.state is MessageState.REJECTED
    assert trade.at_erp("order_acknowledgement") == []
    rejected = [one.data for one in await trade.gateway.trail(message_id=message.id) if one.kind == "document.rejected"]
    assert len(rejected) == 2
    assert "edi.message.partial" in str(rejected)
    again = await trade.arrives(edi.file(good, control="000000002"))
    assert "AK9*A*1*1*1~" in (await trade.answers(again))[0]
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_other_groups_stay_where_only_the_group_falls_and_go_with_the_interchange(trade: Any, edi: Any) -> None:
    """The envelope is right: each group has its 997, and no TA1 comes."""
    for number in ORDERS:
        await trade.order(number)

    def file(control: str) -> str:
        wrong = edi.group(edi.ack(order=ORDERS[0], quantity="many"), number="1")
        good = edi.group(edi.ack(order=ORDERS[1], supplier="SO-2"), number="2")
        text: str = edi.interchange(wrong, good, control=control)
        return text

    trade.gateway.agree("acme", x12={"partial": "interchange"})
    answers = await trade.answers(await trade.arrives(file("000000001")))
    assert ["AK9*R*1*1*0~" in one for one in answers] == [True, True]
    trade.gateway.agree("acme", x12={"partial": "group"})
    answers = await trade.answers(await trade.arrives(file("000000002")))
    assert ["AK9*A*1*1*1~" in one for one in answers] == [False, True]


async def test_tolerated_deviation_is_read_and_recorded(trade: Any, edi: Any) -> None:
    """Without the switch the set is refused; with it the trail names the rule that was broken."""
    for number in ORDERS:
        await trade.order(number)
    files = [
        edi.file(edi.ack(order=number, supplier=f"SO-{number}"), control=f"00000000{index}").replace("CTT", "\n  CTT")
        for index, number in enumerate(ORDERS, 1)
    ]
    refused = await trade.arrives(files[0])
    trade.gateway.agree("acme", x12={"tolerate": ("indented_segments",)})
    taken = await trade.arrives(files[1])
    assert [refused.state, taken.state] == [MessageState.REJECTED, MessageState.PROCESSED]
    told = [
        [
            one.data["tolerated"]
            for one in await trade.gateway.trail(message_id=message.id)
            if one.kind == "interchange.read"
        ]
        for message in (refused, taken)
    ]
    assert told == [[[]], [["edi.segment.indented"]]]


async def test_text_is_read_in_the_agreed_charset(trade: Any, edi: Any) -> None:
    """An umlaut in windows-1252 is no UTF-8: refused before, right after."""
    for number in ORDERS:
        await trade.order(number)
    files = [
        edi.file(edi.ack(order=number, supplier=f"SÖ-{index}"), control=f"00000000{index}")
        for index, number in enumerate(ORDERS, 1)
    ]
    refused = await trade.arrives(files[0])
    assert refused.state is MessageState.REJECTED
    trade.gateway.agree("acme", x12={"charset": "windows-1252"})
    taken = await trade.arrives(files[1])
    (document,) = await trade.gateway.documents(taken)
    assert document.body["supplier_order_number"] == "SÖ-2"
