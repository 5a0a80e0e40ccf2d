"""Merging targets that mean the same. Two revisions use this, so, like them, it must not change."""

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa
import structlog

from dispinmap.database.migrations.accounting import report_merged

_DEFAULT_POLL_RATE_MINUTES = 60
_DEFAULT_KIND = "machines"
_EVERY_KIND = "all"

_targets = sa.table(
    "monitoring_targets",
    *(
        sa.column(name)
        for name in (
            "id",
            "channel_id",
            "target_type",
            "target_name",
            "location_id",
            "poll_rate_minutes",
            "notification_types",
        )
    ),
)
_channels = sa.table(
    "channel_configs", *(sa.column(name) for name in ("channel_id", "poll_rate_minutes", "notification_types"))
)


def merge_equal_locations(connection: sa.Connection) -> None:
    """Merge a channel's targets that have the same location id."""
    _merge(connection, _targets.c.location_id, _targets.c.location_id.is_not(None))


def merge_equal_areas(connection: sa.Connection) -> None:
    """Merge a channel's targets that have the same text and no location id."""
    _merge(connection, _targets.c.target_name, _targets.c.location_id.is_(None))


def wider_rate(own: Collection[int | None], channel: int) -> int | None:
    """The shortest of these poll rates in minutes. None means the channel's, and is returned if it is the shortest."""
    rate = min(channel if one is None else one for one in own)
    return None if rate == channel and None in own else rate


def wider_kind(own: Collection[str | None], channel: str) -> str | None:
    """The one kind that covers these. None means the channel's, and is returned if that covers them."""
    kinds = {channel if one is None else one for one in own}
    kind = kinds.pop() if len(kinds) == 1 else _EVERY_KIND
    return None if kind == channel and None in own else kind


def _merge(connection: sa.Connection, key: sa.ColumnClause[Any], which: sa.ColumnElement[bool]) -> None:
    rows = connection.execute(_repeated(key, which)).all()
    groups = [list(group) for _, group in groupby(rows, lambda row: (row.channel_id, row.target_type, row.key))]
    if groups:
        _widen(connection, groups)
        _delete_copies(connection, groups)


def _repeated(key: sa.ColumnClause[Any], which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    # A window sorts once; joining the table with its repeated keys took SQLite minutes for 100,000 rows.
    copies = sa.func.count().over(partition_by=[_targets.c.channel_id, _targets.c.target_type, key])
    counted = sa.select(_targets, key.label("key"), copies.label("copies")).where(which).subquery()
    return (
        sa.select(
            counted,
            _channels.c.poll_rate_minutes.label("channel_rate"),
            _channels.c.notification_types.label("channel_kind"),
        )
        .outerjoin(_channels, _channels.c.channel_id == counted.c.channel_id)
        .where(counted.c.copies > 1)
        .order_by(counted.c.channel_id, counted.c.target_type, counted.c.key, counted.c.id)
    )


def _widen(connection: sa.Connection, groups: Sequence[Sequence[sa.Row[Any]]]) -> None:
    """Give the oldest target of each group settings that cover the whole group."""
    kept = _targets.update().where(_targets.c.id == sa.bindparam("kept_id"))
    connection.execute(
        kept.values(poll_rate_minutes=sa.bindparam("rate"), notification_types=sa.bindparam("kind")),
        [{"kept_id": group[0].id, "rate": _rate(group), "kind": _kind(group)} for group in groups],
    )


def _delete_copies(connection: sa.Connection, groups: Sequence[Sequence[sa.Row[Any]]]) -> None:
    copies = [{"copy_id": row.id} for _, *others in groups for row in others]
    connection.execute(_targets.delete().where(_targets.c.id == sa.bindparam("copy_id")), copies)
    report_merged(connection, _targets.name, len(copies))
    log = structlog.get_logger()
    for kept, *others in groups:
        merged = [row.id for row in others]
        log.info("targets_merged", channel_id=kept.channel_id, kept_id=kept.id, merged_ids=merged)


def _rate(group: Sequence[sa.Row[Any]]) -> int | None:
    return wider_rate([row.poll_rate_minutes for row in group], group[0].channel_rate or _DEFAULT_POLL_RATE_MINUTES)


def _kind(group: Sequence[sa.Row[Any]]) -> str | None:
    return wider_kind([row.notification_types for row in group], group[0].channel_kind or _DEFAULT_KIND)
