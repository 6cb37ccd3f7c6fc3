"""The partner's agreement as text: what the files told is live, what only a person knows stands there as TODO."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.onboarding.guide_delta import printable
from gateway.onboarding.profile import Direction, Profile
from gateway.onboarding.samples import How
from gateway.partners.reference import scalar

SCHEMES: Mapping[str, Mapping[str, str]] = {
    "x12": {"01": "duns", "14": "duns_plus", "12": "phone", "08": "ucc_id", "02": "scac"},
    "edifact": {"1": "duns", "14": "gln", "91": "assigned_by_seller", "92": "assigned_by_buyer"},
}
"""Qualifiers of the envelope and what their ids are, for a partner whose documents name no seller or buyer."""
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
    ours: frozenset[tuple[str, str]]
    """Our identities in gateway.yaml."""


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
        yield f"  - {{scheme: {scheme}, value: {_quoted(value)}}}  # {why}"
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
    """The section of each standard that they write."""
    standards = facts.profile.habits.get("standard", {})
    for standard in ("x12", "edifact"):
        if standard in standards or (standard == "x12" and not standards):
            yield f"{standard}:"
            yield from _x12(facts) if standard == "x12" else _edifact(facts)
            yield from _alike(facts)


def _x12(facts: Facts) -> Iterator[str]:
    profile = facts.profile
    group, theirs = profile.habit("group_sender"), profile.habit("group_receiver")
    yield f"  identity: {_identity(profile.partner, group)}"
    receiver = profile.habit("receiver")
    own = _split(receiver)
    if facts.ours and receiver and (own not in facts.ours or theirs != own[1]):
        yield f"  our_identity: {_identity(receiver, theirs)}  # as they address us"
    usual = {"element_separator": "*", "component_separator": ">", "segment_terminator": "~"}
    yield from _separators(profile, usual)


def _edifact(facts: Facts) -> Iterator[str]:
    profile = facts.profile
    yield f"  identity: {_unb(profile.partner)}"
    receiver = profile.habit("receiver")
    if facts.ours and receiver and _split(receiver) not in facts.ours:
        yield f"  our_identity: {_unb(receiver)}  # as they address us"
    sets = [one for one in profile.sets if one.standard == "edifact" and one.guide]
    if sets:
        most = max(sets, key=lambda one: one.documents)
        yield f"  version: {most.guide.split('/')[1]}  # what we write"
        if most.association:
            yield f"  association: {scalar(most.association)}  # as they write"
    syntax, _, version = profile.habit("syntax").partition(":")
    if syntax and version.isdigit():
        yield f"  syntax: {syntax}  # as they write"
        yield f"  syntax_version: {version}"
    usual = {"element_separator": "+", "component_separator": ":", "segment_terminator": "'"}
    yield from _separators(profile, usual)


def _separators(profile: Profile, usual: Mapping[str, str]) -> Iterator[str]:
    for name, own in usual.items():
        if (found := profile.habit(name)) and found != own:
            yield f"  {name}: {json.dumps(found)}  # as they write"


def _alike(facts: Facts) -> Iterator[str]:
    """What sections of both standards say alike."""
    profile, how = facts.profile, facts.how
    if facts.read_as:
        pairs = ", ".join(f"{_quoted(one)}: {_quoted(other)}" for one, other in sorted(facts.read_as.items()))
        yield f"  read_as: {{{pairs}}}  # versions without guides of their own"
    if how.tolerances:
        yield f"  tolerate: [{', '.join(how.tolerances)}]  # without it their files are refused"
    if how.charset is not None:
        yield f"  charset: {how.charset}  # their text is not what the standard says"
    if profile.habit("test") == "yes":
        yield "  test: yes  # as their files say"
    if profile.habit("line_break") in BREAKS:
        yield "  line_breaks: yes  # as they write"


def _split(identity: str) -> tuple[str, str]:
    qualifier, _, own = identity.partition("/")
    return qualifier, own


def _identity(identity: str, group: str) -> str:
    qualifier, own = _split(identity)
    more = f", group_id: {_quoted(group)}" if group and group != own else ""
    return f"{{qualifier: {_quoted(qualifier)}, id: {_quoted(own)}{more}}}"


def _unb(identity: str) -> str:
    qualifier, own = _split(identity)
    more = f", qualifier: {_quoted(qualifier)}" if qualifier else ""
    return f"{{id: {_quoted(own)}{more}}}"


def _quoted(text: str) -> str:
    """Digits in quotes: other readers of YAML would take them for a number."""
    return json.dumps(text) if text.isdigit() else scalar(text, flow=True)
