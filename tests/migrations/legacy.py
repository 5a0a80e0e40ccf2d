"""A database of the original bot, as production had it."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE channel_configs (
    channel_id BIGINT NOT NULL, guild_id BIGINT NOT NULL, poll_rate_minutes INTEGER, notification_types VARCHAR,
    is_active BOOLEAN, last_poll_at DATETIME, created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (channel_id)
);
CREATE TABLE monitoring_targets (
    id INTEGER NOT NULL, channel_id BIGINT NOT NULL, target_type VARCHAR NOT NULL, target_name VARCHAR NOT NULL,
    target_data VARCHAR, poll_rate_minutes INTEGER, notification_types VARCHAR, last_checked_at DATETIME,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (id),
    CONSTRAINT unique_channel_target UNIQUE (channel_id, target_type, target_name),
    FOREIGN KEY(channel_id) REFERENCES channel_configs (channel_id)
);
CREATE TABLE seen_submissions (
    id INTEGER NOT NULL, channel_id BIGINT NOT NULL, submission_id BIGINT NOT NULL,
    seen_at DATETIME DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (id),
    CONSTRAINT unique_channel_submission UNIQUE (channel_id, submission_id),
    FOREIGN KEY(channel_id) REFERENCES channel_configs (channel_id)
);
CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER);
CREATE TABLE _litestream_lock (id INTEGER);
"""


@dataclass(frozen=True)
class LegacyTarget:
    id: int
    channel_id: int
    target_type: str
    target_name: str
    target_data: str | None = None
    poll_rate_minutes: int | None = 60
    notification_types: str | None = "machines"


AUSTIN = "30.26715,-97.74306"
TARGETS = (
    LegacyTarget(1, 11, "location", "Austin Pinball Collective", "26454"),
    LegacyTarget(2, 11, "location", "The same under another name", "26454"),
    LegacyTarget(3, 11, "location", "Typed by hand", "no number"),
    LegacyTarget(4, 11, "city", "Austin, Texas, US", AUSTIN),
    LegacyTarget(5, 11, "city", "Austin, TX", AUSTIN),
    LegacyTarget(6, 11, "city", "Nowhere"),
    LegacyTarget(7, 12, "latlong", "30.2672,-97.7431,10"),
    LegacyTarget(8, 12, "latlong", "somewhere downtown"),
    LegacyTarget(9, 12, "location", "Ground Kontrol", "874"),
    LegacyTarget(10, 99, "location", "Of a channel nobody configured", "875"),
)


def create(path: Path, targets: Iterable[LegacyTarget] = TARGETS) -> Path:
    """A file with channels 11 (with settings of its own) and 12, these targets and three seen submissions."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(SCHEMA)
        connection.executemany(
            "INSERT INTO channel_configs (channel_id, guild_id, poll_rate_minutes, notification_types, is_active)"
            " VALUES (?, ?, ?, ?, ?)",
            [(11, 1, 15, "all", True), (12, 1, None, None, None)],
        )
        connection.executemany(
            "INSERT INTO monitoring_targets (id, channel_id, target_type, target_name, target_data, poll_rate_minutes,"
            " notification_types) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [tuple(vars(target).values()) for target in targets],
        )
        connection.executemany(
            "INSERT INTO seen_submissions (channel_id, submission_id) VALUES (?, ?)", [(11, 1), (11, 2), (98, 1)]
        )
        connection.execute("INSERT INTO _litestream_seq VALUES (1, 7)")
    return path


def rows(path: Path, sql: str, *values: object) -> list[Any]:
    """What plain sqlite3 reads from the file: tuples, or bare values if the query has one column."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(sql, values).fetchall()
    return [row[0] for row in found] if found and len(found[0]) == 1 else found


def schema(path: Path) -> dict[str, str]:
    """Every table and index by name, blanks evened out."""
    found = rows(path, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: " ".join(sql.split()) for name, sql in found}


def write(path: Path, sql: str, *values: object) -> None:
    """Carry out one statement with plain sqlite3."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql, values)
