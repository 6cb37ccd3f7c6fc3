"""What each fact means outside, row by row; who is told of it; that every event keeps the schema of its type."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.connectors.webhook_secrets import new_secret, read_secrets, signed_headers
from gateway.events import (
    AcknowledgmentLate,
    AcknowledgmentOverdue,
    AcknowledgmentReceived,
    CertificateExpiring,
    DeliveryUncertain,
    DocumentAccepted,
    DocumentAvailable,
    DocumentFetched,
    DocumentHeld,
    DocumentRejected,
    DocumentUnderReview,
    Event,
    MessageRefused,
    MessageRejectedByPartner,
    MessageSent,
    ReceiptIssued,
    ReceiptOverdue,
    WorkGivenUp,
)
from gateway.partners.agreement import Agreement, Status
from gateway.ports import Direction, DocumentState, NewDocument
from gateway.publication import Announcer, Subscribers, Written, asyncapi, cloud_event
from gateway.publication.announcer import source_of, trial_event
from gateway.publication.telling import TELLERS, told
from gateway.published import MOST_LINES, TYPES
from gateway.settings import Identity, Listen, Secret, Settings, Webhook

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 3, 1, 8, 15, tzinfo=UTC)
M = {"message_id": "0199aaaa-0000-7000-8000-000000000001", "partner": "acme", "order_number": "4711"}
ORDER: dict[str, Any] = {"document": "purchase_order", "document_id": "d1", "number": "4711"}
SENT: dict[str, Any] = {"as2_message_id": "<a@b>", "disposition": "processed"}
ANSWER: dict[str, Any] = {"type": "997", "outcome": "A", "control_number": "12", "received_as": "m2"}
TAKEN: dict[str, Any] = {"document_id": "d1", "number": "N1", "sha256": "00", "agreement": "a"}
EXPIRING: dict[str, Any] = {
    "role": "ours",
    "file": "certs/gateway.pem",
    "certificate": "ab" * 32,
    "subject": "CN=us",
    "not_after": "2026-04-01T00:00:00+00:00",
    "days_left": 30,
    "threshold": 30,
}

FACTS: list[tuple[Event, list[str]]] = [
    (DocumentAccepted(**M, document="purchase_order", **TAKEN), ["order.received"]),
    (DocumentAccepted(**M, document="order_change", **TAKEN), ["order.change_received"]),
    (DocumentAccepted(**M, document="order_acknowledgement", **TAKEN), ["order.acknowledged"]),
    (DocumentAccepted(**M, document="ship_notice", **TAKEN), ["shipment.notified"]),
    (DocumentAvailable(**M, **ORDER), ["order.sent"]),
    (DocumentFetched(**M, **ORDER), ["order.received_by_partner"]),
    (DocumentFetched(**M, **ORDER | {"document": "order_change"}), []),
    (MessageSent(**M, **SENT, **ORDER), ["order.sent"]),
    (MessageSent(**M, **SENT), []),  # an acknowledgment of ours
    (AcknowledgmentReceived(**M, **ANSWER, accepted=True, **ORDER), ["order.received_by_partner"]),
    (AcknowledgmentReceived(**M, **ANSWER, accepted=False, **ORDER), ["message.rejected"]),
    (AcknowledgmentReceived(**M, **ANSWER), []),  # a TA1: it only arrived
    (MessageRejectedByPartner(**M, **SENT), ["message.rejected"]),
    (
        DocumentRejected(**M, document="ship_notice", number=None, rules=("a.b",), reason="x" * 9000),
        ["message.rejected"],
    ),
    (MessageRefused(**M, channel="as2", reason="no", sha256="00", size=1), ["message.rejected"]),
    (MessageRefused(**M | {"partner": None}, channel="as2", reason="no", sha256="00", size=1), []),
    (WorkGivenUp(**M, step="deliver", attempts=3, reason="ERP says 400", document_id="d1"), ["delivery.failed"]),
    (WorkGivenUp(**M, step="notify", attempts=3, reason="500"), []),
    (ReceiptOverdue(**M, as2_message_id="<a@b>", waited_seconds=60), ["answer.overdue"]),
    (
        AcknowledgmentOverdue(**M, awaited="ship_notice", due_at="2026-03-02T08:00:00+00:00", waited_seconds=60),
        ["answer.overdue"],
    ),
    (AcknowledgmentLate(**M, awaited="ship_notice", overdue_since="x", late_seconds=9), ["answer.late"]),
    (DocumentHeld(**M, document_id="d1", step="deliver", words=2, reason="EA?", references="1"), ["document.held"]),
    (DocumentUnderReview(**M, document_id="d1", review="order_unknown", rules=(), reason="?"), ["document.held"]),
    (
        DeliveryUncertain(**M, document_id="d1", target="north", idempotency_key="d1", reason="no answer"),
        ["delivery.uncertain"],
    ),
    (CertificateExpiring(message_id="certificates", **EXPIRING), ["certificate.expiring"]),
    (ReceiptIssued(**M, disposition="processed", sha256="00"), []),
]


def document(body: dict[str, Any], **fields: Any) -> NewDocument:
    """A document of the same commit."""
    given: dict[str, Any] = {
        "id": "d1",
        "message_id": M["message_id"],
        "partner": "acme",
        "direction": Direction.INBOUND,
        "kind": "order_acknowledgement",
        "number": "N1",
        "order_number": "4711",
        "business_unit": None,
        "state": DocumentState.ACCEPTED,
        "at": AT,
        "body": body,
        "sha256": "00",
        "natural_key": "k",
    }
    return NewDocument(**given | fields)


def sound(event: dict[str, Any]) -> list[str]:
    """What AsyncAPI's description of the event's type finds wrong with it."""
    described = asyncapi.document()
    schema = {
        "$ref": f"#/components/messages/{event['type']}/payload",
        "components": described["components"],
    }
    return [error.message for error in Draft202012Validator(schema).iter_errors(event)]


@pytest.mark.parametrize(("fact", "types"), FACTS, ids=lambda one: getattr(one, "kind", None))
def test_a_fact_means_these_events(fact: Event, types: list[str]) -> None:
    """Each with data of its type's schema, as described."""
    found = list(told(fact, {}))
    assert [one.type for one in found] == types
    for one in found:
        event = json.loads(cloud_event("/gateways/US", f"{fact.message_id}-1", fact, one, AT))
        assert sound(event) == []
        assert sound(event | {"data": {}}) != []
        assert len(json.dumps(event)) < 2500


def test_every_kind_of_fact_in_the_table_has_a_row_here() -> None:
    """And every type comes of one of them, or of the lines of an acknowledgement."""
    assert {fact.kind for fact, _ in FACTS} >= TELLERS.keys()
    types = {type_ for _, types in FACTS for type_ in types}
    assert set(TYPES) - types == {
        "order.line.backordered",
        "order.line.changed",
        "order.line.rejected",
        "shipment.cancelled",
        "webhook.test",
    }


def test_the_lines_of_an_acknowledgement_are_told_by_what_was_said_of_them() -> None:
    """A line with several answers may be in several events; one event a type, however many lines."""
    said = [["accepted"], ["backordered", "date_changed"], ["rejected"], []] + [["quantity_changed"]] * 500
    lines = [
        {"line_id": str(number), "order_line_id": None, "responses": [{"status": one} for one in statuses]}
        for number, statuses in enumerate(said)
    ]
    fact = DocumentAccepted(**M, document="order_acknowledgement", **TAKEN)
    whole, *rest = told(fact, {"d1": document({"response": "accepted_with_changes", "lines": lines})})
    assert whole.data.model_dump()["response"] == "accepted_with_changes"
    found = {one.type: one.data.model_dump() for one in rest}
    assert {name: data["total"] for name, data in found.items()} == {
        "order.line.backordered": 1,
        "order.line.changed": 501,
        "order.line.rejected": 1,
    }
    assert len(found["order.line.changed"]["lines"]) == MOST_LINES
    assert found["order.line.changed"]["lines"][0]["line_id"] == "1"


def test_a_notice_that_cancels_is_no_shipment() -> None:
    """Its purpose says so."""
    fact = DocumentAccepted(**M, document="ship_notice", **TAKEN)
    (one,) = told(fact, {"d1": document({"purpose": "cancel"})})
    assert one.type == "shipment.cancelled"


def settings(**fields: Any) -> Settings:
    """Ours."""
    return Settings(identity=Identity(name="Us", as2_id="U S"), **fields)


def agreement(name: str, **fields: Any) -> Agreement:
    """A partner's."""
    given = {"name": name, "title": "T", "channel": "rest", "documents": {}}
    return Agreement.model_validate(given | {"ids": [{"scheme": "assigned_by_buyer", "value": name}]} | fields)


HOOK: dict[str, Any] = {"url": "https://there.example.com/hook", "secrets": {"env": "S"}}


def test_a_partner_is_told_only_of_itself_and_never_of_our_side() -> None:
    """Whatever its pattern asks for; one at rest is told nothing."""
    own = {"webhooks": {"own": HOOK}}
    theirs = [agreement("acme", **own), agreement("baltic", **own), agreement("old", status=Status.RETIRED, **own)]
    made = Subscribers.of(settings(), theirs)
    assert [one.name for one in made.told("order.sent", "acme")] == ["acme/own"]
    assert made.told("delivery.failed", "acme") == ()
    assert made.told("order.sent", "old") == ()
    assert made.told("order.sent", None) == ()
    assert made.told("webhook.test", "acme") == ()
    assert made.endpoints["baltic/own"].lane == "baltic:events:own"


def test_ours_are_told_by_type_and_partner() -> None:
    """The stream by type."""
    webhooks = {
        "all": HOOK,
        "lines": HOOK | {"types": ["order.line.*"]},
        "baltic": HOOK | {"partners": ["baltic"]},
    }
    nats = {"servers": ["nats://127.0.0.1:4222"], "types": ["shipment.*"]}
    made = Subscribers.of(Settings.model_validate(settings().model_dump() | {"webhooks": webhooks, "nats": nats}), ())
    assert [one.name for one in made.told("order.line.changed", "acme")] == ["all", "lines"]
    assert [one.name for one in made.told("order.sent", "baltic")] == ["all", "baltic"]
    assert made.ways("shipment.notified", None) == ("webhooks", "nats")
    assert made.ways("order.sent", None) == ("webhooks",)


def test_where_nobody_asked_nothing_is_made() -> None:
    """No announcer at all without subscribers; with some, only for facts that may concern them."""
    assert Announcer.of(settings(), Subscribers.of(settings(), ())) is None
    only = Webhook(url="https://there.example.com/", types=("certificate.*",), secrets=Secret(env="S"))
    mine = settings(webhooks={"a": only.model_dump()})
    announcer = Announcer.of(mine, Subscribers.of(mine, ()))
    assert announcer is not None
    assert announcer.subscribers.kinds == {CertificateExpiring.kind}
    facts = [fact for fact, _ in FACTS]
    made = announcer.announcements(facts, (Written(number=n, at=AT) for n in range(len(facts))), ())
    assert [one.type for one in made] == ["certificate.expiring"]


def test_the_source_is_our_address_or_our_name() -> None:
    """A URI reference (CloudEvents 1.0), whatever signs the AS2 name has."""
    assert source_of(settings()) == "/gateways/U%20S"
    assert source_of(settings(listen=Listen(public_url="https://edi.example.com"))) == "https://edi.example.com"
    assert sound(json.loads(trial_event("/gateways/US", "0199", "erp", AT))) == []


def test_the_page_shows_a_real_event_and_lines_that_verify() -> None:
    """docs/webhooks.md: its example keeps the schema; its receiver believes what we sign, and nothing else."""
    page = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert sound(json.loads(example)) == []
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert page.count(snippet.partition("def verified")[2]) == 2, "the tutorial's receiver has other lines"
    known: dict[str, Any] = {}
    exec(snippet, known)  # noqa: S102  our own page
    verified = known["verified"]
    old, new = new_secret(), new_secret()
    now = int(datetime.now(UTC).timestamp())
    headers = signed_headers(read_secrets("test", f"{new.text} {old.text}"), "m-1", now, b"{}")
    assert verified(new.text, headers, b"{}")
    assert verified(old.text, headers, b"{}")
    assert not verified(new_secret().text, headers, b"{}")
    assert not verified(new.text, headers, b"{ }")
    assert not verified(new.text, headers | {"webhook-id": "m-2"}, b"{}")
    late = signed_headers((new,), "m-1", now - 301, b"{}")
    assert not verified(new.text, late, b"{}")
