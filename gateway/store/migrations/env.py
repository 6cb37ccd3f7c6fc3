"""Alembic's entry: runs the migrations on the connection and in the transaction of `gateway.store.schema`."""

from alembic import context

from gateway.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=False,  # the transaction is the caller's
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
