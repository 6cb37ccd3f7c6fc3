"""Acknowledgments: verdicts and findings in, TA1, 997, 999 and CONTRL out; and theirs read back into frozen values.

Codes stand in the findings, which have them from `rules`. Never acknowledges an acknowledgment; an unknown set is
answered like any other, with a rejection. Knows nothing of partners, maps or storage.
"""

from gateway.edi.acknowledge.answers import (
    ElementError,
    FunctionalAcknowledgment,
    InterchangeAcknowledgment,
    SegmentError,
    SetAcknowledgment,
    read_997,
    read_999,
)
from gateway.edi.acknowledge.contrl import compose_contrl, wants_contrl
from gateway.edi.acknowledge.fates import Answer, Fate, Reconciled, reconcile
from gateway.edi.acknowledge.functional import (
    FUNCTIONAL_ACKNOWLEDGMENT,
    compose_997,
    compose_999,
    compose_functional,
    functional_kind,
    wants_997,
)
from gateway.edi.acknowledge.reports import (
    ElementReport,
    GroupReport,
    InterchangeReport,
    MessageReport,
    SegmentReport,
    read_contrl,
)
from gateway.edi.acknowledge.streaming import Acknowledgment, Choices, enclosed, stream, written
from gateway.edi.acknowledge.ta1 import compose_ta1, read_ta1, wants_ta1

__all__ = [
    "FUNCTIONAL_ACKNOWLEDGMENT",
    "Acknowledgment",
    "Answer",
    "Choices",
    "ElementError",
    "ElementReport",
    "Fate",
    "FunctionalAcknowledgment",
    "GroupReport",
    "InterchangeAcknowledgment",
    "InterchangeReport",
    "MessageReport",
    "Reconciled",
    "SegmentError",
    "SegmentReport",
    "SetAcknowledgment",
    "compose_997",
    "compose_999",
    "compose_contrl",
    "compose_functional",
    "compose_ta1",
    "enclosed",
    "functional_kind",
    "read_997",
    "read_999",
    "read_contrl",
    "read_ta1",
    "reconcile",
    "stream",
    "wants_997",
    "wants_contrl",
    "wants_ta1",
    "written",
]
