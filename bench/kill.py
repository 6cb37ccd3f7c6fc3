"""The kill proof: SIGKILL at random moments under load; nothing acknowledged is lost, nothing happens twice at the ERP.

    python -m bench kill --messages 2000 --kills 20 --seed 1 [--database postgresql]

A message is acknowledged when its signed MDN was verified by the sender. It is lost when the ERP's own database does
not have its document after the queue has drained, and doubled when it is there more than once. Repeated calls that the
ERP recognises by their idempotency key are allowed and counted. Exit code 1 unless nothing is lost and nothing doubled.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass

from bench.load import NOTICES_FOR_AN_ORDER, answers
from bench.station import Station, station
from bench.surroundings import Surroundings, postgresql, surroundings
from gateway.demo.outside import command
from gateway.errors import OurFault

OUTSTANDING = 16
DRAIN_SECONDS = 240
"""Longer than a lease: on PostgreSQL the work of a killed process returns when its lease has run out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What the run showed, all of it seen from outside the gateway."""

    messages: int
    kills: int
    seconds: float
    acknowledged: int
    refused: int
    """Negative and invalid receipts."""
    retries: int
    lost: int
    doubled: int
    unasked: int
    """Documents at the ERP whose message was never acknowledged: allowed, the sender would send it again."""
    repeated_calls: int
    unanswered: int
    """Groups without a 997 at the sender."""
    answered_twice: int
    """Groups with two different 997 messages at the sender."""
    audit: str

    @property
    def proven(self) -> bool:
        """Whether the promise held."""
        wrong = (self.lost, self.doubled, self.refused, self.unanswered, self.answered_twice)
        return not any(wrong) and self.acknowledged == self.messages and self.audit == "intact"


async def run(*, messages: int, kills: int, seed: int, database: str | None) -> Outcome:
    """The whole proof."""
    async with (
        surroundings(database=database) as around,
        station(around.parties, gateway=around.url, port=around.demo.ports["station"]) as sender,
    ):
        prepared = await asyncio.to_thread(lambda: list(answers(around.parties, messages)))
        await around.place_orders(-(-messages // (NOTICES_FOR_AN_ORDER + 1)))
        _progress(f"{messages} messages are built, their orders are placed; sending, {kills} kills to come")
        started = time.monotonic()
        killer = asyncio.create_task(_kill(around, sender, messages, kills, random.Random(seed)))
        await sender.send_all(prepared, outstanding=OUTSTANDING)
        killed = await killer
        wanted = {one.effect for one in sender.acknowledged}
        groups = {str(one.control_number) for one in prepared}
        _progress(f"all answered after {time.monotonic() - started:.0f} s and {killed} kills; waiting for the queue")
        await _drain(around, sender, wanted, groups)
        seconds = time.monotonic() - started
        await asyncio.sleep(2)  # whatever would come twice has its chance to
        there = await asyncio.to_thread(around.delivered)
        return Outcome(
            messages=messages,
            kills=killed,
            seconds=seconds,
            acknowledged=len(sender.acknowledged),
            refused=len(sender.refused) + len(sender.invalid),
            retries=sender.retries,
            lost=sum(effect not in there for effect in wanted),
            doubled=sum(times > 1 for times in there.values()),
            unasked=sum(effect not in wanted for effect in there),
            repeated_calls=await asyncio.to_thread(around.repeated_calls),
            unanswered=sum(group not in sender.functional for group in groups),
            answered_twice=sum(times > 1 for times in sender.functional.values()),
            audit=await _audit(around),
        )


async def _kill(around: Surroundings, sender: Station, messages: int, kills: int, chance: random.Random) -> int:
    """Kill at random points of the run: after a random number of receipts and a random wait besides."""
    done = 0
    for point in sorted(chance.sample(range(1, messages), min(kills, messages - 1))):
        while len(sender.acknowledged) + len(sender.refused) < point:  # noqa: ASYNC110  another process, no event
            await asyncio.sleep(0.005)
        await asyncio.sleep(chance.uniform(0, 0.25))
        around.gateway.kill()
        done += 1
        await asyncio.to_thread(around.gateway.start)
        _progress(f"kill {done} of {kills}, {len(sender.acknowledged)} acknowledged, {sender.retries} retries")
    return done


async def _drain(around: Surroundings, sender: Station, wanted: set[tuple[str, str]], groups: set[str]) -> None:
    """Until every effect and every 997 is there, or for so long that it will not come any more."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        there = await asyncio.to_thread(around.delivered)
        if wanted <= there.keys() and groups <= sender.functional.keys():
            return
        await asyncio.sleep(0.5)


async def _audit(around: Surroundings) -> str:
    try:
        await command(around.demo.gateway, "audit", "verify")
    except OurFault as fault:
        return str(fault)
    return "intact"


def _progress(text: str) -> None:
    print(f"  … {text}", file=sys.stderr, flush=True)


def show(outcome: Outcome, database: str) -> None:
    """Print the table."""
    rows = [
        ("messages, signed and encrypted", outcome.messages),
        ("SIGKILLs of the gateway", outcome.kills),
        ("seconds, until everything was delivered", f"{outcome.seconds:.0f}"),
        ("acknowledged (MDN verified, MIC equal)", outcome.acknowledged),
        ("refused, or answered by an invalid receipt", outcome.refused),
        ("attempts repeated by the sender", outcome.retries),
        ("LOST: acknowledged, not at the ERP", outcome.lost),
        ("DOUBLED: twice at the ERP", outcome.doubled),
        ("repeated calls at the ERP (recognised by key)", outcome.repeated_calls),
        ("at the ERP, never acknowledged (allowed)", outcome.unasked),
        ("groups without a 997", outcome.unanswered),
        ("groups with two different 997", outcome.answered_twice),
        ("gateway audit verify", outcome.audit),
    ]
    print(f"kill -9 under load, {database}")
    for name, value in rows:
        print(f"  {name:48}{value!s:>10}")
    print(f"  {'proven' if outcome.proven else 'NOT PROVEN'}")


def main(arguments: list[str] | None = None) -> None:
    """Run the proof; exit code 1 when it fails."""
    parser = argparse.ArgumentParser(prog="python -m bench.kill", description="SIGKILL under load, effects counted.")
    parser.add_argument("--messages", type=int, default=2000, help="distinct AS2 messages (default 2000)")
    parser.add_argument("--kills", type=int, default=20, help="SIGKILLs of the gateway (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite", help="the store")
    options = parser.parse_args(arguments)
    with postgresql() if options.database == "postgresql" else nullcontext() as database:
        outcome = asyncio.run(run(messages=options.messages, kills=options.kills, seed=options.seed, database=database))
    show(outcome, options.database)
    if not outcome.proven:
        sys.exit(1)


if __name__ == "__main__":
    main()
