"""Findings, interchanges, groups and messages as `gateway edi … --json` prints them; keys in a fixed order."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from gateway.edi.interchange import GroupStart, InterchangeStart
from gateway.edi.tree import Message
from gateway.findings import Codes, EdiPlace, Finding

_CODES = tuple(one.name for one in fields(Codes))


def finding_json(found: Finding) -> dict[str, Any]:
    """One finding. `offset` is in bytes from the file's beginning; `codes` has those that the rule sets."""
    place = found.place if isinstance(found.place, EdiPlace) else EdiPlace()
    codes = {name: getattr(found.codes, name) for name in _CODES}
    return {
        "rule": found.rule,
        "text": found.text,
        "fix": found.fix,
        "segment": place.tag,
        "position": place.segment,
        "element": place.element,
        "component": place.component,
        "repeat": place.repeat,
        "offset": place.offset,
        "said": found.said,
        "wanted": found.wanted,
        "severity": found.severity.value,
        "codes": {name: code for name, code in codes.items() if code is not None},
    }


def message_json(message: Message) -> dict[str, Any]:
    """One message with its own outcome; its group or interchange may still be refused behind it."""
    return {
        "type": message.type,
        "version": message.version,
        "control_number": message.control_number,
        "segments": message.segments,
        "outcome": message.outcome.value,
        "findings": [finding_json(one) for one in message.findings],
    }


def group_head(start: GroupStart) -> dict[str, Any]:
    """What a group begins with. The one group of an EDIFACT interchange without UNG has neither type nor number."""
    implicit = not start.functional_id and not start.control_number
    return {
        "type": None if implicit else start.functional_id,
        "control_number": None if implicit else start.control_number,
    }


def interchange_head(start: InterchangeStart) -> dict[str, Any]:
    """What an interchange begins with."""
    return {
        "standard": start.standard,
        "version": start.version,
        "sender": party(start.sender_qualifier, start.sender),
        "receiver": party(start.receiver_qualifier, start.receiver),
        "control_number": start.control_number,
    }


def party(qualifier: str, identity: str) -> str:
    """`ZZ:SUPPLIER`; the identity alone where it has no qualifier."""
    return f"{qualifier}:{identity}" if qualifier else identity
