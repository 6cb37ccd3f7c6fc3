"""A partner's JSON document over REST, read once more: checked as it was, about the order that it was about.

Nothing is decided and nothing is written. What was refused then is kept without a document and is not read again: its
sender has the reasons in the answer, and sends it corrected.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.errors import OurFault
from gateway.pipeline import identity
from gateway.pipeline.checked import checked
from gateway.pipeline.rereading import Eyes, Reread
from gateway.pipeline.station import Station
from gateway.ports import Direction, Document, Message


async def reread(station: Station, eyes: Eyes, message: Message, stored: Sequence[Document]) -> list[Reread]:
    """The one document of a request; `stored` is what came of it, the first one first. Raises OurFault."""
    if not stored:
        raise OurFault("it was refused, and its sender was told why", remedy="they send it again, corrected")
    first = stored[0]
    if first.kind not in eyes.agreement.documents.receive:
        raise OurFault(
            f"a {first.kind} from {first.partner} is not agreed on",
            remedy=f"add it to documents: receive: of partners/{first.partner}.yaml",
        )
    order = await _order(station, first)
    found = await checked(first.kind, await station.queries.payload(message.id), order)
    return [
        Reread(
            kind=first.kind,
            position="",
            body=found.document or {},
            sha256=found.sha256,
            findings=found.findings,
            valid=found.document is not None,
            map=None,
            guide=None,
            order=order,
        )
    ]


async def _order(station: Station, first: Document) -> Document | None:
    """The order of this number and release that was there then: the request's address may have named it alone."""
    named = identity.order_ref(first.body)
    if named is None:
        return None
    number, release = named
    found = await station.queries.documents_by_number(first.partner, Direction.OUTBOUND, "purchase_order", number)
    meant = [one for one in found if one.body.get("release_number") == release and one.at <= first.at]
    return meant[-1] if meant else None
