"""Lanes with turns, order, rate and an operator's pause; jobs with a priority."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0008"
branch_labels = None
depends_on = None

_DUE = sa.text("due_at IS NOT NULL")
_DEAD = sa.text("state = 'dead'")


def upgrade() -> None:
    """Bring the schema here."""
    op.add_column("job", sa.Column("priority", sa.Integer(), nullable=False, server_default="2"))
    for index, *columns in (
        ("job_turn_index", "lane", "priority", "due_at", "id"),
        ("job_order_index", "lane", "id", "due_at"),
    ):
        op.create_index(index, "job", columns, sqlite_where=_DUE, postgresql_where=_DUE)
    op.create_index("job_dead_lane_index", "job", ["lane"], sqlite_where=_DEAD, postgresql_where=_DEAD)
    for column in (
        sa.Column("priority", sa.Integer(), nullable=False, server_default="2"),
        sa.Column("ordered", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("agreed_rate", sa.Text()),
        sa.Column("rate", sa.Text()),
        sa.Column("tokens_at", sa.BigInteger()),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("stopped_until", sa.BigInteger()),
        sa.Column("stopped_by", sa.Text()),
        sa.Column("stopped_why", sa.Text()),
    ):
        op.add_column("lane", column)
    op.create_index("lane_turn_index", "lane", ["priority", "due_at"], sqlite_where=_DUE, postgresql_where=_DUE)
    op.execute("UPDATE lane SET due_at = (SELECT min(job.due_at) FROM job WHERE job.lane = lane.name)")
