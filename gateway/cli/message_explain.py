"""`gateway message explain`: lineage of stored documents, made again from the raw bytes and the versions of then."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from gateway.as2.octets import flat
from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, say
from gateway.cli.edi_reading import Reading
from gateway.cli.edi_window import Window
from gateway.cli.map_explain import AsHtml, written
from gateway.cli.map_lineage import Explained, MapFor, explained
from gateway.cli.printable import printable
from gateway.cli.reference_asking import asked
from gateway.edi.library import Guides, standard
from gateway.edi.tolerances import Tolerances
from gateway.edi.tree import Message as EdiMessage
from gateway.errors import OurFault, PartnerFault
from gateway.mapping import Map
from gateway.mapping.hooks import NO_HOOKS, Hooks
from gateway.partners.agreement import Agreement, standard_of
from gateway.partners.guides import syntax_of
from gateway.partners.hooks import hooks_of
from gateway.pipeline import versions
from gateway.pipeline.bodies import as_octets
from gateway.pipeline.files import File, files_of
from gateway.ports import Document, Version, VersionKind

if TYPE_CHECKING:
    from gateway.store import Store

ENVELOPE = frozenset({"interchange", "group_control_number", "message_reference", "source", "business_unit"})
"""What the pipeline, not the map, says of a document."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    """What the store has of one message and of what decided about it."""

    files: tuple[File, ...]
    documents: tuple[Document, ...]
    maps: Mapping[str, Version]
    guides: Mapping[str, Version]
    agreements: Mapping[str, Version]


def explain(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="As `gateway message list` prints it.")],
    workspace: WorkspaceFolder = Path(),
    *,
    html: AsHtml = False,
    as_json: AsJson = False,
) -> None:
    """Show which bytes of a message became which field, by the agreement, guide and map that read it then.

    Made again from the raw bytes; where the documents stored then say something else, that is told and the exit code
    is 1.

    Example: gateway message explain 01a1fba6-51a7-7b71-bac9-45631484465c --html > lineage.html
    """
    with answering():
        if html and as_json:
            raise OurFault("--html and --json exclude each other", remedy="choose one of them")
        kept = run(asked(workspace, lambda store: _kept(store, message_id)))
        differing: list[str] = []
        found = _again(kept, differing, _hooks(workspace))
        if html and isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # as the page declares, whatever the terminal has
        count = written(found, html=html, as_json=as_json, title=message_id)
        if not count:
            raise OurFault(
                "No document of this message was read or written through a map.",
                remedy="`gateway message show` tells what became of it",
            )
    for one in differing:
        say(Text(printable(one)))
    if differing:
        raise typer.Exit(FINDINGS)


async def _kept(store: Store, message_id: str) -> _Kept:
    message = await store.message(message_id)
    if message is None:
        raise OurFault(f"There is no message {message_id}", remedy="`gateway message list` shows the newest ones")
    payload = await store.octets(message_id)
    if payload is None:
        raise OurFault("There are no bytes to read again.", remedy="retention removed them; hashes and trail are kept")
    documents = tuple(one for one in await store.documents_of(message_id) if one.map is not None)

    async def shelf(kind: VersionKind, records: list[str | None]) -> dict[str, Version]:
        digests = {digest for record in records if (digest := versions.recorded(record)[1]) is not None}
        found = {digest: await store.get(kind, digest) for digest in sorted(digests)}
        return {digest: version for digest, version in found.items() if version is not None}

    return _Kept(
        files=files_of(message.content_type, as_octets(payload), spool=store.spool),
        documents=documents,
        maps=await shelf(VersionKind.MAP, [one.map for one in documents]),
        guides=await shelf(VersionKind.GUIDE, [one.guide for one in documents]),
        agreements=await shelf(VersionKind.AGREEMENT, [one.agreement for one in documents]),
    )


def _hooks(workspace: Path) -> Hooks:
    """The workspace's hooks; none where their file cannot be used now, which only a map that names one is told."""
    try:
        return hooks_of(workspace)
    except OurFault as fault:
        say(printable(str(fault)))
        return NO_HOOKS


def _again(kept: _Kept, differing: list[str], hooks: Hooks) -> Iterator[Explained]:
    """Each message of the payload as it was read then; what the stored documents say otherwise goes to `differing`."""
    made = [versions.map_of(version, hooks) for version in kept.maps.values()]
    maps = {own.document: own for own in made if isinstance(own, Map)}
    missing = [one.map for one in kept.documents if versions.recorded(one.map)[1] not in kept.maps]
    if missing:
        raise OurFault(
            f"The map of then is not kept: {missing[0]}.",
            remedy="it was read before versions were kept; `gateway map explain` reads it with the map of now",
        )
    how = _reading(kept, [*maps])

    def choose(message: EdiMessage) -> Map | None:
        return maps.get(message.type)

    yield from _explained(kept, how, choose, differing)


def _explained(kept: _Kept, how: Reading, choose: MapFor, differing: list[str]) -> Iterator[Explained]:
    """Each message of each file that is EDI, held against the document that stands for its place."""
    stored = {one.position: one for one in kept.documents}
    try:
        for file in kept.files:
            if not file.edi:
                continue
            window = Window(map(bytes, flat([file.data])), unwrapped=how.tolerances.wrapped_lines)
            for one in explained(how, window, choose):
                document = stored.get(one.position)
                if document is not None:
                    differing += _differences(document, one.document)
                yield one
    except PartnerFault as fault:
        raise OurFault(f"The bytes cannot be read again: {fault}", findings=fault.findings) from fault


def _reading(kept: _Kept, sets: list[str]) -> Reading:
    """How it was read then: the agreement's dialect, the guides of then."""
    guides: Guides = standard()
    agreement: Agreement | None = None
    for version in kept.agreements.values():
        agreement = versions.agreement_then(version)
    for version in kept.guides.values():
        guides = guides.with_guide(versions.guide_of(version))
    if agreement is None:
        return Reading(guides=guides, tolerances=Tolerances())
    dialect = agreement.dialect(standard_of(sets[0])) if sets else None
    said = syntax_of(agreement, {}, standard=guides, dialect=dialect)
    return Reading(guides=guides, tolerances=said.tolerances, charset=said.charset, partial=said.partial)


def _differences(document: Document, again: dict[str, Any]) -> list[str]:
    """Pointers at which the stored document is not what is read now."""
    then = {name: value for name, value in document.body.items() if name not in ENVELOPE}
    now = {name: value for name, value in again.items() if name not in ENVELOPE}
    found: list[str] = []
    _compare(then, now, "", found)
    return [f"{document.kind} {document.number}: {one}" for one in found[:20]]


def _compare(then: Any, now: Any, at: str, found: list[str]) -> None:
    if isinstance(then, dict) and isinstance(now, dict):
        for name in dict.fromkeys([*then, *now]):
            if name != "extensions":
                _compare(then.get(name), now.get(name), f"{at}/{name}", found)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for number, (one, other) in enumerate(zip(then, now, strict=True)):
            _compare(one, other, f"{at}/{number}", found)
    elif then != now and now is not None:
        found.append(f"{at} is {then!r} in the store, {now!r} when read again")
