"""`gateway review`: documents that wait for a decision, and the decision: who, and why."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, show, show_json, show_table
from gateway.cli.partner_names import complete_partner
from gateway.cli.printable import printable
from gateway.cli.reference_asking import opened
from gateway.errors import OurFault
from gateway.ports import Document, NaturalKeyTaken, Review

if TYPE_CHECKING:
    from gateway.store import Store

MOST = 1000
app = typer.Typer(no_args_is_help=True, help="Documents that wait for a decision: seen, approved, rejected.")

WHY = {
    Review.OUTSIDE_TOLERANCE: "outside tolerance",
    Review.ORDER_UNKNOWN: "order not here",
    Review.ORDER_HELD: "behind its order",
    Review.REPLACEMENT: "takes another's place",
}


def complete_document(context: typer.Context, incomplete: str) -> list[str]:
    """The ids of documents under review that begin so; none where there is no workspace."""
    folder = Path(context.params.get("workspace") or ".")
    try:
        return [one.id for one in asyncio.run(_listed(folder, None)) if one.id.startswith(incomplete)]
    except (OurFault, OSError):
        return []


DocumentId = Annotated[
    str,
    typer.Argument(metavar="ID", help="As `gateway review list` prints it.", autocompletion=complete_document),
]
By = Annotated[str, typer.Option("--by", help="Who decides; it is recorded.")]
Why = Annotated[str, typer.Option("--why", help="Why; it is recorded.")]


@app.command("list")
def list_(
    workspace: WorkspaceFolder = Path(),
    partner: Annotated[str | None, typer.Option(help="Only this one's.", autocompletion=complete_partner)] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """The documents that wait, oldest first, each with its reason. Exit code 1 while there is any.

    Example: gateway review list --partner acme
    """
    with answering():
        found = run(_listed(workspace, partner))
        if as_json:
            show_json([_as_json(one) for one in found])
        elif not found:
            show("no document waits for a decision")
        else:
            show_table(
                ("since", "id", "partner", "document", "number", "order", "why", "reason"), (_row(one) for one in found)
            )
    if found:
        raise typer.Exit(FINDINGS)


@app.command("show")
def show_one(document_id: DocumentId, *, workspace: WorkspaceFolder = Path(), as_json: AsJson = False) -> None:
    """One of them: every reason, what was said and what was wanted, and the document itself.

    Example: gateway review show 01a1fba6-51a7-7b71-bac9-45631484465c
    """
    with answering():
        found = run(_one(workspace, document_id))
        if as_json:
            show_json(_as_json(found) | {"document": found.body})
            return
        why = "decided" if found.review is None else WHY[found.review]
        show(Text(printable(f"{found.partner} {found.kind} {found.number}: {found.state}, {why}"), style="bold"))
        show(printable(f"order {found.order_number}, since {found.at:%Y-%m-%d %H:%M} UTC, message {found.message_id}"))
        for finding in found.findings:
            line = Text(printable(_place(finding)), style="bold")
            line.append(printable(f": {finding.get('said')}"), style="yellow")
            line.append(printable(f"; expected {finding.get('wanted')}  [{finding.get('rule')}]"))
            show(line)
        show(printable(json.dumps(found.body, indent=2, ensure_ascii=False)))


@app.command()
def approve(document_id: DocumentId, by: By, why: Why, *, workspace: WorkspaceFolder = Path()) -> None:
    """Let a document go on to its target, whatever differs.

    Example: gateway review approve 01a1fba6-51a7-7b71-bac9-45631484465c --by ann --why "new price list agreed"
    """
    with answering():
        one = run(_decided(workspace, document_id, approved=True, by=by, why=why))
        show(f"{one.kind} {one.number} goes on; see it with: gateway message show {one.message_id}")


@app.command()
def reject(document_id: DocumentId, by: By, why: Why, *, workspace: WorkspaceFolder = Path()) -> None:
    """Refuse a document for good: its target never sees it, and a corrected one may come under its number.

    What a replacement was to replace holds good.

    The partner is not told by a message (an 824 is not written yet): tell them yourself.

    Example: gateway review reject 01a1fba6-51a7-7b71-bac9-45631484465c --by ann --why "old price list"
    """
    with answering():
        one = run(_decided(workspace, document_id, approved=False, by=by, why=why))
        show(f"{one.kind} {one.number} is rejected; {one.partner} is told nothing by itself: tell them")


async def _listed(workspace: Path, partner: str | None) -> list[Document]:
    async with opened(workspace) as (store, _):
        return await store.under_review(partner=partner, limit=MOST)


async def _one(workspace: Path, document_id: str) -> Document:
    async with opened(workspace) as (store, _):
        return await _document(store, document_id)


async def _decided(workspace: Path, document_id: str, *, approved: bool, by: str, why: str) -> Document:
    from gateway.pipeline import settling  # noqa: PLC0415  help needs none of it

    async with opened(workspace) as (store, clock):
        document = await _document(store, document_id)
        changes = await settling.reviewed(store, document, approved=approved, by=by, why=why, now=clock())
        with contextlib.suppress(NaturalKeyTaken):  # one of its deliveries was settled
            if await store.judge(document.id, changes):
                return document
        raise OurFault(
            f"{document.kind} {document.number} was decided about meanwhile",
            remedy=f"see by whom: gateway message show {document.message_id}",
        )


async def _document(store: Store, document_id: str) -> Document:
    found = await store.document(document_id)
    if found is None:
        raise OurFault(f"there is no document {document_id}", remedy="`gateway review list` shows what waits")
    return found


def _row(one: Document) -> tuple[str | Text, ...]:
    reasons = [finding for finding in one.findings if finding.get("severity") != "accept"]
    reason = f"{_place(reasons[0])}: {reasons[0].get('said')}" if reasons else ""
    assert one.review is not None
    return (
        f"{one.at:%Y-%m-%d %H:%M}",
        printable(one.id),
        printable(one.partner),
        one.kind,
        printable(one.number),
        printable(one.order_number or ""),
        Text(WHY[one.review], style="dim" if one.review is Review.ORDER_HELD else "yellow"),
        printable(reason) + (f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""),
    )


def _place(finding: Any) -> str:
    place = finding.get("place")
    return str(place.get("pointer", "")) if isinstance(place, dict) else str(place)


def _as_json(one: Document) -> dict[str, Any]:
    return {
        "id": one.id,
        "message_id": one.message_id,
        "partner": one.partner,
        "kind": one.kind,
        "number": one.number,
        "order_number": one.order_number,
        "state": one.state.value,
        "review": None if one.review is None else one.review.value,
        "at": one.at,
        "findings": [dict(finding) for finding in one.findings],
    }
