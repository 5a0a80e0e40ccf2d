"""A database of every shape that the original bot left behind, and of ours."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from alembic import command

from dispinmap.database.chain import alembic_config
from tests.migrations import legacy
from tests.migrations.legacy import SCHEMA, write

CHANNELS = """
INSERT INTO channel_configs (channel_id, guild_id, poll_rate_minutes, notification_types, is_active, created_at)
    VALUES (11, 1, 15, 'all', 1, '2025-07-01 10:00:00'), (12, 1, NULL, NULL, NULL, 'long ago');
INSERT INTO seen_submissions (channel_id, submission_id, seen_at)
    VALUES (11, 1, '2025-07-02 10:00:00'), (11, 2, 'yesterday'), (98, 1, NULL);
"""
LITESTREAM = SCHEMA[SCHEMA.index("CREATE TABLE _litestream_seq") :]
_OTHERS = SCHEMA.replace(LITESTREAM, "")
_LEGACY_TARGETS = _OTHERS[_OTHERS.index("CREATE TABLE monitoring_targets") : _OTHERS.index("CREATE TABLE seen")]

_NO_COORDINATES = """
CREATE TABLE monitoring_targets (
    id INTEGER NOT NULL, channel_id BIGINT NOT NULL, target_type VARCHAR NOT NULL, target_name VARCHAR NOT NULL,
    location_id INTEGER, poll_rate_minutes INTEGER, notification_types VARCHAR, last_checked_at DATETIME,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (id),
    CONSTRAINT unique_channel_location UNIQUE (channel_id, target_type, location_id),
    FOREIGN KEY(channel_id) REFERENCES channel_configs (channel_id)
);
"""
_NO_COORDINATES_ROWS = """
INSERT INTO monitoring_targets (id, channel_id, target_type, target_name, location_id, poll_rate_minutes,
    notification_types, last_checked_at) VALUES
    (1, 11, 'location', 'Austin Pinball Collective', 26454, 60, 'machines', '2025-08-01 09:30:00'),
    (2, 11, 'city', 'Austin, Texas, US', NULL, 60, 'machines', NULL),
    (3, 11, 'city', 'Nowhere', NULL, 60, 'machines', NULL),
    (4, 11, 'city', 'Springfield', NULL, 60, 'machines', NULL),
    (5, 12, 'latlong', '30.2672,-97.7431,10', NULL, 60, 'machines', NULL),
    (6, 12, 'location', 'Of a text that was no number', NULL, 60, 'machines', NULL),
    (7, 11, 'city', 'Austin, TX', NULL, 60, 'machines', NULL),
    (8, 99, 'location', 'Of a channel nobody configured', 875, 60, 'machines', 'junk');
"""
_REDESIGN = """
CREATE TABLE monitoring_targets (
    id INTEGER NOT NULL, channel_id BIGINT NOT NULL, target_type VARCHAR NOT NULL, display_name VARCHAR NOT NULL,
    location_id INTEGER, latitude FLOAT, longitude FLOAT, radius_miles INTEGER, poll_rate_minutes INTEGER,
    notification_types VARCHAR, last_checked_at DATETIME, created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    CONSTRAINT unique_location UNIQUE (channel_id, location_id),
    CONSTRAINT unique_geographic UNIQUE (channel_id, latitude, longitude),
    CONSTRAINT target_data_check CHECK ((target_type = 'location' AND location_id IS NOT NULL)
        OR (target_type = 'geographic' AND latitude IS NOT NULL AND longitude IS NOT NULL)),
    CONSTRAINT valid_latitude CHECK (latitude BETWEEN -90 AND 90),
    CONSTRAINT valid_longitude CHECK (longitude BETWEEN -180 AND 180),
    CONSTRAINT valid_radius CHECK (radius_miles BETWEEN 1 AND 100),
    CONSTRAINT valid_target_type CHECK (target_type IN ('location', 'geographic')),
    FOREIGN KEY(channel_id) REFERENCES channel_configs (channel_id)
);
"""
_REDESIGN_ROWS = """
INSERT INTO monitoring_targets (id, channel_id, target_type, display_name, location_id, latitude, longitude,
    radius_miles, poll_rate_minutes, notification_types) VALUES
    (1, 11, 'location', 'Austin Pinball Collective', 26454, NULL, NULL, NULL, 60, 'machines'),
    (2, 11, 'geographic', 'Coordinates 30.26720, -97.74310 (10mi)', NULL, 30.2672, -97.7431, 10, 60, 'machines'),
    (3, 11, 'geographic', 'Austin, Texas, US', NULL, 30.26715, -97.74306, 25, 60, 'machines'),
    (4, 12, 'geographic', 'Coordinates 45.52000, -122.67000', NULL, 45.52, -122.67, NULL, 60, 'machines'),
    (5, 12, 'geographic', 'Köln', NULL, 50.93333, 6.95, NULL, 60, 'machines');
"""
_EARLY_ROWS = """
INSERT INTO monitoring_targets (id, channel_id, target_type, target_name, target_data) VALUES
    (1, 11, 'location', 'Austin Pinball Collective', '26454'),
    (2, 11, 'location', 'The same under another name', '26454'),
    (3, 11, 'location', 'Typed by hand', 'no number'),
    (4, 12, 'latlong', '30.2672,-97.7431,10', NULL),
    (5, 11, 'city', 'Austin, Texas, US', '30.26715,-97.74306');
"""


def production(path: Path) -> Path:
    """A, and with Litestream's tables E."""
    return legacy.create(path)


def production_without_litestream(path: Path) -> Path:
    """Shape A without Litestream's tables."""
    return _make(legacy.create(path), "DROP TABLE _litestream_seq; DROP TABLE _litestream_lock")


def stamped_production(path: Path, stamp: str = "68d948f60b7a") -> Path:
    """A2."""
    return _stamp(legacy.create(path), stamp)


def no_coordinates(path: Path, stamp: str = "ea2a9d9df2f0") -> Path:
    """B."""
    return _stamp(_make(path, _OTHERS.replace(_LEGACY_TARGETS, _NO_COORDINATES), CHANNELS, _NO_COORDINATES_ROWS), stamp)


def redesign(path: Path, stamp: str = "c89aa1e6a04d") -> Path:
    """C."""
    return _stamp(_make(path, _OTHERS.replace(_LEGACY_TARGETS, _REDESIGN), CHANNELS, _REDESIGN_ROWS), stamp)


def early(path: Path) -> Path:
    """D."""
    targets = _LEGACY_TARGETS.replace(
        "poll_rate_minutes INTEGER, notification_types VARCHAR, last_checked_at DATETIME,", ""
    )
    schema = _OTHERS.replace(_LEGACY_TARGETS, targets).replace("last_poll_at DATETIME,", "")
    return _make(path, schema, CHANNELS, _EARLY_ROWS)


def ours(path: Path, revision: str = "head") -> Path:
    """F: what production became."""
    legacy.create(path)
    config = alembic_config(f"sqlite:///{path}")
    command.stamp(config, "6f6f6afb1af3")
    command.upgrade(config, revision)
    write(path, "UPDATE monitoring_targets SET poll_rate_minutes = 5, notification_types = 'comments' WHERE id = 1")
    return path


EVERY: dict[str, Callable[[Path], Path]] = {
    "A": production_without_litestream,
    "A2": stamped_production,
    "B": no_coordinates,
    "C": redesign,
    "D": early,
    "E": production,
    "F": ours,
}


def with_litestream(path: Path) -> Path:
    """E of any other shape."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(LITESTREAM)
    return path


def _make(path: Path, *scripts: str) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        for script in scripts:
            connection.executescript(script)
    return path


def _stamp(path: Path, stamp: str) -> Path:
    write(path, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    write(path, "INSERT INTO alembic_version VALUES (?)", stamp)
    return path
