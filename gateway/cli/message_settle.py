"""`gateway message settle`: an operator decides about a delivery of which nobody knows whether it took place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.answers import AsJson, WorkspaceFolder, answering, run, show, show_json
from gateway.cli.message_names import complete_message, complete_target
from gateway.errors import OurFault
from gateway.pipeline.settling import Decision, Settlement, settled
from gateway.ports import NaturalKeyTaken

_SAID = {
    Decision.DELIVERED: "counts as delivered",
    Decision.AGAIN: "is made again",
    Decision.DISCARDED: "is not made",
}


def settle(
    message_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A message, or one of its documents, by its id.", autocompletion=complete_message
        ),
    ],
    target: Annotated[str, typer.Option(help="The target of the delivery.", autocompletion=complete_target)],
    by: Annotated[str, typer.Option(help="Who decides; it is recorded.")],
    why: Annotated[str, typer.Option(help="Why; it is recorded.")],
    workspace: WorkspaceFolder = Path(),
    *,
    their_id: Annotated[str | None, typer.Option(help="With --delivered: the target's own id of it.")] = None,
    delivered: Annotated[bool, typer.Option("--delivered", help="The target has it.")] = False,
    again: Annotated[bool, typer.Option("--again", help="The target has it not: call it again.")] = False,
    discard: Annotated[bool, typer.Option("--discard", help="It shall not be delivered there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide about a delivery that is uncertain, given up, or a replacement that waits for approval.

    Example: gateway message settle 01a1fba6-51a7-7b71-bac9-45631484465c --target erp --delivered --their-id SO-7
    --by ann --why "seen in the ERP"
    """
    with answering():
        said = {Decision.DELIVERED: delivered, Decision.AGAIN: again, Decision.DISCARDED: discard}
        chosen = [decision for decision, given in said.items() if given]
        if len(chosen) != 1:
            raise OurFault(
                "exactly one of --delivered, --again and --discard is needed",
                remedy="ask at the target whether it has the document, then say which",
            )
        if their_id is not None and not delivered:
            raise OurFault("--their-id is for --delivered only", remedy="leave it out")
        settlement = Settlement(decided=chosen[0], by=by, reason=why, their_id=their_id)
        document_id = run(_settle(workspace, message_id, target, settlement))
        if as_json:
            show_json({"document_id": document_id, "target": target, "decided": chosen[0].value})
        else:
            show(f"the delivery of document {document_id} to {target} {_SAID[chosen[0]]}")


async def _settle(workspace: Path, id_: str, target: str, settlement: Settlement) -> str:
    from gateway.wiring import open_store  # noqa: PLC0415  only commands that need a store pay for loading it

    async with open_store(workspace) as store:
        changes = await settled(store, id_, target, settlement, store.clock())
        try:
            await store.apply(changes)
        except NaturalKeyTaken:
            raise OurFault(
                "the delivery went on meanwhile", remedy=f"look how it stands: gateway message show {id_}"
            ) from None
        return changes.deliveries[0].document_id
