"""The tables at head. Only migrations create them; a test checks that both agree."""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Index, MetaData, String, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from dispinmap.database.types import Id, UtcDateTime


class Base(DeclarativeBase):
    metadata = MetaData()


UNKNOWN_GUILD: Final = 0
"""The `guild_id` of a channel whose server is unknown. A command in the channel fills in the real one."""
UNSENT_SQL: Final = "state = 'pending' AND message_id IS NULL"
AREA_SQL: Final = "target_type <> 'location'"
UNMAPPED_SQL: Final = f"{AREA_SQL} AND (mapped_name IS NULL OR mapped_name <> target_name)"
"""Conditions of partial indexes. SQLite uses such an index only for a query with exactly the same condition."""


class ChannelConfigRow(Base):
    """A channel and its settings. NULL settings mean the defaults; NULL `is_active` means active.

    `served_at` is when the last message left for a target that follows the channel's poll rate. `last_poll_at` is
    updated once a day.
    """

    __tablename__ = "channel_configs"

    channel_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    guild_id: Mapped[int] = mapped_column(BigInteger)
    poll_rate_minutes: Mapped[int | None] = mapped_column(index=True)
    notification_types: Mapped[str | None]
    is_active: Mapped[bool | None]
    last_poll_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime, server_default=text("CURRENT_TIMESTAMP"))
    updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime, server_default=text("CURRENT_TIMESTAMP"))
    served_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class MonitoringTargetRow(Base):
    """A channel's interest. NULL settings mean the channel's.

    `served_at` is when the last message for it left; it counts only if the target has its own poll rate. `mapped_name`
    is the `target_name` whose cells are in `area_cells`. `last_checked_at` is updated once a day.
    """

    __tablename__ = "monitoring_targets"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("channel_configs.channel_id"))
    target_type: Mapped[str]
    target_name: Mapped[str]
    display_name: Mapped[str | None]
    location_id: Mapped[int | None] = mapped_column(index=True)
    poll_rate_minutes: Mapped[int | None] = mapped_column(server_default=text("60"), index=True)
    notification_types: Mapped[str | None] = mapped_column(server_default=text("'machines'"))
    last_checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime, server_default=text("CURRENT_TIMESTAMP"))
    mapped_name: Mapped[str | None]
    served_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("channel_id", "target_type", "location_id", name="unique_channel_location"),
        # Areas have no location_id, and a unique constraint ignores rows with NULL: this index covers them.
        Index(
            "unique_channel_area",
            "channel_id",
            "target_type",
            "target_name",
            unique=True,
            sqlite_where=text("location_id IS NULL"),
            postgresql_where=text("location_id IS NULL"),
        ),
        Index(
            "ix_monitoring_targets_area",
            "target_name",
            sqlite_where=text(AREA_SQL),
            postgresql_where=text(AREA_SQL),
        ),
        Index(
            "ix_monitoring_targets_unmapped",
            "id",
            sqlite_where=text(UNMAPPED_SQL),
            postgresql_where=text(UNMAPPED_SQL),
        ),
    )


class AreaCellRow(Base):
    """A map cell (`matching.geography`) that a circle touches, as some target's `target_name` spells the circle."""

    __tablename__ = "area_cells"

    cell: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    area: Mapped[str] = mapped_column(primary_key=True)


class SeenSubmissionRow(Base):
    """A submission that a channel was shown or promised. It is never announced there again."""

    __tablename__ = "seen_submissions"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("channel_configs.channel_id"))
    submission_id: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime, server_default=text("CURRENT_TIMESTAMP"))

    __table_args__ = (UniqueConstraint("channel_id", "submission_id", name="unique_channel_submission"),)


class SubmissionRow(Base):
    """Our copy of a submission.

    `fed_at` is when it was matched with the targets. It is NULL while a gap in the feed is being read, and stays NULL
    if the submission came only from a look-up.
    """

    __tablename__ = "submissions"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    submission_type: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    location_id: Mapped[int | None]
    location_name: Mapped[str | None]
    city_name: Mapped[str | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    machine_id: Mapped[int | None]
    machine_name: Mapped[str | None]
    user_name: Mapped[str | None]
    comment: Mapped[str | None]
    fed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sentence: Mapped[str | None]
    high_score: Mapped[int | None] = mapped_column(BigInteger)


class FeedStateRow(Base):
    """How far the feed has been read: one row with id 1.

    Everything up to `cursor_created_at` was matched, and `last_polled_at` is when the feed was last read without a gap.
    While a gap is being read, `reading_since` is when that began, and submissions created before `unread_before` are
    still missing (NULL: none is).
    """

    __tablename__ = "feed_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    history_until: Mapped[datetime] = mapped_column(UtcDateTime)
    cursor_created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_polled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reading_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unread_before: Mapped[datetime | None] = mapped_column(UtcDateTime)


class MessageRow(Base):
    """One Discord post. `attempted_at` is set while the outcome of an attempt is unknown."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("channel_configs.channel_id"))
    nonce: Mapped[str] = mapped_column(String(25))
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    attempted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_attempt_at: Mapped[datetime] = mapped_column(UtcDateTime)
    error: Mapped[str | None]
    posted_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("nonce", name="unique_message_nonce"),
        Index("ix_messages_state_channel", "state", "channel_id"),
    )


class NotificationRow(Base):
    """One submission for one channel: a row of the outbox.

    It leaves once `due_at` has passed and the feed was read without a gap at or after `settles_at` (NULL: it is settled
    already). See `outbox.due`.
    """

    __tablename__ = "notifications"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("channel_configs.channel_id"))
    submission_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("submissions.id"), index=True)
    target_id: Mapped[int | None] = mapped_column(ForeignKey("monitoring_targets.id", ondelete="SET NULL"), index=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"), index=True)
    state: Mapped[str]
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settles_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("channel_id", "submission_id", name="unique_notification"),
        Index("ix_notifications_state_channel_due", "state", "channel_id", "due_at"),
        Index("ix_notifications_unsent", "due_at", sqlite_where=text(UNSENT_SQL), postgresql_where=text(UNSENT_SQL)),
    )


class ChannelParkingRow(Base):
    """A channel that refuses us: nothing is sent there before `retry_at`."""

    __tablename__ = "channel_parkings"

    channel_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("channel_configs.channel_id"), primary_key=True, autoincrement=False
    )
    reason: Mapped[str]
    attempts: Mapped[int]
    parked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    retry_at: Mapped[datetime] = mapped_column(UtcDateTime)


class HeartbeatRow(Base):
    """When the bot last wrote: one row with id 1. In a restored copy it shows how old the copy is.

    `holder` is the run of the bot that wrote it, `previous_holder` the run it took over from. `restored_at` is when
    this database was last restored: submissions created up to then may have been posted without it knowing.
    """

    __tablename__ = "heartbeat"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    beat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    holder: Mapped[str | None]
    previous_holder: Mapped[str | None]
    restored_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DrillRow(Base):
    """One test restore of our backup. `problem` is NULL if the restored copy passed all checks."""

    __tablename__ = "drills"

    id: Mapped[int] = mapped_column(primary_key=True)
    finished_at: Mapped[datetime] = mapped_column(UtcDateTime)
    restore_seconds: Mapped[float | None]
    heartbeat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    problem: Mapped[str | None]
