"""What became of lists' publications at the devices, and the counters of the hints."""

import sqlalchemy as sa
from alembic import op

from central.store import changes

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "rollouts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("ring", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("from_version", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("publication", sa.BigInteger(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("took_ms", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "device"),
    )
    op.create_index(
        "rollouts_by_device", "rollouts", ["device", "list", "received_at"], unique=False
    )
    op.create_index("rollouts_by_time", "rollouts", ["received_at"], unique=False)
    op.create_table(
        "hints",
        sa.Column("ring", sa.Text(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ring"),
    )
    changes.install(op.get_bind())
