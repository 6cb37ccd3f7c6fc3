"""EDIFACT: UNB as the agreement wants it, and one CONTRL for an interchange, for its envelope and messages together.

An interchange of ours holds one message and no group. Its reference (0020) and the message's (0062) are the store's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.edi import acknowledge, edifact, edifact_write
from gateway.edi.acknowledge.contrl import SERVICE_MESSAGE, syntax_of
from gateway.edi.delimiters import Delimiters
from gateway.edi.interchange import Group, Interchange, with_parts
from gateway.edi.syntax import REPETITION_FROM, Syntax
from gateway.edi.tree import Loop, Message, Verdict
from gateway.errors import OurFault
from gateway.partners.agreement import Agreement, EdifactDialect, Standard
from gateway.pipeline import answering, identity, reconciling
from gateway.pipeline.decisions import Decisions
from gateway.pipeline.station import Station
from gateway.pipeline.wire import Header, Outgoing
from gateway.ports import Numbers
from gateway.settings import EdifactIdentity, Settings

CONTRL_VERSIONS = {3: "D3", 4: "41"}
"""0052 and 0054 of the CONTRL, by the syntax version of what it answers (ISO 9735-4; syntax 3: CONTRL D.3)."""


class Edifact:
    """Keeps the `Wire` protocol."""

    name: Standard = "edifact"
    content_type = "application/edifact"
    """RFC 1767 2."""
    reader = edifact.READER
    header = Header(
        tag="UNB",
        sender=2,
        sender_names="0004 and 0007 of S002",
        receiver=3,
        receiver_names="0010 and 0007 of S003",
        number=5,
        number_name="0020",
        test=11,
        test_name="0035",
        test_words=("no 0035", "0035 1"),
        message_tag="UNH",
        message_type=2,
    )

    def dialect(self, agreement: Agreement) -> EdifactDialect | None:
        """Its edifact section."""
        return agreement.edifact

    def ours(self, settings: Settings, agreement: Agreement) -> EdifactIdentity:
        """Ours with this partner, else that of gateway.yaml."""
        own = _agreed(agreement).our_identity or settings.identity.edifact
        if own is None:
            raise OurFault("we have no EDIFACT identity", remedy="add edifact: under identity: in gateway.yaml")
        return own

    def theirs(self, agreement: Agreement) -> EdifactIdentity | None:
        """UNB identity of the partner."""
        return agreement.edifact.identity if agreement.edifact else None

    def sender(self, station: Station, interchange: Interchange) -> Agreement | None:
        """S002; the address for reverse routing (0008) is the partner's own affair."""
        return station.directory.by_edifact(interchange.sender_qualifier, interchange.sender)

    def is_answer(self, group: Group, message: Message) -> bool:
        """A CONTRL may stand beside other messages."""
        del group
        return message.type == SERVICE_MESSAGE

    async def reconcile(self, decided: Decisions, interchange: Interchange) -> None:
        """Their CONTRLs, unless the envelope they stand in is refused."""
        if interchange.envelope is Verdict.REJECTED:
            return
        for group in interchange.groups:
            for message in group.messages:
                if message.type == SERVICE_MESSAGE:
                    await reconciling.reconcile_contrl(self, decided, message)

    def answer_envelope(self, decided: Decisions, interchange: Interchange) -> None:
        """A CONTRL at once for an interchange that is refused as a whole; otherwise it waits for the messages."""
        if interchange.envelope is Verdict.REJECTED:
            self.answer(decided, interchange)

    def answer(self, decided: Decisions, interchange: Interchange) -> None:
        """A CONTRL where 0031 asks, where it is agreed, and wherever something is refused; never about CONTRLs."""
        messages = [one for group in interchange.groups for one in group.messages if one.type != SERVICE_MESSAGE]
        outcome = with_parts(interchange.envelope, (one.outcome for one in messages))
        refused = outcome is Verdict.REJECTED or any(one.outcome is Verdict.REJECTED for one in messages)
        dialect = _agreed(decided.agreement)
        if not acknowledge.wants_contrl(interchange, agreed=refused or dialect.answer == "always"):
            return
        root = acknowledge.compose_contrl(interchange)
        if root is None:
            return
        version = syntax_of(interchange)
        outgoing = Outgoing(
            agreement=decided.agreement,
            type=SERVICE_MESSAGE,
            version=CONTRL_VERSIONS[version],
            root=root,
            at=decided.station.clock(),
            # Its S011 has one component more in syntax 4: the answer is written in the class of the question.
            syntax_version=dialect.syntax_version if _class(dialect.syntax_version) == version else version,
        )
        answering.queue(decided, self, outgoing, outcome=outcome, answers=interchange.control_number)

    def outgoing(self, station: Station, agreement: Agreement, type_: str, root: Loop, at: datetime) -> Outgoing:
        """In the directory that is agreed."""
        version = _agreed(agreement).version
        if station.guides.find(version, type_) is None:
            raise OurFault(f"there is no guide edifact/{version}/{type_}", remedy="choose a version that has one")
        return Outgoing(agreement=agreement, type=type_, version=version, root=root, at=at)

    def charset(self, outgoing: Outgoing) -> str | None:
        """The one agreed, else that of the syntax identifier."""
        return _agreed(outgoing.agreement).charset

    def series(self, station: Station, agreement: Agreement) -> str:
        """By our identity and the partner."""
        mine = self.ours(station.settings, agreement)
        return f"edifact:{mine.qualifier or ''}:{mine.id}:{agreement.name}"

    def render(self, settings: Settings, outgoing: Outgoing, numbers: Numbers) -> bytes:
        """One message, no group."""
        dialect = _agreed(outgoing.agreement)
        asks = outgoing.type != SERVICE_MESSAGE  # a CONTRL about a CONTRL would never end
        envelope = edifact_write.Envelope(
            sender=_party(self.ours(settings, outgoing.agreement)),
            receiver=_party(dialect.identity),
            control_reference=self.control_number(numbers),
            at=outgoing.at,
            # An answer repeats what they said, which may not be as agreed: it must be sayable all the same.
            syntax=_syntax(dialect, outgoing.syntax_version or dialect.syntax_version, strict=asks),
            ack_requested=dialect.request_acknowledgment and asks,
            test=dialect.test,
        )
        message = edifact_write.Outgoing(
            type=outgoing.type,
            version=outgoing.version,
            control_reference=str(numbers.group),
            root=outgoing.root,
            association=(dialect.association or "") if asks else "",
        )
        return edifact_write.write_interchange(envelope, (message,))

    def control_number(self, numbers: Numbers) -> str:
        """0020, without zeros in front: partners give it back as text."""
        return str(numbers.interchange)

    def sent_key(self, station: Station, agreement: Agreement, control_number: str) -> str:
        """By 0020 as it is."""
        return identity.sent_interchange_key(self.name, self.series(station, agreement), control_number)

    def sent_file_key(self, agreement: Agreement, control_number: str) -> str:
        """By 0020 as it is."""
        return identity.sent_file_key(self.name, agreement.name, control_number)

    def wait_key(self, outgoing: Outgoing, numbers: Numbers) -> str | None:
        """The CONTRL of its interchange, where we ask for it."""
        if not _agreed(outgoing.agreement).request_acknowledgment:
            return None
        return identity.contrl_key(outgoing.agreement.name, self.control_number(numbers))

    def file_wait_key(self, agreement: Agreement, interchanges: Sequence[Interchange]) -> str | None:
        """The CONTRL of the last interchange that asks for one."""
        asking = [one for one in interchanges if acknowledge.wants_contrl(one) and one.control_number]
        return identity.contrl_key(agreement.name, asking[-1].control_number) if asking else None


def _agreed(agreement: Agreement) -> EdifactDialect:
    assert agreement.edifact is not None
    return agreement.edifact


def _party(identity_: EdifactIdentity) -> edifact_write.Party:
    return edifact_write.Party(id=identity_.id, qualifier=identity_.qualifier or "", internal=identity_.internal or "")


def _class(version: int) -> int:
    return 4 if version >= REPETITION_FROM else 3


def _syntax(dialect: EdifactDialect, version: int, *, strict: bool) -> Syntax:
    delimiters = Delimiters(
        element=dialect.element_separator,
        component=dialect.component_separator,
        segment=dialect.segment_terminator,
        release=dialect.release_character,
        repetition=dialect.repetition_separator if version >= REPETITION_FROM else None,
    )
    return Syntax(
        identifier=dialect.syntax,
        version=version,
        delimiters=delimiters,
        una=dialect.una,
        newline="\n" if dialect.line_breaks else "",
        charset=dialect.charset,
        strict=strict,
    )
