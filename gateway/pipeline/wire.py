"""What the pipeline asks of an EDI standard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.edi.file import Reader
from gateway.edi.interchange import Group, Interchange
from gateway.edi.tree import Loop, Message
from gateway.partners.agreement import Agreement, Dialect, Standard
from gateway.pipeline.decisions import Decisions
from gateway.pipeline.station import Station
from gateway.ports import Numbers
from gateway.settings import EdifactIdentity, Settings, X12Identity


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """Where an interchange's header says what must be as agreed: the numbers of its elements, and their names."""

    tag: str
    sender: int
    sender_names: str
    receiver: int
    receiver_names: str
    number: int
    number_name: str
    test: int
    test_name: str
    test_words: tuple[str, str]
    """As production and as test."""
    message_tag: str
    message_type: int
    """The element of the message's header with its type."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """One message for a partner, before it has numbers."""

    agreement: Agreement
    type: str
    version: str
    root: Loop
    at: datetime
    functional_id: str = ""
    """GS01, in X12."""
    syntax_version: int | None = None
    """Of EDIFACT, where it is not the agreement's: an answer speaks as the question did."""


class Wire(Protocol):
    """One standard: how its interchanges are read, judged, written, answered and closed."""

    name: Standard
    content_type: str
    reader: Reader
    header: Header

    def dialect(self, agreement: Agreement) -> Dialect | None:
        """What is agreed about it with this partner, if anything."""
        ...

    def ours(self, settings: Settings, agreement: Agreement) -> X12Identity | EdifactIdentity:
        """Who we are in interchanges with this partner. Raises OurFault when nothing says it."""
        ...

    def sender(self, station: Station, interchange: Interchange) -> Agreement | None:
        """The partner that an interchange's header names as its sender."""
        ...

    def theirs(self, agreement: Agreement) -> X12Identity | EdifactIdentity | None:
        """Who the partner is in it."""
        ...

    def is_answer(self, group: Group, message: Message) -> bool:
        """Whether a message that came is an acknowledgment: it is reconciled, never judged or answered."""
        ...

    async def reconcile(self, decided: Decisions, interchange: Interchange) -> None:
        """Let the acknowledgments in an interchange close what we sent."""
        ...

    def answer_envelope(self, decided: Decisions, interchange: Interchange) -> None:
        """Queue what answers an interchange before any of its messages was looked at."""
        ...

    def answer(self, decided: Decisions, interchange: Interchange) -> None:
        """Queue what tells the partner of each message, once all are decided about."""
        ...

    def outgoing(self, station: Station, agreement: Agreement, type_: str, root: Loop, at: datetime) -> Outgoing:
        """A document's message. Raises OurFault when there is no guide to write it by."""
        ...

    def charset(self, outgoing: Outgoing) -> str | None:
        """What a message of ours is written in, None where its envelope says it."""
        ...

    def series(self, station: Station, agreement: Agreement) -> str:
        """The series that control numbers with a partner are taken from."""
        ...

    def render(self, settings: Settings, outgoing: Outgoing, numbers: Numbers) -> bytes:
        """The interchange with its numbers. Raises PartnerFault for data that cannot be written."""
        ...

    def control_number(self, numbers: Numbers) -> str:
        """The interchange's number as the partner sees it."""
        ...

    def sent_key(self, station: Station, agreement: Agreement, control_number: str) -> str:
        """The identity of an interchange of ours, by its number."""
        ...

    def sent_file_key(self, agreement: Agreement, control_number: str) -> str:
        """The identity of an interchange that somebody else wrote, by its number."""
        ...

    def wait_key(self, outgoing: Outgoing, numbers: Numbers) -> str | None:
        """What closes a message of ours, None where nothing is asked for."""
        ...

    def file_wait_key(self, agreement: Agreement, interchanges: Sequence[Interchange]) -> str | None:
        """What closes a file that somebody else wrote."""
        ...
