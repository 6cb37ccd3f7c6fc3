"""The partner's agreement as text: what the files told is live, what only a person knows stands there as TODO."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.onboarding.guide_delta import printable
from gateway.onboarding.profile import Direction, Profile
from gateway.onboarding.samples import How
from gateway.partners.reference import scalar

SCHEMES = {"01": "duns", "14": "duns_plus", "12": "phone", "08": "ucc_id", "ZZ": "mutual", "02": "scac"}
"""ISA05 and what its ids are, for a partner whose documents name no seller or buyer."""
MOST_IDS = 5
ORDERS = ("purchase_order", "order_change")
"""Documents that buyers send; the others are the seller's."""
BREAKS = {"lf", "crlf"}


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentLine:
    """One kind of document, as the agreement names it."""

    direction: Direction
    kind: str
    set: str
    map: str
    guide: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What the agreement is written from."""

    name: str
    title: str
    profile: Profile
    how: How
    read_as: Mapping[str, str]
    ids: Sequence[tuple[str, str, str]]
    """Scheme, value, and why."""
    documents: Sequence[DocumentLine]
    without: Sequence[str]
    """Sets that came and that no map reads."""
    ours: tuple[str, str] | None
    """Our X12 identity in gateway.yaml."""


def text_of(facts: Facts) -> str:
    """The file."""
    return "\n".join(map(printable, _lines(facts))) + "\n"


def _lines(facts: Facts) -> Iterator[str]:
    profile = facts.profile
    files = f"{profile.files} file{'' if profile.files == 1 else 's'}"
    interchanges = f"{profile.interchanges} interchange{'' if profile.interchanges == 1 else 's'}"
    yield f"# Inferred from {files} with {interchanges} of {profile.partner}."
    yield "# What stands behind TODO only the partner, or you, can say."
    yield f"title: {scalar(facts.title)}"
    yield "status: draft  # TODO testing, once the channel is filled in"
    yield "ids:"
    for scheme, value, why in facts.ids:
        yield f"  - {{scheme: {scheme}, value: {scalar(value)}}}  # {why}"
    yield "channel: as2"
    yield "# as2:  # TODO: their AS2 name, the address of their station, their certificate"
    yield f"#   id: {facts.name.upper()}"
    yield "#   url: https://as2.example.com/as2"
    yield f"#   certificates: [certs/{facts.name}.pem]"
    yield from _dialect(facts)
    yield "documents:"
    for direction in ("send", "receive"):
        mine = [one for one in facts.documents if one.direction == direction]
        if mine:
            yield f"  {direction}:"
        for one in mine:
            parts = [f"set: {scalar(one.set)}", f"map: {one.map}", *([f"guide: {one.guide}"] if one.guide else [])]
            yield f"    {one.kind}: {{{', '.join(parts)}}}  # {one.note}"
    if not facts.documents:
        yield "  receive: {}"
    for set_ in facts.without:
        yield f"  # {set_}: no map reads it"


def _dialect(facts: Facts) -> Iterator[str]:
    profile, how = facts.profile, facts.how
    yield "x12:"
    yield f"  identity: {_identity(profile.habit('sender'), profile.habit('group_sender'))}"
    receiver, group = profile.habit("receiver"), profile.habit("group_receiver")
    own = tuple(receiver.split("/", 1))
    if facts.ours is not None and receiver and (own != facts.ours or group != facts.ours[1]):
        yield f"  our_identity: {_identity(receiver, group)}  # as they address us"
    if facts.read_as:
        pairs = ", ".join(f"{_quoted(one)}: {_quoted(other)}" for one, other in sorted(facts.read_as.items()))
        yield f"  read_as: {{{pairs}}}  # versions without guides of their own"
    if how.tolerances:
        yield f"  tolerate: [{', '.join(how.tolerances)}]  # without it their files are refused"
    if how.charset is not None:
        yield f"  charset: {how.charset}  # their text is no UTF-8"
    if profile.habit("test") == "yes":
        yield "  test: yes  # ISA15 is T in their files"
    defaults = {"element_separator": "*", "component_separator": ">", "segment_terminator": "~"}
    for name, usual in defaults.items():
        if (found := profile.habit(name)) and found != usual:
            yield f"  {name}: {json.dumps(found)}  # as they write"
    if profile.habit("line_break") in BREAKS:
        yield "  line_breaks: yes  # as they write"


def _identity(identity: str, group: str) -> str:
    qualifier, _, own = identity.partition("/")
    more = f", group_id: {_quoted(group)}" if group and group != own else ""
    return f"{{qualifier: {_quoted(qualifier)}, id: {_quoted(own)}{more}}}"


def _quoted(text: str) -> str:
    """Digits in quotes: other readers of YAML would take them for a number."""
    return json.dumps(text) if text.isdigit() else scalar(text)
