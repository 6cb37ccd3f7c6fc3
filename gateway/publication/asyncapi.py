"""The AsyncAPI 3.0 document, built from the table of types: webhooks and NATS subjects, each event with its schema."""

from __future__ import annotations

from typing import Any

from gateway.published import TYPES, PublicType

Schema = dict[str, Any]
VERSION = "1.0.0"
"""Of the events: the first number changes only with their meaning, which it never should."""
SUBJECT = "gateway"
"""How subjects begin, unless nats.subject says otherwise."""

_ABOUT = (
    "What happens to orders, shipments and messages, as CloudEvents 1.0 (structured JSON). Data is thin: ids, numbers, "
    "words and links; the REST API (/openapi.json) tells the rest. An event may come more than once, always under the "
    "same id, and in any order. Types and fields may be added; none changes its meaning."
)
_TEXT: Schema = {"type": "string"}
_ENVELOPE: Schema = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "time", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": _TEXT | {"description": "The same at every attempt: what was seen before may be dropped"},
        "source": _TEXT | {"format": "uri-reference", "description": "Which gateway"},
        "type": _TEXT,
        "subject": _TEXT | {"description": "What it is about, such as purchase_order/4711"},
        "time": _TEXT | {"format": "date-time", "description": "When it became true"},
        "datacontenttype": {"const": "application/json"},
        "partner": _TEXT | {"description": "The partner's name"},
        "correlationid": _TEXT | {"description": "The message on whose trail the fact stands"},
        "traceparent": _TEXT | {"pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$", "description": "W3C trace"},
    },
}
_HEADERS: Schema = {
    "type": "object",
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
    "properties": {
        "webhook-id": _TEXT | {"description": "The event's id"},
        "webhook-timestamp": _TEXT | {"pattern": "^[0-9]+$", "description": "Seconds since 1970, of this attempt"},
        "webhook-signature": _TEXT | {"description": "v1,… (HMAC-SHA256) or v1a,… (Ed25519); several: blanks between"},
    },
}


def document() -> Schema:
    """The whole document."""
    schemas: Schema = {"CloudEvent": _ENVELOPE}
    streamed = [row for row in TYPES.values() if row.name != "webhook.test"]
    messages = {row.name: _message(row, schemas) for row in TYPES.values()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "partner-gateway events",
            "version": VERSION,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {"webhook": _webhook()} | {row.name: _channel(row) for row in streamed},
        "operations": {
            "tellWebhook": {
                "action": "send",
                "channel": {"$ref": "#/channels/webhook"},
                "summary": "Post an event to a webhook; 2xx takes it, 410 ends it, anything else is tried again.",
                "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
            }
        }
        | {
            f"publish.{row.name}": {"action": "send", "channel": {"$ref": f"#/channels/{row.name}"}} for row in streamed
        },
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def _webhook() -> Schema:
    return {
        "address": None,
        "title": "Webhooks",
        "description": "The address stands under webhooks: in gateway.yaml or the partner's file. Partners' own are "
        "told only of: " + ", ".join(row.name for row in TYPES.values() if row.for_partners) + ".",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in TYPES},
    }


def _channel(row: PublicType) -> Schema:
    return {
        "address": f"{SUBJECT}.{row.name}.{{partner}}",
        "title": row.name,
        "description": f"NATS JetStream. {row.text}",
        "parameters": {"partner": {"description": "The partner's name; _ where there is none"}},
        "messages": {row.name: {"$ref": f"#/components/messages/{row.name}"}},
    }


def _message(row: PublicType, schemas: Schema) -> Schema:
    """A type's message; the parts of its data go to `schemas`."""
    data = row.data.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(data.pop("$defs", {}))
    schemas[row.data.__name__] = data
    typed = {"type": {"const": row.name}, "data": {"$ref": f"#/components/schemas/{row.data.__name__}"}}
    return {
        "name": row.name,
        "title": row.name,
        "summary": row.text,
        "contentType": "application/cloudevents+json",
        "headers": _HEADERS,
        "payload": {"allOf": [{"$ref": "#/components/schemas/CloudEvent"}, {"properties": typed}]},
    }
