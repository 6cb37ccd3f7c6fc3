"""X12: ISA and GS as the agreement wants them, a 997 for each group, a TA1 where one is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.edi import acknowledge, write, x12
from gateway.edi.delimiters import Delimiters
from gateway.edi.interchange import Group, Interchange
from gateway.edi.tree import Loop, Message, Segment, Verdict
from gateway.errors import OurFault
from gateway.partners.agreement import Agreement, Standard, X12Dialect
from gateway.pipeline import answering, identity, reconciling
from gateway.pipeline.decisions import Decisions
from gateway.pipeline.station import Station
from gateway.pipeline.wire import Header, Outgoing
from gateway.ports import Numbers
from gateway.settings import Settings, X12Identity

TA1 = "TA1"


class X12:
    """Keeps the `Wire` protocol."""

    name: Standard = "x12"
    content_type = "application/edi-x12"
    """RFC 1767 1."""
    reader = x12.READER
    header = Header(
        tag="ISA",
        sender=6,
        sender_names="ISA05 and ISA06",
        receiver=8,
        receiver_names="ISA07 and ISA08",
        number=13,
        number_name="ISA13",
        test=15,
        test_name="ISA15",
        test_words=("P", "T"),
        message_tag="ST",
        message_type=1,
    )

    def dialect(self, agreement: Agreement) -> X12Dialect | None:
        """Its x12 section."""
        return agreement.x12

    def ours(self, settings: Settings, agreement: Agreement) -> X12Identity:
        """Ours with this partner, else that of gateway.yaml."""
        own = _agreed(agreement).our_identity or settings.identity.x12
        if own is None:
            raise OurFault("we have no X12 identity", remedy="add x12: under identity: in gateway.yaml")
        return own

    def theirs(self, agreement: Agreement) -> X12Identity | None:
        """ISA and GS identity of the partner."""
        return agreement.x12.identity if agreement.x12 else None

    def sender(self, station: Station, interchange: Interchange) -> Agreement | None:
        """ISA05 and ISA06."""
        return station.directory.by_x12(interchange.sender_qualifier, interchange.sender)

    def is_answer(self, group: Group, message: Message) -> bool:
        """A group of acknowledgments holds nothing else."""
        del message
        return _is_answer(group)

    async def reconcile(self, decided: Decisions, interchange: Interchange) -> None:
        """Their TA1s, whatever else is wrong with the envelope, then their 997s and 999s."""
        groups = filter(_is_answer, interchange.groups)
        await reconciling.reconcile_x12(self, decided, interchange, groups)

    def answer_envelope(self, decided: Decisions, interchange: Interchange) -> None:
        """A TA1, where the interchange asks for one or its envelope fails."""
        # An interchange of nothing but TA1s is an acknowledgment itself: whatever it asks for, it gets none.
        if not acknowledge.wants_ta1(interchange) or (interchange.tas and not interchange.groups):
            return
        root = Loop("", [acknowledge.compose_ta1(interchange)])
        outcome, number = interchange.envelope, interchange.control_number
        answering.queue(decided, self, _answer(decided, TA1, root), outcome=outcome, answers=number)

    def answer(self, decided: Decisions, interchange: Interchange) -> None:
        """A 997 for every group but those of acknowledgments (X12.20), or where agreed only for what is wrong."""
        always = _agreed(decided.agreement).answer == "always"
        guides = decided.station.syntax(decided.agreement, "receive", self.name).guides
        for group in interchange.groups:
            unasked = _is_answer(group) or not (always or _wrong(group))
            root = None if unasked else acknowledge.compose_997(group, guides=guides)
            if root is not None:
                outcome, number = group.outcome, group.control_number
                answering.queue(decided, self, _answer(decided, "997", root), outcome=outcome, answers=number)

    def outgoing(self, station: Station, agreement: Agreement, type_: str, root: Loop, at: datetime) -> Outgoing:
        """With the functional identifier (GS01) of its guide."""
        version = _agreed(agreement).version
        guide = station.guides.find(version, type_)
        if guide is None:
            raise OurFault(f"there is no guide x12/{version}/{type_}", remedy="choose a version that has one")
        return Outgoing(
            agreement=agreement, type=type_, version=version, root=root, at=at, functional_id=guide.functional_id
        )

    def charset(self, outgoing: Outgoing) -> str | None:
        """UTF-8, whatever theirs is."""
        del outgoing
        return None

    def series(self, station: Station, agreement: Agreement) -> str:
        """By our identity and the partner."""
        mine = self.ours(station.settings, agreement)
        return f"x12:{mine.qualifier}{mine.id}:{agreement.name}"

    def render(self, settings: Settings, outgoing: Outgoing, numbers: Numbers) -> bytes:
        """One group of one set; a TA1 stands in no group."""
        envelope = self._envelope(settings, outgoing, numbers)
        if outgoing.type == TA1:
            segments = [child for child in outgoing.root.children if isinstance(child, Segment)]
            return write.write_interchange(envelope, acknowledgments=segments)
        one = write.Outgoing(type=outgoing.type, control_number=1, root=outgoing.root)
        return write.write_interchange(envelope, (one,))

    def control_number(self, numbers: Numbers) -> str:
        """ISA13."""
        return f"{numbers.interchange:09d}"

    def sent_key(self, station: Station, agreement: Agreement, control_number: str) -> str:
        """By ISA13 as a number."""
        return identity.sent_interchange_key(self.name, self.series(station, agreement), str(int(control_number)))

    def sent_file_key(self, agreement: Agreement, control_number: str) -> str:
        """By ISA13 without zeros in front; it is theirs who wrote the file, and may be no number."""
        return identity.sent_file_key(self.name, agreement.name, control_number.lstrip("0"))

    def wait_key(self, outgoing: Outgoing, numbers: Numbers) -> str | None:
        """The 997 of its group."""
        return identity.acknowledgment_key(outgoing.agreement.name, outgoing.functional_id, numbers.group)

    def file_wait_key(self, agreement: Agreement, interchanges: Sequence[Interchange]) -> str | None:
        """The 997 of the last interchange's first group of documents."""
        wait_key = None
        for interchange in interchanges:
            for group in interchange.groups:
                if not _is_answer(group) and group.control_number.isdigit():
                    wait_key = identity.acknowledgment_key(agreement.name, group.functional_id, group.control_number)
                    break
        return wait_key

    def _envelope(self, settings: Settings, outgoing: Outgoing, numbers: Numbers) -> write.Envelope:
        """ISA and GS as agreed; another delimiter where the data holds the one agreed (X12.5)."""
        dialect = _agreed(outgoing.agreement)
        mine, theirs = self.ours(settings, outgoing.agreement), dialect.identity
        preferred = Delimiters(
            element=dialect.element_separator,
            component=dialect.component_separator,
            segment=dialect.segment_terminator,
        )
        return write.Envelope(
            sender_qualifier=mine.qualifier,
            sender=mine.id,
            receiver_qualifier=theirs.qualifier,
            receiver=theirs.id,
            group_sender=mine.group_id or mine.id,
            group_receiver=theirs.group_id or theirs.id,
            control_number=numbers.interchange,
            group_control_number=numbers.group,
            functional_id=outgoing.functional_id,
            at=outgoing.at,
            version=dialect.version,
            test=dialect.test,
            ack_requested=dialect.request_ta1 and outgoing.type != TA1,  # a TA1 about a TA1 would never end
            delimiters=write.fitting_delimiters((outgoing.root,), preferred, dialect.version),
            newline="\n" if dialect.line_breaks else "",
        )


def _agreed(agreement: Agreement) -> X12Dialect:
    assert agreement.x12 is not None
    return agreement.x12


def _is_answer(group: Group) -> bool:
    return group.functional_id == acknowledge.FUNCTIONAL_ACKNOWLEDGMENT


def _wrong(group: Group) -> bool:
    """Whether a 997 would say more than that all of it is accepted."""
    return group.outcome is not Verdict.ACCEPTED or any(one.outcome is not Verdict.ACCEPTED for one in group.messages)


def _answer(decided: Decisions, type_: str, root: Loop) -> Outgoing:
    return Outgoing(
        agreement=decided.agreement,
        type=type_,
        version=_agreed(decided.agreement).version,
        root=root,
        at=decided.station.clock(),
        functional_id=acknowledge.FUNCTIONAL_ACKNOWLEDGMENT,
    )
