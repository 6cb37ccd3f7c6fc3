"""Cross-references and held documents on each database: one row a day, changes over a known state, who sees whom."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.errors import OurFault
from gateway.findings import JsonPlace
from gateway.mapping.missing import Missing
from gateway.mapping.references import CrossReference
from gateway.mapping.rules import finding
from gateway.ports import Changes, DocumentState, DocumentUpdate, Held, NaturalKeyTaken, NewJob, ReferenceChange
from gateway.store import Store
from gateway.store import references as table


def row(theirs: str, ours: str = "1", **fields: Any) -> CrossReference:
    """An item of acme's."""
    given = {
        "id": f"{theirs}-{ours}-{fields.get('valid_from')}{fields.get('partner', '')}",
        "partner": "acme",
        "list": "items",
    }
    return CrossReference(**{**given, "theirs": theirs, "ours": ours, **fields})


def change(*rows: CrossReference, version: int = 0, **fields: Any) -> Changes:
    """Rows taught."""
    given: dict[str, Any] = {"partner": "acme", "version": version, "by": "ann", "add": rows}
    return Changes(references=(ReferenceChange(**given | fields),))


async def test_rows_come_back_as_they_were_taught(store: Store) -> None:
    """Factors to the digit, days, who and when."""
    units = row("CT", "EA", list="units", factor=Decimal("12.50"), valid_from=dt.date(2026, 5, 1), origin="m1")
    await store.apply(change(units, row("A")))
    found = await store.reference_rows(partner="acme", list_="units")
    assert [replace(one, changed_at=None) for one in found] == [replace(units, changed_by="ann")]
    assert str(found[0].factor) == "12.50"
    assert found[0].changed_at is not None
    assert len(await store.reference_rows()) == 2


async def test_a_snapshot_has_a_partners_rows_and_those_for_all(store: Store) -> None:
    """And nobody else's; its state counts both."""
    await store.apply(change(row("A")))
    await store.apply(change(row("B", partner=""), partner=""))
    await store.apply(change(row("C", partner="baltic"), partner="baltic"))
    state, rows = await store.references("acme")
    assert (state, sorted(one.theirs for one in rows)) == ((1, 1), ["A", "B"])
    assert await store.reference_versions("acme") == (1, 1)
    assert await store.reference_versions("nobody") == (0, 1)


async def test_a_change_decided_over_another_state_is_refused(store: Store) -> None:
    """Nothing is written."""
    await store.apply(change(row("A")))
    with pytest.raises(NaturalKeyTaken):
        await store.apply(change(row("B"), version=0))
    assert [one.theirs for one in await store.reference_rows()] == ["A"]


async def test_two_rows_of_one_word_on_one_day_are_refused_by_the_table_itself(store: Store) -> None:
    """Whoever asks; the rest of the change goes with it."""
    june = dt.date(2026, 6, 1)
    await store.apply(change(row("A", valid_from=dt.date(2026, 5, 1))))
    with pytest.raises(OurFault, match="two rows on 2026-06-01"):
        await store.apply(change(row("A", valid_from=june), row("B"), version=1))
    assert len(await store.reference_rows()) == 1
    ending = (("A-1-2026-05-01", dt.date(2026, 5, 31)),)
    await store.apply(change(row("A", valid_from=june), version=1, end=ending))
    assert [one.valid_to for one in await store.reference_rows()] == [dt.date(2026, 5, 31), None]


async def test_retired_rows_are_kept_and_leave_room(store: Store) -> None:
    """The same word can be taught again."""
    await store.apply(change(row("A")))
    await store.apply(change(row("A", "2"), version=1, retire=("A-1-None",)))
    assert [one.ours for one in await store.reference_rows()] == ["2"]
    assert [one.ours for one in await store.reference_rows(retired=True)] == ["1"]
    with pytest.raises(OurFault, match="does not stand"):
        await store.apply(change(version=2, retire=("A-1-None",)))


async def test_the_table_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of one partner that stand."""
    monkeypatch.setattr(table, "MOST_ROWS", 2)
    await store.apply(change(row("A"), row("B")))
    with pytest.raises(OurFault, match="3 cross-references, 2 are allowed"):
        await store.apply(change(row("C"), version=1))


async def test_a_thousand_rows_in_one_change(store: Store) -> None:
    """Statements have a limit of parameters; changes have not."""
    await store.apply(change(*(row(f"A{number}") for number in range(1200))))
    await store.apply(change(version=1, retire=tuple(f"A{number}-1-None" for number in range(1100))))
    assert len(await store.reference_rows(partner="acme")) == 100


async def _held(store: Store, trade: Any, *, said: str = "A", versions: tuple[int, int] = (0, 0)) -> str:
    """A document of acme's that waits for a word; its id."""
    received = trade.received()
    message_id = received.messages[0].id
    document = trade.document(message_id, natural_key=None)
    job = NewJob(
        message_id=message_id, document_id=document.id, step="deliver", lane="acme:inbound:erp", run_at=trade.clock()
    )
    await store.accept(replace(received, documents=(document,), jobs=(job,)))
    (claimed,) = await store.claim("w", ["deliver"], 1)
    await store.finish(claimed, holds(document.id, message_id, said, versions))
    return str(document.id)


def holds(document_id: str, message_id: str, said: str, versions: tuple[int, int]) -> Changes:
    """What the step decided."""
    one = finding("reference.unknown", JsonPlace(pointer="/lines/0/item/ids"), said=said, wanted="a word", fix="teach")
    missing = Missing(list="items", scheme="supplier", side="theirs", said=said, held=True, finding=one)
    held = Held(
        message_id=message_id,
        document_id=document_id,
        step="deliver",
        partner="acme",
        versions=versions,
        missing=(missing,),
    )
    update = DocumentUpdate(id=document_id, state=DocumentState.HELD)
    return Changes(document_updates=(update,), held=held)


async def test_a_word_that_is_taught_puts_the_documents_back_to_work_that_wait_for_it(store: Store, trade: Any) -> None:
    """In the same commit, on their trails; others wait on."""
    waits, other = await _held(store, trade), await _held(store, trade, said="B")
    assert [(one.document_id, one.said, one.number) for one in await store.holds(partner="acme")] == [
        (waits, "A", "A-1"),
        (other, "B", "A-1"),
    ]
    assert await store.claim("w", ["deliver"], 5) == []
    await store.apply(change(row("A")))
    assert [one.document_id for one in await store.claim("w", ["deliver"], 5)] == [waits]
    (hold,) = await store.holds()
    assert hold.document_id == other
    document = await store.document(waits)
    assert document is not None
    assert document.state is DocumentState.HELD
    trail = await store.timeline(message_id=document.message_id)
    assert (trail[-1].kind, trail[-1].data["by"]) == ("document.resumed", "ann")


async def test_a_word_for_all_partners_frees_each_of_them(store: Store, trade: Any) -> None:
    """And one for another partner frees nobody."""
    await _held(store, trade)
    await store.apply(change(row("A", partner="baltic"), partner="baltic"))
    assert len(await store.holds()) == 1
    await store.apply(change(row("A", partner=""), partner=""))
    assert await store.holds() == []


async def test_a_document_that_found_a_word_missing_which_was_taught_meanwhile_decides_anew(
    store: Store, trade: Any
) -> None:
    """Else it would wait for ever."""
    await store.apply(change(row("A")))
    with pytest.raises(NaturalKeyTaken):
        await _held(store, trade, versions=(0, 0))
    assert await store.holds() == []


async def test_held_documents_can_be_resumed_whatever_they_wait_for(store: Store, trade: Any) -> None:
    """Of one partner, or all."""
    await _held(store, trade)
    assert await store.resume("baltic", by="ann", reason="r") == 0
    assert await store.resume(None, by="ann", reason="r") == 1
    assert len(await store.claim("w", ["deliver"], 5)) == 1
