"""One side of an agreement: it writes documents and acknowledgments and reads what comes, by its maps and guides alone.

No store, no numbers of its own: control numbers and the moment are parameters. What a map cannot say and what a guide
refuses is a value; nobody is asked whether it matters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway import canonical
from gateway.edi import acknowledge
from gateway.edi.acknowledge.contrl import SERVICE_MESSAGE, syntax_of
from gateway.edi.delta import PartnerGuide
from gateway.edi.guide import Guide
from gateway.edi.interchange import Group, Interchange
from gateway.edi.library import Guides
from gateway.edi.tree import Loop, Message
from gateway.errors import OurFault, PartnerFault
from gateway.findings import Finding, Severity
from gateway.mapping import Lost, Map
from gateway.partners.agreement import Agreement, DocumentRule, Kind
from gateway.partners.guides import Syntax
from gateway.partners.guides import syntax_of as syntax_by
from gateway.pipeline import standards
from gateway.pipeline.standards.edifact import CONTRL_VERSIONS
from gateway.pipeline.wire import Outgoing, Wire
from gateway.ports import Numbers
from gateway.settings import Settings
from gateway.simulation.spelling import spelled

Json = dict[str, Any]

COURTESY: Mapping[str, tuple[str, ...]] = {
    "order_acknowledgement": ("number",),
    "ship_notice": ("packing_structure",),
}
"""Fields that a document has where the standard has a place for them: an 855 has no number of its own, a DESADV no word
for how it is packed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spoken:
    """A document as bytes. `lost` is what the map has no words for; without `data` it cannot be written at all."""

    data: bytes | None
    document: Json
    """As it was meant, without what was only courtesy."""
    lost: tuple[Lost, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """A document as it was understood; `findings` say what is wrong by guide, map or canonical form."""

    kind: Kind
    document: Json
    findings: tuple[Finding, ...]
    unmapped: int = 0

    @property
    def refused(self) -> tuple[Finding, ...]:
        """The findings for which it is refused."""
        return tuple(one for one in self.findings if one.severity is Severity.REJECT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """One side. `maps` and `guides` are by name; `standard` are the guides that stand behind the partners' own."""

    settings: Settings
    agreement: Agreement
    maps: Mapping[str, Map]
    guides: Mapping[str, PartnerGuide]
    standard: Guides

    def map_of(self, rule: DocumentRule) -> Map | None:
        """The map of a rule, None where the canonical document itself travels (REST)."""
        return self.maps[rule.map] if rule.map is not None and rule.set is not None else None

    def wire_of(self, rule: DocumentRule) -> Wire | None:
        """The standard of a rule."""
        return None if rule.set is None else standards.of_set(rule.set)

    def syntax(self, wire: Wire, *, sends: bool) -> Syntax:
        """By what is read what this side sends, or receives."""
        dialect = wire.dialect(self.agreement)
        return syntax_by(
            self.agreement,
            self.guides,
            standard=self.standard,
            direction="send" if sends else "receive",
            dialect=dialect,
        )

    def guide_of(self, rule: DocumentRule, *, sends: bool) -> Guide | None:
        """The guide that what a rule names is checked by, in the version that is written."""
        wire = self.wire_of(rule)
        if wire is None or rule.set is None:
            return None
        dialect: Any = wire.dialect(self.agreement)
        return self.syntax(wire, sends=sends).guides.find(dialect.version, rule.set)

    def speak(self, kind: Kind, document: Json, *, at: datetime, number: int) -> Spoken:
        """A document for the other side. Raises OurFault where this side does not send its kind."""
        rule = self.agreement.documents.send.get(kind)
        if rule is None:
            raise OurFault(f"{self.settings.identity.name} sends no {kind}", remedy="see documents: in the agreement")
        own, wire = self.map_of(rule), self.wire_of(rule)
        if own is None or wire is None:
            return Spoken(data=json.dumps(document, ensure_ascii=False).encode(), document=document)
        document = self._spelled(document, wire)
        writing = own.write(document)
        missed = {one.pointer.strip("/") for one in writing.lost} & set(COURTESY.get(kind, ()))
        if missed:
            document = {name: value for name, value in document.items() if name not in missed}
            writing = own.write(document)
        try:
            data = self.write(rule, writing.root, at=at, number=number)
        except PartnerFault as fault:
            return Spoken(data=None, document=document, lost=writing.lost, findings=fault.findings)
        return Spoken(data=data, document=document, lost=writing.lost, findings=writing.findings)

    def _spelled(self, document: Json, wire: Wire) -> Json:
        """In the letters of the syntax that is written."""
        dialect: Any = wire.dialect(self.agreement)
        return spelled(document, dialect.syntax, dialect.syntax_version) if wire.name == "edifact" else document

    def write(self, rule: DocumentRule, root: Loop, *, at: datetime, number: int) -> bytes:
        """A tree in an interchange of this side's. Raises PartnerFault for data that cannot be written."""
        wire, guide = self.wire_of(rule), self.guide_of(rule, sends=True)
        if wire is None or guide is None or rule.set is None:
            raise OurFault(f"there is no guide for {rule.set}", remedy="choose a version that has one")
        outgoing = Outgoing(
            agreement=self.agreement,
            type=rule.set,
            version=guide.version,
            root=root,
            at=at,
            functional_id=guide.functional_id,
        )
        return wire.render(self.settings, outgoing, Numbers(interchange=number, group=number))

    def read(self, wire: Wire, data: bytes) -> list[Interchange]:
        """What came, checked. Raises PartnerFault for what is no interchange."""
        syntax = self.syntax(wire, sends=False)
        return wire.reader.read_all(data, guides=syntax.guides, tolerances=syntax.tolerances, charset=syntax.charset)

    def hear(self, kind: Kind, data: bytes) -> Heard:
        """The one document in `data`, as this side understands it."""
        rule = self.agreement.documents.receive[kind]
        wire = self.wire_of(rule)
        if wire is None:
            return _understood(kind, json.loads(data), ())
        try:
            interchanges = self.read(wire, data)
        except PartnerFault as fault:
            return Heard(kind=kind, document={}, findings=fault.findings)
        found = [one for interchange in interchanges for one in (*interchange.findings, *_of_groups(interchange))]
        for interchange in interchanges:
            for _, message in messages_of(interchange):
                if message.type == rule.set:
                    heard = self.understand(kind, message)
                    return Heard(
                        kind=kind,
                        document=heard.document,
                        findings=(*found, *heard.findings),
                        unmapped=heard.unmapped,
                    )
        return Heard(kind=kind, document={}, findings=tuple(found))

    def understand(self, kind: Kind, message: Message) -> Heard:
        """One message as a canonical document."""
        own = self.map_of(self.agreement.documents.receive[kind])
        assert own is not None
        reading = own.read(message.root)
        return _understood(kind, reading.document, (*message.findings, *reading.findings), len(reading.unmapped))

    def acknowledge(
        self, wire: Wire, interchange: Interchange, *, at: datetime, number: int
    ) -> list[tuple[str, bytes]]:
        """(set, bytes) of the 997s or the CONTRL that answer an interchange; none for acknowledgments."""
        made: list[Outgoing] = []
        dialect: Any = wire.dialect(self.agreement)
        if wire.name == "x12":
            for group in interchange.groups:
                if all(wire.is_answer(group, message) for message in group.messages):
                    continue
                root = acknowledge.compose_997(group, guides=self.syntax(wire, sends=False).guides)
                functional = acknowledge.FUNCTIONAL_ACKNOWLEDGMENT
                made += [] if root is None else [
                    Outgoing(
                        agreement=self.agreement, type="997", version=dialect.version, root=root, at=at,
                        functional_id=functional,
                    )
                ]  # fmt: skip
        elif acknowledge.wants_contrl(interchange, agreed=dialect.answer == "always"):
            root = acknowledge.compose_contrl(interchange)
            version = syntax_of(interchange)
            made += [] if root is None else [
                Outgoing(
                    agreement=self.agreement, type=SERVICE_MESSAGE, version=CONTRL_VERSIONS[version], root=root, at=at,
                    syntax_version=version,
                )
            ]  # fmt: skip
        return [
            (one.type, wire.render(self.settings, one, Numbers(interchange=number + index, group=number + index)))
            for index, one in enumerate(made)
        ]


def messages_of(interchange: Interchange) -> list[tuple[Group, Message]]:
    """Every message of an interchange with its group."""
    return [(group, message) for group in interchange.groups for message in group.messages]


def _of_groups(interchange: Interchange) -> list[Finding]:
    return [one for group in interchange.groups for one in group.findings]


def _understood(kind: Kind, document: Json, found: tuple[Finding, ...], unmapped: int = 0) -> Heard:
    model, wrong = canonical.parse(kind, document)
    findings = (*found, *wrong, *(() if model is None else canonical.check(model)))
    body = document if model is None else canonical.dump(model)
    return Heard(kind=kind, document=body, findings=findings, unmapped=unmapped)
