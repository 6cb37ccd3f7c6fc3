"""The first schema. The tables and the reasons for their columns stand in `gateway.store.tables`."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    op.create_table(
        "api_key",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="api_key_pk"),
    )
    op.create_table(
        "lane",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("paused_until", sa.BigInteger(), nullable=True),
        sa.Column("served_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="lane_pk"),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=True),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=True),
        sa.Column("payload_sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("raw_headers", sa.JSON(), nullable=False),
        sa.Column("as2_message_id", sa.Text(), nullable=True),
        sa.Column("mic", sa.Text(), nullable=True),
        sa.Column("duplicate_key", sa.Text(), nullable=True),
        sa.Column("answers", sa.Text(), nullable=True),
        sa.Column("wait_key", sa.Text(), nullable=True),
        sa.Column("chain_length", sa.Integer(), nullable=False),
        sa.Column("chain_head", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="message_pk"),
        sa.UniqueConstraint("duplicate_key", name="message_duplicate_key_key"),
    )
    op.create_index(
        "message_answers_index",
        "message",
        ["answers"],
        unique=False,
        sqlite_where=sa.text("answers IS NOT NULL"),
        postgresql_where=sa.text("answers IS NOT NULL"),
    )
    op.create_index("message_partner_index", "message", ["partner", "id"], unique=False)
    op.create_index("message_state_index", "message", ["state", "id"], unique=False)
    op.create_index(
        "message_wait_key_index",
        "message",
        ["wait_key"],
        unique=False,
        sqlite_where=sa.text("wait_key IS NOT NULL"),
        postgresql_where=sa.text("wait_key IS NOT NULL"),
    )
    op.create_table(
        "number",
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("interchange", sa.Integer(), nullable=False),
        sa.Column("group", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", name="number_pk"),
    )
    op.create_table(
        "seal",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="seal_pk"),
    )
    op.create_table(
        "document",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=True),
        sa.Column("business_unit", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("natural_key", sa.Text(), nullable=True),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("agreement", sa.Text(), nullable=True),
        sa.Column("map", sa.Text(), nullable=True),
        sa.Column("guide", sa.Text(), nullable=True),
        sa.Column("position", sa.Text(), nullable=True),
        sa.Column("sent_as", sa.Text(), nullable=True),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("their_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="document_message_id_fk"),
        sa.PrimaryKeyConstraint("id", name="document_pk"),
        sa.UniqueConstraint("partner", "direction", "natural_key", name="document_partner_direction_natural_key_key"),
    )
    op.create_index(
        "document_changes_index", "document", ["partner", "kind", "direction", "updated_at", "id"], unique=False
    )
    op.create_index(
        "document_sent_as_index",
        "document",
        ["sent_as"],
        unique=False,
        sqlite_where=sa.text("sent_as IS NOT NULL"),
        postgresql_where=sa.text("sent_as IS NOT NULL"),
    )
    op.create_table(
        "identity",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="identity_message_id_fk"),
        sa.PrimaryKeyConstraint("key", name="identity_pk"),
    )
    op.create_index("document_message_index", "document", ["message_id"], unique=False)
    op.create_index("document_number_index", "document", ["number", "partner", "kind"], unique=False)
    op.create_index(
        "document_order_index",
        "document",
        ["partner", "kind", "order_number"],
        unique=False,
        sqlite_where=sa.text("order_number IS NOT NULL"),
        postgresql_where=sa.text("order_number IS NOT NULL"),
    )
    op.create_index(
        "document_order_number_index",
        "document",
        ["order_number"],
        unique=False,
        sqlite_where=sa.text("order_number IS NOT NULL"),
        postgresql_where=sa.text("order_number IS NOT NULL"),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=True),
        sa.Column("order_number", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("seal", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="event_message_id_fk"),
        sa.PrimaryKeyConstraint("id", name="event_pk"),
        sa.UniqueConstraint("message_id", "number", name="event_message_id_number_key"),
    )
    op.create_index(
        "event_order_index",
        "event",
        ["order_number"],
        unique=False,
        sqlite_where=sa.text("order_number IS NOT NULL"),
        postgresql_where=sa.text("order_number IS NOT NULL"),
    )
    op.create_index("event_seal_index", "event", ["seal", "id"], unique=False)
    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("first_run_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attempts_before", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("wait_key", sa.Text(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["lane"], ["lane.name"], name="job_lane_fk"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="job_message_id_fk"),
        sa.PrimaryKeyConstraint("id", name="job_pk"),
        sa.UniqueConstraint("message_id", "step", "document_id", name="job_message_id_step_document_id_key"),
    )
    op.create_index(
        "job_due_index",
        "job",
        ["lane", "due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "job_lease_index",
        "job",
        ["lane", "lease_until"],
        unique=False,
        sqlite_where=sa.text("lease_until IS NOT NULL"),
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_index(
        "job_dead_index",
        "job",
        ["message_id"],
        unique=False,
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "job_wait_key_index",
        "job",
        ["wait_key"],
        unique=False,
        sqlite_where=sa.text("wait_key IS NOT NULL"),
        postgresql_where=sa.text("wait_key IS NOT NULL"),
    )
    op.create_table(
        "payload",
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="payload_message_id_fk"),
        sa.PrimaryKeyConstraint("message_id", "form", name="payload_pk"),
    )
    op.create_table(
        "receipt",
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="receipt_message_id_fk"),
        sa.PrimaryKeyConstraint("message_id", name="receipt_pk"),
    )
    op.create_table(
        "attempt",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="attempt_job_id_fk"),
        sa.PrimaryKeyConstraint("job_id", "number", name="attempt_pk"),
    )
