"""`gateway reference unknown` and `resume`: the words that documents wait for, and documents back to work."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, show, show_json
from gateway.cli.printable import printable
from gateway.cli.reference_asking import opened, who
from gateway.mapping.missing import Word, teaching
from gateway.mapping.references import Near, References
from gateway.ports import Hold

MOST = 10_000
MOST_NEAR = 200
"""Words that near matches are looked up for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Waiting:
    """One word, the documents that wait for it, the rows that are near, the command that teaches it."""

    holds: tuple[Hold, ...]
    near: tuple[Near, ...]
    command: str


def unknown(
    partner: Annotated[str | None, typer.Argument(metavar="[PARTNER]", help="Only this one's.")] = None,
    *,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """The words that documents wait for, what is near in the tables, and the command that teaches each.

    Exit code 1 while any document waits.

    Example: gateway reference unknown acme
    """
    with answering():
        found = run(_waiting(workspace, partner))
        if as_json:
            show_json([_as_json(one) for one in found])
        elif not found:
            show("no document waits")
        else:
            _show(found)
    if found:
        raise typer.Exit(FINDINGS)


def resume(
    partner: Annotated[str | None, typer.Argument(metavar="[PARTNER]", help="Only this one's.")] = None,
    *,
    workspace: WorkspaceFolder = Path(),
    by: Annotated[str | None, typer.Option(help="Who asks; it is recorded.", show_default="who is logged in")] = None,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")] = "asked for",
    as_json: AsJson = False,
) -> None:
    """Put held documents back to work, whatever they wait for: after a change of the agreement, for one.

    Learning a word does that by itself. What still misses a word waits again.

    Example: gateway reference resume acme --reason "units are kept now"
    """

    async def work() -> int:
        async with opened(workspace) as (store, _):
            return await store.resume(partner, by=who(by), reason=reason)

    with answering():
        count = run(work())
        if as_json:
            show_json({"resumed": count})
        else:
            show(f"{count} {'document is' if count == 1 else 'documents are'} back to work")


async def _waiting(workspace: Path, partner: str | None) -> list[_Waiting]:
    async with opened(workspace) as (store, clock):
        holds = await store.holds(partner=partner, limit=MOST)
        by_word: dict[tuple[str, ...], list[Hold]] = defaultdict(list)
        for one in holds:
            by_word[one.partner, one.rule, one.list, one.scheme, one.side, one.said].append(one)
        known: dict[str, References] = {}
        found: list[_Waiting] = []
        for waiting in by_word.values():
            first = waiting[0]
            if first.partner not in known:
                _, rows = await store.references(first.partner)
                known[first.partner] = References(rows, partner=first.partner)
            near = known[first.partner].near(first.list, first.said, clock().date()) if len(found) < MOST_NEAR else ()
            word = Word(
                list=first.list,
                scheme=first.scheme,
                side="theirs" if first.side == "theirs" else "ours",
                said=first.said,
                at=first.pointer,
                unknown="hold",
            )
            command = teaching(word, first.partner, near[0] if near else None)
            found.append(_Waiting(holds=tuple(waiting), near=near, command=command))
        return found


def _show(found: list[_Waiting]) -> None:
    for one in found:
        first, count = one.holds[0], len({hold.document_id for hold in one.holds})
        line = Text(f"{first.partner} {first.list} ", style="bold")
        line.append(printable(repr(first.said)), style="bold yellow")
        whose = "their word" if first.side == "theirs" else "our word"
        line.append(f" ({whose}): {count} {'document waits' if count == 1 else 'documents wait'}  [{first.rule}]")
        show(line)
        show(Text(printable(f"    {first.kind} {first.number} {first.text}"), style="dim"))
        if first.rule != "reference.unknown":
            continue
        for near in one.near:
            show(printable(f"    near: {near.row.theirs} = {near.row.ours}  {near.score} %"))
        show(Text(printable(f"    {one.command}"), style="green"))


def _as_json(one: _Waiting) -> dict[str, Any]:
    first = one.holds[0]
    return {
        "partner": first.partner,
        "list": first.list,
        "scheme": first.scheme,
        "side": first.side,
        "said": first.said,
        "rule": first.rule,
        "near": [{"theirs": near.row.theirs, "ours": near.row.ours, "score": near.score} for near in one.near],
        "command": one.command,
        "documents": [
            {
                "id": hold.document_id,
                "message_id": hold.message_id,
                "kind": hold.kind,
                "number": hold.number,
                "pointer": hold.pointer,
                "text": hold.text,
                "at": hold.at,
            }
            for hold in one.holds
        ],
    }
