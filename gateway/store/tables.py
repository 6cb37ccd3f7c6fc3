"""The tables, shared by SQLite and PostgreSQL; all of them, since they name each other.

Times are integers (microseconds since 1970, UTC): the same value, order and precision on both databases.
Look-ups that must stay flat under a backlog use partial indexes on columns that are NULL for finished rows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    literal_column,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """An aware datetime as microseconds since 1970."""
    return (at - EPOCH) // _MICROSECOND


def moment(since_1970: int) -> datetime:
    """Microseconds since 1970 as an aware datetime."""
    return EPOCH + timedelta(microseconds=since_1970)


class Moment(TypeDecorator[datetime]):
    """An aware datetime as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 SQLAlchemy's signature
        """To the database."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 SQLAlchemy's signature
        """From the database."""
        return None if value is None else moment(value)


metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
    }
)

_Key = BigInteger().with_variant(Integer(), "sqlite")


def _where_set(name: str, *columns: Column[Any]) -> Index:
    """An index over the rows where the last column is set."""
    condition = columns[-1].is_not(None)
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


message = Table(
    "message",
    metadata,
    Column("id", Text, primary_key=True),
    Column("partner", Text),
    Column("direction", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("filename", Text),
    Column("payload_sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("raw_headers", JSON, nullable=False),
    Column("as2_message_id", Text),
    Column("mic", Text),
    Column("duplicate_key", Text, unique=True),
    Column("answers", Text),
    Column("wait_key", Text),
    Column("chain_length", Integer, nullable=False),
    Column("chain_head", Text, nullable=False),
    Column("overdue_since", Moment),  # what it waits for (its state tells: receipt, 997) has not come in time
)
Index("message_partner_index", message.c.partner, message.c.id)
Index("message_state_index", message.c.state, message.c.id)
_where_set("message_wait_key_index", message.c.wait_key)
_where_set("message_answers_index", message.c.answers)
_where_set("message_overdue_index", message.c.overdue_since)

receipt = Table(
    "receipt",
    metadata,
    Column("message_id", Text, ForeignKey("message.id"), primary_key=True),
    Column("status", Integer, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

payload = Table(
    "payload",
    metadata,
    Column("message_id", Text, ForeignKey("message.id"), primary_key=True),
    Column("form", Text, primary_key=True),  # payload | raw
    Column("place", Text, nullable=False),  # row | folder | purged
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("data", LargeBinary),
)

document = Table(
    "document",
    metadata,
    Column("id", Text, primary_key=True),
    Column("message_id", Text, ForeignKey("message.id"), nullable=False),
    Column("partner", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("order_number", Text),
    Column("business_unit", Text),
    Column("state", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("body", JSON, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("natural_key", Text),
    Column("findings", JSON, nullable=False),
    Column("agreement", Text),
    Column("map", Text),
    Column("guide", Text),
    Column("position", Text),
    Column("sent_as", Text),  # the message that carries it to the partner
    Column("target", Text),
    Column("their_id", Text),
    Column("answer_overdue_since", Moment),  # an order whose acknowledgement has not come in time
    Column("notice_overdue_since", Moment),  # an order whose ship notice has not come in time
    Column("review", Text),  # why it waits for a decision: see `gateway.ports.Review`
    Column("replaces", Text),  # the document that it replaces or cancels
    Column("replaced_by", Text),
    Column("purged_at", Moment),  # its content was removed: `body` is what it is known by, `findings` are none
    UniqueConstraint("partner", "direction", "natural_key"),
)
Index("document_message_index", document.c.message_id)
_where_set("document_sent_as_index", document.c.sent_as)
Index("document_number_index", document.c.number, document.c.partner, document.c.kind)
_where_set("document_order_index", document.c.partner, document.c.kind, document.c.order_number)
_where_set("document_order_number_index", document.c.order_number)
_where_set("document_answer_overdue_index", document.c.answer_overdue_since)
_where_set("document_notice_overdue_index", document.c.notice_overdue_since)
_where_set("document_review_index", document.c.review)
Index(
    "document_changes_index",
    document.c.partner,
    document.c.kind,
    document.c.direction,
    document.c.updated_at,
    document.c.id,
)

order_mention = Table(
    "order_mention",  # the orders that a ship notice names beside its first, which stands in its own row
    metadata,
    Column("partner", Text, primary_key=True),
    Column("order_number", Text, primary_key=True),
    Column("document_id", Text, ForeignKey("document.id"), primary_key=True),
)
Index("order_mention_number_index", order_mention.c.order_number)

delivery = Table(
    "delivery",  # a document on its way to one target; see `gateway.ports.deliveries`
    metadata,
    Column("document_id", Text, ForeignKey("document.id"), primary_key=True),
    Column("target", Text, primary_key=True),
    Column("critical", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("their_id", Text),
    Column("status", Integer),
    Column("updated_at", Moment, nullable=False),
    Column("reason", Text),
)
_uncertain = delivery.c.state == literal_column("'uncertain'")  # few, and found without a scan
Index("delivery_uncertain_index", delivery.c.document_id, sqlite_where=_uncertain, postgresql_where=_uncertain)

job = Table(
    "job",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=True),
    Column("message_id", Text, ForeignKey("message.id"), nullable=False),
    # '' for none, so that the unique key works on both databases; `<id>/<part>` for one of several of a document
    Column("document_id", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("lane", Text, ForeignKey("lane.name"), nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", Moment),  # set while ready or waiting, NULL otherwise
    Column("first_run_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("attempts_before", Integer, nullable=False),  # made before the job was last revived
    Column("lease_owner", Text),
    Column("lease_until", Moment),  # set while running, NULL otherwise
    Column("wait_key", Text),
    Column("data", JSON, nullable=False),
    Column("priority", Integer, nullable=False, server_default="2"),  # place in PRIORITIES
    UniqueConstraint("message_id", "step", "document_id"),
)
_where_set("job_due_index", job.c.lane, job.c.due_at)
_waits = job.c.due_at.is_not(None)
for _name, _columns in {
    "job_turn_index": ("lane", "priority", "due_at", "id"),
    "job_order_index": ("lane", "id", "due_at"),
}.items():
    Index(_name, *(job.c[name] for name in _columns), sqlite_where=_waits, postgresql_where=_waits)
_where_set("job_lease_index", job.c.lane, job.c.lease_until)
_where_set("job_wait_key_index", job.c.wait_key)
_put_aside = job.c.state == literal_column("'discarded'")  # as the dead ones
Index("job_discarded_index", job.c.message_id, sqlite_where=_put_aside, postgresql_where=_put_aside)
_dead = job.c.state == literal_column("'dead'")  # dead letters are few: found and counted without a scan
Index("job_dead_index", job.c.message_id, sqlite_where=_dead, postgresql_where=_dead)
Index("job_dead_lane_index", job.c.lane, sqlite_where=_dead, postgresql_where=_dead)

attempt = Table(
    "attempt",
    metadata,
    Column("job_id", _Key, ForeignKey("job.id"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("outcome", Text),
    Column("reason", Text),
)

lane = Table(
    "lane",
    metadata,
    Column("name", Text, primary_key=True),
    Column("cap", Integer),  # NULL: the default cap
    Column("failures", Integer, nullable=False),  # transient failures in a row
    Column("paused_until", Moment),  # in the past: half open, one job at a time until one succeeds
    Column("served_at", Moment, nullable=False),
    Column("priority", Integer, nullable=False, server_default="2"),  # the highest of its jobs
    Column("ordered", Boolean, nullable=False, server_default=false()),
    Column("agreed_rate", Text),
    Column("rate", Text),  # an operator's
    Column("tokens_at", Moment),  # when the next token of its rate is, or was, there
    Column("due_at", Moment),  # its turn, see `gateway.store.turns`
    Column("stopped_until", Moment),  # by an operator
    Column("stopped_by", Text),
    Column("stopped_why", Text),
    Column("shared", Text),  # the rate that it shares with other lanes
)
_where_set("lane_turn_index", lane.c.priority, lane.c.due_at)

shared_rate = Table(
    "shared_rate",  # see `gateway.store.shared_rates`
    metadata,
    Column("name", Text, primary_key=True),
    Column("rate", Text, nullable=False),
    Column("tokens_at", Moment),  # when its next token is, or was, there
)

event = Table(
    "event",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=True),
    Column("message_id", Text, ForeignKey("message.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("partner", Text),
    Column("order_number", Text),
    Column("data", Text, nullable=False),  # the JSON text that was hashed, to the byte
    Column("previous", Text, nullable=False),  # hash of the event before it in its chain
    Column("hash", Text, nullable=False),
    Column("seal", Integer),  # NULL: not sealed yet
    UniqueConstraint("message_id", "number"),
)
Index("event_seal_index", event.c.seal, event.c.id)
_where_set("event_order_index", event.c.order_number)

seal = Table(
    "seal",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("entries", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

number = Table(
    "number",
    metadata,
    Column("series", Text, primary_key=True),
    Column("interchange", Integer, nullable=False),
    Column("group", Integer, nullable=False),
)

identity = Table(
    "identity",  # what makes two things the same thing: control numbers of interchanges, theirs and ours
    metadata,
    Column("key", Text, primary_key=True),
    Column("message_id", Text, ForeignKey("message.id"), nullable=False),
)

cross_reference = Table(
    "cross_reference",
    metadata,
    Column("id", Text, primary_key=True),
    Column("partner", Text, nullable=False),  # '' for all partners
    Column("list", Text, nullable=False),
    Column("scheme", Text, nullable=False),  # '' for any
    Column("theirs", Text, nullable=False),
    Column("ours", Text, nullable=False),
    Column("factor", Text),  # a decimal as text: the same digits on both databases
    Column("valid_from", Text, nullable=False),  # ISO 8601 days; '' for ever
    Column("valid_to", Text, nullable=False),
    Column("origin", Text, nullable=False),  # the message that taught it
    Column("changed_at", Moment, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("retired_at", Moment),
    Column("retired_by", Text),
)
_stands = cross_reference.c.retired_at.is_(None)
Index(
    "cross_reference_standing_index",
    *(cross_reference.c[name] for name in ("partner", "list", "scheme", "theirs", "valid_from")),
    unique=True,
    sqlite_where=_stands,
    postgresql_where=_stands,
)

reference_version = Table(
    "reference_version",  # one row a partner; locked by whoever changes its rows, or decides that a document waits
    metadata,
    Column("partner", Text, primary_key=True),
    Column("version", Integer, nullable=False),
)

reference_hold = Table(
    "reference_hold",  # a word that a document waits for; gone when it goes on
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=True),
    Column("document_id", Text, ForeignKey("document.id"), nullable=False),
    Column("message_id", Text, nullable=False),
    Column("partner", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("list", Text, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("side", Text, nullable=False),  # theirs | ours
    Column("said", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("pointer", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
)
Index("reference_hold_partner_index", reference_hold.c.partner, reference_hold.c.id)
Index("reference_hold_document_index", reference_hold.c.document_id)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("partner", Text),
    Column("scope", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_sha256", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
)

version = Table(
    "version",  # what decided about documents; see `gateway.store.versions`
    metadata,
    Column("kind", Text, primary_key=True),  # agreement | map | guide
    Column("hash", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("sources", JSON, nullable=False),  # [name, file, SHA-256] of each text, its own first
)
Index("version_hash_index", version.c.hash)

version_source = Table(
    "version_source",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),  # deflated
)

certificate_step = Table(
    "certificate_step",  # see `gateway.store.certificates`; rows only come
    metadata,
    Column("partner", Text, primary_key=True),  # '' where it is no partner's business
    Column("whose", Text, primary_key=True),  # ours | theirs; in a warning the role: ours, theirs, tls, …
    Column("fingerprint", Text, primary_key=True),
    Column("step", Text, primary_key=True),  # sent | imported | confirmed | warned <days>
    Column("how", Text, nullable=False),
    Column("message_id", Text),  # what proved it
    Column("at", Moment, nullable=False),
)
Index("certificate_step_at_index", certificate_step.c.at)

node = Table(
    "node",  # one row a running process; see `gateway.store.nodes`
    metadata,
    Column("id", Text, primary_key=True),  # the owner of its leases
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),  # by its own clock
    Column("beats", BigInteger, nullable=False),
    Column("beat_seconds", Double, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("schema", Text, nullable=False),
    Column("configuration", Text, nullable=False),
    Column("state", Text, nullable=False),  # starting | ready | draining | lost
)

schema_floor = Table(
    "schema_floor",  # one row: the oldest schema whose gateways may work on this database
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("oldest", Text, nullable=False),
    Column("cleaned", Text, nullable=False),  # the newest clean-up that was done, '' for none
)

outbox = Table(
    "outbox",  # published events until they are handed on; see `gateway.store.outbox`
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False),
    Column("way", Text, nullable=False),  # webhooks | nats
    Column("type", Text, nullable=False),
    Column("partner", Text),
    Column("message_id", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),  # in the future while a publisher has it, or when it is tried again
    Column("tries", Integer, nullable=False),
    Column("reason", Text),  # why it was not taken the last time
    Column("body", Text, nullable=False),  # the CloudEvent, to the byte
)
Index("outbox_due_index", outbox.c.way, outbox.c.due_at, outbox.c.id)
_notifies = job.c.step == literal_column("'notify'")
Index("job_notify_index", job.c.lane, job.c.id, sqlite_where=_notifies, postgresql_where=_notifies)

webhook = Table(
    "webhook",  # endpoints that were disabled, or were once; what they are stands in the configuration
    metadata,
    Column("name", Text, primary_key=True),
    Column("disabled_at", Moment),
    Column("changed_at", Moment, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

legal_hold = Table(
    "legal_hold",  # what no purge may touch; rows stay when they are lifted
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=True),
    Column("partner", Text),  # all that are named must fit
    Column("order_number", Text),
    Column("message_id", Text),
    Column("at", Moment, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("lifted_at", Moment),
    Column("lifted_by", Text),
    Column("lifted_why", Text),
)

work_done = Table(
    "work_done",  # the jobs of a message with their attempts, when all of it has ended; see `retention_archive`
    metadata,
    Column("message_id", Text, ForeignKey("message.id"), primary_key=True),
    Column("ended_at", Moment, nullable=False),
    Column("steps", Text, nullable=False),  # of all its jobs: ",deliver,read,"
    Column("jobs", Integer, nullable=False),  # 0: their record was purged
    Column("attempts", Integer, nullable=False),
    Column("work", LargeBinary, nullable=False),  # JSON, deflated
)

schedule = Table(
    "schedule",  # a row for each duty that is one node's at a time; see `gateway.store.schedules`
    metadata,
    Column("name", Text, primary_key=True),
    Column("every_seconds", Integer, nullable=False),
    Column("next_at", Moment, nullable=False),
    Column("beats", BigInteger, nullable=False),  # counts every change: whoever changes it names what it saw
    Column("owner", Text),
    Column("started_at", Moment),
    Column("done_at", Moment),
    Column("took_seconds", Double),
    Column("said", Text),
    Column("failed_at", Moment),
    Column("error", Text),
)

replay = Table(
    "replay",  # messages that are worked again; see `gateway.store.replays`
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("versions", Text, nullable=False),  # current | original
    Column("as_new", Boolean, nullable=False),
    Column("selection", JSON, nullable=False),
    Column("total", Integer, nullable=False),
    Column("state", Text, nullable=False),  # running | paused | cancelled | done
    Column("changed_at", Moment, nullable=False),
)

replay_item = Table(
    "replay_item",  # one message of a replay, in the order they came
    metadata,
    Column("replay_id", Text, ForeignKey("replay.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("message_id", Text, ForeignKey("message.id"), nullable=False),
    Column("outcome", Text),  # NULL: not yet
    Column("told", JSON),
)
_not_yet = replay_item.c.outcome.is_(None)  # what a replay has yet to come to is not purged: found without a scan
Index("replay_item_open_index", replay_item.c.message_id, sqlite_where=_not_yet, postgresql_where=_not_yet)
