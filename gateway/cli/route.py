"""`gateway route explain`: where a document goes, which route decided, and why the others did not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
from rich.text import Text

from gateway import canonical
from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, show, show_json
from gateway.cli.message_names import complete_message
from gateway.cli.partner_names import complete_partner, partner_named
from gateway.cli.printable import printable
from gateway.errors import OurFault, PartnerFault
from gateway.partners import configuration
from gateway.partners.agreement import Agreement, Kind
from gateway.partners.checks import ONLY_TO_RUN
from gateway.partners.configuration import Configuration
from gateway.ports import Json
from gateway.settings import Destination

if TYPE_CHECKING:
    from gateway.pipeline.routing import Decision, Facts, Weighed
    from gateway.store import Store

LARGEST = 16 << 20
"""Octets of a file that is explained."""

app = typer.Typer(no_args_is_help=True, help="Routes: which target a document goes to, and why.")


@app.callback()
def _group() -> None:
    """Routes: which target a document goes to, and why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Explained:
    """One document and what the routes say to it."""

    name: str
    facts: Facts
    own: str | None
    """The agreement's own target, before which no route is asked."""
    decision: Decision | None
    weighed: tuple[Weighed, ...]


def _complete_kind(incomplete: str) -> list[str]:
    return [one for one in get_args(Kind) if one.startswith(incomplete)]


@app.command()
def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE|MESSAGE",
            help="An X12, EDIFACT or canonical JSON file, or the id of a message that came.",
            autocompletion=complete_message,
        ),
    ],
    *,
    partner: Annotated[
        str | None, typer.Option(help="Whose file it is.", show_default="none", autocompletion=complete_partner)
    ] = None,
    document: Annotated[
        str | None,
        typer.Option(help="Of a JSON file: its kind.", show_default="none", autocompletion=_complete_kind),
    ] = None,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Tell which route a document takes by the routes as they are now, and why the others do not fit.

    The order that it answers is looked up in the store: its day, number, unit and ship-to count. Nothing is changed.
    Exit code 1 where a document has no route.

    Example: gateway route explain 855.edi --partner acme
    """
    with answering():
        found = configuration.read(workspace, ignoring=ONLY_TO_RUN)
        explained = run(_explained(workspace, found, what, partner, document))
        if as_json:
            show_json([_as_json(one) for one in explained])
        else:
            for one in explained:
                _show(one)
    if any(one.decision is None for one in explained):
        raise typer.Exit(FINDINGS)


async def _explained(
    workspace: Path, found: Configuration, what: str, partner: str | None, document: str | None
) -> list[_Explained]:
    from gateway.pipeline.rerouting import facts_of, facts_of_body  # noqa: PLC0415  help needs none of it
    from gateway.wiring import open_store  # noqa: PLC0415

    file = _file(what)
    async with open_store(workspace) as store:
        if file is None:
            return [
                _weighed(found, await facts_of(store, one), f"{one.kind} {one.number}")
                for one in await _stored(store, what)
            ]
        if partner is None:
            raise OurFault("whose file is it?", remedy="say it: --partner NAME")
        agreement = partner_named(found.workspace, partner)
        now = datetime.now(UTC)
        return [
            _weighed(found, await facts_of_body(store, partner, kind, body, at=now), f"{kind} {body.get('number', '')}")
            for kind, body in _read(found, agreement, file, document)
        ]


def _file(what: str) -> Path | None:
    return Path(what) if Path(what).is_file() else None


async def _stored(store: Store, message_id: str) -> list[Any]:
    from gateway.ports import Direction  # noqa: PLC0415

    if await store.message(message_id) is None:
        raise OurFault(
            f"{message_id} is no file, and no message", remedy="`gateway message list` shows the newest messages"
        )
    came = [one for one in await store.documents_of(message_id) if one.direction is Direction.INBOUND]
    if not came:
        raise OurFault(
            f"message {message_id} brought no document",
            remedy="only what partners send takes a route; see message show",
        )
    return came


def _weighed(found: Configuration, facts: Facts, name: str) -> _Explained:
    from gateway.pipeline import routing  # noqa: PLC0415

    agreement = partner_named(found.workspace, facts.partner)
    settings = found.workspace.settings
    return _Explained(
        name=name.strip(),
        facts=facts,
        own=agreement.target,
        decision=routing.decide(settings, agreement, facts),
        weighed=routing.weigh(settings, facts),
    )


def _read(found: Configuration, agreement: Agreement, file: Path, kind: str | None) -> list[tuple[str, Json]]:
    """The canonical documents of a file, whatever is wrong with them."""
    if file.stat().st_size > LARGEST:
        raise OurFault(f"{file} is larger than {LARGEST:,} octets", remedy="give a file with fewer documents")
    data = file.read_bytes()
    if kind is None:
        made = list(_interchange(found, agreement, data))
        if not made:
            raise OurFault(
                f"{file} has no document that {agreement.name} may send",
                remedy="see what it says: gateway edi check; of canonical JSON say its kind: --document KIND",
            )
        return made
    if kind not in get_args(Kind):
        raise OurFault(f"there is no document {kind}", remedy=f"documents are: {', '.join(get_args(Kind))}")
    try:
        body = json.loads(data)
    except ValueError as fault:
        raise OurFault(f"{file} is no JSON: {fault}", remedy="leave --document out for X12 and EDIFACT") from None
    model, findings = canonical.parse(kind, body)
    if model is None:
        raise OurFault(f"{file}: {findings[0].text}", remedy=findings[0].fix, findings=findings)
    return [(kind, canonical.dump(model))]


def _interchange(found: Configuration, agreement: Agreement, data: bytes) -> Iterator[tuple[str, Json]]:
    from gateway.partners.guides import syntax_of  # noqa: PLC0415
    from gateway.pipeline import judging, standards  # noqa: PLC0415

    loaded = found.workspace
    wire = standards.of_payload(agreement, data)
    dialect = agreement.dialect(wire.name)
    syntax = syntax_of(agreement, loaded.guides, standard=loaded.standard, direction="receive", dialect=dialect)
    by_set = {rule.set: (kind, rule.map) for kind, rule in agreement.documents.receive.items() if rule.set and rule.map}
    try:
        interchanges = wire.reader.read_all(
            data, guides=syntax.guides, tolerances=syntax.tolerances, limits=judging.LIMITS, charset=syntax.charset
        )
        for interchange in interchanges:
            for group in interchange.groups:
                for message in group.messages:
                    if message.type in by_set:
                        kind, name = by_set[message.type]
                        yield kind, judging.judge(found.maps.map(name or ""), kind, message).body
    except PartnerFault as fault:
        raise OurFault(f"it cannot be read: {fault}", remedy="see why: gateway edi check FILE") from None


def _show(one: _Explained) -> None:
    line = Text(printable(one.name), style="bold")
    if one.decision is None:
        line.append("  no route fits: it waits", style="bold red")
    else:
        line.append(printable(f"  {_names(one.decision.destinations)}"), style="bold green")
        line.append(f"  by {one.decision.rule}")
    show(line)
    facts = one.facts
    said = f"    order {facts.number} of {facts.day}, business unit {facts.business_unit or 'not said'}"
    show(Text(printable(said), style="dim"))
    if one.own is not None:
        show("    the agreement names its target: no route is asked")
        return
    decided = False
    for weighed in one.weighed:
        fits = not weighed.misses
        why = "decides" if fits and not decided else "fits too, but comes later" if fits else "; ".join(weighed.misses)
        style = "green" if fits and not decided else "dim"
        decided = decided or fits
        show(Text(printable(f"    route {weighed.number} to {_names(weighed.route.destinations)}: {why}"), style=style))
    if not one.weighed:
        show("    gateway.yaml has no routes")


def _names(destinations: Sequence[Destination]) -> str:
    return ", ".join(one.target + " (optional)" * one.optional for one in destinations)


def _as_json(one: _Explained) -> dict[str, Any]:
    facts = one.facts
    return {
        "document": one.name,
        "targets": [] if one.decision is None else [target.model_dump() for target in one.decision.destinations],
        "rule": None if one.decision is None else one.decision.rule,
        "partner": facts.partner,
        "kind": facts.kind,
        "order_number": facts.number,
        "day": facts.day.isoformat(),
        "business_unit": facts.business_unit,
        "routes": [
            {
                "route": weighed.number,
                "to": [target.target for target in weighed.route.destinations],
                "fits": not weighed.misses,
                "why_not": weighed.misses,
            }
            for weighed in one.weighed
        ],
    }
