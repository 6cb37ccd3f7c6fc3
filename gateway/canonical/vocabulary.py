"""The closed word lists of the canonical documents. A word that stands here means the same for every partner.

Where the trade's lists are open (party roles, reference types, identifier schemes) a field is plain text and
its known words
are in the maps' code tables; an unknown wire code then stays as it came.
"""

from __future__ import annotations

from typing import Literal

Purpose = Literal["original", "cancel", "change", "replace", "confirm", "duplicate", "response", "status", "other"]
"""BEG01, BAK01, BSN01 (element 353); BGM 1225 of an order."""

Response = Literal[
    "accepted",
    "accepted_with_changes",
    "accepted_no_detail",
    "rejected",
    "rejected_no_detail",
    "received",
    "pending",
    "other",
]
"""BAK02 (element 587); BGM 1225 of an ORDRSP."""

LineStatus = Literal[
    "accepted",
    "accepted_and_shipped",
    "added",
    "backordered",
    "changed",
    "date_changed",
    "deleted",
    "not_found",
    "on_hold",
    "part_accepted",
    "price_changed",
    "price_pending",
    "quantity_changed",
    "rejected",
    "schedule_pending",
    "substituted",
    "unchanged",
    "other",
]
"""ACK01 (element 668); LIN 1229."""

Precision = Literal["year", "month", "day", "minute", "second"]

Indicator = Literal["allowance", "charge", "none", "other"]
"""SAC01 (element 248); `none` where the segment only informs."""

ChangeType = Literal[
    "added",
    "changed",
    "deleted",
    "unchanged",
    "quantity_changed",
    "quantity_increased",
    "quantity_decreased",
    "price_changed",
    "date_changed",
    "item_replaced",
    "replaced",
    "rejected",
    "other",
]
"""POC02 (element 670); LIN 1229 of an ORDCHG knows the first four."""

Origin = Literal["line", "header"]

Completion = Literal["partial", "final"]
