"""A finding says itself how it is called and what is printed of it; an audit has a version."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE class_audit ADD COLUMN audit_version INTEGER DEFAULT '0' NOT NULL",
    "ALTER TABLE finding ADD COLUMN plain TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE finding ADD COLUMN colour TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE finding ADD COLUMN overlay BOOLEAN DEFAULT '1' NOT NULL",
    "ALTER TABLE finding ADD COLUMN details TEXT DEFAULT '[]' NOT NULL",
)


def upgrade() -> None:
    """Add the columns; what an older audit lacks is empty."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
