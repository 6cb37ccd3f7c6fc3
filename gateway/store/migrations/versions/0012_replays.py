"""Dead letters that were put aside, found as quickly as the dead ones; replays and their messages."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0014"
branch_labels = None
depends_on = None

_DISCARDED = sa.text("state = 'discarded'")


def upgrade() -> None:
    """Bring the schema here."""
    op.create_index("job_discarded_index", "job", ["message_id"], sqlite_where=_DISCARDED, postgresql_where=_DISCARDED)
    op.create_table(
        "replay",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("as_new", sa.Boolean(), nullable=False),
        sa.Column("selection", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("replay_pk")),
    )
    op.create_table(
        "replay_item",
        sa.Column("replay_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("told", sa.JSON()),
        sa.PrimaryKeyConstraint("replay_id", "number", name=op.f("replay_item_pk")),
        sa.ForeignKeyConstraint(["replay_id"], ["replay.id"], name=op.f("replay_item_replay_id_fk")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("replay_item_message_id_fk")),
    )
