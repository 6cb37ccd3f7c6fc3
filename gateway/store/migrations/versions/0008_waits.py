"""What is overdue, what waits for a decision, and every order that a ship notice names."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0009"
branch_labels = None
depends_on = None

_INDEXES = (
    ("message_overdue_index", "message", "overdue_since"),
    ("document_answer_overdue_index", "document", "answer_overdue_since"),
    ("document_notice_overdue_index", "document", "notice_overdue_since"),
    ("document_review_index", "document", "review"),
)


def upgrade() -> None:
    """Bring the schema here."""
    op.add_column("message", sa.Column("overdue_since", sa.BigInteger(), nullable=True))
    op.add_column("document", sa.Column("answer_overdue_since", sa.BigInteger(), nullable=True))
    op.add_column("document", sa.Column("notice_overdue_since", sa.BigInteger(), nullable=True))
    op.add_column("document", sa.Column("review", sa.Text(), nullable=True))
    op.create_table(
        "order_mention",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name="order_mention_document_id_fk"),
        sa.PrimaryKeyConstraint("partner", "order_number", "document_id", name="order_mention_pk"),
    )
    op.create_index("order_mention_number_index", "order_mention", ["order_number"], unique=False)
    for name, table, column in _INDEXES:
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, table, [column], unique=False, sqlite_where=there, postgresql_where=there)
