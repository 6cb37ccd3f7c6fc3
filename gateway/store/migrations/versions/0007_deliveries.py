"""A state for each target of a document, and which document replaces which."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here. Deliveries of before have no row: their documents and jobs tell all of them."""
    op.create_table(
        "delivery",
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("critical", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("their_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name="delivery_document_id_fk"),
        sa.PrimaryKeyConstraint("document_id", "target", name="delivery_pk"),
    )
    uncertain = sa.text("state = 'uncertain'")
    op.create_index(
        "delivery_uncertain_index",
        "delivery",
        ["document_id"],
        unique=False,
        sqlite_where=uncertain,
        postgresql_where=uncertain,
    )
    op.add_column("document", sa.Column("replaces", sa.Text(), nullable=True))
    op.add_column("document", sa.Column("replaced_by", sa.Text(), nullable=True))
