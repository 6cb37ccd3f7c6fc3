"""An index over the messages that a replay has yet to come to, which retention leaves alone."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    not_yet = sa.text("outcome IS NULL")
    op.create_index(
        "replay_item_open_index", "replay_item", ["message_id"], sqlite_where=not_yet, postgresql_where=not_yet
    )
