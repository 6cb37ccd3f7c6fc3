"""Whose files they are, what the partner is called here, which versions are read as others: from the survey alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from gateway.edi.library import Guides
from gateway.errors import OurFault
from gateway.onboarding.samples import Identity, Survey
from gateway.onboarding.versions import nearest


def the_partner(found: Survey, ours: frozenset[Identity], wanted: str | None) -> Identity:
    """Whose files they are. OurFault, with the choice, where that cannot be told."""
    identities = Counter[Identity]()
    for (sender, receiver), count in found.pairs.items():
        identities[sender] += count
        if receiver != sender:
            identities[receiver] += count if sender in ours else 0
    senders = [one for one in identities if one not in ours and identities[one]]
    if wanted is not None:
        meant = [one for one in identities if wanted in {"/".join(one), one[1]}]
        if meant:
            return meant[0]
        raise OurFault(f"no interchange is of {wanted}", remedy=f"there are {_list(identities)}")
    if not senders:
        first = next(iter(found.unread.values()), None)
        said = f": {first.text}" if first is not None else ""
        raise OurFault(f"no interchange can be read{said}", remedy="give EDI files, X12 or EDIFACT, of one sender")
    if len(senders) > 1:
        raise OurFault(
            f"the files are of {len(senders)} senders: {_list({one: identities[one] for one in senders})}",
            remedy="name one of them: --sender ID",
        )
    return senders[0]


def _list(identities: Mapping[Identity, int]) -> str:
    shown = sorted(identities, key=lambda one: -identities[one])[:10]
    return ", ".join(f"{'/'.join(one)} ({identities[one]})" for one in shown)


def versions_of(found: Survey, guides: Guides, partner: Identity) -> dict[str, str]:
    """Versions of the partner's that have no guides, and which ones read them."""
    types: dict[tuple[str, str], set[str]] = {}
    for pair, versions in found.versions.items():
        if partner in pair:
            for standard, version, type_ in versions:
                types.setdefault((standard, version), set()).add(type_)
    read_as = {
        (standard, version): nearest(guides, standard, version, mine) for (standard, version), mine in types.items()
    }
    return {version[:6]: other for (_, version), other in read_as.items() if other}


def name_of(partner: Identity) -> str:
    """A name for the partner's files from their id."""
    kept = "".join(one if one.isascii() and one.isalnum() else "-" for one in partner[1].lower()).strip("-")
    return kept[:40] if kept[:1].isalpha() else f"p-{kept}"[:40].rstrip("-")
