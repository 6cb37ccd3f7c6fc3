"""The EDI standards as the pipeline sees them: one class each, with the same methods; no step asks which one it is.

What is the same for both stays in the steps; what a standard does in its own way (who is who in its header, numbers,
envelopes, what answers what) is here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway import as2
from gateway.edi.reading import standard_at
from gateway.partners.agreement import Agreement, Standard, standard_of
from gateway.pipeline.standards.edifact import Edifact
from gateway.pipeline.standards.x12 import X12
from gateway.pipeline.wire import Wire
from gateway.ports import Message

__all__ = ["STANDARDS", "Wire", "of_message", "of_payload", "of_set"]

STANDARDS: Mapping[Standard, Wire] = {"x12": X12(), "edifact": Edifact()}


def of_set(set_: str) -> Wire:
    """The standard that a set (850) or message (ORDERS) belongs to."""
    return STANDARDS[standard_of(set_)]


def of_message(message: Message) -> Wire:
    """The standard of a message that we send, by its content type (RFC 1767); of several files by the main one."""
    type_ = as2.root_type(message.content_type)
    return next((one for one in STANDARDS.values() if one.content_type == type_), STANDARDS["x12"])


def of_payload(agreement: Agreement, payload: bytes) -> Wire:
    """The standard to read a partner's file by: the one it begins with, if it is agreed, else one that is.

    A file is read by one standard: what another one's interchange in it says was not agreed, or not here.
    """
    agreed = [wire for name, wire in STANDARDS.items() if agreement.dialect(name) is not None]
    begins = standard_at(payload)
    return next((one for one in agreed if one.name == begins), agreed[0] if agreed else STANDARDS["x12"])
