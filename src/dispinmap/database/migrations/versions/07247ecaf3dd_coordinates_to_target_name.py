"""A city's coordinates move to `target_name`, where a point's are, and its human name to `display_name`.

A city without coordinates keeps its name in both columns. It is not watched, and `/list` says what to do.
"""

from alembic import op

revision = "07247ecaf3dd"
down_revision = "2ea7152e46cd"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE monitoring_targets"
        " SET display_name = NULLIF(target_name, TRIM(target_data)),"
        " target_name = COALESCE(NULLIF(TRIM(target_data), ''), target_name)"
        " WHERE target_type = 'city'"
    )
    op.execute(
        "UPDATE monitoring_targets SET display_name = NULLIF(target_data, '')"
        " WHERE target_type NOT IN ('city', 'location')"
    )


def downgrade() -> None:
    op.execute(
        "UPDATE monitoring_targets"
        " SET target_name = COALESCE(display_name, target_name),"
        " target_data = CASE WHEN display_name = target_name THEN NULL ELSE target_name END"
        " WHERE target_type = 'city'"
    )
    op.execute("UPDATE monitoring_targets SET target_data = display_name WHERE target_type NOT IN ('city', 'location')")
