"""Where the receipt of a message stands, in words: theirs for ours, ours for theirs. From the message and its trail."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ports import Channel, Direction, Message, MessageState, TrailEntry

_GOES_ON = frozenset({MessageState.READY, MessageState.POSTED})


def receipt_words(message: Message, trail: Sequence[TrailEntry]) -> str | None:
    """One line for people; None where there is nothing to tell, as of what did not come or go over AS2."""
    if message.channel is not Channel.AS2:
        return None
    return _theirs(message, trail) if message.direction is Direction.OUTBOUND else _ours(trail)


def _theirs(message: Message, trail: Sequence[TrailEntry]) -> str:
    """Of a message that we send."""
    told = _last(trail, "message.sent", "message.rejected_by_partner")
    if told is not None:
        verb = "refused" if told.kind == "message.rejected_by_partner" else "received"
        signer = "" if "mic_algorithm" not in told.data else _proof(told)
        return f"{verb} {told.data.get('receipt_came', 'in the answer')}: {told.data['disposition']}{signer}"
    posted, overdue = _last(trail, "message.posted"), sum(one.kind == "receipt.overdue" for one in trail)
    if posted is None:
        return "none yet"
    late = f", {overdue} times overdue" if overdue > 1 else ", once overdue" if overdue else ""
    since = f"posted {posted.at:%Y-%m-%d %H:%M:%S}{late}"
    return f"awaited: {since}" if message.state in _GOES_ON else f"none came: {since}; a late one still counts"


def _proof(told: TrailEntry) -> str:
    signed = ", signed" if told.data.get("receipt_signed_by") else ", not signed"
    matched = {True: ", the MIC is ours", False: ", the MIC is not ours", None: ""}[told.data.get("mic_matched")]
    return f"{signed}{matched}"


def _ours(trail: Sequence[TrailEntry]) -> str | None:
    """Of a message that we received."""
    issued = next((one for one in trail if one.kind == "receipt.issued"), None)  # those after it are of repeats
    if issued is None:
        return None
    disposition, address = issued.data["disposition"], issued.data.get("deliver_to")
    delivered = [one for one in trail if one.kind == "receipt.delivered"]
    if delivered:
        last = delivered[-1]
        times = f" ({len(delivered)} times)" if len(delivered) > 1 else ""
        return f"sent to {last.data['url']} {last.at:%Y-%m-%d %H:%M:%S}{times}: {disposition}"
    if address is None:
        return f"sent in the answer: {disposition}"
    dead = _last(trail, "work.given_up", "work.retried")
    if dead is not None and dead.kind == "work.given_up" and dead.data["step"] == "receipt":
        return f"given up, could not be sent to {address}: {disposition}; `gateway message retry` sends it again"
    return f"waits to be sent to {address}: {disposition}"


def _last(trail: Sequence[TrailEntry], *kinds: str) -> TrailEntry | None:
    return next((one for one in reversed(trail) if one.kind in kinds), None)
