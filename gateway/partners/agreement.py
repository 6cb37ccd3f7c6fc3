"""One partner's agreement: identity, channel, documents, maps, limits. A new partner is one file of this shape.

Models only; `gateway.partners.workspace` reads the files and reports all their errors at once, and the rules that join
several fields or files (channel as2 needs its sections) are `gateway.partners.checks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gateway.edi.charset import is_transparent
from gateway.edi.syntax import Una
from gateway.mapping.missing import Unknown
from gateway.mapping.translate import PLACES, Agreed, Codes, Ids
from gateway.partners import reference_fields
from gateway.partners.as2_channel import As2Channel
from gateway.partners.service_levels import Matching, ServiceLevels
from gateway.settings import EdifactIdentity, Form, Kind, Name, Part, PartnerRetention, RateText, Webhook, X12Identity

__all__ = ["Agreement", "Contact", "Dialect", "DocumentRule", "Documents", "EdifactDialect", "Kind"]
__all__ += ["PartyId", "RestChannel", "Standard", "Status", "X12Dialect", "standard_of"]

Standard = Literal["x12", "edifact"]
SET = r"[0-9]{3}|[A-Z]{6}"
VERSIONS: Mapping[Standard, str] = {"x12": "004010", "edifact": r"[A-Z0-9]{2,4}"}
"""The form of the version that is written."""
Syntax = Literal[
    "UNOA", "UNOB", "UNOC", "UNOD", "UNOE", "UNOF", "UNOG", "UNOH", "UNOI", "UNOJ", "UNOK", "UNOL", "UNOW", "UNOY"
]
"""The syntax identifiers that name a charset (`gateway.edi.repertoires`): UNOX names none and is not written."""

FROM_FILE_NAME = "from_file_name"
"""Marks the one field that does not stand in the file."""
Delimiter = Annotated[str, Form(r"[^A-Za-z0-9 ]", "one character that is no letter, digit or blank")]


class Status(StrEnum):
    """The life cycle of an agreement; only testing and active ones exchange documents."""

    DRAFT = "draft"
    TESTING = "testing"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    RETIRED = "retired"


class PartyId(Part):
    """One id by which documents name this partner (a party id of the canonical document)."""

    scheme: Annotated[str, Form(r"[a-z][a-z0-9_]*", "small letters, digits and _; a letter first")] = Field(
        description="gln, duns, assigned_by_buyer, assigned_by_seller, …", examples=["assigned_by_buyer"]
    )
    value: Annotated[str, Form(r".{1,80}", "1 to 80 characters")] = Field(
        description="The id itself.", examples=["V-1001"]
    )


class Contact(Part):
    """Whom to call."""

    name: str = Field(description="Person or team.", examples=["EDI desk"])
    email: str | None = Field(default=None, description="Mail address.")
    phone: str | None = Field(default=None, description="Telephone number.")


Tolerance = Literal["collapsed_isa", "wrapped_lines", "indented_segments", "control_number_zeros"]
"""The names of `gateway.edi.tolerances.Tolerances`."""


def _transparent(name: str) -> str:
    if not is_transparent(name):
        raise ValueError("a charset in which ASCII stays ASCII, such as utf-8, iso-8859-1 or windows-1252")
    return name


Charset = Annotated[str, AfterValidator(_transparent)]


class Dialect(Part):
    """What is agreed about the syntax of interchanges, in any standard."""

    tolerate: tuple[Tolerance, ...] = Field(
        default=(),
        description="Deviations of theirs that are read, with a note, instead of refused.",
        examples=[("collapsed_isa",)],
    )
    charset: Charset | None = Field(
        default=None,
        description="What their text is written in; absent: utf-8 in X12, what UNB names in EDIFACT.",
        examples=["windows-1252"],
    )
    read_as: dict[str, str] = Field(
        default_factory=dict,
        description="Versions of theirs that have no guides, with the version whose guides read them.",
        examples=[{"003050": "004010"}],
    )
    partial: Literal["set", "group", "interchange"] = Field(
        default="set", description="What a refused set takes with it: only itself, its group or the whole interchange."
    )
    test: bool = Field(default=False, description="Test interchanges (ISA15 T, 0035 1) instead of production.")
    line_breaks: bool = Field(default=False, description="Write a line feed after each segment.")
    control_numbers_may_repeat: bool = Field(
        default=False,
        description="Read an interchange whose ISA13 or 0020 was used before; otherwise it is refused "
        "(TA1 025, CONTRL 26).",
    )
    acknowledgment_within_hours: Annotated[Decimal, Field(gt=0, le=720)] = Field(
        default=Decimal(24), description="A 997 or CONTRL that has not come by then is overdue."
    )


class X12Dialect(Dialect):
    """How X12 interchanges with this partner look."""

    identity: X12Identity = Field(description="The partner's ISA and GS identity.")
    our_identity: X12Identity | None = Field(default=None, description="Ours with this partner, when it differs.")
    version: Literal["004010", "005010"] = Field(default="004010", description="Version of what we send (GS08).")
    request_ta1: bool = Field(default=False, description="Ask for a TA1 (ISA14).")
    answer: Literal["refused", "always"] = Field(
        default="always",
        description="When they get our 997: for every group (X12.20), or only where something in it is wrong, which "
        "spares both sides a message for each of theirs.",
    )
    element_separator: Delimiter = Field(default="*", description="Separates elements.")
    component_separator: Delimiter = Field(default=">", description="Separates components (ISA16).")
    segment_terminator: Delimiter = Field(default="~", description="Ends a segment.")


class EdifactDialect(Dialect):
    """How EDIFACT interchanges with this partner look."""

    identity: EdifactIdentity = Field(description="The partner's UNB identity.")
    our_identity: EdifactIdentity | None = Field(default=None, description="Ours with this partner, when it differs.")
    version: Annotated[str, Form(VERSIONS["edifact"], "a directory, such as D96A or D01B")] = Field(
        default="D96A", description="Directory of what we send (0052 and 0054)."
    )
    association: Annotated[str, Form(r"[A-Z0-9]{1,6}", "1 to 6 capital letters or digits")] | None = Field(
        default=None, description="Association assigned code of what we send (0057).", examples=["EAN008"]
    )
    syntax: Syntax = Field(
        default="UNOC", description="Syntax identifier of what we send (0001): which characters it may hold."
    )
    syntax_version: Annotated[int, Field(ge=1, le=4)] = Field(
        default=3, description="Syntax version of what we send (0002)."
    )
    request_acknowledgment: bool = Field(
        default=True, description="Ask for a CONTRL (0031) and wait for it; the CONTRL itself never asks."
    )
    received_is_enough: bool = Field(
        default=False,
        description="A CONTRL that says only that our interchange came (0083 is 8) closes what we sent: for partners "
        "that send no other.",
    )
    answer: Literal["asked", "always"] = Field(
        default="asked",
        description="When they get our CONTRL: when their 0031 asks or something is refused, or always.",
    )
    una: Una = Field(
        default=Una.NEEDED, description="Whether UNA is written; needed: where a character below is not the usual one."
    )
    component_separator: Delimiter = Field(default=":", description="Separates components.")
    element_separator: Delimiter = Field(default="+", description="Separates elements.")
    release_character: Delimiter = Field(default="?", description="What follows it is data.")
    repetition_separator: Delimiter = Field(default="*", description="Separates repetitions, in syntax 4 only.")
    segment_terminator: Delimiter = Field(default="'", description="Ends a segment.")


class RestChannel(Part):
    """The partner uses our REST API; its keys are made by `gateway partner key new`."""

    requests_per_minute: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=600, description="More are answered 429."
    )


class DocumentRule(Part):
    """One kind of document in one direction."""

    set: Annotated[str, Form(SET, "three digits (850, in X12) or six letters (ORDERS)")] | None = Field(
        default=None,
        description="X12 transaction set or EDIFACT message, which names the standard; absent for REST.",
    )
    map: str | None = Field(default=None, description="Map that reads or writes it, for example acme/855.")
    guide: str | None = Field(
        default=None, description="Guide that it is checked by, for example acme/855; absent: the gateway's own."
    )


class Documents(Part):
    """What we exchange."""

    send: dict[Kind, DocumentRule] = Field(default_factory=dict, description="From us to the partner.")
    receive: dict[Kind, DocumentRule] = Field(default_factory=dict, description="From the partner to us.")


Scheme = Annotated[str, Form(r"[A-Za-z0-9][A-Za-z0-9_]{0,39}", "letters, digits and _, 40 at most")]
_UNKNOWN = "What becomes of a document with a word that is not in the table: hold it, or keep the word and go on."


class IdReferences(Part):
    """Ids of theirs that get ours beside them, and ours that get theirs."""

    theirs: Scheme = Field(description="The scheme of the partner's ids.", examples=["supplier"])
    ours: Scheme = Field(description="The scheme of ours.", examples=["buyer"])
    unknown: Unknown = Field(default="hold", description=_UNKNOWN)

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.theirs == self.ours:
            raise ValueError("two schemes, one for theirs and one for ours")
        return self


class LocationReferences(IdReferences):
    """The same for places: ids of parties in these roles, and where parts of a line go."""

    roles: tuple[str, ...] = Field(
        default=tuple(sorted(PLACES)), description="Roles of parties that are places; the rest is for parties."
    )


class UnitReferences(Part):
    """Units of quantities, with factors."""

    unknown: Unknown = Field(default="hold", description=_UNKNOWN)


class CodeReferences(Part):
    """One field whose text is translated."""

    list: Name = Field(default="codes", description="The list that translates it.", examples=["carriers"])
    unknown: Unknown = Field(default="hold", description=_UNKNOWN)


FieldPath = Annotated[str, AfterValidator(reference_fields.checked)]
"""A field of the canonical documents, such as carrier.scac or lines.responses.reason."""


class References(Part):
    """What is translated by cross-references (docs/cross-references.md); what is not named here stays as it is."""

    items: IdReferences | None = Field(default=None, description="Numbers of items.")
    units: UnitReferences | None = Field(default=None, description="Units of quantities.")
    locations: LocationReferences | None = Field(default=None, description="Numbers of places.")
    parties: IdReferences | None = Field(default=None, description="Numbers of parties that are no places.")
    codes: dict[FieldPath, CodeReferences] = Field(
        default_factory=dict,
        description="Fields of the document, each with the list that translates its text.",
        examples=["carrier.scac"],
    )

    @property
    def agreed(self) -> Agreed:
        """As the mapping wants it."""
        places = self.locations
        return Agreed(
            items=_ids(self.items),
            units=None if self.units is None else self.units.unknown,
            locations=_ids(places),
            roles=frozenset(places.roles) if places else PLACES,
            parties=_ids(self.parties),
            codes=tuple(
                Codes(path=tuple(path.split(".")), list=one.list, unknown=one.unknown)
                for path, one in self.codes.items()
            ),
        )


def _ids(said: IdReferences | None) -> Ids | None:
    return None if said is None else Ids(theirs=said.theirs, ours=said.ours, unknown=said.unknown)


class Duplicates(Part):
    """How long a document's number is taken."""

    window_days: Annotated[int, Field(ge=1, le=3650)] | None = Field(
        default=None,
        description="Days after which the same number with other content is a new document; absent: never.",
    )


class Agreement(Part):
    """The whole of one file in `partners/`; its name is the file's name."""

    name: Name = Field(
        description="The name of the file, or of its folder; reading fills it in.",
        json_schema_extra={FROM_FILE_NAME: True},
    )
    title: str = Field(description="The company's name, shown to people.", examples=["Example Supplier"])
    status: Status = Field(
        default=Status.ACTIVE, description="Its life cycle; only testing and active ones exchange documents."
    )
    owner: str | None = Field(default=None, description="Who on our side answers for this agreement.")
    contact: Contact | None = Field(default=None, description="Whom to call on their side.")
    ids: Annotated[tuple[PartyId, ...], Field(min_length=1)] = Field(
        description="How documents name this partner: seller of our orders, buyer of our answers. One match is enough."
    )
    channel: Literal["as2", "rest"] = Field(description="How documents travel.", examples=["as2"])
    as2: As2Channel | None = Field(default=None, description="Needed for channel as2.")
    x12: X12Dialect | None = Field(default=None, description="Needed for channel as2 and sets of X12.")
    edifact: EdifactDialect | None = Field(default=None, description="Needed for channel as2 and messages of EDIFACT.")
    rest: RestChannel | None = Field(default=None, description="Limits for channel rest.")
    documents: Documents = Field(description="What we exchange, in which direction, with which maps.")
    references: References | None = Field(
        default=None, description="What is translated by cross-references: items, units, places, parties, codes."
    )
    service_levels: ServiceLevels = Field(
        default_factory=ServiceLevels, description="When the answers to our orders are due."
    )
    matching: Matching | None = Field(
        default=None,
        description="How answers are held against their orders; absent: differences are findings, nothing waits.",
    )
    target: Name | None = Field(
        default=None, description="Target for everything from this partner; absent: the routes of gateway.yaml decide."
    )
    duplicates: Duplicates = Field(
        default_factory=Duplicates, description="How long a number is taken, whatever way its document came."
    )
    replacements: Literal["allow", "hold", "refuse"] = Field(
        default="allow",
        description="What becomes of a document whose purpose is to replace or cancel an earlier one: delivered, held "
        "for an operator (gateway review list), or refused.",
    )
    webhooks: Annotated[dict[Name, Webhook], Field(max_length=20)] = Field(
        default_factory=dict, description="Addresses of the partner's that are told of its events.", examples=["orders"]
    )
    max_message_bytes: Annotated[int, Field(ge=1024, le=2**32)] | None = Field(
        default=None, description="Largest message accepted; absent: as in gateway.yaml."
    )
    criticality: Literal["critical", "high", "normal", "low"] = Field(
        default="normal", description="Whose work goes first when there is more than can be done at once."
    )
    ordered: bool = Field(
        default=False,
        description="Everything from and to this partner one by one, in the order in which it came; what fails holds "
        "what is behind it until it succeeds, or an operator decides.",
    )
    rate: RateText | None = Field(
        default=None,
        description="How many messages to their station start in a time, over all nodes. After burst, how many at once "
        "when there was a rest (else what comes in a second). Without it there is no limit.",
        examples=["10/second", "600/minute burst 50"],
    )
    retention: PartnerRetention = Field(
        default_factory=PartnerRetention,
        description="How long what is exchanged with them is kept; absent: as in gateway.yaml.",
    )

    @property
    def exchanges(self) -> bool:
        """Whether documents may flow at all."""
        return self.status in {Status.TESTING, Status.ACTIVE}

    def dialect(self, standard: Standard) -> Dialect | None:
        """What is agreed about interchanges of this standard; None where it is not exchanged."""
        return self.x12 if standard == "x12" else self.edifact


def standard_of(set_: str) -> Standard:
    """The standard that a set or message belongs to, by its name: 850 is X12's, ORDERS is EDIFACT's."""
    return "x12" if set_.isdigit() else "edifact"
