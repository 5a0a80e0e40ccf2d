"""Queries that operators need now and then, by name. Each also works in the sqlite3 shell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.exc import DBAPIError

from dispinmap.database.engine import sync_engine
from dispinmap.database.errors import DatabaseError


@dataclass(frozen=True, slots=True)
class Query:
    """A question, and the SQL that answers it."""

    question: str
    sql: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a query: column names and rows."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


QUERIES: Final[Mapping[str, Query]] = {
    "structure": Query(
        "The columns of monitoring_targets",
        "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('monitoring_targets')",
    ),
    "constraints": Query(
        "Constraints and indexes of monitoring_targets",
        "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'monitoring_targets' ORDER BY type DESC, name",
    ),
    "version": Query("The revision of the schema", "SELECT version_num FROM alembic_version"),
    "rows": Query(
        "How many rows each table has",
        "SELECT 'channel_configs' AS name, COUNT(*) AS count FROM channel_configs"
        " UNION ALL SELECT 'monitoring_targets', COUNT(*) FROM monitoring_targets"
        " UNION ALL SELECT 'seen_submissions', COUNT(*) FROM seen_submissions"
        " UNION ALL SELECT 'submissions', COUNT(*) FROM submissions"
        " UNION ALL SELECT 'notifications', COUNT(*) FROM notifications"
        " UNION ALL SELECT 'messages', COUNT(*) FROM messages",
    ),
    "duplicates": Query(
        "The same place twice in a channel: none, thanks to the constraints",
        "SELECT channel_id, target_type, COALESCE(CAST(location_id AS VARCHAR), target_name) AS place,"
        " COUNT(*) AS count FROM monitoring_targets GROUP BY 1, 2, 3 HAVING COUNT(*) > 1",
    ),
    "problems": Query(
        "Targets that cannot be watched; `dispinmap db verify` says what to do about each",
        "SELECT id, channel_id, target_type, target_name, display_name FROM monitoring_targets"
        " WHERE (target_type = 'location' AND location_id IS NULL)"
        " OR (target_type IN ('city', 'latlong') AND target_name NOT GLOB '*[0-9]*,*[0-9]*')"
        " OR (target_type IN ('city', 'latlong') AND target_name GLOB '*[a-zA-Z]*')"
        " OR target_type NOT IN ('location', 'city', 'latlong') ORDER BY channel_id, id",
    ),
    "orphans": Query(
        "Targets whose channel has no row, so they are not served",
        "SELECT id, channel_id, target_type, target_name FROM monitoring_targets"
        " WHERE channel_id NOT IN (SELECT channel_id FROM channel_configs) ORDER BY channel_id, id",
    ),
    "channels": Query(
        "Channels with their settings and the number of their targets",
        "SELECT c.channel_id, c.guild_id, c.is_active, c.poll_rate_minutes, c.notification_types,"
        " COUNT(t.id) AS targets, c.last_poll_at FROM channel_configs AS c"
        " LEFT JOIN monitoring_targets AS t ON t.channel_id = c.channel_id GROUP BY c.channel_id ORDER BY c.channel_id",
    ),
    "outbox": Query(
        "Notifications by state",
        "SELECT state, COUNT(*) AS count, MIN(due_at) AS first_due, MAX(due_at) AS last_due FROM notifications"
        " GROUP BY state ORDER BY state",
    ),
    "unsent": Query(
        "Messages that Discord has not acknowledged yet",
        "SELECT id, channel_id, attempts, attempted_at, next_attempt_at, error FROM messages WHERE state = 'pending'"
        " ORDER BY next_attempt_at",
    ),
    "parked": Query(
        "Channels that refuse the bot, and when it tries them again",
        "SELECT channel_id, reason, attempts, retry_at FROM channel_parkings ORDER BY retry_at",
    ),
    "feed": Query(
        "How far Pinball Map's feed has been read",
        "SELECT history_until, cursor_created_at, last_polled_at FROM feed_state",
    ),
}


def answer(url: str, name: str) -> Answer:
    """Ask the database at `url` one of `QUERIES`. Raises DatabaseError if there is no such query or if it fails."""
    if name not in QUERIES:
        raise DatabaseError(f"There is no query called {name}: choose one of {', '.join(QUERIES)}.")
    engine = sync_engine(url, keep_journal_mode=True)
    try:
        with engine.connect() as connection:
            result = connection.exec_driver_sql(QUERIES[name].sql)
            return Answer(list(result.keys()), [list(row) for row in result])
    except DBAPIError as error:
        raise DatabaseError(
            f"The query {name} cannot be answered here ({error.orig}): it needs an SQLite database at head, so run "
            "`dispinmap db verify` first."
        ) from error
    finally:
        engine.dispose()
