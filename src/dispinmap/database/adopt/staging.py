"""Bringing an adopted database's contents to head, in a private folder."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command

from dispinmap.database.adopt import snapshot
from dispinmap.database.adopt.rows import Draft, Row, draft, time, truth
from dispinmap.database.adopt.shapes import FOREIGN, LITESTREAM_TABLES, Shape, recognise, require_known
from dispinmap.database.chain import alembic_config, scripts
from dispinmap.database.errors import DatabaseError
from dispinmap.database.revisions import LEGACY_REVISION
from dispinmap.database.upgrade import give_channels, upgrade
from dispinmap.database.verify import revision

VALUES_IN_PLACE = "07247ecaf3dd"
"""From this revision on, each value of a target has its own column."""
FIRST_MERGE = "135f21f825fa"
"""The first revision that merges targets."""

_ORPHANS = (
    "INSERT INTO channel_configs (channel_id, guild_id, is_active) SELECT DISTINCT channel_id, 0, 0 FROM {table}"
    " WHERE channel_id NOT IN (SELECT channel_id FROM channel_configs)"
)

Key = tuple[int, str, int | str]
"""What makes two targets the same at head: channel, type, and location id or text."""


@dataclass(frozen=True, slots=True)
class Source:
    """A database to be adopted, before any change."""

    copy: Path
    shape: Shape
    has_litestream: bool
    targets: Sequence[Row]
    """By id."""

    @property
    def url(self) -> str:
        return f"sqlite:///{self.copy}"

    def drafts(self) -> list[Draft]:
        """The targets as rows of ours, for the shapes whose columns no revision of ours has; otherwise empty."""
        if self.shape not in (Shape.NO_COORDINATES, Shape.REDESIGN):
            return []
        return [draft(row, self.shape) for row in self.targets]


@dataclass(frozen=True, slots=True)
class Staged:
    """The source at head: its database, and each target's key there, by the target's id in the source."""

    url: str
    keys: Mapping[int, Key]


def examine(copy: Path) -> Source:
    """Find out which bot wrote the copy, and read its targets. Raises DatabaseError if it cannot be adopted."""
    found = snapshot.columns(copy)
    shape = recognise(found)
    if shape is Shape.OURS:
        require_known(revision(f"sqlite:///{copy}"), [script.revision for script in scripts().walk_revisions()])
    with closing(_reader(copy)) as connection:
        targets = list(_rows(connection, "monitoring_targets ORDER BY id"))
    return Source(copy, shape, bool(LITESTREAM_TABLES & found.keys()), targets)


def stage(source: Source, drafts: Sequence[Draft]) -> Staged:
    """Bring the source's rows to head with our own revisions.

    `drafts` are `source.drafts()` with the coordinates found again. Raises DatabaseError if a row would be lost.
    """
    url = source.url
    if source.shape in FOREIGN:
        url = _rewritten(source, drafts)
    elif source.shape is Shape.PRODUCTION:
        # The stamp does not matter: these columns are the legacy ones, and the first revisions can run again.
        command.stamp(alembic_config(url), LEGACY_REVISION, purge=True)
    else:
        give_channels(url)
    first_merge = scripts().get_revision(FIRST_MERGE)
    command.upgrade(alembic_config(url), str(first_merge.down_revision))
    keys = _keys(url)
    upgrade(url)
    _check(source, url, keys)
    return Staged(url, keys)


def key_of(channel_id: int, target_type: str, target_name: str, location_id: int | None) -> Key:
    """The same columns as in the table's two unique constraints."""
    return channel_id, target_type, target_name if location_id is None else location_id


def _rewritten(source: Source, drafts: Sequence[Draft]) -> str:
    """A new database at one of our revisions, with the rows of a shape that no revision starts from."""
    path = source.copy.with_name("rewritten.db")
    url = f"sqlite:///{path}"
    legacy = source.shape is Shape.EARLY
    command.upgrade(alembic_config(url), LEGACY_REVISION if legacy else VALUES_IN_PLACE)
    with closing(_reader(source.copy)) as reader, closing(sqlite3.connect(path)) as writer, writer:
        tables = snapshot.columns(source.copy)
        if "channel_configs" in tables:
            _insert(writer, "channel_configs", map(_channel, _rows(reader, "channel_configs")))
        if "seen_submissions" in tables:
            _insert(writer, "seen_submissions", map(_seen, _rows(reader, "seen_submissions")))
        _insert(writer, "monitoring_targets", map(_early, source.targets) if legacy else map(_values, drafts))
        _give_channels(writer)
    return url


def _channel(row: Row) -> Row:
    kept = {name: row.get(name) for name in ("channel_id", "guild_id", "poll_rate_minutes", "notification_types")}
    times = {name: time(row.get(name)) for name in ("last_poll_at", "created_at", "updated_at")}
    return {**kept, "is_active": truth(row.get("is_active")), **times}


def _seen(row: Row) -> Row:
    return {
        "channel_id": row["channel_id"],
        "submission_id": row["submission_id"],
        "seen_at": time(row.get("seen_at")),
    }


def _early(row: Row) -> Row:
    kept = {name: row[name] for name in ("id", "channel_id", "target_type", "target_name", "target_data")}
    return {**kept, "last_checked_at": None, "created_at": time(row.get("created_at"))}


def _values(one: Draft) -> Row:
    return {name: getattr(one, name) for name in Draft.__dataclass_fields__}


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Insert rows that all have the columns of the first. A pair that was seen twice is inserted once."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    verb = "INSERT OR IGNORE" if table == "seen_submissions" else "INSERT"
    names = ", ".join(first)
    marks = ", ".join(f":{name}" for name in first)
    statement = f"{verb} INTO {table} ({names}) VALUES ({marks})"
    connection.execute(statement, first)
    connection.executemany(statement, rows)


def _give_channels(connection: sqlite3.Connection) -> None:
    """As revision c49cf21c6e65 does: a channel without a row received nothing, so its new row is inactive."""
    for table in ("monitoring_targets", "seen_submissions"):
        connection.execute(_ORPHANS.format(table=table))


def _keys(url: str) -> dict[int, Key]:
    with closing(_reader(_path(url))) as connection:
        rows = connection.execute(
            "SELECT id, channel_id, target_type, target_name, location_id FROM monitoring_targets"
        )
        return {row["id"]: key_of(*tuple(row)[1:]) for row in rows}


def _check(source: Source, url: str, keys: Mapping[int, Key]) -> None:
    """Raises DatabaseError unless every target's key and every seen pair is at head."""
    lost = {row["id"] for row in source.targets} - keys.keys()
    at_head = set(_keys(url).values())
    lost |= {id_ for id_, key in keys.items() if key not in at_head}
    if lost:
        raise DatabaseError(f"Nothing was written, because targets would be lost: {sorted(lost)}. Please report this.")
    before, after = _seen_pairs(source.copy), _seen_pairs(_path(url))
    if before != after:
        raise DatabaseError(
            f"Nothing was written, because of {before} seen submissions {after} would be left. Please report this."
        )


def _seen_pairs(path: Path) -> int:
    if "seen_submissions" not in snapshot.columns(path):
        return 0
    with closing(sqlite3.connect(path)) as connection:
        pairs = "SELECT COUNT(*) FROM (SELECT DISTINCT channel_id, submission_id FROM seen_submissions)"
        return int(connection.execute(pairs).fetchone()[0])


def _reader(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    # Names that are not valid UTF-8 are read too, with replacement characters.
    connection.text_factory = lambda data: data.decode(errors="replace")
    return connection


def _rows(connection: sqlite3.Connection, what: str) -> Iterator[dict[str, Any]]:
    return (dict(row) for row in connection.execute(f"SELECT * FROM {what}"))  # noqa: S608 -- our own table names


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))
