"""Which state a message or document may leave for which: what comes late never takes a state back.

The 997 can overtake the receipt of the message it closes, and an answer can overtake both; a change to a state that
the table does not allow is left out, the rest of the change is made.
"""

from __future__ import annotations

from gateway.ports import DeliveryState as S
from gateway.ports import DocumentState as D
from gateway.ports import MessageState as M

MESSAGE_STATE_FROM: dict[M, frozenset[M]] = {
    M.RECEIVED: frozenset({M.FAILED}),
    M.PROCESSED: frozenset({M.RECEIVED, M.FAILED}),
    M.REJECTED: frozenset({M.RECEIVED, M.READY, M.POSTED, M.SENT, M.DELIVERED, M.FAILED}),
    M.REFUSED: frozenset({M.RECEIVED}),
    M.READY: frozenset({M.FAILED}),
    M.POSTED: frozenset({M.READY, M.FAILED}),
    M.SENT: frozenset({M.READY, M.POSTED, M.FAILED}),
    M.DELIVERED: frozenset({M.READY, M.POSTED, M.SENT, M.FAILED}),
    M.ACKNOWLEDGED: frozenset({M.READY, M.POSTED, M.SENT, M.DELIVERED, M.FAILED}),
    M.FAILED: frozenset({M.RECEIVED, M.PROCESSED, M.READY, M.POSTED, M.SENT}),
}
"""The states that each state may follow. A state may always follow itself."""

DOCUMENT_STATE_FROM: dict[D, frozenset[D]] = {
    D.ACCEPTED: frozenset({D.HELD, D.FAILED, D.COMPENSATED}),
    D.HELD: frozenset({D.ACCEPTED, D.SUBMITTED, D.FAILED}),
    D.DELIVERED: frozenset({D.ACCEPTED, D.HELD, D.PARTLY_DELIVERED, D.FAILED, D.COMPENSATED}),
    D.PARTLY_DELIVERED: frozenset({D.ACCEPTED, D.HELD, D.FAILED, D.COMPENSATED}),
    D.COMPENSATED: frozenset({D.ACCEPTED, D.HELD, D.PARTLY_DELIVERED, D.FAILED}),
    D.REJECTED: frozenset({D.ACCEPTED, D.HELD, D.COMPOSED, D.SENT, D.FAILED}),
    D.SUBMITTED: frozenset({D.FAILED}),
    D.COMPOSED: frozenset({D.SUBMITTED, D.HELD, D.FAILED}),
    D.AVAILABLE: frozenset({D.SUBMITTED, D.FAILED}),
    D.FETCHED: frozenset({D.SUBMITTED, D.AVAILABLE, D.FAILED}),
    D.SENT: frozenset({D.SUBMITTED, D.HELD, D.COMPOSED, D.FAILED}),
    D.ACKNOWLEDGED: frozenset({D.SUBMITTED, D.HELD, D.COMPOSED, D.SENT, D.FAILED}),
    D.ANSWERED: frozenset(
        {D.SUBMITTED, D.HELD, D.COMPOSED, D.AVAILABLE, D.FETCHED, D.SENT, D.ACKNOWLEDGED, D.REJECTED, D.FAILED}
    ),
    D.SHIPPED: frozenset(
        {
            D.SUBMITTED,
            D.HELD,
            D.COMPOSED,
            D.AVAILABLE,
            D.FETCHED,
            D.SENT,
            D.ACKNOWLEDGED,
            D.ANSWERED,
            D.REJECTED,
            D.FAILED,
        }
    ),
    D.FAILED: frozenset({D.ACCEPTED, D.SUBMITTED, D.HELD, D.COMPOSED, D.AVAILABLE, D.SENT, D.PARTLY_DELIVERED}),
}
"""The states that each state may follow. A state may always follow itself."""

DELIVERY_STATE_FROM: dict[S, frozenset[S]] = {
    S.PENDING: frozenset({S.UNCERTAIN, S.FAILED, S.COMPENSATED, S.DISCARDED}),
    S.DELIVERED: frozenset({S.PENDING, S.UNCERTAIN, S.FAILED, S.COMPENSATING}),
    S.UNCERTAIN: frozenset({S.PENDING, S.FAILED}),
    S.FAILED: frozenset({S.PENDING, S.UNCERTAIN}),
    S.COMPENSATING: frozenset({S.DELIVERED}),
    S.COMPENSATED: frozenset({S.COMPENSATING}),
    S.DISCARDED: frozenset({S.PENDING, S.UNCERTAIN, S.FAILED}),
}
"""The states that each state of a delivery may follow. A state may always follow itself."""
