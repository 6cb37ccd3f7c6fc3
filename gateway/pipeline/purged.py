"""A document whose content was purged: what is left of it tells repeats, and nothing is made of it any more."""

from __future__ import annotations

from gateway.errors import OurFault
from gateway.ports import Document


def refuse(document: Document) -> None:
    """Raises OurFault where only the row of a document is left."""
    if document.purged_at is not None:
        raise OurFault(
            f"the content of {document.kind} {document.number} was purged on {document.purged_at:%Y-%m-%d}: "
            "there is nothing to send or write",
            remedy="submit it anew, or, if a partner sent it and the bytes are kept, have these read again: "
            f"gateway replay {document.message_id} --as-new",
        )
