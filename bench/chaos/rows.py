"""One fault under load: messages come in, it happens, everything drains, and the witnesses are asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from bench.chaos.site import DRAIN_SECONDS, Site
from bench.load import Effect, Prepared

A_SECOND = 20
"""Messages that come in, whether earlier ones are answered or not,"""
OUTSTANDING = 24
"""as long as no more than these are not: a partner's station has an end, too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What one fault showed, all of it seen from outside the gateway."""

    fault: str
    done: str
    """What was done, in words."""
    acknowledged: int
    lost: int
    """Acknowledged, and neither at the ERP nor shown to an operator as uncertain."""
    doubled: int
    """Documents that an ERP which honours the key has twice."""
    repeated: int
    """Calls that one which does not honour it would have taken once more."""
    marked: int
    """Those of them whose delivery says in the trail that a call before had no answer."""
    waiting: int = 0
    """Deliveries that wait for an operator, uncertain."""
    later: int = 0
    """Messages with work that is due later, because the clock had been ahead when it was made."""
    recovery: float | None = None
    """Seconds from the end of the fault until everything acknowledged was at the ERP."""
    wrong: tuple[str, ...] = ()
    """What else is not as it must be."""

    @property
    def proven(self) -> bool:
        """Whether the promise held."""
        return not (self.lost or self.doubled or self.wrong) and self.marked == self.repeated

    @property
    def verdict(self) -> str:
        """In words."""
        if self.proven:
            return f"held; {self.later} messages wait until the clock is there again" if self.later else "held"
        told = [f"{self.repeated - self.marked} repeats not marked"] if self.marked != self.repeated else []
        return "; ".join(("BROKEN", *told, *self.wrong))


Happening = Callable[[Site], Awaitable[str]]
"""Lets the fault happen while messages come in, and ends it; what was done, in words."""


Sending = Callable[[Site], Awaitable[None]]


async def observe(name: str, site: Site, happen: Happening, send: Sending | None = None) -> Row:
    """Send, let it happen, drain, ask. `send` sends all messages in its own way."""
    sending = asyncio.create_task((send or _send)(site))
    try:
        done = await happen(site)
        await sending
    finally:
        sending.cancel()
    wanted = {one.effect for one in site.sender.acknowledged}
    answered = site.messages if site.functional else ()
    groups = {str(one.control_number): one.built.message_id for one in answered}
    until = await _drained(site, wanted, groups)
    await asyncio.sleep(2)  # whatever would come twice has its chance to
    uncertain = {str(one["idempotency_key"]): one for one in await site.events("delivery.uncertain")}
    after = {
        str(one["idempotency_key"]) for one in await site.events("document.delivered") if one.get("after_uncertain")
    }
    there = site.erp.effects
    waiting = await site.effects_of(uncertain.keys() - after)
    later = await site.later()
    put_off = _effects(site, later)
    missing = [effect for effect in wanted if effect not in there and effect not in waiting and effect not in put_off]
    unanswered = [group for group in groups if group not in site.sender.functional and groups[group] not in later]
    repeats = site.erp.repeats
    audit = await site.audit()
    return Row(
        fault=name,
        done=done,
        acknowledged=len(site.sender.acknowledged),
        lost=len(missing),
        doubled=sum(times > 1 for times in there.values()),
        repeated=sum(repeats.values()),
        marked=sum(times for key, times in repeats.items() if key in after or key in uncertain),
        waiting=len(waiting),
        later=len(later),
        recovery=None if until is None else max(until - site.ended_at, 0.0),
        wrong=tuple(
            told
            for told, is_so in (
                (f"{len(site.sender.refused)} refused", site.sender.refused),
                (f"{len(site.sender.invalid)} invalid receipts", site.sender.invalid),
                ("not all acknowledged", len(site.sender.acknowledged) != len(site.messages)),
                ("receipts differ", any(len(one) > 1 for one in site.balancer.receipts.values())),
                (f"{len(unanswered)} groups without a 997", unanswered),
                ("a group with two 997s", any(times > 1 for times in site.sender.functional.values())),
                (f"trail: {audit[:200]}", audit != "intact"),
            )
            if is_so
        ),
    )


async def _send(site: Site) -> None:
    """All messages, each until it is acknowledged."""
    begin, room = time.monotonic(), asyncio.Semaphore(OUTSTANDING)

    async def one(message: Prepared) -> None:
        async with room:
            await site.sender.send(message)

    async with asyncio.TaskGroup() as tasks:
        for index, message in enumerate(site.messages):
            await asyncio.sleep(max(0.0, begin + index / A_SECOND - time.monotonic()))
            tasks.create_task(one(message))


async def _drained(site: Site, wanted: set[Effect], groups: Mapping[str, str]) -> float | None:
    """When everything was there; None when it was not in time."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        missing = wanted - site.erp.effects.keys()
        unanswered = {one for group, one in groups.items() if group not in site.sender.functional}
        if not missing and not unanswered:
            return time.monotonic()
        if unanswered <= (later := await site.later()):
            missing -= _effects(site, later)
            if not missing or missing <= await _waiting(site):
                return time.monotonic()
        await asyncio.sleep(0.2)
    return None


def _effects(site: Site, messages: Collection[str]) -> set[Effect]:
    """What these messages, named by Message-ID, are to the ERP."""
    return {one.effect for one in site.messages if one.built.message_id in messages}


async def _waiting(site: Site) -> set[Effect]:
    """What nobody but an operator can go on with."""
    return await site.effects_of({str(one["idempotency_key"]) for one in await site.events("delivery.uncertain")})
