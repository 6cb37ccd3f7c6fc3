"""The table of faults: on a terminal as it comes about, and as docs/reliability.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bench.chaos.rows import Row
from bench.power import Outcome

ABOUT = """\
# Reliability

What a gateway acknowledged is there afterwards, and an ERP that honours the idempotency key has it once, whatever
happened meanwhile. This page is written by a run that breaks things; it is not edited by hand.

    make chaos                                # the table below, and this page
    python -m bench.chaos --only kill-sqlite --seed 7
    python -m bench.chaos --full              # 100 kills on each database, an hour without the ERP: hours

Real processes: gateways behind a small balancer, a sender that behaves as a partner's AS2 station does (signed and
encrypted messages, the same bytes and Message-ID again until a signed receipt was verified), an ERP with books of its
own, PostgreSQL from its wheel with fsync on. While messages come in, the fault happens; then everything drains and the
witnesses are asked: the sender's receipts and 997s, the ERP's books, `gateway audit verify`. The choices and their
reasons: [decision 0099](decisions/0099-faults-as-a-table.md).

| column | what it says |
|---|---|
| acknowledged | messages whose signed, positive receipt the sender verified; all that were sent, or the row is broken |
| lost | acknowledged, but neither at the ERP nor shown to an operator as uncertain |
| doubled | twice in the books of an ERP that honours the key |
| repeated | calls that an ERP which ignores the key would have taken once more |
| marked | those of them whose delivery says in the trail that a call before had no answer |
| waiting | deliveries left to an operator as uncertain (`gateway message list --uncertain`) |
| recovery | seconds from the end of the fault until all that was acknowledged, later too, was at the ERP |

A row is broken, too, when a repeat is not marked, a receipt was refused or invalid, the same message got two different
receipts, a group has no 997 or two, or the trail does not verify. Work that was made while a clock was ahead is done
within seconds of the clock going back; a verdict says of how many messages where some waits still.
"""

POWER = """\
## Power loss
strace notes every write, sync, renaming and answer of a real gateway on SQLite, in order, while messages of 2 KB to
2.5 MB come in. The disk is rebuilt as a power cut would leave it and opened with the gateway's own store. The rules are
POSIX's, read against us: octets are there when a sync of the file, begun after they were written, has ended; a name is,
when a sync of its folder has. Between any two syncs, the disk is rebuilt with nothing else on it; at random calls, with
whole pages of 4 KiB and names that were not synced there or not, by chance. Every message whose receipt had begun to
leave must be there, with its bytes and its receipt, and the trail must verify. The calls, all applied, lead to the
files that were there at the end, octet for octet: the record is complete. A database set to `synchronous=NORMAL`, and a
folder that is not synced, are found out (`tests/bench/test_power.py`).

This found, and mended, a fault: the names of the data folders themselves had never been synced.

"""

NOT_SHOWN = """\
## Not shown here
- A disk that acknowledges a sync and does not keep it; PostgreSQL at a power cut, which is PostgreSQL's to show.
- Unless the command above says `--full`: a hundred kills on each database, an hour without the ERP, a node frozen for
  longer than a lease of 60 s.
- Failover to a standby: [operations](operations.md) says what it needs.
- Two machines: nodes, ERP and database share one, and its clock, except where a fault steps a node's.
"""


@dataclass(kw_only=True)
class Report:
    """A run."""

    command: str
    machine: str
    at: datetime
    rows: list[Row] = field(default_factory=list)
    power: Outcome | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    """What could not be run, and why."""
    seconds: float = 0.0

    @property
    def lost(self) -> int:
        """Over all faults."""
        return sum(row.lost for row in self.rows) + (len(self.power.lost) if self.power is not None else 0)

    @property
    def doubled(self) -> int:
        """Over all faults."""
        return sum(row.doubled for row in self.rows)

    @property
    def proven(self) -> bool:
        """Whether everything that was run held."""
        return all(row.proven for row in self.rows) and (self.power is None or self.power.proven)

    @property
    def verdict(self) -> str:
        """In words."""
        return "every promise held" if self.proven else "BROKEN"


def tell(row: Row) -> None:
    """One row, on a terminal."""
    print(
        f"  {row.fault}: {row.done}\n"
        f"    acknowledged {row.acknowledged}, lost {row.lost}, doubled {row.doubled}, repeated {row.repeated} "
        f"(marked {row.marked}), waiting {row.waiting}, recovery {_seconds(row.recovery)} s: {row.verdict}",
        flush=True,
    )


def written(report: Report) -> str:
    """The page."""
    lines = [
        "| fault | what was done | acknowledged | lost | doubled | repeated | marked | waiting | recovery | verdict |",
        f"|{'---|' * 10}",
    ]
    lines += [
        f"| {row.fault} | {row.done} | {row.acknowledged:,} | **{row.lost}** | **{row.doubled}** "
        f"| {row.repeated} | {row.marked} | {row.waiting} | {_seconds(row.recovery)} | {row.verdict} |"
        for row in report.rows
    ]
    lines += [f"| {name} | not run: {why.splitlines()[0]} | | | | | | | | |" for name, why in report.left_out.items()]
    run = (
        f"## The run of {report.at:%Y-%m-%d}\n`{report.command}`, {report.at:%H:%M} UTC, {report.seconds:.0f} s. "
        f"Machine: {report.machine}.\n"
    )
    parts = [ABOUT, run, "\n".join(lines) + "\n"]
    if report.power is not None:
        parts.append(POWER.rstrip("\n") + "\n\n" + _power(report.power))
    parts.append(NOT_SHOWN)
    return "\n".join(parts)


def _power(outcome: Outcome) -> str:
    rows = (
        ("messages acknowledged", f"{outcome.messages:,}"),
        ("calls in the record, syncs among them", f"{outcome.calls:,}, {outcome.syncs:,}"),
        ("cuts between two syncs", f"{outcome.cuts:,}"),
        ("cuts at random calls", f"{outcome.random_cuts:,}"),
        ("most unsynced changes at one cut", f"{outcome.unsynced:,}"),
        ("**lost**: messages, bytes, receipts, trails", f"**{len(outcome.lost)}**"),
    )
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows)


def _seconds(recovery: float | None) -> str:
    return "never" if recovery is None else f"{recovery:.1f}"
