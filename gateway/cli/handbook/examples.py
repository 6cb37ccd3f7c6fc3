"""Example interchanges of a partner's guide: the map's examples in the partner's own envelope, else made-up documents.

Each is read again with the partner's guides; only what is accepted without an error is printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.cli.handbook.book import Direction, Example
from gateway.edi import edifact_write, write
from gateway.edi.delimiters import Delimiters
from gateway.edi.generate import documents
from gateway.edi.guide import Guide, LoopUse, Use
from gateway.edi.library import VERSION_LENGTH, Guides
from gateway.edi.reading import read_all
from gateway.edi.repertoires import charset_of
from gateway.edi.syntax import Syntax
from gateway.edi.tree import Loop, Message, Verdict
from gateway.errors import OurFault, PartnerFault
from gateway.findings import Severity, worst
from gateway.mapping import Map, compile_map, shipped
from gateway.mapping.map import Sources
from gateway.partners.agreement import Agreement, EdifactDialect, X12Dialect
from gateway.settings import EdifactIdentity, Identity, X12Identity

Candidate = tuple[str, str, Loop]
"""Title, where it comes from, the tree."""
MOST = 2
"""Examples of one document."""
MAX_BYTES = 1_000_000
_SET = re.compile(r"\d{3}|orders|ordrsp|ordchg|desadv")
DENSITIES = (0.25, 0.1, 0.0)
SEEDS = range(1, 9)


@dataclass(frozen=True, kw_only=True, slots=True)
class Maker:
    """Makes the examples of one document."""

    agreement: Agreement
    identity: Identity
    direction: Direction
    guide: Guide
    guides: Guides
    at: datetime
    """What the envelope says."""

    def made(
        self, roots: Iterable[Candidate], *, most: int = MOST
    ) -> tuple[list[tuple[Example, Message]], list[tuple[str, str]]]:
        """The first of the documents (title, origin, tree) that pass, and why the others do not."""
        found: list[tuple[Example, Message]] = []
        refused: list[tuple[str, str]] = []
        for title, origin, root in roots:
            if len(found) == most:
                break
            try:
                data = self.interchange(root)
                message, reason = self._checked(data)
            except (OurFault, PartnerFault) as fault:
                message, reason = None, str(fault)
            if message is None:
                refused.append((origin, reason))
                continue
            found.append((Example(title=title, text=data.decode(self.charset, "replace"), origin=origin), message))
        return found, refused

    def _checked(self, data: bytes) -> tuple[Message | None, str]:
        """The message in it, as the partner's guides read it; None, with the reason, where it is not accepted."""
        for interchange in read_all(data, guides=self.guides):
            for group in interchange.groups:
                for message in group.messages:
                    found = (*interchange.findings, *group.findings, *message.findings)
                    if message.outcome is Verdict.ACCEPTED and worst(found) is Severity.ACCEPT:
                        return message, ""
                    return None, next((one.text for one in found if one.severity is not Severity.ACCEPT), "refused")
        return None, "nothing in it"

    @property
    def charset(self) -> str:
        """What the bytes are written in."""
        dialect = self.agreement.edifact
        if self.guide.standard != "edifact" or dialect is None:
            return "utf-8"
        return dialect.charset or charset_of(dialect.syntax)

    def interchange(self, root: Loop) -> bytes:
        """The document in an envelope as it goes between the two."""
        if self.guide.standard == "edifact":
            return self._edifact(root)
        return self._x12(root)

    def _x12(self, root: Loop) -> bytes:
        dialect = self.agreement.x12
        assert dialect is not None
        mine, theirs = _x12_parties(self.identity, dialect)
        sender, receiver = (mine, theirs) if self.direction == "send" else (theirs, mine)
        preferred = delimiters_x12(dialect)
        envelope = write.Envelope(
            sender_qualifier=sender.qualifier,
            sender=sender.id,
            receiver_qualifier=receiver.qualifier,
            receiver=receiver.id,
            group_sender=sender.group_id or sender.id,
            group_receiver=receiver.group_id or receiver.id,
            control_number=1,
            group_control_number=1,
            functional_id=self.guide.functional_id,
            at=self.at,
            version=self.guide.version,
            test=dialect.test,
            ack_requested=dialect.request_ta1 and self.direction == "send",
            delimiters=write.fitting_delimiters((root,), preferred, self.guide.version),
            newline="\n",
        )
        return write.write_interchange(envelope, (write.Outgoing(type=self.guide.type, control_number=1, root=root),))

    def _edifact(self, root: Loop) -> bytes:
        dialect = self.agreement.edifact
        assert dialect is not None
        mine, theirs = _edifact_parties(self.identity, dialect)
        sender, receiver = (mine, theirs) if self.direction == "send" else (theirs, mine)
        envelope = edifact_write.Envelope(
            sender=_party(sender),
            receiver=_party(receiver),
            control_reference="1",
            at=self.at,
            syntax=_syntax(dialect),
            ack_requested=dialect.request_acknowledgment,
            test=dialect.test,
        )
        message = edifact_write.Outgoing(
            type=self.guide.type,
            version=self.guide.version,
            control_reference="1",
            root=root,
            association=dialect.association or "",
        )
        return edifact_write.write_interchange(envelope, (message,))


def _x12_parties(identity: Identity, dialect: X12Dialect) -> tuple[X12Identity, X12Identity]:
    mine = dialect.our_identity or identity.x12
    if mine is None:
        raise OurFault("we have no X12 identity", remedy="add x12: under identity: in gateway.yaml")
    return mine, dialect.identity


def _edifact_parties(identity: Identity, dialect: EdifactDialect) -> tuple[EdifactIdentity, EdifactIdentity]:
    mine = dialect.our_identity or identity.edifact
    if mine is None:
        raise OurFault("we have no EDIFACT identity", remedy="add edifact: under identity: in gateway.yaml")
    return mine, dialect.identity


def delimiters_x12(dialect: X12Dialect) -> Delimiters:
    """Those agreed."""
    return Delimiters(
        element=dialect.element_separator,
        component=dialect.component_separator,
        segment=dialect.segment_terminator,
    )


def _party(one: EdifactIdentity) -> edifact_write.Party:
    return edifact_write.Party(id=one.id, qualifier=one.qualifier or "", internal=one.internal or "")


def delimiters_edifact(dialect: EdifactDialect) -> Delimiters:
    """Those agreed."""
    fourth = dialect.syntax_version >= 4  # noqa: PLR2004  ISO 9735:1998
    return Delimiters(
        element=dialect.element_separator,
        component=dialect.component_separator,
        segment=dialect.segment_terminator,
        release=dialect.release_character,
        repetition=dialect.repetition_separator if fourth else None,
    )


def _syntax(dialect: EdifactDialect) -> Syntax:
    """The characters agreed, a segment on each line."""
    return Syntax(
        identifier=dialect.syntax,
        version=dialect.syntax_version,
        delimiters=delimiters_edifact(dialect),
        una=dialect.una,
        newline="\n",
        charset=dialect.charset,
    )


def of_map(
    own: Map, names: Sequence[str], sources: Sources, *, workspace: Path, guides: Guides, version: str
) -> tuple[list[Candidate], list[Candidate]]:
    """The examples of a map and of those under it, as far as their files are there: those in this version, the rest."""
    same: list[Candidate] = []
    rest: list[Candidate] = []
    for name in names:
        try:
            one = own if name == own.name else compile_map(name, sources)
        except OurFault:
            continue
        for example in one.examples:
            data = _bytes(workspace, example.edi)
            message = None if data is None else _message(data, one.document, guides)
            if message is not None:
                fits = message.version[:VERSION_LENGTH] == version
                (same if fits else rest).append((_title(example.edi), example.edi, message.root))
    return same, rest


def _title(file: str) -> str:
    """What is special about it: samples/x12/acme-855-reasons.edi is `reasons`."""
    words = [word for word in Path(file).stem.replace("_", "-").split("-") if word]
    own = [word for index, word in enumerate(words) if words[index:] and not _names_set(words[index:])]
    return " ".join(own) or " ".join(words)


def _names_set(words: Sequence[str]) -> bool:
    """Whether the word that is next, or one behind it, is a set's or a message's name."""
    return any(_SET.fullmatch(word) for word in words)


def _bytes(workspace: Path, file: str) -> bytes | None:
    for folder in (workspace, Path(str(shipped())).parent):
        try:
            with (folder / file).open("rb") as stream:
                return stream.read(MAX_BYTES)
        except OSError:
            continue
    return None


def _message(data: bytes, document: str, guides: Guides) -> Message | None:
    try:
        interchanges = read_all(data, guides=guides)
    except PartnerFault:
        return None
    return next(
        (
            message
            for interchange in interchanges
            for group in interchange.groups
            for message in group.messages
            if message.type == document
        ),
        None,
    )


def invented(guide: Guide, used: frozenset[int]) -> Iterator[Candidate]:
    """Documents of made-up values with the places that are used (by identity) and those that must come."""
    own = _kept(guide.root, used)
    small = Guide(
        type=guide.type, version=guide.version, label=guide.label, root=own, standard=guide.standard,
        functional_id=guide.functional_id, nests=guide.nests, levels=guide.levels, level_labels=guide.level_labels,
    )  # fmt: skip
    for density in DENSITIES:
        for seed in SEEDS:
            try:
                root = next(documents(small, count=1, seed=seed, density=density, lines=2))
            except (OurFault, StopIteration):
                continue
            yield "made-up values", "generated from the guide", root


def _kept(loop: LoopUse, used: frozenset[int]) -> LoopUse:
    items: list[Use | LoopUse] = []
    for number, item in enumerate(loop.items):
        if isinstance(item, LoopUse):
            if item.mandatory or id(item) in used:
                items.append(_kept(item, used))
        elif item.mandatory or not number or id(item) in used:
            items.append(item)
    return LoopUse(
        name=loop.name, label=loop.label, items=tuple(items), mandatory=loop.mandatory, maximum=loop.maximum,
        group=loop.group,
    )  # fmt: skip


def fixed(date: str) -> datetime:
    """The moment that envelopes of examples have: noon of the guide's day."""
    return datetime.fromisoformat(f"{date}T12:00:00").replace(tzinfo=UTC)
