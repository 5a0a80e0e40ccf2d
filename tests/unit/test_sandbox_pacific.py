"""Pinball Map's zone, held against the machine's own time-zone table where there is one."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap_sandbox.pacific import pacific_midnight, to_pacific

moments = st.datetimes(datetime(2008, 1, 2), datetime(2060, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - the zone follows
days = st.dates(date(2008, 1, 2), date(2060, 12, 30))


@pytest.fixture(scope="module")
def zone() -> ZoneInfo:
    try:
        return ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        pytest.skip("this machine has no time-zone table to compare with")


@given(moment=moments)
def test_every_moment_is_the_same_as_in_the_table(zone: ZoneInfo, moment: datetime) -> None:
    assert to_pacific(moment).isoformat() == moment.astimezone(zone).isoformat()


@given(day=days)
def test_every_day_begins_as_in_the_table(zone: ZoneInfo, day: date) -> None:
    assert pacific_midnight(day) == datetime(day.year, day.month, day.day, tzinfo=zone)


@pytest.mark.parametrize(
    ("switch", "before", "after"),
    [
        (datetime(2026, 3, 8, 10, tzinfo=UTC), "-08:00", "-07:00"),
        (datetime(2026, 11, 1, 9, tzinfo=UTC), "-07:00", "-08:00"),
    ],
)
def test_the_offset_changes_at_two_in_the_morning(switch: datetime, before: str, after: str) -> None:
    assert to_pacific(switch - timedelta(seconds=1)).isoformat().endswith(before)
    assert to_pacific(switch).isoformat().endswith(after)
