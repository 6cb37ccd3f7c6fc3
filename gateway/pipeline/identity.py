"""What makes two things the same thing: duplicate keys of messages, natural keys of documents, wait keys, lanes.

Every effect has an identity, so that a repeat by any way (AS2, REST, replay, retry) has no second effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway import canonical
from gateway.ports import Json


def as2_key(partner: str, message_id: str) -> str:
    """An AS2 message, by sender and Message-ID."""
    return f"as2:{partner}:{message_id}"


def interchange_key(standard: str, partner: str, control_number: str) -> str:
    """An interchange, by sender and ISA13 or 0020."""
    return f"{standard}:{partner}:{control_number}"


def sent_interchange_key(standard: str, series: str, control_number: str) -> str:
    """An interchange of ours, by the series its numbers come from and ISA13 or 0020; their TA1 or CONTRL names it.

    The series holds our own identity: with a new one, numbers begin anew.
    """
    return f"{standard}-sent:{series}:{control_number}"


SENDINGS_KNOWN = 9
"""A file goes out again by hand now and then; beyond that only its 997 or CONTRL finds it."""


def sent_file_key(standard: str, partner: str, control_number: str) -> str:
    """An interchange that somebody else wrote and we send as it is. Its number is from no series of ours."""
    return f"{standard}-file:{partner}:{control_number}"


def sendings(file_key: str) -> tuple[str, ...]:
    """The identities of a file that is sent again under the same number, the first sending first."""
    return (file_key, *(f"{file_key}#{number}" for number in range(2, SENDINGS_KNOWN + 1)))


def idempotency_key(scope: str, key: str) -> str:
    """A REST request, by who sent it (`erp` or a partner's name) and its Idempotency-Key."""
    return f"rest:{scope}:{key}"


def acknowledgment_key(partner: str, functional_id: str, group_control_number: str | int) -> str:
    """The 997 that a group of ours waits for. Zeros in front do not count: GS06 is a number (X12 element 28, N0)."""
    return f"997:{partner}:{functional_id}:{int(group_control_number)}"


def contrl_key(partner: str, control_reference: str) -> str:
    """The CONTRL that an interchange of ours waits for. A reference (0020) is text: zeros in front count."""
    return f"contrl:{partner}:{control_reference}"


def answer_key(order_id: str) -> str:
    """The acknowledgement that an order of ours waits for."""
    return f"order-acknowledgement:{order_id}"


def notice_key(order_id: str) -> str:
    """The ship notice that an order of ours waits for."""
    return f"ship-notice:{order_id}"


def order_wait_key(partner: str, number: str) -> str:
    """What waits for an order of this number to come, or to go its way."""
    return f"order:{partner}:{number}"


def receipt_key(message_id: str) -> str:
    """The receipt that a message of ours waits for, and the identity that the first one takes."""
    return f"receipt:{message_id}"


def answered_again_key(message_id: str, hour: str, number: int) -> str:
    """One of the few times in an hour that the answers to a message go out again."""
    return f"again:{message_id}:{hour}:{number}"


def original_answer_key(order_id: str) -> str:
    """The one original acknowledgement of an order; changes and replacements have no such key."""
    return f"answer:{order_id}"


def delivery_key(document_id: str, part: str) -> str:
    """The idempotency key of a document's calls to a target: the document's id for its first target."""
    return f"{document_id}.{part}" if part else document_id


def undo_key(key: str) -> str:
    """The key of the call that undoes what was delivered under `key`."""
    return f"{key}.undo"


def natural_key(kind: str, document: Json) -> str:
    """A document, by what the trade calls the same: its number, and the release or revision where there is one.

    An acknowledgement often has no number of its own (an 855 never has one): supplier's order number or date then.
    A change is one of several to an order: its number or its place among them tells it, else what it says.
    """
    if kind == "order_acknowledgement":
        order = _map(document, "order")
        own = document.get("number") or document.get("supplier_order_number") or _day(document.get("issue_date"))
        parts = [order.get("number"), order.get("release_number"), own, document.get("purpose")]
    elif kind == "purchase_order":
        parts = [document.get("number"), document.get("release_number"), document.get("revision")]
    elif kind == "order_change":
        order = _map(document, "order")
        own = document.get("number") or document.get("change_sequence") or canonical.digest(document)
        parts = [order.get("number"), order.get("release_number"), document.get("revision"), own]
        parts.append(document.get("purpose"))
    else:
        parts = [document.get("number"), document.get("revision")]
        if document.get("purpose") not in {None, "original"}:
            parts.append(document.get("purpose"))
    return ":".join([kind, *("" if part is None else str(part) for part in parts)])


def order_number_of(kind: str, document: Json) -> str | None:
    """The order that a document is, answers or changes; a ship notice over several orders names its first."""
    if kind == "purchase_order":
        return _text(document.get("number"))
    if kind in {"order_acknowledgement", "order_change"}:
        return _text(_map(document, "order").get("number"))
    return next((number for number, _ in _orders_in(document)), None)


def number_of(kind: str, document: Json) -> str:
    """The number people use for a document; one without is known by its order's, a change by its place after that."""
    own = document.get("number") or (kind != "order_change" and document.get("supplier_order_number"))
    sequence = _text(document.get("change_sequence")) if kind == "order_change" else None
    if sequence and not own:
        return f"{order_number_of(kind, document) or '-'}/{sequence}"
    return _text(own) or order_number_of(kind, document) or "-"


OrderRef = tuple[str, str | None]
"""An order as answers name it: its number, and its release where it is one of a blanket order."""


def order_ref(node: Json) -> OrderRef | None:
    """The order that an answer, a change, or a node of a ship notice, names under `order`."""
    order = _map(node, "order")
    number = _text(order.get("number"))
    return None if number is None else (number, _text(order.get("release_number")))


def order_refs(ship_notice: Json) -> list[OrderRef]:
    """Every order in a ship notice's tree, in order of appearance, each once."""
    return list(dict.fromkeys(_orders_in(ship_notice)))


def _orders_in(ship_notice: Json) -> Iterator[OrderRef]:
    pending: list[Any] = list(reversed(ship_notice.get("contents") or ()))
    while pending:
        node = pending.pop()
        if isinstance(node, OBJECT):
            if "order" in node and (named := order_ref(node)) is not None:
                yield named
            if inside := node.get("contents"):
                pending.extend(reversed(inside))


def refs(kind: str, document: Json) -> list[OrderRef]:
    """The orders that a document answers, changes or ships."""
    if kind in {"order_acknowledgement", "order_change"}:
        named = order_ref(document)
        return [] if named is None else [named]
    return order_refs(document) if kind == "ship_notice" else []


def order_numbers(ship_notice: Json) -> list[str]:
    """Every order number in a ship notice's tree, in order of appearance, each once."""
    return list(dict.fromkeys(number for number, _ in order_refs(ship_notice)))


def outbound_lane(partner: str, endpoint: str) -> str:
    """The lane of what goes to a partner."""
    return f"{partner}:outbound:{endpoint}"


def inbound_lane(partner: str, endpoint: str) -> str:
    """The lane of what came from a partner."""
    return f"{partner}:inbound:{endpoint}"


OBJECT = (dict, Mapping)
"""A JSON object; asked in this order, because the abstract class costs ten times as much to ask."""


def _map(document: Json, key: str) -> Json:
    value = document.get(key)
    return value if isinstance(value, OBJECT) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _day(value: object) -> object:
    return value.get("value") if isinstance(value, Mapping) else value
