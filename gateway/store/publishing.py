"""What `Store` does for publishing: the outbox handed on, webhooks switched off and on, deliveries asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, select

from gateway.events import Event, WebhookDisabled, WebhookEnabled, WebhookRedelivered, WebhookSecretsChanged
from gateway.ports import WEBHOOKS, Clock
from gateway.publication import Announcer, Subscribers
from gateway.store import outbox, own_chains, webhooks
from gateway.store.database import Database
from gateway.store.payloads import Payloads
from gateway.store.tables import lane, webhook


class Publishing:
    """Part of `Store`."""

    database: Database
    payloads: Payloads
    clock: Clock
    announcer: Callable[[], Announcer | None]
    """Gives what makes published events of each commit's facts, as the active configuration has it; None: nobody asked
    for any."""

    async def hand_on(self, subscribers: Subscribers, most: int) -> int:
        """Make the jobs of the webhooks that asked for what is in the outbox; how many events were taken from it."""
        handing = partial(outbox.hand_on, subscribers=subscribers, now=self.clock(), most=most)
        return (await self.database.write(handing))[0]

    async def claim_events(self, way: str, *, lease: timedelta, most: int) -> list[outbox.Outgoing]:
        """Take what is due on a way; it comes back when the lease is over, unless it is settled."""
        now = self.clock()
        return await self.database.write(partial(outbox.claim, way=way, now=now, lease=lease, most=most))

    async def settle_events(self, done: Sequence[int], put_off: Sequence[tuple[int, datetime, str]] = ()) -> None:
        """Remove what was handed on; the rest comes back at its time."""
        await self.database.write(partial(outbox.settle, done=done, put_off=put_off))

    async def outbox(self) -> list[outbox.Waiting]:
        """What waits in the outbox, by way."""
        return await self.database.read(outbox.waiting)

    async def webhook_switches(self) -> dict[str, webhooks.Switch]:
        """The webhooks that are disabled, or were once, by name."""
        return {one.name: one for one in await self.database.read(webhooks.switches)}

    async def webhook_disabled(self, name: str) -> bool:
        """Whether a webhook is told nothing."""
        wanted = select(webhook.c.name).where(webhook.c.name == name, webhook.c.disabled_at.is_not(None))
        return await self.database.read(lambda connection: connection.execute(wanted).first() is not None)

    async def lane_failures(self, name: str) -> int:
        """How many calls of a lane failed in a row."""
        wanted = select(lane.c.failures).where(lane.c.name == name)
        return await self.database.read(lambda connection: connection.execute(wanted).scalar() or 0)

    async def disable_webhook(self, name: str, *, by: str, reason: str) -> bool:
        """Tell a webhook nothing more; on the trail once. False when it was disabled already."""
        fact = WebhookDisabled(message_id=WEBHOOKS, webhook=name, by=by, reason=reason)
        return await self._switch(name, fact, disabled=True, by=by, reason=reason)

    async def enable_webhook(self, name: str, *, by: str, reason: str) -> bool:
        """Tell it again. False when it was not disabled."""
        fact = WebhookEnabled(message_id=WEBHOOKS, webhook=name, by=by, reason=reason)
        return await self._switch(name, fact, disabled=False, by=by, reason=reason)

    async def notices(self, lane_name: str, *, states: Sequence[str] = (), limit: int = 50) -> list[webhooks.Notice]:
        """The newest deliveries of a webhook's lane."""
        return await self.database.read(partial(webhooks.notices, lane=lane_name, states=states, limit=limit))

    async def notice_counts(self, lane_name: str) -> dict[str, int]:
        """How many deliveries of a webhook's lane are in each state."""
        found = await self.database.read(partial(webhooks.counts, lane=lane_name))
        return found.get(lane_name, {})

    async def all_notice_counts(self) -> dict[str, dict[str, int]]:
        """The same of every lane that has any."""
        return await self.database.read(webhooks.counts)

    async def redeliver(
        self,
        name: str,
        lane_name: str,
        *,
        by: str,
        reason: str,
        event_id: str | None = None,
        since: datetime | None = None,
        failed_only: bool = True,
    ) -> int:
        """Send ended deliveries once more; how many."""
        now = self.clock()

        def operation(connection: Connection) -> int:
            count = webhooks.again(connection, lane_name, now, event_id=event_id, since=since, failed_only=failed_only)
            if count:
                fact = WebhookRedelivered(
                    message_id=WEBHOOKS, webhook=name, by=by, reason=reason, deliveries=count, event_id=event_id
                )
                own_chains.record(connection, fact, now)
            return count

        await own_chains.begin(self.database, self.payloads, WEBHOOKS, self.clock())
        return await self.database.write(operation)

    async def webhook_rotated(self, name: str, *, secrets: int, by: str, reason: str) -> None:
        """Put it on the trail that a webhook signs with other secrets, and how many."""
        now = self.clock()
        fact = WebhookSecretsChanged(message_id=WEBHOOKS, webhook=name, by=by, reason=reason, secrets=secrets)
        await own_chains.begin(self.database, self.payloads, WEBHOOKS, self.clock())
        await self.database.write(lambda connection: own_chains.record(connection, fact, now))

    async def _switch(self, name: str, fact: Event, *, disabled: bool, by: str, reason: str) -> bool:
        now = self.clock()

        def operation(connection: Connection) -> bool:
            changed = webhooks.switch(connection, name, disabled=disabled, now=now, by=by, reason=reason)
            if changed:
                own_chains.record(connection, fact, now)
            return changed

        await own_chains.begin(self.database, self.payloads, WEBHOOKS, self.clock())
        return await self.database.write(operation)
