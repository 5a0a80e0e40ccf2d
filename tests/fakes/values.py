"""Short ways to make the values that tests talk about."""

from datetime import UTC, datetime

from dispinmap.geocoding.models import Place
from dispinmap.outbox.models import Notification
from dispinmap.pinballmap.models import Location, Submission, SubmissionType
from dispinmap.targets.kinds import Kinds, NotificationKind
from dispinmap.targets.models import Area, Channel, ChannelRef, Target, TargetType, WatchedTarget

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GROUND_KONTROL = 874
KONTROL = Location(GROUND_KONTROL, "Ground Kontrol Classic Arcade", "Portland", "OR")
WEDGEHEAD = Location(7900, "Wedgehead", "Portland", "OR")
PORTLAND = Place("Portland", 45.52345, -122.67621, "Oregon", "United States")
HERE = ChannelRef(channel_id=100, guild_id=7)


def kinds_of(*names: str) -> Kinds:
    """Such as `kinds_of("machines", "scores")`."""
    return Kinds(map(NotificationKind, names))


def submission(
    id: int = 1,  # noqa: A002 -- the field's name
    *,
    type: str = SubmissionType.NEW_LMX,  # noqa: A002 -- the field's name
    at: datetime = NOON,
    location_id: int | None = GROUND_KONTROL,
    machine_id: int | None = 641,
    latitude: float | None = 45.524083,
    longitude: float | None = -122.675826,
    comment: str | None = None,
) -> Submission:
    return Submission(
        id=id,
        type=type,
        created_at=at,
        location_id=location_id,
        location_name="Ground Kontrol Classic Arcade",
        city_name="Portland",
        latitude=latitude,
        longitude=longitude,
        machine_id=machine_id,
        machine_name="Monster Bash (Williams, 1998)",
        user_name="flipper_fan",
        comment=comment,
    )


def notification(row: Submission, area: Area | None = None, *, channel_id: int = 10) -> Notification:
    """With the submission's id."""
    return Notification(channel_id, 1, row, NOON, area=area, id=row.id)


def watched(
    *,
    id: int = 1,  # noqa: A002 -- the field's name
    channel_id: int = 10,
    location_id: int | None = GROUND_KONTROL,
    area: Area | None = None,
    kinds: Kinds | None = None,
    poll_rate_minutes: int | None = None,
    created_at: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    last_checked_at: datetime | None = None,
    channel: Channel | None = None,
) -> WatchedTarget:
    """A target on a location, or on `area` if that is given."""
    target = Target(
        id=id,
        channel_id=channel_id,
        type=TargetType.LATLONG if area else TargetType.LOCATION,
        target_name=str(area) if area else "Ground Kontrol Classic Arcade",
        location_id=None if area else location_id,
        kinds=kinds,
        poll_rate_minutes=poll_rate_minutes,
        created_at=created_at,
        last_checked_at=last_checked_at,
    )
    return WatchedTarget(target, channel or Channel(channel_id=channel_id, guild_id=1))
