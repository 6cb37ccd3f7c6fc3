"""Rates that several lanes share: a target's, over all partners."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    op.create_table(
        "shared_rate",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("tokens_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name", name="shared_rate_pk"),
    )
    op.add_column("lane", sa.Column("shared", sa.Text()))
