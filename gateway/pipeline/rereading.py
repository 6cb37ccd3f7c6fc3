"""A stored message read once more: each set of it as a canonical document, by the versions of now or of then.

Nothing is decided and nothing is written: what came of the first reading stands in the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from gateway.as2 import Stretch
from gateway.edi import partial
from gateway.edi.delta import PartnerGuide
from gateway.edi.interchange import Group, Interchange, of_group
from gateway.edi.reading import standard_at
from gateway.edi.tree import Message as Set
from gateway.edi.tree import Verdict
from gateway.errors import OurFault
from gateway.findings import Finding, Severity, worst
from gateway.mapping import Map
from gateway.mapping.envelope import read_envelope
from gateway.partners.agreement import Agreement, Kind
from gateway.partners.guides import Syntax, syntax_of
from gateway.pipeline import addressing, files, judging, standards, versions
from gateway.pipeline.bodies import as_octets
from gateway.pipeline.station import Station
from gateway.ports import Document, Json, Message, Version, VersionKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Reread:
    """One set as it is read now."""

    kind: Kind
    position: str
    body: Json
    sha256: str
    findings: tuple[Finding, ...]
    valid: bool
    """It would be accepted, as far as it can be told without its order."""
    map: str | None
    guide: str | None
    unmapped: int = 0
    envelope: Json = field(default_factory=dict)
    order: Document | None = None
    """The order that it answers, where the address of its request named it."""

    @property
    def refusal(self) -> str:
        """Why it is refused."""
        fatal = next((one for one in self.findings if one.severity is Severity.REJECT), None)
        return "its group or interchange is refused" if fatal is None else fatal.text


@dataclass(frozen=True, kw_only=True, slots=True)
class Eyes:
    """What a message is read with."""

    agreement: Agreement
    syntaxes: Mapping[str, Syntax]
    """By standard."""
    maps: Mapping[str, Map]
    """By set: 855."""
    own: Mapping[str, PartnerGuide] = field(default_factory=dict)
    """The partner's own guides, by set."""
    guides: Mapping[str, str] = field(default_factory=dict)
    """How the guide of then is recorded, by set."""
    version: str = ""
    """The hash of the agreement."""


def eyes_of_now(station: Station, partner: str | None) -> Eyes:
    """By the active configuration. Raises OurFault where nothing is agreed with the partner now."""
    agreement = _agreed(station, partner)
    rules = [(rule.set, rule) for rule in agreement.documents.receive.values() if rule.set]
    named = {set_: station.maps.get(rule.map or "") for set_, rule in rules}
    own = {set_: station.partner_guides.get(rule.guide or "") for set_, rule in rules}
    return Eyes(
        agreement=agreement,
        syntaxes={
            name: station.syntax(agreement, "receive", name)
            for name in standards.STANDARDS
            if agreement.dialect(name) is not None
        },
        maps={set_: made for set_, made in named.items() if made is not None},
        own={set_: guide for set_, guide in own.items() if guide is not None},
        version=station.version(agreement.name),
    )


def _agreed(station: Station, partner: str | None) -> Agreement:
    agreement = station.agreement(partner)
    if agreement is None:
        raise OurFault(f"partner {partner} does not exchange documents now", remedy="set its status to active")
    return agreement


async def eyes_of_then(station: Station, documents: list[Document], *, by_maps: bool = True) -> Eyes:
    """By what read the first of these documents. Raises OurFault where that is not kept, or of no use any more.

    JSON (`by_maps` False) is read by no map, only by the agreement.
    """
    read = [one for one in documents if one.agreement and (one.map or not by_maps)]
    if not read:
        raise OurFault(
            "nothing in it was read by a map then, so there is nothing to read it with again",
            remedy="read it with what holds now: --with current",
        )
    first = read[0]
    _agreed(station, first.partner)  # also what is read as it was then has its effects now
    agreement = versions.agreement_then(await _kept(station, VersionKind.AGREEMENT, first.agreement))
    maps: dict[str, Map] = {}
    records: dict[str, str] = {}
    guides = station.guides
    for one in read if by_maps else ():
        version = await _kept(station, VersionKind.MAP, one.map)
        made = versions.map_of(version, station.hooks)
        if isinstance(made, Map):
            maps.setdefault(made.document, made)
            if one.guide is None:
                continue
            records.setdefault(made.document, one.guide)
            if versions.recorded(one.guide)[1] and records[made.document] == one.guide:
                guides = guides.with_guide(versions.guide_of(await _kept(station, VersionKind.GUIDE, one.guide)))
    syntaxes: dict[str, Syntax] = {}
    for name in standards.STANDARDS:
        dialect = agreement.dialect(name)
        if dialect is not None:
            syntaxes[name] = syntax_of(agreement, {}, standard=guides, direction="receive", dialect=dialect)
    return Eyes(agreement=agreement, syntaxes=syntaxes, maps=maps, guides=records, version=first.agreement or "")


async def _kept(station: Station, kind: VersionKind, record: str | None) -> Version:
    digest = versions.recorded(record)[1] or ""
    found = await station.queries.get(kind, digest)
    if found is None:
        raise OurFault(
            f"the {kind.value} of then is not kept: {record}",
            remedy="it was read before versions were kept; read it with what holds now: --with current",
        )
    return found


async def reread(station: Station, eyes: Eyes, message: Message) -> list[Reread]:
    """Every set of a message but acknowledgments. Raises PartnerFault, OurFault: purged, or not to be read at all."""
    octets = await station.queries.octets(message.id)
    if octets is None:
        raise OurFault(f"message {message.id} is not in the store", remedy="gateway audit verify")
    payload = as_octets(octets)
    return await asyncio.to_thread(lambda: list(_sets(station, eyes, message, payload)))


def _sets(station: Station, eyes: Eyes, message: Message, payload: bytes | Stretch) -> Iterator[Reread]:
    for file in files.files_of(message.content_type, payload, spool=station.store.spool):
        data = file.data
        limit = station.settings.max_interchange_bytes
        if not file.edi or len(data) > limit or (isinstance(data, Stretch) and standard_at(file.start) is None):
            continue
        wire = standards.of_payload(eyes.agreement, file.whole())
        syntax = eyes.syntaxes[wire.name]
        whole = wire.reader.read_whole(
            file.whole(),
            guides=syntax.guides,
            tolerances=syntax.tolerances,
            limits=judging.LIMITS,
            charset=syntax.charset,
        )
        for interchange in whole.interchanges:
            findings = (*interchange.findings, *addressing.check(station, eyes.agreement, wire, interchange))
            if worst(findings) is not Severity.REJECT:
                yield from _interchange(eyes, wire, syntax, interchange)


def _interchange(eyes: Eyes, wire: standards.Wire, syntax: Syntax, interchange: Interchange) -> Iterator[Reread]:
    kinds = {rule.set: kind for kind, rule in eyes.agreement.documents.receive.items()}
    found: dict[tuple[int, int], Reread] = {}
    groups: list[Group] = []
    for number, group in enumerate(partial.apply(interchange, syntax.partial).groups):
        judged: list[Set] = []
        for index, one in enumerate(group.messages):
            kind = kinds.get(one.type)
            if kind is None or wire.is_answer(group, one):
                judged.append(one)
                continue
            made = _set(eyes, syntax, interchange, group, one, kind=kind)
            found[number, index] = made
            judged.append(one if made.valid else judging.refused(one, made.findings))
        groups.append(replace(group, messages=tuple(judged), outcome=of_group(group.findings, judged)))
    # What one set got wrong may take the others along, as the agreement says.
    final = partial.apply(replace(interchange, groups=tuple(groups)), syntax.partial)
    for (number, index), made in found.items():
        fallen = final.groups[number].messages[index].outcome is Verdict.REJECTED
        yield replace(made, valid=made.valid and not fallen)


def _set(eyes: Eyes, syntax: Syntax, interchange: Interchange, group: Group, one: Set, *, kind: Kind) -> Reread:
    position = "/".join(filter(None, (interchange.control_number, group.control_number, one.control_number)))
    refused = one.outcome is Verdict.REJECTED or group.outcome is Verdict.REJECTED
    mapping = eyes.maps.get(one.type)
    if refused or mapping is None:
        if not refused:
            raise OurFault(
                f"there is no map for {one.type} {kind}", remedy="read it with what holds now: --with current"
            )
        return Reread(
            kind=kind, position=position, body={}, sha256="", findings=one.findings, valid=False, map=None, guide=None
        )
    judged = judging.judge(mapping, kind, one)
    return Reread(
        kind=kind,
        position=position,
        body=judged.body,
        sha256=judged.sha256,
        findings=judged.findings,
        valid=judged.valid,
        map=versions.record(mapping.name, mapping.hash),
        guide=eyes.guides.get(one.type)
        or versions.guide_record(syntax.guides, eyes.own.get(one.type), one.version, one.type),
        unmapped=judged.unmapped,
        envelope=read_envelope(interchange, group, one),
    )
