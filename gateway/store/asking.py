"""The Protocols Queries and Keys, and what VersionShelf reads: each method is one call of a function of a module."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

from gateway.errors import OurFault
from gateway.mapping.references import CrossReference
from gateway.partners.confirmations import Reached, Stage
from gateway.ports import (
    ApiKey,
    Attempt,
    DeliveryRecord,
    Direction,
    Document,
    DocumentState,
    Hold,
    Job,
    Message,
    MessageState,
    Overdue,
    Page,
    ReferenceState,
    TrailEntry,
    TrailProof,
    Version,
    VersionKind,
    Wait,
)
from gateway.ports.figures import Traffic
from gateway.store import (
    certificates,
    deliveries,
    figures,
    holds,
    jobs,
    keys,
    looks,
    proof,
    queries,
    references,
    versions,
    waiting_for,
)
from gateway.store.database import Database
from gateway.store.payloads import Payloads, StoredFile
from gateway.store.tables import message


class Asking:
    """Reading messages, documents, work and trail; API keys."""

    database: Database
    payloads: Payloads

    async def message(self, message_id: str) -> Message | None:
        """A message without its bytes."""
        return await self.database.look(partial(looks.message_by_id, id_=message_id))

    async def payload(self, message_id: str) -> bytes:
        """The unwrapped bytes of a message. Raises OurFault when there is no such message, or they were purged."""
        data = await self._bytes(message_id, "payload")
        if data is None:
            raise OurFault(f"There is no message {message_id}", remedy="`gateway message list` shows the newest ones.")
        return data

    async def raw(self, message_id: str) -> bytes | None:
        """What was on the wire, when that differs from the payload. Raises OurFault when it was purged."""
        return await self._bytes(message_id, "raw")

    async def octets(self, message_id: str, form: str = "payload") -> bytes | StoredFile | None:
        """The payload, or `raw`, of a message, to be read in pieces where it stands in a file.

        None when it has none. Raises OurFault when it was purged, is missing or was changed.
        """
        find = partial(queries.place_of, message_id=message_id, form=form)
        found = await self.database.read(find)
        if isinstance(found, str):
            return await asyncio.to_thread(self.payloads.open, found, message_id, form)
        return found

    async def _bytes(self, message_id: str, form: str) -> bytes | None:
        # Not within the reading: on PostgreSQL that is the event loop's own thread, and a file may be large.
        found = await self.database.read(partial(queries.place_of, message_id=message_id, form=form))
        return await asyncio.to_thread(self.payloads.read, found, message_id, form) if isinstance(found, str) else found

    async def messages(
        self,
        *,
        partner: str | None = None,
        state: MessageState | None = None,
        before: str | None = None,
        limit: int = 50,
        given_up: bool = False,
        overdue: bool = False,
        uncertain: bool = False,
        strange_to: Collection[str] | None = None,
        order_number: str | None = None,
        since: datetime | None = None,
        lane: str | None = None,
    ) -> list[Message]:
        """The newest messages first, at most 1,000; those older than the message `before`, when it is given.

        `given_up`: only those with work that was given up, whatever their state; `uncertain`: only those with a
        delivery that may have taken place; `overdue`: only those whose answer, or the answer to whose order, has not
        come in time; `strange_to`: only those with work in a step that is none of these.
        `order_number`: only those that have to do with the order; `lane`: only those with work that waits or runs
        there.
        """
        return await self.database.read(
            partial(
                queries.messages,
                partner=partner,
                state=state,
                before=before,
                limit=limit,
                given_up=given_up,
                overdue=overdue,
                uncertain=uncertain,
                strange_to=strange_to,
                order_number=order_number,
                since=since,
                lane=lane,
            )
        )

    async def message_by_duplicate_key(self, key: str) -> Message | None:
        """The message that took this duplicate key."""
        return await self.database.read(partial(queries.one_message, condition=message.c.duplicate_key == key))

    async def answers_to(self, message_id: str) -> list[Message]:
        """The acknowledgments that answer a message, oldest first."""
        return await self.database.read(partial(queries.answers_to, message_id=message_id))

    async def message_by_wait_key(self, wait_key: str) -> Message | None:
        """The newest message that is, or was, closed by `wait_key`."""
        return await self.database.read(partial(queries.one_message, condition=message.c.wait_key == wait_key))

    async def waiting(self, wait_key: str) -> Job | None:
        """The job that waits for `wait_key`."""
        return await self.database.read(partial(queries.waiting, wait_key=wait_key))

    async def document(self, document_id: str, *, partner: str | None = None) -> Document | None:
        """One document; another partner's does not exist."""
        found = await self.database.look(partial(looks.document_by_id, id_=document_id))
        return found if found is None or partner in {None, found.partner} else None

    async def documents_of(self, message_id: str) -> list[Document]:
        """The documents read from, or written to, a message."""
        few = await self.database.look(partial(looks.few_documents_of, message_id=message_id))
        return await self.database.read(partial(looks.documents_of, message_id=message_id)) if few is None else few

    async def key_owner(self, key: str) -> str | None:
        """The id of the message that took an identity of `Changes.keys` or `Numbered.keys`."""
        return await self.database.look(partial(looks.key_owner, key=key))

    async def document_by_key(self, partner: str, direction: Direction, natural_key: str) -> Document | None:
        """The accepted document with this natural key."""
        look = partial(looks.document_by_key, partner=partner, direction=direction, natural_key=natural_key)
        return await self.database.look(look)

    async def order(
        self, partner: str, number: str, direction: Direction, *, release: str | None = None
    ) -> Document | None:
        """The newest purchase order with this number that went to (or came from) this partner and was not rejected.

        With a `release`, that release of a blanket order; without one, the newest whatever its release.
        """
        look = partial(looks.order, partner=partner, number=number, direction=direction, release=release)
        return await self.database.look(look)

    async def documents_by_number(self, partner: str, direction: Direction, kind: str, number: str) -> list[Document]:
        """The accepted documents of one kind with this number, of any revision and purpose, oldest first."""
        look = partial(queries.numbered, partner=partner, direction=direction, kind=kind, number=number)
        return await self.database.read(look)

    async def orders(self, number: str, *, partner: str | None = None) -> list[Document]:
        """The purchase orders of this number, whoever's and whichever way, oldest first; none that was rejected."""
        return await self.database.read(partial(queries.orders, number=number, partner=partner))

    async def documents_for_order(
        self, partner: str, kind: str, order_number: str, *, release: str | None = None
    ) -> list[Document]:
        """The accepted documents of one kind that answer an order, oldest first: those that name `release`, or none."""
        read = partial(looks.answers, partner=partner, kind=kind, order_number=order_number, release=release)
        few = await self.database.look(partial(read, most=looks.FEW + 1))
        return few if len(few) <= looks.FEW else await self.database.read(partial(read, most=queries.MOST))

    async def named_answers(self, partner: str, kind: str, order_number: str) -> list[tuple[str, str]]:
        """Id and number of the accepted documents of one kind that name an order, oldest first."""
        look = partial(looks.named_answers, partner=partner, kind=kind, order_number=order_number)
        return await self.database.look(look)

    async def documents_by_id(self, ids: Sequence[str]) -> list[Document]:
        """These documents, in any order."""
        read = partial(looks.documents_by_id, ids=ids)
        return await (self.database.look if len(ids) <= looks.FEW else self.database.read)(read)

    async def documents(
        self,
        *,
        partner: str,
        kind: str,
        direction: Direction,
        state: DocumentState | None = None,
        updated_after: datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page:
        """A partner's documents, oldest change first. Raises PartnerFault for a cursor that is not ours."""
        return await self.database.read(
            partial(
                queries.page,
                partner=partner,
                kind=kind,
                direction=direction,
                state=state,
                updated_after=updated_after,
                cursor=cursor,
                limit=limit,
            )
        )

    async def reference_versions(self, partner: str) -> ReferenceState:
        """The state of the cross-references for a partner."""
        return await self.database.look(partial(references.versions, partner=partner))

    async def references(self, partner: str) -> tuple[ReferenceState, tuple[CrossReference, ...]]:
        """The rows for a partner, its own and those for all, and their state, as one reading."""
        return await self.database.read(partial(references.snapshot, partner=partner))

    async def reference_rows(
        self, *, partner: str | None = None, list_: str | None = None, retired: bool = False
    ) -> list[CrossReference]:
        """Rows as they stand, or with `retired` those that hold no more."""
        return await self.database.read(partial(references.rows, partner=partner, list_=list_, retired=retired))

    async def holds(self, *, partner: str | None = None, limit: int = 1000) -> list[Hold]:
        """The words that documents wait for, the oldest first."""
        return await self.database.read(partial(holds.waiting, partner=partner, limit=limit))

    async def waits(self, wait_keys: Sequence[str]) -> list[Wait]:
        """What is expected under these wait keys and has not come, by the time it is due."""
        return await self.database.read(partial(waiting_for.waits, wait_keys=wait_keys))

    async def overdue(self, *, partner: str | None = None, limit: int = 1000) -> list[Overdue]:
        """What has not come in time, the oldest first."""
        return await self.database.read(partial(waiting_for.overdue, partner=partner, limit=limit))

    async def under_review(self, *, partner: str | None = None, limit: int = 1000) -> list[Document]:
        """The documents that wait for a decision, the oldest first."""
        return await self.database.read(partial(queries.under_review, partner=partner, limit=limit))

    async def traffic(self, since: datetime) -> Traffic:
        """The messages that came and went since then."""
        return await self.database.read(partial(figures.traffic, since=since))

    async def attempts(self, message_id: str) -> list[Attempt]:
        """Every try at the work on a message."""
        return await self.database.read(partial(queries.attempts, message_id=message_id))

    async def attempt_lost(self, job: Job) -> bool:
        """Whether the try before this one at the job began and never ended: its process died."""
        return await self.database.read(partial(jobs.lost_before, ours=job))

    async def deliveries(self, document_ids: Sequence[str]) -> list[DeliveryRecord]:
        """The deliveries of these documents, by document and target."""
        return await self.database.read(partial(deliveries.of, document_ids=document_ids))

    async def timeline(
        self, *, message_id: str | None = None, order_number: str | None = None, partner: str | None = None
    ) -> list[TrailEntry]:
        """The trail of one message, or of everything that belongs to an order, oldest first."""
        return await self.database.read(
            partial(queries.timeline, message_id=message_id, order_number=order_number, partner=partner)
        )

    async def newest_events(self, message_id: str, *, limit: int = 200) -> list[TrailEntry]:
        """The last events of a message's chain, oldest first; at most 1,000."""
        return await self.database.read(partial(queries.newest_events, message_id=message_id, limit=limit))

    async def proof(self, message_id: str) -> TrailProof:
        """A message's events with the octets of their hashes, and the seals that cover them, whole."""
        return await self.database.read(partial(proof.of, message_id=message_id))

    async def get(self, kind: VersionKind, hash: str) -> Version | None:  # noqa: A002  it is the trade's word
        """The agreement, map or guide of this hash as it was; None where it was never in use here."""
        return await self.database.read(partial(versions.get, kind=kind, hash_=hash))

    async def certificate_steps(
        self, *, partner: str | None = None, stage: Stage | None = None, since: datetime | None = None
    ) -> list[Reached]:
        """How far certificates have come, in the order of the times."""
        return await self.database.read(partial(certificates.reached, partner=partner, stage=stage, since=since))

    async def add_key(self, key: ApiKey, *, secret_sha256: str) -> None:
        """Store a new key."""
        await self.database.write(partial(keys.add, key=key, secret_sha256=secret_sha256))

    async def key(self, key_id: str) -> tuple[ApiKey, str] | None:
        """A key and the SHA-256 of its secret."""
        return await self.database.read(partial(keys.find, key_id=key_id))

    async def keys(self, *, partner: str | None = None) -> list[ApiKey]:
        """All keys, or one partner's."""
        return await self.database.read(partial(keys.listed, partner=partner))

    async def revoke_key(self, key_id: str, at: datetime) -> bool:
        """Make a key useless from now on; False when there is none."""
        return await self.database.write(partial(keys.revoke, key_id=key_id, at=at))

    async def touch_key(self, key_id: str, at: datetime) -> None:
        """Record the last use, at most once a minute."""
        await self.database.write(partial(keys.touch, key_id=key_id, at=at))
