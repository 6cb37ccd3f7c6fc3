"""Which partner is it? Agreements found by AS2 name, by ISA or UNB identity and by party ids, each in one step.

Only agreements that exchange documents (testing, active) are found, except by `known`. What names two partners at once
was refused when the workspace was read; an order whose seller ids name two partners is refused here.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.errors import PartnerFault
from gateway.partners.agreement import Agreement


class Directory:
    """All agreements, indexed. Values never change: a new configuration is a new directory."""

    def __init__(self, agreements: Iterable[Agreement]) -> None:
        self._known = {agreement.name: agreement for agreement in agreements}
        self._named = {name: agreement for name, agreement in self._known.items() if agreement.exchanges}
        exchanging = tuple(self._named.values())
        self._as2 = {one.as2.id: one for one in exchanging if one.as2}
        self._x12 = {(one.x12.identity.qualifier, one.x12.identity.id): one for one in exchanging if one.x12}
        self._edifact = {
            (one.edifact.identity.qualifier or "", one.edifact.identity.id): one for one in exchanging if one.edifact
        }
        self._parties = {(party.scheme, party.value): one for one in exchanging for party in one.ids}

    def exchanging(self) -> tuple[Agreement, ...]:
        """The agreements that exchange documents."""
        return tuple(self._named.values())

    def known(self, name: str) -> Agreement | None:
        """The agreement of this name, whatever its status."""
        return self._known.get(name)

    def by_name(self, name: str) -> Agreement | None:
        """The agreement of this name, if it exchanges documents."""
        return self._named.get(name)

    def by_as2_id(self, as2_from: str) -> Agreement | None:
        """Who sends with this AS2-From (RFC 4130 6.2: compared as it is, case included)."""
        return self._as2.get(as2_from)

    def by_x12(self, qualifier: str, interchange_id: str) -> Agreement | None:
        """Who is ISA05/ISA06; the padding of the fixed-width elements is dropped."""
        return self._x12.get((qualifier.strip(), interchange_id.rstrip()))

    def by_edifact(self, qualifier: str, interchange_id: str) -> Agreement | None:
        """Who is S002 with this 0007 (empty where there is none) and 0004, compared as they are."""
        return self._edifact.get((qualifier, interchange_id))

    def by_party_ids(self, ids: Iterable[tuple[str, str]]) -> Agreement | None:
        """Whom (scheme, value) pairs of a party name; one match is enough. Two partners: PartnerFault."""
        found = {one.name: one for pair in ids if (one := self._parties.get(pair))}
        if len(found) > 1:
            names = " and ".join(sorted(found))
            raise PartnerFault(
                f"the party ids name {len(found)} partners: {names}",
                public="the seller's ids name more than one partner; send ids of one of them",
            )
        return next(iter(found.values()), None)
