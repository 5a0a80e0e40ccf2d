"""Pinball Map's time zone. The machine needs no time-zone table for it."""

from datetime import UTC, date, datetime, timedelta, timezone

_STANDARD = timezone(timedelta(hours=-8))
_DAYLIGHT = timezone(timedelta(hours=-7))


def to_pacific(moment: datetime) -> datetime:
    """The moment in Pacific time: -07:00 from the second Sunday of March to the first of November, otherwise -08:00.

    The switches are at 2:00 local time. Source: Energy Policy Act of 2005, section 110, in force since 2007.
    """
    year = moment.astimezone(UTC).year
    begins = _sunday(year, 3, 2, 10)
    ends = _sunday(year, 11, 1, 9)
    return moment.astimezone(_DAYLIGHT if begins <= moment < ends else _STANDARD)


def pacific_midnight(day: date) -> datetime:
    """When `day` begins in Pacific time, in UTC."""
    early = datetime(day.year, day.month, day.day, 7, tzinfo=UTC)
    return early if to_pacific(early).date() == day else early + timedelta(hours=1)


def _sunday(year: int, month: int, which: int, utc_hour: int) -> datetime:
    first = datetime(year, month, 1, utc_hour, tzinfo=UTC)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (which - 1))
