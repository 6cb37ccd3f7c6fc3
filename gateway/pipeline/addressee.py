"""Whom a document of the ERP's is for: its own parties say it, by ids that stand in one agreement."""

from __future__ import annotations

from gateway.errors import PartnerFault
from gateway.findings import Finding, JsonPlace
from gateway.partners.agreement import Agreement
from gateway.partners.directory import Directory
from gateway.ports import Json

_SHOWN_IDS = 5
_FAR_SIDE = {"purchase_order": ("seller",), "order_change": ("seller", "buyer")}
"""Roles of the party that a document is for; of any other kind the buyer."""


def recipient(directory: Directory, kind: str, document: Json) -> tuple[Agreement | None, Finding | None]:
    """The agreement with the seller of an order, or the buyer of an answer; without one, what is wrong.

    A change goes to whichever of the two is a partner of ours: both sides make them. A document that names nobody,
    an order aside, goes to the one partner that gets such documents, if there is only one.
    """
    roles = _FAR_SIDE.get(kind, ("buyer",))
    role = " or ".join(roles)
    parties = [party for party in document.get("parties") or () if party.get("role") in roles]
    ids = [(one.get("scheme") or "", one.get("value") or "") for party in parties for one in party.get("ids") or ()]
    try:
        agreement = directory.by_party_ids(ids)
    except PartnerFault as fault:
        return None, Finding(
            rule="submission.partner_ambiguous",
            place=JsonPlace(pointer="/parties"),
            said=fault.public,
            wanted=f"ids of one {role}",
            fix="send only ids that belong to this partner",
        )
    if agreement is None and not ids and kind != "purchase_order":
        only = [one for one in directory.exchanging() if kind in one.documents.send]
        agreement = only[0] if len(only) == 1 else None
    if agreement is None or kind not in agreement.documents.send:
        said = ", ".join(f"{scheme} {value}" for scheme, value in ids[:_SHOWN_IDS]) or f"no {role} with an id"
        return None, Finding(
            rule="submission.partner_unknown",
            place=JsonPlace(pointer="/parties"),
            said=said if len(ids) <= _SHOWN_IDS else f"{said} and {len(ids) - _SHOWN_IDS} more",
            wanted=f"a {role} with an id of a partner that we send a {kind.replace('_', ' ')} to",
            fix="correct the id, or add it under ids in the partner's file (gateway partner list shows them)",
        )
    return agreement, None
