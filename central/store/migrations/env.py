"""What Alembic runs for an upgrade, in the transaction that `central.store.upgrade` has opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
