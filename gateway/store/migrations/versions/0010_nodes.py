"""Running processes that share the database, and which gateways may work on it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    op.create_table(
        "node",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.Column("beat_seconds", sa.Double(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="node_pk"),
    )
    floor = op.create_table(
        "schema_floor",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("oldest", sa.Text(), nullable=False),
        sa.Column("cleaned", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="schema_floor_pk"),
    )
    # From here on every schema is one that the gateways before it can work on, until a clean-up says otherwise.
    op.bulk_insert(floor, [{"id": 1, "oldest": "0010", "cleaned": ""}])
