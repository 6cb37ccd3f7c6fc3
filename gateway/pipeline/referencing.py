"""Documents in the other side's words, by the partner's cross-references; what has an unknown word waits.

The document in the store stays as it came: it is translated on its way to the ERP or to the partner, by the rows that
hold on the day it came, so that a replay gives the same unless somebody taught another word for that day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from gateway.events import DocumentHeld, DocumentTranslated, Event
from gateway.mapping.references import References
from gateway.mapping.translate import Agreed, Translation, to_ours, to_theirs
from gateway.partners.agreement import Agreement
from gateway.pipeline import purged
from gateway.pipeline.snapshots import IN_A_THREAD
from gateway.pipeline.station import Station
from gateway.ports import Changes, Document, DocumentState, DocumentUpdate, Held, Json, ReferenceState

_Way = Callable[[Mapping[str, Any], Agreed, References, date], Translation]


@dataclass(frozen=True, kw_only=True, slots=True)
class Translated:
    """A document's translation, and the state of the tables that it was made with."""

    document: Document
    step: str
    body: Json
    translation: Translation | None = None
    versions: ReferenceState = (0, 0)

    @property
    def held(self) -> bool:
        """Whether it must wait."""
        return self.translation is not None and bool(self.translation.held)

    @property
    def events(self) -> tuple[Event, ...]:
        """That it was translated, where anything was."""
        made = self.translation
        if made is None or not (made.changes or made.missing):
            return ()
        event = DocumentTranslated(
            message_id=self.document.message_id,
            partner=self.document.partner,
            order_number=self.document.order_number,
            document_id=self.document.id,
            step=self.step,
            words=made.changes,
            kept=len(made.missing),
            references=made.version,
        )
        return (event,)

    def waits(self) -> Changes:
        """The document is held for the words that are missing; teaching them brings it back to work."""
        document, made = self.document, self.translation
        assert made is not None
        held = Held(
            message_id=document.message_id,
            document_id=document.id,
            step=self.step,
            partner=document.partner,
            versions=self.versions,
            missing=made.held,
        )
        more = f" (and {len(made.held) - 1} more)" if len(made.held) > 1 else ""
        event = DocumentHeld(
            message_id=document.message_id,
            partner=document.partner,
            order_number=document.order_number,
            document_id=document.id,
            step=self.step,
            words=len(made.held),
            reason=f"{made.held[0].finding.text}{more}; {made.held[0].finding.fix}",
            references=made.version,
        )
        return Changes(
            document_updates=(DocumentUpdate(id=document.id, state=DocumentState.HELD),), held=held, events=(event,)
        )


async def for_us(station: Station, document: Document, step: str) -> Translated:
    """A partner's document in our words. Raises OurFault where its content was purged."""
    return await _translated(station, document, step, to_ours)


async def for_partner(station: Station, document: Document, step: str) -> Translated:
    """Our document in the partner's words. Raises OurFault where its content was purged."""
    return await _translated(station, document, step, to_theirs)


async def in_our_words(station: Station, agreement: Agreement, body: Json, day: date) -> Json:
    """A partner's body as far as its words are known, to be compared with what is ours."""
    if agreement.references is None:
        return body
    _, known = await station.references.of(station.queries, agreement.name)
    return (await _made(to_ours, body, agreement.references.agreed, known, day)).body


async def all_in_our_words(station: Station, agreement: Agreement, documents: Sequence[Document]) -> list[Document]:
    """The same for documents that came before."""
    if agreement.references is None:
        return list(documents)
    return [replace(one, body=await in_our_words(station, agreement, one.body, one.at.date())) for one in documents]


async def _translated(station: Station, document: Document, step: str, way: _Way) -> Translated:
    purged.refuse(document)
    agreement = station.directory.known(document.partner)
    if agreement is None or agreement.references is None:
        return Translated(document=document, step=step, body=document.body)
    versions, known = await station.references.of(station.queries, document.partner)
    made = await _made(way, document.body, agreement.references.agreed, known, document.at.date())
    return Translated(document=document, step=step, body=made.body, translation=made, versions=versions)


async def _made(way: _Way, body: Json, agreed: Agreed, known: References, day: date) -> Translation:
    if known.size < IN_A_THREAD:
        return way(body, agreed, known, day)
    return await asyncio.to_thread(way, body, agreed, known, day)
